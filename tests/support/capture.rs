//! Captures by hand: pcap and pcapng (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng), in every
//! form that the library should read, and compressed.

use std::io::{self, Read, Write};

use tempfile::NamedTempFile;

use super::packet::{Link, Packet};
use super::random::Random;

/// A classic capture in the making: little-endian, microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pcap {
    is_big_endian: bool,
    is_nano: bool,
    is_modified: bool,
    snap_len: u32,
}

impl Pcap {
    pub fn new() -> Self {
        Self {
            is_big_endian: false,
            is_nano: false,
            is_modified: false,
            snap_len: 262_144,
        }
    }

    pub fn big_endian(mut self) -> Self {
        self.is_big_endian = true;
        self
    }

    /// With times in nanoseconds.
    pub fn nano(mut self) -> Self {
        self.is_nano = true;
        self
    }

    /// As Kuznetzov's patches wrote it: eight more bytes in front of each frame.
    pub fn modified(mut self) -> Self {
        self.is_modified = true;
        self
    }

    pub fn write(self, link: &Link, frames: &[Packet]) -> Vec<u8> {
        let order = Order(self.is_big_endian);
        let magic = match (self.is_modified, self.is_nano) {
            (true, _) => 0xa1b2_cd34,
            (false, true) => 0xa1b2_3c4d,
            (false, false) => 0xa1b2_c3d4,
        };
        let mut file = order.u32(magic).to_vec();
        file.extend([order.u16(2), order.u16(4)].concat());
        let rest = [0, 0, self.snap_len, link.number()];
        file.extend(rest.map(|word| order.u32(word)).concat());
        let per_second = if self.is_nano {
            1_000_000_000
        } else {
            1_000_000
        };
        for frame in frames {
            let ticks = ticks(frame.time, per_second);
            let words = [
                u32::try_from(ticks / per_second).unwrap(),
                u32::try_from(ticks % per_second).unwrap(),
                len32(frame.bytes.len()),
                len32(frame.wire_len),
            ];
            file.extend(words.map(|word| order.u32(word)).concat());
            if self.is_modified {
                // Interface, protocol, packet type, padding.
                file.extend([order.u32(2), [8, 0, 0, 0]].concat());
            }
            file.extend(&frame.bytes);
        }
        file
    }
}

/// Which block holds a frame of a pcapng capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    Enhanced,
    /// Without a time.
    Simple,
    /// The packet block of old.
    Obsolete,
}

/// A pcapng capture in the making: little-endian, microseconds, enhanced packet blocks.
#[derive(Clone, Copy, Debug)]
pub struct PcapNg {
    is_big_endian: bool,
    block: Block,
    resolution: Option<u8>,
    offset: i64,
    section_len: usize,
    snap_len: u32,
    is_named: bool,
}

impl PcapNg {
    pub fn new() -> Self {
        Self {
            is_big_endian: false,
            block: Block::Enhanced,
            resolution: None,
            offset: 0,
            section_len: usize::MAX,
            snap_len: 262_144,
            is_named: false,
        }
    }

    /// The option `if_name`: `eth0`, `eth1` and so on.
    pub fn named(mut self) -> Self {
        self.is_named = true;
        self
    }

    pub fn big_endian(mut self) -> Self {
        self.is_big_endian = true;
        self
    }

    pub fn blocks(mut self, block: Block) -> Self {
        self.block = block;
        self
    }

    /// The option `if_tsresol`: 9 for nanoseconds, 0x80 | n for 2^-n seconds.
    pub fn resolution(mut self, resolution: u8) -> Self {
        self.resolution = Some(resolution);
        self
    }

    /// The option `if_tsoffset`: seconds that are to be added to every time.
    pub fn offset(mut self, seconds: i64) -> Self {
        self.offset = seconds;
        self
    }

    /// Begins a section anew after `frames`; every second one is in the other byte order.
    pub fn sections_of(mut self, frames: usize) -> Self {
        self.section_len = frames;
        self
    }

    pub fn write(self, link: &Link, frames: &[Packet]) -> Vec<u8> {
        self.write_interfaces(&[(link.clone(), frames.to_vec())])
    }

    /// The frames of several interfaces, each as often as it has any, by time.
    pub fn write_interfaces(self, interfaces: &[(Link, Vec<Packet>)]) -> Vec<u8> {
        let mut frames: Vec<(u32, &Packet)> = Vec::new();
        for (number, (_, list)) in (0..).zip(interfaces) {
            frames.extend(list.iter().map(|frame| (number, frame)));
        }
        frames.sort_by_key(|(_, frame)| frame.time);
        let mut file = Vec::new();
        let mut order = Order(self.is_big_endian);
        for section in frames.chunks(self.section_len) {
            file.extend(section_header(order));
            for (number, (link, _)) in interfaces.iter().enumerate() {
                file.extend(self.interface(order, number, link));
            }
            for (interface, frame) in section {
                file.extend(self.frame(order, *interface, frame));
            }
            order = Order(!order.0);
        }
        file
    }

