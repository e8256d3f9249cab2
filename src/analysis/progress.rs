//! How far a run has come, for whoever watches it from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The state of a run, shared with whoever watches it; a clone watches the same run.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    bytes: AtomicU64,
    frames: AtomicU64,
    flows: AtomicU64,
    flagged: AtomicU64,
    is_stopped: AtomicBool,
}

impl Progress {
    /// Bytes of the captures looked at so far, as they are when decompressed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Frames looked at so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.0.frames.load(Ordering::Relaxed)
    }

    /// TLS flows that are over.
    #[must_use]
    pub fn flows(&self) -> u64 {
        self.0.flows.load(Ordering::Relaxed)
    }

    /// Flows judged so far with a finding that is more than information.
    #[must_use]
    pub fn flagged(&self) -> u64 {
        self.0.flagged.load(Ordering::Relaxed)
    }

    /// Ends the input, not the run: what was read so far is judged and told.
    pub fn stop(&self) {
        self.0.is_stopped.store(true, Ordering::Relaxed);
    }

    /// How long to wait for input: until the next look whether the run is stopped, and then for
    /// what is still on its way. A capturing program that hears the same Ctrl-C writes what it
    /// holds before it goes.
    pub(super) fn patience(&self) -> Duration {
        if self.is_stopped() {
            STOP_GRACE
        } else {
            STOP_CHECK
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.0.is_stopped.load(Ordering::Relaxed)
    }

    /// Nothing is looked at yet, again.
    pub(super) fn begin_again(&self) {
        for count in [&self.0.bytes, &self.0.frames, &self.0.flows] {
            count.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn add_bytes(&self, count: u64) {
        self.0.bytes.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn add_frames(&self, count: u64) {
        self.0.frames.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn add_flows(&self, count: u64) {
        self.0.flows.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn set_flagged(&self, count: u64) {
        self.0.flagged.store(count, Ordering::Relaxed);
    }
}

/// How often a wait for input looks whether it was ended from outside.
const STOP_CHECK: Duration = Duration::from_millis(50);
/// How long an ended input may be silent before nothing more is awaited.
const STOP_GRACE: Duration = Duration::from_millis(300);
