//! Where secrets may stand: in a capture, in another one, before or behind what they open, in a file or in a pipe.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/opened.rs"]
mod opened;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/run.rs"]
mod run;
mod support;

use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use tlstriage::analysis::{Analyzer, Source};

use opened::{Opened, detail};
use run::{keys, on_threads, stream, told_by, with_keys};
use support::capture::{Order, Trickle, block, file, gzip, secrets_block};

#[test]
fn without_its_key_a_flow_is_told_from_a_pipe_as_from_a_file() {
    for version in [&TLS12, &TLS13] {
        let (opened, other) = (Opened::of(version), Opened::of(version));
        let capture = opened.meeting.capture();
        let of_file = file(&capture, ".pcap");
        let analyzer = with_keys(&other.log);
        let mut from_file = told_by(&analyzer, [Source::file(of_file.path())])
            .flows()
            .remove(0);
        for threads in [1, 3] {
            let analyzer = on_threads(threads).with_keys(keys(&other.log));
            let piped = Source::stream("capture", Trickle::new(capture.clone(), 100));
            let mut from_pipe = told_by(&analyzer, [piped]).flows().remove(0);
            for flow in [&mut from_file, &mut from_pipe] {
                run::remove(flow, "tlstriage.capture.file");
            }
            assert_eq!(run::differences(&from_file, &from_pipe), [""; 0]);
        }
    }
}

#[test]
fn secrets_of_a_capture_serve_wherever_they_stand() {
    let opened = Opened::of(&TLS13);
    let count = opened.blocks().len();
    // Behind the section header and behind the interface, between packets, at the end.
    for at in [1, 2, 5, count] {
        let capture = file(&opened.pcapng(at, &opened.log), ".pcapng");
        let flows = told_by(&Analyzer::new(), [Source::file(capture.path())]).flows();
        opened.assert_opened(&flows[0]);
    }
}

#[test]
fn in_a_large_file_secrets_serve_wherever_they_stand() {
    let opened = Opened::of(&TLS13);
    // More than is searched whole without a reason, in blocks that hold nothing.
    let filler = block(Order(false), 0xbad, &[0; 60_000]).repeat(150);
    let count = opened.blocks().len();
    for at in [3, count / 2, count - 1] {
        let mut blocks = opened.blocks();
        blocks.insert(at, secrets_block(Order(false), &opened.log));
        blocks.insert(at, filler.clone());
        let capture = file(&blocks.concat(), ".pcapng");
        let source = || [Source::file(capture.path())];
        let expected = told_by(&with_keys(&opened.log), source());
        for threads in [1, 3] {
            let told = told_by(&on_threads(threads), source());
            assert_eq!(told.lines, expected.lines);
            opened.assert_opened(&told.flows()[0]);
        }
        // What cannot be read twice is opened from there on.
        let read_once = stream(blocks.concat());
        let flows = told_by(&Analyzer::new(), [read_once]).flows();
        assert_ne!(flows[0]["tlstriage"]["server"]["certificate"], "seen");
    }
}

#[test]
fn lines_in_the_secrets_of_a_capture_that_are_none_are_counted() {
    let opened = Opened::of(&TLS13);
    let log = format!(
        "{}CLIENT_RANDOM abcd\nhello\n{}",
        opened.log, "EXPORTER_SECRET\n"
    );
    let capture = file(&opened.pcapng(2, &log), ".pcapng");
    for source in [stream(opened.pcapng(2, &log)), Source::file(capture.path())] {
        let told = told_by(&Analyzer::new(), [source]);
        let expected =
            "Lines that are no use among the secrets that captures carry: 1 damaged, 1 unknown.";
        let notes = &told.summary.notes;
        assert!(notes.iter().any(|note| note == expected), "{notes:?}");
    }
    let whole = told_by(&Analyzer::new(), [stream(opened.pcapng(2, &opened.log))]);
    assert!(
        whole
            .summary
            .notes
            .iter()
            .all(|note| !note.contains("secrets"))
    );
}

#[test]
fn secrets_of_one_file_serve_another() {
    let opened = Opened::of(&TLS13);
    let head = opened.blocks()[..2].concat();
    let carrier = [head, secrets_block(Order(false), &opened.log)].concat();
    let carrier = file(&carrier, ".pcapng");
    let other = file(&opened.meeting.capture(), ".pcap");
    for paths in [
        [other.path(), carrier.path()],
        [carrier.path(), other.path()],
    ] {
        let flows = told_by(&Analyzer::new(), paths.map(Source::file)).flows();
        assert_eq!(flows.len(), 1);
        opened.assert_opened(&flows[0]);
    }
}

#[test]
fn in_a_stream_secrets_serve_from_their_place_on() {
    let opened = Opened::of(&TLS13);
    let count = opened.blocks().len();
    let told = |analyzer: &Analyzer, capture: Vec<u8>| {
        let portions = [1, 100, 1 << 20];
        let mut lines: Vec<String> = portions
            .into_iter()
            .map(|portion| {
                let source = Source::stream("capture", Trickle::new(capture.clone(), portion));
                told_by(analyzer, [source]).lines
            })
            .collect();
        lines.dedup();
        assert_eq!(lines.len(), 1, "it depends on how the bytes come");
        let flow: Value = serde_json::from_str(lines[0].lines().next().unwrap()).unwrap();
        flow
    };
    for threads in [1, 3] {
        let plain = on_threads(threads);
        let patient = on_threads(threads).with_secrets_anywhere();
        // Before the flow; and behind it, where they are awaited.
        opened.assert_opened(&told(&plain, opened.pcapng(2, &opened.log)));
        let late = opened.pcapng(count, &opened.log);
        let flow = told(&plain, late.clone());
        assert_eq!(
            detail(&flow),
            (&json!("encrypted"), &json!("key-too-late")),
            "{threads}"
        );
        // The flow is over when they come, and its bytes are gone.
        let flow = told(&patient, late);
        assert_eq!(detail(&flow), (&json!("encrypted"), &json!("key-too-late")));
    }
}

#[test]
fn in_a_compressed_file_secrets_are_looked_for_when_asked() {
    let opened = Opened::of(&TLS13);
    let late = opened.pcapng(opened.blocks().len(), &opened.log);
    let capture = file(&gzip(&late, 1), ".pcapng.gz");
    let source = || [Source::file(capture.path())];
    let flows = told_by(&Analyzer::new(), source()).flows();
    assert_eq!(
        detail(&flows[0]),
        (&json!("encrypted"), &json!("key-too-late"))
    );
    let flows = told_by(&Analyzer::new().with_secrets_anywhere(), source()).flows();
    opened.assert_opened(&flows[0]);
}
