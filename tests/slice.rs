//! The slice for a ticket: which packets are in it, where they say they are from, and what is cut off.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::sync::Arc;

use support::capture::{Pcap, PcapNg};
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{self, Link, Packet, Packets as _};
use support::random::Random;
use support::shuffle::Shuffle as _;
use support::tls::{self, ClientHello, Tls as _, UNKNOWN_CA};
use tlstriage::capture::Reader;
use tlstriage::report::{FlowReport, Severity};
use tlstriage::slice::{Extent, Sliced, Slicer, Wanted};
use tlstriage::{Analyzer, Source};

mod support;

#[test]
fn it_has_the_packets_of_the_flows_that_are_wanted_and_says_where_from() {
    let capture = pcap(good(50_112).and(distrusted(50_113)));
    let flows = flows(&capture);
    let bad: Vec<_> = flows.iter().filter(is_flagged).cloned().collect();
    let (slice, sliced) = cut(&capture, &bad, false);
    assert_eq!((sliced.flows, sliced.missing, sliced.cut), (1, 0, 0));
    assert_eq!(
        sliced.packets,
        bad[0].source.packets.unwrap() + bad[0].destination.packets.unwrap()
    );
    let told = self::flows(&slice);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].rule.id, bad[0].rule.id);
    assert_eq!(told[0].timestamp, bad[0].timestamp);
    let first = bad[0].tlstriage.capture.first_frame;
    assert!(has(
        &slice,
        format!("gateway.pcap frame {first}").as_bytes()
    ));
    assert!(has(&slice, b"The packets of one flow"));
}

#[test]
fn of_two_connections_between_the_same_ends_only_the_wanted_one_is_there() {
    let later = |said: Conversation| said.at(1_700_000_100_000_000_000).numbered(9_000_000, 77);
    let first = conversation(50_112).syn().tls12(&hello(), &chain()).fin();
    let second = later(conversation(50_112))
        .syn()
        .tls12_distrusted(&hello(), &chain(), UNKNOWN_CA);
    let capture = pcap(frames(first).and(frames(second)));
    let flows = flows(&capture);
    assert_eq!(flows.len(), 2);
    let (slice, sliced) = cut(&capture, &flows[1..], false);
    let told = self::flows(&slice);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].timestamp, flows[1].timestamp);
    assert_eq!(
        sliced.packets,
        flows[1].source.packets.unwrap() + flows[1].destination.packets.unwrap()
    );
}

#[test]
fn without_application_data_the_handshake_stays_and_every_byte_of_data_is_gone() {
    let handshakes: [(&str, Handshake); 2] = [("TLS 1.2", tls12), ("TLS 1.3", tls13)];
    for (name, handshake) in handshakes {
        for (seed, len) in [(1, 1460), (2, 700), (3, 97), (4, 23)] {
            let mut random = Random::new(seed);
            let packets = said_with_secrets(handshake, len)
                .reordered(4, &mut random)
                .duplicated(10, &mut random);
            let capture = pcap(packets);
            let flows = flows(&capture);
            let (slice, sliced) = cut(&capture, &flows, true);
            assert!(
                has(&capture, &SECRET[..8]),
                "{name}: the test has something to lose"
            );
            for part in SECRET.windows(8) {
                assert!(!has(&slice, part), "{name} in segments of {len}");
            }
            assert!(sliced.cut > 0);
            assert!(has(&slice, b"api.example") || len < 40);
            let told = self::flows(&slice);
            assert_eq!(told[0].tlstriage.sni, flows[0].tlstriage.sni);
            assert_eq!(told[0].tls.version, flows[0].tls.version, "{name}, {len}");
            assert_eq!(
                told[0].tlstriage.server.certificate, flows[0].tlstriage.server.certificate,
                "{name} in segments of {len}"
            );
            assert_eq!(
                told[0].source.bytes, flows[0].source.bytes,
                "lengths on the wire stay"
            );
        }
    }
}

#[test]
fn a_packet_in_fragments_is_there_with_all_its_frames() {
    let said = conversation(50_113)
        .syn()
        .tls12_distrusted(&hello(), &chain(), UNKNOWN_CA);
    let pieces = said.segments().packets().fragmented(400);
    let other = conversation(50_112).syn().tls12(&hello(), &chain()).fin();
    let frames = pieces
        .clone()
        .and(other.segments().packets())
        .on(&Link::Ethernet);
    let capture = Pcap::new().write(&Link::Ethernet, &frames);
    let flows = flows(&capture);
    let bad: Vec<_> = flows.into_iter().filter(|flow| is_flagged(&flow)).collect();
    let (slice, sliced) = cut(&capture, &bad, false);
    assert_eq!(usize::try_from(sliced.packets).unwrap(), pieces.len());
    assert_eq!(self::flows(&slice)[0].rule.id, bad[0].rule.id);
}

#[test]
fn an_icmp_error_about_a_flow_is_there_too() {
    let syn = conversation(50_113).lonely_syn().segments().packets();
    let told = packet::unreachable("10.1.0.1".parse().unwrap(), &syn[0].bytes, 13);
    let late = Packet::new(syn[0].time + 1_000_000_000, told);
    let elsewhere = conversation(50_114).lonely_syn().segments().packets();
    let other = packet::unreachable("10.1.0.1".parse().unwrap(), &elsewhere[0].bytes, 13);
    let other = Packet::new(late.time, other);
    let frames = [syn, elsewhere, vec![late, other]]
        .concat()
        .on(&Link::Ethernet);
    let capture = Pcap::new().write(&Link::Ethernet, &frames);
    let flows = flows(&capture);
    assert_eq!(flows.len(), 2);
    let (slice, sliced) = cut(&capture, &flows[..1], false);
    assert_eq!((sliced.packets, sliced.flows), (2, 1));
    assert_eq!(self::flows(&slice)[0].event.reason, flows[0].event.reason);
}

