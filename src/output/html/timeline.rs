//! When the flows began, and what became of them: counts in slots of time that grow with the capture.
//!
//! The width of a slot is the smallest of a ladder with which all flows fit; each rung divides the
//! next, so slots can be joined. Which rung it is depends on the flows alone, not on their order.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::output::html::fate::{Fate, Fates};
use crate::output::text::{counted, number};
use crate::report::Time;

/// Counts over time, in at most [`MAX_SLOTS`] slots.
#[derive(Debug, Default)]
pub(in crate::output) struct Timeline {
    rung: usize,
    /// By the number of the slot since 1970.
    slots: BTreeMap<i64, Fates>,
}

/// What the page shows of it.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Chart {
    /// Width of the drawing, in its own units; its height is 100.
    width: usize,
    bars: Vec<Bar>,
    rows: Vec<ChartRow>,
    /// The fates that occur, as heads of the table and as legend.
    fates: Vec<FateHead>,
    most: String,
    from: String,
    to: String,
    /// `100 ms`.
    step: &'static str,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    label: String,
    parts: Vec<Part>,
}

/// A rectangle; the numbers are in the units of the drawing.
#[derive(Debug, Serialize)]
struct Part {
    class: &'static str,
    x: String,
    y: String,
    height: String,
}

#[derive(Debug, Serialize)]
struct ChartRow {
    time: String,
    counts: Vec<String>,
    total: String,
}

#[derive(Debug, Serialize)]
struct FateHead {
    class: &'static str,
    words: &'static str,
    count: String,
}

impl Timeline {
    /// Enters a flow that began so many nanoseconds after 1970.
    pub(in crate::output) fn enter(&mut self, at: i64, fate: Fate) {
        let slot = at.div_euclid(self.step().0);
        self.slots.entry(slot).or_default().count(fate);
        while self
            .span()
            .is_some_and(|(first, last)| last.saturating_sub(first) >= MAX_SLOTS)
        {
            self.climb();
        }
    }

    fn step(&self) -> (i64, &'static str) {
        LADDER.get(self.rung).copied().unwrap_or(TOP)
    }

    fn span(&self) -> Option<(i64, i64)> {
        Some((
            *self.slots.first_key_value()?.0,
            *self.slots.last_key_value()?.0,
        ))
    }

    /// Joins slots to those of the next rung.
    fn climb(&mut self) {
        let (narrow, _) = self.step();
        self.rung = self.rung.saturating_add(1);
        let (wide, _) = self.step();
        let factor = wide.checked_div(narrow).unwrap_or(1).max(2);
        let mut joined: BTreeMap<i64, Fates> = BTreeMap::new();
        for (slot, fates) in std::mem::take(&mut self.slots) {
            joined
                .entry(slot.div_euclid(factor))
                .or_default()
                .add(fates);
        }
        self.slots = joined;
    }

    /// The picture and its numbers; `None` where there is no flow.
    pub(in crate::output) fn chart(&self) -> Option<Chart> {
        let (first, last) = self.span()?;
        let (step, words) = self.step();
        let mut all = Fates::default();
        for fates in self.slots.values() {
            all.add(*fates);
        }
        let most = self.slots.values().map(|fates| fates.total()).max()?.max(1);
        let shown = (last.saturating_sub(first).saturating_add(1)).max(MIN_SLOTS);
        let mut bars = Vec::new();
        let mut rows = Vec::new();
        let start = |slot: i64| Time::from_unix_nanos(slot.saturating_mul(step));
        let has_one_day = start(first).date() == start(last).date();
        for (slot, fates) in &self.slots {
            let x = slot.saturating_sub(first).saturating_mul(SLOT_WIDTH);
            let time = moment(start(*slot), step, has_one_day);
            bars.push(bar(x, &time, *fates, most));
            let counts = fates.iter().filter(|(fate, _)| occurs(all, *fate));
            rows.push(ChartRow {
                counts: counts.map(|(_, count)| number(count)).collect(),
                total: number(fates.total()),
                time,
            });
        }
        let fates: Vec<_> = all
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(fate, count)| FateHead {
                class: fate.class(),
                words: fate.words(),
                count: number(count),
            })
            .collect();
        let told: Vec<_> = fates
            .iter()
            .map(|head| format!("{} {}", head.count, head.words))
            .collect();
        let end = start(first.saturating_add(shown));
        Some(Chart {
            width: usize::try_from(shown.saturating_mul(SLOT_WIDTH)).unwrap_or(0),
            bars,
            rows,
            fates,
            most: number(most),
            from: format!(
                "{} {}",
                start(first).date(),
                moment(start(first), step, true)
            ),
            to: format!("{} {}", end.date(), moment(end, step, true)),
            step: words,
            summary: format!(
                "{} from {} to {} UTC in steps of {words}: {}.",
                counted(all.total(), "flow"),
                in_words(start(first)),
                in_words(end),
                told.join(", "),
            ),
        })
    }
}

fn occurs(all: Fates, fate: Fate) -> bool {
    all.iter().any(|(known, count)| known == fate && count > 0)
}

