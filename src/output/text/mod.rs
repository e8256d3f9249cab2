//! The report for a person: what happened, why, and what to do about it.
//!
//! It is made of the [`Summary`] alone; the flows one by one are in the JSON lines. Lines keep to
//! the width, and text from the wire does nothing to a terminal. The order is that of a call with
//! people waiting: the answer, its causes, the servers, and at the end what was read.

mod findings;
mod headline;
mod page;
mod reading;
mod servers;
mod shown;

pub(in crate::output) use findings::causes;
pub(in crate::output) use headline::headline;
pub(in crate::output) use page::Page;
pub(in crate::output) use reading::skipped_because;
pub(in crate::output) use shown::{counted, number, size, span, squeezed};

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

impl Writer for Text {
    fn render(&self, _report: &FlowReport, _into: &mut Vec<u8>) {}

    fn write(&mut self, rendered: &[u8]) -> io::Result<()> {
        self.sink.write_all(rendered)
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let mut page = Page::new(self.style.width, self.style.color);
        let story = headline::main_finding(summary);
        page.paragraph(0, &headline::headline(summary));
        if let Some(story) = story {
            headline::story(&mut page, story);
        }
        findings::findings(&mut page, summary, story);
        servers::servers(&mut page, summary);
        reading::notes(&mut page, summary);
        reading::reading(&mut page, summary);
        reading::advice(&mut page, summary);
        self.sink.write_all(&page.into_bytes())?;
        self.sink.flush()
    }
}
