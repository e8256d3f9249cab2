use std::collections::HashSet;

use super::outer::Outer;
use crate::tls::handshake::Acceptance;
use crate::tls::keys::KeyLog;
use crate::tls::lane::Lane;
use crate::tls::limits::Limits;
use crate::tls::observer::Observer;
use crate::tls::opening::{Keys, Trials};

/// The body of a ClientHello with these extensions.
fn hello(random: u8, session_id: &[u8], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (kind, content) in extensions {
        block.extend(kind.to_be_bytes());
        block.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        block.extend(content);
    }
    let mut body = vec![3, 3];
    body.extend([random; 32]);
    body.push(u8::try_from(session_id.len()).unwrap());
    body.extend(session_id);
    body.extend([0, 4, 0x13, 1, 0x13, 2, 1, 0]);
    body.extend(u16::try_from(block.len()).unwrap().to_be_bytes());
    body.extend(block);
    body
}

/// A hello in clear, with extensions 10, 16 and 51 around its sealed one.
fn outer() -> Vec<u8> {
    let sealed = [&[0, 0, 1, 0, 1, 7, 0, 3][..], b"enc", &[0, 6], b"sealed"].concat();
    hello(
        1,
        b"session",
        &[
            (0, b"cover".to_vec()),
            (10, b"groups".to_vec()),
            (0xfe0d, sealed),
            (16, b"protocols".to_vec()),
            (51, vec![5; 100]),
        ],
    )
}

/// The short form of a hello that names these extensions of the one in clear.
fn short(named: &[u16]) -> Vec<u8> {
    let list: Vec<u8> = named.iter().flat_map(|kind| kind.to_be_bytes()).collect();
    let list = [&[u8::try_from(list.len()).unwrap()][..], &list].concat();
    hello(
        2,
        b"",
        &[(0, b"name".to_vec()), (0xfd00, list), (0xfe0d, vec![1])],
    )
}

fn decoded(encoded: &[u8]) -> Option<Vec<u8>> {
    let outer = outer();
    Outer::parse(&outer).unwrap().decode(encoded)
}

#[test]
fn what_both_hellos_have_is_copied_to_its_place() {
    let whole = hello(
        2,
        b"session",
        &[
            (0, b"name".to_vec()),
            (10, b"groups".to_vec()),
            (51, vec![5; 100]),
            (0xfe0d, vec![1]),
        ],
    );
    assert_eq!(decoded(&short(&[10, 51])), Some(whole.clone()));
    let padded = [short(&[10, 51]), vec![0; 40]].concat();
    assert_eq!(decoded(&padded), Some(whole));
}

#[test]
fn a_short_form_that_a_server_refuses_is_none() {
    assert_eq!(decoded(&short(&[10, 13])), None, "it is not there");
    assert_eq!(decoded(&short(&[51, 10])), None, "another order");
    assert_eq!(decoded(&short(&[10, 10])), None, "twice");
    assert_eq!(decoded(&short(&[10, 0xfe0d])), None, "the sealed one");
    let padded = [short(&[10]), vec![0, 0, 1]].concat();
    assert_eq!(decoded(&padded), None, "padding that is none");
    let twice = vec![
        (0xfd00, vec![2, 0, 10]),
        (0xfd00, vec![2, 0, 16]),
        (0xfe0d, vec![1]),
    ];
    assert_eq!(decoded(&hello(2, b"", &twice)), None, "two lists");
    for list in [vec![], vec![1, 0], vec![3, 0, 10, 0], vec![2, 0, 10, 0]] {
        let extensions = vec![(0xfd00, list), (0xfe0d, vec![1])];
        assert_eq!(decoded(&hello(2, b"", &extensions)), None, "a length lies");
    }
    let unmarked = hello(2, b"", &[(0, b"name".to_vec())]);
    assert_eq!(decoded(&unmarked), None, "no hello inside another");
    let with_session = hello(2, b"own", &[(0xfe0d, vec![1])]);
    assert_eq!(decoded(&with_session), None, "a session of its own");
}

#[test]
fn a_hello_never_grows_beyond_what_a_length_can_say() {
    let sealed = [0, 0, 1, 0, 1, 7, 0, 0, 0, 1, 9].to_vec();
    let large = hello(1, b"", &[(0xfe0d, sealed), (51, vec![5; 60_000])]);
    let encoded = hello(
        2,
        b"",
        &[
            (0, vec![6; 10_000]),
            (0xfd00, vec![2, 0, 51]),
            (0xfe0d, vec![1]),
        ],
    );
    assert_eq!(Outer::parse(&large).unwrap().decode(&encoded), None);
}

