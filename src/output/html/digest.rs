//! What the page keeps of a flow: a few lines between the threads that render and the one that gathers.
//!
//! A flow is digested on any thread, and taken up in the order of the output. Each line begins with a
//! letter that says what it is; what stands behind is JSON. A certificate that is known already is
//! passed over without being read.

use std::io::Write as _;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::output::html::fate::Fate;
use crate::output::phrases;
use crate::output::text::squeezed;
use crate::report::{CertificateReport, CertificateState, FlowReport, Hex, Severity, Time};

/// What every flow leaves.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::output) struct Passed {
    /// Nanoseconds since 1970.
    pub(in crate::output) at: i64,
    pub(in crate::output) fate: Fate,
    /// Why its certificate was not seen, where it came to TLS.
    pub(in crate::output) unseen: Option<String>,
    /// What is missing from its evidence.
    pub(in crate::output) missing: Vec<String>,
    /// SHA-256 of the server's own certificate.
    pub(in crate::output) leaf: Option<String>,
}

/// What a flagged flow leaves: its row in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) struct Row {
    pub(in crate::output) date: String,
    pub(in crate::output) time: String,
    pub(in crate::output) severity: String,
    pub(in crate::output) confidence: String,
    pub(in crate::output) verdict: String,
    pub(in crate::output) title: String,
    pub(in crate::output) client: String,
    pub(in crate::output) server: String,
    /// Other addresses of the same connection.
    pub(in crate::output) also: Vec<String>,
    pub(in crate::output) asked: String,
    pub(in crate::output) version: String,
    pub(in crate::output) ended: String,
    pub(in crate::output) file: String,
    pub(in crate::output) frames: String,
    pub(in crate::output) id: String,
    /// What happened, in a sentence.
    pub(in crate::output) reason: String,
    /// What may be concluded without having been seen.
    pub(in crate::output) inferred: Vec<String>,
}

/// What a certificate leaves: the makings of its card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) struct Card {
    /// What the server sent, in its order.
    pub(in crate::output) chain: Vec<Link>,
    pub(in crate::output) chain_count: usize,
    pub(in crate::output) common_name: Option<String>,
    pub(in crate::output) names: Vec<String>,
    pub(in crate::output) names_count: usize,
    pub(in crate::output) key: Option<String>,
    pub(in crate::output) signature: Option<String>,
    pub(in crate::output) serial: Option<String>,
}

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) struct Link {
    pub(in crate::output) sha256: String,
    pub(in crate::output) subject: Option<String>,
    pub(in crate::output) issuer: Option<String>,
    pub(in crate::output) begin: Option<Moment>,
    pub(in crate::output) end: Option<Moment>,
    pub(in crate::output) self_signed: Option<bool>,
    pub(in crate::output) ca: Option<bool>,
    pub(in crate::output) malformed: bool,
}

/// A point in time: to be written, and to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) struct Moment {
    pub(in crate::output) text: String,
    /// Seconds since 1970, as far as 2262.
    pub(in crate::output) seconds: i64,
}

impl Moment {
    pub(in crate::output) fn of(time: Time) -> Self {
        Self {
            text: time.date(),
            seconds: time.as_nanos().div_euclid(1_000_000_000),
        }
    }
}

/// A line of a digest.
pub(in crate::output) enum Line<'a> {
    Passed(Passed),
    Flagged(Box<Row>),
    /// The hash of a certificate, and its card as it was written.
    Card(&'a str, &'a [u8]),
}

/// Appends the digest of a flow.
pub(in crate::output) fn push(report: &FlowReport, into: &mut Vec<u8>) {
    let leaf = report.tls.server.leaf.as_ref();
    let triage = &report.tlstriage;
    let is_tls = report.network.protocol.is_some();
    let state = triage.server.certificate;
    // The server's own certificate is not always the first of those it sent.
    let hash = leaf.map(|leaf| Hex(leaf.hash.sha256.0));
    let passed = Passed {
        at: report.timestamp.as_nanos(),
        fate: Fate::of(report),
        unseen: (is_tls && state != CertificateState::Seen).then(|| state.to_string()),
        missing: triage
            .evidence
            .reasons
            .iter()
            .map(ToString::to_string)
            .collect(),
        leaf: hash.map(|hash| hash.to_string()),
    };
    line(into, 'P', "", &passed);
    if let Some(hash) = hash {
        line(into, 'C', &hash.to_string(), &card(report));
    }
    if triage.verdict.severity > Severity::Info {
        line(into, 'F', "", &row(report));
    }
}

/// The lines of a digest; what is none is passed over.
pub(in crate::output) fn lines(digest: &[u8]) -> impl Iterator<Item = Line<'_>> {
    digest.split(|byte| *byte == b'\n').filter_map(|line| {
        let (kind, rest) = line.split_first()?;
        match kind {
            b'P' => serde_json::from_slice(rest).ok().map(Line::Passed),
            b'F' => serde_json::from_slice(rest)
                .ok()
                .map(|row| Line::Flagged(Box::new(row))),
            b'C' => {
                let (hash, card) = rest.split_at_checked(HASH_LEN)?;
                Some(Line::Card(str::from_utf8(hash).ok()?, card))
            }
            _ => None,
        }
    })
}

