//! The bytes of an input between reading and use: a window that moves over it.
//!
//! Each byte is moved a bounded number of times, however large the records and however often the window is asked
//! for more. What is read before the input fails stays readable.

use std::fmt::Debug;
use std::io::{self, Read};
use std::ops::Range;

use crate::capture::order::to_count;

/// When a block of frames is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// When it is full: for files.
    #[default]
    Full,
    /// As soon as a read gave less than was asked, and a whole frame is there: for a live capture in a pipe.
    Prompt,
}

/// A stretch of an input that somebody has read already.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    /// Initialised over its whole length. Before the stretch at least [`HEADROOM`] bytes are free.
    pub(crate) buffer: Vec<u8>,
    /// Where it stands in the buffer.
    pub(crate) range: Range<usize>,
    /// No other comes behind it.
    pub(crate) is_last: bool,
    /// How the input failed behind it.
    pub(crate) failure: Option<io::Error>,
}

/// Whoever reads an input in stretches, on other threads too: what it has read takes the place of the window, and is
/// not copied.
pub(crate) trait Supply: Debug + Send {
    /// The next stretch of the input. `spare` is memory for another one.
    fn next(&mut self, spare: Vec<u8>) -> Stretch;
}

/// What is left of one stretch finds room in front of the next, unless it is the beginning of an unusually large record.
pub(crate) const HEADROOM: usize = 64 * 1024;

/// A window over an input.
#[derive(Debug)]
pub(crate) struct Refill<R> {
    input: R,
    /// Reads in place of the input, once it is there.
    supply: Option<Box<dyn Supply>>,
    /// Memory for what it reads.
    spare: Vec<u8>,
    /// Always initialised over its whole length; the window is a part of it.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The place of the window's start in the input.
    offset: u64,
    at_end: bool,
    failure: Option<io::Error>,
    pub(crate) delivery: Delivery,
}

impl<R: Read> Refill<R> {
    /// A window over `input`, in the memory of `buffer`; what stood there is gone.
    pub(crate) fn new(input: R, buffer: Vec<u8>) -> Self {
        Self {
            input,
            supply: None,
            spare: Vec::new(),
            buffer,
            start: 0,
            end: 0,
            offset: 0,
            at_end: false,
            failure: None,
            delivery: Delivery::Full,
        }
    }

    /// Reads until the window holds `wanted` bytes, and further as far as room was made.
    ///
    /// A prompt delivery stops at a short read once `needed` bytes are there.
    /// Says whether `needed` bytes are there: if not, the input has ended.
    pub(crate) fn fill(&mut self, needed: usize, wanted: usize) -> bool {
        let wanted = wanted.max(needed);
        let is_due = self.len() < needed || self.delivery == Delivery::Full;
        if self.supply.is_some() {
            while is_due && self.len() < wanted && !self.at_end {
                self.take_stretch();
            }
        } else if is_due && !self.at_end {
            self.make_room(wanted);
            while self.len() < wanted && !self.at_end {
                let room = self.buffer.get_mut(self.end..).unwrap_or_default();
                let asked = room.len();
                match self.input.read(room) {
                    Ok(0) => self.at_end = true,
                    Ok(len) => {
                        self.end = self.end.saturating_add(len).min(self.buffer.len());
                        let short = len < asked && self.delivery == Delivery::Prompt;
                        if short && self.len() >= needed {
                            break;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.at_end = true;
                        self.failure = Some(error);
                    }
                }
            }
        }
        self.len() >= needed
    }

    /// From now on the input is read by `supply`, which begins behind the window.
    pub(crate) fn hand_to(&mut self, supply: Box<dyn Supply>) {
        self.supply = Some(supply);
    }

    /// Where the window ends in the input.
    pub(crate) fn end_offset(&self) -> u64 {
        self.offset.saturating_add(to_count(self.len()))
    }

    /// Goes on with the next stretch: what is in the window is put in front of it, or it behind a window for which there is no room.
    fn take_stretch(&mut self) {
        let Some(supply) = &mut self.supply else {
            return;
        };
        let Stretch {
            mut buffer,
            range,
            is_last,
            failure,
        } = supply.next(std::mem::take(&mut self.spare));
        self.at_end = is_last || failure.is_some();
        self.failure = failure;
        let len = self.len();
        if let Some(start) = range.start.checked_sub(len)
            && let Some(front) = buffer.get_mut(start..range.start)
        {
            front.copy_from_slice(self.buffer.get(self.start..self.end).unwrap_or_default());
            self.spare = std::mem::replace(&mut self.buffer, buffer);
            (self.start, self.end) = (start, range.end.min(self.buffer.len()));
            return;
        }
        let stretch = buffer.get(range).unwrap_or_default();
        self.make_room(len.saturating_add(stretch.len()));
        let end = self.end.saturating_add(stretch.len());
        if let Some(room) = self.buffer.get_mut(self.end..end) {
            room.copy_from_slice(stretch);
            self.end = end;
        }
        self.spare = buffer;
    }

    /// Makes room for a window of `len` bytes.
    ///
    /// Moves the window only if it came at least as far as it is long, and grows twice as far as asked otherwise: so
    /// a byte is moved once for each byte that the window moved on.
    fn make_room(&mut self, len: usize) {
        if self.start.saturating_add(len) <= self.buffer.len() {
            return;
        }
        if self.start >= self.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end = self.len();
            self.start = 0;
        }
        let least = self.start.saturating_add(len);
        if least > self.buffer.len() {
            let len = if self.start == 0 {
                least
            } else {
                least.saturating_add(len)
            };
            self.buffer.resize(len, 0);
        }
    }

