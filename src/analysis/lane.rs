//! What TCP shows of one direction of a connection, whatever it carries.

use crate::packet::{Segment, SeqNumber};
use crate::time::Timestamp;

/// One direction: where its bytes begin, how many went by, and how it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    /// The sequence number of its first byte, once known.
    pub(super) anchor: Option<SeqNumber>,
    /// Whether that is known from a SYN, or from the other side's answer to one.
    pub(super) is_from_start: bool,
    /// The sequence number behind the highest byte seen.
    high: Option<SeqNumber>,
    /// Bytes of payload in sequence space.
    pub(super) bytes: u64,
    /// Frames, each counted once however often it was captured.
    pub(super) packets: u64,
    /// Whether the initial SYN of this direction was seen, and its number.
    pub(super) syn: Option<SeqNumber>,
    /// Where its FIN stands: what lies before that was sent, captured or not.
    pub(super) fin: Option<SeqNumber>,
    pub(super) has_rst: bool,
    /// Where a reset cut it off: what lies behind that is junk.
    end: Option<SeqNumber>,
    /// The last two frames, to know a frame that is captured again.
    recent: [u64; 2],
    /// When the newest frame came.
    newest: Timestamp,
}

impl Lane {
    /// Counts a frame; `false` when it is one of the last frames captured once more, as on
    /// `any`, bridges and mirror ports.
    pub(super) fn count(&mut self, segment: &Segment, time: Timestamp) -> bool {
        let signature = signature(segment);
        if self.recent.contains(&signature) && time.nanos_since(self.newest) < RESENT {
            return false;
        }
        self.newest = time;
        let [newest, _] = self.recent;
        self.recent = [signature, newest];
        self.packets = self.packets.saturating_add(1);
        true
    }

    /// Takes in where the payload of a segment lies.
    pub(super) fn extend(&mut self, seq: SeqNumber, wire_len: u32) {
        let end = SeqNumber(seq.0.wrapping_add(wire_len));
        let Some(high) = self.high else {
            // Without a SYN, bytes are counted from the first segment that was seen.
            self.high = Some(end);
            self.bytes = u64::from(wire_len);
            return;
        };
        let ahead = end.offset_from(high);
        if let Ok(fresh @ 1..=LARGEST_STEP) = u32::try_from(ahead) {
            self.bytes = self.bytes.saturating_add(u64::from(fresh));
            self.high = Some(end);
        }
    }

    /// The sequence number of the first byte is known now.
    pub(super) fn anchor_at(&mut self, first: SeqNumber, is_from_start: bool) {
        self.anchor = Some(first);
        self.is_from_start |= is_from_start;
        if self.high.is_none() {
            self.high = Some(first);
        }
    }

    /// Notes a reset, and where it stands.
    pub(super) fn reset_at(&mut self, seq: SeqNumber) {
        self.has_rst = true;
        self.end.get_or_insert(seq);
    }

    /// A reset that came before the connection stood has not ended it.
    pub(super) fn forget_reset(&mut self) {
        self.has_rst = false;
        self.end = None;
    }

    /// Whether a byte stands behind a reset. What was sent before it may be captured after it.
    pub(super) fn is_junk(&self, seq: SeqNumber) -> bool {
        self.end.is_some_and(|end| seq.offset_from(end) >= 0)
    }

    /// How far `seq` lies from what was seen of this direction.
    pub(super) fn distance(&self, seq: SeqNumber) -> u32 {
        self.high
            .map_or(0, |high| seq.offset_from(high).unsigned_abs())
    }
}

/// Fields that two captures of one frame share, and a retransmission changes at least one of:
/// the IP identification where there is one.
fn signature(segment: &Segment) -> u64 {
    let numbers = u64::from(segment.seq.0) << 32 | u64::from(segment.ack.0);
    let rest = u64::from(segment.ip_id) << 48
        | u64::from(segment.window) << 32
        | u64::from(segment.flags.0) << 24
        | u64::from(segment.wire_len) & 0x00ff_ffff;
    // Never 0, which stands for no frame.
    numbers.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ rest | 1
}

/// What is the same after so long was sent again: the shortest wait of common stacks, and far
/// below the second before a SYN is sent again (RFC 6298, section 2.1).
const RESENT: i64 = 200_000_000;
/// No window is larger than 2^30 bytes (RFC 7323, section 2.3).
const LARGEST_STEP: u32 = 1 << 30;
