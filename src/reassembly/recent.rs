//! The bytes that streams have handed on of late, to be compared with what is sent again.
//!
//! All streams of a flow table share one ring: thousands of handshakes at a time, each with pages
//! of its own for bytes that hardly ever come again, cost more than reading the handshakes did. So
//! what is remembered is bounded for all of them together, and the more streams speak, the sooner it is
//! forgotten. What is forgotten follows from the segments alone.

/// The last bytes of some streams.
#[derive(Debug, Default)]
pub struct Recent {
    /// One record after the other, from the beginning again when the end is reached; each has a
    /// header of [`HEADER_LEN`] and does not go around the end.
    ring: Vec<u8>,
    max_len: usize,
    max_of_one: usize,
    /// The place of the next record, counted through all rounds.
    next: u64,
}

/// Where the newest record of a stream stands, if it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Newest(Option<u64>);

impl Newest {
    pub(super) const NONE: Self = Self(None);
}

/// A record.
#[derive(Debug)]
struct Record<'a> {
    /// The record of the same stream before it.
    before: Newest,
    /// The offset in the stream behind its bytes.
    end: u64,
    bytes: &'a [u8],
}

impl Recent {
    /// A ring of at most `max_len` bytes, which takes memory as it is filled; `max_of_one` are compared of one
    /// stream, with the headers of the segments that they came in.
    #[must_use]
    pub const fn new(max_len: usize, max_of_one: usize) -> Self {
        Self {
            ring: Vec::new(),
            max_len,
            max_of_one,
            next: 0,
        }
    }

    /// Remembers nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self::new(0, 0)
    }

    /// Remembers the bytes of a stream up to the offset `end`, behind those at `before`.
    pub(super) fn remember(&mut self, before: Newest, end: u64, bytes: &[u8]) -> Newest {
        let Some(room) = self.max_len.checked_sub(HEADER_LEN) else {
            return Newest::NONE;
        };
        let len = bytes.len().min(self.max_of_one).min(room);
        let bytes = bytes.get(bytes.len() - len..).unwrap_or_default();
        if bytes.is_empty() {
            return Newest::NONE;
        }
        let mut start = self.place_of(self.next);
        if start + HEADER_LEN + len > self.max_len {
            self.next = self.next.saturating_add(wide(self.max_len - start));
            start = 0;
        }
        let behind = start + HEADER_LEN + len;
        if self.ring.len() < behind {
            if self.ring.capacity() < behind {
                // Twice as much as is needed now; never more than the limit.
                let room = behind.saturating_mul(2).min(self.max_len);
                self.ring
                    .reserve_exact(room.saturating_sub(self.ring.len()));
            }
            self.ring.resize(behind, 0);
        }
        // No stream is as long as to reach the largest number, which stands for none.
        let [a, b] = [before.0.unwrap_or(u64::MAX), end].map(u64::to_le_bytes);
        let header = [a, b, wide(len).to_le_bytes()];
        if let Some(place) = self.ring.get_mut(start..behind) {
            let (to_header, to_bytes) = place.split_at_mut(HEADER_LEN);
            to_header.copy_from_slice(header.as_flattened());
            to_bytes.copy_from_slice(bytes);
        }
        let newest = Newest(Some(self.next));
        self.next = self.next.saturating_add(wide(HEADER_LEN + len));
        newest
    }

    /// Whether bytes of a stream from the offset `start` on are others than those that are
    /// remembered of it, the last of which stand at `newest`.
    pub(super) fn disagrees(&self, newest: Newest, start: u64, bytes: &[u8]) -> bool {
        let end = start.saturating_add(wide(bytes.len()));
        let mut next = newest;
        let mut left = self.max_of_one;
        while left > 0
            && let Some(record) = self.record(next)
        {
            let known = record.bytes.get(record.bytes.len().saturating_sub(left)..);
            let known = known.unwrap_or(record.bytes);
            let first = record.end.saturating_sub(wide(known.len()));
            // What both have.
            let (from, to) = (start.max(first), end.min(record.end));
            if from < to
                && part(known, from - first, to - first) != part(bytes, from - start, to - start)
            {
                return true;
            }
            if first <= start {
                break;
            }
            // With what is beside the bytes, so that the smallest segments are soon at an end too.
            left = left.saturating_sub(known.len() + HEADER_LEN);
            next = record.before;
        }
        false
    }

    /// The record at a place, unless another one was written over it.
    fn record(&self, Newest(at): Newest) -> Option<Record<'_>> {
        let at = at.filter(|at| self.next.saturating_sub(*at) <= wide(self.max_len))?;
        let (header, bytes) = self
            .ring
            .get(self.place_of(at)..)?
            .split_first_chunk::<HEADER_LEN>()?;
        let ([before, end, len], _) = header.as_chunks() else {
            return None;
        };
        let [before, end, len] = [before, end, len].map(|word| u64::from_le_bytes(*word));
        Some(Record {
            before: Newest(Some(before).filter(|before| *before < at)),
            end,
            bytes: bytes.get(..usize::try_from(len).ok()?)?,
        })
    }

    fn place_of(&self, at: u64) -> usize {
        let len = wide(self.max_len).max(1);
        usize::try_from(at % len).unwrap_or_default()
    }
}

