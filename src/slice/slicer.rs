//! The second reading: frames in, those of the wanted flows out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Read, Write};

use thiserror::Error;

use crate::capture::{self, Block, Frame, Interfaces, Reader};
use crate::packet::{Decoded, Defragmenter, FragmentLimits, Joined, Segment, decode};
use crate::slice::pieces::{Kept, PacketId, Pieces};
use crate::slice::survey::Survey;
use crate::slice::wanted::Wanted;
use crate::slice::writer::{Description, Packet, Writer};

/// How much of a packet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// All of it.
    Whole,
    /// All but application data: such a packet is cut, as by a snap length.
    Headers,
}

/// Why there is no slice, or only a part of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// An input cannot be read again.
    #[error("{file}: cannot be read a second time: {error}")]
    Read {
        /// Its name.
        file: String,
        /// What happened.
        error: capture::Error,
    },
    /// The slice cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sliced {
    /// Packets.
    pub packets: u64,
    /// Packets that were cut since application data begins in them.
    pub cut: u64,
    /// Flows of which a packet was written.
    pub flows: usize,
    /// Flows that were wanted, and of which no packet was found: the input has changed.
    pub missing: usize,
    /// Packets in fragments that were too many to be kept until they are whole.
    pub dropped: u64,
}

/// Writes the packets of the flows that are wanted.
///
/// The inputs are handed over by [`Slicer::read`] in the order of the first reading.
pub struct Slicer<W: Write> {
    wanted: Wanted,
    writer: Writer<W>,
    /// What to keep of each flow, where not all is kept.
    survey: Option<Survey>,
    found: BTreeSet<usize>,
    sliced: Sliced,
}

/// The file that is being read.
struct File<'a> {
    index: usize,
    name: &'a str,
    pieces: Pieces,
    pool: Defragmenter,
}

impl<W: Write> Slicer<W> {
    /// A slice of these flows, to be written to `place`, which should be buffered.
    ///
    /// # Errors
    ///
    /// When `place` cannot take it.
    pub fn new(place: W, wanted: Wanted) -> io::Result<Self> {
        let comment = match wanted.count() {
            1 => "The packets of one flow".to_owned(),
            count => format!("The packets of {count} flows"),
        };
        Ok(Self {
            writer: Writer::new(place, &comment)?,
            wanted,
            survey: None,
            found: BTreeSet::new(),
            sliced: Sliced::default(),
        })
    }

    /// Whether the file `name` has to be read.
    #[must_use]
    pub fn needs(&self, name: &str) -> bool {
        let file = self.wanted.file(name);
        file.is_some_and(|file| self.wanted.may_be_in(file))
    }

    /// Looks where application data lies, without writing: for a slice of [`Content::Headers`], each
    /// input is handed over here before the first one is handed over to [`Slicer::read`].
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub fn survey<R: Read>(&mut self, name: &str, input: R) -> Result<(), Error> {
        let Some(index) = self.wanted.file(name) else {
            return Ok(());
        };
        let mut survey = self.survey.take().unwrap_or_default();
        let mut file = File::new(index, name);
        let result = walk(input, name, |frame, _| {
            each_segment(&mut file, frame, |file, segment, data, _, at| {
                let place = (file.index, at.number);
                if let Some(flow) = self.wanted.flow_of(&segment.key, place, at.time) {
                    survey.enter(flow, segment, data);
                }
                Ok(())
            })
        });
        self.survey = Some(survey);
        result
    }

