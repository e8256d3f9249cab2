//! TCP in an IP packet without options, whole in one Ethernet frame: nearly all frames of nearly
//! all captures, read without a walk. And UDP in such a packet, of which nothing is read.
//!
//! Each field stands at a fixed place (IEEE 802.3; RFC 791, section 3.1; RFC 8200, section 3;
//! RFC 9293, section 3.1), so no header has to be taken off. What is in any way else is left to the
//! walk, which says the same of these frames: a test holds one against the other.

use crate::capture::{Frame, LinkType};
use crate::flow::{Direction, FlowKey, ShortKey};
use crate::packet::path::PathId;
use crate::packet::tcp::{FLAG_BITS, Flags, Segment, SeqNumber};
use crate::packet::{ethernet, ip, udp};

/// What a frame holds, as far as fixed places tell.
///
/// Its headers and not what they say: each word is read where it is to stay, since one that is handed on
/// in parts of other sizes is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plain<'a> {
    /// A segment in IPv4.
    V4(V4<'a>),
    /// A segment in IPv6.
    V6(V6<'a>),
    /// A datagram that is no tunnel: nothing to follow up.
    Datagram,
    /// Whatever it is, only the walk tells.
    Other,
}

/// Headers of Ethernet, IPv4 and TCP, found to be whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct V4<'a>(&'a [u8; 14 + 20 + 20]);
/// Headers of Ethernet, IPv6 and TCP, found to be whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct V6<'a>(&'a [u8; 14 + 40 + 20]);
/// The header of TCP, the last of these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp<'a>(&'a [u8; 20]);

/// The payload of a segment: where it stands in its frame, and how much there was of it on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) wire_len: u32,
}

impl Payload {
    /// Its bytes in the frame.
    #[inline(always)]
    pub(crate) fn of(self, frame: &[u8]) -> &[u8] {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let end = usize::try_from(self.start + self.len).unwrap_or(usize::MAX);
        frame.get(start..end).unwrap_or_default()
    }
}

/// Reads a frame where everything stands in its usual place.
#[inline(always)]
pub(crate) fn read<'a>(frame: &Frame<'a>) -> Plain<'a> {
    if frame.link_type != LinkType::ETHERNET {
        return Plain::Other;
    }
    let Some(h) = frame.data.first_chunk::<54>() else {
        return read_short(frame.data);
    };
    // Some fields are compared at a time, as they stand.
    let begin = word(h, 12);
    if is_v4_without_options(begin) {
        let transport = word(h, 20);
        if is_whole_packet_of(ip::TCP, transport)
            && is_whole(frame, V4::TCP, 20, V4(h).total_len(), h[46])
        {
            return Plain::V4(V4(h));
        }
        if is_whole_packet_of(ip::UDP, transport) && is_no_tunnel(h) {
            return Plain::Datagram;
        }
    } else if is_v6(begin)
        && h[20] == ip::TCP
        && let Some(h) = frame.data.first_chunk::<74>()
        && is_whole(frame, V6::TCP, 0, V6(h).len(), h[66])
    {
        return Plain::V6(V6(h));
    }
    Plain::Other
}

/// A frame that is too short for a segment. So short a datagram is not seldom.
#[inline(never)]
fn read_short<'a>(data: &[u8]) -> Plain<'a> {
    match data.first_chunk::<42>() {
        Some(h)
            if is_v4_without_options(word(h, 12))
                && is_whole_packet_of(ip::UDP, word(h, 20))
                && is_no_tunnel(h) =>
        {
            Plain::Datagram
        }
        _ => Plain::Other,
    }
}

/// Four bytes of headers, read in one go.
#[inline(always)]
fn word<const N: usize>(h: &[u8; N], at: usize) -> [u8; 4] {
    let behind = h.get(at..).unwrap_or_default();
    behind.first_chunk().copied().unwrap_or_default()
}

/// The end of an Ethernet header and the beginning of an IP header say IPv4, and a header of 20 bytes.
#[inline(always)]
fn is_v4_without_options(begin: [u8; 4]) -> bool {
    let [high, low] = ethernet::IPV4.to_be_bytes();
    is_like(begin, [0xff, 0xff, 0xff, 0], [high, low, 0x45, 0])
}

