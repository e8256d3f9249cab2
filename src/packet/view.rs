//! A layer's bytes: what was captured of them, and how many there were on the wire.
//!
//! Every read of the packet wing goes through here, so this is where "cut by the snap length" and
//! "shorter than its own header" are told apart. Nothing is interpreted.

use crate::capture::Frame;
use crate::packet::skip::Skip;

/// The rest of a frame from some layer on.
///
/// ```text
///   frame.data  [.......|========bytes=======]- - - - - -
///               0     start                  |  not kept |
///                       |<------------- wire ----------->|
/// ```
///
/// `wire` is never less than `bytes.len()`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    bytes: &'a [u8],
    start: usize,
    wire: usize,
}

impl<'a> View<'a> {
    /// The whole of `frame`. An original length below the captured one is not believed.
    pub(crate) fn new(frame: &Frame<'a>) -> Self {
        let wire = usize::try_from(frame.original_len).unwrap_or(usize::MAX);
        Self {
            bytes: frame.data,
            start: 0,
            wire: wire.max(frame.data.len()),
        }
    }

    /// The captured bytes.
    pub(crate) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where they begin in the frame.
    pub(crate) const fn start(&self) -> usize {
        self.start
    }

    /// How many there were on the wire, by the innermost header that says so.
    pub(crate) const fn wire(&self) -> usize {
        self.wire
    }

    /// The first `N` bytes, left where they are.
    pub(crate) fn peek<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.bytes.first_chunk()
    }

    /// Takes a header of `N` bytes.
    ///
    /// Fails with [`Skip::Cut`] when the wire had it and the capture has not, with `otherwise`
    /// when the wire had not.
    #[inline(always)]
    pub(crate) fn take<const N: usize>(&mut self, otherwise: Skip) -> Result<&'a [u8; N], Skip> {
        match self.bytes.split_first_chunk() {
            Some((header, rest)) => {
                self.bytes = rest;
                self.start += N;
                self.wire -= N;
                Ok(header)
            }
            None => Err(self.missing(N, otherwise)),
        }
    }

    /// Takes `len` bytes unseen; fails as [`View::take`] does.
    #[inline(always)]
    pub(crate) fn advance(&mut self, len: usize, otherwise: Skip) -> Result<(), Skip> {
        match self.bytes.get(len..) {
            Some(rest) => {
                self.bytes = rest;
                self.start += len;
                self.wire -= len;
                Ok(())
            }
            None => Err(self.missing(len, otherwise)),
        }
    }

    /// Takes `len` bytes, or what was captured of them; `otherwise` when the wire had fewer.
    #[inline(always)]
    pub(crate) fn advance_cut(&mut self, len: usize, otherwise: Skip) -> Result<(), Skip> {
        self.wire = self.wire.checked_sub(len).ok_or(otherwise)?;
        let captured = len.min(self.bytes.len());
        self.bytes = self.bytes.get(captured..).unwrap_or_default();
        self.start += captured;
        Ok(())
    }

    /// Says that the layer is `len` bytes long by its header: what follows is padding.
    ///
    /// A header that promises more than the frame had on the wire is not believed: such captures
    /// were shortened by a tool that told nobody, or lie.
    #[inline(always)]
    pub(crate) fn limit(&mut self, len: usize) {
        self.bytes = self.bytes.get(..len).unwrap_or(self.bytes);
        self.wire = self.wire.min(len);
    }

    #[cold]
    fn missing(self, len: usize, otherwise: Skip) -> Skip {
        if self.wire >= len {
            Skip::Cut
        } else {
            otherwise
        }
    }
}
