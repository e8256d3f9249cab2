//! Tunnels over UDP, known by their port and then by a header that makes sense.
//!
//! A port proves nothing: any program may use it, and a client may be given it. So each header is
//! held against what its standard demands, and when it does not fit, the datagram is just UDP.
//! What is inside has to hold as IP and TCP as well before anything is said of it.

use crate::packet::ethernet;
use crate::packet::path::{Trail, TunnelKind};
use crate::packet::skip::Skip;
use crate::packet::view::View;
use crate::packet::walk::{Layer, Walk, Wlan};

/// Takes a UDP header off (RFC 768), and that of a tunnel behind it.
pub(crate) fn datagram<T: Trail>(walk: &mut Walk<'_, T>) -> Result<Layer, Skip> {
    let [s0, s1, d0, d1, l0, l1, _, _] = *walk.view.take(Skip::Udp)?;
    if let Some(payload_len) = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(8) {
        walk.view.limit(payload_len);
    }
    let ports = [u16::from_be_bytes([d0, d1]), u16::from_be_bytes([s0, s1])];
    for port in ports {
        let mut view = walk.view;
        if let Some((kind, id, layer)) = tunnel(&mut view, port) {
            walk.enter_tunnel(kind, id)?;
            walk.view = view;
            return Ok(layer);
        }
    }
    if ports.contains(&MPLS) {
        // RFC 7510. Labels of any value are possible, so only IP below them is believed.
        return match ethernet::labels(walk) {
            Ok(layer @ (Layer::Ipv4 | Layer::Ipv6)) => Ok(layer),
            _ => Err(Skip::Udp),
        };
    }
    Err(Skip::Udp)
}

/// Whether neither of a datagram's ports, as its header gives them, is that of a tunnel.
#[inline]
pub(crate) fn is_no_tunnel(ports: [u8; 4]) -> bool {
    let is_of_none = |port| {
        !matches!(
            port,
            VXLAN
                | VXLAN_LINUX
                | VXLAN_GPE
                | GENEVE
                | GTP_U
                | TEREDO
                | L2TP
                | CAPWAP_DATA
                | TZSP
                | MPLS
        )
    };
    let [s0, s1, d0, d1] = ports;
    is_of_none(u16::from_be_bytes([s0, s1])) && is_of_none(u16::from_be_bytes([d0, d1]))
}

type Inside = (TunnelKind, Option<u64>, Layer);

fn tunnel(view: &mut View<'_>, port: u16) -> Option<Inside> {
    match port {
        VXLAN | VXLAN_LINUX => vxlan(view),
        VXLAN_GPE => vxlan_gpe(view),
        GENEVE => geneve(view),
        GTP_U => gtp_u(view),
        TEREDO => teredo(view),
        L2TP => l2tp(view),
        CAPWAP_DATA => capwap(view),
        TZSP => tzsp(view),
        _ => None,
    }
}

/// RFC 7348, section 5; the group policy flag of draft-smith-vxlan-group-policy is let through.
fn vxlan(view: &mut View<'_>) -> Option<Inside> {
    let [flags, _, _, _, a, b, c, _] = *view.take(Skip::Udp).ok()?;
    (flags & 0x7f == 0x08).then_some(())?;
    let network = u64::from(u32::from_be_bytes([0, a, b, c]));
    Some((TunnelKind::Vxlan, Some(network), Layer::Ethernet))
}

/// draft-ietf-nvo3-vxlan-gpe, section 3.
fn vxlan_gpe(view: &mut View<'_>) -> Option<Inside> {
    let [flags, _, _, next, a, b, c, _] = *view.take(Skip::Udp).ok()?;
    // Version 0, an instance, and neither broadcast nor maintenance.
    (flags & 0xf9 == 0x08).then_some(())?;
    let layer = match flags & 0x04 {
        0 => Layer::Ethernet,
        _ => ethernet::inner_protocol(next).ok()?,
    };
    let network = u64::from(u32::from_be_bytes([0, a, b, c]));
    Some((TunnelKind::Vxlan, Some(network), layer))
}

