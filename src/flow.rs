//! Who talks to whom: end points, the key of a flow, and its two directions.
//!
//! Plain values without behaviour of their own. VLAN and tunnel ids are not part of the key:
//! requests and answers often differ in them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One end of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The IP address.
    pub ip: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl Endpoint {
    /// The end point `ip`:`port`.
    #[must_use]
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip, port }
    }
}

/// `192.0.2.1:443`, `[2001:db8::1]:443`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.ip, self.port).fmt(f)
    }
}

/// Both ends of a flow, the same for both directions.
///
/// Five words, and compared as such: the flow table reads one for every packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    low: [u64; 2],
    high: [u64; 2],
    /// The ports as in a [`ShortKey`], and [`IPV6`] above them.
    ports: u64,
}

/// The key of a flow over IPv4 in twelve bytes, for where many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShortKey {
    low: u32,
    high: u32,
    /// That of the low end, and below it that of the high end.
    ports: u32,
}

impl ShortKey {
    /// The key of the flow of an IPv4 segment, and the direction it travels in.
    #[inline(always)]
    pub(crate) fn between(
        source: [u8; 4],
        source_port: u16,
        destination: [u8; 4],
        destination_port: u16,
    ) -> (Self, Direction) {
        // The address of an end, and below it the ports as it sees them: one word for each orders as the ends do, and
        // of the lower one both are taken. Without a branch, since no way through a connection is the usual one.
        let end =
            |address, ports: u32| u64::from(u32::from_be_bytes(address)) << 32 | u64::from(ports);
        let there = u32::from(source_port) << 16 | u32::from(destination_port);
        let (from, to) = (end(source, there), end(destination, there.rotate_left(16)));
        let (low, high) = (from.min(to), from.max(to));
        let direction = if from <= to {
            Direction::LowToHigh
        } else {
            Direction::HighToLow
        };
        let key = Self {
            low: upper(low),
            high: upper(high),
            ports: lower(low),
        };
        (key, direction)
    }

    /// The same as it is sought by.
    #[inline]
    pub(crate) fn key(self) -> FlowKey {
        FlowKey {
            low: [0, u64::from(self.low)],
            high: [0, u64::from(self.high)],
            ports: u64::from(self.ports),
        }
    }
}

/// The key of a flow for where hundreds of thousands are kept: as short as most are.
#[derive(Clone, Debug)]
pub(crate) enum CompactKey {
    /// Of a flow over IPv4.
    V4(ShortKey),
    /// Of a flow over IPv6.
    V6(Box<FlowKey>),
}

impl CompactKey {
    /// The key as it is sought by.
    pub(crate) fn key(&self) -> FlowKey {
        match self {
            Self::V4(key) => key.key(),
            Self::V6(key) => **key,
        }
    }
}

impl From<FlowKey> for CompactKey {
    fn from(key: FlowKey) -> Self {
        match key.short() {
            Some(key) => Self::V4(key),
            None => Self::V6(Box::new(key)),
        }
    }
}

impl FlowKey {
    /// The key of the flow of an IPv4 segment, and the direction it travels in.
    #[must_use]
    // The decoder builds one for every packet: inlined it takes 7 ns a frame in place of 22.
    #[inline(always)]
    pub fn v4(
        source: [u8; 4],
        source_port: u16,
        destination: [u8; 4],
        destination_port: u16,
    ) -> (Self, Direction) {
        let (key, direction) =
            ShortKey::between(source, source_port, destination, destination_port);
        (key.key(), direction)
    }

    /// The key of the flow of an IPv6 segment, and the direction it travels in.
    #[must_use]
    #[inline(always)]
    pub fn v6(
        source: [u8; 16],
        source_port: u16,
        destination: [u8; 16],
        destination_port: u16,
    ) -> (Self, Direction) {
        let (from, to) = (words(source), words(destination));
        let (there, back) = (
            [source_port, destination_port],
            [destination_port, source_port],
        );
        let (low, high, [low_port, high_port], direction) =
            if (from, source_port) <= (to, destination_port) {
                (from, to, there, Direction::LowToHigh)
            } else {
                (to, from, back, Direction::HighToLow)
            };
        let ports = u64::from(low_port) << 16 | u64::from(high_port) | IPV6;
        (Self { low, high, ports }, direction)
    }

