//! What changed from one run to the other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::comparison::chance::is_clear;
use crate::comparison::rates::Rates;
use crate::comparison::side::{Asked, Name, Server, Side};
use crate::report::{Address, Severity, SniState};

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// What the change did to the share of flows that failed.
    pub effect: Effect,
    /// Whether that is more than chance would do (chi-squared test at one in twenty).
    pub clear: bool,
    /// The first run.
    pub before: SideTotal,
    /// The second run.
    pub after: SideTotal,
    /// The servers where something changed: those with most failures first.
    pub servers: Vec<ServerChange>,
    /// How many servers are the same in both.
    pub servers_unchanged: u64,
    /// Flows to servers beyond the number that is compared.
    #[serde(skip_serializing_if = "is_zero")]
    pub flows_left_out: u64,
}

/// One run as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SideTotal {
    /// Its name as it was given.
    pub name: String,
    /// How its flows ended.
    pub flows: Rates,
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Effect {
    /// A larger share fails.
    Worse,
    /// A smaller share fails.
    Better,
    /// The same share fails.
    Same,
    /// On one of the sides no flow could be judged.
    Unknown,
}

/// In which of the runs a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Presence {
    /// In both.
    Both,
    /// Only in the first.
    Lost,
    /// Only in the second.
    New,
}

/// What changed at a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServerChange {
    /// The server.
    pub server: Address,
    /// In which of the runs it is.
    pub presence: Presence,
    /// What the change did here.
    pub effect: Effect,
    /// Whether that is more than chance would do.
    pub clear: bool,
    /// How its flows ended before.
    pub before: Rates,
    /// How they end after.
    pub after: Rates,
    /// The verdicts whose count differs, those worse than information first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<VerdictChange>,
    /// What is asked for only before, or only after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<NameChange>,
    /// What is answered with another certificate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateChange>,
}

/// A verdict at a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerdictChange {
    /// Its id.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// Flows before.
    pub before: u64,
    /// Flows after.
    pub after: u64,
}

/// Something that is asked for on one side only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NameChange {
    /// What the clients say about the name.
    pub sni: SniState,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// On which side: `lost` or `new`.
    pub presence: Presence,
    /// How its flows ended there.
    pub flows: Rates,
}

/// Another certificate for what is asked for on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateChange {
    /// What the clients say about the name.
    pub sni: SniState,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The certificates before.
    pub before: Vec<LeafSeen>,
    /// The certificates after.
    pub after: Vec<LeafSeen>,
}

/// A certificate that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeafSeen {
    /// SHA-256 of its DER bytes.
    pub sha256: String,
    /// Its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The end of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

impl Comparison {
    /// Compares two runs.
    #[must_use]
    pub fn new(before: &Side, after: &Side) -> Self {
        let keys: BTreeSet<_> = before.servers.keys().chain(after.servers.keys()).collect();
        let mut unchanged = 0_u64;
        let mut servers = Vec::new();
        for (ip, port) in keys {
            let key = (*ip, *port);
            let there = |side: &Side| side.servers.get(&key).cloned();
            match ServerChange::between(Address::new(*ip, *port), there(before), there(after)) {
                Some(change) => servers.push(change),
                None => unchanged = unchanged.saturating_add(1),
            }
        }
        servers.sort_by_key(|change| {
            let most = change.before.failed().max(change.after.failed());
            std::cmp::Reverse(most)
        });
        let (effect, clear) = effect(&before.rates, &after.rates);
        let total = |side: &Side| SideTotal {
            name: side.name.clone(),
            flows: side.rates,
        };
        Self {
            effect,
            clear,
            before: total(before),
            after: total(after),
            servers,
            servers_unchanged: unchanged,
            flows_left_out: before.flows_left_out.saturating_add(after.flows_left_out),
        }
    }

    /// Whether anything differs at any server.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.servers.is_empty()
    }

    /// Whether a larger share fails, beyond chance, in all or at a server; or a fault came that was not there
    /// before: a verdict of severity medium or high.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let is_worse = |effect, clear| effect == Effect::Worse && clear;
        is_worse(self.effect, self.clear)
            || self.servers.iter().any(|change| {
                let came = change.verdicts.iter().any(|verdict| {
                    verdict.severity >= Severity::Medium && verdict.before == 0 && verdict.after > 0
                });
                came || is_worse(change.effect, change.clear)
            })
    }
}

