//! A round: blocks of frames, decoded and dealt to the shards.
//!
//! On one thread a segment goes from the decoder to its shard at once, while its bytes are still
//! in the cache. On several, blocks are decoded side by side into lists, fragments are joined in
//! the order of the frames, and then the shards take their lists side by side, block by block. A
//! shard sees the same segments in the same order either way.

use rayon::prelude::*;

use crate::analysis::filter::Filter;
use crate::analysis::mark::Mark;
use crate::analysis::shard::{Arrival, SHARDS, Shard, Tick};
use crate::analysis::shared::Shared;
use crate::capture::{Block, Frame, LinkType};
use crate::packet::{self, Decoded, Defragmenter, Fragment, Joined, Segment, Skip, Unreachable};
use crate::time::{Precision, Timestamp};

/// What was seen of the frames, beside their segments.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameTally {
    pub(super) frames: u64,
    pub(super) segments: u64,
    pub(super) fragments: u64,
    pub(super) unreachable: u64,
    pub(super) filtered: u64,
    pub(super) skips: [u64; Skip::ALL.len()],
    pub(super) first: Option<(Timestamp, Precision)>,
    pub(super) last: Option<(Timestamp, Precision)>,
    pub(super) unknown_link_types: Vec<LinkType>,
}

impl FrameTally {
    fn see(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let at = (frame.time, frame.precision);
        if self.first.is_none_or(|first| at < first) {
            self.first = Some(at);
        }
        if self.last.is_none_or(|last| at > last) {
            self.last = Some(at);
        }
    }

    fn skip(&mut self, skip: Skip, frame: &Frame<'_>) {
        if let Some(count) = self.skips.get_mut(skip.index()) {
            *count += 1;
        }
        if skip == Skip::UnknownLinkType
            && self.unknown_link_types.len() < MAX_LINK_TYPES
            && !self.unknown_link_types.contains(&frame.link_type)
        {
            self.unknown_link_types.push(frame.link_type);
        }
    }

    /// Adds what another tally counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.segments += other.segments;
        self.fragments += other.fragments;
        self.unreachable += other.unreachable;
        self.filtered += other.filtered;
        for (count, more) in self.skips.iter_mut().zip(other.skips) {
            *count += more;
        }
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for link_type in &other.unknown_link_types {
            if self.unknown_link_types.len() < MAX_LINK_TYPES
                && !self.unknown_link_types.contains(link_type)
            {
                self.unknown_link_types.push(*link_type);
            }
        }
    }
}

/// Tells when a second of the capture has gone by, so that shards to which no segment comes let
/// go of their flows too. It ticks at frames, never at the borders of blocks or rounds.
#[derive(Debug, Default)]
pub(super) struct Ticker {
    next: Option<Timestamp>,
}

impl Ticker {
    fn tick(&mut self, frame: &Frame<'_>, file: u32) -> Option<Tick> {
        if self.next.is_some_and(|next| frame.time < next) {
            return None;
        }
        let is_first = self.next.is_none();
        self.next = Some(frame.time.saturating_add_nanos(SECOND));
        (!is_first).then_some(Tick {
            place: (file, frame.number),
            time: frame.time,
        })
    }
}

/// Where the frames of a file go.
pub(super) struct Intake<'a> {
    /// The file's place in the run.
    pub(super) file: u32,
    pub(super) filter: &'a Filter,
    pub(super) shards: &'a mut [Shard],
    pub(super) fragments: &'a mut Defragmenter,
    pub(super) ticker: Option<&'a mut Ticker>,
    pub(super) shared: &'a Shared,
    /// The newest time among the frames of the run so far.
    pub(super) clock: Timestamp,
}

