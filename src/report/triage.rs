//! What ECS has no place for: the fields of a flow under `tlstriage`.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::common::Common;
use crate::report::cut::{Bounded, Cut};
use crate::report::finding::{FindingReport, VerdictReport};
use crate::report::handshake::{
    AlertReport, DecidingAlert, EvidenceReport, HandshakeReport, ResumedFrom,
};
use crate::report::hex::Hex;
use crate::report::identity::{ClientCertificateReport, ServerReport};
use crate::report::offer::{ClientReport, EchReport};
use crate::report::place::{CaptureReport, PreambleReport, SeenAs, TunnelReport};
use crate::report::skip::{absent, no};
use crate::report::version::SCHEMA_VERSION;
use crate::report::words::{Confounder, Horizon, SniState};

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
    /// The version as it stands on the wire, where `tls.version` cannot say it: a draft of TLS 1.3,
    /// or a number that no standard names, as `0x7e01`.
    #[serde(skip_serializing_if = "absent")]
    pub version_raw: Option<Cow<'static, str>>,
    /// The random bytes of the first ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_random: Option<Hex<32>>,
    /// What the client offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Common<ClientReport>>,
    /// What stood in an Encrypted Client Hello that keys opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ech: Option<EchReport>,
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
            ech: None,
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
            client.change(|client| client.cut(to));
        }
        for entry in &mut self.server.chain {
            entry.change(|entry| entry.cut(to));
        }
        let client_chain = self.client_certificate.as_mut().map(|own| &mut own.chain);
        for entry in client_chain.into_iter().flatten() {
            entry.change(|entry| entry.cut(to));
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
        if let Some(ech) = &mut self.ech {
            ech.cut(to);
        }
        self.server.cut(to);
        if let Some(own) = &mut self.client_certificate {
            own.cut(to);
        }
        self.handshake.cut(to);
        to.list(&mut self.alerts, MAX_ALERTS, &mut self.alerts_count);
        if let Some(preamble) = &mut self.preamble {
            preamble.cut(to);
        }
        to.list(&mut self.tunnel, MAX_TUNNELS, &mut None);
        to.list(&mut self.vlans, MAX_VLANS, &mut None);
        let count = &mut self.also_seen_as_count;
        to.list(&mut self.also_seen_as, MAX_SEEN_AS, count);
        to.list(&mut self.inferred, MAX_INFERRED, &mut None);
        for inferred in &mut self.inferred {
            to.required(&mut inferred.reason);
        }
        self.capture.cut(to);
    }
}

/// Something that may be concluded without having been seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Inferred {
    /// What it is about.
    pub id: &'static str,
    /// The conclusion, and what it rests on.
    pub reason: Arc<str>,
    /// What was there that may change sizes, and was reckoned with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confounders: Vec<Confounder>,
}

impl Inferred {
    /// The conclusion `reason` about `id`.
    #[must_use]
    pub const fn new(id: &'static str, reason: Arc<str>) -> Self {
        Self {
            id,
            reason,
            confounders: Vec::new(),
        }
    }

    /// The same, with what was there that may change sizes.
    #[must_use]
    pub fn with_confounders(mut self, confounders: &[Confounder]) -> Self {
        self.confounders = confounders.to_vec();
        self
    }
}

const MAX_ALERTS: usize = 16;
const MAX_FINDINGS: usize = 16;
const MAX_INFERRED: usize = 8;
const MAX_SEEN_AS: usize = 8;
const MAX_TUNNELS: usize = 8;
const MAX_VLANS: usize = 16;
