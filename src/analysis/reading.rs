//! Where the two wings meet: segments go through a [`Stream`] each way, and what comes out in
//! order goes to the [`Observer`].

use std::sync::Arc;

use crate::analysis::keyring::Keyring;
use crate::analysis::mark::Mark;
use crate::analysis::seen::{self, Tls};
use crate::analysis::shared::Shared;
use crate::flow::{Direction, FlowKey};
use crate::packet::{Segment, SeqNumber};
use crate::reassembly::{Chunk, GapReason, Limits, Recent, Stream};
use crate::tls::{self, CertificatePool, ContentType, Handshake, Observer, Progress, Tail, Trials};

/// A handshake in progress, with the buffers of both directions.
#[derive(Debug)]
pub(super) struct Reading {
    low: Way,
    high: Way,
    observer: Observer<Mark>,
}

/// One direction on its way to the observer.
#[derive(Debug)]
enum Way {
    /// Its first byte is known.
    Flowing(Stream<Mark>),
    /// It is not: segments are held until one of them begins with a hello, or too many are. How often
    /// they were too many, and none of them began with a record.
    Held(Vec<Held>, u8),
    /// That was too often: segments are let go until one begins with a record.
    Passing,
}

#[derive(Debug)]
struct Held {
    seq: SeqNumber,
    bytes: Box<[u8]>,
    wire_len: u32,
    mark: Mark,
}

impl Reading {
    /// Begins to read at the given first bytes, where they are known: low to high, high to low.
    ///
    /// `keeps` says whether what is encrypted is kept for keys to open.
    pub(super) fn new(
        [low, high]: [Option<SeqNumber>; 2],
        keeps: bool,
        pool: &Arc<CertificatePool>,
    ) -> Self {
        let way = |anchor: Option<SeqNumber>| {
            anchor.map_or(Way::Held(Vec::new(), 0), |first| {
                Way::Flowing(Stream::anchored(first))
            })
        };
        let observer = Observer::new(tls::Limits::default()).with_pool(pool);
        Self {
            low: way(low),
            high: way(high),
            observer: if keeps {
                observer.with_sealed_kept()
            } else {
                observer
            },
        }
    }

    pub(super) fn progress(&self) -> Progress {
        self.observer.progress()
    }

    /// Bytes of memory held.
    ///
    /// The lists of a hello count as a lump: they take about that much.
    pub(super) fn memory_len(&self) -> usize {
        let learned = match self.observer.progress() {
            Progress::Handshaking => LEARNED_LEN,
            _ => 0,
        };
        let buffers = self.low.memory_len() + self.high.memory_len() + self.observer.held_len();
        size_of::<Self>() + buffers + learned
    }

    /// Whether a segment of a direction without a beginning changes nothing.
    #[inline]
    pub(super) fn passes(&self, direction: Direction, payload: &[u8]) -> bool {
        let way = match direction {
            Direction::LowToHigh => &self.low,
            Direction::HighToLow => &self.high,
        };
        matches!(way, Way::Passing) && is_passed_by(payload)
    }

    /// Takes the payload of a segment.
    pub(super) fn push(
        &mut self,
        segment: &Segment,
        seq: SeqNumber,
        payload: &[u8],
        mark: Mark,
        limits: &Limits,
        recent: &mut Recent,
    ) {
        let (way, other, lane) = match segment.direction {
            Direction::LowToHigh => (&mut self.low, &mut self.high, tls::Lane::A),
            Direction::HighToLow => (&mut self.high, &mut self.low, tls::Lane::B),
        };
        let observer = &mut self.observer;
        if let Way::Passing = way {
            if is_passed_by(payload) {
                return;
            }
            *way = Way::Held(Vec::new(), 0);
        }
        if let Way::Held(held, _) = way {
            let is_hello = tls::begins_hello(payload);
            let held_len: usize = held.iter().map(|piece| piece.bytes.len()).sum();
            if !is_hello && held.len() < MAX_HELD && held_len + payload.len() <= MAX_HELD_LEN {
                held.push(Held {
                    seq,
                    bytes: payload.into(),
                    wire_len: segment.wire_len,
                    mark,
                });
                return;
            }
            if is_hello {
                if !matches!(other, Way::Flowing(_)) && segment.flags.ack() {
                    let reversed = lane_of(segment.direction.reversed());
                    other.release(segment.ack, reversed, observer, limits, recent);
                }
                way.release(seq, lane, observer, limits, recent);
            } else {
                way.give_up(lane, observer, limits, recent);
            }
        }
        if let Way::Flowing(stream) = way {
            stream.push(
                seq,
                payload,
                segment.wire_len,
                mark,
                limits,
                recent,
                |chunk, mark| hand_on(observer, lane, chunk, mark),
            );
        }
    }

