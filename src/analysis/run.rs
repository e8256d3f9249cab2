//! A run: inputs in, reports out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use crate::analysis::ahead;
use crate::analysis::batch::Decoder;
use crate::analysis::blocks::Got;
use crate::analysis::book::Books;
use crate::analysis::clerk::{Clerk, FileTable, Lobby};
use crate::analysis::deal::SHARDS;
use crate::analysis::feed::{Feed, Portion};
use crate::analysis::group::{Ended, Group};
use crate::analysis::keyring::Keyring;
use crate::analysis::plan::Plan;
use crate::analysis::register::{MAX_GROUPS, Pause, Place, Register};
use crate::analysis::shared::Shared;
use crate::analysis::slices::{Queue, SLICES_A_THREAD, Teller};
use crate::analysis::source::Source;
use crate::analysis::stage::{Rounds, Stop, Work};
use crate::analysis::story::Story;
use crate::analysis::tally::Tally;
use crate::analysis::twins::Sightings;
use crate::analysis::waiting::{Departed, Waiting};
use crate::analysis::{Analyzer, Error, Progress};
use crate::reassembly::Tagger;
use crate::report::{FlowReport, Summary};

/// A run over some inputs: an iterator of reports, in the order of the input.
pub struct Analysis {
    settings: Analyzer,
    pool: Option<rayon::ThreadPool>,
    feed: Feed,
    shared: Shared,
    groups: Vec<Group>,
    files: FileTable,
    place: Place,
    rounds: Rounds,
    /// What was read last, on one thread.
    portion: Portion,
    /// It waits for the end of a pause.
    is_held: bool,
    lobby: Lobby,
    /// Connections that never came about; whether they matter is known at the end.
    knocks: Vec<Story>,
    tally: Tally,
    progress: Progress,
    told: std::vec::IntoIter<FlowReport>,
    /// Secrets in files were looked for.
    has_looked_ahead: bool,
    /// Secrets in the middle of a file made the run begin again.
    has_begun_again: bool,
    is_over: bool,
}

impl Analysis {
    pub(super) fn start(settings: Analyzer, sources: Vec<Source>) -> Result<Self, Error> {
        if sources.is_empty() {
            return Err(Error::NoInput);
        }
        // More than there are shards would only wait.
        let count = settings.threads.get().min(SHARDS);
        let pool = if count == 1 {
            None
        } else {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
            Some(pool.map_err(|error| Error::Threads {
                count,
                reason: error.to_string(),
            })?)
        };
        Ok(Self {
            feed: Feed::new(Plan::new(sources, pool.as_ref()), count),
            pool,
            shared: shared(&settings),
            groups: Vec::new(),
            files: FileTable::default(),
            place: Place::default(),
            rounds: Rounds::default(),
            portion: Portion::default(),
            is_held: false,
            lobby: lobby(&settings),
            knocks: Vec::new(),
            tally: Tally::new(settings.seed),
            progress: Progress::default(),
            told: Vec::new().into_iter(),
            has_looked_ahead: false,
            has_begun_again: false,
            is_over: false,
            settings,
        })
    }

