//! Reading captures: finding where records end, and making frames of them.
//!
//! `cargo bench --bench capture`

use std::io;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tlstriage::capture::{Block, Reader};

fn main() {
    divan::main();
}

/// A capture of equal packets.
#[derive(Clone, Copy, Debug)]
enum Form {
    Pcap,
    Pcapng,
}

const CASES: [(Form, usize); 4] = [
    (Form::Pcap, 1460),
    (Form::Pcap, 60),
    (Form::Pcapng, 1460),
    (Form::Pcapng, 60),
];

/// Larger than the caches, as captures are.
const CAPTURE_LEN: usize = 256 << 20;

impl Form {
    fn header(self) -> Vec<u8> {
        let words: &[u32] = match self {
            Self::Pcap => &[0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1],
            Self::Pcapng => &[
                0x0a0d_0d0a,
                28,
                0x1a2b_3c4d,
                1,
                u32::MAX,
                u32::MAX,
                28, //
                1,
                20,
                1,
                0,
                20,
            ],
        };
        words.iter().copied().flat_map(u32::to_le_bytes).collect()
    }

    fn record(self, len: usize) -> Vec<u8> {
        let len_32 = u32::try_from(len).unwrap_or_default();
        let padded = len_32.next_multiple_of(4);
        let (head, tail) = match self {
            Self::Pcap => (vec![1_795_406_400, 7, len_32, len_32], vec![]),
            Self::Pcapng => (
                vec![6, padded + 32, 0, 0x0006_2000, 7, len_32, len_32],
                vec![padded + 32],
            ),
        };
        let data = match self {
            Self::Pcap => vec![0; len],
            Self::Pcapng => vec![0; len.next_multiple_of(4)],
        };
        let bytes = |words: Vec<u32>| words.into_iter().flat_map(u32::to_le_bytes);
        bytes(head).chain(data).chain(bytes(tail)).collect()
    }

    fn capture(self, len: usize) -> (Vec<u8>, usize) {
        let record = self.record(len);
        let count = CAPTURE_LEN / record.len();
        ([self.header(), record.repeat(count)].concat(), count)
    }
}

/// Copies and walks: the serial step.
#[divan::bench(args = CASES)]
fn read_block(bencher: Bencher<'_, '_>, (form, len): (Form, usize)) {
    let (bytes, count) = form.capture(len);
    let mut block = Block::default();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(count))
        .bench_local(|| {
            let mut frames = 0;
            if let Ok(mut reader) = Reader::new(black_box(&*bytes)) {
                while let Ok(true) = reader.read_block(&mut block) {
                    frames += block.frame_count();
                }
            }
            assert_eq!(frames, count);
        });
}

/// The copy alone, in the same blocks: what no reader can save.
#[divan::bench(args = CASES)]
fn copy(bencher: Bencher<'_, '_>, (form, len): (Form, usize)) {
    let (bytes, count) = form.capture(len);
    let mut block = vec![0; 256 << 10];
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(count))
        .bench_local(|| {
            let mut input = black_box(&*bytes);
            while let Ok(1..) = io::Read::read(&mut input, &mut block) {
                black_box(&block);
            }
        });
}

/// Makes frames of one block that is in the cache: the parallel step.
#[divan::bench(args = CASES)]
fn frames(bencher: Bencher<'_, '_>, (form, len): (Form, usize)) {
    let (bytes, _) = form.capture(len);
    let mut block = Block::default();
    let read = Reader::new(&*bytes).and_then(|mut reader| reader.read_block(&mut block));
    assert!(matches!(read, Ok(true)));
    bencher
        .counter(BytesCount::new(block.bytes().len()))
        .counter(ItemsCount::new(block.frame_count()))
        .bench_local(|| {
            black_box(&block)
                .frames()
                .map(|frame| frame.time.as_nanos().unsigned_abs() ^ frame.number)
                .fold(0, u64::wrapping_add)
        });
}

/// Both steps after one another, on one thread.
#[divan::bench(args = CASES)]
fn read_block_and_frames(bencher: Bencher<'_, '_>, (form, len): (Form, usize)) {
    let (bytes, count) = form.capture(len);
    let mut block = Block::default();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(count))
        .bench_local(|| {
            let mut sum = 0;
            if let Ok(mut reader) = Reader::new(black_box(&*bytes)) {
                while let Ok(true) = reader.read_block(&mut block) {
                    sum += block.frames().map(|frame| frame.data.len()).sum::<usize>();
                }
            }
            assert_eq!(sum, count * len);
        });
}
