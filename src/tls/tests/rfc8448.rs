//! The published handshakes: all of RFC 8448, opened with the secrets printed there.

use crate::tls::{
    Handshake, KeyLog, Keys, Lane, Limits, MessageType, Observed, Observer, Resumption, StepKind,
    Trials, Unopened, Unseen,
};

/// The whole Certificate message: 445 bytes, one certificate of 432.
const CERTIFICATE: &str = "308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a06035504031303727361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372736130819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f0404030205a0300d06092a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf36b7fd6c55b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759409ba3eac9d91d402dcc0cc8f8961229ac9187b42b4de1";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// A handshake as it is printed: the lines of a key log, and the records of both sides in order.
struct Trace {
    log: String,
    said: Vec<(Lane, Vec<u8>)>,
}

impl Trace {
    fn read(text: &str) -> Self {
        let (mut log, mut said) = (String::new(), Vec::new());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split_once(' ').unwrap() {
                ("client", record) => said.push((Lane::A, bytes(record))),
                ("server", record) => said.push((Lane::B, bytes(record))),
                _ => log += &format!("{line}\n"),
            }
        }
        Self { log, said }
    }

    /// Section 3: 1-RTT, with a ticket, data and alerts.
    fn simple() -> Self {
        Self::read(include_str!("rfc8448/simple.txt"))
    }

    fn keys(&self) -> KeyLog {
        log_of(&self.log)
    }

    /// The lines of these labels.
    fn only(&self, labels: &[&str]) -> KeyLog {
        let is_wanted = |line: &&str| labels.iter().any(|label| line.starts_with(label));
        let lines: Vec<&str> = self.log.lines().filter(is_wanted).collect();
        assert_eq!(lines.len(), labels.len());
        log_of(&lines.join("\n"))
    }

    fn random(&self) -> &str {
        self.log.split(' ').nth(1).unwrap()
    }

    fn secret(&self, label: &str) -> &str {
        let line = self.log.lines().find(|line| line.starts_with(label));
        line.unwrap().rsplit(' ').next().unwrap()
    }

    /// What is observed of it, its bytes in pieces of `size`.
    fn observed(&self, size: usize) -> Observer<u32> {
        let mut observer = Observer::new(Limits::default()).with_sealed_kept();
        let mut mark = 0;
        for (lane, record) in &self.said {
            for piece in record.chunks(size) {
                mark += 1;
                observer.on_bytes(*lane, piece, mark);
            }
        }
        observer
    }

    fn opened(&self, size: usize) -> Handshake<u32> {
        opened(self.observed(size), &self.keys())
    }
}

fn log_of(text: &str) -> KeyLog {
    let mut log = KeyLog::new();
    let counts = log.read_bytes(text.as_bytes(), 0);
    assert_eq!(counts.secrets, u64::try_from(text.lines().count()).unwrap());
    log
}

fn opened(observer: Observer<u32>, log: &KeyLog) -> Handshake<u32> {
    let keys = Keys::new(log, 0);
    let seen = observer.finish_with(Some(keys), &mut Trials::default());
    seen.unwrap()
}

fn steps(seen: &Handshake<u32>) -> Vec<(Lane, StepKind, u32)> {
    let steps = seen.steps.iter();
    steps.map(|step| (step.lane, step.kind, step.len)).collect()
}

fn message(lane: Lane, kind: MessageType, len: u32) -> (Lane, StepKind, u32) {
    (lane, StepKind::Message(kind), len)
}

/// What the client and the server say in the end.
const CLOSED: [(Lane, StepKind, u32); 2] = [
    (Lane::A, StepKind::EncryptedAlert, 2),
    (Lane::B, StepKind::EncryptedAlert, 2),
];