fn bar(x: i64, time: &str, fates: Fates, most: u64) -> Bar {
    let mut below = 0_u64;
    let mut parts = Vec::new();
    let mut told = Vec::new();
    for (fate, count) in fates.iter().filter(|(_, count)| *count > 0) {
        let top = below.saturating_add(count);
        let (from, to) = (level(below, most), level(top, most));
        parts.push(Part {
            class: fate.class(),
            x: x.to_string(),
            y: thousandths(100_000_u64.saturating_sub(to)),
            height: thousandths(to.saturating_sub(from)),
        });
        below = top;
        told.push(format!("{} {}", number(count), fate.words()));
    }
    Bar {
        label: format!("{time}: {}", told.join(", ")),
        parts,
    }
}

/// How high a count stands, in thousandths of a hundredth of the height.
fn level(count: u64, most: u64) -> u64 {
    let level = u128::from(count)
        .saturating_mul(100_000)
        .checked_div(u128::from(most))
        .unwrap_or(0);
    u64::try_from(level).unwrap_or(100_000)
}

fn thousandths(value: u64) -> String {
    format!("{}.{:03}", value / 1000, value % 1000)
}

/// A time as exact as the step needs it, with its date where there are several.
fn moment(time: Time, step: i64, has_one_day: bool) -> String {
    let whole = time.time_of_day();
    let len = match step {
        _ if step >= DAY => 0,
        _ if step >= MINUTE => 5,
        _ if step >= SECOND => 8,
        _ => 12,
    };
    let clock = whole.get(..len).unwrap_or(&whole);
    match (has_one_day, clock.is_empty()) {
        (true, _) => clock.to_owned(),
        (false, true) => time.date(),
        (false, false) => format!("{} {clock}", time.date()),
    }
}

/// To the second, without the letters of a standard.
fn in_words(time: Time) -> String {
    format!("{} {}", time.date(), time.to_seconds().time_of_day())
}

const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1000 * MILLI;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Widths of a slot; each divides the next.
const LADDER: [(i64, &str); 19] = [
    (MILLI, "1 ms"),
    (5 * MILLI, "5 ms"),
    (10 * MILLI, "10 ms"),
    (50 * MILLI, "50 ms"),
    (100 * MILLI, "100 ms"),
    (500 * MILLI, "500 ms"),
    (SECOND, "1 s"),
    (5 * SECOND, "5 s"),
    (10 * SECOND, "10 s"),
    (30 * SECOND, "30 s"),
    (MINUTE, "1 min"),
    (5 * MINUTE, "5 min"),
    (10 * MINUTE, "10 min"),
    (30 * MINUTE, "30 min"),
    (HOUR, "1 h"),
    (6 * HOUR, "6 h"),
    (DAY, "1 day"),
    (10 * DAY, "10 days"),
    (100 * DAY, "100 days"),
];
/// With it, the 584 years that a time can be in have 22 slots.
const TOP: (i64, &str) = (10_000 * DAY, "10,000 days");
/// Bars of a picture.
const MAX_SLOTS: i64 = 72;
/// Fewer would give bars as broad as a page.
const MIN_SLOTS: i64 = 24;
/// A bar of 10 units, with 2 between bars.
const SLOT_WIDTH: i64 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_divides_the_next() {
        for pair in LADDER.windows(2) {
            assert_eq!(pair[1].0 % pair[0].0, 0, "{pair:?}");
        }
        assert_eq!(TOP.0 % LADDER[LADDER.len() - 1].0, 0);
    }

    #[test]
    fn the_picture_does_not_depend_on_the_order_and_stays_small() {
        let times: Vec<i64> = (0..5000).map(|n| n * n * 7_919_000 - 3 * DAY).collect();
        let mut there = Timeline::default();
        let mut back = Timeline::default();
        for (at, again) in times.iter().zip(times.iter().rev()) {
            there.enter(*at, Fate::Completed);
            back.enter(*again, Fate::Completed);
        }
        assert_eq!(there.slots, back.slots);
        assert!(there.slots.len() <= 72);
        let total: u64 = there.slots.values().map(|fates| fates.total()).sum();
        assert_eq!(total, 5000);
    }

    #[test]
    fn the_ends_of_time_fit_on_one_picture() {
        let mut timeline = Timeline::default();
        timeline.enter(i64::MIN, Fate::NotJudged);
        timeline.enter(i64::MAX, Fate::Completed);
        let chart = timeline.chart().unwrap();
        assert_eq!(chart.bars.len(), 2);
        assert_eq!(chart.step, "10,000 days");
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_of_the_highest() {
        let mut timeline = Timeline::default();
        for _ in 0..3 {
            timeline.enter(0, Fate::Completed);
        }
        timeline.enter(0, Fate::RejectedByClient);
        timeline.enter(2 * SECOND, Fate::Completed);
        timeline.enter(2 * SECOND, Fate::Completed);
        let chart = timeline.chart().unwrap();
        let shape: Vec<_> = chart.bars[0]
            .parts
            .iter()
            .map(|part| (part.class, part.y.as_str(), part.height.as_str()))
            .collect();
        assert_eq!(
            shape,
            [
                ("f-ok", "25.000", "75.000"),
                ("f-client", "0.000", "25.000")
            ]
        );
        assert_eq!(chart.bars[1].parts[0].height, "50.000");
        assert_eq!(
            chart.bars[0].label,
            "00:00:00.000: 3 completed, 1 rejected by the client"
        );
    }
}
