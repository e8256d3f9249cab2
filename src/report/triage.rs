//! What ECS has no place for: the fields of a flow under `tlstriage`.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::certificate::CertificateReport;
use crate::report::cut::{Bounded, Cut};
use crate::report::finding::{FindingReport, VerdictReport};
use crate::report::flow::Address;
use crate::report::hex::Hex;
use crate::report::skip::{absent, no};
use crate::report::version::SCHEMA_VERSION;
use crate::report::words::{
    AlertLevel, CertificateDetail, CertificateState, Close, DefaultBy, Ech, EvidenceGrade,
    EvidenceReason, Horizon, Outcome, ResumedBy, Side, SniState,
};

/// The answer for one flow and what it rests on (`tlstriage`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TriageReport {
    /// The version of this schema.
    pub schema: u32,
    /// The flow's one answer.
    pub verdict: VerdictReport,
    /// All that was found, the verdict's cause among it, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingReport>,
    /// How many findings there are where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings_count: Option<usize>,
    /// What the client said about the server's name.
    pub sni: SniState,
    /// The alert in clear that decided, flat so that every search can reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<DecidingAlert>,
    /// The version as it stands on the wire, where `tls.version` cannot say it: a draft of TLS 1.3.
    #[serde(skip_serializing_if = "absent")]
    pub version_raw: Option<Cow<'static, str>>,
    /// The random bytes of the first ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_random: Option<Hex<32>>,
    /// What the client offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Arc<ClientReport>>,
    /// What the server showed.
    pub server: ServerReport,
    /// The client's own certificate, where one was requested or sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificateReport>,
    /// The course of the handshake.
    pub handshake: HandshakeReport,
    /// All alerts, in the order of the capture, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertReport>,
    /// How many alerts there were where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts_count: Option<usize>,
    /// How much of the flow could be looked at.
    pub evidence: EvidenceReport,
    /// The full handshake that this one goes back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<ResumedFrom>,
    /// What came before TLS on the same connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preamble: Option<PreambleReport>,
    /// The tunnels around the flow, outermost first, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tunnel: Vec<TunnelReport>,
    /// All VLAN ids of the flow's frames, where there is more than one, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<u16>,
    /// Other addresses under which the same connection was captured, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_seen_as: Vec<SeenAs>,
    /// How many other addresses there were where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also_seen_as_count: Option<usize>,
    /// The `event.id` of another flow with the same ClientHello: a relay, or a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_hello_as: Option<Hex<16>>,
    /// What may be concluded without having been seen; never a verdict. At most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inferred: Vec<Inferred>,
    /// Keys opened the encrypted part of the handshake.
    #[serde(skip_serializing_if = "no")]
    pub decrypted: bool,
    /// Some text on the wire was no valid UTF-8; invalid bytes are replaced in this line.
    #[serde(skip_serializing_if = "no")]
    pub lossy_text: bool,
    /// The line was judged before the end of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Horizon>,
    /// Where to find the flow.
    pub capture: CaptureReport,
}

impl TriageReport {
    /// A flow with this verdict; all else is to be filled in.
    #[must_use]
    pub fn new(verdict: VerdictReport, capture: CaptureReport) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            verdict,
            findings: Vec::new(),
            findings_count: None,
            sni: SniState::Unknown,
            alert: None,
            version_raw: None,
            client_random: None,
            client: None,
            server: ServerReport::default(),
            client_certificate: None,
            handshake: HandshakeReport::default(),
            alerts: Vec::new(),
            alerts_count: None,
            evidence: EvidenceReport::default(),
            resumed_from: None,
            preamble: None,
            tunnel: Vec::new(),
            vlans: Vec::new(),
            also_seen_as: Vec::new(),
            also_seen_as_count: None,
            same_hello_as: None,
            inferred: Vec::new(),
            decrypted: false,
            lossy_text: false,
            horizon: None,
            capture,
        }
    }

    /// Cuts what is shared between flows too; for the rare line that is too long.
    pub(in crate::report) fn cut_shared(&mut self, to: Cut) {
        if let Some(client) = &mut self.client {
            Arc::make_mut(client).cut(to);
        }
        for entry in &mut self.server.chain {
            Arc::make_mut(entry).cut(to);
        }
        let client_chain = self.client_certificate.as_mut().map(|own| &mut own.chain);
        for entry in client_chain.into_iter().flatten() {
            Arc::make_mut(entry).cut(to);
        }
    }
}

