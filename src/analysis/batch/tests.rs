use std::sync::Arc;

use super::*;
use crate::analysis::entry::Placed;
use crate::analysis::glance::{Glance, Whole};
use crate::analysis::keyring::Keyring;
use crate::analysis::shared::Shared;
use crate::capture::Reader;
use crate::pki::Catalog;
use crate::reassembly::Limits;

/// Ethernet, IP and TCP with `payload`; every field says something else.
fn frame(is_v6: bool, number: u8, payload: &[u8]) -> Vec<u8> {
    let ends = [(10, 50_000_u16), (20, 443)];
    let [(from, from_port), (to, to_port)] = if number.is_multiple_of(2) {
        ends
    } else {
        [ends[1], ends[0]]
    };
    let mut tcp = [from_port.to_be_bytes(), to_port.to_be_bytes()].concat();
    tcp.extend([1, 2, 3, number, 4, 5, 6, number, 0x61, 0x10, 7, number]);
    tcp.extend([0, 0, 0, 0, 1, 1, 1, 0]);
    tcp.extend(payload);
    let len = u16::try_from(tcp.len()).unwrap();
    let mut frame = vec![2; 12];
    if is_v6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(len.to_be_bytes());
        frame.extend([6, 64]);
        frame.extend([from; 16]);
        frame.extend([to; 16]);
    } else {
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((len + 20).to_be_bytes());
        frame.extend([8, number, 0x40, 0, 64, 6, 0, 0]);
        frame.extend([from; 4]);
        frame.extend([to; 4]);
    }
    frame.extend(tcp);
    frame
}

/// A block of a classic capture of Ethernet: the second of each frame, how much of it was captured, and the frame.
fn block(frames: &[(u32, usize, Vec<u8>)]) -> Block {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    for word in [0_u32, 0, 0xffff, 1] {
        file.extend(word.to_le_bytes());
    }
    for (second, kept, frame) in frames {
        let kept = frame.get(..*kept).unwrap_or(frame);
        let [captured, original] = [kept.len(), frame.len()].map(|len| u32::try_from(len).unwrap());
        for word in [*second, 0, captured, original] {
            file.extend(word.to_le_bytes());
        }
        file.extend(kept);
    }
    let mut reader = Reader::new(&*file).unwrap();
    let mut block = Block::default();
    assert!(reader.read_block(&mut block).unwrap());
    assert_eq!(block.frame_count(), frames.len());
    block
}

fn decoded<E: Entries>(block: &Block, filter: &Filter) -> Batch<E> {
    let mut batch = Batch::default();
    let tagger = Tagger::new(7);
    let decoder = Decoder::new(filter, &tagger);
    let count = batch.decode(&mut block.frames(), usize::MAX, block, decoder);
    assert_eq!(count, block.frame_count());
    batch
}

/// Of both versions of IP, whole and cut, with something to say and without.
fn usual_block() -> Block {
    let hello = [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
    let payloads = [&hello[..], b"", b"GET / HTTP/1.1\r\n", &[23, 3, 3, 0, 9]];
    let frames = (0..8).flat_map(|number| {
        let payload = payloads[usize::from(number) % 4];
        [false, true].map(|is_v6| {
            let kept = if number > 4 { 90 } else { 1_000 };
            (u32::from(number), kept, frame(is_v6, number, payload))
        })
    });
    block(&frames.collect::<Vec<_>>())
}

#[test]
fn a_frame_that_is_older_than_one_before_it_stands_aside() {
    for is_v6 in [false, true] {
        let frames = [5, 3, 9, 9, 4, 10].map(|second| (second, 1_000, frame(is_v6, 0, b"data")));
        let batch = decoded::<InOrder>(&block(&frames), &Filter::default());
        let is_aside = |entry: &Entry| matches!(entry.whose, Whose::Aside(_));
        let aside: Vec<bool> = batch.entries.all().iter().map(is_aside).collect();
        assert_eq!(aside, [false, true, false, false, true, false]);
        assert_eq!(batch.newest(), Timestamp::from_parts(10, 0));
    }
}

#[test]
fn a_frame_is_the_same_however_it_was_taken() {
    let block = usual_block();
    // All are admitted, but each is asked for.
    let asking = Filter::default().with_from(Timestamp::from_nanos(i64::MIN));
    let as_text = |batch: &Batch<InOrder>| format!("{:#?} {:?}", batch.entries.all(), batch.keys);
    let plainly = decoded(&block, &Filter::default());
    assert_eq!(as_text(&plainly), as_text(&decoded(&block, &asking)));
    let admitted = plainly.entries.all().len();
    assert_eq!(admitted, 16);
    // And nothing of a time that is left out is taken.
    let late = Filter::default().with_from(Timestamp::from_parts(4, 0));
    let batch = decoded::<InOrder>(&block, &late);
    assert_eq!((batch.entries.all().len(), batch.tally().filtered), (8, 8));
}

#[test]
fn an_entry_says_in_passing_what_its_segment_does() {
    let block = usual_block();
    let catalog = Arc::new(Catalog::builtin().clone());
    let shared = Shared::new(&Limits::default(), 7, catalog, false, Keyring::default());
    let source = Source::new(&block, 3, &shared);
    let batch = decoded::<InOrder>(&block, &Filter::default());
    for entry in batch.entries.all() {
        let segment = entry.segment(entry.key(&batch.keys).unwrap());
        let whole = Whole {
            segment: &segment,
            payload: segment.payload(source.bytes),
            begins_tls: entry.begins_tls,
            mark: entry.mark(&source),
        };
        let placed = Placed {
            entry,
            source: &source,
        };
        assert_eq!(heard(placed), heard(whole));
        assert_eq!(placed.mark().frame, u64::from(entry.number) + 1);
    }
}

fn heard<'a>(segment: impl Glance<'a>) -> String {
    let numbers = (segment.seq(), segment.ack(), segment.wire_len());
    let rest = (segment.direction(), segment.flags(), segment.path());
    let payload = (segment.payload(), segment.begins_tls());
    format!(
        "{numbers:?} {rest:?} {payload:?} {:?} {:?}",
        segment.signature(),
        segment.mark()
    )
}