    fn interface(self, order: Order, number: usize, link: &Link) -> Vec<u8> {
        let link = u16::try_from(link.number()).unwrap();
        let mut body = [order.u16(link), order.u16(0)].concat();
        body.extend(order.u32(self.snap_len));
        if self.is_named {
            body.extend(option(order, 2, format!("eth{number}").as_bytes()));
        }
        if let Some(resolution) = self.resolution {
            body.extend(option(order, 9, &[resolution]));
        }
        if self.offset != 0 {
            body.extend(option(order, 14, &order.u64(self.offset.cast_unsigned())));
        }
        body.extend(option(order, 0, &[]));
        block(order, 1, &body)
    }

    fn frame(self, order: Order, interface: u32, frame: &Packet) -> Vec<u8> {
        let per_second = match self.resolution.unwrap_or(6) {
            binary @ 0x80.. => 1_i128 << (binary & 0x7f),
            decimal => 10_i128.pow(decimal.into()),
        };
        let ticks = ticks(frame.time - self.offset * 1_000_000_000, per_second);
        let ticks = u64::try_from(ticks).unwrap();
        let time = [
            order.u32(u32::try_from(ticks >> 32).unwrap()),
            order.u32(u32::try_from(ticks & 0xffff_ffff).unwrap()),
        ];
        let lengths = [
            order.u32(len32(frame.bytes.len())),
            order.u32(len32(frame.wire_len)),
        ];
        let bytes = padded(&frame.bytes);
        match self.block {
            Block::Enhanced => {
                let head = [&[order.u32(interface)], &time[..], &lengths].concat();
                block(order, 6, &[head.concat(), bytes].concat())
            }
            Block::Obsolete => {
                // Interface, and an unknown number of drops.
                let interface = u16::try_from(interface).unwrap();
                let head = [order.u16(interface), order.u16(0xffff)].concat();
                let rest = [&time[..], &lengths].concat().concat();
                block(order, 2, &[head, rest, bytes].concat())
            }
            Block::Simple => block(order, 3, &[lengths[1].to_vec(), bytes].concat()),
        }
    }
}

/// Any pcapng block.
pub fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let len = order.u32(len32(12 + padded(body).len()));
    [&order.u32(kind)[..], &len, &padded(body), &len].concat()
}

/// The blocks of a pcapng in little-endian byte order.
pub fn blocks_of(file: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let (block, after) = rest.split_at(usize::try_from(len).unwrap());
        blocks.push(block.to_vec());
        rest = after;
    }
    blocks
}

/// A block with the secrets of TLS connections, as a key log has them.
pub fn secrets_block(order: Order, key_log: &str) -> Vec<u8> {
    let head = [order.u32(0x544c_534b), order.u32(len32(key_log.len()))].concat();
    block(order, 10, &[&head, key_log.as_bytes()].concat())
}

fn section_header(order: Order) -> Vec<u8> {
    let version = [order.u16(1), order.u16(0)].concat();
    let body = [&order.u32(0x1a2b_3c4d)[..], &version, &order.u64(u64::MAX)].concat();
    block(order, 0x0a0d_0d0a, &body)
}

fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap();
    [&order.u16(code)[..], &order.u16(len), &padded(value)].concat()
}

/// `bytes` up to the next multiple of four.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// `nanos` in ticks of a clock, rounded down.
fn ticks(nanos: i64, per_second: i128) -> i128 {
    i128::from(nanos) * per_second / 1_000_000_000
}

fn len32(len: usize) -> u32 {
    u32::try_from(len).unwrap()
}

/// A byte order: big-endian or not.
#[derive(Clone, Copy, Debug)]
pub struct Order(pub bool);

impl Order {
    pub fn u16(self, value: u16) -> [u8; 2] {
        if self.0 {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        if self.0 {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    pub fn u64(self, value: u64) -> [u8; 8] {
        if self.0 {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }
}

/// In `members` gzip members, one after the other (RFC 1952, section 2.2).
pub fn gzip(bytes: &[u8], members: usize) -> Vec<u8> {
    let len = bytes.len().div_ceil(members).max(1);
    let member = |part: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    bytes.chunks(len).flat_map(member).collect()
}

/// As a Zstandard frame (RFC 8878).
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// As an LZ4 frame.
pub fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// As an xz stream.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A pipe that gives its bytes in odd portions, and is interrupted now and then.
#[derive(Clone, Debug)]
pub struct Trickle {
    bytes: io::Cursor<Vec<u8>>,
    portion: usize,
    random: Random,
}

impl Trickle {
    /// Gives at most `portion` bytes at once.
    pub fn new(bytes: Vec<u8>, portion: usize) -> Self {
        Self {
            bytes: io::Cursor::new(bytes),
            portion,
            random: Random::quiet(1),
        }
    }
}

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.random.chance(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = into.len().min(1 + self.random.below(self.portion));
        self.bytes.read(&mut into[..len])
    }
}

/// A file that goes when it is dropped. Its name ends in `suffix`.
pub fn file(bytes: &[u8], suffix: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    file
}
