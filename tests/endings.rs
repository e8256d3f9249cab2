//! How connections begin and end, and what may be said of that: an end is no refusal, and what
//! the capture lost was not left unsaid.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/run.rs"]
mod run;
mod support;

use serde_json::Value;

use run::told;
use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, FIN, RST, Segment, Segments as _, Side};
use support::packet::{Link, Packets as _};
use support::tls::{
    APPLICATION_DATA, ClientHello, HANDSHAKE, ServerHello, Tls as _, certificate,
    change_cipher_spec, client_key_exchange, encrypted, finished, record, server_hello_done,
};

const SECOND: i64 = 1_000_000_000;

fn flows(segments: Vec<Segment>) -> Vec<Value> {
    let frames = segments.packets().on(&Link::Ethernet);
    told(Pcap::new().write(&Link::Ethernet, &frames)).flows()
}

fn only(segments: Vec<Segment>) -> Value {
    let mut flows = flows(segments);
    assert_eq!(flows.len(), 1, "{flows:#?}");
    flows.remove(0)
}

fn default_chain() -> Vec<Vec<u8>> {
    vec![Certificate::new("localhost").self_signed().der]
}

fn conversation() -> Conversation {
    Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
}

#[test]
fn what_the_capture_lost_before_a_fin_was_not_left_unsaid() {
    let flow = only(
        conversation()
            .syn()
            .tls12_to_certificate(&ClientHello::new(), &default_chain())
            .misses(Side::Client, 400)
            .fin()
            .segments(),
    );
    assert_eq!(flow["tlstriage"]["evidence"]["reasons"][0], "gap");
    assert_eq!(flow["rule"]["id"], "capture.insufficient", "{flow:#}");
}

#[test]
fn data_that_is_captured_behind_its_fin_is_heard() {
    let mut segments = conversation()
        .syn()
        .tls12_to_certificate(&ClientHello::new(), &default_chain())
        .client(&support::tls::fatal_alert(48))
        .fin()
        .segments();
    // The alert, its ACK, and the FINs: the alert goes to the end.
    let alert = segments.remove(segments.len() - 5);
    segments.push(alert);
    let flow = only(segments);
    assert_eq!(flow["tlstriage"]["alert"]["name"], "unknown_ca", "{flow:#}");
    assert_eq!(flow["tlstriage"]["evidence"]["grade"], "complete");
}

#[test]
fn what_comes_late_of_a_connection_without_tls_is_no_other_one() {
    let plain = conversation()
        .syn()
        .client(b"GET / HTTP/1.0\r\n\r\n")
        .server(b"HTTP/1.0 204 No Content\r\n\r\n")
        .fin()
        .pause(2 * SECOND)
        .keep_alive(Side::Server)
        .fin()
        .segments();
    let after = plain[plain.len() - 1].time + SECOND;
    let tls = conversation()
        .numbered(0x5000_0000, 0x6000_0000)
        .at(after)
        .syn()
        .tls12_to_certificate(&ClientHello::new(), &default_chain())
        .fin()
        .segments();
    let run = |segments: Vec<Segment>| {
        let frames = segments.packets().on(&Link::Ethernet);
        told(Pcap::new().write(&Link::Ethernet, &frames))
    };
    assert_eq!(run(plain.clone()).summary.flows.tcp, 1);
    // The same ends, another connection: its SYN has another number.
    let both = run([plain, tls].concat());
    assert_eq!(both.summary.flows.tcp, 2);
    let flows = both.flows();
    assert_eq!(flows[0]["tlstriage"]["evidence"]["grade"], "complete");
}

