use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::analysis::glance::Whole;
use crate::analysis::keyring::Keyring;
use crate::analysis::mark::Origin;
use crate::pki::Catalog;
use crate::reassembly::FlowTable;
use crate::time::{Precision, Timestamp};

#[test]
fn a_connection_and_its_key_fill_four_cache_lines() {
    assert_eq!(size_of::<Lane>(), 64);
    assert_eq!(FlowTable::<Connection>::PLACE_LEN, 256);
}

/// A hello, whole in one record.
fn hello(kind: u8) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    // One suite of those that a client offers, and no compression.
    body.extend(match kind {
        1 => [0, 0, 2, 0xc0, 0x2f, 1, 0].as_slice(),
        _ => [0, 0xc0, 0x2f, 0].as_slice(),
    });
    let len = u8::try_from(body.len()).unwrap();
    [&[22, 3, 3, 0, len + 4, kind, 0, 0, len], body.as_slice()].concat()
}

/// What a segment may say: of TLS, of something else, or nothing.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(Vec::new()),
        2 => Just(hello(1)),
        2 => Just(hello(2)),
        1 => Just(hello(1)[..20].to_vec()),
        1 => Just(vec![20, 3, 3, 0, 1, 1]),
        2 => Just(vec![23, 3, 3, 0, 2, 9, 9]),
        1 => Just(vec![21, 3, 3, 0, 2, 2, 40]),
        1 => Just(b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..40),
    ]
}

/// How far a number lies from where it should: mostly not at all.
fn ahead() -> impl Strategy<Value = u32> {
    prop_oneof![8 => Just(0), 1 => 0_u32..80, 1 => any::<u32>()]
}

/// How a connection begins that is then watched.
#[derive(Clone, Copy, Debug)]
enum Beginning {
    /// In the middle.
    None,
    /// With both SYNs.
    Syns,
    /// In the middle of something unknown, of which so much came that it is let go.
    LetGo,
}

/// A connection, and the same with a close look at every segment.
struct Pair<'a> {
    limits: &'a Limits,
    shared: &'a Shared,
    connections: [Connection; 2],
    recent: [Recent; 2],
    mark: Mark,
    /// Where each side goes on.
    next: [u32; 2],
}

/// What is not as usual in a segment.
#[derive(Clone, Debug)]
struct Unusual {
    flags: Flags,
    ahead: u32,
    ack_ahead: u32,
    /// Bytes at its end that were not captured.
    cut: usize,
    path: u32,
}

impl Default for Unusual {
    fn default() -> Self {
        Self {
            flags: Flags::ACK,
            ahead: 0,
            ack_ahead: 0,
            cut: 0,
            path: 0,
        }
    }
}

impl<'a> Pair<'a> {
    fn new(limits: &'a Limits, shared: &'a Shared) -> Self {
        let mark = Mark {
            frame: 0,
            time: Timestamp::from_parts(1_700_000_000, 0),
            file: 0,
            origin: Origin::new(0, Precision::Nanoseconds),
        };
        let ring = || Recent::new(limits.compared_total, limits.compared_per_direction);
        Self {
            limits,
            shared,
            connections: [Connection::new(mark), Connection::new(mark)],
            recent: [ring(), ring()],
            mark,
            next: [1, 1],
        }
    }

    fn begin(&mut self, beginning: Beginning) {
        match beginning {
            Beginning::None => {}
            Beginning::Syns => {
                for (own, flags) in [(0, Flags::SYN.0), (1, Flags::SYN.0 | Flags::ACK.0)] {
                    let flags = Flags(flags);
                    self.take(
                        own,
                        b"",
                        &Unusual {
                            flags,
                            ..Unusual::default()
                        },
                    );
                    self.next[own] += 1;
                }
            }
            Beginning::LetGo => {
                for at in 0..400 {
                    self.take(at % 2, b"neither", &Unusual::default());
                }
                let is_let_go = |connection: &Connection| match &connection.phase {
                    Phase::Reading(reading) => Direction::BOTH
                        .iter()
                        .all(|direction| reading.passes(*direction, b"neither")),
                    _ => false,
                };
                assert!(self.connections.iter().all(is_let_go));
            }
        }
    }

