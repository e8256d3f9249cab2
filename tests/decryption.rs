//! Our decryption against that of rustls, record for record: both ends write down what they decrypted, and of the same records keys open
//! the same messages, alerts and data.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/peers.rs"]
mod peers;
#[path = "support/recording.rs"]
mod recording;
mod support;

use std::io::Write as _;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::compress::{BROTLI_DECOMPRESSOR, ZLIB_DECOMPRESSOR};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ServerConfig, SupportedCipherSuite};
use tlstriage::tls::{
    Handshake, KeyLog, Keys, Lane, Limits, MessageType, Observed, Observer, Step, StepKind, Trials,
};

use peers::{Log, Talk, Version, World, ders, key, server_builder};
use recording::{Record, Recording, recording};
use support::certificate::Certificate;
use support::conversation::Side;

/// Two ends of one suite, and what each of them decrypts.
struct Ends {
    client: ClientConfig,
    server: ServerConfig,
    log: Arc<Log>,
    by_client: Recording,
    by_server: Recording,
}

impl Ends {
    fn of(world: &World, suite: SupportedCipherSuite) -> Self {
        Self::padding(world, suite, 0)
    }

    /// Ends that add so many bytes of padding to each record of TLS 1.3.
    fn padding(world: &World, suite: SupportedCipherSuite, padding: usize) -> Self {
        let version = version_of(suite);
        let (by_client, by_server) = (Recording::default(), Recording::default());
        let provider = |heard| CryptoProvider {
            cipher_suites: vec![recording(suite, heard, padding)],
            ..ring::default_provider()
        };
        let log = Arc::new(Log::default());
        let mut client = world.client_with(version, provider(&by_client));
        client.key_log = Arc::<Log>::clone(&log);
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut server = server_builder(version, provider(&by_server))
            .with_no_client_auth()
            .with_single_cert(ders(&world.chain), key(&world.key))
            .unwrap();
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            client,
            server,
            log,
            by_client,
            by_server,
        }
    }

    fn begin(&self) -> Talk {
        for heard in [&self.by_client, &self.by_server] {
            heard.clear();
        }
        Talk::begin(&self.client, &self.server, "api.example")
    }

    /// A handshake, a word of each side, and an end.
    fn talk(&self) -> Talk {
        let mut talk = self.begin();
        talk.settle();
        for round in 0..2 {
            let words = vec![b'x'; 10 + round];
            // One that gave up reads no more.
            if talk.is_given_up {
                return talk;
            }
            talk.client.writer().write_all(&words).unwrap();
            talk.settle();
            let _ = talk.server.writer().write_all(&words);
            talk.settle();
        }
        talk.client.send_close_notify();
        talk.server.send_close_notify();
        talk.settle();
        talk
    }

    /// Asserts that keys open what both ends decrypted.
    fn assert_agreed(&self, talk: &Talk, about: &str) -> Handshake<usize> {
        let seen = opened(talk, &self.log.text());
        assert!(seen.decrypted, "{about}");
        assert_eq!(seen.unopened, None, "{about}");
        let is_tls13 = talk.client.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_2);
        let mut alerts = Vec::new();
        for (lane, heard) in [(Lane::A, &self.by_server), (Lane::B, &self.by_client)] {
            let heard = heard.taken();
            let found: Vec<_> = sealed_steps(&seen, lane, is_tls13)
                .into_iter()
                // Up to TLS 1.2 what a client says is not needed, and so it is not opened.
                .map(|(kind, len)| match kind {
                    StepKind::ApplicationData if !is_tls13 && lane == Lane::A => {
                        let tag_and_nonce = if suite_name(talk).contains("CHACHA") {
                            16
                        } else {
                            24
                        };
                        (StepKind::OpenedData, len - tag_and_nonce)
                    }
                    _ => (kind, len),
                })
                .collect();
            assert_eq!(found, expected_steps(&heard), "{about}, {lane:?}");
            alerts.extend(
                heard
                    .iter()
                    .filter(|(kind, _)| *kind == ALERT)
                    .map(|(_, content)| (lane, Some((content[0], content[1])))),
            );
        }
        let mut told: Vec<_> = seen
            .alerts
            .iter()
            .map(|alert| {
                assert!(alert.encrypted, "{about}");
                (alert.lane, alert.content())
            })
            .collect();
        told.sort_by_key(|(lane, _)| *lane == Lane::B);
        assert_eq!(told, alerts, "{about}");
        seen
    }
}