#[inline(always)]
fn is_v6(begin: [u8; 4]) -> bool {
    let [high, low] = ethernet::IPV6.to_be_bytes();
    is_like(begin, [0xff, 0xff, 0xf0, 0], [high, low, 0x60, 0])
}

/// The words from fragment offset to protocol say that the packet is no fragment, and what is in it.
#[inline(always)]
fn is_whole_packet_of(protocol: u8, words: [u8; 4]) -> bool {
    is_like(words, [0x3f, 0xff, 0, 0xff], [0, 0, 0, protocol])
}

/// Whether an IPv4 packet with UDP in these headers is long enough for both, and by its ports no tunnel.
#[inline(always)]
fn is_no_tunnel<const N: usize>(h: &[u8; N]) -> bool {
    u16::from_be_bytes([h[16], h[17]]) >= 28 && udp::is_no_tunnel([h[34], h[35], h[36], h[37]])
}

#[inline(always)]
fn is_like(bytes: [u8; 4], mask: [u8; 4], value: [u8; 4]) -> bool {
    u32::from_le_bytes(bytes) & u32::from_le_bytes(mask) == u32::from_le_bytes(value)
}

/// Whether the header and the options of a segment are there, in `len` bytes of which it begins behind `before`,
/// and from `start` in the frame. `offset` is the byte that tells how long they are.
#[inline(always)]
fn is_whole(frame: &Frame<'_>, start: u32, before: u32, len: u32, offset: u8) -> bool {
    let header_len = header_len(offset);
    header_len >= 20
        && before + header_len <= len
        && u32::try_from(frame.data.len()).is_ok_and(|captured| start + header_len <= captured)
}

#[inline(always)]
fn header_len(offset: u8) -> u32 {
    u32::from(offset >> 4) * 4
}

/// What the headers of a plain segment say, whichever IP it came by.
pub(crate) trait Headers: Copy {
    /// What IPv4 numbers packets by.
    fn ip_id(self) -> u16;
    /// The header behind that of IP.
    fn tcp(&self) -> Tcp<'_>;
    /// The payload in the frame that begins with these headers.
    fn payload(self, frame: &Frame<'_>) -> Payload;
}

impl V4<'_> {
    /// Where the TCP header begins.
    const TCP: u32 = 34;

    /// The bytes behind the start of the IP header, by what it says.
    #[inline(always)]
    fn total_len(self) -> u32 {
        let Self(h) = self;
        u32::from(u16::from_be_bytes([h[16], h[17]]))
    }

    /// The bytes behind the IP header: [`read`] has seen that it says more than itself.
    #[inline(always)]
    fn len(self) -> u32 {
        self.total_len().wrapping_sub(20)
    }

    #[inline(always)]
    pub(crate) fn key(self) -> (ShortKey, Direction) {
        let Self(h) = self;
        ShortKey::between(
            [h[26], h[27], h[28], h[29]],
            u16::from_be_bytes([h[34], h[35]]),
            [h[30], h[31], h[32], h[33]],
            u16::from_be_bytes([h[36], h[37]]),
        )
    }

    /// The segment in the frame that begins with these headers.
    pub(crate) fn segment(self, frame: &Frame<'_>) -> Segment {
        let (key, direction) = self.key();
        let payload = self.payload(frame);
        self.tcp()
            .segment((key.key(), direction), self.ip_id(), payload)
    }
}

impl V6<'_> {
    /// Where the TCP header begins.
    const TCP: u32 = 54;

    /// The bytes behind the IP header, by what it says. A length of 0, which stands for that of the frame, is too short for a segment.
    #[inline(always)]
    fn len(self) -> u32 {
        let Self(h) = self;
        u32::from(u16::from_be_bytes([h[18], h[19]]))
    }

    #[inline(always)]
    pub(crate) fn key(self) -> (FlowKey, Direction) {
        let Self(h) = self;
        // The addresses are the last of the IP header.
        let (front, _) = h.split_at(54);
        let (front, destination) = front.split_last_chunk().unwrap_or((&[], &[0; 16]));
        let source = front.last_chunk().unwrap_or(&[0; 16]);
        FlowKey::v6(
            *source,
            u16::from_be_bytes([h[54], h[55]]),
            *destination,
            u16::from_be_bytes([h[56], h[57]]),
        )
    }

    /// The segment in the frame that begins with these headers.
    pub(crate) fn segment(self, frame: &Frame<'_>) -> Segment {
        let payload = self.payload(frame);
        self.tcp().segment(self.key(), 0, payload)
    }
}

