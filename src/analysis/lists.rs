//! Many short lists in one piece of memory.
//!
//! Each list is a chain of pages. Which of them are long changes from one time to the next, and
//! lists of their own would each keep the memory of their longest time.

/// Lists of items, each in the order in which they were put in.
#[derive(Debug)]
pub(super) struct Lists<T> {
    /// Page after page; those not in use hold what was there before.
    items: Vec<T>,
    /// For each page in use the one that follows it in its list.
    next: Vec<Option<u32>>,
    extents: Vec<Extent>,
}

/// Where a list begins, and where it ends.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    /// Its first page.
    first: Option<u32>,
    /// The place behind its last item: where the next one goes, unless a page ends there.
    end: usize,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: Vec::new(),
            extents: Vec::new(),
        }
    }
}

impl<T: Copy> Lists<T> {
    /// Makes of it `count` empty lists, and keeps the memory.
    pub(super) fn reset(&mut self, count: usize) {
        self.next.clear();
        self.extents.clear();
        self.extents.resize(count, Extent::default());
    }

    /// The place at the end of a list where its next item goes; none where there is no such list.
    ///
    /// What is there before the item does not matter. `touch` writes to one of them: in a page that is used again, to each, since another
    /// thread may have read it, and a processor brings back many cache lines in the time of one.
    #[inline(always)]
    pub(super) fn grow(
        &mut self,
        list: usize,
        filler: impl Fn() -> T,
        touch: impl Fn(&mut T),
    ) -> Option<&mut T> {
        let extent = self.extents.get_mut(list)?;
        if extent.end.is_multiple_of(PAGE_LEN) {
            return self.grow_by_page(list, filler, touch);
        }
        let end = extent.end;
        extent.end += 1;
        self.items.get_mut(end)
    }

    /// The same in a new page.
    #[inline(never)]
    fn grow_by_page(
        &mut self,
        list: usize,
        filler: impl Fn() -> T,
        touch: impl Fn(&mut T),
    ) -> Option<&mut T> {
        let extent = self.extents.get_mut(list)?;
        let page = u32::try_from(self.next.len()).unwrap_or(u32::MAX);
        self.next.push(None);
        let end = start(page).saturating_add(PAGE_LEN);
        if self.items.len() < end {
            self.items.resize(end, filler());
        } else if let Some(items) = self.items.get_mut(start(page)..end) {
            items.iter_mut().for_each(touch);
        }
        if extent.first.is_none() {
            extent.first = Some(page);
        } else if let Some(next) = self.next.get_mut((extent.end / PAGE_LEN).saturating_sub(1)) {
            *next = Some(page);
        }
        extent.end = start(page) + 1;
        self.items.get_mut(start(page))
    }

    /// The items of a list, at most [`PAGE_LEN`] at a time.
    #[inline]
    pub(super) fn pages(&self, list: usize) -> impl Iterator<Item = &[T]> {
        let extent = self.extents.get(list).copied().unwrap_or_default();
        let mut page = extent.first;
        std::iter::from_fn(move || {
            let start = start(page?);
            page = *self.next.get(start / PAGE_LEN)?;
            let end = match page {
                Some(_) => start + PAGE_LEN,
                None => extent.end,
            };
            self.items.get(start..end)
        })
    }

    /// Puts the items of each list in the order of their keys; equal ones stay as they are.
    pub(super) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        for list in 0..self.extents.len() {
            if self.pages(list).flatten().map(&key).is_sorted() {
                continue;
            }
            let mut items: Vec<T> = self.pages(list).flatten().copied().collect();
            items.sort_by_key(&key);
            if let Some(extent) = self.extents.get_mut(list) {
                *extent = Extent::default();
            }
            for item in items {
                if let Some(place) = self.grow(list, || item, |_| ()) {
                    *place = item;
                }
            }
        }
    }
}

fn start(page: u32) -> usize {
    usize::try_from(page).map_or(usize::MAX, |page| page.saturating_mul(PAGE_LEN))
}

/// Items of a page.
pub(super) const PAGE_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_that_is_used_again_is_touched_as_a_whole() {
        let mut lists = Lists::default();
        lists.reset(2);
        let count = std::cell::Cell::new(0);
        let mut grow = |list| {
            let touch = |_: &mut u8| count.set(count.get() + 1);
            lists.grow(list, || 0, touch).is_some()
        };
        assert!(grow(0) && grow(1));
        // Who makes a page has all of it.
        assert_eq!(count.get(), 0);
        lists.reset(2);
        let mut grow = |list| {
            let touch = |_: &mut u8| count.set(count.get() + 1);
            lists.grow(list, || 0, touch).is_some()
        };
        assert!(grow(1) && grow(1));
        assert_eq!(count.get(), PAGE_LEN);
        assert!(grow(0));
        assert_eq!(count.get(), 2 * PAGE_LEN);
    }

    proptest! {
        /// Used again and again, they hold what lists of their own would.
        #[test]
        fn each_list_is_as_if_it_were_alone(
            rounds in prop::collection::vec(prop::collection::vec((0_usize..5, any::<u16>()), 0..300), 1..4),
        ) {
            let mut lists = Lists::default();
            for round in rounds {
                lists.reset(5);
                let mut alone = vec![Vec::new(); 5];
                for (list, item) in round {
                    // Touching must spoil nothing.
                    *lists.grow(list, || 0, |item| *item = 0).unwrap() = item;
                    alone[list].push(item);
                }
                prop_assert!(lists.grow(5, || 0, |_| ()).is_none());
                for (list, alone) in alone.iter().enumerate() {
                    prop_assert!(lists.pages(list).all(|page| (1..=PAGE_LEN).contains(&page.len())));
                    prop_assert_eq!(&lists.pages(list).flatten().copied().collect::<Vec<_>>(), alone);
                }
                lists.sort_by_key(|item| item / 256);
                for (list, alone) in alone.iter_mut().enumerate() {
                    alone.sort_by_key(|item| item / 256);
                    prop_assert_eq!(&lists.pages(list).flatten().copied().collect::<Vec<_>>(), alone);
                }
            }
        }
    }
}
