//! The reader of captures: the public face of the framer.

use std::io::Read;

use crate::capture::block::{Block, Cursor, Layout};
use crate::capture::damage::Damage;
use crate::capture::error::Error;
use crate::capture::frame::Frame;
use crate::capture::framer::Framer;
use crate::capture::interface::Interfaces;
use crate::capture::opening;
use crate::capture::refill::{Delivery, Refill, Supply};
use crate::capture::secrets::Secrets;

/// Reads a capture, block by block or frame by frame.
#[derive(Debug)]
pub struct Reader<R> {
    framer: Framer<R>,
    format: Format,
    /// For those who read frame by frame: the block they are in, and how far they are.
    current: Block,
    position: Cursor,
}

/// The kind of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The classic format.
    Pcap,
    /// The next generation.
    Pcapng,
}

impl<R: Read> Reader<R> {
    /// Looks at the first bytes of `input`.
    ///
    /// # Errors
    ///
    /// When they are not those of a capture, or cannot be read.
    pub fn new(input: R) -> Result<Self, Error> {
        Self::new_in(Block::default(), input)
    }

    /// Looks at the first bytes of `input`. The memory of `spare` is used again, as [`Reader::into_spare`] gave it: whoever
    /// reads many small captures clears it once.
    ///
    /// # Errors
    ///
    /// As [`Reader::new`].
    pub fn new_in(spare: Block, input: R) -> Result<Self, Error> {
        let mut input = Refill::new(input, spare.buffer);
        let (layout, interfaces) = opening::open(&mut input)?;
        Ok(Self {
            format: match layout {
                Layout::Ng(_) => Format::Pcapng,
                Layout::Classic(_) | Layout::Empty => Format::Pcap,
            },
            framer: Framer::new(input, layout, interfaces),
            current: Block::default(),
            position: Cursor::default(),
        })
    }

    /// Sets how long a block is about; a larger record has a block of its own. 256 KiB if not set: they
    /// stay in the cache of one core.
    #[must_use]
    pub fn with_block_len(mut self, len: usize) -> Self {
        self.framer.block_len = len.max(1);
        self
    }

    /// Sets how long a record may be, 16 MiB if not set. A longer one is a damage.
    #[must_use]
    pub fn with_max_record_len(mut self, len: usize) -> Self {
        self.framer.max_record_len = len;
        self
    }

    /// Sets when a block is handed over.
    #[must_use]
    pub fn with_short_reads(mut self, delivery: Delivery) -> Self {
        self.framer.input.delivery = delivery;
        self
    }

    /// Has the input read by `supply` from now on, which is made for the place where it begins.
    pub(crate) fn with_supply(mut self, supply: impl FnOnce(u64) -> Box<dyn Supply>) -> Self {
        let begin = self.framer.input.end_offset();
        self.framer.input.hand_to(supply(begin));
        self
    }

    /// Fills `block` with the next whole records; `false` means that there are none. A filled block holds
    /// at least one frame. The buffer of `block` is used again.
    ///
    /// # Errors
    ///
    /// When reading fails, after all frames before that were delivered. Compressed data that end early or are corrupt
    /// are no error but a damage.
    pub fn read_block(&mut self, block: &mut Block) -> Result<bool, Error> {
        self.framer.read_block(block)
    }

    /// Shows the next frame to `visit`. `None` means that there is none.
    ///
    /// # Errors
    ///
    /// As [`Reader::read_block`].
    pub fn next_frame<T>(
        &mut self,
        visit: impl FnOnce(Frame<'_>) -> T,
    ) -> Result<Option<T>, Error> {
        // One round at most reads a block, since a block has a frame.
        loop {
            let mut frames = self.current.frames_from(self.position);
            if let Some(frame) = frames.next() {
                self.position = frames.cursor();
                return Ok(Some(visit(frame)));
            }
            let mut block = std::mem::take(&mut self.current);
            let read = self.read_block(&mut block);
            self.position = block.start;
            self.current = block;
            if !read? {
                return Ok(None);
            }
        }
    }

    /// The damaged places passed so far, the first few hundred of them.
    #[must_use]
    pub fn damages(&self) -> &[Damage] {
        self.framer.damages.kept()
    }

    /// How many damaged places were passed so far.
    #[must_use]
    pub fn damage_count(&self) -> u64 {
        self.framer.damages.count()
    }

    /// The kind of this capture.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The interfaces described so far. A classic capture has one.
    #[must_use]
    pub fn interfaces(&self) -> &Interfaces {
        &self.framer.interfaces
    }

    /// How many frames were counted so far.
    #[must_use]
    pub fn frame_count(&self) -> u64 {
        self.framer.frame_count
    }

    /// How many bytes of the input were walked so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.framer.input.offset()
    }

    /// The input that it reads.
    #[must_use]
    pub fn input(&self) -> &R {
        self.framer.input.input()
    }

    /// The memory it read into, for another reader; not that of an unusually large record.
    #[must_use]
    pub fn into_spare(self) -> Block {
        let usual_len = self.framer.block_len.saturating_mul(4);
        let mut buffer = self.framer.input.into_buffer();
        if buffer.len() > usual_len {
            buffer = Vec::new();
        }
        Block {
            buffer,
            ..Block::default()
        }
    }

    /// Takes the decryption secrets seen since the last time. Over the whole capture
    /// [`Secrets::MAX_LEN`] bytes are held, and the rest is passed over.
    pub fn secrets(&mut self) -> impl Iterator<Item = Secrets> + use<R> {
        self.framer.vault.take().into_iter()
    }
}

#[cfg(test)]
mod tests;
