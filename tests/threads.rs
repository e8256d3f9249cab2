//! The number of threads never shows, nor the seed of the tables, nor where blocks and rounds
//! begin: not while memory is short, not with a horizon, not over many files.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/run.rs"]
mod run;
mod support;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};
use tlstriage::analysis::{Analyzer, Source};
use tlstriage::reassembly::Limits;

use run::{Told, assert_identical, on_threads, remove, stream, told_by};
use support::capture::{Pcap, PcapNg, Trickle};
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _, Side};
use support::packet::{self, Link, Packet, Packets as _, Tunnel};
use support::random::Random;
use support::shuffle::Shuffle as _;
use support::tls::{self, ClientHello, Tls as _};
use support::town::{self, DAWN};

const SECOND: i64 = 1_000_000_000;

/// Four minutes of a city, in the order of time: handshakes of every kind, some of them in
/// fragments, in tunnels or without a beginning; floods; errors; and what is not TLS.
static CITY: LazyLock<Vec<Packet>> = LazyLock::new(|| {
    let mut random = Random::quiet(7);
    let root = Certificate::authority("City Root").self_signed();
    let chains: Vec<Vec<Vec<u8>>> = (0..6)
        .map(|n| town::chain(&format!("host-{n}.example"), &root))
        .collect();
    let mut packets = Vec::new();
    for n in 0..400 {
        packets.extend(flow(n, &chains, &mut random));
    }
    for n in 0..600 {
        let syn = Conversation::between(&address(9, n, 1024 + n), "10.9.9.9:443")
            .at(DAWN + 20 * SECOND + i64::try_from(n).unwrap() * 5_000_000)
            .lonely_syn();
        packets.extend(syn.segments().packets());
    }
    for n in 0..12 {
        packets.extend(unreachable(n));
    }
    packets.sort_by_key(|packet| packet.time);
    packets
});

fn address(net: usize, host: usize, port: usize) -> String {
    format!("10.{net}.{}.{}:{port}", host / 250, 1 + host % 250)
}

/// One flow of many kinds, with accidents.
fn flow(n: usize, chains: &[Vec<Vec<u8>>], random: &mut Random) -> Vec<Packet> {
    let which = random.below(chains.len());
    let client = address(1, random.below(60), 20_000 + n);
    let server = format!("10.200.0.{}:443", 1 + which / 2);
    let hello = ClientHello {
        random: [0; 32].map(|_: u8| random.next().to_be_bytes()[0]),
        ..ClientHello::new()
    };
    let named = hello.clone().sni(&format!("host-{which}.example"));
    let at = DAWN + i64::try_from(random.below(240_000)).unwrap() * 1_000_000;
    let conversation = Conversation::between(&client, &server)
        .numbered(start(random), start(random))
        .at(at)
        .every(1 + i64::try_from(random.below(300_000_000)).unwrap());
    let opened = conversation.clone().syn();
    let chain = &chains[which];
    let said = match random.below(12) {
        0 => opened.tls12_distrusted(&hello, chain, tls::UNKNOWN_CA),
        1 => opened.refused(&named, tls::HANDSHAKE_FAILURE),
        2 => opened.tls12_resumed(&named, &[0x77; 32]),
        3 => opened.tls13(&named.tls13()),
        4 => opened.tls13_retried(&hello.tls13(), 24),
        // In the middle, and without an end.
        5 => conversation.tls12(&named, chain),
        6 => opened.tls12_to_certificate(&named, chain),
        7 => opened
            .client(&named.record())
            .pause(70 * SECOND)
            .rst(Side::Server),
        8 => opened
            .client(b"GET / HTTP/1.1\r\n\r\n")
            .server(&random.bytes(6000))
            .fin(),
        9 => opened.tls12(&hello, chain),
        _ => opened.tls12(&named, chain),
    };
    let disturbed = said
        .segments()
        .recut(200 + random.below(1300))
        .retransmitted(10, random)
        .duplicated(10, random)
        .reordered(3, random);
    let packets = disturbed.packets();
    match random.below(6) {
        0 => packets.fragmented(480),
        1 => packets.through(&Tunnel::Vxlan(5)),
        2 => packets.fragmented(296).through(&Tunnel::Gre),
        _ => packets,
    }
}

fn start(random: &mut Random) -> u32 {
    u32::try_from(random.next() >> 32).unwrap()
}

