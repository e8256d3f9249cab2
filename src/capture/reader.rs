//! The reader: finds where records end, counts frames, and steps over damage.
//!
//! It walks headers and nothing more, since it is the one part of reading that cannot be done in parallel. What the
//! records say is read again from the finished [`Block`], by the same functions.
//!
//! Damage: a classic record whose length is absurd ends the capture, for nothing marks the next one. In pcapng the next
//! believable block is searched for. What came before is delivered in any case.

use std::io::{self, Read};
use std::sync::Arc;

use crate::capture::block::{Block, Cursor, Layout};
use crate::capture::classic::{self, Magic, RecordLen};
use crate::capture::damage::{Damage, DamageKind, Damages};
use crate::capture::error::Error;
use crate::capture::foreign;
use crate::capture::frame::Frame;
use crate::capture::interface::{Interface, Interfaces};
use crate::capture::ng::{self, Header, HeaderRead, Item, Section};
use crate::capture::order::{to_count, to_len};
use crate::capture::refill::{Delivery, Refill};

/// Reads a capture, block by block or frame by frame.
#[derive(Debug)]
pub struct Reader<R> {
    input: Refill<R>,
    format: Format,
    /// Where the next record begins.
    next: Cursor,
    interfaces: Arc<Interfaces>,
    frame_count: u64,
    block_len: usize,
    max_record_len: usize,
    damages: Damages,
    secrets: Vec<Secrets>,
    secrets_len: usize,
    ended: bool,
    /// For those who read frame by frame: the block they are in, and how far they are.
    current: Block,
    position: Cursor,
}

/// The kind of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The classic format.
    Pcap,
    /// The next generation.
    Pcapng,
}

/// A decryption secrets block (draft-ietf-opsawg-pcapng, section 4.7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Secrets {
    /// The kind of secrets: [`Secrets::TLS_KEY_LOG`] or another.
    pub secrets_type: u32,
    /// The secrets themselves.
    pub data: Vec<u8>,
}

impl Secrets {
    /// A TLS key log in the format of NSS.
    pub const TLS_KEY_LOG: u32 = 0x544c_534b;
}

