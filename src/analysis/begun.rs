//! Flows that begin in the same instant between the same ends: the first, the second, and so on.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use crate::analysis::story::{self, Story};
use crate::flow::FlowKey;
use crate::hash::{AsItIs, Keyed};
use crate::time::Timestamp;

/// How often something has begun between two ends in an instant.
#[derive(Debug)]
pub(super) struct Begun {
    counts: HashMap<(FlowKey, Timestamp), u32, Keyed>,
    /// Once all stories are known: hashes of those that are not alone, maybe among others. There
    /// are few, so most need not be noted.
    crowded: Option<HashSet<u64, AsItIs>>,
    keyed: Keyed,
}

impl Begun {
    /// Nothing so far.
    pub(super) fn new(seed: u64) -> Self {
        let keyed = Keyed::new(seed);
        Self {
            counts: HashMap::with_hasher(keyed),
            crowded: None,
            keyed,
        }
    }

    /// No other stories will come than these, in any order.
    pub(super) fn expect_no_others(&mut self, stories: &[Box<Story>]) {
        let mut hashes: Vec<u64> = story::walk(stories).map(|story| self.hash(story)).collect();
        hashes.sort_unstable();
        let crowded = hashes.windows(2).filter_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        let mut kept = HashSet::default();
        kept.extend(crowded);
        self.crowded = Some(kept);
    }

    /// How many flows of the same addresses have begun in the same instant before this one.
    pub(super) fn ordinal(&mut self, story: &Story) -> u32 {
        let beginning = (story.key(), story.first.time);
        if let Some(crowded) = &self.crowded
            && !crowded.contains(&self.hash(story))
        {
            return self.counts.get(&beginning).copied().unwrap_or_default();
        }
        // What begins in the same instant is told within that many flows, or its ids repeat.
        if self.counts.len() >= MAX_COUNTS {
            self.counts.clear();
        }
        let count = self.counts.entry(beginning).or_default();
        let ordinal = *count;
        *count += 1;
        ordinal
    }

    fn hash(&self, story: &Story) -> u64 {
        self.keyed.hash_one((story.key(), story.first.time))
    }
}

/// Flows of which the addresses and the beginning are remembered, to tell twins apart.
const MAX_COUNTS: usize = 1 << 17;
