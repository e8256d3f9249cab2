//! How text stands in JSON: as RFC 8259 asks for, and escaped wherever other readers trip over it.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Escapes what JSON lets through and other readers trip over.
pub(in crate::output) struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text is plain ASCII; the largest byte is found many bytes at a time.
        if fragment.bytes().fold(0, u8::max) < DELETE {
            return writer.write_all(fragment.as_bytes());
        }
        write_escaped(writer, fragment)
    }
}

fn write_escaped<W: Write + ?Sized>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some((at, found)) = rest.char_indices().find(|&(_, c)| must_escape(c)) {
        let (plain, after) = rest.split_at(at);
        writer.write_all(plain.as_bytes())?;
        write!(writer, "\\u{:04x}", u32::from(found))?;
        rest = after.split_at(found.len_utf8()).1;
    }
    writer.write_all(rest.as_bytes())
}

/// Whether text is written as it stands: printable ASCII without quotes and backslashes.
pub(in crate::output) fn is_plain(text: &str) -> bool {
    // Without a way out of the loop, many bytes are looked at in one step.
    text.bytes().fold(true, |is_plain, byte| {
        is_plain & (b' '..DELETE).contains(&byte) & (byte != b'"') & (byte != b'\\')
    })
}

/// DEL, the second row of control characters (U+0080 to U+009F), the line and paragraph
/// separators, which end a line for JavaScript and for some log readers, and what is invisible or
/// turns the direction of text, so that a line in a terminal is what it seems to be. U+0000 to
/// U+001F are escaped by every writer of JSON.
const fn must_escape(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// The first byte that is not printed as itself.
const DELETE: u8 = 0x7f;
