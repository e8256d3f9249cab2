//! What was read, what was skipped and why, what a reader has to know, and what to capture next.

use crate::output::text::page::Page;
use crate::output::text::shown::{counted, number, size, span};
use crate::report::{Count, InputReport, Summary};

/// Writes what was read and what was skipped.
pub(in crate::output) fn reading(page: &mut Page, summary: &Summary) {
    page.heading("WHAT WAS READ");
    let harmed = |input: &&InputReport| input.error.is_some() || input.damage_count > 0;
    // What is damaged is always shown; of the others, the first few.
    let mut whole = 0_usize;
    for report in &summary.inputs {
        if harmed(&report) {
            input(page, report);
        } else if whole < MAX_INPUTS {
            whole += 1;
            input(page, report);
        }
    }
    let all = summary.inputs.iter().filter(|input| !harmed(input)).count();
    let hidden = u64::try_from(all.saturating_sub(whole)).unwrap_or(u64::MAX);
    if hidden > 0 {
        page.paragraph(
            0,
            &format!("and {} without damage", counted(hidden, "more input")),
        );
    }
    if summary.inputs.is_empty() {
        page.paragraph(0, "No input.");
    }
    page.gap();
    frames(page, summary);
    flows(page, summary);
    if !summary.limits.is_empty() {
        page.gap();
        page.paragraph(0, "Limits that were reached:");
        table(page, &summary.limits);
    }
}

fn input(page: &mut Page, input: &InputReport) {
    let mut facts: Vec<String> = [input.format, input.compression]
        .into_iter()
        .flatten()
        .filter(|fact| *fact != "plain")
        .map(str::to_owned)
        .collect();
    facts.push(counted(input.frames, "frame"));
    facts.push(size(input.bytes));
    if let (Some(first), Some(last)) = (input.first, input.last) {
        facts.push(span(first, last));
    }
    page.paragraph(0, &input.name);
    page.paragraph(2, &facts.join(", "));
    for damage in &input.damages {
        let at = number(damage.offset);
        page.item(2, "! ", &format!("damaged at byte {at}: {}", damage.reason));
    }
    let told = u64::try_from(input.damages.len()).unwrap_or(u64::MAX);
    let more = input.damage_count.saturating_sub(told);
    if more > 0 {
        let more = counted(more, "more damaged place");
        page.item(2, "! ", &format!("and {more}"));
    }
    if let Some(error) = &input.error {
        page.item(2, "! ", error);
    }
}

fn frames(page: &mut Page, summary: &Summary) {
    let frames = &summary.frames;
    let skipped = frames.skipped.iter().map(|skip| skip.count);
    let skipped = skipped.fold(0, u64::saturating_add);
    let mut text = format!(
        "{}: {} with TCP",
        counted(frames.total, "frame"),
        number(frames.decoded)
    );
    if skipped > 0 {
        text.push_str(&format!(", {} skipped:", number(skipped)));
    }
    page.paragraph(0, &text);
    table(page, &frames.skipped);
}

fn flows(page: &mut Page, summary: &Summary) {
    let flows = &summary.flows;
    let judged = flows.completed.saturating_add(flows.failed);
    let told: Vec<_> = [
        (flows.completed, "completed"),
        (flows.failed, "failed"),
        (flows.tls.saturating_sub(judged), "not judged"),
        (flows.flagged, "with a finding"),
        (flows.partial_horizon, "judged before the end of the run"),
        (flows.decrypted, "opened with keys"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", number(count)))
    .collect();
    let tcp = counted(flows.tcp, "TCP connection");
    let mut text = format!("{tcp}, {} with TLS", number(flows.tls));
    if !told.is_empty() {
        text = format!("{text}: {}", told.join(", "));
    }
    if flows.seen_again > 0 {
        let connections = counted(flows.seen_again, "connection");
        text = format!("{text}; {connections} seen again under other addresses");
    }
    if flows.unreachable > 0 {
        let connections = counted(flows.unreachable, "connection");
        text = format!("{text}; {connections} never came about");
    }
    page.paragraph(0, &text);
}

/// Counts with their reasons, the numbers in one column.
fn table(page: &mut Page, counts: &[Count]) {
    let numbers: Vec<_> = counts.iter().map(|count| number(count.count)).collect();
    let width = numbers.iter().map(String::len).max().unwrap_or_default();
    for (count, number) in counts.iter().zip(&numbers) {
        page.item(
            2,
            &format!("{number:>width$}  "),
            skipped_because(&count.reason),
        );
    }
}

/// Why a frame was skipped, in words; what is in words already stays.
pub(in crate::output) fn skipped_because(reason: &str) -> &str {
    match reason {
        "bare_fragment" => "pieces of packets that cannot be joined",
        "cut" => "cut inside the headers by the snap length",
        "encrypted" => "encrypted below TCP",
        "filtered" => "not asked for",
        "icmp" => "ICMP",
        "icmp_error" => "ICMP errors about TCP connections",
        "ip_fragment" => "IP fragments",
        "malformed_ip" => "malformed IP headers",
        "malformed_link" => "malformed headers below IP",
        "malformed_tcp" => "malformed TCP headers",
        "not_ip" => "not IP (ARP and the like)",
        "other_transport" => "other protocols over IP",
        "too_deep" => "too many headers inside each other",
        "udp" => "UDP",
        "unknown_ether_type" => "an EtherType that is not read",
        "unknown_link_type" => "a link type that is not read",
        reason => reason,
    }
}

/// Writes what a reader has to know beside the answers.
pub(in crate::output) fn notes(page: &mut Page, summary: &Summary) {
    if summary.notes.is_empty() {
        return;
    }
    page.heading("NOTES");
    for note in &summary.notes {
        page.item(0, "- ", note);
    }
}

/// Writes what to capture next.
pub(in crate::output) fn advice(page: &mut Page, summary: &Summary) {
    let nothing_to_say = summary.flows.tls == 0 && summary.advice.is_empty();
    if summary.advice.is_empty() && !nothing_to_say {
        return;
    }
    page.heading("WHAT TO CAPTURE NEXT");
    if nothing_to_say {
        page.paragraph(
            0,
            "Both directions, whole packets, and from before the connection is opened, \
             on the host that opens it or on the one that is called:",
        );
        page.command(2, "tcpdump -i any -s 0 -w next.pcap 'tcp port 443'");
    }
    for advice in &summary.advice {
        page.gap();
        page.paragraph(0, &advice.reason);
        if let Some(command) = &advice.command {
            page.command(2, command);
        }
    }
}

const MAX_INPUTS: usize = 20;