/// RFC 8926, section 3.4.
fn geneve(view: &mut View<'_>) -> Option<Inside> {
    let [version, _, p0, p1, a, b, c, _] = *view.take(Skip::Udp).ok()?;
    (version >> 6 == 0).then_some(())?;
    view.advance(usize::from(version & 0x3f) * 4, Skip::Udp)
        .ok()?;
    let layer = match u16::from_be_bytes([p0, p1]) {
        0x6558 => Layer::Ethernet,
        0x0800 => Layer::Ipv4,
        0x86dd => Layer::Ipv6,
        _ => return None,
    };
    let network = u64::from(u32::from_be_bytes([0, a, b, c]));
    Some((TunnelKind::Geneve, Some(network), layer))
}

/// 3GPP TS 29.281, section 5: version 1, a user's packet.
fn gtp_u(view: &mut View<'_>) -> Option<Inside> {
    let [flags, kind, l0, l1, endpoint @ ..] = *view.take::<8>(Skip::Udp).ok()?;
    (flags & 0xf0 == 0x30 && kind == GTP_USER_PACKET).then_some(())?;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    (length <= view.wire()).then_some(())?;
    view.limit(length);
    if flags & 0x07 != 0 {
        let [_, _, _, mut next] = *view.take(Skip::Udp).ok()?;
        let mut left = MAX_GTP_EXTENSIONS;
        while flags & GTP_EXTENSIONS != 0 && next != 0 {
            left = left.checked_sub(1)?;
            let [quads] = *view.take(Skip::Udp).ok()?;
            let content_len = (usize::from(quads) * 4).checked_sub(2)?;
            view.advance(content_len, Skip::Udp).ok()?;
            [next] = *view.take(Skip::Udp).ok()?;
        }
    }
    let layer = ip_inside(view)?;
    let endpoint = u64::from(u32::from_be_bytes(endpoint));
    Some((TunnelKind::GtpU, Some(endpoint), layer))
}

/// RFC 4380, section 5.1.1: perhaps an authentication, perhaps an origin, then IPv6.
fn teredo(view: &mut View<'_>) -> Option<Inside> {
    if let Some([0, 1, client_len, value_len]) = view.peek() {
        let rest_len = usize::from(*client_len) + usize::from(*value_len) + 9;
        view.advance(4 + rest_len, Skip::Udp).ok()?;
    }
    if let Some([0, 0]) = view.peek() {
        view.advance(8, Skip::Udp).ok()?;
    }
    let [first, _, _, _, l0, l1] = view.peek()?;
    let payload_len = usize::from(u16::from_be_bytes([*l0, *l1]));
    // The standard allows for a trailer.
    (first >> 4 == 6 && payload_len + 40 <= view.wire()).then_some(())?;
    Some((TunnelKind::Teredo, None, Layer::Ipv6))
}

/// RFC 2661, section 3.1: version 2, a data message.
fn l2tp(view: &mut View<'_>) -> Option<Inside> {
    let before = view.wire();
    let [flags, version] = *view.take(Skip::Udp).ok()?;
    (flags & 0xb4 == 0 && version & 0x0f == 2).then_some(())?;
    if flags & L2TP_LENGTH != 0 {
        let length = usize::from(u16::from_be_bytes(*view.take(Skip::Udp).ok()?));
        (length <= before).then_some(())?;
        view.limit(length.checked_sub(4)?);
    }
    let [t0, t1, s0, s1] = *view.take(Skip::Udp).ok()?;
    if flags & L2TP_SEQUENCE != 0 {
        view.advance(4, Skip::Udp).ok()?;
    }
    if flags & L2TP_OFFSET != 0 {
        let offset = u16::from_be_bytes(*view.take(Skip::Udp).ok()?);
        view.advance(usize::from(offset), Skip::Udp).ok()?;
    }
    // Behind a thin header, only PPP that leads to IP.
    matches!(
        view.peek(),
        Some([0xff, 0x03, 0x00, 0x21 | 0x57] | [0x00, 0x21 | 0x57, ..] | [0x21 | 0x57, ..])
    )
    .then_some(())?;
    let session = u64::from(u32::from_be_bytes([t0, t1, s0, s1]));
    Some((TunnelKind::L2tp, Some(session), Layer::Ppp))
}

