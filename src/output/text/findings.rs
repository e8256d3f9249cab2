//! What was found: each cause once, with where it was met, where to look it up, and what to do.

use std::collections::BTreeSet;

use crate::output::phrases;
use crate::output::text::page::Page;
use crate::output::text::shown::{clean, counted, number, span, squeezed};
use crate::report::{ExpectedMessage, FindingGroup, FlowReference, Summary};

/// Writes the findings, most severe first.
///
/// The cause that `story` is about stands above them already.
pub(in crate::output) fn findings(
    page: &mut Page,
    summary: &Summary,
    story: Option<&FindingGroup>,
) {
    if summary.findings.is_empty() {
        return;
    }
    page.heading("FINDINGS");
    let causes = causes(&summary.findings);
    let names = Names::of(summary);
    for groups in causes.iter().take(MAX_CAUSES) {
        let is_told = groups.first().map(|first| first.id) == story.map(|story| story.id);
        cause(page, groups, names, is_told);
    }
    let hidden = causes.len().saturating_sub(MAX_CAUSES);
    if hidden > 0 {
        let hidden = u64::try_from(hidden).unwrap_or(u64::MAX);
        page.gap();
        page.paragraph(0, &format!("And {} more.", counted(hidden, "cause")));
    }
    if summary.findings_left_out > 0 {
        let more = counted(summary.findings_left_out, "more finding");
        page.gap();
        page.paragraph(0, &format!("And {more}, which a limit on memory cut off."));
    }
}

/// The groups by cause, the worst cause first; within a cause the order stays.
pub(in crate::output) fn causes(findings: &[FindingGroup]) -> Vec<Vec<&FindingGroup>> {
    let mut causes: Vec<Vec<&FindingGroup>> = Vec::new();
    for finding in findings {
        let same = |groups: &&mut Vec<&FindingGroup>| {
            groups.first().is_some_and(|first| {
                (first.id, first.severity, first.confidence)
                    == (finding.id, finding.severity, finding.confidence)
            })
        };
        // There are as many causes as kinds of verdict: a few dozen.
        match causes.iter_mut().find(same) {
            Some(groups) => groups.push(finding),
            None => causes.push(vec![finding]),
        }
    }
    let flows = |groups: &[&FindingGroup]| {
        let count = groups.iter().map(|group| group.flows);
        count.fold(0, u64::saturating_add)
    };
    causes.sort_by_key(|groups| {
        let severity = groups.first().map(|group| group.severity);
        std::cmp::Reverse((severity, flows(groups)))
    });
    causes
}

fn cause(page: &mut Page, groups: &[&FindingGroup], names: Names, is_told: bool) {
    let Some(first) = groups.first() else { return };
    page.gap();
    page.finding(first.severity, first.title);
    let confidence = first.confidence;
    page.paragraph(INDENT, &format!("{}, confidence {confidence}", first.id));
    for group in groups.iter().take(MAX_PLACES) {
        page.gap();
        place(page, group, groups.len() > 1, names);
    }
    let hidden = groups.iter().skip(MAX_PLACES);
    let (places, flows) = hidden.fold((0_u64, 0_u64), |(places, flows), group| {
        (places.saturating_add(1), flows.saturating_add(group.flows))
    });
    if places > 0 {
        let (places, flows) = (counted(places, "more server"), counted(flows, "flow"));
        page.gap();
        page.paragraph(INDENT, &format!("and {places} with {flows}"));
    }
    if let Some(cause) = first.cause.as_deref().filter(|_| !is_told) {
        page.gap();
        page.paragraph(INDENT, &format!("Likely cause: {cause}"));
    }
    what_to_do(page, first);
}

fn place(page: &mut Page, group: &FindingGroup, one_of_many: bool, names: Names) {
    let name = group.server_name.as_deref();
    let name = name.map_or(String::new(), |name| format!(" ({})", short(name)));
    let flows = counted(group.flows, "flow");
    let when = span(group.first, group.last);
    page.paragraph(INDENT, &format!("{}{name}: {flows}, {when}", group.server));
    page.paragraph(DEEPER, &group.reason);
    for caller in phrases::callers(group) {
        page.item(DEEPER, "- ", &caller);
    }
    let shown = if one_of_many { 2 } else { MAX_EXAMPLES };
    let dated = group.first.date() != group.last.date();
    let mut told = 0;
    for flow in group.evidence.iter().take(shown) {
        page.item(DEEPER, "> ", &example(flow, dated, names));
        told += 1;
    }
    let rest = group.flows.saturating_sub(told);
    if told > 0 && rest > 0 {
        let verdict = group.id;
        page.item(
            DEEPER,
            "> ",
            &format!("and {} more with {verdict} in the JSON lines", number(rest)),
        );
    }
}

/// How the files of a run are named where a flow can be looked up.
#[derive(Clone, Copy)]
enum Names {
    /// By the end of their path: no two are the same, and the paths stand under what was read.
    Short,
    /// By their whole path.
    Whole,
}

impl Names {
    fn of(summary: &Summary) -> Self {
        let mut known = BTreeSet::new();
        let mut names = summary.inputs.iter().map(|input| last_part(&input.name));
        if names.all(|name| known.insert(name)) {
            Self::Short
        } else {
            Self::Whole
        }
    }

    fn show(self, file: &str) -> &str {
        match self {
            Self::Short => last_part(file),
            Self::Whole => file,
        }
    }
}

/// What stands behind the last separator of a path, on any system.
fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\'])
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or(path)
}

/// A name on a line that has to say more than the name.
fn short(name: &str) -> String {
    squeezed(&clean(name), MAX_NAME)
}

/// Where Wireshark shows the flow.
fn example(flow: &FlowReference, dated: bool, names: Names) -> String {
    let time = flow.time.time_of_day();
    let time = if dated {
        format!("{} {time}", flow.time.date())
    } else {
        time
    };
    format!(
        "{} frames {}-{}, {time}, from {}",
        short(names.show(&flow.file)),
        flow.first_frame,
        flow.last_frame,
        flow.client
    )
}

fn what_to_do(page: &mut Page, group: &FindingGroup) {
    if !group.fix.is_empty() {
        page.gap();
        page.paragraph(INDENT, "What to do:");
        let only = group.fix.len() == 1;
        for (at, step) in (1_u64..).zip(&group.fix) {
            let mark = if only {
                "- ".to_owned()
            } else {
                format!("{at}. ")
            };
            page.item(DEEPER, &mark, step);
        }
    }
    portal(page, &group.expected_message);
}

/// What the operator of a gateway probably reads.
fn portal(page: &mut Page, messages: &[ExpectedMessage]) {
    for (intro, message) in phrases::foretold(messages) {
        page.gap();
        page.paragraph(INDENT, &intro);
        page.paragraph(DEEPER, &format!("\"{}\"", message.text));
    }
}

/// Below the severity, in line with the title.
const INDENT: usize = 8;
const DEEPER: usize = 10;
const MAX_CAUSES: usize = 40;
const MAX_NAME: usize = 100;
const MAX_EXAMPLES: usize = 5;
/// Servers shown for one cause.
const MAX_PLACES: usize = 10;
