//! One of the shards that share the flows among them: its flow table, and what goes in and out.
//!
//! A shard sees its own segments in the order of the capture and nothing else, so what it does
//! depends neither on the number of threads nor on the borders of blocks and rounds.

use std::net::IpAddr;

use crate::analysis::answered::Answered;
use crate::analysis::connection::{Connection, Environment};
use crate::analysis::deal::SHARDS;
use crate::analysis::entry::{Entry, Placed, Source};
use crate::analysis::glance::Whole;
use crate::analysis::half_open::HalfOpen;
use crate::analysis::ledger::Ledger;
use crate::analysis::mark::Mark;
use crate::analysis::past::Past;
use crate::analysis::shared::Shared;
use crate::analysis::story::Story;
use crate::analysis::waiting::Departed;
use crate::flow::{Direction, FlowKey};
use crate::packet::{Encapsulation, Segment, Unreachable};
use crate::reassembly::{Fingerprint, FlowTable, Guess, Limits, Look, Recent, Tag, Tagger};
use crate::time::Timestamp;

/// A segment, with its payload and where it was seen.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) segment: &'a Segment,
    /// What its key is sought by.
    pub(super) tag: Tag,
    /// Its connection was found, and has not taken it in passing.
    pub(super) was_tried: bool,
    pub(super) payload: &'a [u8],
    /// Whether a hello stands at the beginning of the payload, where somebody has looked.
    pub(super) begins_tls: Option<bool>,
    pub(super) mark: Mark,
    /// The newest time among the frames of the run up to this one.
    pub(super) clock: Timestamp,
    /// The frame it came in, for a closer look at its VLANs and tunnels.
    pub(super) outer: &'a dyn Fn() -> Encapsulation,
}

/// What became of a segment that might be taken in passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Taken,
    /// It changes more than can be changed in passing.
    Refused,
    /// Its connection is not where it was thought to be, if there is one.
    NotHere,
}

/// A flow table and its surroundings.
#[derive(Debug)]
pub(super) struct Shard {
    table: FlowTable<Connection>,
    /// Flows of which nothing but a SYN was seen, so that a flood of them drives out no other.
    half_open: FlowTable<HalfOpen>,
    /// Connections that are over, for what comes late of them.
    past: FlowTable<Past, Fingerprint>,
    limits: Limits,
    /// What its connections have sent of late.
    recent: Recent,
    linger: i64,
    /// Bytes held by connections being read.
    held_len: usize,
    /// The large chains of connections that are not read any more.
    ledger: Ledger,
    /// Segments until connections are to be looked at for their age.
    until_aged: usize,
    /// When they are to be looked at in any case.
    ages_at: Timestamp,
    now: Timestamp,
    /// The frame at which something may depart, and the newest time of the run up to it.
    place: (u32, u64),
    clock: Timestamp,
    departed: Vec<Departure>,
    stories: Vec<Departed>,
    /// Connections that never came about, within a bound.
    knocks: Vec<Story>,
    /// How many there are, those included of which no story was made yet.
    knock_count: usize,
    /// Addresses that were seen to send and to be answered.
    answered: Answered,
    pub(super) counts: ShardCounts,
}

/// A connection that has left the tables, and when.
#[derive(Debug)]
struct Departure {
    key: FlowKey,
    connection: Connection,
    place: (u32, u64),
    clock: Timestamp,
}

/// A frame at which the capture's clock has moved on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick {
    /// Its place in the input.
    pub(super) place: (u32, u64),
    /// Its time.
    pub(super) time: Timestamp,
}

/// What a shard saw, and what it had to give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShardCounts {
    /// Connections.
    pub(super) connections: u64,
    /// Connections that made room for others.
    pub(super) evicted: u64,
    /// Connections that were told before their end, for want of memory for certificates.
    pub(super) told_at_once: u64,
    /// Unanswered SYNs that made room for others.
    pub(super) half_open_evicted: u64,
    /// Connections that never came about, beyond those that are kept.
    pub(super) knocks_left_out: u64,
    /// Handshakes given up because all of them together held too much.
    pub(super) over_memory: u64,
}

