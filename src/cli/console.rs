//! What is said on standard error: errors always, notes unless the user wants quiet.
//!
//! File names and text from the wire do nothing to a terminal or a log.

use std::fmt;
use std::io::{self, IsTerminal, Write};

/// Where messages go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    is_quiet: bool,
}

impl Console {
    /// With notes, or without.
    pub(crate) const fn new(is_quiet: bool) -> Self {
        Self { is_quiet }
    }

    /// Whether somebody watches, and wants to.
    pub(crate) fn is_watched(self) -> bool {
        !self.is_quiet && io::stderr().is_terminal()
    }

    /// Says what went wrong.
    pub(crate) fn error(self, text: impl fmt::Display) {
        say("error", &text.to_string());
    }

    /// Says what is good to know.
    pub(crate) fn note(self, text: impl fmt::Display) {
        if !self.is_quiet {
            say("note", &text.to_string());
        }
    }
}

/// One line. Nobody can be told that standard error is closed.
fn say(kind: &str, text: &str) {
    let line = format!("{kind}: {}\n", escaped(text));
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// `text` with everything escaped that would move the cursor, break the line or turn the direction
/// of writing (Unicode Standard Annex 9, section 2).
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if must_escape(letter) {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// Several lines, each [`escaped`].
pub(crate) fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(escaped).collect();
    lines.join("\n")
}

fn must_escape(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_reach_the_terminal() {
        assert_eq!(escaped("a\x1b[2J\r\n"), "a\\u{1b}[2J\\u{d}\\u{a}");
        assert_eq!(escaped("\u{202e}fdp\u{9b}"), "\\u{202e}fdp\\u{9b}");
        assert_eq!(escaped("Über/naïve 漢字.pcap"), "Über/naïve 漢字.pcap");
    }
}
