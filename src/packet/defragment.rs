//! IP fragments joined again (RFC 791, section 3.2; RFC 8200, section 4.5), within bounds.
//!
//! Fed in the order of the capture, on one thread. Where fragments overlap, the first bytes win,
//! and it is counted: receivers differ in what they make of it, and honest senders never do it.
//! Age is measured in the capture's own time.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::capture::{Frame, LinkType};
use crate::packet::decode::{Decoded, encapsulation, inwards};
use crate::packet::fragment::{Fragment, MAX_PAYLOAD_LEN};
use crate::packet::path::{Encapsulation, PathId};
use crate::packet::view::View;
use crate::packet::walk::Walk;
use crate::time::{Precision, Timestamp};

/// An IP packet made of its fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The packet, from a made-up IP header without options on, as far as it is known.
    pub bytes: Vec<u8>,
    /// How long it was on the wire; when the last piece is missing, at least that.
    pub original_len: u32,
    /// The frame that completed it; of an incomplete one, the frame of its first piece.
    pub number: u64,
    /// When that frame was captured.
    pub time: Timestamp,
    /// How finely the clock of its interface was read.
    pub precision: Precision,
    /// The index of its interface.
    pub interface: u32,
    /// The VLANs and tunnels around the fragments.
    pub path: PathId,
    around: Encapsulation,
    depth: u8,
}

impl Joined {
    /// Decodes the packet, which may be a tunnel and hold the next fragment.
    #[must_use]
    pub fn decode(&self) -> Decoded {
        let mut walk = Walk::new(View::new(&self.frame()), self.path, self.depth);
        inwards(&mut walk, LinkType::RAW).unwrap_or_else(Decoded::Skip)
    }

    /// The VLANs and tunnels around what is inside, those around the fragments first.
    #[must_use]
    pub fn encapsulation(&self) -> Encapsulation {
        let mut walk = Walk::new(View::new(&self.frame()), self.around.clone(), self.depth);
        let _ = inwards(&mut walk, LinkType::RAW);
        walk.trail
    }

    /// The packet as a frame of raw IP.
    #[must_use]
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            number: self.number,
            time: self.time,
            precision: self.precision,
            link_type: LinkType::RAW,
            interface: self.interface,
            data: &self.bytes,
            original_len: self.original_len,
        }
    }

    /// Whether bytes of it are missing.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        usize::try_from(self.original_len).is_ok_and(|len| self.bytes.len() < len)
    }
}

/// The bounds of a [`Defragmenter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentLimits {
    /// Memory for all packets that wait for pieces, in bytes. Twice that for a moment, when many
    /// are given up at once.
    pub total_len: usize,
    /// Pieces of a packet. 64 KiB in pieces of 1,400 bytes are 47.
    pub piece_count: usize,
    /// How long a packet waits for its last piece, in nanoseconds of the capture
    /// (RFC 1122, section 3.3.2, asks for 60 to 120 seconds; operating systems take 30).
    pub age_nanos: i64,
}

/// 16 MiB, 64 pieces, 30 seconds.
impl Default for FragmentLimits {
    fn default() -> Self {
        Self {
            total_len: 16 << 20,
            piece_count: 64,
            age_nanos: 30_000_000_000,
        }
    }
}

/// What a [`Defragmenter`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FragmentCounts {
    /// Packets put together.
    pub joined: u64,
    /// Fragments that overlapped bytes already there and were no copy of a fragment.
    pub overlaps: u64,
    /// Packets whose pieces did not all come in time.
    pub abandoned: u64,
    /// Packets given up since they would have gone over a limit.
    pub dropped_by_limit: u64,
}

/// Packets that wait for the rest of their fragments.
///
/// ```
/// # use tlstriage::capture::Frame;
/// # use tlstriage::packet::{Decoded, Defragmenter, Segment, decode};
/// fn segments(frame: &Frame<'_>, pool: &mut Defragmenter, mut found: impl FnMut(&[u8], Segment)) {
///     match decode(frame) {
///         Decoded::Segment(segment) => found(frame.data, segment),
///         Decoded::Fragment(fragment) => {
///             let mut whole = pool.push(frame, &fragment);
///             while let Some(packet) = whole.take().or_else(|| pool.pop_abandoned()) {
///                 match packet.decode() {
///                     Decoded::Segment(segment) => found(&packet.bytes, segment),
///                     Decoded::Fragment(inner) => whole = pool.push_joined(&packet, &inner),
///                     _ => {}
///                 }
///             }
///         }
///         _ => {}
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Defragmenter {
    limits: FragmentLimits,
    counts: FragmentCounts,
    waiting: BTreeMap<Key, Packet>,
    /// The packets waiting, oldest first.
    order: BTreeMap<u64, Key>,
    next_order: u64,
    waiting_len: usize,
    given_up: VecDeque<Joined>,
    given_up_len: usize,
}

