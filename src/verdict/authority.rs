//! Who vouches for the certificate: `cert.self-signed-leaf`, `cert.chain-order`,
//! `cert.chain-incomplete`, `cert.private-ca`.
//!
//! Only what the served chain itself shows; no trust store is asked. And only of a certificate
//! that covers the name asked for: of any other, the name is the matter.

use crate::pki::chain::{Order, Top};
use crate::pki::trust::Path;
use crate::verdict::evidence::{Chain, Evidence};
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// The certificate covers the name, but nobody vouches for it.
pub(super) fn self_signed(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    if !is_lone_self_signed(&chain) || !wording::covers_name(evidence, &chain) {
        return None;
    }
    found(
        evidence,
        VerdictId::CertSelfSignedLeaf,
        Confidence::High,
        &format!(
            "The certificate of {}, {}, has signed itself",
            evidence.server,
            wording::certificate(chain.leaf)
        ),
        &[
            "Use a certificate of a well-known authority, or of a private root that is uploaded to the gateway.",
        ],
    )
}

/// The first certificate is not the server's own (RFC 5246, section 7.4.2).
pub(super) fn order(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    if chain.shape.order != Order::LeafNotFirst || !wording::covers_name(evidence, &chain) {
        return None;
    }
    found(
        evidence,
        VerdictId::CertChainOrder,
        Confidence::High,
        &format!(
            "{} does not send its own certificate first",
            evidence.server
        ),
        &["Install the chain in the order leaf, intermediates, root."],
    )
}

/// The issuer of the last certificate in reach of the leaf is missing, and it is no root.
pub(super) fn incomplete(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    // A root that is at hand needs nothing between itself and the leaf.
    let is_whole = evidence.expected.path.is_some_and(Path::is_found);
    if is_whole || !lacks_intermediate(&chain) || !wording::covers_name(evidence, &chain) {
        return None;
    }
    found(
        evidence,
        VerdictId::CertChainIncomplete,
        alert_confidence(evidence),
        &format!(
            "{} sends only {}, without the certificate of its issuer {}",
            evidence.server,
            wording::certificate(chain.leaf),
            chain.leaf.issuer,
        ),
        &[
            "Install the full chain on the server (self-hosted API Management gateway: upload the CA certificates and associate them with the gateway).",
        ],
    )
}

/// The chain is in order, and the client does not trust its root.
pub(super) fn private(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    let is_whole = evidence.expected.path.is_some_and(Path::is_found);
    if (lacks_intermediate(&chain) && !is_whole)
        || chain.shape.order == Order::LeafNotFirst
        || is_lone_self_signed(&chain)
        || !wording::covers_name(evidence, &chain)
    {
        return None;
    }
    let names_authority = matches!(
        evidence.reaction,
        Reaction::Refused(
            Side::Client,
            Some(BAD_CERTIFICATE | CERTIFICATE_UNKNOWN | UNKNOWN_CA)
        )
    );
    let top = &chain.top.issuer;
    let what = match evidence.expected.path {
        // Leaving proves nothing where nothing is wrong with the certificate: only an alert counts.
        _ if !names_authority
            && evidence.expected.path != Some(Path::Unknown)
            && chain.shape.top != Top::SelfSignedAuthority =>
        {
            return None;
        }
        // The way is there: its dates are the matter.
        Some(Path::OutOfTime) => return None,
        Some(Path::Unknown) if evidence.expected.has_given_roots => format!(
            "The chain of {} leads to {top}, and to no root that was given here nor to a well-known one",
            evidence.server
        ),
        Some(Path::Unknown) => format!(
            "The chain of {} leads to {top}, and to no well-known root",
            evidence.server
        ),
        Some(Path::Given) => format!(
            "The chain of {} leads to a root that was given here, which the client does not trust",
            evidence.server
        ),
        Some(Path::Public) => format!(
            "The chain of {} leads to a well-known root, which the client does not trust",
            evidence.server
        ),
        _ => format!(
            "The chain of {} leads to {top}, which the client does not trust",
            evidence.server
        ),
    };
    found(
        evidence,
        VerdictId::CertPrivateCa,
        alert_confidence(evidence),
        &what,
        &[
            "Give the client the root of this chain (Azure Application Gateway v2: upload the right root certificate).",
        ],
    )
}

/// A finding that is the reason of a refusal, or a mere fact where the client went on.
fn found(
    evidence: &Evidence<'_>,
    id: VerdictId,
    confidence: Confidence,
    what: &str,
    fix: &[&'static str],
) -> Option<Finding> {
    let refused = wording::client_refused(evidence);
    if !refused && evidence.reaction != Reaction::Accepted {
        return None;
    }
    Some(Finding {
        id,
        confidence,
        severity: if refused {
            Severity::High
        } else {
            Severity::Info
        },
        reason: format!("{what}; {}.", wording::refusal(evidence)),
        fix: fix.to_vec(),
    })
}

fn alert_confidence(evidence: &Evidence<'_>) -> Confidence {
    match evidence.reaction {
        Reaction::Refused(Side::Client, Some(UNKNOWN_CA)) => Confidence::High,
        _ => Confidence::Medium,
    }
}

/// A leaf alone, whose issuer was not sent: whether that is a root or something between is for
/// the client to find out, and it did not.
fn lacks_intermediate(chain: &Chain<'_>) -> bool {
    chain.shape.top == Top::IssuerNotSent && chain.shape.path.len() == 1
}

fn is_lone_self_signed(chain: &Chain<'_>) -> bool {
    chain.leaf.self_signed.holds() && chain.leaf.ca != Some(true)
}

const BAD_CERTIFICATE: u8 = 42;
const CERTIFICATE_UNKNOWN: u8 = 46;
const UNKNOWN_CA: u8 = 48;
