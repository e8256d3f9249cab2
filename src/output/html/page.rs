//! All that stands on the page, ready to be put into the template.

use serde::Serialize;

use crate::output::html::cards::{Cards, cards};
use crate::output::html::causes::{Cause, causes};
use crate::output::html::digest::Row;
use crate::output::html::fate::Fate;
use crate::output::html::gathered::{Gathered, MAX_ALIKE};
use crate::output::html::reading::{Read, Unseen, read, unseen};
use crate::output::html::servers::{Side, sides};
use crate::output::html::timeline::Chart;
use crate::output::text::{counted, headline, number, span};
use crate::report::{Severity, Summary};

/// The page.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Page<'a> {
    title: String,
    subject: String,
    when: Option<String>,
    headline: String,
    is_failing: bool,
    numbers: Vec<Figure>,
    causes: Vec<Cause>,
    causes_left_out: Option<String>,
    chart: Option<Chart>,
    sides: Vec<Side>,
    servers_left_out: Option<String>,
    cards: Cards,
    rows: &'a [Row],
    rows_total: String,
    rows_left_out: Option<String>,
    has_several_files: bool,
    unseen: Unseen,
    read: Read,
}

/// A number that stands out.
#[derive(Debug, Serialize)]
struct Figure {
    count: String,
    words: &'static str,
    class: &'static str,
}

impl<'a> Page<'a> {
    pub(in crate::output) fn new(summary: &Summary, gathered: &'a Gathered) -> Self {
        let subject = subject(summary);
        let servers = summary.endpoints_left_out;
        let groups = summary.findings_left_out;
        let rows = gathered.rows.as_slice();
        let first_file = rows.first().map(|row| row.file.as_str());
        let left_out = gathered.rows_left_out;
        let cards = cards(summary, gathered);
        Self {
            title: format!("TLS triage: {subject}"),
            subject,
            when: summary.span().map(|(first, last)| span(first, last)),
            headline: headline(summary),
            is_failing: summary.highest_severity() > Some(Severity::Info),
            numbers: figures(summary, gathered),
            causes: causes(&summary.findings),
            causes_left_out: (groups > 0).then(|| counted(groups, "more finding")),
            chart: gathered.timeline.chart(),
            sides: sides(summary, &cards),
            servers_left_out: (servers > 0).then(|| counted(servers, "more server")),
            cards,
            rows,
            rows_total: counted(summary.flows.flagged, "flow"),
            rows_left_out: (left_out > 0).then(|| {
                format!(
                    "{} not shown here: of each verdict at each server the first {MAX_ALIKE} stand \
                     for the others. The JSON lines have all of them.",
                    counted(left_out, "more flagged flow")
                )
            }),
            has_several_files: rows.iter().any(|row| Some(row.file.as_str()) != first_file),
            unseen: unseen(summary, gathered),
            read: read(summary),
        }
    }
}

/// What was read, in few words.
fn subject(summary: &Summary) -> String {
    let name = |name: &str| match name {
        "-" => "standard input".to_owned(),
        name => name
            .rsplit(['/', '\\'])
            .find(|part| !part.is_empty())
            .unwrap_or(name)
            .to_owned(),
    };
    match summary.inputs.as_slice() {
        [] => "nothing was read".to_owned(),
        [only] => name(&only.name),
        [first, rest @ ..] => {
            let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX);
            format!("{} and {}", name(&first.name), counted(rest, "more input"))
        }
    }
}

fn figures(summary: &Summary, gathered: &Gathered) -> Vec<Figure> {
    let flows = Figure {
        count: number(summary.flows.tls),
        words: if summary.flows.tls == 1 {
            "TLS flow"
        } else {
            "TLS flows"
        },
        class: "",
    };
    let fates = gathered
        .fates
        .iter()
        .filter(|(fate, count)| *count > 0 || *fate == Fate::Completed);
    let fates = fates.map(|(fate, count)| Figure {
        count: number(count),
        words: fate.words(),
        class: fate.class(),
    });
    std::iter::once(flows).chain(fates).collect()
}
