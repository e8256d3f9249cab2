//! Captures are written by strangers: cut, changed and shuffled ones, and such as were made to
//! hurt, end in order, and in bounded memory.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/run.rs"]
mod run;
mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use tlstriage::analysis::{Analyzer, Source};
use tlstriage::output::MAX_LINE_LEN;
use tlstriage::reassembly::Limits;

use run::{Told, stream, told, told_by};
use support::capture::{Block, Pcap, PcapNg};
use support::conversation::{Conversation, Segment, Segments as _, Side};
use support::packet::{Link, Packet, Packets as _, Tunnel};
use support::random::Random;
use support::shuffle::Shuffle as _;
use support::tls::{self, ClientHello, HANDSHAKE, ServerHello, Tls as _};
use support::town;

/// Asserts what must hold of every run, whatever went in.
fn assert_in_order(name: &str, told: &Told) {
    assert!(told.lines.ends_with('\n'), "{name}: no last newline");
    for line in told.lines.lines() {
        assert!(line.len() <= MAX_LINE_LEN, "{name}: {} bytes", line.len());
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "{name}: {line}"
        );
    }
    let flows = told.summary.flows;
    assert!(
        flows.tls + flows.unreachable <= flows.tcp,
        "{name}: {flows:?}"
    );
    assert_eq!(
        told.flows().len(),
        usize::try_from(flows.reported).unwrap(),
        "{name}"
    );
    let is_plain = |line: &str| !line.chars().any(char::is_control);
    assert!(told.text.lines().all(is_plain), "{name}: {}", told.text);
}

fn assert_runs_in_order(name: &str, capture: Vec<u8>) {
    assert_in_order(name, &told(capture));
}

fn town_frames(link: &Link) -> Vec<Packet> {
    let conversations = town::conversations().into_iter();
    let all = conversations.fold(Vec::new(), |all, one| all.and(one.packets()));
    all.on(link)
}

/// One capture of each kind, and all that are shipped.
fn captures() -> Vec<(String, Vec<u8>)> {
    let (ethernet, any) = (Link::Ethernet, Link::Sll2);
    let frames = town_frames(&ethernet);
    let tunnelled = |tunnel: &Tunnel| {
        let conversations = town::conversations().into_iter();
        let all = conversations.fold(Vec::new(), |all, one| all.and(one.packets()));
        let packets = all.fragmented(400).through(tunnel).fragmented(600);
        Pcap::new().write(&any, &packets.on(&any))
    };
    let made = [
        ("pcap", Pcap::new().write(&ethernet, &frames)),
        (
            "modified",
            Pcap::new()
                .modified()
                .big_endian()
                .write(&ethernet, &frames),
        ),
        (
            "pcapng",
            PcapNg::new().sections_of(40).write(&ethernet, &frames),
        ),
        (
            "simple",
            PcapNg::new()
                .blocks(Block::Simple)
                .write(&ethernet, &frames),
        ),
        (
            "gzip",
            support::capture::gzip(&Pcap::new().write(&ethernet, &frames), 3),
        ),
        (
            "zstd",
            support::capture::zstd(&Pcap::new().write(&ethernet, &frames)),
        ),
        (
            "lz4",
            support::capture::lz4(&Pcap::new().write(&ethernet, &frames)),
        ),
        (
            "xz",
            support::capture::xz(&Pcap::new().write(&ethernet, &frames)),
        ),
        ("vxlan", tunnelled(&Tunnel::Vxlan(3))),
        (
            "gtp",
            tunnelled(&Tunnel::OverIpv6(Box::new(Tunnel::Gtp(3)))),
        ),
        ("geneve", tunnelled(&Tunnel::Geneve(3))),
    ];
    let made = made.map(|(name, capture)| (name.to_owned(), capture));
    made.into_iter().chain(samples()).collect()
}

/// What stands in `samples/`, if it is there: it is not in the package.
fn samples() -> Vec<(String, Vec<u8>)> {
    fn visit(directory: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(directory) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    visit(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"),
        &mut found,
    );
    found.sort();
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read(&path).unwrap());
    found.into_iter().map(read).collect()
}

/// How many variants of each capture: more of small ones.
fn variants(capture: &[u8]) -> usize {
    (1_000_000 / capture.len().max(1)).clamp(3, 8)
}

