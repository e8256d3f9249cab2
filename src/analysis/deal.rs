//! Which of the shards a connection belongs to, and which shards go together.

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

/// Shards whose numbers follow each other go through a round together, on one thread.
///
/// What is for them stands in one list: in many lists, each with little in it, each cache line is fetched by itself from the thread
/// that had it last, and with only one list for each thread nobody could help the one that is late. No answer depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bunches {
    /// Two to this power are in each.
    shift: u32,
}

impl Bunches {
    /// For so many threads.
    pub(super) fn for_threads(threads: usize) -> Self {
        let wanted = threads.saturating_mul(BUNCHES_A_THREAD).clamp(1, SHARDS);
        Self {
            shift: SHARDS.ilog2() - wanted.next_power_of_two().ilog2(),
        }
    }

    /// How many there are.
    pub(super) const fn count(self) -> usize {
        SHARDS >> self.shift
    }

    /// How many shards are in each.
    pub(super) const fn len(self) -> usize {
        1 << self.shift
    }

    /// The one that a shard is in.
    #[inline(always)]
    pub(super) const fn of(self, shard: usize) -> usize {
        shard >> self.shift
    }
}

/// Bunches for each thread, as far as there are shards: with half and with twice as many, two threads took longer on small packets.
const BUNCHES_A_THREAD: usize = 8;
const _: () = assert!(SHARDS.is_power_of_two());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shard_is_in_one_bunch_beside_its_neighbours() {
        for threads in [1, 2, 3, 8, 9, 64, usize::MAX] {
            let bunches = Bunches::for_threads(threads);
            assert_eq!(bunches.count() * bunches.len(), SHARDS);
            let wanted = threads.saturating_mul(BUNCHES_A_THREAD);
            assert!(bunches.count() >= SHARDS.min(wanted), "{threads} threads");
            assert!(bunches.count() / 2 < wanted, "{threads} threads");
            for shard in 0..SHARDS {
                assert_eq!(bunches.of(shard), shard / bunches.len());
            }
        }
    }

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
