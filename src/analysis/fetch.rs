//! A plain file read by all threads: each takes the next stretch of it, wherever the others are.
//!
//! Where records end can only be found from the front, and that is soon done; what takes time is
//! to bring the bytes from the kernel. So stretches are fetched side by side, and handed over in
//! their order.

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
    /// Those behind them, in order: none while it is being fetched.
    begun: VecDeque<Option<Stretch>>,
    spares: Vec<Vec<u8>>,
    /// Somebody sleeps until the first of them has arrived.
    is_awaited: bool,
    /// Nothing is left, or what is left cannot be read.
    has_ended: bool,
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
                is_awaited: false,
                has_ended: false,
            }),
            arrived: Condvar::new(),
            ahead,
        }
    }

    /// Fetches a stretch, unless enough are there or under way.
    pub(super) fn fetch(&self) -> bool {
        let state = self.state();
        if state.begun.len() >= self.ahead {
            return false;
        }
        self.fetch_next(state)
    }

    /// Fetches the next stretch that nobody has begun with; `false` when there is none.
    fn fetch_next(&self, mut state: MutexGuard<'_, State>) -> bool {
        if state.has_ended {
            return false;
        }
        let begin = state.next;
        let number = state.taken + to_count(state.begun.len());
        state.next = begin.saturating_add(to_count(STRETCH_LEN));
        // Somebody may wait for it from here on: nothing panics before it is there.
        state.begun.push_back(None);
        let buffer = state.spares.pop().unwrap_or_default();
        drop(state);
        let stretch = self.read(buffer, begin);
        let mut state = self.state();
        state.has_ended |= stretch.is_last;
        let at = usize::try_from(number.saturating_sub(state.taken));
        if let Some(place) = at.ok().and_then(|at| state.begun.get_mut(at)) {
            *place = Some(stretch);
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
            match state.begun.front() {
                Some(Some(_)) => {
                    let stretch = state.begun.pop_front().flatten();
                    state.taken += 1;
                    let stretch = stretch.unwrap_or_default();
                    self.is_over = stretch.is_last;
                    return stretch;
                }
                // Another one is on its way with it: time enough to fetch one more.
                Some(None) if may_fetch => {
                    self.fetch.fetch_next(state);
                    state = self.fetch.state();
                }
                Some(None) => {
                    state.is_awaited = true;
                    let waited = self.fetch.arrived.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                    state.is_awaited = false;
                }
                None => {
                    self.is_over = !self.fetch.fetch_next(state);
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

    /// Fetches a stretch, unless enough are there or under way.
    pub(super) fn fetch(&self) -> bool {
        let fetch = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        fetch.is_some_and(|fetch| fetch.fetch())
    }
}

/// As long as a block is.
const STRETCH_LEN: usize = 256 * 1024;

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
                    for _ in 0..helpers {
                        scope.spawn(|| {
                            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                                fetch.fetch();
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
        assert!(fetch.fetch() && fetch.fetch());
        assert!(!fetch.fetch());
    }

    #[test]
    fn a_file_that_grows_ends_where_its_end_was_found() {
        let bytes = numbered(STRETCH_LEN + 10);
        let mut file = file(&bytes);
        let fetch = Arc::new(Fetch::new(file.try_clone().unwrap(), 0, 2));
        assert!(fetch.fetch() && fetch.fetch());
        file.write_all(&numbered(STRETCH_LEN)).unwrap();
        assert!(!fetch.fetch());
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
