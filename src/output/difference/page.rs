//! A comparison as one page.

use std::io;

use serde::Serialize;

use crate::comparison::{
    CertificateChange, Comparison, Effect, NameChange, Presence, Rates, ServerChange,
};
use crate::output::difference::words;
use crate::output::html::difference;
use crate::output::phrases;
use crate::output::text::{counted, number};
use crate::report::Severity;

/// All that stands on the page.
#[derive(Debug, Serialize)]
struct Page {
    headline: String,
    class: &'static str,
    before: String,
    after: String,
    rates: Vec<Row>,
    servers: Vec<Server>,
    notes: Vec<String>,
}

/// How many flows ended in a way, before and after.
#[derive(Debug, Serialize)]
struct Row {
    words: &'static str,
    before: String,
    after: String,
}

#[derive(Debug, Serialize)]
struct Server {
    address: String,
    effect: &'static str,
    class: &'static str,
    before: Option<Share>,
    after: Option<Share>,
    rates: Vec<Row>,
    verdicts: Vec<Verdict>,
    names: Vec<Name>,
    certificates: Vec<Certificate>,
}

/// The share that failed, as a bar of a thousand.
#[derive(Debug, Serialize)]
struct Share {
    words: String,
    failed: u64,
    is_judged: bool,
}

#[derive(Debug, Serialize)]
struct Verdict {
    id: String,
    severity: &'static str,
    word: &'static str,
    before: String,
    after: String,
}

#[derive(Debug, Serialize)]
struct Name {
    word: &'static str,
    asked: String,
    failed: String,
}

#[derive(Debug, Serialize)]
struct Certificate {
    asked: String,
    before: Vec<String>,
    after: Vec<String>,
}

/// The page about a comparison.
pub(in crate::output) fn page(comparison: &Comparison) -> io::Result<String> {
    let mut notes = Vec::new();
    let hidden = count(comparison.servers.len().saturating_sub(MAX_SERVERS));
    if hidden > 0 {
        notes.push(format!(
            "{} not shown here.",
            counted(hidden, "more server that changed")
        ));
    }
    if comparison.servers_unchanged > 0 {
        let same = counted(comparison.servers_unchanged, "server");
        notes.push(format!("The same in both: {same}."));
    }
    if comparison.flows_left_out > 0 {
        let flows = counted(comparison.flows_left_out, "flow");
        notes.push(format!(
            "Not compared, since there are too many servers: {flows}."
        ));
    }
    difference(&Page {
        headline: words::headline(comparison),
        class: class(comparison.effect, comparison.clear, comparison.is_worse()),
        before: comparison.before.name.clone(),
        after: comparison.after.name.clone(),
        rates: rows(&comparison.before.flows, &comparison.after.flows),
        servers: comparison
            .servers
            .iter()
            .take(MAX_SERVERS)
            .map(server)
            .collect(),
        notes,
    })
}

fn server(change: &ServerChange) -> Server {
    Server {
        address: change.server.to_string(),
        effect: words::effect(change),
        class: class(change.effect, change.clear, false),
        before: (change.presence != Presence::New).then(|| share(&change.before)),
        after: (change.presence != Presence::Lost).then(|| share(&change.after)),
        rates: rows(&change.before, &change.after),
        verdicts: change
            .verdicts
            .iter()
            .filter(|verdict| verdict.severity > Severity::Info)
            .map(|verdict| Verdict {
                id: verdict.id.clone(),
                severity: verdict.severity.as_str(),
                word: words::came_or_went(verdict.before, verdict.after),
                before: number(verdict.before),
                after: number(verdict.after),
            })
            .collect(),
        names: if change.presence == Presence::Both {
            change.names.iter().take(MAX_NAMES).map(name).collect()
        } else {
            Vec::new()
        },
        certificates: change
            .certificates
            .iter()
            .take(MAX_NAMES)
            .map(certificate)
            .collect(),
    }
}

fn rows(before: &Rates, after: &Rates) -> Vec<Row> {
    before
        .each()
        .into_iter()
        .zip(after.each())
        .filter(|((_, was), (_, is))| *was > 0 || *is > 0)
        .map(|((words, was), (_, is))| Row {
            words,
            before: number(was),
            after: number(is),
        })
        .collect()
}

fn share(rates: &Rates) -> Share {
    let failed = rates.failed_permille();
    Share {
        words: words::failed(rates),
        failed: failed.unwrap_or(0),
        is_judged: failed.is_some(),
    }
}

fn name(change: &NameChange) -> Name {
    Name {
        word: if change.presence == Presence::New {
            "new"
        } else {
            "gone"
        },
        asked: phrases::asked(change.sni, change.name.as_deref()),
        failed: words::failed(&change.flows),
    }
}

fn certificate(change: &CertificateChange) -> Certificate {
    Certificate {
        asked: phrases::asked(change.sni, change.name.as_deref()),
        before: change.before.iter().map(words::leaf).collect(),
        after: change.after.iter().map(words::leaf).collect(),
    }
}

/// How it is coloured: what may be chance is neither good nor bad.
const fn class(effect: Effect, is_clear: bool, is_worse: bool) -> &'static str {
    match (effect, is_clear, is_worse) {
        (_, _, true) | (Effect::Worse, true, _) => "worse",
        (Effect::Better, true, _) => "better",
        _ => "same",
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

const MAX_SERVERS: usize = 200;
const MAX_NAMES: usize = 40;
