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
use tlstriage::analysis::{Analyzer, Expectations, Network};
use tlstriage::pki;

use peers::{World, meet};
use run::{stream, told_by};
use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{Link, Packets as _};
use support::tls::{
    APPLICATION_DATA, CHANGE_CIPHER_SPEC, ClientHello, HANDSHAKE, ServerHello, Tls as _, record,
};

/// A flow of TLS 1.3 whose server sends sealed records of these lengths, and the client a Finished.
fn flow(port: u16, name: Option<&str>, lens: &[usize]) -> Conversation {
    let hello = ClientHello::new().tls13();
    let hello = match name {
        Some(name) => hello.sni(name),
        None => hello,
    };
    flow_of(port, &hello, lens)
}

/// The same, of any ClientHello.
fn flow_of(port: u16, hello: &ClientHello, lens: &[usize]) -> Conversation {
    talk(begun(port), hello, lens)
}

/// The same, on a connection that has begun.
fn talk(begun: Conversation, hello: &ClientHello, lens: &[usize]) -> Conversation {
    let mut conversation = begun
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

fn begun(port: u16) -> Conversation {
    Conversation::between(&format!("10.1.0.5:{port}"), "10.1.0.4:443")
        .at(i64::from(port) * 1_000_000_000)
        .syn()
}

/// A flow of TLS 1.2, with its certificates in clear.
fn clear(port: u16, name: &str, chain: &[Vec<u8>]) -> Conversation {
    begun(port).tls12(&ClientHello::new().sni(name), chain)
}

/// The records of a flight with these certificates and an Ed25519 key.
fn flight(chain: &[&Vec<u8>]) -> [usize; 4] {
    let list: usize = chain.iter().map(|der| 5 + der.len()).sum();
    [23, 17 + 8 + list, 17 + 8 + 64, 53]
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

fn reason<'a>(flow: &'a Value, id: &str) -> &'a str {
    let all = flow["tlstriage"]["inferred"].as_array().unwrap();
    let one = all.iter().find(|one| one["id"] == id);
    one.and_then(|one| one["reason"].as_str()).unwrap()
}

fn expecting(der: &[u8]) -> Analyzer {
    expecting_all(&[der], &[])
}

fn expecting_all(own: &[&[u8]], authorities: &[&[u8]]) -> Analyzer {
    let read = |der: &&[u8]| pki::Certificate::from_der(der);
    let expectations = own
        .iter()
        .map(read)
        .fold(Expectations::default(), Expectations::with_certificate);
    let authorities = authorities.iter().map(read);
    let expectations = authorities.fold(expectations, Expectations::with_authority);
    Analyzer::new().with_expectations(Arc::new(expectations))
}

