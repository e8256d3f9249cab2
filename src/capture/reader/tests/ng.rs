//! pcapng in the small language, and its stories.

use super::*;
use crate::capture::LinkType;

pub(super) struct Ng {
    order: Order,
    pub(super) bytes: Vec<u8>,
}

impl Ng {
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            bytes: Vec::new(),
        }
        .section(order)
    }

    pub(super) fn section(self, order: Order) -> Self {
        self.section_of_len(order, -1)
    }

    pub(super) fn section_of_len(mut self, order: Order, len: i64) -> Self {
        self.order = order;
        let len = match order {
            Order::Little => len.to_le_bytes(),
            Order::Big => len.to_be_bytes(),
        };
        let body = [
            &u32_in(order, 0x1a2b_3c4d)[..],
            &u16_in(order, 1),
            &u16_in(order, 0),
            &len,
        ]
        .concat();
        self.block(0x0a0d_0d0a, &body)
    }

    pub(super) fn block(mut self, block_type: u32, body: &[u8]) -> Self {
        let padding = body.len().next_multiple_of(4) - body.len();
        let len = u32_in(self.order, (12 + body.len() + padding) as u32);
        self.bytes.extend(u32_in(self.order, block_type));
        self.bytes.extend(len);
        self.bytes.extend(body);
        self.bytes.extend(&[0; 3][..padding]);
        self.bytes.extend(len);
        self
    }

    pub(super) fn words(&self, words: &[u32]) -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| u32_in(self.order, *word))
            .collect()
    }

    pub(super) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [
            u16_in(self.order, code),
            u16_in(self.order, value.len() as u16),
        ]
        .concat();
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    pub(super) fn interface(self, link_type: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Self {
        let mut body = [u16_in(self.order, link_type), [0; 2]].concat();
        body.extend(u32_in(self.order, snap_len));
        for (code, value) in options {
            body.extend(self.option(*code, value));
        }
        if !options.is_empty() {
            body.extend([0; 4]);
        }
        self.block(1, &body)
    }

    pub(super) fn ethernet(self) -> Self {
        self.interface(1, 0, &[])
    }

    pub(super) fn packet(self, interface: u32, ticks: u64, data: &[u8]) -> Self {
        let mut body = self.words(&[
            interface,
            (ticks >> 32) as u32,
            ticks as u32,
            data.len() as u32,
            data.len() as u32 + 1,
        ]);
        body.extend(data);
        self.block(6, &body)
    }

    pub(super) fn simple_packet(self, original_len: u32, data: &[u8]) -> Self {
        let body = [&self.words(&[original_len]), data].concat();
        self.block(3, &body)
    }
}

fn assert_sound(outcome: &Outcome) {
    assert_eq!(outcome.damages, [], "damages");
}

#[test]
fn packets_are_read_in_both_byte_orders() {
    for order in ORDERS {
        let ng = Ng::new(order)
            .interface(113, 0, &[(2, b"eth0"), (9, &[9])])
            .packet(0, 1_700_000_000_123_456_789, b"first")
            .packet(0, 1, b"")
            .packet(0, 2, &[7; 300]);
        assert!(crate::capture::looks_like(&ng.bytes));
        let outcome = read(&ng.bytes);
        assert_sound(&outcome);
        assert_eq!(outcome.lens(), [5, 0, 300]);
        assert_eq!(
            outcome.frames[0],
            Seen {
                number: 1,
                nanos: 1_700_000_000_123_456_789,
                precision: Precision::Nanoseconds,
                link_type: 113,
                interface: 0,
                data: b"first".to_vec(),
                original_len: 6,
            }
        );
    }
}