#[test]
fn what_comes_late_of_a_connection_that_is_told_is_no_other_one_and_not_counted() {
    let spoken = conversation()
        .syn()
        .tls12_to_certificate(&ClientHello::new(), &default_chain())
        .fin()
        .segments();
    let alone = only(spoken.clone());
    // All of it once more, as by another way: its SYN and its hello too.
    let again = spoken.iter().map(|segment| {
        let mut segment = segment.clone();
        segment.time += 5 * SECOND;
        segment
    });
    let twice: Vec<Segment> = spoken.iter().cloned().chain(again).collect();
    assert_eq!(only(twice.clone()), alone);
    // Without the second SYN, whose number stands for the hello's.
    let from_hello = [&twice[..spoken.len()], &twice[spoken.len() + 3..]].concat();
    assert_eq!(only(from_hello), alone);
    // The same ends, another connection: its numbers are others, with a SYN and without.
    for skipped in [0, 3] {
        let mut other = conversation()
            .numbered(0x5000_0000, 0x6000_0000)
            .at(spoken[spoken.len() - 1].time + 5 * SECOND)
            .syn()
            .tls12_to_certificate(&ClientHello::new(), &default_chain())
            .segments();
        other.drain(..skipped);
        assert_eq!(flows([spoken.clone(), other].concat()).len(), 2);
    }
}

#[test]
fn a_hello_that_is_captured_long_after_a_reset_belongs_to_what_was_reset() {
    let reset = conversation().syn().rst(Side::Server).segments();
    let hello = conversation()
        .syn()
        .client(&ClientHello::new().record())
        .segments();
    // The hello, as of the same connection, three seconds later.
    let mut late = hello[3].clone();
    late.time = reset[reset.len() - 1].time + 3 * SECOND;
    let flow = only([reset, vec![late]].concat());
    assert_eq!(flow["rule"]["id"], "no-sni.refused", "{flow:#}");
    assert_eq!(flow["destination"]["packets"], 2);
}

/// The same ends speak TLS, in a capture without SYNs. `number` sets the connection apart.
fn without_syn(second: i64, number: u32, end: fn(Conversation) -> Conversation) -> Vec<Segment> {
    let spoken = conversation()
        .numbered(number, number ^ 0x5555_5555)
        .at(second * SECOND)
        .tls12_to_certificate(&ClientHello::new(), &default_chain());
    end(spoken).segments()
}

#[test]
fn a_hello_far_from_what_has_ended_opens_another_connection_where_no_syn_was_captured() {
    type Ends = fn(Conversation) -> Conversation;
    let ends: [Ends; 3] = [
        Conversation::fin,
        |open| open.rst(Side::Server),
        |open| open.rst(Side::Client),
    ];
    for end in ends {
        let (one, other) = (without_syn(0, 7, end), without_syn(1, 0x7000_0000, end));
        let later = without_syn(300, 0xb000_0000, end);
        let all = [one, other, later].concat();
        assert_eq!(flows(all.clone()).len(), 3);
        for port in [443, 50112] {
            let is_from = |segment: &Segment| segment.from.port() == port;
            let side: Vec<_> = all.iter().filter(|one| is_from(one)).cloned().collect();
            // A reset by the other side is not in it.
            let ends = side.iter().filter(|one| one.flags & (FIN | RST) != 0);
            if ends.count() == 3 {
                assert_eq!(flows(side).len(), 3, "{port}");
            }
        }
    }
}

#[test]
fn a_hello_that_is_captured_twice_opens_no_other_connection() {
    for end in [Conversation::fin, |open: Conversation| {
        open.rst(Side::Server)
    }] {
        let once = without_syn(0, 7, end);
        let again = once.iter().cloned().map(|mut segment| {
            segment.time += 5 * SECOND;
            segment
        });
        only([once.clone(), again.collect()].concat());
    }
    // And while it lives, whatever looks like a hello is its own.
    let open = without_syn(0, 7, |open| open.misses(Side::Client, 1 << 20));
    let hello = conversation()
        .numbered(7 + (1 << 21), 7 ^ 0x5555_5555)
        .at(SECOND)
        .client(&ClientHello::new().record())
        .segments();
    only([open, hello].concat());
}

#[test]
fn an_answer_with_another_number_is_of_another_connection() {
    let server_only = |segments: Vec<Segment>| -> Vec<Segment> {
        let is_of_server = |segment: &Segment| segment.from.port() == 443;
        segments.into_iter().filter(is_of_server).collect()
    };
    let before = conversation()
        .syn()
        .server(b"220 mail.example.test\r\n")
        .fin()
        .segments();
    let time = before[before.len() - 1].time + 5 * SECOND;
    let plain = [before.clone(), before.clone()].concat();
    let after = conversation()
        .numbered(0x5000_0000, 0x6000_0000)
        .at(time)
        .syn()
        .server(b"220 mail.example.test\r\n")
        .segments();
    let run = |segments: Vec<Segment>| {
        let frames = segments.packets().on(&Link::Ethernet);
        told(Pcap::new().write(&Link::Ethernet, &frames)).summary
    };
    assert_eq!(run(plain).flows.tcp, 1);
    assert_eq!(run([before, server_only(after)].concat()).flows.tcp, 2);
}

