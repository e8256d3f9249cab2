//! What is to be told, slice by slice, in the order of the output.
//!
//! Slices are judged and rendered side by side, and handed on in order while the next ones are
//! being made: whoever writes does not wait for all that are rendered, and nobody waits for
//! whoever writes. Only so many are under way at a time.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};

use crate::analysis::begun::Begun;
use crate::analysis::book::Books;
use crate::analysis::evidence::{self, Judged};
use crate::analysis::expectations::Expectations;
use crate::analysis::filter::Selection;
use crate::analysis::keyring::Keyring;
use crate::analysis::story::{self, Story};
use crate::analysis::tally::Tally;
use crate::analysis::telling::{self, Files};
use crate::analysis::twins::{Links, Relation, Sightings};
use crate::report::{FlowReport, Horizon};

/// Stories that are to be told.
pub(super) struct Queue {
    /// Those that are told before the end of the run.
    early: VecDeque<Ready>,
    /// After the end of the input: all that are left, in the order of the output.
    rest: std::vec::IntoIter<Box<Story>>,
    begun: Begun,
    /// The flows that may be one connection with another one.
    sightings: Option<Sightings>,
    seed: u64,
    /// Bytes of large chains in the early ones, as often as they stand there.
    early_len: usize,
}

/// A story that is ready to be told.
struct Ready {
    story: Box<Story>,
    ordinal: u32,
    links: Option<Box<Links>>,
    /// What it meant when it was told before the end of the run.
    judged: Option<Judged>,
}

impl Ready {
    fn chains_len(&self) -> usize {
        let large = self.story.chains().filter_map(|chain| chain.large);
        large.map(|large| large.len).sum()
    }
}

/// Stories that are judged and rendered as one piece of work.
struct Slice {
    stories: Vec<Ready>,
    /// They are told before the end of the run.
    is_early: bool,
}

impl Queue {
    /// No stories yet; `sightings` where they are to be told before the end of the run.
    pub(super) fn new(seed: u64, sightings: Option<Sightings>) -> Self {
        Self {
            early: VecDeque::new(),
            rest: Vec::new().into_iter(),
            begun: Begun::new(seed),
            sightings,
            seed,
            early_len: 0,
        }
    }

    /// How many wait here.
    pub(super) fn len(&self) -> usize {
        self.early.len() + self.rest.len()
    }

    /// Bytes of large chains that wait here, as often as they do.
    pub(super) const fn chains_len(&self) -> usize {
        self.early_len
    }

    /// Takes note of a story that will be told sooner or later.
    pub(super) fn expect(&mut self, story: &Story) {
        if let Some(sightings) = &mut self.sightings {
            sightings.enter(story);
        }
    }

    /// A story is to be told now, with what is known of its neighbours at this point.
    pub(super) fn push_early(&mut self, story: Box<Story>, judged: Judged, tally: &mut Tally) {
        if let Some(ready) = self.ready(story, Some(judged), tally) {
            self.early_len = self.early_len.saturating_add(ready.chains_len());
            self.early.push_back(ready);
        }
    }

    /// The end of the input: all that are left, in the order of the output.
    #[expect(clippy::vec_box, reason = "stories are moved about, and large")]
    pub(super) fn push_rest(&mut self, stories: Vec<Box<Story>>) {
        self.begun.expect_no_others(&stories);
        self.sightings
            .get_or_insert_with(|| Sightings::repeated(&stories, self.seed));
        self.rest = stories.into_iter();
    }

    /// A story that is to be told, unless it is told under other addresses already.
    fn ready(
        &mut self,
        story: Box<Story>,
        judged: Option<Judged>,
        tally: &mut Tally,
    ) -> Option<Ready> {
        let ordinal = self.begun.ordinal(&story);
        let relation = self
            .sightings
            .as_mut()
            .map_or(Relation::Alone, |sightings| sightings.relation(&story));
        let links = match relation {
            Relation::Alone => None,
            Relation::Told(links) => Some(links),
            Relation::Repeated => {
                tally.see_again();
                return None;
            }
        };
        Some(Ready {
            story,
            ordinal,
            links,
            judged,
        })
    }

    /// The next stories: never of both kinds, so that the borders of slices do not depend on
    /// rounds.
    fn next(&mut self, tally: &mut Tally) -> Option<Slice> {
        if !self.early.is_empty() {
            let count = SLICE_LEN.min(self.early.len());
            let stories: Vec<Ready> = self.early.drain(..count).collect();
            let len = stories.iter().map(Ready::chains_len).sum();
            self.early_len = self.early_len.saturating_sub(len);
            return Some(Slice {
                stories,
                is_early: true,
            });
        }
        let rest = self.rest.as_slice();
        let next = rest.get(..SLICE_LEN).unwrap_or(rest);
        story::touch(next.iter().map(|story| &**story));
        let mut stories = Vec::with_capacity(next.len());
        while stories.len() < SLICE_LEN
            && let Some(story) = self.rest.next()
        {
            stories.extend(self.ready(story, None, tally));
        }
        (!stories.is_empty()).then_some(Slice {
            stories,
            is_early: false,
        })
    }
}

