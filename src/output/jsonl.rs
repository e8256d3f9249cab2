//! JSON lines (NDJSON): one report, one line, at most 32 KiB.
//!
//! JSON as in RFC 8259, with more escaped than it asks for: text from the wire cannot break a
//! line, a terminal or a log. A line that would be too long loses the ends of its lists and texts,
//! step by step and the same in every run, until it fits; the full counts stand beside the lists.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;

use crate::output::escaping::Escaping;
use crate::output::line;
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
        if !line::push(report, MAX_LINE_LEN, into) {
            push_line(report, FlowReport::cut_whole, into);
        }
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