/// A client that asks three times, and a router that says why in vain.
fn unreachable(n: usize) -> Vec<Packet> {
    let at = DAWN + 60 * SECOND + i64::try_from(n).unwrap() * SECOND;
    let syns = Conversation::between(&address(1, n, 50_000 + n), "10.200.0.77:443")
        .at(at)
        .every(SECOND)
        .lonely_syn()
        .segments()
        .packets();
    let again = syns
        .iter()
        .map(|syn| Packet::new(syn.time + SECOND, syn.bytes.clone()));
    let mut all: Vec<Packet> = syns.iter().cloned().chain(again).collect();
    if n.is_multiple_of(2) {
        let error = packet::unreachable([10, 0, 0, 1].into(), &syns[0].bytes, 1);
        all.push(Packet::new(at + 5, error));
    }
    all
}

fn city() -> Vec<u8> {
    let link = Link::Ethernet;
    Pcap::new().write(&link, &CITY.clone().on(&link))
}

/// Asserts that these settings tell the same of `sources` however they are run, and gives it.
fn same_on_any(
    name: &str,
    settings: &dyn Fn(Analyzer) -> Analyzer,
    sources: &dyn Fn() -> Vec<Source>,
) -> Told {
    let expected = told_by(&settings(on_threads(1)), sources());
    for (threads, seed) in [(1, 7), (2, 0), (3, 0), (8, 0x5eed_5eed_5eed_5eed)] {
        let analyzer = settings(on_threads(threads).with_seed(seed));
        let told = told_by(&analyzer, sources());
        let name = format!("{name} on {threads} threads, seed {seed:#x}");
        assert_identical(&name, &told.lines, &expected.lines);
        assert_identical(&name, &told.text, &expected.text);
    }
    expected
}

fn one_stream() -> Vec<Source> {
    vec![stream(city())]
}

/// Frames without anything in them, which move the clock.
fn silent(at: i64) -> Packet {
    Packet::new(at, vec![0; 20])
}

#[test]
fn frames_that_are_out_of_order_do_not_show_at_the_end_within_a_horizon() {
    let link = Link::Ethernet;
    let millisecond = 1_000_000;
    let at = |milliseconds: i64| DAWN + milliseconds * millisecond;
    let root = Certificate::authority("City Root").self_signed();
    let chain = town::chain("host.example", &root);
    let hello = ClientHello::new().sni("host.example");
    let refused = Conversation::between("10.1.0.1:20000", "10.200.0.1:443")
        .at(DAWN)
        .every(millisecond)
        .syn()
        .tls12_distrusted(&hello, &chain, tls::UNKNOWN_CA)
        .segments();
    let finished = [
        tls::record(22, &tls::client_key_exchange()),
        tls::change_cipher_spec(),
        tls::finished(),
    ]
    .concat();
    // It would be told at this time, if anything is: the neighbour goes on till shortly before.
    let horizon = at(5700) - refused[refused.len() - 1].time;
    for port in 30_000..30_006 {
        let mut neighbour = Conversation::between(&address(2, 1, port), "10.200.0.1:443")
            .at(at(200))
            .every(millisecond)
            .syn()
            .tls12_to_certificate(&hello, &chain)
            .client(&finished)
            .server(&[tls::change_cipher_spec(), tls::finished()].concat())
            .client(&tls::record(23, &[7; 40]))
            .server(&tls::record(23, &[7; 40]))
            .client(&tls::record(23, &[7; 40]))
            .segments();
        let len = neighbour.len();
        neighbour[len - 2].time = at(5000);
        neighbour[len - 1].time = at(5500);
        let mut frames = refused.clone().packets();
        let neighbour = neighbour.packets();
        frames.extend_from_slice(&neighbour[..len - 2]);
        frames.extend((1..5).map(|second| silent(at(second * 1000))));
        frames.push(neighbour[len - 2].clone());
        // The last segment is older than a frame in its block, and not than those right before it.
        frames.push(silent(at(5900)));
        frames.extend((0..40).map(|_| silent(at(5400))));
        frames.push(neighbour[len - 1].clone());
        let capture = Pcap::new().write(&link, &frames.on(&link));
        same_on_any(
            "the end",
            &|analyzer| analyzer.with_horizon(horizon),
            &|| vec![stream(capture.clone())],
        );
    }
}

