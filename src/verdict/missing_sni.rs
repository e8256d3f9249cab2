//! No SNI and a proper certificate of another site; and no SNI that did no harm.

use crate::tls::{Observed, Unseen};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::Reaction;
use crate::verdict::validity;
use crate::verdict::wording;

/// The client named no server and got a certificate that some authority issued, for another
/// site as far as can be told; it refused it.
pub(super) fn wrong_name(evidence: &Evidence<'_>) -> Option<Finding> {
    if !wording::names_no_server(evidence) || !wording::client_refused(evidence) {
        return None;
    }
    let chain = wording::chain(evidence)?;
    if chain.leaf.self_signed.holds() || chain.default.in_catalog {
        return None;
    }
    // With a certificate for all, and where only its dates are wrong, the name is not the matter.
    if wording::is_for_all(evidence, &chain)
        || (!evidence.endpoint.serves_other_names && validity::is_outside(evidence))
    {
        return None;
    }
    // The default site may be the right one.
    let expected = &evidence.expected;
    if expected.is_expected == Some(true) || expected.covers_name == Some(true) {
        return None;
    }
    // With another site's certificate in view elsewhere it is the default binding for sure.
    let confidence = match (evidence.endpoint.serves_other_names, evidence.reaction) {
        (true, _) => Confidence::High,
        (false, Reaction::LeftAfterHandshake | Reaction::LeftAfterAnswer) => return None,
        (false, _) => Confidence::Low,
    };
    Some(Finding {
        id: VerdictId::NoSniWrongName,
        confidence,
        severity: Severity::High,
        reason: format!(
            "The {} sent no SNI (server_name), so {} {} the certificate of its default site, {}; {}.",
            wording::client(evidence),
            evidence.server,
            wording::answered(evidence),
            wording::certificate(chain.leaf),
            wording::refusal(evidence),
        ),
        fix: vec![
            "Make the client send SNI: give it a host name as its target, not an IP address.",
            "Or make the wanted site the server's default (managed API Management: Default SSL binding).",
        ],
    })
}

/// The client named no server and went on all the same.
pub(super) fn tolerated(evidence: &Evidence<'_>) -> Option<Finding> {
    if !wording::names_no_server(evidence) || evidence.reaction != Reaction::Accepted {
        return None;
    }
    let server = evidence.server;
    let by_chance = "None needed; note that the certificate was not chosen by name.";
    let (took, fix) = match &evidence.chain {
        Observed::Seen(chain) => {
            let served = wording::certificate(chain.leaf);
            let took = format!("accepted the certificate that {server} chose ({served})");
            (took, by_chance)
        }
        Observed::Unseen(Unseen::Psk | Unseen::Anonymous) => {
            let took = format!("went on with {server}, without a certificate");
            (
                took,
                "None needed; there is no certificate that a name could choose.",
            )
        }
        Observed::Unseen(_) => {
            let took = format!("accepted the certificate that {server} chose");
            (took, by_chance)
        }
    };
    Some(Finding {
        id: VerdictId::NoSniTolerated,
        confidence: if evidence.may_hide_name {
            Confidence::Medium
        } else {
            Confidence::High
        },
        severity: Severity::Info,
        reason: format!(
            "The {} sent no SNI (server_name){} and {took}.",
            wording::client(evidence),
            if evidence.may_hide_name {
                " outside of its Encrypted Client Hello"
            } else {
                ""
            },
        ),
        fix: vec![fix],
    })
}
