//! Packets by hand: TCP and UDP (RFC 9293, RFC 768), IPv4 and IPv6 (RFC 791, RFC 8200), the link
//! layers below and the tunnels around them, with right lengths and checksums.

use std::net::{IpAddr, SocketAddr};

use super::conversation::Segment;
use super::shuffle::Timed;

/// An IP packet, or a frame once it is on a link, and when it was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub time: i64,
    /// The bytes that were captured.
    pub bytes: Vec<u8>,
    /// How many there were on the wire.
    pub wire_len: usize,
}

impl Packet {
    /// A packet captured whole.
    pub fn new(time: i64, bytes: Vec<u8>) -> Self {
        let wire_len = bytes.len();
        Self {
            time,
            bytes,
            wire_len,
        }
    }
}

impl Timed for Packet {
    fn time(&self) -> i64 {
        self.time
    }

    fn at(self, time: i64) -> Self {
        Self { time, ..self }
    }
}

/// What may happen to packets between their sender and the capture.
pub trait Packets {
    /// IP packets, inside of a tunnel.
    fn through(self, tunnel: &Tunnel) -> Self;
    /// IP packets, in fragments of at most `len` bytes of payload (a multiple of eight).
    fn fragmented(self, len: usize) -> Self;
    /// IP packets, as frames on a link.
    fn on(self, link: &Link) -> Self;
    /// Frames, cut by a snap length.
    fn cut(self, snap_len: usize) -> Self;
}

impl Packets for Vec<Packet> {
    fn through(self, tunnel: &Tunnel) -> Self {
        let wrap = |packet: Packet| Packet::new(packet.time, tunnel.wrap(&packet.bytes));
        self.into_iter().map(wrap).collect()
    }

    fn fragmented(self, len: usize) -> Self {
        let mut id = 0;
        let mut all = Self::new();
        for packet in self {
            id += 1;
            for bytes in fragments(&packet.bytes, len, id) {
                all.push(Packet::new(packet.time, bytes));
            }
        }
        all
    }

    fn on(self, link: &Link) -> Self {
        let wrap = |packet: Packet| Packet::new(packet.time, link.wrap(&packet.bytes));
        self.into_iter().map(wrap).collect()
    }

    fn cut(mut self, snap_len: usize) -> Self {
        for packet in &mut self {
            packet.bytes.truncate(snap_len);
        }
        self
    }
}

/// What frames are captured on.
#[derive(Clone, Debug)]
pub enum Link {
    /// Padded to 60 bytes, as a receiver sees it.
    Ethernet,
    /// With VLAN tags (IEEE 802.1Q), all of type 0x8100.
    Vlan(Vec<u16>),
    /// A service tag and a customer tag (IEEE 802.1ad).
    QinQ(u16, u16),
    /// With labels (RFC 3032).
    Mpls(Vec<u32>),
    /// A session of PPP over Ethernet (RFC 2516).
    Pppoe(u16),
    /// `tcpdump -i any`.
    Sll,
    /// The second form of it.
    Sll2,
    /// No link layer at all.
    Raw,
    /// BSD loopback of a little-endian machine.
    Null,
    /// BSD loopback of a big-endian machine.
    NullBigEndian,
    /// OpenBSD loopback.
    Loop,
}

impl Link {
    /// Its number in captures.
    pub fn number(&self) -> u32 {
        match self {
            Self::Ethernet | Self::Vlan(_) | Self::QinQ(..) | Self::Mpls(_) | Self::Pppoe(_) => 1,
            Self::Sll => 113,
            Self::Sll2 => 276,
            Self::Raw => 101,
            Self::Null | Self::NullBigEndian => 0,
            Self::Loop => 108,
        }
    }

