//! Decompression by magic number, member after member.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;
use zstd::stream::raw::Decoder;

use crate::input::source::{Source, from_below};
use crate::input::zstd_frame::{WINDOW_LOG_MAX, ZstdFrame};

/// How an input is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952), bgzip included.
    Gzip,
    /// LZ4 frames.
    Lz4,
    /// xz.
    Xz,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// An input, decompressed while it is read.
///
/// Compressed data that end early give all that was decoded, then an error of kind `UnexpectedEof`; corrupt
/// ones one of kind `InvalidData`. Bytes after the compressed data which are none are passed over, as gzip does.
pub struct Input<R: Read> {
    stage: Stage<R>,
    compression: Compression,
    /// Kept from one frame to the next.
    zstd: Option<Decoder<'static>>,
    has_tail: bool,
}

enum Stage<R: Read> {
    Plain(Source<R>),
    /// Between two members.
    Border(Source<R>),
    Gzip(GzDecoder<Source<R>>),
    Lz4(FrameDecoder<Source<R>>, Lz4End),
    Xz(Box<XzReader<Source<R>>>),
    Zstd(ZstdFrame<R>),
    Ended,
}

/// What ends an LZ4 frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lz4End {
    Mark,
    /// The legacy format has no mark.
    Input,
}

impl<R: Read> Input<R> {
    /// Looks at the first bytes of `input`.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn new(input: R) -> io::Result<Self> {
        let mut source = Source::new(input);
        let magic = Magic::of(source.peek(MAGIC_LEN).map_err(either)?);
        let compression = magic.map_or(Compression::None, Magic::compression);
        Ok(Self {
            stage: match compression {
                Compression::None => Stage::Plain(source),
                _ => Stage::Border(source),
            },
            compression,
            zstd: None,
            has_tail: false,
        })
    }

    /// How it is compressed.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Whether bytes that are not compressed data follow the compressed data. They are not read.
    #[must_use]
    pub fn has_tail(&self) -> bool {
        self.has_tail
    }

    /// Reads on in the current stage and gives the next one. Zero bytes mean that it has just changed.
    fn step(&mut self, stage: Stage<R>, out: &mut [u8]) -> io::Result<(Stage<R>, usize)> {
        Ok(match stage {
            Stage::Border(source) => (self.next_member(source)?, 0),
            Stage::Gzip(mut decoder) => match decoder.read(out)? {
                0 => (Stage::Border(decoder.into_inner()), 0),
                len => (Stage::Gzip(decoder), len),
            },
            Stage::Lz4(mut decoder, end) => match decoder.read(out)? {
                0 => {
                    let mut source = decoder.into_inner();
                    // It takes the end of the input for the end of the frame.
                    if source.take_starved() && end == Lz4End::Mark {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    (Stage::Border(source), 0)
                }
                len => (Stage::Lz4(decoder, end), len),
            },
            Stage::Xz(mut decoder) => match decoder.read(out)? {
                0 => (Stage::Border(decoder.into_inner()), 0),
                len => (Stage::Xz(decoder), len),
            },
            Stage::Zstd(mut frame) => match frame.read(out)? {
                0 => {
                    let (source, decoder) = frame.into_parts();
                    self.zstd = Some(decoder);
                    (Stage::Border(source), 0)
                }
                len => (Stage::Zstd(frame), len),
            },
            stage @ (Stage::Plain(_) | Stage::Ended) => (stage, 0),
        })
    }

    fn next_member(&mut self, mut source: Source<R>) -> io::Result<Stage<R>> {
        source.take_starved();
        // Padding of tapes (gzip) and of blocks (xz).
        while let [0, ..] = source.peek(1)? {
            source.consume(1);
        }
        let magic = source.peek(MAGIC_LEN)?;
        if magic.is_empty() {
            return Ok(Stage::Ended);
        }
        Ok(match Magic::of(magic) {
            Some(Magic::Gzip) => Stage::Gzip(GzDecoder::new(source)),
            Some(Magic::Lz4) => Stage::Lz4(FrameDecoder::new(source), Lz4End::Mark),
            Some(Magic::Lz4Legacy) => Stage::Lz4(FrameDecoder::new(source), Lz4End::Input),
            Some(Magic::Xz) => {
                let reader = XzReader::new_mem_limit(source, false, XZ_MEMORY_KIB);
                Stage::Xz(Box::new(reader))
            }
            Some(Magic::Zstd | Magic::Skippable) => {
                Stage::Zstd(ZstdFrame::new(source, self.zstd.take())?)
            }
            None => {
                self.has_tail = true;
                Stage::Ended
            }
        })
    }

    /// Says what went wrong in words, and of which kind it is.
    fn explained(&self, error: io::Error) -> io::Error {
        let own = match from_below(error) {
            Ok(below) => return below,
            Err(own) => own,
        };
        let name = self.compression.name();
        match own.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the {name} data end early"),
            ),
            io::ErrorKind::OutOfMemory => io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the {name} data need a dictionary of more than 64 MiB: decompress them first"
                ),
            ),
            _ if own.to_string().contains(ZSTD_WINDOW_TEXT) => io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the {name} data need a window of more than {} MiB: decompress them first",
                    1_u32 << (WINDOW_LOG_MAX - 20)
                ),
            ),
            _ => io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the {name} data are corrupt: {own}"),
            ),
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Stage::Plain(source) = &mut self.stage {
            return source.read_through(out).map_err(either);
        }
        // What a decoder gave before it met a corrupt place is lost in that one call: keep the piece short.
        let piece_len = out.len().min(PIECE_LEN);
        let piece = out.get_mut(..piece_len).unwrap_or_default();
        if piece.is_empty() {
            return Ok(0);
        }
        loop {
            // After an error it stays ended: decoders need not be fit for use then.
            let stage = std::mem::replace(&mut self.stage, Stage::Ended);
            let ended = matches!(stage, Stage::Ended);
            let (stage, len) = match self.step(stage, piece) {
                Ok(step) => step,
                Err(error) => return Err(self.explained(error)),
            };
            self.stage = stage;
            if len > 0 || ended {
                return Ok(len);
            }
        }
    }
}

