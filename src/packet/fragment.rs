//! Pieces of IP packets (RFC 791, section 3.2; RFC 8200, section 4.5), as one frame shows them.
//!
//! Nothing is joined here.

use std::net::IpAddr;

use crate::packet::path::{PathId, Trail};
use crate::packet::skip::Skip;
use crate::packet::walk::{MAX_TUNNELS, Piece, Walk};

/// A piece of an IP packet. Offsets point into the data of the frame it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fragment {
    /// The address that sent the packet.
    pub source: IpAddr,
    /// The address it was sent to.
    pub destination: IpAddr,
    /// The identification that all pieces of the packet share.
    pub id: u32,
    /// The protocol of the packet. IPv6 believes that of the first piece only.
    pub protocol: u8,
    /// Where in the packet's payload the piece belongs, in bytes.
    pub offset: u32,
    /// Whether pieces follow.
    pub more: bool,
    /// Where its bytes begin in the frame.
    pub start: u32,
    /// How many of them were captured.
    pub len: u32,
    /// How many there were by the IP header.
    pub wire_len: u32,
    /// The VLANs and tunnels around it.
    pub path: PathId,
    pub(crate) depth: u8,
}

/// Describes the piece that the walk has come to.
pub(crate) fn found<T: Trail>(walk: &Walk<'_, T>, piece: Piece) -> Result<Fragment, Skip> {
    if walk.depth > MAX_TUNNELS {
        return Err(Skip::TooDeep);
    }
    let (source, destination) = walk.addresses.pair().ok_or(Skip::MalformedIp)?;
    let offset = u32::from(piece.offset);
    // All pieces but the last are cut at eight bytes; what is over is dropped, as receivers do.
    let mut view = walk.view;
    if piece.more {
        view.limit(view.wire() & !7);
    }
    let wire_len = u32::try_from(view.wire()).map_err(|_| Skip::MalformedIp)?;
    if offset.saturating_add(wire_len) > MAX_PAYLOAD_LEN {
        return Err(Skip::MalformedIp);
    }
    Ok(Fragment {
        source,
        destination,
        id: piece.id,
        protocol: piece.protocol,
        offset,
        more: piece.more,
        start: u32::try_from(view.start()).map_err(|_| Skip::MalformedIp)?,
        len: u32::try_from(view.bytes().len()).map_err(|_| Skip::MalformedIp)?,
        wire_len,
        path: walk.trail.path(),
        depth: walk.depth,
    })
}

impl Fragment {
    /// Its captured bytes, out of `data` of its frame.
    pub(crate) fn bytes<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        data.get(start..)
            .and_then(|rest| rest.get(..len))
            .unwrap_or_default()
    }
}

/// The longest payload of a packet that can be put under a header again.
pub(crate) const MAX_PAYLOAD_LEN: u32 = 65_515;
