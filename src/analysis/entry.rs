//! A segment as it goes from the decoder to its shard, often from one thread to another: one cache line.

use crate::analysis::deal::Bunches;
use crate::analysis::glance::Glance;
use crate::analysis::lane::Signature;
use crate::analysis::lists::Lists;
use crate::analysis::mark::{Mark, Origin};
use crate::analysis::shared::Shared;
use crate::capture::Block;
use crate::flow::{Direction, FlowKey, ShortKey};
use crate::packet::{Flags, PathId, Segment, SeqNumber};
use crate::reassembly::Tag;
use crate::time::Timestamp;

/// What a shard takes: a segment and where it was seen, or where to find what it is. One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    /// When its frame was captured: no frame of the batch before it is newer.
    pub(super) time: Timestamp,
    pub(super) whose: Whose,
    pub(super) tag: Tag,
    /// The number of its frame, from that of the block's first frame.
    pub(super) number: u32,
    /// Where the payload begins in the block.
    pub(super) payload_start: u32,
    pub(super) payload_len: u32,
    pub(super) wire_len: u32,
    /// The sequence number, and below it what is acknowledged: one word, as in the header.
    pub(super) numbers: u64,
    pub(super) flags: Flags,
    pub(super) window: u16,
    pub(super) ip_id: u16,
    pub(super) origin: Origin,
    pub(super) direction: Direction,
    /// Whether a hello stands at the beginning of the payload, where somebody has looked.
    pub(super) begins_tls: Option<bool>,
    /// The number of its shard.
    pub(super) shard: u8,
}

/// Whose an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    /// A connection over IPv4.
    Short(ShortKey),
    /// The connection of this number among the long keys.
    Long(u32),
    /// Whatever stands at this place aside.
    Aside(u32),
}

/// Where entries come from, and what all shards share.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) block: &'a Block,
    /// The block's, looked up once.
    pub(super) bytes: &'a [u8],
    pub(super) first_number: u64,
    /// The file's place in the run.
    pub(super) file: u32,
    pub(super) shared: &'a Shared,
}

impl<'a> Source<'a> {
    /// A block of the file of this place in the run.
    pub(super) fn new(block: &'a Block, file: u32, shared: &'a Shared) -> Self {
        Self {
            block,
            bytes: block.bytes(),
            first_number: block.first_number(),
            file,
            shared,
        }
    }
}

impl Default for Entry {
    /// An entry that is nothing yet.
    fn default() -> Self {
        Self {
            time: Timestamp::default(),
            whose: Whose::Aside(u32::MAX),
            tag: Tag::default(),
            number: 0,
            payload_start: 0,
            payload_len: 0,
            wire_len: 0,
            numbers: 0,
            flags: Flags::default(),
            window: 0,
            ip_id: 0,
            origin: Origin::default(),
            direction: Direction::LowToHigh,
            begins_tls: None,
            shard: 0,
        }
    }
}

impl Entry {
    /// Where its frame stands in the run.
    #[inline]
    pub(super) fn place(&self, source: &Source<'_>) -> (u32, u64) {
        (source.file, source.first_number + u64::from(self.number))
    }

    /// The key of its connection, which may be one of `long`; `None` for what stands aside.
    #[inline]
    pub(super) fn key(&self, long: &[FlowKey]) -> Option<FlowKey> {
        match self.whose {
            Whose::Short(key) => Some(key.key()),
            Whose::Long(place) => long.get(usize::try_from(place).ok()?).copied(),
            Whose::Aside(_) => None,
        }
    }

    #[inline(always)]
    fn seq(&self) -> SeqNumber {
        SeqNumber(u32::try_from(self.numbers >> 32).unwrap_or_default())
    }

    #[inline(always)]
    fn ack(&self) -> SeqNumber {
        SeqNumber(u32::try_from(self.numbers & u64::from(u32::MAX)).unwrap_or_default())
    }

    /// Where it was seen.
    #[inline(always)]
    pub(super) fn mark(&self, source: &Source<'_>) -> Mark {
        Mark {
            frame: source.first_number + u64::from(self.number),
            time: self.time,
            file: source.file,
            origin: self.origin,
        }
    }

    /// The payload, among the bytes of the block.
    #[inline(always)]
    pub(super) fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = usize::try_from(self.payload_start).unwrap_or(usize::MAX);
        let len = usize::try_from(self.payload_len).unwrap_or(usize::MAX);
        let rest = bytes.get(start..).unwrap_or_default();
        rest.get(..len).unwrap_or_default()
    }

    /// The segment, its payload by its place in the block.
    #[inline(always)]
    pub(super) fn segment(&self, key: FlowKey) -> Segment {
        Segment {
            key,
            direction: self.direction,
            seq: self.seq(),
            ack: self.ack(),
            flags: self.flags,
            window: self.window,
            ip_id: self.ip_id,
            payload_start: self.payload_start,
            payload_len: self.payload_len,
            wire_len: self.wire_len,
            path: PathId::default(),
        }
    }
}

