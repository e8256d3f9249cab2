//! PPP (RFC 1661, RFC 1662), Cisco HDLC, and Frame Relay (RFC 2427).
//!
//! Header compression of IP and TCP (RFC 1144) is not undone, and multilink pieces are not joined.

use crate::packet::path::Trail;
use crate::packet::skip::Skip;
use crate::packet::walk::{Layer, Walk};

/// Takes the framing and the protocol field off.
///
/// Address and control may be left out, and the first byte of the protocol field, if zero
/// (RFC 1661, sections 6.5 and 6.6).
pub(crate) fn frame<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    match walk.view.peek() {
        None => walk.view.advance(2, Skip::MalformedLink)?,
        Some([0xff, 0x03]) => walk.view.advance(2, Skip::MalformedLink)?,
        // Cisco HDLC: unicast and broadcast.
        Some([0x0f | 0x8f, 0x00]) => return cisco_hdlc(walk),
        _ => {}
    }
    let [first] = *walk.view.take(Skip::MalformedLink)?;
    if first & 1 == 1 {
        return protocol(walk, u16::from(first));
    }
    let [second] = *walk.view.take(Skip::MalformedLink)?;
    protocol(walk, u16::from_be_bytes([first, second]))
}

fn protocol<T: Trail>(walk: &mut Walk<'_, T>, number: u16) -> Result<Layer, Skip> {
    match number {
        0x0021 => Ok(Layer::Ipv4),
        0x0057 => Ok(Layer::Ipv6),
        0x0281 | 0x0283 => Ok(Layer::EtherType(MPLS)),
        0x0031 => bridged(walk),
        0x0053 | 0x0055 | 0x00fd | 0x00fb => Err(Skip::Encrypted),
        0x003d => Err(Skip::BareFragment),
        // Compressed TCP; from 0x4000 on control protocols and the like.
        0x002d | 0x002f | 0x4000.. => Err(Skip::NotIp),
        _ => Err(Skip::UnknownEtherType),
    }
}

/// Takes the header of the bridging protocol off (RFC 3518, section 4.3).
fn bridged<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [flags, mac_type] = *walk.view.take(Skip::MalformedLink)?;
    // The presence of a LAN id is told by a flag.
    if flags & 0x40 != 0 {
        walk.view.advance(4, Skip::MalformedLink)?;
    }
    match mac_type {
        1 => Ok(Layer::Ethernet),
        _ => Err(Skip::UnknownEtherType),
    }
}

/// Takes the header of Cisco HDLC off: address, control, EtherType.
pub(crate) fn cisco_hdlc<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [_address, _control, a, b] = *walk.view.take(Skip::MalformedLink)?;
    // Keep-alives (0x8035) and what Cisco and ISO send beside IP.
    match u16::from_be_bytes([a, b]) {
        0xfefe | 0x8035 | 0x2000 => Err(Skip::NotIp),
        ether_type => Ok(Layer::EtherType(ether_type)),
    }
}

/// Takes a Frame Relay header off: an address (ITU-T Q.922, two to four bytes), then control and
/// protocol identifier (RFC 2427, section 3), or the EtherType that Cisco puts in their place.
pub(crate) fn frame_relay<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    for _ in 0..4 {
        let [byte] = *walk.view.take(Skip::MalformedLink)?;
        if byte & 1 == 1 {
            return frame_relay_payload(walk);
        }
    }
    Err(Skip::MalformedLink)
}

fn frame_relay_payload<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let Some([0x03]) = walk.view.peek() else {
        let number = *walk.view.take(Skip::MalformedLink)?;
        return Ok(Layer::EtherType(u16::from_be_bytes(number)));
    };
    walk.view.advance(1, Skip::MalformedLink)?;
    let mut identifier = *walk.view.take::<1>(Skip::MalformedLink)?;
    if identifier == [0x00] {
        identifier = *walk.view.take(Skip::MalformedLink)?;
    }
    match identifier {
        [0xcc] => Ok(Layer::Ipv4),
        [0x8e] => Ok(Layer::Ipv6),
        [0x80] => Ok(Layer::Snap),
        [0xcf] => Ok(Layer::Ppp),
        _ => Err(Skip::NotIp),
    }
}

const MPLS: u16 = 0x8847;
