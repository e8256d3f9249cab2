//! Stories that wait for their neighbours: till the end of the run, or as long as a horizon and
//! the memory allow.
//!
//! What leaves here, and when, follows from the frames alone: stories come in the order in which
//! shards let them go, each with the time that the capture had reached by then.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::analysis::ledger::Ledger;
use crate::analysis::story::Story;
use crate::time::Timestamp;

/// A story that a shard let go, and at which frame of the run.
#[derive(Debug)]
pub(super) struct Departed {
    pub(super) story: Box<Story>,
    /// The frame's place in the input.
    pub(super) place: (u32, u64),
    /// The place of the story's first frame.
    pub(super) first: (u32, u64),
    /// The newest time among the frames up to that one.
    pub(super) clock: Timestamp,
}

/// Stories that wait.
#[derive(Debug)]
pub(super) struct Waiting {
    /// As they came: as long as all of them may stay, their order does not matter.
    #[expect(clippy::vec_box, reason = "stories are moved about, and large")]
    fresh: Vec<Box<Story>>,
    /// The one that has been over for longest on top.
    stories: BinaryHeap<Waiter>,
    horizon: Option<i64>,
    max_len: usize,
    /// The large chains of these stories.
    ledger: Ledger,
    max_chains_len: usize,
}

impl Waiting {
    /// Nobody waits, and nobody will for more than `horizon` nanoseconds, nor more than `max_len`,
    /// nor with more than `max_chains_len` bytes of large chains.
    pub(super) fn new(horizon: Option<i64>, max_len: usize, max_chains_len: usize) -> Self {
        Self {
            fresh: Vec::new(),
            stories: BinaryHeap::new(),
            horizon,
            max_len,
            ledger: Ledger::default(),
            max_chains_len,
        }
    }

    pub(super) fn push(&mut self, story: Box<Story>) {
        story.chains().for_each(|chain| self.ledger.add(chain));
        self.fresh.push(story);
    }

    /// The next story that has waited long enough when the capture has come to `clock`.
    pub(super) fn pop_due(&mut self, clock: Timestamp) -> Option<Box<Story>> {
        let horizon = self.horizon?;
        self.order();
        let oldest = self.stories.peek()?;
        if clock.nanos_since(oldest.last) < horizon {
            return None;
        }
        self.pop()
    }

    /// The next story for which there is no room.
    pub(super) fn pop_excess(&mut self) -> Option<Box<Story>> {
        let len = self.fresh.len() + self.stories.len();
        if len <= self.max_len && self.ledger.len() <= self.max_chains_len {
            return None;
        }
        self.order();
        self.pop()
    }

    /// All that are left, in no order.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Box<Story>> + use<> {
        self.ledger = Ledger::default();
        let ordered = std::mem::take(&mut self.stories);
        let fresh = std::mem::take(&mut self.fresh);
        fresh
            .into_iter()
            .chain(ordered.into_iter().map(|waiter| waiter.story))
    }

    fn order(&mut self) {
        self.stories.extend(self.fresh.drain(..).map(Waiter::from));
    }

    fn pop(&mut self) -> Option<Box<Story>> {
        let Waiter { story, .. } = self.stories.pop()?;
        story.chains().for_each(|chain| self.ledger.remove(chain));
        Some(story)
    }
}

/// A story in the order of leaving: the greatest has been over for longest.
#[derive(Debug)]
struct Waiter {
    /// When its last frame was captured. Beside the story, since those that are compared lie anywhere in memory.
    last: Timestamp,
    story: Box<Story>,
}

impl From<Box<Story>> for Waiter {
    fn from(story: Box<Story>) -> Self {
        Self {
            last: story.last.time,
            story,
        }
    }
}

impl Waiter {
    /// The order of those whose last frames came at the same time.
    fn rank(&self) -> impl Ord + use<> {
        let story = &self.story;
        (story.last.place(), story.first.place(), story.key())
    }
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_time = other.last.cmp(&self.last);
        by_time.then_with(|| other.rank().cmp(&self.rank()))
    }
}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiter {}
