//! Facts of the wire in the words of the report: hellos and certificates, each kind once.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use crate::analysis::kinds::{Answer, Client, Product};
use crate::analysis::seen::StoryAlert;
use crate::pki::{self, SelfSigned};
use crate::report::{
    Bounded, CertificateHash, CertificateReport, ClientReport, Common, Cut, DistinguishedName, Ech,
    HandshakeReport, Hex, LeafReport, Time, bounded_ciphers,
};
use crate::time::{Precision, Timestamp};
use crate::tls::{
    self, Acceptance, ClientHello, InnerHello, MessageType, ServerHello, StepKind, registry,
};
use crate::verdict::{Act, Offers, Side};

/// Puts down the bytes that make two ClientHellos one kind.
pub(super) fn put_client_key(key: &mut Vec<u8>, hello: &ClientHello, ech: Option<Ech>) {
    key.extend(hello.legacy_version.to_be_bytes());
    key.push(u8::from(hello.sslv2) | u8::from(hello.complete) << 1 | u8::from(hello.whole) << 2);
    key.push(match ech {
        None => 0,
        Some(Ech::Offered) => 1,
        Some(Ech::Accepted) => 2,
        Some(Ech::Rejected) => 3,
        Some(_) => 4,
    });
    push_u16s(key, &hello.extensions);
    for kind in &hello.cipher_kinds {
        key.extend(kind.to_be_bytes());
    }
    key.extend_from_slice(hello.lists());
}

/// Puts down the bytes that make two ServerHellos one kind.
pub(super) fn put_answer_key(key: &mut Vec<u8>, hello: &ServerHello, curve: Option<u16>) {
    key.extend(hello.legacy_version.to_be_bytes());
    key.push(u8::from(hello.sslv2) | u8::from(hello.complete) << 1 | u8::from(hello.whole) << 2);
    for number in [
        hello.selected_version,
        hello.cipher_suite,
        hello.key_share,
        curve,
    ] {
        key.push(u8::from(number.is_some()));
        key.extend(number.unwrap_or_default().to_be_bytes());
    }
    push_u16s(key, &hello.extensions);
    push_bytes(key, hello.alpn.as_deref().unwrap_or_default());
}

/// The bytes that make two acts the same.
pub(super) fn act_key(act: &Act) -> [u8; 6] {
    let [kind, message] = step_key(act);
    let [a, b, c, d] = act.len.to_be_bytes();
    [
        u8::from(act.by == Side::Server) | kind << 1,
        message,
        a,
        b,
        c,
        d,
    ]
}

/// The bytes that make two alerts the same.
pub(super) fn alert_key(alert: &StoryAlert) -> [u8; 3] {
    let (level, code) = alert.content.unwrap_or_default();
    let is_seen = u8::from(alert.content.is_some());
    let by = u8::from(alert.by == Side::Server);
    [
        by | is_seen << 1 | u8::from(alert.was_encrypted) << 2,
        level,
        code,
    ]
}

/// The bytes that make two acts the same in the words of the report.
pub(super) const fn step_key(act: &Act) -> [u8; 2] {
    [step_code(act.kind), message_code(act.kind)]
}

const fn step_code(kind: StepKind) -> u8 {
    match kind {
        StepKind::Message(_) => 0,
        StepKind::HelloRetryRequest => 1,
        StepKind::EncryptedHandshake => 2,
        StepKind::ChangeCipherSpec => 3,
        StepKind::Alert => 4,
        StepKind::EncryptedAlert => 5,
        StepKind::ApplicationData => 6,
        StepKind::Heartbeat => 7,
        StepKind::OpenedData => 8,
    }
}

const fn message_code(kind: StepKind) -> u8 {
    match kind {
        StepKind::Message(MessageType(number)) => number,
        _ => 0,
    }
}

/// What a step is called in the report: handshake messages by their names in the standards.
const fn step_name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Message(MessageType(number)) => match number {
            0 => "hello_request",
            1 => "client_hello",
            2 => "server_hello",
            4 => "new_session_ticket",
            5 => "end_of_early_data",
            8 => "encrypted_extensions",
            11 => "certificate",
            12 => "server_key_exchange",
            13 => "certificate_request",
            14 => "server_hello_done",
            15 => "certificate_verify",
            16 => "client_key_exchange",
            20 => "finished",
            22 => "certificate_status",
            24 => "key_update",
            25 => "compressed_certificate",
            67 => "next_protocol",
            _ => "unknown_message",
        },
        StepKind::HelloRetryRequest => "hello_retry_request",
        StepKind::EncryptedHandshake => "encrypted_handshake",
        StepKind::ChangeCipherSpec => "change_cipher_spec",
        StepKind::Alert => "alert",
        StepKind::EncryptedAlert => "encrypted_alert",
        StepKind::ApplicationData | StepKind::OpenedData => "application_data",
        StepKind::Heartbeat => "heartbeat",
    }
}