    /// Lets go of what is kept for keys, where none will come.
    pub(super) fn drop_needless(&mut self, keyring: &Keyring) {
        let is_needless = self
            .observer
            .awaited_key()
            .is_some_and(|random| !keyring.may_open(random));
        if is_needless {
            self.observer.forget_sealed();
        }
    }

    /// Whether something waits for bytes that may just be late: to end now would be to call
    /// them lost.
    pub(super) fn is_patient(&self) -> bool {
        [&self.low, &self.high].into_iter().any(|way| match way {
            Way::Flowing(stream) => (1..=LATE_LEN).contains(&stream.waiting_len()),
            Way::Held(..) | Way::Passing => false,
        })
    }

    /// Whether bytes wait for others before them, or a FIN does.
    pub(super) fn is_waiting(&self, fins: [Option<SeqNumber>; 2]) -> bool {
        [&self.low, &self.high]
            .into_iter()
            .zip(fins)
            .any(|(way, fin)| match way {
                Way::Flowing(stream) => {
                    let lacks = |fin: SeqNumber| fin.offset_from(stream.next()) > 0;
                    stream.waiting_count() > 0 || fin.is_some_and(lacks)
                }
                Way::Held(held, _) => !held.is_empty(),
                Way::Passing => false,
            })
    }

    /// Reads what waits, and gives up what is missing: also before a FIN, since whoever sends one
    /// has said all that lies before it. `first` and `last` are its first and its last frame.
    pub(super) fn finish(
        &mut self,
        fins: [Option<SeqNumber>; 2],
        [first, last]: [Mark; 2],
        opener: Option<Direction>,
        key: &FlowKey,
        shared: &Shared,
    ) -> Option<Settled> {
        let limits = Limits::default();
        let mut has_conflict = false;
        let mut ends = [None, None];
        // What comes after a settled handshake is not read, and so not missing.
        let is_settled = self.progress() == Progress::Settled;
        for (((way, lane), end), fin) in [
            (&mut self.low, tls::Lane::A),
            (&mut self.high, tls::Lane::B),
        ]
        .into_iter()
        .zip(&mut ends)
        .zip(fins)
        {
            // What was held is heard now for the first time; else what is sent again comes too late.
            let mut recent = match way {
                Way::Held(..) => Recent::new(2 * MAX_HELD_LEN, limits.compared_per_direction),
                Way::Flowing(_) | Way::Passing => Recent::none(),
            };
            way.give_up(lane, &mut self.observer, &limits, &mut recent);
            if let Way::Flowing(stream) = way {
                let observer = &mut self.observer;
                stream.flush(&mut recent, |chunk, mark| {
                    hand_on(observer, lane, chunk, mark);
                });
                if let Some(fin) = fin.filter(|_| !is_settled) {
                    stream.skip_to(fin, last, &mut recent, |chunk, mark| {
                        hand_on(observer, lane, chunk, mark)
                    });
                }
                has_conflict |= stream.facts().conflict_count > 0;
                *end = self.observer.tail(lane).map(|tail| (stream.next(), tail));
            }
        }
        let keys = shared.keyring.keys(&last);
        let mut trials = keys.and_then(|_| shared.trying.of(key));
        let mut none = Trials::default();
        let trials = trials.as_deref_mut().unwrap_or(&mut none);
        let conclude = |handshake: Handshake<Mark>| {
            let client = seen::client_of(&handshake, opener, key);
            let gaps = [handshake.lanes.a.gap, handshake.lanes.b.gap];
            (
                client,
                gaps,
                Box::new(Tls::of(handshake, client, first, shared)),
            )
        };
        let (client, gaps, mut tls) = self.observer.conclude(keys, trials, conclude)?;
        let asking = match client {
            Direction::LowToHigh => &self.low,
            Direction::HighToLow => &self.high,
        };
        if let Way::Flowing(stream) = asking {
            tls.begins_at = Some(stream.first());
        }
        let [of_low, of_high] = &ends;
        let answering = match client {
            Direction::LowToHigh => of_high,
            Direction::HighToLow => of_low,
        };
        tls.has_framed_answer = answering.is_some();
        Some(Settled {
            tls,
            client,
            tails: ends,
            gaps,
            late_alerts: [None; MAX_LATE_ALERTS],
            has_conflict,
        })
    }
}

