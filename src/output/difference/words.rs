//! The sentences about a comparison: the same in the text and on the page.

use crate::comparison::{Comparison, Effect, LeafSeen, Presence, Rates, ServerChange};
use crate::output::text::{counted, number};
use crate::report::Severity;

/// The answer in one or two sentences.
pub(in crate::output) fn headline(comparison: &Comparison) -> String {
    let (before, after) = (&comparison.before.flows, &comparison.after.flows);
    let (came, went) = comparison
        .servers
        .iter()
        .flat_map(|server| &server.verdicts)
        .filter(|verdict| verdict.severity > Severity::Info)
        .fold((0_u64, 0_u64), |(came, went), verdict| {
            match (verdict.before, verdict.after) {
                (0, _) => (came.saturating_add(1), went),
                (_, 0) => (came, went.saturating_add(1)),
                _ => (came, went),
            }
        });
    let answer = match (comparison.effect, comparison.clear) {
        (Effect::Better, true) if came > 0 => "Better, and yet there are new faults",
        (Effect::Better, true) => "Better",
        (Effect::Better, false) => "A smaller share fails, maybe by chance",
        (Effect::Worse, true) => "Worse",
        (Effect::Worse, false) => "A larger share fails, maybe by chance",
        (Effect::Same, _) => "The same share fails",
        _ => "It cannot be said whether it helped",
    };
    let mut text = format!(
        "{answer}: before, {}; after, {}.",
        failed(before),
        failed(after)
    );
    if went > 0 {
        text.push_str(&format!(" Gone: {}.", counted(went, "fault")));
    }
    if came > 0 {
        text.push_str(&format!(" New: {}.", counted(came, "fault")));
    }
    if !comparison.has_changes() {
        text.push_str(" Nothing changed at any server.");
    }
    text
}

/// `3 of 5 failed (60.0%)`.
pub(in crate::output) fn failed(rates: &Rates) -> String {
    match rates.failed_permille() {
        None => "no flow could be judged".to_owned(),
        Some(share) => format!(
            "{} of {} failed ({}.{}%)",
            number(rates.failed()),
            number(rates.judged()),
            share / 10,
            share % 10
        ),
    }
}

/// What became of a server.
pub(in crate::output) fn effect(change: &ServerChange) -> &'static str {
    match (change.presence, change.effect, change.clear) {
        (Presence::New, _, _) => "only after",
        (Presence::Lost, _, _) => "only before",
        (_, Effect::Better, true) => "better",
        (_, Effect::Better, false) => "better, maybe by chance",
        (_, Effect::Worse, true) => "worse",
        (_, Effect::Worse, false) => "worse, maybe by chance",
        (_, Effect::Same, _) => "as before",
        _ => "not to be said",
    }
}

/// A certificate in few words.
pub(in crate::output) fn leaf(leaf: &LeafSeen) -> String {
    let subject = leaf.subject.as_deref().unwrap_or("(no subject)");
    let until = leaf.not_after.as_deref().and_then(|time| time.get(..10));
    let until = until
        .map(|date| format!(", until {date}"))
        .unwrap_or_default();
    let hash = leaf.sha256.get(..12).unwrap_or(&leaf.sha256);
    format!("{subject}{until}, sha256 {hash}…")
}

/// `new`, `gone`, or nothing for what is on both sides.
pub(in crate::output) const fn came_or_went(before: u64, after: u64) -> &'static str {
    match (before, after) {
        (0, _) => "new",
        (_, 0) => "gone",
        _ => "",
    }
}
