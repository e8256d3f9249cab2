//! `http.backend`: TLS was good, and the HTTP behind it was not.

use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::Reaction;

/// The server answered with an HTTP error inside of the session (RFC 9110, section 15). Seen only where keys open it.
///
/// An error of the server, and the two of a client that say that it is at the wrong place, fail a health probe and end as a 502
/// at the gateway. A page that is missing or forbidden is a fact beside the verdict.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    let status = evidence.http_status.filter(|status| *status >= 400)?;
    if !matches!(
        evidence.reaction,
        Reaction::Accepted | Reaction::Finished | Reaction::LeftAfterHandshake
    ) {
        return None;
    }
    let id = VerdictId::HttpBackend;
    let is_failure = status >= 500 || matches!(status, BAD_REQUEST | MISDIRECTED_REQUEST);
    Some(Finding {
        id,
        confidence: Confidence::High,
        severity: if is_failure {
            id.severity()
        } else {
            Severity::Info
        },
        reason: format!(
            "TLS was good; inside of it {} answered the first request with HTTP status {status}.",
            evidence.server
        ),
        fix: if status == MISDIRECTED_REQUEST {
            vec![FIX_NAMES]
        } else {
            vec![FIX_HTTP]
        },
    })
}

const BAD_REQUEST: u16 = 400;
const MISDIRECTED_REQUEST: u16 = 421;

const FIX_HTTP: &str = "Look at the backend's own log for this request: its Host header, the path of the probe, and what stands behind the backend. Certificates are not the reason.";
const FIX_NAMES: &str = "Send the same name as SNI and as Host header: the server holds the connection to be one for another host.";
