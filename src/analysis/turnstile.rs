//! Where the threads of a round meet: the last to come does what only one can do, then all go on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;

/// A barrier for a fixed number of threads.
#[derive(Debug)]
pub(super) struct Turnstile {
    count: usize,
    /// How often to look before going to sleep.
    spins: u32,
    state: Mutex<State>,
    wake: Condvar,
    /// How often all have passed.
    turns: AtomicU64,
    goes_on: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    arrived: usize,
    asleep: usize,
}

impl Turnstile {
    /// A barrier for `count` threads.
    pub(super) fn new(count: usize) -> Self {
        Self {
            count,
            spins: if count <= processors() {
                SPINS
            } else {
                SPINS_IN_A_CROWD
            },
            state: Mutex::default(),
            wake: Condvar::new(),
            turns: AtomicU64::new(0),
            goes_on: AtomicBool::new(true),
        }
    }

    /// Waits for the others. The last one does `turn`, which says for all whether they go on.
    pub(super) fn pass(&self, turn: impl FnOnce() -> bool) -> bool {
        let before = self.turns.load(Ordering::Acquire);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.goes_on.load(Ordering::Acquire) {
            return false;
        }
        state.arrived += 1;
        if state.arrived == self.count {
            drop(state);
            return self.open(turn());
        }
        drop(state);
        // The others are nearly always about to come.
        for _ in 0..self.spins {
            if self.turns.load(Ordering::Acquire) != before {
                return self.goes_on.load(Ordering::Acquire);
            }
            std::hint::spin_loop();
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asleep += 1;
        while self.turns.load(Ordering::Acquire) == before {
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.asleep -= 1;
        self.goes_on.load(Ordering::Acquire)
    }

    fn open(&self, goes_on: bool) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.arrived = 0;
        self.goes_on.store(goes_on, Ordering::Release);
        self.turns.fetch_add(1, Ordering::Release);
        if state.asleep > 0 {
            self.wake.notify_all();
        }
        goes_on
    }

    /// Lets go of those who wait when a thread panics: they would wait for it forever.
    pub(super) const fn guard(&self) -> Guard<'_> {
        Guard(self)
    }
}

/// Ends the round for all when it is dropped by a panic.
#[derive(Debug)]
pub(super) struct Guard<'a>(&'a Turnstile);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.open(false);
        }
    }
}

/// How many threads run at the same time. Asked once: the system reads files for it, and a run has many turnstiles.
fn processors() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// How often to look before going to sleep: 40 microseconds on an AMD EPYC, and more where a processor pauses longer.
const SPINS: u32 = 1_500;
/// The same where there are more threads than processors: who looks keeps one from those that are waited for.
const SPINS_IN_A_CROWD: u32 = 200;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn one_does_each_turn_while_the_others_wait() {
        for (count, delay) in [(1, 0), (3, 0), (3, 1), (2 * processors() + 1, 0)] {
            let turnstile = Turnstile::new(count);
            let (turns, under_way) = (AtomicUsize::new(0), AtomicUsize::new(0));
            thread::scope(|scope| {
                for at in 0..count {
                    let (turnstile, turns, under_way) = (&turnstile, &turns, &under_way);
                    scope.spawn(move || {
                        let _guard = turnstile.guard();
                        loop {
                            under_way.fetch_add(1, Ordering::SeqCst);
                            if at == 0 {
                                // Long enough that the others go to sleep.
                                thread::sleep(std::time::Duration::from_millis(delay));
                            }
                            under_way.fetch_sub(1, Ordering::SeqCst);
                            let turn = || {
                                assert_eq!(under_way.load(Ordering::SeqCst), 0);
                                turns.fetch_add(1, Ordering::SeqCst) + 1 < TURNS
                            };
                            if !turnstile.pass(turn) {
                                return;
                            }
                        }
                    });
                }
            });
            assert_eq!(turns.into_inner(), TURNS, "{count} threads");
        }
    }

    #[test]
    fn who_waits_is_let_go_when_another_panics() {
        let turnstile = Turnstile::new(2);
        let panicked = thread::scope(|scope| {
            let waiting = scope.spawn(|| turnstile.pass(|| true));
            let panicking = scope.spawn(|| {
                let _guard = turnstile.guard();
                panic!("for the sake of the test");
            });
            assert!(!waiting.join().unwrap());
            panicking.join().is_err()
        });
        assert!(panicked);
        // Nor does anybody wait who comes later.
        assert!(!turnstile.pass(|| true));
    }

    const TURNS: usize = 50;
}
