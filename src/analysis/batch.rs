//! One block, decoded: what each shard has to take of it, in the order of the frames.
//!
//! A batch is made on any thread and read on all of them: what one has written another waits for, a
//! cache line at a time. So there is a list for each shard, whose entries lie one behind the other,
//! and a usual segment is one line. A batch is filled again and again, so that its lists are
//! made once; what the block knows is not copied.

use crate::analysis::deal::{SHARDS, shard_of};
use crate::analysis::filter::Filter;
use crate::analysis::lists::{Lists, PAGE_LEN};
use crate::analysis::mark::Mark;
use crate::analysis::round::{AHEAD, FrameTally, join, mark, touch};
use crate::analysis::shard::{Arrival, Shard, Tick};
use crate::analysis::shared::Shared;
use crate::capture::{Block, Frame};
use crate::flow::{Direction, FlowKey, ShortKey};
use crate::packet::{
    self, Decoded, Defragmenter, Encapsulation, Flags, Fragment, Joined, PathId, Plain, Segment,
    SeqNumber, Skip, Unreachable,
};
use crate::reassembly::{Tag, Tagger};
use crate::time::{Precision, Timestamp};
use crate::tls;

/// One block, decoded.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// For each shard, in the order of the frames.
    entries: Lists<Entry>,
    /// The keys that are too long for an entry.
    keys: Vec<FlowKey>,
    /// What does not fit an entry in other ways.
    asides: Vec<Aside>,
    fragments: Vec<(FrameAt, Fragment)>,
    /// The packets that fragments of this block completed.
    whole: Vec<Joined>,
    /// The newest time among the frames of the run before this block.
    clock: Timestamp,
    /// The frames at which the clock ticks.
    ticks: Vec<Tick>,
    tally: FrameTally,
}

/// What a shard takes: a segment and where it was seen, or where to find what it is. One cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Entry {
    /// When its frame was captured, which is the newest time in the block up to then.
    time: Timestamp,
    whose: Whose,
    tag: Tag,
    /// The number of its frame, from that of the block's first frame.
    number: u32,
    /// Where the payload begins in the block.
    payload_start: u32,
    payload_len: u32,
    wire_len: u32,
    seq: SeqNumber,
    ack: SeqNumber,
    flags: Flags,
    window: u16,
    ip_id: u16,
    interface: u16,
    precision: Precision,
    direction: Direction,
    begins_tls: bool,
}

/// Whose an entry is.
#[derive(Clone, Copy, Debug)]
enum Whose {
    /// A connection over IPv4.
    Short(ShortKey),
    /// The connection of this number among the long keys.
    Long(u32),
    /// Whatever stands at this place aside.
    Aside(u32),
}

/// What does not fit an entry.
#[derive(Debug)]
enum Aside {
    /// A segment in a VLAN or a tunnel, or of a frame that is older than one before it.
    Segment(Segment, FrameAt),
    /// A segment of a packet that came in fragments, and the packet's place among the joined ones.
    Joined(Box<(Segment, usize)>, FrameAt),
    Icmp(Box<Unreachable>),
}

/// A frame without its bytes: where they stand in the block.
#[derive(Clone, Copy, Debug)]
struct FrameAt {
    time: Timestamp,
    /// The newest time among the frames of the block up to this one.
    newest: Timestamp,
    /// Its number, from that of the block's first frame.
    number: u32,
    start: u32,
    len: u32,
    original_len: u32,
    interface: u32,
    precision: Precision,
}

/// What frames are decoded for.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) filter: &'a Filter,
    pub(super) tagger: Tagger,
}

impl Batch {
    /// Decodes the frames of a block; what was here before is gone.
    pub(super) fn decode(&mut self, block: &Block, decoder: Decoder<'_>) {
        self.entries.reset(SHARDS);
        self.keys.clear();
        self.asides.clear();
        self.fragments.clear();
        self.whole.clear();
        self.ticks.clear();
        self.tally = FrameTally::default();
        if !self.take_classic(block, decoder) {
            self.take_any(block, decoder);
        }
    }

