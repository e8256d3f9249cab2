//! The serial step of reading: finds where records end, counts frames, and steps over damage.
//!
//! It walks headers and does no more, since nothing of it can be done in parallel. What the records say is read
//! again from the finished [`Block`], by the same functions.
//!
//! Damage: a classic record whose length is absurd ends the capture, for nothing marks the next one. In pcapng the next
//! believable block is searched for. What came before is delivered in any case.

use std::io::{self, Read};
use std::sync::Arc;

use crate::capture::belief::{Belief, begins_a_block, believable};
use crate::capture::block::{Block, Cursor, Layout};
use crate::capture::classic::{self, RecordLen};
use crate::capture::damage::{Damage, DamageKind, Damages};
use crate::capture::error::Error;
use crate::capture::interface::Interfaces;
use crate::capture::ng::{Header, HeaderRead, Item, Packet, Section};
use crate::capture::order::{to_count, to_len};
use crate::capture::refill::Refill;
use crate::capture::secrets::Vault;

/// Walks over the records of a capture.
#[derive(Debug)]
pub(crate) struct Framer<R> {
    pub(crate) input: Refill<R>,
    /// Where the next record begins.
    next: Cursor,
    pub(crate) interfaces: Arc<Interfaces>,
    /// How many of them were described before the first frame.
    declared: usize,
    pub(crate) frame_count: u64,
    pub(crate) block_len: usize,
    pub(crate) max_record_len: usize,
    pub(crate) damages: Damages,
    pub(crate) vault: Vault,
    ended: bool,
}

impl<R: Read> Framer<R> {
    pub(crate) fn new(input: Refill<R>, layout: Layout, interfaces: Interfaces) -> Self {
        Self {
            input,
            next: Cursor {
                layout,
                ..Cursor::default()
            },
            declared: interfaces.count(),
            interfaces: Arc::new(interfaces),
            frame_count: 0,
            block_len: DEFAULT_BLOCK_LEN,
            max_record_len: DEFAULT_MAX_RECORD_LEN,
            damages: Damages::default(),
            vault: Vault::default(),
            ended: false,
        }
    }

    /// Fills `block` with the next whole records, at least one frame. `false` means that there are none.
    pub(crate) fn read_block(&mut self, block: &mut Block) -> Result<bool, Error> {
        block.clear();
        while !self.ended {
            self.input.fill(1, self.block_len);
            let start = self.next;
            let walk = match start.layout {
                Layout::Classic(layout) => self.walk_classic(layout),
                Layout::Ng(section) => self.walk_ng(section),
                Layout::Empty => break,
            };
            self.next.number = walk.next_number;
            if walk.frame_count > 0 {
                self.frame_count += to_count(walk.frame_count);
                self.hand_over(block, start, &walk);
                return Ok(true);
            }
            self.input.consume(walk.len);
            if walk.len == 0 {
                self.pass(walk.stop)?;
            }
        }
        Ok(false)
    }

    fn hand_over(&mut self, block: &mut Block, start: Cursor, walk: &Walk) {
        block.records = self
            .input
            .hand_over(walk.len, &mut block.buffer, self.block_len);
        block.first_number = walk.first_number;
        block.frame_count = walk.frame_count;
        block.start = start;
        block.interfaces = Arc::clone(&self.interfaces);
        block.declared = self.declared;
    }

