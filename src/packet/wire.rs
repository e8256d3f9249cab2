//! Frames built by hand, for the tests: each function puts one header before what it is given.

use crate::capture::{Frame, LinkType};
use crate::time::{Precision, Timestamp};

pub(crate) const PAYLOAD: &[u8] = b"first words of a handshake";

pub(crate) const CLIENT: [u8; 4] = [10, 1, 0, 5];
pub(crate) const SERVER: [u8; 4] = [10, 1, 2, 3];
pub(crate) const CLIENT_6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
pub(crate) const SERVER_6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];

pub(crate) const SEQ: u32 = 0x0102_0304;

/// A frame at second 0, whole on the wire and in the capture.
pub(crate) fn frame(link_type: LinkType, data: &[u8]) -> Frame<'_> {
    Frame {
        number: 1,
        time: Timestamp::from_nanos(0),
        precision: Precision::Microseconds,
        link_type,
        interface: 0,
        data,
        original_len: u32::try_from(data.len()).unwrap(),
    }
}

/// Concatenates.
pub(crate) fn all(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// TCP from port 50112 to 443, with `PSH|ACK`, twelve bytes of options and `payload`.
pub(crate) fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut header = vec![0xc3, 0xc0, 0x01, 0xbb];
    header.extend(SEQ.to_be_bytes());
    header.extend([0, 0, 0, 7, 0x80, 0x18, 0x20, 0x00, 0, 0, 0, 0]);
    header.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    header.extend(payload);
    header
}

pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_piece(protocol, 0x77, 0x4000, payload)
}

/// IPv4 with the word that holds flags and fragment offset.
pub(crate) fn ipv4_piece(protocol: u8, id: u16, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let total_len = u16::try_from(payload.len() + 20).unwrap();
    all(&[
        &[0x45, 0],
        &total_len.to_be_bytes(),
        &id.to_be_bytes(),
        &fragment.to_be_bytes(),
        &[64, protocol, 0, 0],
        &CLIENT,
        &SERVER,
        payload,
    ])
}

pub(crate) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let payload_len = u16::try_from(payload.len()).unwrap();
    all(&[
        &[0x60, 0, 0, 0],
        &payload_len.to_be_bytes(),
        &[next, 64],
        &CLIENT_6,
        &SERVER_6,
        payload,
    ])
}

pub(crate) fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 8).unwrap();
    all(&[
        &source.to_be_bytes(),
        &destination.to_be_bytes(),
        &len.to_be_bytes(),
        &[0, 0],
        payload,
    ])
}

/// UDP to a tunnel's port, in IPv4.
pub(crate) fn over_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    ipv4(17, &udp(50_000, port, payload))
}

pub(crate) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    all(&[
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2],
        &ether_type.to_be_bytes(),
        payload,
    ])
}

/// The inner part of a VLAN tag: the tag's own EtherType is given to what is before it.
pub(crate) fn tag(id: u16, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    all(&[&id.to_be_bytes(), &ether_type.to_be_bytes(), payload])
}

/// LLC and SNAP before what an EtherType names.
pub(crate) fn snap(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    all(&[
        &[0xaa, 0xaa, 3, 0, 0, 0],
        &ether_type.to_be_bytes(),
        payload,
    ])
}

pub(crate) fn gre(flags: u16, protocol: u16, fields: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = all(&[
        &flags.to_be_bytes(),
        &protocol.to_be_bytes(),
        fields,
        payload,
    ]);
    ipv4(47, &header)
}

/// The segment of [`tcp`] in IPv4, and in IPv6.
pub(crate) fn packet() -> Vec<u8> {
    ipv4(6, &tcp(PAYLOAD))
}

pub(crate) fn packet_6() -> Vec<u8> {
    ipv6(6, &tcp(PAYLOAD))
}
