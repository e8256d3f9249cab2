//! Where results go: standard output and files, each in its format.
//!
//! An output never overwrites an input, which is looked up before anything is opened. One that
//! fails is cut back to its last whole line, and the others go on. A closed pipe is no failure:
//! whoever read it has seen enough.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use thiserror::Error;
use tlstriage::output::{Format, Style, Writer};
use tlstriage::report::{FlowReport, Summary};

use crate::cli::identity::Identity;
use crate::cli::inputs::Inputs;
use crate::cli::standard;
use crate::cli::values::{Place, Target};

/// All outputs of a run.
pub(crate) struct Outputs {
    outputs: Vec<Output>,
    /// Each format renders a flow once, for however many outputs.
    formats: Vec<Format>,
}

struct Output {
    name: String,
    format: Format,
    writer: Box<dyn Writer>,
    state: State,
}

enum State {
    Open,
    /// Nobody reads it any more.
    Closed,
    Failed(io::Error),
}

/// Why the outputs that were asked for cannot be.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{name} is an input, and an output never overwrites one")]
    IsInput { name: String },
    #[error("{name}: cannot be written: {error}")]
    Open { name: String, error: io::Error },
    #[error("{name} is an output twice")]
    Twice { name: String },
}

impl Outputs {
    /// Looks whether the outputs may be written, then opens them.
    ///
    /// # Errors
    ///
    /// When one is an input, or there twice, or cannot be opened.
    pub(crate) fn open(
        targets: Vec<Target>,
        inputs: &Inputs,
        style: Style,
        color: bool,
    ) -> Result<Self, Error> {
        check(&targets, inputs)?;
        let mut formats: Vec<Format> = Vec::new();
        let mut outputs = Vec::with_capacity(targets.len());
        let mut opened = Vec::with_capacity(targets.len());
        for Target { format, place } in targets {
            let name = name(&place);
            let mut style = style;
            style.color = color && place == Place::Standard;
            let place = match open(place) {
                Ok(place) => place,
                Err(error) => return Err(Error::Open { name, error }),
            };
            opened.push((name, format, style, place));
        }
        // What stood in a file is lost only when all of them can be written.
        for (name, format, style, place) in opened {
            let place = match place.emptied() {
                Ok(place) => place,
                Err(error) => return Err(Error::Open { name, error }),
            };
            if !formats.contains(&format) {
                formats.push(format);
            }
            outputs.push(Output {
                name,
                format,
                writer: format.writer(place, style),
                state: State::Open,
            });
        }
        Ok(Self { outputs, formats })
    }

    /// What turns reports into bytes, on any thread.
    pub(crate) fn renderer(&self, style: Style) -> Renderer {
        let writer = |format: &Format| format.writer(Box::new(io::sink()), style);
        Renderer {
            writers: self.formats.iter().map(writer).collect(),
            spare: Mutex::default(),
        }
    }

    /// Writes what was rendered.
    ///
    /// # Errors
    ///
    /// When no output is left that takes it.
    pub(crate) fn write(&mut self, rendered: &Rendered) -> io::Result<()> {
        for output in &mut self.outputs {
            let place = self
                .formats
                .iter()
                .position(|format| *format == output.format);
            if let Some(bytes) = place.and_then(|place| rendered.0.get(place)) {
                output.attempt(|writer| writer.write(bytes));
            }
        }
        if self
            .outputs
            .iter()
            .any(|output| matches!(output.state, State::Open))
        {
            Ok(())
        } else {
            Err(io::Error::other("no output is left"))
        }
    }

    /// Writes what stands at the end.
    pub(crate) fn finish(&mut self, summary: &Summary) {
        for output in &mut self.outputs {
            output.attempt(|writer| writer.finish(summary));
        }
    }

    /// The outputs that failed, and why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&str, &io::Error)> {
        self.outputs
            .iter()
            .filter_map(|output| match &output.state {
                State::Failed(error) => Some((output.name.as_str(), error)),
                State::Open | State::Closed => None,
            })
    }

    /// Whether nobody reads any of them any more.
    pub(crate) fn are_closed(&self) -> bool {
        self.outputs
            .iter()
            .all(|output| matches!(output.state, State::Closed))
    }
}

impl Output {
    fn attempt(&mut self, write: impl FnOnce(&mut dyn Writer) -> io::Result<()>) {
        if !matches!(self.state, State::Open) {
            return;
        }
        match write(self.writer.as_mut()) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.state = State::Closed,
            Err(error) => self.state = State::Failed(error),
        }
    }
}

