//! TCP in an IPv4 packet without options, whole in one Ethernet frame: nearly all frames of nearly
//! all captures, read without a walk. And UDP in such a packet, of which nothing is read.
//!
//! Each field stands at a fixed place (IEEE 802.3; RFC 791, section 3.1; RFC 9293, section 3.1), so
//! no header has to be taken off. What is in any way else is left to the walk, which says the same
//! of these frames: a test holds one against the other.

use crate::capture::{Frame, LinkType};
use crate::flow::FlowKey;
use crate::packet::path::PathId;
use crate::packet::tcp::{FLAG_BITS, Flags, Segment, SeqNumber};
use crate::packet::{ethernet, ip, udp};

/// The segment in a plain frame; `None` for any other frame.
#[inline(always)]
pub(crate) fn segment(frame: &Frame<'_>) -> Option<Segment> {
    if frame.link_type != LinkType::ETHERNET {
        return None;
    }
    // An Ethernet header of 14 bytes, an IP header of 20, and the fixed 20 of TCP.
    let h: &[u8; 54] = frame.data.first_chunk()?;
    let is_plain = u16::from_be_bytes([h[12], h[13]]) == ethernet::IPV4
        && h[14] == 0x45
        && !ip::is_fragment_v4(u16::from_be_bytes([h[20], h[21]]))
        && h[23] == ip::TCP;
    if !is_plain {
        return None;
    }
    let header_len = u32::from(h[46] >> 4) * 4;
    let total_len = u32::from(u16::from_be_bytes([h[16], h[17]]));
    // By the IP header, then in the capture: the options are whole in both.
    let payload_len = total_len.checked_sub(20 + header_len)?;
    let payload_start = 34 + header_len;
    let captured_len = u32::try_from(frame.data.len()).ok()?;
    let captured = captured_len.checked_sub(payload_start)?;
    if header_len < 20 {
        return None;
    }
    // What follows the packet is padding.
    let wire = frame.original_len.max(captured_len) - payload_start;
    let (key, direction) = FlowKey::v4(
        [h[26], h[27], h[28], h[29]],
        u16::from_be_bytes([h[34], h[35]]),
        [h[30], h[31], h[32], h[33]],
        u16::from_be_bytes([h[36], h[37]]),
    );
    Some(Segment {
        key,
        direction,
        seq: SeqNumber(u32::from_be_bytes([h[38], h[39], h[40], h[41]])),
        ack: SeqNumber(u32::from_be_bytes([h[42], h[43], h[44], h[45]])),
        flags: Flags(u16::from_be_bytes([h[46], h[47]]) & FLAG_BITS),
        window: u16::from_be_bytes([h[48], h[49]]),
        ip_id: u16::from_be_bytes([h[18], h[19]]),
        payload_start,
        payload_len: captured.min(payload_len),
        wire_len: wire.min(payload_len),
        path: PathId::default(),
    })
}