#[test]
fn a_capture_can_end_anywhere() {
    for (name, capture) in captures() {
        let count = 3 * variants(&capture);
        let mut random = Random::quiet(1);
        for place in 0..count {
            let at = if place % 2 == 0 {
                capture.len() * place / count
            } else {
                random.below(capture.len())
            };
            assert_runs_in_order(&format!("{name} cut at {at}"), capture[..at].to_vec());
        }
    }
}

#[test]
fn any_byte_can_be_wrong() {
    for (name, capture) in captures() {
        for seed in 0..u64::try_from(variants(&capture)).unwrap() {
            let mut random = Random::quiet(seed);
            let mut changed = capture.clone();
            let most = [1, 5, 50, capture.len() / 100 + 1][random.below(4)];
            for _ in 0..=random.below(most) {
                let at = random.below(changed.len());
                if let Some(byte) = changed.get_mut(at) {
                    *byte = random.bytes(1)[0];
                }
            }
            assert_runs_in_order(&format!("{name}, seed {seed}"), changed);
        }
    }
}

#[test]
fn any_byte_of_a_packet_can_be_wrong() {
    // Wrong bytes of a file end up in packets only now and then.
    let link = Link::Ethernet;
    for tunnel in [None, Some(Tunnel::Geneve(3)), Some(Tunnel::GreEthernet)] {
        for seed in 0..25 {
            let mut random = Random::quiet(seed);
            let conversations = town::conversations().into_iter();
            let mut packets = conversations.fold(Vec::new(), |all, one| all.and(one.packets()));
            if let Some(tunnel) = &tunnel {
                packets = packets.through(tunnel);
            }
            let mut frames = packets.on(&link);
            for frame in &mut frames {
                if random.chance(10) {
                    let head = frame.bytes.len().min(120);
                    let at = random.below(head);
                    frame.bytes[at] = random.bytes(1)[0];
                }
                if random.chance(3) {
                    let len = random.below(frame.bytes.len());
                    frame.bytes.truncate(len);
                }
            }
            let capture = Pcap::new().write(&link, &frames);
            assert_runs_in_order(&format!("{tunnel:?}, seed {seed}"), capture);
        }
    }
}

#[test]
fn any_byte_of_a_conversation_can_be_wrong() {
    for seed in 0..50 {
        let mut random = Random::quiet(seed);
        let mut packets = Vec::new();
        for mut conversation in town::conversations() {
            for segment in &mut conversation {
                let is_early = segment.payload.len() > 8;
                if is_early && random.chance(40) {
                    // Lengths and types stand in front.
                    let at = random.below(segment.payload.len().min(120));
                    segment.payload[at] = random.bytes(1)[0];
                }
            }
            packets = packets.and(conversation.packets());
        }
        let capture = Pcap::new().write(&Link::Raw, &packets);
        assert_runs_in_order(&format!("seed {seed}"), capture);
    }
}

#[test]
fn frames_can_come_in_any_order() {
    let link = Link::Ethernet;
    let frames = town_frames(&link);
    for seed in 0..40 {
        let mut random = Random::quiet(seed);
        let window = [10, 100, 1000][random.below(3)];
        let mut shuffled = frames.clone().reordered(window, &mut random);
        if seed % 2 == 0 {
            // With their own times, so that the clock jumps.
            for frame in &mut shuffled {
                frame.time += i64::try_from(random.below(1 << 40)).unwrap();
            }
        }
        let told = told(Pcap::new().write(&link, &shuffled));
        assert_in_order(&format!("seed {seed}"), &told);
        // Without jumps nobody is thought to have begun twice.
        let most = if seed % 2 == 0 {
            usize::MAX
        } else {
            town::FLOWS
        };
        assert!(told.flows().len() <= most, "seed {seed}");
    }
}

/// So many connections between a client each and one server.
fn crowd(count: usize, speak: impl Fn(Conversation) -> Conversation) -> Vec<u8> {
    let mut packets = Vec::new();
    for n in 0..count {
        let client = format!("10.{}.{}.9:{}", n / 250, n % 250, 10_000 + n % 50_000);
        let at = town::DAWN + i64::try_from(n).unwrap() * 1000;
        let conversation = Conversation::between(&client, "10.99.0.1:443")
            .at(at)
            .every(1);
        packets.extend(speak(conversation).segments().packets());
    }
    Pcap::new().write(&Link::Raw, &packets)
}

