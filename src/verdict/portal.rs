//! What the operator of a gateway probably reads about it: the texts of Azure Application Gateway's
//! backend health, foretold from the chain that the server showed.
//!
//! The texts are those of Microsoft's troubleshooting pages (azure-docs,
//! `application-gateway-backend-health-troubleshooting.md`, 2024-03-08; for `auth-v1` the support
//! article on App Service Environments). In which order the gateway itself looks is not documented,
//! so the first message is the likely one, and the others are possible.

use crate::pki::Coverage;
use crate::pki::chain::{Order, Top};
use crate::pki::trust::Path;
use crate::verdict::evidence::{Chain, Evidence};
use crate::verdict::expected::Gateway;
use crate::verdict::finding::Confidence;
use crate::verdict::validity;
use crate::verdict::wording;

/// A message that a gateway probably shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whose message it is.
    pub gateway: Gateway,
    /// A short name for it.
    pub key: &'static str,
    /// Its text; where a text goes on with advice, its first sentence.
    pub text: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

/// What the gateway says of a certificate that it refused: the likely message, then others.
///
/// Without the user's word on which gateway it is, the likely one of each, with low confidence.
pub(super) fn messages(evidence: &Evidence<'_>) -> Vec<Message> {
    let Some(chain) = wording::chain(evidence) else {
        return Vec::new();
    };
    if !wording::client_refused(evidence) {
        return Vec::new();
    }
    let keys = |gateway| match gateway {
        Gateway::AzureV1 => v1(evidence, &chain),
        Gateway::AzureV2 => v2(evidence, &chain),
    };
    match evidence.expected.gateway {
        Some(gateway) => keys(gateway)
            .into_iter()
            .take(MAX_MESSAGES)
            .enumerate()
            .map(|(at, key)| {
                let is_first = at == 0;
                let confidence = if is_first {
                    Confidence::Medium
                } else {
                    Confidence::Low
                };
                message(gateway, key, confidence)
            })
            .collect(),
        None => Gateway::ALL
            .into_iter()
            .filter_map(|gateway| {
                let key = keys(gateway).first().copied()?;
                Some(message(gateway, key, Confidence::Low))
            })
            .collect(),
    }
}

/// Version 2: order, completeness, dates, name, root.
fn v2(evidence: &Evidence<'_>, chain: &Chain<'_>) -> Vec<Key> {
    let expected = &evidence.expected;
    let is_found = expected.path.is_some_and(Path::is_found);
    let is_self_signed = chain.leaf.self_signed.holds();
    let is_authority = chain.leaf.ca == Some(true);
    // One that is alone and has signed itself is a root, which is the matter then.
    let lacks_leaf = is_authority && !is_self_signed;
    let is_own_root = chain.shape.top == Top::SelfSignedAuthority && !is_found;
    let lacks_issuer = chain.shape.top == Top::IssuerNotSent && chain.shape.path.len() == 1;
    let is_uncovered = match chain.coverage {
        Some(coverage) => !coverage.covers(),
        None => expected.covers_name == Some(false),
    };
    let is_private = match expected.path {
        Some(path) => path == Path::Unknown || is_own_root,
        None => matches!(chain.shape.top, Top::Root | Top::SelfSignedAuthority),
    };
    let has_root = !matches!(chain.shape.top, Top::IssuerNotSent | Top::Unread);
    let has_given = expected.has_given_roots;
    let conditions = [
        (chain.shape.order == Order::LeafNotFirst, Key::Order),
        (lacks_leaf, Key::Leaf),
        (is_self_signed && !is_authority, Key::Intermediate),
        (lacks_issuer && !is_found, Key::Intermediate),
        (validity::is_outside(evidence), Key::Expired),
        (is_uncovered, Key::NameV2),
        (is_private && has_given && has_root, Key::RootMismatch),
        (is_private && has_given && !has_root, Key::RootNone),
        (is_private && !has_given, Key::NotWellKnown),
    ];
    holding(&conditions)
}

/// Version 1: the uploaded certificate, the name, the dates.
fn v1(evidence: &Evidence<'_>, chain: &Chain<'_>) -> Vec<Key> {
    let is_another = match evidence.expected.is_expected {
        Some(is_expected) => !is_expected,
        // Nobody uploads what a server shows when it knows no better.
        None => wording::names_no_server(evidence),
    };
    let conditions = [
        (is_another, Key::NotAllowed),
        (
            chain
                .coverage
                .is_some_and(|coverage| matches!(coverage, Coverage::Mismatch | Coverage::NoNames)),
            Key::NameV1,
        ),
        (validity::is_outside(evidence), Key::Expired),
    ];
    holding(&conditions)
}

fn holding(conditions: &[(bool, Key)]) -> Vec<Key> {
    let mut keys = Vec::new();
    for (holds, key) in conditions {
        if *holds && !keys.contains(key) {
            keys.push(*key);
        }
    }
    keys
}

/// A documented message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Order,
    Leaf,
    Intermediate,
    Expired,
    NameV2,
    RootMismatch,
    RootNone,
    NotWellKnown,
    NotAllowed,
    NameV1,
}

const fn message(gateway: Gateway, key: Key, confidence: Confidence) -> Message {
    let (key, text) = match key {
        Key::Order => (
            "order",
            "The Leaf certificate is not the topmost certificate in the chain presented by the backend server.",
        ),
        Key::Leaf => (
            "leaf",
            "The Leaf certificate is missing from the certificate chain presented by the backend server.",
        ),
        Key::Intermediate => (
            "interm",
            "The Intermediate certificate is missing from the certificate chain presented by the backend server.",
        ),
        Key::Expired => (
            "expired",
            "Backend certificate is invalid. Current date is not within the \"Valid from\" and \"Valid to\" date range on the certificate.",
        ),
        Key::NameV2 => (
            "cn-v2",
            "The Common Name of the leaf certificate presented by the backend server does not match the Probe or Backend Setting hostname of the application gateway.",
        ),
        Key::RootMismatch => (
            "root-mismatch",
            "The root certificate of the server certificate used by the backend doesn't match the trusted root certificate added to the application gateway.",
        ),
        Key::RootNone => (
            "root-none",
            "The Intermediate certificate not signed by any Root certificates uploaded to the application gateway.",
        ),
        Key::NotWellKnown => (
            "not-wkca",
            "The backend Server certificate is not signed by a well-known Certificate Authority (CA).",
        ),
        Key::NotAllowed => (
            "auth-v1",
            "Backend server certificate isn't allow-listed with Application Gateway",
        ),
        Key::NameV1 => (
            "cn-v1",
            "The Common Name (CN) of the backend certificate doesn't match.",
        ),
    };
    Message {
        gateway,
        key,
        text,
        confidence,
    }
}

const MAX_MESSAGES: usize = 3;
