//! `cert.expired`: the certificate was outside its validity at the time of the handshake.

use crate::pki::Certificate;
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// The client's own alert says `certificate_expired` (RFC 8446, section 6.2), and it is true.
pub(super) fn named_by_alert(evidence: &Evidence<'_>) -> Option<Finding> {
    match evidence.reaction {
        Reaction::Refused(Side::Client, Some(CERTIFICATE_EXPIRED)) => check(evidence),
        _ => None,
    }
}

/// Compares the validity with the capture's clock, never with today's (RFC 5280, section 4.1.2.5).
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    let at = evidence.at;
    let (certificate, what, whose) = match (outside(chain.leaf, at), chain.outdated) {
        (Some(what), _) => (chain.leaf, what, "The certificate"),
        (None, Some(above)) => (above, outside(above, at)?, "An intermediate certificate"),
        (None, None) => return None,
    };
    let is_named = matches!(
        evidence.reaction,
        Reaction::Refused(Side::Client, Some(CERTIFICATE_EXPIRED))
    );
    let refused = wording::client_refused(evidence);
    if !refused && evidence.reaction != Reaction::Accepted {
        return None;
    }
    Some(Finding {
        id: VerdictId::CertExpired,
        // Another path may go round an intermediate.
        confidence: if chain.outdated.is_some() && whose != "The certificate" && !is_named {
            Confidence::Medium
        } else {
            Confidence::High
        },
        severity: if refused {
            Severity::High
        } else {
            Severity::Info
        },
        reason: format!(
            "{whose} of {}, {}, {what} at the time of the handshake; {}.",
            evidence.server,
            wording::certificate(certificate),
            wording::refusal(evidence),
        ),
        fix: vec![
            "Renew the certificate on the server; where a gateway holds a copy of it (Azure Application Gateway v1), upload the renewed one there too.",
            "If the dates are right, check the clocks.",
        ],
    })
}

/// Whether the leaf was outside its validity at the time of the handshake.
pub(super) fn is_outside(evidence: &Evidence<'_>) -> bool {
    wording::chain(evidence).is_some_and(|chain| outside(chain.leaf, evidence.at).is_some())
}

/// Whether a certificate was outside its validity at a time.
pub(crate) fn is_outdated(certificate: &Certificate, at: crate::time::Timestamp) -> bool {
    outside(certificate, at).is_some()
}

fn outside(leaf: &Certificate, at: crate::time::Timestamp) -> Option<String> {
    use crate::time::Precision::Seconds;
    if at < CLOCK_WAS_SET {
        return None;
    }
    if let Some(end) = leaf.not_after.filter(|end| at > *end) {
        return Some(format!("had expired on {}", end.to_rfc3339(Seconds)));
    }
    let start = leaf.not_before.filter(|start| at < *start)?;
    Some(format!(
        "was not valid before {}",
        start.to_rfc3339(Seconds)
    ))
}

/// A frame before 1971 has no time, as in a simple packet block of pcapng, or one of a clock that
/// was never set.
const CLOCK_WAS_SET: crate::time::Timestamp =
    crate::time::Timestamp::from_nanos(365 * 24 * 60 * 60 * 1_000_000_000);

const CERTIFICATE_EXPIRED: u8 = 45;
