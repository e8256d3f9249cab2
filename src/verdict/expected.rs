//! What the user expects the gateway to check, and the checks that rest on it:
//! `cert.match-but-rejected`, `cert.not-the-uploaded-one`.

use crate::pki::trust::Path;
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::reaction::{Reaction, Side};
use crate::verdict::wording;

/// A gateway whose rules are known (`docs/verdicts.md` has their sources).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gateway {
    /// Azure Application Gateway v1: the leaf has to be the uploaded authentication certificate.
    AzureV1,
    /// Azure Application Gateway v2: chain to a known root, dates, name.
    AzureV2,
}

impl Gateway {
    /// Every gateway.
    pub const ALL: [Self; 2] = [Self::AzureV1, Self::AzureV2];

    /// Its name on the command line and in a configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AzureV1 => "azure-v1",
            Self::AzureV2 => "azure-v2",
        }
    }
}

/// What the user said that holds for a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'a> {
    /// Whose rules apply.
    pub gateway: Option<Gateway>,
    /// Whether the client is a gateway, by the user's word.
    pub is_gateway: bool,
    /// Whether the leaf is an expected certificate; `None` where none concerns this flow, or the
    /// leaf was not seen.
    pub is_expected: Option<bool>,
    /// Where the chain leads; `None` where nobody asked.
    pub path: Option<Path>,
    /// Whether there are roots of the user's own, besides those of well-known authorities.
    pub has_given_roots: bool,
    /// The name that the gateway ought to ask for.
    pub name: Option<&'a str>,
    /// Whether the leaf covers that name.
    pub covers_name: Option<bool>,
}

/// Compares the leaf with the expected one where nothing but that counts, before the chain is
/// looked at: version 1 of the gateway compares, and nothing else.
pub(super) fn pinned(evidence: &Evidence<'_>) -> Option<Finding> {
    match (evidence.expected.gateway, evidence.expected.is_expected?) {
        (Some(Gateway::AzureV2), _) | (None, true) => None,
        (_, true) => matched(evidence),
        (_, false) => differs(evidence),
    }
}

/// Compares the leaf with the expected one where the chain is in order.
pub(super) fn compared(evidence: &Evidence<'_>) -> Option<Finding> {
    if evidence.expected.is_expected? {
        // Version 2 compares no certificate: that its root is unknown is the reason by itself.
        let is_private = evidence.expected.path == Some(Path::Unknown);
        if evidence.expected.gateway == Some(Gateway::AzureV2) && is_private {
            return None;
        }
        matched(evidence)
    } else {
        differs(evidence)
    }
}

fn matched(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    // Who only shakes hands with a server that shows the right certificate refuses nothing.
    let by_word = matches!(
        evidence.reaction,
        Reaction::Refused(Side::Client, _) | Reaction::LeftAfterAnswer
    );
    if !by_word || !wording::client_refused(evidence) {
        return None;
    }
    Some(Finding {
        id: VerdictId::CertMatchButRejected,
        confidence: match evidence.reaction {
            Reaction::Refused(_, Some(_)) => Confidence::High,
            _ => Confidence::Medium,
        },
        severity: Severity::High,
        reason: format!(
            "{} {} the expected certificate, {}, and yet {}.",
            evidence.server,
            wording::answered(evidence),
            wording::certificate(chain.leaf),
            wording::refusal(evidence),
        ),
        fix: vec![
            "The certificate itself is the right one: look at what else the gateway checks, by its alert: the root it trusts (unknown_ca), the name, revocation, or a client certificate that the server asks for.",
            "See to it that the gateway really holds this certificate: the one uploaded, in the backend setting that is in use.",
        ],
    })
}

fn differs(evidence: &Evidence<'_>) -> Option<Finding> {
    let chain = wording::chain(evidence)?;
    let refused = wording::client_refused(evidence);
    if !refused && evidence.reaction != Reaction::Accepted {
        return None;
    }
    Some(Finding {
        id: VerdictId::CertNotTheUploadedOne,
        confidence: if matches!(evidence.expected.gateway, Some(Gateway::AzureV1)) {
            Confidence::High
        } else {
            Confidence::Medium
        },
        severity: if refused {
            Severity::High
        } else {
            Severity::Info
        },
        reason: format!(
            "{} {} {}, which is not the expected certificate; {}.",
            evidence.server,
            wording::answered(evidence),
            wording::certificate(chain.leaf),
            wording::refusal(evidence),
        ),
        fix: vec![
            "Upload the certificate that is served (Azure Application Gateway v1: as authentication certificate), or serve the one that was uploaded.",
            "After a renewal, upload the new certificate before the server changes to it.",
        ],
    })
}
