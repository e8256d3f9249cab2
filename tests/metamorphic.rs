//! The same conversations, said in other ways: however they are cut, disturbed, wrapped and
//! written down, the same flows are told.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/run.rs"]
mod run;
mod support;

use serde_json::Value;
use tlstriage::analysis::{Analyzer, Source};

use run::{Told, assert_identical, differences, remove, told, told_by};
use support::capture::{self, Block, Order, Pcap, PcapNg, Trickle};
use support::conversation::{Segment, Segments as _};
use support::packet::{Link, Packet, Packets as _, Tunnel};
use support::random::Random;
use support::shuffle::Shuffle as _;
use support::town;

/// The frames of the whole town, after something happened to each conversation.
fn town(mut accident: impl FnMut(Vec<Segment>) -> Vec<Segment>) -> Vec<Packet> {
    let conversations = town::conversations().into_iter();
    let disturbed = conversations.map(|one| accident(one).packets());
    disturbed.fold(Vec::new(), |all, one| all.and(one))
}

fn quiet_town() -> Vec<Packet> {
    town(|conversation| conversation)
}

fn written(packets: Vec<Packet>, link: &Link) -> Vec<u8> {
    Pcap::new().write(link, &packets.on(link))
}

/// What is told of IP packets on an Ethernet.
fn told_of(packets: Vec<Packet>) -> Told {
    told(written(packets, &Link::Ethernet))
}

/// The flows in order of their ends, without what `ignored` names.
fn essence(told: &Told, ignored: &[&str]) -> Vec<Value> {
    let mut flows = told.flows();
    for flow in &mut flows {
        for path in ignored {
            remove(flow, path);
        }
    }
    flows.sort_by_key(|flow| {
        (
            flow["source"]["ip"].to_string(),
            flow["source"]["port"].as_u64(),
        )
    });
    flows
}

/// What tells of the way into the capture.
const WAY: &[&str] = &[
    "event.id",
    "network.vlan",
    "network.inner",
    "tlstriage.vlans",
    "tlstriage.tunnel",
    "tlstriage.resumed_from.event_id",
];

/// What depends on how many frames there are, beside the way.
const FRAMES: &[&str] = &[
    "event.id",
    "source.packets",
    "destination.packets",
    "tlstriage.capture.first_frame",
    "tlstriage.capture.last_frame",
    "tlstriage.resumed_from.event_id",
];

/// What depends on when the frames came, beside how many they are.
const TIMES: &[&str] = &["@timestamp", "event.start", "event.end", "event.duration"];

fn assert_same(name: &str, told: &Told, expected: &Told, ignored: &[&[&str]]) {
    let ignored = ignored.concat();
    let (found, expected) = (essence(told, &ignored), essence(expected, &ignored));
    for (found, expected) in found.iter().zip(&expected) {
        let differences = differences(found, expected);
        assert!(
            differences.is_empty(),
            "{name}, {}:\n{}",
            expected["source"],
            differences.join("\n")
        );
    }
    assert_eq!(found.len(), expected.len(), "{name}");
}

#[test]
fn the_town_is_what_it_is_meant_to_be() {
    let flows = told_of(quiet_town()).flows();
    assert_eq!(flows.len(), town::FLOWS);
    let of_port = |port: u16| {
        let found = flows.iter().find(|flow| flow["source"]["port"] == port);
        found.unwrap().clone()
    };
    assert_eq!(of_port(50112)["tlstriage"]["verdict"]["id"], "ok");
    let refused = of_port(50114);
    assert_eq!(refused["tlstriage"]["verdict"]["id"], "no-sni.default-cert");
    assert_eq!(
        of_port(50115)["tlstriage"]["server"]["certificate"],
        "resumed"
    );
    assert_eq!(
        of_port(50117)["tlstriage"]["server"]["certificate"],
        "encrypted"
    );
    assert_eq!(of_port(50118)["tls"]["version"], "1.3");
    assert!(of_port(40001)["tlstriage"]["client_certificate"]["chain"].is_array());
    assert_eq!(of_port(40002)["tlstriage"]["preamble"]["protocol"], "smtp");
    assert_eq!(
        of_port(40003)["tlstriage"]["preamble"]["target"],
        "api.example:443"
    );
    assert_eq!(of_port(40005)["tlstriage"]["sni"], "ip-literal");
    let long = of_port(40006);
    assert_eq!(
        long["tlstriage"]["server"]["chain"]
            .as_array()
            .unwrap()
            .len(),
        12
    );
}

