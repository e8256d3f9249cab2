//! Ethernet and what may stand between it and IP: VLAN tags, LLC and SNAP, MACsec, MPLS, PPPoE.
//!
//! IEEE 802.3, 802.1Q, 802.1ad, 802.1ah, 802.1AE, 802.2; RFC 1042, RFC 3032, RFC 4448, RFC 2516.
//! Frame check sequences and padding are left behind by the length that IP gives.

use crate::packet::path::{Trail, TunnelKind};
use crate::packet::skip::Skip;
use crate::packet::view::View;
use crate::packet::walk::{Layer, Walk};

/// Takes an Ethernet header off.
pub(crate) fn header<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let header: &[u8; 14] = walk.view.take(Skip::MalformedLink)?;
    if is_isl(header) {
        return inter_switch_link(walk);
    }
    Ok(Layer::EtherType(u16::from_be_bytes([
        header[12], header[13],
    ])))
}

/// Follows an EtherType, or the length that stands in its place (IEEE 802.3, clause 3.2.6).
pub(crate) fn by_type<T: Trail>(walk: &mut Walk<'_, T>, ether_type: u16) -> Result<Layer, Skip> {
    match ether_type {
        IPV4 | IPV6 => Ok(Layer::Ip),
        // 0x9200 and 0x9300 are of old QinQ switches, as 0x9100 is.
        VLAN | SERVICE_VLAN | 0x9100 | 0x9200 | 0x9300 => {
            let [a, b, c, d] = *walk.view.take(Skip::MalformedLink)?;
            walk.enter_vlan(u16::from_be_bytes([a, b]) & 0x0fff)?;
            Ok(Layer::EtherType(u16::from_be_bytes([c, d])))
        }
        MPLS | MPLS_UPSTREAM => labels(walk),
        PPPOE_SESSION => pppoe(walk),
        TRANSPARENT_BRIDGING => Ok(Layer::Ethernet),
        PPP => Ok(Layer::Ppp),
        MACSEC => macsec(walk),
        CISCO_METADATA => cisco_metadata(walk),
        BACKBONE_TAG => {
            let [_, a, b, c] = *walk.view.take(Skip::MalformedLink)?;
            let service = u64::from(u32::from_be_bytes([0, a, b, c]));
            walk.enter_tunnel(TunnelKind::Pbb, Some(service))?;
            Ok(Layer::Ethernet)
        }
        // Redundancy tag (IEEE 802.1CB) and VN-Tag (IEEE 802.1BR): four bytes before the next type.
        REDUNDANCY_TAG | VN_TAG => {
            let [_, _, _, _, a, b] = *walk.view.take(Skip::MalformedLink)?;
            Ok(Layer::EtherType(u16::from_be_bytes([a, b])))
        }
        NSH => service_header(walk),
        0..=MAX_LENGTH => {
            walk.view.limit(usize::from(ether_type));
            Ok(Layer::Llc)
        }
        JUMBO_LLC => Ok(Layer::Llc),
        _ if NOT_IP.contains(&ether_type) => Err(Skip::NotIp),
        _ => Err(Skip::UnknownEtherType),
    }
}

/// Takes an LLC header off, and the SNAP header behind it (IEEE 802.2; RFC 1042).
pub(crate) fn llc<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    match walk.view.take(Skip::NotIp)? {
        [0xaa, 0xaa, 0x03] => snap(walk),
        // IP with a service access point of its own.
        [0x06, 0x06, 0x03] => Ok(Layer::Ip),
        _ => Err(Skip::NotIp),
    }
}

/// Takes a SNAP header off: an organisation and a number of its own.
pub(crate) fn snap<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [a, b, c, d, e] = *walk.view.take(Skip::MalformedLink)?;
    let number = u16::from_be_bytes([d, e]);
    match ([a, b, c], number) {
        // EtherTypes as such, and as a bridge carries them (IEEE 802.1H).
        ([0, 0, 0] | [0, 0, 0xf8], MAX_LENGTH_AND_ONE..) => Ok(Layer::EtherType(number)),
        // Bridged Ethernet with and without frame check sequence (RFC 2427, section 4.2). Over
        // ATM two bytes of padding come first (RFC 2684, section 5.2).
        ([0, 0x80, 0xc2], 0x0001 | 0x0007) => {
            let padded = matches!(walk.view.bytes(), [0, 0, rest @ ..] if is_ethernet(rest));
            walk.view
                .advance(if padded { 2 } else { 0 }, Skip::MalformedLink)?;
            Ok(Layer::Ethernet)
        }
        _ => Err(Skip::NotIp),
    }
}

