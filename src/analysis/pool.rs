//! What repeats from flow to flow, kept once.
//!
//! Two hundred thousand handshakes have a handful of kinds of client and a few certificates.
//! Whatever is found here already is neither parsed nor described again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Values by the bytes that they are made from, within a bound on those bytes.
///
/// Which thread made a value never shows: the same bytes always give the same value.
#[derive(Debug)]
pub(super) struct Pool<T> {
    found: Mutex<Found<T>>,
    max_len: usize,
}

#[derive(Debug)]
struct Found<T> {
    by_key: HashMap<Box<[u8]>, Arc<T>>,
    len: usize,
}

impl<T> Pool<T> {
    /// An empty pool for keys of `max_len` bytes in all.
    pub(super) fn new(max_len: usize) -> Self {
        Self {
            found: Mutex::new(Found {
                by_key: HashMap::new(),
                len: 0,
            }),
            max_len,
        }
    }

    /// The value for `key`: the one that is there, or one made now.
    ///
    /// `cost` is what keeping the value takes beside its key, in bytes. When the pool is full the
    /// value is made and not kept.
    pub(super) fn get_or_make(&self, key: &[u8], cost: usize, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.lock().by_key.get(key) {
            return Arc::clone(value);
        }
        // Made outside the lock: certificates take their time, and two threads that make the
        // same one make the same.
        let value = Arc::new(make());
        let mut found = self.lock();
        let len = found.len.saturating_add(key.len()).saturating_add(cost);
        if len <= self.max_len {
            let kept = found
                .by_key
                .entry(key.into())
                .or_insert_with(|| Arc::clone(&value));
            let kept = Arc::clone(kept);
            found.len = len;
            return kept;
        }
        value
    }

    /// A poisoned lock still holds whole entries: nothing under it can stop half-way.
    fn lock(&self) -> std::sync::MutexGuard<'_, Found<T>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once() {
        let pool = Pool::new(100);
        let one = pool.get_or_make(b"key", 0, || 1);
        let same = pool.get_or_make(b"key", 0, || 2);
        assert_eq!((*one, *same), (1, 1));
        assert!(Arc::ptr_eq(&one, &same));
    }

    #[test]
    fn a_full_pool_still_answers() {
        let pool = Pool::new(5);
        assert_eq!(*pool.get_or_make(b"abc", 0, || 1), 1);
        assert_eq!(*pool.get_or_make(b"defg", 0, || 2), 2);
        assert_eq!(*pool.get_or_make(b"defg", 0, || 3), 3);
        assert_eq!(*pool.get_or_make(b"abc", 0, || 4), 1);
    }
}