/// Asserts that every record is opened, however the bytes come, and that both sides close.
fn assert_opened(trace: &Trace, wanted: &[(Lane, StepKind, u32)]) -> Handshake<u32> {
    for size in [1, 2, 7, 100, 10_000] {
        let seen = trace.opened(size);
        assert!(seen.decrypted);
        assert_eq!(seen.unopened, None);
        assert_eq!(steps(&seen), wanted, "in pieces of {size}");
        let alerts = seen.alerts.iter();
        let alerts: Vec<_> = alerts
            .map(|alert| (alert.lane, alert.encrypted, alert.content()))
            .collect();
        let close_notify = Some((1, 0));
        assert_eq!(
            alerts,
            [(Lane::A, true, close_notify), (Lane::B, true, close_notify)]
        );
    }
    trace.opened(10_000)
}

#[test]
fn section_3_a_full_handshake_with_a_ticket() {
    let wanted = [
        message(Lane::A, MessageType::CLIENT_HELLO, 196),
        message(Lane::B, MessageType::SERVER_HELLO, 90),
        message(Lane::B, MessageType::ENCRYPTED_EXTENSIONS, 40),
        message(Lane::B, MessageType::CERTIFICATE, 445),
        message(Lane::B, MessageType::CERTIFICATE_VERIFY, 136),
        message(Lane::B, MessageType::FINISHED, 36),
        message(Lane::A, MessageType::FINISHED, 36),
        message(Lane::B, MessageType::NEW_SESSION_TICKET, 205),
        (Lane::A, StepKind::OpenedData, 50),
        (Lane::B, StepKind::OpenedData, 50),
        CLOSED[0],
        CLOSED[1],
    ];
    let seen = assert_opened(&Trace::simple(), &wanted);
    assert_eq!(
        seen.certificates,
        Observed::Seen(vec![bytes(CERTIFICATE)].into())
    );
    assert!(!seen.certificate_requested);
    assert_eq!(seen.tickets_issued.len(), 1);
}

#[test]
fn section_4_a_resumption_with_early_data() {
    let trace = Trace::read(include_str!("rfc8448/resumed-early-data.txt"));
    let wanted = [
        message(Lane::A, MessageType::CLIENT_HELLO, 512),
        (Lane::A, StepKind::OpenedData, 6),
        message(Lane::B, MessageType::SERVER_HELLO, 96),
        message(Lane::B, MessageType::ENCRYPTED_EXTENSIONS, 44),
        message(Lane::B, MessageType::FINISHED, 36),
        message(Lane::A, MessageType::END_OF_EARLY_DATA, 4),
        message(Lane::A, MessageType::FINISHED, 36),
        (Lane::A, StepKind::OpenedData, 50),
        (Lane::B, StepKind::OpenedData, 50),
        CLOSED[0],
        CLOSED[1],
    ];
    let seen = assert_opened(&trace, &wanted);
    assert_eq!(seen.resumption, Some(Resumption::Psk));
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Resumed));
    // The ticket is the one that the server gave in section 3.
    let given = &Trace::simple().opened(100).tickets_issued;
    assert_eq!(given.first().copied(), seen.session.ticket_offered);

    // Early data that stays closed hides nothing that follows it.
    let later = trace.only(&[
        "CLIENT_HAND",
        "SERVER_HAND",
        "CLIENT_TRAFFIC",
        "SERVER_TRAFFIC",
    ]);
    let seen = opened(trace.observed(100), &later);
    let mut wanted = wanted;
    wanted[1] = (Lane::A, StepKind::ApplicationData, 23);
    // So does the message that ends it, which is under the same key.
    wanted[5] = (Lane::A, StepKind::ApplicationData, 21);
    assert_eq!(steps(&seen), wanted);
}