#[test]
fn each_interface_has_its_clock_and_its_name() {
    for order in ORDERS {
        let offset = match order {
            Order::Little => (-3600_i64).to_le_bytes(),
            Order::Big => (-3600_i64).to_be_bytes(),
        };
        let ng = Ng::new(order)
            .interface(1, 0, &[(2, b"lo\0trailing")])
            .interface(1, 0, &[(9, &[0x80 | 10])])
            .interface(1, 0, &[(9, &[3]), (14, &offset)])
            .packet(0, 1_000_001, b"a")
            .packet(1, 1_024 + 512, b"b")
            .packet(2, 3_600_007, b"c");
        let outcome = read(&ng.bytes);
        assert_sound(&outcome);
        assert_eq!(
            outcome.nanos(),
            [1_000_001_000, 1_500_000_000, 7_000_000],
            "{order:?}"
        );
        let mut reader = Reader::new(&*ng.bytes).unwrap();
        reader.next_frame(|_| ()).unwrap();
        assert_eq!(
            reader.interfaces().get(0).unwrap().name.as_deref(),
            Some("lo")
        );
        assert_eq!(reader.interfaces().get(1).unwrap().name, None);
        assert_eq!(reader.interfaces().count(), 3);
    }
}

#[test]
fn sections_count_their_interfaces_anew_and_may_change_the_byte_order() {
    let ng = Ng::new(Order::Little)
        .ethernet()
        .packet(0, 1, b"one")
        .section_of_len(Order::Big, 0)
        .interface(101, 0, &[])
        .interface(113, 0, &[])
        .packet(1, 2, b"two")
        .packet(0, 3, b"three")
        .section_of_len(Order::Little, 123_456)
        .interface(276, 0, &[])
        .packet(0, 4, b"four");
    let outcome = read(&ng.bytes);
    assert_sound(&outcome);
    let link_types: Vec<_> = outcome
        .frames
        .iter()
        .map(|frame| (frame.link_type, frame.interface))
        .collect();
    assert_eq!(link_types, [(1, 0), (113, 2), (101, 1), (276, 3)]);
    assert_eq!(outcome.nanos(), [1_000, 2_000, 3_000, 4_000]);
}

#[test]
fn simple_packets_take_the_time_of_the_frame_before() {
    for order in ORDERS {
        let ng = Ng::new(order)
            .interface(1, 4, &[])
            .simple_packet(2, b"ab")
            .packet(0, 5, b"timed")
            .simple_packet(9, b"cut.")
            .simple_packet(3, b"abc")
            .section(order)
            .interface(1, 0, &[])
            .simple_packet(5, b"whole");
        let outcome = read(&ng.bytes);
        assert_sound(&outcome);
        assert_eq!(outcome.nanos(), [0, 5_000, 5_000, 5_000, 5_000]);
        assert_eq!(outcome.lens(), [2, 5, 4, 3, 5]);
        assert_eq!(outcome.frames[2].original_len, 9);
    }
}

#[test]
fn obsolete_packet_blocks_are_packets() {
    for order in ORDERS {
        let mut ng = Ng::new(order).ethernet().ethernet();
        let mut body = [u16_in(order, 1), u16_in(order, 77)].concat();
        body.extend(ng.words(&[0, 8, 3, 30]));
        body.extend(b"old");
        ng = ng.block(2, &body);
        let outcome = read(&ng.bytes);
        assert_sound(&outcome);
        assert_eq!(outcome.lens(), [3]);
        assert_eq!(outcome.frames[0].interface, 1);
        assert_eq!(outcome.frames[0].original_len, 30);
        assert_eq!(outcome.nanos(), [8_000]);
    }
}

#[test]
fn other_blocks_and_options_are_passed_over() {
    let mut ng = Ng::new(Order::Little)
        .block(0x0bad, b"custom")
        .ethernet()
        .block(4, &[0; 8])
        .block(5, &[0; 12])
        .block(0x7777_7777, &[1; 100]);
    let mut body = ng.words(&[0, 0, 1, 3, 3]);
    body.extend(b"abc\0");
    body.extend(ng.option(1, b"a comment"));
    body.extend(ng.option(2, &[1, 0, 0, 0]));
    body.extend([0xff; 4]);
    ng = ng
        .block(6, &body)
        .block(0x4000_0bad, b"more")
        .packet(0, 1, b"d");
    let outcome = read(&ng.bytes);
    assert_sound(&outcome);
    assert_eq!(outcome.frames[0].data, b"abc");
    // Wireshark gives custom blocks a number.
    assert_eq!(outcome.frames[0].number, 2);
    assert_eq!(outcome.frames[1].number, 4);
}

