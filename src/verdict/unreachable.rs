//! `tcp.unreachable`: a SYN that was never answered by SYN and ACK.

use crate::verdict::evidence::{Answer, Evidence};
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};

/// TCP itself never came about: not a matter of certificates.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    let unreachable = evidence.unreachable?;
    let server = evidence.server;
    let (confidence, reason) = match unreachable.answer {
        Answer::Reset => (
            Confidence::High,
            format!("{server} answered the connection request with a TCP reset."),
        ),
        Answer::Icmp(what, from) => (
            Confidence::High,
            format!("{from} answered the connection request to {server} with ICMP: {what}."),
        ),
        Answer::Silence => {
            let times = match unreachable.attempts {
                0 | 1 => String::new(),
                n => format!(" in {n} attempts"),
            };
            (
                Confidence::High,
                format!("{server} never answered the connection request{times}."),
            )
        }
    };
    Some(Finding {
        id: VerdictId::TcpUnreachable,
        confidence,
        severity: Severity::High,
        reason,
        fix: FIX.to_vec(),
    })
}

const FIX: [&str; 2] = [
    "Check that the server listens on this port.",
    "Check network security groups, routes and firewalls between the two addresses; the certificate is not the matter.",
];
