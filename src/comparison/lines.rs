//! JSON lines of an earlier run (`docs/output.md`), read as hostile input: one line at a time, none longer
//! than [`MAX_LINE_LEN`], and an error that says in which line.

use std::io::{self, BufRead, BufReader, Read};

use thiserror::Error;

use crate::comparison::observation::{Line, Observation};

/// Why lines cannot be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is wrong with a line.
    #[error("line {line}: {error}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        error: LineError,
    },
    /// There is no line of a flow.
    #[error("there is no line of a flow in it")]
    NoFlow,
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// What is wrong with a line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// It is no JSON, or not of the kind that is expected.
    #[error("{0}")]
    Json(String),
    /// It is longer than any line of ours.
    #[error("longer than {MAX_LINE_LEN} bytes, so it is none of tlstriage")]
    Long,
    /// It lacks something, or something in it is wrong.
    #[error("{0}")]
    Content(&'static str),
}

/// Reads the flows of JSON lines; other kinds of line are passed over.
///
/// # Errors
///
/// The first thing that is wrong. What was handed on before stays handed on.
pub fn read(input: impl Read, mut each: impl FnMut(Observation)) -> Result<(), Error> {
    let mut input = BufReader::new(input);
    let mut bytes = Vec::new();
    let mut flows = 0_u64;
    for line in 1_u64.. {
        bytes.clear();
        let limit = u64::try_from(MAX_LINE_LEN).unwrap_or(u64::MAX);
        let mut limited = input.by_ref().take(limit.saturating_add(1));
        if limited.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let wrong = |error| Error::Line { line, error };
        if bytes.len() > MAX_LINE_LEN && bytes.last() != Some(&b'\n') {
            return Err(wrong(LineError::Long));
        }
        let text = bytes.trim_ascii_end();
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if text.trim_ascii().is_empty() {
            continue;
        }
        // An array of the right values would do for a struct.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(wrong(LineError::Content("it is no JSON object")));
        }
        let line: Line =
            serde_json::from_slice(text).map_err(|error| wrong(LineError::Json(reason(&error))))?;
        let seen = line.into_observation();
        if let Some(seen) = seen.map_err(|reason| wrong(LineError::Content(reason)))? {
            flows = flows.saturating_add(1);
            each(seen);
        }
    }
    if flows == 0 {
        Err(Error::NoFlow)
    } else {
        Ok(())
    }
}

/// The reason with its column; the line is ours to say.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(reason, _)| reason);
    // It may quote what it did not expect.
    let short: String = reason.chars().take(MAX_REASON_LEN).collect();
    format!("column {}: {short}", error.column())
}

/// Twice what a line of ours has at most.
pub const MAX_LINE_LEN: usize = 64 * 1024;

const MAX_REASON_LEN: usize = 200;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
