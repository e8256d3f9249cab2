//! One direction of a TCP connection: segments in any order become bytes in order
//! (RFC 9293, sections 3.4 and 3.10.7.4).
//!
//! Offsets count from the first byte and do not wrap; sequence numbers do. Where segments overlap,
//! the first bytes win. Bytes that are missing become a [`Chunk::Gap`], in their place.
//!
//! What it does not do: SYN and FIN occupy sequence numbers, and that is the caller's to count;
//! windows, acknowledgements and time are not looked at, so when to stop waiting is the caller's
//! to say, up to the [`Limits`].

use crate::packet::SeqNumber;
use crate::reassembly::limits::Limits;
use crate::reassembly::recent::{Newest, Recent};
use crate::reassembly::waiting::{Waiting, narrow, overlap, wide};

/// The ordered bytes of one direction of a TCP connection.
///
/// `M` is the caller's mark of a segment, such as its frame number: each chunk comes back with the
/// mark of the segment that it came from.
///
/// In order, a segment is handed on at once and without a copy. Only out of order it is kept.
#[derive(Debug)]
pub struct Stream<M> {
    next: SeqNumber,
    /// Offset of `next` from the first byte.
    delivered: u64,
    /// What lies behind a hole, all of it behind `delivered`.
    waiting: Waiting<M>,
    /// Where the last bytes before `delivered` stand, to compare them with what is sent again.
    newest: Newest,
    facts: Facts,
}

/// The next piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Bytes, never none.
    Bytes(&'a [u8]),
    /// Bytes that were sent and are not in the capture.
    Gap {
        /// How many, never 0.
        len: u64,
        /// Why they are missing.
        reason: GapReason,
    },
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapReason {
    /// Waiting for them would have exceeded a limit. They may have come later.
    Limit,
    /// No segment brought them.
    Lost,
    /// Their frame was cut by the snap length.
    Truncated,
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It continued the stream: some of it was handed on.
    Delivered,
    /// It had nothing in it.
    Empty,
    /// It waits for bytes before it.
    Kept,
    /// It was too much to keep, so the first hole or holes were given up.
    OverLimit,
    /// It was too far from everything else to belong to this stream, and was ignored.
    Outside,
    /// It brought nothing new: a retransmission, or a keep-alive (RFC 9293, section 3.8.4).
    Repeated,
}

/// What was odd about the segments of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Segments whose bytes disagreed with what was there before. The first bytes won.
    pub conflict_count: u32,
    /// Segments that had to wait for bytes before them.
    pub out_of_order_count: u32,
    /// Segments too far from everything else to belong to this stream.
    pub outside_count: u32,
    /// Bytes that came again, or when they had been given up.
    pub repeated_len: u64,
}

impl<M: Copy> Stream<M> {
    /// A stream whose first byte has the sequence number `next`.
    #[must_use]
    pub const fn anchored(next: SeqNumber) -> Self {
        Self {
            next,
            delivered: 0,
            waiting: Waiting::new(),
            newest: Newest::NONE,
            facts: Facts {
                conflict_count: 0,
                out_of_order_count: 0,
                outside_count: 0,
                repeated_len: 0,
            },
        }
    }

    /// The sequence number of the next byte in order.
    #[must_use]
    pub const fn next(&self) -> SeqNumber {
        self.next
    }