#[test]
fn frames_that_are_out_of_order_do_not_show_when_the_clock_ticks() {
    let link = Link::Ethernet;
    let at = |milliseconds: i64| DAWN + milliseconds * 1_000_000;
    let root = Certificate::authority("City Root").self_signed();
    let chain = town::chain("host.example", &root);
    let said = |client: &str, from: i64| {
        let mut said = Conversation::between(client, "10.200.0.1:443")
            .at(at(from))
            .every(1_000_000)
            .syn()
            .tls12(&ClientHello::new().sni("host.example"), &chain)
            .segments();
        let len = said.len();
        for segment in &mut said[len - 3..] {
            segment.time = at(9000);
        }
        said.packets()
    };
    let one = said("10.1.0.1:20000", 0);
    for port in 30_000..30_004 {
        let other = said(&address(2, 1, port), 200);
        let len = one.len();
        let mut first = [&one[..len - 3], &other[..len - 3]].concat();
        first.extend((1..9).map(|second| silent(at(second * 1000))));
        first.extend_from_slice(&one[len - 3..]);
        first.extend_from_slice(&other[len - 3..]);
        let mut late = other[len - 1].clone();
        late.time = at(9600);
        let mut last = vec![silent(at(9200)), silent(at(9900))];
        last.extend((0..40).map(|_| silent(at(9500))));
        last.extend([late, silent(at(10_700))]);
        // Another capture in between has come much further.
        let between = vec![silent(at(500)), silent(at(1_000_000))];
        let captures =
            [first, between, last].map(|frames| Pcap::new().write(&link, &frames.on(&link)));
        same_on_any(
            "a tick",
            &|analyzer| analyzer.with_horizon(30 * SECOND),
            &|| captures.iter().cloned().map(stream).collect(),
        );
    }
}

#[test]
fn what_is_told_early_is_no_other_connection_where_time_goes_back() {
    let before = large_certificates(3, 0);
    let after = large_certificates(4, 86_400 * SECOND);
    let limits = Limits::default()
        .with_certificates_total(1 << 20)
        .with_large_chains_total(64 * 256 * 1024);
    let count = |packets: Vec<Packet>| {
        let capture = Pcap::new().write(&Link::Raw, &packets);
        let told = told_by(
            &on_threads(1).with_limits(limits.clone()),
            vec![stream(capture)],
        );
        told.summary.flows.tcp
    };
    assert_eq!(count([before.clone(), after.clone()].concat()), 800);
    assert_eq!(count([after, before].concat()), 800);
}

/// So little memory that something must go all the time.
fn tight() -> Limits {
    Limits::default()
        .with_flows(64)
        .with_half_open(64)
        .with_stories(10)
        .with_waiting_total(64 * 700)
        .with_endpoints(2)
        .with_endpoint_names(2)
        .with_certificates_total(600)
        .with_fragments_total(4000)
}

#[test]
fn threads_do_not_show() {
    assert!(
        city().len() > 10 * 256 * 1024,
        "{} bytes are few blocks",
        city().len()
    );
    let told = same_on_any("the city", &|analyzer| analyzer, &one_stream);
    let flows = told.flows();
    assert!(flows.len() > 330, "{} flows", flows.len());
    assert!(
        flows
            .iter()
            .any(|flow| flow["tlstriage"]["verdict"]["id"] == "tcp.unreachable")
    );
}

#[test]
fn a_file_that_all_threads_read_is_told_like_a_stream() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("city.pcap");
    std::fs::write(&path, city()).unwrap();
    let file = same_on_any("the file", &|analyzer| analyzer, &|| {
        vec![Source::file(&path)]
    });
    let as_stream = || {
        let opened = std::fs::File::open(&path).unwrap();
        vec![Source::stream(&path.to_string_lossy(), opened)]
    };
    let stream = told_by(&on_threads(2), as_stream());
    assert_identical("the stream", &file.lines, &stream.lines);
    // One that was cut while it was written.
    let whole = city();
    std::fs::write(&path, &whole[..whole.len() - 7]).unwrap();
    let cut = same_on_any("the cut file", &|analyzer| analyzer, &|| {
        vec![Source::file(&path)]
    });
    assert_identical(
        "the cut stream",
        &cut.lines,
        &told_by(&on_threads(2), as_stream()).lines,
    );
}