/// A server's certificate, the intermediate that issued it, and the root.
fn issued() -> [Vec<u8>; 3] {
    let root = Certificate::authority("Root").self_signed();
    let middle = Certificate::authority("Issuing Authority").signed_by(&root);
    let leaf = Certificate::new("api.example").names(&["api.example"]);
    [leaf.signed_by(&middle).der, middle.der, root.der]
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
            &["server-key", "expected-cert.consistent", "chain.leaf-only"][..],
        ),
        (
            certificate - 1,
            own,
            &[
                "server-key",
                "expected-cert.inconsistent",
                "certificates.one",
            ],
        ),
        (
            certificate + 1,
            own,
            &[
                "server-key",
                "expected-cert.inconsistent",
                "certificates.one",
            ],
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
fn whether_the_intermediate_was_sent_shows_where_the_chain_is_expected() {
    let [leaf, middle, root] = &issued();
    let analyzer = expecting_all(&[leaf, root], &[middle]);
    let told = |lens: &[usize]| told(&analyzer, vec![flow(50_000, None, lens)]).remove(0);

    let flow = told(&flight(&[leaf]));
    assert_eq!(
        ids(&flow),
        ["server-key", "expected-cert.consistent", "chain.leaf-only"]
    );
    assert_eq!(
        reason(&flow, "chain.leaf-only"),
        "The Certificate message has the size of CN=api.example alone: the intermediate certificate CN=Issuing Authority was not sent. Another one of the same size is not excluded."
    );
    for sent in [&[leaf, middle][..], &[leaf, middle, root]] {
        let flow = told(&flight(sent));
        assert_eq!(
            ids(&flow),
            ["server-key", "expected-cert.consistent", "chain.several"]
        );
        let behind = format!(
            "with {} behind it, CN=Issuing Authority first",
            sent.len() - 1
        );
        assert!(reason(&flow, "chain.several").contains(&behind));
    }
    // One byte more or less is another message; what is much longer may be anything.
    let [extensions, certificates, verify, finished] = flight(&[leaf, middle]);
    for (len, wanted) in [
        (certificates - 1, &["server-key"][..]),
        (certificates + 1, &["server-key"]),
        (certificates + 3000, &["server-key"]),
    ] {
        assert_eq!(ids(&told(&[extensions, len, verify, finished])), wanted);
    }
}

#[test]
fn where_two_chains_have_the_size_it_is_not_said_how_many_were_sent() {
    let [leaf, middle, _] = &issued();
    let twin = Certificate::new("api.example")
        .names(&["api.example"])
        .number(77);
    let twin = &twin
        .signed_by(&Certificate::authority("Issuing Authority").self_signed())
        .der;
    assert_eq!(leaf.len(), twin.len());
    let lens = flight(&[leaf]);
    let flows = told(
        &expecting_all(&[leaf, twin], &[middle]),
        vec![flow(50_000, None, &lens)],
    );
    assert_eq!(
        ids(&flows[0]),
        ["server-key", "expected-cert.consistent", "certificates.one"]
    );

    // A leaf that is as long as the other with its intermediate.
    let mut large = leaf.len();
    let mut names = String::from("api.example");
    let root = Certificate::authority("Root").self_signed();
    let mut long = Vec::new();
    while large < leaf.len() + 5 + middle.len() {
        names.push('a');
        long = Certificate::new("api.example")
            .names(&[&names])
            .signed_by(&root)
            .der;
        large = long.len();
        assert!(names.len() < 1000);
    }
    let flows = told(
        &expecting_all(&[leaf, &long], &[middle]),
        vec![flow(50_000, None, &flight(&[leaf, middle]))],
    );
    let told_how_many = ids(&flows[0]).iter().any(|id| id.starts_with("chain."));
    assert_eq!(told_how_many, large != leaf.len() + 5 + middle.len());

    // What may be compressed may be anything.
    let hello = ClientHello::new().tls13().extension(27, vec![2, 0, 2]);
    let flows = told(
        &expecting_all(&[leaf], &[middle]),
        vec![flow_of(50_000, &hello, &lens)],
    );
    assert_eq!(ids(&flows[0]), ["server-key", "expected-cert.consistent"]);
    let confounders = &flows[0]["tlstriage"]["inferred"][1]["confounders"];
    assert_eq!(confounders[0], "compression-offered");
}

#[test]
fn a_chain_that_the_endpoint_shows_in_clear_tells_what_was_left_out() {
    let [leaf, middle, root] = &issued();
    let shown = [leaf.clone(), middle.clone()];
    let named = |lens: &[usize]| {
        let flows = vec![
            clear(50_000, "api.example", &shown),
            flow(50_001, Some("api.example"), lens),
        ];
        told(&Analyzer::new(), flows).remove(1)
    };
    let whole = named(&flight(&[leaf, middle]));
    assert_eq!(
        ids(&whole),
        ["server-key", "seen-cert.consistent", "chain.several"]
    );
    let alone = named(&flight(&[leaf]));
    assert_eq!(
        ids(&alone),
        ["server-key", "seen-cert.consistent", "chain.leaf-only"]
    );
    // The same leaf with something else behind it is not called another leaf; a smaller message is.
    let other = named(&flight(&[leaf, middle, root]));
    assert_eq!(ids(&other), ["server-key", "seen-chain.inconsistent"]);
    let mut small = flight(&[leaf]);
    small[1] -= 1;
    let small = named(&small);
    assert!(ids(&small).contains(&"seen-cert.inconsistent"));
}

/// What was concluded once is told again, as long as the endpoint shows nothing new.
#[test]
fn what_an_endpoint_shows_later_counts_from_then_on() {
    let [leaf, middle, _] = &issued();
    let shown = [leaf.clone(), middle.clone()];
    let hidden = |port, name| flow(port, Some(name), &flight(&[leaf, middle]));
    let flows = vec![
        hidden(50_000, "api.example"),
        hidden(50_010, "api.example"),
        clear(50_020, "api.example", &shown),
        hidden(50_030, "api.example"),
        hidden(50_040, "api.example"),
    ];
    let flows = told(&Analyzer::new().with_horizon(2_000_000_000), flows);
    let [first, again, _, later, last] = &flows[..] else {
        panic!("{} flows", flows.len());
    };
    for flow in [first, again] {
        assert_eq!(ids(flow), ["server-key"]);
    }
    for flow in [later, last] {
        assert_eq!(
            ids(flow),
            ["server-key", "seen-cert.consistent", "chain.several"]
        );
    }

    // The same sizes, and another name, for which nothing was shown.
    let mut small = flight(&[leaf]);
    small[1] -= 1;
    let flows = vec![
        clear(50_000, "api.example", &shown),
        flow(50_001, Some("api.example"), &small),
        flow(50_002, Some("other.example"), &small),
        flow(50_003, Some("api.example"), &small),
    ];
    let flows = told(&Analyzer::new(), flows);
    let speaks_of_it = |flow| ids(flow).contains(&"seen-cert.inconsistent");
    assert_eq!(
        flows.iter().map(speaks_of_it).collect::<Vec<_>>(),
        [false, true, false, true]
    );

    // The same name, and other sizes.
    let flows = vec![
        clear(50_000, "api.example", &shown),
        flow(50_001, Some("api.example"), &small),
        hidden(50_002, "api.example"),
        flow(50_003, Some("api.example"), &small),
    ];
    let flows = told(&Analyzer::new(), flows);
    assert_eq!(
        flows.iter().map(speaks_of_it).collect::<Vec<_>>(),
        [false, true, false, true]
    );
}

/// What is expected of one gateway is none of what others are told.
#[test]
fn what_is_expected_of_a_gateway_is_not_told_of_other_clients() {
    let [leaf, ..] = &issued();
    let own = pki::Certificate::from_der(leaf);
    let gateway = Network::new("10.1.0.5".parse().unwrap(), 32).unwrap();
    let expectations = Expectations::default()
        .with_certificate(own)
        .with_gateway_network(gateway);
    let lens = flight(&[leaf]);
    let hello = ClientHello::new().tls13().sni("api.example");
    let by = |client: &str, port: u16| {
        let begun = Conversation::between(&format!("{client}:{port}"), "10.1.0.4:443")
            .at(i64::from(port) * 1_000_000_000)
            .syn();
        talk(begun, &hello, &lens)
    };
    let flows = vec![
        by("10.1.0.9", 50_000),
        by("10.1.0.5", 50_001),
        by("10.1.0.9", 50_002),
    ];
    let flows = told(
        &Analyzer::new().with_expectations(Arc::new(expectations)),
        flows,
    );
    let is_compared = |flow| ids(flow).iter().any(|id| id.starts_with("expected-cert"));
    assert_eq!(
        flows.iter().map(is_compared).collect::<Vec<_>>(),
        [false, true, false]
    );
}

/// A subject as long as this one is not kept for the next flow, and told all the same.
#[test]
fn a_long_name_is_told_each_time() {
    let long = "a".repeat(60) + ".example";
    let names: Vec<String> = (0..90).map(|n| format!("n{n}.{long}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let own = Certificate::new(&"long name ".repeat(400)).names(&names);
    let own = own.self_signed().der;
    let mut small = flight(&[&own]);
    small[1] -= 1;
    let flows = vec![
        clear(50_000, "api.example", std::slice::from_ref(&own)),
        flow(50_001, Some("api.example"), &small),
        flow(50_002, Some("api.example"), &small),
    ];
    let flows = told(&Analyzer::new(), flows);
    let inferred = |flow: &Value| flow["tlstriage"]["inferred"].clone();
    assert!(ids(&flows[1]).contains(&"seen-cert.inconsistent"));
    assert_eq!(inferred(&flows[1]), inferred(&flows[2]));
}

#[test]
fn a_message_that_is_too_small_for_two_certificates_says_that_there_is_one() {
    let own = Certificate::new("localhost").self_signed().der;
    let told = |lens: &[usize]| told(&Analyzer::new(), vec![flow(50_000, None, lens)]).remove(0);
    let flow = told(&flight(&[&own]));
    assert_eq!(
        ids(&flow),
        ["server-key", "certificates.one"],
        "{}",
        own.len()
    );
    let [leaf, middle, _] = &issued();
    assert_eq!(ids(&told(&flight(&[leaf, middle]))), ["server-key"]);
}

#[test]
fn what_was_reckoned_with_is_told() {
    // OCSP stapling is offered, a client certificate is asked for, and all is padded.
    let status = ClientHello::new().tls13().extension(5, vec![1, 0, 0, 0, 0]);
    let flow = flow_of(50_000, &status, &[39, 100, 839, 297, 69]);
    let flow = told(&Analyzer::new(), vec![flow]).remove(0);
    let confounders: Vec<_> = flow["tlstriage"]["inferred"][0]["confounders"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let wanted = ["padding", "stapling-offered", "client-certificate-request"];
    assert_eq!(confounders, wanted);
}

/// The ports of the flows that are said to have got another certificate for want of a name.
fn by_length(flows: Vec<Conversation>) -> Vec<u64> {
    told(&Analyzer::new(), flows)
        .iter()
        .filter(|flow| ids(flow).contains(&"default-cert.by-length"))
        .map(|flow| flow["source"]["port"].as_u64().unwrap())
        .collect()
}

#[test]
fn without_a_name_another_certificate_is_told_by_its_length() {
    let served = |lens: [usize; 3]| {
        let [named, other, unnamed] = lens;
        let flight = |len| [23, len, 281, 53];
        by_length(vec![
            flow(50_000, Some("api.example"), &flight(named)),
            flow(50_001, Some("shop.example"), &flight(other)),
            flow(50_002, None, &flight(unnamed)),
        ])
    };
    assert_eq!(served([1874, 1880, 834]), [50_002]);
    assert_eq!(served([1874, 834, 834]), [0_u64; 0]);
    // A serial number and a signature in it make up for so much.
    assert_eq!(served([860, 860, 834]), [0_u64; 0]);
}

#[test]
fn what_differs_for_another_reason_is_not_put_down_to_the_missing_name() {
    let named = |port| flow(port, Some("api.example"), &[23, 834, 97, 53]);
    let hello = ClientHello::new().tls13();
    let nobody = [0_u64; 0];
    // Signatures of ECDSA vary in length, tickets come behind, and only the nameless are asked for a certificate.
    for lens in [
        &[23, 834, 95, 53][..],
        &[23, 836, 96, 53, 250, 250],
        &[23, 118, 834, 97, 53],
    ] {
        assert_eq!(by_length(vec![named(1), flow_of(2, &hello, lens)]), nobody);
    }
    // A staple, where only the nameless take one.
    let status = hello.clone().extension(5, vec![1, 0, 0, 0, 0]);
    let stapled = flow_of(2, &status, &[23, 1310, 97, 53]);
    assert_eq!(by_length(vec![named(1), stapled]), nobody);
    // A server with two certificates for the name: this client takes RSA only.
    let mut rsa = hello.clone();
    rsa.extensions
        .as_mut()
        .unwrap()
        .retain(|(kind, _)| *kind != 13);
    let rsa = rsa.extension(13, vec![0, 4, 8, 4, 8, 5]);
    let other_key = flow_of(2, &rsa, &[23, 1310, 281, 53]);
    assert_eq!(by_length(vec![named(1), other_key]), nobody);
    // Hours later.
    let later = flow_of(9000, &hello, &[23, 1310, 97, 53]);
    assert_eq!(by_length(vec![named(1), later]), nobody);
    // Servers by turns: another client without a name got what those with one get.
    let turns = [834, 1310].map(|len| [23, len, 97, 53]);
    let turns = [(2, turns[0]), (3, turns[1])].map(|(port, lens)| flow_of(port, &hello, &lens));
    assert_eq!(by_length([vec![named(1)], turns.into()].concat()), nobody);
    // And what is clear stays clear.
    let clear = flow_of(2, &hello, &[23, 1310, 97, 53]);
    assert_eq!(by_length(vec![named(1), clear]), [2]);
}

#[test]
fn in_one_record_the_sum_tells_another_certificate_where_nothing_else_explains_it() {
    let named = |port| flow(port, Some("api.example"), &[1100]);
    assert_eq!(by_length(vec![named(1), flow(2, None, &[2400])]), [2]);
    assert_eq!(
        by_length(vec![named(1), flow(2, None, &[1250])]),
        [0_u64; 0]
    );
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
