//! Rounds on several threads.
//!
//! In a round the threads do side by side whatever there is to do: fetch a plain file, read and
//! decode the blocks of the next round, and give to the shards what was decoded in the last one.
//! Each thread begins with its own bunches of shards, whose flows are in its cache, and goes on with those
//! that others have not come to. To read what it has fetched comes first, since only one at a time can find where
//! records end, and bunches are small: so all are done at nearly the same moment. Memory goes round by thread too: two processors may
//! be so far from each other that what one takes out of the cache of the other costs more than two threads save. Between two rounds
//! one thread joins fragments and hands on what has left the shards, in the order of the capture.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use crate::analysis::batch::{Batch, Decoder};
use crate::analysis::blocks::{Filled, Got};
use crate::analysis::clerk::Clerk;
use crate::analysis::deal::Bunches;
use crate::analysis::entry::{ByBunch, Source};
use crate::analysis::feed::{Feed, Portion};
use crate::analysis::fetch::{Fetching, Turn};
use crate::analysis::group::Tables;
use crate::analysis::progress::Progress;
use crate::analysis::register::{Pause, Register};
use crate::analysis::shard::Shard;
use crate::analysis::turnstile::Turnstile;
use crate::time::Timestamp;

/// What is between reading and the shards, from one time to the next.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// Decoded: first those for the shards, then those that wait for the end of a pause.
    current: Vec<Slot>,
    /// How many of them are for the shards.
    count: usize,
    /// How many wait.
    held: usize,
    /// Why they wait.
    pause: Option<Pause>,
    /// The newest time when the shards will have taken what is for them.
    clock: Option<Timestamp>,
    next: Vec<Mutex<Slot>>,
    /// Those that are free, by the thread in whose cache they are.
    free: Vec<Mutex<Vec<Slot>>>,
}

/// A block and what it was decoded to. Its memory is used again.
#[derive(Debug, Default)]
struct Slot {
    portion: Portion,
    batch: Batch<ByBunch>,
    /// The place of its input in the run.
    file: u32,
    /// The place of its capture among those that are open.
    group: usize,
    /// The thread that has filled it.
    by: usize,
}

/// Why rounds came to a stop.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// All of the input was taken.
    Ended,
    /// Nothing is left to do, and the input has no more at the moment.
    Idle,
    /// All before a certain place was taken.
    Paused(Pause),
    /// There are stories to be told.
    Due,
}

/// All that rounds work with.
pub(super) struct Work<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) feed: &'a mut Feed,
    pub(super) register: Register<'a>,
    pub(super) clerk: Clerk<'a>,
    pub(super) progress: &'a Progress,
}

impl Rounds {
    /// Whether nothing is under way.
    pub(super) const fn is_idle(&self) -> bool {
        self.count == 0 && self.held == 0
    }

    /// Works on the threads of `pool` until the input ends, or keeps waiting, or something has to be done between two blocks, or stories
    /// are to be told. What was under way goes on the next time.
    pub(super) fn run(&mut self, work: Work<'_>, pool: &rayon::ThreadPool) -> Stop {
        let threads = pool.current_num_threads();
        let bunches = Bunches::for_threads(threads);
        let count = (threads * BLOCKS_A_THREAD).min(MAX_BLOCKS);
        self.next.resize_with(count, Mutex::default);
        self.free.resize_with(threads, Mutex::default);
        let mut register = work.register;
        let mut stage = Stage {
            rounds: self,
            fetching: work.feed.fetching(),
            decoder: work.decoder,
            intake: Mutex::new(Intake {
                feed: work.feed,
                count: 0,
                len: 0,
                is_full: false,
            }),
            is_read: AtomicBool::new(false),
            shards: by_bunch(&mut register.tables, bunches),
            bunches,
            register,
            claims: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            desk: Mutex::new(work.clerk),
            progress: work.progress,
            stop: Stop::Ended,
        };
        if !stage.resume() {
            return stage.stop;
        }
        let stage = RwLock::new(stage);
        let turnstile = Turnstile::new(threads);
        pool.broadcast(|context| {
            let _guard = turnstile.guard();
            loop {
                {
                    let stage = stage.read().unwrap_or_else(PoisonError::into_inner);
                    stage.work(context.index());
                }
                let turn = || {
                    let mut stage = stage.write().unwrap_or_else(PoisonError::into_inner);
                    stage.turn()
                };
                if !turnstile.pass(turn) {
                    return;
                }
            }
        });
        let stage = stage.into_inner().unwrap_or_else(PoisonError::into_inner);
        stage.stop
    }

