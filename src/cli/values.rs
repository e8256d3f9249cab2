//! What the values on the command line mean: addresses, times, durations, sizes, outputs.
//!
//! Text in, values of the library out. Nothing is opened or looked up.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::civil;
use jiff::tz::TimeZone;
use thiserror::Error;
use tlstriage::analysis::Network;
use tlstriage::output::{DifferenceFormat, Format};
use tlstriage::pki::Reference;
use tlstriage::report::Severity;
use tlstriage::time::Timestamp;
use tlstriage::verdict::Gateway;

/// An output that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The format that was named, or that the extension tells.
    pub(crate) format: Format,
    /// Where it goes.
    pub(crate) place: Place,
}

/// A server behind the gateway, and the name to ask for there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
}

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Standard output.
    Standard,
    /// A file.
    File(PathBuf),
}

/// Why a value means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Error {
    #[error("not a backend; write it as HOST=ADDRESS, like api.contoso.com=10.1.2.3")]
    Backend,
    #[error("not a duration; write it as 500ms, 60s, 5m or 1h")]
    Duration,
    #[error("not a gateway; known are azure-v1 and azure-v2")]
    Gateway,
    #[error("not a host name; write it as api.contoso.com")]
    HostName,
    #[error("not an IP address; names are not looked up, and a network is given with --net")]
    Host,
    #[error("not a network; write it as 10.1.0.0/16 or 2001:db8::/32")]
    Network,
    #[error("no file name behind the format")]
    NoFileName,
    #[error(
        "the extension names no format; known are .html, .htm, .jsonl, .ndjson, .json, .txt and .text, \
         or write the format in front, as jsonl:FILE or text:FILE"
    )]
    NoFormat,
    #[error(
        "the extension names no format; known are .html, .htm, .json, .txt and .text, or write the \
         format in front, as json:FILE"
    )]
    NoDifferenceFormat,
    #[error("not a severity")]
    Severity,
    #[error("not a size; write it as 100000, 64KiB, 16MiB or 1GiB")]
    Size,
    #[error("not a number from 1 to {MAX_THREADS}")]
    Threads,
    #[error("not a time; write it as 2026-11-23T04:00:00Z, 2026-11-23T04:00 or 2026-11-23")]
    Time,
}

/// An output: `[FORMAT:]FILE`. What stands in front of a colon is a format only if it is a known
/// one, so that `C:report.txt` stays a file.
pub(crate) fn target(text: &OsStr) -> Result<Target, Error> {
    let prefixed = text.to_str().and_then(|text| {
        let (format, file) = text.split_once(':')?;
        Some((format.parse::<Format>().ok()?, file))
    });
    let (format, file) = match prefixed {
        Some((format, file)) => (Some(format), OsStr::new(file)),
        None => (None, text),
    };
    if file.is_empty() {
        return Err(Error::NoFileName);
    }
    if file == "-" {
        let format = format.unwrap_or(Format::Text);
        return Ok(Target {
            format,
            place: Place::Standard,
        });
    }
    let path = PathBuf::from(file);
    let format = format
        .or_else(|| Format::from_extension(&path))
        .ok_or(Error::NoFormat)?;
    Ok(Target {
        format,
        place: Place::File(path),
    })
}

/// An output of a comparison: `[FORMAT:]FILE`.
pub(crate) fn difference_target(text: &OsStr) -> Result<(DifferenceFormat, PathBuf), Error> {
    let prefixed = text.to_str().and_then(|text| {
        let (format, file) = text.split_once(':')?;
        Some((format.parse::<DifferenceFormat>().ok()?, file))
    });
    let (format, file) = match prefixed {
        Some((format, file)) => (Some(format), OsStr::new(file)),
        None => (None, text),
    };
    if file.is_empty() {
        return Err(Error::NoFileName);
    }
    let path = PathBuf::from(file);
    let format = format.or_else(|| DifferenceFormat::from_extension(&path));
    Ok((format.ok_or(Error::NoDifferenceFormat)?, path))
}

/// One address.
pub(crate) fn host(text: &str) -> Result<Network, Error> {
    text.parse().map(Network::host).map_err(|_| Error::Host)
}

