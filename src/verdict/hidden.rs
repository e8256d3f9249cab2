//! Refusals of a certificate that TLS 1.3 hides: `no-sni.rejected`, `no-sni.probably-rejected`,
//! `sni.rejected`.

use crate::tls::{Observed, ServerName, Unseen};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::Reaction;
use crate::verdict::wording;

/// The certificate travels encrypted (RFC 8446, section 2); the client's reaction does not hide.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    if !matches!(
        evidence.chain,
        Observed::Unseen(Unseen::Encrypted | Unseen::Resumed)
    ) || !evidence.is_tls13
    {
        return None;
    }
    if !wording::client_refused(evidence) {
        return None;
    }
    let who = wording::client(evidence);
    let refusal = wording::refusal(evidence);
    let by_clear_alert = matches!(evidence.reaction, Reaction::Refused(_, Some(_)));
    let server = evidence.server;
    let what = if evidence.is_resumed {
        "resumed an earlier session, for which no certificate is sent"
    } else {
        "answered with a certificate that TLS 1.3 hides"
    };
    let (id, reason) = match evidence.server_name {
        Observed::Seen(ServerName::Absent | ServerName::Empty) => {
            let id = if by_clear_alert {
                VerdictId::NoSniRejected
            } else {
                VerdictId::NoSniProbablyRejected
            };
            (
                id,
                format!("The {who} sent no SNI (server_name); {server} {what}, and {refusal}."),
            )
        }
        Observed::Seen(ServerName::Name(_) | ServerName::IpLiteral(_)) => {
            let name = wording::asked_name(evidence)?;
            (
                VerdictId::SniRejected,
                format!("The {who} asked for {name}; {server} {what}, and {refusal}."),
            )
        }
        _ => return None,
    };
    Some(Finding {
        id,
        // A browser drops connections that it opened ahead and has no use for.
        confidence: if matches!(
            evidence.reaction,
            Reaction::LeftAfterHandshake | Reaction::LeftAfterAnswer
        ) && id == VerdictId::SniRejected
        {
            Confidence::Low
        } else {
            Confidence::Medium
        },
        severity: if by_clear_alert {
            Severity::High
        } else {
            id.severity()
        },
        reason,
        fix: if id == VerdictId::SniRejected {
            FIX_NAME.to_vec()
        } else {
            FIX_ABSENT.to_vec()
        },
    })
}

const FIX_ABSENT: [&str; 1] = [
    "Make the client send SNI: give it a host name as its target, not an IP address (Azure Application Gateway v1: the FQDN as backend pool target; v2: the host name in probe and backend setting).",
];
const FIX_NAME: [&str; 1] = [
    "Ask the server directly for the certificate it shows, and compare its names, dates and issuer with what the client trusts.",
];