    /// Takes the frames of a block that are all written alike; `false` where they are not.
    ///
    /// A function of its own, so that what it goes through stays in registers.
    #[inline(never)]
    fn take_classic(&mut self, block: &Block, decoder: Decoder<'_>) -> bool {
        let mut newest = Timestamp::from_nanos(i64::MIN);
        let mut frames = block.frames();
        let Some(layout) = frames.classic() else {
            return false;
        };
        while let Some(frame) = frames.next_classic(&layout) {
            self.take(frame, &mut newest, block, decoder);
        }
        true
    }

    /// Takes the frames of any block.
    #[inline(never)]
    fn take_any(&mut self, block: &Block, decoder: Decoder<'_>) {
        let mut newest = Timestamp::from_nanos(i64::MIN);
        for frame in block.frames() {
            self.take(frame, &mut newest, block, decoder);
        }
    }

    #[inline(always)]
    fn take(
        &mut self,
        frame: Frame<'_>,
        newest: &mut Timestamp,
        block: &Block,
        decoder: Decoder<'_>,
    ) {
        self.tally.see(&frame);
        *newest = frame.time.max(*newest);
        if !decoder.filter.admits_time(frame.time) {
            self.tally.filtered += 1;
            return;
        }
        match packet::plain(&frame) {
            Plain::V4(headers) => {
                let segment = packet::segment_v4(headers, &frame);
                self.take_segment(segment, &frame, *newest, block, decoder);
            }
            Plain::V6(headers) => {
                let segment = packet::segment_v6(headers, &frame);
                self.take_segment(segment, &frame, *newest, block, decoder);
            }
            Plain::Datagram => self.tally.skip(Skip::Udp, &frame),
            Plain::Other => self.walk(frame, *newest, block, decoder),
        }
    }

    /// Takes a frame that is not plain.
    #[inline(never)]
    fn walk(&mut self, frame: Frame<'_>, newest: Timestamp, block: &Block, decoder: Decoder<'_>) {
        match packet::walked(&frame) {
            Decoded::Segment(segment) => {
                self.take_segment(segment, &frame, newest, block, decoder);
            }
            Decoded::Fragment(fragment) => {
                self.tally.fragments += 1;
                self.fragments
                    .push((FrameAt::of(&frame, block, newest), fragment));
            }
            Decoded::Unreachable(icmp) => {
                self.tally.unreachable += 1;
                let at = FrameAt::of(&frame, block, newest);
                self.push_aside(icmp.key, Aside::Icmp(Box::new(icmp)), &at, decoder.tagger);
            }
            Decoded::Skip(skip) => self.tally.skip(skip, &frame),
        }
    }

    #[inline(always)]
    fn take_segment(
        &mut self,
        segment: Segment,
        frame: &Frame<'_>,
        newest: Timestamp,
        block: &Block,
        decoder: Decoder<'_>,
    ) {
        let Decoder { filter, tagger } = decoder;
        if !filter.admits(&segment.key) {
            self.tally.filtered += 1;
            return;
        }
        self.tally.segments += 1;
        let at = FrameAt::of(frame, block, newest);
        if segment.path != PathId::default() || frame.time != newest {
            self.push_aside(segment.key, Aside::Segment(segment, at), &at, tagger);
            return;
        }
        let whose = match segment.key.short() {
            Some(key) => Whose::Short(key),
            None => Whose::Long(next_place(&mut self.keys, segment.key)),
        };
        let shard = shard_of(&segment.key);
        // Written where it stays: what is copied in wider parts than it was written in is waited for.
        let Some(place) = self.entries.grow(shard, Entry::default) else {
            return;
        };
        *place = Entry {
            time: frame.time,
            whose,
            tag: tagger.tag(&segment.key),
            number: at.number,
            payload_start: at.start.saturating_add(segment.payload_start),
            payload_len: segment.payload_len,
            wire_len: segment.wire_len,
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags,
            window: segment.window,
            ip_id: segment.ip_id,
            interface: u16::try_from(frame.interface).unwrap_or(u16::MAX),
            precision: frame.precision,
            direction: segment.direction,
            // Now: the payload is far away for whoever takes it.
            begins_tls: tls::begins_hello(segment.payload(frame.data)),
        };
    }

