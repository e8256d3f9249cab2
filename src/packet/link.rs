//! The first header of a frame, by the link type of its capture.
//!
//! The formats are those of the registry of the tcpdump group, "link-layer header types".
//! Link types that never carry IP, or whose layout is not published, are not read.

use crate::capture::LinkType;
use crate::packet::path::Trail;
use crate::packet::skip::Skip;
use crate::packet::view::View;
use crate::packet::walk::{Layer, Walk, Wlan};

/// Takes the header of `link_type` off.
pub(crate) fn header<T: Trail>(walk: &mut Walk<'_, T>, link_type: LinkType) -> Result<Layer, Skip> {
    let view = &mut walk.view;
    match link_type {
        LinkType::ETHERNET => Ok(Layer::Ethernet),
        LinkType::NULL | LinkType::LOOP => loopback(view),
        LinkType::LINUX_SLL => cooked(view),
        LinkType::LINUX_SLL2 => cooked_2(view),
        LinkType::DLT_RAW => match view.peek() {
            // OpenBSD's loopback has the number that is raw IP elsewhere.
            Some([0]) => loopback(view),
            _ => Ok(Layer::Ip),
        },
        LinkType::RAW | LinkType::DLT_RAW_OPENBSD => Ok(Layer::Ip),
        LinkType::IPV4 => Ok(Layer::Ipv4),
        LinkType::IPV6 => Ok(Layer::Ipv6),
        LinkType::PPP | LinkType::PPP_HDLC => Ok(Layer::Ppp),
        LinkType::PPP_WITH_DIR => after(view, 1, Layer::Ppp),
        LinkType::PPP_PPPD => after(view, 2, Layer::Ppp),
        LinkType::PPP_ETHER => Ok(Layer::EtherType(PPPOE_SESSION)),
        LinkType::C_HDLC => Ok(Layer::CiscoHdlc),
        LinkType::C_HDLC_WITH_DIR => after(view, 1, Layer::CiscoHdlc),
        LinkType::FRELAY => Ok(Layer::FrameRelay),
        LinkType::FRELAY_WITH_DIR => after(view, 1, Layer::FrameRelay),
        LinkType::NFLOG => netfilter_log(view),
        LinkType::PFLOG => packet_filter_log(view),
        LinkType::ENC => after(view, 12, Layer::Ip),
        LinkType::IEEE802_5 => token_ring(view),
        LinkType::FDDI => fddi(view),
        // Two addresses of eight bytes (RFC 2625, section 3.1).
        LinkType::IP_OVER_FC => after(view, 16, Layer::Llc),
        LinkType::ATM_RFC1483 => Ok(Layer::Llc),
        LinkType::ATM_CLIP => match view.peek() {
            Some([0xaa]) => Ok(Layer::Llc),
            _ => Ok(Layer::Ip),
        },
        LinkType::SUNATM => sun_atm(view),
        LinkType::ARCNET_LINUX => arcnet(view),
        // Direction and compressed header: sixteen bytes that libpcap puts before SLIP.
        LinkType::SLIP => after(view, 16, Layer::Ip),
        LinkType::IEEE802_11 => Ok(Layer::Wlan(Wlan::Plain)),
        LinkType::IEEE802_11_RADIOTAP => Ok(Layer::Radiotap),
        LinkType::IEEE802_11_PRISM | LinkType::IEEE802_11_AVS => Ok(Layer::Prism),
        LinkType::PPI => per_packet_information(view),
        LinkType::PKTAP | LinkType::USER2 => tap(view),
        LinkType::IPNET => solaris_zones(view),
        LinkType::IPOIB => infiniband(view),
        LinkType::JUNIPER_ETHER => juniper(view, Layer::Ethernet),
        LinkType::JUNIPER_PPP => juniper(view, Layer::Ppp),
        LinkType::JUNIPER_FRELAY => juniper(view, Layer::FrameRelay),
        LinkType::JUNIPER_CHDLC => juniper(view, Layer::CiscoHdlc),
        _ => Err(Skip::UnknownLinkType),
    }
}

fn after(view: &mut View<'_>, header_len: usize, layer: Layer) -> Result<Layer, Skip> {
    view.advance(header_len, Skip::MalformedLink)?;
    Ok(layer)
}

/// The address family of the system that captured, which the file does not name, in its byte order.
fn loopback(view: &mut View<'_>) -> Result<Layer, Skip> {
    let family = *view.take(Skip::MalformedLink)?;
    let (big, little) = (u32::from_be_bytes(family), u32::from_le_bytes(family));
    match big.min(little) {
        AF_INET => Ok(Layer::Ipv4),
        // In turn: Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
        10 | 23 | 24 | 28 | 30 => Ok(Layer::Ipv6),
        _ => Err(Skip::NotIp),
    }
}

