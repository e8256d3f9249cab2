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
    }

    /// Comes by the next `count` slots where nothing is due in any of them; stays where nothing is
    /// due in any slot at all. How many are still to be looked at otherwise.
    #[inline]
    pub(super) fn pass(&mut self, now: Timestamp, count: usize) -> usize {
        if now <= self.all_quiet_until {
            return 0;
        }
        let end = self.cursor.saturating_add(count);
        let Some(next) = self.quiet_until.get(self.cursor..end) else {
            return count.min(self.quiet_until.len());
        };
        // That of all of them, if they are all quiet.
        let mut least = NEVER;
        let are_quiet = next.iter().all(|time| {
            least = least.min(*time);
            now <= *time
        });
        if !are_quiet {
            return count;
        }
        self.least_so_far = self.least_so_far.min(least);
        self.move_to(end);
        0
    }

    /// The slot that the sweep comes to next, and up to when nothing is due there.
    #[inline]
    pub(super) fn next(&self) -> Option<(usize, Timestamp)> {
        let time = self.quiet_until.get(self.cursor)?;
        Some((self.cursor, *time))
    }

    /// Of the next `count` slots, up to the last one, that in which something is due first.
    #[inline]
    pub(super) fn first(&self, count: usize) -> Option<usize> {
        let next = self.quiet_until.iter().enumerate().skip(self.cursor);
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

/// So it stands where no flow is.
pub(super) const NEVER: Timestamp = Timestamp::from_nanos(i64::MAX);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_parts(n, 0)
    }

    #[test]
    fn slots_are_passed_by_together_while_nothing_is_due_in_them() {
        let mut dues = Dues::default();
        for at in 0..20 {
            dues.fill(at, second(if at == 13 { 5 } else { 50 }));
        }
        // Eight of them, then eight with one that is due, then four, which may be the first again.
        assert_eq!(dues.pass(second(10), 8), 0);
        assert_eq!(dues.pass(second(10), 8), 8);
        for at in 8..16 {
            let time = second(if at == 13 { 5 } else { 50 });
            assert_eq!(dues.next(), Some((at, time)));
            dues.pass_one();
        }
        assert_eq!(dues.pass(second(10), 8), 8);
        // None is passed by that is not there, and none is looked at twice.
        assert_eq!(Dues::default().pass(second(10), 8), 0);
        let mut few = Dues::default();
        few.fill(0, second(0));
        assert_eq!(few.pass(second(10), 8), 1);
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
                        for _ in 0..dues.pass(second(now), 8) {
                            if let Some((at, due)) = dues.next() && second(now) > due {
                                dues.put_off(at, time);
                            }
                            dues.pass_one();
                        }
                    }
                }
                let least = dues.quiet_until.iter().min().copied();
                prop_assert!(least.is_none_or(|least| dues.all_quiet_until <= least));
            }
            let expected = dues.quiet_until.iter().filter(|due| second(now) > **due).count();
            let mut found = 0;
            for _ in 0..dues.quiet_until.len().div_ceil(8) {
                for _ in 0..dues.pass(second(now), 8) {
                    if let Some((at, due)) = dues.next() && second(now) > due {
                        found += 1;
                        dues.put_off(at, second(i64::from(u32::MAX)));
                    }
                    dues.pass_one();
                }
            }
            // Further ones where the last group reaches beyond the end: they are looked at again,
            // and nothing is due there any more.
            prop_assert_eq!(found, expected);
        }
    }
}
