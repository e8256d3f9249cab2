//! What was seen of the frames of a run, beside their segments.

use crate::capture::LinkType;
use crate::packet::Skip;
use crate::time::{Precision, Timestamp};

/// What was seen of the frames, beside their segments.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameTally {
    pub(super) frames: u64,
    pub(super) segments: u64,
    pub(super) fragments: u64,
    pub(super) unreachable: u64,
    pub(super) filtered: u64,
    pub(super) skips: [u64; Skip::ALL.len()],
    pub(super) first: Option<(Timestamp, Precision)>,
    pub(super) last: Option<(Timestamp, Precision)>,
    pub(super) unknown_link_types: Vec<LinkType>,
}

/// How many frames, and between which times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) count: usize,
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
}

impl Default for Span {
    /// None.
    fn default() -> Self {
        Self {
            count: 0,
            oldest: Timestamp::from_nanos(i64::MAX),
            newest: Timestamp::from_nanos(i64::MIN),
        }
    }
}

impl Span {
    /// Takes in the time of the next frame. Whether one before it is newer.
    #[inline(always)]
    pub(super) fn see(&mut self, time: Timestamp) -> bool {
        let is_first = self.count == 0;
        self.count += 1;
        if time < self.newest {
            self.see_late(time);
            return true;
        }
        self.newest = time;
        if is_first {
            self.oldest = time;
        }
        false
    }

    #[cold]
    fn see_late(&mut self, time: Timestamp) {
        self.oldest = self.oldest.min(time);
    }
}

impl FrameTally {
    /// Notes the times of frames that were all read by one clock.
    pub(super) fn see_between(&mut self, span: Span, precision: Precision) {
        if span.count > 0 {
            self.see_at(span.oldest, precision);
            self.see_at(span.newest, precision);
        }
    }

    /// Notes the time of a frame.
    #[inline]
    pub(super) fn see_at(&mut self, time: Timestamp, precision: Precision) {
        match &mut self.last {
            // Nearly always a frame is later than those before it.
            Some(last) if time > last.0 => *last = (time, precision),
            _ => self.see_out_of_order((time, precision)),
        }
    }

    fn see_out_of_order(&mut self, at: (Timestamp, Precision)) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    pub(super) fn skip(&mut self, skip: Skip, link_type: LinkType) {
        if let Some(count) = self.skips.get_mut(skip.index()) {
            *count += 1;
        }
        if skip == Skip::UnknownLinkType
            && self.unknown_link_types.len() < MAX_LINK_TYPES
            && !self.unknown_link_types.contains(&link_type)
        {
            self.unknown_link_types.push(link_type);
        }
    }

    /// Adds what another tally counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.segments += other.segments;
        self.fragments += other.fragments;
        self.unreachable += other.unreachable;
        self.filtered += other.filtered;
        for (count, more) in self.skips.iter_mut().zip(other.skips) {
            *count += more;
        }
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for link_type in &other.unknown_link_types {
            if self.unknown_link_types.len() < MAX_LINK_TYPES
                && !self.unknown_link_types.contains(link_type)
            {
                self.unknown_link_types.push(*link_type);
            }
        }
    }
}

/// Unknown link types that are named.
const MAX_LINK_TYPES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reaches_from_the_oldest_frame_to_the_newest() {
        for (seconds, late, oldest, newest) in [
            (
                &[5, 3, 9, 9, 4][..],
                &[false, true, false, false, true][..],
                3,
                9,
            ),
            (&[5], &[false], 5, 5),
            (&[3, 5], &[false, false], 3, 5),
        ] {
            let time = |second: &i64| Timestamp::from_parts(*second, 0);
            let mut span = Span::default();
            let seen: Vec<bool> = seconds
                .iter()
                .map(|second| span.see(time(second)))
                .collect();
            assert_eq!(seen, late);
            assert_eq!(span.count, seconds.len());
            assert_eq!((span.oldest, span.newest), (time(&oldest), time(&newest)));
        }
    }
}