#[test]
fn a_file_that_all_threads_read_may_have_huge_records() {
    // Longer than what a stretch of the file has room for in front, and than a stretch.
    let lens = [65_000, 66_000, 131_000, 262_144];
    let link = Link::Ethernet;
    let mut frames = CITY.clone().on(&link);
    for (at, len) in lens.iter().cycle().take(30).enumerate() {
        let at = 100 * at + at % 7;
        // Of an EtherType for experiments.
        let mut bytes = [[0; 12].as_slice(), &[0x88, 0xb5]].concat();
        bytes.resize(*len, 0);
        frames.insert(at, Packet::new(frames[at].time, bytes));
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("city.pcap");
    std::fs::write(&path, Pcap::new().write(&link, &frames)).unwrap();
    let told = same_on_any("huge records", &|analyzer| analyzer, &|| {
        vec![Source::file(&path)]
    });
    let plain = told_by(&on_threads(1), one_stream());
    let flows = |told: &Told| {
        let mut flows = told.flows();
        for flow in &mut flows {
            remove(flow, "tlstriage.capture");
        }
        flows
    };
    for (told, plain) in flows(&told).iter().zip(flows(&plain)) {
        assert_eq!(*told, plain, "they say nothing");
    }
    assert_eq!(told.flows().len(), plain.flows().len());
}

#[test]
fn threads_do_not_show_while_memory_is_short() {
    let few = Limits::default().with_flows(64).with_half_open(64);
    let told = same_on_any(
        "few flows",
        &|analyzer| analyzer.with_limits(few.clone()),
        &one_stream,
    );
    assert!(!told.summary.limits.is_empty());
    let told = same_on_any(
        "tight",
        &|analyzer| analyzer.with_limits(tight()),
        &one_stream,
    );
    assert!(told.summary.flows.partial_horizon > 0);
}

/// Connections that stay open, each with a certificate of 60 kB of its own, and one with a small one.
fn large_certificates(net: usize, later: i64) -> Vec<Packet> {
    let mut numbers = Random::quiet(4);
    let mut packets = Vec::new();
    for n in 0..400 {
        let mut der = vec![0x30, 0x82, 0xea, 0x5c];
        der.extend(numbers.bytes(16));
        let is_small = n == 399;
        der.resize(if is_small { 600 } else { 60_000 }, 0x41);
        let conversation = Conversation::between(&address(net, n, 20_000 + n), "10.3.0.4:443")
            .at(DAWN + later + i64::try_from(n).unwrap() * 10_000_000)
            .syn()
            .segments_of(40_000)
            .tls12(&ClientHello::new().sni("api.example"), &[der])
            .data();
        packets.extend(conversation.segments().packets());
    }
    packets
}

#[test]
fn threads_do_not_show_while_large_certificates_find_no_room() {
    let capture = Pcap::new().write(&Link::Raw, &large_certificates(3, 0));
    let sources = || vec![stream(capture.clone())];
    let limits = Limits::default().with_certificates_total(1 << 20);
    // Three of them in each of the tables, and nearly 200 among the stories and in the books.
    let few = limits.clone().with_large_chains_total(64 * 192 * 1024);
    let in_full = told_by(&Analyzer::new().with_limits(limits), sources()).flows();
    let told = same_on_any(
        "large certificates",
        &|analyzer| analyzer.with_limits(few.clone()),
        &sources,
    );
    assert!(told.limit("large certificates") > 30);
    assert!(told.summary.flows.partial_horizon > 100);
    let flows = told.flows();
    assert_eq!(flows.len(), 400, "one line each, whatever comes late of it");
    let by_client = |flow: &Value| flow["source"]["port"].to_string();
    let in_full: HashMap<String, &Value> =
        in_full.iter().map(|flow| (by_client(flow), flow)).collect();
    for flow in &flows {
        let in_full = in_full[&by_client(flow)];
        for path in ["/tls/server/hash/sha256", "/tlstriage/sni"] {
            assert!(in_full.pointer(path).is_some(), "{path}");
            assert_eq!(flow.pointer(path), in_full.pointer(path), "{path}");
        }
        // What is small is in nobody's way, and is told to its end.
        if flow["source"]["port"] == 20_399 {
            assert_eq!(flow["tlstriage"]["handshake"]["closed_by"], "client");
        }
    }
}

#[test]
fn threads_do_not_show_within_a_horizon() {
    for seconds in [0, 5, 100] {
        let settings = |analyzer: Analyzer| analyzer.with_horizon(seconds * SECOND);
        let name = format!("horizon of {seconds} s");
        let told = same_on_any(&name, &settings, &one_stream);
        assert!(told.summary.flows.partial_horizon > 0, "{name}");
    }
    let settings = |analyzer: Analyzer| analyzer.with_horizon(5 * SECOND).with_limits(tight());
    same_on_any("horizon, and tight", &settings, &one_stream);
}

#[test]
fn portions_of_a_pipe_do_not_show_within_a_horizon() {
    let settings = |analyzer: Analyzer| analyzer.with_horizon(5 * SECOND).with_limits(tight());
    let expected = told_by(&settings(on_threads(1)), one_stream());
    for (portion, threads) in [(3_000, 1), (90_000, 3)] {
        let pipe = Source::stream("capture", Trickle::new(city(), portion));
        let told = told_by(&settings(on_threads(threads)), [pipe]);
        let name = format!("portions of {portion}");
        assert_identical(&name, &told.lines, &expected.lines);
        assert_identical(&name, &told.text, &expected.text);
    }
}

#[test]
fn files_of_a_rotated_capture_are_read_in_the_order_of_time() {
    let link = Link::Ethernet;
    let frames = CITY.clone().on(&link);
    let directory = TempDir::new().unwrap();
    // Names say nothing: neither their order nor their ends.
    let names = ["c.pcap", "e", "a.bin", "d.gz", "b.pcap"];
    let len = frames.len().div_ceil(names.len());
    let mut paths = Vec::new();
    for (part, name) in frames.chunks(len).zip(names) {
        let path = directory.path().join(name);
        let file = Pcap::new().write(&link, part);
        std::fs::write(&path, &file).unwrap();
        paths.push(path);
    }
    let sources = |order: [usize; 5]| order.map(|at| Source::file(&paths[at])).into();
    let expected = same_on_any("files", &|analyzer| analyzer, &|| sources([0, 1, 2, 3, 4]));
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
        let told = same_on_any("shuffled", &|analyzer| analyzer, &|| sources(order));
        assert_identical("shuffled", &told.lines, &expected.lines);
        assert_identical("shuffled", &told.text, &expected.text);
    }
    same_on_any(
        "files, tight, horizon",
        &|analyzer| analyzer.with_limits(tight()).with_horizon(3 * SECOND),
        &|| sources([2, 0, 4, 1, 3]),
    );
    // And they say what one file says.
    let whole = told_by(&Analyzer::new(), one_stream());
    let flows = |told: &Told| {
        let mut flows = told.flows();
        for flow in &mut flows {
            remove(flow, "tlstriage.capture");
        }
        flows
    };
    assert_eq!(flows(&expected), flows(&whole));
}