    /// The frame that carries the IP packet `ip`.
    pub fn wrap(&self, ip: &[u8]) -> Vec<u8> {
        let kind = ether_type(ip);
        match self {
            Self::Ethernet => ethernet(&[&kind, ip].concat()),
            Self::Vlan(tags) => {
                let mut body = Vec::new();
                for tag in tags {
                    body.extend([0x81, 0]);
                    body.extend(tag.to_be_bytes());
                }
                ethernet(&[&body, &kind[..], ip].concat())
            }
            Self::QinQ(service, customer) => {
                let (service, customer) = (service.to_be_bytes(), customer.to_be_bytes());
                let tags = [&[0x88, 0xa8][..], &service, &[0x81, 0], &customer];
                ethernet(&[&tags.concat(), &kind[..], ip].concat())
            }
            Self::Mpls(labels) => {
                let mut body = vec![0x88, 0x47];
                for (place, label) in labels.iter().enumerate() {
                    let bottom = u32::from(place + 1 == labels.len());
                    body.extend((label << 12 | bottom << 8 | 64).to_be_bytes());
                }
                ethernet(&[&body, ip].concat())
            }
            Self::Pppoe(session) => {
                let protocol = if is_v4(ip) { [0, 0x21] } else { [0, 0x57] };
                let (session, len) = (session.to_be_bytes(), be16(ip.len() + 2));
                let body = [&[0x88, 0x64, 0x11, 0][..], &session, &len, &protocol, ip];
                ethernet(&body.concat())
            }
            // To us, on an Ethernet, from an address of six bytes.
            Self::Sll => {
                let address = [0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
                [&[0, 0, 0, 1][..], &address, &kind, ip].concat()
            }
            Self::Sll2 => {
                let head = [&kind[..], &[0, 0, 0, 0, 0, 2, 0, 1, 0, 6]].concat();
                [&head[..], &[2, 0, 0, 0, 0, 1, 0, 0], ip].concat()
            }
            Self::Raw => ip.to_vec(),
            Self::Null => [&family(ip).to_le_bytes(), ip].concat(),
            Self::NullBigEndian | Self::Loop => [&family(ip).to_be_bytes(), ip].concat(),
        }
    }
}

/// What an IP packet may travel inside of. The outer ends are always the same two.
#[derive(Clone, Debug)]
pub enum Tunnel {
    /// IP in IP (RFC 2003, RFC 4213).
    Ip,
    /// RFC 2784.
    Gre,
    /// With a key (RFC 2890).
    GreKey(u32),
    /// With an Ethernet frame inside (protocol 0x6558).
    GreEthernet,
    /// RFC 7348.
    Vxlan(u32),
    /// RFC 8926, with one option of four bytes.
    Geneve(u32),
    /// GTP-U (3GPP TS 29.281).
    Gtp(u32),
    /// The same over IPv6, whatever it is.
    OverIpv6(Box<Tunnel>),
}

impl Tunnel {
    /// The outer IP packet around `ip`.
    pub fn wrap(&self, ip: &[u8]) -> Vec<u8> {
        self.wrap_between(ip, [198, 51, 100, 1].into(), [198, 51, 100, 2].into())
    }

    fn wrap_between(&self, inner: &[u8], from: IpAddr, to: IpAddr) -> Vec<u8> {
        let frame = || Link::Ethernet.wrap(inner);
        let datagram = |port: u16, header: &[u8], body: &[u8]| {
            let ends = (SocketAddr::new(from, 49_152), SocketAddr::new(to, port));
            let udp = udp(ends.0, ends.1, &[header, body].concat());
            ip(from, to, UDP, &udp)
        };
        match self {
            Self::Ip => ip(from, to, if is_v4(inner) { 4 } else { 41 }, inner),
            Self::Gre => {
                let body = [&[0, 0], &ether_type(inner)[..], inner].concat();
                ip(from, to, GRE, &body)
            }
            Self::GreKey(key) => {
                let kind = ether_type(inner);
                let body = [&[0x20, 0], &kind[..], &key.to_be_bytes(), inner].concat();
                ip(from, to, GRE, &body)
            }
            Self::GreEthernet => ip(from, to, GRE, &[&[0, 0, 0x65, 0x58], &frame()[..]].concat()),
            Self::Vxlan(network) => {
                let network = (network << 8).to_be_bytes();
                datagram(4789, &[&[8, 0, 0, 0], &network[..]].concat(), &frame())
            }
            Self::Geneve(network) => {
                let network = (network << 8).to_be_bytes();
                let option = [1, 1, 1, 1, 0xca, 0xfe, 0xca, 0xfe];
                let header = [&[2, 0, 0x65, 0x58], &network[..], &option].concat();
                datagram(6081, &header, &frame())
            }
            Self::Gtp(tunnel) => {
                let header = [&[0x30, 0xff], &be16(inner.len())[..], &tunnel.to_be_bytes()];
                datagram(2152, &header.concat(), inner)
            }
            Self::OverIpv6(tunnel) => {
                let end = |last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0xff, last]);
                tunnel.wrap_between(inner, end(1), end(2))
            }
        }
    }
}

/// The IP packet with `payload` in it; over 65,535 bytes, its length is 0 as in captures of a
/// host that leaves segmentation to its network card.
pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = |len: usize| u16::try_from(len).unwrap_or(0).to_be_bytes();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let len = length(20 + payload.len());
            let fixed = [0x45, 0, len[0], len[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
            let mut header = [&fixed[..], &from.octets(), &to.octets()].concat();
            seal(&mut header);
            [&header, payload].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let len = length(payload.len());
            let fixed = [0x60, 0, 0, 0, len[0], len[1], protocol, 64];
            [&fixed[..], &from.octets(), &to.octets(), payload].concat()
        }
        _ => panic!("two versions of IP in one packet"),
    }
}

/// The IPv4 packet with `options` (a multiple of four bytes) in its header.
pub fn with_ipv4_options(ip: &[u8], options: &[u8]) -> Vec<u8> {
    let mut header = [&ip[..20], options].concat();
    header[0] = 0x40 | u8::try_from(header.len() / 4).unwrap();
    header[2..4].copy_from_slice(&be16(ip.len() + options.len()));
    seal(&mut header);
    [&header, &ip[20..]].concat()
}

