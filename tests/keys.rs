//! Keys: two ends made by rustls shake hands, one of them writes a key log, and with it the report says what they
//! themselves know; with a wrong, a late or a partial one it says so.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/opened.rs"]
mod opened;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/run.rs"]
mod run;
mod support;

use std::io::Write as _;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use tlstriage::analysis::{Analyzer, Source};

use opened::{Opened, detail};
use peers::{
    Log, Talk, Version, World, ders, hashes, hashes_of, key, meet_and_say, server_builder,
};
use run::{stream, told_by, with_keys};
use support::capture::{Pcap, file};
use support::certificate::Certificate;
use support::packet::{Link, Packets as _};

#[test]
fn every_suite_of_both_versions_is_opened() {
    let world = World::new();
    for suite in ring::default_provider().cipher_suites {
        let name = format!("{:?}", suite.suite());
        // Those that want an RSA key find none.
        if name.contains("_RSA_") {
            continue;
        }
        let one = CryptoProvider {
            cipher_suites: vec![suite],
            ..ring::default_provider()
        };
        let version = if suite.tls13().is_some() {
            &TLS13
        } else {
            &TLS12
        };
        let mut client = world.client_with(version, one);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut server = world.server(version);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let opened = Opened::meet(&client, &server);
        let flow = opened.told();
        opened.assert_opened(&flow);
        assert_eq!(flow["tls"]["next_protocol"], "http/1.1", "{name}");
        assert_eq!(flow["tlstriage"]["verdict"]["id"], "ok");
        let steps = flow["tlstriage"]["handshake"]["steps"].to_string();
        let finished = steps.matches("finished").count();
        assert_eq!(finished, 2, "{name}: {steps}");
        assert!(!steps.contains("encrypted_handshake"), "{name}: {steps}");
    }
}

#[test]
fn without_keys_nothing_is_opened_and_nothing_is_said_of_keys() {
    for version in [&TLS12, &TLS13] {
        let opened = Opened::of(version);
        let flows = told_by(&Analyzer::new(), [stream(opened.meeting.capture())]).flows();
        let told = &flows[0]["tlstriage"];
        assert_eq!(told["decrypted"], Value::Null);
        assert_eq!(told["server"]["certificate_detail"], Value::Null);
    }
}

#[test]
fn in_tls13_each_secret_opens_its_part() {
    let opened = Opened::of(&TLS13);
    let server = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    let flow = opened.told_with(&opened.only(&[server]));
    opened.assert_opened(&flow);
    // By sizes the client was content.
    assert_eq!(flow["tlstriage"]["verdict"]["id"], "ok");
    let steps = flow["tlstriage"]["handshake"]["steps"].to_string();
    assert_eq!(steps.matches("finished").count(), 1, "{steps}");

    let client = opened.told_with(&opened.only(&["CLIENT_HANDSHAKE_TRAFFIC_SECRET"]));
    assert_eq!(detail(&client), (&json!("encrypted"), &json!("no-key")));
    assert_eq!(client["tlstriage"]["decrypted"], true);

    // What follows the handshake is found without the keys of the handshake.
    let traffic = opened.told_with(&opened.only(&["SERVER_TRAFFIC_SECRET_0"]));
    assert_eq!(detail(&traffic), (&json!("encrypted"), &json!("no-key")));
    assert_eq!(traffic["tlstriage"]["decrypted"], true);
}

#[test]
fn a_key_that_is_missing_or_wrong_is_a_reason_and_no_error() {
    let opened = Opened::of(&TLS13);
    let other = Opened::of(&TLS13);
    let flow = opened.told_with(&other.log);
    assert_eq!(detail(&flow), (&json!("encrypted"), &json!("no-key")));

    // The same connection with a digit of each secret turned.
    let wrong: String = opened
        .log
        .lines()
        .map(|line| {
            let (head, last) = line.split_at(line.len() - 1);
            let turned = if last == "0" { "1" } else { "0" };
            format!("{head}{turned}\n")
        })
        .collect();
    let flow = opened.told_with(&wrong);
    assert_eq!(
        detail(&flow),
        (&json!("encrypted"), &json!("key-does-not-open"))
    );
    assert_eq!(flow["tlstriage"]["decrypted"], Value::Null);

    // With the right ones beside them they do no harm.
    let flow = opened.told_with(&format!("{wrong}{}", opened.log));
    opened.assert_opened(&flow);
}

