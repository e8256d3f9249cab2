//! Standard input and output as files, where the system has such a thing.
//!
//! Standard output as a file is written in whole slices, and can be cut back to its last line.

use std::fs::File;
#[cfg(not(unix))]
use std::io;

/// Standard input as a file of its own, to be looked at.
#[cfg(unix)]
pub(crate) fn input() -> Option<File> {
    use std::os::fd::AsFd as _;
    Some(File::from(
        std::io::stdin().as_fd().try_clone_to_owned().ok()?,
    ))
}

/// Standard output as a file of its own.
#[cfg(unix)]
pub(crate) fn output() -> Option<File> {
    use std::os::fd::AsFd as _;
    Some(File::from(
        std::io::stdout().as_fd().try_clone_to_owned().ok()?,
    ))
}

/// Elsewhere a console wants other words than a file.
#[cfg(not(unix))]
pub(crate) fn input() -> Option<File> {
    None
}

/// Elsewhere a console wants other words than a file.
#[cfg(not(unix))]
pub(crate) fn output() -> Option<File> {
    None
}
