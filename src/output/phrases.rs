//! Words of the closed lists as a person reads them: the same in every report for a person.

use crate::output::text::{counted, span, squeezed};
use crate::report::{
    CertificateState, Confidence, ExpectedMessage, FindingGroup, LeafBrief, Outcome,
    PopulationReport, SniState,
};

/// What was asked for: a name, or why there is none.
pub(in crate::output) fn asked(sni: SniState, name: Option<&str>) -> String {
    match (sni, name) {
        (SniState::Name, Some(name)) => name.to_owned(),
        (SniState::IpLiteral, Some(name)) => format!("{name} (an IP address as SNI)"),
        (SniState::EchOuter, Some(name)) => format!("{name} (ECH cover name)"),
        (SniState::Absent, _) => "(no SNI)".to_owned(),
        (SniState::Empty, _) => "(an empty SNI)".to_owned(),
        (SniState::Unknown, _) => "(not seen)".to_owned(),
        (_, Some(name)) => name.to_owned(),
        (_, None) => "(an SNI that cannot be read)".to_owned(),
    }
}

/// Why no certificate was seen.
pub(in crate::output) const fn no_certificate(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Seen => "a certificate",
        CertificateState::Encrypted => "certificate encrypted (TLS 1.3, no keys)",
        CertificateState::Resumed => "none: session resumed",
        CertificateState::RefusedBefore => "nothing: refused before a certificate",
        CertificateState::Anonymous => "none: anonymous cipher suite",
        CertificateState::Gap => "not seen: packets are missing",
        CertificateState::Truncated => "not seen: packets were cut short",
        CertificateState::Midstream => "not seen: the capture begins later",
        CertificateState::OneSided => "not seen: only one direction was captured",
        CertificateState::CaptureEnded => "not seen: the capture ends before",
        CertificateState::Malformed => "a message that is no certificate",
        CertificateState::Limit => "not seen: a limit on memory was reached",
        CertificateState::TlsPsk => "none: pre-shared key",
    }
}

/// How a handshake ended.
pub(in crate::output) const fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::RejectedByClient => "rejected by client",
        Outcome::RejectedByServer => "rejected by server",
        Outcome::Abandoned => "abandoned",
        Outcome::Unfinished => "unfinished",
        Outcome::Unknown => "not seen",
    }
}

/// A version with the name of its protocol, which the number alone does not say.
pub(in crate::output) fn protocol(version: &str) -> String {
    match version {
        "2.0" | "3.0" => format!("SSL {version}"),
        "1.0" | "1.1" | "1.2" | "1.3" => format!("TLS {version}"),
        version => version.to_owned(),
    }
}

/// `default certificate`, and of which product.
pub(in crate::output) fn default_mark(leaf: &LeafBrief) -> Option<String> {
    match (&leaf.product, leaf.default) {
        (Some(product), _) => Some(format!("default certificate of {product}")),
        (None, true) => Some("default certificate".to_owned()),
        (None, false) => None,
    }
}

/// Who sent no SNI: what it takes to find the client whose setting is to be changed. Of other
/// findings nothing, since their clients are not the matter.
pub(in crate::output) fn callers(group: &FindingGroup) -> Vec<String> {
    if !group.id.starts_with("no-sni.") {
        return Vec::new();
    }
    let mut callers: Vec<String> = group.clients.iter().take(MAX_CALLERS).map(caller).collect();
    let rest = group.clients.iter().skip(MAX_CALLERS);
    let rest = rest.fold(group.clients_left_out, |sum, client| {
        sum.saturating_add(client.flows)
    });
    if rest > 0 {
        callers.push(format!("and {} from other clients", counted(rest, "flow")));
    }
    callers
}

fn caller(client: &PopulationReport) -> String {
    let mut text = format!("from {}", client.address);
    if let Some(ja4) = &client.ja4 {
        text.push_str(&format!(", JA4 {ja4}"));
    }
    if client.alpn.is_empty() {
        text.push_str(", no ALPN");
    } else {
        let alpn = squeezed(&client.alpn.join(" "), MAX_ALPN_LEN);
        text.push_str(&format!(", ALPN {alpn}"));
    }
    text.push_str(&format!(": {}", counted(client.flows, "flow")));
    if let Some(seconds) = client.every_seconds {
        text.push_str(&format!(", every {seconds} s, as health probes come"));
    }
    text.push_str(&format!(", {}", span(client.first, client.last)));
    text
}

/// What the operator of a gateway probably reads, each with the words in front of it: of one gateway
/// the likely message and others, or of each gateway that the client may be its likely one.
pub(in crate::output) fn foretold(
    messages: &[ExpectedMessage],
) -> impl Iterator<Item = (String, &ExpectedMessage)> {
    let gateway = messages.first().map(|first| first.gateway);
    let is_known = messages.len() > 1
        && messages
            .iter()
            .all(|message| Some(message.gateway) == gateway)
        || messages
            .iter()
            .any(|message| message.confidence > Confidence::Low);
    messages.iter().enumerate().map(move |(at, message)| {
        let name = product(message.gateway);
        let intro = match (is_known, at) {
            (true, 0) => format!("The backend health of {name} probably says:"),
            (true, _) => "It can also be:".to_owned(),
            (false, _) => format!("If the client is {name}, its backend health probably says:"),
        };
        (intro, message)
    })
}

fn product(gateway: &'static str) -> &'static str {
    match gateway {
        "application-gateway-v1" => "Azure Application Gateway v1",
        "application-gateway-v2" => "Azure Application Gateway v2",
        other => other,
    }
}

/// Clients of one server that are told.
const MAX_CALLERS: usize = 4;
const MAX_ALPN_LEN: usize = 100;
