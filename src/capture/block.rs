//! A stretch of a capture that holds whole records, and the frames in it.
//!
//! A block knows all that its records refer to (byte order, interfaces, the time before), so that it can be read
//! without the reader, on any thread.

use std::iter::FusedIterator;
use std::ops::Range;
use std::sync::Arc;

use crate::capture::classic;
use crate::capture::frame::Frame;
use crate::capture::interface::Interfaces;
use crate::capture::link_type::LinkType;
use crate::capture::ng::{HeaderRead, Item, Packet, Section};
use crate::time::Timestamp;

/// Some whole records of a capture. Made empty by `default()`, filled by [`Reader::read_block`].
///
/// [`Reader::read_block`]: crate::capture::Reader::read_block
#[derive(Debug, Default)]
pub struct Block {
    pub(crate) buffer: Vec<u8>,
    pub(crate) records: Range<usize>,
    pub(crate) first_number: u64,
    pub(crate) frame_count: usize,
    pub(crate) start: Cursor,
    pub(crate) interfaces: Arc<Interfaces>,
    /// How many of them were described before the first frame of the capture.
    pub(crate) declared: usize,
}

/// A place between two records, with all that the next ones refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// In bytes from the start of the block.
    pub(crate) at: usize,
    /// Of the next frame, or other record that is counted as one.
    pub(crate) number: u64,
    /// Of the frame before: simple packets have none of their own.
    pub(crate) time: Timestamp,
    pub(crate) layout: Layout,
}

/// How records are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    Classic(classic::Layout),
    Ng(Section),
    /// There are none.
    Empty,
}

impl Default for Cursor {
    fn default() -> Self {
        Self {
            at: 0,
            number: 1,
            time: Timestamp::default(),
            layout: Layout::Empty,
        }
    }
}

impl Block {
    /// The bytes of all its records.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.records.clone()).unwrap_or_default()
    }

    /// The number of its first frame in the capture, from 1. Not every number after it need be one of a frame.
    #[must_use]
    pub fn first_number(&self) -> u64 {
        self.first_number
    }

    /// How many frames it holds.
    #[must_use]
    pub fn frame_count(&self) -> usize {
        self.frame_count
    }

    /// Reads its frames.
    #[must_use]
    pub fn frames(&self) -> Frames<'_> {
        self.frames_from(self.start)
    }

    pub(crate) fn frames_from(&self, cursor: Cursor) -> Frames<'_> {
        Frames {
            end: self.bytes().len(),
            rest: self.bytes().get(cursor.at..).unwrap_or_default(),
            cursor,
            interfaces: &self.interfaces,
        }
    }

    /// Where `part`, a part of one of its frames, stands in [`Block::bytes`].
    ///
    /// `None` for bytes from elsewhere.
    #[must_use]
    pub fn offset_of(&self, part: &[u8]) -> Option<usize> {
        let bytes = self.bytes();
        let offset = part.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        (offset.checked_add(part.len())? <= bytes.len()).then_some(offset)
    }

    /// What the first byte of frames from this interface belongs to.
    #[must_use]
    #[inline]
    pub fn link_type(&self, interface: u32) -> LinkType {
        if let Layout::Classic(layout) = self.start.layout {
            return layout.link_type;
        }
        let interface = self.interfaces.get(interface);
        interface.map_or(LinkType::NULL, |interface| interface.link_type)
    }

    /// What its frames' interface numbers refer to, and maybe interfaces which are described after it.
    #[must_use]
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// The link types of the interfaces that are described before the first frame of the capture, in
    /// order of their numbers. How much of the capture this block holds does not matter.
    #[must_use]
    pub fn declared_link_types(&self) -> Vec<LinkType> {
        let declared = self.interfaces.iter().take(self.declared);
        let mut link_types: Vec<LinkType> = declared.map(|interface| interface.link_type).collect();
        link_types.sort_unstable();
        link_types.dedup();
        link_types
    }

    /// The memory that it takes, in bytes: more than its records may.
    pub(crate) fn memory_len(&self) -> usize {
        self.buffer.capacity()
    }

    /// Makes it empty and keeps its buffer.
    pub(crate) fn clear(&mut self) {
        self.records = 0..0;
        self.first_number = 0;
        self.frame_count = 0;
        self.start = Cursor::default();
        self.interfaces = Arc::default();
        self.declared = 0;
    }
}

/// The frames of a [`Block`], in order.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    /// Where they end in the block.
    end: usize,
    /// But for the place, which follows from what is left.
    cursor: Cursor,
    interfaces: &'a Interfaces,
}

