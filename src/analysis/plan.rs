//! The inputs of a run, in the order in which they are read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

use rayon::prelude::*;

use crate::analysis::{Progress, ahead};
use crate::capture::{self, Block, Format, LinkType, Reader};
use crate::input::{self, Compression, Input};
use crate::time::Timestamp;

/// An input: a name and where its bytes come from.
pub struct Source {
    name: Arc<str>,
    kind: Kind,
    /// What kind of capture it is, where that was looked at.
    format: Option<Format>,
}

enum Kind {
    File(PathBuf),
    Stream(Box<dyn Read + Send>),
}

impl Source {
    /// The file at `path`. It is opened when its turn comes.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self {
            name: path.to_string_lossy().into(),
            kind: Kind::File(path.to_owned()),
            format: None,
        }
    }

    /// A stream, under a name of its own. It is read once, from front to back, as its bytes come.
    #[must_use]
    pub fn stream(name: &str, stream: impl Read + Send + 'static) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Stream(Box::new(stream)),
            format: None,
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A reader over any input.
pub(super) type AnyReader = Reader<Input<Box<dyn Read + Send>>>;

/// An input that is about to be read.
pub(super) struct Opened {
    pub(super) name: Arc<str>,
    pub(super) reader: Result<AnyReader, capture::Error>,
    pub(super) compression: &'static str,
    pub(super) is_stream: bool,
}

impl Opened {
    /// Whether it is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.compression != Compression::None.name()
    }
}

/// The inputs that are still to be read, the next one last.
pub(super) struct Plan {
    sources: Vec<Source>,
    /// The files whose turn came, in order.
    begun: Vec<(Arc<str>, PathBuf)>,
    total: usize,
}

impl Plan {
    /// Puts sources in order: by the time of their first frame, and as given where that is the
    /// same or not known. A name or a date of modification says nothing about time. A stream
    /// cannot be looked into without reading it, so streams come last.
    ///
    /// Files are looked into side by side on the threads of `pool`.
    pub(super) fn new(sources: Vec<Source>, pool: Option<&rayon::ThreadPool>) -> Self {
        let total = sources.len();
        let mut timed: Vec<(bool, Option<Timestamp>, Source)> = match pool {
            _ if total == 1 => sources
                .into_iter()
                .map(|source| (false, None, source))
                .collect(),
            Some(pool) => pool.install(|| sources.into_par_iter().map(timed).collect()),
            None => sources.into_iter().map(timed).collect(),
        };
        timed.sort_by_key(|(is_stream, time, _)| (*is_stream, time.is_none(), *time));
        timed.reverse();
        Self {
            sources: timed.into_iter().map(|(_, _, source)| source).collect(),
            begun: Vec::new(),
            total,
        }
    }

    /// Puts what was begun in front of what is still to be read; `false` where an input cannot be read twice.
    pub(super) fn rewind(&mut self) -> bool {
        let streams = self.total - self.begun.len() - self.sources.len();
        let is_regular = |(_, path): &(_, PathBuf)| input::open_regular(path).is_some();
        let can_rewind = streams == 0 && self.begun.iter().all(is_regular);
        if can_rewind {
            let files = self.begun.drain(..).rev().map(|(name, path)| Source {
                name,
                kind: Kind::File(path),
                format: None,
            });
            self.sources.extend(files);
        }
        can_rewind
    }

    /// The files among the inputs that may carry secrets, as far as is known.
    pub(super) fn perhaps_with_secrets(&self) -> impl Iterator<Item = &Path> {
        let sources = self.sources.iter();
        sources.filter_map(|source| match &source.kind {
            Kind::File(path) if source.format != Some(Format::Pcap) => Some(path.as_path()),
            Kind::File(_) | Kind::Stream(_) => None,
        })
    }

    /// Whether all inputs are files in the classic format, which has no place for secrets.
    pub(super) fn is_classic(&self) -> bool {
        self.sources.iter().all(|source| match &source.kind {
            Kind::File(path) => match source.format {
                Some(format) => format == Format::Pcap,
                None => ahead::is_classic(path),
            },
            Kind::Stream(_) => false,
        })
    }

    /// How many inputs there are in all.
    pub(super) const fn total(&self) -> usize {
        self.total
    }

    /// Opens the next input; `None` when there is none, or when the run is stopped.
    pub(super) fn next(&mut self, progress: &Progress) -> Option<Opened> {
        if progress.is_stopped() {
            return None;
        }
        let source = self.sources.pop()?;
        match source.kind {
            Kind::File(path) => {
                let input = input::open_path(&path);
                self.begun.push((Arc::clone(&source.name), path));
                Some(opened(source.name, input))
            }
            Kind::Stream(stream) => open_stream(source.name, stream, progress),
        }
    }
}

/// Opens a stream on a thread of its own: its first bytes may be long in coming.
fn open_stream(
    name: Arc<str>,
    stream: Box<dyn Read + Send>,
    progress: &Progress,
) -> Option<Opened> {
    let (to_us, ready) = sync_channel(1);
    thread::spawn(move || {
        let mut opened = opened(name, input::open(stream));
        opened.is_stream = true;
        opened.reader = opened
            .reader
            .map(|reader| reader.with_short_reads(capture::Delivery::Prompt));
        // Nobody listens any more when the run was stopped before.
        let _ = to_us.send(opened);
    });
    loop {
        let was_stopped = progress.is_stopped();
        match ready.recv_timeout(progress.patience()) {
            Ok(opened) => return Some(opened),
            Err(RecvTimeoutError::Timeout) if !was_stopped => {}
            Err(_) => return None,
        }
    }
}

fn opened(name: Arc<str>, input: io::Result<Input<Box<dyn Read + Send>>>) -> Opened {
    let mut compression = Compression::None.name();
    let reader = input.map_err(capture::Error::from).and_then(|input| {
        compression = input.compression().name();
        Reader::new(input)
    });
    Opened {
        name,
        reader,
        compression,
        is_stream: false,
    }
}

/// Looks into a source: whether it is a stream, when its first frame was captured, what it is.
fn timed(mut source: Source) -> (bool, Option<Timestamp>, Source) {
    let Kind::File(path) = &source.kind else {
        return (true, None, source);
    };
    let input = input::open_path(path).ok();
    let reader = input.and_then(|input| Reader::new(input).ok());
    let mut time = None;
    if let Some(mut reader) = reader.map(|reader| reader.with_block_len(PEEK_LEN)) {
        time = reader.next_frame(|frame| frame.time).unwrap_or_default();
        source.format = Some(reader.format());
    }
    (false, time, source)
}

/// The link types of what a block holds, in order of their numbers.
pub(super) fn link_types(block: &Block) -> Vec<LinkType> {
    let mut link_types: Vec<LinkType> = block.frames().map(|frame| frame.link_type).collect();
    link_types.sort_unstable();
    link_types.dedup();
    link_types
}

/// How much of a file is read to find its first frame.
const PEEK_LEN: usize = 4096;
