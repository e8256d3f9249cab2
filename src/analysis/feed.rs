//! What a run reads, in order: the blocks of one input after the other, and between them that one ended and another begins.
//!
//! Nothing here waits for a stream but [`Feed::wait`].

use std::collections::VecDeque;
use std::sync::Arc;

use crate::analysis::Progress;
use crate::analysis::blocks::{Blocks, Filled, Got};
use crate::analysis::plan::{AnyReader, Opened, Plan};
use crate::capture::{self, Damage, Format, Secrets};

/// The inputs of a run, as one row of blocks.
pub(super) struct Feed {
    plan: Plan,
    /// Of the input that is being read.
    blocks: Option<Blocks>,
    /// What nobody was told yet.
    events: VecDeque<Event>,
    /// There are threads beside the one that asks.
    has_threads: bool,
    is_over: bool,
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
    /// Nothing is read yet. Without threads, whoever asks decompresses.
    pub(super) const fn new(plan: Plan, has_threads: bool) -> Self {
        Self {
            plan,
            blocks: None,
            events: VecDeque::new(),
            has_threads,
            is_over: false,
        }
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
            None => self.plan.is_next_a_stream(),
        }
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
                if self.plan.is_next_a_stream() && !progress.is_stopped() {
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
        if self.blocks.is_none() && self.plan.is_next_a_stream() {
            self.open(progress);
        }
        if let Some(blocks) = &mut self.blocks {
            blocks.wait(progress);
        }
    }

    /// Opens the next input; `false` when there is none.
    fn open(&mut self, progress: &Progress) -> bool {
        let Some(opened) = self.plan.next(progress) else {
            return false;
        };
        let is_compressed = opened.is_compressed();
        let Opened {
            name,
            reader,
            compression,
            is_stream,
        } = opened;
        let format = reader.as_ref().map(|reader| (reader.format(), compression));
        self.events.push_back(Event::Begin(Beginning {
            name,
            opened: format.ok(),
            is_plain: !is_stream && !is_compressed,
        }));
        match reader {
            // Whoever waits for a stream cannot look whether the run is stopped.
            Ok(reader) if is_stream || (is_compressed && self.has_threads) => {
                self.blocks = Some(Blocks::there(reader, is_stream, progress.clone()));
            }
            Ok(reader) => self.blocks = Some(Blocks::here(reader)),
            Err(error) => self.events.push_back(Event::End(Box::new(Ending {
                secrets: Vec::new(),
                noted: None,
                result: Err(error),
            }))),
        }
        true
    }

    /// The input that is read has ended.
    fn end(&mut self) {
        let Some(mut blocks) = self.blocks.take() else {
            return;
        };
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

/// Inputs without a frame come together, and only so many.
const MAX_EVENTS: usize = 64;