fn version_of(suite: SupportedCipherSuite) -> Version {
    if suite.tls13().is_some() {
        &TLS13
    } else {
        &TLS12
    }
}

fn suite_name(talk: &Talk) -> String {
    format!(
        "{:?}",
        talk.client.negotiated_cipher_suite().unwrap().suite()
    )
}

/// Those for which the certificates here have the right key.
fn suites() -> Vec<SupportedCipherSuite> {
    let all = ring::default_provider().cipher_suites;
    let fits = |suite: &SupportedCipherSuite| !format!("{:?}", suite.suite()).contains("_RSA_");
    let suites: Vec<_> = all.into_iter().filter(fits).collect();
    assert_eq!(suites.len(), 6);
    suites
}

fn suites_of_tls13() -> Vec<SupportedCipherSuite> {
    let mut suites = suites();
    suites.retain(|suite| suite.tls13().is_some());
    assert_eq!(suites.len(), 3);
    suites
}

fn opened(talk: &Talk, log: &str) -> Handshake<usize> {
    let mut limits = Limits::default();
    (limits.max_steps, limits.max_application_steps) = (10_000, 10_000);
    let mut observer = Observer::new(limits).with_sealed_kept();
    for (number, (side, bytes)) in talk.flights.iter().enumerate() {
        let lane = match side {
            Side::Client => Lane::A,
            Side::Server => Lane::B,
        };
        // In pieces that are no records.
        for piece in bytes.chunks(777) {
            observer.on_bytes(lane, piece, number);
        }
    }
    let mut keys = KeyLog::new();
    keys.read_bytes(log.as_bytes(), 0);
    observer
        .finish_with(Some(Keys::new(&keys, 0)), &mut Trials::default())
        .unwrap()
}

/// What one side sent under protection.
fn sealed_steps(seen: &Handshake<usize>, lane: Lane, is_tls13: bool) -> Vec<(StepKind, u32)> {
    let of_lane = seen.steps.iter().filter(|step| step.lane == lane);
    let all: Vec<_> = of_lane.map(|step| (step.kind, step.len)).collect();
    let is_clear = |kind: &StepKind| {
        matches!(
            *kind,
            StepKind::ChangeCipherSpec
                | StepKind::HelloRetryRequest
                | StepKind::Message(MessageType::CLIENT_HELLO | MessageType::SERVER_HELLO)
        )
    };
    if is_tls13 {
        return all
            .into_iter()
            .filter(|(kind, _)| !is_clear(kind))
            .collect();
    }
    let mut steps = all.into_iter();
    steps
        .by_ref()
        .find(|(kind, _)| *kind == StepKind::ChangeCipherSpec)
        .unwrap();
    steps.collect()
}

/// The steps that records with these contents are: a message where its last byte came.
fn expected_steps(heard: &[Record]) -> Vec<(StepKind, u32)> {
    let mut steps = Vec::new();
    let mut pending: Vec<u8> = Vec::new();
    for (kind, content) in heard {
        let len = u32::try_from(content.len()).unwrap();
        match *kind {
            ALERT => steps.push((StepKind::EncryptedAlert, len)),
            APPLICATION_DATA => steps.push((StepKind::OpenedData, len)),
            HANDSHAKE => {
                pending.extend(content);
                while let Some(&[kind, high, mid, low]) = pending.first_chunk() {
                    let len = 4 + u32::from_be_bytes([0, high, mid, low]);
                    let at = usize::try_from(len).unwrap();
                    if pending.len() < at {
                        break;
                    }
                    steps.push((StepKind::Message(MessageType(kind)), len));
                    pending.drain(..at);
                }
            }
            other => unreachable!("content type {other}"),
        }
    }
    assert!(pending.is_empty());
    steps
}

fn count(seen: &Handshake<usize>, kind: MessageType) -> usize {
    let is_one = |step: &&tlstriage::tls::Step<usize>| step.kind == StepKind::Message(kind);
    seen.steps.iter().filter(is_one).count()
}

fn assert_certificate(seen: &Handshake<usize>, talk: &Talk, about: &str) {
    let held = talk.client.peer_certificates().unwrap();
    let ders: Vec<Vec<u8>> = held.iter().map(|der| der.to_vec()).collect();
    assert_eq!(seen.certificates, Observed::Seen(ders.into()), "{about}");
    let protocol = seen.server_hello.seen().unwrap().alpn.clone();
    assert_eq!(protocol.as_deref(), talk.client.alpn_protocol(), "{about}");
}