#[test]
fn section_5_a_second_hello() {
    let trace = Trace::read(include_str!("rfc8448/hello-retry-request.txt"));
    let wanted = [
        message(Lane::A, MessageType::CLIENT_HELLO, 180),
        (Lane::B, StepKind::HelloRetryRequest, 176),
        message(Lane::A, MessageType::CLIENT_HELLO, 512),
        message(Lane::B, MessageType::SERVER_HELLO, 123),
        message(Lane::B, MessageType::ENCRYPTED_EXTENSIONS, 28),
        message(Lane::B, MessageType::CERTIFICATE, 445),
        message(Lane::B, MessageType::CERTIFICATE_VERIFY, 136),
        message(Lane::B, MessageType::FINISHED, 36),
        message(Lane::A, MessageType::FINISHED, 36),
        CLOSED[0],
        CLOSED[1],
    ];
    let seen = assert_opened(&trace, &wanted);
    assert!(seen.hello_retry);
    assert_eq!(
        seen.certificates,
        Observed::Seen(vec![bytes(CERTIFICATE)].into())
    );
}

#[test]
fn section_6_a_client_with_a_certificate() {
    let trace = Trace::read(include_str!("rfc8448/client-authentication.txt"));
    let wanted = [
        message(Lane::A, MessageType::CLIENT_HELLO, 192),
        message(Lane::B, MessageType::SERVER_HELLO, 90),
        message(Lane::B, MessageType::ENCRYPTED_EXTENSIONS, 40),
        message(Lane::B, MessageType::CERTIFICATE_REQUEST, 43),
        message(Lane::B, MessageType::CERTIFICATE, 319),
        message(Lane::B, MessageType::CERTIFICATE_VERIFY, 79),
        message(Lane::B, MessageType::FINISHED, 36),
        message(Lane::A, MessageType::CERTIFICATE, 451),
        message(Lane::A, MessageType::CERTIFICATE_VERIFY, 136),
        message(Lane::A, MessageType::FINISHED, 36),
        CLOSED[0],
        CLOSED[1],
    ];
    let seen = assert_opened(&trace, &wanted);
    assert!(seen.certificate_requested);
    assert_eq!(seen.certificates.seen().map(|list| list.len()), Some(1));
    assert_eq!(seen.client_certificates.map(|list| list.len()), Some(1));
}

#[test]
fn section_7_a_handshake_in_the_clothes_of_tls_1_2() {
    let trace = Trace::read(include_str!("rfc8448/compatibility-mode.txt"));
    let wanted = [
        message(Lane::A, MessageType::CLIENT_HELLO, 224),
        message(Lane::B, MessageType::SERVER_HELLO, 122),
        (Lane::B, StepKind::ChangeCipherSpec, 1),
        message(Lane::B, MessageType::ENCRYPTED_EXTENSIONS, 40),
        message(Lane::B, MessageType::CERTIFICATE, 445),
        message(Lane::B, MessageType::CERTIFICATE_VERIFY, 136),
        message(Lane::B, MessageType::FINISHED, 36),
        (Lane::A, StepKind::ChangeCipherSpec, 1),
        message(Lane::A, MessageType::FINISHED, 36),
        CLOSED[0],
        CLOSED[1],
    ];
    let seen = assert_opened(&trace, &wanted);
    assert_eq!(
        seen.certificates,
        Observed::Seen(vec![bytes(CERTIFICATE)].into())
    );
}

#[test]
fn a_record_that_is_lost_leaves_the_others_open() {
    let trace = Trace::simple();
    let whole = steps(&trace.opened(100));
    // Records behind the hellos, one of which is lost at a time.
    for lost in 2..trace.said.len() {
        let mut observer = Observer::new(Limits::default()).with_sealed_kept();
        for (at, (lane, record)) in trace.said.iter().enumerate() {
            let mark = u32::try_from(at).unwrap();
            let (header, fragment) = record.split_at(5);
            observer.on_bytes(*lane, header, mark);
            if at == lost {
                let len = u64::try_from(fragment.len()).unwrap();
                observer.on_gap(*lane, len, crate::tls::GapReason::Lost, mark);
            } else {
                observer.on_bytes(*lane, fragment, mark);
            }
        }
        let seen = opened(observer, &trace.keys());
        // In its place stands that there was one.
        let (lane, record) = &trace.said[lost];
        let len = u32::try_from(record.len() - 5).unwrap();
        let closed = (*lane, StepKind::ApplicationData, len);
        let found = steps(&seen);
        assert_eq!(found.iter().filter(|step| **step == closed).count(), 1);
        let others: Vec<_> = found.into_iter().filter(|step| *step != closed).collect();
        assert!(others.iter().all(|step| whole.contains(step)), "{others:?}");
        let of_lost = if lost == 2 { 4 } else { 1 };
        assert_eq!(others.len(), whole.len() - of_lost, "without {lost}");
    }
}