    /// The sequence number of the first byte.
    #[must_use]
    pub const fn first(&self) -> SeqNumber {
        // Sequence numbers wrap, and so does the cut of an offset.
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "modulo 2^32 is meant"
        )]
        let offset = self.delivered as u32;
        SeqNumber(self.next.0.wrapping_sub(offset))
    }

    /// How many bytes were handed on, gaps included.
    #[must_use]
    pub const fn delivered_len(&self) -> u64 {
        self.delivered
    }

    /// How many bytes wait for earlier ones.
    #[must_use]
    pub const fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    /// How many pieces wait for earlier bytes.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.waiting.count()
    }

    /// Where the first hole ends: the sequence number of the first byte that waits.
    ///
    /// An acknowledgement of this number says that the receiver does not miss what we miss.
    #[must_use]
    pub fn hole_end(&self) -> Option<SeqNumber> {
        let start = self.waiting.first()?;
        Some(advanced(self.next, start.saturating_sub(self.delivered)))
    }

    /// How many bytes of memory the stream has taken from the heap, nearly.
    #[must_use]
    pub fn memory_len(&self) -> usize {
        self.waiting.memory_len()
    }

    /// What was odd so far.
    #[must_use]
    pub const fn facts(&self) -> Facts {
        self.facts
    }

    /// Takes the segment that has `payload` at `seq`.
    ///
    /// `wire_len` is the length that the payload had on the wire; what `payload` lacks of it was
    /// cut by the snap length. `recent` is where what is handed on is remembered: one and the same for all
    /// of a stream.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call, with all that a segment has"
    )]
    pub fn push(
        &mut self,
        seq: SeqNumber,
        payload: &[u8],
        wire_len: u32,
        mark: M,
        limits: &Limits,
        recent: &mut Recent,
        mut sink: impl FnMut(Chunk<'_>, M),
    ) -> Outcome {
        let wire_len = wide(payload.len()).max(u64::from(wire_len));
        if wire_len == 0 {
            return Outcome::Empty;
        }
        let offset = seq.offset_from(self.next);
        let distance = u64::from(offset.unsigned_abs());
        if distance > FARTHEST || wire_len > FARTHEST {
            self.facts.outside_count = self.facts.outside_count.saturating_add(1);
            return Outcome::Outside;
        }
        if offset > 0 {
            return self.keep(distance, payload, wire_len, mark, limits, recent, &mut sink);
        }
        if wire_len <= distance {
            // The one byte of a keep-alive stands for nothing (RFC 9293, section 3.8.4).
            if wire_len > 1 || distance > 1 {
                self.compare_with_recent(payload, distance, recent);
            }
            return Outcome::Repeated;
        }
        let (again, fresh) = payload
            .split_at_checked(narrow(distance))
            .unwrap_or((payload, &[]));
        if !again.is_empty() {
            self.compare_with_recent(again, distance, recent);
        }
        let wire_end = self.delivered.saturating_add(wire_len - distance);
        self.take_in(fresh, wire_end, mark, recent, &mut sink);
        Outcome::Delivered
    }

    /// Gives up the first hole, and hands on what waited behind it.
    pub fn skip_hole(&mut self, recent: &mut Recent, mut sink: impl FnMut(Chunk<'_>, M)) {
        self.give_up(GapReason::Lost, recent, &mut sink);
    }

    /// Gives up every hole before `seq`, and hands on a gap up to it where nothing follows.
    ///
    /// For a FIN whose sequence number lies behind bytes that never came.
    pub fn skip_to(
        &mut self,
        seq: SeqNumber,
        mark: M,
        recent: &mut Recent,
        mut sink: impl FnMut(Chunk<'_>, M),
    ) {
        let Ok(distance) = u64::try_from(seq.offset_from(self.next)) else {
            return;
        };
        if distance > FARTHEST {
            return;
        }
        let target = self.delivered.saturating_add(distance);
        while self.waiting.first().is_some_and(|start| start < target) {
            self.give_up(GapReason::Lost, recent, &mut sink);
        }
        self.gap_to(target, GapReason::Lost, mark, &mut sink);
        self.drain(self.delivered, mark, recent, &mut sink);
    }

    /// Gives up every hole: hands on all that waits.
    pub fn flush(&mut self, recent: &mut Recent, mut sink: impl FnMut(Chunk<'_>, M)) {
        while self.waiting.first().is_some() {
            self.give_up(GapReason::Lost, recent, &mut sink);
        }
    }

    /// Hands on `fresh`, which begins at the next byte, and all that it joins up with.
    fn take_in(
        &mut self,
        mut fresh: &[u8],
        mut wire_end: u64,
        mark: M,
        recent: &mut Recent,
        sink: &mut impl FnMut(Chunk<'_>, M),
    ) {
        let mut cut_mark = mark;
        while let Some(start) = self.waiting.first() {
            let hole = narrow(start.saturating_sub(self.delivered));
            let Some((head, rest)) = fresh.split_at_checked(hole) else {
                break;
            };
            self.bytes(head, mark, recent, sink);
            let Some(piece) = self.waiting.take_first(self.delivered) else {
                break;
            };
            let (disagrees, beyond) = overlap(&piece.bytes, rest);
            self.note_repeated(rest.len() - beyond.len(), disagrees);
            fresh = beyond;
            if piece.wire_end > wire_end {
                (wire_end, cut_mark) = (piece.wire_end, piece.mark);
            }
            self.bytes(&piece.bytes, piece.mark, recent, sink);
        }
        self.bytes(fresh, mark, recent, sink);
        self.drain(wire_end, cut_mark, recent, sink);
    }

    /// Hands on the pieces that have nothing missing before them, and the gaps of what was cut.
    /// `mark` is of the segment that tells that the wire had bytes up to `wire_end`.
    fn drain(
        &mut self,
        mut wire_end: u64,
        mut mark: M,
        recent: &mut Recent,
        sink: &mut impl FnMut(Chunk<'_>, M),
    ) {
        loop {
            if let Some(piece) = self.waiting.take_first(self.delivered) {
                if piece.wire_end > wire_end {
                    (wire_end, mark) = (piece.wire_end, piece.mark);
                }
                self.bytes(&piece.bytes, piece.mark, recent, sink);
            } else if wire_end > self.delivered {
                let end = self.waiting.first().unwrap_or(u64::MAX).min(wire_end);
                self.gap_to(end, GapReason::Truncated, mark, sink);
            } else {
                return;
            }
        }
    }

    /// Gives up the first hole.
    fn give_up(
        &mut self,
        reason: GapReason,
        recent: &mut Recent,
        sink: &mut impl FnMut(Chunk<'_>, M),
    ) {
        let Some((start, mark)) = self.waiting.first_marked() else {
            return;
        };
        self.gap_to(start, reason, mark, sink);
        self.drain(self.delivered, mark, recent, sink);
    }

    fn bytes(
        &mut self,
        bytes: &[u8],
        mark: M,
        recent: &mut Recent,
        sink: &mut impl FnMut(Chunk<'_>, M),
    ) {
        if bytes.is_empty() {
            return;
        }
        sink(Chunk::Bytes(bytes), mark);
        self.advance(wide(bytes.len()));
        self.newest = recent.remember(self.newest, self.delivered, bytes);
    }

    fn gap_to(
        &mut self,
        end: u64,
        reason: GapReason,
        mark: M,
        sink: &mut impl FnMut(Chunk<'_>, M),
    ) {
        let len = end.saturating_sub(self.delivered);
        if len == 0 {
            return;
        }
        sink(Chunk::Gap { len, reason }, mark);
        self.newest = Newest::NONE;
        self.advance(len);
    }

    fn advance(&mut self, len: u64) {
        self.next = advanced(self.next, len);
        self.delivered = self.delivered.saturating_add(len);
    }

    /// Keeps a segment that lies `distance` behind the next byte.
    #[expect(clippy::too_many_arguments, reason = "those of its caller")]
    fn keep(
        &mut self,
        distance: u64,
        payload: &[u8],
        wire_len: u64,
        mark: M,
        limits: &Limits,
        recent: &mut Recent,
        sink: &mut impl FnMut(Chunk<'_>, M),
    ) -> Outcome {
        let start = self.delivered.saturating_add(distance);
        let wire_end = start.saturating_add(wire_len);
        let added = self.waiting.add(start, payload, wire_end, mark);
        self.note_repeated(added.repeated_len, added.disagrees);
        if !added.is_new {
            return Outcome::Repeated;
        }
        self.facts.out_of_order_count = self.facts.out_of_order_count.saturating_add(1);
        let mut outcome = Outcome::Kept;
        while self.waiting.count() > limits.waiting_segments_per_direction
            || self.waiting.memory_len() > limits.waiting_per_direction
        {
            self.give_up(GapReason::Limit, recent, sink);
            outcome = Outcome::OverLimit;
        }
        outcome
    }

    /// Compares `bytes`, which begin `distance` before the next byte, with those handed on.
    fn compare_with_recent(&mut self, bytes: &[u8], distance: u64, recent: &Recent) {
        // What came before the first byte is none of the stream's.
        let ahead = distance.saturating_sub(self.delivered);
        let own = bytes.get(narrow(ahead)..).unwrap_or_default();
        let start = self.delivered.saturating_sub(distance);
        let disagrees = recent.disagrees(self.newest, start, own);
        self.note_repeated(bytes.len(), disagrees);
    }

    fn note_repeated(&mut self, len: usize, disagrees: bool) {
        self.facts.repeated_len = self.facts.repeated_len.saturating_add(wide(len));
        if disagrees {
            self.facts.conflict_count = self.facts.conflict_count.saturating_add(1);
        }
    }
}

/// The sequence number `len` bytes on: over the circle, so only the low bits of `len` count.
fn advanced(seq: SeqNumber, len: u64) -> SeqNumber {
    let low = u32::try_from(len & u64::from(u32::MAX)).unwrap_or_default();
    SeqNumber(seq.0.wrapping_add(low))
}

/// The largest window there can be (RFC 7323, section 2.3): nothing of a stream lies farther away.
const FARTHEST: u64 = 1 << 30;

#[cfg(test)]
mod tests;
