//! The flow table: find a flow by its key, age what is idle, make room when full.
//!
//! It knows nothing of what a flow holds. Ageing is a sweep and not a sorted list: after some
//! look-ups the caller has as many slots glanced at, so the whole table is seen once in as many packets as it
//! has slots, at a constant cost, and a flow itself is touched only when something may be due. What
//! is evicted depends on the packets alone, never on the seed of the hash: slots are filled and
//! swept in an order of their own.

use std::fmt;
use std::net::IpAddr;

use crate::flow::FlowKey;
use crate::hash::{Keyed, Summing, address_words};
use crate::reassembly::dues::{Due, Dues, NEVER};
use crate::reassembly::index::{Guess, Index, Tag};
use crate::time::Timestamp;

/// Flows by key, at most a given number of them.
#[derive(Debug)]
pub struct FlowTable<T, K = FlowKey>
where
    K: Key,
{
    index: Index,
    slots: Vec<Option<Slot<T, K>>>,
    dues: Dues,
    free: Vec<u32>,
    capacity: usize,
    tagger: Tagger,
}

/// Makes of keys what they are sought by: the same in all tables of one seed.
#[derive(Clone, Copy, Debug)]
pub struct Tagger {
    summing: Summing,
    keyed: Keyed,
}

impl Tagger {
    /// That of all tables of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            summing: Summing::new(seed),
            keyed: Keyed::new(seed),
        }
    }

    /// What a key is sought by.
    #[inline(always)]
    #[must_use]
    pub fn tag(&self, key: &FlowKey) -> Tag {
        Tag::of(self.summing.words(key.words()))
    }

    /// An address by 64 bits of a keyed hash; one of IPv4 as mapped into IPv6.
    #[inline]
    #[must_use]
    pub fn address(&self, ip: IpAddr) -> u64 {
        let [upper, lower] = address_words(ip);
        self.keyed.words([upper, lower, 0, 0, 0])
    }

    /// A key in short, of which `tag` is what it is sought by.
    #[must_use]
    pub fn fingerprint(&self, key: &FlowKey, tag: Tag) -> Fingerprint {
        Fingerprint(tag, Tag::of(self.keyed.words(key.words())))
    }
}

/// What the flows of a table are told apart by.
pub trait Key: Copy + Eq {
    /// What a place in the table is aligned as.
    type Alignment: fmt::Debug + Send;

    /// What it is sought by.
    fn tag(&self, tagger: &Tagger) -> Tag;
}

impl Key for FlowKey {
    type Alignment = CacheLine;

    #[inline]
    fn tag(&self, tagger: &Tagger) -> Tag {
        tagger.tag(self)
    }
}

/// Nothing, at the beginning of a cache line.
#[derive(Debug)]
#[repr(align(64))]
pub struct CacheLine;

/// A flow's key by 64 bits of keyed hashes of it, for what is only looked up: of a million, two have the
/// same in one of thirty million runs, and nobody can choose them who does not know the seed. In front
/// is what it is sought by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(Tag, Tag);

impl Key for Fingerprint {
    type Alignment = ();

    #[inline]
    fn tag(&self, _: &Tagger) -> Tag {
        self.0
    }
}

/// A flow that was found.
#[derive(Debug)]
pub struct Found<'a, T> {
    /// The flow.
    pub flow: &'a mut T,
    /// When it was seen before this.
    pub previous: Timestamp,
    at: usize,
    dues: &'a mut Dues,
}

impl<T> Found<'_, T> {
    /// Something may be due after `time`, earlier than was said when the flow was last looked at.
    pub fn is_due_after(&mut self, time: Timestamp) {
        self.dues.advance(self.at, time);
    }
}

/// What becomes of a flow that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is over.
    Over,
    /// It is over, and nobody wants to have it.
    Forgotten,
    /// It stays, and nothing is due up to this time: packets that come before can only put it
    /// off, unless the table is told otherwise.
    QuietUntil(Timestamp),
}

/// Laid out as written, with a whole key from the beginning of a cache line: what a look-up compares
/// and what a flow has in front come together.
#[derive(Debug)]
#[repr(C)]
struct Slot<T, K: Key> {
    aligned_as: [K::Alignment; 0],
    key: K,
    last: Timestamp,
    flow: T,
}

impl<T, K: Key> FlowTable<T, K> {
    /// Bytes of the place of a flow, with its key and the time of its last packet.
    pub const PLACE_LEN: usize = size_of::<Option<Slot<T, K>>>();

