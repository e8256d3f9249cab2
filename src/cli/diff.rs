//! `tlstriage diff`: two runs side by side. A capture is analysed; JSON lines are taken as they are.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Cursor, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use thiserror::Error;
use tlstriage::analysis::{self, Analyzer, Source};
use tlstriage::comparison::{self, Comparison, Observation, Side};
use tlstriage::input;
use tlstriage::output::DifferenceFormat;

use crate::cli::args::{Concern, DiffArguments};
use crate::cli::console::Console;
use crate::cli::identity::Identity;
use crate::cli::inputs::{Inputs, TerminalInput};
use crate::cli::outcome::{self, Outcome};

/// Why nothing was compared.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Analysis(#[from] analysis::Error),
    #[error("{name} is an input, and an output never overwrites one")]
    IsInput { name: String },
    #[error("{name}: {error}")]
    Lines {
        name: String,
        error: comparison::Error,
    },
    #[error("{name}: there is nothing in it that could be compared")]
    Nothing { name: String },
    #[error("{name}: {error}")]
    Read { name: String, error: io::Error },
    #[error(transparent)]
    Terminal(#[from] TerminalInput),
    #[error("standard input can be only one of the two sides")]
    Twice,
    #[error("{name}: cannot be written: {error}")]
    Write { name: String, error: io::Error },
}

/// Compares, and tells.
///
/// # Errors
///
/// When a side cannot be read, or the comparison cannot be written.
pub(crate) fn diff(
    asked: &DiffArguments,
    is_colored: bool,
    console: Console,
) -> Result<Outcome, Error> {
    let sides = [&asked.before, &asked.after];
    if sides.iter().all(|path| is_standard(path)) {
        return Err(Error::Twice);
    }
    check_outputs(asked)?;
    let mut is_damaged = false;
    let [before, after] = sides.map(|path| side(path, asked.threads, console, &mut is_damaged));
    let comparison = Comparison::new(&before?, &after?);
    write(asked, &comparison, is_colored)?;
    Ok(if is_damaged {
        Outcome::Damaged
    } else if is_concerned(asked.fail_on, &comparison) {
        Outcome::Found
    } else {
        Outcome::Done
    })
}

fn is_concerned(concern: Option<Concern>, comparison: &Comparison) -> bool {
    match concern {
        None => false,
        Some(Concern::Worse) => comparison.is_worse(),
        Some(Concern::Change) => comparison.has_changes(),
    }
}

/// An output never overwrites what is read, by whatever name.
fn check_outputs(asked: &DiffArguments) -> Result<(), Error> {
    let inputs = [&asked.before, &asked.after];
    let read: Vec<_> = inputs
        .iter()
        .filter_map(|path| Identity::of_path(path))
        .collect();
    for (_, path) in &asked.output {
        let identity = Identity::of_path(path);
        let lies_in = |folder: &&PathBuf| {
            let folder = fs::canonicalize(folder)
                .ok()
                .filter(|folder| folder.is_dir());
            let file = fs::canonicalize(path).ok();
            folder
                .zip(file)
                .is_some_and(|(folder, file)| file.starts_with(folder))
        };
        if identity.is_some_and(|identity| read.contains(&identity)) || inputs.iter().any(lies_in) {
            return Err(Error::IsInput { name: name(path) });
        }
    }
    Ok(())
}

/// Reads one side, whatever it is.
fn side(
    path: &Path,
    threads: Option<NonZeroUsize>,
    console: Console,
    is_damaged: &mut bool,
) -> Result<Side, Error> {
    let mut side = Side::new(&name(path));
    if path.is_dir() {
        captures(path, threads, console, is_damaged, &mut side)?;
        return Ok(side);
    }
    let failed = |error| Error::Read {
        name: name(path),
        error,
    };
    let mut input: Box<dyn Read + Send> = if is_standard(path) {
        if io::IsTerminal::is_terminal(&io::stdin()) {
            return Err(TerminalInput.into());
        }
        Box::new(input::open(io::stdin()).map_err(failed)?)
    } else {
        Box::new(input::open_path(path).map_err(failed)?)
    };
    let front = front(&mut input).map_err(failed)?;
    let is_lines = front.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
        || front.starts_with(b"\xef\xbb\xbf");
    if is_lines {
        let whole = Cursor::new(front).chain(input);
        comparison::read(whole, |seen| side.enter(seen)).map_err(|error| Error::Lines {
            name: name(path),
            error,
        })?;
    } else if is_standard(path) {
        let whole = Cursor::new(front).chain(input);
        analyze(
            [Source::stream("-", whole)],
            1,
            threads,
            console,
            is_damaged,
            &mut side,
        )?;
    } else {
        captures(path, threads, console, is_damaged, &mut side)?;
    }
    Ok(side)
}

/// The first bytes, which tell what it is.
fn front(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut front = Vec::new();
    input.take(FRONT_LEN).read_to_end(&mut front)?;
    Ok(front)
}

fn captures(
    path: &Path,
    threads: Option<NonZeroUsize>,
    console: Console,
    is_damaged: &mut bool,
    side: &mut Side,
) -> Result<(), Error> {
    let inputs = Inputs::find(&[path.to_owned()], console)?;
    for error in &inputs.unreadable {
        console.error(error);
        *is_damaged = true;
    }
    let count = inputs.count();
    if count == 0 {
        return Err(Error::Nothing { name: name(path) });
    }
    analyze(
        inputs.into_sources(),
        count,
        threads,
        console,
        is_damaged,
        side,
    )
}

fn analyze(
    sources: impl IntoIterator<Item = Source>,
    count: usize,
    threads: Option<NonZeroUsize>,
    console: Console,
    is_damaged: &mut bool,
    side: &mut Side,
) -> Result<(), Error> {
    let threads = threads.or_else(|| thread::available_parallelism().ok());
    let mut run = Analyzer::new()
        .with_threads(threads.unwrap_or(NonZeroUsize::MIN))
        .with_seed(RandomState::new().hash_one(0))
        .start(sources)?;
    run.render(
        |reports| reports.iter().map(Observation::from).collect::<Vec<_>>(),
        |flows| {
            for seen in flows {
                side.enter(seen);
            }
            Ok(())
        },
    )?;
    let summary = run.summary();
    outcome::tell(&summary, count, console);
    if !outcome::has_something(&summary) {
        return Err(Error::Nothing {
            name: side.name().to_owned(),
        });
    }
    *is_damaged |= summary.is_damaged();
    Ok(())
}

fn write(asked: &DiffArguments, comparison: &Comparison, is_colored: bool) -> Result<(), Error> {
    let standard = match asked.format {
        None if asked.output.is_empty() => Some(DifferenceFormat::Text),
        format => format,
    };
    if let Some(format) = standard {
        let failed = |error| Error::Write {
            name: "standard output".to_owned(),
            error,
        };
        let bytes = format.render(comparison, is_colored).map_err(failed)?;
        let mut place = io::stdout().lock();
        match place.write_all(&bytes).and_then(|()| place.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
            _ => {}
        }
    }
    for (format, path) in &asked.output {
        let bytes = format.render(comparison, false);
        let written = bytes.and_then(|bytes| fs::write(path, bytes));
        written.map_err(|error| Error::Write {
            name: name(path),
            error,
        })?;
    }
    Ok(())
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn name(path: &Path) -> String {
    if is_standard(path) {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Enough to pass over some white space.
const FRONT_LEN: u64 = 512;