#[test]
fn captures_side_by_side_are_told_together() {
    let sources = || -> Vec<Source> {
        let (even, odd): (Vec<_>, Vec<_>) = CITY
            .iter()
            .cloned()
            .enumerate()
            .partition(|(at, _)| at % 1000 < 500);
        let part = |part: Vec<(usize, Packet)>, link: &Link| {
            let packets: Vec<Packet> = part.into_iter().map(|(_, packet)| packet).collect();
            PcapNg::new().write(link, &packets.on(link))
        };
        vec![
            Source::stream("even", std::io::Cursor::new(part(even, &Link::Sll))),
            Source::stream("odd", std::io::Cursor::new(part(odd, &Link::Raw))),
            Source::stream("all", std::io::Cursor::new(city())),
        ]
    };
    same_on_any("side by side", &|analyzer| analyzer, &sources);
    let settings = |analyzer: Analyzer| analyzer.with_horizon(9 * SECOND).with_limits(tight());
    same_on_any("side by side, tight, horizon", &settings, &sources);
}

#[test]
fn more_captures_than_are_kept_open_are_told_in_order() {
    // Fourteen hosts that captured the same seconds.
    let files: Vec<NamedTempFile> = town::conversations()
        .into_iter()
        .map(|conversation| {
            let link = Link::Ethernet;
            let file = Pcap::new().write(&link, &conversation.packets().on(&link));
            support::capture::file(&file, "")
        })
        .collect();
    let sources = || files.iter().rev().map(Source::file).collect();
    let told = same_on_any("hosts", &|analyzer| analyzer, &sources);
    assert_eq!(told.flows().len(), town::FLOWS);
}
