//! What waits behind a hole: pieces of a stream that came before the bytes in front of them.
//!
//! Pieces are found by offset and do not overlap; of two that would, the first stays whole. When
//! to stop waiting is not decided here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The pieces of one stream.
#[derive(Debug)]
pub(crate) struct Waiting<M> {
    pieces: BTreeMap<u64, Piece<M>>,
    len: usize,
}

/// Some bytes of a stream, in one segment's copy.
#[derive(Debug)]
pub(crate) struct Piece<M> {
    /// None when the frame was cut before its payload.
    pub(crate) bytes: Box<[u8]>,
    /// Bytes up to here were on the wire; those that are in no piece the snap length cut off.
    pub(crate) wire_end: u64,
    /// The caller's mark of the segment.
    pub(crate) mark: M,
}

/// What became of a segment that was to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    /// Whether it told anything.
    pub(crate) is_new: bool,
    /// How many of its bytes were there already.
    pub(crate) repeated_len: usize,
    /// Whether these were others.
    pub(crate) disagrees: bool,
}

impl<M: Copy> Waiting<M> {
    pub(crate) const fn new() -> Self {
        Self {
            pieces: BTreeMap::new(),
            len: 0,
        }
    }

    /// How many bytes wait.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many pieces wait.
    pub(crate) fn count(&self) -> usize {
        self.pieces.len()
    }

    /// What they take from the heap: their bytes, and a tree whose nodes are half full at worst.
    pub(crate) fn memory_len(&self) -> usize {
        let cost = 2 * (size_of::<Piece<M>>() + size_of::<u64>()) + ALLOCATION_COST;
        self.count().saturating_mul(cost).saturating_add(self.len)
    }

    /// Where the first piece begins.
    pub(crate) fn first(&self) -> Option<u64> {
        self.pieces.first_key_value().map(|(&start, _)| start)
    }

    /// Where the first piece begins, and its mark.
    pub(crate) fn first_marked(&self) -> Option<(u64, M)> {
        let (&start, piece) = self.pieces.first_key_value()?;
        Some((start, piece.mark))
    }

    /// Takes the first piece out, if it begins no later than at `offset`.
    pub(crate) fn take_first(&mut self, offset: u64) -> Option<Piece<M>> {
        let entry = self.pieces.first_entry()?;
        if *entry.key() > offset {
            return None;
        }
        let piece = entry.remove();
        self.len = self.len.saturating_sub(piece.bytes.len());
        Some(piece)
    }

    /// Adds a segment with `payload` at `start`, of which the wire had more, up to `wire_end`.
    pub(crate) fn add(&mut self, start: u64, payload: &[u8], wire_end: u64, mark: M) -> Added {
        let (repeated_len, disagrees) = self.fill(start, payload, mark);
        let end = start.saturating_add(wide(payload.len()));
        let is_longer = self.note_wire_end(end, wire_end, mark);
        Added {
            is_new: is_longer || repeated_len < payload.len(),
            repeated_len,
            disagrees,
        }
    }

    /// Puts `payload` into the holes between the pieces from `start` on. Tells how many of its
    /// bytes were there already, and whether these disagree.
    fn fill(&mut self, start: u64, payload: &[u8], mark: M) -> (usize, bool) {
        let mut rest = payload;
        let mut at = start;
        let mut disagrees = false;
        let mut repeated_len = 0_usize;
        let mut wire_end = 0;
        if let Some((&before, piece)) = self.pieces.range(..start).next_back() {
            let inside = narrow(start.saturating_sub(before));
            (disagrees, rest) = overlap(piece.bytes.get(inside..).unwrap_or_default(), rest);
            repeated_len = payload.len() - rest.len();
            at = at.saturating_add(wide(repeated_len));
        }
        while !rest.is_empty() {
            let next = self.pieces.range(at..).next().map(|(&start, _)| start);
            let hole = narrow(next.unwrap_or(u64::MAX).saturating_sub(at));
            let (head, tail) = rest.split_at_checked(hole).unwrap_or((rest, &[]));
            self.put(at, head, mark);
            at = at.saturating_add(wide(head.len()));
            rest = tail;
            let Entry::Occupied(entry) = self.pieces.entry(at) else {
                break;
            };
            if entry.get().bytes.is_empty() {
                // A frame was cut before its payload: the bytes take its place.
                wire_end = wire_end.max(entry.remove().wire_end);
            } else {
                let (differs, beyond) = overlap(&entry.get().bytes, rest);
                let covered = rest.len() - beyond.len();
                disagrees |= differs;
                repeated_len = repeated_len.saturating_add(covered);
                at = at.saturating_add(wide(covered));
                rest = beyond;
            }
        }
        self.note_wire_end(at, wire_end, mark);
        (repeated_len, disagrees)
    }

    /// Keeps a copy of `bytes`, which overlap with nothing.
    fn put(&mut self, start: u64, bytes: &[u8], mark: M) {
        if bytes.is_empty() {
            return;
        }
        self.len = self.len.saturating_add(bytes.len());
        let piece = Piece {
            bytes: bytes.into(),
            wire_end: start.saturating_add(wide(bytes.len())),
            mark,
        };
        self.pieces.insert(start, piece);
    }

    /// Keeps in mind that the wire had bytes from `at` to `wire_end`. Tells if that is new.
    fn note_wire_end(&mut self, at: u64, wire_end: u64, mark: M) -> bool {
        if wire_end <= at {
            return false;
        }
        if let Some((&start, piece)) = self.pieces.range_mut(..=at).next_back()
            && start.saturating_add(wide(piece.bytes.len())) >= at
        {
            let is_new = wire_end > piece.wire_end;
            piece.wire_end = piece.wire_end.max(wire_end);
            return is_new;
        }
        let piece = Piece {
            bytes: Box::default(),
            wire_end,
            mark,
        };
        self.pieces.insert(at, piece);
        true
    }
}

/// Whether the bytes that both have disagree, and what `bytes` has beyond `earlier`.
pub(crate) fn overlap<'a>(earlier: &[u8], bytes: &'a [u8]) -> (bool, &'a [u8]) {
    let (common, beyond) = bytes
        .split_at_checked(earlier.len())
        .unwrap_or((bytes, &[]));
    let differs = earlier
        .get(..common.len())
        .is_some_and(|earlier| earlier != common);
    (differs, beyond)
}

pub(crate) fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

pub(crate) fn narrow(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// What an allocator adds to a small allocation, nearly.
const ALLOCATION_COST: usize = 16;