/// Takes a stack of MPLS labels off and looks what is below it: the labels do not say
/// (RFC 3032, section 2.1; RFC 4928, section 3).
pub(crate) fn labels<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    for _ in 0..MAX_LABELS {
        let entry = u32::from_be_bytes(*walk.view.take(Skip::MalformedLink)?);
        if entry & BOTTOM_OF_STACK != 0 {
            walk.enter_tunnel(TunnelKind::Mpls, Some(u64::from(entry >> 12)))?;
            return below_labels(&mut walk.view);
        }
    }
    Err(Skip::TooDeep)
}

fn below_labels(view: &mut View<'_>) -> Result<Layer, Skip> {
    let Some([first]) = view.peek() else {
        view.advance(1, Skip::MalformedLink)?;
        return Err(Skip::Cut);
    };
    match first >> 4 {
        4 if is_ipv4(view.bytes()) => return Ok(Layer::Ipv4),
        6 if is_ipv6(view) => return Ok(Layer::Ipv6),
        // A control word before the frame of a pseudowire (RFC 4448, section 4.6) ...
        0 if view.bytes().get(4..).is_some_and(is_ethernet) => {
            view.advance(4, Skip::MalformedLink)?;
        }
        // ... which may be left out.
        _ if is_ethernet(view.bytes()) => {}
        _ => return Err(Skip::NotIp),
    }
    Ok(Layer::Ethernet)
}

fn is_ipv4(bytes: &[u8]) -> bool {
    matches!(bytes, [0x45..=0x4f, _, hi, lo, ..] if {
        let total_len = u16::from_be_bytes([*hi, *lo]);
        total_len == 0 || total_len >= 20
    })
}

/// An address of a network card may begin with 6 as well: the length tells.
fn is_ipv6(view: &View<'_>) -> bool {
    match view.peek() {
        Some([first, _, _, _, hi, lo]) => {
            let payload_len = usize::from(u16::from_be_bytes([*hi, *lo]));
            first >> 4 == 6 && (payload_len == 0 || payload_len + 40 <= view.wire())
        }
        None => false,
    }
}

/// Whether these may be an Ethernet frame, by a type that is known here, or by LLC behind a length.
fn is_ethernet(frame: &[u8]) -> bool {
    let Some(([.., hi, lo], rest)) = frame.split_first_chunk::<14>() else {
        return false;
    };
    let ether_type = u16::from_be_bytes([*hi, *lo]);
    match ether_type {
        IPV4 | IPV6 | VLAN | SERVICE_VLAN | 0x9100 | MPLS | PPPOE_SESSION | MACSEC => true,
        // SNAP, IP, spanning tree, IS-IS, NetWare.
        0..=MAX_LENGTH => matches!(rest, [0xaa | 0x06 | 0x42 | 0xfe | 0xe0, second, 0x03, ..]
            if rest.first() == Some(second)),
        other => NOT_IP.contains(&other),
    }
}

/// Takes the header of a PPPoE session off (RFC 2516, section 4).
pub(crate) fn pppoe<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    // The length is left to IP, which stands in the frame as well.
    let [version_and_type, code, s0, s1, _, _] = *walk.view.take(Skip::MalformedLink)?;
    if version_and_type != 0x11 || code != 0 {
        return Err(Skip::NotIp);
    }
    let session = u64::from(u16::from_be_bytes([s0, s1]));
    walk.enter_tunnel(TunnelKind::Pppoe, Some(session))?;
    Ok(Layer::Ppp)
}

/// Takes a MACsec tag off a frame that is protected and not encrypted (IEEE 802.1AE, clause 9.3).
/// The integrity check value at its end is left behind by the length that IP gives.
fn macsec<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [control, _, _, _, _, _] = *walk.view.take(Skip::MalformedLink)?;
    if control & (MACSEC_ENCRYPTED | MACSEC_CHANGED) != 0 {
        return Err(Skip::Encrypted);
    }
    if control & MACSEC_CHANNEL != 0 {
        walk.view.advance(8, Skip::MalformedLink)?;
    }
    ether_type(walk)
}