impl Way {
    fn memory_len(&self) -> usize {
        match self {
            Self::Flowing(stream) => stream.memory_len(),
            Self::Held(held, _) => held
                .iter()
                .map(|piece| piece.bytes.len() + size_of::<Held>())
                .sum(),
            Self::Passing => 0,
        }
    }

    /// The first byte is known now: what was held goes on from there.
    fn release(
        &mut self,
        first: SeqNumber,
        lane: tls::Lane,
        observer: &mut Observer<Mark>,
        limits: &Limits,
        recent: &mut Recent,
    ) {
        let held = match self {
            Self::Held(held, _) => std::mem::take(held),
            Self::Passing => Vec::new(),
            Self::Flowing(_) => return,
        };
        let mut stream = Stream::anchored(first);
        for piece in held {
            stream.push(
                piece.seq,
                &piece.bytes,
                piece.wire_len,
                piece.mark,
                limits,
                recent,
                |chunk, mark| {
                    hand_on(observer, lane, chunk, mark);
                },
            );
        }
        *self = Self::Flowing(stream);
    }

    /// No beginning was found: goes on from the earliest byte that is there, if any segment
    /// begins with a record. The middle of one says nothing about the flow.
    fn give_up(
        &mut self,
        lane: tls::Lane,
        observer: &mut Observer<Mark>,
        limits: &Limits,
        recent: &mut Recent,
    ) {
        let Self::Held(held, fruitless) = self else {
            return;
        };
        let Some(some) = held.first() else { return };
        if !held.iter().any(|piece| begins_with_record(&piece.bytes)) {
            held.clear();
            *fruitless += 1;
            if *fruitless >= MAX_FRUITLESS {
                *self = Self::Passing;
            }
            return;
        }
        let (base, mark) = (some.seq, some.mark);
        let earliest = held
            .iter()
            .map(|piece| piece.seq)
            .min_by_key(|seq| seq.offset_from(base))
            .unwrap_or(base);
        observer.on_gap(lane, 0, tls::GapReason::Midstream, mark);
        self.release(earliest, lane, observer, limits, recent);
    }
}

fn of_direction<T>([low, high]: &mut [T; 2], direction: Direction) -> &mut T {
    match direction {
        Direction::LowToHigh => low,
        Direction::HighToLow => high,
    }
}

/// Whether a segment begins with nothing that TLS could be told by.
#[inline]
fn is_passed_by(payload: &[u8]) -> bool {
    !tls::begins_hello(payload) && !begins_with_record(payload)
}

/// Whether a segment begins with a record: one that it holds whole and nothing else, or one that
/// another follows.
fn begins_with_record(payload: &[u8]) -> bool {
    is_record(payload) || tls::find_records(payload) == Some(0)
}

/// Whether a segment holds one record and nothing else.
fn is_record(payload: &[u8]) -> bool {
    payload
        .split_first_chunk::<5>()
        .is_some_and(|(header, body)| {
            let [content_type, major, _, len_hi, len_lo] = *header;
            matches!(content_type, 20..=24)
                && major == 3
                && body.len() == usize::from(u16::from_be_bytes([len_hi, len_lo]))
        })
}

fn lane_of(direction: Direction) -> tls::Lane {
    match direction {
        Direction::LowToHigh => tls::Lane::A,
        Direction::HighToLow => tls::Lane::B,
    }
}

