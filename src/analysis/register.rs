//! What is done of the inputs in their order, by one thread: they begin and end, and each block finds the tables of its capture.

use crate::analysis::clerk::Clerk;
use crate::analysis::feed::{Beginning, Event, Portion};
use crate::analysis::filter::Filter;
use crate::analysis::frame_tally::FrameTally;
use crate::analysis::group::Tables;
use crate::analysis::shared::Shared;
use crate::analysis::waiting::Departed;
use crate::capture::{Block, Format, LinkType};
use crate::time::Timestamp;

/// How far a run has come in its inputs.
#[derive(Debug)]
pub(super) struct Place {
    /// The input's place in the run.
    pub(super) file: u32,
    /// The capture that it belongs to, once a block of it is there.
    pub(super) group: Option<usize>,
    /// It is a file that is not compressed.
    pub(super) is_plain: bool,
    /// The newest time among the frames so far.
    pub(super) clock: Timestamp,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            file: 0,
            group: None,
            is_plain: false,
            // Before all frames.
            clock: Timestamp::from_nanos(i64::MIN),
        }
    }
}

/// Why a run stands still: what came before is given to the shards first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// More captures have tables than may.
    Crowded,
    /// Secrets came that packets before them may need.
    Late,
    /// A capture begins that has no tables yet, with these link types.
    NewGroup(Vec<LinkType>),
}

/// Goes through what was read, in order.
pub(super) struct Register<'a> {
    pub(super) place: &'a mut Place,
    /// Of the captures that are open.
    pub(super) tables: Vec<Tables<'a>>,
    pub(super) shared: &'a mut Shared,
    /// How many inputs there are in the run.
    pub(super) total: usize,
}

impl<'a> Register<'a> {
    /// Takes note of what comes before a block, and finds its capture. A pause leaves the rest for the next time.
    pub(super) fn enter(
        &mut self,
        portion: &mut Portion,
        clerk: &mut Clerk<'_>,
    ) -> Result<(), Pause> {
        while let Some(event) = portion.events.front_mut() {
            if let Event::End(ending) = event {
                for secrets in ending.secrets.drain(..) {
                    self.shared.keyring.add(&secrets, Some(self.place.file));
                }
                if self.shared.keyring.is_late() {
                    return Err(Pause::Late);
                }
            }
            match portion.events.pop_front() {
                Some(Event::Begin(beginning)) => self.begin(&beginning, clerk),
                Some(Event::End(ending)) => {
                    clerk.tally.end_input(ending.noted.as_ref(), ending.result);
                    if self.place.group.take().is_some()
                        && self.total > 1
                        && self.tables.len() > MAX_GROUPS
                    {
                        return Err(Pause::Crowded);
                    }
                }
                None => {}
            }
        }
        if portion.filled.block.frame_count() == 0 {
            return Ok(());
        }
        if self.place.group.is_none() {
            self.place.group = Some(self.group_for(&portion.filled.block)?);
        }
        for secrets in portion.filled.secrets.drain(..) {
            self.shared.keyring.add(&secrets, Some(self.place.file));
        }
        clerk.name_interfaces(self.place.file, &portion.filled.block);
        Ok(())
    }

    /// Takes note of the frames of the block that was entered last.
    pub(super) fn see(&mut self, tally: &FrameTally, clerk: &mut Clerk<'_>) {
        clerk.tally.enter_frames(tally);
        let newest = tally.last.map(|(newest, _)| newest);
        self.place.clock = newest.map_or(self.place.clock, |newest| newest.max(self.place.clock));
        let file = self.place.file;
        if let Some(tables) = self.current() {
            tables.extent.see(file, newest);
        }
    }

    /// Gives the frames of the block that was entered last to the shards, on this thread.
    pub(super) fn take(
        &mut self,
        block: &Block,
        filter: &Filter,
    ) -> Option<(FrameTally, Vec<Departed>)> {
        let place = (self.place.file, self.place.clock);
        let tables = self.tables.get_mut(self.place.group?)?;
        Some(tables.take(block, place, filter, self.shared))
    }

    /// The tables for the block that was entered last.
    pub(super) fn current(&mut self) -> Option<&mut Tables<'a>> {
        self.tables.get_mut(self.place.group?)
    }

    fn begin(&mut self, beginning: &Beginning, clerk: &mut Clerk<'_>) {
        // Of a stream that is known only now.
        let is_classic = matches!(beginning.opened, Some((Format::Pcap, _)));
        if self.total == 1 && is_classic {
            self.shared.keyring.complete();
        }
        self.place.file = clerk.files.push(&beginning.name);
        self.place.is_plain = beginning.is_plain;
        self.place.group = None;
        clerk.tally.begin_input(&beginning.name, beginning.opened);
    }

    /// The capture that goes on with an input which begins with this block.
    fn group_for(&self, first: &Block) -> Result<usize, Pause> {
        let link_types = first.declared_link_types();
        let frame = first.frames().next();
        let start = frame.map(|frame| frame.time).unwrap_or_default();
        let continued = self.tables.iter().enumerate();
        continued
            .filter(|(_, tables)| tables.extent.is_continued_by(start, &link_types))
            .max_by_key(|(_, tables)| tables.extent.end)
            .map(|(at, _)| at)
            .ok_or(Pause::NewGroup(link_types))
    }
}

/// Captures side by side whose tables are kept open.
pub(super) const MAX_GROUPS: usize = 8;