impl Bounded for TriageReport {
    fn cut(&mut self, to: Cut) {
        to.list(&mut self.findings, MAX_FINDINGS, &mut self.findings_count);
        for finding in &mut self.findings {
            finding.cut(to);
        }
        to.text(&mut self.version_raw);
        self.server.cut(to);
        if let Some(own) = &mut self.client_certificate {
            to.list(&mut own.chain, MAX_CHAIN, &mut own.chain_count);
        }
        let handshake = &mut self.handshake;
        to.list(&mut handshake.steps, MAX_STEPS, &mut handshake.steps_count);
        to.list(&mut self.alerts, MAX_ALERTS, &mut self.alerts_count);
        if let Some(preamble) = &mut self.preamble {
            to.text(&mut preamble.client);
            to.text(&mut preamble.server);
            to.text(&mut preamble.target);
        }
        to.list(&mut self.tunnel, MAX_TUNNELS, &mut None);
        to.list(&mut self.vlans, MAX_VLANS, &mut None);
        let count = &mut self.also_seen_as_count;
        to.list(&mut self.also_seen_as, MAX_SEEN_AS, count);
        to.list(&mut self.inferred, MAX_INFERRED, &mut None);
        for inferred in &mut self.inferred {
            to.required(&mut inferred.reason);
        }
        to.required(&mut self.capture.file);
        to.text(&mut self.capture.last_file);
        to.text(&mut self.capture.interface);
    }
}

/// The alert in clear that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DecidingAlert {
    /// Who sent it.
    pub from: Side,
    /// Its number.
    pub code: u8,
    /// Its name, where the number has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
}

impl DecidingAlert {
    /// The alert `code`, sent by `from`.
    #[must_use]
    pub const fn new(from: Side, code: u8, name: Option<&'static str>) -> Self {
        Self { from, code, name }
    }
}

/// What the client offers, the same for all flows of one kind of client. That of the first ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ClientReport {
    /// The versions that it offers, in its order and without GREASE, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Cow<'static, str>>,
    /// How many versions it offers where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions_count: Option<usize>,
    /// The application protocols that it offers (ALPN, RFC 7301), in its order, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<Arc<str>>,
    /// How many protocols it offers where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn_count: Option<usize>,
    /// JA4, a fingerprint of the ClientHello.
    #[serde(skip_serializing_if = "absent")]
    pub ja4: Option<Arc<str>>,
    /// The groups for the key exchange that it offers, in its order and without GREASE, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Cow<'static, str>>,
    /// How many groups it offers where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_count: Option<usize>,
    /// Encrypted Client Hello. Where it is offered, the name in clear may be a cover name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ech: Option<Ech>,
    /// How many cipher suites it offers where `tls.client.supported_ciphers` was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_ciphers_count: Option<usize>,
}

impl Bounded for ClientReport {
    fn cut(&mut self, to: Cut) {
        to.texts(&mut self.versions, MAX_VERSIONS, &mut self.versions_count);
        to.texts(&mut self.alpn, MAX_ALPN, &mut self.alpn_count);
        to.text(&mut self.ja4);
        to.texts(&mut self.groups, MAX_GROUPS, &mut self.groups_count);
    }
}