/// Takes a header with the security group of Cisco TrustSec off: version, length, options.
fn cisco_metadata<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [_version, quads] = *walk.view.take(Skip::MalformedLink)?;
    // The length counts four bytes after the first option's six.
    let options_len = match quads {
        0 | 1 => 4,
        more => usize::from(more) * 4,
    };
    walk.view.advance(options_len, Skip::MalformedLink)?;
    ether_type(walk)
}

/// Takes a network service header off (RFC 8300, section 2).
pub(crate) fn service_header<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [a, b, _, next, s0, s1, s2, _] = *walk.view.take(Skip::MalformedLink)?;
    let total_len = usize::from(u16::from_be_bytes([a, b]) & 0x3f) * 4;
    let context_len = total_len.checked_sub(8).ok_or(Skip::MalformedLink)?;
    if a >> 6 != 0 {
        return Err(Skip::UnknownEtherType);
    }
    walk.view.advance(context_len, Skip::MalformedLink)?;
    let service_path = u64::from(u32::from_be_bytes([0, s0, s1, s2]));
    walk.enter_tunnel(TunnelKind::Nsh, Some(service_path))?;
    inner_protocol(next)
}

/// The protocol numbers that NSH and VXLAN-GPE share (RFC 8300, section 2.2).
pub(crate) fn inner_protocol(number: u8) -> Result<Layer, Skip> {
    match number {
        1 => Ok(Layer::Ipv4),
        2 => Ok(Layer::Ipv6),
        3 => Ok(Layer::Ethernet),
        4 => Ok(Layer::EtherType(NSH)),
        5 => Ok(Layer::EtherType(MPLS)),
        _ => Err(Skip::UnknownEtherType),
    }
}

/// Takes the rest of Cisco's inter-switch link header off: 26 bytes around a whole frame.
fn inter_switch_link<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let rest: &[u8; 12] = walk.view.take(Skip::MalformedLink)?;
    walk.enter_vlan((u16::from_be_bytes([rest[6], rest[7]]) >> 1) & 0x0fff)?;
    Ok(Layer::Ethernet)
}

/// By its multicast address, and the LLC header at its fixed place.
fn is_isl(header: &[u8; 14]) -> bool {
    matches!(header, [0x01 | 0x0c, 0x00, 0x0c, 0x00, 0x00, ..])
}

fn ether_type<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    walk.view
        .take(Skip::MalformedLink)
        .map(|number| Layer::EtherType(u16::from_be_bytes(*number)))
}

/// Labels of a frame. Real networks stack up to six or so.
const MAX_LABELS: u8 = 16;

// EtherTypes (IEEE registration authority).
pub(crate) const IPV4: u16 = 0x0800;
const VN_TAG: u16 = 0x8926;
const TRANSPARENT_BRIDGING: u16 = 0x6558;
pub(crate) const VLAN: u16 = 0x8100;
pub(crate) const IPV6: u16 = 0x86dd;
const PPP: u16 = 0x880b;
pub(crate) const MPLS: u16 = 0x8847;
const MPLS_UPSTREAM: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
const JUMBO_LLC: u16 = 0x8870;
const SERVICE_VLAN: u16 = 0x88a8;
const MACSEC: u16 = 0x88e5;
const BACKBONE_TAG: u16 = 0x88e7;
const CISCO_METADATA: u16 = 0x8909;
const NSH: u16 = 0x894f;
const REDUNDANCY_TAG: u16 = 0xf1c1;

/// Up to here the number is a length (IEEE 802.3, clause 3.2.6).
const MAX_LENGTH: u16 = 1500;
const MAX_LENGTH_AND_ONE: u16 = MAX_LENGTH + 1;

/// What is known not to carry IP: ARP, wake-on-LAN, RARP, AppleTalk and its ARP, IPX, flow and
/// slow control, PPPoE discovery, EAPOL, PROFINET, EtherCAT, LLDP, pre-authentication, time
/// protocol, connectivity faults, FCoE and its setup, RoCE, loopback.
const NOT_IP: [u16; 21] = [
    0x0806, 0x0842, 0x8035, 0x809b, 0x80f3, 0x8137, 0x8808, 0x8809, 0x8863, 0x888e, 0x8892, 0x88a4,
    0x88cc, 0x88c7, 0x88f7, 0x8902, 0x8906, 0x8914, 0x8915, 0x9000, 0x2000,
];

const BOTTOM_OF_STACK: u32 = 0x100;
const MACSEC_CHANNEL: u8 = 0x20;
const MACSEC_ENCRYPTED: u8 = 0x08;
const MACSEC_CHANGED: u8 = 0x04;