/// A network: `ADDRESS/PREFIX`. Bits behind the prefix do not matter.
pub(crate) fn network(text: &str) -> Result<Network, Error> {
    let (address, len) = text.split_once('/').ok_or(Error::Network)?;
    let address: IpAddr = address.parse().map_err(|_| Error::Network)?;
    // `parse` would take a sign.
    let len = Some(len).filter(|len| len.bytes().all(|byte| byte.is_ascii_digit()));
    let len = len.and_then(|len| len.parse().ok()).ok_or(Error::Network)?;
    Network::new(address, len).ok_or(Error::Network)
}

/// A gateway, by its name.
pub(crate) fn gateway(text: &str) -> Result<Gateway, Error> {
    let mut known = Gateway::ALL.into_iter();
    known
        .find(|gateway| gateway.as_str() == text)
        .ok_or(Error::Gateway)
}

/// A host name as it can stand in SNI: no address, no wildcard.
pub(crate) fn host_name(text: &str) -> Result<String, Error> {
    let is_name = text.parse::<IpAddr>().is_err()
        && Reference::from_sni(text.as_bytes()).is_some()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    is_name
        .then(|| text.to_ascii_lowercase())
        .ok_or(Error::HostName)
}

/// A server behind the gateway: `HOST=ADDRESS`.
pub(crate) fn backend(text: &str) -> Result<Backend, Error> {
    let (name, address) = text.split_once('=').ok_or(Error::Backend)?;
    Ok(Backend {
        name: host_name(name)?,
        address: address.parse().map_err(|_| Error::Backend)?,
    })
}

/// The first moment that a time stands for.
pub(crate) fn from(text: &str) -> Result<Timestamp, Error> {
    let midnight = |date: civil::Date| utc(date.at(0, 0, 0, 0));
    moment(text)
        .or_else(|| date(text).and_then(midnight))
        .map(timestamp)
        .ok_or(Error::Time)
}

/// The last moment that a time stands for: of a day, its end.
pub(crate) fn to(text: &str) -> Result<Timestamp, Error> {
    let end = |date: civil::Date| utc(date.at(23, 59, 59, 999_999_999));
    moment(text)
        .or_else(|| date(text).and_then(end))
        .map(timestamp)
        .ok_or(Error::Time)
}

/// A duration in nanoseconds; not negative.
pub(crate) fn duration(text: &str) -> Result<i64, Error> {
    let duration: SignedDuration = text.parse().map_err(|_| Error::Duration)?;
    let nanos = i64::try_from(duration.as_nanos()).map_err(|_| Error::Duration)?;
    if nanos < 0 {
        Err(Error::Duration)
    } else {
        Ok(nanos)
    }
}

/// A number of bytes or things: digits, and maybe a unit.
pub(crate) fn size(text: &str) -> Result<usize, Error> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or(Error::Size)?;
    let number: usize = number.parse().map_err(|_| Error::Size)?;
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(Error::Size),
    };
    number.checked_mul(unit).ok_or(Error::Size)
}

/// A number of threads.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, Error> {
    let count: NonZeroUsize = text.parse().map_err(|_| Error::Threads)?;
    if count.get() <= MAX_THREADS {
        Ok(count)
    } else {
        Err(Error::Threads)
    }
}

/// A severity by its word.
pub(crate) fn severity(word: &str) -> Result<Severity, Error> {
    let known = Severity::ALL
        .iter()
        .find(|severity| severity.as_str() == word);
    known.copied().ok_or(Error::Severity)
}

/// A time with an offset, or one in UTC without.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    // A date alone is a whole day, which is for the caller to read.
    let is_time = text.contains([':', 'T', 't']);
    text.parse().ok().filter(|_| is_time).and_then(utc)
}

fn date(text: &str) -> Option<civil::Date> {
    text.parse().ok()
}

fn utc(time: civil::DateTime) -> Option<jiff::Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Held at the ends of the range of captures.
fn timestamp(time: jiff::Timestamp) -> Timestamp {
    let nanos = time.as_nanosecond();
    let end = if nanos < 0 { i64::MIN } else { i64::MAX };
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(end))
}

