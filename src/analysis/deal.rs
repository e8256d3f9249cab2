//! Which of the shards a connection belongs to.

use crate::flow::FlowKey;

/// How many shards there are, whatever the number of threads.
pub(super) const SHARDS: usize = 64;

/// The shard of a key: fixed, and the same for both directions.
#[inline]
pub(super) fn shard_of(key: &FlowKey) -> usize {
    // Products that do not wait for each other; and one more, or keys at some distance from each other would meet in few shards.
    let [a, b, c, d, e] = key.words();
    let mixed = a
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(b.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_add(c.wrapping_mul(0x94d0_49bb_1331_11eb))
        .wrapping_add(d.wrapping_mul(0xff51_afd7_ed55_8ccd))
        .wrapping_add(e.wrapping_mul(0xc4ce_b9fe_1a85_ec53));
    // The top six bits: one of 64.
    usize::try_from((mixed ^ mixed >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients, servers and ports at any step from each other, as a scan or a farm of hosts has them: no shard gets
    /// much more than its share.
    #[test]
    fn regular_connections_are_dealt_to_all_shards() {
        type Ends = ([u8; 4], u16, [u8; 4], u16);
        let families: [fn(u32) -> Ends; 5] = [
            |n| (n.to_be_bytes(), 40_000, [250, 0, 0, 1], 443),
            |n| ([1, 0, 0, 1], 40_000, (n | 1 << 31).to_be_bytes(), 443),
            |n| ([10, 0, 0, 1], low_half(n), [250, 0, 0, 1], 443),
            |n| ([10, 0, 0, 1], 443, [250, 0, 0, 1], low_half(n)),
            |n| (n.to_be_bytes(), low_half(n), [250, 0, 0, 1], 443),
        ];
        for (number, family) in families.iter().enumerate() {
            for step in (1..600).chain([1_000, 1_024, 4_096, 65_536, 65_537]) {
                let mut counts = [0; SHARDS];
                for n in 0..1_024 {
                    let (from, from_port, to, to_port) = family(n * step);
                    let (key, _) = FlowKey::v4(from, from_port, to, to_port);
                    counts[shard_of(&key)] += 1;
                }
                let most = counts.iter().max().copied().unwrap_or_default();
                // Ports come around: some steps make few keys of many numbers.
                let alike = if number == 2 || number == 3 {
                    step / 64 + 1
                } else {
                    1
                };
                // 16 are to be expected; of random keys hardly ever more than 40.
                assert!(most <= 60 * alike, "{most}, family {number}, step {step}");
            }
        }
    }

    fn low_half(n: u32) -> u16 {
        u16::try_from(n & 0xffff).unwrap_or_default()
    }
}
