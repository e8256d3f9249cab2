//! Real peers: two ends made by rustls shake hands in memory, their records become a capture,
//! and the report says what they themselves know.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/peers.rs"]
mod peers;
#[path = "support/run.rs"]
mod run;
mod support;

use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use serde_json::Value;

use peers::{World, ders, hashes, hashes_of, key, meet, server_builder};
use run::told;
use support::certificate::Certificate;

/// Two ends that have said all they had to say.
struct Talk {
    client: ClientConnection,
    server: ServerConnection,
    flow: Value,
}

/// Lets two ends talk, and reads what a capture shows of it.
fn talk(client: &ClientConfig, server: &ServerConfig, name: &str) -> Talk {
    let meeting = meet(client, server, name);
    let mut flows = told(meeting.capture()).flows();
    assert_eq!(flows.len(), 1);
    Talk {
        client: meeting.client,
        server: meeting.server,
        flow: flows.remove(0),
    }
}

impl Talk {
    /// Asserts that the report says of the handshake what both ends know of it.
    fn assert_agreed(&self) {
        let (flow, client, server) = (&self.flow, &self.client, &self.server);
        assert!(!client.is_handshaking() && !server.is_handshaking());
        let version = match client.protocol_version().unwrap() {
            rustls::ProtocolVersion::TLSv1_2 => "1.2",
            rustls::ProtocolVersion::TLSv1_3 => "1.3",
            other => panic!("{other:?}"),
        };
        assert_eq!(flow["tls"]["version"], version);
        // rustls has names of its own for the suites of TLS 1.3.
        let suite = format!("{:?}", client.negotiated_cipher_suite().unwrap().suite());
        assert_eq!(flow["tls"]["cipher"], suite.replace("TLS13_", "TLS_"));
        let name = server.server_name().map_or(Value::Null, Value::from);
        assert_eq!(flow["tls"]["client"]["server_name"], name);
        let sni = if name.is_null() { "absent" } else { "name" };
        assert_eq!(flow["tlstriage"]["sni"], sni);
        // In TLS 1.3 the protocol is chosen where nobody else can see it.
        if version == "1.2" {
            let protocol = client.alpn_protocol().map(String::from_utf8_lossy);
            assert_eq!(
                flow["tls"]["next_protocol"],
                protocol.map_or(Value::Null, Value::from)
            );
        }
        let group = client.negotiated_key_exchange_group();
        if let Some(group) = group {
            let name = format!("{:?}", group.name()).to_lowercase();
            assert_eq!(flow["tls"]["curve"], name);
        }
        assert_eq!(flow["tls"]["established"], true);
        assert_eq!(flow["tlstriage"]["handshake"]["outcome"], "completed");
        assert_eq!(flow["tlstriage"]["evidence"]["grade"], "complete");
    }

    fn assert_certificates(&self) {
        let held = self.client.peer_certificates().unwrap();
        assert_eq!(
            hashes(&self.flow["tlstriage"]["server"]["chain"]),
            hashes_of(held)
        );
        assert_eq!(self.flow["tlstriage"]["server"]["certificate"], "seen");
    }
}

#[test]
fn both_versions_agree_with_and_without_a_name() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        for name in ["api.example", "10.1.0.4"] {
            let talk = talk(&world.client(version), &world.server(version), name);
            talk.assert_agreed();
            if version.version == TLS12.version {
                talk.assert_certificates();
            } else {
                assert_eq!(talk.flow["tlstriage"]["server"]["certificate"], "encrypted");
            }
        }
    }
}

#[test]
fn every_suite_and_group_is_named_as_the_peers_name_it() {
    let world = World::new();
    let provider = ring::default_provider();
    for suite in provider.cipher_suites {
        for group in ring::default_provider().kx_groups {
            let one = CryptoProvider {
                cipher_suites: vec![suite],
                kx_groups: vec![group],
                ..ring::default_provider()
            };
            let version = if suite.tls13().is_some() {
                &TLS13
            } else {
                &TLS12
            };
            // Those that want an RSA key find none.
            let is_rsa = format!("{:?}", suite.suite()).contains("_RSA_");
            if is_rsa {
                continue;
            }
            let talk = talk(
                &world.client_with(version, one),
                &world.server(version),
                "api.example",
            );
            talk.assert_agreed();
        }
    }
}

#[test]
fn the_protocol_that_both_chose_is_told() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let mut client = world.client(version);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut server = world.server(version);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let talk = talk(&client, &server, "api.example");
        talk.assert_agreed();
        assert_eq!(
            talk.flow["tlstriage"]["client"]["alpn"],
            serde_json::json!(["h2", "http/1.1"])
        );
    }
}

