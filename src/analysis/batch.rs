//! One block, decoded: what each shard has to take of it, in the order of the frames.
//!
//! A batch is made on any thread and read on all of them. It is filled again and again, so that its
//! lists are made once; what the block knows is not copied.

use crate::analysis::deal::{SHARDS, shard_of};
use crate::analysis::filter::Filter;
use crate::analysis::round::{AHEAD, FrameTally, join, mark, touch};
use crate::analysis::shard::{Arrival, Shard, Tick};
use crate::analysis::shared::Shared;
use crate::capture::{Block, Frame};
use crate::flow::FlowKey;
use crate::packet::{
    self, Decoded, Defragmenter, Fragment, Joined, Plain, Segment, Skip, Unreachable,
};
use crate::reassembly::Tag;
use crate::time::{Precision, Timestamp};

/// One block, decoded.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In the order of the frames.
    entries: Vec<Entry>,
    /// The shard of each entry.
    shards: Vec<u8>,
    /// The places of the entries, those of the first shard first.
    order: Vec<u32>,
    /// Where in `order` each shard begins; and where the last one ends.
    begins: Vec<u32>,
    fragments: Vec<(FrameAt, Fragment)>,
    /// The packets that fragments of this block completed.
    whole: Vec<Joined>,
    /// The newest time among the frames of the run before this block.
    clock: Timestamp,
    /// The frames at which the clock ticks.
    ticks: Vec<Tick>,
    tally: FrameTally,
}

/// What a shard takes, and the frame it came in.
#[derive(Debug)]
struct Entry {
    what: What,
    at: FrameAt,
}

#[derive(Debug)]
enum What {
    Segment(Segment),
    /// A segment of a packet that came in fragments, and the packet's place among the joined ones.
    Joined(Box<(Segment, usize)>),
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

impl Batch {
    /// Decodes the frames of a block; what was here before is gone.
    pub(super) fn decode(&mut self, block: &Block, filter: &Filter) {
        self.entries.clear();
        self.shards.clear();
        self.fragments.clear();
        self.whole.clear();
        self.ticks.clear();
        self.tally = FrameTally::default();
        let mut newest = Timestamp::from_nanos(i64::MIN);
        let mut frames = block.frames();
        match frames.classic() {
            Some(layout) => {
                while let Some(frame) = frames.next_classic(&layout) {
                    self.take(frame, &mut newest, block, filter);
                }
            }
            None => {
                for frame in frames {
                    self.take(frame, &mut newest, block, filter);
                }
            }
        }
        self.deal();
    }

    #[inline(always)]
    fn take(&mut self, frame: Frame<'_>, newest: &mut Timestamp, block: &Block, filter: &Filter) {
        self.tally.see(&frame);
        *newest = frame.time.max(*newest);
        if !filter.admits_time(frame.time) {
            self.tally.filtered += 1;
            return;
        }
        match packet::plain(&frame) {
            Plain::V4(headers) => {
                let segment = packet::segment_v4(headers, &frame);
                self.take_segment(segment, FrameAt::of(&frame, block, *newest), filter);
            }
            Plain::V6(headers) => {
                let segment = packet::segment_v6(headers, &frame);
                self.take_segment(segment, FrameAt::of(&frame, block, *newest), filter);
            }
            Plain::Datagram => self.tally.skip(Skip::Udp, &frame),
            Plain::Other => self.walk(frame, FrameAt::of(&frame, block, *newest), filter),
        }
    }

    /// Takes a frame that is not plain.
    #[inline(never)]
    fn walk(&mut self, frame: Frame<'_>, at: FrameAt, filter: &Filter) {
        match packet::walked(&frame) {
            Decoded::Segment(segment) => self.take_segment(segment, at, filter),
            Decoded::Fragment(fragment) => {
                self.tally.fragments += 1;
                self.fragments.push((at, fragment));
            }
            Decoded::Unreachable(icmp) => {
                self.tally.unreachable += 1;
                self.push(icmp.key, What::Icmp(Box::new(icmp)), at);
            }
            Decoded::Skip(skip) => self.tally.skip(skip, &frame),
        }
    }

    #[inline]
    fn take_segment(&mut self, segment: Segment, at: FrameAt, filter: &Filter) {
        if filter.admits(&segment.key) {
            self.tally.segments += 1;
            self.push(segment.key, What::Segment(segment), at);
        } else {
            self.tally.filtered += 1;
        }
    }

    #[inline]
    fn push(&mut self, key: FlowKey, what: What, at: FrameAt) {
        self.entries.push(Entry { what, at });
        self.shards
            .push(u8::try_from(shard_of(&key)).unwrap_or_default());
    }

    /// Puts the entries in the order of their shards, by counting.
    fn deal(&mut self) {
        let mut places = [0_u32; SHARDS];
        for shard in &self.shards {
            if let Some(count) = places.get_mut(usize::from(*shard)) {
                *count += 1;
            }
        }
        self.begins.clear();
        let mut begin = 0;
        for place in &mut places {
            self.begins.push(begin);
            begin += std::mem::replace(place, begin);
        }
        self.begins.push(begin);
        self.order.clear();
        self.order.resize(self.entries.len(), 0);
        for (at, shard) in (0..).zip(&self.shards) {
            let Some(place) = places.get_mut(usize::from(*shard)) else {
                continue;
            };
            if let Some(slot) = usize::try_from(*place)
                .ok()
                .and_then(|place| self.order.get_mut(place))
            {
                *slot = at;
            }
            *place += 1;
        }
    }

