//! Many files in one run, some of them ugly: what the others hold is told in any case, and the same on any number of threads.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/run.rs"]
mod run;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tlstriage::analysis::{Analyzer, Source};

use run::{Told, assert_identical, on_threads, told_by};
use support::capture::{self, Pcap, PcapNg, Trickle};
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{self, Link, Packet, Packets as _};
use support::tls::{ClientHello, Tls as _};
use support::town::{self, DAWN};

const SECOND: i64 = 1_000_000_000;
const FILES: usize = 60;

/// A rotated capture: in each file a handshake of its own, and half of one that goes on in the next file.
fn rotated() -> Vec<Vec<Packet>> {
    let root = Certificate::authority("Files Root").self_signed();
    let chain = town::chain("files.example", &root);
    let mut files: Vec<Vec<Packet>> = vec![Vec::new(); FILES + 1];
    for n in 0..FILES {
        let speak = |net: u8, after| {
            let random = [u8::try_from(n).unwrap() ^ (net << 7); 32];
            let hello = ClientHello {
                random,
                ..ClientHello::new()
            };
            let at = DAWN + (i64::try_from(n).unwrap() * 10 + after) * SECOND;
            Conversation::between(&format!("10.0.{net}.{}:50000", n + 1), "10.0.0.1:443")
                .at(at)
                .syn()
                .tls12(&hello.sni("files.example"), &chain)
                .segments()
                .packets()
        };
        files[n].extend(speak(1, 0));
        let mut parted = speak(2, 9);
        let second = parted.split_off(4);
        files[n].extend(parted);
        files[n + 1].extend(second);
    }
    files.truncate(FILES);
    files
}

fn pcap(packets: &[Packet]) -> Vec<u8> {
    Pcap::new().write(&Link::Ethernet, &packets.to_vec().on(&Link::Ethernet))
}

fn pcapng(packets: &[Packet]) -> Vec<u8> {
    PcapNg::new().write(&Link::Ethernet, &packets.to_vec().on(&Link::Ethernet))
}

/// Writes each of them into a file of its own.
fn write_all(folder: &Path, files: &[Vec<u8>]) -> Vec<PathBuf> {
    let paths = files.iter().enumerate().map(|(at, file)| {
        let path = folder.join(format!("{at:03}"));
        fs::write(&path, file).unwrap();
        path
    });
    paths.collect()
}

/// Asserts that the same is told on any number of threads, and gives it.
fn same_on_any_threads(settings: &Analyzer, sources: &dyn Fn() -> Vec<Source>) -> Told {
    let expected = told_by(settings, sources());
    for threads in [2, 3, 8] {
        let threads = std::num::NonZeroUsize::new(threads).unwrap();
        let settings = settings.clone().with_threads(threads).with_seed(7);
        let told = told_by(&settings, sources());
        let name = format!("{threads} threads");
        assert_identical(&name, &told.lines, &expected.lines);
        assert_identical(&name, &told.text, &expected.text);
    }
    expected
}

fn sources(paths: &[PathBuf]) -> Vec<Source> {
    paths.iter().map(Source::file).collect()
}

/// The places of the inputs that could not be read.
fn failed(told: &Told) -> Vec<usize> {
    let inputs = told.summary.inputs.iter().enumerate();
    let failed = inputs.filter(|(_, input)| input.error.is_some());
    failed.map(|(at, _)| at).collect()
}

fn clients(told: &Told) -> Vec<String> {
    let client = |flow: &Value| flow["source"]["ip"].as_str().unwrap().to_owned();
    told.flows().iter().map(client).collect()
}

#[test]
fn a_connection_goes_on_from_file_to_file() {
    let rotated = rotated();
    let folder = TempDir::new().unwrap();
    let all: Vec<Vec<u8>> = rotated.iter().map(|part| pcap(part)).collect();
    let paths = write_all(folder.path(), &all);
    let told = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    assert_eq!(told.flows().len(), 2 * FILES);
    assert_eq!(told.summary.inputs.len(), FILES);
    for (input, packets) in told.summary.inputs.iter().zip(&rotated) {
        assert_eq!(input.frames, u64::try_from(packets.len()).unwrap());
    }
    // In whatever order they are given, and in one file.
    let shuffled = same_on_any_threads(&on_threads(1), &|| {
        let mut sources = sources(&paths);
        sources.reverse();
        sources.swap(3, 30);
        sources
    });
    assert_identical("shuffled", &shuffled.lines, &told.lines);
    let whole = told_by(&on_threads(1), [run::stream(pcap(&rotated.concat()))]);
    let tls = |told: &Told| -> Vec<Value> {
        let flows = told.flows();
        flows.iter().map(|flow| flow["tls"].clone()).collect()
    };
    assert_eq!(tls(&whole), tls(&told));
    assert_eq!(clients(&whole), clients(&told));
}

