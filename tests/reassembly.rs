//! Whatever the network does to the segments of a conversation, both ends are heard as they spoke.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use tlstriage::packet::SeqNumber;
use tlstriage::reassembly::{Chunk, Facts, Limits, Recent, Stream};

use support::conversation::{Conversation, SYN, Segment, Segments as _};
use support::random::Random;
use support::shuffle::Shuffle as _;

mod support;

#[test]
fn both_ends_are_heard_whatever_happens_on_the_way() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let story = story(&mut random);
        let (syn, rest) = story.split_at(2);
        let len = 1 + random.below(400);
        let shuffled = rest
            .to_vec()
            .recut(len)
            .retransmitted(30, &mut random)
            .duplicated(20, &mut random)
            .reordered(8, &mut random);
        for end in syn {
            let (heard, facts) = heard(end, &shuffled);
            assert_eq!(heard, story.said_by(end.from), "seed {seed}");
            assert_eq!(facts.conflict_count, 0, "seed {seed}");
        }
    }
}

#[test]
fn a_lost_segment_is_missed_in_its_place() {
    let story = story(&mut Random::new(3));
    let first_of_client = 3;
    let lost = story[first_of_client].payload.len();
    let (heard, _) = heard(&story[0], &story.clone().without(first_of_client));
    let said = story.said_by(story[0].from);
    assert_eq!(heard[..lost], vec![b'.'; lost]);
    assert_eq!(heard[lost..], said[lost..]);
}

/// Three things said each way, of random bytes.
fn story(random: &mut Random) -> Vec<Segment> {
    let start = u32::try_from(random.next() >> 32).unwrap();
    let mut conversation = Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
        .numbered(start, u32::MAX - 3000)
        .syn();
    for _ in 0..3 {
        let (question, answer) = (1 + random.below(2000), 1 + random.below(5000));
        conversation = conversation
            .client(&random.bytes(question))
            .server(&random.bytes(answer));
    }
    conversation.fin().segments()
}

/// What the sender of `syn` is heard to say, and what was odd about it.
fn heard(syn: &Segment, segments: &[Segment]) -> (Vec<u8>, Facts) {
    assert_ne!(syn.flags & SYN, 0);
    let mut stream = Stream::anchored(SeqNumber(syn.end()));
    let mut heard = Vec::new();
    let mut hear = |chunk: Chunk<'_>, ()| match chunk {
        Chunk::Bytes(bytes) => heard.extend_from_slice(bytes),
        Chunk::Gap { len, .. } => heard.resize(heard.len() + usize::try_from(len).unwrap(), b'.'),
    };
    let limits = Limits::default();
    let mut recent = Recent::new(limits.compared_total, limits.compared_per_direction);
    for segment in segments.iter().filter(|segment| segment.from == syn.from) {
        let seq = SeqNumber(segment.seq);
        stream.push(
            seq,
            &segment.payload,
            0,
            (),
            &limits,
            &mut recent,
            &mut hear,
        );
    }
    stream.flush(&mut recent, &mut hear);
    (heard, stream.facts())
}
