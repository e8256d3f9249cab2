//! Hashes and other fixed bytes, kept as bytes and written as hexadecimal digits.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::report::short_text::ShortText;

/// `N` bytes that are written in lower case, as everywhere under `tlstriage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex<const N: usize>(pub [u8; N]);

/// `N` bytes that are written in upper case, as ECS asks for in `tls.*.hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpperHex<const N: usize>(pub [u8; N]);

impl<const N: usize> Hex<N> {
    /// As it is written.
    pub(crate) fn text(&self) -> ShortText<MAX_DIGITS> {
        digits(&self.0, b'a')
    }
}

impl<const N: usize> UpperHex<N> {
    fn text(&self) -> ShortText<MAX_DIGITS> {
        digits(&self.0, b'A')
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl<const N: usize> fmt::Display for UpperHex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl<const N: usize> Serialize for UpperHex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl<const N: usize> JsonSchema for Hex<N> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Hex{N}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", N.saturating_mul(2))})
    }
}

impl<const N: usize> JsonSchema for UpperHex<N> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("UpperHex{N}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": format!("^[0-9A-F]{{{}}}$", N.saturating_mul(2))})
    }
}

fn digits(bytes: &[u8], ten: u8) -> ShortText<MAX_DIGITS> {
    let mut text = ShortText::new();
    // From the digit behind 9 to the letter for 10; worked out in place of looked up, so that many
    // digits are made in one step.
    let gap = ten - b'0' - 10;
    let digit = |nibble: u8| b'0' + nibble + gap * u8::from(nibble > 9);
    let (pairs, _) = text.room(bytes.len() * 2).as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    text
}

/// The digits of 32 bytes, the longest that is written: a SHA-256.
const MAX_DIGITS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecs_has_upper_case_and_we_have_lower_case() {
        assert_eq!(Hex([0x0a, 0xff]).to_string(), "0aff");
        assert_eq!(UpperHex([0x0a, 0xff]).to_string(), "0AFF");
        assert_eq!(Hex([0xab; 32]).to_string(), "ab".repeat(32));
    }
}
