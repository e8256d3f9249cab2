//! The command: arguments become calls of the library, and results become output, messages and an
//! exit code.
//!
//! The only room that prints, asks for the environment, and knows a clock.

mod args;
mod config;
mod console;
mod diff;
mod expectations;
mod identity;
mod inputs;
mod keylog;
mod keys;
mod limits;
mod outcome;
mod outputs;
mod progress;
mod signals;
mod slice;
mod spool;
mod standard;
mod values;

use std::env;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use thiserror::Error;
use tlstriage::analysis::{self, Analyzer, Filter, Selection};
use tlstriage::output::{self, Format, Style};
use tlstriage::pki::{self, Catalog};
use tlstriage::reassembly::Limits;

use crate::cli::args::{Answered, Arguments, Color, Command, KeylogCommand};
use crate::cli::config::Config;
use crate::cli::console::Console;
use crate::cli::inputs::{Inputs, TerminalInput};
use crate::cli::outcome::Outcome;
use crate::cli::outputs::Outputs;
use crate::cli::progress::Meter;
use crate::cli::values::{Place, Target};

/// Does what the command line asks for.
pub(crate) fn run() -> ExitCode {
    let arguments = match args::parse() {
        Ok(arguments) => arguments,
        Err(Answered::Help) => return Outcome::Done.into(),
        Err(Answered::Usage) => return Outcome::Failed.into(),
    };
    let console = Console::new(arguments.quiet);
    let done = match arguments.command {
        Some(Command::Schema) => print(output::schema().as_bytes()),
        Some(Command::Explain { verdict }) => print(verdict.explanation().as_bytes()),
        Some(Command::Keylog {
            command:
                KeylogCommand::Check {
                    log,
                    captures,
                    minimal,
                },
        }) => {
            let asked = keylog::Check {
                log,
                captures,
                minimal,
            };
            keylog::check(asked, console)
                .map_err(Failure::from)
                .and_then(|checked| {
                    print(checked.text.as_bytes())?;
                    Ok(checked.outcome)
                })
        }
        Some(Command::Diff(asked)) => {
            let console = Console::new(asked.quiet);
            diff::diff(&asked, is_colored(asked.color), console).map_err(Failure::from)
        }
        Some(Command::Completions { shell }) => print(&shell.script()),
        None => analyze(arguments, console),
    };
    let outcome = done.unwrap_or_else(|error| {
        console.error(error);
        Outcome::Failed
    });
    outcome.into()
}