#[test]
fn alerts_of_the_client_are_read() {
    let world = World::new();
    let stranger = World {
        root: Certificate::authority("Other Root").self_signed(),
        ..World::new()
    };
    let opened = Opened::meet(&stranger.client(&TLS13), &world.server(&TLS13));
    let flow = opened.told();
    let told = &flow["tlstriage"];
    assert_eq!(told["server"]["certificate"], "seen");
    assert_eq!(
        hashes(&told["server"]["chain"]),
        hashes_of(&ders(&world.chain))
    );
    assert_eq!(told["alert"]["name"], "unknown_ca", "{flow}");
    assert_eq!(
        told["alerts"][0],
        json!({"from": "client", "level": "fatal", "code": 48, "name": "unknown_ca", "encrypted": true})
    );
    assert_eq!(told["handshake"]["outcome"], "rejected-by-client");
    assert_eq!(told["verdict"]["id"], "cert.private-ca");
}

#[test]
fn certificates_of_clients_are_told_in_tls13_too() {
    let world = World::new();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(world.roots(), ring::default_provider().into());
    let server = server_builder(&TLS13, ring::default_provider())
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(ders(&world.chain), key(&world.key))
        .unwrap();
    let client = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(world.roots())
        .with_client_auth_cert(ders(&world.client_chain), key(&world.client_key))
        .unwrap();
    let with = Opened::meet(&client, &server);
    let flow = with.told();
    with.assert_opened(&flow);
    let told = &flow["tlstriage"]["client_certificate"];
    assert_eq!(
        (&told["requested"], &told["sent"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        hashes(&told["chain"]),
        hashes_of(&ders(&world.client_chain))
    );

    let without = Opened::meet(&world.client(&TLS13), &server);
    let flow = without.told();
    let told = &flow["tlstriage"];
    assert_eq!(told["client_certificate"]["sent"], false);
    assert_eq!(told["alert"]["name"], "certificate_required", "{flow}");
    assert_eq!(told["verdict"]["id"], "mtls.client-cert-missing");
    assert_eq!(told["verdict"]["confidence"], "high");
}

#[test]
fn a_second_hello_and_a_resumption_are_opened() {
    let world = World::new();
    let of_server = CryptoProvider {
        kx_groups: vec![ring::kx_group::SECP384R1],
        ..ring::default_provider()
    };
    let server = server_builder(&TLS13, of_server)
        .with_no_client_auth()
        .with_single_cert(ders(&world.chain), key(&world.key))
        .unwrap();
    let client = world.client(&TLS13);
    let first = Opened::meet(&client, &server);
    first.assert_opened(&first.told());
    let second = Opened::meet(&client, &server);
    let flow = second.told();
    assert_eq!(flow["tls"]["resumed"], true);
    assert_eq!(flow["tlstriage"]["server"]["certificate"], "resumed");
    assert_eq!(flow["tlstriage"]["decrypted"], true);
    // The ticket that it goes back to was opened in the first flow, and so was its certificate.
    let link = Link::Ethernet;
    let mut packets = first.meeting.packets.clone();
    packets.extend(second.meeting.packets.iter().map(|packet| {
        let mut packet = packet.clone();
        packet.time += 60_000_000_000;
        // From another port: source and destination port follow an IPv4 header.
        for port in packet.bytes[20..24].chunks_mut(2) {
            if port == 50_112_u16.to_be_bytes() {
                port.copy_from_slice(&50_113_u16.to_be_bytes());
            }
        }
        packet
    }));
    let capture = Pcap::new().write(&link, &packets.on(&link));
    let analyzer = with_keys(&format!("{}{}", first.log, second.log));
    let flows = told_by(&analyzer, [stream(capture)]).flows();
    assert_eq!(flows.len(), 2);
    let from = &flows[1]["tlstriage"]["resumed_from"];
    assert_eq!(from["by"], "ticket", "{from}");
    assert_eq!(from["event_id"], flows[0]["event"]["id"]);
}

#[test]
fn compressed_certificates_are_opened() {
    use rustls::compress::{BROTLI_DECOMPRESSOR, ZLIB_DECOMPRESSOR};
    let world = World::new();
    for decompressor in [BROTLI_DECOMPRESSOR, ZLIB_DECOMPRESSOR] {
        let mut client = world.client(&TLS13);
        client.cert_decompressors = vec![decompressor];
        let opened = Opened::meet(&client, &world.server(&TLS13));
        let flow = opened.told();
        opened.assert_opened(&flow);
        let steps = flow["tlstriage"]["handshake"]["steps"].to_string();
        assert!(steps.contains("compressed_certificate"), "{steps}");
    }
}

#[test]
fn keys_that_are_updated_are_followed() {
    let (mut talk, log) = begin(&TLS13);
    talk.client.writer().write_all(b"one").unwrap();
    talk.settle();
    talk.client.refresh_traffic_keys().unwrap();
    talk.client.writer().write_all(b"two").unwrap();
    talk.settle();
    talk.client.send_close_notify();
    talk.settle();
    let flow = &told_by(&with_keys(&log.text()), [stream(talk.capture())]).flows()[0];
    let told = &flow["tlstriage"];
    let steps = told["handshake"]["steps"].to_string();
    assert!(steps.contains("key_update"), "{steps}");
    // The alert stands behind the update, under the next keys.
    assert_eq!(told["alerts"][0]["name"], "close_notify", "{told}");
    assert_eq!(told["alerts"][0]["encrypted"], true);
}

#[test]
fn in_tls12_alerts_after_the_handshake_are_read() {
    let opened = Opened::of(&TLS12);
    let flow = opened.told();
    opened.assert_opened(&flow);
    let steps = flow["tlstriage"]["handshake"]["steps"].to_string();
    assert!(steps.contains("finished"), "{steps}");
    let without = opened.told_with("");
    let steps = without["tlstriage"]["handshake"]["steps"].to_string();
    assert!(!steps.contains("finished"), "{steps}");
}

#[test]
fn without_its_key_a_flow_is_told_as_without_any_but_for_the_reason() {
    for version in [&TLS12, &TLS13] {
        let (opened, other) = (Opened::of(version), Opened::of(version));
        let capture = file(&opened.meeting.capture(), ".pcap");
        let source = || [Source::file(capture.path())];
        let mut with = told_by(&with_keys(&other.log), source()).flows().remove(0);
        let without = told_by(&Analyzer::new(), source()).flows().remove(0);
        if version.version == TLS13.version {
            assert_eq!(detail(&with), (&json!("encrypted"), &json!("no-key")));
        }
        run::remove(&mut with, "tlstriage.server.certificate_detail");
        assert_eq!(run::differences(&with, &without), [""; 0]);
    }
}

#[test]
fn the_status_of_the_first_response_is_read_and_nothing_else_told_of_it() {
    let world = World::new();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // A block of headers with `:status: 503` and a field that must not be told.
    let headers = b"\0\0\x0b\x01\x04\0\0\0\x01\x08\x03503\x0f\x0d\x03zyx";
    let h2 = [&settings[..], headers].concat();
    let big_request = [b"POST / HTTP/1.1\r\n\r\n".to_vec(), vec![b'x'; 200_000]].concat();
    for version in [&TLS12, &TLS13] {
        for (request, response, verdict, status) in [
            (
                &b"GET / HTTP/1.1\r\n\r\n"[..],
                &b"HTTP/1.1 502 Bad Gateway\r\nSecret: zyx\r\n\r\n"[..],
                "http.backend",
                Some("502"),
            ),
            (b"GET /", b"HTTP/1.1 404 No\r\n\r\n", "ok", Some("404")),
            (b"GET /", b"HTTP/1.1 200 OK\r\n\r\n", "ok", None),
            (b"PRI * HTTP/2.0", &h2, "http.backend", Some("503")),
            (
                &big_request,
                b"HTTP/1.0 500 No\r\n\r\n",
                "http.backend",
                Some("500"),
            ),
        ] {
            let log = Arc::new(Log::default());
            let mut client = world.client(version);
            client.key_log = Arc::<Log>::clone(&log);
            let words = [request, response];
            let meeting = meet_and_say(&client, &world.server(version), "api.example", words);
            let told = told_by(&with_keys(&log.text()), [stream(meeting.capture())]);
            let flow = &told.flows()[0];
            assert_eq!(flow["tlstriage"]["verdict"]["id"], verdict, "{flow}");
            let findings = flow["tlstriage"]["findings"].to_string();
            assert_eq!(
                findings.contains("HTTP status"),
                status.is_some(),
                "{findings}"
            );
            assert!(status.is_none_or(|status| findings.contains(status)));
            assert!(!told.lines.contains("zyx") && !told.lines.contains("Secret"));
        }
    }
}

#[test]
fn no_secret_and_no_plaintext_is_told() {
    for version in [&TLS12, &TLS13] {
        let opened = Opened::of(version);
        let told = told_by(&with_keys(&opened.log), [stream(opened.meeting.capture())]);
        let secrets = opened
            .log
            .lines()
            .map(|line| line.rsplit(' ').next().unwrap());
        for secret in secrets.chain(["ping", "pong"]) {
            for text in [&told.lines, &told.text] {
                assert!(
                    !text.to_lowercase().contains(&secret.to_lowercase()),
                    "{secret}"
                );
            }
        }
    }
}

#[test]
fn every_cut_of_an_opened_capture_claims_no_more_than_the_whole() {
    let opened = Opened::of(&TLS13);
    let whole = opened.told();
    let expected = hashes(&whole["tlstriage"]["server"]["chain"]);
    let analyzer = with_keys(&opened.log);
    let capture = opened.meeting.capture();
    for len in (0..capture.len()).step_by(7) {
        for flow in told_by(&analyzer, [stream(capture[..len].to_vec())]).flows() {
            let server = &flow["tlstriage"]["server"];
            if server["certificate"] == "seen" {
                assert_eq!(hashes(&server["chain"]), expected);
            }
        }
    }
}

#[test]
fn a_flipped_byte_of_a_sealed_record_never_gives_another_certificate() {
    let opened = Opened::of(&TLS13);
    let expected = hashes(&opened.told()["tlstriage"]["server"]["chain"]);
    let analyzer = with_keys(&opened.log);
    let capture = opened.meeting.capture();
    for at in (24..capture.len()).step_by(11) {
        let mut flipped = capture.clone();
        flipped[at] ^= 0x40;
        for flow in told_by(&analyzer, [stream(flipped)]).flows() {
            let server = &flow["tlstriage"]["server"];
            if server["certificate"] == "seen" {
                assert_eq!(hashes(&server["chain"]), expected, "{at}");
            }
        }
    }
}

/// Two ends behind their handshake, and the key log of the client.
fn begin(version: Version) -> (Talk, Arc<Log>) {
    let world = World::new();
    let log = Arc::new(Log::default());
    let mut client = world.client(version);
    client.key_log = Arc::<Log>::clone(&log);
    let mut talk = Talk::begin(&client, &world.server(version), "api.example");
    talk.settle();
    (talk, log)
}

/// A connection whose server sends so many records of data, and five minutes later an alert.
fn closed_late(version: Version, records: usize) -> (Vec<u8>, String) {
    let (mut talk, log) = begin(version);
    talk.client.writer().write_all(b"one").unwrap();
    talk.settle();
    for _ in 0..records {
        talk.server.writer().write_all(b"two").unwrap();
        talk.settle();
    }
    talk.conversation.wait(300_000_000_000);
    talk.server.send_close_notify();
    talk.settle();
    (talk.capture(), log.text())
}

#[test]
fn an_alert_is_opened_however_late_but_not_behind_much_data() {
    let opened = json!([{"from": "server", "level": "warning", "code": 0, "name": "close_notify", "encrypted": true}]);
    let closed = json!([{"from": "server", "encrypted": true}]);
    for (version, records, alerts) in [
        (&TLS12, 1, &opened),
        (&TLS13, 1, &opened),
        (&TLS12, 8, &opened),
        (&TLS13, 8, &opened),
        (&TLS12, 60, &closed),
        // It looks like data.
        (&TLS13, 60, &Value::Null),
    ] {
        let (capture, log) = closed_late(version, records);
        let flow = &told_by(&with_keys(&log), [stream(capture)]).flows()[0];
        let told = &flow["tlstriage"];
        assert_eq!(&told["alerts"], alerts, "{records} records: {flow}");
        assert_eq!(told["verdict"]["id"], "ok");
    }
}
