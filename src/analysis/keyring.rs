//! The keys of a run: those that were given, and those that captures carry.
//!
//! A secret of a capture that is read as a stream is known from its place on, so that what is opened depends neither on rounds nor
//! on threads; one that was given, or found before anything was read, is known always.

use std::sync::Arc;

use crate::analysis::mark::Mark;
use crate::capture::Secrets;
use crate::tls::{KeyLog, Keys, Label, LineCounts};

/// The keys of a run.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    given: Arc<KeyLog>,
    found: KeyLog,
    /// What stood in the secrets of captures.
    lines: LineCounts,
    /// From where on sealed records are kept for keys; `None` while nothing speaks for there being any.
    since: Option<u64>,
    /// No capture can bring a secret that is not known yet.
    is_complete: bool,
    is_over: bool,
    is_late: bool,
}

impl Keyring {
    /// The keys that were given; `awaits` says whether more are expected in the captures.
    pub(super) fn new(given: Arc<KeyLog>, awaits: bool) -> Self {
        let since = (awaits || !given.is_empty()).then_some(0);
        Self {
            given,
            found: KeyLog::new(),
            lines: LineCounts::default(),
            since,
            is_complete: false,
            is_over: false,
            is_late: false,
        }
    }

    /// Takes in the secrets of a capture: known from a place of `file` on, or always for those found ahead.
    pub(super) fn add(&mut self, secrets: &Secrets, file: Option<u32>) {
        if secrets.secrets_type != Secrets::TLS_KEY_LOG {
            return;
        }
        let before = self.found.len();
        let since = file.map_or(0, |file| place(file, secrets.next_frame));
        let counts = self.found.read_bytes(secrets.data.as_slice(), since);
        // What was found ahead is read again in its place.
        if file.is_some() {
            self.lines.add(counts);
            self.is_late |= self.found.len() > before;
        }
        if counts.secrets > 0 {
            self.since = Some(self.since.map_or(since, |before| before.min(since)));
        }
    }

    /// Whether secrets came since the last time that were not found ahead.
    pub(super) fn take_late(&mut self) -> bool {
        std::mem::take(&mut self.is_late)
    }

    /// Whether [`Keyring::take_late`] would say so.
    pub(super) const fn is_late(&self) -> bool {
        self.is_late
    }

    /// What a reader has to know of the secrets that captures carry.
    pub(super) fn note(&self) -> Option<String> {
        let LineCounts {
            damaged,
            unknown,
            left_out,
            ..
        } = self.lines;
        let counted: Vec<String> = [
            (damaged, "damaged"),
            (unknown, "unknown"),
            (left_out, "surplus"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
        (!counted.is_empty()).then(|| {
            format!(
                "Lines that are no use among the secrets that captures carry: {}.",
                counted.join(", ")
            )
        })
    }

    /// No capture of the run has a place for secrets: no further one will come.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Whether there is a secret of this connection, or one may still come.
    pub(super) fn may_open(&self, random: &[u8; 32]) -> bool {
        !self.is_complete
            || self.given.knows(random, u64::MAX)
            || self.found.knows(random, u64::MAX)
    }

    /// The input has ended: what is known now is known everywhere.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    /// Whether there are, or may be, any keys.
    pub(super) const fn is_in_use(&self) -> bool {
        self.since.is_some()
    }

    /// Whether a flow that begins here keeps its sealed records.
    pub(super) fn keeps(&self, first: &Mark) -> bool {
        self.since
            .is_some_and(|since| since <= place(first.file, first.frame))
    }

    /// The keys for a flow that was last seen here.
    pub(super) fn keys(&self, last: &Mark) -> Option<Keys<'_>> {
        let at = if self.is_over {
            u64::MAX
        } else {
            place(last.file, last.frame)
        };
        self.since.filter(|since| *since <= at)?;
        Some(Keys::new(&self.given, at).with(&self.found))
    }

    /// Whether the secret of a server's handshake became known at any time.
    pub(super) fn has_server_secret(&self, random: &[u8; 32]) -> bool {
        [&*self.given, &self.found]
            .iter()
            .any(|log| log.labels(random).contains(&Label::ServerHandshake))
    }
}

/// A place in the run, in order; zero is before all of them.
fn place(file: u32, frame: u64) -> u64 {
    u64::from(file)
        .saturating_add(1)
        .saturating_mul(FRAMES_A_FILE)
        .saturating_add(frame.min(FRAMES_A_FILE - 1))
}

/// No file has more frames.
const FRAMES_A_FILE: u64 = 1 << 40;