impl ServerChange {
    /// `None` where nothing changed.
    fn between(server: Address, before: Option<Server>, after: Option<Server>) -> Option<Self> {
        let presence = match (&before, &after) {
            (Some(_), Some(_)) => Presence::Both,
            (Some(_), None) => Presence::Lost,
            _ => Presence::New,
        };
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let is_both = presence == Presence::Both;
        let (effect, clear) = effect(&before.rates, &after.rates);
        let change = Self {
            server,
            presence,
            effect,
            clear,
            verdicts: verdicts(&before, &after),
            names: names(&before, &after),
            certificates: if is_both {
                certificates(&before, &after)
            } else {
                Vec::new()
            },
            before: before.rates,
            after: after.rates,
        };
        let came_or_went = |verdict: &VerdictChange| {
            verdict.severity > Severity::Info && (verdict.before == 0 || verdict.after == 0)
        };
        let is_changed = !is_both
            || !change.names.is_empty()
            || !change.certificates.is_empty()
            || change.verdicts.iter().any(came_or_went)
            || matches!(effect, Effect::Better | Effect::Worse);
        is_changed.then_some(change)
    }
}

/// What became of the share of flows that failed, and whether it is more than chance.
fn effect(before: &Rates, after: &Rates) -> (Effect, bool) {
    let (Some(_), Some(_)) = (before.failed_permille(), after.failed_permille()) else {
        return (Effect::Unknown, false);
    };
    let wide = |count: u64| u128::from(count);
    let was = wide(before.failed()).saturating_mul(wide(after.judged()));
    let is = wide(after.failed()).saturating_mul(wide(before.judged()));
    let effect = match is.cmp(&was) {
        std::cmp::Ordering::Less => Effect::Better,
        std::cmp::Ordering::Equal => Effect::Same,
        std::cmp::Ordering::Greater => Effect::Worse,
    };
    let clear = is_clear(
        (before.failed(), before.judged()),
        (after.failed(), after.judged()),
    );
    (effect, clear)
}

fn verdicts(before: &Server, after: &Server) -> Vec<VerdictChange> {
    let ids: BTreeSet<_> = before
        .verdicts
        .keys()
        .chain(after.verdicts.keys())
        .collect();
    let there = |server: &Server, id: &String| server.verdicts.get(id).copied();
    let changes = ids.into_iter().map(|id| {
        let (was, is) = (there(before, id), there(after, id));
        let severity = was
            .into_iter()
            .chain(is)
            .map(|(severity, _)| severity)
            .max();
        VerdictChange {
            id: id.clone(),
            severity: severity.unwrap_or(Severity::Info),
            before: was.map_or(0, |(_, count)| count),
            after: is.map_or(0, |(_, count)| count),
        }
    });
    let mut changes: Vec<_> = changes
        .filter(|change| change.before != change.after)
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.severity));
    changes
}

fn names(before: &Server, after: &Server) -> Vec<NameChange> {
    let only = |these: &BTreeMap<Asked, Name>, others: &Server, presence| -> Vec<NameChange> {
        // A name that found no room in the other list may well be there.
        if others.names_left_out > 0 {
            return Vec::new();
        }
        these
            .iter()
            .filter(|(asked, _)| !others.names.contains_key(asked))
            .map(|((sni, name), of)| NameChange {
                sni: *sni,
                name: name.clone(),
                presence,
                flows: of.rates,
            })
            .collect()
    };
    let mut names = only(&before.names, after, Presence::Lost);
    names.extend(only(&after.names, before, Presence::New));
    names
}

fn certificates(before: &Server, after: &Server) -> Vec<CertificateChange> {
    let both = before.names.iter().filter_map(|(asked, was)| {
        let is = after.names.get(asked)?;
        // What was not seen on one side has not changed; nor is a list that was cut compared.
        let is_seen = !was.leaves.is_empty() && !is.leaves.is_empty();
        let is_whole = !was.has_more_leaves && !is.has_more_leaves;
        let differs = !was.leaves.keys().eq(is.leaves.keys());
        (is_seen && is_whole && differs).then(|| CertificateChange {
            sni: asked.0,
            name: asked.1.clone(),
            before: leaves(was),
            after: leaves(is),
        })
    });
    both.collect()
}

fn leaves(name: &Name) -> Vec<LeafSeen> {
    name.leaves
        .values()
        .map(|leaf| LeafSeen {
            sha256: leaf.sha256.clone(),
            subject: leaf.subject.clone(),
            not_after: leaf.not_after.clone(),
        })
        .collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
