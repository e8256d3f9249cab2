//! From a frame to its segment, on every way.

mod specimens;

use std::net::IpAddr;

use crate::capture::LinkType;
use crate::flow::Endpoint;
use crate::packet::wire::*;
use crate::packet::*;
use specimens::{Specimen, all_specimens};

fn segment(specimen: &Specimen) -> Segment {
    segment_of(specimen.name, &frame(specimen.link_type, &specimen.bytes))
}

fn segment_of(name: &str, frame: &crate::capture::Frame<'_>) -> Segment {
    match decode(frame) {
        Decoded::Segment(segment) => segment,
        other => panic!("{name}: {other:?}"),
    }
}

fn skip(link_type: LinkType, data: &[u8]) -> Skip {
    match decode(&frame(link_type, data)) {
        Decoded::Skip(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_leads_to_the_same_segment() {
    for specimen in all_specimens() {
        let found = segment(&specimen);
        let name = specimen.name;
        assert_eq!(found.payload(&specimen.bytes), PAYLOAD, "{name}");
        assert_eq!(usize::try_from(found.wire_len), Ok(PAYLOAD.len()), "{name}");
        assert_eq!(found.seq, SeqNumber(SEQ), "{name}");
        assert_eq!(found.ack, SeqNumber(7), "{name}");
        assert_eq!(format!("{:?}", found.flags), "PSH|ACK", "{name}");
        assert_eq!(found.window, 0x2000, "{name}");
        let (client, server, ip_id) = if found.key.is_ipv6() {
            (IpAddr::from(CLIENT_6), IpAddr::from(SERVER_6), 0)
        } else {
            (IpAddr::from(CLIENT), IpAddr::from(SERVER), 0x77)
        };
        let ends = (
            found.key.source(found.direction),
            found.key.destination(found.direction),
        );
        assert_eq!(
            ends,
            (Endpoint::new(client, 50112), Endpoint::new(server, 443)),
            "{name}"
        );
        assert_eq!(found.ip_id, ip_id, "{name}");
    }
}

#[test]
fn what_is_around_a_segment_is_told_in_order() {
    for specimen in all_specimens() {
        let name = specimen.name;
        let around = encapsulation(&frame(specimen.link_type, &specimen.bytes));
        let tunnels: Vec<_> = around
            .tunnels
            .iter()
            .map(|tunnel| (tunnel.kind.name(), tunnel.id))
            .collect();
        assert_eq!(around.vlans, specimen.vlans, "{name}");
        assert_eq!(tunnels, specimen.tunnels, "{name}");
        let is_bare = around == Encapsulation::default();
        assert_eq!(segment(&specimen).path == PathId(0), is_bare, "{name}");
    }
}

#[test]
fn a_tunnel_is_told_with_its_outer_addresses() {
    let bytes = ipv4(41, &packet_6());
    let around = encapsulation(&frame(LinkType::RAW, &bytes));
    assert_eq!(around.tunnels[0].source, Some(IpAddr::from(CLIENT)));
    assert_eq!(around.tunnels[0].destination, Some(IpAddr::from(SERVER)));
}

#[test]
fn paths_differ_where_the_encapsulation_does() {
    let mut paths: Vec<_> = (0..4096)
        .map(|id| {
            segment_of(
                "vlan",
                &frame(
                    LinkType::ETHERNET,
                    &ethernet(0x8100, &tag(id, 0x0800, &packet())),
                ),
            )
            .path
        })
        .collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 4096);
    let path = |outer, inner| {
        let bytes = ethernet(0x88a8, &tag(outer, 0x8100, &tag(inner, 0x0800, &packet())));
        segment_of("qinq", &frame(LinkType::ETHERNET, &bytes)).path
    };
    assert_ne!(path(1, 2), path(2, 1));
    assert_eq!(path(1, 2), path(1, 2));
}

#[test]
fn a_frame_cut_anywhere_gives_what_is_there_of_the_payload() {
    for specimen in all_specimens() {
        let name = specimen.name;
        let whole = segment(&specimen);
        let payload_start = usize::try_from(whole.payload_start).unwrap();
        let options_start = payload_start - 12;
        for kept in 0..=specimen.bytes.len() {
            let mut cut = frame(specimen.link_type, &specimen.bytes);
            cut.data = &specimen.bytes[..kept];
            match decode(&cut) {
                Decoded::Segment(found) => {
                    assert!(kept >= options_start, "{name} at {kept}");
                    let captured = kept.saturating_sub(payload_start).min(PAYLOAD.len());
                    assert_eq!(
                        found.payload(cut.data),
                        &PAYLOAD[..captured],
                        "{name} at {kept}"
                    );
                    assert_eq!(found.wire_len, whole.wire_len, "{name} at {kept}");
                    assert_eq!(
                        (found.key, found.path),
                        (whole.key, whole.path),
                        "{name} at {kept}"
                    );
                    assert_eq!(found.is_cut(), captured < PAYLOAD.len(), "{name} at {kept}");
                }
                // Where a tunnel is only guessed at, the guess needs its header.
                Decoded::Skip(Skip::Cut | Skip::Udp | Skip::NotIp | Skip::MalformedLink) => {
                    assert!(kept < options_start, "{name} at {kept}");
                }
                other => panic!("{name} at {kept}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_frame_that_ends_too_early_on_the_wire_is_survived() {
    for specimen in all_specimens() {
        for kept in 0..specimen.bytes.len() {
            let short = frame(specimen.link_type, &specimen.bytes[..kept]);
            if let Decoded::Segment(found) = decode(&short) {
                assert!(
                    !found.is_cut(),
                    "{} at {kept}: nothing was cut",
                    specimen.name
                );
            }
            let _ = encapsulation(&short);
        }
    }
}

#[test]
fn every_change_of_a_byte_is_survived() {
    for specimen in all_specimens() {
        let mut bytes = specimen.bytes.clone();
        for place in 0..bytes.len() - PAYLOAD.len() {
            let before = bytes[place];
            for value in 0..=255 {
                bytes[place] = value;
                stays_inside(&frame(specimen.link_type, &bytes));
            }
            for bit in 0..8 {
                bytes[place] = before ^ 1 << bit;
                let mut changed = frame(specimen.link_type, &bytes);
                for original_len in [0, u32::MAX] {
                    changed.original_len = original_len;
                    stays_inside(&changed);
                }
            }
            bytes[place] = before;
        }
    }
}

#[test]
fn noise_of_every_link_type_is_survived() {
    let mut state = 0x1234_5678_9abc_def0_u64;
    let mut bytes = [0; 200];
    for number in 0..300 {
        for _ in 0..300 {
            for byte in &mut bytes {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let [.., top] = state.to_le_bytes();
                // Small and large values are what headers are made of.
                *byte = if top & 1 == 0 { top >> 5 } else { top };
            }
            stays_inside(&frame(LinkType(number), &bytes));
        }
    }
}

fn stays_inside(frame: &crate::capture::Frame<'_>) {
    let _ = encapsulation(frame);
    match decode(frame) {
        Decoded::Segment(segment) => {
            let payload = segment.payload(frame.data);
            assert_eq!(u32::try_from(payload.len()), Ok(segment.payload_len));
            assert!(segment.payload_len <= segment.wire_len);
        }
        Decoded::Fragment(fragment) => {
            let payload = fragment.bytes(frame.data);
            assert_eq!(u32::try_from(payload.len()), Ok(fragment.len));
            assert!(fragment.len <= fragment.wire_len);
            let mut pool = Defragmenter::default();
            if let Some(joined) = pool.push(frame, &fragment) {
                let _ = joined.decode();
            }
            pool.abandon_all();
        }
        _ => {}
    }
}

#[test]
fn a_segment_is_small_enough_to_be_copied_around() {
    assert!(size_of::<Segment>() <= 96, "{}", size_of::<Segment>());
    assert!(size_of::<Decoded>() <= 104, "{}", size_of::<Decoded>());
}

#[test]
fn padding_of_a_short_frame_is_no_payload() {
    let mut bytes = ethernet(0x0800, &ipv4(6, &tcp(b"")));
    bytes.extend([0; 6]);
    let found = segment_of("padded", &frame(LinkType::ETHERNET, &bytes));
    assert_eq!((found.payload_len, found.wire_len), (0, 0));
}

#[test]
fn a_length_beyond_the_frame_is_not_believed() {
    let mut bytes = ethernet(0x0800, &packet());
    bytes[16] = 0x40;
    let found = segment_of("lie", &frame(LinkType::ETHERNET, &bytes));
    assert_eq!(found.payload(&bytes), PAYLOAD);
    assert!(!found.is_cut());
}

#[test]
fn a_packet_above_64_kib_is_as_long_as_its_frame() {
    let payload = vec![7; 150_000];
    let segment = tcp(&payload);
    let mut four = all(&[&ipv4(6, b"")[..], &segment]);
    four[2..4].fill(0);
    let mut six = all(&[&ipv6(6, b"")[..], &segment]);
    six[4..6].fill(0);
    for bytes in [four, six] {
        let mut cut = frame(LinkType::RAW, &bytes);
        assert_eq!(segment_of("big", &cut).payload(cut.data), payload);
        cut.data = &bytes[..1000];
        assert_eq!(segment_of("big", &cut).wire_len, 150_000);
    }
}

#[test]
fn eight_vlan_tags_are_followed_and_nine_are_not() {
    let tagged = |count: u16| {
        (0..count).fold((0x0800, packet()), |(ether_type, bytes), id| {
            (0x8100, tag(id + 1, ether_type, &bytes))
        })
    };
    let (ether_type, bytes) = tagged(8);
    let bytes = ethernet(ether_type, &bytes);
    segment_of("eight", &frame(LinkType::ETHERNET, &bytes));
    let around = encapsulation(&frame(LinkType::ETHERNET, &bytes));
    assert_eq!(around.vlans, [8, 7, 6, 5, 4, 3, 2, 1]);
    let (ether_type, bytes) = tagged(9);
    let bytes = ethernet(ether_type, &bytes);
    assert_eq!(skip(LinkType::ETHERNET, &bytes), Skip::TooDeep);
}

#[test]
fn eight_tunnels_are_followed_and_nine_are_not() {
    let nested = |count| (0..count).fold(packet(), |bytes, _| ipv4(4, &bytes));
    segment_of("eight", &frame(LinkType::RAW, &nested(8)));
    assert_eq!(skip(LinkType::RAW, &nested(9)), Skip::TooDeep);
}

#[test]
fn sixteen_extension_headers_are_followed_and_seventeen_are_not() {
    let chain = |count| {
        let rest = (0..count - 1).fold(
            all(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp(PAYLOAD)]),
            |bytes, _| all(&[&[60, 0, 1, 4, 0, 0, 0, 0], &bytes]),
        );
        ipv6(60, &rest)
    };
    segment_of("sixteen", &frame(LinkType::RAW, &chain(16)));
    assert_eq!(skip(LinkType::RAW, &chain(17)), Skip::TooDeep);
}

#[test]
fn a_source_route_ends_at_its_last_stop() {
    let last = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77];
    let between = [0x11; 16];
    let old = all(&[&[6, 4, 0, 2, 0, 0, 0, 0], &between, &last, &tcp(PAYLOAD)]);
    let segments = all(&[&[6, 4, 4, 1, 1, 0, 0, 0], &last, &between, &tcp(PAYLOAD)]);
    for route in [old, segments] {
        let found = segment_of("route", &frame(LinkType::RAW, &ipv6(43, &route)));
        assert_eq!(
            found.key.destination(found.direction).ip,
            IpAddr::from(last)
        );
    }
    let arrived = all(&[&[6, 4, 0, 0, 0, 0, 0, 0], &between, &last, &tcp(PAYLOAD)]);
    let found = segment_of("arrived", &frame(LinkType::RAW, &ipv6(43, &arrived)));
    assert_eq!(
        found.key.destination(found.direction).ip,
        IpAddr::from(SERVER_6)
    );
}

#[test]
fn a_mobile_node_speaks_from_its_home() {
    let home = [0x20, 1, 0xd, 0xb8, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let options = all(&[&[6, 2, 1, 2, 0, 0, 201, 16], &home, &tcp(PAYLOAD)]);
    let found = segment_of("home", &frame(LinkType::RAW, &ipv6(60, &options)));
    assert_eq!(found.key.source(found.direction).ip, IpAddr::from(home));
}

#[test]
fn each_thing_that_is_no_segment_has_its_reason() {
    let on = |ether_type, bytes: &[u8]| skip(LinkType::ETHERNET, &ethernet(ether_type, bytes));
    assert_eq!(on(0x0806, &[0; 28]), Skip::NotIp);
    assert_eq!(on(0x88cc, &[0; 28]), Skip::NotIp);
    assert_eq!(on(0x1234, &[0; 28]), Skip::UnknownEtherType);
    assert_eq!(on(0x0800, &ipv4(17, &udp(1, 53, b"query"))), Skip::Udp);
    assert_eq!(on(0x0800, &ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 1])), Skip::Icmp);
    assert_eq!(on(0x0800, &ipv4(132, &[0; 20])), Skip::OtherTransport);
    assert_eq!(on(0x0800, &ipv4(50, &[0; 20])), Skip::Encrypted);
    assert_eq!(on(0x88e5, &[0x0c; 40]), Skip::Encrypted);
    assert_eq!(on(0x0800, &[0x75; 40]), Skip::MalformedIp);
    assert_eq!(on(0x0800, &ipv4(6, &[0; 12])), Skip::MalformedTcp);
    assert_eq!(skip(LinkType(9999), &[0; 40]), Skip::UnknownLinkType);
    assert_eq!(skip(LinkType::IEEE802_11, &[0x80, 0, 0, 0]), Skip::NotIp);
    assert_eq!(
        skip(LinkType::IEEE802_11, &[0x08, 0x41, 0, 0]),
        Skip::Encrypted
    );
    let mut offset_3 = packet();
    offset_3[32] = 0x30;
    assert_eq!(on(0x0800, &offset_3), Skip::MalformedTcp);
    let mut header_beyond_the_packet = ipv4(6, &tcp(b""));
    header_beyond_the_packet[32] = 0xf0;
    assert_eq!(on(0x0800, &header_beyond_the_packet), Skip::MalformedTcp);
}

#[test]
fn a_port_alone_makes_no_tunnel() {
    let inner = ethernet(0x0800, &packet());
    for port in [1701, 2152, 3544, 4789, 4790, 5247, 6081, 6635, 8472, 37008] {
        for header in [&[0xff; 8][..], &[0x16, 3, 1, 2, 0, 1, 0, 1], &[0; 8]] {
            let bytes = over_udp(port, &all(&[header, b"\xff\xff", &inner]));
            assert_eq!(skip(LinkType::RAW, &bytes), Skip::Udp, "{port} {header:?}");
        }
    }
    // A client that was given the port of a tunnel, and speaks QUIC.
    let quic = all(&[&[0xc0, 0, 0, 0, 1, 8], &[0x5a; 1194]]);
    for port in [1701, 2152, 3544, 4789, 4790, 5247, 6081, 6635, 8472, 37008] {
        let bytes = ipv4(17, &udp(443, port, &quic));
        assert_eq!(skip(LinkType::RAW, &bytes), Skip::Udp);
    }
}

#[test]
fn an_icmp_error_tells_of_the_segment_it_quotes() {
    let quoted = &packet()[..28];
    let error = |kind, code, rest: [u8; 4]| {
        let bytes = ipv4(1, &all(&[&[kind, code, 0, 0], &rest, quoted]));
        match decode(&frame(LinkType::RAW, &bytes)) {
            Decoded::Unreachable(found) => found,
            other => panic!("{other:?}"),
        }
    };
    let refused = error(3, 3, [0; 4]);
    assert_eq!(refused.cause, Cause::Port);
    assert_eq!(refused.seq, SeqNumber(SEQ));
    assert_eq!(refused.from, IpAddr::from(CLIENT));
    let server = Endpoint::new(IpAddr::from(SERVER), 443);
    assert_eq!(refused.key.destination(refused.direction), server);
    assert_eq!(error(3, 13, [0; 4]).cause, Cause::Prohibited);
    assert_eq!(
        error(3, 4, [0, 0, 5, 0xdc]).cause,
        Cause::TooBig { mtu: 1500 }
    );
    assert_eq!(error(11, 0, [0; 4]).cause, Cause::TimeExceeded);
}

#[test]
fn an_icmp_v6_error_tells_of_the_segment_it_quotes() {
    let bytes = ipv6(58, &all(&[&[2, 0, 0, 0, 0, 0, 5, 0], &packet_6()]));
    let Decoded::Unreachable(found) = decode(&frame(LinkType::RAW, &bytes)) else {
        panic!("no error");
    };
    assert_eq!(found.cause, Cause::TooBig { mtu: 1280 });
    assert_eq!(found.seq, SeqNumber(SEQ));
    assert!(found.key.is_ipv6());
}

#[test]
fn an_icmp_error_about_anything_else_is_skipped() {
    let about_udp = ipv4(
        1,
        &all(&[&[3, 3, 0, 0, 0, 0, 0, 0], &ipv4(17, &udp(1, 53, b"query"))]),
    );
    let too_little = ipv4(1, &all(&[&[3, 3, 0, 0, 0, 0, 0, 0], &packet()[..27]]));
    let redirect = ipv4(1, &all(&[&[5, 1, 0, 0, 0, 0, 0, 0], &packet()]));
    for bytes in [about_udp, too_little, redirect] {
        assert_eq!(skip(LinkType::RAW, &bytes), Skip::Icmp);
    }
}

#[test]
fn etherparse_finds_the_same_in_random_packets() {
    let mut state = 42_u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()[7]
    };
    let mut agreed = 0;
    for _ in 0..20_000 {
        let mut bytes = match next() % 3 {
            0 => packet(),
            1 => packet_6(),
            _ => ipv6(60, &all(&[&[6, 0, 1, 4, 0, 0, 0, 0], &tcp(PAYLOAD)])),
        };
        let place = usize::from(next()) % bytes.len();
        bytes[place] = next();
        agreed += u32::from(agrees_with_etherparse(&bytes));
    }
    assert!(agreed > 10_000, "{agreed}");
}

/// Whether both found a segment. Panics where they found different ones.
fn agrees_with_etherparse(bytes: &[u8]) -> bool {
    use etherparse::{LaxIpSlice, TcpSlice};
    let Ok((ip, _)) = LaxIpSlice::from_slice(bytes) else {
        return false;
    };
    let payload = ip.payload();
    let Decoded::Segment(ours) = decode(&frame(LinkType::RAW, bytes)) else {
        let is_tcp = payload.ip_number == etherparse::IpNumber::TCP && !payload.fragmented;
        // It reads on behind a total length below that of the header; receivers drop that.
        let is_short = matches!(bytes, [0x45, _, 0, 1..20, ..]);
        assert!(
            !is_tcp || is_short || TcpSlice::from_slice(payload.payload).is_err(),
            "a segment missed: {bytes:02x?}"
        );
        return false;
    };
    // Extension headers that it takes for a transport.
    if matches!(payload.ip_number.0, 135 | 139 | 140) {
        return false;
    }
    if payload.ip_number != etherparse::IpNumber::TCP || payload.fragmented {
        panic!("a segment where etherparse finds none: {bytes:02x?}");
    }
    let Ok(theirs) = TcpSlice::from_slice(payload.payload) else {
        panic!("a segment where etherparse finds none: {bytes:02x?}");
    };
    assert_eq!(ours.payload(bytes), theirs.payload(), "{bytes:02x?}");
    assert_eq!(ours.seq.0, theirs.sequence_number(), "{bytes:02x?}");
    assert_eq!(
        ours.key.source(ours.direction).port,
        theirs.source_port(),
        "{bytes:02x?}"
    );
    assert_eq!(ours.flags.syn(), theirs.syn(), "{bytes:02x?}");
    assert_eq!(ours.flags.rst(), theirs.rst(), "{bytes:02x?}");
    true
}
