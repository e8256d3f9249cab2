//! A hash for tables whose keys strangers choose: fast, and keyed, so that keys which collide
//! cannot be crafted without knowing the seed.
//!
//! It folds the two halves of a 128-bit product, a word of each factor being secret. It is for
//! finding things in memory and for nothing else: no output, order or file ever shows it.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

/// The secret words of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyed {
    first: u64,
    second: u64,
    third: u64,
    fourth: u64,
}

/// A hash of five words for the one place where each packet makes one: a sum of products that do not wait for
/// each other, each half of a word with a secret factor, and one fold over it.
///
/// Two keys have the same sum for one choice of the factors in 2^33 or less (multilinear hashing: Lemire and
/// Kaser, "Strongly universal string hashing is fast", 2014). Of a word that is known to be half empty, half
/// of the work is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summing {
    factors: [[u64; 2]; 5],
    last: [u64; 2],
}

impl Summing {
    /// The factors that follow from `seed`: others than the words of a [`Keyed`].
    pub(crate) fn new(seed: u64) -> Self {
        let mut number = 4;
        let mut next = || {
            number += 1;
            secret(seed, number)
        };
        Self {
            factors: std::array::from_fn(|_| [next(), next()]),
            last: [next(), next()],
        }
    }

    /// The hash of five words.
    #[inline(always)]
    pub(crate) fn words(&self, words: [u64; 5]) -> u64 {
        let halves = words.map(|word| [word & HALF, word >> 32]);
        let pairs = halves
            .as_flattened()
            .iter()
            .zip(self.factors.as_flattened());
        let sum = pairs.fold(0_u64, |sum, (half, factor)| {
            sum.wrapping_add(half.wrapping_mul(*factor))
        });
        // Squared, nearly: of a sum alone what is regular in the words would show.
        let [a, b] = self.last;
        fold(sum ^ a, sum ^ b)
    }
}

/// The word of a number that follows from `seed`.
fn secret(seed: u64, number: u64) -> u64 {
    // SplitMix64: one word after the other, each a bijection of a counter.
    let mut z = seed.wrapping_add(STEP.wrapping_mul(number));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

impl Keyed {
    /// The words that follow from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let word = |number| secret(seed, number);
        Self {
            first: word(1),
            second: word(2),
            third: word(3),
            fourth: word(4),
        }
    }

    /// The hash of five words.
    pub(crate) fn words(&self, [a, b, c, d, e]: [u64; 5]) -> u64 {
        let one = fold(a ^ self.first, b ^ self.second);
        let other = fold(c ^ self.second, d ^ self.third);
        fold(one ^ self.third, other ^ e ^ self.first)
    }

    /// The hash of some bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }
}

impl BuildHasher for Keyed {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding {
            keys: *self,
            // A word of its own: laid over one of the others it must not give what is known.
            state: self.fourth,
        }
    }
}

/// A hash in the making.
#[derive(Clone, Debug)]
pub(crate) struct Folding {
    keys: Keyed,
    state: u64,
}

impl Folding {
    fn take(&mut self, a: u64, b: u64) {
        self.state = fold(a ^ self.state, b ^ self.keys.second);
    }
}

impl Folding {
    /// Takes pieces of 64 bytes, and gives back the rest: four products that do not wait for each other.
    fn take_side_by_side<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Keyed {
            first,
            second,
            third,
            ..
        } = self.keys;
        let mut states = [first, second, third, STEP].map(|word| word ^ self.state);
        let (pieces, rest) = bytes.as_chunks::<64>();
        for piece in pieces {
            let (parts, _) = piece.as_chunks::<16>();
            for (state, part) in states.iter_mut().zip(parts) {
                let both = u128::from_le_bytes(*part);
                *state = fold(low(both) ^ *state, low(both >> 64) ^ second);
            }
        }
        let [a, b, c, d] = states;
        self.take(a, b ^ first);
        self.take(c, d ^ third);
        rest
    }
}

/// The words of an address; one of IPv4 as mapped into IPv6 (RFC 4291, section 2.5.5.2).
#[inline]
pub(crate) fn address_words(ip: IpAddr) -> [u64; 2] {
    let bits = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    [low(bits >> 64), low(bits)]
}

