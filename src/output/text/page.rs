//! The page: lines that keep within its width, whatever is put on it.
//!
//! All text passes [`clean`] here, so that nobody has to think of it elsewhere.

use crate::output::text::shown::{clean, squeezed};
use crate::report::Severity;

/// Text of a given width, growing downwards.
pub(in crate::output) struct Page {
    text: String,
    width: usize,
    color: bool,
}

impl Page {
    pub(in crate::output) fn new(width: usize, color: bool) -> Self {
        Self {
            text: String::new(),
            width: width.max(MIN_WIDTH),
            color,
        }
    }

    pub(in crate::output) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    pub(in crate::output) const fn width(&self) -> usize {
        self.width
    }

    /// An empty line, but never two, and none at the top.
    pub(in crate::output) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The title of a section.
    pub(in crate::output) fn heading(&mut self, title: &str) {
        self.gap();
        self.painted(BOLD, &clean(title));
        self.text.push_str("\n\n");
    }

    /// A paragraph, each line `indent` columns from the left.
    pub(in crate::output) fn paragraph(&mut self, indent: usize, text: &str) {
        self.item(indent, "", text);
    }

    /// A paragraph whose first line begins with `mark`; the others stand below its text.
    pub(in crate::output) fn item(&mut self, indent: usize, mark: &str, text: &str) {
        let mark = clean(mark);
        let hang = indent.saturating_add(mark.chars().count());
        let text = squeezed(&clean(text), MAX_PARAGRAPH);
        let lines = wrapped(&text, self.width.saturating_sub(hang));
        for (at, line) in lines.iter().enumerate() {
            if at == 0 {
                self.spaces(indent);
                self.text.push_str(&mark);
            } else {
                self.spaces(hang);
            }
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// The title of a finding, with its severity in front.
    pub(in crate::output) fn finding(&mut self, severity: Severity, title: &str) {
        let word = format!("{:<8}", severity.as_str().to_ascii_uppercase());
        let color = match severity {
            Severity::High => RED,
            Severity::Medium => YELLOW,
            Severity::Low | Severity::Info => BOLD,
        };
        let room = self.width.saturating_sub(word.len());
        for (at, line) in wrapped(&clean(title), room).iter().enumerate() {
            if at == 0 {
                self.painted(color, &word);
            } else {
                self.spaces(word.len());
            }
            self.painted(BOLD, line);
            self.text.push('\n');
        }
    }

    /// A command that can be copied: where it is too long, its lines end in a backslash.
    pub(in crate::output) fn command(&mut self, indent: usize, command: &str) {
        let room = self.width.saturating_sub(indent).saturating_sub(4);
        let lines = wrapped(&clean(command), room);
        for (at, line) in lines.iter().enumerate() {
            self.spaces(indent.saturating_add(if at == 0 { 0 } else { 2 }));
            self.text.push_str(line);
            if at.saturating_add(1) < lines.len() {
                self.text.push_str(" \\");
            }
            self.text.push('\n');
        }
    }

    /// Cells side by side, each a column of lines. A line that is too long for its column is
    /// carried on below, up to three lines, and then cut in its middle.
    pub(in crate::output) fn row(&mut self, indent: usize, cells: &[Cell]) {
        let columns: Vec<Vec<String>> = cells.iter().map(Cell::lines).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or_default();
        for at in 0..height {
            let mut line = " ".repeat(indent);
            let mut column_end = indent;
            for (cell, lines) in cells.iter().zip(&columns) {
                let text = lines.get(at).map_or("", String::as_str);
                let missing = column_end.saturating_sub(line.chars().count());
                line.extend(std::iter::repeat_n(' ', missing));
                line.push_str(text);
                column_end = column_end.saturating_add(cell.width).saturating_add(GUTTER);
            }
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn spaces(&mut self, count: usize) {
        self.text.extend(std::iter::repeat_n(' ', count));
    }

    fn painted(&mut self, color: &str, clean: &str) {
        if self.color {
            self.text.push_str(color);
            self.text.push_str(clean);
            self.text.push_str(RESET);
        } else {
            self.text.push_str(clean);
        }
    }
}

/// A cell of a row.
pub(in crate::output) struct Cell {
    width: usize,
    lines: Vec<String>,
}

impl Cell {
    pub(in crate::output) const fn new(width: usize, lines: Vec<String>) -> Self {
        Self { width, lines }
    }

    fn lines(&self) -> Vec<String> {
        let room = self.width.saturating_mul(3);
        let lines = self.lines.iter().filter(|line| !line.is_empty());
        lines
            .flat_map(|line| wrapped(&squeezed(&clean(line), room), self.width))
            .collect()
    }
}

/// Clean text in lines of at most `width` columns, broken between words, or within one that is longer than a line.
fn wrapped(clean: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in clean.split(' ').filter(|word| !word.is_empty()) {
        let len = word.chars().count();
        let space = usize::from(used > 0);
        if used > 0 && used + space + len > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used == width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += 1;
        }
    }
    if used > 0 || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Below this the columns of a table have no room.
const MIN_WIDTH: usize = 60;
/// Far more than a sentence needs; a name of 65,535 bytes has to end somewhere.
const MAX_PARAGRAPH: usize = 800;
/// Columns between two cells.
const GUTTER: usize = 2;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const RESET: &str = "\u{1b}[0m";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_within_long_ones() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("ab abcdefgh", 4), ["ab", "abcd", "efgh"]);
        assert_eq!(wrapped("", 4), [""]);
        assert_eq!(wrapped("äöü äöü", 3), ["äöü", "äöü"]);
    }

    #[test]
    fn a_long_command_can_still_be_copied() {
        let mut page = Page::new(60, false);
        page.command(
            4,
            &format!("tcpdump -i eth0 -w x.pcap '{}'", "a or ".repeat(12)),
        );
        let text = String::from_utf8(page.into_bytes()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(
            lines.len() > 1 && lines.iter().all(|line| line.len() <= 60),
            "{text}"
        );
        let (last, others) = lines.split_last().unwrap();
        assert!(others.iter().all(|line| line.ends_with(" \\")));
        assert!(!last.ends_with('\\'));
    }
}
