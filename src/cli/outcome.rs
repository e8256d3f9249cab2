//! How a run ended: what is told about its inputs, and the exit code.

use std::io;
use std::process::ExitCode;

use tlstriage::report::{InputReport, Severity, Summary};

use crate::cli::console::Console;
use crate::cli::outputs::Outputs;

/// How a run ended; the numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done.
    Done = 0,
    /// Done, and something as severe as the user asked for was found.
    Found = 1,
    /// Wrong usage, no input that could be analysed, or an output that could not be written.
    Failed = 2,
    /// Done, but an input was damaged or could not be read.
    Damaged = 3,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0_u8,
            Outcome::Found => 1,
            Outcome::Failed => 2,
            Outcome::Damaged => 3,
        })
    }
}

/// The outcome of a run.
pub(crate) fn of(
    summary: &Summary,
    unreadable: &[io::Error],
    outputs: &Outputs,
    fail_on: Option<Severity>,
) -> Outcome {
    if !has_something(summary) || outputs.failures().next().is_some() {
        Outcome::Failed
    } else if outputs.are_closed() {
        Outcome::Done
    } else if !unreadable.is_empty() || summary.is_damaged() {
        Outcome::Damaged
    } else if fail_on.is_some_and(|bar| summary.highest_severity() >= Some(bar)) {
        Outcome::Found
    } else {
        Outcome::Done
    }
}

/// Whether some input could be analysed: a frame was read, or all of it and there is none. Without,
/// there is nothing to report but errors. A run that was ended before its first input is not to blame.
pub(crate) fn has_something(summary: &Summary) -> bool {
    let is_useless = |input: &InputReport| is_damaged(input) && input.frames == 0;
    summary.inputs.is_empty() || !summary.inputs.iter().all(is_useless)
}

/// Says which of the inputs were damaged, and which gave nothing to tell.
pub(crate) fn tell(summary: &Summary, input_count: usize, console: Console) {
    for input in &summary.inputs {
        let name = if &*input.name == "-" {
            "standard input"
        } else {
            &input.name
        };
        tell_damages(name, input, console);
        if !is_damaged(input) && input.frames == 0 {
            console.note(format_args!("{name}: no frame was read from it"));
        }
    }
    let frames = &summary.frames;
    if frames.total > 0 && frames.decoded == 0 {
        let skipped: Vec<String> = frames
            .skipped
            .iter()
            .map(|skip| format!("{} {}", skip.count, skip.reason))
            .collect();
        console.note(format_args!(
            "no TCP in {} frames: {}",
            frames.total,
            skipped.join(", ")
        ));
    }
    let unread = input_count.saturating_sub(summary.inputs.len());
    if unread > 0 {
        console.note(format_args!(
            "{unread} of {input_count} inputs were not read, since the run was ended before"
        ));
    }
}

fn tell_damages(name: &str, input: &InputReport, console: Console) {
    for damage in &input.damages {
        console.error(format_args!(
            "{name}: at byte {}: {}",
            damage.offset, damage.reason
        ));
    }
    let told = u64::try_from(input.damages.len()).unwrap_or(u64::MAX);
    let more = input.damage_count.saturating_sub(told);
    if more > 0 {
        console.error(format_args!("{name}: {more} more damaged places"));
    }
    match &input.error {
        // A file that is missing or no capture has no place to name.
        Some(error) if input.bytes == 0 => console.error(format_args!("{name}: {error}")),
        Some(error) => console.error(format_args!("{name}: at byte {}: {error}", input.bytes)),
        None => {}
    }
}

fn is_damaged(input: &InputReport) -> bool {
    input.error.is_some() || input.damage_count > 0
}