    /// A free one, best such as this thread has filled before, whose memory is in its cache. What is in it does not matter.
    fn free_slot(&self, thread: usize) -> Slot {
        let threads = self.free.len();
        let nearest = self.free.iter().cycle().skip(thread).take(threads);
        let found = nearest.map(lock).find_map(|mut free| free.pop());
        Slot {
            by: thread,
            ..found.unwrap_or_default()
        }
    }

    /// Gives slots back to the threads that have filled them.
    fn let_go(&self, slots: impl IntoIterator<Item = Slot>) {
        for slot in slots {
            if let Some(free) = self.free.get(slot.by) {
                lock(free).push(slot);
            }
        }
    }
}

/// The shards of all captures that are open, those of one bunch together.
fn by_bunch<'a>(tables: &mut [Tables<'a>], bunches: Bunches) -> Vec<Mutex<Vec<&'a mut [Shard]>>> {
    let mut all: Vec<Vec<&mut [Shard]>> = Vec::new();
    all.resize_with(bunches.count(), Vec::new);
    for tables in tables {
        let shards = std::mem::take(&mut tables.shards);
        for (bunch, shards) in all.iter_mut().zip(shards.chunks_mut(bunches.len())) {
            bunch.push(shards);
        }
    }
    all.into_iter().map(Mutex::new).collect()
}

/// What the threads share in a round. Between two of them, one thread has it for itself.
struct Stage<'a> {
    rounds: &'a mut Rounds,
    decoder: Decoder<'a>,
    intake: Mutex<Intake<'a>>,
    fetching: Arc<Fetching>,
    /// All blocks of the next round are read.
    is_read: AtomicBool,
    bunches: Bunches,
    /// By bunch, and of a bunch by capture.
    shards: Vec<Mutex<Vec<&'a mut [Shard]>>>,
    register: Register<'a>,
    /// How many of its own bunches are taken, for each thread.
    claims: Vec<AtomicUsize>,
    desk: Mutex<Clerk<'a>>,
    progress: &'a Progress,
    stop: Stop,
}

/// Where blocks are read: one thread at a time.
struct Intake<'a> {
    feed: &'a mut Feed,
    /// How many were read in this round.
    count: usize,
    /// How many bytes they have.
    len: usize,
    /// There are to be no more in this round.
    is_full: bool,
}

impl<'a> Stage<'a> {
    /// One thread's part of a round.
    fn work(&self, thread: usize) {
        self.keep();
        let mut spins = 0;
        loop {
            let is_read = self.is_read.load(Ordering::Acquire);
            let may_look = !is_read && spins % SPINS_A_LOOK == 0;
            if may_look && self.read_or_fetch(thread, spins >= PATIENCE) {
                spins = 0;
            } else if let Some(bunch) = self.claim(thread) {
                self.give_to(bunch);
                spins = 0;
            } else if is_read {
                return;
            } else if spins < SPINS {
                // Somebody reads, and will soon have done so.
                spins += 1;
                std::hint::spin_loop();
            } else {
                self.read(lock(&self.intake), thread);
                spins = 0;
            }
        }
    }

    /// Reads a block, if it is made of what this thread has fetched, or else fetches some of what the next ones are
    /// made of. `false` where neither can be done now; whether others have fetched it does not matter where
    /// `is_impatient`.
    fn read_or_fetch(&self, thread: usize, is_impatient: bool) -> bool {
        let turn = self.fetching.turn(thread);
        if turn != Turn::Own && self.fetching.fetch(thread) {
            return true;
        }
        if turn == Turn::Own || (turn == Turn::Others && is_impatient) {
            let intake = self.try_intake();
            let has_read = intake.is_some();
            intake
                .into_iter()
                .for_each(|intake| self.read(intake, thread));
            return has_read;
        }
        false
    }

    /// Keeps what has left the shards, if nobody does.
    fn keep(&self) {
        if let Ok(mut clerk) = self.desk.try_lock() {
            clerk.keep_pending();
        }
    }

