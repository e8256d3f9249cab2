//! The wire in a small language, and the stories of what a reader makes of it.

#![expect(clippy::as_conversions, reason = "the small numbers of tests")]

use std::fmt::Debug;
use std::io;

use super::*;
use crate::capture::block::Frames;
use crate::capture::damage::DamageKind;
use crate::capture::order::Order;
use crate::time::Precision;

const BLOCK_LEN: usize = 256 * 1024;

/// All that a frame says, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    number: u64,
    nanos: i64,
    precision: Precision,
    link_type: u32,
    interface: u32,
    data: Vec<u8>,
    original_len: u32,
}

impl From<Frame<'_>> for Seen {
    fn from(frame: Frame<'_>) -> Self {
        Self {
            number: frame.number,
            nanos: frame.time.as_nanos(),
            precision: frame.precision,
            link_type: frame.link_type.0,
            interface: frame.interface,
            data: frame.data.to_vec(),
            original_len: frame.original_len,
        }
    }
}

/// What a whole capture gave.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    frames: Vec<Seen>,
    damages: Vec<Damage>,
    secrets: Vec<Secrets>,
}

impl Outcome {
    fn lens(&self) -> Vec<usize> {
        self.frames.iter().map(|frame| frame.data.len()).collect()
    }

    fn nanos(&self) -> Vec<i64> {
        self.frames.iter().map(|frame| frame.nanos).collect()
    }

    fn kinds(&self) -> Vec<&DamageKind> {
        self.damages.iter().map(|damage| &damage.kind).collect()
    }
}

/// Gives at most so many bytes a read.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len().min(self.1);
        self.0.read(&mut out[..len])
    }
}

fn read_with(
    bytes: &[u8],
    step: usize,
    block_len: usize,
    delivery: Delivery,
) -> Result<Outcome, Error> {
    let mut reader = Reader::new(Trickle(bytes, step))?
        .with_block_len(block_len)
        .with_short_reads(delivery);
    let mut outcome = Outcome::default();
    let mut block = Block::default();
    while reader.read_block(&mut block)? {
        assert!(block.frame_count() > 0);
        assert_eq!(block.frames().count(), block.frame_count());
        assert_eq!(block.frames().next().unwrap().number, block.first_number());
        for frame in block.frames() {
            let offset = block.offset_of(frame.data).unwrap();
            assert_eq!(&block.bytes()[offset..][..frame.data.len()], frame.data);
            assert_eq!(
                block.interfaces().get(frame.interface).unwrap().link_type,
                frame.link_type
            );
            outcome.frames.push(frame.into());
        }
    }
    assert!(!reader.read_block(&mut block)?);
    assert_eq!(reader.frame_count(), outcome.frames.len() as u64);
    assert_eq!(reader.damage_count(), reader.damages().len() as u64);
    outcome.damages = reader.damages().to_vec();
    outcome.secrets = reader.secrets().collect();
    Ok(outcome)
}

/// Reads in every manner, and wants the same from each.
fn read(bytes: &[u8]) -> Outcome {
    let whole = read_with(bytes, usize::MAX, BLOCK_LEN, Delivery::Full).unwrap();
    for (step, block_len) in [
        (1, 64),
        (3, 64),
        (7, 100),
        (4096, 64),
        (4096, 1),
        (1, 1 << 18),
    ] {
        for delivery in [Delivery::Full, Delivery::Prompt] {
            let other = read_with(bytes, step, block_len, delivery).unwrap();
            assert_eq!(
                whole, other,
                "step {step}, blocks {block_len}, {delivery:?}"
            );
        }
    }
    let mut reader = Reader::new(bytes).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame(|frame| Seen::from(frame)).unwrap() {
        frames.push(frame);
    }
    assert_eq!(whole.frames, frames);
    whole
}

fn read_quickly(bytes: &[u8]) -> Outcome {
    read_with(bytes, usize::MAX, BLOCK_LEN, Delivery::Full).unwrap()
}