    #[inline(never)]
    fn push_aside(&mut self, key: FlowKey, aside: Aside, at: &FrameAt, tagger: Tagger) {
        let place = next_place(&mut self.asides, aside);
        if let Some(entry) = self.entries.grow(shard_of(&key), Entry::default) {
            *entry = Entry {
                time: at.time,
                whose: Whose::Aside(place),
                tag: tagger.tag(&key),
                number: at.number,
                ..Entry::default()
            };
        }
    }

    /// Joins the fragments of the block, in the order of the capture: a packet that becomes whole
    /// stands at the place of the frame that completed it.
    pub(super) fn join(
        &mut self,
        block: &Block,
        fragments: &mut Defragmenter,
        decoder: Decoder<'_>,
    ) {
        if self.fragments.is_empty() {
            return;
        }
        let Decoder { filter, tagger } = decoder;
        let mut whole = std::mem::take(&mut self.whole);
        for (at, fragment) in std::mem::take(&mut self.fragments) {
            join(&at.frame(block), &fragment, fragments, &mut |joined| {
                match joined.decode() {
                    Decoded::Segment(segment) if filter.admits(&segment.key) => {
                        self.tally.segments += 1;
                        let aside = Aside::Joined(Box::new((segment, whole.len())), at);
                        self.push_aside(segment.key, aside, &at, tagger);
                    }
                    Decoded::Segment(_) => self.tally.filtered += 1,
                    Decoded::Unreachable(icmp) => {
                        let aside = Aside::Icmp(Box::new(icmp));
                        self.push_aside(icmp.key, aside, &at, tagger);
                    }
                    _ => {}
                }
                whole.push(joined);
            });
        }
        self.whole = whole;
        // Nothing else came in a frame that was a fragment.
        self.entries.sort_by_key(|entry| entry.number);
    }

    /// Notes what was before the block: the newest time, and when the clock ticks.
    pub(super) fn follow(&mut self, clock: Timestamp, ticks: Vec<Tick>) {
        self.clock = clock;
        self.ticks = ticks;
    }

    /// What was seen of its frames.
    pub(super) const fn tally(&self) -> &FrameTally {
        &self.tally
    }

    /// Gives to a shard what is for it.
    #[inline(never)]
    pub(super) fn give_to(
        &self,
        number: usize,
        shard: &mut Shard,
        block: &Block,
        file: u32,
        shared: &Shared,
    ) {
        let mut ticks = self.ticks.iter().copied().peekable();
        for entries in self.entries.pages(number) {
            let mut guesses = [None; AHEAD];
            for (guess, entry) in guesses.iter_mut().zip(entries) {
                *guess = shard.guess(entry.tag);
            }
            touch(guesses.iter().flatten().map(|guess| (&*shard, *guess)));
            for (entry, guess) in entries.iter().zip(guesses) {
                let here = (file, number_in(block, entry.number));
                while let Some(tick) = ticks.next_if(|tick| tick.place <= here) {
                    shard.tick(tick, shared);
                }
                self.give(entry, guess, shard, (block, file), shared);
            }
        }
        for tick in ticks {
            shard.tick(tick, shared);
        }
    }

    #[inline]
    fn give(
        &self,
        entry: &Entry,
        guess: Option<u32>,
        shard: &mut Shard,
        (block, file): (&Block, u32),
        shared: &Shared,
    ) {
        let key = match entry.whose {
            Whose::Short(key) => key.key(),
            Whose::Long(place) => match self.keys.get(index(place)) {
                Some(key) => *key,
                None => return,
            },
            Whose::Aside(place) => {
                if let Some(aside) = self.asides.get(index(place)) {
                    self.give_aside(aside, (entry.tag, guess), shard, (block, file), shared);
                }
                return;
            }
        };
        let segment = entry.segment(key);
        let arrival = Arrival {
            segment: &segment,
            tag: entry.tag,
            guess,
            payload: segment.payload(block.bytes()),
            begins_tls: Some(entry.begins_tls),
            mark: Mark {
                frame: number_in(block, entry.number),
                time: entry.time,
                file,
                interface: entry.interface,
                precision: entry.precision,
            },
            clock: self.clock.max(entry.time),
            // Nothing is around it, or it would stand aside.
            outer: &Encapsulation::default,
        };
        shard.take(&arrival, shared);
    }

