//! Where in the run something was seen.

use crate::capture::Frame;
use crate::time::{Precision, Timestamp};

/// A place in the input: which file, which frame, and when that frame was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The frame's number in its file, from 1.
    pub(super) frame: u64,
    /// When it was captured.
    pub(super) time: Timestamp,
    /// The file's place in the order of the run.
    pub(super) file: u32,
    /// The frame's interface in its file; the largest number stands for all beyond.
    pub(super) interface: u16,
    /// How finely the clock was read.
    pub(super) precision: Precision,
}

impl Mark {
    /// The place of a frame of this file.
    pub(super) fn of(frame: &Frame<'_>, file: u32) -> Self {
        Self {
            frame: frame.number,
            time: frame.time,
            file,
            interface: u16::try_from(frame.interface).unwrap_or(u16::MAX),
            precision: frame.precision,
        }
    }

    /// What the output is sorted by: the order of the input, never the order of time.
    pub(super) const fn place(&self) -> (u32, u64) {
        (self.file, self.frame)
    }
}
