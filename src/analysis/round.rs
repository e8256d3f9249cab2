//! From frames to shards on one thread: a segment goes from the decoder to its shard at once,
//! while its bytes are still in the cache.
//!
//! On several threads blocks become batches, which the shards take side by side. A shard sees the
//! same segments in the same order either way.

use crate::analysis::deal::shard_of;
use crate::analysis::filter::Filter;
use crate::analysis::mark::Mark;
use crate::analysis::shard::{Arrival, Shard, Tick};
use crate::analysis::shared::Shared;
use crate::capture::{Block, Frame, LinkType};
use crate::packet::{self, Decoded, Defragmenter, Fragment, Joined, Skip, Unreachable};
use crate::reassembly::Tag;
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
    #[inline]
    pub(super) fn see(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let at = (frame.time, frame.precision);
        match &mut self.last {
            // Nearly always a frame is later than those before it.
            Some(last) if at > *last => *last = at,
            Some(_) => self.first = self.first.map(|first| first.min(at)),
            None => (self.first, self.last) = (Some(at), Some(at)),
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

/// Where the connection of a segment is looked for.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    shard: usize,
    tag: Tag,
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
    ///
    /// A few are decoded before the first of them is taken: their connections lie far apart in
    /// memory, and come from there side by side.
    pub(super) fn take(&mut self, block: &Block) -> FrameTally {
        let mut tally = FrameTally::default();
        // Apart: together they would be too much to be moved in a few instructions.
        let mut ahead = Vec::with_capacity(AHEAD);
        let mut decoded = Vec::with_capacity(AHEAD);
        let mut frames = block.frames();
        loop {
            ahead.clear();
            decoded.clear();
            for frame in frames.by_ref().take(AHEAD) {
                decoded.push(packet::decode(&frame));
                let place = decoded.last().map(|decoded| self.place(decoded));
                ahead.push((frame, place.unwrap_or_default()));
            }
            if ahead.is_empty() {
                return tally;
            }
            touch(ahead.iter().filter_map(|(_, place)| {
                let shard = self.shards.get(place.shard)?;
                Some((shard, place.tag))
            }));
            for ((frame, place), decoded) in ahead.iter().zip(&decoded) {
                self.take_frame(frame, decoded, *place, &mut tally);
            }
        }
    }

    #[inline]
    fn place(&self, decoded: &Decoded) -> Place {
        let Decoded::Segment(segment) = decoded else {
            return Place::default();
        };
        let shard = shard_of(&segment.key);
        let tag = self.shards.get(shard).map(|shard| shard.tag(&segment.key));
        Place {
            shard,
            tag: tag.unwrap_or_default(),
        }
    }

    fn take_frame(
        &mut self,
        frame: &Frame<'_>,
        decoded: &Decoded,
        place: Place,
        tally: &mut FrameTally,
    ) {
        tally.see(frame);
        self.clock = self.clock.max(frame.time);
        let ticker = self.ticker.as_mut();
        if let Some(tick) = ticker.and_then(|ticker| ticker.tick(frame, self.file)) {
            for shard in self.shards.iter_mut() {
                shard.tick(tick, self.shared);
            }
        }
        if !self.filter.admits_time(frame.time) {
            tally.filtered += 1;
            return;
        }
        match decoded {
            Decoded::Segment(segment) => {
                let arrival = Arrival {
                    segment,
                    tag: place.tag,
                    payload: segment.payload(frame.data),
                    mark: mark(frame, self.file),
                    clock: self.clock,
                    outer: &|| packet::encapsulation(frame),
                };
                self.take_segment(&arrival, place.shard, tally);
            }
            Decoded::Fragment(fragment) => {
                tally.fragments += 1;
                let mut whole = Vec::new();
                join(frame, fragment, self.fragments, &mut |joined| {
                    whole.push(joined)
                });
                for joined in whole {
                    self.take_joined(&joined, frame, tally);
                }
            }
            Decoded::Unreachable(icmp) => {
                tally.unreachable += 1;
                self.take_icmp(icmp);
            }
            Decoded::Skip(skip) => tally.skip(*skip, frame),
        }
    }

    /// Takes what is left of packets of which not all fragments came.
    pub(super) fn take_abandoned(&mut self) {
        self.fragments.abandon_all();
        let mut tally = FrameTally::default();
        while let Some(joined) = self.fragments.pop_abandoned() {
            self.take_joined(&joined, &joined.frame(), &mut tally);
        }
    }

    fn take_segment(&mut self, arrival: &Arrival<'_>, shard: usize, tally: &mut FrameTally) {
        if !self.filter.admits(&arrival.segment.key) {
            tally.filtered += 1;
            return;
        }
        tally.segments += 1;
        if let Some(shard) = self.shards.get_mut(shard) {
            shard.take(arrival, self.shared);
        }
    }

    fn take_icmp(&mut self, icmp: &Unreachable) {
        if let Some(shard) = self.shards.get_mut(shard_of(&icmp.key)) {
            shard.take_icmp(icmp);
        }
    }

    fn take_joined(&mut self, joined: &Joined, completed_by: &Frame<'_>, tally: &mut FrameTally) {
        let frame = joined.frame();
        match joined.decode() {
            Decoded::Segment(segment) => {
                let number = shard_of(&segment.key);
                let Some(shard) = self.shards.get(number) else {
                    return;
                };
                let arrival = Arrival {
                    segment: &segment,
                    tag: shard.tag(&segment.key),
                    payload: segment.payload(frame.data),
                    mark: mark(completed_by, self.file),
                    clock: self.clock,
                    outer: &|| joined.encapsulation(),
                };
                self.take_segment(&arrival, number, tally);
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

/// Reads what is about to be taken, of at most [`AHEAD`] connections. Nothing but short loops does
/// it: only what stands close together in the program waits for memory together.
pub(super) fn touch<'a>(places: impl Iterator<Item = (&'a Shard, Tag)>) {
    let mut found = [None; AHEAD];
    for (found, (shard, tag)) in found.iter_mut().zip(places) {
        *found = shard.guess(tag).map(|slot| (shard, slot));
    }
    let read = found
        .iter()
        .flatten()
        .fold(0, |read, (shard, slot)| read ^ shard.touch(*slot));
    // It is wanted in the cache and nowhere else.
    std::hint::black_box(read);
}

pub(super) fn mark(frame: &Frame<'_>, file: u32) -> Mark {
    Mark {
        frame: frame.number,
        time: frame.time,
        file,
        interface: u16::try_from(frame.interface).unwrap_or(u16::MAX),
        precision: frame.precision,
    }
}

const SECOND: i64 = 1_000_000_000;
/// Segments whose connections are touched before the first of them is taken: enough to hide what
/// memory takes, and little enough to stay in the cache.
pub(super) const AHEAD: usize = 16;
/// Fragments in tunnels in fragments that are followed.
const MAX_NESTED: usize = 8;
/// Unknown link types that are named.
const MAX_LINK_TYPES: usize = 16;