impl<R: Read> Reader<R> {
    /// Looks at the first bytes of `input`.
    ///
    /// # Errors
    ///
    /// When they are not those of a capture, or cannot be read.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut input = Refill::new(input);
        let magic = match first_bytes(&mut input, MAGIC_LEN) {
            Some(bytes) => bytes.first_chunk().copied().unwrap_or_default(),
            None => return Err(not_a_capture(&mut input)),
        };
        let mut interfaces = Interfaces::default();
        let (format, layout) = if let Some(magic) = Magic::from_bytes(magic) {
            let Some(layout) = first_bytes(&mut input, magic.header_len())
                .and_then(|header| classic::Layout::from_header(magic, header))
            else {
                return Err(header_cut(&mut input));
            };
            input.consume(magic.header_len());
            interfaces.push(Interface::new(layout.link_type, layout.clock));
            (Format::Pcap, Layout::Classic(layout))
        } else if magic == ng::MAGIC {
            let order = match first_bytes(&mut input, NG_ORDER_END) {
                Some(bytes) => bytes
                    .split_last_chunk()
                    .and_then(|(_, magic)| ng::byte_order(*magic)),
                None => return Err(header_cut(&mut input)),
            };
            let Some(order) = order else {
                return Err(not_a_capture(&mut input));
            };
            (Format::Pcapng, Layout::Ng(Section::first(order)))
        } else {
            return Err(not_a_capture(&mut input));
        };
        Ok(Self {
            input,
            format,
            next: Cursor {
                layout,
                ..Cursor::default()
            },
            interfaces: Arc::new(interfaces),
            frame_count: 0,
            block_len: DEFAULT_BLOCK_LEN,
            max_record_len: DEFAULT_MAX_RECORD_LEN,
            damages: Damages::default(),
            secrets: Vec::new(),
            secrets_len: 0,
            ended: false,
            current: Block::default(),
            position: Cursor::default(),
        })
    }

    /// Sets how long a block is about; a larger record has a block of its own. 256 KiB if not set: they
    /// stay in the cache of one core.
    #[must_use]
    pub fn with_block_len(self, len: usize) -> Self {
        Self {
            block_len: len.max(1),
            ..self
        }
    }

    /// Sets how long a record may be, 16 MiB if not set. A longer one is a damage.
    #[must_use]
    pub fn with_max_record_len(self, len: usize) -> Self {
        Self {
            max_record_len: len,
            ..self
        }
    }

    /// Sets when a block is handed over.
    #[must_use]
    pub fn with_short_reads(mut self, delivery: Delivery) -> Self {
        self.input.delivery = delivery;
        self
    }

    /// Fills `block` with the next whole records; `false` means that there are none. A filled block holds
    /// at least one frame. The buffer of `block` is used again.
    ///
    /// # Errors
    ///
    /// When reading fails, after all frames before that were delivered. Compressed data that end early or are corrupt
    /// are no error but a damage.
    pub fn read_block(&mut self, block: &mut Block) -> Result<bool, Error> {
        block.clear();
        while !self.ended {
            self.input.fill(1, self.block_len);
            let start = self.next;
            let walked = match self.next.layout {
                Layout::Classic(layout) => self.walk_classic(layout),
                Layout::Ng(section) => self.walk_ng(section),
                Layout::Empty => Walk::from(start.number),
            };
            self.next.number = walked.next_number;
            self.frame_count = self
                .frame_count
                .saturating_add(to_count(walked.frame_count));
            if walked.frame_count > 0 {
                block.records = self
                    .input
                    .hand_over(walked.len, &mut block.buffer, self.block_len);
                block.first_number = walked.first_number;
                block.frame_count = walked.frame_count;
                block.start = start;
                block.interfaces = Arc::clone(&self.interfaces);
                return Ok(true);
            }
            self.input.consume(walked.len);
            if walked.len == 0 {
                self.pass(walked.stop)?;
            }
        }
        Ok(false)
    }

    /// Shows the next frame to `visit`. `None` means that there is none.
    ///
    /// # Errors
    ///
    /// As [`Reader::read_block`].
    pub fn next_frame<T>(
        &mut self,
        visit: impl FnOnce(Frame<'_>) -> T,
    ) -> Result<Option<T>, Error> {
        // One round at most reads a block, since a block has a frame.
        loop {
            let mut frames = self.current.frames_from(self.position);
            if let Some(frame) = frames.next() {
                self.position = frames.cursor();
                return Ok(Some(visit(frame)));
            }
            let mut block = std::mem::take(&mut self.current);
            let read = self.read_block(&mut block);
            self.position = block.start;
            self.current = block;
            if !read? {
                return Ok(None);
            }
        }
    }

    /// The damaged places passed so far, the first few hundred of them.
    #[must_use]
    pub fn damages(&self) -> &[Damage] {
        self.damages.kept()
    }

    /// How many damaged places were passed so far.
    #[must_use]
    pub fn damage_count(&self) -> u64 {
        self.damages.count()
    }

    /// The kind of this capture.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The interfaces described so far. A classic capture has one.
    #[must_use]
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// How many frames were counted so far.
    #[must_use]
    pub fn frame_count(&self) -> u64 {
        self.frame_count
    }

    /// How many bytes of the input were walked so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// The input that it reads.
    #[must_use]
    pub fn input(&self) -> &R {
        self.input.input()
    }

    /// Takes the decryption secrets seen since the last time. They are held up to 64 MiB in all and then passed over.
    pub fn secrets(&mut self) -> impl Iterator<Item = Secrets> + use<R> {
        std::mem::take(&mut self.secrets).into_iter()
    }

    fn walk_classic(&self, layout: classic::Layout) -> Walk {
        let mut walk = Walk::from(self.next.number);
        let bytes = self.input.bytes();
        let mut rest = bytes;
        while walk.len < self.block_len {
            match layout.record_len(rest, self.max_record_len) {
                RecordLen::Exactly(len) => match rest.get(len..) {
                    Some(after) => {
                        rest = after;
                        walk.len += len;
                        walk.count_frame();
                    }
                    None => return walk.stopped(Stop::AtLeast(len)),
                },
                RecordLen::AtLeast(len) => return walk.stopped(Stop::AtLeast(len)),
                RecordLen::TooLong(len) => return walk.stopped(Stop::TooLong { len }),
            }
        }
        walk
    }

    fn walk_ng(&mut self, mut section: Section) -> Walk {
        let mut walk = Walk::from(self.next.number);
        let mut timed = None;
        let stop = loop {
            if walk.len >= self.block_len {
                break Stop::Full;
            }
            let rest = self.input.bytes().get(walk.len..).unwrap_or_default();
            if let Some((packet, len)) = section.usual_packet(rest, self.max_record_len) {
                timed = packet.ticks.map(|ticks| (packet.interface, ticks));
                walk.count_frame();
                walk.len += len;
                continue;
            }
            let header = match section.header(rest, self.max_record_len) {
                HeaderRead::Header(header) => header,
                HeaderRead::AtLeast(len) => break Stop::AtLeast(len),
                HeaderRead::Impossible(kind) => break Stop::Lost { kind },
            };
            let Some(trailing) = header.trailing_len(rest) else {
                break Stop::AtLeast(header.len);
            };
            if to_len(trailing) != header.len {
                let leading = u32::try_from(header.len).unwrap_or(u32::MAX);
                let kind = DamageKind::TrailingLength { leading, trailing };
                match self.is_sound_but_for_the_end(section, header, rest) {
                    Belief::AtLeast(len) => break Stop::LookAhead(len),
                    Belief::None => break Stop::Lost { kind },
                    Belief::Block => {
                        self.note(walk.len, walk.next_number, kind, Some(0));
                    }
                }
            }
            let rest = self.input.bytes().get(walk.len..).unwrap_or_default();
            match section.item(header, rest, &self.interfaces) {
                Ok(Item::Packet(packet)) => {
                    walk.count_frame();
                    if let Some(ticks) = packet.ticks {
                        timed = Some((packet.interface, ticks));
                    }
                }
                Ok(Item::Section(next)) => section = next,
                Ok(Item::Interface(body)) => {
                    let interface = section.read_interface(body);
                    Arc::make_mut(&mut self.interfaces).push(interface);
                    section = section.with_interface();
                }
                Ok(Item::Secrets { secrets_type, data }) => {
                    let len = data.len() + size_of::<Secrets>();
                    if self.secrets_len + len <= MAX_SECRETS_LEN {
                        self.secrets_len += len;
                        let data = data.to_vec();
                        self.secrets.push(Secrets { secrets_type, data });
                    }
                }
                Ok(Item::Numbered) => walk.next_number = walk.next_number.saturating_add(1),
                Ok(Item::Other) => {}
                Err(kind) => {
                    let lost = Some(to_count(header.len));
                    self.note(walk.len, walk.next_number, kind, lost);
                }
            }
            walk.len += header.len;
        };
        self.next.layout = Layout::Ng(section);
        if let Some((interface, ticks)) = timed
            && let Some(interface) = self.interfaces.get(interface)
        {
            self.next.time = interface.clock.time(ticks);
        }
        walk.stopped(stop)
    }

    /// Whether a block whose lengths differ makes sense by the first one: by what is in it and by what follows.
    fn is_sound_but_for_the_end(&self, section: Section, header: Header, bytes: &[u8]) -> Belief {
        if section.item(header, bytes, &self.interfaces).is_err() {
            return Belief::None;
        }
        let after = bytes.get(header.len..).unwrap_or_default();
        match begins_a_block(section, after, self.max_record_len) {
            Belief::AtLeast(_) if self.input.at_end() && after.is_empty() => Belief::Block,
            Belief::AtLeast(_) if self.input.at_end() => Belief::None,
            Belief::AtLeast(len) => Belief::AtLeast(header.len.saturating_add(len)),
            belief => belief,
        }
    }

    /// Gets past the place where a walk stopped without a step.
    fn pass(&mut self, stop: Stop) -> Result<(), Error> {
        match stop {
            Stop::Full => Ok(()),
            Stop::AtLeast(needed) => {
                // In steps, so that a length that lies takes no memory.
                let step = needed.min(self.input.len().saturating_mul(2).max(self.block_len));
                if self.input.fill(step, step) {
                    return Ok(());
                }
                self.end()
            }
            Stop::LookAhead(needed) => {
                self.input.fill(needed, needed);
                Ok(())
            }
            Stop::TooLong { len } => {
                self.note(0, self.next.number, DamageKind::RecordTooLong { len }, None);
                self.ended = true;
                Ok(())
            }
            Stop::Lost { kind } => {
                self.search(kind, kind);
                Ok(())
            }
        }
    }

    /// Deals with what is left at the end of the input.
    fn end(&mut self) -> Result<(), Error> {
        if self.input.has_failed() {
            self.ended = true;
            return match self.input.take_failure() {
                Some(error) if is_damage(&error) => {
                    self.damages.push(Damage {
                        offset: self.input.offset(),
                        after_frame: self.next.number.saturating_sub(1),
                        kind: DamageKind::Input,
                        lost: None,
                        detail: Some(error.to_string()),
                    });
                    Ok(())
                }
                Some(error) => Err(Error::Io(error)),
                None => Ok(()),
            };
        }
        let have = to_count(self.input.len());
        if have == 0 {
            self.ended = true;
            return Ok(());
        }
        let cut = DamageKind::CutShort { have };
        if let Layout::Ng(section) = self.next.layout {
            // Or its length lies, and whole blocks follow.
            match section.header(self.input.bytes(), self.max_record_len) {
                HeaderRead::Header(header) => {
                    let len = u32::try_from(header.len).unwrap_or(u32::MAX);
                    self.search(DamageKind::BlockLength { len }, cut);
                    return Ok(());
                }
                HeaderRead::AtLeast(_) | HeaderRead::Impossible(_) => {}
            }
        }
        self.note(0, self.next.number, cut, Some(have));
        self.input.consume(self.input.len());
        Ok(())
    }

    /// Moves on to the next believable block, or to the end of the input, which is `or_else` the matter.
    fn search(&mut self, kind: DamageKind, or_else: DamageKind) {
        let Layout::Ng(section) = self.next.layout else {
            self.ended = true;
            return;
        };
        let (offset, number) = (self.input.offset(), self.next.number);
        let mut skipped = 1;
        loop {
            let rest = self.input.bytes().get(skipped..).unwrap_or_default();
            if rest.is_empty() && self.input.at_end() {
                break;
            }
            match believable(section, rest, &self.interfaces, self.max_record_len) {
                Belief::Block => break,
                Belief::None => skipped += 1,
                Belief::AtLeast(len) => {
                    let needed = skipped.saturating_add(len);
                    if !self.input.fill(needed, needed) {
                        skipped += 1;
                    }
                }
            }
            if skipped >= SEARCH_STEP {
                self.input.consume(skipped);
                skipped = 0;
            }
        }
        self.input.consume(skipped);
        let found = self.input.len() > 0;
        self.damages.push(Damage {
            offset,
            after_frame: number.saturating_sub(1),
            kind: if found { kind } else { or_else },
            lost: Some(self.input.offset().saturating_sub(offset)),
            detail: None,
        });
    }

    fn note(&mut self, at: usize, next_number: u64, kind: DamageKind, lost: Option<u64>) {
        self.damages.push(Damage {
            offset: self.input.offset().saturating_add(to_count(at)),
            after_frame: next_number.saturating_sub(1),
            kind,
            lost,
            detail: None,
        });
    }
}