#[test]
fn without_its_secret_each_part_stays_closed() {
    let trace = Trace::simple();
    let seen = opened(trace.observed(100), &KeyLog::new());
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
    assert_eq!(seen.unopened, Some(Unopened::NoKey));
    assert!(!seen.decrypted);

    // A secret that is known only later is none.
    let label = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    let mut late = KeyLog::new();
    let line = format!("{label} {} {}", trace.random(), trace.secret(label));
    late.read(line.as_bytes(), 9).unwrap();
    for (at, unopened) in [(8, Some(Unopened::NoKey)), (9, None)] {
        let keys = Keys::new(&late, at);
        let seen = trace
            .observed(100)
            .finish_with(Some(keys), &mut Trials::default())
            .unwrap();
        assert_eq!(seen.unopened, unopened);
        assert_eq!(seen.certificates.seen().is_some(), unopened.is_none());
    }

    let other = trace.secret("CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    let wrong = log_of(&format!("{label} {} {other}", trace.random()));
    let seen = opened(trace.observed(100), &wrong);
    assert_eq!(seen.unopened, Some(Unopened::KeyDoesNotOpen));
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
}

/// Both hellos, and the server's flight.
fn beginning(limits: Limits) -> (Observer<u32>, Vec<u8>) {
    let trace = Trace::simple();
    let mut observer = Observer::new(limits).with_sealed_kept();
    observer.on_bytes(Lane::A, &trace.said[0].1, 1);
    observer.on_bytes(Lane::B, &trace.said[1].1, 2);
    (observer, trace.said[2].1.clone())
}

#[test]
fn bytes_that_are_missing_in_the_flight_are_said_to_be_missing() {
    let log = Trace::simple().keys();
    let (mut observer, flight) = beginning(Limits::default());
    observer.on_bytes(Lane::B, &flight[..300], 3);
    let mut torn = observer.clone();
    torn.on_gap(Lane::B, 79, crate::tls::GapReason::Lost, 4);
    torn.on_bytes(Lane::B, &flight[379..], 4);
    let seen = opened(torn, &log);
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Gap));
    assert_eq!(seen.unopened, None);
    let seen = opened(observer, &log);
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::CaptureEnded));
}

#[test]
fn what_is_kept_of_a_direction_is_bounded() {
    let limits = Limits {
        max_sealed_len: 100,
        ..Limits::default()
    };
    let (mut observer, flight) = beginning(limits);
    observer.on_bytes(Lane::B, &flight, 3);
    let record = [&[23, 3, 3, 0x40, 0][..], &[7; 0x4000]].concat();
    for _ in 0..1000 {
        observer.on_bytes(Lane::B, &record, 4);
        assert!(observer.held_len() < 40_000);
    }
    let seen = opened(observer, &Trace::simple().keys());
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Limit));
}

#[test]
fn every_flipped_byte_of_the_flight_is_refused() {
    let log = Trace::simple().keys();
    let (hellos, flight) = beginning(Limits::default());
    for at in 5..flight.len() {
        let mut flipped = flight.clone();
        flipped[at] ^= 1;
        let mut observer = hellos.clone();
        observer.on_bytes(Lane::B, &flipped, 3);
        let seen = opened(observer, &log);
        assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
        assert_eq!(seen.unopened, Some(Unopened::KeyDoesNotOpen));
    }
}
