//! From evidence to an answer: what happened on a flow, how sure that is, and what to change.
//!
//! `CHECKS` is the decision table: one row a check, in order of precedence. Every check looks
//! at the same [`Evidence`] and finds at most one thing. The first finding that explains the
//! outcome names the verdict; all of them are kept. A fault of a certificate that the client
//! accepted explains nothing: it is a finding of severity info beside the verdict `ok`.

mod authority;
mod backend;
mod capture;
mod cause;
mod client_certificate;
mod default_certificate;
mod evidence;
mod expected;
mod explanation;
mod finding;
mod flight;
mod hidden;
mod missing_sni;
mod name_mismatch;
mod portal;
mod proof;
mod protocol;
mod reaction;
mod refused;
mod sizes;
mod smallest;
mod unreachable;
mod validity;
mod wording;

pub use evidence::{
    Answer, CaptureFacts, Chain, ClientCertificate, DefaultBy, EndpointFacts, Evidence, Unreachable,
};
pub use expected::{Expected, Gateway};
pub use finding::{Confidence, Finding, Judgement, Severity, VerdictId};
pub use flight::{Fit, Flight, Key, Offers, TooSmall};
pub use portal::Message;
pub use reaction::{Act, ClearAlert, Close, Closing, Course, Reaction, Side};
pub use sizes::unify_sizes;
pub(crate) use validity::is_outdated;

/// Looks at the evidence once; finds at most one thing.
type Check = fn(&Evidence<'_>) -> Option<Finding>;

/// The decision table, in order of precedence.
const CHECKS: [Check; 21] = [
    unreachable::check,
    capture::midstream,
    protocol::version_or_cipher,
    client_certificate::check,
    protocol::not_tls,
    protocol::too_big,
    refused::check,
    // The client itself said "expired": before the name, which it may never have compared.
    validity::named_by_alert,
    default_certificate::check,
    missing_sni::wrong_name,
    missing_sni::tolerated,
    hidden::check,
    name_mismatch::check,
    validity::check,
    // Where the gateway compares the certificate, its chain does not matter.
    expected::pinned,
    authority::self_signed,
    authority::order,
    authority::incomplete,
    expected::compared,
    authority::private,
    backend::check,
];

/// Judges one flow.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut findings: Vec<Finding> = Vec::new();
    for check in CHECKS {
        if let Some(finding) = check(evidence)
            && findings.iter().all(|earlier| earlier.id != finding.id)
        {
            findings.push(finding);
        }
    }
    if evidence.is_chain_assumed {
        for finding in &mut findings {
            finding.confidence = finding.confidence.min(Confidence::Medium);
        }
    }
    let explains = |finding: &Finding| finding.severity >= finding.id.severity();
    if !findings.iter().any(explains) {
        findings.extend(protocol::broken_off(evidence));
    }
    // The first that explains the outcome goes first; a stable sort keeps the rest in order.
    findings.sort_by_key(|finding| !explains(finding));
    let has_reason = findings.first().is_some_and(explains);
    // What is only a hint is never told as severe.
    for finding in &mut findings {
        if finding.confidence == Confidence::Low {
            finding.severity = finding.severity.min(Severity::Medium);
        }
    }
    let named = findings.first().filter(|_| has_reason);
    if let Some(finding) = named {
        let messages = portal::messages(evidence);
        return Judgement {
            verdict: finding.id,
            confidence: finding.confidence,
            severity: finding.severity,
            reason: finding.reason.clone(),
            proof: proof::command(finding.id, evidence),
            messages,
            findings,
        };
    }
    let (verdict, confidence, reason) = capture::verdict(evidence);
    if verdict == VerdictId::CaptureInsufficient {
        findings.insert(0, capture::insufficient(confidence, reason.clone()));
    }
    Judgement {
        verdict,
        confidence,
        severity: verdict.severity(),
        reason,
        findings,
        proof: None,
        messages: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
