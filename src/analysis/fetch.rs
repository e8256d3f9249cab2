//! A plain file read by all threads: each takes the next stretch of it, wherever the others are.
//!
//! Where records end can only be found from the front, and that is soon done; what takes time is
//! to bring the bytes from the kernel. So stretches are fetched side by side, and handed over in
//! their order: best to the thread that has fetched them, since they are in its cache. So is the memory of those that it
//! has fetched before, which it fills again.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::capture::{HEADROOM, Stretch, Supply, to_count};
use crate::input;

/// A file of which stretches are fetched.
#[derive(Debug)]
pub(super) struct Fetch {
    file: File,
    state: Mutex<State>,
    arrived: Condvar,
    /// How many stretches are fetched before they are asked for.
    ahead: usize,
}

#[derive(Debug)]
struct State {
    /// Where the next stretch begins that nobody has begun with.
    next: u64,
    /// How many were handed over.
    taken: u64,
    /// Those behind them, in order.
    begun: VecDeque<Begun>,
    spares: Vec<Vec<u8>>,
    /// Where buffers lie that a thread has filled, and which thread: those filled last are behind.
    homes: VecDeque<(usize, usize)>,
    /// Somebody sleeps until the first of them has arrived.
    is_awaited: bool,
    /// Nothing is left, or what is left cannot be read.
    has_ended: bool,
}

/// A stretch that somebody has begun to fetch.
#[derive(Debug)]
struct Begun {
    /// The thread in whose cache it is; none where somebody has fetched it who was waiting for the one before it.
    by: Option<usize>,
    /// None while it is being fetched.
    stretch: Option<Stretch>,
}

/// Whose turn it is to read, as a thread sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its own: the next stretch is in its cache. Or anybody's, where none is fetched.
    Own,
    /// That of another one, in whose cache the next stretch is.
    Others,
    /// Nobody's: the next stretch is not there yet.
    Nobodys,
}

impl Fetch {
    /// The bytes of `file` from `begin` on, at most `ahead` stretches before they are asked for.
    pub(super) fn new(file: File, begin: u64, ahead: usize) -> Self {
        Self {
            file,
            state: Mutex::new(State {
                next: begin,
                taken: 0,
                begun: VecDeque::new(),
                spares: Vec::new(),
                homes: VecDeque::new(),
                is_awaited: false,
                has_ended: false,
            }),
            arrived: Condvar::new(),
            ahead,
        }
    }

    /// Fetches a stretch, unless one that this thread has fetched is still to be read, or enough are there or
    /// under way.
    pub(super) fn fetch(&self, thread: usize) -> bool {
        let state = self.state();
        let has_own = state.begun.iter().any(|begun| begun.by == Some(thread));
        if has_own || state.begun.len() >= self.ahead {
            return false;
        }
        self.fetch_next(state, Some(thread))
    }

    fn turn(&self, thread: usize) -> Turn {
        let state = self.state();
        match state.begun.front() {
            None if state.has_ended => Turn::Own,
            None | Some(Begun { stretch: None, .. }) => Turn::Nobodys,
            Some(begun) if begun.by.is_some_and(|by| by != thread) => Turn::Others,
            Some(_) => Turn::Own,
        }
    }

    /// Fetches the next stretch that nobody has begun with; `false` when there is none.
    fn fetch_next(&self, mut state: MutexGuard<'_, State>, by: Option<usize>) -> bool {
        if state.has_ended {
            return false;
        }
        let begin = state.next;
        let number = state.taken + to_count(state.begun.len());
        state.next = begin.saturating_add(to_count(STRETCH_LEN));
        // Somebody may wait for it from here on: nothing panics before it is there.
        state.begun.push_back(Begun { by, stretch: None });
        let buffer = state.spare_for(by);
        drop(state);
        let stretch = self.read(buffer, begin);
        let mut state = self.state();
        state.note_home(&stretch.buffer, by);
        state.has_ended |= stretch.is_last;
        let at = usize::try_from(number.saturating_sub(state.taken));
        if let Some(begun) = at.ok().and_then(|at| state.begun.get_mut(at)) {
            begun.stretch = Some(stretch);
        }
        if state.is_awaited {
            self.arrived.notify_all();
        }
        true
    }