fn told_within(limits: Limits, capture: Vec<u8>) -> Told {
    told_by(&Analyzer::new().with_limits(limits), [stream(capture)])
}

#[test]
fn a_flood_of_syns_drives_out_nobody() {
    let limits = Limits::default().with_half_open(640);
    let flood = crowd(20_000, Conversation::lonely_syn);
    let told = told_within(limits.clone(), flood);
    assert_in_order("flood", &told);
    assert!(
        told.limit("half_open") + told.limit("SYN") > 18_000,
        "{:?}",
        told.summary.limits
    );
    // Real conversations on both sides of it are told in full.
    let link = Link::Raw;
    let mut frames = town_frames(&link);
    let half = frames.len() / 2;
    let syns = (0..5000).flat_map(|n: usize| {
        let client = format!("10.77.{}.9:{}", n % 250, 10_000 + n);
        let syn = Conversation::between(&client, "10.99.0.1:443").at(frames[half].time);
        syn.lonely_syn().segments().packets()
    });
    let syns: Vec<Packet> = syns.collect();
    frames.splice(half..half, syns);
    let told = told_within(limits, Pcap::new().write(&link, &frames));
    let of_town = |flow: &&Value| flow["tlstriage"]["evidence"]["grade"] == "complete";
    assert_eq!(told.flows().iter().filter(of_town).count(), town::FLOWS);
}

#[test]
fn half_a_hello_each_is_held_within_bounds() {
    let hello = ClientHello::new()
        .sni("api.example")
        .extension(0xfafa, vec![7; 9000])
        .record();
    let halves = crowd(2000, |one| one.syn().client(&hello[..4500]));
    let limits = Limits::default()
        .with_waiting_total(64 * 20_000)
        .with_flows(6400);
    let told = told_within(limits, halves);
    assert_in_order("halves", &told);
    assert!(!told.summary.limits.is_empty());
    let limited = |flow: &Value| {
        flow["tlstriage"]["evidence"]["reasons"]
            .to_string()
            .contains("limit")
    };
    assert!(told.flows().iter().filter(|flow| limited(flow)).count() > 1000);
}

#[test]
fn more_flows_than_the_table_holds_are_told_all_the_same() {
    let chain = vec![vec![0x30, 3, 2, 1, 1]];
    let flows = crowd(3000, |one| {
        one.syn().tls12_to_certificate(&ClientHello::new(), &chain)
    });
    let told = told_within(Limits::default().with_flows(64), flows);
    assert_in_order("table", &told);
    assert_eq!(told.flows().len(), 3000);
    assert!(told.limit("evict") > 2500, "{:?}", told.summary.limits);
}

#[test]
fn clients_are_counted_up_to_a_bound_and_that_is_said() {
    let refused = |one: Conversation| one.syn().refused(&ClientHello::new(), tls::BAD_CERTIFICATE);
    let few = told(crowd(100, refused));
    let endpoint = |told: &Told| told.summary.endpoints[0].client_count;
    assert_eq!((endpoint(&few), few.limit("are counted")), (100, 0));
    let many = told(crowd(4200, refused));
    assert_eq!((endpoint(&many), many.limit("are counted")), (4096, 104));
}

#[test]
fn segments_that_all_overlap_are_read_once() {
    let hello = ClientHello::new()
        .sni("api.example")
        .extension(0xfafa, vec![7; 12_000])
        .record();
    let story = Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
        .syn()
        .client(&hello)
        .segments();
    let (syn, said) = story.split_at(3);
    let client = said[0].from;
    // Every segment from everywhere, backwards, the first byte last.
    let mut overlapping = Vec::new();
    for at in (0..hello.len() - 1000).rev().step_by(30) {
        overlapping.push(Segment {
            seq: said[0].seq.wrapping_add(u32::try_from(at).unwrap()),
            payload: hello[at..at + 1000].to_vec(),
            ..said[0].clone()
        });
    }
    overlapping.extend(
        said.iter()
            .filter(|segment| segment.from == client)
            .cloned(),
    );
    let packets = [syn.to_vec(), overlapping].concat().packets();
    let told = told(Pcap::new().write(&Link::Raw, &packets));
    assert_in_order("overlapping", &told);
    assert_eq!(
        told.flows()[0]["tls"]["client"]["server_name"],
        "api.example"
    );
}

