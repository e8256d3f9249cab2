//! Where a walk through a frame stands: the rest of its bytes, and what was learned on the way.
//!
//! The layers (`link`, `ethernet`, `ip`, …) each take their header off and name the next
//! [`Layer`]; they do not call one another, so nothing recurses, whatever a frame pretends.

use crate::capture::LinkType;
use crate::packet::path::{Addresses, Trail, TunnelKind};
use crate::packet::skip::Skip;
use crate::packet::view::View;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The header of a link type.
    Link(LinkType),
    /// An Ethernet frame.
    Ethernet,
    /// What an EtherType names.
    EtherType(u16),
    /// An IEEE 802.2 LLC header.
    Llc,
    /// A SNAP header.
    Snap,
    /// PPP, perhaps in HDLC framing.
    Ppp,
    /// Cisco HDLC.
    CiscoHdlc,
    /// Frame Relay.
    FrameRelay,
    /// A radiotap header.
    Radiotap,
    /// A Prism or AVS header.
    Prism,
    /// An IEEE 802.11 frame.
    Wlan(Wlan),
    /// IP of either version.
    Ip,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// What an IP protocol number names.
    Protocol(u8),
    /// A piece of an IP packet.
    Piece(Piece),
}

/// How an 802.11 frame was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wlan {
    /// As on the air.
    Plain,
    /// The header padded to four bytes.
    Padded,
    /// The two bytes of the frame control field swapped.
    Swapped,
}

/// What the header of an IP fragment says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) id: u32,
    pub(crate) protocol: u8,
    pub(crate) offset: u16,
    pub(crate) more: bool,
}

/// A walk through a frame.
pub(crate) struct Walk<'a, T> {
    /// The rest of the frame.
    pub(crate) view: View<'a>,
    /// The addresses of the innermost IP header so far.
    pub(crate) addresses: Addresses<'a>,
    /// The identification of the innermost IPv4 header.
    pub(crate) ip_id: u16,
    /// How many tunnels were entered.
    pub(crate) depth: u8,
    vlan_count: u8,
    /// What is told of the way.
    pub(crate) trail: T,
}

impl<'a, T: Trail> Walk<'a, T> {
    pub(crate) fn new(view: View<'a>, trail: T, depth: u8) -> Self {
        Self {
            view,
            addresses: Addresses::None,
            ip_id: 0,
            depth,
            vlan_count: 0,
            trail,
        }
    }

    /// Notes a VLAN tag.
    pub(crate) fn enter_vlan(&mut self, id: u16) -> Result<(), Skip> {
        self.vlan_count += 1;
        if self.vlan_count > MAX_VLANS {
            return Err(Skip::TooDeep);
        }
        self.trail.vlan(id);
        Ok(())
    }

    /// Notes a tunnel.
    pub(crate) fn enter_tunnel(&mut self, kind: TunnelKind, id: Option<u64>) -> Result<(), Skip> {
        if self.depth >= MAX_TUNNELS {
            return Err(Skip::TooDeep);
        }
        self.depth += 1;
        self.trail.tunnel(kind, id, self.addresses);
        Ok(())
    }
}

/// VLAN tags in a frame, those inside tunnels too. Real networks stack two or three.
pub(crate) const MAX_VLANS: u8 = 8;

/// Tunnels in a frame. Real networks nest two or three; each costs an attacker a header, and us a look.
pub(crate) const MAX_TUNNELS: u8 = 8;
