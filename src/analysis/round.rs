//! From frames to shards on one thread: a few frames at a time, while their bytes are still in the
//! cache.
//!
//! On several threads whole blocks become batches, which the shards take side by side. A shard sees the
//! same segments in the same order either way.

use crate::analysis::batch::{AHEAD, Batch, Decoder};
use crate::analysis::deal::shard_of;
use crate::analysis::entry::{InOrder, Source};
use crate::analysis::filter::Filter;
use crate::analysis::frame_tally::FrameTally;
use crate::analysis::mark::Mark;
use crate::analysis::shard::{Arrival, Shard, Tick};
use crate::analysis::shared::Shared;
use crate::capture::{Block, Frame};
use crate::packet::{Decoded, Defragmenter, Joined, Unreachable};
use crate::time::Timestamp;

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
    /// At which of these frames it ticks; `newest` is the newest time among them.
    pub(super) fn ticks<'a>(
        &mut self,
        frames: impl Iterator<Item = Frame<'a>>,
        file: u32,
        newest: Timestamp,
    ) -> Vec<Tick> {
        if newest < self.next {
            return Vec::new();
        }
        frames.filter_map(|frame| self.tick(&frame, file)).collect()
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
    /// Takes the frames of a block, a few at a time.
    pub(super) fn take(&mut self, block: &Block, batch: &mut Batch<InOrder>) -> FrameTally {
        let Some(tagger) = self.shards.first().map(|shard| *shard.tagger()) else {
            return FrameTally::default();
        };
        let decoder = Decoder::new(self.filter, &tagger);
        let source = Source::new(block, self.file, self.shared);
        self.fragments.begin_source(self.file);
        let mut frames = block.frames();
        loop {
            let before = self.ticker.is_some().then(|| frames.clone());
            let count = batch.decode(&mut frames, AHEAD, block, decoder);
            if count == 0 {
                return batch.take_tally();
            }
            batch.join(block, self.fragments, decoder);
            let ticks = self.ticker.as_mut().zip(before).map(|(ticker, frames)| {
                ticker.ticks(frames.take(count), self.file, batch.newest())
            });
            batch.follow(self.clock, ticks.unwrap_or_default());
            batch.give_to_all(self.shards, &source);
            self.clock = self.clock.max(batch.newest());
        }
    }

    /// Takes what is left of packets of which not all fragments came, each at the frame of its first
    /// piece.
    pub(super) fn take_abandoned(&mut self) -> FrameTally {
        self.fragments.abandon_all();
        let mut tally = FrameTally::default();
        while let Some(joined) = self.fragments.pop_abandoned() {
            let mark = Mark::of(&joined.frame(), joined.source);
            self.take_joined(&joined, mark, &mut tally);
        }
        tally
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
                    was_tried: false,
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

const SECOND: i64 = 1_000_000_000;