// ---- the classic format --------------------------------------------------------------------------------------------

struct Pcap {
    order: Order,
    header_len: usize,
    bytes: Vec<u8>,
}

impl Pcap {
    fn new(order: Order, magic: u32) -> Self {
        Self::with_version(order, magic, (2, 4), 1)
    }

    fn with_version(order: Order, magic: u32, version: (u16, u16), network: u32) -> Self {
        let mut pcap = Self {
            order,
            header_len: if magic == 0xa1b2_cd34 { 24 } else { 16 },
            bytes: Vec::new(),
        };
        pcap.bytes.extend(u32_in(order, magic));
        pcap.bytes.extend(u16_in(order, version.0));
        pcap.bytes.extend(u16_in(order, version.1));
        for word in [0, 0, 262_144, network] {
            pcap.bytes.extend(u32_in(order, word));
        }
        if magic & 0xffff_fff0 == 0x1c00_01a0 {
            pcap.bytes.extend([0; 4]);
        }
        pcap
    }

    fn with_snap_len(mut self, len: u32) -> Self {
        self.bytes[16..20].copy_from_slice(&u32_in(self.order, len));
        self
    }

    fn record(self, seconds: u32, fraction: u32, data: &[u8]) -> Self {
        let len = data.len() as u32;
        self.record_saying(seconds, fraction, [len, len + 1], data)
    }

    fn record_saying(mut self, seconds: u32, fraction: u32, lens: [u32; 2], data: &[u8]) -> Self {
        for word in [seconds, fraction, lens[0], lens[1]] {
            self.bytes.extend(u32_in(self.order, word));
        }
        self.bytes
            .resize(self.bytes.len() + self.header_len - 16, 0);
        self.bytes.extend(data);
        self
    }
}

fn u16_in(order: Order, number: u16) -> [u8; 2] {
    match order {
        Order::Little => number.to_le_bytes(),
        Order::Big => number.to_be_bytes(),
    }
}

fn u32_in(order: Order, number: u32) -> [u8; 4] {
    match order {
        Order::Little => number.to_le_bytes(),
        Order::Big => number.to_be_bytes(),
    }
}

const ORDERS: [Order; 2] = [Order::Little, Order::Big];
const MICROS: u32 = 0xa1b2_c3d4;

#[test]
fn every_classic_variant_is_read() {
    for order in ORDERS {
        for (magic, nanos, precision) in [
            (MICROS, 7_000_005_000, Precision::Microseconds),
            (0xa1b2_3c4d, 7_000_000_005, Precision::Nanoseconds),
            (0xa1b2_cd34, 7_000_005_000, Precision::Microseconds),
            (0x1c00_01ab, 7_000_005_000, Precision::Microseconds),
            (0x1c00_01ac, 7_000_000_005, Precision::Nanoseconds),
        ] {
            let pcap = Pcap::new(order, magic)
                .record(7, 5, b"first")
                .record(8, 0, b"")
                .record(9, 0, &[9; 200]);
            assert!(crate::capture::looks_like(&pcap.bytes));
            let outcome = read(&pcap.bytes);
            assert_eq!(outcome.damages, []);
            assert_eq!(outcome.lens(), [5, 0, 200], "{order:?} {magic:#x}");
            assert_eq!(
                outcome.frames[0],
                Seen {
                    number: 1,
                    nanos,
                    precision,
                    link_type: 1,
                    interface: 0,
                    data: b"first".to_vec(),
                    original_len: 6,
                }
            );
        }
    }
}

#[test]
fn the_link_type_is_in_the_low_half_of_its_word() {
    for (network, link_type) in [(0x0800_0001, 1), (0xd800_0001, 1), (0x2000_00ff, 255)] {
        let pcap = Pcap::with_version(Order::Little, MICROS, (2, 4), network).record(1, 1, b"x");
        assert_eq!(read(&pcap.bytes).frames[0].link_type, link_type);
    }
}

