//! What it costs to read a handshake: `cargo bench --bench tls`.
//!
//! Each bench takes one flow from its first byte to its facts, in segments of 1460 bytes as they come from the wire.

#![expect(clippy::expect_used, reason = "a bench is a test: it may fail loudly")]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use tlstriage::tls::{Lane, Limits, Observer, Tail, ja3, ja4};

fn main() {
    divan::main();
}

/// A flow: who sends which bytes.
type Flow = Vec<(Lane, Vec<u8>)>;

fn vec8(body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).expect("short")], body].concat()
}

fn vec16(body: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(body.len()).expect("short").to_be_bytes(),
        body,
    ]
    .concat()
}

fn vec24(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("short").to_be_bytes();
    [len.split_at(1).1, body].concat()
}

fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &vec16(fragment)[..]].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &vec24(body)[..]].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), &vec16(body)[..]].concat()
}

/// A hello as a browser sends it, with a key share of `share_len` bytes.
fn client_hello(share_len: usize) -> Vec<u8> {
    let name = [&[0], &vec16(b"backend.contoso.example")[..]].concat();
    let alpn = [vec8(b"h2"), vec8(b"http/1.1")].concat();
    let share = [&[0x11, 0xec], &vec16(&vec![7; share_len])[..]].concat();
    let extensions = [
        extension(0x2a2a, &[]),
        extension(0, &vec16(&name)),
        extension(23, &[]),
        extension(0xff01, &[0]),
        extension(10, &vec16(&[0x11, 0xec, 0, 29, 0, 23, 0, 24])),
        extension(11, &[1, 0]),
        extension(35, &[]),
        extension(16, &vec16(&alpn)),
        extension(5, &[1, 0, 0, 0, 0]),
        extension(
            13,
            &vec16(&[4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1]),
        ),
        extension(18, &[]),
        extension(51, &vec16(&share)),
        extension(45, &[1, 1]),
        extension(43, &[4, 3, 4, 3, 3]),
    ]
    .concat();
    let suites: Vec<u8> = (0..16).flat_map(|suite| [0x13, suite]).collect();
    let body = [
        vec![3, 3],
        vec![9; 32],
        vec8(&[5; 32]),
        vec16(&suites),
        vec8(&[0]),
        vec16(&extensions),
    ]
    .concat();
    record(22, &message(1, &body))
}

fn server_hello(suite: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let body = [
        &[3, 3],
        &[8; 32][..],
        &[0],
        &suite,
        &[0],
        &vec16(extensions)[..],
    ]
    .concat();
    message(2, &body)
}

fn tls12() -> Flow {
    let list = [
        vec24(&[0x30; 1200]),
        vec24(&[0x31; 1300]),
        vec24(&[0x32; 900]),
    ]
    .concat();
    let flight = [
        server_hello([0xc0, 0x2f], &extension(16, &vec16(&vec8(b"h2")))),
        message(11, &vec24(&list)),
        message(
            12,
            &[&[3, 0, 29], &vec8(&[4; 32])[..], &[4, 1, 1, 0], &[9; 256]].concat(),
        ),
        message(14, &[]),
    ];
    let keys = [record(20, &[1]), record(22, &[0; 40])].concat();
    vec![
        (Lane::A, client_hello(32)),
        (Lane::B, record(22, &flight.concat())),
        (
            Lane::A,
            [record(22, &message(16, &vec8(&[4; 32]))), keys.clone()].concat(),
        ),
        (Lane::B, keys),
        (Lane::A, record(23, &[0; 400])),
        (Lane::B, record(23, &[0; 1400])),
    ]
}

fn tls13() -> Flow {
    let extensions = [
        extension(43, &[3, 4]),
        extension(51, &[&[0, 29], &vec16(&[5; 32])[..]].concat()),
    ];
    let flight = [
        record(22, &server_hello([0x13, 2], &extensions.concat())),
        record(20, &[1]),
        record(23, &[0; 27]),
        record(23, &[0; 3600]),
        record(23, &[0; 281]),
        record(23, &[0; 69]),
    ];
    vec![
        (Lane::A, client_hello(1216)),
        (Lane::B, flight.concat()),
        (Lane::A, [record(20, &[1]), record(23, &[0; 69])].concat()),
        (Lane::A, record(23, &[0; 400])),
        (
            Lane::B,
            [record(23, &[0; 250]), record(23, &[0; 250])].concat(),
        ),
        (Lane::B, record(23, &[0; 1400])),
    ]
}

fn observe(flow: &Flow) -> Observer<u64> {
    let mut observer = Observer::new(Limits::default());
    for (lane, bytes) in flow {
        for segment in bytes.chunks(1460) {
            observer.on_bytes(*lane, segment, 1);
        }
    }
    observer
}

fn bench(bencher: Bencher<'_, '_>, flow: &Flow) {
    let len: usize = flow.iter().map(|(_, bytes)| bytes.len()).sum();
    bencher
        .counter(BytesCount::new(len))
        .counter(ItemsCount::new(1_usize))
        .bench(|| observe(flow).finish());
}

#[divan::bench]
fn whole_handshake_of_tls_1_2(bencher: Bencher<'_, '_>) {
    bench(bencher, &tls12());
}

#[divan::bench]
fn whole_handshake_of_tls_1_3(bencher: Bencher<'_, '_>) {
    bench(bencher, &tls13());
}

#[divan::bench]
fn plaintext_that_is_not_tls(bencher: Bencher<'_, '_>) {
    let text = b"GET /index.html HTTP/1.1\r\nHost: www.example\r\nAccept: */*\r\n\r\n".repeat(20);
    bench(bencher, &vec![(Lane::A, text.clone()), (Lane::B, text)]);
}

#[divan::bench]
fn fingerprints_of_a_hello(bencher: Bencher<'_, '_>) {
    let handshake = observe(&tls13()).finish().expect("TLS");
    let hello = handshake.client_hello.seen().expect("a hello");
    bencher.bench(|| (ja3(hello), ja4(hello)));
}

#[divan::bench]
fn records_after_settlement(bencher: Bencher<'_, '_>) {
    let bytes = record(23, &[0; 1395]).repeat(100);
    bencher.counter(BytesCount::new(bytes.len())).bench(|| {
        let mut tail = Tail::default();
        let mut count = 0_u32;
        for segment in bytes.chunks(1460) {
            tail.on_bytes(segment, |_, _| count += 1).expect("framed");
        }
        count
    });
}