/// An entry, with what it takes to read it.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) entry: &'a Entry,
    pub(super) source: &'a Source<'a>,
}

impl<'a> Glance<'a> for Placed<'a> {
    #[inline(always)]
    fn direction(self) -> Direction {
        self.entry.direction
    }

    #[inline(always)]
    fn seq(self) -> SeqNumber {
        self.entry.seq()
    }

    #[inline(always)]
    fn ack(self) -> SeqNumber {
        self.entry.ack()
    }

    #[inline(always)]
    fn flags(self) -> Flags {
        self.entry.flags
    }

    #[inline(always)]
    fn wire_len(self) -> u32 {
        self.entry.wire_len
    }

    /// Nothing is around it, or it would stand aside.
    #[inline(always)]
    fn path(self) -> PathId {
        PathId::default()
    }

    #[inline(always)]
    fn signature(self) -> Signature {
        let entry = self.entry;
        Signature::new(
            entry.numbers,
            entry.flags,
            (entry.window, entry.ip_id),
            entry.wire_len,
        )
    }

    #[inline(always)]
    fn payload(self) -> &'a [u8] {
        self.entry.payload(self.source.bytes)
    }

    #[inline(always)]
    fn begins_tls(self) -> Option<bool> {
        self.entry.begins_tls
    }

    #[inline(always)]
    fn mark(self) -> Mark {
        self.entry.mark(self.source)
    }
}

/// Where entries are put.
pub(super) trait Entries: Default {
    /// Whether whoever takes them has not seen the frames, whose bytes are far away for him: then
    /// it is said whether they begin with a hello.
    const ARE_TAKEN_ELSEWHERE: bool;

    /// Makes it empty, and keeps the memory.
    fn reset(&mut self);
    /// The place behind the last entry, of a shard or of all. What is there does not matter.
    fn grow(&mut self, shard: usize) -> Option<&mut Entry>;
    /// Puts them in the order of their frames; those of one frame stay as they are.
    fn sort(&mut self);
}

/// The entries of all shards in one list.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    /// Those beyond the number of entries hold what was there before.
    entries: Vec<Entry>,
    len: usize,
}

impl InOrder {
    /// All of them.
    pub(super) fn all(&self) -> &[Entry] {
        self.entries.get(..self.len).unwrap_or_default()
    }

    #[inline(never)]
    fn grow_further(&mut self) -> Option<&mut Entry> {
        self.entries.push(Entry::default());
        self.len = self.entries.len();
        self.entries.last_mut()
    }
}

impl Entries for InOrder {
    const ARE_TAKEN_ELSEWHERE: bool = false;

    fn reset(&mut self) {
        self.len = 0;
    }

    #[inline(always)]
    fn grow(&mut self, _shard: usize) -> Option<&mut Entry> {
        let at = self.len;
        if at >= self.entries.len() {
            return self.grow_further();
        }
        self.len += 1;
        self.entries.get_mut(at)
    }

    fn sort(&mut self) {
        let entries = self.entries.get_mut(..self.len).unwrap_or_default();
        entries.sort_by_key(|entry| entry.number);
    }
}

/// A list for each bunch of shards.
#[derive(Debug, Default)]
pub(super) struct ByBunch {
    lists: Lists<Entry>,
    bunches: Bunches,
}

impl ByBunch {
    /// From now on shards are in such bunches.
    pub(super) fn deal_in(&mut self, bunches: Bunches) {
        self.bunches = bunches;
    }

    /// The entries of a bunch, in the order in which they came, a page of them at a time.
    #[inline]
    pub(super) fn pages(&self, bunch: usize) -> impl Iterator<Item = &[Entry]> {
        self.lists.pages(bunch)
    }
}

impl Entries for ByBunch {
    const ARE_TAKEN_ELSEWHERE: bool = true;

    fn reset(&mut self) {
        self.lists.reset(self.bunches.count());
    }

    #[inline(always)]
    fn grow(&mut self, shard: usize) -> Option<&mut Entry> {
        // Written where it stays: what is copied in wider parts than it was written in is waited for.
        let list = self.bunches.of(shard);
        // One word brings the line.
        let touch = |entry: &mut Entry| entry.number = 0;
        self.lists.grow(list, Entry::default, touch)
    }

    fn sort(&mut self) {
        self.lists.sort_by_key(|entry| entry.number);
    }
}

/// A length or a place in a block.
#[inline]
pub(super) fn short_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The number of a frame, counted from the block's first one.
#[inline]
pub(super) fn number_from(block: &Block, number: u64) -> u32 {
    u32::try_from(number.saturating_sub(block.first_number())).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fills_a_cache_line() {
        assert_eq!(size_of::<Entry>(), 64);
    }
}
