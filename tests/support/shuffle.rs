//! What happens to segments and packets on their way into a capture.

use super::random::Random;

/// Something that was captured at a time, in nanoseconds since 1970.
pub trait Timed: Clone {
    /// When.
    fn time(&self) -> i64;
    /// The same at another time.
    fn at(self, time: i64) -> Self;
}

/// Accidents that can befall any list of what was captured. Times stay in order.
pub trait Shuffle: Sized {
    /// Each may come up to `window` places late.
    fn reordered(self, window: usize, random: &mut Random) -> Self;
    /// `percent` of them come a second time, right behind the first.
    fn duplicated(self, percent: usize, random: &mut Random) -> Self;
    /// Without the one at `place`, from 0.
    fn without(self, place: usize) -> Self;
    /// With all of `other` at their times.
    fn and(self, other: Self) -> Self;
}

impl<T: Timed> Shuffle for Vec<T> {
    fn reordered(self, window: usize, random: &mut Random) -> Self {
        let times: Vec<i64> = self.iter().map(Timed::time).collect();
        let mut late: Vec<(usize, T)> = self
            .into_iter()
            .enumerate()
            .map(|(place, item)| (place + random.below(window + 1), item))
            .collect();
        late.sort_by_key(|(place, _)| *place);
        late.into_iter()
            .zip(times)
            .map(|((_, item), time)| item.at(time))
            .collect()
    }

    fn duplicated(self, percent: usize, random: &mut Random) -> Self {
        self.into_iter()
            .flat_map(|item| {
                let again = random.chance(percent).then(|| item.clone());
                std::iter::once(item).chain(again)
            })
            .collect()
    }

    fn without(mut self, place: usize) -> Self {
        self.remove(place);
        self
    }

    fn and(mut self, other: Self) -> Self {
        self.extend(other);
        self.sort_by_key(Timed::time);
        self
    }
}