    /// Reads an input, and writes what is wanted of it.
    ///
    /// # Errors
    ///
    /// When the input cannot be read, or the slice cannot be written.
    pub fn read<R: Read>(&mut self, name: &str, input: R) -> Result<(), Error> {
        let Some(index) = self.wanted.file(name) else {
            return Ok(());
        };
        if let Some(survey) = &mut self.survey {
            survey.finish();
        }
        let mut file = File::new(index, name);
        let result = walk(input, name, |frame, interfaces| {
            if let Decoded::Unreachable(error) = decode(frame) {
                let place = (file.index, frame.number);
                let flow = self.wanted.flow_told_of(&error.key, place, frame.time);
                return flow.map_or(Ok(()), |flow| {
                    self.write(flow, file.name, index, interfaces, &Kept::of(frame), None)
                });
            }
            each_segment(&mut file, frame, |file, segment, _, pieces, at| {
                let place = (file.index, at.number);
                let Some(flow) = self.wanted.flow_of(&segment.key, place, at.time) else {
                    return Ok(());
                };
                let keep = self
                    .survey
                    .as_ref()
                    .map(|survey| survey.keep(flow, segment));
                let Some(pieces) = pieces else {
                    let end = keep.map(|len| segment.payload_start.saturating_add(len));
                    return self.write(flow, file.name, index, interfaces, &Kept::of(at), end);
                };
                // Where in a piece the cut would be is not known: a piece is there, or empty.
                let end = keep.filter(|len| *len < segment.wire_len).map(|_| 0);
                for piece in pieces {
                    self.write(flow, file.name, index, interfaces, piece, end)?;
                }
                Ok(())
            })
        });
        self.sliced.dropped = self.sliced.dropped.saturating_add(file.pieces.dropped());
        result
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// When the slice cannot be written.
    pub fn finish(mut self) -> Result<Sliced, Error> {
        self.writer.flush()?;
        let flows = self.found.len();
        Ok(Sliced {
            flows,
            missing: self.wanted.count().saturating_sub(flows),
            ..self.sliced
        })
    }

    /// Writes a frame, up to `end` where it is to be cut.
    fn write(
        &mut self,
        flow: usize,
        name: &str,
        file: usize,
        interfaces: &Interfaces,
        frame: &Kept,
        end: Option<u32>,
    ) -> io::Result<()> {
        let described = interfaces.get(frame.interface);
        let description = Description {
            link_type: described.map_or(crate::capture::LinkType::NULL, |known| known.link_type),
            precision: frame.precision,
            name: described.and_then(|known| known.name.as_deref()),
            file: name,
        };
        let interface = self
            .writer
            .interface((file, frame.interface), &description)?;
        let end = end.and_then(|end| usize::try_from(end).ok());
        let kept = end.and_then(|end| frame.data.get(..end));
        let mut comment = String::new();
        // Writing to a string cannot fail.
        let _ = write!(comment, "{} frame {}", short(name), frame.number);
        if kept.is_some_and(|kept| kept.len() < frame.data.len()) {
            comment.push_str(", without application data");
            self.sliced.cut = self.sliced.cut.saturating_add(1);
        }
        self.writer.packet(
            interface,
            &Packet {
                time: frame.time,
                precision: frame.precision,
                data: kept.unwrap_or(&frame.data),
                original_len: frame.original_len,
                comment: &comment,
            },
        )?;
        self.found.insert(flow);
        self.sliced.packets = self.sliced.packets.saturating_add(1);
        Ok(())
    }
}

impl<'a> File<'a> {
    fn new(index: usize, name: &'a str) -> Self {
        Self {
            index,
            name,
            pieces: Pieces::default(),
            pool: Defragmenter::new(FragmentLimits::default()),
        }
    }
}

/// Shows each frame of an input with the interfaces known so far.
fn walk<R: Read>(
    input: R,
    name: &str,
    mut visit: impl FnMut(&Frame<'_>, &Interfaces) -> io::Result<()>,
) -> Result<(), Error> {
    let failed = |error| Error::Read {
        file: name.to_owned(),
        error,
    };
    let mut reader = Reader::new(input).map_err(failed)?;
    let mut block = Block::default();
    while reader.read_block(&mut block).map_err(failed)? {
        for frame in block.frames() {
            visit(&frame, block.interfaces())?;
        }
    }
    Ok(())
}

/// Shows the segments of a frame: each with the bytes it lies in, the frames that carry its pieces
/// where they are several, and the frame that completed it.
fn each_segment(
    file: &mut File<'_>,
    frame: &Frame<'_>,
    mut visit: impl FnMut(&File<'_>, &Segment, &[u8], Option<&[Kept]>, &Frame<'_>) -> io::Result<()>,
) -> io::Result<()> {
    match decode(frame) {
        Decoded::Segment(segment) => visit(file, &segment, frame.data, None, frame),
        Decoded::Fragment(fragment) => {
            let mut id = Pieces::id(&fragment);
            file.pieces.add(id, vec![Kept::of(frame)]);
            let mut whole = file
                .pool
                .push(frame, &fragment)
                .map(|packet| (packet, true));
            loop {
                let given_up = || file.pool.pop_abandoned().map(|packet| (packet, false));
                let Some((packet, is_whole)) = whole.take().or_else(given_up) else {
                    return Ok(());
                };
                let frames = frames_of(file, &packet, is_whole.then_some(id));
                match packet.decode() {
                    Decoded::Segment(segment) => {
                        visit(
                            file,
                            &segment,
                            &packet.bytes,
                            Some(&frames),
                            &packet.frame(),
                        )?;
                    }
                    Decoded::Fragment(inner) => {
                        id = Pieces::id(&inner);
                        file.pieces.add(id, frames);
                        whole = file
                            .pool
                            .push_joined(&packet, &inner)
                            .map(|inner| (inner, true));
                    }
                    _ => {}
                }
            }
        }
        _ => Ok(()),
    }
}

fn frames_of(file: &mut File<'_>, packet: &Joined, id: Option<PacketId>) -> Vec<Kept> {
    match id {
        Some(id) => file.pieces.take(&id),
        None => file.pieces.take_by_frame(packet.number),
    }
}

/// The end of a path, which tells most.
fn short(name: &str) -> &str {
    let from = name.len().saturating_sub(MAX_NAME_LEN);
    let from = (from..=name.len()).find(|at| name.is_char_boundary(*at));
    from.and_then(|from| name.get(from..)).unwrap_or(name)
}

const MAX_NAME_LEN: usize = 200;
