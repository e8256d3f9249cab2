//! `no-sni.refused`, `sni.refused`, and `sni.unknown-name` without a certificate: the server's
//! answer to the name is a refusal.

use crate::tls::{Observed, ServerName};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// The server refused before it showed a certificate: by `unrecognized_name`, by one of the
/// alerts that servers send in its place, or by closing right after the ClientHello.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    if evidence.was_answered || evidence.capture.missing_side.is_some() {
        return None;
    }
    let (how, says_name) = match evidence.reaction {
        Reaction::Refused(
            Side::Server,
            Some(code @ (HANDSHAKE_FAILURE | INTERNAL_ERROR | UNRECOGNIZED_NAME | ACCESS_DENIED)),
        ) => {
            let name = crate::tls::registry::alert(code);
            (
                format!("refused it with alert {name}"),
                code == UNRECOGNIZED_NAME,
            )
        }
        // What is not in the capture may have been the answer.
        Reaction::ClosedBeforeAnswer if wording::is_whole(evidence) => {
            ("closed the connection without an answer".to_owned(), false)
        }
        _ => return None,
    };
    let (who, server) = (wording::client(evidence), evidence.server);
    // A name that is served at other times is not the reason.
    let serves_others = evidence.endpoint.serves_other_names && !evidence.endpoint.serves_this_name;
    let confidence = match (says_name, serves_others) {
        (true, _) | (_, true) => Confidence::High,
        _ => Confidence::Low,
    };
    let (id, reason, fix) = match evidence.server_name {
        Observed::Seen(ServerName::Absent | ServerName::Empty) => (
            VerdictId::NoSniRefused,
            format!("The {who} sent no SNI (server_name), and {server} {how}."),
            FIX_ABSENT.to_vec(),
        ),
        Observed::Seen(ServerName::Name(_) | ServerName::IpLiteral(_)) => {
            let name = wording::asked_name(evidence)?;
            let (id, more) = if serves_others {
                (VerdictId::SniUnknownName, "; it serves other names")
            } else {
                (VerdictId::SniRefused, "")
            };
            (
                id,
                format!("The {who} asked for {name}, and {server} {how}{more}."),
                FIX_NAME.to_vec(),
            )
        }
        _ => return None,
    };
    let confidence = if evidence.may_hide_name {
        confidence.min(Confidence::Medium)
    } else {
        confidence
    };
    Some(Finding {
        id,
        confidence,
        severity: Severity::High,
        reason,
        fix,
    })
}

const FIX_ABSENT: [&str; 2] = [
    "Make the client send SNI: give it a host name as its target, not an IP address.",
    "Or configure a fallback certificate (default binding) on the server.",
];
const FIX_NAME: [&str; 2] = [
    "Add the host name and its certificate to the server.",
    "Or correct the host name that the client is configured to send.",
];

const HANDSHAKE_FAILURE: u8 = 40;
const ACCESS_DENIED: u8 = 49;
const INTERNAL_ERROR: u8 = 80;
const UNRECOGNIZED_NAME: u8 = 112;