impl Intake<'_> {
    /// Takes the frames of blocks one after the other, on this thread.
    pub(super) fn take_in_turn(&mut self, blocks: &[Block]) -> FrameTally {
        let mut tally = FrameTally::default();
        for frame in blocks.iter().flat_map(Block::frames) {
            tally.see(&frame);
            self.clock = self.clock.max(frame.time);
            let ticker = self.ticker.as_mut();
            if let Some(tick) = ticker.and_then(|ticker| ticker.tick(&frame, self.file)) {
                for shard in self.shards.iter_mut() {
                    shard.tick(tick, self.shared);
                }
            }
            if !self.filter.admits_time(frame.time) {
                tally.filtered += 1;
                continue;
            }
            match packet::decode(&frame) {
                Decoded::Segment(segment) => {
                    let arrival = Arrival {
                        segment: &segment,
                        payload: segment.payload(frame.data),
                        mark: mark(&frame, self.file),
                        clock: self.clock,
                        outer: &|| packet::encapsulation(&frame),
                    };
                    self.take_segment(&arrival, &mut tally);
                }
                Decoded::Fragment(fragment) => {
                    tally.fragments += 1;
                    let mut whole = Vec::new();
                    join(&frame, &fragment, self.fragments, &mut |joined| {
                        whole.push(joined)
                    });
                    for joined in whole {
                        self.take_joined(&joined, &frame, &mut tally);
                    }
                }
                Decoded::Unreachable(icmp) => {
                    tally.unreachable += 1;
                    self.take_icmp(&icmp);
                }
                Decoded::Skip(skip) => tally.skip(skip, &frame),
            }
        }
        tally
    }

    /// Takes what is left of packets of which not all fragments came.
    pub(super) fn take_abandoned(&mut self) {
        self.fragments.abandon_all();
        let mut tally = FrameTally::default();
        while let Some(joined) = self.fragments.pop_abandoned() {
            self.take_joined(&joined, &joined.frame(), &mut tally);
        }
    }

    fn take_segment(&mut self, arrival: &Arrival<'_>, tally: &mut FrameTally) {
        let key = &arrival.segment.key;
        if !self.filter.admits(key) {
            tally.filtered += 1;
            return;
        }
        tally.segments += 1;
        if let Some(shard) = self.shards.get_mut(Shard::of(key)) {
            shard.take(arrival, self.shared);
        }
    }

    fn take_icmp(&mut self, icmp: &Unreachable) {
        if let Some(shard) = self.shards.get_mut(Shard::of(&icmp.key)) {
            shard.take_icmp(icmp);
        }
    }

    fn take_joined(&mut self, joined: &Joined, completed_by: &Frame<'_>, tally: &mut FrameTally) {
        let frame = joined.frame();
        match joined.decode() {
            Decoded::Segment(segment) => {
                let arrival = Arrival {
                    segment: &segment,
                    payload: segment.payload(frame.data),
                    mark: mark(completed_by, self.file),
                    clock: self.clock,
                    outer: &|| joined.encapsulation(),
                };
                self.take_segment(&arrival, tally);
            }
            Decoded::Unreachable(icmp) => self.take_icmp(&icmp),
            _ => {}
        }
    }

    /// Takes the frames of blocks side by side, on the threads of the pool that this runs in.
    pub(super) fn take_side_by_side(&mut self, blocks: &[Block]) -> FrameTally {
        let filter = self.filter;
        let mut batches: Vec<Batch> = blocks
            .par_iter()
            .map(|block| decode(block, filter))
            .collect();
        let mut tally = FrameTally::default();
        let mut whole = Vec::new();
        for (batch, block) in batches.iter_mut().zip(blocks) {
            for (at, fragment) in std::mem::take(&mut batch.fragments) {
                join(&at.frame(block), &fragment, self.fragments, &mut |joined| {
                    batch.insert(&joined, at, whole.len(), filter);
                    whole.push(joined);
                });
            }
            batch.clock = self.clock;
            if let Some((newest, _)) = batch.tally.last {
                self.clock = self.clock.max(newest);
            }
            tally.add(&batch.tally);
        }
        let ticks: Vec<Vec<Tick>> = blocks.iter().map(|block| self.ticks(block)).collect();
        let (file, shared) = (self.file, self.shared);
        self.shards
            .par_iter_mut()
            .enumerate()
            .for_each(|(number, shard)| {
                for ((batch, block), ticks) in batches.iter().zip(blocks).zip(&ticks) {
                    let mut ticks = ticks.iter().copied().peekable();
                    for entry in batch.lists.get(number).into_iter().flatten() {
                        let here = (file, entry.frame.number);
                        while let Some(tick) = ticks.next_if(|tick| tick.place <= here) {
                            shard.tick(tick, shared);
                        }
                        entry.give_to(shard, block, batch.clock, &whole, file, shared);
                    }
                    for tick in ticks {
                        shard.tick(tick, shared);
                    }
                }
                shard.tell();
            });
        tally
    }
}

