//! `tls.version-or-cipher` and `tls.handshake-failed`: the two sides do not speak the same TLS.

use crate::tls::{Observed, Unseen};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// The server found nothing that it could agree to (RFC 8446, section 6.2).
///
/// `handshake_failure` says so only where no name can be the reason: servers send it for
/// unknown names as well.
pub(super) fn version_or_cipher(evidence: &Evidence<'_>) -> Option<Finding> {
    let Reaction::Refused(side, Some(code)) = evidence.reaction else {
        return None;
    };
    let confidence = match (side, code) {
        (_, PROTOCOL_VERSION | INAPPROPRIATE_FALLBACK) => Confidence::High,
        (Side::Server, INSUFFICIENT_SECURITY) => Confidence::High,
        (Side::Server, HANDSHAKE_FAILURE)
            if !evidence.was_answered
                && (!evidence.endpoint.serves_other_names
                    || evidence.endpoint.serves_this_name)
                && !wording::names_no_server(evidence) =>
        {
            Confidence::Medium
        }
        _ => return None,
    };
    let name = crate::tls::registry::alert(code);
    let who = match side {
        Side::Client => "client",
        Side::Server => "server",
    };
    Some(Finding {
        id: VerdictId::TlsVersionOrCipher,
        confidence,
        severity: Severity::High,
        reason: format!(
            "The {who} refused the handshake with alert {name}: no TLS version or cipher suite in common."
        ),
        fix: vec![
            "Compare the offered versions and cipher suites with what the server allows; enable TLS 1.2 or later on both sides.",
        ],
    })
}

/// The server did answer, and not with TLS: most often plain HTTP on a port meant for HTTPS.
pub(super) fn not_tls(evidence: &Evidence<'_>) -> Option<Finding> {
    if !evidence.answers_otherwise || evidence.was_answered {
        return None;
    }
    Some(Finding {
        id: VerdictId::TlsHandshakeFailed,
        confidence: Confidence::High,
        severity: Severity::High,
        reason: format!(
            "The client began TLS, and {} sent bytes that are no TLS: it speaks plain HTTP or another protocol on this port.",
            evidence.server
        ),
        fix: vec![
            "Call the port on which the server speaks TLS, or change the protocol of the backend setting to HTTP.",
        ],
    })
}

/// A router said that packets are too big (RFC 1191, section 4; RFC 8201, section 4), and the
/// handshake came to no end: its largest packets are those with the certificates.
pub(super) fn too_big(evidence: &Evidence<'_>) -> Option<Finding> {
    let (mtu, from) = evidence.too_big?;
    // What was too big was sent again in smaller pieces, and arrived.
    if wording::chain(evidence).is_some() {
        return None;
    }
    if !matches!(
        evidence.reaction,
        Reaction::Unfinished
            | Reaction::GaveUp
            | Reaction::LeftAfterAnswer
            | Reaction::ClosedInHandshake
            | Reaction::ClosedBeforeAnswer
    ) {
        return None;
    }
    let mtu = mtu.map_or(String::new(), |mtu| {
        format!(" (no more than {mtu} bytes pass)")
    });
    Some(Finding {
        id: VerdictId::TlsHandshakeFailed,
        confidence: Confidence::Medium,
        severity: Severity::High,
        reason: format!(
            "{from} says by ICMP that packets of this connection are too big{mtu}, and the handshake with {} came to no end: its largest packets do not arrive.",
            evidence.server
        ),
        fix: vec![
            "Let the ICMP errors through to the side that sends the large packets, or lower the MTU or the MSS on the way.",
        ],
    })
}

/// The handshake broke off, and nothing in view is a better reason.
pub(super) fn broken_off(evidence: &Evidence<'_>) -> Option<Finding> {
    if evidence.capture.gap || evidence.capture.truncated || evidence.capture.missing_side.is_some()
    {
        return None;
    }
    let mut fix = "Look for the reason in the log of the side that ended the connection.";
    let fix_of_ech = "Publish the ECH configuration that the server has (HTTPS record in DNS), or give the server the key of the one that is published.";
    let (confidence, reason) = match evidence.reaction {
        // The alert that says so is under keys that were not at hand (RFC 9849, section 6.1.6).
        Reaction::LeftAfterHandshake if evidence.is_ech_refused => {
            fix = fix_of_ech;
            (
                Confidence::Medium,
                format!(
                    "The client offered an Encrypted Client Hello, {} did not take it, and the client left after the handshake, as it then has to.",
                    evidence.server
                ),
            )
        }
        Reaction::Refused(Side::Client, Some(ECH_REQUIRED)) => {
            fix = fix_of_ech;
            (
                Confidence::High,
                format!(
                    "The client offered an Encrypted Client Hello, {} did not take it, and the client ended the handshake with alert ech_required.",
                    evidence.server
                ),
            )
        }
        Reaction::Refused(side, code) => {
            let who = match side {
                Side::Client => "client",
                Side::Server => "server",
            };
            let what = code.map_or("(encrypted)", crate::tls::registry::alert);
            (
                Confidence::Medium,
                format!("The {who} ended the handshake with alert {what}."),
            )
        }
        Reaction::ClosedInHandshake
            if matches!(evidence.chain, Observed::Unseen(Unseen::Encrypted)) => (
            Confidence::Low,
            "The server ended the connection and sent nothing behind its part of the handshake: it may have refused the client's certificate, or have had nothing to say."
                .to_owned(),
        ),
        Reaction::ClosedInHandshake => (
            Confidence::Low,
            "The server closed the connection in the middle of the handshake.".to_owned(),
        ),
        Reaction::LeftAfterAnswer => (
            Confidence::Low,
            "The client left after the server's answer; nothing in view is wrong with it."
                .to_owned(),
        ),
        Reaction::GaveUp => (
            Confidence::Low,
            "The client gave up before the server had answered in full.".to_owned(),
        ),
        _ => return None,
    };
    Some(Finding {
        id: VerdictId::TlsHandshakeFailed,
        confidence,
        severity: Severity::Medium,
        reason,
        fix: vec![fix],
    })
}

const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
const INSUFFICIENT_SECURITY: u8 = 71;
const INAPPROPRIATE_FALLBACK: u8 = 86;
const ECH_REQUIRED: u8 = 121;
