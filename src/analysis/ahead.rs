//! Secrets that captures carry, gathered before any of them is analysed: a secret behind a flow, or in another file of the run,
//! opens it all the same.
//!
//! Small pcapng files are searched whole and large ones at both ends, where the programs that add secrets put them. If there are keys
//! at all, or they are asked for, large ones are searched whole too; what is compressed, only when that is asked for. So a large file
//! without secrets costs nothing, and one with secrets in its middle only is read, searched whole, and read again.

use std::path::Path;

use crate::analysis::Progress;
use crate::analysis::keyring::Keyring;
use crate::capture::{Block, Format, Reach, Reader, find_secrets};
use crate::input::{self, Compression};

/// Adds the secrets of one file to `keyring`; `expects` says that there are some in a plain one, and `awaits` that there may be in any. What
/// cannot be read is told when the file's turn comes.
pub(super) fn gather(
    path: &Path,
    expects: bool,
    awaits: bool,
    keyring: &mut Keyring,
    progress: &Progress,
) {
    let Some((file, len)) = input::open_regular(path) else {
        return;
    };
    let is_whole = expects || awaits || keyring.is_in_use() || len <= SMALL_LEN;
    let reach = if is_whole { Reach::Whole } else { Reach::Ends };
    // An error shows again where it is told.
    let mut search = |reach| {
        let mut found = false;
        let _ = find_secrets(&file, reach, |secrets| {
            found = true;
            keyring.add(&secrets, None);
            !progress.is_stopped()
        });
        found
    };
    let found = search(reach);
    if found && !is_whole {
        search(Reach::Whole);
    }
    if awaits && !found {
        gather_compressed(path, keyring, progress);
    }
}

/// Whether a file is a capture in the classic format, which has no place for secrets.
pub(super) fn is_classic(path: &Path) -> bool {
    input::open_path(path)
        .ok()
        .and_then(|input| Reader::new(input).ok())
        .is_some_and(|reader| reader.format() == Format::Pcap)
}

fn gather_compressed(path: &Path, keyring: &mut Keyring, progress: &Progress) {
    let Ok(input) = input::open_path(path) else {
        return;
    };
    if input.compression() == Compression::None {
        return;
    }
    let Ok(mut reader) = Reader::new(input) else {
        return;
    };
    let mut block = Block::default();
    while !progress.is_stopped() && matches!(reader.read_block(&mut block), Ok(true)) {
        for secrets in reader.secrets() {
            keyring.add(&secrets, None);
        }
    }
    for secrets in reader.secrets() {
        keyring.add(&secrets, None);
    }
}

/// A walk over so many bytes takes less than a millisecond.
const SMALL_LEN: u64 = 8 << 20;
