//! From frames to shards on one thread: a segment goes from the decoder to its shard at once,
//! while its bytes are still in the cache.
//!
//! On several threads blocks become batches, which the shards take side by side. A shard sees the
//! same segments in the same order either way.

use crate::analysis::filter::Filter;
use crate::analysis::mark::Mark;
use crate::analysis::shard::{Arrival, Shard, Tick};
use crate::analysis::shared::Shared;
use crate::capture::{Block, Frame, LinkType};
use crate::packet::{self, Decoded, Defragmenter, Fragment, Joined, Skip, Unreachable};
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
    pub(super) fn see(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let at = (frame.time, frame.precision);
        if self.first.is_none_or(|first| at < first) {
            self.first = Some(at);
        }
        if self.last.is_none_or(|last| at > last) {
            self.last = Some(at);
        }
    }

    pub(super) fn skip(&mut self, skip: Skip, frame: &Frame<'_>) {
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
    /// The frames of a block at which it ticks; `newest` is the newest time in the block.
    pub(super) fn ticks(&mut self, block: &Block, file: u32, newest: Timestamp) -> Vec<Tick> {
        if self.next.is_some_and(|next| newest < next) {
            return Vec::new();
        }
        let ticks = block.frames().filter_map(|frame| self.tick(&frame, file));
        ticks.collect()
    }

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
    /// Takes the frames of a block one after the other.
    pub(super) fn take(&mut self, block: &Block) -> FrameTally {
        let mut tally = FrameTally::default();
        for frame in block.frames() {
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
}

/// Hands on the packet that a fragment completes, and packets that are given up with it. A
/// joined packet may be a tunnel, and in it may be a fragment once more.
pub(super) fn join(
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

pub(super) fn mark(frame: &Frame<'_>, file: u32) -> Mark {
    Mark {
        frame: frame.number,
        time: frame.time,
        file,
        interface: frame.interface,
        precision: frame.precision,
    }
}

const SECOND: i64 = 1_000_000_000;
/// Fragments in tunnels in fragments that are followed.
const MAX_NESTED: usize = 8;
/// Unknown link types that are named.
const MAX_LINK_TYPES: usize = 16;