    /// The bytes in the window.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Where the window starts in the input.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Moves the start of the window.
    pub(crate) fn consume(&mut self, len: usize) {
        let len = len.min(self.len());
        self.start += len;
        self.offset = self.offset.saturating_add(to_count(len));
    }

    /// Gives the first `len` bytes away and takes `buffer` in exchange: the longer part stays where it is, the
    /// shorter is copied. Returns where in `buffer` the bytes stand.
    pub(crate) fn hand_over(
        &mut self,
        len: usize,
        buffer: &mut Vec<u8>,
        usual_len: usize,
    ) -> Range<usize> {
        let given = self.bytes().len().min(len);
        let rest = self.len() - given;
        if buffer.len() > usual_len.saturating_mul(4) {
            // An unusually large record is gone: so is the memory it took.
            *buffer = Vec::new();
        }
        // One that has grown for a large record is not given away with little in it.
        let is_large = self.buffer.len() > usual_len.saturating_mul(4);
        let is_mostly_void = is_large && given < self.buffer.len() / 2;
        if rest > given || is_mostly_void {
            if buffer.len() < given {
                buffer.resize(given, 0);
            }
            if let Some((from, to)) = self.bytes().get(..given).zip(buffer.get_mut(..given)) {
                to.copy_from_slice(from);
            }
            self.consume(given);
            if is_mostly_void {
                self.shrink(usual_len);
            }
            return 0..given;
        }
        let (from, to) = (self.start, self.start + given);
        if buffer.len() < rest {
            // What a supply reads comes in memory of its own.
            let least = if self.supply.is_some() { 0 } else { usual_len };
            buffer.resize(least.max(rest), 0);
        }
        if let Some((from, to)) = self.buffer.get(to..self.end).zip(buffer.get_mut(..rest)) {
            to.copy_from_slice(from);
        }
        self.consume(given);
        std::mem::swap(&mut self.buffer, buffer);
        self.start = 0;
        self.end = rest;
        from..to
    }

    /// Gives back what the window does not need.
    fn shrink(&mut self, usual_len: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end = self.len();
        self.start = 0;
        self.buffer.truncate(usual_len.max(self.end));
        self.buffer.shrink_to_fit();
    }

    /// Whether the input has ended: the window holds all that is left.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// How the input failed, once.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Gives the memory back.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    pub(crate) fn input(&self) -> &R {
        &self.input
    }
}
