//! IP fragments joined again (RFC 791, section 3.2; RFC 8200, section 4.5), within bounds.
//!
//! Fed in the order of the capture, on one thread. Where fragments overlap, the first bytes win,
//! and it is counted: receivers differ in what they make of it, and honest senders never do it.
//! Age is measured in the capture's own time.

use std::collections::{BTreeMap, VecDeque};

use crate::capture::Frame;
use crate::packet::decode::encapsulation;
use crate::packet::fragment::Fragment;
use crate::packet::joined::Joined;
use crate::packet::path::{Encapsulation, PathId};
use crate::packet::waiting::{First, Key, Origin, Packet};
use crate::time::Timestamp;

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
    /// The input that frames are of.
    source: u32,
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

    /// Frames are of this input from now on, by whatever number the caller gives it: packets may be made
    /// of fragments in several.
    pub const fn begin_source(&mut self, source: u32) {
        self.source = source;
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
                origin: Origin::of(frame, self.source),
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
            let joined = packet.join(&key, Some(Origin::of(frame, self.source)))?;
            self.counts.joined += 1;
            return Some(joined);
        }
        if packet.piece_count() > self.limits.piece_count {
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

#[cfg(test)]
mod tests;