#[test]
fn a_reset_before_the_connection_stands_does_not_end_it() {
    // RFC 9293, section 3.5.1: the server still remembers a connection that the client does not.
    for stale in [0x1000_0000, 0x7000_0000, 0xb000_0000, 0xf000_0000_u32] {
        let syn = conversation().lonely_syn().segments();
        let mut challenge = conversation()
            .numbered(stale, stale ^ 0x5555_5555)
            .at(syn[0].time + 1_000_000)
            .client(b"x")
            .segments();
        // The server's ACK of the old connection, and the client's RST.
        challenge.remove(0);
        let mut reset = conversation()
            .numbered(stale + 1, 0)
            .at(syn[0].time + 2_000_000)
            .rst(Side::Client)
            .segments();
        reset[0].flags = support::conversation::RST;
        reset[0].ack = 0;
        let again = conversation()
            .at(syn[0].time + SECOND)
            .syn()
            .tls12(&ClientHello::new().sni("localhost"), &default_chain())
            .segments();
        let flow = only([syn, challenge, reset, again].concat());
        assert_eq!(flow["tlstriage"]["sni"], "name", "{stale:#x}");
        assert_eq!(flow["tlstriage"]["handshake"]["close"], "fin", "{stale:#x}");
    }
}

#[test]
fn a_server_that_listens_at_the_second_attempt_is_heard() {
    for isn in [5000, 0x7fff_fff0, 0x9000_0000_u32] {
        let syn = conversation().lonely_syn().segments();
        let mut refused = conversation()
            .numbered(0xffff_ff01, 0)
            .at(syn[0].time + 1_000_000)
            .rst(Side::Server)
            .segments();
        refused[0].seq = 0;
        let again = conversation()
            .numbered(0xffff_ff00, isn)
            .at(syn[0].time + SECOND / 2)
            .syn()
            .tls12(&ClientHello::new().sni("localhost"), &default_chain())
            .segments();
        let flow = only([syn, refused, again].concat());
        assert_eq!(
            flow["tlstriage"]["server"]["certificate"], "seen",
            "{isn:#x}"
        );
        assert_eq!(flow["tlstriage"]["handshake"]["close"], "fin", "{isn:#x}");
    }
}

#[test]
fn attempts_are_counted_where_packets_have_no_number() {
    let mut segments = Vec::new();
    for n in 0..3 {
        segments.extend(
            Conversation::between("[2001:db8::5]:50112", "[2001:db8::4]:443")
                .at(1_700_000_000_000_000_000 + n * SECOND)
                .lonely_syn()
                .segments(),
        );
    }
    // The client is heard and answered elsewhere, or silence would prove nothing.
    segments.extend(
        Conversation::between("[2001:db8::5]:50113", "[2001:db8::7]:443")
            .at(1_700_000_010_000_000_000)
            .syn()
            .fin()
            .segments(),
    );
    let flow = only(segments);
    assert_eq!(flow["source"]["packets"], 3);
    let reason = flow["event"]["reason"].as_str().unwrap();
    assert!(reason.contains("in 3 attempts"), "{reason}");
}

#[test]
fn a_server_that_sends_and_says_goodbye_was_not_rejected() {
    // A download over FTPS: only the server has something to send.
    let key = record(HANDSHAKE, &client_key_exchange());
    let mut segments = conversation()
        .syn()
        .tls12_to_certificate(&ClientHello::new(), &default_chain())
        .client(&[key, change_cipher_spec(), finished()].concat())
        .server(&[change_cipher_spec(), finished()].concat())
        .server(&encrypted(APPLICATION_DATA, 4000))
        .server(&encrypted(support::tls::ALERT, 26))
        .client(&encrypted(support::tls::ALERT, 26))
        .fin()
        .segments();
    let flow = only(segments.clone());
    assert_eq!(flow["event"]["outcome"], "success", "{flow:#}");
    assert_ne!(flow["rule"]["id"], "no-sni.default-cert");
    // The same, when the client needs no alert to leave.
    segments.drain(segments.len() - 5..segments.len() - 3);
    assert_eq!(only(segments)["event"]["outcome"], "success");
}

