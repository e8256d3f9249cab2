//! Records kept as they came, for keys to open when the handshake is over; and hellos, where one may be sealed inside another.
//!
//! Only then is it known who the client is, which suite was chosen and which keys there are; so nothing is decrypted on the way,
//! and a key may come after the records that it opens. A direction keeps its first records up to a limit.

use crate::tls::keys::RecordHeader;
use crate::tls::lane::{Lane, Lanes};
use crate::tls::record::ContentType;

/// The sealed records of a flow, in order of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Sealed<M> {
    /// The most bytes that a direction keeps.
    limit: usize,
    pub(crate) records: Vec<SealedRecord<M>>,
    lens: Lanes<usize>,
    is_full: Lanes<bool>,
    pub(crate) hellos: Hellos,
}

/// The bodies of the hellos of a connection that offers an Encrypted Client Hello (RFC 9849); empty where one did not come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hellos {
    pub(crate) outer: Vec<u8>,
    pub(crate) retry: Vec<u8>,
    pub(crate) outer_again: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    /// One of them was too large to be kept.
    pub(crate) is_cut: bool,
}

impl Hellos {
    /// Keeps the first hello of a client, and one that it sends after a HelloRetryRequest.
    pub(crate) fn on_client_hello(&mut self, body: &[u8]) {
        if self.outer.is_empty() {
            self.is_cut |= !keep(body, &mut self.outer);
        } else if !self.retry.is_empty() {
            self.is_cut |= !keep(body, &mut self.outer_again);
        }
    }

    pub(crate) fn on_retry(&mut self, body: &[u8]) {
        if !self.outer.is_empty() {
            self.is_cut |= !keep(body, &mut self.retry);
        }
    }

    pub(crate) fn on_server_hello(&mut self, body: &[u8]) {
        if !self.outer.is_empty() {
            self.is_cut |= !keep(body, &mut self.answer);
        }
    }

    fn held_len(&self) -> usize {
        [&self.outer, &self.retry, &self.outer_again, &self.answer]
            .into_iter()
            .map(Vec::capacity)
            .sum()
    }
}

/// `false` for one that is too large.
fn keep(body: &[u8], place: &mut Vec<u8>) -> bool {
    let fits = body.len() <= MAX_HELLO_LEN;
    if fits && place.is_empty() {
        body.clone_into(place);
    }
    fits
}

/// Twice what a hello takes with the largest key shares and a ticket.
const MAX_HELLO_LEN: usize = 16 << 10;

/// One thing that a direction sent under protection.
#[derive(Clone, Debug)]
pub(crate) struct SealedRecord<M> {
    pub(crate) lane: Lane,
    pub(crate) what: What<M>,
}

/// What came under protection.
#[derive(Clone, Debug)]
pub(crate) enum What<M> {
    /// A whole record.
    Record(Kept, M),
    /// A ChangeCipherSpec: up to TLS 1.2, other keys from here on.
    KeyChange,
    /// A record that was not kept, or of which bytes are missing.
    Missed,
    /// Bytes are missing, and nobody knows how many records.
    Torn,
}

/// A record that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) header: RecordHeader,
    /// Its place among the steps, where it has one.
    pub(crate) step: Option<usize>,
    pub(crate) fragment: Vec<u8>,
}

impl Kept {
    pub(crate) fn new(content_type: ContentType, version: [u8; 2], step: Option<usize>) -> Self {
        Self {
            header: RecordHeader {
                content_type,
                version,
            },
            step,
            fragment: Vec::new(),
        }
    }
}

impl<M> Sealed<M> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: Vec::new(),
            lens: Lanes::default(),
            is_full: Lanes::default(),
            hellos: Hellos::default(),
        }
    }

    /// Bytes of memory held.
    pub(crate) fn held_len(&self) -> usize {
        let Lanes { a, b } = self.lens;
        a.saturating_add(b).saturating_add(self.hellos.held_len())
    }

    /// Whether a direction keeps nothing that comes.
    pub(crate) fn is_full(&self, lane: Lane) -> bool {
        *self.is_full.get(lane)
    }

    pub(crate) fn keep(&mut self, lane: Lane, kept: Kept, mark: M) {
        self.push(lane, What::Record(kept, mark));
    }

    /// Notes what is no whole record.
    pub(crate) fn note(&mut self, lane: Lane, what: What<M>) {
        self.push(lane, what);
    }

    fn push(&mut self, lane: Lane, what: What<M>) {
        if self.is_full(lane) {
            return;
        }
        let bytes = match &what {
            What::Record(kept, _) => kept.fragment.capacity(),
            What::KeyChange | What::Missed | What::Torn => 0,
        };
        let len = self.lens.get_mut(lane);
        *len = len
            .saturating_add(bytes)
            .saturating_add(size_of::<SealedRecord<M>>());
        if *len > self.limit {
            // The numbers of later records are lost with this one.
            *self.is_full.get_mut(lane) = true;
            return;
        }
        self.records.push(SealedRecord { lane, what });
    }
}
