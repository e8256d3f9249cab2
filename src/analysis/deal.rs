//! Which of the shards a connection belongs to.

use crate::flow::FlowKey;

/// How many shards there are, whatever the number of threads.
pub(super) const SHARDS: usize = 64;

/// The shard of a key: fixed, and the same for both directions.
#[inline]
pub(super) fn shard_of(key: &FlowKey) -> usize {
    let mixed = key.words().into_iter().fold(0_u64, |mix, word| {
        (mix ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(31)
    });
    // The top six bits: one of 64.
    usize::try_from(mixed.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 58).unwrap_or(0)
}