/// For tables whose keys are keyed hashes themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsItIs(u64);

impl BuildHasher for AsItIs {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        // Nothing but words is meant to come; were it something else, it would only collide.
        self.0 ^= bytes
            .iter()
            .fold(0, |all, byte| all << 8 ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let bytes = if bytes.len() < LONG {
            bytes
        } else {
            self.take_side_by_side(bytes)
        };
        let (pieces, rest) = bytes.as_chunks::<16>();
        for piece in pieces {
            let both = u128::from_le_bytes(*piece);
            self.take(low(both), low(both >> 64));
        }
        let mut last = [0; 16];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        // Zeros at the end count. At most 15 bytes are left, so the last place is free for how many:
        // no other bytes give the same words, whatever they are.
        let [.., len] = &mut last;
        *len = u8::try_from(rest.len()).unwrap_or(u8::MAX);
        let both = u128::from_le_bytes(last);
        self.take(low(both), low(both >> 64));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.take(number, 0);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(u64::try_from(number).unwrap_or(u64::MAX));
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(i64::try_from(number).unwrap_or(i64::MAX).cast_unsigned());
    }

    fn finish(&self) -> u64 {
        fold(self.state ^ self.keys.first, self.keys.second)
    }
}

/// The two halves of a 128-bit product, laid over each other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low(product) ^ low(product >> 64)
}

fn low(both: u128) -> u64 {
    u64::try_from(both & u128::from(u64::MAX)).unwrap_or_default()
}

