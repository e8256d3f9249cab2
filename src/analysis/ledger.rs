//! What large certificates take in one place: tables, stories, books.
//!
//! The certificates of most servers are small, and what they take is bounded by the number of flows.
//! A certificate may have 64 KiB and more; so those are counted by what they have beyond the usual,
//! each chain once, however many flows of a place hold it. Which thread made a chain, and whether the
//! pool keeps it, does not show in the count.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::analysis::kinds::Chain;

/// The large chains that are held in one place, and what they take.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How often each is held.
    held: HashMap<ChainId, usize>,
    /// Bytes that they take beyond the usual.
    len: usize,
}

/// Tells large chains apart: the beginning of a SHA-256, which nobody finds twice.
pub(super) type ChainId = u128;

/// A chain that takes more than is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Large {
    pub(super) id: ChainId,
    /// Bytes that it takes beyond the usual.
    pub(super) len: usize,
}

impl Ledger {
    /// Bytes of all that is held, beyond the usual.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// A chain is held once more.
    #[inline]
    pub(super) fn add(&mut self, chain: &Chain) {
        if let Some(large) = &chain.large {
            let count = self.held.entry(large.id).or_insert_with(|| {
                self.len = self.len.saturating_add(large.len);
                0
            });
            *count += 1;
        }
    }

    /// The same, unless more would be held than `max_len`. Whether it was.
    pub(super) fn add_within(&mut self, chain: &Chain, max_len: usize) -> bool {
        let fits = chain.large.is_none_or(|large| {
            self.held.contains_key(&large.id) || self.len.saturating_add(large.len) <= max_len
        });
        if fits {
            self.add(chain);
        }
        fits
    }

    /// A chain that was added is held once less.
    #[inline]
    pub(super) fn remove(&mut self, chain: &Chain) {
        if let Some(large) = &chain.large
            && let Entry::Occupied(mut held) = self.held.entry(large.id)
        {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
                self.len = self.len.saturating_sub(large.len);
            }
        }
    }
}

/// What is kept of certificates of these lengths, in bytes beyond the usual: of a large one mostly
/// its names, which take some half more than the certificate.
pub(super) fn len_beyond_usual(lens: impl Iterator<Item = usize>) -> usize {
    lens.map(|len| len.saturating_sub(USUAL_LEN))
        .map(|len| len.saturating_add(len / 2))
        .fold(0, usize::saturating_add)
}

/// Bytes of a certificate up to which it is not counted: that of a server with some hundred names.
const USUAL_LEN: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::shared;

    fn chain(number: u8, len: usize) -> Chain {
        let der = vec![number; len];
        shared::describe_chain(&[der])
    }

    #[test]
    fn a_chain_is_counted_once_until_nobody_holds_it() {
        let (one, other) = (chain(1, 5096), chain(2, 6096));
        let mut ledger = Ledger::default();
        ledger.add(&one);
        ledger.add(&one);
        assert_eq!(ledger.len(), 1500);
        ledger.add(&other);
        assert_eq!(ledger.len(), 4500);
        ledger.remove(&one);
        assert_eq!(ledger.len(), 4500);
        ledger.remove(&one);
        ledger.remove(&one);
        assert_eq!(ledger.len(), 3000);
    }

    #[test]
    fn usual_chains_cost_nothing() {
        let mut ledger = Ledger::default();
        ledger.add(&chain(1, USUAL_LEN));
        assert_eq!((ledger.len(), ledger.held.len()), (0, 0));
        assert!(ledger.add_within(&chain(1, USUAL_LEN), 0));
    }

    #[test]
    fn what_is_held_already_fits_and_what_exceeds_the_bound_does_not() {
        let mut ledger = Ledger::default();
        assert!(ledger.add_within(&chain(1, 5096), 2000));
        assert!(!ledger.add_within(&chain(2, 5096), 2000));
        assert!(ledger.add_within(&chain(1, 5096), 2000));
        assert_eq!(ledger.len(), 1500);
    }
}
