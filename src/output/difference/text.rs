//! A comparison for a person at a terminal.

use crate::comparison::{Comparison, Presence, Rates, ServerChange, SideTotal};
use crate::output::difference::words;
use crate::output::phrases;
use crate::output::text::{Page, counted, number};
use crate::report::Severity;

/// The comparison as text of 80 columns.
pub(in crate::output) fn text(comparison: &Comparison, color: bool) -> Vec<u8> {
    let mut page = Page::new(WIDTH, color);
    page.paragraph(0, &words::headline(comparison));
    page.gap();
    side(&mut page, "before  ", &comparison.before);
    side(&mut page, "after   ", &comparison.after);
    if comparison.has_changes() {
        page.heading("WHAT CHANGED");
    }
    for change in comparison.servers.iter().take(MAX_SERVERS) {
        server(&mut page, change);
    }
    let hidden = count(comparison.servers.len().saturating_sub(MAX_SERVERS));
    if hidden > 0 {
        page.gap();
        let more = counted(hidden, "more server");
        page.paragraph(0, &format!("And {more}: see the JSON document."));
    }
    page.gap();
    if comparison.servers_unchanged > 0 {
        let same = counted(comparison.servers_unchanged, "server");
        page.paragraph(0, &format!("The same in both: {same}."));
    }
    if comparison.flows_left_out > 0 {
        let flows = counted(comparison.flows_left_out, "flow");
        page.paragraph(
            0,
            &format!("Not compared, since there are too many servers: {flows}."),
        );
    }
    page.into_bytes()
}

fn side(page: &mut Page, mark: &str, total: &SideTotal) {
    page.item(0, mark, &total.name);
    page.paragraph(MARGIN, &counts(&total.flows));
}

fn counts(rates: &Rates) -> String {
    let told = rates.each().into_iter().filter(|(_, count)| *count > 0);
    let told: Vec<_> = told
        .map(|(words, count)| format!("{} {words}", number(count)))
        .collect();
    let flows = counted(rates.tls, "TLS flow");
    if told.is_empty() {
        flows
    } else {
        format!("{flows}: {}", told.join(", "))
    }
}

fn server(page: &mut Page, change: &ServerChange) {
    page.gap();
    page.paragraph(0, &format!("{}: {}", change.server, words::effect(change)));
    let sides = [
        (Presence::New, "before: ", &change.before),
        (Presence::Lost, "after:  ", &change.after),
    ];
    for (absent, mark, rates) in sides {
        if change.presence != absent {
            page.item(
                2,
                mark,
                &format!("{}; {}", words::failed(rates), counts(rates)),
            );
        }
    }
    for verdict in &change.verdicts {
        if verdict.severity > Severity::Info {
            let mark = match words::came_or_went(verdict.before, verdict.after) {
                "" => "  ".to_owned(),
                word => format!("{word} "),
            };
            let (before, after) = (number(verdict.before), number(verdict.after));
            let text = format!("{} ({}): {before} -> {after}", verdict.id, verdict.severity);
            page.item(2, &format!("{mark:<5}"), &text);
        }
    }
    for name in change.names.iter().take(MAX_NAMES) {
        if change.presence == Presence::Both {
            let mark = if name.presence == Presence::New {
                "new  "
            } else {
                "gone "
            };
            let asked = phrases::asked(name.sni, name.name.as_deref());
            page.item(
                2,
                mark,
                &format!("asked for {asked}: {}", counts(&name.flows)),
            );
        }
    }
    more(page, change.names.len(), "more name");
    for other in change.certificates.iter().take(MAX_NAMES) {
        let asked = phrases::asked(other.sni, other.name.as_deref());
        page.paragraph(2, &format!("another certificate for {asked}:"));
        for (mark, leaves) in [("before: ", &other.before), ("after:  ", &other.after)] {
            for leaf in leaves {
                page.item(4, mark, &words::leaf(leaf));
            }
        }
    }
    more(
        page,
        change.certificates.len(),
        "more name with another certificate",
    );
}

fn more(page: &mut Page, len: usize, what: &str) {
    let hidden = count(len.saturating_sub(MAX_NAMES));
    if hidden > 0 {
        page.paragraph(2, &format!("and {} {what}(s)", number(hidden)));
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

const WIDTH: usize = 80;
const MARGIN: usize = 8;
const MAX_SERVERS: usize = 40;
const MAX_NAMES: usize = 12;
