//! pcapng blocks (draft-ietf-opsawg-pcapng): what one block says, given the section it stands in.
//!
//! Pure functions of bytes, used twice: where the reader finds the ends of blocks, and where frames are made
//! of them. Packets are read by hand: the parser crate collects the options of each in a `Vec` and refuses a packet for
//! a bad option. Options of other blocks are taken apart by it.

use pcap_parser::{PcapNGOption, parse_option_be, parse_option_le};

use crate::capture::clock::Clock;
use crate::capture::damage::DamageKind;
use crate::capture::interface::{Interface, Interfaces};
use crate::capture::link_type::LinkType;
use crate::capture::order::{Order, to_len};

/// The type of a section header: the same in both byte orders, and not what text conversion leaves intact.
pub(crate) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// The section that blocks stand in, as far as it is known where a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) order: Order,
    /// The index of its first interface among those of the capture.
    first_interface: u32,
    interface_count: u32,
}

/// Type and length of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) block_type: u32,
    /// The whole block, as its first length says.
    pub(crate) len: usize,
    /// The byte order of its lengths.
    order: Order,
}

/// What can be said of the start of a block.
#[derive(Debug)]
pub(crate) enum HeaderRead {
    /// This many bytes are needed to tell.
    AtLeast(usize),
    Header(Header),
    Impossible(DamageKind),
}

/// What a block says.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Packet(Packet<'a>),
    Section(Section),
    /// The body of an interface description which is to be counted.
    Interface(&'a [u8]),
    Secrets {
        secrets_type: u32,
        data: &'a [u8],
    },
    /// No packet, but Wireshark shows it as a frame and gives it a number.
    Numbered,
    Other,
}

/// A packet, from whichever kind of block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    /// The index of its interface among those of the capture.
    pub(crate) interface: u32,
    /// `None` for simple packets.
    pub(crate) ticks: Option<u64>,
    pub(crate) data: &'a [u8],
    pub(crate) original_len: u32,
}

impl Section {
    /// The state before the first section header, whose byte order is `order`.
    pub(crate) fn first(order: Order) -> Self {
        Self {
            order,
            first_interface: 0,
            interface_count: 0,
        }
    }

    /// Reads an enhanced packet block of which all is sound, and says how long it is: nearly every block of a capture.
    ///
    /// `None` says only that the long way is to be taken, by [`Section::header`] and [`Section::item`], which
    /// give the same for what is sound.
    #[inline]
    pub(crate) fn usual_packet(self, bytes: &[u8], max_len: usize) -> Option<(Packet<'_>, usize)> {
        let [block_type, block_len, number, high, low, len, original_len] =
            self.order.words(bytes)?;
        let whole = to_len(block_len);
        if block_type != ENHANCED_PACKET || !whole.is_multiple_of(4) || whole > max_len {
            return None;
        }
        let (block, trailing) = bytes.get(..whole)?.split_last_chunk()?;
        if self.order.u32(*trailing) != block_len || number >= self.interface_count {
            return None;
        }
        let packet = Packet {
            interface: self.first_interface + number,
            ticks: Some(ticks(high, low)),
            data: block.get(28..)?.get(..to_len(len))?,
            original_len,
        };
        Some((packet, whole))
    }

    /// Reads type and length of the block that `bytes` begin with.
    #[inline]
    pub(crate) fn header(self, bytes: &[u8], max_len: usize) -> HeaderRead {
        let ([block_type, len, ..], _) = bytes.as_chunks() else {
            return HeaderRead::AtLeast(MIN_LEN);
        };
        let mut order = self.order;
        let mut min_len = MIN_LEN;
        if *block_type == MAGIC {
            let Some(magic) = bytes.get(8..).and_then(<[u8]>::first_chunk) else {
                return HeaderRead::AtLeast(MIN_LEN);
            };
            match byte_order(*magic) {
                Some(found) => order = found,
                None => {
                    return HeaderRead::Impossible(DamageKind::SectionHeader {
                        magic: u32::from_be_bytes(*magic),
                    });
                }
            }
            min_len = SECTION_HEADER_LEN;
        }
        let (block_type, len) = (order.u32(*block_type), order.u32(*len));
        let whole = to_len(len);
        if whole < min_len || !whole.is_multiple_of(4) || whole > max_len {
            return HeaderRead::Impossible(DamageKind::BlockLength { len });
        }
        HeaderRead::Header(Header {
            block_type,
            len: whole,
            order,
        })
    }

