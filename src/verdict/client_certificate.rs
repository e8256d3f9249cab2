//! `mtls.client-cert-missing`: the server wants a client certificate and gets none.

use crate::verdict::evidence::{ClientCertificate, Evidence};
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};

/// The server asked (RFC 5246, section 7.4.4; RFC 8446, section 4.3.2), the client sent nothing
/// or an empty list, and the server ended the handshake.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    // Alerts that speak of something else are about something else.
    if let Reaction::Refused(Side::Server, Some(code)) = evidence.reaction
        && !matches!(code, 40..=46 | 48 | 49 | 116)
    {
        return None;
    }
    let confidence = match (evidence.client_certificate, evidence.reaction) {
        (ClientCertificate::Missing, Reaction::Refused(Side::Server, _)) => Confidence::High,
        (ClientCertificate::Missing, Reaction::ClosedInHandshake)
        | (ClientCertificate::Requested, Reaction::Refused(Side::Server, _)) => Confidence::Medium,
        (ClientCertificate::ProbablyMissing, Reaction::Refused(Side::Server, None)) => {
            Confidence::Medium
        }
        _ => return None,
    };
    Some(Finding {
        id: VerdictId::MtlsClientCertMissing,
        confidence,
        severity: Severity::High,
        reason: if evidence.client_certificate == ClientCertificate::Requested {
            "The server asked for a client certificate, no answer was seen, and the server ended the handshake."
        } else {
            "The server asked for a client certificate, the client sent none, and the server ended the handshake."
        }
        .to_owned(),
        fix: vec![
            "Turn off the request for client certificates on the server (for a self-hosted API Management gateway, \"Negotiate client certificate\" holds for all its host names).",
            "Or give the client a certificate that the server accepts.",
        ],
    })
}
