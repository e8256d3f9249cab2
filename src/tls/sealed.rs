//! Records kept as they came, for keys to open when the handshake is over.
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
}

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
        }
    }

    /// Bytes of memory held.
    pub(crate) fn held_len(&self) -> usize {
        let Lanes { a, b } = self.lens;
        a.saturating_add(b)
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
