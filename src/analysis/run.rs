//! A run: inputs in, reports out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use crate::analysis::ahead;
use crate::analysis::blocks::{Blocks, Filled, Got};
use crate::analysis::book::Books;
use crate::analysis::clerk::{Clerk, FileTable, Lobby};
use crate::analysis::deal::SHARDS;
use crate::analysis::group::{Ended, Group, Tables};
use crate::analysis::keyring::Keyring;
use crate::analysis::plan::{Opened, Plan, link_types};
use crate::analysis::shared::Shared;
use crate::analysis::slices::{Queue, SLICES_A_THREAD, Teller};
use crate::analysis::source::Source;
use crate::analysis::stage::{Rounds, Stop, Work};
use crate::analysis::story::Story;
use crate::analysis::tally::Tally;
use crate::analysis::twins::Sightings;
use crate::analysis::waiting::{Departed, Waiting};
use crate::analysis::{Analyzer, Error, Progress};
use crate::capture::{Block, Format};
use crate::report::{FlowReport, Summary};
use crate::time::Timestamp;

/// A run over some inputs: an iterator of reports, in the order of the input.
pub struct Analysis {
    settings: Analyzer,
    pool: Option<rayon::ThreadPool>,
    plan: Plan,
    shared: Shared,
    groups: Vec<Group>,
    files: FileTable,
    reading: Option<Reading>,
    rounds: Rounds,
    /// What was read last, on one thread.
    filled: Filled,
    lobby: Lobby,
    /// Connections that never came about; whether they matter is known at the end.
    knocks: Vec<Story>,
    /// The newest time among the frames so far.
    clock: Timestamp,
    tally: Tally,
    progress: Progress,
    told: std::vec::IntoIter<FlowReport>,
    /// Secrets in files were looked for.
    has_looked_ahead: bool,
    /// Secrets in the middle of a file made the run begin again.
    has_begun_again: bool,
    is_over: bool,
}

