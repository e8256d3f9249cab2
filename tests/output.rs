//! The output through the front door: what is written, byte for byte, and that nothing breaks a line.
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "support/reports.rs"]
mod reports;

use tlstriage::output::{Format, Style};
use tlstriage::report::FlowReport;

use reports::default_certificate_refused;

fn line(report: &FlowReport) -> String {
    let writer = Format::Jsonl.writer(Box::new(std::io::sink()), Style::default());
    let mut line = Vec::new();
    writer.render(report, &mut line);
    String::from_utf8(line).unwrap()
}

#[test]
fn a_flow_is_written_as_the_contract_has_it() {
    let expected = include_str!("output/default-certificate-refused.jsonl");
    assert_eq!(line(&default_certificate_refused()), expected);
}