#[test]
fn old_versions_that_swapped_the_lengths_are_read() {
    for (version, lens) in [
        ((2, 2), [9, 4]),
        ((543, 0), [9, 4]),
        ((2, 3), [9, 4]),
        ((2, 3), [4, 9]),
        ((2, 4), [4, 9]),
    ] {
        let pcap = Pcap::with_version(Order::Little, MICROS, version, 1)
            .record_saying(1, 1, lens, b"data")
            .record_saying(1, 1, lens, b"more");
        let outcome = read(&pcap.bytes);
        assert_eq!(outcome.lens(), [4, 4], "{version:?}");
        assert_eq!(outcome.frames[1].original_len, 9);
    }
}

#[test]
fn a_capture_without_records_is_a_capture() {
    assert_eq!(
        read(&Pcap::new(Order::Little, MICROS).bytes),
        Outcome::default()
    );
}

#[test]
fn a_record_that_ends_early_is_said_with_its_place() {
    let pcap = Pcap::new(Order::Little, MICROS)
        .record(1, 1, b"whole")
        .record_saying(2, 2, [100, 100], b"only these");
    let outcome = read(&pcap.bytes);
    assert_eq!(outcome.lens(), [5]);
    assert_eq!(
        outcome.damages,
        [Damage {
            offset: 24 + 16 + 5,
            after_frame: 1,
            kind: DamageKind::CutShort { have: 26 },
            lost: Some(26),
            detail: None,
        }]
    );
}

#[test]
fn an_absurd_length_ends_the_capture_there() {
    let pcap = Pcap::new(Order::Big, MICROS)
        .record(1, 1, b"whole")
        .record_saying(2, 2, [0x7fff_fff0, 4], b"data")
        .record(3, 3, b"lost");
    let outcome = read(&pcap.bytes);
    assert_eq!(outcome.lens(), [5]);
    assert_eq!(
        outcome.damages,
        [Damage {
            offset: 45,
            after_frame: 1,
            kind: DamageKind::RecordTooLong { len: 0x7fff_fff0 },
            lost: None,
            detail: None,
        }]
    );
}

#[test]
fn a_large_record_has_to_agree_with_its_capture() {
    for (snap_len, lens, is_read) in [
        (262_144, [300_000, 300_000], false),
        (262_144, [262_144, 9], true),
        (0, [300_000, 300_000], true),
        (0, [300_000, 299_999], false),
        (65_535, [100_000, 100_000], true),
        (65_535, [262_145, 262_145], false),
        (1 << 20, [300_000, 300_000], true),
    ] {
        let pcap = Pcap::new(Order::Little, MICROS)
            .with_snap_len(snap_len)
            .record_saying(1, 1, lens, &vec![0; lens[0] as usize]);
        let count = read_quickly(&pcap.bytes).frames.len();
        assert_eq!(count, usize::from(is_read), "{snap_len} {lens:?}");
    }
}

#[test]
fn a_record_larger_than_a_block_has_one_of_its_own() {
    let pcap = Pcap::new(Order::Little, MICROS)
        .record(1, 1, &[1; 10])
        .record(1, 1, &[2; 5_000])
        .record(1, 1, &[3; 10])
        .record(1, 1, &[4; 10]);
    assert_eq!(read(&pcap.bytes).lens(), [10, 5_000, 10, 10]);
    let mut reader = Reader::new(&*pcap.bytes).unwrap().with_block_len(100);
    let mut block = Block::default();
    let mut counts = Vec::new();
    while reader.read_block(&mut block).unwrap() {
        counts.push(block.frame_count());
    }
    assert_eq!(counts, [1, 1, 2]);
    assert!(block.buffer.len() <= 5_016 * 3);
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let mut pcap = Pcap::new(Order::Little, MICROS).with_snap_len(0);
    pcap = pcap.record_saying(1, 1, [16 << 20; 2], b"short");
    let mut reader = Reader::new(&*pcap.bytes).unwrap().with_block_len(64);
    let mut block = Block::default();
    assert!(!reader.read_block(&mut block).unwrap());
    assert!(block.buffer.len() < 1_000);
}