/// Describes what both sides did.
pub(super) fn handshake(acts: &[Act]) -> HandshakeReport {
    let handshake = HandshakeReport {
        steps: Common::new(acts.iter().map(|act| step_name(act.kind)).collect()),
        ..HandshakeReport::default()
    };
    handshake.bounded()
}

fn push_u16s(key: &mut Vec<u8>, list: &[u16]) {
    key.extend_from_slice(&u32::try_from(list.len()).unwrap_or(u32::MAX).to_be_bytes());
    key.reserve(list.len() * 2);
    for number in list {
        key.extend_from_slice(&number.to_be_bytes());
    }
}

fn push_bytes(key: &mut Vec<u8>, bytes: &[u8]) {
    key.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    key.extend_from_slice(bytes);
}

/// What is known of the Encrypted Client Hello in a ClientHello, `inner` being what keys opened of it.
pub(super) fn ech(hello: &ClientHello, inner: Option<&InnerHello>) -> Option<Ech> {
    match inner.map(|inner| inner.acceptance) {
        None => hello.ech.then_some(Ech::Offered),
        Some(Acceptance::Accepted) => Some(Ech::Accepted),
        Some(Acceptance::Rejected) => Some(Ech::Rejected),
        Some(Acceptance::Unseen) => Some(Ech::Opened),
    }
}

/// Describes a kind of client.
pub(super) fn client(hello: &ClientHello, ech: Option<Ech>) -> Client {
    let mut report = ClientReport::default();
    let mut versions = hello.supported_versions();
    if versions.is_empty() {
        versions.push(hello.legacy_version);
    }
    report.versions = named(&versions, |version| registry::version(version).text);
    let mut has_lossy_text = false;
    for name in hello.alpn() {
        let text = String::from_utf8_lossy(name);
        has_lossy_text |= matches!(text, Cow::Owned(_));
        report.alpn.push(text.into());
    }
    report.ja4 = tls::ja4(hello).map(Arc::from);
    report.groups = named(&hello.groups(), registry::named_group);
    report.ech = ech;
    let ciphers = named(&hello.cipher_suites(), registry::cipher_suite);
    let (ciphers, count) = bounded_ciphers(ciphers, Cut::USUAL);
    report.supported_ciphers_count = count;
    Client {
        report: Common::new(report.bounded()),
        ciphers,
        ja3: tls::ja3(hello).map(|ja3| digest(&ja3)),
        may_hide_name: matches!(ech, Some(Ech::Offered | Ech::Opened)),
        is_ech_refused: ech == Some(Ech::Rejected),
        offers: Offers {
            stapling: hello.status_request
                || hello.extensions.contains(&SIGNED_CERTIFICATE_TIMESTAMP),
            compression: !hello.certificate_compression().is_empty(),
            encrypted_hello: ech.is_some(),
            delegation: hello.extensions.contains(&DELEGATED_CREDENTIAL),
            signatures: signatures(hello),
        },
        has_lossy_text,
    }
}

/// A number that stands for the signature algorithms in their order.
fn signatures(hello: &ClientHello) -> u64 {
    let mut hasher = DefaultHasher::new();
    for algorithm in hello.signature_algorithms() {
        if !tls::is_grease(algorithm) {
            hasher.write_u16(algorithm);
        }
    }
    hasher.finish()
}

fn digest(ja3: &tls::Ja3) -> Hex<16> {
    Hex(u128::from_str_radix(&ja3.hash, 16)
        .unwrap_or_default()
        .to_be_bytes())
}

