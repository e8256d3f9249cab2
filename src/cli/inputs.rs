//! From what the user named to what is read: files, directories with all below them, pipes.
//!
//! What a file is, is told by its first bytes: of a directory, every file that begins like a
//! capture is read. The same file is read once, by however many names it was given.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use tlstriage::analysis::Source;
use tlstriage::capture;
use tlstriage::input::{self, Compression};

use crate::cli::console::Console;
use crate::cli::identity::Identity;
use crate::cli::standard;

/// What is to be read.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    found: Vec<Input>,
    known: HashSet<Identity>,
    /// Directories that cannot be read.
    pub(crate) unreadable: Vec<io::Error>,
}

/// One input.
#[derive(Debug)]
enum Input {
    File(PathBuf),
    /// A pipe, a terminal, or another device: it can be read only once.
    Pipe(PathBuf),
    Standard,
}

impl Inputs {
    /// Looks up what was named.
    ///
    /// # Errors
    ///
    /// When a terminal is to be read as a capture.
    pub(crate) fn find(named: &[PathBuf], console: Console) -> Result<Self, TerminalInput> {
        let mut inputs = Self::default();
        for path in named {
            if path.as_os_str() == "-" {
                inputs.add_standard(console)?;
            } else if path.is_dir() {
                inputs.add_directory(path, console);
            } else if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
                inputs.found.push(Input::Pipe(path.clone()));
            } else if inputs.is_first(Identity::of_path(path)) {
                inputs.found.push(Input::File(path.clone()));
            } else {
                console.note(format_args!(
                    "{} is named more than once, and read once",
                    path.display()
                ));
            }
        }
        Ok(inputs)
    }

    /// Whether this file is one of them.
    pub(crate) fn contains(&self, file: &Identity) -> bool {
        self.known.contains(file)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// How many bytes will be read, where that is known: pipes have no length, and what is
    /// compressed will be more than it is.
    pub(crate) fn len(&self) -> Option<u64> {
        let mut lens = self.found.iter().map(|input| match input {
            Input::File(path) => plain_len(path),
            Input::Pipe(_) | Input::Standard => None,
        });
        lens.try_fold(0_u64, |sum, len| sum.checked_add(len?))
    }

    /// For the library.
    pub(crate) fn into_sources(self) -> Vec<Source> {
        let sources = self.found.into_iter().map(|input| match input {
            Input::File(path) => Source::file(path),
            Input::Pipe(path) => {
                Source::stream(&path.to_string_lossy(), Pipe::Closed(path.clone()))
            }
            Input::Standard => Source::stream("-", io::stdin()),
        });
        sources.collect()
    }

    fn add_standard(&mut self, console: Console) -> Result<(), TerminalInput> {
        if io::stdin().is_terminal() {
            return Err(TerminalInput);
        }
        if self
            .found
            .iter()
            .any(|input| matches!(input, Input::Standard))
        {
            console.note("standard input is named more than once, and read once");
        } else {
            self.known
                .extend(standard::input().as_ref().and_then(Identity::of_file));
            self.found.push(Input::Standard);
        }
        Ok(())
    }

    fn add_directory(&mut self, directory: &Path, console: Console) {
        let files = input::files(directory, |error| self.unreadable.push(error));
        let mut others = 0_u64;
        let before = self.found.len();
        for file in files {
            if !begins_like_a_capture(&file) {
                others += 1;
            } else if self.is_first(Identity::of_path(&file)) {
                self.found.push(Input::File(file));
            }
        }
        let name = directory.display();
        match others {
            _ if self.found.len() == before => console.note(format_args!("no capture in {name}")),
            0 => {}
            1 => console.note(format_args!(
                "one file in {name} is no capture, and was skipped"
            )),
            _ => console.note(format_args!(
                "{others} files in {name} are no captures, and were skipped"
            )),
        }
    }

    /// Whether it is met for the first time. What has no identity is always new.
    fn is_first(&mut self, file: Option<Identity>) -> bool {
        file.is_none_or(|file| self.known.insert(file))
    }
}

/// Standard input is a terminal.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "standard input is a terminal: pipe a capture into it, as tcpdump -i any -s 0 -w - | tlstriage -"
)]
pub(crate) struct TerminalInput;

/// A file that cannot be opened may be a capture: it is read, and then the error is told.
fn begins_like_a_capture(path: &Path) -> bool {
    let Ok(mut input) = input::open_path(path) else {
        return true;
    };
    let mut first_bytes = [0; MAGIC_LEN];
    let mut len = 0;
    while let Some(rest) = first_bytes.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    first_bytes.get(..len).is_some_and(capture::looks_like)
}

/// The length of a file that is not compressed.
fn plain_len(path: &Path) -> Option<u64> {
    let input = input::open_path(path).ok()?;
    let is_plain = input.compression() == Compression::None;
    fs::metadata(path)
        .ok()
        .filter(|_| is_plain)
        .map(|metadata| metadata.len())
}

/// A pipe or device, which is opened when its turn comes: opening may wait for whoever writes.
#[derive(Debug)]
enum Pipe {
    Closed(PathBuf),
    Open(File),
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Self::Open(file) => return file.read(into),
                Self::Closed(path) => *self = Self::Open(File::open(path)?),
            }
        }
    }
}

/// How many bytes tell what a file is.
const MAGIC_LEN: usize = 8;
