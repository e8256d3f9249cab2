//! Object identifiers (ITU-T X.660; encoded as in X.690, section 8.19).

use std::fmt;

/// An object identifier, kept as its content octets and shown with dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Box<[u8]>);

impl Oid {
    /// The identifier with these content octets; what goes beyond [`MAX_OID_LEN`] is cut.
    #[must_use]
    pub fn from_content(content: &[u8]) -> Self {
        Self(content.get(..MAX_OID_LEN).unwrap_or(content).into())
    }

    /// Reads `1.3.6.1`. Nothing for what is no identifier of at least two numbers.
    #[must_use]
    pub fn from_dotted(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| {
            let digits = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
            digits.then(|| number.parse::<u64>().ok())?
        });
        let first = numbers.next()??;
        let second = numbers.next()??;
        if first > 2 || (first < 2 && second > 39) {
            return None;
        }
        let mut content = Vec::new();
        push_number(first.checked_mul(40)?.checked_add(second)?, &mut content);
        for number in numbers {
            push_number(number?, &mut content);
        }
        (content.len() <= MAX_OID_LEN).then(|| Self(content.into()))
    }

    /// The content octets.
    #[must_use]
    pub fn as_content(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(&self.0))
    }
}

/// Content octets with dots; as hexadecimal behind `#` if they are no identifier.
pub(crate) fn dotted(content: &[u8]) -> String {
    use fmt::Write as _;

    let content = content.get(..MAX_OID_LEN).unwrap_or(content);
    let mut text = String::new();
    let mut number = 0_u64;
    let mut ended = false;
    for &octet in content {
        let Some(shifted) = number.checked_mul(0x80) else {
            return hexadecimal(content);
        };
        number = shifted | u64::from(octet & 0x7f);
        ended = octet & 0x80 == 0;
        if !ended {
            continue;
        }
        // Writing into a `String` does not fail.
        let _ = if text.is_empty() {
            // X.690, section 8.19.4: the first two numbers share one.
            let first = (number / 40).min(2);
            write!(
                text,
                "{first}.{}",
                number.saturating_sub(first.saturating_mul(40))
            )
        } else {
            write!(text, ".{number}")
        };
        number = 0;
    }
    if ended { text } else { hexadecimal(content) }
}

/// `#` and hexadecimal digits, the way of RFC 4514 for what has no text (section 2.4).
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;

    let mut text = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(1));
    text.push('#');
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn push_number(number: u64, content: &mut Vec<u8>) {
    for shift in (1..10_u32).rev() {
        let rest = number >> shift.saturating_mul(7);
        if rest > 0 {
            content.push(0x80 | low_seven_bits(rest));
        }
    }
    content.push(low_seven_bits(number));
}

fn low_seven_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).unwrap_or_default()
}

/// Longer identifiers are cut; the longest in use have about 20 octets.
pub const MAX_OID_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_and_shows_the_same() {
        for text in [
            "1.3.6.1.4.1.311.84.1.1",
            "2.5.29.17",
            "2.999.1",
            "0.9.2342.19200300.100.1.25",
            "1.2.840.113549.1.1.11",
            "2.16.840.1.18446744073709551615",
        ] {
            assert_eq!(Oid::from_dotted(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Oid::from_dotted("1.2.840.113549.1.1.11")
                .unwrap()
                .as_content(),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b]
        );
    }

    #[test]
    fn what_is_no_identifier_is_refused_or_shown_in_hexadecimal() {
        for text in [
            "", "1", "1.", "3.1", "1.40", "1.2.x", "1.-2", "1.2..3", "+1.2",
        ] {
            assert!(Oid::from_dotted(text).is_none(), "{text}");
        }
        assert_eq!(dotted(&[]), "#");
        assert_eq!(dotted(&[0x2a, 0x86]), "#2a86");
        assert_eq!(dotted(&[0xff; 12]), "#ffffffffffffffffffffffff");
    }
}
