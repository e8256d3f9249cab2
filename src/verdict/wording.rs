//! Words that several checks share.

use crate::pki::Certificate;
use crate::pki::trust::Path;
use crate::tls::{Observed, ServerName};
use crate::verdict::evidence::{Chain, Evidence};
use crate::verdict::reaction::{Reaction, Side};

/// A certificate in a few words: `CN=localhost, O=Kong (self-signed)`.
pub(super) fn certificate(certificate: &Certificate) -> String {
    let subject = certificate.subject.to_string();
    let subject = if subject.is_empty() {
        "(empty subject)".to_owned()
    } else {
        subject
    };
    if certificate.self_signed.holds() {
        format!("{subject} (self-signed)")
    } else {
        subject
    }
}

/// What the client is called: the gateway where the user says so.
pub(super) const fn client(evidence: &Evidence<'_>) -> &'static str {
    if evidence.expected.is_gateway {
        "gateway"
    } else {
        "client"
    }
}

/// How the client refused, as the end of a sentence.
pub(super) fn refusal(evidence: &Evidence<'_>) -> String {
    let client = client(evidence);
    match evidence.reaction {
        Reaction::Refused(Side::Client, Some(code)) => {
            format!(
                "the {client} refused it with alert {}",
                crate::tls::registry::alert(code)
            )
        }
        Reaction::Refused(Side::Client, None) => {
            format!("the {client} answered with an encrypted alert in place of Finished")
        }
        Reaction::LeftAfterHandshake => {
            format!("the {client} finished the handshake and left without sending data")
        }
        Reaction::LeftAfterAnswer => format!("the {client} left after the server's answer"),
        _ => format!("the {client} went on"),
    }
}

/// The name that the client asked for, where one was read.
pub(super) fn asked_name(evidence: &Evidence<'_>) -> Option<String> {
    match evidence.server_name {
        Observed::Seen(ServerName::Name(name)) => Some(String::from_utf8_lossy(name).into_owned()),
        Observed::Seen(ServerName::IpLiteral(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Whether the whole ClientHello was read and names no server.
pub(super) fn names_no_server(evidence: &Evidence<'_>) -> bool {
    matches!(
        evidence.server_name,
        Observed::Seen(ServerName::Absent | ServerName::Empty)
    )
}

/// The chain, where it was seen.
pub(super) fn chain<'a>(evidence: &Evidence<'a>) -> Option<Chain<'a>> {
    match evidence.chain {
        Observed::Seen(chain) => Some(chain),
        Observed::Unseen(_) => None,
    }
}

/// Whether the served chain leads to a known root, is within its dates and covers the name.
pub(super) fn is_proved_good(evidence: &Evidence<'_>) -> bool {
    chain(evidence).is_some_and(|chain| covers_name(evidence, &chain))
        && evidence.expected.path.is_some_and(Path::is_trusted)
}

/// Whether the leaf covers the name that the client asked for or, without one, ought to ask for.
pub(super) fn covers_name(evidence: &Evidence<'_>, chain: &Chain<'_>) -> bool {
    match chain.coverage {
        Some(coverage) => coverage.covers(),
        None => evidence.expected.covers_name == Some(true) || is_for_all(evidence, chain),
    }
}

/// Whether SNI would change nothing: the leaf is for the very address that was called, or the
/// endpoint has no other for any name.
pub(super) fn is_for_all(evidence: &Evidence<'_>, chain: &Chain<'_>) -> bool {
    names_no_server(evidence) && (chain.covers_address || evidence.endpoint.has_only_this_leaf)
}

/// Whether the capture holds all of the flow's handshake, as far as can be known.
pub(super) fn is_whole(evidence: &Evidence<'_>) -> bool {
    let capture = evidence.capture;
    !capture.gap && !capture.truncated && !capture.limit && capture.missing_side.is_none()
}

/// How the server came to show a chain: a session that is resumed shows none again.
pub(super) const fn answered(evidence: &Evidence<'_>) -> &'static str {
    if evidence.is_resumed {
        "resumed a session begun with"
    } else {
        "answered with"
    }
}

/// Whether the client refused what the server showed, given that something in view is wrong
/// with it. Leaving after a finished handshake counts: many proxies check that late. But to leave
/// without a word is a refusal only where the capture would show the word, and where the client had no other reason to.
pub(super) fn client_refused(evidence: &Evidence<'_>) -> bool {
    let is_whole = is_whole(evidence);
    match evidence.reaction {
        Reaction::Refused(Side::Client, Some(code)) => is_about_certificates(code),
        Reaction::Refused(Side::Client, None) => true,
        Reaction::LeftAfterAnswer => is_whole,
        Reaction::LeftAfterHandshake => {
            is_whole && !evidence.endpoint.same_client_accepts && !evidence.is_ech_refused
        }
        _ => false,
    }
}

/// Whether a client's fatal alert can be about the server's certificate. OpenSSL says
/// decrypt_error (51) where the first certificate is not the one that signed.
fn is_about_certificates(code: u8) -> bool {
    matches!(code, 40..=46 | 48 | 49 | 51 | 80 | 112..=114)
}