fn part(bytes: &[u8], from: u64, to: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Three words: where the record before it stands, where its bytes end, and how many there are.
const HEADER_LEN: usize = 24;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_ring_has_come_around_to_is_forgotten_and_nothing_else() {
        let mut recent = Recent::new(3 * (HEADER_LEN + 4), 100);
        let one = recent.remember(Newest::NONE, 4, b"abcd");
        let other = recent.remember(Newest::NONE, 4, b"efgh");
        let one = recent.remember(one, 8, b"ijkl");
        assert!(recent.disagrees(one, 2, b"cdiX"));
        assert!(recent.disagrees(one, 0, b"Xbcd"));
        assert!(!recent.disagrees(one, 0, b"abcdijkl"));
        // Over the first of them.
        let third = recent.remember(Newest::NONE, 1, b"m");
        assert!(!recent.disagrees(one, 0, b"Xbcd"));
        assert!(recent.disagrees(one, 0, b"abcdXjkl"));
        assert!(recent.disagrees(other, 0, b"X"));
        assert!(recent.disagrees(third, 0, b"X"));
        assert_eq!(Recent::none().remember(one, 3, b"abc"), Newest::NONE);
    }

    proptest! {
        /// Several streams by turns, held against a copy of all that each has said.
        #[test]
        fn only_bytes_that_are_others_disagree(
            max_len in 0_usize..200,
            max_of_one in 0_usize..40,
            turns in prop::collection::vec((0_usize..3, 0_usize..30, 0_usize..60, any::<bool>()), 0..60),
        ) {
            let mut recent = Recent::new(max_len, max_of_one);
            let mut said: [Vec<u8>; 3] = Default::default();
            let mut newest = [Newest::NONE; 3];
            for (at, (who, len, back, is_changed)) in turns.into_iter().enumerate() {
                let bytes: Vec<u8> = (0..len).map(|i| u8::try_from((at * 7 + i) % 251).unwrap()).collect();
                said[who].extend(&bytes);
                newest[who] = recent.remember(newest[who], wide(said[who].len()), &bytes);
                prop_assert!(recent.ring.len() <= max_len);
                let start = said[who].len().saturating_sub(back);
                let mut again = said[who][start..].to_vec();
                prop_assert!(!recent.disagrees(newest[who], wide(start), &again));
                // The last record is always there, as far as it has room.
                if is_changed && len > 0 && max_of_one > 0 && max_len > HEADER_LEN && !again.is_empty() {
                    *again.last_mut().unwrap() ^= 1;
                    prop_assert!(recent.disagrees(newest[who], wide(start), &again));
                }
            }
        }
    }
}