    /// Reads a whole block, from its first byte to its last.
    ///
    /// # Errors
    ///
    /// When it breaks a rule of its type. Its length is right, and so the next block can be read.
    #[inline]
    pub(crate) fn item<'a>(
        self,
        header: Header,
        block: &'a [u8],
        interfaces: &Interfaces,
    ) -> Result<Item<'a>, DamageKind> {
        let body = block
            .get(8..header.len.saturating_sub(4))
            .unwrap_or_default();
        let too_short = DamageKind::BlockTooShort {
            block_type: header.block_type,
        };
        match header.block_type {
            ENHANCED_PACKET => self.enhanced_packet(body).unwrap_or(Err(too_short)),
            SIMPLE_PACKET => self
                .simple_packet(body, interfaces)
                .unwrap_or(Err(too_short)),
            OBSOLETE_PACKET => self.obsolete_packet(body).unwrap_or(Err(too_short)),
            INTERFACE if body.len() < 8 => Err(too_short),
            INTERFACE if self.next_interface() >= Interfaces::MAX_COUNT => {
                Err(DamageKind::TooManyInterfaces)
            }
            INTERFACE => Ok(Item::Interface(body)),
            SECTION_HEADER => Ok(Item::Section(Self {
                order: header.order,
                first_interface: self.next_interface(),
                interface_count: 0,
            })),
            SECRETS => self.secrets(body).ok_or(too_short),
            JOURNAL | CUSTOM | CUSTOM_NOT_TO_COPY => Ok(Item::Numbered),
            _ => Ok(Item::Other),
        }
    }

    /// The section after one more interface.
    pub(crate) fn with_interface(self) -> Self {
        Self {
            interface_count: self.interface_count + 1,
            ..self
        }
    }

    /// The index that the next interface gets among those of the capture.
    fn next_interface(self) -> u32 {
        self.first_interface + self.interface_count
    }

    /// The index among those of the capture of interface `number` of this section.
    #[inline]
    fn interface(self, number: u32) -> Result<u32, DamageKind> {
        if number < self.interface_count {
            Ok(self.first_interface + number)
        } else {
            Err(DamageKind::UnknownInterface { interface: number })
        }
    }

    /// `None` for too short a block, here and below.
    fn enhanced_packet(self, body: &[u8]) -> Option<Result<Item<'_>, DamageKind>> {
        let (interface, rest) = self.order.split_u32(body)?;
        self.timed_packet(interface, rest)
    }

    /// The predecessor of the enhanced packet block: a shorter interface number and a count of drops, then the same.
    fn obsolete_packet(self, body: &[u8]) -> Option<Result<Item<'_>, DamageKind>> {
        let (interface, rest) = body.split_first_chunk()?;
        let (_drops, rest) = rest.split_first_chunk::<2>()?;
        self.timed_packet(u32::from(self.order.u16(*interface)), rest)
    }

    fn timed_packet(self, interface: u32, bytes: &[u8]) -> Option<Result<Item<'_>, DamageKind>> {
        let [high, low, len, original_len] = self.order.words(bytes)?;
        let data = bytes.get(16..).and_then(|rest| rest.get(..to_len(len)));
        Some(match (data, self.interface(interface)) {
            (None, _) => Err(DamageKind::PacketTooLong { len }),
            (_, Err(unknown)) => Err(unknown),
            (Some(data), Ok(interface)) => Ok(Item::Packet(Packet {
                interface,
                ticks: Some(ticks(high, low)),
                data,
                original_len,
            })),
        })
    }

    /// It has no captured length: that follows from the snap length, and the rest is padding.
    fn simple_packet<'a>(
        self,
        body: &'a [u8],
        interfaces: &Interfaces,
    ) -> Option<Result<Item<'a>, DamageKind>> {
        let (original_len, rest) = self.order.split_u32(body)?;
        let interface = match self.interface(0) {
            Ok(interface) => interface,
            Err(unknown) => return Some(Err(unknown)),
        };
        let snap_len = interfaces
            .get(interface)
            .map(|interface| interface.snap_len);
        let len = match snap_len {
            Some(snap_len @ 1..) => original_len.min(snap_len),
            _ => original_len,
        };
        Some(Ok(Item::Packet(Packet {
            interface,
            ticks: None,
            data: rest.get(..to_len(len)).unwrap_or(rest),
            original_len,
        })))
    }

    fn secrets(self, body: &[u8]) -> Option<Item<'_>> {
        let (secrets_type, rest) = self.order.split_u32(body)?;
        let (len, rest) = self.order.split_u32(rest)?;
        let data = rest.get(..to_len(len))?;
        Some(Item::Secrets { secrets_type, data })
    }

    /// Reads the body of an interface description. An option that cannot be read is as good as none.
    pub(crate) fn read_interface(self, body: &[u8]) -> Interface {
        let link_type = body
            .first_chunk()
            .map_or(u16::MAX, |bytes| self.order.u16(*bytes));
        let snap_len = body.get(4..).and_then(|rest| self.order.split_u32(rest));
        let mut options = body.get(8..).unwrap_or_default();
        let (mut name, mut resolution, mut offset) = (None, DEFAULT_RESOLUTION, 0);
        while let Some((option, rest)) = self.split_option(options) {
            options = rest;
            let Ok(value) = option.as_bytes() else { break };
            match (option.code.0, value) {
                (OPTION_END, _) => break,
                (OPTION_NAME, value) => name = readable_name(value),
                (OPTION_RESOLUTION, &[value]) => resolution = value,
                (OPTION_OFFSET, value) => {
                    if let Ok(value) = value.try_into() {
                        offset = self.order.i64(value);
                    }
                }
                _ => {}
            }
        }
        let clock = Clock::new(resolution, offset);
        Interface {
            name,
            snap_len: snap_len.map_or(0, |(len, _)| len),
            ..Interface::new(LinkType(u32::from(link_type)), clock)
        }
    }

    fn split_option(self, bytes: &[u8]) -> Option<(PcapNGOption<'_>, &[u8])> {
        let parsed = match self.order {
            Order::Little => parse_option_le::<pcap_parser::PcapError<&[u8]>>(bytes),
            Order::Big => parse_option_be(bytes),
        };
        let (rest, option) = parsed.ok()?;
        Some((option, rest))
    }
}