    /// An empty table of at most `capacity` flows (at least one). `seed` makes crafted collisions
    /// useless; it never shows in what the table answers.
    #[must_use]
    pub fn new(capacity: usize, seed: u64) -> Self {
        Self {
            index: Index::default(),
            slots: Vec::new(),
            dues: Dues::default(),
            free: Vec::new(),
            capacity: capacity.clamp(1, MAX_CAPACITY),
            tagger: Tagger::new(seed),
        }
    }

    /// How many flows it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one more flow needs an eviction first.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    /// What makes of keys what they are sought by.
    #[inline]
    #[must_use]
    pub fn tagger(&self) -> &Tagger {
        &self.tagger
    }

    /// What a key is sought by.
    #[inline]
    #[must_use]
    pub fn tag(&self, key: &K) -> Tag {
        key.tag(&self.tagger)
    }

    /// The slot of a flow that stands under `tag`: most likely the one that is meant.
    ///
    /// Guesses one after the other wait for memory together, and look-ups one by one.
    #[inline(always)]
    #[must_use]
    pub fn guess(&self, tag: Tag) -> Guess {
        self.index.guess(tag)
    }

    /// The flow in the slot that was guessed.
    #[inline]
    #[must_use]
    pub fn peek(&self, guess: Guess) -> Option<&T> {
        let slot = self.slots.get(guess.place())?.as_ref()?;
        Some(&slot.flow)
    }

    /// Reads where a flow under `tag` would be noted, for the sake of the cache alone.
    #[inline(always)]
    #[must_use]
    pub fn touch_index(&self, tag: Tag) -> u64 {
        self.index.touch(tag)
    }

    /// Reads what it takes to look for a flow under `tag`, for the sake of the cache alone.
    #[inline]
    #[must_use]
    pub fn touch(&self, tag: Tag) -> u64 {
        let slot = self.slots.get(self.guess(tag).place());
        let last = slot.and_then(Option::as_ref).map(|slot| slot.last);
        last.map_or(0, |last| last.as_nanos().cast_unsigned())
    }

    /// What the flow is sought by that [`FlowTable::evict_first_due`] most likely takes out after `others`: for the sake of the cache alone.
    #[inline]
    #[must_use]
    pub fn first_due(&self, others: usize) -> Option<Tag> {
        let first = self.dues.first(others * EVICTION_CHOICE, EVICTION_CHOICE)?;
        let slot = self.slots.get(first)?.as_ref()?;
        Some(self.tag(&slot.key))
    }

