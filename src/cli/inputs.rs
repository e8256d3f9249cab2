//! From what the user named to what is read: files, directories with all below them, pipes.
//!
//! What a file is, is told by its first bytes: of a directory, every file that begins like a
//! capture is read. The same file is read once, by however many names it was given.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use tlstriage::analysis::Source;
use tlstriage::input::{self, Compression};

use crate::cli::console::Console;
use crate::cli::identity::Identity;
use crate::cli::spool::{Kept, Spool};
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
    /// With what was seen of it in its directory.
    File(PathBuf, Option<Source>),
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
                inputs.found.push(Input::File(path.clone(), None));
            } else {
                console.note(format_args!(
                    "{} is named more than once, and read once",
                    path.display()
                ));
            }
        }
        Ok(inputs)
    }

    /// Takes in files that are read beside the captures, so that no output overwrites one.
    pub(crate) fn protect<'a>(&mut self, paths: impl IntoIterator<Item = &'a PathBuf>) {
        let known = paths.into_iter().filter_map(|path| Identity::of_path(path));
        self.known.extend(known);
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
            Input::File(path, _) => plain_len(path),
            Input::Pipe(_) | Input::Standard => None,
        });
        lens.try_fold(0_u64, |sum, len| sum.checked_add(len?))
    }

    /// The name of an input that can be read only once.
    pub(crate) fn once(&self) -> Option<String> {
        self.found.iter().find_map(|input| match input {
            Input::File(..) => None,
            Input::Pipe(path) => Some(path.display().to_string()),
            Input::Standard => Some("standard input".to_owned()),
        })
    }

    /// For the library.
    pub(crate) fn into_sources(self) -> Vec<Source> {
        // Without a folder, no file is made.
        let sources = self.into_sources_kept(None);
        sources.map(|(sources, _)| sources).unwrap_or_default()
    }

    /// For the library, and for a second reading. What a pipe brings is kept in files of `spool`.
    ///
    /// # Errors
    ///
    /// When such a file cannot be made.
    pub(crate) fn into_sources_kept(
        self,
        spool: Option<&Path>,
    ) -> io::Result<(Vec<Source>, Again)> {
        let mut again = Again::default();
        let mut sources = Vec::with_capacity(self.found.len());
        for input in self.found {
            sources.push(match input {
                Input::File(path, source) => {
                    let name = path.to_string_lossy().into_owned();
                    again.paths.entry(name).or_insert_with(|| path.clone());
                    source.unwrap_or_else(|| Source::file(path))
                }
                Input::Pipe(path) => {
                    let kept = format!("pipe-{}.capture", again.spools.len().saturating_add(1));
                    let name = path.to_string_lossy().into_owned();
                    again.stream(&name, Pipe::Closed(path), spool, &kept)?
                }
                Input::Standard => again.stream("-", io::stdin(), spool, "stdin.capture")?,
            });
        }
        Ok((sources, again))
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
            match Source::capture(&file) {
                None => others += 1,
                source if self.is_first(Identity::of_path(&file)) => {
                    self.found.push(Input::File(file, source));
                }
                Some(_) => {}
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

/// Where inputs can be read again.
#[derive(Debug, Default)]
pub(crate) struct Again {
    /// By the name in the report.
    paths: HashMap<String, PathBuf>,
    spools: Vec<Spool>,
}

impl Again {
    /// Where the input `name` lies.
    pub(crate) fn path<'a>(&'a self, name: &'a str) -> &'a Path {
        self.paths
            .get(name)
            .map_or(Path::new(name), PathBuf::as_path)
    }

    /// What a pipe brought and could not be kept whole, and why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&Path, io::Error)> {
        self.spools
            .iter()
            .filter_map(|spool| Some((spool.path(), spool.failure()?)))
    }

    fn stream(
        &mut self,
        name: &str,
        pipe: impl Read + Send + 'static,
        spool: Option<&Path>,
        kept: &str,
    ) -> io::Result<Source> {
        let Some(folder) = spool else {
            return Ok(Source::stream(name, pipe));
        };
        let (spool, file) = Spool::create(folder, kept)?;
        self.paths.insert(name.to_owned(), spool.path().to_owned());
        self.spools.push(spool.clone());
        Ok(Source::stream(name, Kept::new(pipe, file, spool)))
    }
}

/// Standard input is a terminal.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "standard input is a terminal: pipe a capture into it, as tcpdump -i any -s 0 -w - | tlstriage -"
)]
pub(crate) struct TerminalInput;

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