/// What the server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ServerReport {
    /// Whether its certificate was seen, or why not.
    pub certificate: CertificateState,
    /// Why keys did not open it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_detail: Option<CertificateDetail>,
    /// The certificates as sent, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Arc<CertificateReport>>,
    /// How many certificates were sent where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_count: Option<usize>,
    /// How many names the first one has where `tls.server.x509.alternative_names` was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternative_names_count: Option<usize>,
    /// The certificate is one that the server shows when it knows no better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_certificate: Option<DefaultCertificate>,
}

impl Default for ServerReport {
    fn default() -> Self {
        Self {
            certificate: CertificateState::CaptureEnded,
            certificate_detail: None,
            chain: Vec::new(),
            chain_count: None,
            alternative_names_count: None,
            default_certificate: None,
        }
    }
}

impl Bounded for ServerReport {
    fn cut(&mut self, to: Cut) {
        to.list(&mut self.chain, MAX_CHAIN, &mut self.chain_count);
        if let Some(default) = &mut self.default_certificate {
            to.text(&mut default.catalog_id);
            to.text(&mut default.product);
        }
    }
}

/// How the certificate was told to be a default one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DefaultCertificate {
    /// By what it was told.
    pub by: Vec<DefaultBy>,
    /// Its entry in the catalog.
    #[serde(skip_serializing_if = "absent")]
    pub catalog_id: Option<Arc<str>>,
    /// The product that makes it.
    #[serde(skip_serializing_if = "absent")]
    pub product: Option<Arc<str>>,
}

/// The client's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ClientCertificateReport {
    /// Whether the server asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<bool>,
    /// Whether the client sent one; `false` is an answer without a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<bool>,
    /// The certificates as sent, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Arc<CertificateReport>>,
    /// How many certificates were sent where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_count: Option<usize>,
}

/// The course of the handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct HandshakeReport {
    /// How it ended.
    pub outcome: Outcome,
    /// Who closed the connection first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<Side>,
    /// How that was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// The messages that were seen, in the order of the capture, at most 48.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<&'static str>,
    /// How many messages were seen where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_count: Option<usize>,
}

impl Default for HandshakeReport {
    fn default() -> Self {
        Self {
            outcome: Outcome::Unknown,
            closed_by: None,
            close: None,
            steps: Vec::new(),
            steps_count: None,
        }
    }
}

/// One alert (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AlertReport {
    /// Who sent it.
    pub from: Side,
    /// How serious it is; left out where it is encrypted, or a level that no standard has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<AlertLevel>,
    /// Its number; left out where it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Its name, where the number has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    /// Whether it was sent encrypted. One that keys opened is marked so too, and has its content here.
    pub encrypted: bool,
}

impl AlertReport {
    /// An alert of which nothing but its sender is known.
    #[must_use]
    pub const fn encrypted(from: Side) -> Self {
        Self {
            from,
            level: None,
            code: None,
            name: None,
            encrypted: true,
        }
    }

    /// An alert in clear.
    #[must_use]
    pub const fn clear(
        from: Side,
        level: Option<AlertLevel>,
        code: u8,
        name: Option<&'static str>,
    ) -> Self {
        Self {
            from,
            level,
            code: Some(code),
            name,
            encrypted: false,
        }
    }
}

/// How much of the flow could be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct EvidenceReport {
    /// In one word.
    pub grade: EvidenceGrade,
    /// What is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<EvidenceReason>,
}

impl Default for EvidenceReport {
    fn default() -> Self {
        Self {
            grade: EvidenceGrade::Insufficient,
            reasons: Vec::new(),
        }
    }
}

impl EvidenceReport {
    /// Evidence of this grade.
    #[must_use]
    pub const fn new(grade: EvidenceGrade, reasons: Vec<EvidenceReason>) -> Self {
        Self { grade, reasons }
    }
}

/// The full handshake that a resumed one goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ResumedFrom {
    /// Its `event.id`.
    pub event_id: Hex<16>,
    /// How it was found.
    pub by: ResumedBy,
}

impl ResumedFrom {
    /// The flow `event_id`, found `by`.
    #[must_use]
    pub const fn new(event_id: Hex<16>, by: ResumedBy) -> Self {
        Self { event_id, by }
    }
}

