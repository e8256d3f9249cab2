//! The builders of the other tests say what they mean: read back by parsers that are not ours.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly")]

use std::io::Read as _;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

use support::capture::{self, Block, Pcap, PcapNg};
use support::certificate::Certificate;
use support::conversation::{Conversation, Segment, Segments as _};
use support::packet::{self, Link, Packet, Packets as _, Tunnel};
use support::random::Random;
use support::shuffle::Shuffle as _;
use support::tls::{self, ClientHello, Tls as _};

mod support;

#[test]
fn frames_have_right_lengths_and_checksums() {
    for ends in [
        ("10.1.0.5:50112", "10.1.0.4:443"),
        ("[2001:db8::5]:50112", "[2001:db8::4]:443"),
    ] {
        let story = story(ends);
        let links = [
            Link::Ethernet,
            Link::Vlan(vec![5, 6]),
            Link::QinQ(7, 8),
            Link::Sll,
        ];
        for link in links {
            let frames = story.clone().packets().on(&link);
            for (segment, frame) in story.iter().zip(&frames) {
                assert_eq!(&payload(&link, &frame.bytes), &segment.payload);
            }
        }
    }
}

/// The TCP payload of a frame, when all checksums are right.
fn payload(link: &Link, frame: &[u8]) -> Vec<u8> {
    let packet = match link {
        Link::Sll => SlicedPacket::from_linux_sll(frame).unwrap(),
        _ => SlicedPacket::from_ethernet(frame).unwrap(),
    };
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
        panic!("no TCP");
    };
    let header = tcp.to_header();
    let sum = match packet.net.as_ref().unwrap() {
        NetSlice::Ipv4(ip) => {
            let ip = ip.header().to_header();
            assert_eq!(ip.header_checksum, ip.calc_header_checksum());
            header.calc_checksum_ipv4(&ip, tcp.payload())
        }
        NetSlice::Ipv6(ip) => header.calc_checksum_ipv6(&ip.header().to_header(), tcp.payload()),
        NetSlice::Arp(_) => panic!("no IP"),
    };
    assert_eq!(header.checksum, sum.unwrap());
    tcp.payload().to_vec()
}

#[test]
fn fragments_put_end_to_end_are_the_payload_of_the_packet() {
    for (ends, header) in [
        (("10.1.0.5:50112", "10.1.0.4:443"), 20),
        (("[2001:db8::5]:50112", "[2001:db8::4]:443"), 40),
    ] {
        let packet = story(ends)
            .into_iter()
            .map(|segment| segment.packet())
            .max_by_key(|packet| packet.wire_len)
            .unwrap();
        let fragments = packet::fragments(&packet.bytes, 400, 7);
        assert!(fragments.len() > 2);
        let skip = if header == 40 { 48 } else { 20 };
        let joined: Vec<u8> = fragments
            .iter()
            .flat_map(|part| part[skip..].to_vec())
            .collect();
        assert_eq!(joined, packet.bytes[header..]);
    }
}

#[test]
fn tunnels_end_with_the_packet_they_carry() {
    let packet = story(("10.1.0.5:50112", "10.1.0.4:443"))
        .packets()
        .remove(3);
    let tunnels = [
        Tunnel::Ip,
        Tunnel::GreKey(1),
        Tunnel::Vxlan(2),
        Tunnel::Geneve(3),
        Tunnel::Gtp(4),
        Tunnel::OverIpv6(Box::new(Tunnel::GreEthernet)),
    ];
    for tunnel in tunnels {
        let outer = tunnel.wrap(&packet.bytes);
        assert!(outer.ends_with(&packet.bytes), "{tunnel:?}");
        assert!(SlicedPacket::from_ip(&outer).is_ok(), "{tunnel:?}");
    }
}