#[test]
fn the_ugly_among_many_lose_nothing_of_the_others() {
    let mut all: Vec<Vec<u8>> = rotated()
        .iter()
        .enumerate()
        .map(|(n, packets)| match n % 5 {
            1 => pcapng(packets),
            2 => capture::gzip(&pcap(packets), 2),
            3 => capture::zstd(&pcapng(packets)),
            _ => pcap(packets),
        })
        .collect();
    let folder = TempDir::new().unwrap();
    let paths = write_all(folder.path(), &all);
    let sound = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    assert_eq!(sound.flows().len(), 2 * FILES);
    // A length that is absurd, behind some packets.
    let half = all[10].len() / 2;
    all[10].truncate(half);
    all[10].extend([0xff; 4000]);
    // Cut in a record, in compressed data, in the header; empty; no capture; a header and nothing more.
    let nearly_all = all[15].len() - 20;
    all[15].truncate(nearly_all);
    let half = all[17].len() / 2;
    all[17].truncate(half);
    all[20].truncate(10);
    all[25].clear();
    all[30] = b"this is no capture at all".to_vec();
    all[35].truncate(24);
    let ugly = [10, 15, 17, 20, 25, 30, 35];
    let paths = write_all(folder.path(), &all);
    let told = same_on_any_threads(&on_threads(1), &|| {
        let mut sources = sources(&paths);
        sources.insert(5, Source::file(folder.path().join("missing")));
        sources
    });
    // What has no time comes last: cut, empty, no capture, missing.
    assert_eq!(told.summary.inputs.len(), FILES + 1);
    assert_eq!(failed(&told).len(), 4);
    let damaged = told.summary.inputs.iter();
    assert_eq!(damaged.filter(|input| input.damage_count > 0).count(), 3);
    let clients = clients(&told);
    for n in (0..FILES).filter(|n| !ugly.contains(n)) {
        assert!(clients.contains(&format!("10.0.1.{}", n + 1)), "file {n}");
    }
}

#[test]
fn files_that_are_decompressed_side_by_side_are_told_as_one_after_the_other() {
    let plain: Vec<Vec<u8>> = rotated().iter().map(|part| pcap(part)).collect();
    let pack = |(n, file): (usize, &Vec<u8>)| match n % 3 {
        0 => capture::gzip(file, 1),
        1 => capture::zstd(file),
        _ => capture::gzip(file, 2),
    };
    let mut packed: Vec<Vec<u8>> = plain.iter().enumerate().map(pack).collect();
    let folder = TempDir::new().unwrap();
    let paths = write_all(folder.path(), &plain);
    let expected = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    let paths = write_all(folder.path(), &packed);
    let told = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    assert_eq!(told.flows(), expected.flows());

    // One is cut in its compressed data, one is none any more when its turn comes, and a plain one stands between two.
    let half = packed[20].len() / 2;
    packed[20].truncate(half);
    packed[31].clone_from(&plain[31]);
    let paths = write_all(folder.path(), &packed);
    let told = same_on_any_threads(&on_threads(1), &|| {
        write_all(folder.path(), &packed);
        let sources: Vec<Source> = paths.iter().filter_map(Source::capture).collect();
        fs::write(&paths[40], b"overwritten").unwrap();
        sources
    });
    assert_eq!(failed(&told), [40]);
    let clients = clients(&told);
    for n in (0..FILES).filter(|n| ![20, 40].contains(n)) {
        assert!(clients.contains(&format!("10.0.1.{}", n + 1)), "file {n}");
    }
}

