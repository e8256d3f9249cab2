//! JSON lines (NDJSON): one report, one line, at most 32 KiB.
//!
//! JSON as in RFC 8259, with more escaped than it asks for: text from the wire cannot break a
//! line, a terminal or a log. A line that would be too long loses the ends of its lists and texts,
//! step by step and the same in every run, until it fits; the full counts stand beside the lists.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::output::sink::Sink;
use crate::output::writer::{Style, Writer};
use crate::report::{Bounded, Cut, FindingLine, FlowReport, Summary, SummaryLine};

/// The longest line, without its line feed. Collectors skip longer ones or stop at them.
pub const MAX_LINE_LEN: usize = 32 * 1024;

/// Writes JSON lines.
pub(in crate::output) struct Jsonl {
    sink: Sink,
    style: Style,
}

impl Jsonl {
    pub(in crate::output) fn new(place: Box<dyn Write + Send>, style: Style) -> Self {
        Self {
            sink: Sink::new(place),
            style,
        }
    }
}

impl Writer for Jsonl {
    fn render(&self, report: &FlowReport, into: &mut Vec<u8>) {
        push_line(report, FlowReport::cut_whole, into);
    }

    fn write(&mut self, rendered: &[u8]) -> io::Result<()> {
        self.sink.write_all(rendered)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let mut line = Vec::new();
        if self.style.findings {
            for group in &summary.findings {
                line.clear();
                push_line(&FindingLine::new(group), FindingLine::cut, &mut line);
                self.sink.write_all(&line)?;
            }
        }
        if self.style.summary {
            line.clear();
            push_line(&SummaryLine::new(summary), SummaryLine::cut, &mut line);
            self.sink.write_all(&line)?;
        }
        self.sink.flush()
    }
}

/// Appends `document` as one line, cut until it fits.
fn push_line<T: Serialize + Clone>(document: &T, cut: fn(&mut T, Cut), into: &mut Vec<u8>) {
    if push_document(document, into) {
        return;
    }
    let mut smaller = document.clone();
    let mut size = Some(Cut::USUAL);
    while let Some(to) = size {
        cut(&mut smaller, to);
        if push_document(&smaller, into) {
            return;
        }
        // With one entry a list and few letters a text, every document fits.
        size = to.tighter();
    }
}

/// Appends `document` and a line feed, or nothing where it does not fit a line.
fn push_document<T: Serialize>(document: &T, into: &mut Vec<u8>) -> bool {
    let start = into.len();
    let mut room = Room {
        end: start.saturating_add(MAX_LINE_LEN),
        line: &mut *into,
    };
    let fits = document
        .serialize(&mut Serializer::with_formatter(&mut room, Escaping))
        .is_ok();
    if fits {
        into.push(b'\n');
    } else {
        into.truncate(start);
    }
    fits
}

/// Where a line is put together; full at the end of the longest line.
struct Room<'a> {
    line: &'a mut Vec<u8>,
    end: usize,
}

impl Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.line.len().saturating_add(bytes.len()) > self.end {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes what JSON lets through and other readers trip over.
struct Escaping;

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
