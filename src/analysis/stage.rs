//! Rounds on several threads.
//!
//! In a round the threads do side by side whatever there is to do: read and decode the blocks of
//! the next round, and give to the shards what was decoded in the last one. Each thread begins
//! with its own shards, whose flows are in its cache, and goes on with those that others have not
//! come to. Reading comes first, since only one can do it at a time, and shards are small: so all
//! are done at nearly the same moment. Between two rounds one thread joins fragments and hands on
//! what has left the shards, in the order of the capture.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use crate::analysis::batch::Batch;
use crate::analysis::blocks::{Blocks, Filled, Got};
use crate::analysis::clerk::Clerk;
use crate::analysis::deal::SHARDS;
use crate::analysis::filter::Filter;
use crate::analysis::progress::Progress;
use crate::analysis::round::{FrameTally, Ticker};
use crate::analysis::shard::Shard;
use crate::analysis::shared::Shared;
use crate::analysis::turnstile::Turnstile;
use crate::packet::Defragmenter;
use crate::time::Timestamp;

/// What is between reading and the shards, from one time to the next.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// Decoded, and next for the shards.
    current: Vec<Slot>,
    /// How many of them are in use.
    count: usize,
    /// The newest time when the shards will have taken them.
    clock: Option<Timestamp>,
    next: Vec<Mutex<Slot>>,
}

/// A block and what it was decoded to. Its memory is used again.
#[derive(Debug, Default)]
struct Slot {
    filled: Filled,
    batch: Batch,
}

/// Why rounds came to a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// All of the input was taken.
    Ended,
    /// Nothing is left to do, and the input has no more at the moment.
    Idle,
    /// There are stories to be told.
    Due,
}

/// All that rounds work with.
pub(super) struct Work<'a> {
    /// The file's place in the run.
    pub(super) file: u32,
    pub(super) filter: &'a Filter,
    pub(super) blocks: &'a mut Blocks,
    pub(super) shards: &'a mut [Shard],
    pub(super) fragments: &'a mut Defragmenter,
    pub(super) ticker: Option<&'a mut Ticker>,
    pub(super) shared: &'a mut Shared,
    /// The newest time among the frames of the run.
    pub(super) clock: &'a mut Timestamp,
    pub(super) clerk: Clerk<'a>,
    pub(super) progress: &'a Progress,
}

impl Rounds {
    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.count == 0
    }

    /// Works on the threads of `pool` until the input ends, or keeps waiting, or stories are to be
    /// told. What was under way goes on the next time. Gives also what was seen of the frames.
    pub(super) fn run(&mut self, work: Work<'_>, pool: &rayon::ThreadPool) -> (Stop, FrameTally) {
        self.current.resize_with(BLOCKS_A_ROUND, Slot::default);
        self.next.resize_with(BLOCKS_A_ROUND, Mutex::default);
        let threads = pool.current_num_threads();
        let stage = RwLock::new(Stage {
            rounds: self,
            file: work.file,
            filter: work.filter,
            intake: Mutex::new(Intake {
                blocks: work.blocks,
                count: 0,
                is_dry: false,
            }),
            is_read: AtomicBool::new(false),
            shards: work.shards.iter_mut().map(Mutex::new).collect(),
            claims: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            fragments: work.fragments,
            ticker: work.ticker,
            shared: work.shared,
            clock: work.clock,
            desk: Mutex::new(work.clerk),
            progress: work.progress,
            tally: FrameTally::default(),
            stop: Stop::Ended,
        });
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
        (stage.stop, stage.tally)
    }
}

/// What the threads share in a round. Between two of them, one thread has it for itself.
struct Stage<'a> {
    rounds: &'a mut Rounds,
    file: u32,
    filter: &'a Filter,
    intake: Mutex<Intake<'a>>,
    /// All blocks of the next round are read.
    is_read: AtomicBool,
    shards: Vec<Mutex<&'a mut Shard>>,
    /// How many of its own shards are taken, for each thread.
    claims: Vec<AtomicUsize>,
    fragments: &'a mut Defragmenter,
    ticker: Option<&'a mut Ticker>,
    shared: &'a mut Shared,
    clock: &'a mut Timestamp,
    desk: Mutex<Clerk<'a>>,
    progress: &'a Progress,
    tally: FrameTally,
    stop: Stop,
}

/// Where blocks are read: one thread at a time.
struct Intake<'a> {
    blocks: &'a mut Blocks,
    /// How many were read in this round.
    count: usize,
    /// There are no more for this round.
    is_dry: bool,
}

