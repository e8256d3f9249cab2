//! The certificates: what each is, how long it holds, who served it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::output::html::digest::{Card, Link, Moment};
use crate::output::html::gathered::{Gathered, Leaf};
use crate::output::phrases;
use crate::output::text::{counted, number};
use crate::report::{LeafBrief, Severity, SniState, Summary};

/// The certificates that are shown, and how many are not.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Cards {
    cards: Vec<Shown>,
    left_out: Option<String>,
}

#[derive(Debug, Serialize)]
struct Shown {
    hash: String,
    title: String,
    marks: Vec<Mark>,
    about: String,
    chain: Vec<ShownLink>,
    chain_left_out: Option<String>,
    facts: Vec<(&'static str, String)>,
    names: Vec<String>,
    names_left_out: Option<String>,
    served: Vec<String>,
    served_left_out: Option<String>,
}

#[derive(Debug, Serialize)]
struct Mark {
    text: String,
    class: &'static str,
}

/// A certificate of the chain, and its validity as a bar.
#[derive(Debug, Serialize)]
struct ShownLink {
    title: String,
    role: &'static str,
    valid: String,
    hash: String,
    bar: Option<Bar>,
}

/// In thousandths of the width.
#[derive(Debug, Serialize)]
struct Bar {
    x: i64,
    width: i64,
    now: i64,
    class: &'static str,
    label: String,
}

impl Cards {
    /// Whether there is a card of this certificate.
    pub(in crate::output) fn show(&self, hash: &str) -> bool {
        self.cards.iter().any(|card| card.hash == hash)
    }
}

/// Where a certificate was met, by its SHA-256.
#[derive(Default)]
struct Met<'a> {
    brief: Option<&'a LeafBrief>,
    served: Vec<String>,
}

/// The cards; what failed stands first.
pub(in crate::output) fn cards(summary: &Summary, gathered: &Gathered) -> Cards {
    let met = met(summary);
    let mut known: Vec<_> = gathered
        .leaves()
        .filter_map(|(hash, leaf)| Some((hash, leaf, leaf.card.as_ref()?)))
        .collect();
    known.sort_by_key(|(hash, leaf, _)| (std::cmp::Reverse((leaf.failed, leaf.flows)), *hash));
    let seen = summary.span().map(|(first, last)| {
        let seconds = |nanos: i64| nanos.div_euclid(1_000_000_000);
        (seconds(first.as_nanos()), seconds(last.as_nanos()))
    });
    let hidden = u64::try_from(known.len().saturating_sub(MAX_CARDS)).unwrap_or(u64::MAX);
    let more = gathered.leaf_flows_left_out;
    let left_out = match (hidden, more) {
        (0, 0) => None,
        (hidden, 0) => Some(counted(hidden, "more certificate")),
        (hidden, more) => Some(format!(
            "{}, and those of {} beyond the number that is counted",
            counted(hidden, "more certificate"),
            counted(more, "flow")
        )),
    };
    let shown = known.into_iter().take(MAX_CARDS);
    Cards {
        cards: shown
            .map(|(hash, leaf, card)| one(hash, leaf, card, met.get(hash), seen))
            .collect(),
        left_out,
    }
}

fn met(summary: &Summary) -> BTreeMap<String, Met<'_>> {
    let mut met: BTreeMap<String, Met<'_>> = BTreeMap::new();
    for endpoint in &summary.endpoints {
        for row in &endpoint.rows {
            let Some(leaf) = &row.leaf else { continue };
            let met = met.entry(leaf.sha256.to_string()).or_default();
            // What one endpoint shows to be a default certificate is one.
            if met.brief.is_none_or(|known| !known.default && leaf.default) {
                met.brief = Some(leaf);
            }
            let asked = phrases::asked(row.sni, row.name.as_deref());
            let to = match row.sni {
                SniState::Name | SniState::IpLiteral => format!("for {asked}"),
                _ => asked,
            };
            met.served.push(format!("{} {to}", endpoint.server));
        }
    }
    met
}

fn one(
    hash: &str,
    leaf: &Leaf,
    card: &Card,
    met: Option<&Met<'_>>,
    seen: Option<(i64, i64)>,
) -> Shown {
    let own = card.chain.iter().find(|link| link.sha256 == hash);
    let first = own.or(card.chain.first());
    let subject = first.and_then(|first| first.subject.as_deref());
    let window = first.and_then(|first| Window::of(first, seen));
    let served = met.map(|met| met.served.as_slice()).unwrap_or_default();
    let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
    let mut about = counted(leaf.flows, "flow");
    match (leaf.flows, leaf.failed) {
        (_, 0) => {}
        (1, _) => about.push_str(", which failed"),
        (flows, failed) if flows == failed => about.push_str(", all of them failed"),
        (_, failed) => about.push_str(&format!(", {} of them failed", number(failed))),
    }
    let names_hidden = count(card.names_count.saturating_sub(card.names.len()));
    let served_hidden = count(served.len().saturating_sub(MAX_SERVED));
    let chain_hidden = count(
        card.chain_count
            .saturating_sub(MAX_LINKS.min(card.chain.len())),
    );
    Shown {
        hash: hash.to_owned(),
        title: card
            .common_name
            .clone()
            .or_else(|| card.names.first().cloned())
            .or_else(|| subject.map(str::to_owned))
            .unwrap_or_else(|| "(no subject)".to_owned()),
        marks: marks(first, met.and_then(|met| met.brief), seen),
        about,
        chain: card
            .chain
            .iter()
            .take(MAX_LINKS)
            .map(|link| shown_link(link, link.sha256 == hash, window.as_ref()))
            .collect(),
        chain_left_out: (chain_hidden > 0).then(|| counted(chain_hidden, "more certificate")),
        facts: facts(card, first),
        names: card.names.clone(),
        names_left_out: (names_hidden > 0).then(|| counted(names_hidden, "more name")),
        served: served.iter().take(MAX_SERVED).cloned().collect(),
        served_left_out: (served_hidden > 0).then(|| counted(served_hidden, "more place")),
    }
}