#[test]
fn every_prefix_and_every_flipped_byte_ends() {
    let (outer, short) = (outer(), short(&[10, 16, 51]));
    for len in 0..outer.len() {
        assert!(Outer::parse(&outer[..len]).is_none(), "{len}");
    }
    for len in 0..short.len() {
        assert_eq!(decoded(&short[..len]), None, "{len}");
    }
    for flip in [1, 0x80, 0xff] {
        for at in 0..outer.len() {
            let mut flipped = outer.clone();
            flipped[at] ^= flip;
            if let Some(outer) = Outer::parse(&flipped) {
                let _ = outer.decode(&short);
            }
        }
        for at in 0..short.len() {
            let mut flipped = short.clone();
            flipped[at] ^= flip;
            let len = decoded(&flipped).map_or(0, |body| body.len());
            assert!(len <= short.len() + outer.len());
        }
    }
}

/// A sample: its key log, and what both sides sent, in order.
struct Sample {
    log: KeyLog,
    said: Vec<(Lane, Vec<u8>)>,
}

impl Sample {
    fn read(outcome: &str) -> Self {
        let path = format!("samples/tls13-ech-{outcome}-with-secrets/capture.pcapng");
        let capture = std::fs::read(path).unwrap();
        let (mut log, mut said) = (KeyLog::new(), Vec::new());
        let (mut rest, mut client, mut seen) = (capture.as_slice(), None, HashSet::new());
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let (block, after) = rest.split_at(usize::try_from(word(4)).unwrap());
            let len = |at| usize::try_from(word(at)).unwrap();
            match word(0) {
                10 => {
                    log.read_bytes(&block[16..16 + len(12)], 0);
                }
                6 => {
                    // Ethernet, IPv4 without options, TCP.
                    let segment = &block[28 + 34..28 + len(20)];
                    let port = [segment[0], segment[1]];
                    let lane = if port == *client.get_or_insert(port) {
                        Lane::A
                    } else {
                        Lane::B
                    };
                    let payload = &segment[usize::from(segment[12] >> 4) * 4..];
                    let number = segment[4..8].to_vec();
                    if !payload.is_empty() && seen.insert((port, number)) {
                        said.push((lane, payload.to_vec()));
                    }
                }
                _ => {}
            }
            rest = after;
        }
        Self { log, said }
    }

    /// The n-th ServerHello or HelloRetryRequest: which piece it is in, and where its body begins there.
    fn server_hello(&self, count: usize) -> (usize, usize) {
        let is_hello = |(_, (lane, bytes)): &(usize, &(Lane, Vec<u8>))| {
            *lane == Lane::B && bytes[0] == 22 && bytes[5] == 2
        };
        let pieces = self.said.iter().enumerate();
        let (piece, _) = pieces.filter(is_hello).nth(count).unwrap();
        (piece, 5 + 4)
    }

    fn acceptance(&self) -> Acceptance {
        let mut observer = Observer::new(Limits::default()).with_sealed_kept();
        for (lane, bytes) in &self.said {
            observer.on_bytes(*lane, bytes, 0_u8);
        }
        let keys = Keys::new(&self.log, 0);
        let seen = observer.finish_with(Some(keys), &mut Trials::default());
        seen.unwrap().inner_hello.unwrap().acceptance
    }
}

#[test]
fn two_answers_that_differ_prove_neither() {
    let mut sample = Sample::read("hello-retry");
    assert_eq!(sample.acceptance(), Acceptance::Accepted);
    let (piece, body) = sample.server_hello(1);
    for at in body + 26..body + 34 {
        sample.said[piece].1[at] ^= 1;
        assert_eq!(sample.acceptance(), Acceptance::Unseen);
        sample.said[piece].1[at] ^= 1;
    }
    // The first one says no, and that is it.
    let mut sample = Sample::read("accepted");
    let (piece, body) = sample.server_hello(0);
    sample.said[piece].1[body + 33] ^= 1;
    assert_eq!(sample.acceptance(), Acceptance::Rejected);
}

#[test]
fn an_answer_that_is_too_large_to_be_kept_proves_nothing() {
    let mut sample = Sample::read("hello-retry");
    let (piece, at) = sample.server_hello(0);
    let bytes = &sample.said[piece].1;
    let len = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    let (record, rest) = bytes.split_at(5 + len);
    // Behind session id, suite and compression stand the extensions, and behind those another one.
    let mut body = record[at..].to_vec();
    let extensions = 34 + 1 + usize::from(body[34]) + 3;
    let more = 17_000_u16;
    let extensions_len = u16::from_be_bytes([body[extensions], body[extensions + 1]]) + 4 + more;
    body[extensions..extensions + 2].copy_from_slice(&extensions_len.to_be_bytes());
    body.extend([0x12, 0x34]);
    body.extend(more.to_be_bytes());
    body.extend(vec![0; usize::from(more)]);
    let [_, lens @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[2][..], &lens, &body].concat();
    let mut records = Vec::new();
    for part in message.chunks(16_000) {
        records.extend([22, 3, 3]);
        records.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
        records.extend(part);
    }
    records.extend(rest);
    sample.said[piece].1 = records;
    assert_eq!(sample.acceptance(), Acceptance::Unseen);
}
