//! What every format is: a way to render, and a place to write to.

use std::io;

use crate::report::{FlowReport, Summary};

/// Renders reports in one format and writes them to one place.
pub trait Writer: Send + Sync {
    /// Appends the rendered report to `into`; on any thread, in any order.
    fn render(&self, report: &FlowReport, into: &mut Vec<u8>);

    /// Writes what was rendered; in the order of the output.
    ///
    /// # Errors
    ///
    /// When the place it is written to cannot take it.
    fn write(&mut self, rendered: &[u8]) -> io::Result<()>;

    /// Writes what stands at the end, and flushes.
    ///
    /// # Errors
    ///
    /// When the place it is written to cannot take it.
    fn finish(&mut self, summary: &Summary) -> io::Result<()>;
}

/// How the output is to look, and what is to be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Style {
    /// Text: colour by severity, with terminal escapes.
    pub color: bool,
    /// Text: the longest line, in columns; at least 60.
    pub width: usize,
    /// JSON lines: a line for each group of findings, after those of the flows.
    pub findings: bool,
    /// JSON lines: a last line for the run.
    pub summary: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            findings: false,
            summary: false,
        }
    }
}