/// RFC 5415, section 4.3: a header whose first bits say how long it is and what follows.
fn capwap(view: &mut View<'_>) -> Option<Inside> {
    let [preamble, a, b, c, _, _, d, e] = *view.peek()?;
    (preamble == 0).then_some(())?;
    let fields = u32::from_be_bytes([0, a, b, c]);
    let header_len = usize::from(a >> 3) * 4;
    (header_len >= 8).then_some(())?;
    let is_fragment = fields & CAPWAP_FRAGMENT != 0 || u16::from_be_bytes([d, e]) >> 3 != 0;
    let is_keep_alive = fields & CAPWAP_KEEP_ALIVE != 0;
    (!is_fragment && !is_keep_alive).then_some(())?;
    view.advance(header_len, Skip::Udp).ok()?;
    let layer = if fields & CAPWAP_NATIVE == 0 {
        Layer::Ethernet
    } else {
        // The access points of one large vendor swap the frame control field.
        match view.peek()? {
            [control, _] if control & 0x0f == 0x08 => Layer::Wlan(Wlan::Plain),
            [_, control] if control & 0x0f == 0x08 => Layer::Wlan(Wlan::Swapped),
            _ => return None,
        }
    };
    Some((TunnelKind::Capwap, None, layer))
}

/// TaZmen Sniffer Protocol, version 1: tagged fields, then a frame.
fn tzsp(view: &mut View<'_>) -> Option<Inside> {
    let [1, 0 | 1, p0, p1] = *view.take(Skip::Udp).ok()? else {
        return None;
    };
    let layer = match u16::from_be_bytes([p0, p1]) {
        1 => Layer::Ethernet,
        18 => Layer::Wlan(Wlan::Plain),
        119 => Layer::Prism,
        127 => Layer::Radiotap,
        _ => return None,
    };
    for _ in 0..MAX_TZSP_TAGS {
        match *view.take(Skip::Udp).ok()? {
            [TZSP_PADDING] => {}
            [TZSP_END] => return Some((TunnelKind::Tzsp, None, layer)),
            [_] => {
                let [length] = *view.take(Skip::Udp).ok()?;
                view.advance(usize::from(length), Skip::Udp).ok()?;
            }
        }
    }
    None
}

fn ip_inside(view: &View<'_>) -> Option<Layer> {
    match view.peek()? {
        [first] if first >> 4 == 4 => Some(Layer::Ipv4),
        [first] if first >> 4 == 6 => Some(Layer::Ipv6),
        _ => None,
    }
}

// Ports (IANA, "Service Name and Transport Protocol Port Number Registry").
const L2TP: u16 = 1701;
const GTP_U: u16 = 2152;
const TEREDO: u16 = 3544;
const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const CAPWAP_DATA: u16 = 5247;
const GENEVE: u16 = 6081;
const MPLS: u16 = 6635;
/// What Linux used before the number was assigned, and still does unless told.
const VXLAN_LINUX: u16 = 8472;
const TZSP: u16 = 37008;

const GTP_USER_PACKET: u8 = 255;
const GTP_EXTENSIONS: u8 = 0x04;
/// The standard names four types; a bound beyond them.
const MAX_GTP_EXTENSIONS: u8 = 8;

const L2TP_LENGTH: u8 = 0x40;
const L2TP_SEQUENCE: u8 = 0x08;
const L2TP_OFFSET: u8 = 0x02;

const CAPWAP_NATIVE: u32 = 0x100;
const CAPWAP_FRAGMENT: u32 = 0x080;
const CAPWAP_KEEP_ALIVE: u32 = 0x008;

const TZSP_PADDING: u8 = 0;
const TZSP_END: u8 = 1;
/// Each a byte or more; real frames have a handful.
const MAX_TZSP_TAGS: u8 = 64;