#[test]
fn a_slow_pipe_is_not_held_back() {
    /// Gives one record a read, and counts.
    struct Live(Vec<Vec<u8>>, usize);
    impl Read for Live {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let Some(next) = self.0.get_mut(self.1) else {
                return Ok(0);
            };
            let len = out.len().min(next.len());
            out[..len].copy_from_slice(&next[..len]);
            next.drain(..len);
            if next.is_empty() {
                self.1 += 1;
            }
            Ok(len)
        }
    }
    let record = Pcap::new(Order::Little, MICROS).record(1, 1, b"data");
    let (header, record) = record.bytes.split_at(24);
    let live = Live(vec![header.to_vec(), record.to_vec(), record.to_vec()], 0);
    let mut reader = Reader::new(live)
        .unwrap()
        .with_short_reads(Delivery::Prompt);
    let mut block = Block::default();
    for reads in [2, 3] {
        assert!(reader.read_block(&mut block).unwrap());
        assert_eq!(block.frame_count(), 1);
        assert_eq!(reader.input().1, reads);
    }
    assert!(!reader.read_block(&mut block).unwrap());
}

// ---- pcapng --------------------------------------------------------------------------------------------------------

struct Ng {
    order: Order,
    bytes: Vec<u8>,
}

impl Ng {
    fn new(order: Order) -> Self {
        Self {
            order,
            bytes: Vec::new(),
        }
        .section(order)
    }

    fn section(self, order: Order) -> Self {
        self.section_of_len(order, -1)
    }

