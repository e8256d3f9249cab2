//! Lists that are filled, read and filled again, one of a kind for each thread: memory that was not used for a while has to be waited
//! for, and what an allocator gives mostly was not.

use std::cell::Cell;

use crate::verdict::Act;

thread_local! {
    static BYTES: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static ACTS: Cell<Vec<Act>> = const { Cell::new(Vec::new()) };
}

/// Lends an empty list of bytes.
#[inline]
pub(super) fn bytes<R>(then: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    BYTES.with(|place| lend(place, then))
}

/// Lends an empty list of acts.
#[inline]
pub(super) fn acts<R>(then: impl FnOnce(&mut Vec<Act>) -> R) -> R {
    ACTS.with(|place| lend(place, then))
}

/// Who asks while it is lent gets another one.
#[inline]
fn lend<T, R>(place: &Cell<Vec<T>>, then: impl FnOnce(&mut Vec<T>) -> R) -> R {
    let mut list = place.take();
    list.clear();
    let made = then(&mut list);
    place.set(list);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_empty_also_within_itself() {
        for _ in 0..2 {
            let text = bytes(|outer| {
                outer.extend_from_slice(b"outer");
                let inner = bytes(|inner| {
                    inner.extend_from_slice(b"inner");
                    inner.clone()
                });
                [&outer[..], &inner[..]].concat()
            });
            assert_eq!(text, b"outerinner");
        }
    }
}
