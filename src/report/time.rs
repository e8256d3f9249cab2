//! A point in time as it is written: RFC 3339 in UTC, with the digits of the clock that was read.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::report::short_text::ShortText;
use crate::time::{Precision, Timestamp};

/// A time of the capture or of a certificate.
///
/// Reaches from the year 1 to 9999, further than a [`Timestamp`]: certificates that never expire
/// name the end of the year 9999 (RFC 5280, section 4.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    seconds: i64,
    nanos: u32,
    precision: Precision,
}

impl Time {
    /// The time of a frame, on a clock of this precision.
    #[must_use]
    pub fn new(timestamp: Timestamp, precision: Precision) -> Self {
        let nanos = timestamp.as_nanos();
        Self {
            seconds: nanos.div_euclid(NANOS_PER_SECOND),
            nanos: u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).unwrap_or_default(),
            precision,
        }
    }

    /// The time so many seconds after 1970-01-01T00:00:00Z; what lies beyond the years 1 to 9999 is held at their border.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self {
            seconds: seconds.clamp(FIRST_SECOND, LAST_SECOND),
            nanos: 0,
            precision: Precision::Seconds,
        }
    }

    /// The time so many nanoseconds after 1970-01-01T00:00:00Z, written with all its digits.
    #[must_use]
    pub fn from_unix_nanos(nanos: i64) -> Self {
        Self::new(Timestamp::from_nanos(nanos), Precision::Nanoseconds)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z as far as they are written: digits that are not
    /// written do not count, so that a difference of two times is that of their texts.
    #[must_use]
    pub fn as_nanos(self) -> i64 {
        let nanos = match self.precision {
            Precision::Seconds => 0,
            Precision::Microseconds => self.nanos.saturating_sub(self.nanos % 1000),
            Precision::Nanoseconds => self.nanos,
        };
        self.seconds
            .saturating_mul(NANOS_PER_SECOND)
            .saturating_add(i64::from(nanos))
    }

    /// The same instant cut to whole seconds.
    #[must_use]
    pub const fn to_seconds(self) -> Self {
        Self {
            precision: Precision::Seconds,
            ..self
        }
    }

    /// The date: `2026-11-23`.
    #[must_use]
    pub fn date(self) -> String {
        let text = self.text();
        text.as_str().get(..10).unwrap_or_default().to_owned()
    }

    /// The time of day: `04:00:00.123456`.
    #[must_use]
    pub fn time_of_day(self) -> String {
        let text = self.text();
        let time = text.as_str().get(11..).unwrap_or_default();
        time.trim_end_matches('Z').to_owned()
    }

    /// As it is written.
    pub(crate) fn text(self) -> ShortText<MAX_LEN> {
        let mut text = ShortText::new();
        let day = self.seconds.div_euclid(SECONDS_PER_DAY);
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        let (year, month, day) = civil(day);
        // Between the years 1 and 9999 nothing here is negative.
        let second = u32::try_from(second).unwrap_or_default();
        let [year, month, day] =
            [year, month, day].map(|number| u32::try_from(number).unwrap_or_default());
        let [y0, y1, y2, y3] = digits::<4>(year);
        let [[m0, m1], [d0, d1]] = [month, day].map(digits::<2>);
        let [[h0, h1], [n0, n1], [s0, s1]] =
            [second / 3600, second / 60 % 60, second % 60].map(digits::<2>);
        text.push(&[
            y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1,
        ]);
        match self.precision {
            Precision::Seconds => {}
            Precision::Microseconds => {
                text.push(b".");
                text.push(&digits::<6>(self.nanos / 1000));
            }
            Precision::Nanoseconds => {
                text.push(b".");
                text.push(&digits::<9>(self.nanos));
            }
        }
        text.push(b"Z");
        text
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6}|\.\d{9})?Z$"
        })
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are taken to begin in March, so that the leap day is the last; a month's first day is
/// then a straight line through the months of 31 and 30 days.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day.saturating_add(DAYS_TO_1970);
    let era = day.div_euclid(DAYS_PER_ERA);
    let day_of_era = day.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, carry) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    (era * 400 + year_of_era + carry, month, day_of_month)
}

fn digits<const N: usize>(mut value: u32) -> [u8; N] {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
    text
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// 0001-01-01T00:00:00Z.
const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;
/// `2026-11-23T04:00:00.123456789Z`.
const MAX_LEN: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_like_that_of_the_calendar_library() {
        // Steps of about eleven days and a bit reach every month, leap days, and both sides of 1970.
        for step in -9_000_i64..9_000 {
            let timestamp = Timestamp::from_nanos(step * 1_000_123_456_789_123);
            for precision in [
                Precision::Seconds,
                Precision::Microseconds,
                Precision::Nanoseconds,
            ] {
                // The library rounds what it cuts off; a time before 1970 is cut downwards here.
                let shown = Time::new(timestamp, precision);
                let cut = Timestamp::from_nanos(shown.as_nanos());
                assert_eq!(shown.to_string(), cut.to_rfc3339(precision));
            }
        }
    }

    #[test]
    fn a_certificate_that_never_expires_says_9999() {
        let never = Time::from_unix_seconds(253_402_300_799);
        assert_eq!(never.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Time::from_unix_seconds(i64::MAX), never);
        let first = Time::from_unix_seconds(i64::MIN);
        assert_eq!(first.to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn date_and_time_of_day_stand_apart() {
        let time = Time::new(
            Timestamp::from_parts(1_795_406_400, 123_456_789),
            Precision::Microseconds,
        );
        assert_eq!(time.date(), "2026-11-23");
        assert_eq!(time.time_of_day(), "04:00:00.123456");
        assert_eq!(time.to_seconds().time_of_day(), "04:00:00");
    }
}