#[test]
fn a_full_handshake_of_every_suite() {
    let world = World::new();
    for suite in suites() {
        let ends = Ends::of(&world, suite);
        let talk = ends.talk();
        let about = suite_name(&talk);
        let seen = ends.assert_agreed(&talk, &about);
        assert_certificate(&seen, &talk, &about);
        let tickets = count(&seen, MessageType::NEW_SESSION_TICKET);
        if suite.tls13().is_some() {
            assert_eq!((tickets, seen.tickets_issued.len()), (2, 2), "{about}");
        }
    }
}

#[test]
fn messages_over_many_records() {
    let world = World::new();
    for suite in suites() {
        for len in [33, 50, 100, 300] {
            let mut ends = Ends::of(&world, suite);
            ends.client.max_fragment_size = Some(len);
            ends.server.max_fragment_size = Some(len);
            let talk = ends.talk();
            let about = format!("{}, records of {len}", suite_name(&talk));
            let seen = ends.assert_agreed(&talk, &about);
            assert_certificate(&seen, &talk, &about);
        }
    }
}

#[test]
fn records_with_padding() {
    let world = World::new();
    for suite in suites_of_tls13() {
        for padding in [1, 16, 255, 4000] {
            let ends = Ends::padding(&world, suite, padding);
            let talk = ends.talk();
            let about = format!("{}, padded by {padding}", suite_name(&talk));
            let seen = ends.assert_agreed(&talk, &about);
            assert_certificate(&seen, &talk, &about);
            let is_finished =
                |step: &&Step<usize>| step.kind == StepKind::Message(MessageType::FINISHED);
            let told = seen.steps.iter().filter(is_finished);
            let told: Vec<_> = told.map(|step| usize::from(step.padding)).collect();
            assert_eq!(told, [padding; 2], "{about}");
        }
    }
}

#[test]
fn a_second_hello() {
    let world = World::new();
    for suite in suites_of_tls13() {
        let mut ends = Ends::of(&world, suite);
        let of_server = CryptoProvider {
            kx_groups: vec![ring::kx_group::SECP384R1],
            ..CryptoProvider::clone(ends.server.crypto_provider())
        };
        ends.server = server_builder(&TLS13, of_server)
            .with_no_client_auth()
            .with_single_cert(ders(&world.chain), key(&world.key))
            .unwrap();
        let talk = ends.talk();
        let about = suite_name(&talk);
        let seen = ends.assert_agreed(&talk, &about);
        assert!(seen.hello_retry, "{about}");
        assert_certificate(&seen, &talk, &about);
    }
}

#[test]
fn a_client_with_a_certificate_and_one_without() {
    let world = World::new();
    for suite in suites() {
        for has_certificate in [true, false] {
            let mut ends = Ends::of(&world, suite);
            let version = version_of(suite);
            let provider = CryptoProvider::clone(ends.server.crypto_provider());
            let verifier =
                WebPkiClientVerifier::builder_with_provider(world.roots(), provider.clone().into());
            ends.server = server_builder(version, provider)
                .with_client_cert_verifier(verifier.build().unwrap())
                .with_single_cert(ders(&world.chain), key(&world.key))
                .unwrap();
            if has_certificate {
                let provider = CryptoProvider::clone(ends.client.crypto_provider());
                let key_log = Arc::clone(&ends.client.key_log);
                ends.client = ClientConfig::builder_with_provider(provider.into())
                    .with_protocol_versions(&[version])
                    .unwrap()
                    .with_root_certificates(world.roots())
                    .with_client_auth_cert(ders(&world.client_chain), key(&world.client_key))
                    .unwrap();
                ends.client.cert_decompressors = Vec::new();
                ends.client.key_log = key_log;
            }
            let talk = ends.talk();
            let about = format!("{:?}, {has_certificate}", suite.suite());
            if !has_certificate && suite.tls13().is_none() {
                // Nothing was encrypted before the server gave up.
                assert!(ends.by_client.taken().is_empty());
                continue;
            }
            let seen = ends.assert_agreed(&talk, &about);
            assert!(seen.certificate_requested, "{about}");
            let held = talk.server.peer_certificates().unwrap_or_default();
            let held: Vec<_> = held.iter().map(|der| der.to_vec()).collect();
            assert_eq!(seen.client_certificates, Some(held.into()), "{about}");
            // The server refuses one without.
            assert_eq!(talk.server.is_handshaking(), !has_certificate);
        }
    }
}

