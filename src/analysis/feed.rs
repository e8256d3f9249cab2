//! What a run reads, in order: the blocks of one input after the other, and between them that one ended and another begins.
//!
//! Nothing here waits for a stream but [`Feed::wait`].

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;

use crate::analysis::Progress;
use crate::analysis::blocks::{Blocks, Filled, Got, LEN_AHEAD};
use crate::analysis::fetch::{Fetch, Fetching, InOrder};
use crate::analysis::plan::{AnyReader, Opened, Plan};
use crate::capture::{self, Damage, Format, Secrets};

/// The inputs of a run, as one row of blocks.
pub(super) struct Feed {
    plan: Plan,
    /// Of the input that is being read.
    blocks: Option<Blocks>,
    /// The compressed files that come next, decompressed side by side as far as there is room.
    ahead: VecDeque<Begun>,
    /// What nobody was told yet.
    events: VecDeque<Event>,
    /// The plain file that is read now, where several threads can.
    fetching: Arc<Fetching>,
    /// How many threads there are.
    threads: usize,
    is_over: bool,
}

/// An input that was opened, and what is read of it.
struct Begun {
    beginning: Beginning,
    blocks: Result<Blocks, capture::Error>,
}

/// What comes next of the inputs. Its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Portion {
    /// What comes before the block.
    pub(super) events: VecDeque<Event>,
    /// Without frames where there are events only.
    pub(super) filled: Filled,
}

/// What happens between blocks.
#[derive(Debug)]
pub(super) enum Event {
    Begin(Beginning),
    End(Box<Ending>),
}

/// An input begins.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) name: Arc<str>,
    /// What it is, and how it is compressed; `None` where it cannot be read as a capture.
    pub(super) opened: Option<(Format, &'static str)>,
    /// It is a file that is not compressed.
    pub(super) is_plain: bool,
}

/// An input has ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// Those behind its last frame.
    pub(super) secrets: Vec<Secrets>,
    /// What its reader noted, where that is still there.
    pub(super) noted: Option<Noted>,
    pub(super) result: Result<(), capture::Error>,
}

/// What a reader noted of an input.
#[derive(Debug)]
pub(super) struct Noted {
    /// How long it is, when decompressed.
    pub(super) len: u64,
    pub(super) damages: Vec<Damage>,
    pub(super) damage_count: u64,
}

impl Feed {
    /// Nothing is read yet. With one thread, whoever asks decompresses.
    pub(super) fn new(plan: Plan, threads: usize) -> Self {
        Self {
            plan,
            blocks: None,
            ahead: VecDeque::new(),
            events: VecDeque::new(),
            fetching: Arc::default(),
            threads,
            is_over: false,
        }
    }

    /// The plain file that is being read, for whoever has time to fetch some of it.
    pub(super) fn fetching(&self) -> Arc<Fetching> {
        Arc::clone(&self.fetching)
    }

    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Begins with the first input again; `false`, and nothing changes, where one cannot be read twice.
    pub(super) fn begin_again(&mut self) -> bool {
        if !self.plan.rewind() {
            return false;
        }
        self.blocks = None;
        self.fetching.set(None);
        self.ahead.clear();
        self.events.clear();
        self.is_over = false;
        true
    }

    /// Whether what is read comes as it likes, and lines are wanted as soon as may be.
    pub(super) fn is_stream(&self) -> bool {
        self.blocks.as_ref().is_some_and(Blocks::is_stream)
    }

    /// Whether there may be nothing at the moment, and something later.
    pub(super) fn may_wait(&self) -> bool {
        match &self.blocks {
            Some(blocks) => blocks.is_read_ahead(),
            None => self.is_next_a_stream(),
        }
    }

    /// Whether what comes next is a stream: to open it may be to wait.
    fn is_next_a_stream(&self) -> bool {
        self.ahead.is_empty() && self.plan.is_next_a_stream()
    }

    /// Whether all was taken.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The next block if it is there, with what happened before it. What was in `into` is gone, and its memory used again.
    pub(super) fn next(&mut self, into: &mut Portion, progress: &Progress) -> Got {
        into.events.clear();
        into.filled.clear();
        let got = loop {
            into.events.append(&mut self.events);
            if into.events.len() >= MAX_EVENTS {
                break Got::Nothing;
            }
            let Some(blocks) = &mut self.blocks else {
                if self.is_next_a_stream() && !progress.is_stopped() {
                    break Got::Nothing;
                }
                if !self.open(progress) {
                    break Got::End;
                }
                continue;
            };
            match blocks.next(&mut into.filled, progress) {
                Got::End => self.end(),
                got => break got,
            }
        };
        if got != Got::Block && !into.events.is_empty() {
            return Got::Block;
        }
        self.is_over = got == Got::End;
        got
    }