/// More would only wait for each other; a slip of the finger should not start a million.
const MAX_THREADS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(format: Format, name: &str) -> Result<Target, Error> {
        Ok(Target {
            format,
            place: Place::File(name.into()),
        })
    }

    #[test]
    fn a_format_stands_in_front_only_if_it_is_known() {
        for (text, expected) in [
            ("flows.jsonl", file(Format::Jsonl, "flows.jsonl")),
            ("a/report.TXT", file(Format::Text, "a/report.TXT")),
            ("text:flows.jsonl", file(Format::Text, "flows.jsonl")),
            ("jsonl:a:b", file(Format::Jsonl, "a:b")),
            ("C:report.txt", file(Format::Text, "C:report.txt")),
            ("x:y", Err(Error::NoFormat)),
            ("flows.jsonl.gz", Err(Error::NoFormat)),
            ("jsonl:", Err(Error::NoFileName)),
            ("", Err(Error::NoFileName)),
        ] {
            assert_eq!(target(text.as_ref()), expected, "{text}");
        }
        let standard = |format| {
            Ok(Target {
                format,
                place: Place::Standard,
            })
        };
        assert_eq!(target("-".as_ref()), standard(Format::Text));
        assert_eq!(target("jsonl:-".as_ref()), standard(Format::Jsonl));
    }

    #[test]
    fn a_network_has_an_address_and_a_prefix() {
        assert_eq!(
            network("10.1.2.3/8"),
            Ok(Network::new([10, 1, 2, 3].into(), 8).unwrap())
        );
        assert!(network("2001:db8::/32").is_ok());
        for wrong in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "/8",
            "a/8",
            "::/129",
        ] {
            assert_eq!(network(wrong), Err(Error::Network), "{wrong}");
        }
        assert_eq!(host("gateway.example"), Err(Error::Host));
    }

    #[test]
    fn a_time_without_an_offset_is_utc() {
        let four = Timestamp::from_parts(1_795_406_400, 0);
        for text in [
            "2026-11-23T04:00:00Z",
            "2026-11-23T05:00:00+01:00",
            "2026-11-23T04:00",
            "2026-11-23 04:00:00",
            "2026-11-23T04:00:00.000000000",
        ] {
            assert_eq!(from(text), Ok(four), "{text}");
            assert_eq!(to(text), Ok(four), "{text}");
        }
    }

    #[test]
    fn a_date_is_a_whole_day() {
        let first = Timestamp::from_parts(1_795_392_000, 0);
        assert_eq!(from("2026-11-23"), Ok(first));
        assert_eq!(
            to("2026-11-23"),
            Ok(first.saturating_add_nanos(86_400_000_000_000 - 1))
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in [
            "",
            "now",
            "4",
            "2026-13-01",
            "2026-11-23T25:00",
            "1795406400",
            "2026-11-23T04:00junk",
        ] {
            assert_eq!(from(wrong), Err(Error::Time), "{wrong}");
        }
    }

    #[test]
    fn a_duration_has_a_unit_and_is_not_negative() {
        assert_eq!(duration("60s"), Ok(60_000_000_000));
        assert_eq!(duration("5m"), Ok(300_000_000_000));
        assert_eq!(duration("250ms"), Ok(250_000_000));
        assert_eq!(duration("0s"), Ok(0));
        for wrong in ["", "60", "-5s", "5m ago", "300 years", "9999999999h"] {
            assert_eq!(duration(wrong), Err(Error::Duration), "{wrong}");
        }
    }

    #[test]
    fn a_size_may_have_a_unit() {
        assert_eq!(size("100000"), Ok(100_000));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("16m"), Ok(16 << 20));
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        for wrong in [
            "",
            "MiB",
            "-1",
            "1.5M",
            "1 k",
            "99999999999999999999",
            "99999999999999G",
            "1é",
        ] {
            assert_eq!(size(wrong), Err(Error::Size), "{wrong}");
        }
    }

    #[test]
    fn threads_are_at_least_one_and_not_without_end() {
        assert_eq!(threads("8").map(NonZeroUsize::get), Ok(8));
        for wrong in ["0", "-1", "1025", "many"] {
            assert_eq!(threads(wrong), Err(Error::Threads), "{wrong}");
        }
    }
}
