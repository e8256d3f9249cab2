//! What repeats from flow to flow, kept once.
//!
//! Two hundred thousand handshakes have a handful of kinds of client and a few certificates.
//! Whatever is found here already is neither parsed nor described again.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashTable;

use crate::hash::Keyed;

/// Values by the bytes that they are made from, within a bound on those bytes.
///
/// Which thread made a value never shows: the same bytes always give the same value.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    found: Mutex<Found<T>>,
    keyed: Keyed,
    max_len: usize,
}

#[derive(Debug)]
struct Found<T> {
    table: HashTable<Entry<T>>,
    len: usize,
}

#[derive(Debug)]
struct Entry<T> {
    hash: u64,
    key: Box<[u8]>,
    value: Arc<T>,
}

impl<T> Pool<T> {
    /// An empty pool for keys of `max_len` bytes in all; `seed` makes crafted collisions useless.
    pub(crate) fn new(max_len: usize, seed: u64) -> Self {
        Self {
            found: Mutex::new(Found {
                table: HashTable::new(),
                len: 0,
            }),
            keyed: Keyed::new(seed),
            max_len,
        }
    }

    /// The value for `key`: the one that is there, or one made now.
    ///
    /// `cost` is what keeping the value takes beside its key, in bytes. When the pool is full the
    /// value is made and not kept.
    pub(crate) fn get_or_make(&self, key: &[u8], cost: usize, make: impl FnOnce() -> T) -> Arc<T> {
        let (value, _) = self.get_or_make_whether(key, |_| cost, make);
        value
    }

    /// The same, and whether the value is kept: then it stays where it is as long as the pool.
    pub(crate) fn get_or_make_whether(
        &self,
        key: &[u8],
        cost: impl FnOnce(&T) -> usize,
        make: impl FnOnce() -> T,
    ) -> (Arc<T>, bool) {
        let hash = self.keyed.bytes(key);
        if let Some(value) = self.lock().get(hash, key) {
            return (value, true);
        }
        // Made outside the lock: certificates take their time, and two threads that make the
        // same one make the same.
        let value = Arc::new(make());
        let mut found = self.lock();
        if let Some(value) = found.get(hash, key) {
            return (value, true);
        }
        let len = found.len.saturating_add(key.len());
        let len = len.saturating_add(cost(&value));
        let has_room = len <= self.max_len;
        if has_room {
            found.len = len;
            let entry = Entry {
                hash,
                key: key.into(),
                value: Arc::clone(&value),
            };
            found.table.insert_unique(hash, entry, |other| other.hash);
        }
        (value, has_room)
    }

    /// A poisoned lock still holds whole entries: nothing under it can stop half-way.
    fn lock(&self) -> std::sync::MutexGuard<'_, Found<T>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Found<T> {
    fn get(&self, hash: u64, key: &[u8]) -> Option<Arc<T>> {
        let is_it = |entry: &Entry<T>| entry.hash == hash && *entry.key == *key;
        let entry = self.table.find(hash, is_it)?;
        Some(Arc::clone(&entry.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once() {
        let pool = Pool::new(100, 7);
        let one = pool.get_or_make(b"key", 0, || 1);
        let same = pool.get_or_make(b"key", 0, || 2);
        assert_eq!((*one, *same), (1, 1));
        assert!(Arc::ptr_eq(&one, &same));
    }

    #[test]
    fn a_full_pool_still_answers() {
        let pool = Pool::new(5, 7);
        assert_eq!(*pool.get_or_make(b"abc", 0, || 1), 1);
        assert_eq!(*pool.get_or_make(b"defg", 0, || 2), 2);
        assert_eq!(*pool.get_or_make(b"defg", 0, || 3), 3);
        assert_eq!(*pool.get_or_make(b"abc", 0, || 4), 1);
    }
}
