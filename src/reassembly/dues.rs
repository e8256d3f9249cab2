//! When something is due in the slots of a table, and the sweep that comes by them in turn.
//!
//! The times lie close together, so that a slot itself is touched only when something may be due
//! in it. While it is known that nothing is due anywhere, the sweep stays where it is.

use crate::time::Timestamp;

/// For each slot, the time up to which nothing is due there.
#[derive(Debug)]
pub(super) struct Dues {
    quiet_until: Vec<Timestamp>,
    /// The slot that the sweep comes to next.
    cursor: usize,
    /// Nothing is due in any slot up to this time at least.
    all_quiet_until: Timestamp,
    /// The least time of the slots that the sweep has come by since it began from the front, and
    /// of what came in since.
    least_so_far: Timestamp,
}

impl Default for Dues {
    /// Of no slots.
    fn default() -> Self {
        Self {
            quiet_until: Vec::new(),
            cursor: 0,
            all_quiet_until: NEVER,
            least_so_far: NEVER,
        }
    }
}

impl Dues {
    /// The slot at `at`, which may be the one behind the last, is filled, and nothing is due there up to `time`.
    pub(super) fn fill(&mut self, at: usize, time: Timestamp) {
        if at == self.quiet_until.len() {
            self.quiet_until.push(NEVER);
        }
        self.advance(at, time);
    }

    /// The slot at `at` is empty from now on.
    pub(super) fn free(&mut self, at: usize) {
        self.put_off(at, NEVER);
    }

    /// Something may be due at `at` after `time`, if it was not before that.
    #[inline]
    pub(super) fn advance(&mut self, at: usize, time: Timestamp) {
        if let Some(quiet_until) = self.quiet_until.get_mut(at) {
            *quiet_until = time.min(*quiet_until);
        }
        self.all_quiet_until = self.all_quiet_until.min(time);
        self.least_so_far = self.least_so_far.min(time);
    }

    /// Nothing is due at `at` up to `time`, which is later than was said before.
    #[inline]
    pub(super) fn put_off(&mut self, at: usize, time: Timestamp) {
        if let Some(quiet_until) = self.quiet_until.get_mut(at) {
            *quiet_until = time;
        }
        // The sweep may have come by it already.
        self.all_quiet_until = self.all_quiet_until.min(time);
        self.least_so_far = self.least_so_far.min(time);
    }

    /// Whether something may be due in any slot.
    #[inline]
    pub(super) fn are_any(&self, now: Timestamp) -> bool {
        now > self.all_quiet_until
    }

    /// Comes by the next slots, `count` of them or up to the last one, until many have been found in which something may be due: each of
    /// these has to be put off or freed then. Takes from `count` how many it came by.
    #[inline]
    pub(super) fn pass(&mut self, now: Timestamp, count: &mut usize) -> Due {
        let mut due = Due::default();
        let next = self.quiet_until.get(self.cursor..).unwrap_or_default();
        let mut least = self.least_so_far;
        let mut passed = 0;
        for time in next.iter().take(*count) {
            if now > *time {
                due.push(self.cursor + passed);
            } else {
                least = least.min(*time);
            }
            passed += 1;
            if due.is_full() {
                break;
            }
        }
        self.least_so_far = least;
        *count = if passed == 0 { 0 } else { *count - passed };
        self.move_to(self.cursor + passed);
        due
    }

    /// When something is due at `at`.
    #[inline]
    pub(super) fn at(&self, at: usize) -> Option<Timestamp> {
        self.quiet_until.get(at).copied()
    }

    /// The slot that the sweep comes to next, and up to when nothing is due there.
    #[inline]
    pub(super) fn next(&self) -> Option<(usize, Timestamp)> {
        let time = self.quiet_until.get(self.cursor)?;
        Some((self.cursor, *time))
    }

    /// Of `count` slots behind the next `skipped`, up to the last one, that in which something is due first.
    #[inline]
    pub(super) fn first(&self, skipped: usize, count: usize) -> Option<usize> {
        let next = self.quiet_until.iter().enumerate();
        let next = next.skip(self.cursor.saturating_add(skipped));
        let first = next.take(count).min_by_key(|(_, time)| **time);
        first.map(|(at, _)| at)
    }

    /// Comes by the next slot, whatever is due there.
    #[inline]
    pub(super) fn pass_one(&mut self) {
        if let Some((at, time)) = self.next() {
            self.least_so_far = self.least_so_far.min(time);
            self.move_to(at + 1);
        }
    }

    #[inline]
    fn move_to(&mut self, cursor: usize) {
        if cursor < self.quiet_until.len() {
            self.cursor = cursor;
        } else {
            self.cursor = 0;
            self.all_quiet_until = std::mem::replace(&mut self.least_so_far, NEVER);
        }
    }
}