impl Intake<'_> {
    /// The frames of a block at which the clock ticks.
    fn ticks(&mut self, block: &Block) -> Vec<Tick> {
        let file = self.file;
        let Some(ticker) = &mut self.ticker else {
            return Vec::new();
        };
        let ticks = block.frames().filter_map(|frame| ticker.tick(&frame, file));
        ticks.collect()
    }
}

/// Hands on the packet that a fragment completes, and packets that are given up with it. A
/// joined packet may be a tunnel, and in it may be a fragment once more.
fn join(
    frame: &Frame<'_>,
    fragment: &Fragment,
    fragments: &mut Defragmenter,
    then: &mut dyn FnMut(Joined),
) {
    let mut completed = fragments.push(frame, fragment);
    for _ in 0..MAX_NESTED {
        let Some(joined) = completed.take() else {
            break;
        };
        if let Decoded::Fragment(inner) = joined.decode() {
            completed = fragments.push_joined(&joined, &inner);
        } else {
            then(joined);
        }
    }
    while let Some(abandoned) = fragments.pop_abandoned() {
        then(abandoned);
    }
}

fn mark(frame: &Frame<'_>, file: u32) -> Mark {
    Mark {
        frame: frame.number,
        time: frame.time,
        file,
        interface: frame.interface,
        precision: frame.precision,
    }
}

/// One block, decoded: what each shard has to take, in the order of the frames.
#[derive(Debug, Default)]
struct Batch {
    lists: Vec<Vec<Entry>>,
    fragments: Vec<(FrameAt, Fragment)>,
    /// The newest time among the frames of the run before this block.
    clock: Timestamp,
    tally: FrameTally,
}

#[derive(Debug)]
struct Entry {
    what: What,
    frame: FrameAt,
    /// The packet among the joined ones that it came in, in place of the frame itself.
    joined: Option<usize>,
}

#[derive(Debug)]
enum What {
    Segment(Segment),
    Icmp(Unreachable),
}

/// A frame without its bytes: where they stand in the block.
#[derive(Clone, Copy, Debug)]
struct FrameAt {
    number: u64,
    time: Timestamp,
    precision: Precision,
    link_type: LinkType,
    interface: u32,
    original_len: u32,
    start: usize,
    len: usize,
    /// The newest time among the frames of the block up to this one.
    newest: Timestamp,
}

impl FrameAt {
    fn of(frame: &Frame<'_>, block: &Block, newest: Timestamp) -> Self {
        Self {
            number: frame.number,
            time: frame.time,
            precision: frame.precision,
            link_type: frame.link_type,
            interface: frame.interface,
            original_len: frame.original_len,
            start: block.offset_of(frame.data).unwrap_or_default(),
            len: frame.data.len(),
            newest,
        }
    }

    fn frame<'a>(&self, block: &'a Block) -> Frame<'a> {
        let end = self.start.saturating_add(self.len);
        Frame {
            number: self.number,
            time: self.time,
            precision: self.precision,
            link_type: self.link_type,
            interface: self.interface,
            original_len: self.original_len,
            data: block.bytes().get(self.start..end).unwrap_or_default(),
        }
    }
}

