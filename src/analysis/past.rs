//! What is left of a connection that is over, to tell what comes late of it from another one between
//! the same ends.

use crate::analysis::connection::{Connection, LATE_SYN};
use crate::flow::Direction;
use crate::packet::{Segment, SeqNumber};
use crate::tls;

/// What is left of a connection that is over: its SYNs, low to high and high to low.
///
/// As small as that, it fills half a cache line with its place in the table; there may be as many as
/// connections in a minute.
#[derive(Clone, Copy, Debug)]
pub(super) enum Past {
    /// Of one that is told, and of which both were seen.
    Whole([SeqNumber; 2]),
    /// Of one that had nothing to tell so far, or of which one was not seen: a hello is another one's.
    Part([Option<SeqNumber>; 2]),
}

impl Past {
    /// Of this one.
    pub(super) fn of(connection: &Connection) -> Self {
        let syns = Direction::BOTH.map(|direction| connection.lane(direction).syn());
        match syns {
            [Some(low), Some(high)] if connection.is_settled() => Self::Whole([low, high]),
            _ => Self::Part(syns),
        }
    }

    /// Whether it is told, and both SYNs were seen.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// The SYN of a direction.
    fn syn(&self, direction: Direction) -> Option<SeqNumber> {
        let [low, high] = match self {
            Self::Whole(syns) => syns.map(Some),
            Self::Part(syns) => *syns,
        };
        match direction {
            Direction::LowToHigh => low,
            Direction::HighToLow => high,
        }
    }

    /// Whether a segment comes late, rather than from another connection.
    pub(super) fn has(&self, segment: &Segment, payload: &[u8]) -> bool {
        let syn = self.syn(segment.direction);
        if segment.flags.syn() {
            match syn {
                Some(syn) => syn == segment.seq,
                // An answer without a question that was seen.
                None => segment.flags.ack(),
            }
        } else {
            let is_own = |syn| segment.seq.offset_from(syn).unsigned_abs() <= LATE_SYN;
            // Its own hello, captured once more, opens none.
            !tls::begins_hello(payload) || (self.is_whole() && syn.is_some_and(is_own))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reassembly::{Fingerprint, FlowTable};

    #[test]
    fn what_is_left_of_a_connection_fills_half_a_cache_line() {
        assert_eq!(FlowTable::<Past, Fingerprint>::PLACE_LEN, 32);
    }
}