    /// How far the run has come; also the way to end its input early.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// What was read, what was skipped, and what the flows told so far add up to. Complete when
    /// all reports were taken.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = self.tally.summary();
        let note = self.shared.keyring.note();
        summary.notes.extend(note.map(Cow::Owned));
        summary
    }

    /// Runs to the end, rendering slices of reports on all threads and handing what was rendered
    /// on in order.
    ///
    /// # Errors
    ///
    /// The first one that `take` gives; it ends the run.
    pub fn render<T: Send>(
        &mut self,
        render: impl Fn(&[FlowReport]) -> T + Sync,
        mut take: impl FnMut(T) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        while self.fill() {
            self.tell_some(usize::MAX, &render, &mut take)?;
        }
        Ok(())
    }

    /// Sees to it that stories are ready; `false` when the run is over.
    fn fill(&mut self) -> bool {
        while self.lobby.queue.len() == 0 {
            if self.is_over {
                return false;
            }
            self.read_round();
        }
        true
    }

    /// Judges and renders at most `count` slices of the stories that are ready.
    fn tell_some<T: Send, E>(
        &mut self,
        count: usize,
        render: &(impl Fn(&[FlowReport]) -> T + Sync),
        take: &mut impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let teller = Teller {
            books: &self.lobby.books,
            files: &self.files,
            selection: &self.settings.selection,
            expectations: &self.settings.expectations,
            keyring: &self.shared.keyring,
        };
        let (queue, tally) = (&mut self.lobby.queue, &mut self.tally);
        match &self.pool {
            Some(pool) => teller.tell_side_by_side(pool, queue, count, tally, render, take),
            None => teller.tell(queue, count, tally, render, take),
        }?;
        self.progress.set_flagged(self.tally.flagged());
        Ok(())
    }

    /// Looks for secrets in the files that are to be read.
    fn look_ahead(&mut self) {
        let (expects, awaits) = (self.has_begun_again, self.settings.awaits_secrets);
        let keyring = &mut self.shared.keyring;
        for path in self.feed.plan().perhaps_with_secrets() {
            ahead::gather(path, expects, awaits, keyring, &self.progress);
        }
        if keyring.is_in_use() && self.feed.plan().is_classic() {
            keyring.complete();
        }
    }

    /// Begins the run again where secrets stood among packets that they may open, with those of all files at hand: once, and not where
    /// an input cannot be read twice. Asked at the end of an input, since what was told by then depends on nothing but the packets.
    fn begin_again(&mut self) {
        let is_late = self.shared.keyring.take_late();
        let can_begin = is_late
            && self.place.is_plain
            && !self.lobby.has_told_early
            && !self.has_begun_again
            // Whoever stops the run wants what was found so far.
            && !self.progress.is_stopped()
            && self.feed.begin_again();
        if can_begin {
            self.shared = shared(&self.settings);
            self.groups.clear();
            self.files = FileTable::default();
            self.place = Place::default();
            self.rounds = Rounds::default();
            self.is_held = false;
            self.lobby = lobby(&self.settings);
            self.knocks.clear();
            self.tally = Tally::new(self.settings.seed);
            self.progress.begin_again();
            self.has_looked_ahead = false;
            self.has_begun_again = true;
        }
    }

    /// Reads and analyses the next blocks, or ends an input, or the run.
    fn read_round(&mut self) {
        if !std::mem::replace(&mut self.has_looked_ahead, true) {
            self.look_ahead();
        }
        let stop = if self.pool.is_some() {
            self.take_rounds()
        } else {
            self.take_next()
        };
        match stop {
            Stop::Ended => self.finish(),
            Stop::Paused(Pause::Crowded) => self.park(),
            Stop::Paused(Pause::Late) => self.begin_again(),
            Stop::Paused(Pause::NewGroup(link_types)) => {
                self.place.group = Some(self.groups.len());
                self.groups.push(Group::new(&self.settings, link_types));
            }
            Stop::Due | Stop::Idle => {}
        }
    }

    /// Takes blocks on all threads.
    fn take_rounds(&mut self) -> Stop {
        let Some(pool) = &self.pool else {
            return Stop::Ended;
        };
        if self.rounds.is_idle() {
            self.feed.wait(&self.progress);
        }
        let tagger = Tagger::new(self.settings.seed);
        let work = Work {
            decoder: Decoder::new(&self.settings.filter, &tagger),
            register: Register {
                total: self.feed.plan().total(),
                place: &mut self.place,
                tables: self.groups.iter_mut().map(Group::tables).collect(),
                shared: &mut self.shared,
            },
            feed: &mut self.feed,
            clerk: Clerk {
                lobby: &mut self.lobby,
                tally: &mut self.tally,
                files: &mut self.files,
                expectations: &self.settings.expectations,
                progress: &self.progress,
            },
            progress: &self.progress,
        };
        self.rounds.run(work, pool)
    }

    /// Takes the next block on this thread.
    fn take_next(&mut self) -> Stop {
        if !std::mem::take(&mut self.is_held) {
            self.feed.wait(&self.progress);
            match self.feed.next(&mut self.portion, &self.progress) {
                Got::Block => {}
                Got::Nothing => return Stop::Idle,
                Got::End => return Stop::Ended,
            }
        }
        let mut register = Register {
            total: self.feed.plan().total(),
            place: &mut self.place,
            tables: self.groups.iter_mut().map(Group::tables).collect(),
            shared: &mut self.shared,
        };
        let mut clerk = Clerk {
            lobby: &mut self.lobby,
            tally: &mut self.tally,
            files: &mut self.files,
            expectations: &self.settings.expectations,
            progress: &self.progress,
        };
        if let Err(pause) = register.enter(&mut self.portion, &mut clerk) {
            self.is_held = true;
            return Stop::Paused(pause);
        }
        let block = &self.portion.filled.block;
        let Some((tally, stories)) = register.take(block, &self.settings.filter) else {
            return Stop::Due;
        };
        register.see(&tally, &mut clerk);
        self.progress.add_frames(tally.frames);
        let len = block.bytes().len();
        self.progress.add_bytes(u64::try_from(len).unwrap_or(0));
        clerk.keep(stories, register.place.clock);
        Stop::Due
    }

    /// Captures side by side each have their tables; only so many are kept open.
    fn park(&mut self) {
        while self.groups.len() > MAX_GROUPS {
            let oldest = self
                .groups
                .iter()
                .enumerate()
                .min_by_key(|(_, group)| group.end())
                .map(|(at, _)| at);
            let Some(at) = oldest else { return };
            let group = self.groups.remove(at);
            self.end_group(group);
        }
    }

    fn end_group(&mut self, group: Group) {
        let Ended {
            stories,
            knocks,
            knocks_left_out,
            counts,
            fragments,
            frames,
        } = group.finish(
            self.place.clock,
            &self.settings.filter,
            &self.shared,
            self.pool.as_ref(),
        );
        self.tally.enter_group(&counts, fragments, knocks_left_out);
        self.tally.enter_abandoned(&frames);
        self.keep(stories);
        let room = MAX_WAITING_KNOCKS.saturating_sub(self.knocks.len());
        let left_out = knocks.len().saturating_sub(room);
        self.tally
            .leave_out_knocks(u64::try_from(left_out).unwrap_or(0));
        self.knocks.extend(knocks.into_iter().take(room));
    }

    /// Keeps stories until they are to be told.
    fn keep(&mut self, departed: Vec<Departed>) {
        let mut clerk = Clerk {
            lobby: &mut self.lobby,
            tally: &mut self.tally,
            files: &mut self.files,
            expectations: &self.settings.expectations,
            progress: &self.progress,
        };
        clerk.keep(departed, self.place.clock);
    }

    /// The end of the input: all neighbours are known.
    fn finish(&mut self) {
        self.shared.keyring.end();
        // Nothing is read any more, and what is told takes memory.
        self.rounds = Rounds::default();
        self.portion = Portion::default();
        for group in std::mem::take(&mut self.groups) {
            self.end_group(group);
        }
        let waiting = self.lobby.waiting.take_all();
        let stories = in_order(waiting.chain(self.knocks.drain(..).map(Box::new)));
        self.is_over = true;
        let stories = self.select_knocks(stories);
        self.lobby.queue.push_rest(stories);
        self.tally.finish(&self.lobby.books);
        self.tally.cut_trials_short(self.shared.trying.cut_short());
    }

    /// Of the connections that never came about, leaves those that may matter: an end of it took
    /// part in TLS, or the port is one of TLS, or the user named it; and so many of an endpoint.
    #[expect(clippy::vec_box, reason = "stories are moved about, and large")]
    fn select_knocks(&mut self, mut stories: Vec<Box<Story>>) -> Vec<Box<Story>> {
        let mut counts: HashMap<_, usize> = HashMap::new();
        let before = stories.len();
        stories.retain(|story| {
            if story.unreachable().is_none() {
                return true;
            }
            let (client, server) = (story.source(), story.destination());
            let matters = self.lobby.books.has_spoken(&client.ip)
                || self.lobby.books.has_spoken(&server.ip)
                || TLS_PORTS.contains(&server.port)
                || self.settings.filter.names(&story.key());
            let count = counts.entry(server).or_default();
            *count += usize::from(matters);
            matters && *count <= MAX_KNOCKS
        });
        self.tally
            .leave_out_knocks(u64::try_from(before - stories.len()).unwrap_or(0));
        stories
    }
}