fn decode(block: &Block, filter: &Filter) -> Batch {
    let mut batch = Batch {
        lists: (0..SHARDS).map(|_| Vec::new()).collect(),
        ..Batch::default()
    };
    let mut newest = Timestamp::from_nanos(i64::MIN);
    for frame in block.frames() {
        batch.tally.see(&frame);
        newest = newest.max(frame.time);
        if !filter.admits_time(frame.time) {
            batch.tally.filtered += 1;
            continue;
        }
        match packet::decode(&frame) {
            Decoded::Segment(segment) if filter.admits(&segment.key) => {
                batch.tally.segments += 1;
                batch.push(Entry {
                    what: What::Segment(segment),
                    frame: FrameAt::of(&frame, block, newest),
                    joined: None,
                });
            }
            Decoded::Segment(_) => batch.tally.filtered += 1,
            Decoded::Fragment(fragment) => {
                batch.tally.fragments += 1;
                batch
                    .fragments
                    .push((FrameAt::of(&frame, block, newest), fragment));
            }
            Decoded::Unreachable(icmp) => {
                batch.tally.unreachable += 1;
                batch.push(Entry {
                    what: What::Icmp(icmp),
                    frame: FrameAt::of(&frame, block, newest),
                    joined: None,
                });
            }
            Decoded::Skip(skip) => batch.tally.skip(skip, &frame),
        }
    }
    batch
}

impl Batch {
    fn push(&mut self, entry: Entry) {
        if let Some(list) = self.lists.get_mut(Shard::of(entry.key())) {
            list.push(entry);
        }
    }

    /// Puts a joined packet at the place of the frame that completed it.
    fn insert(&mut self, joined: &Joined, at: FrameAt, place: usize, filter: &Filter) {
        let what = match joined.decode() {
            Decoded::Segment(segment) if filter.admits(&segment.key) => {
                self.tally.segments += 1;
                What::Segment(segment)
            }
            Decoded::Segment(_) => {
                self.tally.filtered += 1;
                return;
            }
            Decoded::Unreachable(icmp) => What::Icmp(icmp),
            _ => return,
        };
        let entry = Entry {
            what,
            frame: at,
            joined: Some(place),
        };
        if let Some(list) = self.lists.get_mut(Shard::of(entry.key())) {
            let behind = list.partition_point(|other| other.frame.number <= at.number);
            list.insert(behind, entry);
        }
    }
}

impl Entry {
    fn key(&self) -> &crate::flow::FlowKey {
        match &self.what {
            What::Segment(segment) => &segment.key,
            What::Icmp(icmp) => &icmp.key,
        }
    }

    fn give_to(
        &self,
        shard: &mut Shard,
        block: &Block,
        clock: Timestamp,
        whole: &[Joined],
        file: u32,
        shared: &Shared,
    ) {
        let segment = match &self.what {
            What::Segment(segment) => segment,
            What::Icmp(icmp) => return shard.take_icmp(icmp),
        };
        let frame = self.frame.frame(block);
        let joined = self.joined.and_then(|place| whole.get(place));
        let outer = || match joined {
            Some(joined) => joined.encapsulation(),
            None => packet::encapsulation(&frame),
        };
        let arrival = Arrival {
            segment,
            payload: match joined {
                Some(joined) => segment.payload(&joined.bytes),
                None => segment.payload(frame.data),
            },
            mark: mark(&frame, file),
            clock: clock.max(self.frame.newest),
            outer: &outer,
        };
        shard.take(&arrival, shared);
    }
}

const SECOND: i64 = 1_000_000_000;
/// Fragments in tunnels in fragments that are followed.
const MAX_NESTED: usize = 8;
/// Unknown link types that are named.
const MAX_LINK_TYPES: usize = 16;