impl Shard {
    /// A shard with its share of the limits.
    ///
    /// `linger` is how long a connection that is over is remembered, in nanoseconds.
    pub(super) fn new(limits: &Limits, seed: u64, linger: i64) -> Self {
        let limits = limits.per_shard(SHARDS);
        Self {
            linger,
            table: FlowTable::new(limits.flows, seed),
            half_open: FlowTable::new(limits.half_open, seed),
            past: FlowTable::new(limits.flows, seed),
            recent: Recent::new(limits.compared_total, limits.compared_per_direction),
            limits,
            held_len: 0,
            ledger: Ledger::default(),
            until_aged: GLANCES,
            ages_at: Timestamp::from_nanos(i64::MIN),
            now: Timestamp::from_nanos(i64::MIN),
            place: (0, 0),
            clock: Timestamp::from_nanos(i64::MIN),
            departed: Vec::new(),
            stories: Vec::new(),
            knocks: Vec::new(),
            knock_count: 0,
            answered: Answered::default(),
            counts: ShardCounts::default(),
        }
    }

    /// What makes of keys what they are sought by: the same in all shards of a run.
    #[inline]
    pub(super) fn tagger(&self) -> &Tagger {
        self.table.tagger()
    }

    /// The slot that a connection most likely stands in.
    #[inline(always)]
    pub(super) fn guess(&self, tag: Tag) -> Guess {
        self.table.guess(tag)
    }

    /// Reads what [`Shard::take`] will, so that the memory of many connections comes at once. What
    /// it gives is of no use but to be read.
    #[inline]
    pub(super) fn touch(&self, guess: Guess) -> u64 {
        let touched = self.table.peek(guess).map(Connection::touch);
        touched.unwrap_or_default()
    }

    /// The same as [`Shard::touch`] for a segment that has no connection, and may open one.
    #[inline(always)]
    pub(super) fn touch_past(&self, tag: Tag) -> u64 {
        self.past.touch_index(tag)
    }

    /// Whether each further SYN drives out another.
    // Out of the way of those that do not ask.
    #[inline(never)]
    pub(super) fn is_flooded(&self) -> bool {
        self.half_open.is_full()
    }

    /// The same as [`Shard::touch`] for a SYN.
    #[inline]
    pub(super) fn touch_syn(&self, tag: Tag) -> u64 {
        self.half_open.touch(tag) ^ self.past.touch(tag)
    }

    /// The same for a SYN that is driven out.
    #[inline]
    pub(super) fn touch_victim(&self, tag: Tag) -> u64 {
        self.half_open.touch(tag)
    }

    /// What the SYN is sought by that the next one drives out, or one that comes after `others`.
    #[inline]
    pub(super) fn victim(&self, others: usize) -> Option<Tag> {
        self.half_open.first_due(others)
    }

    /// Takes a segment.
    pub(super) fn take(&mut self, arrival: &Arrival<'_>, shared: &Shared) {
        let Arrival { mark, clock, .. } = *arrival;
        if self.hears_at(mark.time) {
            self.grow_old(mark.place(), clock, shared);
        }
        self.take_closely(arrival, shared);
    }

    /// Notes the time of a segment. Whether connections are to be looked at for their age before it
    /// is taken: many at a time, each slot as often as with one at each segment; after a silence at
    /// once, since what comes then may be of a new connection between the same ends.
    #[inline(always)]
    pub(super) fn hears_at(&mut self, time: Timestamp) -> bool {
        self.now = self.now.max(time);
        self.until_aged = self.until_aged.wrapping_sub(1);
        self.until_aged == 0 || self.now >= self.ages_at
    }

    /// Looks at as many slots for the age of their connections as segments came since the last time. `clock` is the newest time of the run up to `place`.
    #[inline(never)]
    pub(super) fn grow_old(&mut self, place: (u32, u64), clock: Timestamp, shared: &Shared) {
        (self.place, self.clock) = (place, clock);
        let heard = GLANCES.saturating_sub(self.until_aged);
        // Where the clock has jumped, all that is open looks silent. Perhaps it was one wrong time, and what lives is heard again
        // before more of it is looked at.
        let has_jumped = self.now.nanos_since(self.ages_at) > IDLE;
        let count = if has_jumped { 0 } else { heard };
        self.until_aged = GLANCES;
        self.ages_at = self.now.saturating_add_nanos(SECOND);
        self.age(count.max(LEAST_GLANCES), shared);
    }

    /// Takes one of the many segments that change nothing, if its connection stands in the slot that
    /// was guessed.
    #[inline(always)]
    pub(super) fn pass(
        &mut self,
        guess: Guess,
        key: FlowKey,
        entry: &Entry,
        source: &Source<'_>,
    ) -> Passed {
        let Some(connection) = self.table.find_at(guess, &key, self.now) else {
            return Passed::NotHere;
        };
        if connection.take_in_passing(Placed { entry, source }) {
            Passed::Taken
        } else {
            Passed::Refused
        }
    }