/// What the judging of stories goes by.
pub(super) struct Teller<'a, F> {
    pub(super) books: &'a Books,
    pub(super) files: &'a F,
    pub(super) selection: &'a Selection,
    pub(super) expectations: &'a Expectations,
    pub(super) keyring: &'a Keyring,
}

impl<F: Files + Sync> Teller<'_, F> {
    /// Judges and renders at most `count` slices, and hands on in order what was rendered.
    ///
    /// # Errors
    ///
    /// The first one that `take` gives; no further slice is begun.
    pub(super) fn tell<T: Send, E>(
        &self,
        queue: &mut Queue,
        count: usize,
        tally: &mut Tally,
        render: &(impl Fn(&[FlowReport]) -> T + Sync),
        take: &mut impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        for _ in 0..count {
            let Some(slice) = queue.next(tally) else {
                break;
            };
            let (reports, rendered) = self.render(&slice, render);
            self.enter(&reports, tally);
            take(rendered)?;
        }
        Ok(())
    }

    /// The same on the threads of a pool; this thread only hands on.
    ///
    /// # Errors
    ///
    /// The first one that `take` gives; no further slice is begun.
    pub(super) fn tell_side_by_side<T: Send, E>(
        &self,
        pool: &rayon::ThreadPool,
        queue: &mut Queue,
        count: usize,
        tally: &mut Tally,
        render: &(impl Fn(&[FlowReport]) -> T + Sync),
        take: &mut impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let ahead = pool.current_num_threads() * SLICES_A_THREAD;
        pool.in_place_scope(|scope| {
            let mut under_way: VecDeque<Receiver<(Vec<FlowReport>, T)>> = VecDeque::new();
            let mut left = count;
            loop {
                while under_way.len() < ahead
                    && left > 0
                    && let Some(slice) = queue.next(tally)
                {
                    let (done, rendered) = sync_channel(1);
                    scope.spawn(move |_| {
                        // Nobody listens any more when the run was given up.
                        let _ = done.send(self.render(&slice, render));
                    });
                    under_way.push_back(rendered);
                    left -= 1;
                }
                let Some(Ok((reports, rendered))) = under_way.pop_front().map(|one| one.recv())
                else {
                    return Ok(());
                };
                self.enter(&reports, tally);
                take(rendered)?;
            }
        })
    }

    /// Judges a slice, and renders those of its flows that are admitted.
    fn render<T>(
        &self,
        slice: &Slice,
        render: &impl Fn(&[FlowReport]) -> T,
    ) -> (Vec<FlowReport>, T) {
        // They were looked at by another thread, if at all.
        story::touch(slice.stories.iter().map(|ready| &*ready.story));
        // One thing after the other for all of them: the code of each is as large as the nearest cache.
        let mut judged: Vec<Judged> = slice
            .stories
            .iter()
            .map(|ready| self.judge(ready))
            .collect();
        let reports: Vec<FlowReport> = slice
            .stories
            .iter()
            .zip(&mut judged)
            .map(|(ready, judged)| self.report(ready, judged, slice.is_early))
            .collect();
        let is_admitted = |report: &&FlowReport| self.selection.admits(report);
        let rendered = if reports.iter().all(|report| is_admitted(&report)) {
            render(&reports)
        } else {
            let admitted: Vec<FlowReport> = reports.iter().filter(is_admitted).cloned().collect();
            render(&admitted)
        };
        (reports, rendered)
    }

    /// Counts what was told, in the order of the output.
    fn enter(&self, reports: &[FlowReport], tally: &mut Tally) {
        for report in reports {
            if self.selection.admits_name(report) {
                let gateway = self.expectations.gateway_at(report.source.ip);
                tally.enter(report, self.selection.admits(report), gateway);
            }
        }
    }

    fn judge(&self, ready: &Ready) -> Judged {
        match &ready.judged {
            Some(judged) => judged.clone(),
            None => evidence::judge(&ready.story, self.books, self.expectations),
        }
    }

    fn report(&self, ready: &Ready, judged: &mut Judged, is_early: bool) -> FlowReport {
        let links = ready.links.as_deref();
        let mut report = telling::tell(&ready.story, judged, ready.ordinal, links, self.files);
        if !is_early {
            telling::tell_late_keys(&mut report, &ready.story, self.keyring);
        }
        report.tlstriage.horizon = is_early.then_some(Horizon::Partial);
        report
    }
}

/// Stories of a slice.
const SLICE_LEN: usize = 16;
/// Slices under way for each thread: rendered ones wait for being written, and take memory.
pub(super) const SLICES_A_THREAD: usize = 3;
