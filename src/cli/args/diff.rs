//! The arguments of `tlstriage diff`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};
use tlstriage::output::DifferenceFormat;

use crate::cli::args::color::Color;
use crate::cli::values;

/// What is compared, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// Before: a capture, a directory of captures, JSON lines of an earlier run, or - for either
    #[arg(value_name = "BEFORE", value_hint = ValueHint::AnyPath)]
    pub(crate) before: PathBuf,

    /// After: the same
    #[arg(value_name = "AFTER", value_hint = ValueHint::AnyPath)]
    pub(crate) after: PathBuf,

    /// Format on standard output [default: text, or nothing when there is an -o]
    #[arg(short, long, value_name = "FORMAT", value_parser = difference_formats())]
    pub(crate) format: Option<DifferenceFormat>,

    /// Write to a file as well; may be repeated
    ///
    /// The extension tells the format (.html, .htm; .json; .txt, .text), or the format stands in front:
    /// -o json:difference. A file that is there is replaced, but never one that is read.
    #[arg(
        short,
        long,
        value_name = "[FORMAT:]FILE",
        value_parser = OsStringValueParser::new().try_map(|text| values::difference_target(&text)),
        value_hint = ValueHint::FilePath
    )]
    pub(crate) output: Vec<(DifferenceFormat, PathBuf)>,

    /// End with exit code 1 on what got worse, or on any change
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) fail_on: Option<Concern>,

    /// Colour on standard output; auto is for a terminal, and heeds NO_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// How many threads work [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// No notes on standard error, only errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What of a comparison is a reason for exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Concern {
    /// A larger share of flows fails, by more than chance, or a fault came that was not there.
    Worse,
    /// Something differs at a server.
    Change,
}

fn difference_formats() -> impl TypedValueParser<Value = DifferenceFormat> {
    PossibleValuesParser::new(DifferenceFormat::ALL.iter().map(|format| format.name()))
        .try_map(|name| name.parse::<DifferenceFormat>())
}

pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  Done.
  1  Done, and what --fail-on names is the case.
  2  Wrong usage, or one side could not be read, or an output could not be written.
  3  Done, but a capture was damaged: standard error says where. This goes before 1.";