    /// Takes a segment that was not taken in passing.
    #[inline(never)]
    pub(super) fn take_closely(&mut self, arrival: &Arrival<'_>, shared: &Shared) {
        (self.place, self.clock) = (arrival.mark.place(), arrival.clock);
        if (arrival.segment.flags.syn() || !self.apply(arrival, shared))
            && self.make_room(arrival, shared)
        {
            self.apply(arrival, shared);
        }
    }

    /// The capture has come to `tick`: looks at what has not been heard of for long.
    pub(super) fn tick(&mut self, tick: Tick, clock: Timestamp, shared: &Shared) {
        self.now = self.now.max(tick.time);
        self.place = tick.place;
        self.clock = clock;
        // In a sparse capture all of them.
        self.age(GLANCES, shared);
    }

    /// Takes an ICMP error that quotes a segment.
    pub(super) fn take_icmp(&mut self, icmp: &Unreachable) {
        let now = self.now;
        let tag = self.table.tag(&icmp.key);
        if let Some(found) = self.half_open.find(&icmp.key, tag, now) {
            found.flow.more().note_icmp(icmp);
        } else if let Some(found) = self.table.find(&icmp.key, tag, now) {
            found.flow.note_icmp(icmp);
        }
    }

    /// Gives a segment to its connection; `false` when there is none.
    fn apply(&mut self, arrival: &Arrival<'_>, shared: &Shared) -> bool {
        let Arrival {
            segment,
            tag,
            was_tried,
            payload,
            mark,
            ..
        } = *arrival;
        let Some(mut found) = self.table.find(&segment.key, tag, self.now) else {
            return false;
        };
        let whole = Whole {
            segment,
            payload,
            begins_tls: arrival.begins_tls,
            mark,
        };
        if !was_tried && found.flow.take_in_passing(whole) {
            return true;
        }
        if found
            .flow
            .is_over_before(segment.direction, segment.seq, || payload)
        {
            return false;
        }
        let was_closed = found.flow.is_closed();
        let is_meant_for_older = found.flow.is_meant_for_older(segment);
        let connection = match found.flow.older() {
            Some(older) if is_meant_for_older => older,
            _ => &mut *found.flow,
        };
        connection.note_path(segment.path, arrival.outer);
        let mut env = Environment {
            limits: &self.limits,
            shared,
            recent: &mut self.recent,
        };
        let before = connection.held_len();
        let was_settled = connection.is_settled();
        connection.take(segment, payload, mark, &mut env);
        self.held_len = self.held_len.saturating_sub(before) + connection.held_len();
        if self.held_len > self.limits.waiting_total && connection.held_len() > 0 {
            self.held_len = self.held_len.saturating_sub(connection.held_len());
            connection.give_up(&segment.key, shared);
            self.counts.over_memory += 1;
        }
        let is_news = !was_settled && connection.is_settled();
        if is_news {
            connection.chains().for_each(|chain| self.ledger.add(chain));
        }
        if found.flow.is_closed() && (!was_closed || found.flow.held_len() > 0) {
            let in_flight = IN_FLIGHT.min(self.linger);
            found.is_due_after(self.now.saturating_add_nanos(in_flight));
        }
        if is_news && self.ledger.len() > self.limits.large_chains_total {
            self.tell_at_once(&segment.key, tag, shared);
        }
        true
    }

    /// Tells a connection whose certificates are more than there is room for: what comes of it later
    /// is not looked at.
    #[cold]
    fn tell_at_once(&mut self, key: &FlowKey, tag: Tag, shared: &Shared) {
        if let Some(mut connection) = self.table.remove(key, tag) {
            self.counts.told_at_once += 1;
            connection.hit_limit = true;
            self.bury(key, self.now, Past::of(&connection));
            self.depart(*key, connection, shared);
        }
    }

