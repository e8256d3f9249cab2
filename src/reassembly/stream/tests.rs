use proptest::prelude::*;

use super::*;

const TEXT: &[u8] = b"The first bytes win; what is missing is said.";

/// A stream, and what it has handed on: `.` stands for a missing byte.
struct Listener {
    stream: Stream<u32>,
    limits: Limits,
    recent: Recent,
    heard: Vec<u8>,
    gaps: Vec<(u64, GapReason)>,
    marks: Vec<u32>,
}

impl Listener {
    fn at(seq: u32) -> Self {
        Self {
            stream: Stream::anchored(SeqNumber(seq)),
            limits: Limits::default(),
            recent: Recent::new(1 << 16, 4096),
            heard: Vec::new(),
            gaps: Vec::new(),
            marks: Vec::new(),
        }
    }

    fn hear(&mut self, seq: u32, payload: &[u8]) -> Outcome {
        self.hear_cut(seq, payload, 0, 0)
    }

    fn hear_cut(&mut self, seq: u32, payload: &[u8], wire_len: u32, mark: u32) -> Outcome {
        let Self {
            stream,
            limits,
            recent,
            heard,
            gaps,
            marks,
        } = self;
        stream.push(
            SeqNumber(seq),
            payload,
            wire_len,
            mark,
            limits,
            recent,
            sink(heard, gaps, marks),
        )
    }

    fn flush(&mut self) {
        self.stream.flush(
            &mut self.recent,
            sink(&mut self.heard, &mut self.gaps, &mut self.marks),
        );
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.heard).unwrap()
    }
}