impl Defragmenter {
    /// An empty pool.
    #[must_use]
    pub fn new(limits: FragmentLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Adds a `fragment` of `frame`; gives the packet if that was its last missing piece.
    ///
    /// Others may be given up for it, by age or to make room: [`Defragmenter::pop_abandoned`].
    pub fn push(&mut self, frame: &Frame<'_>, fragment: &Fragment) -> Option<Joined> {
        self.add(frame, fragment, || encapsulation(frame))
    }

    /// Adds a `fragment` that was found in a packet made of fragments.
    pub fn push_joined(&mut self, packet: &Joined, fragment: &Fragment) -> Option<Joined> {
        self.add(&packet.frame(), fragment, || packet.encapsulation())
    }

    /// Takes a packet that was given up and whose first piece is there: it can be read like one
    /// that the snap length cut.
    pub fn pop_abandoned(&mut self) -> Option<Joined> {
        let packet = self.given_up.pop_front()?;
        self.given_up_len = self.given_up_len.saturating_sub(packet.bytes.len());
        Some(packet)
    }

    /// Gives up all packets: the capture has ended.
    pub fn abandon_all(&mut self) {
        while let Some((_, key)) = self.order.pop_first() {
            self.counts.abandoned += 1;
            self.give_up(&key);
        }
    }

    /// What was done so far.
    #[must_use]
    pub const fn counts(&self) -> FragmentCounts {
        self.counts
    }

    fn add(
        &mut self,
        frame: &Frame<'_>,
        fragment: &Fragment,
        around: impl FnOnce() -> Encapsulation,
    ) -> Option<Joined> {
        self.expire(frame.time);
        let key = Key::of(fragment);
        let mut packet = self.take(&key).unwrap_or_else(|| {
            self.next_order += 1;
            Packet::new(self.next_order, frame.time)
        });
        if fragment.offset == 0 && packet.first.is_none() {
            packet.first = Some(First {
                protocol: fragment.protocol,
                depth: fragment.depth,
                origin: Origin::of(frame),
                around: match fragment.path {
                    PathId(0) => Encapsulation::default(),
                    _ => around(),
                },
            });
        }
        if packet.insert(fragment, frame.data) {
            self.counts.overlaps += 1;
        }
        if packet.is_complete() {
            let joined = packet.join(&key, Some(Origin::of(frame)))?;
            self.counts.joined += 1;
            return Some(joined);
        }
        if packet.pieces.len() > self.limits.piece_count {
            self.counts.dropped_by_limit += 1;
            self.keep_head(&packet, &key);
        } else {
            self.put(key, packet);
        }
        while self.waiting_len > self.limits.total_len {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            self.counts.dropped_by_limit += 1;
            self.give_up(&oldest);
        }
        None
    }

    /// Gives up what has waited too long before `now`.
    fn expire(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.first_entry() {
            let key = *oldest.get();
            let age = self
                .waiting
                .get(&key)
                .map_or(i64::MAX, |packet| now.nanos_since(packet.started));
            if age <= self.limits.age_nanos {
                break;
            }
            oldest.remove();
            self.counts.abandoned += 1;
            self.give_up(&key);
        }
    }

    fn give_up(&mut self, key: &Key) {
        if let Some(packet) = self.take(key) {
            self.keep_head(&packet, key);
        }
    }

    fn take(&mut self, key: &Key) -> Option<Packet> {
        let packet = self.waiting.remove(key)?;
        self.order.remove(&packet.order);
        self.waiting_len = self.waiting_len.saturating_sub(packet.held_len);
        Some(packet)
    }

    fn put(&mut self, key: Key, packet: Packet) {
        self.waiting_len += packet.held_len;
        self.order.insert(packet.order, key);
        self.waiting.insert(key, packet);
    }

    /// Puts aside what can be read of a packet that is given up.
    fn keep_head(&mut self, packet: &Packet, key: &Key) {
        let Some(head) = packet.join(key, None) else {
            return;
        };
        self.given_up_len += head.bytes.len();
        self.given_up.push_back(head);
        // Only a caller that never takes them comes to this.
        while self.given_up_len > self.limits.total_len && self.pop_abandoned().is_some() {}
    }
}

/// What pieces of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    protocol: u8,
    path: PathId,
}

impl Key {
    /// IPv6 leaves the protocol out, since it may differ in the pieces (RFC 8200, section 4.5).
    fn of(fragment: &Fragment) -> Self {
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
struct Packet {
    /// Its place in the order of arrival.
    order: u64,
    started: Timestamp,
    first: Option<First>,
    /// By offset, without overlaps.
    pieces: Vec<Held>,
    /// The length of the payload, once the last piece has come.
    total_len: Option<u32>,
    /// Memory used, roughly.
    held_len: usize,
}

/// What only the piece with offset 0 knows.
#[derive(Debug)]
struct First {
    protocol: u8,
    depth: u8,
    origin: Origin,
    around: Encapsulation,
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
struct Origin {
    number: u64,
    time: Timestamp,
    precision: Precision,
    interface: u32,
}

impl Origin {
    const fn of(frame: &Frame<'_>) -> Self {
        Self {
            number: frame.number,
            time: frame.time,
            precision: frame.precision,
            interface: frame.interface,
        }
    }
}

impl Held {
    const fn end(&self) -> u32 {
        self.offset.saturating_add(self.len)
    }
}

impl Packet {
    const fn new(order: u64, started: Timestamp) -> Self {
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
    fn insert(&mut self, fragment: &Fragment, data: &[u8]) -> bool {
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

    fn has_copy(&self, fragment: &Fragment, bytes: &[u8]) -> bool {
        self.pieces
            .binary_search_by_key(&fragment.offset, |held| held.offset)
            .ok()
            .and_then(|place| self.pieces.get(place))
            .is_some_and(|held| held.len == fragment.wire_len && held.bytes == bytes)
    }

    fn is_complete(&self) -> bool {
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
    fn join(&self, key: &Key, completed_by: Option<Origin>) -> Option<Joined> {
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

#[cfg(test)]
mod tests;