#[test]
fn decryption_secrets_are_kept_until_taken() {
    let ng = Ng::new(Order::Big).ethernet();
    let log = b"CLIENT_RANDOM 00 11";
    let body = [
        &ng.words(&[Secrets::TLS_KEY_LOG, log.len() as u32])[..],
        log,
    ]
    .concat();
    let ng = ng.block(10, &body).packet(0, 1, b"x");
    assert_eq!(
        read(&ng.bytes).secrets,
        [Secrets {
            secrets_type: Secrets::TLS_KEY_LOG,
            next_frame: 1,
            data: log.to_vec(),
        }]
    );
}

#[test]
fn many_interfaces_are_counted_to_a_bound() {
    let mut ng = Ng::new(Order::Little);
    for index in 0..70_000 {
        ng = ng.ethernet();
        if index % 1_000 == 999 {
            ng = ng.packet(index, 1, b"x");
        }
    }
    let mut reader = Reader::new(&*ng.bytes).unwrap().with_block_len(64);
    let mut block = Block::default();
    while reader.read_block(&mut block).unwrap() {}
    assert_eq!(reader.interfaces().count(), 65_536);
    assert_eq!(reader.frame_count(), 65);
    assert_eq!(reader.damage_count(), 70_000 - 65_536 + 5);
    assert!(reader.damages().len() < 1_000);
}

// ---- damage --------------------------------------------------------------------------------------------------------

#[test]
fn a_packet_of_an_interface_that_is_not_there_is_passed_over() {
    let ng = Ng::new(Order::Little)
        .packet(0, 1, b"too early")
        .ethernet()
        .packet(0, 2, b"good")
        .packet(1, 3, b"which?")
        .simple_packet(2, b"ab")
        .packet(0, 4, b"good");
    let outcome = read(&ng.bytes);
    assert_eq!(outcome.lens(), [4, 2, 4]);
    assert_eq!(
        outcome.kinds(),
        [
            &DamageKind::UnknownInterface { interface: 0 },
            &DamageKind::UnknownInterface { interface: 1 },
        ]
    );
    assert_eq!(outcome.damages[1].after_frame, 1);
    assert_eq!(outcome.nanos(), [2_000, 2_000, 4_000]);
}

#[test]
fn a_packet_that_does_not_fit_its_block_is_passed_over() {
    let ng = Ng::new(Order::Little).ethernet();
    let mut body = ng.words(&[0, 0, 1, 5, 5]);
    body.extend(b"four");
    let ng = ng.block(6, &body).block(6, &[0; 16]).packet(0, 2, b"good");
    let outcome = read(&ng.bytes);
    assert_eq!(outcome.lens(), [4]);
    assert_eq!(
        outcome.kinds(),
        [
            &DamageKind::PacketTooLong { len: 5 },
            &DamageKind::BlockTooShort { block_type: 6 },
        ]
    );
}

/// A sound capture of three packets, with the place of the second.
pub(super) fn three_packets(order: Order) -> (Vec<u8>, usize) {
    let ng = Ng::new(order).ethernet().packet(0, 1, &[1; 40]);
    let place = ng.bytes.len();
    let ng = ng.packet(0, 2, &[2; 40]).packet(0, 3, &[3; 40]);
    (ng.bytes, place)
}

#[test]
fn after_an_impossible_block_length_the_next_block_is_found() {
    for order in ORDERS {
        for len in [0, 1, 8, 73, 0xffff_fffc, 0x00ff_fffc, 16, 400, 76] {
            let (mut bytes, place) = three_packets(order);
            bytes[place + 4..place + 8].copy_from_slice(&u32_in(order, len));
            let outcome = read(&bytes);
            assert_eq!(outcome.nanos(), [1_000, 3_000], "length {len}");
            assert_eq!(outcome.damages.len(), 1);
            assert_eq!(outcome.damages[0].offset, place as u64);
            assert_eq!(outcome.damages[0].after_frame, 1);
            assert_eq!(outcome.damages[0].lost, Some(72));
        }
    }
}

