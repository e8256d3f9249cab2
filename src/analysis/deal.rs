//! Which of the shards a connection belongs to.

use crate::flow::FlowKey;

/// How many shards there are, whatever the number of threads.
pub(super) const SHARDS: usize = 64;

/// The shard of a key: fixed, and the same for both directions.
#[inline]
pub(super) fn shard_of(key: &FlowKey) -> usize {
    // Products that do not wait for each other. The top bits of their sum hang on all bits of all words.
    let [a, b, c, d, e] = key.words();
    let mixed = a
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(b.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_add(c.wrapping_mul(0x94d0_49bb_1331_11eb))
        .wrapping_add(d.wrapping_mul(0xff51_afd7_ed55_8ccd))
        .wrapping_add(e.wrapping_mul(0xc4ce_b9fe_1a85_ec53));
    // Six of them: one of 64.
    usize::try_from(mixed >> 58).unwrap_or(0)
}