impl<R: Read> fmt::Debug for Input<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("compression", &self.compression)
            .field("has_tail", &self.has_tail)
            .finish_non_exhaustive()
    }
}

impl Compression {
    /// Its name in lower case, as its command is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// What compressed data begin with.
#[derive(Clone, Copy)]
enum Magic {
    Gzip,
    Lz4,
    Lz4Legacy,
    /// A frame without data, of zstd or LZ4: they share these, and one decoder skips both.
    Skippable,
    Xz,
    Zstd,
}

impl Magic {
    fn of(bytes: &[u8]) -> Option<Self> {
        Some(match bytes {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Lz4,
            [0x02, 0x21, 0x4c, 0x18, ..] => Self::Lz4Legacy,
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Skippable,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => return None,
        })
    }

    fn compression(self) -> Compression {
        match self {
            Self::Gzip => Compression::Gzip,
            Self::Lz4 | Self::Lz4Legacy => Compression::Lz4,
            Self::Xz => Compression::Xz,
            Self::Skippable | Self::Zstd => Compression::Zstd,
        }
    }
}

/// The error of the input itself, without its mark.
fn either(error: io::Error) -> io::Error {
    from_below(error).unwrap_or_else(|own| own)
}

const MAGIC_LEN: usize = 6;

/// The dictionary of `xz -9`, 64 MiB, and what the decoder needs beside it.
const XZ_MEMORY_KIB: u32 = 65 * 1024;

/// How zstd says that a frame needs more than `WINDOW_LOG_MAX`.
const ZSTD_WINDOW_TEXT: &str = "too much memory";

const PIECE_LEN: usize = 64 * 1024;
