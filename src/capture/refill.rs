//! The bytes of an input between reading and use: a window that moves over it.
//!
//! Each byte is moved a bounded number of times, however large the records and however often the window is asked
//! for more. What is read before the input fails stays readable.

use std::io::{self, Read};

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

/// A window over an input.
#[derive(Debug)]
pub(crate) struct Refill<R> {
    input: R,
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
        if is_due && !self.at_end {
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
    ) -> std::ops::Range<usize> {
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
            buffer.resize(usual_len.max(rest), 0);
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