/// Whether a frame holds a datagram that is no tunnel: nothing to follow up. `false` says nothing.
#[inline(always)]
pub(crate) fn is_plain_udp(frame: &Frame<'_>) -> bool {
    // An Ethernet header of 14 bytes, an IP header of 20, and the 8 of UDP (RFC 768).
    frame.link_type == LinkType::ETHERNET
        && frame.data.first_chunk::<42>().is_some_and(|h| {
            u16::from_be_bytes([h[12], h[13]]) == ethernet::IPV4
                && h[14] == 0x45
                && !ip::is_fragment_v4(u16::from_be_bytes([h[20], h[21]]))
                && h[23] == ip::UDP
                && u16::from_be_bytes([h[16], h[17]]) >= 28
                && udp::is_no_tunnel([h[34], h[35], h[36], h[37]])
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packet::decode::{Decoded, walked};
    use crate::packet::skip::Skip;
    use crate::time::{Precision, Timestamp};

    proptest! {
        /// Lengths that lie, options, fragments, cut and padded frames: whatever this reads, the
        /// walk reads too, and in the same way.
        #[test]
        fn a_plain_frame_is_what_the_walk_finds(
            total_len in prop_oneof![0_u16..120, any::<u16>()],
            first in prop_oneof![3 => Just(0x45_u8), 1 => any::<u8>()],
            fragment in prop_oneof![3 => Just(0x4000_u16), 1 => any::<u16>()],
            offset in any::<u8>(),
            kept in 0_usize..130,
            more_on_wire in 0_u32..80,
            filling in prop::collection::vec(any::<u8>(), 130),
        ) {
            let mut data = filling;
            data[12..14].copy_from_slice(&ethernet::IPV4.to_be_bytes());
            data[14] = first;
            data[16..18].copy_from_slice(&total_len.to_be_bytes());
            data[20..22].copy_from_slice(&fragment.to_be_bytes());
            data[23] = ip::TCP;
            data[46] = offset;
            data.truncate(kept);
            let frame = Frame {
                number: 1,
                time: Timestamp::from_nanos(0),
                precision: Precision::Microseconds,
                link_type: LinkType::ETHERNET,
                interface: 0,
                data: &data,
                // Below what was captured too, which is not believed.
                original_len: u32::try_from(kept).unwrap().saturating_add(more_on_wire).saturating_sub(20),
            };
            if let Some(segment) = segment(&frame) {
                prop_assert_eq!(walked(&frame), Decoded::Segment(segment));
            }
        }

        /// So are datagrams, whichever ports they have.
        #[test]
        fn a_plain_datagram_is_passed_over_as_by_the_walk(
            total_len in prop_oneof![20_u16..60, any::<u16>()],
            first in prop_oneof![3 => Just(0x45_u8), 1 => any::<u8>()],
            ports in (port(), port()),
            kept in 34_usize..90,
            filling in prop::collection::vec(any::<u8>(), 90),
        ) {
            let mut data = filling;
            data[12..14].copy_from_slice(&ethernet::IPV4.to_be_bytes());
            data[14] = first;
            data[16..18].copy_from_slice(&total_len.to_be_bytes());
            data[20..22].fill(0);
            data[23] = ip::UDP;
            data[34..36].copy_from_slice(&ports.0.to_be_bytes());
            data[36..38].copy_from_slice(&ports.1.to_be_bytes());
            data.truncate(kept);
            let frame = Frame {
                number: 1,
                time: Timestamp::from_nanos(0),
                precision: Precision::Microseconds,
                link_type: LinkType::ETHERNET,
                interface: 0,
                data: &data,
                original_len: u32::try_from(kept).unwrap(),
            };
            let is_usual = first == 0x45 && total_len >= 28 && kept >= 42;
            let is_of_tunnel = |port| [4789, 6081, 2152].contains(&port);
            if is_plain_udp(&frame) {
                prop_assert_eq!(walked(&frame), Decoded::Skip(Skip::Udp));
                prop_assert!(!is_of_tunnel(ports.0) && !is_of_tunnel(ports.1));
            } else {
                prop_assert!(!is_usual || ports.0 != 53 || ports.1 != 53);
            }
        }
    }

    /// Of DNS, of tunnels (VXLAN, GENEVE, GTP-U), and any.
    fn port() -> impl Strategy<Value = u16> {
        prop_oneof![
            Just(53_u16),
            Just(4789),
            Just(6081),
            Just(2152),
            any::<u16>()
        ]
    }

    #[test]
    fn options_and_padding_are_read_here_and_a_cut_header_is_not() {
        let mut data = vec![0; 70];
        data[12..14].copy_from_slice(&ethernet::IPV4.to_be_bytes());
        data[14] = 0x45;
        data[17] = 52;
        data[23] = ip::TCP;
        data[46] = 0x70;
        let frame = |data| Frame {
            number: 1,
            time: Timestamp::from_nanos(0),
            precision: Precision::Microseconds,
            link_type: LinkType::ETHERNET,
            interface: 0,
            data,
            original_len: 70,
        };
        let found = segment(&frame(&data)).unwrap();
        assert_eq!(
            (found.payload_start, found.payload_len, found.wire_len),
            (62, 4, 4)
        );
        assert_eq!(segment(&frame(&data[..60])), None);
    }
}
