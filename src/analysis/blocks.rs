//! Where blocks come from: read when they are asked for, or ahead by a thread of their own.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};

use crate::analysis::Progress;
use crate::analysis::plan::AnyReader;
use crate::capture::{self, Block, Secrets};

/// The blocks of an input, in order.
pub(super) struct Blocks {
    /// Blocks that came already.
    waiting: VecDeque<Filled>,
    from: From,
    end: Option<End>,
}

enum From {
    /// A plain file: whoever asks reads.
    Here(Option<Box<AnyReader>>),
    There {
        blocks: Receiver<FromReader>,
        empties: SyncSender<Block>,
        is_stream: bool,
        /// How many more are taken once the run is stopped.
        left_after_stop: usize,
    },
}

/// A block, and the secrets that stand in it or before it.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) block: Block,
    pub(super) secrets: Vec<Secrets>,
}

impl Filled {
    /// Makes it empty and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.block.clear();
        self.secrets.clear();
    }
}

/// What a reading thread sends.
enum FromReader {
    /// A block, with the secrets in it.
    Block(Filled),
    End(Box<AnyReader>, Result<(), capture::Error>),
}

/// What came of asking for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Block,
    /// None has come yet, and others may.
    Nothing,
    /// There are no more.
    End,
}

/// The reader with what it noted, where it is still there, and how reading ended.
pub(super) type End = (Option<Box<AnyReader>>, Result<(), capture::Error>);

impl Blocks {
    /// Reads when asked to.
    pub(super) fn here(reader: AnyReader) -> Self {
        Self::from(From::Here(Some(Box::new(reader))))
    }

    /// Reads on a thread of its own, a few blocks ahead.
    ///
    /// When the run is stopped, a file is read no further; of a stream, what is on its way.
    pub(super) fn there(mut reader: AnyReader, is_stream: bool, progress: Progress) -> Self {
        let (to_us, blocks) = sync_channel(BLOCKS_AHEAD);
        let (empties, returned) = sync_channel::<Block>(BLOCKS_AHEAD * 2);
        std::thread::spawn(move || {
            let result = loop {
                if !is_stream && progress.is_stopped() {
                    break Ok(());
                }
                let mut block = returned.try_recv().unwrap_or_default();
                match reader.read_block(&mut block) {
                    Ok(true) => {
                        let filled = Filled {
                            block,
                            secrets: reader.secrets().collect(),
                        };
                        if to_us.send(FromReader::Block(filled)).is_err() {
                            return;
                        }
                    }
                    Ok(false) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            // Nobody listens any more when the run was given up.
            let _ = to_us.send(FromReader::End(Box::new(reader), result));
        });
        Self::from(From::There {
            blocks,
            empties,
            is_stream,
            left_after_stop: MAX_AFTER_STOP,
        })
    }

    const fn from(from: From) -> Self {
        Self {
            waiting: VecDeque::new(),
            from,
            end: None,
        }
    }

    /// Whether its blocks come as they like, and lines are wanted as soon as may be.
    pub(super) const fn is_stream(&self) -> bool {
        matches!(
            self.from,
            From::There {
                is_stream: true,
                ..
            }
        )
    }

    /// Whether a thread reads ahead, so that there may be none at the moment.
    pub(super) const fn is_read_ahead(&self) -> bool {
        matches!(self.from, From::There { .. })
    }

    /// The next block if it is there; a plain file is read for it. What was in `into` is gone,
    /// and its memory used again.
    pub(super) fn next(&mut self, into: &mut Filled, progress: &Progress) -> Got {
        if let Some(filled) = self.waiting.pop_front() {
            self.recycle(std::mem::replace(into, filled));
            return Got::Block;
        }
        if self.end.is_some() {
            return Got::End;
        }
        match &mut self.from {
            From::Here(reader) => {
                let end = read(reader, into, progress);
                self.end = end;
                if self.end.is_some() {
                    Got::End
                } else {
                    Got::Block
                }
            }
            From::There { blocks, .. } => {
                let received = blocks.try_recv();
                match received {
                    Ok(received) => self.receive(received, progress),
                    Err(TryRecvError::Empty) => return Got::Nothing,
                    Err(TryRecvError::Disconnected) => self.end = Some((None, Ok(()))),
                }
                self.next(into, progress)
            }
        }
    }

    /// Waits until a block is there, or the end of the input; a whole round of a file that is
    /// read ahead.
    pub(super) fn wait(&mut self, progress: &Progress) {
        while self.end.is_none() {
            let From::There {
                blocks, is_stream, ..
            } = &self.from
            else {
                return;
            };
            let enough = if *is_stream { 1 } else { BLOCKS_AHEAD / 2 };
            if self.waiting.len() >= enough {
                return;
            }
            let is_stopped = progress.is_stopped();
            match blocks.recv_timeout(progress.patience()) {
                Ok(received) => self.receive(received, progress),
                Err(RecvTimeoutError::Timeout) if !is_stopped => {}
                Err(_) => self.end = Some((None, Ok(()))),
            }
        }
    }

    fn receive(&mut self, received: FromReader, progress: &Progress) {
        let From::There {
            left_after_stop, ..
        } = &mut self.from
        else {
            return;
        };
        match received {
            FromReader::End(reader, result) => self.end = Some((Some(reader), result)),
            FromReader::Block(_) if progress.is_stopped() && *left_after_stop == 0 => {
                self.end = Some((None, Ok(())));
            }
            FromReader::Block(filled) => {
                if progress.is_stopped() {
                    *left_after_stop -= 1;
                }
                self.waiting.push_back(filled);
            }
        }
    }

    /// How the input ended, once [`Got::End`] was said.
    pub(super) fn take_end(&mut self) -> End {
        self.end.take().unwrap_or((None, Ok(())))
    }

    fn recycle(&mut self, filled: Filled) {
        if let From::There { empties, .. } = &self.from {
            // When there are enough of them, this one is let go.
            let _ = empties.try_send(filled.block);
        }
    }
}

/// Reads a block; tells how reading ended if there is none.
fn read(place: &mut Option<Box<AnyReader>>, into: &mut Filled, progress: &Progress) -> Option<End> {
    let Some(reader) = place else {
        return Some((None, Ok(())));
    };
    let read = if progress.is_stopped() {
        Ok(false)
    } else {
        reader.read_block(&mut into.block)
    };
    match read {
        Ok(true) => {
            into.secrets.clear();
            into.secrets.extend(reader.secrets());
            None
        }
        Ok(false) => Some((place.take(), Ok(()))),
        Err(error) => Some((place.take(), Err(error))),
    }
}

/// Blocks that a thread reads ahead.
const BLOCKS_AHEAD: usize = 16;
/// Blocks that are taken of a stopped stream which goes on all the same: more than lie between
/// the reading thread and us.
const MAX_AFTER_STOP: usize = 256;
