//! The name that was asked for is not in the certificate: `sni.unknown-name`, `sni.name-mismatch`.

use crate::pki::Coverage;
use crate::tls::{Observed, ServerName};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::Reaction;
use crate::verdict::wording;

/// Compares the reference name with the presented ones (RFC 9525, section 6).
///
/// A default or self-signed certificate says that the server does not know the name; a proper
/// one says that the name leads to another site.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    if !matches!(chain.coverage?, Coverage::Mismatch | Coverage::NoNames) {
        return None;
    }
    let name = wording::asked_name(evidence)?;
    let refused = wording::client_refused(evidence);
    if !refused && evidence.reaction != Reaction::Accepted {
        return None;
    }
    let is_literal = matches!(
        evidence.server_name,
        Observed::Seen(ServerName::IpLiteral(_))
    );
    // A proper certificate of an authority is another site's, also where it is the default one.
    let is_unknown = is_literal || chain.default.in_catalog || chain.leaf.self_signed.holds();
    let served = wording::certificate(chain.leaf);
    let (id, fix) = if is_unknown {
        (VerdictId::SniUnknownName, FIX_UNKNOWN.to_vec())
    } else {
        (VerdictId::SniNameMismatch, FIX_MISMATCH.to_vec())
    };
    let literal = if is_literal {
        " (an IP address, which SNI does not allow)"
    } else {
        ""
    };
    let what = if is_unknown {
        "a certificate that does not know that name"
    } else {
        "a certificate for other names"
    };
    Some(Finding {
        id,
        confidence: if evidence.may_hide_name {
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
            "The {} asked for {name}{literal}; {} {} {what}, {served}; {}.",
            wording::client(evidence),
            evidence.server,
            wording::answered(evidence),
            wording::refusal(evidence),
        ),
        fix,
    })
}

const FIX_UNKNOWN: [&str; 2] = [
    "Add the host name and its certificate to the server (self-hosted API Management gateway: Gateways > Hostnames).",
    "Or correct the host name that the client is configured to send (backend setting, custom probe).",
];
const FIX_MISMATCH: [&str; 1] = [
    "Make three names equal: the SNI that the client sends, a name in the server's certificate, and the host name in the backend setting.",
];
