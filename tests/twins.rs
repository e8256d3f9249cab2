//! One connection that was captured more than once is told once, and what only looks like one is
//! told as what it is.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/run.rs"]
mod run;
mod support;

use serde_json::Value;
use tlstriage::analysis::Analyzer;

use run::{stream, told_by};
use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, Segment, Segments as _};
use support::packet::{Link, Packets as _};
use support::tls::{ClientHello, Tls as _};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_700_000_000 * SECOND;

/// A connection to `server` whose client counts its bytes from `number`, begun at `time`.
fn seen(server: &str, number: u32, time: i64) -> Vec<Segment> {
    let chain = [Certificate::new("localhost").self_signed().der];
    Conversation::between("10.1.0.5:50112", server)
        .numbered(number, 7)
        .at(time)
        .syn()
        .tls12(&ClientHello::new().sni("localhost"), &chain)
        .segments()
}

fn capture(connections: &[Vec<Segment>]) -> Vec<u8> {
    let mut segments = connections.concat();
    segments.sort_by_key(|segment| segment.time);
    Pcap::new().write(&Link::Ethernet, &segments.packets().on(&Link::Ethernet))
}

fn flows(connections: &[Vec<Segment>]) -> Vec<Value> {
    told_by(&Analyzer::new(), [stream(capture(connections))]).flows()
}

#[test]
fn both_sides_of_an_address_translation_are_one_connection() {
    let inside = seen("10.1.2.3:443", 1000, START);
    let outside = seen("172.18.0.2:8081", 1000, START + 20_000);
    for horizon in [None, Some(5 * SECOND)] {
        let analyzer =
            horizon.map_or_else(Analyzer::new, |nanos| Analyzer::new().with_horizon(nanos));
        let capture = capture(&[inside.clone(), outside.clone()]);
        let told = told_by(&analyzer, [stream(capture)]);
        let flows = told.flows();
        assert_eq!(flows.len(), 1, "{horizon:?}");
        assert_eq!(flows[0]["destination"]["ip"], "10.1.2.3");
        let other = &flows[0]["tlstriage"]["also_seen_as"];
        assert_eq!(other.as_array().unwrap().len(), 1);
        assert_eq!(other[0]["destination"]["ip"], "172.18.0.2");
        assert_eq!(other[0]["destination"]["port"], 8081);
        assert_eq!(told.summary.flows.seen_again, 1);
        assert_eq!(told.summary.flows.tls, 1);
    }
}

#[test]
fn two_captures_of_one_connection_tell_it_once_in_either_order() {
    let one = capture(&[seen("10.1.2.3:443", 1000, START)]);
    let other = capture(&[seen("172.18.0.2:8081", 1000, START + 20_000)]);
    let first = |captures: [&Vec<u8>; 2]| {
        let sources = captures.map(|capture| stream(capture.clone()));
        let flows = told_by(&Analyzer::new(), sources).flows();
        assert_eq!(flows.len(), 1);
        flows[0]["destination"]["ip"].clone()
    };
    // Streams are read in the order in which they were given.
    assert_eq!(first([&one, &other]), "10.1.2.3");
    assert_eq!(first([&other, &one]), "172.18.0.2");
}

#[test]
fn a_relay_or_a_replay_is_a_connection_of_its_own_and_linked() {
    let others = [
        (
            "another sequence number",
            seen("172.18.0.2:8081", 2000, START + 20_000),
        ),
        (
            "much later",
            seen("172.18.0.2:8081", 1000, START + 3 * SECOND),
        ),
    ];
    for (what, other) in others {
        let flows = flows(&[seen("10.1.2.3:443", 1000, START), other]);
        assert_eq!(flows.len(), 2, "{what}");
        for (own, other) in [(0, 1), (1, 0)] {
            let triage = &flows[own]["tlstriage"];
            assert_eq!(
                triage["same_hello_as"], flows[other]["event"]["id"],
                "{what}"
            );
            assert_eq!(triage.get("also_seen_as"), None, "{what}");
        }
    }
}

#[test]
fn one_after_the_other_is_no_translation() {
    // Traffic that a program made up: every connection counts from the same number.
    let again = seen("172.18.0.2:8081", 1000, START + SECOND);
    let flows = flows(&[seen("10.1.2.3:443", 1000, START), again]);
    assert_eq!(flows.len(), 2);
}

#[test]
fn a_hello_alone_proves_nothing() {
    let hello = |port: u16| {
        Conversation::between(&format!("10.1.0.5:{port}"), "10.1.2.3:443")
            .numbered(1000, 7)
            .at(START)
            .client(&ClientHello::new().sni("localhost").record())
            .segments()
    };
    assert_eq!(flows(&[hello(1), hello(2), hello(3)]).len(), 3);
}

#[test]
fn the_same_addresses_again_are_another_connection() {
    let again = seen("10.1.2.3:443", 1000, START + 90 * SECOND);
    let flows = flows(&[seen("10.1.2.3:443", 1000, START), again]);
    assert_eq!(flows.len(), 2);
    assert_eq!(
        flows[1]["tlstriage"]["same_hello_as"],
        flows[0]["event"]["id"]
    );
}

#[test]
fn a_hello_without_end_is_told_each_time() {
    let many: Vec<_> = (0..200)
        .map(|n| seen(&format!("10.1.2.{n}:443"), 1000 + n, START + i64::from(n)))
        .collect();
    let told = flows(&many);
    assert_eq!(told.len(), 200);
    // Each is linked to the first, and that to the second, as far as they are compared.
    let id = |n: usize| told[n]["event"]["id"].clone();
    let link = |n: usize| told[n]["tlstriage"]["same_hello_as"].clone();
    assert_eq!(link(0), id(1));
    assert_eq!((link(1), link(63)), (id(0), id(0)));
    assert_eq!(link(64), Value::Null);
}

#[test]
fn hellos_that_are_alike_in_a_part_of_their_randoms_are_no_repetition() {
    let chain = [Certificate::new("localhost").self_signed().der];
    let begun = |n: u8, front: u8| {
        let mut hello = ClientHello::new().sni("localhost");
        hello.random[0] = front;
        Conversation::between("10.1.0.5:50112", &format!("10.1.2.{n}:443"))
            .numbered(1000 + u32::from(n), 7)
            .at(START + i64::from(n))
            .syn()
            .tls12(&hello, &chain)
            .segments()
    };
    let mut many: Vec<_> = (0..100).map(|n| begun(n, n)).collect();
    many.push(begun(200, 30));
    let told = flows(&many);
    assert_eq!(told.len(), 101);
    for (at, flow) in told.iter().enumerate() {
        let other = match at {
            30 => told[100]["event"]["id"].clone(),
            100 => told[30]["event"]["id"].clone(),
            _ => Value::Null,
        };
        assert_eq!(flow["tlstriage"]["same_hello_as"], other, "{at}");
    }
}

#[test]
fn of_many_with_one_hello_those_that_are_one_connection_are_told_once() {
    let mut many: Vec<_> = (0..20)
        .map(|n| seen(&format!("10.1.2.{n}:443"), 1000 + n, START + i64::from(n)))
        .collect();
    many.push(seen("10.1.3.1:443", 1019, START + 19));
    let told = flows(&many);
    assert_eq!(told.len(), 20);
    let twin = &told[19]["tlstriage"];
    assert_eq!(twin["also_seen_as"][0]["destination"]["ip"], "10.1.3.1");
    assert_eq!(twin["same_hello_as"], told[0]["event"]["id"]);
    assert_eq!(
        told[0]["tlstriage"]["same_hello_as"],
        told[1]["event"]["id"]
    );
}
