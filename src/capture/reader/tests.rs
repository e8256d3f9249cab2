//! The wire in a small language, and the stories of what a reader makes of it.

#![expect(clippy::as_conversions, reason = "the small numbers of tests")]

use std::fmt::Debug;
use std::io;

use super::*;
use crate::capture::block::Frames;
use crate::capture::damage::DamageKind;
use crate::capture::order::Order;
use crate::capture::refill::Stretch;
use crate::time::Precision;

use self::ng::{Ng, three_packets};

mod ng;

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

/// Reads in stretches of so many bytes, each with so many free bytes in front of it.
#[derive(Debug)]
struct InStretches {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
    headroom: usize,
}

impl Supply for InStretches {
    fn next(&mut self, mut spare: Vec<u8>) -> Stretch {
        let end = self.bytes.len().min(self.at + self.step);
        // Whatever it was used for before.
        spare.resize(self.headroom, 0xee);
        spare.extend(&self.bytes[self.at..end]);
        self.at = end;
        Stretch {
            range: self.headroom..spare.len(),
            buffer: spare,
            is_last: end == self.bytes.len(),
            failure: None,
        }
    }
}

fn read_with(
    bytes: &[u8],
    step: usize,
    block_len: usize,
    delivery: Delivery,
) -> Result<Outcome, Error> {
    let reader = Reader::new(Trickle(bytes, step))?
        .with_block_len(block_len)
        .with_short_reads(delivery);
    read_blocks(reader)
}

fn read_in_stretches(bytes: &[u8], step: usize, headroom: usize) -> Outcome {
    let reader = Reader::new(bytes).unwrap().with_block_len(step);
    read_blocks(reader.with_supply(|begin| {
        Box::new(InStretches {
            bytes: bytes.to_vec(),
            at: begin.try_into().unwrap(),
            step,
            headroom,
        })
    }))
    .unwrap()
}

fn read_blocks<R: Read>(mut reader: Reader<R>) -> Result<Outcome, Error> {
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
    for (step, headroom) in [(1, 0), (7, 5), (64, 64), (100, 1 << 16), (1 << 18, 16)] {
        let other = read_in_stretches(bytes, step, headroom);
        assert_eq!(whole, other, "stretches of {step} bytes behind {headroom}");
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

// ---- both formats ------------------------------------------------------------------------------------------------

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