fn marks(first: Option<&Link>, brief: Option<&LeafBrief>, seen: Option<(i64, i64)>) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut mark = |text: String, class| marks.push(Mark { text, class });
    if let Some(text) = brief.and_then(phrases::default_mark) {
        mark(text, Severity::High.as_str());
    }
    let Some(first) = first else { return marks };
    if let (Some(begin), Some((_, last))) = (&first.begin, seen)
        && last < begin.seconds
    {
        mark("not yet valid".to_owned(), Severity::High.as_str());
    }
    if let (Some(end), Some((begin, last))) = (&first.end, seen) {
        if begin > end.seconds {
            mark("expired".to_owned(), Severity::High.as_str());
        } else if end.seconds.saturating_sub(last) < SOON {
            mark("ends within 14 days".to_owned(), Severity::Medium.as_str());
        }
    }
    if first.self_signed == Some(true) {
        mark("self-signed".to_owned(), Severity::Medium.as_str());
    }
    if first.malformed {
        mark("malformed".to_owned(), Severity::Medium.as_str());
    }
    marks
}

fn facts(card: &Card, first: Option<&Link>) -> Vec<(&'static str, String)> {
    let facts = [
        ("Subject", first.and_then(|first| first.subject.clone())),
        ("Issuer", first.and_then(|first| first.issuer.clone())),
        ("Key", card.key.clone()),
        ("Signature", card.signature.clone()),
        ("Serial", card.serial.clone()),
    ];
    facts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}

fn shown_link(link: &Link, is_own: bool, window: Option<&Window>) -> ShownLink {
    let role = match (is_own, link.ca, link.self_signed) {
        (true, _, _) => "server",
        (_, Some(true), Some(true)) => "root",
        (_, Some(true), _) => "intermediate",
        _ => "sent too",
    };
    let text = |moment: Option<&Moment>| {
        moment.map_or_else(|| "?".to_owned(), |moment| moment.text.clone())
    };
    let valid = format!(
        "{} to {}",
        text(link.begin.as_ref()),
        text(link.end.as_ref())
    );
    ShownLink {
        title: link
            .subject
            .clone()
            .unwrap_or_else(|| "(no subject)".to_owned()),
        role,
        hash: link.sha256.clone(),
        bar: window.and_then(|window| window.bar(link, &valid)),
        valid,
    }
}

/// The time that the bars of a card show: the validity of the server's certificate, and the capture.
struct Window {
    from: i64,
    to: i64,
    seen: i64,
}

impl Window {
    fn of(first: &Link, seen: Option<(i64, i64)>) -> Option<Self> {
        let (begin, end) = (first.begin.as_ref()?.seconds, first.end.as_ref()?.seconds);
        let (seen, _) = seen?;
        let from = begin.min(end).min(seen);
        let to = begin.max(end).max(seen);
        let margin = (to.saturating_sub(from) / 16).max(1);
        Some(Self {
            from: from.saturating_sub(margin),
            to: to.saturating_add(margin),
            seen,
        })
    }

    /// Where a time stands, in thousandths of the width; at the edge where it lies outside.
    fn place(&self, seconds: i64) -> i64 {
        let from = seconds.clamp(self.from, self.to).saturating_sub(self.from);
        let all = i128::from(self.to.saturating_sub(self.from)).max(1);
        let place = i128::from(from).saturating_mul(1000).checked_div(all);
        place
            .and_then(|place| i64::try_from(place).ok())
            .unwrap_or(0)
    }

    fn bar(&self, link: &Link, valid: &str) -> Option<Bar> {
        let (begin, end) = (link.begin.as_ref()?.seconds, link.end.as_ref()?.seconds);
        let is_valid = (begin..=end).contains(&self.seen);
        let (x, to) = (self.place(begin), self.place(end));
        let state = if is_valid {
            "valid when it was captured"
        } else if self.seen > end {
            "expired when it was captured"
        } else {
            "not yet valid when it was captured"
        };
        Some(Bar {
            x,
            width: to.saturating_sub(x).max(4),
            now: self.place(self.seen),
            class: if is_valid { "b-ok" } else { "b-bad" },
            label: format!("{valid}, {state}"),
        })
    }
}

const MAX_CARDS: usize = 48;
const MAX_LINKS: usize = 6;
const MAX_SERVED: usize = 8;
/// What ends so soon is worth a word, in seconds.
const SOON: i64 = 14 * 86_400;