    /// The flow of `key`, seen at `now`.
    #[inline]
    pub fn find(&mut self, key: &K, tag: Tag, now: Timestamp) -> Option<Found<'_, T>> {
        let at = self.at(key, tag)?;
        self.found(at, now)
    }

    /// The flow of `key`, seen at `now`, where it stands in the slot that was guessed for it; `None`
    /// where it does not.
    #[inline(always)]
    pub fn find_at(&mut self, guess: Guess, key: &K, now: Timestamp) -> Option<&mut T> {
        let slot = self.slots.get_mut(guess.place())?.as_mut()?;
        if slot.key != *key {
            return None;
        }
        slot.last = slot.last.max(now);
        Some(&mut slot.flow)
    }

    #[inline]
    fn found(&mut self, at: u32, now: Timestamp) -> Option<Found<'_, T>> {
        let slot = self.slots.get_mut(index(at))?.as_mut()?;
        let previous = slot.last;
        slot.last = previous.max(now);
        Some(Found {
            flow: &mut slot.flow,
            previous,
            at: index(at),
            dues: &mut self.dues,
        })
    }

    /// Puts a flow in, with which nothing is due up to `quiet_until`. The caller has looked for
    /// `key` and, where the table is full, evicted.
    pub fn insert(&mut self, key: K, tag: Tag, now: Timestamp, quiet_until: Timestamp, flow: T) {
        let slot = Some(Slot {
            aligned_as: [],
            key,
            last: now,
            flow,
        });
        let at = if let Some(at) = self.free.pop() {
            if let Some(place) = self.slots.get_mut(index(at)) {
                *place = slot;
            }
            at
        } else {
            let at = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            if self.slots.len() == self.slots.capacity() {
                self.grow();
            }
            self.slots.push(slot);
            at
        };
        self.index.insert(tag, at);
        self.dues.fill(index(at), quiet_until);
    }

    /// Makes room for more slots: for twice as many while they are few, and then for thousands at once. Slots that are
    /// moved leave a hole, and those that were never filled take no memory.
    #[cold]
    fn grow(&mut self) {
        let len = self.slots.len();
        let room = if len < FEW {
            len * 2
        } else {
            MANY.max(len * 2)
        };
        let room = room.clamp(LEAST, self.capacity.max(LEAST));
        self.slots.reserve_exact(room.saturating_sub(len));
    }

    /// Takes the flow of `key` out.
    pub fn remove(&mut self, key: &K, tag: Tag) -> Option<T> {
        let at = self.at(key, tag)?;
        self.index.remove(tag, at);
        self.empty(at).map(|slot| slot.flow)
    }

    /// How many of `count` slots a sweep comes by at most: none where nothing is due in any slot.
    #[inline]
    #[must_use]
    pub fn at_most_due(&self, now: Timestamp, count: usize) -> usize {
        if self.dues.are_any(now) {
            count.min(self.slots.len())
        } else {
            0
        }
    }

    /// Comes by the next of `count` slots, and takes from it how many these were. Each slot it gives, in which something may be due, has to
    /// be looked at.
    #[inline]
    pub fn due(&mut self, now: Timestamp, count: &mut usize) -> Due {
        self.dues.pass(now, count)
    }

    /// Reads what `touch` does of the flows in some slots, so that their memory comes at once.
    #[inline]
    #[must_use]
    pub fn touch_due(&self, due: &Due, touch: impl Fn(&K, &T) -> u64) -> u64 {
        let slots = due
            .slots()
            .filter_map(|at| self.slots.get(index(at))?.as_ref());
        slots.fold(0, |read, slot| {
            read ^ slot.last.as_nanos().cast_unsigned() ^ touch(&slot.key, &slot.flow)
        })
    }

    /// Comes to a slot. Where something may be due, `look` is given the flow, its key and
    /// the time of its last packet, and may change the flow; one that is over is taken out.
    #[inline]
    pub fn look_at(
        &mut self,
        at: u32,
        now: Timestamp,
        look: impl FnOnce(&mut T, &K, Timestamp) -> Look,
    ) -> Option<(K, T)> {
        let at = index(at);
        if now <= self.dues.at(at)? {
            return None;
        }
        let slot = self.slots.get_mut(at)?.as_mut()?;
        match look(&mut slot.flow, &slot.key, slot.last) {
            Look::Over => self.take(at),
            Look::Forgotten => {
                self.forget(at);
                None
            }
            Look::QuietUntil(time) => {
                self.dues.put_off(at, time);
                None
            }
        }
    }

    /// Makes room: of the next few flows in the sweep, takes out the one that
    /// has been silent for longest.
    pub fn evict(&mut self) -> Option<(K, T)> {
        let mut oldest: Option<(usize, Timestamp)> = None;
        let mut seen = 0;
        for _ in 0..self.slots.len() {
            let (at, _) = self.dues.next()?;
            self.dues.pass_one();
            let Some(slot) = self.slots.get(at).and_then(Option::as_ref) else {
                continue;
            };
            if oldest.is_none_or(|(_, last)| slot.last < last) {
                oldest = Some((at, slot.last));
            }
            seen += 1;
            if seen == EVICTION_CHOICE {
                break;
            }
        }
        self.take(oldest?.0)
    }

    /// Makes room: of the next few slots in the sweep, takes out the flow in which something is due first. Others are hardly ever touched for it.
    pub fn evict_first_due(&mut self) -> Option<(K, T)> {
        let mut first: Option<(usize, Timestamp)> = None;
        let mut seen = 0;
        for _ in 0..self.slots.len() {
            let (at, due) = self.dues.next()?;
            self.dues.pass_one();
            // So it stands where no flow is, and where nothing is due before the end of time.
            if due == NEVER && self.slots.get(at)?.is_none() {
                continue;
            }
            if first.is_none_or(|(_, first)| due < first) {
                first = Some((at, due));
            }
            seen += 1;
            if seen == EVICTION_CHOICE {
                break;
            }
        }
        self.take(first?.0)
    }

    /// Takes all flows out, in the order of the slots.
    pub fn drain(&mut self) -> impl Iterator<Item = (K, T)> + use<T, K> {
        self.index.clear();
        self.free.clear();
        self.dues = Dues::default();
        std::mem::take(&mut self.slots)
            .into_iter()
            .flatten()
            .map(|slot| (slot.key, slot.flow))
    }

    #[inline]
    fn at(&self, key: &K, tag: Tag) -> Option<u32> {
        self.index.find(tag, |at| self.holds(at, key))
    }

    /// Whether the flow of `key` stands in a slot.
    #[inline]
    fn holds(&self, at: u32, key: &K) -> bool {
        let slot = self.slots.get(index(at)).and_then(Option::as_ref);
        slot.is_some_and(|slot| slot.key == *key)
    }

    fn take(&mut self, at: usize) -> Option<(K, T)> {
        let tag = self.tag(&self.slots.get(at)?.as_ref()?.key);
        let at = u32::try_from(at).ok()?;
        self.index.remove(tag, at);
        self.empty(at).map(|slot| (slot.key, slot.flow))
    }

    /// Empties a slot where the flow stands that was in it.
    fn forget(&mut self, at: usize) {
        let Some(place) = self.slots.get_mut(at) else {
            return;
        };
        let (Some(slot), Ok(at)) = (&place, u32::try_from(at)) else {
            return;
        };
        let tag = slot.key.tag(&self.tagger);
        *place = None;
        self.index.remove(tag, at);
        self.dues.free(index(at));
        self.free.push(at);
    }

    fn empty(&mut self, at: u32) -> Option<Slot<T, K>> {
        let slot = self.slots.get_mut(index(at))?.take();
        self.dues.free(index(at));
        self.free.push(at);
        slot
    }
}

fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Slots are numbered in 32 bits.
const MAX_CAPACITY: usize = 1 << 31;

/// Slots that a table makes room for: at first, while they are few, and from then on.
const LEAST: usize = 4;
const FEW: usize = 256;
const MANY: usize = 8 * 1024;

/// How many flows an eviction chooses among.
const EVICTION_CHOICE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u16) -> FlowKey {
        FlowKey::v4([10, 0, 0, 1], n, [10, 0, 0, 2], 443).0
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::from_parts(n, 0)
    }

    impl<T> FlowTable<T> {
        fn put(&mut self, n: u16, now: Timestamp, flow: T) {
            self.insert(key(n), self.tag(&key(n)), now, now, flow);
        }

        fn get(&mut self, n: u16, now: Timestamp) -> Option<Found<'_, T>> {
            self.find(&key(n), self.tag(&key(n)), now)
        }

        /// Sweeps so many slots. What was taken out.
        fn sweep(
            &mut self,
            now: Timestamp,
            mut count: usize,
            mut look: impl FnMut(&mut T, Timestamp) -> Look,
        ) -> Vec<T> {
            let mut taken = Vec::new();
            count = self.at_most_due(now, count);
            while count > 0 {
                for at in self.due(now, &mut count).slots() {
                    let over = self.look_at(at, now, |flow, _, last| look(flow, last));
                    taken.extend(over.map(|(_, flow)| flow));
                }
            }
            taken
        }
    }

    #[test]
    fn what_was_put_in_is_found_again_until_it_is_taken_out() {
        let mut table = FlowTable::new(10_000, 7);
        for n in 0..5_000 {
            table.put(n, second(0), n);
        }
        for n in (0..5_000).step_by(2) {
            assert_eq!(table.remove(&key(n), table.tag(&key(n))), Some(n));
        }
        for n in 0..5_000 {
            let found = table.get(n, second(1)).map(|found| *found.flow);
            assert_eq!(found, (n % 2 == 1).then_some(n));
            let guessed = table.guess(table.tag(&key(n)));
            assert_eq!(table.peek(guessed).copied(), found);
        }
        assert_eq!(table.len(), 2_500);
    }

    #[test]
    fn a_sweep_comes_by_every_flow() {
        let mut table = FlowTable::new(100, 7);
        for n in 0..50 {
            table.put(n, second(i64::from(n)), n);
        }
        // More of them than are looked at together; those at the end and then those in front.
        table.sweep(second(100), 20, |_, _| Look::QuietUntil(second(99)));
        let mut order = Vec::new();
        let swept = table.sweep(second(100), 70, |n, last| {
            order.push(*n);
            if last < second(10) {
                Look::Over
            } else {
                Look::QuietUntil(second(200))
            }
        });
        assert_eq!(order, (20..50).chain(0..20).collect::<Vec<_>>());
        assert_eq!(swept, (0..10).collect::<Vec<_>>());
        assert_eq!(table.len(), 40);
        // Nothing is due any more, and then that is known.
        let none = table.sweep(second(100), 70, |_, _| panic!("nothing is due"));
        assert!(none.is_empty());
        assert_eq!(table.at_most_due(second(100), 70), 0);
        assert_eq!(table.at_most_due(second(201), 70), 50);
    }

    #[test]
    fn what_is_forgotten_leaves_its_place_to_another() {
        let mut table = FlowTable::new(100, 7);
        for n in 0..10 {
            table.put(n, second(0), n);
        }
        let taken = table.sweep(second(1), 10, |n, _| {
            if *n % 2 == 0 {
                Look::Forgotten
            } else {
                Look::QuietUntil(second(9))
            }
        });
        assert!(taken.is_empty());
        assert_eq!(table.len(), 5);
        for n in 0..10 {
            assert_eq!(table.get(n, second(1)).is_some(), n % 2 == 1);
        }
        // Nothing is due in their places, and others come to stand there.
        table.sweep(second(5), 10, |_, _| panic!("nothing is due"));
        for n in 10..15 {
            table.put(n, second(1), n);
        }
        assert_eq!((table.len(), table.slots.len()), (10, 10));
    }

    #[test]
    fn a_table_makes_room_for_no_more_than_it_may_hold() {
        for (capacity, steps) in [(1, 1), (100, 6), (600, 8), (20_000, 10)] {
            let mut table = FlowTable::new(capacity, 7);
            let mut rooms = vec![0];
            for n in 0..u16::try_from(capacity).unwrap() {
                table.put(n, second(0), n);
                rooms.push(table.slots.capacity());
            }
            rooms.dedup();
            assert_eq!(rooms.last(), Some(&capacity.max(LEAST)));
            // Few moves: each leaves a hole.
            assert_eq!(rooms.len() - 1, steps, "{rooms:?}");
        }
    }

    #[test]
    fn a_flow_is_looked_at_when_something_may_be_due_and_not_before() {
        let mut table = FlowTable::new(100, 7);
        table.put(1, second(0), ());
        let mut looked = Vec::new();
        for now in 0..40 {
            if now == 20 {
                table.get(1, second(now)).unwrap();
            } else if now == 25 {
                let mut found = table.get(1, second(now)).unwrap();
                found.is_due_after(second(26));
            }
            table.sweep(second(now), 1, |(), last| {
                looked.push((now, last));
                Look::QuietUntil(last.saturating_add_nanos(10_000_000_000))
            });
        }
        let looks = [(1, 0), (11, 0), (12, 0), (13, 0), (14, 0), (15, 0), (16, 0)];
        assert_eq!(looked[..7], looks.map(|(at, last)| (at, second(last))));
        // Put off by its packet, and looked at again for what came up.
        let later: Vec<i64> = looked
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| *at > 20)
            .collect();
        assert_eq!(later, [27, 36, 37, 38, 39]);
    }

    #[test]
    fn the_flow_that_is_due_first_makes_room() {
        let mut table = FlowTable::new(4, 0);
        for n in 0..4 {
            let due = second([30, 20, 40, 10][usize::from(n)]);
            table.insert(key(n), table.tag(&key(n)), second(0), due, n);
        }
        let evicted: Vec<_> = (0..5)
            .map(|_| table.evict_first_due().map(|(_, n)| n))
            .collect();
        assert_eq!(evicted, [Some(3), Some(1), Some(0), Some(2), None]);
    }

    #[test]
    fn it_is_foreseen_which_flows_make_room() {
        let mut table = FlowTable::new(64, 7);
        for n in 0..64_u16 {
            let due = second(i64::from(n.wrapping_mul(31) % 64));
            table.insert(key(n), table.tag(&key(n)), second(0), due, n);
        }
        let foreseen: Vec<_> = (0..8).map(|others| table.first_due(others)).collect();
        let evicted: Vec<_> = (0..8)
            .map(|_| table.evict_first_due().map(|(key, _)| table.tag(&key)))
            .collect();
        assert_eq!(foreseen, evicted);
        assert_eq!(table.first_due(8), None);
    }

    #[test]
    fn at_the_end_of_time_room_is_made_among_a_few_flows() {
        let end = Timestamp::from_nanos(i64::MAX);
        let mut table = FlowTable::new(100, 0);
        for n in 0..100 {
            table.insert(key(n), table.tag(&key(n)), end, end, n);
        }
        for n in 0..10 {
            assert_eq!(table.evict_first_due().map(|(_, n)| n), Some(n * 8));
            table.insert(key(200 + n), table.tag(&key(200 + n)), end, end, 200 + n);
        }
    }

    #[test]
    fn eviction_does_not_depend_on_the_seed() {
        let evicted = |seed| {
            let mut table = FlowTable::new(64, seed);
            let mut out = Vec::new();
            for n in 0..500_u16 {
                if table.is_full() {
                    out.extend(table.evict().map(|(_, n)| n));
                }
                table.put(n, second(i64::from(n / 3)), n);
            }
            out
        };
        assert_eq!(evicted(1), evicted(0xdead_beef));
        assert_eq!(evicted(1).len(), 500 - 64);
    }

    #[test]
    fn eviction_prefers_the_flow_that_was_silent_for_longest() {
        let mut table = FlowTable::new(4, 0);
        for n in 0..4 {
            table.put(n, second(100 - i64::from(n)), n);
        }
        assert_eq!(table.evict().map(|(_, n)| n), Some(3));
    }
}