fn line<T: Serialize>(into: &mut Vec<u8>, kind: char, front: &str, value: &T) {
    let start = into.len();
    // Writing to memory cannot fail; JSON holds no line feed.
    let is_whole =
        write!(into, "{kind}{front}").is_ok() && serde_json::to_writer(&mut *into, value).is_ok();
    if is_whole {
        into.push(b'\n');
    } else {
        into.truncate(start);
    }
}

fn row(report: &FlowReport) -> Row {
    let triage = &report.tlstriage;
    let client = SocketAddr::new(report.source.ip, report.source.port).to_string();
    let server = SocketAddr::new(report.destination.ip, report.destination.port).to_string();
    let also = triage.also_seen_as.iter();
    let capture = &triage.capture;
    let name = report.tls.client.server_name.as_deref();
    let is_tls = report.network.protocol.is_some();
    Row {
        date: report.timestamp.date(),
        time: report.timestamp.time_of_day(),
        severity: triage.verdict.severity.to_string(),
        confidence: triage.verdict.confidence.to_string(),
        verdict: triage.verdict.id.to_owned(),
        title: report.rule.name.to_string(),
        client,
        server,
        also: also
            .map(|seen| format!("{} → {}", seen.source, seen.destination))
            .collect(),
        asked: if is_tls {
            squeezed(&phrases::asked(triage.sni, name), MAX_TEXT)
        } else {
            String::new()
        },
        version: version(report),
        ended: ended(report),
        file: squeezed(&capture.file, MAX_TEXT),
        frames: match &capture.last_file {
            Some(last) => format!(
                "{} to {} in {}",
                capture.first_frame,
                capture.last_frame,
                squeezed(last, MAX_TEXT)
            ),
            None => format!("{}–{}", capture.first_frame, capture.last_frame),
        },
        reason: squeezed(
            report.event.reason.as_deref().unwrap_or_default(),
            MAX_REASON,
        ),
        inferred: triage
            .inferred
            .iter()
            .take(MAX_INFERRED)
            .map(|inferred| squeezed(&inferred.reason, MAX_REASON))
            .collect(),
        id: report.event.id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

fn version(report: &FlowReport) -> String {
    let known = report.tls.version.as_deref().map(phrases::protocol);
    let raw = || report.tlstriage.version_raw.as_deref().map(str::to_owned);
    known.or_else(raw).unwrap_or_default()
}

/// How it ended: the handshake, and the alert that decided.
fn ended(report: &FlowReport) -> String {
    if report.network.protocol.is_none() {
        return Fate::NeverTls.words().to_owned();
    }
    let triage = &report.tlstriage;
    let words = phrases::ended(triage.handshake.outcome);
    match &triage.alert {
        Some(alert) => {
            let name = alert.name.unwrap_or("alert");
            format!("{words}: {name} ({}) from the {}", alert.code, alert.from)
        }
        None => words.to_owned(),
    }
}

fn card(report: &FlowReport) -> Card {
    let server = &report.tlstriage.server;
    let leaf = report.tls.server.leaf.as_deref();
    let x509 = leaf.map(|leaf| &leaf.x509);
    let owned = |text: Option<&std::borrow::Cow<'static, str>>| text.map(|text| text.to_string());
    let names = x509
        .map(|x509| x509.alternative_names.as_slice())
        .unwrap_or_default();
    let key = x509.and_then(|x509| {
        let kind = x509.public_key_algorithm.as_deref()?;
        Some(match (&x509.public_key_curve, x509.public_key_size) {
            (Some(curve), _) => format!("{kind} {curve}"),
            (None, Some(bits)) => format!("{kind} {bits} bits"),
            (None, None) => kind.to_owned(),
        })
    });
    Card {
        chain: server.chain.iter().map(|entry| link(entry)).collect(),
        chain_count: server.chain_count.unwrap_or(server.chain.len()),
        common_name: x509
            .and_then(|x509| x509.subject.common_name.first())
            .map(ToString::to_string),
        names: names
            .iter()
            .take(MAX_NAMES)
            .map(ToString::to_string)
            .collect(),
        names_count: leaf
            .and_then(|leaf| leaf.alternative_names_count)
            .unwrap_or(names.len()),
        key,
        signature: owned(x509.and_then(|x509| x509.signature_algorithm.as_ref())),
        serial: x509
            .and_then(|x509| x509.serial_number.as_deref())
            .map(str::to_owned),
    }
}

fn link(entry: &CertificateReport) -> Link {
    Link {
        sha256: entry.sha256.to_string(),
        subject: entry.subject.as_deref().map(str::to_owned),
        issuer: entry.issuer.as_deref().map(str::to_owned),
        begin: entry.not_before.map(Moment::of),
        end: entry.not_after.map(Moment::of),
        self_signed: entry.self_signed,
        ca: entry.ca,
        malformed: entry.malformed,
    }
}

/// Hexadecimal digits of a SHA-256.
const HASH_LEN: usize = 64;
/// Letters of a name in a row; both its ends are kept.
const MAX_TEXT: usize = 160;
/// Letters of a sentence in a row.
const MAX_REASON: usize = 400;
const MAX_INFERRED: usize = 3;
/// Names of a certificate that its card shows.
const MAX_NAMES: usize = 24;