/// From so many bytes on they are taken side by side.
const LONG: usize = 128;
/// The golden ratio in 64 bits, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const HALF: u64 = 0xffff_ffff;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::flow::FlowKey;

    #[test]
    fn every_byte_and_every_length_counts() {
        let keyed = Keyed::new(7);
        let mut seen = HashSet::new();
        for len in (0..70).chain(120..200) {
            let mut bytes = vec![0; len];
            assert!(seen.insert(keyed.bytes(&bytes)), "{len}");
            for at in 0..len {
                for bit in 0..8 {
                    bytes[at] ^= 1 << bit;
                    assert!(seen.insert(keyed.bytes(&bytes)), "{len} {at} {bit}");
                    bytes[at] ^= 1 << bit;
                }
            }
        }
    }

    #[test]
    fn every_bit_of_every_word_counts() {
        let (keyed, summing) = (Keyed::new(7), Summing::new(7));
        let mut seen = HashSet::new();
        for at in 0..5 {
            for bit in 0..64 {
                let mut words = [0; 5];
                words[at] = 1 << bit;
                assert!(seen.insert(keyed.words(words)), "{at} {bit}");
                assert!(seen.insert(summing.words(words)), "{at} {bit}, summed");
            }
        }
    }

    /// Counts the different hashes of keys, under several seeds.
    fn assert_apart(keys: &[Vec<u8>]) {
        for seed in [0, 1, 7, u64::MAX] {
            let keyed = Keyed::new(seed);
            let seen: HashSet<u64> = keys.iter().map(|key| keyed.bytes(key)).collect();
            assert_eq!(seen.len(), keys.len(), "seed {seed}");
        }
    }

    #[test]
    fn no_factor_of_long_bytes_can_be_made_zero_without_the_seed() {
        // Were a lane to start from what is known, such as a multiple of the length, the first word could
        // make its factor zero, and the second would count for nothing: as many collisions as one likes.
        let len = 1_000_usize;
        for known in [0, STEP, STEP.wrapping_mul(1_000), u64::MAX] {
            for lane in (0..64).step_by(16) {
                let keys: Vec<Vec<u8>> = (0..10_000_u64)
                    .map(|number| {
                        let mut key = vec![0; len];
                        key[lane..lane + 8].copy_from_slice(&known.to_le_bytes());
                        key[lane + 8..lane + 16].copy_from_slice(&number.to_le_bytes());
                        key
                    })
                    .collect();
                assert_apart(&keys);
            }
        }
    }

    #[test]
    fn the_length_cannot_be_taken_out_again_by_the_first_bytes() {
        for blocks in 0..4 {
            let keys: Vec<Vec<u8>> = (8..16)
                .map(|rest| {
                    let len = blocks * 16 + rest;
                    let mut key = vec![0; len];
                    key[..8].copy_from_slice(
                        &STEP.wrapping_mul(u64::try_from(len).unwrap()).to_le_bytes(),
                    );
                    key
                })
                .collect();
            assert_apart(&keys);
        }
    }

    #[test]
    fn addresses_chosen_for_their_structure_do_not_collide_under_any_seed() {
        // Words of a key that are equal, swapped, complements, or cancel each other when laid over.
        let parts = [0, 1, 443, 1 << 63, STEP, !STEP, 0x0a00_0001, u64::MAX];
        let mut keys = Vec::new();
        for n in 0..parts.len().pow(5) {
            let part = |place: u32| parts[n / parts.len().pow(place) % parts.len()];
            keys.push([part(0), part(1), part(2), part(3), part(4)]);
        }
        for seed in [0, 1, 7, u64::MAX] {
            let (keyed, summing) = (Keyed::new(seed), Summing::new(seed));
            let hashes: [&dyn Fn(_) -> _; 2] = [&|key| keyed.words(key), &|key| summing.words(key)];
            for hash in hashes {
                let seen: HashSet<u64> = keys.iter().map(|key| hash(*key)).collect();
                assert_eq!(seen.len(), keys.len(), "seed {seed}");
            }
        }
    }

    #[test]
    fn another_seed_gives_another_hash() {
        let hash = |seed| Keyed::new(seed).bytes(b"api.example.com");
        assert_ne!(hash(1), hash(2));
        assert_eq!(hash(1), hash(1));
    }

    /// Whoever crafts addresses does not know the seed, but may know the function: what is regular in keys must not show.
    #[test]
    fn regular_addresses_and_ports_are_spread_like_random_ones() {
        const KEYS: u32 = 1 << 15;
        type Ends = ([u8; 4], u16, [u8; 4], u16);
        let families: [fn(u32) -> Ends; 7] = [
            // A scan of addresses, of ports, of both; from both ends; in steps; in bits that lie apart; in one word against the other.
            |n| (n.to_be_bytes(), 1, [10, 0, 0, 1], 443),
            |n| ([10, 0, 0, 2], low_half(n), [10, 0, 0, 1], 443),
            |n| (n.to_be_bytes(), low_half(n), [10, 0, 0, 1], 443),
            |n| (n.to_be_bytes(), 1, (n ^ 0xffff_ffff).to_be_bytes(), 443),
            |n| ((n << 16).to_be_bytes(), 1, [10, 0, 0, 1], 443),
            |n| {
                (
                    ((n & 0x7f) << 24 | n >> 7).to_be_bytes(),
                    1,
                    [10, 0, 0, 1],
                    443,
                )
            },
            |n| {
                (
                    (n >> 8).to_be_bytes(),
                    low_half(n & 0xff),
                    (n >> 8).to_be_bytes(),
                    0x100 ^ low_half(n & 0xff),
                )
            },
        ];
        for seed in 0..8 {
            let (keyed, summing) = (Keyed::new(seed), Summing::new(seed));
            let hashes: [&dyn Fn(_) -> _; 2] = [&|key| keyed.words(key), &|key| summing.words(key)];
            for (number, family) in families.iter().enumerate() {
                for hash in hashes {
                    let places: HashSet<u64> = (0..KEYS)
                        .map(|n| {
                            let (from, from_port, to, to_port) = family(n);
                            let key = FlowKey::v4(from, from_port, to, to_port).0;
                            // The bits that a table of twice as many places goes by.
                            hash(key.words()) >> 32 & 0xffff
                        })
                        .collect();
                    // Of 65,536 places, so many random keys fill 25,787; 110 is one standard deviation at most.
                    assert!(
                        places.len() > 25_000,
                        "{} places, family {number}, seed {seed}",
                        places.len()
                    );
                }
            }
        }
    }

    fn low_half(n: u32) -> u16 {
        u16::try_from(n & 0xffff).unwrap()
    }
}