impl<'a> Stage<'a> {
    /// One thread's part of a round.
    fn work(&self, thread: usize) {
        self.keep();
        loop {
            if let Some(intake) = self.try_intake() {
                self.read(intake);
            } else if let Some(number) = self.claim(thread) {
                self.give_to(number);
            } else if self.is_read.load(Ordering::Acquire) {
                return;
            } else {
                // Somebody reads, and what comes behind that is for this thread.
                self.read(lock(&self.intake));
            }
        }
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
    fn read(&self, mut intake: MutexGuard<'_, Intake<'a>>) {
        let slot = self.rounds.next.get(intake.count);
        let (Some(slot), false) = (slot, intake.is_dry) else {
            self.is_read.store(true, Ordering::Release);
            return;
        };
        let mut slot = lock(slot);
        let Slot { filled, batch } = &mut *slot;
        if intake.blocks.next(filled, self.progress) != Got::Block {
            intake.is_dry = true;
            self.is_read.store(true, Ordering::Release);
            return;
        }
        intake.count += 1;
        if intake.count == self.rounds.next.len() {
            self.is_read.store(true, Ordering::Release);
        }
        drop(intake);
        batch.decode(&filled.block, self.filter);
    }

    /// A shard that nobody has taken in this round: one of this thread, or of those after it.
    fn claim(&self, thread: usize) -> Option<usize> {
        if self.rounds.count == 0 {
            return None;
        }
        let threads = self.claims.len();
        (thread..thread + threads)
            .map(|thread| thread % threads)
            .find_map(|thread| {
                let own = own(thread, threads);
                let claimed = self.claims.get(thread)?;
                let number = own.start + claimed.load(Ordering::Relaxed);
                if number >= own.end {
                    return None;
                }
                let number = own.start + claimed.fetch_add(1, Ordering::Relaxed);
                (number < own.end).then_some(number)
            })
    }

    /// Gives to a shard what is for it in this round.
    fn give_to(&self, number: usize) {
        let Some(shard) = self.shards.get(number) else {
            return;
        };
        let mut shard = lock(shard);
        for Slot { filled, batch } in self.rounds.current.iter().take(self.rounds.count) {
            batch.give_to(number, &mut shard, &filled.block, self.file, self.shared);
        }
        shard.tell();
    }

    /// Between two rounds: what was decoded is next for the shards. Says whether there is another
    /// round.
    fn turn(&mut self) -> bool {
        let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = self.rounds.clock.take() {
            let mut departed = Vec::new();
            for shard in &mut self.shards {
                let shard = shard.get_mut().unwrap_or_else(PoisonError::into_inner);
                departed.append(&mut shard.take_stories());
            }
            clerk.push(departed, clock);
        }
        let intake = self
            .intake
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let count = std::mem::take(&mut intake.count);
        intake.is_dry = false;
        let is_stream = intake.blocks.is_stream();
        let has_ended = intake.blocks.has_ended();
        let may_wait = intake.blocks.is_read_ahead();
        self.rounds.count = count;
        for (current, next) in self.rounds.current.iter_mut().zip(&mut self.rounds.next) {
            let next = next.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(current, next);
        }
        *self.is_read.get_mut() = false;
        for claimed in &mut self.claims {
            *claimed.get_mut() = 0;
        }
        if count > 0 {
            self.follow();
            self.rounds.clock = Some(*self.clock);
        }
        let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
        let is_idle = count == 0 && (has_ended || may_wait);
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

    /// What can be done of the decoded blocks only in their order.
    fn follow(&mut self) {
        let mut frames = 0;
        let mut bytes = 0;
        for Slot { filled, batch } in self.rounds.current.iter_mut().take(self.rounds.count) {
            let Filled { block, secrets } = filled;
            for secrets in secrets.drain(..) {
                self.shared.keyring.add(&secrets, Some(self.file));
            }
            let clerk = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner);
            clerk.name_interfaces(self.file, block);
            batch.join(block, self.fragments, self.filter);
            let tally = batch.tally();
            let newest = tally.last.map(|(newest, _)| newest);
            frames += tally.frames;
            bytes += u64::try_from(block.bytes().len()).unwrap_or(0);
            self.tally.add(tally);
            let ticks = match (&mut self.ticker, newest) {
                (Some(ticker), Some(newest)) => ticker.ticks(block, self.file, newest),
                _ => Vec::new(),
            };
            batch.follow(*self.clock, ticks);
            *self.clock = newest.map_or(*self.clock, |newest| newest.max(*self.clock));
        }
        self.progress.add_frames(frames);
        self.progress.add_bytes(bytes);
    }
}

/// The shards that a thread begins with.
fn own(thread: usize, threads: usize) -> Range<usize> {
    thread * SHARDS / threads..(thread + 1) * SHARDS / threads
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blocks that are worked on together.
const BLOCKS_A_ROUND: usize = 8;
