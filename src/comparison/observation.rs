//! What is taken of a flow to be compared: out of its report, or out of its JSON line.

use std::net::IpAddr;

use serde::Deserialize;

use crate::report::{Address, EventOutcome, FlowReport, Hex, Outcome, Severity, SniState};

/// One flow, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    pub(crate) server: Address,
    pub(crate) is_tls: bool,
    pub(crate) outcome: EventOutcome,
    pub(crate) handshake: Outcome,
    pub(crate) verdict: String,
    pub(crate) severity: Severity,
    pub(crate) sni: SniState,
    pub(crate) name: Option<String>,
    pub(crate) leaf: Option<Leaf>,
}

/// The certificate of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Lower-case hexadecimal digits.
    pub(crate) sha256: String,
    pub(crate) subject: Option<String>,
    pub(crate) not_after: Option<String>,
}

impl From<&FlowReport> for Observation {
    fn from(report: &FlowReport) -> Self {
        let triage = &report.tlstriage;
        let leaf = report.tls.server.leaf.as_ref();
        Self {
            server: Address::new(report.destination.ip, report.destination.port),
            is_tls: report.network.protocol.is_some(),
            outcome: report.event.outcome.unwrap_or(EventOutcome::Unknown),
            handshake: triage.handshake.outcome,
            verdict: triage.verdict.id.to_owned(),
            severity: triage.verdict.severity,
            sni: triage.sni,
            name: report.tls.client.server_name.as_deref().map(str::to_owned),
            leaf: leaf.map(|leaf| Leaf {
                sha256: Hex(leaf.hash.sha256.0).to_string(),
                subject: leaf.subject.as_deref().map(str::to_owned),
                not_after: leaf.not_after.map(|time| time.to_string()),
            }),
        }
    }
}

/// A line as it is read. What is not known is passed over, as the schema asks its readers to do.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    event: EventPart,
    destination: Option<DestinationPart>,
    #[serde(default)]
    network: NetworkPart,
    tlstriage: Option<TriagePart>,
    #[serde(default)]
    tls: TlsPart,
}

#[derive(Debug, Deserialize)]
struct EventPart {
    dataset: String,
    outcome: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DestinationPart {
    ip: IpAddr,
    port: u16,
}

#[derive(Debug, Default, Deserialize)]
struct NetworkPart {
    protocol: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TriagePart {
    verdict: Option<VerdictPart>,
    sni: Option<String>,
    handshake: Option<HandshakePart>,
}

#[derive(Debug, Deserialize)]
struct VerdictPart {
    id: String,
    severity: Option<String>,
}

#[derive(Debug, Deserialize)]
struct HandshakePart {
    outcome: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct TlsPart {
    #[serde(default)]
    client: ClientPart,
    #[serde(default)]
    server: ServerPart,
}

#[derive(Debug, Default, Deserialize)]
struct ClientPart {
    server_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ServerPart {
    subject: Option<String>,
    not_after: Option<String>,
    hash: Option<HashPart>,
}

#[derive(Debug, Deserialize)]
struct HashPart {
    sha256: Option<String>,
}

impl Line {
    /// The flow that the line is about; `None` where it is about something else.
    ///
    /// # Errors
    ///
    /// What is missing from the line of a flow, or wrong in it.
    pub(crate) fn into_observation(self) -> Result<Option<Observation>, &'static str> {
        match self.event.dataset.as_str() {
            "tlstriage.flow" => {}
            "tlstriage.finding" | "tlstriage.summary" => return Ok(None),
            _ => return Err("event.dataset is not one of tlstriage"),
        }
        let server = self.destination.ok_or("destination is missing")?;
        let triage = self.tlstriage.ok_or("tlstriage is missing")?;
        let verdict = triage.verdict.ok_or("tlstriage.verdict is missing")?;
        let handshake = triage.handshake.and_then(|handshake| handshake.outcome);
        Ok(Some(Observation {
            server: Address::new(server.ip, server.port),
            is_tls: self.network.protocol.is_some(),
            outcome: word(self.event.outcome, EventOutcome::ALL, EventOutcome::as_str)
                .unwrap_or(EventOutcome::Unknown),
            handshake: word(handshake, Outcome::ALL, Outcome::as_str).unwrap_or(Outcome::Unknown),
            verdict: verdict.id,
            severity: word(verdict.severity, Severity::ALL, Severity::as_str)
                .ok_or("tlstriage.verdict.severity is missing, or no severity")?,
            sni: word(triage.sni, SniState::ALL, SniState::as_str).unwrap_or(SniState::Unknown),
            name: self.tls.client.server_name,
            leaf: leaf(self.tls.server)?,
        }))
    }
}

fn leaf(server: ServerPart) -> Result<Option<Leaf>, &'static str> {
    let Some(sha256) = server.hash.and_then(|hash| hash.sha256) else {
        return Ok(None);
    };
    if sha256.len() != 64 || !sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err("tls.server.hash.sha256 is no SHA-256");
    }
    Ok(Some(Leaf {
        sha256: sha256.to_ascii_lowercase(),
        subject: server.subject,
        not_after: server.not_after,
    }))
}

/// The value that a word stands for.
fn word<T: Copy>(text: Option<String>, all: &[T], as_str: fn(T) -> &'static str) -> Option<T> {
    let text = text?;
    all.iter().copied().find(|value| as_str(*value) == text)
}