/// What came before TLS on the same connection. Nothing in it replaces `source` and `destination`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PreambleReport {
    /// The protocol: `connect`, `socks5`, `proxy`, `smtp` …
    pub protocol: Cow<'static, str>,
    /// The client that a PROXY header names.
    #[serde(skip_serializing_if = "absent")]
    pub client: Option<Arc<str>>,
    /// The server that a PROXY header names.
    #[serde(skip_serializing_if = "absent")]
    pub server: Option<Arc<str>>,
    /// Where CONNECT or SOCKS asked to be connected to.
    #[serde(skip_serializing_if = "absent")]
    pub target: Option<Arc<str>>,
}

impl PreambleReport {
    /// A preamble in `protocol` that names nobody.
    #[must_use]
    pub const fn new(protocol: Cow<'static, str>) -> Self {
        Self {
            protocol,
            client: None,
            server: None,
            target: None,
        }
    }
}

/// A tunnel around the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TunnelReport {
    /// Its kind: `vxlan`, `gre` …
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its network identifier or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// Where the frame that opened the flow entered it.
    pub source: TunnelEnd,
    /// Where that frame left it.
    pub destination: TunnelEnd,
}

impl TunnelReport {
    /// The tunnel `kind` between two addresses.
    #[must_use]
    pub const fn new(
        kind: &'static str,
        id: Option<u32>,
        source: IpAddr,
        destination: IpAddr,
    ) -> Self {
        Self {
            kind,
            id,
            source: TunnelEnd { ip: source },
            destination: TunnelEnd { ip: destination },
        }
    }
}

/// One end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TunnelEnd {
    /// Its address.
    pub ip: IpAddr,
}

/// Addresses under which the same connection was captured too, as behind a NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SeenAs {
    /// The client there.
    pub source: Address,
    /// The server there.
    pub destination: Address,
}

impl SeenAs {
    /// The same connection between these two.
    #[must_use]
    pub const fn new(source: Address, destination: Address) -> Self {
        Self {
            source,
            destination,
        }
    }
}

/// Something that may be concluded without having been seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Inferred {
    /// What it is about.
    pub id: &'static str,
    /// The conclusion, and what it rests on.
    pub reason: Cow<'static, str>,
}

impl Inferred {
    /// The conclusion `reason` about `id`.
    #[must_use]
    pub const fn new(id: &'static str, reason: Cow<'static, str>) -> Self {
        Self { id, reason }
    }
}

/// Where to find the flow in the capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CaptureReport {
    /// The file with the first frame.
    pub file: Arc<str>,
    /// The file with the last frame, where it is another one.
    #[serde(skip_serializing_if = "absent")]
    pub last_file: Option<Arc<str>>,
    /// The number of the first frame in its file, as Wireshark counts: the first is 1.
    pub first_frame: u64,
    /// The number of the last frame in its file.
    pub last_frame: u64,
    /// The interface that the capture names for the first frame.
    #[serde(skip_serializing_if = "absent")]
    pub interface: Option<Arc<str>>,
}

impl CaptureReport {
    /// Frames `first_frame` to `last_frame` of `file`.
    #[must_use]
    pub const fn new(file: Arc<str>, first_frame: u64, last_frame: u64) -> Self {
        Self {
            file,
            last_file: None,
            first_frame,
            last_frame,
            interface: None,
        }
    }
}

const MAX_ALERTS: usize = 16;
const MAX_ALPN: usize = 32;
const MAX_CHAIN: usize = 16;
const MAX_FINDINGS: usize = 16;
const MAX_GROUPS: usize = 32;
const MAX_INFERRED: usize = 8;
const MAX_SEEN_AS: usize = 8;
const MAX_STEPS: usize = 48;
const MAX_TUNNELS: usize = 8;
const MAX_VERSIONS: usize = 16;
const MAX_VLANS: usize = 16;