    /// Gives a segment of one side to both, as a shard does.
    fn take(&mut self, own: usize, payload: &[u8], unusual: &Unusual) {
        self.mark.frame += 1;
        let (key, _) = FlowKey::v4([192, 0, 2, 1], 40_000, [192, 0, 2, 2], 443);
        let wire_len = u32::try_from(payload.len()).unwrap();
        let payload = &payload[..payload.len().saturating_sub(unusual.cut)];
        let segment = Segment {
            key,
            direction: Direction::BOTH[own],
            seq: SeqNumber(self.next[own].wrapping_add(unusual.ahead)),
            ack: SeqNumber(self.next[1 - own].wrapping_add(unusual.ack_ahead)),
            flags: unusual.flags,
            window: 100,
            ip_id: 0,
            payload_start: 0,
            payload_len: u32::try_from(payload.len()).unwrap(),
            wire_len,
            path: PathId(unusual.path),
        };
        self.next[own] = self.next[own].wrapping_add(wire_len);
        let mut in_passing = true;
        for (connection, recent) in self.connections.iter_mut().zip(&mut self.recent) {
            let whole = Whole {
                segment: &segment,
                payload,
                begins_tls: None,
                mark: self.mark,
            };
            if !in_passing || !connection.take_in_passing(whole) {
                connection.note_path(segment.path, &Encapsulation::default);
                let mut env = Environment {
                    limits: self.limits,
                    shared: self.shared,
                    recent,
                };
                connection.take(&segment, payload, self.mark, &mut env);
            }
            in_passing = false;
        }
    }
}

fn unusual() -> impl Strategy<Value = Unusual> {
    let bits = [Flags::SYN, Flags::FIN, Flags::RST].map(|flags| flags.0);
    let events = prop_oneof![6 => Just(0), 3 => prop::sample::select(bits.to_vec())];
    let ack = prop_oneof![8 => Just(Flags::ACK.0), 1 => Just(0)];
    let cut = prop_oneof![8 => Just(0_usize), 1 => 1_usize..4];
    let path = prop_oneof![8 => Just(0), 1 => Just(5)];
    let all = (events, ack, ahead(), ahead(), cut, path);
    all.prop_map(|(event, ack, ahead, ack_ahead, cut, path)| Unusual {
        flags: Flags(event | ack),
        ahead,
        ack_ahead,
        cut,
        path,
    })
}

proptest! {
    /// Whatever comes in whatever order: who is taken in passing is counted and followed as
    /// whoever is looked at closely, and what it holds is measured.
    #[test]
    fn what_is_taken_in_passing_changes_what_a_closer_look_does(
        beginning in prop::sample::select(vec![Beginning::None, Beginning::Syns, Beginning::LetGo]),
        steps in prop::collection::vec((0_usize..2, payload(), unusual(), 0_i64..400), 1..40),
    ) {
        let limits = Limits::default();
        let catalog = Arc::new(Catalog::builtin().clone());
        let shared = Shared::new(&limits, 7, catalog, false, Keyring::default());
        let mut pair = Pair::new(&limits, &shared);
        pair.begin(beginning);
        for (own, payload, unusual, millis) in steps {
            pair.mark.time = pair.mark.time.saturating_add_nanos(millis * 1_000_000);
            pair.take(own, &payload, &unusual);
            let [in_passing, closely] = &mut pair.connections;
            let held_len = closely.held_len();
            closely.measure();
            prop_assert_eq!(held_len, closely.held_len());
            prop_assert_eq!(format!("{in_passing:?}"), format!("{closely:?}"));
        }
    }
}

#[test]
fn where_an_earlier_connection_is_open_nothing_is_taken_in_passing() {
    let limits = Limits::default();
    let catalog = Arc::new(Catalog::builtin().clone());
    let shared = Shared::new(&limits, 7, catalog, false, Keyring::default());
    let mut pair = Pair::new(&limits, &shared);
    pair.begin(Beginning::Syns);
    let mark = pair.mark;
    for connection in &mut pair.connections {
        connection.set_older(Some(Box::new(Connection::new(mark))));
    }
    let before = format!("{:?}", pair.connections);
    let (key, direction) = FlowKey::v4([192, 0, 2, 1], 40_000, [192, 0, 2, 2], 443);
    let segment = Segment {
        key,
        direction,
        seq: SeqNumber(2),
        ack: SeqNumber(2),
        flags: Flags::ACK,
        window: 100,
        ip_id: 0,
        payload_start: 0,
        payload_len: 0,
        wire_len: 0,
        path: PathId::default(),
    };
    let [connection, _] = &mut pair.connections;
    let whole = Whole {
        segment: &segment,
        payload: b"",
        begins_tls: None,
        mark,
    };
    assert!(!connection.take_in_passing(whole));
    assert_eq!(format!("{:?}", pair.connections), before);
}
