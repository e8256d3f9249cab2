//! How far keys are tried on flows whose random is hidden.
//!
//! What one flow is given depends on those before it. So each shard has a state of its own, as it has the flows in a fixed order, whatever
//! the number of threads; no two threads ask for the same one at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::analysis::deal::{SHARDS, shard_of};
use crate::flow::FlowKey;
use crate::tls::Trials;

/// The state of the search in each shard.
#[derive(Debug)]
pub(super) struct Trying(Vec<Mutex<Trials>>);

impl Trying {
    pub(super) fn new() -> Self {
        Self(
            (0..SHARDS)
                .map(|_| Mutex::new(Trials::new(TRIALS)))
                .collect(),
        )
    }

    /// That of the shard with this connection.
    pub(super) fn of(&self, key: &FlowKey) -> Option<MutexGuard<'_, Trials>> {
        let trials = self.0.get(shard_of(key))?;
        Some(trials.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many flows stayed closed before all keys were tried on them.
    pub(super) fn cut_short(&self) -> u64 {
        let count = |trials: &Mutex<Trials>| {
            let trials = trials.lock().unwrap_or_else(PoisonError::into_inner);
            trials.cut_short()
        };
        self.0.iter().map(count).sum()
    }
}

/// Keys of a log that are tried on the flows of one shard: about one second of a processor for all of a run.
const TRIALS: u32 = 1 << 14;
