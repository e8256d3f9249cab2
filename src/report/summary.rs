//! The whole run: what was read, what was skipped, and what the flows add up to.
//!
//! A [`Summary`] is what the report for a person is made of. Its counts stand in the last JSON line too.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::Endpoint;
use crate::report::finding::ExpectedMessage;
use crate::report::flow::Address;
use crate::report::hex::Hex;
use crate::report::time::Time;
use crate::report::words::{CertificateState, Confidence, Outcome, Role, Severity, SniState};

/// All that is said about a run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The inputs in the order in which they were read.
    pub inputs: Vec<InputReport>,
    /// The frames of all inputs.
    pub frames: FrameCounts,
    /// The flows of all inputs.
    pub flows: FlowCounts,
    /// Bounds on memory that were reached, and how often.
    pub limits: Vec<Count>,
    /// The server endpoints, in the order in which they are to be read.
    pub endpoints: Vec<EndpointReport>,
    /// Server endpoints that are in no list, since there are too many.
    pub endpoints_left_out: u64,
    /// What was found, most severe first.
    pub findings: Vec<FindingGroup>,
    /// Groups of findings that are in no list, since there are too many.
    pub findings_left_out: u64,
    /// What a reader has to know beside it: "only one direction was captured".
    pub notes: Vec<Cow<'static, str>>,
    /// What to capture next.
    pub advice: Vec<Advice>,
}

impl Summary {
    /// The severity of the worst finding; `None` where nothing was found.
    #[must_use]
    pub fn highest_severity(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether some input is damaged, or could not be read.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.inputs
            .iter()
            .any(|input| input.error.is_some() || input.damage_count > 0)
    }

    /// The times of the first and of the last frame of all inputs.
    #[must_use]
    pub fn span(&self) -> Option<(Time, Time)> {
        let first = self.inputs.iter().filter_map(|input| input.first).min()?;
        let last = self.inputs.iter().filter_map(|input| input.last).max()?;
        Some((first, last))
    }
}

/// One input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputReport {
    /// Its name as it was given or found.
    pub name: Arc<str>,
    /// The format of the capture: `pcap`, `pcapng`.
    pub format: Option<&'static str>,
    /// How it is compressed.
    pub compression: Option<&'static str>,
    /// The frames that were read from it.
    pub frames: u64,
    /// The bytes that were read from it, as they lie on the disk.
    pub bytes: u64,
    /// The time of its first frame.
    pub first: Option<Time>,
    /// The time of its last frame.
    pub last: Option<Time>,
    /// Where it is damaged; the first few places.
    pub damages: Vec<Damage>,
    /// How many places are damaged.
    pub damage_count: u64,
    /// Why it could not be read, or not to its end.
    pub error: Option<Cow<'static, str>>,
}

/// A place where an input is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The offset in bytes, within the uncompressed capture.
    pub offset: u64,
    /// What is wrong there, and what was lost.
    pub reason: Cow<'static, str>,
}

impl Damage {
    /// Damage at `offset`.
    #[must_use]
    pub const fn new(offset: u64, reason: Cow<'static, str>) -> Self {
        Self { offset, reason }
    }
}

/// What became of the frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameCounts {
    /// Frames read.
    pub total: u64,
    /// Frames that gave a TCP segment.
    pub decoded: u64,
    /// Frames that did not, by reason.
    pub skipped: Vec<Count>,
}

/// What became of the flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FlowCounts {
    /// TCP connections, with TLS and without.
    pub tcp: u64,
    /// Those that came to TLS.
    pub tls: u64,
    /// Those that never came to TLS, where it may matter.
    pub unreachable: u64,
    /// Those with a line of their own.
    pub reported: u64,
    /// Those with a finding worse than info.
    pub flagged: u64,
    /// Those judged before the end of the run.
    pub partial_horizon: u64,
    /// TLS flows that were completed and accepted.
    pub completed: u64,
    /// TLS flows that failed.
    pub failed: u64,
}

/// How often something was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Count {
    /// What it is.
    pub reason: Cow<'static, str>,
    /// How often.
    pub count: u64,
}

impl Count {
    /// `count` times `reason`.
    #[must_use]
    pub const fn new(reason: Cow<'static, str>, count: u64) -> Self {
        Self { reason, count }
    }
}

/// One server endpoint, with all that was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointReport {
    /// Its address and port.
    pub server: Endpoint,
    /// Where it stands.
    pub role: Role,
    /// Its flows.
    pub flows: u64,
    /// How many addresses called it.
    pub client_count: u64,
    /// Some of these addresses.
    pub clients: Vec<IpAddr>,
    /// The negotiated versions.
    pub versions: Vec<Count>,
    /// What was asked and what was answered: one row for each pair of name and certificate.
    pub rows: Vec<EndpointRow>,
    /// Rows that are in no list, since there are too many.
    pub rows_left_out: u64,
}