    #[inline(never)]
    fn give_aside(
        &self,
        aside: &Aside,
        (tag, guess): (Tag, Option<u32>),
        shard: &mut Shard,
        (block, file): (&Block, u32),
        shared: &Shared,
    ) {
        match aside {
            Aside::Segment(segment, at) => {
                let frame = at.frame(block);
                shard.take(
                    &Arrival {
                        segment,
                        tag,
                        guess,
                        payload: segment.payload(frame.data),
                        begins_tls: None,
                        mark: mark(&frame, file),
                        clock: self.clock.max(at.newest),
                        outer: &|| packet::encapsulation(&frame),
                    },
                    shared,
                );
            }
            Aside::Joined(joined, at) => {
                let (segment, place) = &**joined;
                let Some(whole) = self.whole.get(*place) else {
                    return;
                };
                shard.take(
                    &Arrival {
                        segment,
                        tag,
                        guess,
                        payload: segment.payload(&whole.bytes),
                        begins_tls: None,
                        mark: mark(&at.frame(block), file),
                        clock: self.clock.max(at.newest),
                        outer: &|| whole.encapsulation(),
                    },
                    shared,
                );
            }
            Aside::Icmp(icmp) => shard.take_icmp(icmp),
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
            seq: SeqNumber::default(),
            ack: SeqNumber::default(),
            flags: Flags::default(),
            window: 0,
            ip_id: 0,
            interface: 0,
            precision: Precision::default(),
            direction: Direction::LowToHigh,
            begins_tls: false,
        }
    }
}

impl Entry {
    /// The segment, its payload by its place in the block.
    #[inline]
    fn segment(&self, key: FlowKey) -> Segment {
        Segment {
            key,
            direction: self.direction,
            seq: self.seq,
            ack: self.ack,
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

impl FrameAt {
    #[inline]
    fn of(frame: &Frame<'_>, block: &Block, newest: Timestamp) -> Self {
        let short = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        Self {
            time: frame.time,
            newest,
            number: u32::try_from(frame.number.saturating_sub(block.first_number()))
                .unwrap_or(u32::MAX),
            start: short(block.offset_of(frame.data).unwrap_or_default()),
            len: short(frame.data.len()),
            original_len: frame.original_len,
            interface: frame.interface,
            precision: frame.precision,
        }
    }

    #[inline]
    fn frame<'a>(&self, block: &'a Block) -> Frame<'a> {
        let end = index(self.start).saturating_add(index(self.len));
        Frame {
            number: number_in(block, self.number),
            time: self.time,
            precision: self.precision,
            link_type: block.link_type(self.interface),
            interface: self.interface,
            original_len: self.original_len,
            data: block
                .bytes()
                .get(index(self.start)..end)
                .unwrap_or_default(),
        }
    }
}

/// Puts an item at the end of a list; gives its place.
#[inline]
fn next_place<T>(list: &mut Vec<T>, item: T) -> u32 {
    let place = u32::try_from(list.len()).unwrap_or(u32::MAX);
    list.push(item);
    place
}

/// The number of a frame, which is counted from the block's first one.
#[inline]
fn number_in(block: &Block, number: u32) -> u64 {
    block.first_number().saturating_add(u64::from(number))
}

#[inline]
fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// What is given to a shard together is looked for together.
const _: () = assert!(PAGE_LEN <= AHEAD);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fills_a_cache_line() {
        assert_eq!(size_of::<Entry>(), 64);
    }
}