fn named(numbers: &[u16], name: impl Fn(u16) -> Cow<'static, str>) -> Vec<Cow<'static, str>> {
    numbers
        .iter()
        .filter(|number| !tls::is_grease(**number))
        .map(|number| name(*number))
        .collect()
}

/// Describes a kind of answer.
pub(super) fn answer(hello: &ServerHello, curve: Option<u16>) -> Answer {
    let alpn = hello.alpn.as_deref().map(String::from_utf8_lossy);
    let cipher = hello.cipher_suite.map(registry::cipher_suite);
    Answer {
        version: hello.version(),
        is_tls13: hello.is_tls13(),
        hash_len: cipher.as_deref().and_then(hash_len),
        cipher,
        group: curve.or(hello.key_share),
        has_lossy_text: matches!(alpn, Some(Cow::Owned(_))),
        alpn: alpn.map(|name| name.to_lowercase().into()),
        ja3s: tls::ja3s(hello).map(|ja3s| digest(&ja3s)),
    }
}

/// The length of the hash of a suite, but for suites with a shorter tag: there the sizes of records
/// say less of those of messages.
fn hash_len(suite: &str) -> Option<u32> {
    match suite {
        "TLS_AES_256_GCM_SHA384" => Some(48),
        "TLS_AES_128_GCM_SHA256" | "TLS_CHACHA20_POLY1305_SHA256" | "TLS_AES_128_CCM_SHA256" => {
            Some(32)
        }
        _ => None,
    }
}

/// Describes a certificate: as a row of a chain, and as the server's own.
pub(super) fn certificate(certificate: &pki::Certificate) -> (CertificateReport, LeafReport) {
    let subject: Arc<str> = certificate.subject.to_string().into();
    let issuer: Arc<str> = certificate.issuer.to_string().into();
    let time = |time: Option<Timestamp>| time.map(|time| Time::new(time, Precision::Seconds));

    let mut row = CertificateReport::new(Hex(certificate.sha256));
    row.subject = Some(Arc::clone(&subject));
    row.issuer = Some(Arc::clone(&issuer));
    row.not_before = time(certificate.not_before);
    row.not_after = time(certificate.not_after);
    row.self_signed = match certificate.self_signed {
        SelfSigned::BySignature => Some(true),
        excluded if excluded.is_excluded() => Some(false),
        // Nothing proves it either way.
        _ => None,
    };
    row.ca = certificate.ca;
    row.malformed = certificate.malformed.is_some();

    let mut leaf = LeafReport::new(CertificateHash::new(certificate.sha256, certificate.sha1));
    leaf.subject = row.subject.clone();
    leaf.issuer = row.issuer.clone();
    leaf.not_before = row.not_before;
    leaf.not_after = row.not_after;
    let x509 = &mut leaf.x509;
    x509.subject = distinguished_name(&certificate.subject, subject);
    x509.issuer = distinguished_name(&certificate.issuer, issuer);
    let names = &certificate.names;
    let dns = names.dns.iter().map(Arc::from);
    let ips = names.ip.iter().map(|ip| Arc::from(ip.to_string()));
    let others = names
        .other
        .iter()
        .map(|other| Arc::from(other.text.as_str()));
    x509.alternative_names = dns.chain(ips).chain(others).collect();
    x509.serial_number = Some(certificate.serial.as_str().into());
    x509.version_number = Some(certificate.version.to_string().into());
    x509.signature_algorithm
        .clone_from(&certificate.signature_algorithm);
    if let Some(key) = &certificate.key {
        x509.public_key_algorithm = Some(key.algorithm.clone());
        x509.public_key_curve.clone_from(&key.curve);
        x509.public_key_size = key.bits;
        x509.public_key_exponent = key
            .exponent
            .and_then(|exponent| u32::try_from(exponent).ok());
    }
    // The parser keeps only so many names, and counts the rest.
    leaf.alternative_names_count = (names.count > names.kept_count()).then_some(names.count);
    (row.bounded(), leaf.bounded())
}

/// The whole subject of a certificate, which stands in its `row` unless it is very long.
pub(super) fn subject(certificate: &pki::Certificate, row: &CertificateReport) -> Arc<str> {
    let whole = certificate.subject.to_string();
    match &row.subject {
        Some(kept) if **kept == *whole => Arc::clone(kept),
        _ => whole.into(),
    }
}

fn distinguished_name(name: &pki::DistinguishedName, whole: Arc<str>) -> DistinguishedName {
    let values = |kind: &'static str| name.values(kind).map(Arc::from).collect::<Vec<Arc<str>>>();
    DistinguishedName {
        common_name: values("CN"),
        organization: values("O"),
        organizational_unit: values("OU"),
        locality: values("L"),
        state_or_province: values("ST"),
        country: values("C"),
        distinguished_name: Some(whole),
    }
}

/// What the catalog says of a certificate.
pub(super) fn product(entry: &pki::catalog::Entry) -> Product {
    use pki::catalog::Strength;
    Product {
        id: entry.id.as_str().into(),
        name: entry.product.as_str().into(),
        is_generic: matches!(entry.strength, Strength::Generic),
    }
}

/// `delegated_credential` (RFC 9345, section 4).
const DELEGATED_CREDENTIAL: u16 = 34;
/// The extension (RFC 6962, section 3.3.1).
const SIGNED_CERTIFICATE_TIMESTAMP: u16 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut key = Vec::new();
        put(&mut key);
        key
    }

    #[test]
    fn a_hello_that_was_cut_is_no_kind_of_a_malformed_one() {
        // Version, random, no session, one suite, one method, and extensions that never come.
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0xc0, 0x2f, 1, 0, 0, 9]);
        let [cut, malformed] = [false, true].map(|whole| ClientHello::parse(&body, whole).unwrap());
        assert_ne!(client(&cut, None).ja3, client(&malformed, None).ja3);
        let client_key = |hello| key(|key| put_client_key(key, hello, None));
        assert_ne!(client_key(&cut), client_key(&malformed));

        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x2f, 0, 0, 9]);
        let [cut, malformed] = [false, true].map(|whole| ServerHello::parse(&body, whole).unwrap());
        assert_ne!(answer(&cut, None).ja3s, answer(&malformed, None).ja3s);
        let answer_key = |hello| key(|key| put_answer_key(key, hello, None));
        assert_ne!(answer_key(&cut), answer_key(&malformed));
    }
}