impl EndpointReport {
    /// An endpoint of which nothing is known.
    #[must_use]
    pub const fn new(server: Endpoint, role: Role) -> Self {
        Self {
            server,
            role,
            flows: 0,
            client_count: 0,
            clients: Vec::new(),
            versions: Vec::new(),
            rows: Vec::new(),
            rows_left_out: 0,
        }
    }
}

/// A name that was asked for, the certificate that answered, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRow {
    /// What the clients said about the name.
    pub sni: SniState,
    /// The name.
    pub name: Option<Arc<str>>,
    /// Whether the certificate was seen.
    pub certificate: CertificateState,
    /// The certificate.
    pub leaf: Option<LeafBrief>,
    /// How the handshakes ended, and how often.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The flows.
    pub flows: u64,
    /// The time of the first flow.
    pub first: Option<Time>,
    /// The time of the last flow.
    pub last: Option<Time>,
}

impl EndpointRow {
    /// A row of which nothing is known but what was asked and whether a certificate was seen.
    #[must_use]
    pub const fn new(sni: SniState, name: Option<Arc<str>>, certificate: CertificateState) -> Self {
        Self {
            sni,
            name,
            certificate,
            leaf: None,
            outcomes: Vec::new(),
            flows: 0,
            first: None,
            last: None,
        }
    }
}

/// A certificate in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeafBrief {
    /// Its subject.
    pub subject: Arc<str>,
    /// SHA-256 of its DER bytes.
    pub sha256: Hex<32>,
    /// The end of its validity.
    pub not_after: Option<Time>,
    /// Whether it is signed by its own key.
    pub self_signed: bool,
    /// It is a default certificate.
    pub default: bool,
    /// The product whose default certificate it is.
    pub product: Option<Arc<str>>,
}

impl LeafBrief {
    /// A certificate of which no more is known.
    #[must_use]
    pub const fn new(subject: Arc<str>, sha256: Hex<32>) -> Self {
        Self {
            subject,
            sha256,
            not_after: None,
            self_signed: false,
            default: false,
            product: None,
        }
    }
}

/// Flows with the same cause at the same server endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingGroup {
    /// The id of the verdict or finding.
    pub id: &'static str,
    /// Its name for a person.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether these flows failed by it.
    pub failed: bool,
    /// Where.
    pub server: Endpoint,
    /// The name that was asked for, where all flows ask for the same.
    pub server_name: Option<Arc<str>>,
    /// The flows.
    pub flows: u64,
    /// The time of the first.
    pub first: Time,
    /// The time of the last.
    pub last: Time,
    /// What was seen, in a sentence or two.
    pub reason: Cow<'static, str>,
    /// What to do: one step each, the best first.
    pub fix: Vec<Cow<'static, str>>,
    /// What a gateway probably says about it.
    pub expected_message: Vec<ExpectedMessage>,
    /// Some of the flows.
    pub evidence: Vec<FlowReference>,
}

impl FindingGroup {
    /// A group of one flow, to be filled in.
    #[must_use]
    pub const fn new(
        id: &'static str,
        title: &'static str,
        server: Endpoint,
        severity: Severity,
        confidence: Confidence,
        reason: Cow<'static, str>,
        at: Time,
    ) -> Self {
        Self {
            id,
            title,
            severity,
            confidence,
            failed: true,
            server,
            server_name: None,
            flows: 1,
            first: at,
            last: at,
            reason,
            fix: Vec::new(),
            expected_message: Vec::new(),
            evidence: Vec::new(),
        }
    }
}

/// Where a flow can be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FlowReference {
    /// The file with its first frame.
    pub file: Arc<str>,
    /// The number of its first frame in that file.
    pub first_frame: u64,
    /// The number of its last frame.
    pub last_frame: u64,
    /// The time of its first frame.
    pub time: Time,
    /// Its client.
    pub client: Address,
    /// Its `event.id`.
    pub event_id: Hex<16>,
}

impl FlowReference {
    /// The flow `event_id`: frames `frames.0` to `frames.1` of `file`.
    #[must_use]
    pub const fn new(
        event_id: Hex<16>,
        file: Arc<str>,
        frames: (u64, u64),
        time: Time,
        client: Endpoint,
    ) -> Self {
        Self {
            file,
            first_frame: frames.0,
            last_frame: frames.1,
            time,
            client: Address {
                ip: client.ip,
                port: client.port,
            },
            event_id,
        }
    }
}

/// What to capture next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// Why.
    pub reason: Cow<'static, str>,
    /// The command.
    pub command: Option<Cow<'static, str>>,
}

impl Advice {
    /// Advice with the command that follows it.
    #[must_use]
    pub const fn new(reason: Cow<'static, str>, command: Option<Cow<'static, str>>) -> Self {
        Self { reason, command }
    }
}
