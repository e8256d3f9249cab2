//! Tunnels with an IP protocol number of their own: IP in IP, GRE and what rides on it, EtherIP.
//!
//! What is encrypted stays so (ESP). L2TP version 3 is not read: the length of its cookie is agreed
//! on outside the data.

use crate::packet::ethernet;
use crate::packet::ip;
use crate::packet::path::{Addresses, Trail, TunnelKind};
use crate::packet::skip::Skip;
use crate::packet::walk::{Layer, Walk};

/// Follows an IP protocol number other than TCP, UDP and ICMP.
pub(crate) fn by_protocol<T: Trail>(walk: &mut Walk<'_, T>, number: u8) -> Result<Layer, Skip> {
    match number {
        IPV4 | IPV4_OTHER => {
            let kind = match walk.addresses {
                Addresses::V6(..) => TunnelKind::FourInSix,
                _ => TunnelKind::IpIp,
            };
            walk.enter_tunnel(kind, None)?;
            Ok(Layer::Ipv4)
        }
        IPV6 => {
            let kind = match walk.addresses {
                Addresses::V6(..) => TunnelKind::SixInSix,
                _ => TunnelKind::SixInFour,
            };
            walk.enter_tunnel(kind, None)?;
            Ok(Layer::Ipv6)
        }
        GRE => gre(walk),
        ip::AUTHENTICATION => ip::authentication(&mut walk.view).map(Layer::Protocol),
        ENCRYPTED => Err(Skip::Encrypted),
        ETHER_IP => {
            let [version, _] = *walk.view.take(Skip::MalformedLink)?;
            if version >> 4 != 3 {
                return Err(Skip::OtherTransport);
            }
            walk.enter_tunnel(TunnelKind::EtherIp, None)?;
            Ok(Layer::Ethernet)
        }
        MPLS => ethernet::labels(walk),
        // A whole frame behind a segment routing header (RFC 8986, section 10.1).
        ETHERNET => Ok(Layer::Ethernet),
        _ => Err(Skip::OtherTransport),
    }
}

/// Takes a GRE header off (RFC 2784, section 2.1, with RFC 2890).
fn gre<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [flags, version, a, b] = *walk.view.take(Skip::MalformedLink)?;
    let protocol = u16::from_be_bytes([a, b]);
    match version & 0x07 {
        0 => {}
        1 => return gre_1(walk, flags, version, protocol),
        _ => return Err(Skip::OtherTransport),
    }
    if flags & ROUTING != 0 {
        return Err(Skip::OtherTransport);
    }
    if flags & CHECKSUM != 0 {
        walk.view.advance(4, Skip::MalformedLink)?;
    }
    let mut key = None;
    if flags & KEY != 0 {
        key = Some(u64::from(u32::from_be_bytes(
            *walk.view.take(Skip::MalformedLink)?,
        )));
    }
    if flags & SEQUENCE != 0 {
        walk.view.advance(4, Skip::MalformedLink)?;
    }
    match protocol {
        ERSPAN | ERSPAN_3 => erspan(walk, flags & SEQUENCE != 0),
        _ => {
            walk.enter_tunnel(TunnelKind::Gre, key)?;
            gre_payload(walk, protocol)
        }
    }
}

fn gre_payload<T: Trail>(walk: &mut Walk<'_, T>, protocol: u16) -> Result<Layer, Skip> {
    match protocol {
        // Keep-alives.
        0 => Err(Skip::NotIp),
        // A redirected packet, since version 2 behind four more bytes
        // (Web Cache Communication Protocol 2.0, section 4.12): IPv4 cannot begin with their first.
        WEB_CACHE => {
            if let Some([first]) = walk.view.peek()
                && first >> 4 != 4
            {
                walk.view.advance(4, Skip::MalformedLink)?;
            }
            Ok(Layer::Ipv4)
        }
        other => Ok(Layer::EtherType(other)),
    }
}

/// Takes the rest of a GRE header of version 1 off: PPTP (RFC 2637, section 4.1), and MikroTik's
/// Ethernet over IP, which fills the same places in its own way.
fn gre_1<T: Trail>(
    walk: &mut Walk<'_, T>,
    flags: u8,
    more_flags: u8,
    protocol: u16,
) -> Result<Layer, Skip> {
    let [a, b, c, d] = *walk.view.take(Skip::MalformedLink)?;
    match protocol {
        PPP => {
            if flags & SEQUENCE == 0 {
                // An acknowledgement without a payload.
                return Err(Skip::NotIp);
            }
            let acknowledged = more_flags & ACKNOWLEDGED != 0;
            let rest_len = if acknowledged { 8 } else { 4 };
            walk.view.advance(rest_len, Skip::MalformedLink)?;
            let call = u64::from(u16::from_be_bytes([c, d]));
            walk.enter_tunnel(TunnelKind::Pptp, Some(call))?;
            walk.view.limit(usize::from(u16::from_be_bytes([a, b])));
            Ok(Layer::Ppp)
        }
        ETHERNET_OVER_IP if flags == KEY => {
            let tunnel = u64::from(u16::from_le_bytes([c, d]));
            walk.enter_tunnel(TunnelKind::EtherIp, Some(tunnel))?;
            Ok(Layer::Ethernet)
        }
        _ => Err(Skip::OtherTransport),
    }
}

/// Takes an ERSPAN header off, as the draft "Cisco Systems' Encapsulated Remote Switch Port
/// Analyzer" has it. Type I has none, and no sequence number in GRE.
fn erspan<T: Trail>(walk: &mut Walk<'_, T>, has_sequence: bool) -> Result<Layer, Skip> {
    if !has_sequence {
        walk.enter_tunnel(TunnelKind::Erspan, None)?;
        return Ok(Layer::Ethernet);
    }
    let [version, _, s0, s1, _, _, _, _] = *walk.view.take(Skip::MalformedLink)?;
    let session = u64::from(u16::from_be_bytes([s0, s1]) & 0x03ff);
    let mut holds_ip = false;
    match version >> 4 {
        1 => {}
        2 => {
            let [_, _, kind, last] = *walk.view.take(Skip::MalformedLink)?;
            holds_ip = (kind >> 2) & 0x1f == 2;
            // A header for the platform.
            if last & 1 != 0 {
                walk.view.advance(8, Skip::MalformedLink)?;
            }
        }
        _ => return Err(Skip::OtherTransport),
    }
    walk.enter_tunnel(TunnelKind::Erspan, Some(session))?;
    Ok(if holds_ip { Layer::Ip } else { Layer::Ethernet })
}

// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const ENCRYPTED: u8 = 50;
const IPV4_OTHER: u8 = 94;
const ETHER_IP: u8 = 97;
const MPLS: u8 = 137;
const ETHERNET: u8 = 143;

// Protocols in GRE, beside EtherTypes.
const ERSPAN_3: u16 = 0x22eb;
const ETHERNET_OVER_IP: u16 = 0x6400;
const PPP: u16 = 0x880b;
const WEB_CACHE: u16 = 0x883e;
const ERSPAN: u16 = 0x88be;

// Flags of GRE.
const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
const ACKNOWLEDGED: u8 = 0x80;