    /// Sees to it that the table has a connection for a segment that found none, or that opens
    /// one. `false` when the segment asks for no more than to be remembered as a SYN, or comes late.
    #[inline(never)]
    fn make_room(&mut self, arrival: &Arrival<'_>, shared: &Shared) -> bool {
        let Arrival {
            segment,
            tag,
            payload,
            mark,
            ..
        } = *arrival;
        let key = segment.key;
        let knocks = segment.flags.syn() && !segment.flags.ack();
        if let Some(mut found) = self.table.find(&key, tag, self.now) {
            if found.flow.is_reopened_by(segment, payload) {
                found.is_due_after(self.now);
                let found = found.flow;
                let mut earlier = std::mem::replace(found, Connection::new(mark));
                self.counts.connections += 1;
                let oldest = earlier.take_older();
                if earlier.is_closed() {
                    found.set_older(oldest);
                    self.depart(key, earlier, shared);
                } else {
                    // Still open: perhaps two networks with the same addresses.
                    found.set_older(Some(Box::new(earlier)));
                    if let Some(oldest) = oldest {
                        self.depart(key, *oldest, shared);
                    }
                }
            }
            return true;
        }
        let fingerprint = self.past.tagger().fingerprint(&key, tag);
        if let Some(past) = self.past.find(&fingerprint, tag, self.now) {
            let is_forgotten = self.now.nanos_since(past.previous) > self.linger;
            if !is_forgotten && past.flow.has(segment, payload) {
                return false;
            }
            self.past.remove(&fingerprint, tag);
        }
        if knocks && segment.wire_len == 0 {
            self.knock(arrival, shared);
            return false;
        }
        let connection = match self.half_open.remove(&key, tag) {
            Some(half_open) => half_open.into_connection(),
            None => {
                self.counts.connections += 1;
                Connection::new(mark)
            }
        };
        if self.table.is_full()
            && let Some((key, mut evicted)) = self.table.evict()
        {
            self.counts.evicted += 1;
            evicted.hit_limit = true;
            self.depart(key, evicted, shared);
        }
        // One that was reset before its SYN was captured may be over soon.
        let quiet = if connection.is_closed() { 0 } else { IDLE };
        let quiet_until = self.now.saturating_add_nanos(quiet);
        self.table
            .insert(key, tag, self.now, quiet_until, connection);
        true
    }

    /// Remembers a SYN, until something answers it.
    fn knock(&mut self, arrival: &Arrival<'_>, shared: &Shared) {
        let Arrival {
            segment, tag, mark, ..
        } = *arrival;
        let key = segment.key;
        let mut env = Environment {
            limits: &self.limits,
            shared,
            recent: &mut self.recent,
        };
        if let Some(found) = self.half_open.find(&key, tag, self.now) {
            let found = found.flow.more();
            let earlier = found
                .is_reopened_by(segment, &[])
                .then(|| std::mem::replace(found, Connection::new(mark)));
            found.note_path(segment.path, arrival.outer);
            found.take(segment, &[], mark, &mut env);
            if let Some(earlier) = earlier {
                self.counts.connections += 1;
                self.depart(key, earlier, shared);
            }
            return;
        }
        let half_open = if HalfOpen::is_bare_syn(segment) {
            HalfOpen::by(segment, mark)
        } else {
            let mut connection = Connection::new(mark);
            connection.note_path(segment.path, arrival.outer);
            connection.take(segment, &[], mark, &mut env);
            HalfOpen::by_more(segment, connection)
        };
        if self.half_open.is_full()
            && let Some((key, evicted)) = self.half_open.evict_first_due()
        {
            self.counts.half_open_evicted += 1;
            self.depart_half_open(key, evicted, shared);
        }
        self.counts.connections += 1;
        let quiet_until = self.now.saturating_add_nanos(IDLE);
        self.half_open
            .insert(key, tag, self.now, quiet_until, half_open);
    }

    /// Glances at the next `count` slots of each table, and lets go of what has been over or silent for
    /// long. What comes late is forgotten first: what is let go takes its room.
    #[inline(never)]
    fn age(&mut self, count: usize, shared: &Shared) {
        let now = self.now;
        let mut left = self.past.at_most_due(now, count);
        while left > 0 {
            let due = self.past.due(now, &mut left);
            std::hint::black_box(self.past.touch_due(&due, |_, _| 0));
            for at in due.slots() {
                self.past.look_at(at, now, |_, _, last| {
                    match over_after(now.nanos_since(last), self.linger, last) {
                        Look::Over => Look::Forgotten,
                        look => look,
                    }
                });
            }
        }
        let mut left = self.table.at_most_due(now, count);
        while left > 0 {
            let due = self.table.due(now, &mut left);
            // What it reads of them, and then what lies behind that, and where it will note what is left of them.
            let read = self
                .table
                .touch_due(&due, |_, connection| connection.touch());
            std::hint::black_box(read);
            let read = self.table.touch_due(&due, |key, connection| {
                self.touch_past(self.table.tag(key)) ^ connection.touch_settled()
            });
            std::hint::black_box(read);
            for at in due.slots() {
                self.age_one(at, shared);
            }
        }
        let mut left = self.half_open.at_most_due(now, count);
        while left > 0 {
            for at in self.half_open.due(now, &mut left).slots() {
                let over = self.half_open.look_at(at, now, |_, _, last| {
                    over_after(now.nanos_since(last), IDLE, last)
                });
                if let Some((key, half_open)) = over {
                    self.depart_half_open(key, half_open, shared);
                }
            }
        }
    }