/// Why nothing was done.
#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Analysis(#[from] analysis::Error),
    #[error("{}: {error}", path.display())]
    Catalog {
        path: PathBuf,
        error: pki::catalog::Error,
    },
    #[error("{}: {error}", path.display())]
    CatalogFile { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Diff(#[from] diff::Error),
    #[error(transparent)]
    Expectations(#[from] expectations::Error),
    #[error(transparent)]
    Keylog(#[from] keylog::Error),
    #[error(transparent)]
    Keys(#[from] keys::Error),
    #[error(transparent)]
    Output(#[from] outputs::Error),
    #[error("standard output: {0}")]
    Print(io::Error),
    #[error("signals cannot be caught: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    Slice(#[from] slice::Error),
    #[error("--spool: {0}")]
    Spool(io::Error),
    #[error(transparent)]
    Terminal(#[from] TerminalInput),
    #[error("--from is later than --to, so there is nothing to look at")]
    Times,
}

fn print(text: &[u8]) -> Result<Outcome, Failure> {
    let mut place = io::stdout().lock();
    match place.write_all(text).and_then(|()| place.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Print(error)),
        _ => Ok(Outcome::Done),
    }
}

fn analyze(arguments: Arguments, console: Console) -> Result<Outcome, Failure> {
    let known = expectations::config(&arguments)?;
    let read_beside: Vec<PathBuf> = [&arguments.config, &arguments.catalog, &arguments.keylog]
        .into_iter()
        .chain([&known.expected_cert, &known.trusted_root])
        .flatten()
        .cloned()
        .collect();
    let analyzer = analyzer(&arguments, known, console)?;
    let style = style(&arguments);
    let targets = targets(&arguments);
    if (style.findings || style.summary)
        && targets.iter().all(|target| target.format != Format::Jsonl)
    {
        console.note("--findings and --summary add JSON lines, and no output is jsonl");
    }
    let mut inputs = Inputs::find(&arguments.inputs, console)?;
    inputs.protect(&read_beside);
    let unreadable = std::mem::take(&mut inputs.unreadable);
    for error in &unreadable {
        console.error(error);
    }
    if inputs.count() == 0 {
        console.error("there is nothing to read");
        return Ok(Outcome::Failed);
    }
    let mut slice = slice::asked(&arguments, &targets, &inputs)?;
    let bar = slice.is_some().then_some(arguments.slice_severity);
    let takes_terminal =
        io::stdout().is_terminal() && targets.iter().any(|target| target.place == Place::Standard);
    let mut outputs = Outputs::open(targets, &inputs, style, is_colored(arguments.color))?;
    let renderer = outputs.renderer(style);

    let (total, count) = (
        console.is_watched().then(|| inputs.len()).flatten(),
        inputs.count(),
    );
    let (sources, again) = inputs
        .into_sources_kept(arguments.spool.as_deref())
        .map_err(Failure::Spool)?;
    let mut analysis = analyzer.start(sources)?;
    signals::listen(analysis.progress(), console).map_err(Failure::Signals)?;
    let mut meter = Meter::start(analysis.progress(), total, console);
    let result = analysis.render(
        |reports| {
            let wanted = bar.map(|bar| slice::pick(reports, bar));
            (renderer.render(reports), wanted)
        },
        |(rendered, wanted)| {
            // On the same terminal, what is shown of the progress makes room for results.
            if takes_terminal {
                meter.clear();
            }
            let written = outputs.write(&rendered);
            renderer.recycle(rendered);
            match (slice.as_mut(), wanted) {
                (Some(slice), Some(wanted)) => {
                    slice.add(wanted);
                    // The slice is an output that is left.
                    Ok(())
                }
                _ => written,
            }
        },
    );
    meter.clear();
    match result {
        // No output is left to write to: the outputs themselves say why.
        Ok(()) | Err(analysis::Error::Write(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let summary = analysis.summary();
    if outcome::has_something(&summary) {
        outputs.finish(&summary);
    }
    outcome::tell(&summary, count, console);
    for (name, error) in outputs.failures() {
        console.error(format_args!("{name}: {error}; it is not complete"));
    }
    let mut is_kept = true;
    for (path, error) in again.failures() {
        console.error(format_args!(
            "{}: {error}; it is not complete",
            path.display()
        ));
        is_kept = false;
    }
    if let Some(slice) = slice {
        slice.write(&summary, &again, console)?;
    }
    if !is_kept {
        return Ok(Outcome::Failed);
    }
    Ok(outcome::of(
        &summary,
        &unreadable,
        &outputs,
        arguments.fail_on,
    ))
}

fn analyzer(arguments: &Arguments, known: Config, console: Console) -> Result<Analyzer, Failure> {
    let limits = arguments
        .limit
        .iter()
        .fold(Limits::default(), |limits, setting| setting.apply(limits));
    let threads = arguments
        .threads
        .or_else(|| thread::available_parallelism().ok());
    let analyzer = Analyzer::new()
        .with_limits(limits)
        .with_threads(threads.unwrap_or(NonZeroUsize::MIN))
        .with_seed(RandomState::new().hash_one(0))
        .with_filter(filter(arguments)?)
        .with_selection(selection(arguments))
        .with_catalog(Arc::new(catalog(&arguments.catalog)?))
        .with_expectations(Arc::new(expectations::expect(known)?))
        .with_keys(Arc::new(keys::read(&arguments.keylog, console)?));
    let analyzer = if arguments.secrets_anywhere {
        analyzer.with_secrets_anywhere()
    } else {
        analyzer
    };
    Ok(match arguments.horizon {
        Some(nanos) => analyzer.with_horizon(nanos),
        None => analyzer,
    })
}

fn filter(arguments: &Arguments) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    for network in arguments.host.iter().chain(&arguments.net) {
        filter = filter.with_network(*network);
    }
    for port in &arguments.port {
        filter = filter.with_port(*port);
    }
    match (arguments.from, arguments.to) {
        (Some(from), Some(to)) if from > to => Err(Failure::Times),
        (Some(from), Some(to)) => Ok(filter.with_from(from).with_to(to)),
        (Some(from), None) => Ok(filter.with_from(from)),
        (None, Some(to)) => Ok(filter.with_to(to)),
        (None, None) => Ok(filter),
    }
}

fn selection(arguments: &Arguments) -> Selection {
    let named = arguments
        .sni
        .iter()
        .fold(Selection::default(), |selection, name| {
            selection.with_name(name)
        });
    if arguments.flagged {
        named.with_flagged_only()
    } else {
        named
    }
}

/// The built-in catalog with the entries of these files before its own.
fn catalog(files: &[PathBuf]) -> Result<Catalog, Failure> {
    let mut catalog = Catalog::builtin().clone();
    for path in files {
        let text = read_text(path).map_err(|error| Failure::CatalogFile {
            path: path.clone(),
            error,
        })?;
        catalog = catalog
            .with_additions(&text)
            .map_err(|error| Failure::Catalog {
                path: path.clone(),
                error,
            })?;
    }
    Ok(catalog)
}

/// A text file, but no more of it than a catalog may have.
fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_CATALOG_LEN)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// Standard output takes part when its format is named, or when there is no other output.
fn targets(arguments: &Arguments) -> Vec<Target> {
    let format = match arguments.format {
        None if arguments.output.is_empty() => Some(Format::Text),
        format => format,
    };
    let standard = format.map(|format| Target {
        format,
        place: Place::Standard,
    });
    standard
        .into_iter()
        .chain(arguments.output.iter().cloned())
        .collect()
}

fn style(arguments: &Arguments) -> Style {
    let mut style = Style::default();
    style.findings = arguments.findings;
    style.summary = arguments.summary;
    style
}

/// Whether standard output is coloured (<https://no-color.org>: any text but none).
fn is_colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let has_no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
            !has_no_color && !is_dumb && io::stdout().is_terminal()
        }
    }
}

/// Far above any real one; the library has a limit of its own.
const MAX_CATALOG_LEN: u64 = 16 << 20;