    fn walk_classic(&self, layout: classic::Layout) -> Walk {
        let mut walk = Walk::from(self.next.number);
        let bytes = self.input.bytes();
        let (len, count) = layout.usual_run(bytes, self.max_record_len, self.block_len);
        walk.len = len;
        walk.count_frames(count);
        let mut rest = bytes.get(len..).unwrap_or_default();
        while walk.len < self.block_len {
            match layout.record_len(rest, self.max_record_len) {
                RecordLen::Exactly(len) => match rest.get(len..) {
                    Some(after) => {
                        rest = after;
                        walk.len += len;
                        walk.count_frames(1);
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
        let stop = loop {
            if walk.len >= self.block_len {
                break Stop::Full;
            }
            let rest = self.input.bytes().get(walk.len..).unwrap_or_default();
            if let Some((packet, len)) = section.usual_packet(rest, self.max_record_len) {
                walk.count_packet(&packet);
                walk.len += len;
            } else if let Err(stop) = self.step(&mut walk, &mut section) {
                break stop;
            }
        };
        self.next.layout = Layout::Ng(section);
        if let Some((interface, ticks)) = walk.timed
            && let Some(interface) = self.interfaces.get(interface)
        {
            self.next.time = interface.clock.time(ticks);
        }
        walk.stopped(stop)
    }

    /// Takes one block, whatever it is.
    fn step(&mut self, walk: &mut Walk, section: &mut Section) -> Result<(), Stop> {
        let rest = self.input.bytes().get(walk.len..).unwrap_or_default();
        let header = match section.header(rest, self.max_record_len) {
            HeaderRead::Header(header) => header,
            HeaderRead::AtLeast(len) => return Err(Stop::AtLeast(len)),
            HeaderRead::Impossible(kind) => return Err(Stop::Lost { kind }),
        };
        let Some(trailing) = header.trailing_len(rest) else {
            return Err(Stop::AtLeast(header.len));
        };
        let mut damage = None;
        if to_len(trailing) != header.len {
            let leading = u32::try_from(header.len).unwrap_or(u32::MAX);
            let kind = DamageKind::TrailingLength { leading, trailing };
            match self.sound_but_for_the_end(*section, header, rest) {
                Belief::AtLeast(len) => return Err(Stop::LookAhead(len)),
                Belief::None => return Err(Stop::Lost { kind }),
                Belief::Block => damage = Some((kind, 0)),
            }
        }
        match section.item(header, rest, &self.interfaces) {
            Ok(Item::Packet(packet)) => walk.count_packet(&packet),
            Ok(Item::Section(next)) => *section = next,
            Ok(Item::Interface(body)) => {
                let interface = section.read_interface(body);
                Arc::make_mut(&mut self.interfaces).push(interface);
                *section = section.with_interface();
                if self.frame_count == 0 && walk.frame_count == 0 {
                    self.declared = self.interfaces.count();
                }
            }
            Ok(Item::Secrets { secrets_type, data }) => {
                self.vault.put(secrets_type, walk.next_number, data);
            }
            Ok(Item::Numbered) => walk.next_number = walk.next_number.saturating_add(1),
            Ok(Item::Other) => {}
            Err(kind) => damage = Some((kind, to_count(header.len))),
        }
        if let Some((kind, lost)) = damage {
            self.note(walk.len, walk.next_number, kind, Some(lost));
        }
        walk.len += header.len;
        Ok(())
    }

    /// Whether a block whose lengths differ makes sense by the first one: by what is in it and by what follows.
    fn sound_but_for_the_end(&self, section: Section, header: Header, bytes: &[u8]) -> Belief {
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
                if self.fill_towards(needed) {
                    Ok(())
                } else {
                    self.end()
                }
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
            if let HeaderRead::Header(header) =
                section.header(self.input.bytes(), self.max_record_len)
            {
                let len = u32::try_from(header.len).unwrap_or(u32::MAX);
                self.search(DamageKind::BlockLength { len }, cut);
                return Ok(());
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
                    if !self.fill_towards(skipped.saturating_add(len)) {
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

    /// Comes nearer to `needed` bytes in the window, by steps, so that a length that lies takes no memory.
    fn fill_towards(&mut self, needed: usize) -> bool {
        let step = self.input.len().saturating_mul(2).max(self.block_len);
        let needed = needed.min(step);
        self.input.fill(needed, needed)
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
    /// The interface and the ticks of the last packet that has a time.
    timed: Option<(u32, u64)>,
    stop: Stop,
}

impl Walk {
    fn from(next_number: u64) -> Self {
        Self {
            len: 0,
            first_number: 0,
            next_number,
            frame_count: 0,
            timed: None,
            stop: Stop::Full,
        }
    }

    #[inline]
    fn count_frames(&mut self, count: usize) {
        if self.frame_count == 0 {
            self.first_number = self.next_number;
        }
        self.frame_count += count;
        self.next_number = self.next_number.saturating_add(to_count(count));
    }

    #[inline]
    fn count_packet(&mut self, packet: &Packet<'_>) {
        self.count_frames(1);
        if let Some(ticks) = packet.ticks {
            self.timed = Some((packet.interface, ticks));
        }
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

/// Whether an input that fails in this way is damaged, rather than out of reach.
fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

const DEFAULT_BLOCK_LEN: usize = 256 * 1024;
const DEFAULT_MAX_RECORD_LEN: usize = 16 * 1024 * 1024;

/// How many bytes of a search are kept behind it.
const SEARCH_STEP: usize = 64 * 1024;
