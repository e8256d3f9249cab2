//! A capture, in one file or in many: what belongs together has one set of flow tables.
//!
//! Rotated files go on where the one before ended; captures that were taken side by side do not,
//! and the same addresses in two of them are two connections.

use std::collections::HashMap;
use std::net::IpAddr;

use rayon::prelude::*;

use crate::analysis::Analyzer;
use crate::analysis::batch::Batch;
use crate::analysis::deal::SHARDS;
use crate::analysis::entry::InOrder;
use crate::analysis::filter::Filter;
use crate::analysis::frame_tally::FrameTally;
use crate::analysis::round::{Intake, Ticker};
use crate::analysis::shard::{LINGER, Shard, ShardCounts};
use crate::analysis::shared::Shared;
use crate::analysis::story::Story;
use crate::analysis::waiting::Departed;
use crate::capture::{Block, LinkType};
use crate::packet::{Defragmenter, FragmentCounts, FragmentLimits};
use crate::time::Timestamp;

/// The flow tables of one capture.
#[derive(Debug)]
pub(super) struct Group {
    shards: Vec<Shard>,
    fragments: Defragmenter,
    extent: Extent,
    /// Where lines are wanted while the capture goes on.
    ticker: Option<Ticker>,
    /// Memory for frames that one thread decodes.
    batch: Batch<InOrder>,
}

/// What belongs to a capture, and how far it goes.
#[derive(Debug)]
pub(super) struct Extent {
    link_types: Vec<LinkType>,
    last_file: u32,
    /// The time of its newest frame.
    pub(super) end: Timestamp,
}

/// The tables of a capture.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    pub(super) shards: &'a mut [Shard],
    pub(super) fragments: &'a mut Defragmenter,
    pub(super) ticker: Option<&'a mut Ticker>,
    batch: &'a mut Batch<InOrder>,
    pub(super) extent: &'a mut Extent,
}

impl Extent {
    /// Whether a file that begins at `start` goes on where this capture ended.
    pub(super) fn is_continued_by(&self, start: Timestamp, link_types: &[LinkType]) -> bool {
        self.link_types == link_types && start.nanos_since(self.end) >= -OVERLAP
    }

    /// Takes note of how far the capture has come.
    pub(super) fn see(&mut self, file: u32, newest: Option<Timestamp>) {
        self.last_file = file;
        self.end = newest.map_or(self.end, |newest| newest.max(self.end));
    }
}

/// What is left of a capture when it has ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) stories: Vec<Departed>,
    /// Connections that never came about, and worth telling on their own merits.
    pub(super) knocks: Vec<Story>,
    pub(super) knocks_left_out: u64,
    pub(super) counts: Vec<ShardCounts>,
    pub(super) fragments: FragmentCounts,
    /// What was found in packets of which not all fragments came.
    pub(super) frames: FrameTally,
}

impl Tables<'_> {
    /// Takes the frames of a block, on this thread.
    pub(super) fn take(
        &mut self,
        block: &Block,
        place: (u32, Timestamp),
        filter: &Filter,
        shared: &Shared,
    ) -> (FrameTally, Vec<Departed>) {
        let (file, clock) = place;
        let mut intake = Intake {
            file,
            filter,
            shards: self.shards,
            fragments: self.fragments,
            ticker: self.ticker.as_deref_mut(),
            shared,
            clock,
        };
        let tally = intake.take(block, self.batch);
        let mut stories = Vec::new();
        for shard in self.shards.iter_mut().filter(|shard| shard.has_news()) {
            shard.tell();
            shard.hand_on(&mut stories);
        }
        (tally, stories)
    }
}

impl Group {
    /// Empty tables for a capture of these link types.
    pub(super) fn new(settings: &Analyzer, link_types: Vec<LinkType>) -> Self {
        let limits = &settings.limits;
        // With a horizon, a flow is not kept back for longer than that.
        let linger = settings.horizon.map_or(LINGER, |nanos| LINGER.min(nanos));
        let fragment_limits = FragmentLimits {
            total_len: limits.fragments_total,
            piece_count: limits.fragments_per_packet,
            ..FragmentLimits::default()
        };
        Self {
            shards: (0..SHARDS)
                .map(|_| Shard::new(limits, settings.seed, linger))
                .collect(),
            fragments: Defragmenter::new(fragment_limits),
            extent: Extent {
                link_types,
                last_file: 0,
                end: Timestamp::from_nanos(i64::MIN),
            },
            ticker: settings.horizon.map(|_| Ticker::default()),
            batch: Batch::default(),
        }
    }

    /// When its newest frame was captured.
    pub(super) const fn end(&self) -> Timestamp {
        self.extent.end
    }

    /// Its tables.
    pub(super) fn tables(&mut self) -> Tables<'_> {
        Tables {
            shards: &mut self.shards,
            fragments: &mut self.fragments,
            ticker: self.ticker.as_mut(),
            batch: &mut self.batch,
            extent: &mut self.extent,
        }
    }

    /// The end of the capture: every flow is over.
    pub(super) fn finish(
        mut self,
        clock: Timestamp,
        filter: &Filter,
        shared: &Shared,
        pool: Option<&rayon::ThreadPool>,
    ) -> Ended {
        let mut intake = Intake {
            file: self.extent.last_file,
            filter,
            shards: &mut self.shards,
            fragments: &mut self.fragments,
            ticker: None,
            shared,
            clock,
        };
        let frames = intake.take_abandoned();
        let finish = |shard: &mut Shard| {
            shard.finish(clock, shared);
            shard.tell();
        };
        match pool {
            Some(pool) => pool.install(|| self.shards.par_iter_mut().for_each(finish)),
            None => self.shards.iter_mut().for_each(finish),
        }
        let mut ended = Ended {
            fragments: self.fragments.counts(),
            frames,
            ..Ended::default()
        };
        let mut knocks = Vec::new();
        for shard in &mut self.shards {
            shard.hand_on(&mut ended.stories);
            knocks.append(&mut shard.take_knocks());
            ended.knocks_left_out += shard.counts.knocks_left_out;
            ended.counts.push(shard.counts);
        }
        // Many may have knocked at one door.
        let mut known = HashMap::new();
        let mut was_answered = |ip| {
            let mut shards = self.shards.iter_mut();
            let ask = || shards.any(|shard| shard.saw_answered(ip));
            *known.entry(ip).or_insert_with(ask)
        };
        for knock in knocks {
            if is_proved(&knock, self.extent.end, &mut was_answered) {
                ended.knocks.push(knock);
            } else {
                ended.knocks_left_out += 1;
            }
        }
        ended
    }
}

/// Whether a SYN without an answer means that there was none: the answer had time to come, and
/// the capture shows answers to that client, or of that server, elsewhere.
fn is_proved(story: &Story, end: Timestamp, was_answered: &mut impl FnMut(IpAddr) -> bool) -> bool {
    let Some(knock) = story.unreachable() else {
        return false;
    };
    if knock.was_reset || knock.icmp.is_some() {
        return true;
    }
    let had_time = end.nanos_since(story.last.time) > ANSWER_TIME || knock.attempts > 1;
    had_time && (was_answered(story.source().ip) || was_answered(story.destination().ip))
}

/// By how much the files of a rotated capture may overlap.
const OVERLAP: i64 = 1_000_000_000;
/// How long an answer to a SYN may take.
const ANSWER_TIME: i64 = 3_000_000_000;
