//! Dates of certificates: `UTCTime` and `GeneralizedTime` (RFC 5280, section 4.1.2.5).
//!
//! RFC 5280 allows one form of each, in UTC with seconds. X.680 has more (no seconds, fractions,
//! offsets), and old certificates use them; they are read where they mean one instant.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use crate::pki::der::{Element, tag};
use crate::pki::text::Decoder;
use crate::time::Timestamp;

/// A date as it is kept: the instant, and how it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Date {
    /// The instant, held at the ends of what a [`Timestamp`] can tell; nothing if there is none.
    pub(crate) at: Option<Timestamp>,
    /// RFC 3339 to the second, also beyond the range of `at`; what stood there if it is no date.
    pub(crate) text: Option<String>,
}

impl Date {
    /// The date `seconds` after 1970-01-01T00:00:00Z.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        let text = EPOCH
            .checked_add(SignedDuration::from_secs(seconds))
            .ok()
            .map(|date| format!("{date:.0}Z"));
        Self {
            at: Some(Timestamp::from_parts(seconds, 0)),
            text,
        }
    }

    /// Reads a date in any of its forms.
    pub(crate) fn from_element(element: Element<'_>, decoder: &mut Decoder) -> Self {
        match seconds(element.tag, element.content) {
            Some(seconds) => Self::from_seconds(seconds),
            None => Self {
                at: None,
                text: Some(decoder.utf8(element.content)),
            },
        }
    }
}

/// Seconds since 1970 of a `UTCTime` or `GeneralizedTime`; nothing if it is no instant.
fn seconds(tag: u8, content: &[u8]) -> Option<i64> {
    let mut digits = Digits(content);
    let year = match tag {
        // RFC 5280, section 4.1.2.5.1: two digits stand for 1950 to 2049.
        tag::UTC_TIME => match digits.two()? {
            year @ 0..50 => 2000_i16.checked_add(year)?,
            year => 1900_i16.checked_add(year)?,
        },
        tag::GENERALIZED_TIME => digits.two()?.checked_mul(100)?.checked_add(digits.two()?)?,
        _ => return None,
    };
    let [month, day, hour, minute] = [digits.two()?, digits.two()?, digits.two()?, digits.two()?]
        .map(|number| i8::try_from(number).unwrap_or(i8::MAX));
    let second = i8::try_from(digits.two().unwrap_or(0)).ok()?;
    let offset = digits.offset(tag)?;
    let date = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    date.duration_since(EPOCH).as_secs().checked_sub(offset)
}

/// The rest of a date.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// The next two digits; if there are none, nothing is taken.
    fn two(&mut self) -> Option<i16> {
        let (&[tens, ones], rest) = self.0.split_first_chunk()?;
        if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return None;
        }
        self.0 = rest;
        let [tens, ones] = [tens, ones].map(|digit| i16::from(digit.wrapping_sub(b'0')));
        tens.checked_mul(10)?.checked_add(ones)
    }

    /// What follows the seconds: a fraction, which is dropped, and the zone in seconds east of UTC.
    fn offset(mut self, tag: u8) -> Option<i64> {
        if let (tag::GENERALIZED_TIME, [b'.' | b',', fraction @ ..]) = (tag, self.0) {
            let len = fraction
                .iter()
                .take_while(|digit| digit.is_ascii_digit())
                .count();
            self.0 = fraction.get(len..)?;
        }
        let (&sign, rest) = self.0.split_first()?;
        self.0 = rest;
        let sign = match sign {
            b'Z' | b'z' if rest.is_empty() => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let [hours, minutes] = [self.two()?, self.two().unwrap_or(0)];
        if !self.0.is_empty() || hours > 23 || minutes > 59 {
            return None;
        }
        let seconds = i64::from(hours)
            .checked_mul(3600)?
            .checked_add(i64::from(minutes).checked_mul(60)?)?;
        seconds.checked_mul(sign)
    }
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tag: u8, content: &str) -> (bool, String) {
        let mut raw = vec![tag, u8::try_from(content.len()).unwrap()];
        raw.extend(content.as_bytes());
        let (element, _) = Element::split_first(&raw).unwrap();
        let date = Date::from_element(element, &mut Decoder::default());
        (date.at.is_some(), date.text.unwrap())
    }

    #[test]
    fn dates_are_read_in_all_forms_that_mean_one_instant() {
        for (tag, content, expected) in [
            (tag::UTC_TIME, "261123040000Z", "2026-11-23T04:00:00Z"),
            (tag::UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"),
            (tag::UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"),
            (tag::UTC_TIME, "2611230400Z", "2026-11-23T04:00:00Z"),
            (tag::UTC_TIME, "261123040000z", "2026-11-23T04:00:00Z"),
            (tag::UTC_TIME, "261123040000+0130", "2026-11-23T02:30:00Z"),
            (tag::UTC_TIME, "261123040000-0100", "2026-11-23T05:00:00Z"),
            (
                tag::GENERALIZED_TIME,
                "20261123040000Z",
                "2026-11-23T04:00:00Z",
            ),
            (
                tag::GENERALIZED_TIME,
                "20261123040000.5Z",
                "2026-11-23T04:00:00Z",
            ),
            (
                tag::GENERALIZED_TIME,
                "202611230400Z",
                "2026-11-23T04:00:00Z",
            ),
            (
                tag::GENERALIZED_TIME,
                "99991231235959Z",
                "9999-12-31T23:59:59Z",
            ),
            (
                tag::GENERALIZED_TIME,
                "00010101000000Z",
                "0001-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(
                shown(tag, content),
                (true, expected.to_owned()),
                "{content}"
            );
        }
    }

    #[test]
    fn what_is_no_instant_stays_text() {
        for (tag, content) in [
            (tag::UTC_TIME, "261323040000Z"),
            (tag::UTC_TIME, "260230040000Z"),
            (tag::UTC_TIME, "261123250000Z"),
            (tag::UTC_TIME, "261123040000"),
            (tag::UTC_TIME, "26112304000Z"),
            (tag::UTC_TIME, "261123040000.5Z"),
            (tag::UTC_TIME, "261123040000Zx"),
            (tag::UTC_TIME, "261123040000+9900"),
            (tag::GENERALIZED_TIME, "20261123040000"),
            (tag::IA5_STRING, "261123040000Z"),
            (tag::UTC_TIME, ""),
        ] {
            assert_eq!(
                shown(tag, content),
                (false, content.to_owned()),
                "{content}"
            );
        }
    }

    #[test]
    fn a_date_beyond_the_range_of_timestamps_is_held_and_shown_as_it_is() {
        let date = Date::from_seconds(253_402_300_799);
        assert_eq!(date.at.unwrap().as_nanos(), i64::MAX);
        assert_eq!(date.text.unwrap(), "9999-12-31T23:59:59Z");
        assert_eq!(Date::from_seconds(i64::MAX).text, None);
        assert_eq!(Date::from_seconds(i64::MIN).text, None);
    }
}
