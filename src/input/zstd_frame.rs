//! One zstd frame (RFC 8878), skippable or not.
//!
//! On the crate's raw decoder, since its reader neither stops at the end of a frame without losing its
//! memory nor tells bytes after the last frame from a damaged one.

use std::io::{self, BufRead, Read};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::input::source::Source;

/// Reads to the end of one frame.
pub(crate) struct ZstdFrame<R> {
    source: Source<R>,
    decoder: Decoder<'static>,
    ended: bool,
}

impl<R: Read> ZstdFrame<R> {
    /// Reads the frame that `source` stands at, with the decoder of the frame before it, if there was one.
    pub(crate) fn new(source: Source<R>, decoder: Option<Decoder<'static>>) -> io::Result<Self> {
        let decoder = match decoder {
            Some(decoder) => decoder,
            None => {
                let mut decoder = Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
                decoder
            }
        };
        Ok(Self {
            source,
            decoder,
            ended: false,
        })
    }

    /// What is needed for the next frame.
    pub(crate) fn into_parts(self) -> (Source<R>, Decoder<'static>) {
        (self.source, self.decoder)
    }
}

impl<R: Read> Read for ZstdFrame<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let bytes = self.source.fill_buf()?;
            let at_end = bytes.is_empty();
            let mut from = InBuffer::around(bytes);
            let mut to = OutBuffer::around(&mut *out);
            let left = self.decoder.run(&mut from, &mut to)?;
            let (taken, given) = (from.pos(), to.pos());
            self.source.consume(taken);
            self.ended = left == 0;
            if given > 0 {
                return Ok(given);
            }
            if at_end && !self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// 128 MiB, which the zstd command takes by default.
pub(crate) const WINDOW_LOG_MAX: u32 = 27;