#[test]
fn the_size_of_segments_does_not_matter() {
    let expected = told_of(quiet_town());
    for len in [1, 7, 100, 536, 1460, 9000, 60_000] {
        let recut = told_of(town(|conversation| conversation.recut(len)));
        assert_same(
            &format!("segments of {len}"),
            &recut,
            &expected,
            &[FRAMES, TIMES],
        );
    }
}

#[test]
fn accidents_of_the_network_do_not_matter() {
    let expected = told_of(quiet_town());
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let len = [50, 333, 1460][random.below(3)];
        let disturbed = town(|conversation| {
            let repeated = conversation
                .recut(len)
                .retransmitted(30, &mut random)
                .duplicated(20, &mut random);
            late_in_flight(repeated, 6, &mut random)
        });
        let name = format!("seed {seed}, segments of {len}");
        assert_same(&name, &told_of(disturbed), &expected, &[FRAMES, TIMES]);
    }
}

/// Reorders what one end says before the other end answers: what depends on an answer cannot come
/// before it.
fn late_in_flight(conversation: Vec<Segment>, window: usize, random: &mut Random) -> Vec<Segment> {
    let same_flight = |one: &Segment, other: &Segment| {
        let is_data = |segment: &Segment| !segment.payload.is_empty();
        one.from == other.from && is_data(one) && is_data(other)
    };
    conversation
        .chunk_by(same_flight)
        .flat_map(|flight| flight.to_vec().reordered(window, random))
        .collect()
}

#[test]
fn what_comes_late_past_the_answer_is_still_read() {
    // A capture on a busy host has both directions a little out of step: who did what first is
    // then what the capture shows, all else stays.
    let order: &[&str] = &[
        "tlstriage.handshake.steps",
        "tlstriage.handshake.closed_by",
        "tlstriage.handshake.close",
    ];
    let expected = told_of(quiet_town());
    for seed in 20..40 {
        let mut random = Random::new(seed);
        let disturbed = town(|conversation| {
            let (handshake, rest) = conversation.split_at(3);
            let rest = rest.to_vec().recut(200).reordered(3, &mut random);
            [handshake.to_vec(), rest].concat()
        });
        let name = format!("seed {seed}");
        assert_same(
            &name,
            &told_of(disturbed),
            &expected,
            &[FRAMES, TIMES, order],
        );
    }
}

#[test]
fn a_frame_captured_twice_is_counted_once() {
    let expected = told_of(quiet_town());
    let twice = told_of(town(|conversation| {
        conversation.duplicated(100, &mut Random::quiet(1))
    }));
    let frames = [
        "tlstriage.capture.first_frame",
        "tlstriage.capture.last_frame",
    ];
    assert_same("twice", &twice, &expected, &[&frames]);
}

#[test]
fn links_do_not_matter() {
    let expected = told_of(quiet_town());
    let links = [
        Link::Vlan(vec![12]),
        Link::Vlan(vec![1, 2, 3]),
        Link::QinQ(7, 8),
        Link::Mpls(vec![16, 17]),
        Link::Pppoe(3),
        Link::Sll,
        Link::Sll2,
        Link::Raw,
        Link::Null,
        Link::NullBigEndian,
        Link::Loop,
    ];
    for link in links {
        let told = told(written(quiet_town(), &link));
        assert_same(&format!("{link:?}"), &told, &expected, &[WAY]);
    }
}

#[test]
fn tunnels_do_not_matter() {
    let expected = told_of(quiet_town());
    for tunnel in tunnels() {
        let told = told_of(quiet_town().through(&tunnel));
        assert_same(&format!("{tunnel:?}"), &told, &expected, &[WAY]);
        for flow in told.flows() {
            assert!(flow["tlstriage"]["tunnel"].is_array(), "{tunnel:?}: {flow}");
        }
    }
}

fn tunnels() -> Vec<Tunnel> {
    vec![
        Tunnel::Ip,
        Tunnel::Gre,
        Tunnel::GreKey(77),
        Tunnel::GreEthernet,
        Tunnel::Vxlan(42),
        Tunnel::Geneve(43),
        Tunnel::Gtp(44),
        Tunnel::OverIpv6(Box::new(Tunnel::Ip)),
        Tunnel::OverIpv6(Box::new(Tunnel::GreEthernet)),
        Tunnel::OverIpv6(Box::new(Tunnel::Vxlan(45))),
        Tunnel::OverIpv6(Box::new(Tunnel::Gtp(46))),
    ]
}