#[test]
fn without_the_servers_hello_a_sealed_alert_is_no_consent() {
    // TLS 1.3, the server's direction is missing: the client's record may be an alert.
    let answer = record(HANDSHAKE, &ServerHello::tls13().message());
    let segments = conversation()
        .syn()
        .client(&ClientHello::new().tls13().record())
        .server(
            &[
                answer,
                change_cipher_spec(),
                encrypted(APPLICATION_DATA, 1200),
            ]
            .concat(),
        )
        .client(&[change_cipher_spec(), encrypted(APPLICATION_DATA, 19)].concat())
        .rst(Side::Client)
        .segments();
    let server = "10.1.0.4:443".parse().unwrap();
    let heard: Vec<Segment> = segments
        .into_iter()
        .filter(|segment| segment.from != server)
        .collect();
    let flow = only(heard);
    assert_eq!(flow["rule"]["id"], "capture.insufficient", "{flow:#}");
}

#[test]
fn a_name_that_is_served_elsewhere_is_not_unknown() {
    let chain = vec![
        Certificate::new("a.example")
            .names(&["*.example"])
            .self_signed()
            .der,
    ];
    let talk = |port: u16, name: &str| {
        Conversation::between(&format!("10.1.0.5:{port}"), "10.1.0.4:443")
            .at(1_700_000_000_000_000_000 + i64::from(port) * SECOND)
            .syn()
            .tls12(&ClientHello::new().sni(name), &chain)
            .segments()
    };
    let reset = Conversation::between("10.1.0.5:3", "10.1.0.4:443")
        .at(1_700_000_003_000_000_000)
        .syn()
        .client(&ClientHello::new().sni("a.example").record())
        .rst(Side::Server)
        .segments();
    let flows = flows([talk(1, "a.example"), talk(2, "b.example"), reset].concat());
    let refused = &flows[2]["tlstriage"]["verdict"];
    assert_eq!(refused["id"], "sni.refused", "{refused}");
    assert_eq!(refused["confidence"], "low");
}

/// Flows of `a.example` at one server, one behind the other.
fn begun(second: u16) -> Conversation {
    Conversation::between(&format!("10.1.0.5:{}", 1000 + second), "10.1.0.4:443")
        .at(1_700_000_000_000_000_000 + i64::from(second) * SECOND)
        .syn()
}

#[test]
fn a_certificate_that_came_later_is_not_what_was_resumed() {
    let hello = ClientHello::new().sni("a.example");
    let root = Certificate::authority("Root").self_signed();
    let chain = |years: (i32, i32)| {
        let own = Certificate::new("a.example").names(&["a.example"]);
        let own = own.valid((years.0, 1, 1), (years.1, 1, 1));
        vec![own.signed_by(&root).der]
    };
    let flows = flows(
        [
            begun(1).tls12(&hello, &chain((2023, 2033))).segments(),
            begun(2).tls12_resumed(&hello, b"0123456789").segments(),
            begun(3).tls12(&hello, &chain((2020, 2021))).segments(),
        ]
        .concat(),
    );
    assert_eq!(flows[1]["tlstriage"]["server"]["certificate"], "resumed");
    let findings = flows[1]["tlstriage"]["findings"].to_string();
    assert!(!findings.contains("cert.expired"), "{findings}");
}

#[test]
fn flows_that_went_on_are_not_counted_among_those_that_failed() {
    let hello = ClientHello::new().sni("a.example");
    let old = Certificate::new("a.example")
        .names(&["a.example"])
        .valid((2020, 1, 1), (2021, 1, 1));
    let chain = vec![old.self_signed().der];
    let segments = [
        begun(1).tls12(&hello, &chain).segments(),
        begun(2).tls12_distrusted(&hello, &chain, 45).segments(),
        begun(3).tls12(&hello, &chain).segments(),
    ]
    .concat();
    let frames = segments.packets().on(&Link::Ethernet);
    let summary = told(Pcap::new().write(&Link::Ethernet, &frames)).summary;
    let mut groups = summary.findings.iter();
    let group = groups.find(|group| group.id == "cert.expired").unwrap();
    assert_eq!((group.flows, group.evidence.len()), (1, 1), "{group:#?}");
    assert!(group.reason.contains("refused"), "{}", group.reason);
}

