//! The inputs of a run, in the order in which they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

use rayon::prelude::*;

use crate::analysis::source::{Kind, Source};
use crate::analysis::{Progress, ahead};
use crate::capture::{self, Block, Format, Reader};
use crate::input::{self, AnyInput, Compression};

/// A reader over any input.
pub(super) type AnyReader = Reader<AnyInput>;

/// An input that is about to be read.
pub(super) struct Opened {
    pub(super) name: Arc<str>,
    pub(super) reader: Result<AnyReader, capture::Error>,
    pub(super) compression: &'static str,
    pub(super) is_stream: bool,
    /// The file once more, where it is plain and long.
    pub(super) file: Option<File>,
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
    /// Memory that the next input is read into.
    spare: Block,
}

impl Plan {
    /// Puts sources in order: by the time of their first frame, and as given where that is the
    /// same or not known. A name or a date of modification says nothing about time. A stream
    /// cannot be looked into without reading it, so streams come last.
    ///
    /// Files are looked into side by side on the threads of `pool`.
    pub(super) fn new(sources: Vec<Source>, pool: Option<&rayon::ThreadPool>) -> Self {
        let total = sources.len();
        let mut sources: Vec<Source> = match pool {
            _ if total == 1 => sources,
            Some(pool) => pool.install(|| {
                let sources = sources.into_par_iter();
                sources.map(Source::looked_into).collect()
            }),
            None => sources.into_iter().map(Source::looked_into).collect(),
        };
        sources.sort_by_key(|source| {
            let time = source.glimpse().and_then(|glimpse| glimpse.first);
            let is_stream = matches!(source.kind, Kind::Stream(_));
            (is_stream, time.is_none(), time)
        });
        sources.reverse();
        Self {
            sources,
            begun: Vec::new(),
            total,
            spare: Block::default(),
        }
    }

    /// Takes the memory of a reader that has come to its end, for the next input.
    pub(super) fn take_spare(&mut self, reader: AnyReader) {
        self.spare = reader.into_spare();
    }

    /// Puts what was begun in front of what is still to be read; `false` where an input cannot be read twice.
    pub(super) fn rewind(&mut self) -> bool {
        let streams = self.total - self.begun.len() - self.sources.len();
        let is_regular = |(_, path): &(_, PathBuf)| input::open_regular(path).is_some();
        let can_rewind = streams == 0 && self.begun.iter().all(is_regular);
        if can_rewind {
            let files = self.begun.drain(..).rev().map(|(name, path)| Source {
                name,
                kind: Kind::File(path, None),
            });
            self.sources.extend(files);
        }
        can_rewind
    }

    /// The files among the inputs that may carry secrets, as far as is known.
    pub(super) fn perhaps_with_secrets(&self) -> impl Iterator<Item = &Path> {
        let sources = self.sources.iter();
        sources.filter_map(|source| match &source.kind {
            Kind::File(path, _) if source.format() != Some(Format::Pcap) => Some(path.as_path()),
            Kind::File(..) | Kind::Stream(_) => None,
        })
    }

    /// Whether all inputs are files in the classic format, which has no place for secrets.
    pub(super) fn is_classic(&self) -> bool {
        self.sources.iter().all(|source| match &source.kind {
            Kind::File(path, _) => match source.format() {
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

    /// Whether what comes next is a stream: to open it may be to wait.
    pub(super) fn is_next_a_stream(&self) -> bool {
        let next = self.sources.last();
        next.is_some_and(|source| matches!(source.kind, Kind::Stream(_)))
    }

    /// Whether what comes next is a compressed file, as far as is known.
    pub(super) fn is_next_compressed(&self) -> bool {
        let glimpse = self.sources.last().and_then(Source::glimpse);
        let compression = glimpse.and_then(|glimpse| glimpse.compression);
        compression.is_some_and(|compression| compression != Compression::None)
    }

    /// Opens the next input; `None` when there is none, or when the run is stopped.
    pub(super) fn next(&mut self, progress: &Progress) -> Option<Opened> {
        if progress.is_stopped() {
            return None;
        }
        let source = self.sources.pop()?;
        match source.kind {
            Kind::File(path, _) => {
                let (input, file) = match input::open_path_and_file(&path, Some(LONG)) {
                    Ok((input, file)) => (Ok(input), file),
                    Err(error) => (Err(error), None),
                };
                self.begun.push((Arc::clone(&source.name), path));
                let opened = opened(source.name, input, std::mem::take(&mut self.spare));
                let file = file.filter(|_| !opened.is_compressed());
                Some(Opened { file, ..opened })
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
    let stream_name = Arc::clone(&name);
    let started = thread::Builder::new().spawn(move || {
        let mut opened = opened(name, input::open(stream), Block::default());
        opened.is_stream = true;
        opened.reader = opened
            .reader
            .map(|reader| reader.with_short_reads(capture::Delivery::Prompt));
        // Nobody listens any more when the run was stopped before.
        let _ = to_us.send(opened);
    });
    if let Err(error) = started {
        return Some(opened(stream_name, Err(error), Block::default()));
    }
    loop {
        let was_stopped = progress.is_stopped();
        match ready.recv_timeout(progress.patience()) {
            Ok(opened) => return Some(opened),
            Err(RecvTimeoutError::Timeout) if !was_stopped => {}
            Err(_) => return None,
        }
    }
}

fn opened(name: Arc<str>, input: io::Result<AnyInput>, spare: Block) -> Opened {
    let mut compression = Compression::None.name();
    let reader = input.map_err(capture::Error::from).and_then(|input| {
        compression = input.compression().name();
        Reader::new_in(spare, input)
    });
    Opened {
        name,
        reader,
        compression,
        is_stream: false,
        file: None,
    }
}

/// How many bytes of a file are worth being fetched side by side.
const LONG: u64 = 1024 * 1024;