#[test]
fn fragments_do_not_matter() {
    let expected = told_of(quiet_town());
    // At the place of the frame that completes a packet.
    for len in [8, 24, 256, 1000] {
        let small = || town(|conversation| conversation.recut(len.min(24) * 50));
        let plain = told_of(small());
        let fragmented = told_of(small().fragmented(len));
        let name = format!("fragments of {len}");
        assert_same(&name, &fragmented, &plain, &[&frame_numbers()]);
        assert_same(&name, &fragmented, &expected, &[FRAMES, TIMES]);
        // The last fragment first, as some hosts once sent them.
        let mut backwards = small().fragmented(len);
        backwards.reverse();
        backwards.sort_by_key(|packet| packet.time);
        assert_same(&name, &told_of(backwards), &expected, &[FRAMES, TIMES]);
    }
}

#[test]
fn fragments_of_tunnels_and_tunnels_of_fragments_do_not_matter() {
    let expected = told_of(quiet_town());
    let ignored = &[WAY, &frame_numbers()];
    for tunnel in tunnels() {
        let outside = told_of(quiet_town().through(&tunnel).fragmented(600));
        assert_same(
            &format!("{tunnel:?} in fragments"),
            &outside,
            &expected,
            ignored,
        );
        let inside = told_of(quiet_town().fragmented(600).through(&tunnel));
        assert_same(
            &format!("fragments in {tunnel:?}"),
            &inside,
            &expected,
            ignored,
        );
        let both = quiet_town()
            .fragmented(600)
            .through(&tunnel)
            .fragmented(400);
        let name = format!("fragments in {tunnel:?} in fragments");
        assert_same(&name, &told_of(both), &expected, ignored);
    }
}

fn frame_numbers() -> [&'static str; 2] {
    [
        "tlstriage.capture.first_frame",
        "tlstriage.capture.last_frame",
    ]
}

#[test]
fn everything_at_once_does_not_matter() {
    let expected = told_of(quiet_town());
    let tunnels = tunnels();
    for seed in 40..46 {
        let mut random = Random::new(seed);
        let disturbed = town(|conversation| {
            let repeated = conversation.recut(700).retransmitted(20, &mut random);
            late_in_flight(repeated, 4, &mut random)
        });
        let (inner, outer) = (random.below(tunnels.len()), random.below(tunnels.len()));
        let packets = disturbed
            .through(&tunnels[inner])
            .fragmented(320)
            .through(&tunnels[outer])
            .duplicated(10, &mut random);
        let told = told(written(packets, &Link::QinQ(5, 6)));
        let name = format!("seed {seed}, {:?} in {:?}", tunnels[inner], tunnels[outer]);
        assert_same(&name, &told, &expected, &[WAY, FRAMES, TIMES]);
    }
}

/// Every capture that says the same as the first, and at the same precision.
fn containers() -> Vec<(&'static str, Vec<u8>)> {
    let link = Link::Ethernet;
    let frames = quiet_town().on(&link);
    let plain = Pcap::new().write(&link, &frames);
    let ng = PcapNg::new().write(&link, &frames);
    vec![
        (
            "pcap, big-endian",
            Pcap::new().big_endian().write(&link, &frames),
        ),
        (
            "pcap, modified",
            Pcap::new().modified().write(&link, &frames),
        ),
        ("pcapng", ng.clone()),
        (
            "pcapng, big-endian",
            PcapNg::new().big_endian().write(&link, &frames),
        ),
        (
            "pcapng, sections",
            PcapNg::new().sections_of(7).write(&link, &frames),
        ),
        (
            "pcapng, old blocks",
            PcapNg::new().blocks(Block::Obsolete).write(&link, &frames),
        ),
        (
            "pcapng, offset",
            PcapNg::new().offset(-3600).write(&link, &frames),
        ),
        ("pcapng, secrets in front", {
            let secrets = capture::secrets_block(Order(false), "# no secrets\n");
            let mut file = ng.clone();
            file.splice(28..28, secrets);
            file
        }),
        (
            "pcapng, unknown block",
            [&ng[..], &capture::block(Order(false), 0x0bad, &[7; 99])].concat(),
        ),
        ("gzip", capture::gzip(&plain, 1)),
        ("gzip, members", capture::gzip(&plain, 9)),
        ("zstd", capture::zstd(&plain)),
        ("zstd, pcapng", capture::zstd(&ng)),
        ("lz4", capture::lz4(&plain)),
        ("xz", capture::xz(&plain)),
    ]
}

