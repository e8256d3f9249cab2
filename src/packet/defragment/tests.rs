//! Fragments in every order, and what does not fit.

use crate::capture::LinkType;
use crate::packet::Skip;
use crate::packet::defragment::*;
use crate::packet::wire::*;
use crate::packet::{Decoded, Segment, SeqNumber, decode};

const MORE: u16 = 0x2000;

/// A packet with a long segment, cut into `count` pieces.
struct Pieces {
    frames: Vec<Vec<u8>>,
    payload: Vec<u8>,
}

fn long_payload() -> Vec<u8> {
    (0..1000_u32).flat_map(u32::to_be_bytes).collect()
}

fn pieces_of(bytes: &[u8], size: usize, wrap: impl Fn(u16, bool, &[u8]) -> Vec<u8>) -> Pieces {
    let last = bytes.len().div_ceil(size) - 1;
    let frames = bytes
        .chunks(size)
        .enumerate()
        .map(|(place, chunk)| wrap(u16::try_from(place * size).unwrap(), place < last, chunk))
        .collect();
    Pieces {
        frames,
        payload: long_payload(),
    }
}

fn pieces_4(size: usize) -> Pieces {
    pieces_of(&tcp(&long_payload()), size, |offset, more, chunk| {
        ipv4_piece(6, 9, offset >> 3 | if more { MORE } else { 0 }, chunk)
    })
}

fn pieces_6(size: usize) -> Pieces {
    pieces_of(&tcp(&long_payload()), size, |offset, more, chunk| {
        let [hi, lo] = (offset | u16::from(more)).to_be_bytes();
        ipv6(44, &all(&[&[6, 0, hi, lo, 0, 0, 0, 9], chunk]))
    })
}

/// Feeds frames and gives all segments that come out, with their payloads.
#[derive(Default)]
struct Feeder {
    pool: Defragmenter,
    out: Vec<(Segment, Vec<u8>)>,
    number: u64,
}

impl Feeder {
    fn feed(&mut self, bytes: &[u8]) {
        self.feed_at(0, bytes, bytes.len());
    }

    fn feed_at(&mut self, seconds: i64, bytes: &[u8], kept: usize) {
        self.number += 1;
        let mut one = frame(LinkType::RAW, bytes);
        one.data = &bytes[..kept];
        one.number = self.number;
        one.time = Timestamp::from_parts(seconds, 0);
        let mut found = match decode(&one) {
            Decoded::Fragment(fragment) => self.pool.push(&one, &fragment),
            other => panic!("{other:?}"),
        };
        while let Some(joined) = found {
            found = self.look(&joined);
        }
        self.take_abandoned();
    }

    fn look(&mut self, joined: &Joined) -> Option<Joined> {
        match joined.decode() {
            Decoded::Segment(segment) => {
                self.out
                    .push((segment, segment.payload(&joined.bytes).to_vec()));
                None
            }
            Decoded::Fragment(inner) => self.pool.push_joined(joined, &inner),
            _ => None,
        }
    }

    fn take_abandoned(&mut self) {
        while let Some(joined) = self.pool.pop_abandoned() {
            assert!(joined.is_cut());
            self.look(&joined);
        }
    }

    fn end(&mut self) {
        self.pool.abandon_all();
        self.take_abandoned();
        assert_eq!(self.pool.waiting_len, 0);
        assert!(self.pool.waiting.is_empty() && self.pool.order.is_empty());
    }
}