/// The IPv6 packet with one more extension header: `body` is what follows its first two bytes,
/// six bytes or eight more each time.
pub fn with_ipv6_extension(ip: &[u8], kind: u8, body: &[u8]) -> Vec<u8> {
    let extension = [&[ip[6], u8::try_from(body.len() / 8).unwrap()], body].concat();
    let mut packet = [&ip[..40], &extension, &ip[40..]].concat();
    let len = be16(packet.len() - 40);
    packet[4..6].copy_from_slice(&len);
    packet[6] = kind;
    packet
}

/// The fragments of an IP packet, with at most `len` bytes of payload each.
pub fn fragments(ip: &[u8], len: usize, id: u32) -> Vec<Vec<u8>> {
    let (header, payload) = ip.split_at(if is_v4(ip) { 20 } else { 40 });
    let last = payload.len().saturating_sub(1) / len;
    let parts = payload.chunks(len).enumerate();
    parts
        .map(|(place, part)| {
            let offset = u16::try_from(place * len / 8).unwrap();
            let is_more = u16::from(place < last);
            let mut header = header.to_vec();
            if is_v4(ip) {
                header[2..4].copy_from_slice(&be16(20 + part.len()));
                header[4..6].copy_from_slice(&id.to_be_bytes()[2..]);
                header[6..8].copy_from_slice(&(is_more << 13 | offset).to_be_bytes());
                seal(&mut header);
            } else {
                let place = (offset << 3 | is_more).to_be_bytes();
                header[4..6].copy_from_slice(&be16(8 + part.len()));
                header.extend([header[6], 0, place[0], place[1]]);
                header.extend(id.to_be_bytes());
                header[6] = 44;
            }
            [&header, part].concat()
        })
        .collect()
}

/// The TCP segment with its header.
pub fn tcp(segment: &Segment) -> Vec<u8> {
    let (from, to) = (segment.from, segment.to);
    let mut bytes = [be16(from.port().into()), be16(to.port().into())].concat();
    bytes.extend(segment.seq.to_be_bytes());
    bytes.extend(segment.ack.to_be_bytes());
    let words = u8::try_from(5 + segment.options.len() / 4).unwrap();
    bytes.extend([words << 4, segment.flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    bytes.extend(&segment.options);
    bytes.extend(&segment.payload);
    let sum = pseudo_checksum(from.ip(), to.ip(), TCP, &bytes);
    bytes[16..18].copy_from_slice(&sum);
    bytes
}

/// The UDP datagram with its header.
pub fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let ports = [be16(from.port().into()), be16(to.port().into())].concat();
    let mut bytes = [&ports[..], &be16(8 + payload.len()), &[0, 0], payload].concat();
    let sum = pseudo_checksum(from.ip(), to.ip(), UDP, &bytes);
    bytes[6..8].copy_from_slice(&sum);
    bytes
}

/// The ICMP error of `router` that `ip` did not get where it should (RFC 792, RFC 4443), with the
/// first 64 bytes of it.
pub fn unreachable(router: IpAddr, ip: &[u8], code: u8) -> Vec<u8> {
    let quoted = &ip[..ip.len().min(64)];
    if is_v4(ip) {
        let mut body = [&[3, code, 0, 0, 0, 0, 0, 0], quoted].concat();
        let sum = checksum(&body);
        body[2..4].copy_from_slice(&sum);
        let source: [u8; 4] = ip[12..16].try_into().unwrap();
        self::ip(router, source.into(), 1, &body)
    } else {
        let mut body = [&[1, code, 0, 0, 0, 0, 0, 0], quoted].concat();
        let source: [u8; 16] = ip[8..24].try_into().unwrap();
        let sum = pseudo_checksum(router, source.into(), 58, &body);
        body[2..4].copy_from_slice(&sum);
        self::ip(router, source.into(), 58, &body)
    }
}

fn ethernet(body: &[u8]) -> Vec<u8> {
    let mut frame = [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], body].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

fn is_v4(ip: &[u8]) -> bool {
    ip[0] >> 4 == 4
}

fn ether_type(ip: &[u8]) -> [u8; 2] {
    if is_v4(ip) { [8, 0] } else { [0x86, 0xdd] }
}

/// The address family of FreeBSD.
fn family(ip: &[u8]) -> u32 {
    if is_v4(ip) { 2 } else { 28 }
}

/// Writes the checksum of an IPv4 header into it.
fn seal(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum = checksum(header);
    header[10..12].copy_from_slice(&sum);
}

fn pseudo_checksum(from: IpAddr, to: IpAddr, protocol: u8, bytes: &[u8]) -> [u8; 2] {
    let octets = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let len = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    let addresses = [octets(from), octets(to)].concat();
    checksum(&[&addresses[..], &len, &[0, 0, 0, protocol], bytes].concat())
}

/// The Internet checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
        _ => u64::from(pair[0]) << 8,
    });
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap()).to_be_bytes()
}

/// `len` as two bytes, as far as it fits: a length field above that says 0.
fn be16(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(0).to_be_bytes()
}

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
const GRE: u8 = 47;
