//! The output through the front door: what is written, byte for byte, and that nothing breaks a line.
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "support/reports.rs"]
mod reports;
#[path = "support/summaries.rs"]
mod summaries;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tlstriage::output::{Format, Style};
use tlstriage::report::{FlowReport, Summary};

use reports::default_certificate_refused;

fn line(report: &FlowReport) -> String {
    let writer = Format::Jsonl.writer(Box::new(std::io::sink()), Style::default());
    let mut line = Vec::new();
    writer.render(report, &mut line);
    String::from_utf8(line).unwrap()
}

fn text(summary: &Summary, style: Style) -> String {
    finished(Format::Text, style, summary)
}

/// What a writer writes at the end.
fn finished(format: Format, style: Style, summary: &Summary) -> String {
    let place = Shared::default();
    let mut writer = format.writer(Box::new(place.clone()), style);
    writer.finish(summary).unwrap();
    String::from_utf8(place.0.lock().unwrap().clone()).unwrap()
}

/// A place to write to that can be looked at afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flow_is_written_as_the_contract_has_it() {
    let expected = include_str!("output/default-certificate-refused.jsonl");
    assert_eq!(line(&default_certificate_refused()), expected);
}
#[test]
#[ignore]
fn zz_dump() {
    let s = summaries::gateway();
    std::fs::write("/tmp/wt-output-text.txt", text(&s, Style::default())).unwrap();
    let mut style = Style::default();
    style.findings = true;
    style.summary = true;
    std::fs::write(
        "/tmp/wt-output-line.json",
        line(&default_certificate_refused()) + &finished(Format::Jsonl, style, &s),
    )
    .unwrap();
    std::fs::write("/tmp/wt-output-schema.json", tlstriage::output::schema()).unwrap();
}