#[test]
fn a_client_that_refuses_the_certificate() {
    let world = World::new();
    for suite in suites_of_tls13() {
        let stranger = World {
            root: Certificate::authority("Other Root").self_signed(),
            ..World::new()
        };
        let mut ends = Ends::of(&stranger, suite);
        let provider = CryptoProvider::clone(ends.server.crypto_provider());
        ends.server = server_builder(&TLS13, provider)
            .with_no_client_auth()
            .with_single_cert(ders(&world.chain), key(&world.key))
            .unwrap();
        let talk = ends.talk();
        let seen = ends.assert_agreed(&talk, "refused");
        let alerts: Vec<_> = seen.alerts.iter().map(|alert| alert.content()).collect();
        assert_eq!(alerts[0], Some((2, 48)));
        assert_eq!(
            seen.certificates,
            Observed::Seen(world.chain.clone().into())
        );
    }
}

#[test]
fn a_resumption_with_and_without_early_data() {
    let world = World::new();
    for suite in suites() {
        for has_early_data in [false, true] {
            let mut ends = Ends::of(&world, suite);
            ends.client.resumption = Resumption::in_memory_sessions(8);
            ends.client.enable_early_data = has_early_data;
            ends.server.max_early_data_size = 1000;
            let full = ends.talk();
            ends.assert_agreed(&full, "before");
            let mut talk = ends.begin();
            if let Some(mut early) = talk.client.early_data() {
                early.write_all(b"an early word").unwrap();
            }
            talk.settle();
            let is_early = talk.client.is_early_data_accepted();
            assert_eq!(is_early, has_early_data && suite.tls13().is_some());
            talk.client.writer().write_all(b"a word").unwrap();
            talk.settle();
            talk.client.send_close_notify();
            talk.server.send_close_notify();
            talk.settle();
            let kind = talk.client.handshake_kind().unwrap();
            assert_eq!(kind, rustls::HandshakeKind::Resumed);
            let about = format!("{} {has_early_data}", suite_name(&talk));
            let seen = ends.assert_agreed(&talk, &about);
            assert!(seen.resumption.is_some(), "{about}");
            let ends_early = count(&seen, MessageType::END_OF_EARLY_DATA);
            assert_eq!(ends_early, usize::from(is_early), "{about}");
            if suite.tls13().is_some() {
                // The ticket is one that was opened in the full handshake.
                let given = opened(&full, &ends.log.text()).tickets_issued;
                assert!(given.contains(&seen.session.ticket_offered.unwrap()));
            }
        }
    }
}

#[test]
fn keys_that_either_side_updates() {
    let world = World::new();
    for suite in suites_of_tls13() {
        let ends = Ends::of(&world, suite);
        let mut talk = ends.begin();
        talk.settle();
        for round in 0..5 {
            // Each asks the other to follow (RFC 8446, section 4.6.3).
            if round % 2 == 0 {
                talk.client.refresh_traffic_keys().unwrap();
            } else {
                talk.server.refresh_traffic_keys().unwrap();
            }
            talk.client.writer().write_all(b"a word").unwrap();
            talk.settle();
            talk.server.writer().write_all(b"an answer").unwrap();
            talk.settle();
        }
        talk.client.send_close_notify();
        talk.server.send_close_notify();
        talk.settle();
        let about = suite_name(&talk);
        let seen = ends.assert_agreed(&talk, &about);
        assert_eq!(count(&seen, MessageType::KEY_UPDATE), 10, "{about}");
    }
}

#[test]
fn certificates_that_are_compressed() {
    let world = World::new();
    for suite in suites_of_tls13() {
        for decompressor in [BROTLI_DECOMPRESSOR, ZLIB_DECOMPRESSOR] {
            let mut ends = Ends::of(&world, suite);
            ends.client.cert_decompressors = vec![decompressor];
            let talk = ends.talk();
            let about = suite_name(&talk);
            let seen = ends.assert_agreed(&talk, &about);
            assert_eq!(count(&seen, MessageType::COMPRESSED_CERTIFICATE), 1);
            assert_certificate(&seen, &talk, &about);
        }
    }
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