#[test]
fn accidents_change_how_it_is_said_and_not_what() {
    let story = story(("10.1.0.5:50112", "10.1.0.4:443"));
    let recut = story.clone().recut(33);
    assert!(recut.len() > story.len());
    assert!(recut.iter().all(|segment| segment.payload.len() <= 33));
    assert!(story.clone().recut(9000).len() < story.len());
    for end in [story[0].from, story[0].to] {
        assert_eq!(recut.said_by(end), story.said_by(end));
        assert_eq!(story.clone().recut(9000).said_by(end), story.said_by(end));
    }
    let mut random = Random::new(1);
    let mut late = story.clone().reordered(5, &mut random);
    assert_ne!(late, story);
    assert!(late.is_sorted_by_key(|segment| segment.time));
    late.sort_by_key(|segment| (segment.from, segment.end(), segment.flags));
    assert_eq!(late.len(), story.len());
    assert!(story.clone().duplicated(50, &mut random).len() > story.len());
    assert!(story.clone().retransmitted(50, &mut random).len() > story.len());
    assert_eq!(story.clone().without(2).len(), story.len() - 1);
}

#[test]
fn captures_hold_the_frames_and_their_times() {
    let link = Link::Ethernet;
    let frames = story(("10.1.0.5:50112", "10.1.0.4:443"))
        .packets()
        .on(&link)
        .cut(100);
    for writer in [Pcap::new(), Pcap::new().nano()] {
        let file = writer.write(&link, &frames);
        let (mut rest, header) = pcap_parser::parse_pcap_header(&file).unwrap();
        assert_eq!(header.network.0, 1);
        for frame in &frames {
            let (next, read) = pcap_parser::parse_pcap_frame(rest).unwrap();
            assert_eq!(
                (read.data, read.origlen),
                (&frame.bytes[..], wire_len(frame))
            );
            rest = next;
        }
        assert!(rest.is_empty());
    }
    for writer in [
        PcapNg::new(),
        PcapNg::new().big_endian().resolution(9),
        PcapNg::new().sections_of(5).blocks(Block::Obsolete),
        PcapNg::new().blocks(Block::Simple),
    ] {
        let file = writer.write(&link, &frames);
        let found = frames.iter().all(|frame| {
            let bytes = &frame.bytes;
            file.windows(bytes.len()).any(|window| window == bytes)
        });
        assert!(found, "{writer:?}");
        assert_eq!(file.len() % 4, 0);
    }
}

fn wire_len(frame: &Packet) -> u32 {
    u32::try_from(frame.wire_len).unwrap()
}

#[test]
fn what_was_compressed_can_be_unpacked() {
    let bytes = Random::new(5).bytes(10_000);
    let read = |mut reader: Box<dyn std::io::Read>| {
        let mut unpacked = Vec::new();
        reader.read_to_end(&mut unpacked).unwrap();
        unpacked
    };
    let gzip = std::io::Cursor::new(capture::gzip(&bytes, 3));
    assert_eq!(
        read(Box::new(flate2::read::MultiGzDecoder::new(gzip))),
        bytes
    );
    let lz4 = std::io::Cursor::new(capture::lz4(&bytes));
    assert_eq!(
        read(Box::new(lz4_flex::frame::FrameDecoder::new(lz4))),
        bytes
    );
    let xz = std::io::Cursor::new(capture::xz(&bytes));
    assert_eq!(read(Box::new(lzma_rust2::XzReader::new(xz, true))), bytes);
    assert_eq!(zstd::decode_all(&capture::zstd(&bytes)[..]).unwrap(), bytes);
    assert_eq!(
        read(Box::new(capture::Trickle::new(bytes.clone(), 7))),
        bytes
    );
    let file = capture::file(&bytes, ".pcap");
    assert_eq!(std::fs::read(file.path()).unwrap(), bytes);
}

