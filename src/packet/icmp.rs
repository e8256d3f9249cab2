//! ICMP errors that quote a TCP segment (RFC 792, RFC 4443): why it did not arrive.
//!
//! The quoted segment was seen once already, or never: it is evidence, not traffic.

use std::net::IpAddr;

use crate::flow::{Direction, FlowKey};
use crate::packet::ip;
use crate::packet::path::{Addresses, PathId, Trail};
use crate::packet::skip::Skip;
use crate::packet::tcp::SeqNumber;
use crate::packet::walk::{Layer, Piece, Walk};

/// A report that a TCP segment did not reach its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreachable {
    /// The two ends of the flow of the quoted segment.
    pub key: FlowKey,
    /// The way that the quoted segment went.
    pub direction: Direction,
    /// The sequence number of the quoted segment.
    pub seq: SeqNumber,
    /// What went wrong.
    pub cause: Cause,
    /// The type of the ICMP message; its numbers differ between the versions of IP.
    pub icmp_type: u8,
    /// Its code.
    pub icmp_code: u8,
    /// Who reports.
    pub from: IpAddr,
    /// The VLANs and tunnels around the report.
    pub path: PathId,
}

/// Why a segment did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No route to the network.
    Network,
    /// The host does not answer.
    Host,
    /// The host has no TCP.
    Protocol,
    /// Refused by the host, or by a packet filter in its place.
    Port,
    /// Forbidden by a packet filter or a policy.
    Prohibited,
    /// Too big for the next link, which takes so many bytes; 0 when the router does not say.
    TooBig {
        /// The largest packet that fits.
        mtu: u32,
    },
    /// The packet went round in circles, or its fragments did not all arrive.
    TimeExceeded,
    /// The header was not understood.
    Parameter,
    /// Another code.
    Other,
}

/// Reads an ICMP message (RFC 792).
pub(crate) fn v4<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Unreachable, Skip> {
    let [kind, code, _, _, _, _, m0, m1] = *walk.view.take(Skip::Icmp)?;
    let cause = match (kind, code) {
        (3, 0 | 5 | 6 | 11) => Cause::Network,
        (3, 1 | 7 | 8 | 12) => Cause::Host,
        (3, 2) => Cause::Protocol,
        (3, 3) => Cause::Port,
        // RFC 1191, section 4.
        (3, 4) => Cause::TooBig {
            mtu: u32::from(u16::from_be_bytes([m0, m1])),
        },
        (3, 9 | 10 | 13 | 14 | 15) => Cause::Prohibited,
        (3, _) => Cause::Other,
        (11, _) => Cause::TimeExceeded,
        (12, _) => Cause::Parameter,
        _ => return Err(Skip::Icmp),
    };
    quoted(walk, kind, code, cause)
}

/// Reads an ICMPv6 message (RFC 4443, section 3).
pub(crate) fn v6<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Unreachable, Skip> {
    let [kind, code, _, _, mtu @ ..] = *walk.view.take::<8>(Skip::Icmp)?;
    let cause = match (kind, code) {
        (1, 0) => Cause::Network,
        (1, 1 | 5 | 6) => Cause::Prohibited,
        (1, 3) => Cause::Host,
        (1, 4) => Cause::Port,
        (1, _) => Cause::Other,
        (2, _) => Cause::TooBig {
            mtu: u32::from_be_bytes(mtu),
        },
        (3, _) => Cause::TimeExceeded,
        (4, _) => Cause::Parameter,
        _ => return Err(Skip::Icmp),
    };
    quoted(walk, kind, code, cause)
}

/// Reads the ports and the sequence number of the quoted packet: eight bytes are promised, more
/// are not.
fn quoted<T: Trail>(
    walk: &Walk<'_, T>,
    icmp_type: u8,
    icmp_code: u8,
    cause: Cause,
) -> Result<Unreachable, Skip> {
    let (from, _) = walk.addresses.pair().ok_or(Skip::MalformedIp)?;
    let unread = if walk.view.bytes().len() < walk.view.wire() {
        Skip::Cut
    } else {
        Skip::Icmp
    };
    let mut inner = Walk::new(walk.view, (), walk.depth);
    match ip::header(&mut inner).map_err(|_| unread)? {
        Layer::Protocol(ip::TCP)
        | Layer::Piece(Piece {
            protocol: ip::TCP,
            offset: 0,
            ..
        }) => {}
        _ => return Err(Skip::Icmp),
    }
    let [s0, s1, d0, d1, seq @ ..] = *inner.view.take::<8>(unread).map_err(|_| unread)?;
    let (source_port, destination_port) =
        (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let (key, direction) = match inner.addresses {
        Addresses::V4(source, destination) => {
            FlowKey::v4(*source, source_port, *destination, destination_port)
        }
        Addresses::V6(source, destination) => {
            FlowKey::v6(*source, source_port, *destination, destination_port)
        }
        Addresses::None => return Err(Skip::Icmp),
    };
    Ok(Unreachable {
        key,
        direction,
        seq: SeqNumber(u32::from_be_bytes(seq)),
        cause,
        icmp_type,
        icmp_code,
        from,
        path: walk.trail.path(),
    })
}