    /// Joins the fragments of the block, in the order of the capture: a packet that becomes whole
    /// stands at the place of the frame that completed it.
    pub(super) fn join(&mut self, block: &Block, fragments: &mut Defragmenter, filter: &Filter) {
        if self.fragments.is_empty() {
            return;
        }
        let mut whole = std::mem::take(&mut self.whole);
        for (at, fragment) in std::mem::take(&mut self.fragments) {
            join(&at.frame(block), &fragment, fragments, &mut |joined| {
                match joined.decode() {
                    Decoded::Segment(segment) if filter.admits(&segment.key) => {
                        self.tally.segments += 1;
                        let what = What::Joined(Box::new((segment, whole.len())));
                        self.push(segment.key, what, at);
                    }
                    Decoded::Segment(_) => self.tally.filtered += 1,
                    Decoded::Unreachable(icmp) => {
                        self.push(icmp.key, What::Icmp(Box::new(icmp)), at);
                    }
                    _ => {}
                }
                whole.push(joined);
            });
        }
        self.whole = whole;
        // Nothing else came in a frame that was a fragment.
        let mut entries: Vec<_> = self.entries.drain(..).zip(self.shards.drain(..)).collect();
        entries.sort_by_key(|(entry, _)| entry.at.number);
        (self.entries, self.shards) = entries.into_iter().unzip();
        self.deal();
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
    pub(super) fn give_to(
        &self,
        number: usize,
        shard: &mut Shard,
        block: &Block,
        file: u32,
        shared: &Shared,
    ) {
        let mut ticks = self.ticks.iter().copied().peekable();
        let tagger = shard.tagger();
        for places in self.places(number).chunks(AHEAD) {
            let entries = places.iter().filter_map(|place| {
                let place = usize::try_from(*place).ok()?;
                self.entries.get(place)
            });
            let mut sought = [(Tag::default(), None); AHEAD];
            for (sought, entry) in sought.iter_mut().zip(entries.clone()) {
                let tag = entry.what.key().map(|key| tagger.tag(key));
                *sought = (
                    tag.unwrap_or_default(),
                    tag.and_then(|tag| shard.guess(tag)),
                );
            }
            touch(
                sought
                    .iter()
                    .filter_map(|(_, guess)| Some((&*shard, (*guess)?))),
            );
            for (entry, sought) in entries.zip(sought) {
                let here = (file, entry.at.number(block));
                while let Some(tick) = ticks.next_if(|tick| tick.place <= here) {
                    shard.tick(tick, shared);
                }
                self.give(entry, sought, shard, (block, file), shared);
            }
        }
        for tick in ticks {
            shard.tick(tick, shared);
        }
    }

    fn places(&self, number: usize) -> &[u32] {
        let place = |at: usize| usize::try_from(*self.begins.get(at)?).ok();
        place(number)
            .zip(place(number + 1))
            .and_then(|(begin, end)| self.order.get(begin..end))
            .unwrap_or_default()
    }

    #[inline]
    fn give(
        &self,
        entry: &Entry,
        (tag, guess): (Tag, Option<u32>),
        shard: &mut Shard,
        (block, file): (&Block, u32),
        shared: &Shared,
    ) {
        let frame = entry.at.frame(block);
        let mark = mark(&frame, file);
        let clock = self.clock.max(entry.at.newest);
        match &entry.what {
            What::Segment(segment) => shard.take(
                &Arrival {
                    segment,
                    tag,
                    guess,
                    payload: segment.payload(frame.data),
                    mark,
                    clock,
                    outer: &|| packet::encapsulation(&frame),
                },
                shared,
            ),
            What::Joined(joined) => {
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
                        mark,
                        clock,
                        outer: &|| whole.encapsulation(),
                    },
                    shared,
                );
            }
            What::Icmp(icmp) => shard.take_icmp(icmp),
        }
    }
}

impl What {
    /// The connection of a segment.
    #[inline]
    fn key(&self) -> Option<&FlowKey> {
        match self {
            Self::Segment(segment) => Some(&segment.key),
            Self::Joined(joined) => Some(&joined.0.key),
            Self::Icmp(_) => None,
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
    fn number(&self, block: &Block) -> u64 {
        block.first_number().saturating_add(u64::from(self.number))
    }

    #[inline]
    fn frame<'a>(&self, block: &'a Block) -> Frame<'a> {
        let long = |len: u32| usize::try_from(len).unwrap_or(usize::MAX);
        let end = long(self.start).saturating_add(long(self.len));
        Frame {
            number: self.number(block),
            time: self.time,
            precision: self.precision,
            link_type: block.link_type(self.interface),
            interface: self.interface,
            original_len: self.original_len,
            data: block.bytes().get(long(self.start)..end).unwrap_or_default(),
        }
    }
}