    /// Reads the stretch that begins at `begin`.
    fn read(&self, mut buffer: Vec<u8>, begin: u64) -> Stretch {
        if buffer.len() < HEADROOM + STRETCH_LEN {
            // Zeros as the system gives them: most of the room in front is never touched.
            buffer = vec![0; HEADROOM + STRETCH_LEN];
        }
        buffer.truncate(HEADROOM + STRETCH_LEN);
        let mut end = HEADROOM;
        let mut failure = None;
        let mut is_last = false;
        while let Some(room @ [_, ..]) = buffer.get_mut(end..) {
            match input::read_at(
                &self.file,
                room,
                begin.saturating_add(to_count(end - HEADROOM)),
            ) {
                Ok(0) => is_last = true,
                Ok(read) => end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(error);
                    is_last = true;
                }
            }
            if is_last {
                break;
            }
        }
        Stretch {
            range: HEADROOM..end.min(buffer.len()),
            buffer,
            is_last,
            failure,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Memory for a stretch, best such as this thread has filled before: where two threads are far from each other, to take what
    /// lies in the cache of another one takes longer than the kernel's copying.
    fn spare_for(&mut self, by: Option<usize>) -> Vec<u8> {
        let is_own = |spare: &Vec<u8>| self.home_of(spare).map(|(_, thread)| thread) == by;
        match self.spares.iter().position(is_own) {
            Some(at) => self.spares.swap_remove(at),
            None => self.spares.pop().unwrap_or_default(),
        }
    }

    fn note_home(&mut self, buffer: &[u8], by: Option<usize>) {
        if let Some((at, _)) = self.home_of(buffer) {
            self.homes.remove(at);
        }
        // Some are let go, as after an unusually large record, and nobody says so here.
        if self.homes.len() >= MAX_HOMES {
            self.homes.pop_front();
        }
        let home = by.map(|thread| (buffer.as_ptr().addr(), thread));
        self.homes.extend(home);
    }

    /// The thread that has filled a buffer, and where that is noted.
    fn home_of(&self, buffer: &[u8]) -> Option<(usize, usize)> {
        let address = buffer.as_ptr().addr();
        let mut homes = self.homes.iter().enumerate();
        homes.find_map(|(at, home)| (home.0 == address).then_some((at, home.1)))
    }
}

/// The stretches of a file, in their order.
#[derive(Debug)]
pub(super) struct InOrder {
    fetch: Arc<Fetch>,
    /// The last one was handed over.
    is_over: bool,
}

impl InOrder {
    /// Those that `fetch` gives.
    pub(super) const fn of(fetch: Arc<Fetch>) -> Self {
        Self {
            fetch,
            is_over: false,
        }
    }
}

impl Supply for InOrder {
    fn next(&mut self, spare: Vec<u8>) -> Stretch {
        let mut state = self.fetch.state();
        // A larger one comes of an unusually large record, and is not needed again.
        if !spare.is_empty() && spare.capacity() <= 2 * (HEADROOM + STRETCH_LEN) {
            state.spares.push(spare);
        }
        while !self.is_over {
            let may_fetch = !state.has_ended && state.begun.len() < 2 * self.fetch.ahead;
            match state.begun.front().map(|begun| begun.stretch.is_some()) {
                Some(true) => {
                    let stretch = state.begun.pop_front().and_then(|begun| begun.stretch);
                    state.taken += 1;
                    let stretch = stretch.unwrap_or_default();
                    self.is_over = stretch.is_last;
                    if self.is_over {
                        // What was sought behind the end.
                        state.begun.clear();
                    }
                    return stretch;
                }
                // Another one is on its way with it: time enough to fetch one more.
                Some(false) if may_fetch => {
                    self.fetch.fetch_next(state, None);
                    state = self.fetch.state();
                }
                Some(false) => {
                    state.is_awaited = true;
                    let waited = self.fetch.arrived.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                    state.is_awaited = false;
                }
                None => {
                    self.is_over = !self.fetch.fetch_next(state, None);
                    state = self.fetch.state();
                }
            }
        }
        Stretch {
            is_last: true,
            ..Stretch::default()
        }
    }
}

/// The file that is being fetched, for those who have time for it.
#[derive(Debug, Default)]
pub(super) struct Fetching(Mutex<Option<Arc<Fetch>>>);

impl Fetching {
    /// From now on it is this one, or none.
    pub(super) fn set(&self, fetch: Option<Arc<Fetch>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fetch;
    }

    /// Fetches a stretch, unless one that this thread has fetched is still to be read, or enough are there or
    /// under way.
    pub(super) fn fetch(&self, thread: usize) -> bool {
        self.current().is_some_and(|fetch| fetch.fetch(thread))
    }

    /// Whose turn it is to read.
    pub(super) fn turn(&self, thread: usize) -> Turn {
        self.current().map_or(Turn::Own, |fetch| fetch.turn(thread))
    }

    fn current(&self) -> Option<Arc<Fetch>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// As long as a block is.
const STRETCH_LEN: usize = 256 * 1024;
/// More buffers than are ever in use.
const MAX_HOMES: usize = 256;

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::thread;

    use super::*;

