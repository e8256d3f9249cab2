//! What may be said when the capture shows too little, and `ok` where it shows enough.

use crate::tls::{Observed, ServerName, Unseen};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// The capture begins in the middle of the flow: neither hello is in it.
pub(super) fn midstream(evidence: &Evidence<'_>) -> Option<Finding> {
    let unseen = matches!(evidence.server_name, Observed::Unseen(_));
    (evidence.capture.midstream && unseen && !evidence.was_answered).then(|| Finding {
        id: VerdictId::CaptureMidstream,
        confidence: Confidence::High,
        severity: Severity::Info,
        reason: "The capture begins in the middle of this flow, after the handshake.".to_owned(),
        fix: vec!["Start the capture before the connections of interest are opened."],
    })
}

/// The verdict where no finding explains the outcome.
pub(super) fn verdict(evidence: &Evidence<'_>) -> (VerdictId, Confidence, String) {
    if let Some(reason) = what_is_missing(evidence) {
        return (VerdictId::CaptureInsufficient, Confidence::High, reason);
    }
    let (confidence, reason) = match evidence.reaction {
        Reaction::Accepted => (
            Confidence::High,
            "The handshake was completed and the client sent application data.",
        ),
        Reaction::LeftAfterHandshake if wording::is_proved_good(evidence) => (
            Confidence::High,
            "The handshake was completed with a certificate that is trusted, valid and for this name; the client left without sending data, as a probe does.",
        ),
        Reaction::LeftAfterHandshake => (
            Confidence::Medium,
            "The handshake was completed and the client left without sending data; nothing in view explains a refusal.",
        ),
        _ => (
            Confidence::Medium,
            "The handshake was completed; no more was captured.",
        ),
    };
    (VerdictId::Ok, confidence, reason.to_owned())
}

/// The finding that goes with the verdict `capture.insufficient`.
pub(super) fn insufficient(confidence: Confidence, reason: String) -> Finding {
    Finding {
        id: VerdictId::CaptureInsufficient,
        confidence,
        severity: Severity::Low,
        reason,
        fix: vec![
            "Capture again: whole packets (tcpdump -s 0), both directions, from before the connection is opened.",
        ],
    }
}

/// Why the flow cannot be judged, if it cannot.
fn what_is_missing(evidence: &Evidence<'_>) -> Option<String> {
    let capture = evidence.capture;
    if let Some(side) = capture.missing_side {
        let side = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        return Some(format!(
            "Only one direction was captured: packets of the {side} are missing."
        ));
    }
    // The hello was read, and has another one in it that holds.
    let is_name_hidden = matches!(evidence.server_name, Observed::Unseen(Unseen::Encrypted));
    let hello_unread = match evidence.server_name {
        Observed::Unseen(_) => !is_name_hidden,
        Observed::Seen(name) => *name == ServerName::Unknown,
    };
    if capture.truncated
        && (hello_unread || matches!(evidence.chain, Observed::Unseen(Unseen::Truncated)))
    {
        return Some(
            "The packets of the handshake were cut by the snap length of the capture.".to_owned(),
        );
    }
    if hello_unread {
        return Some(
            match evidence.server_name {
                _ if capture.limit => "A limit of this run cut the ClientHello off.",
                _ if capture.midstream => "The capture begins after the ClientHello.",
                _ if capture.gap => "The segment with the ClientHello is missing from the capture.",
                Observed::Unseen(Unseen::Malformed) | Observed::Seen(_) => {
                    "The ClientHello is malformed and could not be read whole."
                }
                _ => "The ClientHello was not captured whole.",
            }
            .to_owned(),
        );
    }
    match evidence.reaction {
        Reaction::LeftAfterHandshake
            if !wording::is_whole(evidence) && wording::chain(evidence).is_none() =>
        {
            Some(
                "The client left after the handshake, of which a part is missing from the capture."
                    .to_owned(),
            )
        }
        Reaction::LeftAfterHandshake if is_name_hidden => Some(HIDDEN_NAME.to_owned()),
        Reaction::Accepted | Reaction::LeftAfterHandshake | Reaction::Finished => None,
        Reaction::Unfinished if capture.ended => {
            Some("The capture ends before the handshake does.".to_owned())
        }
        Reaction::Unfinished => {
            Some("The handshake stops in the capture without an end.".to_owned())
        }
        _ if capture.gap => {
            Some("Segments of the handshake are missing from the capture.".to_owned())
        }
        _ if is_name_hidden => Some(HIDDEN_NAME.to_owned()),
        _ => Some("The end of the handshake was seen, its reason was not.".to_owned()),
    }
}

const HIDDEN_NAME: &str = "The client asked for a name inside an Encrypted Client Hello that no key opened: whether the certificate is for that name is not known.";