    /// Glances at the connection in a slot in which something may be due.
    fn age_one(&mut self, at: u32, shared: &Shared) {
        let now = self.now;
        let in_flight = IN_FLIGHT.min(self.linger);
        // What is over goes sooner where room for certificates becomes scarce.
        let is_scarce = self.ledger.len() > self.limits.large_chains_total / 2;
        let linger = if is_scarce { in_flight } else { self.linger };
        let held_len = &mut self.held_len;
        let ledger = &mut self.ledger;
        let mut heard_at = now;
        let mut stub = None;
        let look = |connection: &mut Connection, key: &FlowKey, last: Timestamp| {
            heard_at = last;
            let silent = now.nanos_since(last);
            if !connection.is_closed() {
                return over_after(silent, IDLE, last);
            }
            if connection.held_len() > 0 {
                if silent <= IN_FLIGHT {
                    return over_after(silent, in_flight, last);
                }
                *held_len = held_len.saturating_sub(connection.held_len());
                connection.settle(key, shared);
                connection.chains().for_each(|chain| ledger.add(chain));
            }
            let leaves_a_stub = connection.leaves_a_stub();
            let has_all = leaves_a_stub || connection.is_over_for_good();
            let limit = if has_all { in_flight } else { linger };
            match over_after(silent, limit, last) {
                Look::Over if leaves_a_stub => {
                    stub = Some((*key, Past::of(connection), connection.was_answered()));
                    Look::Forgotten
                }
                look => look,
            }
        };
        let over = self.table.look_at(at, now, look);
        if let Some((key, past, was_answered)) = stub {
            if was_answered {
                self.note_answered(&key);
            }
            self.bury(&key, heard_at, past);
        }
        if let Some((key, mut connection)) = over {
            if !connection.is_settled() {
                self.held_len = self.held_len.saturating_sub(connection.held_len());
                connection.settle(&key, shared);
                connection.chains().for_each(|chain| self.ledger.add(chain));
            }
            let past = Past::of(&connection);
            if past.is_whole() || (is_scarce && connection.is_closed()) {
                self.bury(&key, heard_at, past);
            }
            self.depart(key, connection, shared);
        }
    }

    /// Of a connection that is over before what comes late of it, keeps what tells late segments from new ones.
    fn bury(&mut self, key: &FlowKey, last: Timestamp, past: Past) {
        let silent = self.now.nanos_since(last);
        if (self.linger..=IDLE).contains(&silent) {
            return;
        }
        // Where time has jumped, as between two captures in one, a copy may come from before the jump.
        let last = if silent > IDLE { self.now } else { last };
        if self.past.is_full() {
            self.past.evict_first_due();
        }
        let tag = self.table.tag(key);
        let fingerprint = self.past.tagger().fingerprint(key, tag);
        let quiet_until = last.saturating_add_nanos(self.linger);
        self.past.insert(fingerprint, tag, last, quiet_until, past);
    }

    /// Notes both ends of a connection that sent and were answered.
    fn note_answered(&mut self, key: &FlowKey) {
        if self.answered.is_full() {
            return;
        }
        for direction in Direction::BOTH {
            let address = self.table.tagger().address(key.source(direction).ip);
            self.answered.note(address);
        }
    }

    fn depart(&mut self, key: FlowKey, mut connection: Connection, shared: &Shared) {
        self.held_len = self.held_len.saturating_sub(connection.held_len());
        if connection.was_answered() {
            self.note_answered(&key);
        }
        let older = connection.take_older();
        connection
            .chains()
            .for_each(|chain| self.ledger.remove(chain));
        connection.settle(&key, shared);
        if !connection.is_half_open() || self.count_knock() {
            self.departed.push(Departure {
                key,
                connection,
                place: self.place,
                clock: self.clock,
            });
        }
        if let Some(older) = older {
            self.depart(key, *older, shared);
        }
    }