#[test]
fn certificates_of_clients_are_told_as_the_server_holds_them() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let verifier = WebPkiClientVerifier::builder_with_provider(
            world.roots(),
            ring::default_provider().into(),
        );
        let server = server_builder(version, ring::default_provider())
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(ders(&world.chain), key(&world.key))
            .unwrap();
        let client = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(world.roots())
            .with_client_auth_cert(ders(&world.client_chain), key(&world.client_key))
            .unwrap();
        let with = talk(&client, &server, "api.example");
        with.assert_agreed();
        let held = with.server.peer_certificates().unwrap();
        assert_eq!(held, ders(&world.client_chain));
        let told = &with.flow["tlstriage"]["client_certificate"];
        if version.version == TLS12.version {
            with.assert_certificates();
            assert_eq!(hashes(&told["chain"]), hashes_of(held));
            assert_eq!(told["requested"], true);
        } else {
            assert_eq!(told["chain"], Value::Null);
        }
        // The same server does not take a client without one.
        let without = talk(&world.client(version), &server, "api.example");
        assert_eq!(without.server.peer_certificates(), None);
        let told = &without.flow["tlstriage"];
        if version.version == TLS12.version {
            assert_eq!(told["handshake"]["outcome"], "rejected-by-server", "{told}");
            assert_eq!(told["alert"]["from"], "server");
            assert_eq!(told["verdict"]["id"], "mtls.client-cert-missing");
        } else {
            // By the sizes of what both sides say.
            assert_eq!(told["handshake"]["outcome"], "rejected-by-server", "{told}");
        }
    }
}

#[test]
fn a_session_that_is_resumed_shows_no_certificate_and_says_why() {
    let world = World::new();
    for (version, by_id) in [(&TLS12, true), (&TLS12, false), (&TLS13, false)] {
        let mut server = world.server(version);
        if !by_id {
            server.ticketer = ring::Ticketer::new().unwrap();
        }
        let mut client = world.client(version);
        if by_id {
            let sessions = Resumption::in_memory_sessions(4);
            client.resumption = sessions.tls12_resumption(Tls12Resumption::SessionIdOnly);
        }
        let first = talk(&client, &server, "api.example");
        first.assert_agreed();
        assert_eq!(first.flow["tls"]["resumed"], false);
        let second = talk(&client, &server, "api.example");
        second.assert_agreed();
        let kind = second.client.handshake_kind().unwrap();
        assert_eq!(kind, rustls::HandshakeKind::Resumed);
        assert_eq!(second.flow["tls"]["resumed"], true);
        assert_eq!(second.flow["tlstriage"]["server"]["certificate"], "resumed");
    }
}

#[test]
fn a_second_hello_belongs_to_the_same_handshake() {
    let world = World::new();
    // The client guesses a group that the server does not have.
    let of_server = CryptoProvider {
        kx_groups: vec![ring::kx_group::SECP384R1],
        ..ring::default_provider()
    };
    let server = server_builder(&TLS13, of_server)
        .with_no_client_auth()
        .with_single_cert(ders(&world.chain), key(&world.key))
        .unwrap();
    let talk = talk(&world.client(&TLS13), &server, "api.example");
    talk.assert_agreed();
    let kind = talk.client.handshake_kind().unwrap();
    assert_eq!(kind, rustls::HandshakeKind::FullWithHelloRetryRequest);
    let steps = talk.flow["tlstriage"]["handshake"]["steps"].to_string();
    assert!(
        steps.starts_with(r#"["client_hello","hello_retry_request""#),
        "{steps}"
    );
}

#[test]
fn a_client_that_does_not_know_the_issuer_says_so() {
    let world = World::new();
    let stranger = World {
        root: Certificate::authority("Other Root").self_signed(),
        ..World::new()
    };
    for (version, name, alert) in [
        (&TLS12, "api.example", "unknown_ca"),
        (&TLS13, "api.example", "unknown_ca"),
    ] {
        let talk = talk(&stranger.client(version), &world.server(version), name);
        assert!(talk.client.is_handshaking());
        let told = &talk.flow["tlstriage"];
        assert_eq!(told["handshake"]["outcome"], "rejected-by-client", "{told}");
        if version.version == TLS12.version {
            assert_eq!(told["alert"]["name"], alert);
            assert_eq!(told["alert"]["from"], "client");
            assert_eq!(
                hashes(&told["server"]["chain"]),
                hashes_of(&ders(&world.chain))
            );
        }
    }
}

#[test]
fn a_name_that_the_certificate_does_not_cover_is_told_with_its_alert() {
    let world = World::new();
    let talk = talk(&world.client(&TLS12), &world.server(&TLS12), "shop.example");
    let told = &talk.flow["tlstriage"];
    assert_eq!(told["verdict"]["id"], "sni.name-mismatch", "{told}");
    assert_eq!(told["alert"]["from"], "client");
    assert_eq!(
        hashes(&told["server"]["chain"]),
        hashes_of(&ders(&world.chain))
    );
}

#[test]
fn versions_without_overlap_end_with_the_alert_of_the_server() {
    let world = World::new();
    let talk = talk(&world.client(&TLS12), &world.server(&TLS13), "api.example");
    let told = &talk.flow["tlstriage"];
    assert_eq!(told["handshake"]["outcome"], "rejected-by-server", "{told}");
    assert_eq!(told["alert"]["name"], "protocol_version");
    assert_eq!(told["verdict"]["id"], "tls.version-or-cipher");
}
