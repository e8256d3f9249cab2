//! The place that a writer writes to.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// A place to write to, which may be shared between threads that only render.
///
/// The lock is never taken: whoever writes holds the sink alone. It is there since most places
/// may be sent to another thread, and not all may be shared.
pub(in crate::output) struct Sink(Mutex<Box<dyn Write + Send>>);

impl Sink {
    pub(in crate::output) fn new(place: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(place))
    }

    pub(in crate::output) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.place().write_all(bytes)
    }

    pub(in crate::output) fn flush(&mut self) -> io::Result<()> {
        self.place().flush()
    }

    fn place(&mut self) -> &mut dyn Write {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