    /// Bytes that tell where they stand.
    fn numbered(len: usize) -> Vec<u8> {
        (0_u32..).flat_map(u32::to_be_bytes).take(len).collect()
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn all(fetch: &Arc<Fetch>) -> (Vec<u8>, usize) {
        let mut in_order = InOrder::of(Arc::clone(fetch));
        let mut bytes = Vec::new();
        let mut spare = Vec::new();
        for count in 1.. {
            let stretch = in_order.next(std::mem::take(&mut spare));
            assert!(stretch.is_last || stretch.range.start >= HEADROOM);
            assert!(stretch.failure.is_none());
            bytes.extend(&stretch.buffer[stretch.range]);
            spare = stretch.buffer;
            if stretch.is_last {
                assert!(in_order.next(Vec::new()).is_last);
                return (bytes, count);
            }
        }
        unreachable!()
    }

    #[test]
    fn whoever_fetches_the_bytes_come_in_their_order() {
        for len in [
            0,
            1,
            STRETCH_LEN - 1,
            STRETCH_LEN,
            STRETCH_LEN + 1,
            9 * STRETCH_LEN + 77,
        ] {
            let bytes = numbered(len);
            for (helpers, begin) in [(0, 0), (1, 5), (3, 0), (3, STRETCH_LEN + 3)] {
                let begin = begin.min(len);
                let fetch = Arc::new(Fetch::new(file(&bytes), begin.try_into().unwrap(), 2));
                let done = std::sync::atomic::AtomicBool::new(false);
                thread::scope(|scope| {
                    for helper in 0..helpers {
                        let (fetch, done) = (&fetch, &done);
                        scope.spawn(move || {
                            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                                fetch.fetch(helper);
                            }
                        });
                    }
                    let (fetched, count) = all(&fetch);
                    done.store(true, std::sync::atomic::Ordering::Relaxed);
                    assert!(fetched == bytes[begin..], "{len} bytes, {helpers} helpers");
                    assert!(count <= (len - begin) / STRETCH_LEN + 1);
                });
            }
        }
    }

    #[test]
    fn no_more_is_fetched_than_may_wait() {
        let fetch = Fetch::new(file(&numbered(9 * STRETCH_LEN)), 0, 2);
        assert!(fetch.fetch(0) && fetch.fetch(1));
        assert!(!fetch.fetch(2));
    }

    #[test]
    fn who_has_fetched_a_stretch_reads_it_before_he_fetches_another() {
        let fetch = Arc::new(Fetch::new(file(&numbered(3 * STRETCH_LEN)), 0, 4));
        let mut in_order = InOrder::of(Arc::clone(&fetch));
        assert_eq!(fetch.turn(0), Turn::Nobodys);
        assert!(fetch.fetch(0) && !fetch.fetch(0));
        assert_eq!((fetch.turn(0), fetch.turn(1)), (Turn::Own, Turn::Others));
        assert!(fetch.fetch(1));
        in_order.next(Vec::new());
        assert_eq!((fetch.turn(0), fetch.turn(1)), (Turn::Others, Turn::Own));
        assert!(fetch.fetch(0) && !fetch.fetch(1));
        // Whoever needs them reads them: behind the last, anybody finds that there are no more.
        while !in_order.next(Vec::new()).is_last {}
        assert_eq!((fetch.turn(0), fetch.turn(1)), (Turn::Own, Turn::Own));
    }

    #[test]
    fn a_thread_fills_the_memory_again_that_it_has_filled_before() {
        let fetch = Fetch::new(file(&[]), 0, 1);
        let mut state = fetch.state();
        let buffers = [vec![0; 8], vec![1; 8], vec![2; 8]];
        for (buffer, by) in buffers.iter().zip([Some(0), Some(1), None]) {
            state.note_home(buffer, by);
        }
        state.spares.extend(buffers);
        assert_eq!(state.spare_for(Some(1)), [1; 8]);
        assert_eq!(state.spare_for(None), [2; 8]);
        // None of its own is there, but one of another thread.
        assert_eq!(state.spare_for(Some(1)), [0; 8]);
        assert!(state.spare_for(Some(0)).is_empty());
    }

    #[test]
    fn where_buffers_lie_is_noted_of_so_many_only() {
        let fetch = Fetch::new(file(&[]), 0, 1);
        let buffers: Vec<Vec<u8>> = (0..2 * MAX_HOMES).map(|_| vec![0; 8]).collect();
        let mut state = fetch.state();
        for (thread, buffer) in buffers.iter().enumerate() {
            state.note_home(buffer, Some(thread));
            state.note_home(buffer, Some(thread));
        }
        assert_eq!(state.homes.len(), MAX_HOMES);
        let thread_of = |buffer| state.home_of(buffer).map(|(_, thread)| thread);
        assert_eq!(thread_of(&buffers[0]), None);
        assert_eq!(thread_of(&buffers[MAX_HOMES + 1]), Some(MAX_HOMES + 1));
    }

    #[test]
    fn a_file_that_grows_ends_where_its_end_was_found() {
        let bytes = numbered(STRETCH_LEN + 10);
        let mut file = file(&bytes);
        let fetch = Arc::new(Fetch::new(file.try_clone().unwrap(), 0, 2));
        assert!(fetch.fetch(0) && fetch.fetch(1));
        file.write_all(&numbered(STRETCH_LEN)).unwrap();
        assert!(!fetch.fetch(2));
        assert!(all(&fetch).0 == bytes);
    }

    #[test]
    #[cfg(unix)]
    fn what_cannot_be_read_is_said_behind_what_can() {
        // A folder opens like a file, and cannot be read like one.
        let folder = tempfile::tempdir().unwrap();
        let fetch = Arc::new(Fetch::new(File::open(folder.path()).unwrap(), 0, 2));
        let mut in_order = InOrder::of(fetch);
        let stretch = in_order.next(Vec::new());
        assert!(stretch.is_last && stretch.range.is_empty() && stretch.failure.is_some());
        assert!(in_order.next(Vec::new()).failure.is_none());
    }
}