#[test]
fn interfaces_and_the_digits_of_their_clocks_are_kept() {
    let [one, other] = [50_112, 50_113].map(|port| {
        let said = conversation(port)
            .syn()
            .tls12_distrusted(&hello(), &chain(), UNKNOWN_CA);
        said.at(1_700_000_000_123_456_789).segments().packets()
    });
    let capture = PcapNg::new().resolution(9).write_interfaces(&[
        (Link::Ethernet, one.on(&Link::Ethernet)),
        (Link::Sll2, other.on(&Link::Sll2)),
    ]);
    let (slice, _) = cut(&capture, &flows(&capture), false);
    let seen = |capture: &[u8]| {
        let mut frames = Vec::new();
        let mut reader = Reader::new(capture).unwrap();
        while let Some(frame) = reader
            .next_frame(|frame| {
                (
                    frame.time,
                    frame.precision,
                    frame.link_type,
                    frame.data.to_vec(),
                    frame.original_len,
                )
            })
            .unwrap()
        {
            frames.push(frame);
        }
        frames
    };
    assert_eq!(seen(&slice), seen(&capture));
}

#[test]
fn an_input_that_has_changed_is_said_to_lack_the_flows_and_breaks_nothing() {
    let capture = pcap(good(50_112).and(distrusted(50_113)));
    let flows = flows(&capture);
    let extents = flows.iter().filter_map(Extent::of);
    let wanted = Wanted::new(extents, [Arc::from("gateway.pcap")]);
    for len in (24..capture.len()).step_by(7) {
        for headers in [false, true] {
            let mut slice = Vec::new();
            let mut slicer = Slicer::new(&mut slice, wanted.clone()).unwrap();
            if headers {
                slicer.survey("gateway.pcap", &capture[..len]).unwrap();
            }
            slicer.read("gateway.pcap", &capture[..len]).unwrap();
            let sliced = slicer.finish().unwrap();
            assert_eq!(sliced.flows + sliced.missing, 2);
            Reader::new(slice.as_slice()).unwrap();
        }
    }
}

const SECRET: &[u8] =
    b"GET /a-secret HTTP/1.1 Authorization: Basic c2VjcmV0OnNlY3JldA== 0123456789";

/// What stands in front of the data.
type Handshake = fn(Conversation) -> Conversation;

/// A conversation whose data hold a secret, in segments of a length.
fn said_with_secrets(handshake: Handshake, len: usize) -> Vec<Packet> {
    let secret = tls::record(23, &SECRET.repeat(20));
    let said = handshake(conversation(50_112).segments_of(len).syn());
    frames(said.client(&secret).server(&secret).client(&secret).fin())
}

fn tls12(said: Conversation) -> Conversation {
    let key = tls::record(22, &tls::client_key_exchange());
    said.tls12_to_certificate(&hello(), &chain())
        .client(&[key, finish()].concat())
        .server(&finish())
}

fn finish() -> Vec<u8> {
    [tls::change_cipher_spec(), tls::finished()].concat()
}

fn tls13(said: Conversation) -> Conversation {
    let answer = tls::record(22, &tls::ServerHello::tls13().message());
    let sealed = tls::encrypted(23, 1200);
    let finished = tls::encrypted(23, 53);
    said.client(&hello().tls13().record())
        .server(&[answer, tls::change_cipher_spec(), sealed].concat())
        .client(&[tls::change_cipher_spec(), finished].concat())
}

fn hello() -> ClientHello {
    ClientHello::new().sni("api.example")
}

fn chain() -> Vec<Vec<u8>> {
    vec![Certificate::new("nobody.invalid").self_signed().der]
}

fn conversation(port: u16) -> Conversation {
    Conversation::between(&format!("10.1.0.5:{port}"), "10.1.0.9:443")
}

fn good(port: u16) -> Vec<Packet> {
    frames(conversation(port).syn().tls12(&hello(), &chain()).fin())
}

fn distrusted(port: u16) -> Vec<Packet> {
    frames(
        conversation(port)
            .syn()
            .tls12_distrusted(&hello(), &chain(), UNKNOWN_CA),
    )
}

fn frames(said: Conversation) -> Vec<Packet> {
    said.segments().packets().on(&Link::Ethernet)
}

fn pcap(frames: Vec<Packet>) -> Vec<u8> {
    Pcap::new().write(&Link::Ethernet, &frames)
}

fn is_flagged(flow: &&FlowReport) -> bool {
    flow.tlstriage.verdict.severity > Severity::Info
}

fn flows(capture: &[u8]) -> Vec<FlowReport> {
    let source = Source::stream("gateway.pcap", std::io::Cursor::new(capture.to_vec()));
    let run = Analyzer::new().start([source]).unwrap();
    run.map(Result::unwrap).collect()
}

fn cut(capture: &[u8], flows: &[FlowReport], without_data: bool) -> (Vec<u8>, Sliced) {
    let extents = flows.iter().filter_map(Extent::of);
    let wanted = Wanted::new(extents, [Arc::from("gateway.pcap")]);
    let mut slice = Vec::new();
    let mut slicer = Slicer::new(&mut slice, wanted).unwrap();
    if without_data {
        slicer.survey("gateway.pcap", capture).unwrap();
    }
    slicer.read("gateway.pcap", capture).unwrap();
    let sliced = slicer.finish().unwrap();
    (slice, sliced)
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