/// How far a walk over records came, and why no further.
#[derive(Debug)]
struct Walk {
    len: usize,
    first_number: u64,
    next_number: u64,
    frame_count: usize,
    stop: Stop,
}

impl Walk {
    fn from(next_number: u64) -> Self {
        Self {
            len: 0,
            first_number: 0,
            next_number,
            frame_count: 0,
            stop: Stop::Full,
        }
    }

    #[inline]
    fn count_frame(&mut self) {
        if self.frame_count == 0 {
            self.first_number = self.next_number;
        }
        self.frame_count += 1;
        self.next_number = self.next_number.saturating_add(1);
    }

    fn stopped(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }
}

#[derive(Debug)]
enum Stop {
    /// The block is full.
    Full,
    /// The next record needs this many bytes, and they are not there.
    AtLeast(usize),
    /// The next record claims too many bytes, and nothing tells where another begins.
    TooLong { len: u32 },
    /// Whether the next block is one shows in these bytes, or at the end of the input.
    LookAhead(usize),
    /// The next block is not one.
    Lost { kind: DamageKind },
}

/// Whether some bytes are a block.
enum Belief {
    Block,
    None,
    /// This many bytes are needed to tell.
    AtLeast(usize),
}

/// Whether a block of a usual type may begin here.
fn begins_a_block(section: Section, bytes: &[u8], max_len: usize) -> Belief {
    match section.header(bytes, max_len) {
        HeaderRead::AtLeast(len) => Belief::AtLeast(len),
        HeaderRead::Header(header) if header.is_of_known_type() => Belief::Block,
        HeaderRead::Header(_) | HeaderRead::Impossible(_) => Belief::None,
    }
}

