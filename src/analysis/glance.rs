//! What of a segment is read to take it in passing.

use crate::analysis::lane::Signature;
use crate::analysis::mark::Mark;
use crate::flow::Direction;
use crate::packet::{Flags, PathId, Segment, SeqNumber};

/// A segment that may be taken in passing; whichever way it is kept, it says the same. Each part of it is read where it is needed: all of them
/// at once are more than there are registers.
pub(super) trait Glance<'a>: Copy {
    fn direction(self) -> Direction;
    fn seq(self) -> SeqNumber;
    fn ack(self) -> SeqNumber;
    fn flags(self) -> Flags;
    fn wire_len(self) -> u32;
    /// What is around it.
    fn path(self) -> PathId;
    fn signature(self) -> Signature;
    fn payload(self) -> &'a [u8];
    /// Whether a hello stands at the beginning of the payload, where somebody has looked.
    fn begins_tls(self) -> Option<bool>;
    fn mark(self) -> Mark;
}

/// A segment that was put together, its payload, and where it was seen.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) segment: &'a Segment,
    pub(super) payload: &'a [u8],
    pub(super) begins_tls: Option<bool>,
    pub(super) mark: Mark,
}

impl<'a> Glance<'a> for Whole<'a> {
    fn direction(self) -> Direction {
        self.segment.direction
    }

    fn seq(self) -> SeqNumber {
        self.segment.seq
    }

    fn ack(self) -> SeqNumber {
        self.segment.ack
    }

    fn flags(self) -> Flags {
        self.segment.flags
    }

    fn wire_len(self) -> u32 {
        self.segment.wire_len
    }

    fn path(self) -> PathId {
        self.segment.path
    }

    fn signature(self) -> Signature {
        Signature::of(self.segment)
    }

    fn payload(self) -> &'a [u8] {
        self.payload
    }

    fn begins_tls(self) -> Option<bool> {
        self.begins_tls
    }

    fn mark(self) -> Mark {
        self.mark
    }
}
