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
use std::io::{self, Read, Seek as _};
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
pub fn open_path(path: &Path) -> io::Result<AnyInput> {
    Ok(open_path_and_file(path, None)?.0)
}

/// Any input, opened by its name.
pub type AnyInput = Input<Box<dyn Read + Send>>;

/// As [`open_path`]; and the file once more, to be read with [`read_at`], if it is a regular one of
/// at least `min_len` bytes. Without a `min_len` it is not asked for.
pub(crate) fn open_path_and_file(
    path: &Path,
    min_len: Option<u64>,
) -> io::Result<(AnyInput, Option<File>)> {
    if path.as_os_str() == "-" {
        let input: Box<dyn Read + Send> = Box::new(io::stdin());
        return Ok((open(input)?, None));
    }
    let file = File::open(path)?;
    let is_long = |file: &File| {
        let is_long = |len| min_len.is_some_and(|min_len| len >= min_len);
        let metadata = file.metadata();
        metadata.is_ok_and(|metadata| metadata.is_file() && is_long(metadata.len()))
    };
    // Not every file system can, and what another descriptor has opened may stand anywhere.
    let can_read_at = |mut file: &File| {
        file.stream_position().is_ok_and(|at| at == 0) && read_at(file, &mut [0], 0).is_ok()
    };
    let once_more = if CAN_READ_AT && is_long(&file) && can_read_at(&file) {
        file.try_clone().ok()
    } else {
        None
    };
    let input: Box<dyn Read + Send> = Box::new(file);
    Ok((open(input)?, once_more))
}

/// Whether a place of a file can be read while others read elsewhere in it.
const CAN_READ_AT: bool = cfg!(any(unix, windows));

/// Reads what stands at `offset` of a file. Where others read meanwhile does not matter.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Reads what stands at `offset` of a file. Where others read so meanwhile does not matter.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Reads what stands at `offset` of a file.
#[cfg(not(any(unix, windows)))]
pub(crate) fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
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