/// Whether a whole block stands here, with equal lengths at both ends and contents that fit.
fn believable(section: Section, bytes: &[u8], interfaces: &Interfaces, max_len: usize) -> Belief {
    let header = match section.header(bytes, max_len) {
        HeaderRead::AtLeast(len) => return Belief::AtLeast(len),
        HeaderRead::Header(header) if header.is_of_known_type() => header,
        HeaderRead::Header(_) | HeaderRead::Impossible(_) => return Belief::None,
    };
    match header.trailing_len(bytes) {
        None => Belief::AtLeast(header.len),
        Some(trailing)
            if to_len(trailing) == header.len
                && section.item(header, bytes, interfaces).is_ok() =>
        {
            Belief::Block
        }
        Some(_) => Belief::None,
    }
}

/// The first `len` bytes, if there are as many.
fn first_bytes<R: Read>(input: &mut Refill<R>, len: usize) -> Option<&[u8]> {
    input.fill(len, len);
    input.bytes().get(..len)
}

fn header_cut<R: Read>(input: &mut Refill<R>) -> Error {
    match input.take_failure() {
        Some(error) => Error::Io(error),
        None => Error::HeaderCut { have: input.len() },
    }
}

fn not_a_capture<R: Read>(input: &mut Refill<R>) -> Error {
    input.fill(FOREIGN_LEN, FOREIGN_LEN);
    if let Some(error) = input.take_failure() {
        return Error::Io(error);
    }
    let bytes = input.bytes();
    if bytes.is_empty() {
        return Error::Empty;
    }
    match foreign::name(bytes) {
        Some((what, hint)) => Error::Foreign { what, hint },
        None => Error::NotACapture {
            first_bytes: bytes.iter().copied().take(16).collect(),
        },
    }
}

/// Whether an input that fails in this way is damaged, rather than out of reach.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

const DEFAULT_BLOCK_LEN: usize = 256 * 1024;
const DEFAULT_MAX_RECORD_LEN: usize = 16 * 1024 * 1024;

/// A key log line has some 200 bytes: enough for 300,000 connections.
const MAX_SECRETS_LEN: usize = 64 * 1024 * 1024;

/// How many bytes of a search are kept behind it.
const SEARCH_STEP: usize = 64 * 1024;

const MAGIC_LEN: usize = 4;

/// Where the byte-order magic of the first section ends.
const NG_ORDER_END: usize = 12;

/// Enough for the magic of a tar archive, which stands at 257.
const FOREIGN_LEN: usize = 512;

#[cfg(test)]
mod tests;
