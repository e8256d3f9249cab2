//! How fast reports become bytes. Run with `cargo bench --bench output`.
#![expect(clippy::unwrap_used, reason = "a bench fails by it")]

#[path = "../tests/support/reports.rs"]
mod reports;

use divan::Bencher;
use divan::counter::BytesCount;
use tlstriage::output::{Format, Style};

fn main() {
    divan::main();
}

/// The line of a flow with a certificate, a finding and an alert.
#[divan::bench]
fn jsonl_line(bencher: Bencher<'_, '_>) {
    let report = reports::default_certificate_refused();
    let writer = Format::Jsonl.writer(Box::new(std::io::sink()), Style::default());
    let mut line = Vec::new();
    writer.render(&report, &mut line);
    let len = line.len();
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        line.clear();
        writer.render(divan::black_box(&report), &mut line);
        line.len()
    });
}

/// The ids that each flow gets.
#[divan::bench]
fn event_id(bencher: Bencher<'_, '_>) {
    use tlstriage::report::{CommunityId, FlowIdentity, event_id};
    use tlstriage::time::Timestamp;
    let (source, destination) = (
        reports::end("10.1.0.5", 50112),
        reports::end("10.1.2.3", 443),
    );
    bencher.bench_local(|| {
        let flow = FlowIdentity {
            source: divan::black_box(source),
            destination,
            first: Timestamp::from_nanos(1),
            vlans: &[],
            tunnels: &[],
            ordinal: 0,
        };
        (event_id(&flow), CommunityId::of_tcp(source, destination))
    });
}
