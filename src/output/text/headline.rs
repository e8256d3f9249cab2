//! The first sentences of the report: the main answer, in words that can be read aloud.

use crate::output::text::page::Page;
use crate::output::text::shown::{counted, number};
use crate::report::{FindingGroup, Severity, Summary};

/// The main answer in one or two sentences.
pub(in crate::output) fn headline(summary: &Summary) -> String {
    let mut text = if summary.frames.total == 0 {
        "No frames were read, so nothing can be said.".to_owned()
    } else {
        counts(summary)
    };
    if let Some(main) = main_finding(summary) {
        text.push_str(&cause(main));
    }
    if summary.is_damaged() {
        text.push_str(" Part of the input is damaged or could not be read, see below.");
    }
    text
}

/// Goes on with the likely cause and the first thing to do about it.
pub(in crate::output) fn story(page: &mut Page, main: &FindingGroup) {
    if let Some(cause) = &main.cause {
        page.gap();
        page.paragraph(0, &format!("Likely cause: {cause}"));
    }
    if let Some(fix) = main.fix.first() {
        page.gap();
        page.paragraph(0, &format!("Fix: {fix}"));
    }
}

fn counts(summary: &Summary) -> String {
    let flows = &summary.flows;
    if flows.tls == 0 {
        return no_tls(summary);
    }
    let judged = flows.completed.saturating_add(flows.failed);
    let open = flows.tls.saturating_sub(judged);
    if judged == 0 {
        return match flows.tls {
            1 => "The one TLS flow could not be judged.".to_owned(),
            tls => format!("None of {} could be judged.", counted(tls, "TLS flow")),
        };
    }
    let mut text = match flows.failed {
        0 if open == 0 && flows.tls == 1 => "The one TLS flow was completed.".to_owned(),
        0 if open == 0 && flows.tls == 2 => "Both TLS flows were completed.".to_owned(),
        0 if open == 0 => format!("All {} were completed.", counted(flows.tls, "TLS flow")),
        0 => format!(
            "No failure was seen: {} of {} completed.",
            number(flows.completed),
            counted(flows.tls, "TLS flow")
        ),
        failed if failed == flows.tls && failed == 1 => "The one TLS flow failed.".to_owned(),
        failed if failed == flows.tls && failed == 2 => "Both TLS flows failed.".to_owned(),
        failed if failed == flows.tls => {
            format!("All {} failed.", counted(failed, "TLS flow"))
        }
        failed => format!(
            "{} of {} failed.",
            number(failed),
            counted(flows.tls, "TLS flow")
        ),
    };
    if open > 0 {
        let more = if open == 1 {
            " One could not be judged.".to_owned()
        } else {
            format!(" {} could not be judged.", number(open))
        };
        text.push_str(&more);
    }
    if flows.failed == 0 && flows.unreachable > 0 {
        let connections = counted(flows.unreachable, "connection");
        text.push_str(&format!(" {connections} never came about."));
    }
    text
}

fn no_tls(summary: &Summary) -> String {
    let frames = counted(summary.frames.total, "frame");
    match summary.flows.tcp {
        0 => format!("There is no TLS in this capture: no TCP connection in {frames}."),
        tcp => format!(
            "There is no TLS in this capture: {} in {frames}, none with TLS.",
            counted(tcp, "TCP connection")
        ),
    }
}

/// The worst finding, and among equals the one with the most flows. One of severity info is no headline.
/// Where TLS flows failed, it is theirs: a connection that never came about is none of them.
pub(in crate::output) fn main_finding(summary: &Summary) -> Option<&FindingGroup> {
    let has_failed = summary.flows.failed > 0;
    let mut main: Option<&FindingGroup> = None;
    for finding in &summary.findings {
        let weight = |group: &FindingGroup| {
            let is_theirs = !has_failed || group.id != "tcp.unreachable";
            (is_theirs, group.severity, group.flows)
        };
        if finding.severity > Severity::Info
            && main.is_none_or(|known| weight(finding) > weight(known))
        {
            main = Some(finding);
        }
    }
    main
}

fn cause(main: &FindingGroup) -> String {
    let reason = main.reason.trim_end_matches(['.', ' ']);
    // What the capture lacks is no cause of anything that happened on the wire.
    let what = if main.id.starts_with("capture.") {
        "What is missing"
    } else if main.id == "http.backend" {
        "TLS is not the matter, but look at this"
    } else if main.failed {
        "The main cause"
    } else {
        "Nothing failed by it, but look at this"
    };
    format!(
        " {what}, in {} to {}: {reason}.",
        counted(main.flows, "flow"),
        main.server
    )
}
