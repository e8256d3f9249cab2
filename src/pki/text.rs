//! Text in certificates: the string types of ASN.1 as UTF-8 (RFC 5280, section 4.1.2.4 and appendix B).
//!
//! What is no text in its own type is replaced by U+FFFD, and a text longer than [`MAX_TEXT_LEN`] is
//! cut and ends in `…`; the decoder remembers that it did either. Control characters stay: escaping
//! them is for whoever writes the text somewhere.

use crate::pki::der::tag;

/// Turns strings of certificates into text, and remembers whether anything was lost.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    lossy: bool,
}

impl Decoder {
    /// Whether any text so far was changed to become valid or short enough.
    pub(crate) const fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// A string of the given type as text; nothing for a type that is no string.
    pub(crate) fn text(&mut self, tag: u8, content: &[u8]) -> Option<String> {
        Some(match tag {
            tag::UTF8_STRING
            | tag::NUMERIC_STRING
            | tag::PRINTABLE_STRING
            | tag::IA5_STRING
            | tag::VISIBLE_STRING => self.utf8(content),
            tag::T61_STRING => self.latin1(content),
            tag::BMP_STRING => self.utf16(content),
            tag::UNIVERSAL_STRING => self.utf32(content),
            _ => return None,
        })
    }

    /// Octets as UTF-8, of which ASCII is a part: what several string types hold, or should.
    pub(crate) fn utf8(&mut self, content: &[u8]) -> String {
        let head = self.head(content, MAX_TEXT_LEN);
        match std::str::from_utf8(head) {
            Ok(text) => self.finish(text.to_owned(), head, content),
            Err(error) if error.error_len().is_none() && head.len() < content.len() => {
                // The cut went through a character.
                let text = head.get(..error.valid_up_to()).unwrap_or_default();
                let text = String::from_utf8_lossy(text).into_owned();
                self.finish(text, head, content)
            }
            Err(_) => {
                self.lossy = true;
                let text = String::from_utf8_lossy(head).into_owned();
                self.finish(text, head, content)
            }
        }
    }

    /// T.61 as everyone reads it: as Latin-1.
    fn latin1(&mut self, content: &[u8]) -> String {
        let head = self.head(content, MAX_TEXT_LEN);
        let text = head.iter().map(|&octet| char::from(octet)).collect();
        self.finish(text, head, content)
    }

    /// UCS-2, read as UTF-16 so that pairs beyond the first plane are not lost.
    fn utf16(&mut self, content: &[u8]) -> String {
        let head = self.head(content, MAX_TEXT_LEN);
        let (pairs, odd) = head.as_chunks::<2>();
        let units = pairs.iter().map(|&pair| u16::from_be_bytes(pair));
        let mut text: String = char::decode_utf16(units)
            .map(|character| character.unwrap_or_else(|_| self.replacement()))
            .collect();
        if !odd.is_empty() {
            text.push(self.replacement());
        }
        self.finish(text, head, content)
    }

    fn utf32(&mut self, content: &[u8]) -> String {
        let head = self.head(content, MAX_TEXT_LEN);
        let (quads, odd) = head.as_chunks::<4>();
        let mut text: String = quads
            .iter()
            .map(|&quad| {
                char::from_u32(u32::from_be_bytes(quad)).unwrap_or_else(|| self.replacement())
            })
            .collect();
        if !odd.is_empty() {
            text.push(self.replacement());
        }
        self.finish(text, head, content)
    }

    fn replacement(&mut self) -> char {
        self.lossy = true;
        char::REPLACEMENT_CHARACTER
    }

    fn head<'a>(&mut self, content: &'a [u8], limit: usize) -> &'a [u8] {
        content.get(..limit).map_or(content, |head| {
            self.lossy |= head.len() < content.len();
            head
        })
    }

    fn finish(&mut self, mut text: String, head: &[u8], content: &[u8]) -> String {
        if head.len() < content.len() {
            text.push('…');
        }
        text
    }
}

/// The octets of a string that are read. A DNS name has at most 253, an attribute by RFC 5280 at
/// most 128 characters (appendix A.1, upper bounds); URIs may be longer.
pub(crate) const MAX_TEXT_LEN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(tag: u8, content: &[u8]) -> (String, bool) {
        let mut decoder = Decoder::default();
        let text = decoder.text(tag, content).unwrap();
        (text, decoder.is_lossy())
    }

    #[test]
    fn every_string_type_becomes_the_same_text() {
        for (tag, content) in [
            (tag::UTF8_STRING, "Müller".as_bytes()),
            (tag::T61_STRING, b"M\xfcller"),
            (tag::BMP_STRING, b"\0M\0\xfc\0l\0l\0e\0r"),
            (
                tag::UNIVERSAL_STRING,
                b"\0\0\0M\0\0\0\xfc\0\0\0l\0\0\0l\0\0\0e\0\0\0r",
            ),
        ] {
            assert_eq!(decoded(tag, content), ("Müller".to_owned(), false));
        }
        for tag in [tag::PRINTABLE_STRING, tag::IA5_STRING, tag::NUMERIC_STRING] {
            assert_eq!(decoded(tag, b"42"), ("42".to_owned(), false));
        }
    }

    #[test]
    fn what_is_no_text_is_replaced_and_said() {
        assert_eq!(
            decoded(tag::UTF8_STRING, b"a\xffb"),
            ("a\u{fffd}b".to_owned(), true)
        );
        assert_eq!(
            decoded(tag::BMP_STRING, b"\0a\xd8\0\0b"),
            ("a\u{fffd}b".to_owned(), true)
        );
        assert_eq!(
            decoded(tag::BMP_STRING, b"\0a\0"),
            ("a\u{fffd}".to_owned(), true)
        );
        assert_eq!(
            decoded(tag::UNIVERSAL_STRING, b"\0\x11\0\0"),
            ("\u{fffd}".to_owned(), true)
        );
        assert_eq!(Decoder::default().text(tag::BIT_STRING, b"\0a"), None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_said() {
        let long = "ä".repeat(MAX_TEXT_LEN);
        let (text, lossy) = decoded(tag::UTF8_STRING, long.as_bytes());
        assert!(lossy && text.ends_with("ä…"));
        let shifted = format!("a{long}");
        let (text, lossy) = decoded(tag::UTF8_STRING, shifted.as_bytes());
        assert!(lossy && text.ends_with("ä…"));
        assert_eq!(text.len(), MAX_TEXT_LEN - 1 + "…".len());
    }
}