#[test]
fn a_server_that_began_to_speak_tls_is_not_said_to_speak_none() {
    let answer = record(
        HANDSHAKE,
        &[ServerHello::new().message(), vec![0xb; 3000]].concat(),
    );
    for len in [1, 3, 5, 6, 40, 1400] {
        let begun = conversation()
            .syn()
            .client(&ClientHello::new().record())
            .server(&answer[..len]);
        for segments in [begun.clone().segments(), begun.fin().segments()] {
            let flow = only(segments);
            let reason = flow["event"]["reason"].as_str().unwrap();
            assert!(!reason.contains("no TLS"), "{len}: {reason}");
        }
    }
    for other in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"220 mail ESMTP\r\n",
    ] {
        let flow = only(
            conversation()
                .syn()
                .client(&ClientHello::new().record())
                .server(other)
                .fin()
                .segments(),
        );
        let reason = flow["event"]["reason"].as_str().unwrap();
        assert!(reason.contains("no TLS"), "{reason}");
    }
}

/// What has no beginning in the capture is held until it ends, and read then: that it was sent twice and not the same
/// shows all the same.
#[test]
fn what_was_held_to_the_end_is_compared_too() {
    let chain = record(HANDSHAKE, &certificate(&default_chain()));
    let mut other = chain.clone();
    other[60] ^= 1;
    let held = |again: &[u8]| {
        let said = conversation()
            .says(Side::Server, &[0x99; 100])
            .server(&chain)
            .repeats(Side::Server, u32::try_from(chain.len()).unwrap(), again)
            .server(&record(HANDSHAKE, &server_hello_done()))
            .client(&record(HANDSHAKE, &client_key_exchange()))
            .client(&change_cipher_spec())
            .client(&encrypted(HANDSHAKE, 40))
            .fin();
        let flow = only(said.segments());
        flow["tlstriage"]["evidence"]["reasons"].to_string()
    };
    assert!(
        held(&other).contains("overlap-conflict"),
        "{}",
        held(&other)
    );
    assert!(
        !held(&chain).contains("overlap-conflict"),
        "{}",
        held(&chain)
    );
}

/// A capture that begins in the middle of something else: however long that goes on, TLS that begins in it is read,
/// and so is TLS of which only the middle is there.
#[test]
fn tls_is_found_however_late_it_begins() {
    let other = |said: Conversation| {
        (0..200).fold(said, |said, turn| {
            let line = format!("line {turn} of something else\n");
            said.client(line.as_bytes()).server(&[0; 600])
        })
    };
    let begun = other(conversation())
        .tls12_to_certificate(&ClientHello::new().sni("late.example"), &default_chain())
        .fin();
    let flow = only(begun.segments());
    assert_eq!(flow["destination"]["domain"], "late.example", "{flow:#}");
    assert_eq!(flow["tlstriage"]["server"]["certificate"], "seen");

    let data = || {
        [
            encrypted(APPLICATION_DATA, 300),
            encrypted(APPLICATION_DATA, 40),
        ]
        .concat()
    };
    let middle = other(conversation()).client(&data()).server(&data()).fin();
    assert_eq!(only(middle.segments())["tlstriage"]["sni"], "unknown");
    assert!(flows(other(conversation()).fin().segments()).is_empty());
}

