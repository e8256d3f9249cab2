//! One IP packet that waits for pieces: which bytes are there, and which are missing.

use std::net::IpAddr;

use crate::capture::Frame;
use crate::packet::fragment::{Fragment, MAX_PAYLOAD_LEN};
use crate::packet::joined::Joined;
use crate::packet::path::{Encapsulation, PathId};
use crate::time::{Precision, Timestamp};

/// What pieces of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    protocol: u8,
    path: PathId,
}

impl Key {
    /// IPv6 leaves the protocol out, since it may differ in the pieces (RFC 8200, section 4.5).
    pub(crate) fn of(fragment: &Fragment) -> Self {
        Self {
            source: fragment.source,
            destination: fragment.destination,
            id: fragment.id,
            protocol: match fragment.source {
                IpAddr::V4(_) => fragment.protocol,
                IpAddr::V6(_) => 0,
            },
            path: fragment.path,
        }
    }
}

/// A packet that waits for pieces.
#[derive(Debug)]
pub(crate) struct Packet {
    /// Its place in the order of arrival.
    pub(crate) order: u64,
    pub(crate) started: Timestamp,
    pub(crate) first: Option<First>,
    /// By offset, without overlaps.
    pieces: Vec<Held>,
    /// The length of the payload, once the last piece has come.
    total_len: Option<u32>,
    /// Memory used, roughly.
    pub(crate) held_len: usize,
}

/// What only the piece with offset 0 knows.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) protocol: u8,
    pub(crate) depth: u8,
    pub(crate) origin: Origin,
    pub(crate) around: Encapsulation,
}

/// Bytes of a packet; fewer than `len` when the snap length cut them.
#[derive(Debug)]
struct Held {
    offset: u32,
    len: u32,
    bytes: Vec<u8>,
}

/// The frame that a packet is ascribed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    number: u64,
    time: Timestamp,
    precision: Precision,
    interface: u32,
    source: u32,
}

impl Origin {
    pub(crate) const fn of(frame: &Frame<'_>, source: u32) -> Self {
        Self {
            number: frame.number,
            time: frame.time,
            precision: frame.precision,
            interface: frame.interface,
            source,
        }
    }
}

impl Held {
    const fn end(&self) -> u32 {
        self.offset.saturating_add(self.len)
    }
}

impl Packet {
    pub(crate) const fn new(order: u64, started: Timestamp) -> Self {
        Self {
            order,
            started,
            first: None,
            pieces: Vec::new(),
            total_len: None,
            held_len: PACKET_COST,
        }
    }

    /// Fills the holes that `fragment` covers. Says whether it overlapped what was there.
    pub(crate) fn insert(&mut self, fragment: &Fragment, data: &[u8]) -> bool {
        let bytes = fragment.bytes(data);
        let end = fragment.offset.saturating_add(fragment.wire_len);
        if !fragment.more && self.total_len.is_none() {
            let known_end = self.pieces.last().map_or(0, Held::end);
            self.total_len = Some(end.max(known_end));
        }
        if self.has_copy(fragment, bytes) {
            return false;
        }
        let mut overlaps = self.total_len.is_some_and(|total| end > total);
        let mut filled = Vec::new();
        let mut from = fragment.offset;
        for held in &self.pieces {
            if held.end() <= from {
                continue;
            }
            if held.offset >= end {
                break;
            }
            overlaps = true;
            filled.extend(cut_out(fragment.offset, bytes, from, held.offset));
            from = held.end();
        }
        filled.extend(cut_out(fragment.offset, bytes, from, end));
        for held in filled {
            self.held_len += PIECE_COST + held.bytes.len();
            let place = self
                .pieces
                .partition_point(|other| other.offset < held.offset);
            self.pieces.insert(place, held);
        }
        overlaps
    }

    /// How many runs of bytes it is made of.
    pub(crate) const fn piece_count(&self) -> usize {
        self.pieces.len()
    }

    fn has_copy(&self, fragment: &Fragment, bytes: &[u8]) -> bool {
        self.pieces
            .binary_search_by_key(&fragment.offset, |held| held.offset)
            .ok()
            .and_then(|place| self.pieces.get(place))
            .is_some_and(|held| held.len == fragment.wire_len && held.bytes == bytes)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.total_len == Some(self.known_len())
    }

    /// How much of the payload is there without a hole, cut bytes included.
    fn known_len(&self) -> u32 {
        let mut end = 0;
        for held in &self.pieces {
            if held.offset > end {
                break;
            }
            end = held.end();
        }
        end
    }

    /// The packet as far as it goes, under a header of its own. `None` without its first bytes.
    pub(crate) fn join(&self, key: &Key, completed_by: Option<Origin>) -> Option<Joined> {
        let first = self.first.as_ref()?;
        // Without its last piece the packet is longer than what was seen, nobody knows by how much.
        let total_len = self
            .total_len
            .unwrap_or_else(|| self.pieces.last().map_or(0, Held::end) + 1)
            .min(MAX_PAYLOAD_LEN);
        let mut bytes = header(key, first.protocol, total_len)?;
        let original_len = u32::try_from(bytes.len()).ok()?.saturating_add(total_len);
        let mut end = 0;
        for held in &self.pieces {
            if held.offset != end {
                break;
            }
            bytes.extend_from_slice(&held.bytes);
            if usize::try_from(held.len) != Ok(held.bytes.len()) {
                break;
            }
            end = held.end();
        }
        let origin = completed_by.unwrap_or(first.origin);
        Some(Joined {
            bytes,
            original_len,
            number: origin.number,
            time: origin.time,
            precision: origin.precision,
            interface: origin.interface,
            source: origin.source,
            path: key.path,
            around: first.around.clone(),
            depth: first.depth.saturating_add(1),
        })
    }
}

/// The part from `from` to `end` of bytes that begin at `offset`.
fn cut_out(offset: u32, bytes: &[u8], from: u32, end: u32) -> Option<Held> {
    let len = end.checked_sub(from).filter(|len| *len > 0)?;
    let skipped = usize::try_from(from.checked_sub(offset)?).ok()?;
    let rest = bytes.get(skipped..).unwrap_or_default();
    let kept = usize::try_from(len).ok()?.min(rest.len());
    Some(Held {
        offset: from,
        len,
        bytes: rest.get(..kept)?.to_vec(),
    })
}

/// An IP header for a payload of `payload_len` bytes (RFC 791, section 3.1; RFC 8200, section 3).
fn header(key: &Key, protocol: u8, payload_len: u32) -> Option<Vec<u8>> {
    let payload_len = u16::try_from(payload_len).ok().filter(|len| *len > 0)?;
    match (key.source, key.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let total_len = payload_len.checked_add(20)?;
            let mut header = vec![0x45, 0];
            header.extend(total_len.to_be_bytes());
            header.extend(u16::try_from(key.id).ok()?.to_be_bytes());
            header.extend([0, 0, HOP_LIMIT, protocol, 0, 0]);
            header.extend(source.octets());
            header.extend(destination.octets());
            Some(header)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let mut header = vec![0x60, 0, 0, 0];
            header.extend(payload_len.to_be_bytes());
            header.extend([protocol, HOP_LIMIT]);
            header.extend(source.octets());
            header.extend(destination.octets());
            Some(header)
        }
        _ => None,
    }
}

/// Nobody reads it: the packet has arrived.
const HOP_LIMIT: u8 = 64;

// What a packet and a piece cost beside their bytes: the entries of two trees, a vector.
const PACKET_COST: usize = 512;
const PIECE_COST: usize = 64;