fn sink<'a>(
    heard: &'a mut Vec<u8>,
    gaps: &'a mut Vec<(u64, GapReason)>,
    marks: &'a mut Vec<u32>,
) -> impl FnMut(Chunk<'_>, u32) + 'a {
    |chunk, mark| {
        marks.push(mark);
        match chunk {
            Chunk::Bytes(bytes) => {
                assert!(!bytes.is_empty());
                heard.extend_from_slice(bytes);
            }
            Chunk::Gap { len, reason } => {
                assert_ne!(len, 0);
                gaps.push((len, reason));
                let shown = usize::try_from(len.min(1000)).unwrap();
                heard.resize(heard.len() + shown, b'.');
            }
        }
    }
}

#[test]
fn every_order_of_five_segments_gives_the_same_bytes() {
    fn orders(left: &[usize]) -> Vec<Vec<usize>> {
        if left.is_empty() {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for (at, &first) in left.iter().enumerate() {
            let others = [&left[..at], &left[at + 1..]].concat();
            for mut order in orders(&others) {
                order.insert(0, first);
                all.push(order);
            }
        }
        all
    }
    let anchor = u32::MAX - 11;
    let all = orders(&[0, 1, 2, 3, 4]);
    assert_eq!(all.len(), 120);
    for order in all {
        let mut listener = Listener::at(anchor);
        for &part in &order {
            let from = part * 9;
            let seq = anchor.wrapping_add(u32::try_from(from).unwrap());
            listener.hear(seq, &TEXT[from..from + 9]);
        }
        assert_eq!(listener.heard, TEXT, "{order:?}");
        assert_eq!(listener.stream.waiting_count(), 0);
        assert_eq!(listener.stream.waiting_len(), 0);
        assert_eq!(listener.stream.facts().conflict_count, 0);
    }
}

#[test]
fn segments_in_order_take_no_memory() {
    let mut listener = Listener::at(5);
    assert_eq!(listener.hear(5, b"abc"), Outcome::Delivered);
    assert_eq!(listener.hear(8, b""), Outcome::Empty);
    assert_eq!(listener.hear(8, b"def"), Outcome::Delivered);
    assert_eq!(listener.text(), "abcdef");
    assert_eq!(listener.stream.memory_len(), 0);
    assert_eq!(listener.stream.next(), SeqNumber(11));
}

#[test]
fn each_chunk_has_the_mark_of_its_segment() {
    let mut listener = Listener::at(0);
    listener.hear_cut(4, b"cd", 6, 2);
    listener.hear_cut(2, b"b", 2, 3);
    listener.hear_cut(0, b"a", 1, 4);
    listener.hear_cut(1, b"A", 1, 5);
    // a, A, b, a cut byte of the third segment, cd, four cut bytes of the first.
    assert_eq!(listener.text(), "aAb.cd....");
    assert_eq!(listener.marks, [4, 5, 3, 3, 2, 2]);
}

#[test]
fn bytes_that_never_come_become_a_gap_of_their_length() {
    let mut listener = Listener::at(u32::MAX);
    listener.hear(u32::MAX, b"ab");
    assert_eq!(listener.hear(4, b"fg"), Outcome::Kept);
    assert_eq!(listener.hear(9, b"k"), Outcome::Kept);
    assert_eq!(listener.text(), "ab");
    assert_eq!(listener.stream.waiting_len(), 3);
    assert_eq!(listener.stream.hole_end(), Some(SeqNumber(4)));
    let mut first_hole = Vec::new();
    listener.stream.skip_hole(&mut listener.recent, |chunk, _| {
        first_hole.push(format!("{chunk:?}"))
    });
    assert_eq!(
        first_hole,
        ["Gap { len: 3, reason: Lost }", "Bytes([102, 103])"]
    );
    listener.flush();
    assert_eq!(listener.text(), "ab...k");
    assert_eq!(listener.gaps, [(3, GapReason::Lost)]);
    assert_eq!(listener.stream.next(), SeqNumber(10));
    assert_eq!(listener.stream.delivered_len(), 11);
    assert_eq!(listener.stream.hole_end(), None);
}

#[test]
fn a_stream_can_be_brought_up_to_its_end() {
    let mut listener = Listener::at(0);
    listener.hear(2, b"cd");
    listener.hear(6, b"gh");
    let mut seen = Vec::new();
    listener.stream.skip_to(
        SeqNumber(5),
        7,
        &mut listener.recent,
        |chunk, mark| match chunk {
            Chunk::Bytes(bytes) => seen.push((bytes.len(), mark)),
            Chunk::Gap { len, .. } => seen.push((100 + usize::try_from(len).unwrap(), mark)),
        },
    );
    assert_eq!(seen, [(102, 0), (2, 0), (101, 7)]);
    assert_eq!(listener.stream.next(), SeqNumber(5));
    assert_eq!(listener.stream.waiting_len(), 2);
    listener
        .stream
        .skip_to(SeqNumber(4), 7, &mut listener.recent, |_, _| {
            panic!("that is over")
        });
    listener.hear(5, b"f");
    assert_eq!(listener.text(), "fgh");
    // Up to where something waits: that follows at once.
    listener.hear(10, b"kl");
    let mut seen = Vec::new();
    listener
        .stream
        .skip_to(SeqNumber(10), 7, &mut listener.recent, |chunk, mark| {
            seen.push((format!("{chunk:?}"), mark))
        });
    assert_eq!(seen[0], ("Gap { len: 2, reason: Lost }".to_owned(), 7));
    assert_eq!(seen[1], ("Bytes([107, 108])".to_owned(), 0));
}

#[test]
fn of_bytes_that_disagree_the_first_win() {
    // Against bytes that wait, from either side and from inside.
    let mut listener = Listener::at(0);
    listener.hear(4, b"efgh");
    assert_eq!(listener.hear(2, b"CDEF"), Outcome::Kept);
    assert_eq!(listener.hear(6, b"GHIJ"), Outcome::Kept);
    assert_eq!(listener.hear(5, b"fg"), Outcome::Repeated);
    assert_eq!(listener.hear(5, b"FG"), Outcome::Repeated);
    assert_eq!(listener.stream.facts().conflict_count, 3);
    // In order, over all of them.
    assert_eq!(listener.hear(0, b"abcdefghijkl"), Outcome::Delivered);
    assert_eq!(listener.text(), "abCDefghIJkl");
    assert_eq!(listener.stream.facts().conflict_count, 5);
    // Against bytes that are gone already.
    assert_eq!(listener.hear(2, b"CDef"), Outcome::Repeated);
    assert_eq!(listener.stream.facts().conflict_count, 5);
    assert_eq!(listener.hear(2, b"cdef"), Outcome::Repeated);
    assert_eq!(listener.stream.facts().conflict_count, 6);
    assert_eq!(listener.hear(10, b"kLm"), Outcome::Delivered);
    assert_eq!(listener.stream.facts().conflict_count, 7);
    assert_eq!(listener.text(), "abCDefghIJklm");
}

#[test]
fn only_bytes_still_remembered_can_disagree() {
    let mut listener = Listener::at(0);
    listener.recent = Recent::new(1 << 16, 4);
    listener.hear(0, b"abcdef");
    listener.hear(0, b"XXcdef");
    assert_eq!(listener.stream.facts().conflict_count, 0);
    listener.hear(0, b"XXXdef");
    assert_eq!(listener.stream.facts().conflict_count, 1);
    assert_eq!(listener.stream.facts().repeated_len, 12);
    // Nothing is known of what lies in a gap.
    listener.hear(8, b"ij");
    listener.flush();
    listener.hear(0, b"ABCDEFGHij");
    assert_eq!(listener.stream.facts().conflict_count, 1);
}

#[test]
fn a_keep_alive_is_no_data() {
    let mut listener = Listener::at(100);
    listener.hear(100, b"ab");
    assert_eq!(listener.hear(101, b"\0"), Outcome::Repeated);
    assert_eq!(listener.stream.facts(), Facts::default());
    assert_eq!(listener.text(), "ab");
}

#[test]
fn what_lies_outside_any_window_is_ignored() {
    let mut listener = Listener::at(0);
    assert_eq!(listener.hear(0x4000_0001, b"x"), Outcome::Outside);
    assert_eq!(listener.hear(0x8000_0000, b"x"), Outcome::Outside);
    assert_eq!(listener.hear(0xbfff_ffff, b"x"), Outcome::Outside);
    assert_eq!(listener.hear_cut(0, b"x", u32::MAX, 0), Outcome::Outside);
    assert_eq!(listener.stream.facts().outside_count, 4);
    assert_eq!(listener.hear(0xffff_ff00, b"x"), Outcome::Repeated);
    listener.flush();
    assert_eq!(listener.text(), "");
    assert_eq!(listener.hear(0x4000_0000, b"x"), Outcome::Kept);
}

#[test]
fn what_the_snap_length_cut_off_is_a_gap_in_its_place() {
    let mut listener = Listener::at(0);
    assert_eq!(listener.hear_cut(0, b"ab", 5, 0), Outcome::Delivered);
    assert_eq!(listener.hear_cut(5, b"", 2, 0), Outcome::Delivered);
    assert_eq!(listener.hear_cut(6, b"xyz", 9, 0), Outcome::Delivered);
    assert_eq!(listener.text(), "ab.....yz......");
    assert!(
        listener
            .gaps
            .iter()
            .all(|(_, reason)| *reason == GapReason::Truncated)
    );
    // The same again brings nothing; one that reaches farther brings its cut end.
    assert_eq!(listener.hear_cut(6, b"xyz", 9, 0), Outcome::Repeated);
    assert_eq!(listener.hear_cut(6, b"xyz", 10, 0), Outcome::Delivered);
    assert_eq!(listener.stream.next(), SeqNumber(16));
}

#[test]
fn a_whole_segment_fills_in_what_waits_cut() {
    let mut listener = Listener::at(0);
    assert_eq!(listener.hear_cut(4, b"", 8, 0), Outcome::Kept);
    assert_eq!(listener.hear_cut(4, b"", 8, 0), Outcome::Repeated);
    assert_eq!(listener.hear_cut(8, b"", 2, 0), Outcome::Kept);
    assert_eq!(listener.hear(2, b"cdefgh"), Outcome::Kept);
    assert_eq!(listener.hear_cut(7, b"hi", 3, 0), Outcome::Kept);
    assert_eq!(listener.stream.waiting_len(), 7);
    assert_eq!(listener.hear(0, b"ab"), Outcome::Delivered);
    assert_eq!(listener.text(), "abcdefghi...");
    assert_eq!(listener.gaps, [(3, GapReason::Truncated)]);
    assert_eq!(listener.stream.facts().conflict_count, 0);
}

#[test]
fn a_cut_end_reaches_no_farther_than_it_did_on_the_wire() {
    let mut listener = Listener::at(0);
    listener.hear(8, b"i");
    listener.hear_cut(2, b"c", 4, 0);
    assert_eq!(listener.hear_cut(2, b"c", 2, 0), Outcome::Repeated);
    listener.hear(0, b"ab");
    assert_eq!(listener.text(), "abc...");
    assert_eq!(listener.stream.hole_end(), Some(SeqNumber(8)));
    listener.hear(6, b"gh");
    assert_eq!(listener.text(), "abc...ghi");
}

#[test]
fn a_hole_is_given_up_when_too_much_waits() {
    let mut listener = Listener::at(0);
    listener.limits.waiting_segments_per_direction = 2;
    assert_eq!(listener.hear(1, b"b"), Outcome::Kept);
    assert_eq!(listener.hear(3, b"d"), Outcome::Kept);
    assert_eq!(listener.hear(5, b"f"), Outcome::OverLimit);
    assert_eq!(listener.text(), ".b");
    assert_eq!(listener.gaps, [(1, GapReason::Limit)]);
    listener.limits.waiting_per_direction = 0;
    assert_eq!(listener.hear(7, b"h"), Outcome::OverLimit);
    assert_eq!(listener.text(), ".b.d.f.h");
    assert_eq!(listener.stream.waiting_count(), 0);
    assert_eq!(listener.hear(4, b"e"), Outcome::Repeated);
}

#[test]
fn waiting_bytes_stay_within_their_limit() {
    let mut listener = Listener::at(0);
    for part in 0..1000 {
        listener.hear(10 + part * 1000, &[b'x'; 1000]);
        assert!(listener.stream.memory_len() <= 256 * 1024);
    }
    assert!(listener.stream.delivered_len() > 0);
    assert_eq!(listener.gaps, [(10, GapReason::Limit)]);
}

#[test]
fn a_hundred_thousand_scattered_bytes_are_cheap() {
    let mut stream = Stream::anchored(SeqNumber(0));
    let limits = Limits::default();
    let recent = &mut Recent::new(1 << 16, 4096);
    let mut total = 0;
    let mut count = |chunk: Chunk<'_>, ()| match chunk {
        Chunk::Bytes(bytes) => total += wide(bytes.len()),
        Chunk::Gap { len, .. } => total += len,
    };
    // Every other byte backwards, so that nothing joins, then all of it again.
    for _ in 0..2 {
        for part in (0..100_000).rev() {
            stream.push(
                SeqNumber(1 + 2 * part),
                b"x",
                1,
                (),
                &limits,
                recent,
                &mut count,
            );
            assert!(stream.waiting_count() <= 1024);
        }
    }
    // Large segments over all that waits.
    let next = stream.next().0;
    for part in 0..1000 {
        let from = SeqNumber(next.wrapping_add(1 + 2 * part));
        stream.push(from, b"x", 1, (), &limits, recent, &mut count);
    }
    for part in 0..1000 {
        let from = SeqNumber(next.wrapping_add(1 + part % 7));
        stream.push(from, &[b'x'; 2000], 65_000, (), &limits, recent, &mut count);
        assert!(stream.waiting_count() <= 1024);
    }
    stream.flush(recent, &mut count);
    assert_eq!(total, stream.delivered_len());
}

proptest! {
    #[test]
    fn any_cut_order_repetition_and_overlap_gives_the_same_bytes(
        text in proptest::collection::vec(any::<u8>(), 1..300),
        anchor in prop_oneof![any::<u32>(), u32::MAX - 300..=u32::MAX],
        segments in proptest::collection::vec((0_usize..300, 0_usize..60, 0_u32..20), 0..60),
        order in any::<prop::sample::Index>(),
    ) {
        let mut listener = Listener::at(anchor);
        // Whatever came before, cut or not, and in any order...
        for (mark, (from, len, cut)) in segments.into_iter().enumerate() {
            let from = from.min(text.len());
            let to = (from + len).min(text.len());
            let seq = anchor.wrapping_add(u32::try_from(from).unwrap());
            let start = listener.heard.len();
            // Cut bytes in order are lost for good, so a cut piece is only sent ahead.
            let wire_len = if from > start { u32::try_from(to - from).unwrap() + cut } else { 0 };
            let wire_len = wire_len.min(u32::try_from(text.len() - from).unwrap());
            listener.hear_cut(seq, &text[from..to], wire_len, u32::try_from(mark).unwrap());
        }
        let holes_so_far = listener.gaps.len();
        // ... when all of it is sent again in two halves, all of it is there.
        let half = order.index(text.len());
        let seq = anchor.wrapping_add(u32::try_from(half).unwrap());
        listener.hear(seq, &text[half..]);
        listener.hear(anchor, &text[..half]);
        prop_assert_eq!(listener.heard.len(), text.len());
        prop_assert_eq!(listener.stream.waiting_count(), 0);
        prop_assert_eq!(listener.stream.facts().conflict_count, 0);
        if holes_so_far == 0 && listener.gaps.is_empty() {
            prop_assert_eq!(&listener.heard, &text);
        } else {
            for (heard, said) in listener.heard.iter().zip(&text) {
                prop_assert!(heard == said || *heard == b'.');
            }
        }
    }

    #[test]
    fn what_was_heard_is_what_was_said_and_gaps_are_where_nothing_was(
        anchor in any::<u32>(),
        segments in proptest::collection::vec((0_u32..200, 1_u32..40), 1..30),
        most in 0_usize..2000,
    ) {
        let text: Vec<u8> = (0..=255).filter(|byte| *byte != b'.').collect();
        let mut listener = Listener::at(anchor);
        listener.limits.waiting_per_direction = most;
        let mut said = vec![b'.'; text.len()];
        let mut end = 0;
        for (from, len) in segments {
            let range = usize::try_from(from).unwrap()..usize::try_from(from + len).unwrap();
            listener.hear(anchor.wrapping_add(from), &text[range.clone()]);
            said[range.clone()].copy_from_slice(&text[range.clone()]);
            end = end.max(range.end);
        }
        listener.flush();
        prop_assert_eq!(listener.heard.len(), end);
        for (heard, said) in listener.heard.iter().zip(&said) {
            prop_assert!(heard == said || *heard == b'.');
        }
        if listener.gaps.iter().all(|(_, reason)| *reason == GapReason::Lost) {
            prop_assert_eq!(&listener.heard[..], &said[..end]);
        }
    }

    #[test]
    fn hostile_segments_end_and_stay_within_bounds(
        segments in proptest::collection::vec(
            (any::<u32>(), 0_u32..3000, 0_usize..50, any::<u32>(), 0_u8..3), 0..200),
        most in 0_usize..3000,
    ) {
        let mut listener = Listener::at(0xffff_fff0);
        listener.limits.waiting_per_direction = most;
        listener.limits.waiting_segments_per_direction = 8;
        for (wild, near, len, wire, kind) in segments {
            let (seq, wire_len) = match kind {
                0 => (wild, wire),
                1 => (listener.stream.next().0.wrapping_add(near), wire % 4000),
                _ => (listener.stream.next().0.wrapping_add(near).wrapping_sub(1500), 0),
            };
            listener.hear_cut(seq, &[7; 50][..len], wire_len, 0);
            prop_assert!(listener.stream.waiting_count() <= 8);
            prop_assert!(listener.stream.waiting.memory_len() <= most);
        }
        listener.flush();
        prop_assert_eq!(listener.stream.memory_len(), 0);
    }
}
