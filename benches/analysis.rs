//! How fast a capture becomes JSON lines, the whole way: `cargo bench --bench analysis`.
//!
//! The capture is made here: a thousand TLS flows of two kinds, with bulk data in some of them,
//! in the order of time. It is read from memory, and the lines are thrown away.

#![expect(clippy::unwrap_used, reason = "a bench fails loudly")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{Link, Packet};
use support::tls::{ClientHello, Tls as _};
use tlstriage::output::{Format, Style};
use tlstriage::{Analyzer, Source};

fn main() {
    divan::main();
}

const FLOWS: usize = 1_000;

static CAPTURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let root = Certificate::authority("Bench Root").self_signed();
    let leaf = Certificate::new("api.example")
        .names(&["api.example"])
        .signed_by(&root);
    let chain = vec![leaf.der.clone(), root.der.clone()];
    let mut packets: Vec<Packet> = Vec::new();
    for n in 0..FLOWS {
        let client = format!("10.1.{}.{}:{}", n / 250, 1 + n % 250, 20_000 + n);
        let hello = ClientHello::new().sni("api.example");
        let conversation = Conversation::between(&client, "10.2.0.1:443")
            .at(1_795_406_400_000_000_000 + i64::try_from(n).unwrap() * 3_000_000)
            .syn();
        let conversation = match n % 2 {
            0 => conversation.tls12(&hello, &chain),
            _ => conversation.tls13(&hello.tls13()),
        };
        packets.extend(conversation.server(&bulk(n)).fin().segments().packets());
    }
    packets.sort_by_key(|packet| packet.time);
    Pcap::new().write(&Link::Ethernet, &packets)
});

/// Application data in records of 16 KiB: none for most flows, a quarter of a megabyte for some.
fn bulk(n: usize) -> Vec<u8> {
    let records = if n.is_multiple_of(10) { 16 } else { 1 };
    let mut record = vec![23, 3, 3, 0x40, 0];
    record.resize(5 + 0x4000, 0xa5);
    record.repeat(records)
}

/// From bytes to lines, on one thread and on two.
#[divan::bench(args = [1, 2])]
fn json_lines(bencher: Bencher<'_, '_>, threads: usize) {
    let analyzer = Analyzer::new().with_threads(NonZeroUsize::new(threads).unwrap());
    bencher
        .counter(BytesCount::of_slice(CAPTURE.as_slice()))
        .counter(ItemsCount::new(FLOWS))
        .bench(|| {
            let source = Source::stream("bench.pcap", CAPTURE.as_slice());
            let mut analysis = analyzer.start([source]).unwrap();
            let writer = Format::Jsonl.writer(Box::new(std::io::sink()), Style::default());
            let mut len = 0;
            let render = |reports: &[_]| {
                let mut lines = Vec::new();
                for report in reports {
                    writer.render(report, &mut lines);
                }
                lines
            };
            let take = |lines: Vec<u8>| {
                len += lines.len();
                Ok(())
            };
            analysis.render(render, take).unwrap();
            assert_eq!(analysis.summary().flows.tls, u64::try_from(FLOWS).unwrap());
            len
        });
}
