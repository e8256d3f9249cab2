//! The classic pcap format (draft-ietf-opsawg-pcap): one header, then records.
//!
//! With the variants in use: both byte orders, microseconds and nanoseconds, the longer record headers of
//! Kuznetzov's "modified" format, the longer file header of Ixia's lcap, and the two lengths in the wrong order that
//! some old versions wrote. Not read: the ss990417 and Nokia variants, which only a guess tells from the standard one.

use crate::capture::clock::Clock;
use crate::capture::link_type::LinkType;
use crate::capture::order::{Order, to_len};
use crate::time::{Precision, Timestamp};

/// What the first four bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Magic {
    order: Order,
    variant: Variant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Microseconds,
    Nanoseconds,
    Modified,
    IxiaHardware,
    IxiaSoftware,
}

impl Magic {
    pub(crate) fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        [Order::Little, Order::Big].into_iter().find_map(|order| {
            let variant = match order.u32(bytes) {
                0xa1b2_c3d4 => Variant::Microseconds,
                0xa1b2_3c4d => Variant::Nanoseconds,
                0xa1b2_cd34 => Variant::Modified,
                0x1c00_01ac => Variant::IxiaHardware,
                0x1c00_01ab => Variant::IxiaSoftware,
                _ => return None,
            };
            Some(Self { order, variant })
        })
    }

    /// How long the file header is.
    pub(crate) fn header_len(self) -> usize {
        match self.variant {
            // The length of all records follows the usual header.
            Variant::IxiaHardware | Variant::IxiaSoftware => 28,
            _ => 24,
        }
    }
}

/// How the records of a file are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    order: Order,
    record_header_len: usize,
    /// Above this a record has to be sound in other ways.
    usual_len: u32,
    lengths: Lengths,
    pub(crate) link_type: LinkType,
    pub(crate) clock: Clock,
    pub(crate) precision: Precision,
    /// Nanoseconds a tick, where records are written as nearly all are: little-endian, standard in every way.
    usual_tick: Option<u32>,
}

/// In which order a record gives its two lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// Captured, then original.
    Standard,
    /// Original, then captured.
    Swapped,
    /// Whichever is greater is the original one.
    Unsure,
}

impl Layout {
    /// Reads the file header, of which `bytes` hold at least the first 24.
    pub(crate) fn from_header(magic: Magic, bytes: &[u8]) -> Option<Self> {
        let (_, rest) = bytes.split_first_chunk::<4>()?;
        let (major, rest) = rest.split_first_chunk()?;
        let (minor, rest) = rest.split_first_chunk()?;
        // Time zone and accuracy: nobody writes them.
        let (_, rest) = rest.split_first_chunk::<8>()?;
        let [snap_len, network] = magic.order.words(rest)?;
        let lengths = Lengths::of_version(magic.order.u16(*major), magic.order.u16(*minor));
        let is_usual = magic.order == Order::Little && lengths == Lengths::Standard;
        let clock = match magic.variant {
            Variant::Nanoseconds | Variant::IxiaHardware => Clock::NANOSECONDS,
            _ => Clock::MICROSECONDS,
        };
        Some(Self {
            order: magic.order,
            record_header_len: match magic.variant {
                Variant::Modified => 24,
                _ => 16,
            },
            // It may be anything: zero, or less than the frames have.
            usual_len: match snap_len {
                0 => u32::MAX,
                len => len.max(MAX_USUAL_LEN),
            },
            lengths,
            link_type: LinkType(network & LINK_TYPE_MASK),
            clock,
            precision: clock.precision(),
            usual_tick: match magic.variant {
                Variant::Microseconds if is_usual => Some(1_000),
                Variant::Nanoseconds if is_usual => Some(1),
                _ => None,
            },
        })
    }

    /// Walks over whole records as long as they are written as nearly all are, and until they have `enough` bytes.
    /// How many bytes they have, and how many they are; what follows needs a closer look.
    pub(crate) fn usual_run(&self, bytes: &[u8], max_len: usize, enough: usize) -> (usize, usize) {
        if self.usual_tick.is_none() {
            return (0, 0);
        }
        let max_len = max_len.min(to_len(MAX_USUAL_LEN));
        let (mut rest, mut count) = (bytes, 0);
        while bytes.len() - rest.len() < enough
            && let Some(header) = rest.first_chunk()
            && let [_, _, captured, _] = usual_words(header)
            && to_len(captured) <= max_len
            && let Some(behind) = rest.get(USUAL_HEADER_LEN + to_len(captured)..)
        {
            rest = behind;
            count += 1;
        }
        (bytes.len() - rest.len(), count)
    }

    /// Finds how long the first record is, header and all.
    pub(crate) fn record_len(&self, bytes: &[u8], max_len: usize) -> RecordLen {
        let Some([_, _, first, second]) = self.order.words(bytes) else {
            return RecordLen::AtLeast(self.record_header_len);
        };
        let (captured, original) = self.lengths.put_in_order(first, second);
        let is_absurd =
            captured > MAX_USUAL_LEN && (captured > self.usual_len || captured > original);
        if is_absurd || to_len(captured) > max_len {
            return RecordLen::TooLong(captured);
        }
        RecordLen::Exactly(self.record_header_len + to_len(captured))
    }

