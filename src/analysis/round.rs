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
use crate::capture::{Block, Frame, Frames, LinkType};
use crate::packet::{
    self, Decoded, Defragmenter, Fragment, Joined, Plain, Segment, Skip, Unreachable,
};
use crate::reassembly::{Tag, Tagger};
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
        match &mut self.last {
            // Nearly always a frame is later than those before it.
            Some((time, precision)) if frame.time > *time => {
                (*time, *precision) = (frame.time, frame.precision);
            }
            _ => self.see_out_of_order((frame.time, frame.precision)),
        }
    }

    fn see_out_of_order(&mut self, at: (Timestamp, Precision)) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
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
#[derive(Debug)]
pub(super) struct Ticker {
    /// Before all times until the first frame.
    next: Timestamp,
}

impl Default for Ticker {
    fn default() -> Self {
        Self {
            next: Timestamp::from_nanos(i64::MIN),
        }
    }
}

impl Ticker {
    /// The frames of a block at which it ticks; `newest` is the newest time in the block.
    pub(super) fn ticks(&mut self, block: &Block, file: u32, newest: Timestamp) -> Vec<Tick> {
        if newest < self.next {
            return Vec::new();
        }
        let ticks = block.frames().filter_map(|frame| self.tick(&frame, file));
        ticks.collect()
    }

    #[inline]
    fn tick(&mut self, frame: &Frame<'_>, file: u32) -> Option<Tick> {
        if frame.time < self.next {
            return None;
        }
        let next = frame.time.saturating_add_nanos(SECOND);
        if next == self.next {
            // At the end of time the clock moves on no more.
            return None;
        }
        let is_first = self.next == Self::default().next;
        self.next = next;
        (!is_first).then_some(Tick {
            place: (file, frame.number),
            time: frame.time,
        })
    }
}

/// Where the connection of a segment is looked for.
#[derive(Clone, Copy, Debug)]
struct Place {
    shard: usize,
    tag: Tag,
    /// The slot that it most likely stands in.
    guess: Option<u32>,
}

/// A few frames, decoded before the first of them is taken: their connections lie far apart in
/// memory, and come from there side by side.
///
/// What is known of them stands in lists apart, so that each is written once, where it stays.
#[derive(Debug, Default)]
struct Ahead<'a> {
    frames: Vec<(Frame<'a>, Kind)>,
    segments: Vec<(Segment, Place)>,
    others: Vec<Decoded>,
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The next one of the segments.
    Segment,
    /// The next one of what is not.
    Other,
    Skip(Skip),
}

impl<'a> Ahead<'a> {
    /// Decodes the next few frames; what was here before is gone.
    ///
    /// A function of its own, so that what it goes through stays in registers.
    #[inline(never)]
    fn fill(&mut self, frames: &mut Frames<'a>, tagger: Tagger) {
        self.frames.clear();
        self.segments.clear();
        self.others.clear();
        match frames.classic() {
            Some(layout) => {
                while self.frames.len() < AHEAD
                    && let Some(frame) = frames.next_classic(&layout)
                {
                    self.decode(frame, tagger);
                }
            }
            None => {
                for frame in frames.by_ref().take(AHEAD) {
                    self.decode(frame, tagger);
                }
            }
        }
    }

    #[inline(always)]
    fn decode(&mut self, frame: Frame<'a>, tagger: Tagger) {
        let kind = match packet::plain(&frame) {
            Plain::V4(headers) => self.push(packet::segment_v4(headers, &frame), tagger),
            Plain::V6(headers) => self.push(packet::segment_v6(headers, &frame), tagger),
            Plain::Datagram => Kind::Skip(Skip::Udp),
            Plain::Other => self.walk(frame, tagger),
        };
        self.frames.push((frame, kind));
    }

    #[inline(never)]
    fn walk(&mut self, frame: Frame<'a>, tagger: Tagger) -> Kind {
        match packet::walked(&frame) {
            Decoded::Segment(segment) => self.push(segment, tagger),
            Decoded::Skip(skip) => Kind::Skip(skip),
            other => {
                self.others.push(other);
                Kind::Other
            }
        }
    }

    #[inline(always)]
    fn push(&mut self, segment: Segment, tagger: Tagger) -> Kind {
        let place = Place {
            shard: shard_of(&segment.key),
            tag: tagger.tag(&segment.key),
            guess: None,
        };
        self.segments.push((segment, place));
        Kind::Segment
    }

