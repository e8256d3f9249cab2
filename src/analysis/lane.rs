//! What TCP shows of one direction of a connection, whatever it carries.

use crate::packet::{Flags, Segment, SeqNumber};
use crate::time::Timestamp;

/// One direction: where its bytes begin, how many went by, and how it ended.
///
/// 64 bytes, a cache line: there are two for each connection, and a packet reads one or both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    /// Bytes of payload in sequence space.
    pub(super) bytes: u64,
    /// The last two frames, to know a frame that is captured again.
    recent: [Signature; 2],
    /// When the newest frame came.
    newest: Timestamp,
    /// Frames, each counted once however often it was captured; stops at the largest number.
    pub(super) packets: u32,
    /// SYNs that asked for a connection.
    pub(super) syn_count: u32,
    anchor: SeqNumber,
    high: SeqNumber,
    syn: SeqNumber,
    fin: SeqNumber,
    end: SeqNumber,
    /// Which of these numbers are known.
    known: Known,
    /// Whether the anchor is known from a SYN, or from the other side's answer to one.
    pub(super) is_from_start: bool,
    pub(super) has_rst: bool,
}

/// A set of the numbers of a lane.
#[derive(Clone, Copy, Debug, Default)]
struct Known(u8);

impl Known {
    const ANCHOR: Self = Self(1);
    const HIGH: Self = Self(2);
    const SYN: Self = Self(4);
    const FIN: Self = Self(8);
    const END: Self = Self(16);

    const fn has(self, which: Self) -> bool {
        self.0 & which.0 != 0
    }

    const fn add(&mut self, which: Self) {
        self.0 |= which.0;
    }
}

impl Lane {
    /// Counts a frame with this signature; `false` when it is one of the last frames captured once more, as on
    /// `any`, bridges and mirror ports.
    #[inline(always)]
    pub(super) fn count_once(&mut self, signature: Signature, time: Timestamp) -> bool {
        if self.recent.contains(&signature) && time.nanos_since(self.newest) < RESENT {
            return false;
        }
        self.newest = time;
        let [newest, _] = self.recent;
        self.recent = [signature, newest];
        self.packets = self.packets.saturating_add(1);
        true
    }

    /// The sequence number of its first byte, once known.
    pub(super) fn anchor(&self) -> Option<SeqNumber> {
        self.known.has(Known::ANCHOR).then_some(self.anchor)
    }

    /// The number of its SYN, if that was seen.
    pub(super) fn syn(&self) -> Option<SeqNumber> {
        self.known.has(Known::SYN).then_some(self.syn)
    }

    /// Where its FIN stands: what lies before that was sent, captured or not.
    pub(super) fn fin(&self) -> Option<SeqNumber> {
        self.known.has(Known::FIN).then_some(self.fin)
    }

    /// Whether whoever sends here has ended the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.has_rst || self.fin().is_some()
    }

    /// Takes in where the payload of a segment lies.
    #[inline]
    pub(super) fn extend(&mut self, seq: SeqNumber, wire_len: u32) {
        let end = SeqNumber(seq.0.wrapping_add(wire_len));
        if !self.known.has(Known::HIGH) {
            // Without a SYN, bytes are counted from the first segment that was seen.
            self.known.add(Known::HIGH);
            self.high = end;
            self.bytes = u64::from(wire_len);
            return;
        }
        let ahead = end.offset_from(self.high);
        if let Ok(fresh @ 1..=LARGEST_STEP) = u32::try_from(ahead) {
            self.bytes = self.bytes.saturating_add(u64::from(fresh));
            self.high = end;
        }
    }

    /// The sequence number of the first byte is known now.
    pub(super) fn anchor_at(&mut self, first: SeqNumber, is_from_start: bool) {
        self.anchor = first;
        self.known.add(Known::ANCHOR);
        self.is_from_start |= is_from_start;
        if !self.known.has(Known::HIGH) {
            self.known.add(Known::HIGH);
            self.high = first;
        }
    }

    /// Notes a SYN: the last one counts.
    pub(super) fn open_at(&mut self, syn: SeqNumber) {
        self.syn = syn;
        self.known.add(Known::SYN);
        self.anchor_at(syn.wrapping_add(1), true);
    }

    /// Notes a FIN, and where it stands: the first one counts.
    pub(super) fn finish_at(&mut self, fin: SeqNumber) {
        if !self.known.has(Known::FIN) {
            self.fin = fin;
            self.known.add(Known::FIN);
        }
    }

    /// Notes a reset, and where it stands: what lies behind that is junk.
    pub(super) fn reset_at(&mut self, seq: SeqNumber) {
        self.has_rst = true;
        if !self.known.has(Known::END) {
            self.end = seq;
            self.known.add(Known::END);
        }
    }

    /// A reset that came before the connection stood has not ended it.
    pub(super) fn forget_reset(&mut self) {
        self.has_rst = false;
        self.known.0 &= !Known::END.0;
    }

    /// Whether a byte stands behind a reset. What was sent before it may be captured after it.
    pub(super) fn is_junk(&self, seq: SeqNumber) -> bool {
        self.known.has(Known::END) && seq.offset_from(self.end) >= 0
    }

    /// How far `seq` lies from what was seen of this direction.
    pub(super) fn distance(&self, seq: SeqNumber) -> u32 {
        if self.known.has(Known::HIGH) {
            seq.offset_from(self.high).unsigned_abs()
        } else {
            0
        }
    }
}

/// Fields that two captures of one frame share, and a retransmission changes at least one of:
/// the IP identification where there is one. 0 stands for no frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signature(u64);

impl Signature {
    /// Those of a segment.
    #[inline]
    pub(super) fn of(segment: &Segment) -> Self {
        Self::new(
            numbers(segment.seq, segment.ack),
            segment.flags,
            (segment.window, segment.ip_id),
            segment.wire_len,
        )
    }

    /// Of [`numbers`], flags, window and IP identification, and length; never 0.
    #[inline(always)]
    pub(super) fn new(
        numbers: u64,
        flags: Flags,
        (window, ip_id): (u16, u16),
        wire_len: u32,
    ) -> Self {
        let rest = u64::from(ip_id) << 48
            | u64::from(window) << 32
            | u64::from(flags.0) << 24
            | u64::from(wire_len) & 0x00ff_ffff;
        Self(numbers.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ rest | 1)
    }
}

/// A sequence number, and below it what is acknowledged.
#[inline(always)]
pub(super) fn numbers(seq: SeqNumber, ack: SeqNumber) -> u64 {
    u64::from(seq.0) << 32 | u64::from(ack.0)
}

/// What is the same after so long was sent again: the shortest wait of common stacks, and far
/// below the second before a SYN is sent again (RFC 6298, section 2.1).
const RESENT: i64 = 200_000_000;
/// No window is larger than 2^30 bytes (RFC 7323, section 2.3).
const LARGEST_STEP: u32 = 1 << 30;
