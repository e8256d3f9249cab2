//! One direction of a flow on its way from unknown bytes to framed records.
//!
//! A [`Stream`] holds where reading stands; the steps are the observer's, since what a direction is taken for depends on the other one too.

use crate::tls::message::{Messages, Trust};
use crate::tls::record::{ContentType, Header};

/// What the bytes of a direction are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The first bytes: not yet known.
    Opening,
    /// Plaintext, in which TLS may begin.
    Plaintext,
    /// Bytes are missing before these: records are looked for.
    Searching,
    /// Records, one after the other.
    Records,
    /// Nothing that comes is looked at.
    Off,
}

/// Where reading stands in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Stream<M> {
    pub(crate) stage: Stage,
    /// Bytes that could not be read without those that follow, and the mark of the first.
    pub(crate) held: Vec<u8>,
    pub(crate) held_mark: Option<M>,
    /// The first bytes of the plaintext.
    pub(crate) head: Vec<u8>,
    /// How much plaintext came, or how much was searched since the last gap.
    pub(crate) passed: usize,
    /// The first bytes showed which protocol it is, or that it is none that is known.
    pub(crate) recognised: bool,
    /// The first bytes after a gap are next.
    pub(crate) after_gap: bool,
    /// Bytes are missing before what is read now, so that messages may be out of step.
    pub(crate) out_of_step: bool,
    /// A hello of SSL 2.0 came: what follows need not be records.
    pub(crate) sslv2: bool,
    pub(crate) record: Record,
    pub(crate) record_count: u32,
    pub(crate) messages: Messages<M>,
}

/// The record that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) content_type: ContentType,
    /// Bytes of its fragment that are still to come.
    pub(crate) left: u16,
    pub(crate) len: u16,
    /// How its fragment is read.
    pub(crate) reading: Reading,
}

/// How a fragment is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is passed over.
    Skip,
    /// It is alerts in clear; the level of one whose code is still to come.
    Alerts(Option<u8>),
    /// It is handshake messages.
    Messages(Trust),
}

impl<M: Copy> Stream<M> {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::Opening,
            held: Vec::new(),
            held_mark: None,
            head: Vec::new(),
            passed: 0,
            recognised: false,
            after_gap: false,
            out_of_step: false,
            sslv2: false,
            record: Record::none(),
            record_count: 0,
            messages: Messages::new(),
        }
    }

    pub(crate) fn held_len(&self) -> usize {
        self.held
            .capacity()
            .saturating_add(self.head.capacity())
            .saturating_add(self.messages.held_len())
    }

    /// Takes in plaintext, of which the head is kept.
    pub(crate) fn pass_plaintext(&mut self, bytes: &[u8]) {
        let room = HEAD_LEN.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.passed = self.passed.saturating_add(bytes.len());
    }

    /// Lets go of everything that only reading on would need.
    pub(crate) fn turn_off(&mut self) {
        self.stage = Stage::Off;
        self.held = Vec::new();
    }
}

impl Record {
    pub(crate) fn none() -> Self {
        Self {
            content_type: ContentType(0),
            left: 0,
            len: 0,
            reading: Reading::Skip,
        }
    }

    pub(crate) fn new(header: Header, reading: Reading) -> Self {
        Self {
            content_type: header.content_type,
            left: header.len,
            len: header.len,
            reading,
        }
    }
}

/// How much of a direction's plaintext is kept: what a SOCKS client may send before TLS (RFC 1928, RFC 1929) and
/// more than the first line of a CONNECT.
const HEAD_LEN: usize = 1024;