fn hand_on(observer: &mut Observer<Mark>, lane: tls::Lane, chunk: Chunk<'_>, mark: Mark) {
    match chunk {
        Chunk::Bytes(bytes) => observer.on_bytes(lane, bytes, mark),
        Chunk::Gap { len, reason } => {
            let reason = match reason {
                GapReason::Truncated => tls::GapReason::Truncated,
                GapReason::Limit => tls::GapReason::Limit,
                _ => tls::GapReason::Lost,
            };
            observer.on_gap(lane, len, reason, mark);
        }
    }
}

/// What is left of a handshake that nothing can change any more, with what follows the records as long as
/// the connection lasts: that is less than a cache line, and what TLS showed is apart.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) tls: Box<Tls>,
    /// The direction from client to server.
    pub(super) client: Direction,
    /// Where record framing stands in each direction, as long as it can be followed.
    tails: [Option<(SeqNumber, Tail)>; 2],
    /// The first gap of each direction.
    pub(super) gaps: [Option<tls::GapReason>; 2],
    /// Alerts under encryption that came after settlement: who sent them.
    pub(super) late_alerts: [Option<Direction>; MAX_LATE_ALERTS],
    pub(super) has_conflict: bool,
}

impl Settled {
    /// Reads a word of each cache line that it fills.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let [low, high] = self.tails.each_ref().map(Option::is_some);
        self.tls.touch() ^ u64::from(low) ^ u64::from(high)
    }

    /// Follows the record headers of a direction, to see an alert go by. Bytes inside a record
    /// may be missing; where a header is, only a segment that holds one record and nothing else
    /// is understood.
    #[inline]
    pub(super) fn follow<'a>(
        &mut self,
        direction: Direction,
        seq: SeqNumber,
        payload: impl Fn() -> &'a [u8],
        wire_len: u32,
    ) {
        let place = of_direction(&mut self.tails, direction);
        let Some((next, tail)) = place else { return };
        let ahead = seq.offset_from(*next);
        // Nearly all segments go on where the last one ended, inside of a record.
        if ahead == 0 && tail.pass(wire_len) {
            *next = next.wrapping_add(wire_len);
            return;
        }
        self.follow_closely(direction, seq, payload(), wire_len);
    }

    #[inline(never)]
    fn follow_closely(
        &mut self,
        direction: Direction,
        seq: SeqNumber,
        payload: &[u8],
        wire_len: u32,
    ) {
        let place = of_direction(&mut self.tails, direction);
        let Some((next, tail)) = place else { return };
        let ahead = seq.offset_from(*next);
        let behind = usize::try_from(ahead.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let Some(fresh) = payload.get(behind..) else {
            return;
        };
        let mut framing = *tail;
        if framing.on_gap(u64::try_from(ahead).unwrap_or(0)).is_err() {
            // A header is missing, and may only be late. A segment that is a record needs none.
            if !is_record(payload) {
                return;
            }
            framing = Tail::default();
        }
        let late_alerts = &mut self.late_alerts;
        let cut = usize::try_from(wire_len)
            .unwrap_or(usize::MAX)
            .saturating_sub(payload.len());
        let is_followed = framing
            .on_bytes(fresh, |content_type, _| {
                let mut places = late_alerts.iter_mut();
                if content_type == ContentType::ALERT
                    && let Some(place) = places.find(|place| place.is_none())
                {
                    *place = Some(direction);
                }
            })
            .and_then(|()| framing.on_gap(u64::try_from(cut).unwrap_or(u64::MAX)))
            .is_ok();
        *place = is_followed.then(|| (SeqNumber(seq.0.wrapping_add(wire_len)), framing));
    }
}

/// What the lists of a hello take, in bytes.
const LEARNED_LEN: usize = 1024;
/// Segments of a direction without a known beginning that wait for one.
const MAX_HELD: usize = 16;
/// How often they are let go before they are held no more: in what lies farther apart than so many segments, no beginning
/// is just late.
const MAX_FRUITLESS: u8 = 8;
/// Bytes of them.
const MAX_HELD_LEN: usize = 32 * 1024;
/// Bytes by which a segment may be late, about eleven of an Ethernet: with more waiting, what is
/// missing is not worth the memory once the handshake is known.
const LATE_LEN: usize = 16 * 1024;
/// Alerts of a settled connection that are told.
pub(super) const MAX_LATE_ALERTS: usize = 4;