#[test]
fn large_certificates_that_all_differ_are_kept_within_bounds() {
    let mut numbers = Random::quiet(4);
    let mut packets = Vec::new();
    for n in 0..500_u16 {
        // A certificate as far as its lengths go, of noise.
        let mut der = vec![0x30, 0x82, 0xea, 0x5c];
        der.extend(n.to_be_bytes());
        der.extend(numbers.bytes(14));
        der.resize(60_000, 0x41);
        let conversation =
            Conversation::between(&format!("10.3.0.5:{}", 20_000 + n), "10.3.0.4:443")
                .at(town::DAWN + i64::from(n) * 1_000_000)
                .every(1)
                .syn()
                .segments_of(40_000)
                .tls12_distrusted(
                    &ClientHello::new().sni("api.example"),
                    &[der],
                    tls::BAD_CERTIFICATE,
                );
        packets.extend(conversation.segments().packets());
    }
    let told = told(Pcap::new().write(&Link::Raw, &packets));
    assert_in_order("certificates", &told);
    let flows = told.flows();
    assert_eq!(flows.len(), 500);
    for flow in &flows {
        assert_eq!(flow["tlstriage"]["alert"]["name"], "bad_certificate");
    }
}

#[test]
fn lengths_that_lie_are_believed_no_further_than_the_bytes() {
    let hello = ClientHello::new().sni("api.example").alpn(&["h2"]).record();
    let chain = town::chain(
        "api.example",
        &support::certificate::Certificate::authority("Root").self_signed(),
    );
    let flight = [ServerHello::new().message(), tls::certificate(&chain)].concat();
    let answer = tls::record(HANDSHAKE, &flight);
    let mut packets = Vec::new();
    let mut port = 10_000;
    for (message, is_hello) in [(&hello, true), (&answer, false)] {
        for at in 0..message.len().min(260) {
            for lie in [0, 1, 0x7f, 0x80, 0xff] {
                let mut lying = message.clone();
                lying[at] = lie;
                port += 1;
                let client = format!("10.4.{}.5:{port}", u8::from(is_hello));
                let conversation = Conversation::between(&client, "10.4.0.4:443").syn();
                let said = if is_hello {
                    conversation.client(&lying).server(&answer)
                } else {
                    conversation.client(&hello).server(&lying)
                };
                packets.extend(said.fin().segments().packets());
            }
        }
    }
    let told = told(Pcap::new().write(&Link::Raw, &packets));
    assert_in_order("lies", &told);
    assert!(told.flows().len() > 1500);
}

#[test]
fn messages_without_end_are_held_within_bounds() {
    // A handshake message of 16 MB, as its header says, in records of one byte or of all.
    let head = [11, 0xff, 0xff, 0xff];
    let story = |record_len: usize| {
        let hello = ClientHello::new().sni("api.example").record();
        let endless = [&head[..], &[0x41; 400_000]].concat();
        Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
            .syn()
            .client(&hello)
            .server(&tls::record(HANDSHAKE, &ServerHello::new().message()))
            .says(Side::Server, &tls::records(HANDSHAKE, &endless, record_len))
            .segments()
            .packets()
    };
    for record_len in [1, 100, 16_384] {
        let told = told(Pcap::new().write(&Link::Raw, &story(record_len)));
        assert_in_order("endless", &told);
        let flow = &told.flows()[0];
        assert_ne!(flow["tlstriage"]["server"]["certificate"], "seen", "{flow}");
    }
}

#[test]
fn every_name_of_a_stream_fits_its_line() {
    let name = "x/\u{202e}\n\u{1b}[31m".repeat(5000);
    let capture = Pcap::new().write(&Link::Raw, &town_frames(&Link::Raw));
    let source = Source::stream(&name, std::io::Cursor::new(capture));
    assert_in_order("name", &told_by(&Analyzer::new(), [source]));
}