/// Some slots in which something may be due, in the order of the sweep: each has to be looked at, or it is not found again.
#[must_use]
#[derive(Clone, Copy, Debug, Default)]
pub struct Due {
    slots: [u32; MANY],
    count: usize,
}

impl Due {
    fn push(&mut self, at: usize) {
        if let (Some(place), Ok(at)) = (self.slots.get_mut(self.count), u32::try_from(at)) {
            *place = at;
            self.count += 1;
        }
    }

    fn is_full(&self) -> bool {
        self.count == self.slots.len()
    }

    /// The numbers of the slots.
    #[inline]
    pub fn slots(&self) -> impl Iterator<Item = u32> + use<> {
        self.slots.into_iter().take(self.count)
    }
}

/// Slots that are looked at together.
const MANY: usize = 16;

/// So it stands where no flow is.
pub(super) const NEVER: Timestamp = Timestamp::from_nanos(i64::MAX);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_parts(n, 0)
    }

    /// Comes by `count` slots, and puts off to `later` what is due.
    fn sweep(dues: &mut Dues, now: Timestamp, mut count: usize, later: Timestamp) -> Vec<u32> {
        let mut found = Vec::new();
        count = count.min(dues.quiet_until.len());
        while count > 0 && dues.are_any(now) {
            let due = dues.pass(now, &mut count);
            for at in due.slots() {
                dues.put_off(usize::try_from(at).unwrap(), later);
                found.push(at);
            }
        }
        found
    }

    #[test]
    fn slots_are_passed_by_together_while_nothing_is_due_in_them() {
        let mut dues = Dues::default();
        for at in 0..60 {
            dues.fill(at, second(if at == 13 { 5 } else { 50 }));
        }
        assert!(!dues.are_any(second(5)));
        let mut count = 40;
        assert_eq!(
            dues.pass(second(10), &mut count)
                .slots()
                .collect::<Vec<_>>(),
            [13]
        );
        assert_eq!(count, 0);
        dues.put_off(13, second(50));
        // Up to the last one, and from the first one on.
        count = 40;
        assert_eq!(dues.pass(second(10), &mut count).slots().count(), 0);
        assert_eq!((count, dues.cursor), (20, 0));
        // After another round it is known that nothing is due.
        assert!(sweep(&mut dues, second(10), 60, second(50)).is_empty());
        assert!(dues.are_any(second(51)) && !dues.are_any(second(50)));
        assert_eq!(
            Dues::default().pass(second(10), &mut count).slots().count(),
            0
        );
        assert_eq!(count, 0);
    }

    #[test]
    fn where_many_are_due_they_are_looked_at_some_at_a_time() {
        let mut dues = Dues::default();
        for at in 0..50 {
            dues.fill(at, second(i64::try_from(at % 2).unwrap()));
        }
        let mut count = 50;
        let due = dues.pass(second(1), &mut count);
        assert_eq!(
            due.slots().collect::<Vec<_>>(),
            (0..32).step_by(2).collect::<Vec<_>>()
        );
        assert_eq!(count, 50 - 31);
        for at in due.slots() {
            dues.put_off(usize::try_from(at).unwrap(), second(9));
        }
        assert_eq!(
            sweep(&mut dues, second(1), count, second(9)),
            (32..50).step_by(2).collect::<Vec<_>>()
        );
        // The sweep has come round, and what was put off last counts as well.
        assert!(sweep(&mut dues, second(1), 50, second(9)).is_empty());
        assert!(dues.are_any(second(2)) && !dues.are_any(second(1)));
    }

    proptest! {
        /// Whatever is filled, freed, advanced and swept: it is never all quiet while something is
        /// due, and one round finds all that is.
        #[test]
        fn nothing_that_is_due_is_passed_by(
            turns in prop::collection::vec((0_u8..5, 0_usize..40, 0_i64..30), 0..200),
        ) {
            let mut dues = Dues::default();
            let mut now = 0;
            for (turn, at, wait) in turns {
                let time = second(now + wait);
                let len = dues.quiet_until.len();
                match turn {
                    0 => dues.fill(if dues.quiet_until.get(at) == Some(&NEVER) { at } else { len }, time),
                    1 if at < len => dues.free(at),
                    2 if at < len => dues.advance(at, time),
                    3 => now += wait,
                    _ => {
                        sweep(&mut dues, second(now), at, time.max(second(now)));
                    }
                }
                let least = dues.quiet_until.iter().min().copied();
                prop_assert!(least.is_none_or(|least| dues.all_quiet_until <= least));
            }
            let expected = dues.quiet_until.iter().filter(|due| second(now) > **due).count();
            let len = dues.quiet_until.len();
            let found = sweep(&mut dues, second(now), len, second(i64::from(u32::MAX))).len();
            prop_assert_eq!(found, expected);
        }
    }
}