/// Linux "cooked": packet type, device type, address, and an EtherType or a small number.
fn cooked(view: &mut View<'_>) -> Result<Layer, Skip> {
    let header: &[u8; 16] = view.take(Skip::MalformedLink)?;
    let device = u16::from_be_bytes([header[2], header[3]]);
    cooked_payload(device, u16::from_be_bytes([header[14], header[15]]))
}

/// The same with the protocol first and the index of the interface.
fn cooked_2(view: &mut View<'_>) -> Result<Layer, Skip> {
    let header: &[u8; 20] = view.take(Skip::MalformedLink)?;
    let device = u16::from_be_bytes([header[8], header[9]]);
    cooked_payload(device, u16::from_be_bytes([header[0], header[1]]))
}

fn cooked_payload(device: u16, protocol: u16) -> Result<Layer, Skip> {
    match (device, protocol) {
        (ARPHRD_RADIOTAP, _) => Ok(Layer::Radiotap),
        (ARPHRD_WLAN, _) => Ok(Layer::Wlan(Wlan::Plain)),
        (ARPHRD_FRAME_RELAY, _) => Ok(Layer::FrameRelay),
        (ARPHRD_NETLINK, _) => Err(Skip::NotIp),
        // IEEE 802.3 without LLC, LLC, CAN and the like.
        (_, 0x0004) => Ok(Layer::Llc),
        (_, 0..=1500) => Err(Skip::NotIp),
        (_, ether_type) => Ok(Layer::EtherType(ether_type)),
    }
}

/// Netfilter log: family, then fields of type, length and value; the packet is one of them.
fn netfilter_log(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [family, version, _, _] = *view.take(Skip::MalformedLink)?;
    if version != 0 {
        return Err(Skip::MalformedLink);
    }
    for _ in 0..MAX_NFLOG_FIELDS {
        let [a, b, c, d] = *view.take(Skip::MalformedLink)?;
        // In the byte order of the capturing machine. Types are small, and so tell which it is.
        let (length, kind) = match (c, d) {
            (0, 1..) => (u16::from_be_bytes([a, b]), d),
            (kind, _) => (u16::from_le_bytes([a, b]), kind),
        };
        let value_len = usize::from(length)
            .checked_sub(4)
            .ok_or(Skip::MalformedLink)?;
        if kind == NFLOG_PAYLOAD {
            view.limit(value_len);
            return match family {
                AF_INET_U8 | 10 => Ok(Layer::Ip),
                // A bridge logs without the Ethernet header; ARP has a family of its own.
                _ => Err(Skip::NotIp),
            };
        }
        view.advance(value_len.next_multiple_of(4), Skip::MalformedLink)?;
    }
    Err(Skip::TooDeep)
}

/// OpenBSD packet filter log: its length first, padded to four.
fn packet_filter_log(view: &mut View<'_>) -> Result<Layer, Skip> {
    let Some([length]) = view.peek() else {
        return Err(Skip::Cut);
    };
    let length = usize::from(*length).next_multiple_of(4);
    after(view, length, Layer::Ip)
}

/// IEEE 802.5: access and frame control, addresses, perhaps a route.
fn token_ring(view: &mut View<'_>) -> Result<Layer, Skip> {
    let header: &[u8; 14] = view.take(Skip::MalformedLink)?;
    if header[1] & 0xc0 != 0x40 {
        return Err(Skip::NotIp);
    }
    // The group bit of a source address tells of a route behind it (clause 3.3).
    if header[8] & 0x80 != 0 {
        let Some([control]) = view.peek() else {
            return Err(Skip::Cut);
        };
        view.advance(usize::from(control & 0x1f), Skip::MalformedLink)?;
    }
    Ok(Layer::Llc)
}

/// FDDI: frame control and addresses. Some systems pad the control byte to four.
fn fddi(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [control, ..] = *view.take::<13>(Skip::MalformedLink)?;
    if control & 0xf0 == 0x50 {
        Ok(Layer::Llc)
    } else {
        Err(Skip::NotIp)
    }
}

/// SunATM: direction and type, path, circuit.
fn sun_atm(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [flags, _, _, _] = *view.take(Skip::MalformedLink)?;
    match flags & 0x0f {
        2 => Ok(Layer::Llc),
        // LAN emulation: a client's number before an Ethernet frame.
        1 => after(view, 2, Layer::Ethernet),
        _ => Err(Skip::NotIp),
    }
}

