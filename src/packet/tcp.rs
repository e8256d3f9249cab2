//! TCP segments (RFC 9293, section 3.1): the header's fields, and where the payload lies.
//!
//! Checksums are not judged: a capture on the sending host has unfinished ones. Options are not
//! read. Nothing is put in order here.

use std::fmt;

use crate::flow::{Direction, FlowKey};
use crate::packet::path::{Addresses, PathId, Trail};
use crate::packet::skip::Skip;
use crate::packet::walk::Walk;

/// One TCP segment. Offsets point into the data of the frame it was decoded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// The two ends.
    pub key: FlowKey,
    /// Which of them sent it.
    pub direction: Direction,
    /// The sequence number.
    pub seq: SeqNumber,
    /// The acknowledgement number; it means something if the flag says so.
    pub ack: SeqNumber,
    /// The control bits.
    pub flags: Flags,
    /// The window as it stands in the header, without the scale.
    pub window: u16,
    /// The identification of the IPv4 header; 0 for IPv6.
    pub ip_id: u16,
    /// Where the payload begins in the frame.
    pub payload_start: u32,
    /// How much of the payload was captured.
    pub payload_len: u32,
    /// How long the payload is by the IP header; more than `payload_len` when the snap length cut it.
    pub wire_len: u32,
    /// The VLANs and tunnels around it.
    pub path: PathId,
}

impl Segment {
    /// The captured payload, out of `data` of the frame that the segment was decoded from.
    #[must_use]
    pub fn payload<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        let start = usize::try_from(self.payload_start).unwrap_or(usize::MAX);
        let len = usize::try_from(self.payload_len).unwrap_or(usize::MAX);
        data.get(start..)
            .and_then(|rest| rest.get(..len))
            .unwrap_or_default()
    }

    /// Whether payload is missing that was on the wire.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.payload_len < self.wire_len
    }
}

/// A place in the circle of sequence numbers (RFC 9293, section 3.4). It has no order: compare by offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// How far `self` lies after `base`; negative when before it.
    #[must_use]
    pub const fn offset_from(self, base: Self) -> i32 {
        self.0.wrapping_sub(base.0).cast_signed()
    }

    /// The number `len` further on, around the circle.
    #[must_use]
    pub const fn wrapping_add(self, len: u32) -> Self {
        Self(self.0.wrapping_add(len))
    }
}

/// The control bits of a segment (RFC 9293, section 3.1), the accurate-ECN bit included.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x001);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x002);
    /// Reset the connection.
    pub const RST: Self = Self(0x004);
    /// Push.
    pub const PSH: Self = Self(0x008);
    /// The acknowledgement number means something.
    pub const ACK: Self = Self(0x010);
    /// The urgent pointer means something.
    pub const URG: Self = Self(0x020);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// FIN.
    #[must_use]
    pub const fn fin(self) -> bool {
        self.contains(Self::FIN)
    }

    /// SYN.
    #[must_use]
    pub const fn syn(self) -> bool {
        self.contains(Self::SYN)
    }

    /// RST.
    #[must_use]
    pub const fn rst(self) -> bool {
        self.contains(Self::RST)
    }

    /// PSH.
    #[must_use]
    pub const fn psh(self) -> bool {
        self.contains(Self::PSH)
    }

    /// ACK.
    #[must_use]
    pub const fn ack(self) -> bool {
        self.contains(Self::ACK)
    }

    /// URG.
    #[must_use]
    pub const fn urg(self) -> bool {
        self.contains(Self::URG)
    }
}

/// `SYN|ACK`.
impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
        let mut rest = "";
        for (bit, name) in names.into_iter().enumerate() {
            if self.0 >> bit & 1 == 1 {
                write!(f, "{rest}{name}")?;
                rest = "|";
            }
        }
        if rest.is_empty() {
            f.write_str("-")
        } else {
            Ok(())
        }
    }
}

/// Reads the segment that the walk has come to.
///
/// A header whose options were cut off still tells where the segment stands and how long it is.
#[inline(always)]
pub(crate) fn segment<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Segment, Skip> {
    let header: &[u8; 20] = walk.view.take(Skip::MalformedTcp)?;
    let options_len = usize::from(header[12] >> 4)
        .checked_sub(5)
        .ok_or(Skip::MalformedTcp)?
        * 4;
    walk.view.advance_cut(options_len, Skip::MalformedTcp)?;
    let source_port = u16::from_be_bytes([header[0], header[1]]);
    let destination_port = u16::from_be_bytes([header[2], header[3]]);
    let (key, direction) = match walk.addresses {
        Addresses::V4(source, destination) => {
            FlowKey::v4(*source, source_port, *destination, destination_port)
        }
        Addresses::V6(source, destination) => {
            FlowKey::v6(*source, source_port, *destination, destination_port)
        }
        Addresses::None => return Err(Skip::MalformedIp),
    };
    Ok(Segment {
        key,
        direction,
        seq: SeqNumber(u32::from_be_bytes([
            header[4], header[5], header[6], header[7],
        ])),
        ack: SeqNumber(u32::from_be_bytes([
            header[8], header[9], header[10], header[11],
        ])),
        flags: Flags(u16::from_be_bytes([header[12], header[13]]) & FLAG_BITS),
        window: u16::from_be_bytes([header[14], header[15]]),
        ip_id: walk.ip_id,
        payload_start: u32::try_from(walk.view.start()).unwrap_or(u32::MAX),
        payload_len: u32::try_from(walk.view.bytes().len()).unwrap_or(u32::MAX),
        wire_len: u32::try_from(walk.view.wire()).unwrap_or(u32::MAX),
        path: walk.trail.path(),
    })
}

/// The nine control bits below the data offset and three reserved bits.
pub(crate) const FLAG_BITS: u16 = 0x01ff;
