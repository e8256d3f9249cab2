//! Decoding a frame: the hop that every packet of a capture goes through.
//!
//! `cargo bench --bench packet`. Frames are made here, so nothing is read from disk; they lie one
//! behind the other in a block, as in a capture.

use divan::{Bencher, black_box, counter::ItemsCount};
use tlstriage::capture::{Frame, LinkType};
use tlstriage::packet::{Decoded, decode};
use tlstriage::time::{Precision, Timestamp};

fn main() {
    divan::main();
}

#[divan::bench]
fn ethernet_ipv4(bencher: Bencher<'_, '_>) {
    run(bencher, &|port| ethernet(0x0800, &ipv4(6, &tcp(port))));
}

#[divan::bench]
fn ethernet_ipv6(bencher: Bencher<'_, '_>) {
    run(bencher, &|port| ethernet(0x86dd, &ipv6(6, &tcp(port))));
}

#[divan::bench]
fn ethernet_one_of_eight_ipv6(bencher: Bencher<'_, '_>) {
    run(bencher, &|port| match port % 8 {
        0 => ethernet(0x86dd, &ipv6(6, &tcp(port))),
        _ => ethernet(0x0800, &ipv4(6, &tcp(port))),
    });
}

#[divan::bench]
fn vlan(bencher: Bencher<'_, '_>) {
    run(bencher, &|port| {
        ethernet(0x8100, &[&[0, 7, 8, 0][..], &ipv4(6, &tcp(port))].concat())
    });
}

#[divan::bench]
fn vxlan(bencher: Bencher<'_, '_>) {
    run(bencher, &|port| {
        let inner = ethernet(0x0800, &ipv4(6, &tcp(port)));
        let len = u16::try_from(inner.len() + 16).unwrap_or_default();
        let header = [
            &[0xc0, 0, 0x12, 0xb5][..],
            &len.to_be_bytes(),
            &[0, 0, 8, 0, 0, 0, 0, 0, 7, 0],
        ];
        ethernet(0x0800, &ipv4(17, &[&header.concat()[..], &inner].concat()))
    });
}

#[divan::bench]
fn udp_that_is_skipped(bencher: Bencher<'_, '_>) {
    run(bencher, &|port| {
        let header = [0xc0, 0, 0, 53, 0, 108, 0, 0];
        let port = port.to_be_bytes();
        ethernet(0x0800, &ipv4(17, &[&header[..], &port, &[1; 98]].concat()))
    });
}

fn run(bencher: Bencher<'_, '_>, make: &dyn Fn(u16) -> Vec<u8>) {
    let frames: Vec<Vec<u8>> = (0..FRAME_COUNT).map(make).collect();
    let block = frames.concat();
    let mut rest = &block[..];
    let mut views = Vec::new();
    for frame in &frames {
        let Some((data, behind)) = rest.split_at_checked(frame.len()) else {
            break;
        };
        views.push(data);
        rest = behind;
    }
    bencher.counter(ItemsCount::new(views.len())).bench(|| {
        let mut sum = 0_u64;
        for data in black_box(&views) {
            let frame = Frame {
                number: 1,
                time: Timestamp::from_nanos(0),
                precision: Precision::Microseconds,
                link_type: LinkType::ETHERNET,
                interface: 0,
                data,
                original_len: u32::try_from(data.len()).unwrap_or(u32::MAX),
            };
            if let Decoded::Segment(segment) = decode(&frame) {
                let [a, b, ..] = segment.key.words();
                sum = sum
                    .wrapping_add(a ^ b)
                    .wrapping_add(u64::from(segment.payload_len));
            }
        }
        sum
    });
}

/// What fits into a block of 256 KiB in frames of some 150 bytes.
const FRAME_COUNT: u16 = 1700;

fn tcp(port: u16) -> Vec<u8> {
    let mut header = port.to_be_bytes().to_vec();
    header.extend([
        1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x18, 2, 0, 0, 0, 0, 0,
    ]);
    header.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    header.extend([0x17; 60]);
    header
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 20).unwrap_or_default();
    let mut header = vec![0x45, 0];
    header.extend(len.to_be_bytes());
    header.extend([0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    header.extend(payload);
    header
}

fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap_or_default();
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(len.to_be_bytes());
    header.extend([protocol, 64]);
    header.extend([0x20; 31]);
    header.push(1);
    header.extend(payload);
    header
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    header.extend(ether_type.to_be_bytes());
    header.extend(payload);
    header
}