#[test]
fn containers_and_compression_do_not_show() {
    let expected = told_of(quiet_town());
    for (name, file) in containers() {
        let told = told(file);
        assert_identical(name, flows(&told), flows(&expected));
        assert_identical(name, &report(&told), &report(&expected));
    }
}

/// The lines but the last, which names container and compression.
fn flows(told: &Told) -> &str {
    let last = told.lines.trim_end().rfind('\n').map_or(0, |at| at + 1);
    &told.lines[..last]
}

/// The report without the lines that name container and compression.
fn report(told: &Told) -> String {
    let lines = told.text.lines();
    let kept = lines.filter(|line| !line.contains(", 296 frames, "));
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_finer_clock_shows_in_digits_alone() {
    let link = Link::Ethernet;
    let frames = quiet_town().on(&link);
    let expected = told_of(quiet_town());
    let nano = told(Pcap::new().nano().write(&link, &frames));
    let same = [
        (
            "pcap, big-endian",
            Pcap::new().nano().big_endian().write(&link, &frames),
        ),
        ("pcapng", PcapNg::new().resolution(9).write(&link, &frames)),
        (
            "gzip",
            capture::gzip(&Pcap::new().nano().write(&link, &frames), 1),
        ),
    ];
    for (name, file) in same {
        assert_identical(name, flows(&told(file)), flows(&nano));
    }
    assert_same(
        "nanoseconds",
        &nano,
        &expected,
        &[
            &TIMES[..3],
            &["event.id"],
            &["tlstriage.resumed_from.event_id"],
        ],
    );
    // Half a microsecond at most is lost to a clock of 2^-20 seconds.
    for resolution in [0x80 | 20, 0x80 | 30, 3, 10] {
        let told = told(PcapNg::new().resolution(resolution).write(&link, &frames));
        let name = format!("resolution {resolution:#x}");
        assert_same(&name, &told, &expected, &[TIMES, WAY]);
    }
    let timeless = told(PcapNg::new().blocks(Block::Simple).write(&link, &frames));
    assert_same("no times", &timeless, &expected, &[TIMES, WAY]);
}

#[test]
fn odd_portions_of_a_pipe_do_not_show() {
    let expected = told_of(quiet_town());
    let mut files = containers();
    files.push(("pcap", written(quiet_town(), &Link::Ethernet)));
    for (name, file) in files {
        let whole = told(file.clone());
        for (portion, threads) in [(1, 1), (7, 3), (1000, 1), (70_000, 2)] {
            let pipe = Source::stream("capture", Trickle::new(file.clone(), portion));
            let told = told_by(&run::on_threads(threads), [pipe]);
            let name = format!("{name} in portions of {portion} on {threads} threads");
            assert_identical(&name, flows(&told), flows(&expected));
            assert_identical(&name, &told.lines, &whole.lines);
            assert_identical(&name, &told.text, &whole.text);
        }
    }
}

#[test]
fn interfaces_of_one_capture_are_one_network() {
    // Each frame seen on the bridge and on one of its ports, as `any` has it.
    let expected = told_of(quiet_town());
    let (one, other) = (Link::Ethernet, Link::Sll2);
    let interfaces = [
        (one.clone(), quiet_town().on(&one)),
        (other.clone(), quiet_town().on(&other)),
    ];
    let told = told(PcapNg::new().write_interfaces(&interfaces));
    assert_same("two interfaces", &told, &expected, &[WAY, &frame_numbers()]);
}

#[test]
fn a_file_and_a_stream_say_the_same() {
    let bytes = written(quiet_town(), &Link::Ethernet);
    let file = capture::file(&bytes, ".txt");
    let name = file.path().to_string_lossy().into_owned();
    let from_file = told_by(&Analyzer::new(), [Source::file(file.path())]);
    let stream = Source::stream(&name, std::io::Cursor::new(bytes));
    let from_stream = told_by(&Analyzer::new(), [stream]);
    assert_eq!(from_file.lines, from_stream.lines);
    assert_eq!(from_file.text, from_stream.text);
}
