//! Why an input is no capture.

use std::io;

use thiserror::Error;

/// Why an input cannot be read as a capture.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The input holds no bytes at all.
    #[error("the input is empty")]
    Empty,
    /// It is another known format.
    #[error("this is {what}, not a pcap or pcapng capture; {hint}")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// It begins as a capture and ends before the first record could begin.
    #[error("the capture is cut short within its file header: {have} bytes")]
    HeaderCut {
        /// How many bytes are there.
        have: usize,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It begins like nothing that we know.
    #[error("not a pcap or pcapng capture: it begins with {}", hex(first_bytes))]
    NotACapture {
        /// Its first bytes, at most 16.
        first_bytes: Vec<u8>,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}
