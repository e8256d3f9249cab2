//! An IP packet put together from fragments, to be decoded like a frame.

use crate::capture::{Frame, LinkType};
use crate::packet::decode::{Decoded, inwards};
use crate::packet::path::{Encapsulation, PathId};
use crate::packet::view::View;
use crate::packet::walk::Walk;
use crate::time::{Precision, Timestamp};

/// An IP packet made of its fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The packet, from a made-up IP header without options on, as far as it is known.
    pub bytes: Vec<u8>,
    /// How long it was on the wire; when the last piece is missing, at least that.
    pub original_len: u32,
    /// The frame that completed it; of an incomplete one, the frame of its first piece.
    pub number: u64,
    /// When that frame was captured.
    pub time: Timestamp,
    /// How finely the clock of its interface was read.
    pub precision: Precision,
    /// The index of its interface.
    pub interface: u32,
    /// The input that the frame is of, as [`Defragmenter::begin_source`] said.
    ///
    /// [`Defragmenter::begin_source`]: crate::packet::Defragmenter::begin_source
    pub source: u32,
    /// The VLANs and tunnels around the fragments.
    pub path: PathId,
    pub(crate) around: Encapsulation,
    pub(crate) depth: u8,
}

impl Joined {
    /// Decodes the packet, which may be a tunnel and hold the next fragment.
    #[must_use]
    pub fn decode(&self) -> Decoded {
        let mut walk = Walk::new(View::new(&self.frame()), self.path, self.depth);
        inwards(&mut walk, LinkType::RAW).unwrap_or_else(Decoded::Skip)
    }

    /// The VLANs and tunnels around what is inside, those around the fragments first.
    #[must_use]
    pub fn encapsulation(&self) -> Encapsulation {
        let mut walk = Walk::new(View::new(&self.frame()), self.around.clone(), self.depth);
        let _ = inwards(&mut walk, LinkType::RAW);
        walk.trail
    }

    /// The packet as a frame of raw IP.
    #[must_use]
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            number: self.number,
            time: self.time,
            precision: self.precision,
            link_type: LinkType::RAW,
            interface: self.interface,
            data: &self.bytes,
            original_len: self.original_len,
        }
    }

    /// Whether bytes of it are missing.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        usize::try_from(self.original_len).is_ok_and(|len| self.bytes.len() < len)
    }
}