impl Headers for V4<'_> {
    #[inline(always)]
    fn ip_id(self) -> u16 {
        let Self(h) = self;
        u16::from_be_bytes([h[18], h[19]])
    }

    #[inline(always)]
    fn tcp(&self) -> Tcp<'_> {
        let Self(h) = self;
        Tcp::at_end_of(*h)
    }

    #[inline(always)]
    fn payload(self, frame: &Frame<'_>) -> Payload {
        self.tcp().payload(frame, Self::TCP, self.len())
    }
}

impl Headers for V6<'_> {
    #[inline(always)]
    fn ip_id(self) -> u16 {
        0
    }

    #[inline(always)]
    fn tcp(&self) -> Tcp<'_> {
        let Self(h) = self;
        Tcp::at_end_of(*h)
    }

    #[inline(always)]
    fn payload(self, frame: &Frame<'_>) -> Payload {
        self.tcp().payload(frame, Self::TCP, self.len())
    }
}

impl<'a> Tcp<'a> {
    #[inline(always)]
    fn at_end_of(headers: &'a [u8]) -> Self {
        Self(headers.last_chunk().unwrap_or(&[0; 20]))
    }

    /// The sequence number, and below it what is acknowledged.
    #[inline(always)]
    pub(crate) fn numbers(self) -> u64 {
        let Self(h) = self;
        u64::from_be_bytes([h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11]])
    }

    fn seq(self) -> SeqNumber {
        let Self(h) = self;
        SeqNumber(u32::from_be_bytes([h[4], h[5], h[6], h[7]]))
    }

    fn ack(self) -> SeqNumber {
        let Self(h) = self;
        SeqNumber(u32::from_be_bytes([h[8], h[9], h[10], h[11]]))
    }

    #[inline(always)]
    pub(crate) fn flags(self) -> Flags {
        let Self(h) = self;
        Flags(u16::from_be_bytes([h[12], h[13]]) & FLAG_BITS)
    }

    #[inline(always)]
    pub(crate) fn window(self) -> u16 {
        let Self(h) = self;
        u16::from_be_bytes([h[14], h[15]])
    }

    /// Where the payload stands behind this header, which is at `start` in the frame and takes `len` bytes with it
    /// by the IP header.
    #[inline(always)]
    fn payload(self, frame: &Frame<'_>, start: u32, len: u32) -> Payload {
        let Self(h) = self;
        let header_len = header_len(h[12]);
        let start = start + header_len;
        let len = len.wrapping_sub(header_len);
        let captured_len = u32::try_from(frame.data.len()).unwrap_or(u32::MAX);
        // What follows the packet is padding.
        let captured = captured_len.wrapping_sub(start);
        let wire = frame.original_len.max(captured_len).wrapping_sub(start);
        Payload {
            start,
            len: captured.min(len),
            wire_len: wire.min(len),
        }
    }

    fn segment(
        self,
        (key, direction): (FlowKey, Direction),
        ip_id: u16,
        payload: Payload,
    ) -> Segment {
        Segment {
            key,
            direction,
            seq: self.seq(),
            ack: self.ack(),
            flags: self.flags(),
            window: self.window(),
            ip_id,
            payload_start: payload.start,
            payload_len: payload.len,
            wire_len: payload.wire_len,
            path: PathId::default(),
        }
    }
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
            fragment in prop_oneof![
                3 => Just(0x4000_u16),
                1 => prop::sample::select(vec![0x2000, 0x6000, 0x8000, 0x4001, 0x1000]),
                1 => any::<u16>(),
            ],
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
            let frame = frame(&data, u32::try_from(kept).unwrap().saturating_add(more_on_wire).saturating_sub(20));
            if let Some(segment) = segment_in(&frame) {
                prop_assert_eq!(walked(&frame), Decoded::Segment(segment));
            }
        }

        /// The same in IPv6.
        #[test]
        fn a_plain_frame_of_ipv6_is_what_the_walk_finds(
            len in prop_oneof![0_u16..120, any::<u16>()],
            first in prop_oneof![3 => Just(0x60_u8), 1 => any::<u8>()],
            next in prop_oneof![5 => Just(ip::TCP), 1 => any::<u8>()],
            offset in any::<u8>(),
            kept in 0_usize..150,
            more_on_wire in 0_u32..80,
            filling in prop::collection::vec(any::<u8>(), 150),
        ) {
            let mut data = filling;
            data[12..14].copy_from_slice(&ethernet::IPV6.to_be_bytes());
            data[14] = first;
            data[18..20].copy_from_slice(&len.to_be_bytes());
            data[20] = next;
            data[66] = offset;
            data.truncate(kept);
            let frame = frame(&data, u32::try_from(kept).unwrap().saturating_add(more_on_wire).saturating_sub(20));
            let is_usual = first >> 4 == 6 && next == ip::TCP && offset >> 4 == 5 && len >= 20 && kept >= 74;
            match segment_in(&frame) {
                Some(segment) => prop_assert_eq!(walked(&frame), Decoded::Segment(segment)),
                None => prop_assert!(!is_usual),
            }
        }

        /// So are datagrams, whichever ports they have.
        #[test]
        fn a_plain_datagram_is_passed_over_as_by_the_walk(
            total_len in prop_oneof![20_u16..60, any::<u16>()],
            first in prop_oneof![3 => Just(0x45_u8), 1 => any::<u8>()],
            ports in (port(), port()),
            fragment in prop_oneof![4 => Just(0_u16), 1 => Just(0x2000), 1 => any::<u16>()],
            kept in 34_usize..90,
            filling in prop::collection::vec(any::<u8>(), 90),
        ) {
            let mut data = filling;
            data[12..14].copy_from_slice(&ethernet::IPV4.to_be_bytes());
            data[14] = first;
            data[16..18].copy_from_slice(&total_len.to_be_bytes());
            data[20..22].copy_from_slice(&fragment.to_be_bytes());
            data[23] = ip::UDP;
            data[34..36].copy_from_slice(&ports.0.to_be_bytes());
            data[36..38].copy_from_slice(&ports.1.to_be_bytes());
            data.truncate(kept);
            let frame = frame(&data, u32::try_from(kept).unwrap());
            let is_usual = first == 0x45 && total_len >= 28 && kept >= 42 && fragment & 0x3fff == 0;
            let is_of_tunnel = |port| [4789, 6081, 2152].contains(&port);
            if matches!(read(&frame), Plain::Datagram) {
                prop_assert_eq!(walked(&frame), Decoded::Skip(Skip::Udp));
                prop_assert!(!is_of_tunnel(ports.0) && !is_of_tunnel(ports.1));
            } else {
                prop_assert!(!is_usual || ports.0 != 53 || ports.1 != 53);
            }
        }
    }

    /// Below what was captured an original length is not believed.
    fn frame(data: &[u8], original_len: u32) -> Frame<'_> {
        Frame {
            number: 1,
            time: Timestamp::from_nanos(0),
            precision: Precision::Microseconds,
            link_type: LinkType::ETHERNET,
            interface: 0,
            data,
            original_len,
        }
    }

    fn segment_in(frame: &Frame<'_>) -> Option<Segment> {
        match read(frame) {
            Plain::V4(headers) => Some(headers.segment(frame)),
            Plain::V6(headers) => Some(headers.segment(frame)),
            Plain::Datagram | Plain::Other => None,
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
        let found = segment_in(&frame(&data, 70)).unwrap();
        assert_eq!(
            (found.payload_start, found.payload_len, found.wire_len),
            (62, 4, 4)
        );
        assert_eq!(segment_in(&frame(&data[..60], 70)), None);
    }
}