    fn try_intake(&self) -> Option<MutexGuard<'_, Intake<'a>>> {
        if self.is_read.load(Ordering::Acquire) {
            return None;
        }
        match self.intake.try_lock() {
            Ok(intake) => Some(intake),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Reads a block and decodes it; the next one may be read meanwhile.
    fn read(&self, mut intake: MutexGuard<'_, Intake<'a>>, thread: usize) {
        let place = self.rounds.next.get(intake.count);
        let (Some(place), false) = (place, intake.is_full) else {
            self.is_read.store(true, Ordering::Release);
            return;
        };
        let mut slot = self.rounds.free_slot(thread);
        slot.batch.deal_in(self.bunches);
        if intake.feed.next(&mut slot.portion, self.progress) != Got::Block {
            intake.is_full = true;
            self.is_read.store(true, Ordering::Release);
            self.rounds.let_go([slot]);
            return;
        }
        intake.count += 1;
        intake.len += slot.portion.filled.block.bytes().len();
        let count = self.rounds.next.len();
        if intake.count == count || intake.len >= count.saturating_mul(USUAL_LEN) {
            intake.is_full = true;
            self.is_read.store(true, Ordering::Release);
        }
        drop(intake);
        let Slot { portion, batch, .. } = &mut slot;
        let block = &portion.filled.block;
        batch.take_tally();
        batch.decode(&mut block.frames(), usize::MAX, block, self.decoder);
        *lock(place) = slot;
    }

    /// A bunch of shards that nobody has taken in this round: one of this thread, or of those after it.
    fn claim(&self, thread: usize) -> Option<usize> {
        if self.rounds.count == 0 {
            return None;
        }
        let threads = self.claims.len();
        (thread..thread + threads)
            .map(|thread| thread % threads)
            .find_map(|thread| {
                let own = own(thread, threads, self.bunches.count());
                let claimed = self.claims.get(thread)?;
                let bunch = own.start + claimed.load(Ordering::Relaxed);
                if bunch >= own.end {
                    return None;
                }
                let bunch = own.start + claimed.fetch_add(1, Ordering::Relaxed);
                (bunch < own.end).then_some(bunch)
            })
    }

    /// Gives to a bunch of shards what is for them in this round.
    fn give_to(&self, bunch: usize) {
        let Some(captures) = self.shards.get(bunch) else {
            return;
        };
        let mut captures = lock(captures);
        let first = bunch * self.bunches.len();
        let slots = self.rounds.current.iter().take(self.rounds.count);
        let read = slots
            .clone()
            .fold(0, |read, slot| read ^ slot.batch.touch(bunch));
        // It is wanted in the cache and nowhere else: what waits for another processor waits together.
        std::hint::black_box(read);
        for slot in slots {
            let block = &slot.portion.filled.block;
            if let Some(shards) = captures.get_mut(slot.group) {
                let source = Source::new(block, slot.file, &*self.register.shared);
                slot.batch.give_to_bunch(bunch, shards, first, &source);
            }
        }
        for shard in captures.iter_mut().flat_map(|shards| shards.iter_mut()) {
            shard.tell();
        }
    }

    /// Goes on where the last run came to a stop; `false` when it can go no further.
    fn resume(&mut self) -> bool {
        if self.rounds.count == 0 && self.rounds.held > 0 {
            let held = std::mem::take(&mut self.rounds.held);
            self.follow(held);
        }
        *self.is_read.get_mut() = self.rounds.held > 0;
        self.rounds.count > 0 || !self.is_at_pause()
    }

    /// Between two rounds: what was decoded is next for the shards. Says whether there is another
    /// round.
    fn turn(&mut self) -> bool {
        let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = self.rounds.clock.take() {
            let mut departed = Vec::new();
            for captures in &mut self.shards {
                let captures = captures.get_mut().unwrap_or_else(PoisonError::into_inner);
                for shard in captures.iter_mut().flat_map(|shards| shards.iter_mut()) {
                    shard.hand_on(&mut departed);
                }
            }
            clerk.push(departed, clock);
        }
        let given = std::mem::take(&mut self.rounds.count);
        let intake = self
            .intake
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let count = std::mem::take(&mut intake.count);
        (intake.len, intake.is_full) = (0, false);
        let is_stream = intake.feed.is_stream();
        let has_ended = intake.feed.is_over();
        let may_wait = intake.feed.may_wait();
        for claimed in &mut self.claims {
            *claimed.get_mut() = 0;
        }
        let current = &mut self.rounds.current;
        let given: Vec<Slot> = current.drain(..given.min(current.len())).collect();
        self.rounds.let_go(given);
        if self.rounds.held == 0 {
            let next = self.rounds.next.iter_mut().take(count);
            let next = next.map(|slot| slot.get_mut().unwrap_or_else(PoisonError::into_inner));
            self.rounds.current.extend(next.map(std::mem::take));
            self.follow(count);
        }
        // Nothing more is read while something waits.
        *self.is_read.get_mut() = self.rounds.held > 0;
        if self.is_at_pause() {
            return false;
        }
        let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
        let is_idle = self.rounds.count == 0 && (has_ended || may_wait);
        if is_idle {
            clerk.keep_pending();
        }
        self.stop = if is_idle && has_ended {
            Stop::Ended
        } else if is_idle {
            Stop::Idle
        } else if clerk.is_due(is_stream) {
            Stop::Due
        } else {
            return true;
        };
        false
    }

    /// Whether all before a pause was taken: then it is time for it.
    fn is_at_pause(&mut self) -> bool {
        if self.rounds.count > 0 {
            return false;
        }
        let Some(pause) = self.rounds.pause.take() else {
            return false;
        };
        let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
        clerk.keep_pending();
        self.stop = Stop::Paused(pause);
        true
    }

    /// What can be done of the first `count` decoded blocks only in their order; those behind a pause wait.
    fn follow(&mut self, count: usize) {
        let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (mut frames, mut bytes, mut done) = (0, 0, 0);
        for slot in self.rounds.current.iter_mut().take(count) {
            if let Err(pause) = self.register.enter(&mut slot.portion, clerk) {
                self.rounds.pause = Some(pause);
                break;
            }
            done += 1;
            let Filled { block, .. } = &slot.portion.filled;
            let place = &self.register.place;
            (slot.file, slot.group) = (place.file, place.group.unwrap_or_default());
            let before = place.clock;
            let batch = &mut slot.batch;
            let Some(tables) = self.register.current() else {
                continue;
            };
            tables.fragments.begin_source(slot.file);
            batch.join(block, tables.fragments, self.decoder);
            let ticks = tables
                .ticker
                .as_mut()
                .map(|ticker| ticker.ticks(block.frames(), slot.file, batch.newest()));
            batch.follow(before, ticks.unwrap_or_default());
            self.register.see(batch.tally(), clerk);
            frames += batch.tally().frames;
            bytes += u64::try_from(block.bytes().len()).unwrap_or(0);
        }
        self.progress.add_frames(frames);
        self.progress.add_bytes(bytes);
        self.rounds.count = done;
        self.rounds.held = count - done;
        self.rounds.clock = (done > 0).then_some(self.register.place.clock);
    }
}

/// Of so many bunches of shards those that a thread begins with.
fn own(thread: usize, threads: usize, count: usize) -> Range<usize> {
    thread * count / threads..(thread + 1) * count / threads
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often to look whether reading is free before going to sleep: some tens of microseconds.
const SPINS: u32 = 1_000;
/// How often of that to ask whether there is something to read or to fetch: who reads needs the same locks.
const SPINS_A_LOOK: u32 = 50;
/// How long to wait before reading what is in another one's cache, since that takes longer: for four such looks.
const PATIENCE: u32 = 4 * SPINS_A_LOOK;
/// Blocks of a round for each thread: few enough that what is decoded of them stays in the cache.
const BLOCKS_A_THREAD: usize = 2;
/// Blocks of a round at most: as many again are being read.
const MAX_BLOCKS: usize = 16;
/// Longer than blocks are, unless records are unusually large: of those a round has fewer.
const USUAL_LEN: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_fills_what_it_has_filled_before_and_else_what_is_free() {
        let rounds = Rounds {
            free: (0..3).map(|_| Mutex::default()).collect(),
            ..Rounds::default()
        };
        let filled = |by: usize, file: u32| Slot {
            file,
            by,
            ..Slot::default()
        };
        rounds.let_go([filled(0, 1), filled(2, 2), filled(2, 3)]);
        let taken = [2, 2, 2, 2].map(|thread| rounds.free_slot(thread));
        assert_eq!(taken.each_ref().map(|slot| slot.file), [3, 2, 1, 0]);
        // From now on they are near to who fills them.
        rounds.let_go(taken);
        let near = |thread: usize| lock(&rounds.free[thread]).len();
        assert_eq!([0, 1, 2].map(near), [0, 0, 4]);
    }

    #[test]
    fn each_bunch_is_one_threads_own() {
        for threads in 1..=64 {
            let count = Bunches::for_threads(threads).count();
            let owned: Vec<usize> = (0..threads)
                .flat_map(|thread| own(thread, threads, count))
                .collect();
            assert_eq!(owned, (0..count).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}
