//! Real peers: two ends made by rustls shake hands in memory, their records become a capture,
//! and the report says what they themselves know.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/run.rs"]
mod run;
mod support;

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion, WantsVerifier,
};
use serde_json::Value;

use run::told;
use support::capture::Pcap;
use support::certificate::{Certificate, Issued};
use support::conversation::{Conversation, Segments as _, Side};
use support::packet::{Link, Packets as _};

type Version = &'static SupportedProtocolVersion;

/// Both ends of a conversation, and the authority that both trust.
struct World {
    root: Issued,
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
    client_chain: Vec<Vec<u8>>,
    client_key: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let root = Certificate::authority("Peers Root").self_signed();
        let server = Certificate::new("api.example").names(&["api.example", "10.1.0.4"]);
        let server = server.signed_by(&root);
        let client = Certificate::client("client 7").signed_by(&root);
        Self {
            chain: vec![server.der, root.der.clone()],
            key: server.key_der,
            client_chain: vec![client.der],
            client_key: client.key_der,
            root,
        }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der.clone().into()).unwrap();
        Arc::new(roots)
    }

    fn server(&self, version: Version) -> ServerConfig {
        let builder = server_builder(version, ring::default_provider());
        let config = builder.with_no_client_auth();
        config
            .with_single_cert(ders(&self.chain), key(&self.key))
            .unwrap()
    }

    fn client(&self, version: Version) -> ClientConfig {
        self.client_with(version, ring::default_provider())
    }

    fn client_with(&self, version: Version, provider: CryptoProvider) -> ClientConfig {
        ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots())
            .with_no_client_auth()
    }
}

fn server_builder(
    version: Version,
    provider: CryptoProvider,
) -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[version])
        .unwrap()
}

fn ders(chain: &[Vec<u8>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|der| der.clone().into()).collect()
}

fn key(der: &[u8]) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(der.to_vec().into())
}

/// Two ends that have said all they had to say.
struct Talk {
    client: ClientConnection,
    server: ServerConnection,
    flow: Value,
}

/// Lets two ends talk, and reads what a capture shows of it.
fn talk(client: &ClientConfig, server: &ServerConfig, name: &str) -> Talk {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client.clone()), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server.clone())).unwrap();
    let mut conversation = Conversation::between("10.1.0.5:50112", "10.1.0.4:443").syn();
    client.writer().write_all(b"ping").unwrap();
    let mut has_answered = false;
    loop {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        let is_silent = flight.is_empty();
        if !is_silent {
            conversation = conversation.client(&flight);
            let _ = server.read_tls(&mut &flight[..]);
            // An error is an alert on its way, which the capture shows.
            let _ = server.process_new_packets();
        }
        let mut heard = Vec::new();
        let _ = server.reader().read_to_end(&mut heard);
        if heard == b"ping" && !has_answered {
            has_answered = true;
            server.writer().write_all(b"pong").unwrap();
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        if flight.is_empty() && is_silent {
            break;
        }
        if !flight.is_empty() {
            conversation = conversation.server(&flight);
            let mut rest = &flight[..];
            while !rest.is_empty() && client.read_tls(&mut rest).is_ok() {
                if client.process_new_packets().is_err() {
                    break;
                }
            }
            let _ = client.reader().read_to_end(&mut Vec::new());
        }
    }
    let segments = if has_answered {
        conversation.fin()
    } else {
        conversation.rst(Side::Client)
    };
    let link = Link::Ethernet;
    let frames = segments.segments().packets().on(&link);
    let mut flows = told(Pcap::new().write(&link, &frames)).flows();
    assert_eq!(flows.len(), 1);
    Talk {
        client,
        server,
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

fn hashes(chain: &Value) -> Vec<String> {
    let chain = chain.as_array().unwrap();
    let hash = |row: &Value| row["sha256"].as_str().unwrap().to_owned();
    chain.iter().map(hash).collect()
}

fn hashes_of(held: &[CertificateDer<'_>]) -> Vec<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = |der: &CertificateDer<'_>| {
        hex(::ring::digest::digest(&::ring::digest::SHA256, der).as_ref())
    };
    held.iter().map(hash).collect()
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
