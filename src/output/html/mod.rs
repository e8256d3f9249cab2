//! The page: one HTML file for a ticket, which reads without a network and without a script.
//!
//! Its size has a bound, however many flows there are: it shows counts, and of what there is much
//! of the first, and says how much is left out. All text passes one place ([`shown`]) that leaves
//! nothing of it to act; the policy in the page itself forbids whatever is not from here.

mod cards;
mod causes;
mod digest;
mod fate;
mod gathered;
mod page;
mod reading;
mod servers;
mod shown;
mod template;
mod timeline;

pub(in crate::output) use template::difference;

use std::io::{self, Write};

use crate::output::html::gathered::Gathered;
use crate::output::html::page::Page;
use crate::output::sink::Sink;
use crate::output::writer::Writer;
use crate::report::{FlowReport, Summary};

/// Writes the page.
pub(in crate::output) struct Html {
    sink: Sink,
    gathered: Gathered,
}

impl Html {
    pub(in crate::output) fn new(place: Box<dyn Write + Send>) -> Self {
        Self {
            sink: Sink::new(place),
            gathered: Gathered::default(),
        }
    }
}

impl Writer for Html {
    fn render(&self, report: &FlowReport, into: &mut Vec<u8>) {
        digest::push(report, into);
    }

    fn write(&mut self, rendered: &[u8]) -> io::Result<()> {
        self.gathered.take(rendered);
        Ok(())
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let page = Page::new(summary, &self.gathered);
        self.sink.write_all(template::report(&page)?.as_bytes())?;
        self.sink.flush()
    }
}
