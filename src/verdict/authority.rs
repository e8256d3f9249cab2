//! Who vouches for the certificate: `cert.self-signed-leaf`, `cert.chain-order`,
//! `cert.chain-incomplete`, `cert.private-ca`.
//!
//! Only what the served chain itself shows; no trust store is asked. And only of a certificate
//! that covers the name asked for: of any other, the name is the matter.

use crate::pki::Coverage;
use crate::pki::chain::{Order, Top};
use crate::verdict::evidence::{Chain, Evidence};
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// The certificate covers the name, but nobody vouches for it.
pub(super) fn self_signed(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    if !is_lone_self_signed(&chain) || !covers(&chain) {
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
    if chain.shape.order != Order::LeafNotFirst || !covers(&chain) {
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
    if !lacks_intermediate(&chain) || !covers(&chain) {
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
    if lacks_intermediate(&chain)
        || chain.shape.order == Order::LeafNotFirst
        || is_lone_self_signed(&chain)
        || !covers(&chain)
    {
        return None;
    }
    // Leaving proves nothing where nothing is wrong with the certificate: only an alert counts.
    let Reaction::Refused(Side::Client, Some(code)) = evidence.reaction else {
        return None;
    };
    if !matches!(code, BAD_CERTIFICATE | CERTIFICATE_UNKNOWN | UNKNOWN_CA) {
        return None;
    }
    found(
        evidence,
        VerdictId::CertPrivateCa,
        alert_confidence(evidence),
        &format!(
            "The chain of {} leads to {}, which the client does not trust",
            evidence.server, chain.top.issuer
        ),
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
        reason: format!("{what}; {}.", wording::refusal(evidence.reaction)),
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

fn covers(chain: &Chain<'_>) -> bool {
    chain.coverage.is_some_and(Coverage::covers)
}

fn is_lone_self_signed(chain: &Chain<'_>) -> bool {
    chain.leaf.self_signed.holds() && chain.leaf.ca != Some(true)
}

const BAD_CERTIFICATE: u8 = 42;
const CERTIFICATE_UNKNOWN: u8 = 46;
const UNKNOWN_CA: u8 = 48;
