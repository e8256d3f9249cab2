//! The way to a segment: the VLANs and tunnels around it, as a number and as a list.
//!
//! The number is made for every segment and costs nothing where there is no encapsulation; the
//! list is made on a second walk, once for a path that is worth telling of. Both are fed by the
//! same walk through a [`Trail`], so they cannot disagree.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which VLANs and tunnels a segment was wrapped in, folded to a number.
///
/// Zero is "none". Else a fixed hash, the same in every run: equal paths have equal numbers, and
/// different paths almost always different ones. The two directions of a flow often differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub u32);

impl PathId {
    fn mix(&mut self, value: u64) {
        let mixed = (u64::from(self.0) ^ value.rotate_left(32))
            .wrapping_add(INCREMENT)
            .wrapping_mul(MULTIPLIER);
        let [_, _, _, _, a, b, c, d] = (mixed ^ mixed >> 32).to_le_bytes();
        let [e, f, g, h, ..] = mixed.to_le_bytes();
        let folded =
            u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h]).rotate_left(7);
        self.0 = folded.max(1);
    }
}

/// What a segment was wrapped in, outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encapsulation {
    /// The VLAN ids of all tags, also of those inside a tunnel. A priority tag (id 0) is none.
    pub vlans: Vec<u16>,
    /// The tunnels.
    pub tunnels: Vec<Tunnel>,
}

/// One tunnel around a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tunnel {
    /// Its protocol.
    pub kind: TunnelKind,
    /// The number that tells it from its neighbours, where its protocol has one: GRE key, VXLAN or
    /// GENEVE network, GTP-U endpoint, ERSPAN session, PPPoE session, innermost MPLS label.
    pub id: Option<u64>,
    /// The IP address that sent it; `None` for a tunnel without IP around it (MPLS, PPPoE).
    pub source: Option<IpAddr>,
    /// The IP address it was sent to.
    pub destination: Option<IpAddr>,
}

/// A tunnel's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TunnelKind {
    /// CAPWAP data channel (RFC 5415).
    Capwap,
    /// Cisco ERSPAN, a mirror port over GRE.
    Erspan,
    /// Ethernet over IP of MikroTik, or EtherIP (RFC 3378).
    EtherIp,
    /// IPv4 in IPv6 (RFC 2473).
    FourInSix,
    /// GENEVE (RFC 8926).
    Geneve,
    /// GRE (RFC 2784, RFC 2890).
    Gre,
    /// GTP-U (3GPP TS 29.281).
    GtpU,
    /// IPv4 in IPv4 (RFC 2003).
    IpIp,
    /// L2TP version 2 (RFC 2661).
    L2tp,
    /// MPLS (RFC 3032).
    Mpls,
    /// Network service header (RFC 8300).
    Nsh,
    /// Provider backbone bridging, MAC in MAC (IEEE 802.1ah).
    Pbb,
    /// PPP over Ethernet (RFC 2516).
    Pppoe,
    /// PPTP, GRE version 1 (RFC 2637).
    Pptp,
    /// IPv6 in IPv4 (RFC 4213).
    SixInFour,
    /// IPv6 in IPv6 (RFC 2473).
    SixInSix,
    /// Teredo (RFC 4380).
    Teredo,
    /// TaZmen Sniffer Protocol, a mirror over UDP.
    Tzsp,
    /// VXLAN (RFC 7348), also with the generic protocol extension.
    Vxlan,
}

impl TunnelKind {
    /// The word for the protocol in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capwap => "capwap",
            Self::Erspan => "erspan",
            Self::EtherIp => "etherip",
            Self::FourInSix => "4in6",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::GtpU => "gtp-u",
            Self::IpIp => "ipip",
            Self::L2tp => "l2tp",
            Self::Mpls => "mpls",
            Self::Nsh => "nsh",
            Self::Pbb => "pbb",
            Self::Pppoe => "pppoe",
            Self::Pptp => "pptp",
            Self::SixInFour => "6in4",
            Self::SixInSix => "6in6",
            Self::Teredo => "teredo",
            Self::Tzsp => "tzsp",
            Self::Vxlan => "vxlan",
        }
    }
}

/// The addresses of an IP header, left in the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Addresses<'a> {
    /// No IP header so far.
    None,
    /// Source and destination.
    V4(&'a [u8; 4], &'a [u8; 4]),
    /// Source and destination.
    V6(&'a [u8; 16], &'a [u8; 16]),
}

impl Addresses<'_> {
    /// Source and destination as values.
    pub(crate) fn pair(self) -> Option<(IpAddr, IpAddr)> {
        match self {
            Self::None => None,
            Self::V4(source, destination) => Some((
                IpAddr::V4(Ipv4Addr::from(*source)),
                IpAddr::V4(Ipv4Addr::from(*destination)),
            )),
            Self::V6(source, destination) => Some((
                IpAddr::V6(Ipv6Addr::from(*source)),
                IpAddr::V6(Ipv6Addr::from(*destination)),
            )),
        }
    }
}

/// What is told of the way while it is walked.
pub(crate) trait Trail {
    /// A VLAN tag with this id.
    fn vlan(&mut self, id: u16);
    /// A tunnel inside the IP header with these addresses.
    fn tunnel(&mut self, kind: TunnelKind, id: Option<u64>, outer: Addresses<'_>);
    /// The number of the way so far.
    fn path(&self) -> PathId;
}

impl Trail for PathId {
    fn vlan(&mut self, id: u16) {
        if id != PRIORITY_TAG {
            self.mix(u64::from(id));
        }
    }

    fn tunnel(&mut self, kind: TunnelKind, id: Option<u64>, outer: Addresses<'_>) {
        #[expect(
            clippy::as_conversions,
            reason = "the discriminant of a small enum without fields"
        )]
        let kind = kind as u64;
        self.mix(kind << 16 | 1 << 32);
        self.mix(id.map_or(0, |id| id ^ 1 << 48));
        match outer {
            Addresses::None => {}
            Addresses::V4(source, destination) => {
                let [a, b, c, d] = *source;
                let [e, f, g, h] = *destination;
                self.mix(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
            }
            Addresses::V6(source, destination) => {
                for address in [source, destination] {
                    for word in address.as_chunks::<8>().0 {
                        self.mix(u64::from_be_bytes(*word));
                    }
                }
            }
        }
    }

    fn path(&self) -> PathId {
        *self
    }
}

impl Trail for Encapsulation {
    fn vlan(&mut self, id: u16) {
        if id != PRIORITY_TAG {
            self.vlans.push(id);
        }
    }

    fn tunnel(&mut self, kind: TunnelKind, id: Option<u64>, outer: Addresses<'_>) {
        let (source, destination) = outer.pair().unzip();
        self.tunnels.push(Tunnel {
            kind,
            id,
            source,
            destination,
        });
    }

    fn path(&self) -> PathId {
        PathId::default()
    }
}

/// Nothing is told.
impl Trail for () {
    fn vlan(&mut self, _id: u16) {}

    fn tunnel(&mut self, _kind: TunnelKind, _id: Option<u64>, _outer: Addresses<'_>) {}

    fn path(&self) -> PathId {
        PathId::default()
    }
}

/// A tag with VLAN id 0 carries a priority and no VLAN (IEEE 802.1Q, table 9-2).
const PRIORITY_TAG: u16 = 0;

// Any odd multiplier and any increment do; these are the well-mixed ones of SplitMix64.
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;
const MULTIPLIER: u64 = 0xbf58_476d_1ce4_e5b9;