/// Renders reports in every format that is asked for.
pub(crate) struct Renderer {
    writers: Vec<Box<dyn Writer>>,
    /// What was written, to be filled again: new memory is dear, and growing is copying.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Renderer {
    /// The reports in each format.
    pub(crate) fn render(&self, reports: &[FlowReport]) -> Rendered {
        let mut rendered = Vec::with_capacity(self.writers.len());
        for writer in &self.writers {
            let spare = self.spare().pop();
            let mut bytes = spare.unwrap_or_default();
            bytes.reserve(reports.len().saturating_mul(USUAL_LEN));
            for report in reports {
                writer.render(report, &mut bytes);
            }
            rendered.push(bytes);
        }
        Rendered(rendered)
    }

    /// Takes back what was written.
    pub(crate) fn recycle(&self, rendered: Rendered) {
        let mut spare = self.spare();
        for mut bytes in rendered.0 {
            bytes.clear();
            spare.push(bytes);
        }
    }

    /// Under the lock nothing can stop half-way.
    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports as bytes, in each format.
pub(crate) struct Rendered(Vec<Vec<u8>>);

/// Looks whether none of these is an input, or there twice.
///
/// # Errors
///
/// When one is.
pub(crate) fn check(targets: &[Target], inputs: &Inputs) -> Result<(), Error> {
    let mut known = HashSet::new();
    let mut is_standard_taken = false;
    for Target { place, .. } in targets {
        let identity = match place {
            Place::Standard if is_standard_taken => return Err(Error::Twice { name: name(place) }),
            Place::Standard => {
                is_standard_taken = true;
                standard::output().as_ref().and_then(Identity::of_file)
            }
            Place::File(path) => Identity::of_path(path),
        };
        let Some(identity) = identity else { continue };
        if inputs.contains(&identity) {
            return Err(Error::IsInput { name: name(place) });
        }
        if !known.insert(identity) {
            return Err(Error::Twice { name: name(place) });
        }
    }
    Ok(())
}

/// A place that can be written to, with what stands there.
enum Opened {
    Standard,
    File(File),
}

impl Opened {
    fn emptied(self) -> io::Result<Box<dyn Write + Send>> {
        let file = match self {
            Self::Standard => standard::output(),
            Self::File(file) => {
                empty(&file)?;
                Some(file)
            }
        };
        Ok(match file {
            Some(file) => Box::new(Lines {
                file,
                partial_len: 0,
            }),
            None => Box::new(io::stdout()),
        })
    }
}

fn open(place: Place) -> io::Result<Opened> {
    Ok(match place {
        Place::Standard => Opened::Standard,
        Place::File(path) => Opened::File(create(&path)?),
    })
}

/// Opens a file to write to, and leaves what stands in it.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Empties a file; what is none, a pipe or a device, is empty.
///
/// One that is empty is left alone: ext4 writes out a file that was ever cut to nothing when it is closed.
pub(crate) fn empty(file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() > 0 {
        file.set_len(0)?;
    }
    Ok(())
}

fn name(place: &Place) -> String {
    match place {
        Place::Standard => "standard output".to_owned(),
        Place::File(path) => path.display().to_string(),
    }
}

/// The bytes that a flow usually takes: room that is there need not be made by copying.
const USUAL_LEN: usize = 4096;

/// A file of lines. When it cannot be written any further, what stands behind its last line feed
/// is cut off: half a line must not look like a whole one.
struct Lines {
    file: File,
    /// How many bytes stand behind the last line feed.
    partial_len: u64,
}

impl Lines {
    fn cut(&mut self) -> io::Result<()> {
        if self.partial_len > 0 && self.file.metadata()?.is_file() {
            let end = self.file.seek(SeekFrom::End(0))?;
            self.file.set_len(end.saturating_sub(self.partial_len))?;
        }
        Ok(())
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file.write(bytes);
        match &result {
            Ok(len) => {
                let written = bytes.get(..*len).unwrap_or(bytes);
                let behind = written
                    .iter()
                    .rev()
                    .take_while(|byte| **byte != b'\n')
                    .count();
                let len = u64::try_from(behind).unwrap_or(u64::MAX);
                let has_line_feed = behind < written.len();
                self.partial_len = if has_line_feed {
                    len
                } else {
                    self.partial_len.saturating_add(len)
                };
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The first error is the one to tell.
            Err(_) => drop(self.cut()),
        }
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
