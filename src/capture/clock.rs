//! The clock of an interface: ticks become points in time (draft-ietf-opsawg-pcapng, section 4.2,
//! options `if_tsresol` and `if_tsoffset`).
//!
//! By hand, since a resolution in powers of two and a negative offset both go wrong in the parser crate.

use crate::time::{Precision, Timestamp};

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    ticks: Ticks,
    /// Seconds to add to each time.
    offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticks {
    /// Whole nanoseconds a tick.
    Nanos(i64),
    /// Ten to this many ticks a nanosecond.
    PowerOfTen(u32),
    /// Two to this many ticks a second.
    PowerOfTwo(u32),
}

impl Clock {
    /// The clock that an interface has when it says nothing of it.
    pub(crate) const MICROSECONDS: Self = Self {
        ticks: Ticks::Nanos(1_000),
        offset: 0,
    };

    /// The clock of captures in nanoseconds.
    pub(crate) const NANOSECONDS: Self = Self {
        ticks: Ticks::Nanos(1),
        offset: 0,
    };

    /// The clock with this `if_tsresol` and `if_tsoffset`.
    pub(crate) fn new(resolution: u8, offset: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let ticks = if resolution & 0x80 != 0 {
            Ticks::PowerOfTwo(exponent)
        } else if let Some(exponent) = 9_u32.checked_sub(exponent) {
            Ticks::Nanos(10_i64.pow(exponent))
        } else {
            Ticks::PowerOfTen(exponent - 9)
        };
        Self { ticks, offset }
    }

    /// The time after `ticks`, held at the ends of the range.
    #[inline]
    pub(crate) fn time(self, ticks: u64) -> Timestamp {
        if let (Ticks::Nanos(nanos), 0) = (self.ticks, self.offset)
            && let Some(nanos) = i64::try_from(ticks)
                .ok()
                .and_then(|ticks| ticks.checked_mul(nanos))
        {
            return Timestamp::from_nanos(nanos);
        }
        self.time_slowly(ticks)
    }

    fn time_slowly(self, ticks: u64) -> Timestamp {
        // At most 64 bits of ticks and 30 of a factor: 128 bits hold every step.
        let ticks = i128::from(ticks);
        let nanos = match self.ticks {
            Ticks::Nanos(nanos) => ticks * i128::from(nanos),
            Ticks::PowerOfTen(exponent) => {
                10_i128.checked_pow(exponent).map_or(0, |per| ticks / per)
            }
            Ticks::PowerOfTwo(exponent) => (ticks * NANOS_PER_SECOND) >> exponent,
        };
        let nanos = nanos + i128::from(self.offset) * NANOS_PER_SECOND;
        let held = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Timestamp::from_nanos(i64::try_from(held).unwrap_or_default())
    }

    /// The digits that this clock fills.
    pub(crate) fn precision(self) -> Precision {
        match self.ticks {
            Ticks::Nanos(1_000..) => Precision::Microseconds,
            // 2^19 is the last power of two below a million.
            Ticks::PowerOfTwo(..=19) => Precision::Microseconds,
            _ => Precision::Nanoseconds,
        }
    }
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(resolution: u8, offset: i64, ticks: u64) -> i64 {
        Clock::new(resolution, offset).time(ticks).as_nanos()
    }

    #[test]
    fn a_tick_is_what_the_resolution_says() {
        assert_eq!(nanos(0, 0, 7), 7_000_000_000);
        assert_eq!(nanos(3, 0, 7), 7_000_000);
        assert_eq!(nanos(6, 0, 7), 7_000);
        assert_eq!(nanos(9, 0, 7), 7);
        assert_eq!(nanos(12, 0, 7_999), 7);
        assert_eq!(nanos(127, 0, u64::MAX), 0);
        assert_eq!(nanos(0x80 | 10, 0, 512), 500_000_000);
        assert_eq!(nanos(0x80 | 20, 0, 3 << 19), 1_500_000_000);
        assert_eq!(nanos(0xff, 0, u64::MAX), 0);
    }

    #[test]
    fn an_offset_may_be_negative() {
        assert_eq!(nanos(6, -3600, 3_600_000_001), 1_000);
        assert_eq!(nanos(9, 1, 1), 1_000_000_001);
        assert_eq!(nanos(0x80, -2, 1), -1_000_000_000);
    }

    #[test]
    fn what_lies_beyond_the_range_is_held() {
        assert_eq!(nanos(0, 0, u64::MAX), i64::MAX);
        assert_eq!(nanos(9, 0, u64::MAX), i64::MAX);
        assert_eq!(nanos(6, i64::MAX, u64::MAX), i64::MAX);
        assert_eq!(nanos(6, i64::MIN, 0), i64::MIN);
    }

    #[test]
    fn the_digits_follow_the_resolution() {
        for (resolution, precision) in [
            (0, Precision::Microseconds),
            (6, Precision::Microseconds),
            (7, Precision::Nanoseconds),
            (12, Precision::Nanoseconds),
            (0x80 | 19, Precision::Microseconds),
            (0x80 | 20, Precision::Nanoseconds),
        ] {
            assert_eq!(Clock::new(resolution, 0).precision(), precision);
        }
    }
}
