//! The capture's clock: points in time as the capture wrote them down.
//!
//! No clock is asked here. A [`Timestamp`] comes from a frame or from a certificate.

use std::fmt;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z.
///
/// Covers the years 1677 to 2262; what lies beyond is held at the border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `nanos` nanoseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The time `seconds` and `nanos` after 1970-01-01T00:00:00Z, held at the ends of the range.
    #[must_use]
    pub const fn from_parts(seconds: i64, nanos: u32) -> Self {
        // A widening cast; `From` is not yet const.
        #[expect(clippy::as_conversions, reason = "u32 to i64 loses nothing")]
        let nanos = nanos as i64;
        Self(
            seconds
                .saturating_mul(NANOS_PER_SECOND)
                .saturating_add(nanos),
        )
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; negative when `self` comes before it.
    #[must_use]
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time moved by `nanos`, held at the ends of the range.
    #[must_use]
    pub const fn saturating_add_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// RFC 3339 in UTC with as many digits of a second as `precision` asks for.
    #[must_use]
    pub fn to_rfc3339(self, precision: Precision) -> String {
        let time = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        match precision {
            Precision::Seconds => format!("{time:.0}"),
            Precision::Microseconds => format!("{time:.6}"),
            Precision::Nanoseconds => format!("{time:.9}"),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339(Precision::Nanoseconds))
    }
}

/// How finely a clock was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// Whole seconds, as in certificates.
    Seconds,
    /// Six digits, the classic capture.
    #[default]
    Microseconds,
    /// Nine digits.
    Nanoseconds,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_with_the_digits_of_its_clock() {
        let time = Timestamp::from_parts(1_795_406_400, 123_456_789);
        assert_eq!(time.to_rfc3339(Precision::Seconds), "2026-11-23T04:00:00Z");
        assert_eq!(
            time.to_rfc3339(Precision::Microseconds),
            "2026-11-23T04:00:00.123456Z"
        );
        assert_eq!(
            time.to_rfc3339(Precision::Nanoseconds),
            "2026-11-23T04:00:00.123456789Z"
        );
    }

    #[test]
    fn times_beyond_the_range_are_held_at_its_ends() {
        assert_eq!(Timestamp::from_parts(i64::MAX, 5).as_nanos(), i64::MAX);
        assert_eq!(
            Timestamp::from_nanos(i64::MIN).nanos_since(Timestamp::from_nanos(1)),
            i64::MIN
        );
        assert!(
            Timestamp::from_nanos(i64::MIN)
                .to_string()
                .starts_with("1677-")
        );
    }
}
