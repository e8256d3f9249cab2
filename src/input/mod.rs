//! Where captures come from: a path, standard input or a directory becomes something to read, decompressed on the way.
//!
//! Compression is told by the first bytes, never by a name: gzip (RFC 1952), zstd (RFC 8878), LZ4 frames and xz, each
//! with any number of members or frames in a row. One layer is taken off; what is compressed twice is read as
//! what it then is. Nothing here knows what a capture is.
//!
//! ```no_run
//! use tlstriage::{capture, input};
//!
//! # fn main() -> Result<(), capture::Error> {
//! for path in input::files("captures".as_ref(), |error| eprintln!("{error}")) {
//!     let reader = capture::Reader::new(input::open_path(&path)?)?;
//!     println!("{}: {:?}", path.display(), reader.format());
//! }
//! # Ok(())
//! # }
//! ```

mod compression;
mod files;
mod source;
mod zstd_frame;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use compression::{Compression, Input};
pub use files::files;

/// Reads `input`, through its compression if it has one.
///
/// # Errors
///
/// When its first bytes cannot be read.
pub fn open<R: Read>(input: R) -> io::Result<Input<R>> {
    Input::new(input)
}

/// Reads the file at `path`, or standard input for `-`, through its compression if it has one.
///
/// # Errors
///
/// When it cannot be opened, or its first bytes cannot be read.
pub fn open_path(path: &Path) -> io::Result<Input<Box<dyn Read + Send>>> {
    open(if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path)?)
    })
}

/// The regular file at `path` and its length, to be read in any order; `None` for a pipe, a device, and what cannot be opened.
#[must_use]
pub fn open_regular(path: &Path) -> Option<(File, u64)> {
    // Looked at before it is opened: to open a pipe is to wait for whoever writes.
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let file = File::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    Some((file, len))
}

#[cfg(test)]
mod tests;