#[test]
fn pieces_in_any_order_make_the_packet() {
    for pieces in [pieces_4(1000), pieces_6(1000)] {
        let count = pieces.frames.len();
        assert_eq!(count, 5);
        for order in permutations(count) {
            let mut feeder = Feeder::default();
            for place in &order {
                feeder.feed(&pieces.frames[*place]);
            }
            let [(segment, payload)] = &feeder.out[..] else {
                panic!("{order:?}");
            };
            assert_eq!(*payload, pieces.payload, "{order:?}");
            assert!(!segment.is_cut());
            assert_eq!(segment.seq, SeqNumber(SEQ));
            assert_eq!(
                feeder.pool.counts(),
                FragmentCounts {
                    joined: 1,
                    ..FragmentCounts::default()
                }
            );
            feeder.end();
        }
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    permutations(count - 1)
        .into_iter()
        .flat_map(|order| {
            (0..count).map(move |place| {
                let mut order = order.clone();
                order.insert(place, count - 1);
                order
            })
        })
        .collect()
}

#[test]
fn a_packet_is_ascribed_to_the_frame_that_completes_it() {
    let pieces = pieces_4(2000);
    let mut pool = Defragmenter::default();
    let mut joined = None;
    for (place, bytes) in pieces.frames.iter().enumerate() {
        let mut one = frame(LinkType::RAW, bytes);
        one.number = 70 + u64::try_from(place).unwrap();
        one.interface = 3;
        let Decoded::Fragment(fragment) = decode(&one) else {
            panic!("no fragment");
        };
        joined = pool.push(&one, &fragment);
    }
    let joined = joined.unwrap();
    assert_eq!((joined.number, joined.interface), (72, 3));
    let Decoded::Segment(segment) = joined.decode() else {
        panic!("no segment");
    };
    assert_eq!(segment.ip_id, 9);
}

#[test]
fn a_copy_of_a_piece_changes_nothing_and_is_no_overlap() {
    let pieces = pieces_4(1000);
    let mut feeder = Feeder::default();
    for bytes in pieces.frames.iter().flat_map(|bytes| [bytes, bytes]) {
        feeder.feed(bytes);
    }
    assert_eq!(feeder.out.len(), 1);
    assert_eq!(feeder.pool.counts().overlaps, 0);
}

#[test]
fn the_first_bytes_of_an_overlap_win_and_it_is_counted() {
    let pieces = pieces_4(1000);
    let forged = ipv4_piece(6, 9, 115 | MORE, &[0xff; 1160]);
    let mut feeder = Feeder::default();
    feeder.feed(&pieces.frames[0]);
    feeder.feed(&pieces.frames[1]);
    feeder.feed(&forged);
    for bytes in &pieces.frames[2..] {
        feeder.feed(bytes);
    }
    assert_eq!(feeder.pool.counts().overlaps, 2);
    let mut expected = pieces.payload.clone();
    // The forged piece reached 80 bytes into the third, and was there first.
    expected[2000 - 32..2080 - 32].fill(0xff);
    assert_eq!(feeder.out[0].1, expected);
}

#[test]
fn a_piece_over_several_holes_fills_them_all() {
    let pieces = pieces_4(1000);
    let whole = tcp(&pieces.payload);
    let mut feeder = Feeder::default();
    feeder.feed(&pieces.frames[1]);
    feeder.feed(&pieces.frames[3]);
    feeder.feed(
        &ipv4_piece(6, 9, 0, &whole[..])
            .tap(|bytes| bytes[6] = 0x20)
            .clone(),
    );
    feeder.feed(&pieces.frames[4]);
    assert_eq!(feeder.out[0].1, pieces.payload);
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Vec<u8> {}

#[test]
fn pieces_without_the_first_give_nothing() {
    let pieces = pieces_6(1000);
    let mut feeder = Feeder::default();
    for bytes in &pieces.frames[1..] {
        feeder.feed(bytes);
    }
    feeder.end();
    assert!(feeder.out.is_empty());
    assert_eq!(feeder.pool.counts().abandoned, 1);
}

#[test]
fn a_first_piece_that_stays_alone_is_a_packet_cut_short() {
    for pieces in [pieces_4(1000), pieces_6(1000)] {
        let mut feeder = Feeder::default();
        feeder.feed(&pieces.frames[0]);
        feeder.end();
        let (segment, payload) = &feeder.out[0];
        assert_eq!(payload[..], pieces.payload[..1000 - 32]);
        assert!(segment.is_cut());
    }
}

#[test]
fn what_comes_behind_a_hole_is_left_out_and_counts_as_length() {
    let pieces = pieces_4(1000);
    let mut feeder = Feeder::default();
    for place in [0, 1, 3, 4] {
        feeder.feed(&pieces.frames[place]);
    }
    feeder.end();
    let (segment, payload) = &feeder.out[0];
    assert_eq!(payload[..], pieces.payload[..2000 - 32]);
    assert_eq!(segment.wire_len, 4000);
}

#[test]
fn pieces_that_the_snap_length_cut_make_a_cut_packet() {
    let pieces = pieces_4(1000);
    let mut feeder = Feeder::default();
    for bytes in &pieces.frames {
        feeder.feed_at(0, bytes, bytes.len().min(520));
    }
    let (segment, payload) = &feeder.out[0];
    assert_eq!(payload[..], pieces.payload[..500 - 32]);
    assert_eq!(segment.wire_len, 4000);
    assert_eq!(feeder.pool.counts().joined, 1);
}

#[test]
fn a_packet_waits_thirty_seconds_of_the_capture() {
    let pieces = pieces_4(2000);
    let mut feeder = Feeder::default();
    feeder.feed_at(0, &pieces.frames[0], 2020);
    feeder.feed_at(30, &pieces.frames[1], 2020);
    feeder.feed_at(30, &pieces.frames[2], 52);
    assert_eq!(feeder.pool.counts().joined, 1);
    let mut feeder = Feeder::default();
    feeder.feed_at(0, &pieces.frames[0], 2020);
    feeder.feed_at(31, &pieces.frames[1], 2020);
    feeder.feed_at(31, &pieces.frames[2], 52);
    assert_eq!(
        feeder.pool.counts(),
        FragmentCounts {
            abandoned: 1,
            ..FragmentCounts::default()
        }
    );
    assert!(feeder.out[0].0.is_cut());
}

#[test]
fn a_clock_that_steps_back_ages_nothing() {
    let pieces = pieces_4(2000);
    let mut feeder = Feeder::default();
    feeder.feed_at(1000, &pieces.frames[0], 2020);
    feeder.feed_at(0, &pieces.frames[1], 2020);
    feeder.feed_at(i64::MIN / 2_000_000_000, &pieces.frames[2], 52);
    assert_eq!(feeder.pool.counts().joined, 1);
}

#[test]
fn sixty_four_pieces_are_joined_and_sixty_five_are_too_many() {
    let payload = vec![5; 64 * 8 - 32];
    let cut = |payload: &[u8]| {
        pieces_of(&tcp(payload), 8, |offset, more, chunk| {
            ipv4_piece(6, 9, offset >> 3 | if more { MORE } else { 0 }, chunk)
        })
    };
    let mut feeder = Feeder::default();
    for bytes in &cut(&payload).frames {
        feeder.feed(bytes);
    }
    assert_eq!(feeder.out[0].1, payload);
    let mut feeder = Feeder::default();
    // The last piece missing, so that the limit is reached before the packet is whole.
    for bytes in &cut(&vec![5; 66 * 8 - 32]).frames[..65] {
        feeder.feed(bytes);
    }
    assert_eq!(feeder.pool.counts().dropped_by_limit, 1);
    assert!(feeder.out[0].0.is_cut());
    feeder.end();
}

#[test]
fn the_pool_stays_within_its_bound() {
    let mut pool = Defragmenter::new(FragmentLimits {
        total_len: 100_000,
        ..FragmentLimits::default()
    });
    let piece = vec![1; 1400];
    for id in 0..5000 {
        let bytes = ipv4_piece(6, id, MORE, &piece);
        let one = frame(LinkType::RAW, &bytes);
        let Decoded::Fragment(fragment) = decode(&one) else {
            panic!("no fragment");
        };
        assert_eq!(pool.push(&one, &fragment), None);
        // Nobody takes what is given up.
        assert!(pool.waiting_len <= 100_000 && pool.given_up_len <= 100_000);
        let held: usize = pool.waiting.values().map(|packet| packet.held_len).sum();
        assert_eq!(held, pool.waiting_len);
        assert_eq!(pool.waiting.len(), pool.order.len());
    }
    assert!(pool.counts().dropped_by_limit > 4900);
}

#[test]
fn a_packet_longer_than_packets_can_be_is_refused() {
    let beyond = ipv4_piece(6, 9, 0x1fff, &[0; 100]);
    assert_eq!(
        decode(&frame(LinkType::RAW, &beyond)),
        Decoded::Skip(Skip::MalformedIp)
    );
}

#[test]
fn the_same_id_on_another_vlan_is_another_packet() {
    let pieces = pieces_4(2000);
    let mut pool = Defragmenter::default();
    for (place, bytes) in pieces.frames.iter().enumerate() {
        let vlan = 10 + u16::try_from(place).unwrap();
        let bytes = ethernet(0x8100, &tag(vlan, 0x0800, bytes));
        let one = frame(LinkType::ETHERNET, &bytes);
        let Decoded::Fragment(fragment) = decode(&one) else {
            panic!("no fragment");
        };
        assert_eq!(pool.push(&one, &fragment), None);
    }
}

#[test]
fn a_fragmented_segment_in_a_tunnel_keeps_its_path() {
    let around = |bytes: &[u8]| {
        let inner = ethernet(0x8100, &tag(4, 0x0800, bytes));
        over_udp(4789, &all(&[&[8, 0, 0, 0, 0, 0, 7, 0], &inner]))
    };
    let mut feeder = Feeder::default();
    for bytes in &pieces_4(1000).frames {
        feeder.feed(&around(bytes));
    }
    let whole = around(&packet());
    let Decoded::Segment(unbroken) = decode(&frame(LinkType::RAW, &whole)) else {
        panic!("no segment");
    };
    let (segment, payload) = &feeder.out[0];
    assert_eq!(*payload, long_payload());
    assert_eq!(segment.path, unbroken.path);
}

#[test]
fn a_fragmented_tunnel_with_a_fragmented_segment_is_unwrapped_twice() {
    let mut frames = Vec::new();
    for (place, bytes) in pieces_4(2000).frames.into_iter().enumerate() {
        let outer = udp(
            5,
            4789,
            &all(&[&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(0x0800, &bytes)]),
        );
        let id = 100 + u16::try_from(place).unwrap();
        frames.extend(
            pieces_of(&outer, 1200, |offset, more, chunk| {
                ipv4_piece(17, id, offset >> 3 | if more { MORE } else { 0 }, chunk)
            })
            .frames,
        );
    }
    let mut pool = Defragmenter::default();
    let mut out = Vec::new();
    for bytes in frames {
        let bytes = ethernet(0x8100, &tag(9, 0x0800, &bytes));
        let one = frame(LinkType::ETHERNET, &bytes);
        match decode(&one) {
            Decoded::Fragment(fragment) => {
                let mut found = pool.push(&one, &fragment);
                while let Some(joined) = found.take() {
                    match joined.decode() {
                        Decoded::Fragment(inner) => found = pool.push_joined(&joined, &inner),
                        Decoded::Segment(segment) => {
                            out.push((
                                segment,
                                joined.encapsulation(),
                                segment.payload(&joined.bytes).to_vec(),
                            ));
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            Decoded::Segment(_) => panic!("all are in pieces"),
            other => panic!("{other:?}"),
        }
    }
    let [(segment, around, payload)] = &out[..] else {
        panic!("{}", out.len());
    };
    assert_eq!(*payload, long_payload());
    assert_eq!(around.vlans, [9]);
    let kinds: Vec<_> = around
        .tunnels
        .iter()
        .map(|tunnel| tunnel.kind.name())
        .collect();
    assert_eq!(kinds, ["vxlan"]);
    assert_ne!(segment.path, PathId(0));
}

#[test]
fn every_change_of_a_piece_is_survived() {
    for pieces in [pieces_4(2000), pieces_6(2000)] {
        for place in 0..80 {
            for value in [0, 1, 0x1f, 0x20, 0x7f, 0x80, 0xff] {
                let mut pool = Defragmenter::default();
                for bytes in &pieces.frames {
                    let changed = bytes.clone().tap(|bytes| {
                        if let Some(byte) = bytes.get_mut(place) {
                            *byte = value;
                        }
                    });
                    let one = frame(LinkType::RAW, &changed);
                    if let Decoded::Fragment(fragment) = decode(&one)
                        && let Some(joined) = pool.push(&one, &fragment)
                    {
                        let _ = joined.decode();
                        let _ = joined.encapsulation();
                    }
                }
                pool.abandon_all();
                while let Some(joined) = pool.pop_abandoned() {
                    let _ = joined.decode();
                }
            }
        }
    }
}
