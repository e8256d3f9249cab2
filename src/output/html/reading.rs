//! What was not seen and why, and what the page was made of.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::output::html::gathered::Gathered;
use crate::output::phrases;
use crate::output::text::{counted, number, size, skipped_because, span};
use crate::report::{CertificateState, Count, EvidenceReason, InputReport, Summary};

/// What was not seen.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Unseen {
    certificates: Vec<Reason>,
    evidence: Vec<Reason>,
    skipped: Vec<Reason>,
    limits: Vec<Reason>,
    notes: Vec<String>,
    advice: Vec<Advice>,
}

#[derive(Debug, Serialize)]
struct Reason {
    count: String,
    word: String,
    words: String,
}

#[derive(Debug, Serialize)]
struct Advice {
    reason: String,
    command: Option<String>,
}

/// What was read.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Read {
    inputs: Vec<Input>,
    inputs_left_out: Option<String>,
    frames: String,
    flows: String,
}

#[derive(Debug, Serialize)]
struct Input {
    name: String,
    format: String,
    frames: String,
    size: String,
    when: String,
    harm: Vec<String>,
}

/// What was not seen, and why.
pub(in crate::output) fn unseen(summary: &Summary, gathered: &Gathered) -> Unseen {
    Unseen {
        certificates: reasons(&gathered.unseen, |word| {
            let states = CertificateState::ALL.iter();
            let state = states.copied().find(|state| state.as_str() == word)?;
            Some(phrases::no_certificate(state))
        }),
        evidence: reasons(&gathered.missing, |word| {
            let reasons = EvidenceReason::ALL.iter();
            let reason = reasons.copied().find(|reason| reason.as_str() == word)?;
            Some(missing(reason))
        }),
        skipped: counts(&summary.frames.skipped, skipped_because),
        limits: counts(&summary.limits, |reason| reason),
        notes: summary.notes.iter().map(ToString::to_string).collect(),
        advice: summary
            .advice
            .iter()
            .map(|advice| Advice {
                reason: advice.reason.to_string(),
                command: advice.command.as_deref().map(str::to_owned),
            })
            .collect(),
    }
}

/// What was read.
pub(in crate::output) fn read(summary: &Summary) -> Read {
    let is_harmed = |input: &&InputReport| input.error.is_some() || input.damage_count > 0;
    // What is damaged comes first, so that no bound leaves it out unseen.
    let (harmed, whole): (Vec<_>, Vec<_>) = summary.inputs.iter().partition(is_harmed);
    let inputs: Vec<_> = harmed.into_iter().chain(whole).collect();
    let hidden = u64::try_from(inputs.len().saturating_sub(MAX_INPUTS)).unwrap_or(u64::MAX);
    let flows = &summary.flows;
    let frames = &summary.frames;
    Read {
        inputs: inputs.into_iter().take(MAX_INPUTS).map(input).collect(),
        inputs_left_out: (hidden > 0).then(|| counted(hidden, "more input")),
        frames: format!(
            "{}, {} of them with TCP",
            counted(frames.total, "frame"),
            number(frames.decoded)
        ),
        flows: format!(
            "{}, {} of them with TLS",
            counted(flows.tcp, "TCP connection"),
            number(flows.tls)
        ),
    }
}

fn reasons(
    counts: &BTreeMap<String, u64>,
    words: impl Fn(&str) -> Option<&'static str>,
) -> Vec<Reason> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), word.as_str()));
    counts
        .into_iter()
        .map(|(word, count)| Reason {
            count: number(*count),
            words: words(word).unwrap_or_default().to_owned(),
            word: word.clone(),
        })
        .collect()
}

fn counts(counts: &[Count], words: fn(&str) -> &str) -> Vec<Reason> {
    counts
        .iter()
        .take(MAX_COUNTS)
        .map(|count| Reason {
            count: number(count.count),
            word: String::new(),
            words: words(&count.reason).to_owned(),
        })
        .collect()
}

const fn missing(reason: EvidenceReason) -> &'static str {
    match reason {
        EvidenceReason::Gap => "packets are missing from the capture",
        EvidenceReason::Truncated => "packets were cut short by the snap length",
        EvidenceReason::Midstream => "the capture begins in the middle of the flow",
        EvidenceReason::OneSided => "only one direction was captured",
        EvidenceReason::CaptureEnded => "the capture ends in the middle of the flow",
        EvidenceReason::OverlapConflict => {
            "segments overlap and disagree; the first bytes were used"
        }
        EvidenceReason::Limit => "a bound on memory was reached",
    }
}

fn input(input: &InputReport) -> Input {
    let formats = [input.format, input.compression];
    let formats: Vec<_> = formats
        .into_iter()
        .flatten()
        .filter(|word| *word != "plain")
        .collect();
    let damages = input.damages.iter().take(MAX_DAMAGES);
    let mut harm: Vec<String> = damages
        .map(|damage| {
            format!(
                "damaged at byte {}: {}",
                number(damage.offset),
                damage.reason
            )
        })
        .collect();
    let told = u64::try_from(harm.len()).unwrap_or(u64::MAX);
    let more = input.damage_count.saturating_sub(told);
    if more > 0 {
        harm.push(format!("and {}", counted(more, "more damaged place")));
    }
    harm.extend(input.error.as_deref().map(str::to_owned));
    Input {
        name: input.name.to_string(),
        format: formats.join(", "),
        frames: number(input.frames),
        size: size(input.bytes),
        when: match (input.first, input.last) {
            (Some(first), Some(last)) => span(first, last),
            _ => String::new(),
        },
        harm,
    }
}

const MAX_COUNTS: usize = 64;
const MAX_DAMAGES: usize = 8;
const MAX_INPUTS: usize = 200;
