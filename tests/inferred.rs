//! What is inferred of certificates that TLS 1.3 hides: with real ends, whose certificates are known to the test.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/peers.rs"]
mod peers;
#[path = "support/run.rs"]
mod run;
mod support;

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use serde_json::Value;
use tlstriage::analysis::{Analyzer, Expectations};
use tlstriage::pki;

use peers::{World, meet};
use run::{stream, told_by};
use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{Link, Packets as _};
use support::tls::{
    APPLICATION_DATA, CHANGE_CIPHER_SPEC, ClientHello, HANDSHAKE, ServerHello, record,
};

/// A flow of TLS 1.3 whose server sends sealed records of these lengths, and the client a Finished.
fn flow(port: u16, name: Option<&str>, lens: &[usize]) -> Conversation {
    let hello = ClientHello::new().tls13();
    let hello = match name {
        Some(name) => hello.sni(name),
        None => hello,
    };
    let mut conversation = Conversation::between(&format!("10.1.0.5:{port}"), "10.1.0.4:443")
        .at(i64::from(port) * 1_000_000_000)
        .syn()
        .client(&record(HANDSHAKE, &hello.message()))
        .server(&record(HANDSHAKE, &ServerHello::tls13().message()))
        .server(&record(CHANGE_CIPHER_SPEC, &[1]));
    for len in lens {
        conversation = conversation.server(&record(APPLICATION_DATA, &vec![0xa5; *len]));
    }
    conversation
        .client(&record(APPLICATION_DATA, &[0xa5; 53]))
        .client(&record(APPLICATION_DATA, &[0xa5; 200]))
        .fin()
}

fn told(analyzer: &Analyzer, flows: Vec<Conversation>) -> Vec<Value> {
    let link = Link::Ethernet;
    let packets = flows
        .into_iter()
        .flat_map(|flow| flow.segments().packets())
        .collect::<Vec<_>>();
    let capture = Pcap::new().write(&link, &packets.on(&link));
    told_by(analyzer, [stream(capture)]).flows()
}

fn ids(flow: &Value) -> Vec<&str> {
    let inferred = flow["tlstriage"]["inferred"].as_array();
    let all = inferred.into_iter().flatten();
    all.map(|one| one["id"].as_str().unwrap()).collect()
}

fn expecting(der: &[u8]) -> Analyzer {
    let certificate = pki::Certificate::from_der(der);
    Analyzer::new().with_expectations(Arc::new(
        Expectations::default().with_certificate(certificate),
    ))
}

#[test]
fn sizes_show_the_key_and_whether_the_expected_certificate_was_served() {
    let expected = Certificate::new("api.example").names(&["api.example"]);
    let expected = expected.self_signed();
    let analyzer = expecting(&expected.der);
    let certificate = 30 + expected.der.len();
    // CertificateVerify of an Ed25519 key, as the expected one is, and of one of RSA.
    let (own, rsa) = (8 + 64 + 17, 8 + 256 + 17);
    for (certificate, verify, wanted) in [
        (
            certificate,
            own,
            &["server-key", "expected-cert.consistent"][..],
        ),
        (
            certificate - 1,
            own,
            &["server-key", "expected-cert.inconsistent"],
        ),
        (
            certificate + 1,
            own,
            &["server-key", "expected-cert.inconsistent"],
        ),
        (
            certificate,
            rsa,
            &["server-key", "expected-cert.inconsistent"],
        ),
        // Something that is not known to the user may follow the expected one.
        (certificate + 900, own, &["server-key"]),
    ] {
        let flows = told(
            &analyzer,
            vec![flow(50_000, None, &[23, certificate, verify, 53])],
        );
        assert_eq!(ids(&flows[0]), wanted, "{certificate} {verify}");
        assert_eq!(flows[0]["tlstriage"]["server"]["certificate"], "encrypted");
    }
}

#[test]
fn without_a_name_another_certificate_is_told_by_its_length() {
    let served = |lens: [usize; 3]| {
        let [named, other, unnamed] = lens;
        let flight = |len| [23, len, 281, 53];
        let flows = vec![
            flow(50_000, Some("api.example"), &flight(named)),
            flow(50_001, Some("shop.example"), &flight(other)),
            flow(50_002, None, &flight(unnamed)),
        ];
        let flows = told(&Analyzer::new(), flows);
        flows
            .iter()
            .filter(|flow| ids(flow).contains(&"default-cert.by-length"))
            .map(|flow| flow["source"]["port"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(served([1874, 1880, 834]), [50_002]);
    assert_eq!(served([1874, 834, 834]), [0_u64; 0]);
}

#[test]
fn a_server_that_puts_its_messages_into_one_record_shows_only_what_it_did_not_serve() {
    let (world, other) = (World::new(), World::new());
    let small = Certificate::new("api.example").names(&["api.example"]);
    let large_names: Vec<String> = (0..60).map(|i| format!("name-{i}.api.example")).collect();
    let mut names: Vec<&str> = large_names.iter().map(String::as_str).collect();
    names.push("api.example");
    let large = Certificate::new("api.example").names(&names).self_signed();
    let meeting = meet(&world.client(&TLS13), &world.server(&TLS13), "api.example");
    let capture = meeting.capture();
    for (expected, wanted) in [
        // What was served, and what is of the same size: nothing can be said of either.
        (&world.chain[0], &[][..]),
        (&other.chain[0], &[]),
        (&small.self_signed().der, &[]),
        (&large.der, &["expected-cert.inconsistent"]),
    ] {
        let flows = told_by(&expecting(expected), [stream(capture.clone())]).flows();
        assert_eq!(ids(&flows[0]), wanted);
    }
}

#[test]
fn what_is_seen_or_opened_is_not_inferred() {
    let world = World::new();
    let meeting = meet(&world.client(&TLS12), &world.server(&TLS12), "api.example");
    let flows = told_by(&expecting(&world.chain[0]), [stream(meeting.capture())]).flows();
    assert_eq!(ids(&flows[0]), [""; 0]);
}
