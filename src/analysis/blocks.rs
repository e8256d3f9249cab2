//! Where blocks come from: read here, or by a thread of their own while others work.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

use crate::analysis::Progress;
use crate::analysis::plan::AnyReader;
use crate::capture::{self, Block, Secrets};

/// Where blocks come from: read here, or by a thread of their own while others work.
pub(super) enum Blocks {
    Here {
        reader: Option<Box<AnyReader>>,
        /// Blocks that were read, and whose memory is free.
        empties: Vec<Block>,
    },
    There {
        blocks: Receiver<FromReader>,
        empties: SyncSender<Block>,
        /// How many more are taken once the run is stopped.
        left_after_stop: usize,
    },
}

/// A block, and the secrets that stand in it or before it.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) block: Block,
    pub(super) secrets: Vec<Secrets>,
}

/// What a reading thread sends.
pub(super) enum FromReader {
    /// A block, with the secrets in it.
    Block(Filled),
    End(Box<AnyReader>, Result<(), capture::Error>),
}

/// The reader with what it noted, where it is still there, and how reading ended.
pub(super) type End = (Option<Box<AnyReader>>, Result<(), capture::Error>);

impl Blocks {
    /// Reads when asked to.
    pub(super) fn here(reader: AnyReader) -> Self {
        Self::Here {
            reader: Some(Box::new(reader)),
            empties: Vec::new(),
        }
    }

    /// Reads on a thread of its own, a few blocks ahead.
    ///
    /// When the run is stopped, a file is read no further; of a stream, what is on its way.
    pub(super) fn there(mut reader: AnyReader, is_stream: bool, progress: Progress) -> Self {
        let (to_us, blocks) = sync_channel(BLOCKS_A_ROUND * 2);
        let (empties, returned) = sync_channel::<Block>(BLOCKS_A_ROUND * 4);
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
        Self::There {
            blocks,
            empties,
            left_after_stop: MAX_AFTER_STOP,
        }
    }

    /// Takes the blocks that are there, at least one unless the input has ended and at most
    /// `count`.
    pub(super) fn next(
        &mut self,
        into: &mut Vec<Filled>,
        count: usize,
        progress: &Progress,
    ) -> Option<End> {
        match self {
            Self::Here {
                reader: place,
                empties,
            } => {
                while into.len() < count {
                    let Some(reader) = place else {
                        return Some((None, Ok(())));
                    };
                    let mut block = empties.pop().unwrap_or_default();
                    let read = if progress.is_stopped() {
                        Ok(false)
                    } else {
                        reader.read_block(&mut block)
                    };
                    match read {
                        Ok(true) => into.push(Filled {
                            block,
                            secrets: reader.secrets().collect(),
                        }),
                        Ok(false) => return Some((place.take(), Ok(()))),
                        Err(error) => return Some((place.take(), Err(error))),
                    }
                }
                None
            }
            Self::There {
                blocks,
                left_after_stop,
                ..
            } => {
                while into.len() < count {
                    let is_stopped = progress.is_stopped();
                    if is_stopped {
                        let Some(left) = left_after_stop.checked_sub(1) else {
                            return Some((None, Ok(())));
                        };
                        *left_after_stop = left;
                    }
                    let received = if into.is_empty() {
                        blocks.recv_timeout(progress.patience())
                    } else {
                        blocks.try_recv().map_err(|_| RecvTimeoutError::Timeout)
                    };
                    match received {
                        Ok(FromReader::Block(block)) => into.push(block),
                        Ok(FromReader::End(reader, result)) => return Some((Some(reader), result)),
                        Err(RecvTimeoutError::Timeout) if into.is_empty() && is_stopped => {
                            return Some((None, Ok(())));
                        }
                        Err(RecvTimeoutError::Timeout) if into.is_empty() => {}
                        Err(RecvTimeoutError::Timeout) => return None,
                        Err(RecvTimeoutError::Disconnected) => return Some((None, Ok(()))),
                    }
                }
                None
            }
        }
    }

    pub(super) fn recycle(&mut self, blocks: Vec<Block>) {
        match self {
            Self::Here { empties, .. } => *empties = blocks,
            Self::There { empties, .. } => {
                for block in blocks {
                    // When there are enough of them, this one is let go.
                    let _ = empties.try_send(block);
                }
            }
        }
    }
}

/// Blocks that are worked on together: more of them fill the cache, fewer do not fill the threads.
pub(super) const BLOCKS_A_ROUND: usize = 8;
/// Blocks that are taken of a stopped stream which goes on all the same: more than lie between
/// the reading thread and us.
const MAX_AFTER_STOP: usize = 256;
