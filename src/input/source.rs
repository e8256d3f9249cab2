//! A buffered reader that can look ahead, and knows whether it ever came up empty.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, Read};

/// Compressed bytes on their way to a decoder.
pub(crate) struct Source<R> {
    input: R,
    /// Always initialised over its whole length. It is short at first: most that is asked of an input is what it is.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    starved: bool,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST_LEN],
            start: 0,
            end: 0,
            starved: false,
        }
    }

    /// Shows the next `len` bytes, or fewer at the end of the input.
    pub(crate) fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        if self.end - self.start < len {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < len && self.refill()? > 0 {}
        }
        let bytes = self.held();
        Ok(bytes.get(..len).unwrap_or(bytes))
    }

    /// Reads what the buffer holds, then straight from the input.
    pub(crate) fn read_through(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start < self.end {
            self.read(out)
        } else {
            self.input.read(out)
        }
    }

    /// Whether a decoder asked for bytes since the last call, and none were left.
    pub(crate) fn take_starved(&mut self) -> bool {
        std::mem::take(&mut self.starved)
    }

    fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads into the free end of the buffer.
    fn refill(&mut self) -> io::Result<usize> {
        loop {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(room) {
                Ok(len) => {
                    let len = len.min(self.buffer.len() - self.end);
                    self.end += len;
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io::Error::new(error.kind(), Below(error))),
            }
        }
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            if self.end > 0 && self.buffer.len() < BUFFER_LEN {
                self.buffer = vec![0; BUFFER_LEN];
            }
            self.start = 0;
            self.end = 0;
            if self.refill()? == 0 {
                self.starved = true;
            }
        }
        Ok(self.held())
    }

    fn consume(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.end);
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let held = self.fill_buf()?;
        let len = held.len().min(out.len());
        if let Some((from, to)) = held.get(..len).zip(out.get_mut(..len)) {
            to.copy_from_slice(from);
        }
        self.consume(len);
        Ok(len)
    }
}

/// Marks an error of the input, so that it is not taken for one of the decoder that it passes through.
#[derive(Debug)]
struct Below(io::Error);

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Below {}

/// Gives back an error of the input, or else the decoder's own.
pub(crate) fn from_below(error: io::Error) -> Result<io::Error, io::Error> {
    match error.downcast::<Below>() {
        Ok(Below(error)) => Ok(error),
        Err(error) => Err(error),
    }
}

/// What is read at first: enough to tell what an input is, and when a capture begins.
const FIRST_LEN: usize = 4096;
const BUFFER_LEN: usize = 128 * 1024;