#[test]
fn a_session_of_which_nothing_is_known_goes_back_to_the_handshake_that_began_first() {
    let chain = |name| vec![Certificate::new(name).self_signed().der];
    let (one_chain, other_chain) = (chain("api.example"), chain("ingress.local"));
    let hello = |number| ClientHello {
        random: [number; 32],
        ..ClientHello::new().sni("api.example")
    };
    let at = |number: u8, time| {
        let client = format!("10.1.0.5:{}", 50_000 + u16::from(number));
        Conversation::between(&client, "10.1.0.4:443")
            .at(time)
            .syn()
    };
    let full = |number, begins, lasts, chain: &[Vec<u8>]| {
        let full = at(number, begins).tls12(&hello(number), chain);
        full.pause(lasts).fin().segments()
    };
    // Whether both showed the same certificate or not, and whichever of them is told first.
    for second_chain in [&one_chain, &other_chain] {
        for [one, other] in [[9 * SECOND, 1], [1, 9 * SECOND]] {
            // One when only the first has begun, one when both have ended.
            for resumed_at in [SECOND / 2, 20 * SECOND] {
                let flows = flows(
                    [
                        full(1, 0, one, &one_chain),
                        full(2, SECOND, other, second_chain),
                        at(3, resumed_at)
                            .tls12_resumed(&hello(3), &[9; 32])
                            .segments(),
                    ]
                    .concat(),
                );
                let of = |port| {
                    flows
                        .iter()
                        .find(|flow| flow["source"]["port"] == port)
                        .unwrap()
                };
                let from = &of(50_003)["tlstriage"]["resumed_from"];
                assert_eq!(from["by"], "endpoints", "{:#}", of(50_003));
                assert_eq!(from["event_id"], of(50_001)["event"]["id"]);
            }
        }
    }
}

#[test]
fn a_session_does_not_go_back_to_itself() {
    // Its hello was not captured, so that nothing tells that it was resumed but what it left out.
    let answer = record(HANDSHAKE, &ServerHello::new().session(&[9; 32]).message());
    let flow = only(
        conversation()
            .syn()
            .misses(Side::Client, 200)
            .server(&[answer, change_cipher_spec(), finished()].concat())
            .client(&[change_cipher_spec(), finished()].concat())
            .data()
            .segments(),
    );
    assert_eq!(
        flow["tlstriage"]["server"]["certificate"], "resumed",
        "{flow:#}"
    );
    assert_eq!(flow["tlstriage"]["resumed_from"], Value::Null);
}

#[test]
fn a_copy_of_a_connection_is_known_where_a_capture_of_another_year_lies_between() {
    // As in a capture put together of several: what was open has been silent for years by then, whichever table it is in.
    let hello = |number: u16| ClientHello {
        random: [number.to_be_bytes(); 16].concat().try_into().unwrap(),
        ..ClientHello::new()
    };
    let between = |number: u16, time| {
        Conversation::between(&format!("10.1.0.5:{}", 50_000 + number), "10.1.0.4:443")
            .at(time)
            .syn()
            .tls12(&hello(number), &default_chain())
            .segments()
    };
    let years = 5 * 365 * 24 * 3600 * SECOND;
    let one = between(0, 0);
    let others = (1..600).map(|number| between(number, years + i64::from(number) * SECOND / 100));
    let capture = [one.clone(), others.flatten().collect(), one].concat();
    assert_eq!(flows(capture).len(), 600);
}

#[test]
fn a_client_was_answered_of_whose_connection_little_is_left() {
    // A connection without TLS, over and forgotten while others go on.
    let plain = |client: &str, server: &str, time| {
        let talk = Conversation::between(client, server).at(time).syn();
        let talk = talk.client(b"GET / HTTP/1.1\r\n\r\n");
        talk.server(b"HTTP/1.1 204 No Content\r\n\r\n")
            .fin()
            .segments()
    };
    let own = plain("10.1.0.5:40000", "10.1.0.80:80", 0);
    let others = (1..600_u16).flat_map(|number| {
        let client = format!("10.2.0.5:{}", 50_000 + number);
        plain(&client, "10.2.0.80:80", i64::from(number) * SECOND / 50)
    });
    let silent = |client: &str| {
        let knock = Conversation::between(client, "10.1.0.4:443");
        knock.at(6 * SECOND).lonely_syn().segments()
    };
    let (known, unknown) = (silent("10.1.0.5:40001"), silent("10.1.0.6:40001"));
    let flows = flows([own, known, unknown, others.collect()].concat());
    assert_eq!(flows.len(), 1, "{flows:#?}");
    assert_eq!(flows[0]["source"]["ip"], "10.1.0.5");
}