#[test]
fn a_file_that_changed_since_it_was_looked_into_is_read_as_it_is() {
    let rotated = rotated();
    let all: Vec<Vec<u8>> = rotated.iter().map(|part| pcap(part)).collect();
    let folder = TempDir::new().unwrap();
    let mut expected: Option<Told> = None;
    for threads in [1, 2, 3, 8] {
        let paths = write_all(folder.path(), &all);
        let sources: Vec<Source> = paths.iter().filter_map(Source::capture).collect();
        assert_eq!(sources.len(), FILES);
        // Gone, grown, and something else.
        fs::remove_file(&paths[7]).unwrap();
        fs::write(&paths[8], [&all[8], &all[9][24..]].concat()).unwrap();
        fs::write(&paths[9], b"overwritten").unwrap();
        let told = told_by(&on_threads(threads), sources);
        assert_eq!(failed(&told), [7, 9]);
        let grown = u64::try_from(rotated[8].len() + rotated[9].len()).unwrap();
        assert_eq!(told.summary.inputs[8].frames, grown);
        if let Some(expected) = &expected {
            assert_identical(&format!("{threads} threads"), &told.lines, &expected.lines);
        }
        expected.get_or_insert(told);
    }
}

#[test]
fn streams_come_behind_the_files_one_after_the_other() {
    let mut all: Vec<Vec<u8>> = rotated().iter().map(|part| pcap(part)).collect();
    let streams = all.split_off(FILES - 3);
    let folder = TempDir::new().unwrap();
    let paths = write_all(folder.path(), &all);
    let told = same_on_any_threads(&on_threads(1), &|| {
        let stream = |(at, bytes): (usize, &Vec<u8>)| {
            Source::stream(&format!("pipe {at}"), Trickle::new(bytes.clone(), 700))
        };
        // They are named first.
        let mut named: Vec<Source> = streams.iter().enumerate().map(stream).collect();
        named.extend(sources(&paths));
        named
    });
    assert_eq!(told.flows().len(), 2 * FILES);
    let inputs = told.summary.inputs.iter().rev().take(3);
    let last: Vec<&str> = inputs.map(|input| &*input.name).collect();
    assert_eq!(last, ["pipe 2", "pipe 1", "pipe 0"]);
}

#[test]
fn captures_of_several_places_that_go_on_by_turns_are_told_the_same() {
    let rotated = rotated();
    // Each place sees what the others see, a little later, and writes a file for a while of it: no file goes on where one of another
    // place ended, and with more places than have tables at once, some are closed before they go on.
    let files = |places: usize| -> Vec<Vec<u8>> {
        let whiles = rotated.chunks(12).map(<[_]>::concat);
        let seen = |packets: Vec<Packet>| {
            let shifted = move |place: usize| {
                let shift = i64::try_from(place).unwrap() * 5 * SECOND;
                let packets = packets.iter();
                let later =
                    packets.map(|packet| Packet::new(packet.time + shift, packet.bytes.clone()));
                pcap(&later.collect::<Vec<_>>())
            };
            (0..places).map(shifted).collect::<Vec<_>>()
        };
        whiles.flat_map(seen).collect()
    };
    for (places, horizon) in [(3, None), (3, Some(2)), (10, None), (10, Some(2))] {
        let folder = TempDir::new().unwrap();
        let paths = write_all(folder.path(), &files(places));
        let mut settings = on_threads(1);
        if let Some(seconds) = horizon {
            settings = settings.with_horizon(seconds * SECOND);
        }
        let told = same_on_any_threads(&settings, &|| sources(&paths));
        assert!(told.flows().len() >= 2 * FILES, "{places} places");
    }
}

#[test]
fn files_without_a_frame_are_named_each() {
    let mut all = vec![pcap(&[]); 300];
    all[150] = pcap(&rotated()[0]);
    let folder = TempDir::new().unwrap();
    let paths = write_all(folder.path(), &all);
    let told = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    assert_eq!(told.summary.inputs.len(), 300);
    assert_eq!(told.flows().len(), 2);
}

