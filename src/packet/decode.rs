//! The walk through one frame, from its first header to a transport.

use crate::capture::{Frame, LinkType};
use crate::packet::fragment::{self, Fragment};
use crate::packet::icmp::{self, Unreachable};
use crate::packet::path::{Addresses, Encapsulation, PathId, Trail};
use crate::packet::plain::{self, Plain};
use crate::packet::skip::Skip;
use crate::packet::tcp::{self, Segment};
use crate::packet::view::View;
use crate::packet::walk::{Layer, Walk};
use crate::packet::{ethernet, ip, link, ppp, tunnel, udp, wlan};

/// What a frame turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoded {
    /// A TCP segment.
    Segment(Segment),
    /// A piece of an IP packet, for a [`Defragmenter`](crate::packet::Defragmenter).
    Fragment(Fragment),
    /// An ICMP error about a TCP segment.
    Unreachable(Unreachable),
    /// Nothing to follow up.
    Skip(Skip),
}

/// Decodes `frame`, through all its tunnels.
#[must_use]
pub fn decode(frame: &Frame<'_>) -> Decoded {
    match plain::read(frame) {
        Plain::V4(headers) => Decoded::Segment(headers.segment(frame)),
        Plain::V6(headers) => Decoded::Segment(headers.segment(frame)),
        Plain::Datagram => Decoded::Skip(Skip::Udp),
        Plain::Other => walked(frame),
    }
}

/// Walks through a frame that may be of any kind.
#[inline]
pub(crate) fn walked(frame: &Frame<'_>) -> Decoded {
    straight(frame).unwrap_or_else(|| around_corners(frame))
}

/// TCP or UDP in IP in Ethernet and nothing else: nearly all frames of nearly all captures.
///
/// The same headers as in [`inwards`], without the turns between them.
#[inline(always)]
fn straight(frame: &Frame<'_>) -> Option<Decoded> {
    if frame.link_type != LinkType::ETHERNET {
        return None;
    }
    let mut walk = Walk::new(View::new(frame), PathId::default(), 0);
    let header: &[u8; 14] = walk.view.take(Skip::MalformedLink).ok()?;
    let protocol = match u16::from_be_bytes([header[12], header[13]]) {
        ethernet::IPV4 => match ip::v4(&mut walk) {
            Ok(Layer::Protocol(protocol)) => protocol,
            _ => return None,
        },
        ethernet::IPV6 => ip::fixed_v6(&mut walk).ok()?.next,
        _ => return None,
    };
    match protocol {
        ip::TCP => tcp::segment(&mut walk).ok().map(Decoded::Segment),
        ip::UDP => {
            let &[s0, s1, d0, d1, _, _, _, _] = walk.view.peek()?;
            udp::is_no_tunnel([s0, s1, d0, d1]).then_some(Decoded::Skip(Skip::Udp))
        }
        _ => None,
    }
}

#[inline(never)]
fn around_corners(frame: &Frame<'_>) -> Decoded {
    let mut walk = Walk::new(View::new(frame), PathId::default(), 0);
    inwards(&mut walk, frame.link_type).unwrap_or_else(Decoded::Skip)
}

/// Walks through `frame` once more and lists the VLANs and tunnels on the way.
#[must_use]
pub fn encapsulation(frame: &Frame<'_>) -> Encapsulation {
    let mut walk = Walk::new(View::new(frame), Encapsulation::default(), 0);
    // A walk that ends early has told of what it went through.
    let _ = inwards(&mut walk, frame.link_type);
    walk.trail
}

/// Takes header after header off until a transport is reached.
#[inline]
pub(crate) fn inwards<T: Trail>(
    walk: &mut Walk<'_, T>,
    link_type: LinkType,
) -> Result<Decoded, Skip> {
    let mut layer = Layer::Link(link_type);
    for _ in 0..MAX_STEPS {
        layer = match layer {
            Layer::Link(link_type) => link::header(walk, link_type)?,
            Layer::Ethernet => ethernet::header(walk)?,
            Layer::Ipv4 => ip::v4(walk)?,
            Layer::Ipv6 => ip::v6(walk)?,
            Layer::Protocol(ip::TCP) => return tcp::segment(walk).map(Decoded::Segment),
            Layer::Protocol(ip::UDP) => udp::datagram(walk)?,
            Layer::Protocol(number) => match (walk.addresses, number) {
                (Addresses::V4(..), ICMP) => return icmp::v4(walk).map(Decoded::Unreachable),
                (Addresses::V6(..), ICMP_V6) => return icmp::v6(walk).map(Decoded::Unreachable),
                _ => tunnel::by_protocol(walk, number)?,
            },
            Layer::Piece(piece) => return fragment::found(walk, piece).map(Decoded::Fragment),
            Layer::EtherType(ether_type) => ethernet::by_type(walk, ether_type)?,
            Layer::Llc => ethernet::llc(walk)?,
            Layer::Snap => ethernet::snap(walk)?,
            Layer::Ip => ip::header(walk)?,
            Layer::Ppp => ppp::frame(walk)?,
            Layer::CiscoHdlc => ppp::cisco_hdlc(walk)?,
            Layer::FrameRelay => ppp::frame_relay(walk)?,
            Layer::Radiotap => wlan::radiotap(&mut walk.view)?,
            Layer::Prism => wlan::prism(&mut walk.view)?,
            Layer::Wlan(written) => wlan::frame(walk, written)?,
        };
    }
    Err(Skip::TooDeep)
}

/// Headers of a frame. The bounds on tags, labels and tunnels are reached before; this one is for
/// the headers that have no bound of their own.
const MAX_STEPS: u8 = 64;

const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