    /// The key of the flow between two end points; `None` when they are of different IP versions.
    #[must_use]
    pub fn between(source: Endpoint, destination: Endpoint) -> Option<(Self, Direction)> {
        match (source.ip, destination.ip) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Some(Self::v4(
                from.octets(),
                source.port,
                to.octets(),
                destination.port,
            )),
            (IpAddr::V6(from), IpAddr::V6(to)) => Some(Self::v6(
                from.octets(),
                source.port,
                to.octets(),
                destination.port,
            )),
            _ => None,
        }
    }

    /// The end point that sends in `direction`.
    #[must_use]
    pub fn source(&self, direction: Direction) -> Endpoint {
        let (address, end) = match direction {
            Direction::LowToHigh => (self.low, self.ports >> 16),
            Direction::HighToLow => (self.high, self.ports),
        };
        Endpoint::new(self.address(address), port(end))
    }

    /// The end point that receives in `direction`.
    #[must_use]
    pub fn destination(&self, direction: Direction) -> Endpoint {
        self.source(direction.reversed())
    }

    /// In short, where it runs over IPv4.
    #[inline]
    pub(crate) fn short(&self) -> Option<ShortKey> {
        let ([_, low], [_, high]) = (self.low, self.high);
        Some(ShortKey {
            low: u32::try_from(low).ok()?,
            high: u32::try_from(high).ok()?,
            // None of a flow over IPv6.
            ports: u32::try_from(self.ports).ok()?,
        })
    }

    /// Whether the flow runs over IPv6.
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        self.ports & IPV6 != 0
    }

    /// The five words that name the flow, for a hash function of the caller's choice.
    #[must_use]
    pub fn words(&self) -> [u64; 5] {
        let [a, b] = self.low;
        let [c, d] = self.high;
        [a, b, c, d, self.ports]
    }

    fn address(&self, [upper, lower]: [u64; 2]) -> IpAddr {
        if self.is_ipv6() {
            IpAddr::V6(Ipv6Addr::from_bits(
                u128::from(upper) << 64 | u128::from(lower),
            ))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(
                u32::try_from(lower).unwrap_or_default(),
            ))
        }
    }
}

#[inline(always)]
fn upper(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(u32::MAX)
}

#[inline(always)]
fn lower(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// The port in the lowest bits.
#[inline(always)]
fn port(end: u64) -> u16 {
    u16::try_from(end & 0xffff).unwrap_or(u16::MAX)
}

fn words(address: [u8; 16]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = address;
    [
        u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        u64::from_be_bytes([i, j, k, l, m, n, o, p]),
    ]
}

/// One of the two ways through a flow, named by the order of its ends and not by who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the end that sorts first to the other.
    LowToHigh,
    /// From the end that sorts last to the other.
    HighToLow,
}

impl Direction {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::LowToHigh, Self::HighToLow];

    /// The other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::LowToHigh => Self::HighToLow,
            Self::HighToLow => Self::LowToHigh,
        }
    }
}

/// Above the ports of a flow over IPv6.
const IPV6: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_is_the_same_key() {
        for (from, to) in [
            ("10.1.0.5:50112", "10.1.0.4:443"),
            ("0.0.0.0:0", "255.255.255.255:65535"),
        ] {
            let end = |text: &str| {
                let address: SocketAddr = text.parse().unwrap();
                Endpoint::new(address.ip(), address.port())
            };
            let (key, _) = FlowKey::between(end(from), end(to)).unwrap();
            assert_eq!(key.short().unwrap().key(), key);
        }
        let (key, _) = FlowKey::v6([0; 16], 1, [1; 16], 2);
        assert_eq!(key.short(), None);
    }

    #[test]
    fn both_directions_have_the_same_key() {
        let client = Endpoint::new("10.1.0.5".parse().unwrap(), 50112);
        let server = Endpoint::new("10.1.0.4".parse().unwrap(), 443);
        let (there, way) = FlowKey::between(client, server).unwrap();
        let (back, opposite) = FlowKey::between(server, client).unwrap();
        assert_eq!(there, back);
        assert_eq!(way, opposite.reversed());
        assert_eq!(
            (there.source(way), there.destination(way)),
            (client, server)
        );
    }

    #[test]
    fn ends_are_ordered_by_their_addresses_and_then_by_their_ports() {
        let addresses = [
            "0.0.0.1",
            "10.0.0.1",
            "10.0.0.2",
            "250.0.0.1",
            "::1",
            "2001:db8::1",
        ];
        let ends = addresses.iter().flat_map(|address| {
            let ports = [0, 1, 443, 0xff00, 0xffff];
            ports.map(|port| Endpoint::new(address.parse().unwrap(), port))
        });
        for from in ends.clone() {
            for to in ends.clone() {
                let Some((key, way)) = FlowKey::between(from, to) else {
                    assert_ne!(from.ip.is_ipv4(), to.ip.is_ipv4());
                    continue;
                };
                assert_eq!((key.source(way), key.destination(way)), (from, to));
                let is_ordered = (from.ip, from.port) <= (to.ip, to.port);
                assert_eq!(way == Direction::LowToHigh, is_ordered, "{from} {to}");
                let (same, _) = FlowKey::between(to, from).unwrap();
                assert_eq!(key, same);
            }
        }
    }

    #[test]
    fn an_ipv4_flow_is_not_the_ipv6_flow_of_the_mapped_addresses() {
        let (four, _) = FlowKey::v4([0, 0, 0, 1], 1, [0, 0, 0, 2], 2);
        let mut address = [0; 16];
        address[15] = 1;
        let mut other = [0; 16];
        other[15] = 2;
        let (six, way) = FlowKey::v6(address, 1, other, 2);
        assert_ne!(four, six);
        assert_ne!(four.words(), six.words());
        assert_eq!(six.source(way).to_string(), "[::1]:1");
    }
}