/// The input that is being read.
struct Reading {
    blocks: Blocks,
    file: u32,
    group: usize,
    has_begun: bool,
    /// It is a file that is not compressed.
    is_plain: bool,
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
            plan: Plan::new(sources, pool.as_ref()),
            pool,
            shared: shared(&settings),
            groups: Vec::new(),
            files: FileTable::default(),
            reading: None,
            rounds: Rounds::default(),
            filled: Filled::default(),
            lobby: lobby(&settings),
            knocks: Vec::new(),
            clock: START,
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
        for path in self.plan.perhaps_with_secrets() {
            ahead::gather(path, expects, awaits, keyring, &self.progress);
        }
        if keyring.is_in_use() && self.plan.is_classic() {
            keyring.complete();
        }
    }

    /// Begins the run again where secrets stood among packets that they may open, with those of all files at hand: once, and not where
    /// an input cannot be read twice. Asked at the end of an input, since what was told by then depends on nothing but the packets.
    fn begin_again(&mut self, was_plain: bool) -> bool {
        let is_late = self.shared.keyring.take_late();
        let can_begin = is_late
            && was_plain
            && !self.lobby.has_told_early
            && !self.has_begun_again
            // Whoever stops the run wants what was found so far.
            && !self.progress.is_stopped()
            && self.plan.rewind();
        if can_begin {
            self.shared = shared(&self.settings);
            self.groups.clear();
            self.files = FileTable::default();
            self.rounds = Rounds::default();
            self.filled = Filled::default();
            self.lobby = lobby(&self.settings);
            self.knocks.clear();
            self.clock = START;
            self.tally = Tally::new(self.settings.seed);
            self.progress.begin_again();
            self.has_looked_ahead = false;
            self.has_begun_again = true;
        }
        can_begin
    }

    /// Reads and analyses the next blocks, or ends an input, or the run.
    fn read_round(&mut self) {
        if !std::mem::replace(&mut self.has_looked_ahead, true) {
            self.look_ahead();
        }
        let Some(mut reading) = self.reading.take() else {
            match self.plan.next(&self.progress) {
                Some(opened) => self.open(opened),
                None => self.finish(),
            }
            return;
        };
        if self.rounds.is_idle() {
            reading.blocks.wait(&self.progress);
        }
        let has_ended = if reading.has_begun && self.pool.is_some() {
            self.take_rounds(&mut reading)
        } else {
            self.take_next(&mut reading)
        };
        if !has_ended {
            self.reading = Some(reading);
            return;
        }
        let (mut reader, result) = reading.blocks.take_end();
        // Those behind the last frame.
        for secrets in reader.iter_mut().flat_map(|reader| reader.secrets()) {
            self.shared.keyring.add(&secrets, Some(reading.file));
        }
        if self.begin_again(reading.is_plain) {
            return;
        }
        self.tally.end_input(reader.as_deref(), result);
        if let Some(reader) = reader {
            self.plan.take_spare(*reader);
        }
        if reading.has_begun && self.plan.total() > 1 {
            self.park();
        }
    }

    /// Takes blocks on all threads; `true` when the input has ended.
    fn take_rounds(&mut self, reading: &mut Reading) -> bool {
        let (Some(group), Some(pool)) = (self.groups.get_mut(reading.group), &self.pool) else {
            return true;
        };
        let Tables {
            shards,
            fragments,
            ticker,
        } = group.tables(reading.file);
        let work = Work {
            file: reading.file,
            filter: &self.settings.filter,
            blocks: &mut reading.blocks,
            shards,
            fragments,
            ticker,
            shared: &mut self.shared,
            clock: &mut self.clock,
            clerk: Clerk {
                lobby: &mut self.lobby,
                tally: &mut self.tally,
                files: &mut self.files,
                expectations: &self.settings.expectations,
                progress: &self.progress,
            },
            progress: &self.progress,
        };
        let (stop, tally) = self.rounds.run(work, pool);
        group.see(&tally);
        self.tally.enter_frames(&tally);
        stop == Stop::Ended
    }

    /// Takes the next block on this thread, or with several threads begins a capture; `true` when
    /// the input has ended.
    fn take_next(&mut self, reading: &mut Reading) -> bool {
        let mut filled = std::mem::take(&mut self.filled);
        let got = reading.blocks.next(&mut filled, &self.progress);
        if got == Got::Block {
            let Filled { block, secrets } = &mut filled;
            if !reading.has_begun {
                reading.has_begun = true;
                reading.group = self.group_for(block);
            }
            if self.pool.is_some() {
                reading.blocks.put_back(filled);
                return false;
            }
            for secrets in secrets.drain(..) {
                self.shared.keyring.add(&secrets, Some(reading.file));
            }
            self.take(reading, block);
        }
        self.filled = filled;
        got == Got::End
    }

    fn open(&mut self, opened: Opened) {
        let file = self.files.push(&opened.name);
        let is_slow = opened.is_compressed();
        match opened.reader {
            Ok(reader) => {
                // Of a stream that is known only now.
                if self.plan.total() == 1 && reader.format() == Format::Pcap {
                    self.shared.keyring.complete();
                }
                self.tally
                    .begin_input(&opened.name, Some((&reader, opened.compression)));
                // Whoever waits for a stream cannot look whether the run is stopped.
                let blocks = if opened.is_stream || (is_slow && self.pool.is_some()) {
                    Blocks::there(reader, opened.is_stream, self.progress.clone())
                } else {
                    Blocks::here(reader)
                };
                self.reading = Some(Reading {
                    blocks,
                    file,
                    group: usize::MAX,
                    has_begun: false,
                    is_plain: !opened.is_stream && !is_slow,
                });
            }
            Err(error) => {
                self.tally.begin_input(&opened.name, None);
                self.tally.end_input(None, Err(error));
            }
        }
    }

    /// Analyses a block of the input.
    fn take(&mut self, reading: &Reading, block: &Block) {
        let Some(group) = self.groups.get_mut(reading.group) else {
            return;
        };
        self.files.name_interfaces(reading.file, block);
        let filter = &self.settings.filter;
        let (tally, stories) = group.take(block, reading.file, filter, &self.shared, self.clock);
        self.clock = self.clock.max(group.end());
        self.progress.add_frames(tally.frames);
        let len = block.bytes().len();
        self.progress.add_bytes(u64::try_from(len).unwrap_or(0));
        self.tally.enter_frames(&tally);
        self.keep(stories);
    }

    /// The flow tables that an input goes on with, or new ones.
    fn group_for(&mut self, first: &Block) -> usize {
        let link_types = link_types(first);
        let start = first
            .frames()
            .next()
            .map(|frame| frame.time)
            .unwrap_or_default();
        let continued = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.is_continued_by(start, &link_types))
            .max_by_key(|(_, group)| group.end());
        if let Some((at, _)) = continued {
            return at;
        }
        self.groups.push(Group::new(&self.settings, link_types));
        self.groups.len() - 1
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
        } = group.finish(&self.settings.filter, &self.shared, self.pool.as_ref());
        self.tally.enter_group(&counts, fragments, knocks_left_out);
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
        clerk.keep(departed, self.clock);
    }

    /// The end of the input: all neighbours are known.
    fn finish(&mut self) {
        self.shared.keyring.end();
        for group in std::mem::take(&mut self.groups) {
            self.end_group(group);
        }
        let mut stories: Vec<Box<Story>> = self.lobby.waiting.take_all().collect();
        stories.extend(self.knocks.drain(..).map(Box::new));
        self.is_over = true;
        let stories = self.select_knocks(in_order(stories));
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
                || self.settings.filter.names(&story.key);
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
fn in_order(stories: Vec<Box<Story>>) -> Vec<Box<Story>> {
    let mut placed: Vec<_> = stories
        .into_iter()
        .map(|story| (story.first.place(), story))
        .collect();
    placed.sort_by(|(place, story), (other_place, other)| {
        place
            .cmp(other_place)
            .then_with(|| story.key.cmp(&other.key))
    });
    placed.into_iter().map(|(_, story)| story).collect()
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
        Waiting::new(settings.horizon, settings.limits.stories),
        Queue::new(
            settings.seed,
            settings
                .horizon
                .map(|_| Sightings::new(MAX_SIGHTINGS, settings.seed)),
        ),
    )
}

/// Before all frames.
const START: Timestamp = Timestamp::from_nanos(i64::MIN);
/// Captures side by side whose tables are kept open.
const MAX_GROUPS: usize = 8;
/// Lines of one endpoint for connections that never came about.
const MAX_KNOCKS: usize = 16;
/// Flows that are compared with those told before the end of the run, about 300 bytes each.
const MAX_SIGHTINGS: usize = 1 << 18;
/// Connections that never came about and wait for the end of the run.
const MAX_WAITING_KNOCKS: usize = 1 << 16;
/// Ports whose connections matter even when nobody speaks TLS.
const TLS_PORTS: [u16; 2] = [443, 8443];

#[cfg(test)]
mod tests;