#[test]
fn hellos_are_what_a_parser_of_tls_expects() {
    let hello = ClientHello::new()
        .sni("api.example")
        .alpn(&["h2", "http/1.1"])
        .tls13()
        .groups(&[29, 0x11ec]);
    let record = hello.record();
    let (rest, record) = tls_parser::parse_tls_plaintext(&record).unwrap();
    assert!(rest.is_empty());
    let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(read)) =
        &record.msg[0]
    else {
        panic!("no ClientHello");
    };
    let (rest, extensions) =
        tls_parser::parse_tls_client_hello_extensions(read.ext.unwrap()).unwrap();
    assert!(rest.is_empty());
    assert_eq!(extensions.len(), hello.extensions.unwrap().len());
    let named =
        tls_parser::TlsExtension::SNI(vec![(tls_parser::SNIType::HostName, b"api.example")]);
    assert_eq!(extensions[0], named);
}

#[test]
fn certificates_are_the_same_every_time_and_say_what_was_asked() {
    let authority = || {
        Certificate::authority("Test Root")
            .organization("Tests")
            .self_signed()
    };
    let make = || {
        Certificate::new("api.example")
            .names(&["api.example", "10.1.0.4"])
            .valid((2024, 1, 1), (2025, 1, 1))
            .signed_by(&authority())
    };
    assert_eq!(make().der, make().der);
    assert_ne!(
        make().der,
        Certificate::new("api.example").number(3).self_signed().der
    );
    let der = make().der;
    let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
    assert_eq!(read.issuer().to_string(), "CN=Test Root, O=Tests");
    assert_eq!(read.validity().not_before.timestamp(), 1_704_067_200);
    let names = read.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names.len(), 2);
    let root = authority().der;
    let (_, root) = x509_parser::parse_x509_certificate(&root).unwrap();
    assert!(root.is_ca());
}

/// A handshake that ends well.
fn story((client, server): (&str, &str)) -> Vec<Segment> {
    let certificate = Certificate::new("api.example").self_signed();
    Conversation::between(client, server)
        .syn()
        .tls12(&ClientHello::new().sni("api.example"), &[certificate.der])
        .segments()
}

#[test]
fn a_hello_can_end_in_the_middle_of_an_extension() {
    let whole = ClientHello::new().sni("api.example").message();
    let torn = ClientHello::new()
        .sni("api.example")
        .tail(&[0, 16, 0, 200])
        .message();
    assert_eq!(torn.len(), whole.len() + 4);
    assert!(tls_parser::parse_tls_handshake_client_hello(&torn[4..]).is_ok());
    let old = tls::sslv2_hello();
    assert_eq!(usize::from(old[1]), old.len() - 2);
}

#[test]
fn an_icmp_error_quotes_the_packet() {
    for ends in [
        ("10.1.0.5:50112", "10.1.0.4:443"),
        ("[2001:db8::5]:50112", "[2001:db8::4]:443"),
    ] {
        let story = story(ends);
        let syn = story[0].packet().bytes;
        let error = packet::unreachable(story[0].to.ip(), &syn, 1);
        assert!(error.ends_with(&syn));
        match SlicedPacket::from_ip(&error).unwrap().transport.unwrap() {
            TransportSlice::Icmpv4(icmp) => assert_eq!(packet::checksum(icmp.slice()), [0, 0]),
            TransportSlice::Icmpv6(icmp) => {
                let octets = |end: std::net::SocketAddr| match end.ip() {
                    std::net::IpAddr::V6(ip) => ip.octets(),
                    std::net::IpAddr::V4(_) => panic!("two versions of IP"),
                };
                assert!(icmp.is_checksum_valid(octets(story[0].to), octets(story[0].from)));
            }
            _ => panic!("no ICMP"),
        }
    }
}

#[test]
fn records_can_be_of_any_length() {
    let message = ClientHello::new().message();
    let records = tls::records(tls::HANDSHAKE, &message, 1);
    assert_eq!(records.len(), 6 * message.len());
    let (_, first) = tls_parser::parse_tls_raw_record(&records).unwrap();
    assert_eq!(first.data, [1]);
}
