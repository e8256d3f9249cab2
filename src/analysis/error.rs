//! The few ways in which a whole run fails.

use thiserror::Error;

/// Why a run cannot begin, or cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// There was nothing to read.
    #[error("no input was given")]
    NoInput,
    /// The threads that were asked for could not be started.
    #[error("cannot start {count} threads: {reason}")]
    Threads {
        /// How many were asked for.
        count: usize,
        /// What the system said.
        reason: String,
    },
    /// Whoever takes the reports could not.
    #[error(transparent)]
    Write(#[from] std::io::Error),
}