    /// Finds the connections of the segments, and reads of each what will be wanted first.
    #[inline]
    fn touch(&mut self, shards: &[Shard]) {
        touch(self.segments.iter_mut().filter_map(|(_, place)| {
            let shard = shards.get(place.shard)?;
            place.guess = shard.guess(place.tag);
            Some((shard, place.guess?))
        }));
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
        let Some(tagger) = self.shards.first().map(Shard::tagger) else {
            return tally;
        };
        let mut ahead = Ahead::default();
        let mut frames = block.frames();
        loop {
            ahead.fill(&mut frames, tagger);
            if ahead.frames.is_empty() {
                return tally;
            }
            ahead.touch(self.shards);
            let mut segments = ahead.segments.iter();
            let mut others = ahead.others.iter();
            for (frame, kind) in &ahead.frames {
                let (segment, other) = match kind {
                    Kind::Segment => (segments.next(), None),
                    Kind::Other => (None, others.next()),
                    Kind::Skip(_) => (None, None),
                };
                if !self.sees(frame, &mut tally) {
                    continue;
                }
                if let Some((segment, place)) = segment {
                    let arrival = Arrival {
                        segment,
                        tag: place.tag,
                        guess: place.guess,
                        payload: segment.payload(frame.data),
                        begins_tls: None,
                        mark: mark(frame, self.file),
                        clock: self.clock,
                        outer: &|| packet::encapsulation(frame),
                    };
                    self.take_segment(&arrival, place.shard, &mut tally);
                } else if let Some(other) = other {
                    self.take_other(frame, other, &mut tally);
                } else if let Kind::Skip(skip) = kind {
                    tally.skip(*skip, frame);
                }
            }
        }
    }

    /// Counts a frame and moves the clock; whether it is looked at.
    #[inline]
    fn sees(&mut self, frame: &Frame<'_>, tally: &mut FrameTally) -> bool {
        tally.see(frame);
        self.clock = self.clock.max(frame.time);
        if let Some(ticker) = &mut self.ticker
            && let Some(tick) = ticker.tick(frame, self.file)
        {
            for shard in self.shards.iter_mut() {
                shard.tick(tick, self.shared);
            }
        }
        let is_admitted = self.filter.admits_time(frame.time);
        tally.filtered += u64::from(!is_admitted);
        is_admitted
    }

    /// Takes what came in a frame that is no whole segment.
    fn take_other(&mut self, frame: &Frame<'_>, other: &Decoded, tally: &mut FrameTally) {
        match other {
            Decoded::Fragment(fragment) => {
                tally.fragments += 1;
                let mut whole = Vec::new();
                self.fragments.begin_source(self.file);
                join(frame, fragment, self.fragments, &mut |joined| {
                    whole.push(joined)
                });
                for joined in whole {
                    self.take_joined(&joined, mark(frame, self.file), tally);
                }
            }
            Decoded::Unreachable(icmp) => {
                tally.unreachable += 1;
                self.take_icmp(icmp);
            }
            Decoded::Segment(_) | Decoded::Skip(_) => {}
        }
    }

    /// Takes what is left of packets of which not all fragments came, each at the frame of its first
    /// piece.
    pub(super) fn take_abandoned(&mut self) -> FrameTally {
        self.fragments.abandon_all();
        let mut tally = FrameTally::default();
        while let Some(joined) = self.fragments.pop_abandoned() {
            let mark = mark(&joined.frame(), joined.source);
            self.take_joined(&joined, mark, &mut tally);
        }
        tally
    }

    #[inline]
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

    fn take_joined(&mut self, joined: &Joined, mark: Mark, tally: &mut FrameTally) {
        let frame = joined.frame();
        match joined.decode() {
            Decoded::Segment(segment) => {
                let number = shard_of(&segment.key);
                let Some(shard) = self.shards.get(number) else {
                    return;
                };
                let arrival = Arrival {
                    segment: &segment,
                    tag: shard.tagger().tag(&segment.key),
                    guess: None,
                    payload: segment.payload(frame.data),
                    begins_tls: None,
                    mark,
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
#[inline]
pub(super) fn touch<'a>(places: impl Iterator<Item = (&'a Shard, u32)>) {
    let mut found = [None; AHEAD];
    for (found, place) in found.iter_mut().zip(places) {
        *found = Some(place);
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
