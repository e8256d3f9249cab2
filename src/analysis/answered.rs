//! Addresses that were seen to send and to be answered, by 64 bits of a keyed hash of each: some thousands of them, the first ones.

use std::collections::HashSet;

use crate::hash::AsItIs;

/// A set that is asked at the end, and seldom. Until then what comes in is put behind what came before: its places in a set lie apart in memory,
/// and to wait for each of them took 2 % of the time of a capture of short connections.
#[derive(Debug)]
pub(super) struct Answered {
    known: HashSet<u64, AsItIs>,
    /// What is still to be put among them, some of it more than once.
    late: Vec<u64>,
    /// Some of the last that came in, each in its place; 0 where there is none.
    last: [u64; PLACES],
}

impl Default for Answered {
    fn default() -> Self {
        Self {
            known: HashSet::default(),
            late: Vec::new(),
            last: [0; PLACES],
        }
    }
}

impl Answered {
    /// Whether it takes no more.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.known.len() >= MAX
    }

    /// Notes an address; where it is full, for nothing.
    pub(super) fn note(&mut self, address: u64) {
        // Most are of a few servers.
        let at = usize::try_from(address).unwrap_or_default() % self.last.len();
        let Some(last) = self.last.get_mut(at) else {
            return;
        };
        if *last != address {
            *last = address;
            self.late.push(address);
            if self.late.len() >= MAX {
                self.catch_up();
            }
        }
    }

    /// Whether an address was noted.
    pub(super) fn has(&mut self, address: u64) -> bool {
        self.catch_up();
        self.known.contains(&address)
    }

    #[inline(never)]
    fn catch_up(&mut self) {
        for address in self.late.drain(..) {
            if self.known.len() >= MAX {
                break;
            }
            self.known.insert(address);
        }
    }
}

/// Addresses of one shard; as many may come in before they are put among the others.
const MAX: usize = 4096;
/// Places for those that were noted last.
const PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thousands_are_known_whenever_it_is_asked() {
        let mut asked_often = Answered::default();
        let mut asked_once = Answered::default();
        for n in 0..6_000_u64 {
            // Servers come again and again, two of them in one place; and clients once.
            for address in [n % 2 * 64 + 1, n << 8 | 0xff] {
                asked_often.note(address);
                if !asked_once.is_full() {
                    asked_once.note(address);
                }
                assert!(asked_once.late.len() < MAX);
            }
            assert_eq!(asked_often.has(n << 8 | 0xff), n < 4_094, "{n}");
        }
        for n in 0..6_000_u64 {
            assert_eq!(asked_once.has(n << 8 | 0xff), n < 4_094, "{n}");
        }
        assert!(asked_once.has(1) && asked_once.has(65) && !asked_once.has(2));
        assert!(asked_once.is_full() && asked_often.is_full());
        assert!(asked_once.late.is_empty());
    }
}