impl Header {
    /// The length at the end of `block`, which repeats the one at its start.
    #[inline]
    pub(crate) fn trailing_len(self, block: &[u8]) -> Option<u32> {
        let (_, trailer) = block.get(..self.len)?.split_last_chunk()?;
        Some(self.order.u32(*trailer))
    }

    /// Whether blocks of this type are common enough to take a search for the next block by them.
    pub(crate) fn is_of_known_type(self) -> bool {
        KNOWN_TYPES.contains(&self.block_type)
    }
}

#[inline]
fn ticks(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// What the byte-order magic of a section header says.
pub(crate) fn byte_order(magic: [u8; 4]) -> Option<Order> {
    match u32::from_be_bytes(magic) {
        0x1a2b_3c4d => Some(Order::Big),
        0x4d3c_2b1a => Some(Order::Little),
        _ => None,
    }
}

fn readable_name(value: &[u8]) -> Option<String> {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    let value = value.get(..MAX_NAME_LEN).unwrap_or(value);
    (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;
const CUSTOM: u32 = 0x0000_0bad;
const CUSTOM_NOT_TO_COPY: u32 = 0x4000_0bad;

/// Those above and name resolution, interface statistics, process information.
const KNOWN_TYPES: [u32; 12] = [
    SECTION_HEADER,
    INTERFACE,
    OBSOLETE_PACKET,
    SIMPLE_PACKET,
    4,
    5,
    ENHANCED_PACKET,
    JOURNAL,
    SECRETS,
    CUSTOM,
    CUSTOM_NOT_TO_COPY,
    0x8000_0001,
];

const OPTION_END: u16 = 0;
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// Microseconds.
const DEFAULT_RESOLUTION: u8 = 6;

/// Type and two lengths.
const MIN_LEN: usize = 12;

/// And magic, version and section length.
const SECTION_HEADER_LEN: usize = 28;

/// Longer than any system's interface names; there may be as many as `Interfaces::MAX_COUNT`.
const MAX_NAME_LEN: usize = 256;
