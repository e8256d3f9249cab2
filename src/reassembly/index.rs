//! Where in a flow table a key stands: the numbers of slots by the hashes of their keys.
//!
//! Open addressing with linear probing, eight bytes an entry: a look-up reads one cache line, and
//! the caller compares keys only where 32 bits of the hash agree. The table of a library reads two
//! (its control bytes and its bucket) before the caller's own; with hundreds of thousands of flows
//! each is a miss of the cache, and these were the dearest part of a packet.

/// The part of a key's hash that an index keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag(u32);

impl Tag {
    pub(super) fn of(hash: u64) -> Self {
        Self(upper(hash))
    }
}

/// A slot as it stands in an index: there or nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guess(u32);

impl Guess {
    /// Whether there is such a slot.
    #[inline(always)]
    #[must_use]
    pub const fn is_somewhere(self) -> bool {
        self.0 != 0
    }

    /// Its number; beyond all slots where there is none.
    #[inline(always)]
    pub(super) fn place(self) -> usize {
        usize::try_from(self.0.wrapping_sub(1)).unwrap_or(usize::MAX)
    }
}

/// The numbers of slots by the tags of their keys. A tag may stand in it more than once.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two of them, or none; at least half of them empty.
    entries: Vec<Entry>,
    len: usize,
}

/// The tag, and below it the number of the slot, from 1; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry(u64);

impl Index {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The slot under `tag` for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, tag: Tag, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.home(tag)?;
        loop {
            let entry = self.entries.get(at)?;
            let slot = entry.slot()?;
            if entry.tag() == tag && is_it(slot) {
                return Some(slot);
            }
            at = self.after(at);
        }
    }

    /// The first slot under `tag`.
    #[inline(always)]
    pub(super) fn guess(&self, tag: Tag) -> Guess {
        let Some(mut at) = self.home(tag) else {
            return Guess::default();
        };
        loop {
            let entry = self.at(at);
            if entry.tag() == tag || entry == Entry::NONE {
                return entry.guess();
            }
            at = self.after(at);
        }
    }

    /// Reads where a tag stands, for the sake of the cache alone.
    #[inline(always)]
    pub(super) fn touch(&self, tag: Tag) -> u64 {
        self.home(tag).map_or(0, |home| self.at(home).0)
    }

    /// Puts a slot in that is not there.
    pub(super) fn insert(&mut self, tag: Tag, slot: u32) {
        if self.entries.len() < (self.len + 1) * 2 {
            let len = (self.entries.len() * 2).max(LEAST);
            for entry in std::mem::replace(&mut self.entries, vec![Entry::NONE; len]) {
                if entry != Entry::NONE {
                    self.place(entry);
                }
            }
        }
        self.place(Entry::new(tag, slot));
        self.len += 1;
    }

    /// Takes a slot out.
    pub(super) fn remove(&mut self, tag: Tag, slot: u32) {
        let sought = Entry::new(tag, slot);
        let Some(mut at) = self.home(tag) else { return };
        while self.at(at) != sought {
            if self.at(at) == Entry::NONE {
                return;
            }
            at = self.after(at);
        }
        self.len -= 1;
        // Those behind close up, unless they would come to stand before their home.
        let mut hole = at;
        loop {
            at = self.after(at);
            let entry = self.at(at);
            if entry == Entry::NONE {
                break;
            }
            let home = self.home(entry.tag()).unwrap_or_default();
            if self.distance(home, at) >= self.distance(hole, at) {
                self.set(hole, entry);
                hole = at;
            }
        }
        self.set(hole, Entry::NONE);
    }

    /// Takes all out, and gives the memory back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn place(&mut self, new: Entry) {
        let mut at = self.home(new.tag()).unwrap_or_default();
        while self.at(at) != Entry::NONE {
            at = self.after(at);
        }
        self.set(at, new);
    }

    fn at(&self, at: usize) -> Entry {
        self.entries.get(at).copied().unwrap_or_default()
    }

    fn set(&mut self, at: usize, entry: Entry) {
        if let Some(place) = self.entries.get_mut(at) {
            *place = entry;
        }
    }

    /// Where a tag stands unless others were there before; `None` while there is no memory.
    fn home(&self, tag: Tag) -> Option<usize> {
        let last = self.entries.len().checked_sub(1)?;
        Some(usize::try_from(tag.0).unwrap_or(usize::MAX) & last)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & self.entries.len().wrapping_sub(1)
    }

    /// How far it is from one place to one behind it, around the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.entries.len().wrapping_sub(1)
    }
}

impl Entry {
    const NONE: Self = Self(0);

    fn new(tag: Tag, slot: u32) -> Self {
        Self(u64::from(tag.0) << 32 | u64::from(slot.saturating_add(1)))
    }

    fn tag(self) -> Tag {
        Tag(upper(self.0))
    }

    fn guess(self) -> Guess {
        Guess(u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or_default())
    }

    fn slot(self) -> Option<u32> {
        self.guess().0.checked_sub(1)
    }
}

fn upper(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(u32::MAX)
}

/// Entries of the smallest index that holds anything.
const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tags that meet: few homes, many slots under one tag.
    fn tag(slot: u32) -> Tag {
        Tag(slot % 7 * 5)
    }

    proptest! {
        #[test]
        fn what_was_put_in_and_not_taken_out_is_found(turns in prop::collection::vec((0..48_u32, any::<bool>()), 0..400)) {
            let mut index = Index::default();
            let mut inside = std::collections::BTreeSet::new();
            for (slot, is_put_in) in turns {
                if !is_put_in {
                    index.remove(tag(slot), slot);
                    inside.remove(&slot);
                } else if inside.insert(slot) {
                    index.insert(tag(slot), slot);
                }
                for slot in 0..48 {
                    let found = index.find(tag(slot), |other| other == slot);
                    prop_assert_eq!(found, inside.contains(&slot).then_some(slot));
                }
                prop_assert_eq!(index.len(), inside.len());
            }
        }
    }

    #[test]
    fn tags_at_the_end_go_on_at_the_beginning() {
        let mut index = Index::default();
        let last = Tag(u32::MAX);
        for slot in 0..6 {
            index.insert(last, slot);
        }
        for slot in 0..6 {
            index.remove(last, slot);
            assert_eq!(index.find(last, |other| other == slot), None);
            for later in slot + 1..6 {
                assert_eq!(index.find(last, |other| other == later), Some(later));
            }
        }
    }
}
