//! Where in the run something was seen.

use std::num::NonZeroU16;

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
    /// Where in its file it came from.
    pub(super) origin: Origin,
}

/// A frame's interface in its file, and how finely the clock was read there.
///
/// One short word, since it is written for every packet; never 0, so that where there may be none takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(NonZeroU16);

impl Origin {
    /// The largest number of an interface stands for all beyond.
    #[inline(always)]
    pub(super) fn new(interface: u32, precision: Precision) -> Self {
        let interface = u16::try_from(interface).unwrap_or(u16::MAX);
        let precision = match precision {
            Precision::Seconds => 1,
            Precision::Microseconds => 2,
            Precision::Nanoseconds => 3,
        };
        let word = interface.min(MAX_INTERFACE) << 2 | precision;
        Self(NonZeroU16::new(word).unwrap_or(NonZeroU16::MIN))
    }

    pub(super) fn interface(self) -> u32 {
        u32::from(self.0.get() >> 2)
    }

    pub(super) const fn precision(self) -> Precision {
        match self.0.get() & 3 {
            1 => Precision::Seconds,
            2 => Precision::Microseconds,
            _ => Precision::Nanoseconds,
        }
    }
}

impl Default for Origin {
    fn default() -> Self {
        Self::new(0, Precision::default())
    }
}

/// The number that stands for all interfaces from there on.
pub(super) const MAX_INTERFACE: u16 = u16::MAX >> 2;

impl Mark {
    /// The place of a frame of this file.
    pub(super) fn of(frame: &Frame<'_>, file: u32) -> Self {
        Self {
            frame: frame.number,
            time: frame.time,
            file,
            origin: Origin::new(frame.interface, frame.precision),
        }
    }

    /// What the output is sorted by: the order of the input, never the order of time.
    pub(super) const fn place(&self) -> (u32, u64) {
        (self.file, self.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_may_be_missing_takes_no_more() {
        assert_eq!(size_of::<Option<Mark>>(), size_of::<Mark>());
    }

    #[test]
    fn an_origin_says_what_was_put_in() {
        for precision in [
            Precision::Seconds,
            Precision::Microseconds,
            Precision::Nanoseconds,
        ] {
            for (interface, told) in [(0, 0), (3, 3), (16_383, 16_383), (70_000, 16_383)] {
                let origin = Origin::new(interface, precision);
                assert_eq!((origin.interface(), origin.precision()), (told, precision));
            }
        }
    }
}