impl<'a> Frames<'a> {
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor {
            at: self.end.saturating_sub(self.rest.len()),
            ..self.cursor
        }
    }

    /// The number of the next one.
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        self.cursor.number
    }

    /// How the records are written, where that is as nearly all are.
    #[inline]
    pub(crate) fn usual(&self) -> Option<classic::Usual> {
        match self.cursor.layout {
            Layout::Classic(layout) => layout.usual(),
            _ => None,
        }
    }

    /// Gives the next frames of records that are all written like this, `count` at most, and where each
    /// stands in the block.
    ///
    /// For those to whom each nanosecond counts: what the frame says stays in registers, and so does the
    /// place of the next one. Where they go through memory, in parts of other sizes, a packet waits for
    /// that.
    #[inline(always)]
    pub(crate) fn each_usual(
        &mut self,
        layout: &classic::Usual,
        count: usize,
        mut then: impl FnMut(Frame<'a>, u32),
    ) {
        let (mut rest, mut number) = (self.rest, self.cursor.number);
        // No block is as long as 2^32 bytes; beyond that there would be nothing at the place.
        let mut at = u32::try_from(self.end - rest.len()).unwrap_or(u32::MAX);
        let mut taken = 0;
        while taken < count
            && let Some((record, behind)) = layout.split_record(rest)
        {
            rest = behind;
            taken += 1;
            let frame = Frame {
                number,
                time: record.time,
                precision: layout.precision,
                link_type: layout.link_type,
                interface: 0,
                data: record.data,
                original_len: record.original_len,
            };
            number = number.wrapping_add(1);
            let start = at.wrapping_add(classic::Usual::HEADER_LEN);
            at = start.wrapping_add(u32::try_from(frame.data.len()).unwrap_or(u32::MAX));
            then(frame, start);
        }
        (self.rest, self.cursor.number) = (rest, number);
    }

    #[inline]
    fn next_classic(&mut self, layout: &classic::Layout) -> Option<Frame<'a>> {
        let (record, rest) = layout.split_record(self.rest)?;
        self.rest = rest;
        let number = self.cursor.number;
        self.cursor.number = number.saturating_add(1);
        Some(Frame {
            number,
            time: record.time,
            precision: layout.precision,
            link_type: layout.link_type,
            interface: 0,
            data: record.data,
            original_len: record.original_len,
        })
    }

    #[inline]
    fn next_ng(&mut self, section: Section) -> Option<Frame<'a>> {
        if let Some((packet, len)) = section.usual_packet(self.rest, usize::MAX) {
            self.rest = self.rest.get(len..)?;
            return self.frame_of(packet);
        }
        self.next_ng_slowly(section)
    }

    /// The reader has judged each block by the same functions, so what they refuse is passed over here.
    fn next_ng_slowly(&mut self, mut section: Section) -> Option<Frame<'a>> {
        loop {
            let HeaderRead::Header(header) = section.header(self.rest, usize::MAX) else {
                return None;
            };
            let (block, rest) = self.rest.split_at_checked(header.len)?;
            self.rest = rest;
            match section.item(header, block, self.interfaces) {
                Ok(Item::Packet(packet)) => return self.frame_of(packet),
                Ok(Item::Section(next)) => section = next,
                Ok(Item::Interface(_)) => section = section.with_interface(),
                Ok(Item::Numbered) => self.cursor.number = self.cursor.number.saturating_add(1),
                Ok(Item::Secrets { .. } | Item::Other) | Err(_) => continue,
            }
            self.cursor.layout = Layout::Ng(section);
        }
    }

    #[inline]
    fn frame_of(&mut self, packet: Packet<'a>) -> Option<Frame<'a>> {
        let interface = self.interfaces.get(packet.interface)?;
        let time = packet
            .ticks
            .map_or(self.cursor.time, |ticks| interface.clock.time(ticks));
        Some(Frame {
            number: self.next_number(time),
            time,
            precision: interface.precision,
            link_type: interface.link_type,
            interface: packet.interface,
            data: packet.data,
            original_len: packet.original_len,
        })
    }

    #[inline]
    fn next_number(&mut self, time: Timestamp) -> u64 {
        let number = self.cursor.number;
        self.cursor.number = number.saturating_add(1);
        self.cursor.time = time;
        number
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        match self.cursor.layout {
            Layout::Classic(layout) => self.next_classic(&layout),
            Layout::Ng(section) => self.next_ng(section),
            Layout::Empty => None,
        }
    }
}

impl FusedIterator for Frames<'_> {}
