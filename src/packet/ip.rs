//! IP headers: IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200, section 4).
//!
//! Where the length that a header gives ends before the frame, the rest is padding. Header checksums are not judged. Fragments are told of and joined
//! elsewhere.
//!
//! Written by hand since a packet is decoded for every frame of a capture: the header is read
//! where it lies and no lists are made. The tests hold it against etherparse.

use crate::packet::path::{Addresses, Trail};
use crate::packet::skip::Skip;
use crate::packet::view::View;
use crate::packet::walk::{Layer, Piece, Walk};

/// Takes an IP header off, of the version that it says.
///
/// What is below says a version too, and real drivers have been seen to get that one wrong.
#[inline(always)]
pub(crate) fn header<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    match walk.view.peek() {
        Some([first]) if first >> 4 == 4 => v4(walk),
        Some([first]) if first >> 4 == 6 => v6(walk),
        Some(_) => Err(Skip::MalformedIp),
        None => walk.view.advance(1, Skip::MalformedIp).map(|()| Layer::Ip),
    }
}

/// Takes an IPv4 header off (RFC 791, section 3.1).
#[inline(always)]
pub(crate) fn v4<'a, T: Trail>(walk: &mut Walk<'a, T>) -> Result<Layer, Skip> {
    let header: &'a [u8; 20] = walk.view.take(Skip::MalformedIp)?;
    let version_and_length = header[0];
    if version_and_length != 0x45 {
        let options_len = match version_and_length {
            0x46..=0x4f => (usize::from(version_and_length & 0x0f) - 5) * 4,
            _ => return Err(Skip::MalformedIp),
        };
        walk.view.advance(options_len, Skip::MalformedIp)?;
    }
    let header_len = usize::from(version_and_length & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // A total length of 0 stands for a packet that the network card was to cut up, or for one
    // above 64 KiB (BIG TCP): it is as long as the frame.
    if total_len != 0 {
        let payload_len = total_len.checked_sub(header_len).ok_or(Skip::MalformedIp)?;
        walk.view.limit(payload_len);
    }
    walk.addresses = addresses_v4(header);
    let id = u16::from_be_bytes([header[4], header[5]]);
    walk.ip_id = id;
    let protocol = header[9];
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    if !is_fragment_v4(fragment) {
        return Ok(Layer::Protocol(protocol));
    }
    Ok(Layer::Piece(Piece {
        id: u32::from(id),
        protocol,
        offset: (fragment & OFFSET_V4) << 3,
        more: fragment & MORE_FRAGMENTS != 0,
    }))
}

/// Whether the flags and the offset of an IPv4 header are those of a fragment.
pub(crate) const fn is_fragment_v4(fragment: u16) -> bool {
    fragment & (MORE_FRAGMENTS | OFFSET_V4) != 0
}

/// Takes an IPv6 header and its extension headers off.
pub(crate) fn v6<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    match fixed_v6(walk)? {
        V6 {
            next: protocol @ (TCP | UDP),
            ..
        } => Ok(Layer::Protocol(protocol)),
        V6 { next, payload_len } => extensions(walk, next, payload_len == 0),
    }
}

/// What the fixed part of an IPv6 header says of the rest.
pub(crate) struct V6 {
    pub(crate) next: u8,
    payload_len: u16,
}

/// Takes the fixed part of an IPv6 header off (RFC 8200, section 3).
#[inline(always)]
pub(crate) fn fixed_v6<'a, T: Trail>(walk: &mut Walk<'a, T>) -> Result<V6, Skip> {
    let header: &'a [u8; 40] = walk.view.take(Skip::MalformedIp)?;
    if header[0] >> 4 != 6 {
        return Err(Skip::MalformedIp);
    }
    let payload_len = u16::from_be_bytes([header[4], header[5]]);
    // A payload length of 0 stands for a jumbogram (RFC 2675) or, without the option that would
    // say so, for a packet as long as the frame, as in IPv4.
    if payload_len != 0 {
        walk.view.limit(usize::from(payload_len));
    }
    walk.addresses = addresses_v6(header);
    walk.ip_id = 0;
    Ok(V6 {
        next: header[6],
        payload_len,
    })
}

/// Walks the extension headers, the first of which is of type `next`.
fn extensions<T: Trail>(
    walk: &mut Walk<'_, T>,
    mut next: u8,
    may_be_jumbo: bool,
) -> Result<Layer, Skip> {
    for _ in 0..=MAX_EXTENSIONS {
        match next {
            FRAGMENT => {
                let header: &[u8; 8] = walk.view.take(Skip::MalformedIp)?;
                let fragment = u16::from_be_bytes([header[2], header[3]]);
                next = header[0];
                // A fragment that is the whole packet (RFC 6946) is none.
                if fragment & (OFFSET_V6 | 1) != 0 {
                    return Ok(Layer::Piece(Piece {
                        id: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
                        protocol: next,
                        offset: fragment & OFFSET_V6,
                        more: fragment & 1 != 0,
                    }));
                }
            }
            AUTHENTICATION => next = authentication(&mut walk.view)?,
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6 => {
                next = extension(walk, next, may_be_jumbo)?;
            }
            protocol => return Ok(Layer::Protocol(protocol)),
        }
    }
    Err(Skip::TooDeep)
}

