//! How fast segments become bytes in order: `cargo bench --bench reassembly`.

#![expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "the numbers are our own"
)]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

use tlstriage::flow::FlowKey;
use tlstriage::packet::SeqNumber;
use tlstriage::reassembly::{Chunk, FlowTable, Limits, Look, Recent, Stream};
use tlstriage::time::Timestamp;

fn main() {
    divan::main();
}

/// Every segment continues the stream: the way of nearly all.
#[divan::bench(args = [0, 4096])]
fn in_order(bencher: Bencher<'_, '_>, compared: usize) {
    run(
        bencher,
        &Limits::default().with_compared_per_direction(compared),
        &segments(0),
    );
}

/// One segment in fifty comes three places late.
#[divan::bench(args = [0, 4096])]
fn two_percent_out_of_order(bencher: Bencher<'_, '_>, compared: usize) {
    run(
        bencher,
        &Limits::default().with_compared_per_direction(compared),
        &segments(50),
    );
}

/// Single bytes with a hole before each: the worst that can wait.
#[divan::bench]
fn scattered_bytes(bencher: Bencher<'_, '_>) {
    let segments: Vec<_> = (0..COUNT).map(|place| (2 * place + 1, 1)).rev().collect();
    run(bencher, &Limits::default(), &segments);
}

/// What each packet costs in a table of so many flows: it is found, and a sweep comes by as many slots as there are packets.
#[divan::bench(args = [1_000, 100_000])]
fn look_up_and_age(bencher: Bencher<'_, '_>, flows: u32) {
    let key = |n: u32| FlowKey::v4(n.to_be_bytes(), 50_000, [10, 0, 0, 1], 443).0;
    let mut table = FlowTable::new(flows as usize, 7);
    let start = Timestamp::from_nanos(0);
    // Something may be due in each of them.
    let now = Timestamp::from_nanos(1);
    for n in 0..flows {
        let key = key(n);
        table.insert(key, table.tag(&key), start, start, [0_u64; 26]);
    }
    bencher.counter(ItemsCount::new(COUNT)).bench_local(|| {
        for place in 0..COUNT {
            let key = key(place.wrapping_mul(7919) % flows);
            let found = table.find(&key, table.tag(&key), start);
            divan::black_box(found);
            if place % TOGETHER == 0 {
                let mut left = table.at_most_due(now, TOGETHER as usize);
                while left > 0 {
                    for at in table.due(now, &mut left).slots() {
                        let over = table.look_at(at, now, |_, _, last| Look::QuietUntil(last));
                        divan::black_box(over);
                    }
                }
            }
        }
    });
}

fn run(bencher: Bencher<'_, '_>, limits: &Limits, segments: &[(u32, usize)]) {
    let bytes: usize = segments.iter().map(|(_, len)| len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        let mut recent = Recent::new(32 * 1024, limits.compared_per_direction);
        let mut stream = Stream::anchored(SeqNumber(0));
        let mut total = 0_u64;
        let mut count = |chunk: Chunk<'_>, mark: u64| match chunk {
            Chunk::Bytes(bytes) => total += mark + divan::black_box(bytes).len() as u64,
            Chunk::Gap { len, .. } => total += len,
        };
        for &(seq, len) in segments {
            let payload = &PAYLOAD[..len];
            stream.push(
                SeqNumber(seq),
                payload,
                0,
                7,
                limits,
                &mut recent,
                &mut count,
            );
        }
        stream.flush(&mut recent, &mut count);
        total
    });
}

/// Sequence number and length of full segments; each `late`-th comes three places late.
fn segments(late: u32) -> Vec<(u32, usize)> {
    let mut places: Vec<u32> = (0..COUNT).collect();
    if late > 0 {
        places.sort_by_key(|place| 2 * place + if place % late == 0 { 7 } else { 0 });
    }
    let len = PAYLOAD.len();
    places
        .into_iter()
        .map(|place| (place * len as u32, len))
        .collect()
}

const COUNT: u32 = 1000;
/// Packets between two sweeps.
const TOGETHER: u32 = 256;
static PAYLOAD: [u8; 1460] = [b'x'; 1460];