impl Iterator for Analysis {
    type Item = Result<FlowReport, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(report) = self.told.next() {
                return Some(Ok(report));
            }
            if !self.fill() {
                return None;
            }
            let count = self.settings.threads.get().min(SHARDS) * SLICES_A_THREAD;
            let mut told = Vec::new();
            let all = |reports: &[FlowReport]| reports.to_vec();
            let Ok(()) = self.tell_some(count, &all, &mut |reports| {
                told.extend(reports);
                Ok::<(), Infallible>(())
            });
            self.told = told.into_iter();
        }
    }
}

/// Stories in the order of the output. What is sorted are places, since a story is somewhere else.
#[expect(clippy::vec_box, reason = "stories are moved about, and large")]
fn in_order(stories: impl Iterator<Item = Box<Story>>) -> Vec<Box<Story>> {
    let mut placed: Vec<_> = stories.map(|story| (story.first.place(), story)).collect();
    // In place: there may be a million of them, when most of the memory is taken. None is equal to another,
    // since a frame begins one flow.
    placed.sort_unstable_by(|(place, story), (other_place, other)| {
        place
            .cmp(other_place)
            .then_with(|| story.key().cmp(&other.key()))
    });
    // In memory of their own, since the places are not needed any more.
    let mut stories = Vec::with_capacity(placed.len());
    stories.extend(placed.into_iter().map(|(_, story)| story));
    stories
}

fn shared(settings: &Analyzer) -> Shared {
    Shared::new(
        &settings.limits,
        settings.seed,
        Arc::clone(&settings.catalog),
        settings.expectations.asks_for_paths(),
        Keyring::new(Arc::clone(&settings.keys), settings.awaits_secrets),
    )
}

fn lobby(settings: &Analyzer) -> Lobby {
    Lobby::new(
        Books::new(&settings.limits, settings.seed),
        Waiting::new(
            settings.horizon,
            settings.limits.stories,
            settings.limits.large_chains_total,
        ),
        Queue::new(
            settings.seed,
            settings
                .horizon
                .map(|_| Sightings::new(Some(MAX_SIGHTINGS), settings.seed)),
        ),
    )
}

/// Lines of one endpoint for connections that never came about.
const MAX_KNOCKS: usize = 16;
/// Flows that are compared with those told before the end of the run, about 300 bytes each.
const MAX_SIGHTINGS: usize = 1 << 17;
/// Connections that never came about and wait for the end of the run.
const MAX_WAITING_KNOCKS: usize = 1 << 16;
/// Ports whose connections matter even when nobody speaks TLS.
const TLS_PORTS: [u16; 2] = [443, 8443];

#[cfg(test)]
mod tests;
