//! Stories that wait for their neighbours, and what is known of these.
//!
//! What leaves the shards goes through here step by step, in the order of the frames, whichever
//! thread does it: where a round ends must not show.

use std::collections::HashMap;
use std::sync::Arc;

use crate::analysis::Progress;
use crate::analysis::book::Books;
use crate::analysis::evidence;
use crate::analysis::expectations::Expectations;
use crate::analysis::mark;
use crate::analysis::slices::Queue;
use crate::analysis::story::{self, AHEAD, Story};
use crate::analysis::tally::Tally;
use crate::analysis::telling::Files;
use crate::analysis::waiting::{Departed, Waiting};
use crate::capture::Block;
use crate::time::Timestamp;

/// Stories on their way from the shards to being told.
pub(super) struct Lobby {
    pub(super) books: Books,
    /// Stories that wait for their neighbours.
    pub(super) waiting: Waiting,
    /// Stories that are to be told.
    pub(super) queue: Queue,
    /// What the shards have let go and nobody has looked at yet, and the newest time then.
    pending: Option<(Vec<Departed>, Timestamp)>,
    /// A story was told before the end of the input.
    pub(super) has_told_early: bool,
}

impl Lobby {
    /// Nobody is here.
    pub(super) const fn new(books: Books, waiting: Waiting, queue: Queue) -> Self {
        Self {
            books,
            waiting,
            queue,
            pending: None,
            has_told_early: false,
        }
    }
}

/// Whoever moves stories on, for a while.
pub(super) struct Clerk<'a> {
    pub(super) lobby: &'a mut Lobby,
    pub(super) tally: &'a mut Tally,
    pub(super) files: &'a mut FileTable,
    pub(super) expectations: &'a Expectations,
    pub(super) progress: &'a Progress,
}

impl Clerk<'_> {
    /// Takes what the shards have let go; it is kept the next time somebody has time for it.
    pub(super) fn push(&mut self, departed: Vec<Departed>, clock: Timestamp) {
        self.keep_pending();
        self.lobby.pending = Some((departed, clock));
    }

    /// Keeps what was pushed.
    pub(super) fn keep_pending(&mut self) {
        if let Some((departed, clock)) = self.lobby.pending.take() {
            self.keep(departed, clock);
        }
    }

    /// Keeps stories until their neighbours are known; past the limit, and past the horizon, they
    /// are told with what is known. `clock` is the newest time among the frames so far.
    pub(super) fn keep(&mut self, mut departed: Vec<Departed>, clock: Timestamp) {
        self.progress
            .add_flows(u64::try_from(departed.len()).unwrap_or(0));
        departed.sort_by_key(|departed| (departed.place, departed.first));
        let mut departed = departed.into_iter();
        while let some @ [_, ..] = departed.as_slice() {
            let some = some.get(..AHEAD).unwrap_or(some);
            story::touch(some.iter().map(|departed| &*departed.story));
            for Departed {
                mut story, clock, ..
            } in departed.by_ref().take(AHEAD)
            {
                self.tell_due(clock);
                self.lobby.books.enter(&story);
                self.lobby.queue.expect(&story);
                story.forget_session();
                self.lobby.waiting.push(story);
                while let Some(story) = self.lobby.waiting.pop_excess() {
                    self.tell_early(story);
                }
            }
        }
        self.tell_due(clock);
    }

    fn tell_due(&mut self, clock: Timestamp) {
        while let Some(story) = self.lobby.waiting.pop_due(clock) {
            self.tell_early(story);
        }
    }

    /// Tells a story with what is known of its neighbours at this point.
    fn tell_early(&mut self, story: Box<Story>) {
        self.lobby.has_told_early = true;
        let judged = evidence::judge(&story, &self.lobby.books, self.expectations);
        self.lobby.queue.push_early(story, judged, self.tally);
    }

    /// Whether stories are to be told now: at once for a stream, and else when there are many.
    pub(super) fn is_due(&self, is_stream: bool) -> bool {
        let enough = if is_stream { 1 } else { MANY };
        self.lobby.queue.len() >= enough || self.lobby.queue.chains_len() >= MANY_BYTES
    }

    /// Notes the names of the interfaces of a block.
    pub(super) fn name_interfaces(&mut self, file: u32, block: &Block) {
        self.files.name_interfaces(file, block);
    }
}

/// The names of files and interfaces.
#[derive(Debug, Default)]
pub(super) struct FileTable {
    names: Vec<Arc<str>>,
    interfaces: HashMap<(u32, u32), Arc<str>>,
}

impl FileTable {
    /// The next file; gives its place in the run.
    pub(super) fn push(&mut self, name: &Arc<str>) -> u32 {
        let file = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(Arc::clone(name));
        file
    }

    /// Notes the names of the interfaces of a block.
    pub(super) fn name_interfaces(&mut self, file: u32, block: &Block) {
        let named = block
            .interfaces()
            .iter()
            .enumerate()
            .filter_map(|(at, interface)| {
                Some((u32::try_from(at).ok()?, interface.name.as_deref()?))
            });
        // A mark tells no more of them apart.
        for (at, name) in named.filter(|(at, _)| *at < mark::MAX_INTERFACE.into()) {
            if self.interfaces.len() < MAX_INTERFACES {
                self.interfaces
                    .entry((file, at))
                    .or_insert_with(|| name.into());
            }
        }
    }
}

impl Files for FileTable {
    fn name(&self, file: u32) -> Arc<str> {
        usize::try_from(file)
            .ok()
            .and_then(|file| self.names.get(file))
            .map_or_else(|| "".into(), Arc::clone)
    }

    fn interface(&self, file: u32, interface: u32) -> Option<Arc<str>> {
        self.interfaces.get(&(file, interface)).map(Arc::clone)
    }
}

/// Stories that are worth a pause in reading.
const MANY: usize = 1024;
/// Bytes of large chains that are worth one.
const MANY_BYTES: usize = 16 * 1024 * 1024;
/// Names of interfaces that are kept, of all files.
const MAX_INTERFACES: usize = 65_535;
