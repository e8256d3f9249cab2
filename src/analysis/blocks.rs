//! Where blocks come from: read when they are asked for, or ahead by a thread of their own.

use std::collections::VecDeque;
use std::io;
use std::iter;
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SendError, SyncSender, TryRecvError, sync_channel,
};
use std::thread;

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
    /// The memory that it takes, in bytes.
    fn memory_len(&self) -> usize {
        let secrets = self.secrets.iter().map(|secrets| secrets.data.len());
        self.block.memory_len() + secrets.sum::<usize>()
    }

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
    /// What came before is so much longer than a block.
    Weight,
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

    /// Reads on a thread of its own, at most so many bytes ahead, and one block; where no thread can be
    /// started, when asked to.
    ///
    /// When the run is stopped, a file is read no further; of a stream, what is on its way.
    pub(super) fn there(
        reader: AnyReader,
        is_stream: bool,
        len_ahead: usize,
        progress: Progress,
    ) -> Self {
        let (to_us, blocks) = sync_channel(len_ahead / BLOCK_LEN);
        let (empties, returned) = sync_channel::<Block>(BLOCKS_AHEAD * 2);
        // What a thread that never starts was given would be lost.
        let (hand_over, handed) = sync_channel::<AnyReader>(1);
        let started = thread::Builder::new().spawn(move || {
            let Ok(mut reader) = handed.recv() else {
                return;
            };
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
                        let weight = filled.memory_len() / BLOCK_LEN;
                        // One of a long record takes the place of many.
                        let weights = (1..weight).map(|_| FromReader::Weight);
                        for message in iter::once(FromReader::Block(filled)).chain(weights) {
                            if to_us.send(message).is_err() {
                                return;
                            }
                        }
                    }
                    Ok(false) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            // Nobody listens any more when the run was given up.
            let _ = to_us.send(FromReader::End(Box::new(reader), result));
        });
        if started.is_err() {
            return Self::here(reader);
        }
        if let Err(SendError(reader)) = hand_over.send(reader) {
            return Self::here(reader);
        }
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
                    Err(TryRecvError::Disconnected) => self.end = Some((None, Err(died()))),
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
                Err(RecvTimeoutError::Timeout) => self.end = Some((None, Ok(()))),
                Err(RecvTimeoutError::Disconnected) => self.end = Some((None, Err(died()))),
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
            FromReader::Weight => {}
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

/// A thread always says how reading ended, unless it panicked.
fn died() -> capture::Error {
    io::Error::other("the thread that read it has failed").into()
}

/// How many bytes a block has, unless a record of it is longer.
const BLOCK_LEN: usize = 256 * 1024;
/// Blocks that are waited for together, of what a thread reads ahead; so many are used again.
const BLOCKS_AHEAD: usize = 16;
/// How many bytes of an input are read ahead where no others are.
pub(super) const LEN_AHEAD: usize = BLOCKS_AHEAD * BLOCK_LEN;
/// Blocks that are taken of a stopped stream which goes on all the same: more than lie between
/// the reading thread and us.
const MAX_AFTER_STOP: usize = 256;

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::capture::Reader;
    use crate::input;

    /// A capture without end, of records that each have a megabyte.
    struct Endless {
        record: Vec<u8>,
        at: usize,
        given: Arc<AtomicUsize>,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.at == self.record.len() {
                self.at = HEADER_LEN;
            }
            let len = (&self.record[self.at..]).read(buffer)?;
            self.at += len;
            self.given.fetch_add(len, Ordering::Relaxed);
            Ok(len)
        }
    }

    const HEADER_LEN: usize = 24;
    const RECORD_LEN: usize = 1 << 20;

    #[test]
    fn long_records_are_read_no_further_ahead_than_short_ones() {
        let len = u32::try_from(RECORD_LEN - 16).unwrap().to_le_bytes();
        let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 1 << 20, 1].map(u32::to_le_bytes);
        let record = [
            header.as_flattened(),
            &[0; 8],
            &len,
            &len,
            &[0; RECORD_LEN - 16],
        ]
        .concat();
        let given = Arc::new(AtomicUsize::new(0));
        let endless: Box<dyn Read + Send> = Box::new(Endless {
            record,
            at: 0,
            given: Arc::clone(&given),
        });
        let reader = Reader::new(input::open(endless).unwrap()).unwrap();
        let len_ahead = 8 * RECORD_LEN;
        let mut blocks = Blocks::there(reader, false, len_ahead, Progress::default());
        let mut filled = Filled::default();
        for taken in 1..=20 {
            while blocks.next(&mut filled, &Progress::default()) != Got::Block {
                thread::yield_now();
            }
            assert_eq!(filled.block.frame_count(), 1);
            // Time enough to run away.
            thread::sleep(Duration::from_millis(5));
            // Beside what was taken: what waits, the block that finds no room, and what the reader has of the next one.
            let most = taken * RECORD_LEN + len_ahead + 4 * RECORD_LEN;
            let given = given.load(Ordering::Relaxed);
            assert!(given <= most, "{given} bytes after {taken} blocks");
        }
    }

    /// A capture that ends in a panic of whoever decompresses it.
    struct Treacherous(usize);

    impl Read for Treacherous {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 1 << 20, 1].map(u32::to_le_bytes);
            let header = header.as_flattened();
            assert!(self.0 < header.len(), "for the sake of the test");
            let len = (&header[self.0..]).read(buffer)?;
            self.0 += len;
            Ok(len)
        }
    }

    #[test]
    fn a_reading_thread_that_fails_is_an_error_of_its_input() {
        let treacherous: Box<dyn Read + Send> = Box::new(Treacherous(0));
        let reader = Reader::new(input::open(treacherous).unwrap()).unwrap();
        let progress = Progress::default();
        let mut blocks = Blocks::there(reader, false, LEN_AHEAD, progress.clone());
        blocks.wait(&progress);
        assert_eq!(blocks.next(&mut Filled::default(), &progress), Got::End);
        let (reader, result) = blocks.take_end();
        assert!(reader.is_none() && result.is_err());
    }
}