#[test]
fn a_wrong_trailing_length_alone_loses_nothing() {
    for order in ORDERS {
        let (mut bytes, place) = three_packets(order);
        bytes[place + 68] ^= 0x10;
        bytes[place + 72 + 68] ^= 0x10;
        let outcome = read(&bytes);
        assert_eq!(outcome.nanos(), [1_000, 2_000, 3_000]);
        assert_eq!(outcome.damages.len(), 2);
        assert_eq!(outcome.damages[0].lost, Some(0));
        assert!(matches!(
            outcome.damages[0].kind,
            DamageKind::TrailingLength { leading: 72, .. }
        ));
    }
}

#[test]
fn bytes_that_are_gone_or_too_many_cost_one_block() {
    for order in ORDERS {
        let (whole, place) = three_packets(order);
        for count in [1, 3, 20] {
            let mut bytes = whole.clone();
            bytes.drain(place + 30..place + 30 + count);
            assert_eq!(read(&bytes).nanos(), [1_000, 3_000]);
            let mut bytes = whole.clone();
            bytes.splice(place + 30..place + 30, vec![0xee; count]);
            assert_eq!(read(&bytes).nanos(), [1_000, 3_000]);
        }
    }
}

#[test]
fn a_section_header_without_a_byte_order_is_stepped_over() {
    let (mut bytes, place) = three_packets(Order::Little);
    let header = Ng::new(Order::Little).bytes;
    bytes.splice(place..place, header);
    bytes[place + 8] ^= 1;
    let outcome = read(&bytes);
    assert_eq!(outcome.nanos(), [1_000, 2_000, 3_000]);
    assert!(matches!(
        outcome.damages[0].kind,
        DamageKind::SectionHeader { .. }
    ));
}

#[test]
fn garbage_between_blocks_is_searched_in_linear_time() {
    let (mut bytes, place) = three_packets(Order::Little);
    // Each place begins a block of the greatest length that is allowed.
    let garbage: Vec<u8> = [6, 0, 0, 0, 0, 0, 0xff, 0].repeat(1 << 18);
    bytes.splice(place..place, garbage);
    let outcome = read_quickly(&bytes);
    assert_eq!(outcome.nanos(), [1_000, 2_000, 3_000]);
    assert_eq!(outcome.damages[0].lost, Some(8 << 18));
}

#[test]
fn what_a_large_record_took_is_not_given_away_with_a_small_frame() {
    let mut ng = Ng::new(Order::Little).ethernet();
    for n in 0..3 {
        ng = ng
            .block(0xbad, &vec![0; 12 << 20])
            .packet(0, n, &[7; 100_000]);
    }
    let mut reader = Reader::new(&ng.bytes[..]).unwrap();
    for _ in 0..3 {
        let mut block = Block::default();
        assert!(reader.read_block(&mut block).unwrap());
        assert_eq!(block.frame_count(), 1);
        assert!(block.memory_len() <= 1 << 20, "{}", block.memory_len());
    }
    assert!(reader.damages().is_empty());
}

#[test]
fn the_link_types_are_those_declared_before_the_first_frame() {
    let ng = Ng::new(Order::Little)
        .interface(101, 0, &[])
        .ethernet()
        .ethernet()
        .block(0xbad, &[0; 1000])
        .packet(1, 0, &[7; 3000])
        .interface(113, 0, &[])
        .packet(3, 1, &[7; 3000]);
    for len in [1, 4000, 1 << 20] {
        let mut reader = Reader::new(&ng.bytes[..]).unwrap().with_block_len(len);
        let mut block = Block::default();
        while reader.read_block(&mut block).unwrap() {
            assert_eq!(
                block.declared_link_types(),
                [LinkType::ETHERNET, LinkType::RAW],
                "blocks of {len}"
            );
        }
        assert_eq!(block.declared_link_types(), []);
    }
}