    fn section_of_len(mut self, order: Order, len: i64) -> Self {
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

    fn block(mut self, block_type: u32, body: &[u8]) -> Self {
        let padding = body.len().next_multiple_of(4) - body.len();
        let len = u32_in(self.order, (12 + body.len() + padding) as u32);
        self.bytes.extend(u32_in(self.order, block_type));
        self.bytes.extend(len);
        self.bytes.extend(body);
        self.bytes.extend(&[0; 3][..padding]);
        self.bytes.extend(len);
        self
    }

    fn words(&self, words: &[u32]) -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| u32_in(self.order, *word))
            .collect()
    }

    fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut option = [
            u16_in(self.order, code),
            u16_in(self.order, value.len() as u16),
        ]
        .concat();
        option.extend(value);
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    fn interface(self, link_type: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Self {
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

    fn ethernet(self) -> Self {
        self.interface(1, 0, &[])
    }

    fn packet(self, interface: u32, ticks: u64, data: &[u8]) -> Self {
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

    fn simple_packet(self, original_len: u32, data: &[u8]) -> Self {
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
fn three_packets(order: Order) -> (Vec<u8>, usize) {
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
fn every_prefix_gives_the_frames_it_holds() {
    let classic = Pcap::new(Order::Big, MICROS)
        .record(1, 1, &[1; 20])
        .record(2, 2, &[2; 20]);
    let (ng, _) = three_packets(Order::Little);
    for (bytes, header_len, starts) in [
        (&classic.bytes, 24, vec![24, 60, 96]),
        (&ng, 12, vec![0, 28, 48, 120, 192, 264]),
    ] {
        let whole = read(bytes);
        assert!(matches!(Reader::new(&bytes[..0]), Err(Error::Empty)));
        for len in 1..header_len {
            assert!(Reader::new(&bytes[..len]).is_err(), "{len}");
        }
        for len in header_len..bytes.len() {
            let outcome = read_quickly(&bytes[..len]);
            let count = outcome.frames.len();
            assert_eq!(outcome.frames, whole.frames[..count]);
            assert_eq!(outcome.damages.is_empty(), starts.contains(&len), "{len}");
            if let [damage] = &*outcome.damages {
                let start = starts.iter().rev().find(|start| **start < len).unwrap();
                assert_eq!(damage.offset, *start as u64);
                assert_eq!(
                    damage.kind,
                    DamageKind::CutShort {
                        have: (len - start) as u64
                    }
                );
            }
        }
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let classic = Pcap::new(Order::Little, MICROS)
        .record(1, 1, &[1; 20])
        .record(2, 2, &[2; 20])
        .record(3, 3, b"");
    let (ng, _) = three_packets(Order::Big);
    let mixed = Ng::new(Order::Little)
        .interface(1, 4, &[(2, b"eth0"), (9, &[6]), (14, &[1; 8])])
        .simple_packet(3, b"abc")
        .block(10, &[1; 16])
        .section(Order::Big)
        .ethernet()
        .packet(0, 9, b"data");
    for bytes in [&classic.bytes, &ng, &mixed.bytes] {
        for place in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff, bytes[place]] {
                let mut bytes = bytes.clone();
                bytes[place] ^= flip;
                let Ok(outcome) = read_with(&bytes, usize::MAX, BLOCK_LEN, Delivery::Full) else {
                    continue;
                };
                assert!(outcome.frames.len() <= bytes.len() / 16);
                let other = read_with(&bytes, 5, 64, Delivery::Prompt).unwrap();
                assert_eq!(outcome, other, "place {place}, flip {flip:#x}");
            }
        }
    }
}

// ---- inputs that are none, and inputs that fail ------------------------------------------------------------------

fn refusal<T: Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn what_is_no_capture_is_named() {
    assert_eq!(refusal(Reader::new(&b""[..])), "the input is empty");
    assert_eq!(
        refusal(Reader::new(&b"\xd4\xc3\xb2\xa1\x02\x00"[..])),
        "the capture is cut short within its file header: 6 bytes"
    );
    assert!(refusal(Reader::new(&b"snoop\0\0\0\0\0\0\x02"[..])).contains("a snoop capture"));
    assert_eq!(
        refusal(Reader::new(&[0xfe, 0, 1][..])),
        "not a pcap or pcapng capture: it begins with fe 00 01"
    );
    // A section header's type is a line break, a page break and so on: text may begin so.
    assert!(matches!(
        Reader::new(&b"\n\r\r\n    no byte order"[..]),
        Err(Error::Foreign { what: "text", .. })
    ));
}

/// Gives its bytes, then fails.
struct Failing<'a>(&'a [u8], io::ErrorKind);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(io::Error::new(self.1, "no more")),
            len => Ok(len),
        }
    }
}

#[test]
fn frames_before_a_failure_are_delivered() {
    let bytes = Pcap::new(Order::Little, MICROS)
        .record(1, 1, b"whole")
        .record_saying(1, 1, [9, 9], b"part")
        .bytes;
    let mut block = Block::default();

    let mut reader = Reader::new(Failing(&bytes, io::ErrorKind::UnexpectedEof)).unwrap();
    assert!(reader.read_block(&mut block).unwrap());
    assert!(!reader.read_block(&mut block).unwrap());
    assert_eq!(
        reader.damages(),
        [Damage {
            offset: 45,
            after_frame: 1,
            kind: DamageKind::Input,
            lost: None,
            detail: Some("no more".to_owned()),
        }]
    );

    let mut reader = Reader::new(Failing(&bytes, io::ErrorKind::Other)).unwrap();
    assert!(reader.read_block(&mut block).unwrap());
    assert!(matches!(reader.read_block(&mut block), Err(Error::Io(_))));
    assert!(!reader.read_block(&mut block).unwrap());
    assert_eq!(reader.damages(), []);

    assert!(matches!(
        Reader::new(Failing(&bytes[..9], io::ErrorKind::UnexpectedEof)),
        Err(Error::Io(_))
    ));
}

#[test]
fn blocks_go_to_other_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Block>();
    is_send_and_sync::<Frames<'_>>();
}