    fn depart_half_open(&mut self, key: FlowKey, half_open: HalfOpen, shared: &Shared) {
        if half_open.is_one_syn() && self.knock_count >= MAX_KNOCKS {
            // What it would come to.
            self.counts.knocks_left_out += 1;
        } else {
            self.depart(key, half_open.into_connection(), shared);
        }
    }

    /// Counts a connection that never came about; whether it is kept.
    fn count_knock(&mut self) -> bool {
        let has_room = self.knock_count < MAX_KNOCKS;
        if has_room {
            self.knock_count += 1;
        } else {
            self.counts.knocks_left_out += 1;
        }
        has_room
    }

    /// Whether a connection has left it that is not told.
    pub(super) const fn has_news(&self) -> bool {
        !self.departed.is_empty() || !self.stories.is_empty()
    }

    /// Makes stories of the connections that are over.
    pub(super) fn tell(&mut self) {
        let mut departed = std::mem::take(&mut self.departed);
        // Memory is waited for once for all of them.
        let touch = |read, departure: &Departure| read ^ departure.connection.touch_settled();
        std::hint::black_box(departed.iter().take(MANY_AT_ONCE).fold(0, touch));
        for departure in departed.drain(..) {
            let Departure {
                key,
                connection,
                place,
                clock,
            } = departure;
            match Story::of(key, connection) {
                Some(story) if story.unreachable().is_none() => self.stories.push(Departed {
                    first: story.first.place(),
                    story: Box::new(story),
                    place,
                    clock,
                }),
                Some(knock) => self.knocks.push(knock),
                None => {}
            }
        }
        self.departed = departed;
    }

    /// Puts the stories that were told since the last time behind others.
    pub(super) fn hand_on(&mut self, stories: &mut Vec<Departed>) {
        stories.append(&mut self.stories);
    }

    /// Whether an address was seen to send and to be answered: after the end.
    pub(super) fn saw_answered(&mut self, ip: IpAddr) -> bool {
        self.answered.has(self.table.tagger().address(ip))
    }

    /// The connections that never came about: after the end.
    pub(super) fn take_knocks(&mut self) -> Vec<Story> {
        std::mem::take(&mut self.knocks)
    }

    /// The end of the input: lets every connection go.
    pub(super) fn finish(&mut self, clock: Timestamp, shared: &Shared) {
        // Nothing comes late any more, and what is told now takes memory.
        drop(self.past.drain());
        self.recent = Recent::none();
        // Behind all frames.
        self.place = (u32::MAX, u64::MAX);
        self.clock = clock;
        let half_open = self.half_open.drain();
        let half_open = half_open.map(|(key, half_open)| (key, half_open.into_connection()));
        for (key, connection) in self.table.drain().chain(half_open) {
            self.depart(key, connection, shared);
            // Soon: all of them side by side would be the whole table once more.
            if self.departed.len() >= MANY_AT_ONCE {
                self.tell();
            }
        }
    }
}

/// Whether what was silent for so long is over, if it is after `limit`.
fn over_after(silent: i64, limit: i64, last: Timestamp) -> Look {
    if silent > limit {
        Look::Over
    } else {
        Look::QuietUntil(last.saturating_add_nanos(limit))
    }
}

/// How long a connection that is over is remembered, for what comes late: twice the maximum
/// segment lifetime that RFC 9293, section 3.4.2, assumes is four minutes; hardly any stack waits
/// for more than one.
pub(super) const LINGER: i64 = 60 * SECOND;
/// How long segments may still be on their way after the end: what the other side had sent
/// before it heard of it. What comes later is known by its SYN, and not counted.
const IN_FLIGHT: i64 = SECOND;
/// How long an open connection may be silent: the default of TCP keep-alives (RFC 9293,
/// section 3.8.4).
const IDLE: i64 = 2 * 60 * 60 * SECOND;
const SECOND: i64 = 1_000_000_000;
/// Slots that are looked at together, after as many segments, and after a silence at least.
const GLANCES: usize = 256;
const LEAST_GLANCES: usize = 8;
/// Connections of which stories are made at once.
const MANY_AT_ONCE: usize = 16;
/// Connections that never came about, of one shard.
const MAX_KNOCKS: usize = 1024;

#[cfg(test)]
mod tests;
