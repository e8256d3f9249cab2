use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::*;
use crate::analysis::keyring::Keyring;
use crate::analysis::mark::{Mark, Origin};
use crate::packet::{Flags, PathId, SeqNumber};
use crate::pki::Catalog;
use crate::time::Precision;

/// A shard, and segments for it.
struct Bench {
    shard: Shard,
    shared: Shared,
    frame: u64,
}

impl Bench {
    fn new() -> Self {
        let limits = Limits::default();
        let catalog = Arc::new(Catalog::builtin().clone());
        Self {
            shard: Shard::new(&limits, 7, LINGER),
            shared: Shared::new(&limits, 7, catalog, false, Keyring::default()),
            frame: 0,
        }
    }

    /// A segment of the connection of a client with this number, at a time in milliseconds.
    fn hear(&mut self, client: u16, is_answer: bool, flags: Flags, millis: i64) {
        let ends = [(client_address(client), 40_000), ([10, 1, 0, 1], 443)];
        let [from, to] = if is_answer { [ends[1], ends[0]] } else { ends };
        let (key, direction) = FlowKey::v4(from.0, from.1, to.0, to.1);
        let is_first = flags.syn();
        let segment = Segment {
            key,
            direction,
            seq: SeqNumber(if is_first { 99 } else { 100 }),
            ack: SeqNumber(100),
            flags,
            window: 1,
            ip_id: 0,
            payload_start: 0,
            payload_len: 0,
            wire_len: 0,
            path: PathId::default(),
        };
        self.frame += 1;
        let time = Timestamp::from_nanos(millis * 1_000_000);
        let arrival = Arrival {
            segment: &segment,
            tag: self.shard.tagger().tag(&key),
            was_tried: false,
            payload: &[],
            begins_tls: None,
            mark: Mark {
                frame: self.frame,
                time,
                file: 0,
                origin: Origin::new(0, Precision::Microseconds),
            },
            clock: time,
            outer: &Encapsulation::default,
        };
        self.shard.take(&arrival, &self.shared);
    }

    fn open(&mut self, client: u16, millis: i64) {
        self.hear(client, false, Flags::SYN, millis);
        self.hear(client, true, SYN_ACK, millis);
    }

    fn close(&mut self, client: u16, millis: i64) {
        for is_answer in [false, true] {
            self.hear(client, is_answer, FIN_ACK, millis);
        }
    }

    fn tick(&mut self, millis: i64) {
        let tick = Tick {
            place: (0, self.frame),
            time: Timestamp::from_nanos(millis * 1_000_000),
        };
        self.shard.tick(tick, tick.time, &self.shared);
    }

    /// How many stand in the tables: open, half open, past.
    fn counts(&self) -> [usize; 3] {
        let Shard {
            table,
            half_open,
            past,
            ..
        } = &self.shard;
        [table.len(), half_open.len(), past.len()]
    }
}

fn client_address(client: u16) -> [u8; 4] {
    let [high, low] = client.to_be_bytes();
    [10, 0, high, low]
}

const SYN_ACK: Flags = Flags(Flags::SYN.0 | Flags::ACK.0);
const FIN_ACK: Flags = Flags(Flags::FIN.0 | Flags::ACK.0);

/// More than are looked at together in one go.
const SOME: u16 = 40;

#[test]
fn what_is_over_leaves_a_stub_and_the_stub_goes_after_a_minute() {
    let mut bench = Bench::new();
    for client in 0..SOME {
        bench.open(client, 0);
        bench.close(client, 10);
    }
    assert_eq!(bench.counts(), [40, 0, 0]);
    bench.tick(900);
    assert_eq!(bench.counts(), [40, 0, 0]);
    bench.tick(1_011);
    assert_eq!(bench.counts(), [0, 0, 40]);
    for client in 0..SOME {
        let address = IpAddr::V4(Ipv4Addr::from(client_address(client)));
        assert!(bench.shard.saw_answered(address));
    }
    assert!(
        bench
            .shard
            .saw_answered(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 1)))
    );
    assert!(
        !bench
            .shard
            .saw_answered(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 2)))
    );
    bench.tick(60_000);
    assert_eq!(bench.counts(), [0, 0, 40]);
    bench.tick(60_011);
    assert_eq!(bench.counts(), [0, 0, 0]);
}

#[test]
fn unanswered_syns_go_after_hours() {
    let mut bench = Bench::new();
    for client in 0..SOME {
        bench.hear(client, false, Flags::SYN, 0);
    }
    bench.tick(7_200_000);
    assert_eq!(bench.counts(), [0, 40, 0]);
    bench.tick(7_200_001);
    assert_eq!(bench.counts(), [0, 0, 0]);
    assert_eq!(bench.shard.knock_count, 40);
}

/// As many slots as segments, whether these come all at once or far apart.
#[test]
fn segments_of_others_let_go_of_what_is_over() {
    for step in [0, 20, 400] {
        let mut bench = Bench::new();
        bench.open(1_000, 0);
        for client in 0..300 {
            bench.open(client, 0);
            bench.close(client, 0);
        }
        let mut now = 1_100;
        for _ in 0..301 + 2 * 256 {
            bench.hear(1_000, false, Flags::ACK, now);
            now += step;
        }
        let [open, ..] = bench.counts();
        assert_eq!(open, 1, "{step} ms apart");
    }
}

#[test]
fn one_wrong_time_does_not_end_what_lives() {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    let mut bench = Bench::new();
    for client in 0..200 {
        bench.open(client, 0);
    }
    bench.hear(0, false, Flags::ACK, 1_000 * DAY);
    for client in 0..200 {
        bench.hear(client, false, Flags::ACK, 100);
    }
    // Of those that were looked at before they were heard none is left; they are few.
    let [open, ..] = bench.counts();
    assert!(open >= 190, "{open}");
    // A silence of that length ends the others.
    for millis in 0..400 {
        bench.hear(0, false, Flags::ACK, 1_001 * DAY + millis);
    }
    assert_eq!(bench.counts()[0], 1);
}