    /// Reads the first record.
    ///
    /// By hand, since the parser crate misreads some of the variants, and takes three times as
    /// many instructions for those that it knows.
    #[inline(always)]
    pub(crate) fn split_record<'a>(&self, bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        match self.usual() {
            Some(usual) => usual.split_record(bytes),
            None => self.split_unusual(bytes),
        }
    }

    /// The same, where records are written as nearly all are.
    #[inline]
    pub(crate) fn usual(&self) -> Option<Usual> {
        Some(Usual {
            link_type: self.link_type,
            precision: self.precision,
            tick: self.usual_tick?,
        })
    }

    #[inline(never)]
    fn split_unusual<'a>(&self, bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        let (header, rest) = bytes.split_at_checked(self.record_header_len)?;
        let [seconds, fraction, first, second] = self.order.words(header)?;
        let (captured, original_len) = self.lengths.put_in_order(first, second);
        let (data, rest) = rest.split_at_checked(to_len(captured))?;
        let fraction = self.clock.time(u64::from(fraction));
        let record = Record {
            time: Timestamp::from_parts(i64::from(seconds), 0)
                .saturating_add_nanos(fraction.as_nanos()),
            data,
            original_len,
        };
        Some((record, rest))
    }
}

/// How the records of nearly all files are written: little-endian, standard in every way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    pub(crate) link_type: LinkType,
    pub(crate) precision: Precision,
    /// Nanoseconds.
    tick: u32,
}

impl Usual {
    /// How long the header of a record is, in bytes.
    pub(crate) const HEADER_LEN: u32 = 16;

    /// Reads the first record.
    #[inline(always)]
    pub(crate) fn split_record<'a>(&self, bytes: &'a [u8]) -> Option<(Record<'a>, &'a [u8])> {
        let (header, rest) = bytes.split_first_chunk::<USUAL_HEADER_LEN>()?;
        let [seconds, fraction, captured, original_len] = usual_words(header);
        let (data, rest) = rest.split_at_checked(to_len(captured))?;
        // Less than 2^62 and 2^42: 32 bits each, and two constants.
        let nanos =
            i64::from(seconds) * NANOS_PER_SECOND + i64::from(fraction) * i64::from(self.tick);
        let record = Record {
            time: Timestamp::from_nanos(nanos),
            data,
            original_len,
        };
        Some((record, rest))
    }
}

/// The words of a record header as nearly all are written.
#[inline]
fn usual_words(header: &[u8; USUAL_HEADER_LEN]) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *header;
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
        u32::from_le_bytes([i, j, k, l]),
        u32::from_le_bytes([m, n, o, p]),
    ]
}

impl Lengths {
    /// As libpcap does it: version 2.3 swapped them, some of its writers did not, and "543" was one that did
    /// and called itself so.
    fn of_version(major: u16, minor: u16) -> Self {
        match (major, minor) {
            (2, ..3) | (543, _) => Self::Swapped,
            (2, 3) => Self::Unsure,
            _ => Self::Standard,
        }
    }

    #[inline]
    fn put_in_order(self, first: u32, second: u32) -> (u32, u32) {
        match self {
            Self::Standard => (first, second),
            Self::Swapped => (second, first),
            Self::Unsure => (first.min(second), first.max(second)),
        }
    }
}

/// How long a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordLen {
    /// Not yet known; this many bytes are needed to know.
    AtLeast(usize),
    Exactly(usize),
    /// More than any record may have.
    TooLong(u32),
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// When it was captured.
    pub(crate) time: Timestamp,
    pub(crate) data: &'a [u8],
    pub(crate) original_len: u32,
}

/// What capturing systems keep of a frame at most, if they are not told to keep more; Wireshark refuses more.
const MAX_USUAL_LEN: u32 = 262_144;

/// The upper half of the header's last word tells of frame check sequences, and some writers leave other bits there.
const LINK_TYPE_MASK: u32 = 0xffff;

/// The length of a record header but for one of Kuznetzov's format.
const USUAL_HEADER_LEN: usize = 16;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Records and lies, cut anywhere, under any limit: what is walked over in one go is what one look at each
        /// record comes to.
        #[test]
        fn a_run_of_records_is_what_each_of_them_says(
            lens in prop::collection::vec(prop_oneof![8 => 0_u32..50, 1 => 262_140_u32..262_150, 1 => any::<u32>()], 0..12),
            cut in 0_usize..200,
            max_len in prop_oneof![Just(0_usize), Just(10), Just(262_144), Just(1 << 24)],
            enough in 0_usize..400,
        ) {
            let magic = Magic { order: Order::Little, variant: Variant::Microseconds };
            let header = [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 65_535, 1].map(u32::to_le_bytes);
            let layout = Layout::from_header(magic, header.as_flattened()).unwrap();
            let mut bytes = Vec::new();
            for len in lens {
                bytes.extend([1, 2, len, len].map(u32::to_le_bytes).as_flattened());
                bytes.resize(bytes.len() + usize::try_from(len.min(300_000)).unwrap(), 7);
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let (mut len, mut count) = (0, 0);
            while len < enough
                && let RecordLen::Exactly(next) = layout.record_len(&bytes[len..], max_len)
                && next <= USUAL_HEADER_LEN + to_len(MAX_USUAL_LEN)
                && len + next <= bytes.len()
            {
                len += next;
                count += 1;
            }
            prop_assert_eq!(layout.usual_run(&bytes, max_len, enough), (len, count));
        }
    }
}