    /// Waits until something is there. For a stream that is to be opened too.
    pub(super) fn wait(&mut self, progress: &Progress) {
        if self.blocks.is_none() && self.is_next_a_stream() {
            self.open(progress);
        }
        if let Some(blocks) = &mut self.blocks {
            blocks.wait(progress);
        }
    }

    /// Begins with the next input; `false` when there is none, or when the run is stopped.
    fn open(&mut self, progress: &Progress) -> bool {
        if progress.is_stopped() {
            self.ahead.clear();
        }
        let Some(begun) = self.ahead.pop_front().or_else(|| self.begin(progress)) else {
            return false;
        };
        self.events.push_back(Event::Begin(begun.beginning));
        match begun.blocks {
            Ok(blocks) => self.blocks = Some(blocks),
            Err(error) => self.events.push_back(Event::End(Box::new(Ending {
                secrets: Vec::new(),
                noted: None,
                result: Err(error),
            }))),
        }
        while self.ahead.len() + 1 < self.side_by_side()
            && self.plan.is_next_compressed()
            && let Some(begun) = self.begin(progress)
        {
            self.ahead.push_back(begun);
        }
        true
    }

    /// Opens the next input of the plan. Compressed files and streams are read by threads of their own from now on.
    fn begin(&mut self, progress: &Progress) -> Option<Begun> {
        let opened = self.plan.next(progress)?;
        let is_compressed = opened.is_compressed();
        let Opened {
            name,
            reader,
            compression,
            is_stream,
            file,
        } = opened;
        let format = reader.as_ref().map(|reader| (reader.format(), compression));
        let beginning = Beginning {
            name,
            opened: format.ok(),
            is_plain: !is_stream && !is_compressed,
        };
        let is_one_of_many = self.plan.is_next_compressed() || !self.ahead.is_empty();
        let len_ahead = if is_compressed && is_one_of_many {
            MAX_AHEAD_LEN / self.side_by_side()
        } else {
            LEN_AHEAD
        };
        let blocks = reader.map(|reader| {
            // Whoever waits for a stream cannot look whether the run is stopped.
            if is_stream || (is_compressed && self.threads > 1) {
                Blocks::there(reader, is_stream, len_ahead, progress.clone())
            } else {
                Blocks::here(match file {
                    Some(file) if self.threads > 1 => self.fetched(reader, file),
                    _ => reader,
                })
            }
        });
        Some(Begun { beginning, blocks })
    }

    /// Has a plain file fetched by all threads.
    fn fetched(&self, reader: AnyReader, file: File) -> AnyReader {
        reader.with_supply(|begin| {
            let fetch = Arc::new(Fetch::new(file, begin, self.threads));
            self.fetching.set(Some(Arc::clone(&fetch)));
            Box::new(InOrder::of(fetch))
        })
    }

    /// How many compressed files are read at a time.
    fn side_by_side(&self) -> usize {
        self.threads.clamp(1, MAX_SIDE_BY_SIDE)
    }

    /// The input that is read has ended.
    fn end(&mut self) {
        let Some(mut blocks) = self.blocks.take() else {
            return;
        };
        self.fetching.set(None);
        let (mut reader, result) = blocks.take_end();
        let secrets = reader.iter_mut().flat_map(|reader| reader.secrets());
        self.events.push_back(Event::End(Box::new(Ending {
            secrets: secrets.collect(),
            noted: reader.as_deref().map(Noted::by),
            result,
        })));
        if let Some(reader) = reader {
            self.plan.take_spare(*reader);
        }
    }
}

impl Noted {
    fn by(reader: &AnyReader) -> Self {
        Self {
            len: reader.offset(),
            damages: reader.damages().to_vec(),
            damage_count: reader.damage_count(),
        }
    }
}

/// Compressed files that are read at a time: what is decompressed may ask for a window of 128 MiB.
const MAX_SIDE_BY_SIDE: usize = 4;
/// How many bytes of them are held at most, decompressed, beside a block of each.
const MAX_AHEAD_LEN: usize = 64 * 1024 * 1024;
/// Inputs without a frame come together, and only so many.
const MAX_EVENTS: usize = 64;
