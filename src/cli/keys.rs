//! Key logs: files of secrets, read before the captures.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tlstriage::tls::{KeyLog, LineCounts};

use crate::cli::console::Console;

/// A key log that cannot be read.
#[derive(Debug, Error)]
#[error("{}: {error}", path.display())]
pub(crate) struct Error {
    path: PathBuf,
    error: io::Error,
}

/// Reads these logs into one. What of a log is none is noted, and no error.
///
/// # Errors
///
/// When a file cannot be read.
pub(crate) fn read(paths: &[PathBuf], console: Console) -> Result<KeyLog, Error> {
    let mut log = KeyLog::new();
    for path in paths {
        let fail = |error| Error {
            path: path.clone(),
            error,
        };
        let file = File::open(path).map_err(fail)?;
        let mut file = file.take(MAX_LOG_LEN);
        let counts = log.read(&mut file, 0).map_err(fail)?;
        if file.limit() == 0 {
            console.note(format_args!(
                "{}: what lies behind its first GiB was not read",
                path.display()
            ));
        }
        note(path, counts, console);
    }
    Ok(log)
}

fn note(path: &Path, counts: LineCounts, console: Console) {
    let name = path.display();
    if counts.secrets == 0 {
        console.note(format_args!("{name} holds no key that opens anything"));
    }
    if counts.damaged > 0 || counts.unknown > 0 {
        console.note(format_args!(
            "{name}: passed over {} and {}",
            lines(counts.damaged, "damaged"),
            lines(counts.unknown, "unknown"),
        ));
    }
    if counts.left_out > 0 {
        console.note(format_args!(
            "{name}: left out {}: more secrets than the limit of {}, or than one connection can have",
            lines(counts.left_out, "further"),
            KeyLog::MAX_SECRETS
        ));
    }
}

fn lines(count: u64, kind: &str) -> String {
    match count {
        1 => format!("1 {kind} line"),
        _ => format!("{count} {kind} lines"),
    }
}

/// More than the secrets that are held take.
const MAX_LOG_LEN: u64 = 1 << 30;