/// Takes one extension header of the common form off (RFC 8200, section 4.3; RFC 6564).
/// Gives the type of what follows.
fn extension<'a, T: Trail>(
    walk: &mut Walk<'a, T>,
    kind: u8,
    may_be_jumbo: bool,
) -> Result<u8, Skip> {
    let mut rest = walk.view;
    let head: &[u8; 2] = rest.take(Skip::MalformedIp)?;
    let body_len = usize::from(head[1]) * 8 + 6;
    let body: &'a [u8] = rest.bytes().get(..body_len).unwrap_or_default();
    rest.advance(body_len, Skip::MalformedIp)?;
    match kind {
        HOP_BY_HOP if may_be_jumbo => {
            if let Some(length) = option(body, JUMBO_PAYLOAD).and_then(<[u8]>::first_chunk) {
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                let after = length.checked_sub(body_len + 2).ok_or(Skip::MalformedIp)?;
                rest.limit(after);
            }
        }
        ROUTING => {
            if let Some(last) = last_hop(body) {
                walk.addresses = with_destination(walk.addresses, last);
            }
        }
        DESTINATION => {
            if let Some(home) = option(body, HOME_ADDRESS).and_then(<[u8]>::first_chunk) {
                walk.addresses = with_source(walk.addresses, home);
            }
        }
        _ => {}
    }
    walk.view = rest;
    Ok(head[0])
}

/// Takes an authentication header off (RFC 4302, section 2): what it protects is in clear.
/// Gives the type of what follows.
pub(crate) fn authentication(view: &mut View<'_>) -> Result<u8, Skip> {
    let head: &[u8; 2] = view.take(Skip::MalformedIp)?;
    view.advance(usize::from(head[1]) * 4 + 6, Skip::MalformedIp)?;
    Ok(head[0])
}

/// Where a routing header sends the packet in the end, while it is still on its way. TCP takes
/// that for the destination (RFC 8200, section 8.1).
fn last_hop(body: &[u8]) -> Option<&[u8; 16]> {
    let [kind, segments_left, _, _, _, _, addresses @ ..] = body else {
        return None;
    };
    match (*kind, *segments_left) {
        (_, 0) => None,
        // Source route (RFC 2460, section 4.4), Mobile IPv6 (RFC 6275, section 6.4).
        (0 | 2, _) => addresses.last_chunk(),
        // Segment routing lists the last segment first (RFC 8754, section 2).
        (4, _) => addresses.first_chunk(),
        _ => None,
    }
}

/// The data of the first option of type `wanted` (RFC 8200, section 4.2).
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        match options {
            [0, rest @ ..] => options = rest,
            [kind, len, rest @ ..] => {
                let (data, rest) = rest.split_at_checked(usize::from(*len))?;
                if *kind == wanted {
                    return Some(data);
                }
                options = rest;
            }
            _ => return None,
        }
    }
}

fn with_destination<'a>(addresses: Addresses<'a>, last: &'a [u8; 16]) -> Addresses<'a> {
    match addresses {
        Addresses::V6(source, _) => Addresses::V6(source, last),
        other => other,
    }
}

fn with_source<'a>(addresses: Addresses<'a>, home: &'a [u8; 16]) -> Addresses<'a> {
    match addresses {
        Addresses::V6(_, destination) => Addresses::V6(home, destination),
        other => other,
    }
}

#[inline(always)]
fn addresses_v4(header: &[u8; 20]) -> Addresses<'_> {
    match header.last_chunk::<8>().map(|pair| pair.as_chunks::<4>().0) {
        Some([source, destination]) => Addresses::V4(source, destination),
        _ => Addresses::None,
    }
}

#[inline(always)]
fn addresses_v6(header: &[u8; 40]) -> Addresses<'_> {
    match header
        .last_chunk::<32>()
        .map(|pair| pair.as_chunks::<16>().0)
    {
        Some([source, destination]) => Addresses::V6(source, destination),
        _ => Addresses::None,
    }
}

/// Extension headers of a packet; RFC 8200 names eight, each of which should occur once or twice.
const MAX_EXTENSIONS: u8 = 16;

// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
const HOP_BY_HOP: u8 = 0;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
pub(crate) const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

// Options (IANA, "Destination Options and Hop-by-Hop Options").
const JUMBO_PAYLOAD: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;

const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_V4: u16 = 0x1fff;
const OFFSET_V6: u16 = 0xfff8;
