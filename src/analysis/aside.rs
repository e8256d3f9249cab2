//! What does not fit an entry of a batch, and stands aside: segments in tunnels, out of order or from
//! fragments, and ICMP errors.

use crate::analysis::entry::{Source, number_from, short_len};
use crate::analysis::mark::Mark;
use crate::analysis::shard::{Arrival, Shard};
use crate::capture::{Block, Frame};
use crate::packet::{self, Joined, Segment, Unreachable};
use crate::reassembly::Tag;
use crate::time::{Precision, Timestamp};

/// What does not fit an entry.
#[derive(Debug)]
pub(super) enum Aside {
    /// A segment in a VLAN or a tunnel, or of a frame that is older than one before it.
    Segment(Segment, FrameAt),
    /// A segment of a packet that came in fragments, and the packet's place among the joined ones.
    Joined(Box<(Segment, usize)>, FrameAt),
    Icmp(Box<Unreachable>),
}

/// A frame without its bytes: where they stand in the block.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameAt {
    pub(super) time: Timestamp,
    /// The newest time among the frames of the batch up to this one.
    newest: Timestamp,
    /// Its number, from that of the block's first frame.
    pub(super) number: u32,
    /// Where it begins in the block.
    pub(super) start: u32,
    len: u32,
    original_len: u32,
    interface: u32,
    precision: Precision,
}

impl Aside {
    /// Gives it to its shard. `whole` are the packets that fragments completed, `clock` is the newest
    /// time before the batch.
    #[inline(never)]
    pub(super) fn give_to(
        &self,
        shard: &mut Shard,
        tag: Tag,
        whole: &[Joined],
        clock: Timestamp,
        source: &Source<'_>,
    ) {
        let Source {
            block,
            file,
            shared,
            ..
        } = *source;
        match self {
            Self::Segment(segment, at) => {
                let frame = at.frame(block);
                shard.take(
                    &Arrival {
                        segment,
                        tag,
                        was_tried: false,
                        payload: segment.payload(frame.data),
                        begins_tls: None,
                        mark: Mark::of(&frame, file),
                        clock: clock.max(at.newest),
                        outer: &|| packet::encapsulation(&frame),
                    },
                    shared,
                );
            }
            Self::Joined(joined, at) => {
                let (segment, place) = &**joined;
                let Some(whole) = whole.get(*place) else {
                    return;
                };
                shard.take(
                    &Arrival {
                        segment,
                        tag,
                        was_tried: false,
                        payload: segment.payload(&whole.bytes),
                        begins_tls: None,
                        mark: Mark::of(&at.frame(block), file),
                        clock: clock.max(at.newest),
                        outer: &|| whole.encapsulation(),
                    },
                    shared,
                );
            }
            Self::Icmp(icmp) => shard.take_icmp(icmp),
        }
    }
}

impl FrameAt {
    #[inline]
    pub(super) fn of(frame: &Frame<'_>, block: &Block, newest: Timestamp) -> Self {
        Self {
            time: frame.time,
            newest,
            number: number_from(block, frame.number),
            start: short_len(block.offset_of(frame.data).unwrap_or_default()),
            len: short_len(frame.data.len()),
            original_len: frame.original_len,
            interface: frame.interface,
            precision: frame.precision,
        }
    }

    #[inline]
    pub(super) fn frame<'a>(&self, block: &'a Block) -> Frame<'a> {
        let end = index(self.start).saturating_add(index(self.len));
        Frame {
            number: number_in(block, self.number),
            time: self.time,
            precision: self.precision,
            link_type: block.link_type(self.interface),
            interface: self.interface,
            original_len: self.original_len,
            data: block
                .bytes()
                .get(index(self.start)..end)
                .unwrap_or_default(),
        }
    }
}

/// The number of a frame, which is counted from the block's first one.
#[inline]
fn number_in(block: &Block, number: u32) -> u64 {
    block.first_number().saturating_add(u64::from(number))
}

#[inline]
fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