/// ARCNET: addresses, an offset, and the header of RFC 1201, section 2.2. Its fragments are not joined.
fn arcnet(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [_, _, _, _, protocol, split, _, _] = *view.take(Skip::MalformedLink)?;
    match (protocol, split) {
        (212, 0) => Ok(Layer::Ipv4),
        (196, 0) => Ok(Layer::Ipv6),
        (212 | 196, _) => Err(Skip::BareFragment),
        _ => Err(Skip::NotIp),
    }
}

/// Per-packet information: length and link type of what follows, little-endian.
fn per_packet_information(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [_, _, a, b, link_type @ ..] = *view.take::<8>(Skip::MalformedLink)?;
    let length = usize::from(u16::from_le_bytes([a, b]));
    let fields_len = length.checked_sub(8).ok_or(Skip::MalformedLink)?;
    view.advance(fields_len, Skip::MalformedLink)?;
    nested(LinkType(u32::from_le_bytes(link_type)))
}

/// macOS tap: length, type of record, link type, in the byte order of the capturing machine, which
/// has been little-endian for as long as the header exists.
fn tap(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [a, b, c, d, e, f, g, h, link_type @ ..] = *view.take::<12>(Skip::MalformedLink)?;
    let length = u32::from_le_bytes([a, b, c, d]);
    let rest_len = usize::try_from(length)
        .ok()
        .filter(|length| *length <= MAX_TAP_LEN)
        .and_then(|length| length.checked_sub(12))
        .ok_or(Skip::UnknownLinkType)?;
    if u32::from_le_bytes([e, f, g, h]) != TAP_PACKET {
        return Err(Skip::NotIp);
    }
    view.advance(rest_len, Skip::MalformedLink)?;
    nested(LinkType(u32::from_le_bytes(link_type)))
}

/// A link type inside another: once is enough.
fn nested(link_type: LinkType) -> Result<Layer, Skip> {
    match link_type {
        LinkType::PPI | LinkType::PKTAP | LinkType::USER2 => Err(Skip::UnknownLinkType),
        other => Ok(Layer::Link(other)),
    }
}

/// Solaris: version, family, hook, length, interfaces, zones.
fn solaris_zones(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [_, family, ..] = *view.take::<24>(Skip::MalformedLink)?;
    match family {
        AF_INET_U8 | 26 => Ok(Layer::Ip),
        _ => Err(Skip::NotIp),
    }
}

/// IP over InfiniBand: a destination of twenty bytes put twice as long before the EtherType.
fn infiniband(view: &mut View<'_>) -> Result<Layer, Skip> {
    view.advance(40, Skip::MalformedLink)?;
    let [a, b, _, _] = *view.take(Skip::MalformedLink)?;
    Ok(Layer::EtherType(u16::from_be_bytes([a, b])))
}

/// Juniper: a magic number, flags, extensions.
fn juniper(view: &mut View<'_>, layer: Layer) -> Result<Layer, Skip> {
    let [0x4d, 0x47, 0x43, flags] = *view.take(Skip::MalformedLink)? else {
        return Err(Skip::MalformedLink);
    };
    if flags & JUNIPER_EXTENSIONS != 0 {
        let extensions_len = u16::from_be_bytes(*view.take(Skip::MalformedLink)?);
        view.advance(usize::from(extensions_len), Skip::MalformedLink)?;
    }
    if flags & JUNIPER_NO_LINK_LAYER == 0 {
        return Ok(layer);
    }
    // The address family, in four bytes of the machine's order.
    loopback(view)
}

const AF_INET: u32 = 2;
const AF_INET_U8: u8 = 2;

const PPPOE_SESSION: u16 = 0x8864;

// Device types (Linux, if_arp.h).
const ARPHRD_FRAME_RELAY: u16 = 770;
const ARPHRD_WLAN: u16 = 801;
const ARPHRD_RADIOTAP: u16 = 803;
const ARPHRD_NETLINK: u16 = 824;

const NFLOG_PAYLOAD: u8 = 9;
/// The kernel has some twenty types of fields, each once in a packet.
const MAX_NFLOG_FIELDS: u8 = 64;

const TAP_PACKET: u32 = 1;
/// The header has grown to 156 bytes so far.
const MAX_TAP_LEN: usize = 1024;

const JUNIPER_EXTENSIONS: u8 = 0x80;
const JUNIPER_NO_LINK_LAYER: u8 = 0x02;