#[test]
fn a_file_is_of_the_capture_that_declares_the_same_interfaces() {
    // Two interfaces, the second of which is heard of late.
    let link = |packets: Vec<Packet>, aside: i64| {
        let aside = Conversation::between("10.7.0.1:5000", "10.7.0.2:5000")
            .at(DAWN + aside)
            .lonely_syn();
        PcapNg::new().write_interfaces(&[
            (Link::Ethernet, packets.on(&Link::Ethernet)),
            (Link::Raw, aside.segments().packets()),
        ])
    };
    let root = Certificate::authority("Files Root").self_signed();
    let mut first = Conversation::between("10.0.1.1:50000", "10.0.0.1:443")
        .at(DAWN)
        .every(1_000_000)
        .syn()
        .tls12(
            &ClientHello::new().sni("files.example"),
            &town::chain("files.example", &root),
        )
        .client(&vec![0x17; 600_000])
        .segments()
        .packets();
    let second = first.split_off(4);
    let end = 10 * SECOND;
    for aside in [0, end] {
        let folder = TempDir::new().unwrap();
        let files = [link(first.clone(), 0), link(second.clone(), aside)];
        let paths = write_all(folder.path(), &files);
        let told = same_on_any_threads(&on_threads(1), &|| sources(&paths));
        let of_tls = told.flows();
        let of_tls = of_tls.iter().filter(|flow| !flow["tls"].is_null());
        assert_eq!(of_tls.count(), 1, "with a frame aside at {aside}");
    }
}

#[test]
fn an_interface_has_its_own_name_or_none() {
    let root = Certificate::authority("Files Root").self_signed();
    let chain = town::chain("files.example", &root);
    let talk = |server: &str, random: u8| {
        let hello = ClientHello {
            random: [random; 32],
            ..ClientHello::new()
        };
        let talk = Conversation::between("10.7.0.1:5000", server)
            .at(DAWN)
            .syn()
            .tls12(&hello.sni("files.example"), &chain);
        talk.segments().packets().on(&Link::Ethernet)
    };
    let mut interfaces = vec![(Link::Ethernet, Vec::new()); 16_390];
    interfaces[7].1 = talk("10.0.0.1:443", 1);
    interfaces[16_382].1 = talk("10.0.0.2:443", 2);
    interfaces[16_387].1 = talk("10.0.0.3:443", 3);
    let folder = TempDir::new().unwrap();
    let paths = write_all(
        folder.path(),
        &[PcapNg::new().named().write_interfaces(&interfaces)],
    );
    let told = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    let names = told.flows().into_iter().map(|flow| {
        let name = flow["tlstriage"]["capture"]["interface"].as_str();
        (
            flow["destination"]["ip"].to_string(),
            name.map(str::to_owned),
        )
    });
    // So many are told apart: of those beyond none has the name of another.
    let expected = [
        ("10.0.0.1", Some("eth7")),
        ("10.0.0.2", Some("eth16382")),
        ("10.0.0.3", None),
    ];
    let expected = expected.map(|(ip, name)| (format!("\"{ip}\""), name.map(str::to_owned)));
    assert_eq!(names.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
}

#[test]
fn a_hello_whose_fragments_do_not_all_come_is_told_where_its_first_one_stands() {
    let hello = ClientHello::new()
        .sni("files.example")
        .extension(0xfafa, vec![7; 900]);
    let mut said = Conversation::between("10.0.1.1:50000", "10.0.0.1:443")
        .at(DAWN)
        .segments_of(4000)
        .syn()
        .client(&hello.record())
        .segments()
        .packets();
    let whole = said.pop().unwrap();
    let fragments = packet::fragments(&whole.bytes, 800, 7);
    said.push(Packet::new(whole.time, fragments[0].clone()));
    let later = Conversation::between("10.0.1.2:50000", "10.0.0.1:443")
        .at(DAWN + SECOND)
        .lonely_syn()
        .segments()
        .packets();
    let folder = TempDir::new().unwrap();
    let number = said.len();
    let paths = write_all(folder.path(), &[pcap(&said), pcap(&later)]);
    let told = same_on_any_threads(&on_threads(1), &|| sources(&paths));
    let flows = told.flows();
    let told_of = flows
        .iter()
        .find(|flow| flow["source"]["ip"] == "10.0.1.1")
        .unwrap();
    let capture = &told_of["tlstriage"]["capture"];
    assert!(capture["file"].as_str().unwrap().ends_with("000"));
    assert_eq!(capture["last_file"], Value::Null);
    assert_eq!(capture["last_frame"], number);
    // The SYN, what answers it, the hello, and a SYN of another.
    assert_eq!(
        told.summary.frames.decoded,
        u64::try_from(number + 1).unwrap()
    );
}
