//! One TCP connection: from segments to what TLS showed of itself.
//!
//! A connection is read only as long as its handshake can still
//! change: after that its buffers are gone, and only record headers are followed.

use crate::analysis::glance::Glance;
use crate::analysis::half_open::Syn;
use crate::analysis::kinds::Chain;
use crate::analysis::lane::{Lane, Signature};
use crate::analysis::mark::Mark;
use crate::analysis::reading::{Reading, Settled};
use crate::analysis::shared::Shared;
use crate::flow::{Direction, FlowKey};
use crate::packet::{Encapsulation, Flags, PathId, Segment, SeqNumber, Unreachable};
use crate::reassembly::{Limits, Recent};
use crate::tls::{self, Progress};
use crate::verdict::Closing;

/// A TCP connection as far as it was seen.
///
/// With its place in the table it takes four cache lines, laid out as written: what it is, its two
/// directions, and where it was seen. There may be hundreds of thousands, and each packet looks
/// for one.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Connection {
    phase: Phase,
    lanes: [Lane; 2],
    pub(super) first: Mark,
    pub(super) last: Mark,
    rare: Option<Box<Rare>>,
    /// Bytes held for the handshake.
    held_len: u32,
    /// Who sent the SYN.
    pub(super) opener: Option<Direction>,
    /// Who ended it first, and how.
    pub(super) close: Option<(Direction, Closing)>,
    /// A limit ended what was kept of it.
    pub(super) hit_limit: bool,
}

/// What few connections have.
#[derive(Debug, Default)]
struct Rare {
    older: Option<Box<Connection>>,
    encapsulation: Option<Box<Encapsulation>>,
    icmp: Option<Box<Unreachable>>,
}

/// What all connections of a shard have in common.
pub(super) struct Environment<'a> {
    pub(super) limits: &'a Limits,
    pub(super) shared: &'a Shared,
    /// What was handed on of late, to be compared with what is sent again.
    pub(super) recent: &'a mut Recent,
}

#[derive(Debug)]
enum Phase {
    /// No payload yet.
    Opening,
    /// Not TLS so far: only the first bytes of segments are looked at.
    Watching,
    /// The handshake is being read.
    Reading(Box<Reading>),
    /// It has told its story.
    Settled(Box<Settled>),
}

impl Connection {
    /// A connection of which nothing is known but where it was first seen.
    pub(super) fn new(mark: Mark) -> Self {
        Self {
            phase: Phase::Opening,
            lanes: [Lane::default(); 2],
            first: mark,
            last: mark,
            rare: None,
            held_len: 0,
            opener: None,
            close: None,
            hit_limit: false,
        }
    }

    /// A connection of which nothing is known but one SYN: what [`Connection::take`] makes of that.
    pub(super) fn opened_by(syn: &Syn) -> Self {
        let mut connection = Self::new(syn.mark);
        let lane = connection.lane_mut(syn.direction);
        lane.count_once(syn.signature, syn.mark.time);
        lane.open_at(syn.seq);
        lane.syn_count = 1;
        connection.opener = Some(syn.direction);
        connection
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// An earlier connection of the same addresses that is still open: two captures in one, or
    /// two networks with the same addresses.
    pub(super) fn older(&mut self) -> Option<&mut Connection> {
        self.rare.as_mut()?.older.as_deref_mut()
    }

    #[inline]
    fn has_older(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.older.is_some())
    }

    pub(super) fn take_older(&mut self) -> Option<Box<Connection>> {
        self.rare.as_mut()?.older.take()
    }

    pub(super) fn set_older(&mut self, older: Option<Box<Connection>>) {
        if older.is_some() || self.rare.is_some() {
            self.rare().older = older;
        }
    }

    /// Takes a closer look at the networks around a segment, the first time that there are any.
    #[inline]
    pub(super) fn note_path(&mut self, path: PathId, outer: &dyn Fn() -> Encapsulation) {
        if path != PathId::default() {
            let place = &mut self.rare().encapsulation;
            place.get_or_insert_with(|| Box::new(outer()));
        }
    }

    pub(super) fn take_encapsulation(&mut self) -> Option<Box<Encapsulation>> {
        self.rare.as_mut()?.encapsulation.take()
    }

    /// Notes an ICMP error that quotes one of its segments: the first one counts.
    pub(super) fn note_icmp(&mut self, icmp: &Unreachable) {
        let place = &mut self.rare().icmp;
        place.get_or_insert_with(|| Box::new(*icmp));
    }

    pub(super) fn take_icmp(&mut self) -> Option<Box<Unreachable>> {
        self.rare.as_mut()?.icmp.take()
    }

    pub(super) fn lane(&self, direction: Direction) -> &Lane {
        let [low, high] = &self.lanes;
        match direction {
            Direction::LowToHigh => low,
            Direction::HighToLow => high,
        }
    }

    /// Where the FINs stand: low to high, high to low.
    fn fins(&self) -> [Option<SeqNumber>; 2] {
        self.lanes.each_ref().map(Lane::fin)
    }

    fn lane_mut(&mut self, direction: Direction) -> &mut Lane {
        let [low, high] = &mut self.lanes;
        match direction {
            Direction::LowToHigh => low,
            Direction::HighToLow => high,
        }
    }

    /// Whether both sides have ended it, or one abruptly.
    pub(super) fn is_closed(&self) -> bool {
        let [low, high] = &self.lanes;
        low.has_rst || high.has_rst || (low.fin().is_some() && high.fin().is_some())
    }

    /// Whether a segment belongs to the earlier connection that is still open, rather than to
    /// this one: it lies nearer to what was seen of that.
    pub(super) fn is_meant_for_older(&self, segment: &Segment) -> bool {
        let distance = |connection: &Self| connection.lane(segment.direction).distance(segment.seq);
        self.rare
            .as_ref()
            .and_then(|rare| rare.older.as_deref())
            .is_some_and(|older| distance(older) < distance(self))
    }

    /// Whether a segment opens another connection than this one: a SYN does, or a hello where no SYN was captured.
    pub(super) fn is_reopened_by(&self, segment: &Segment, payload: &[u8]) -> bool {
        if !segment.flags.syn() {
            return self.is_over_before(segment.direction, segment.seq, || payload);
        }
        let lane = self.lane(segment.direction);
        let first_byte = segment.seq.wrapping_add(1);
        if segment.flags.ack() {
            // An answer to another SYN, or a second one to the same, is junk while this
            // connection lives: a second path, or a load balancer's late word.
            return self.is_closed() && lane.syn().is_some_and(|syn| syn != segment.seq);
        }
        match (lane.syn(), lane.anchor()) {
            (Some(syn), _) => syn != segment.seq,
            // A SYN that comes late, or that the capture shows behind its data, is no new one.
            (None, Some(anchor)) if lane.is_from_start => anchor != first_byte,
            (None, _) => lane.packets > 0 && lane.distance(first_byte) > LATE_SYN,
        }
    }

    /// Whether a hello comes when its direction has ended, and is nowhere near to what that has sent: not this connection's own hello,
    /// captured once more or late.
    #[inline(always)]
    pub(super) fn is_over_before<'a>(
        &self,
        direction: Direction,
        seq: SeqNumber,
        payload: impl Fn() -> &'a [u8],
    ) -> bool {
        self.close.is_some() && self.has_ended_before(direction, seq, payload())
    }

    /// Apart from the way of most segments.
    #[cold]
    fn has_ended_before(&self, direction: Direction, seq: SeqNumber, payload: &[u8]) -> bool {
        let lane = self.lane(direction);
        let has_ended = lane.fin().is_some() || self.lanes.iter().any(|lane| lane.has_rst);
        has_ended
            && tls::begins_hello(payload)
            && lane.anchor() != Some(seq)
            && lane.distance(seq) > LATE_SYN
    }

    /// Whether a segment is of another sequence space than this connection, as where one
    /// 5-tuple is captured on both sides of a box that rewrites the numbers: it acknowledges
    /// what the other side is nowhere near to having sent.
    #[inline(always)]
    fn is_foreign(&self, direction: Direction, flags: Flags, ack: SeqNumber) -> bool {
        let other = self.lane(direction.reversed());
        flags.ack() && other.packets > 0 && other.distance(ack) > FOREIGN
    }

    /// Takes a SYN, with or without ACK.
    pub(super) fn open(&mut self, segment: &Segment) {
        let is_answer = segment.flags.ack();
        let asked = self.lane(segment.direction.reversed()).syn();
        let is_other_answer = asked.is_some_and(|syn| segment.ack != syn.wrapping_add(1));
        let lane = self.lane_mut(segment.direction);
        let before = lane.syn();
        if is_answer && (is_other_answer || before.is_some_and(|syn| syn != segment.seq)) {
            return;
        }
        lane.open_at(segment.seq);
        let is_first_answer = is_answer && asked.is_some() && before.is_none();
        if is_first_answer && self.close.is_some_and(|(_, how)| how == Closing::Rst) {
            // It answered an earlier SYN, or what was left of an earlier connection (RFC 9293,
            // section 3.5.1).
            self.close = None;
            self.lanes.iter_mut().for_each(Lane::forget_reset);
        }
        if is_answer {
            self.opener.get_or_insert(segment.direction.reversed());
            let other = self.lane_mut(segment.direction.reversed());
            if other.anchor().is_none() {
                other.anchor_at(segment.ack, true);
            }
        } else {
            self.opener = Some(segment.direction);
            let lane = self.lane_mut(segment.direction);
            lane.syn_count = lane.syn_count.saturating_add(1);
        }
    }

    /// SYNs that asked for it.
    pub(super) fn attempts(&self) -> u32 {
        let [low, high] = &self.lanes;
        low.syn_count.saturating_add(high.syn_count)
    }

    /// Whether both sides were heard.
    pub(super) fn was_answered(&self) -> bool {
        self.lanes.iter().all(|lane| lane.packets > 0)
    }

    /// Whether a SYN was seen, and nothing that answers it.
    pub(super) fn is_half_open(&self) -> bool {
        self.opener
            .is_some_and(|opener| self.lane(opener.reversed()).syn().is_none())
            && matches!(self.phase, Phase::Opening)
    }

    /// Whether it is over and has nothing to tell: what it carried is not TLS, or nothing, and both
    /// sides have ended it. After a reset, a hello that was sent before may still be captured.
    pub(super) fn leaves_a_stub(&self) -> bool {
        let is_ended = match self.phase {
            Phase::Opening => self.fins().iter().all(Option::is_some),
            Phase::Watching => self.is_closed(),
            Phase::Reading(_) | Phase::Settled(_) => false,
        };
        is_ended && !self.has_older() && !self.is_half_open()
    }

    /// Whether its story is whole: TLS has shown what it could, both sides have ended it, and its SYNs tell what comes late of it
    /// from another one.
    pub(super) fn is_over_for_good(&self) -> bool {
        let has_ended =
            |lane: &Lane| lane.syn().is_some() && (lane.fin().is_some() || lane.has_rst);
        let has_older = self.rare.as_ref().is_some_and(|rare| rare.older.is_some());
        self.is_settled() && self.lanes.iter().all(has_ended) && !has_older
    }

    /// Reads a word of each cache line that it fills.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let [low, high] = &self.lanes;
        low.bytes ^ high.bytes ^ self.last.frame
    }

    /// Takes one of the many segments that neither open nor end anything, and say nothing or are of
    /// a connection that is only followed: it is counted, and record headers in it are looked at.
    /// `false` where it may be more than that, and is still to be taken.
    ///
    /// [`Connection::take`] does the same for these, at twice the cost.
    #[inline(always)]
    pub(super) fn take_in_passing<'a>(&mut self, segment: impl Glance<'a>) -> bool {
        let is_event = segment.flags().0 & EVENTS.0 != 0;
        if is_event || self.has_older() || !self.knows_path(segment.path()) {
            return false;
        }
        let direction = segment.direction();
        let says_nothing = segment.wire_len() == 0;
        let may_pass = says_nothing
            || match &self.phase {
                Phase::Settled(_) => {
                    !self.is_over_before(direction, segment.seq(), || segment.payload())
                }
                Phase::Watching => {
                    let begins = segment.begins_tls();
                    !begins.unwrap_or_else(|| tls::begins_hello(segment.payload()))
                        && !self.is_foreign(direction, segment.flags(), segment.ack())
                }
                Phase::Reading(reading) => {
                    reading.passes(direction, segment.payload())
                        && !self.is_foreign(direction, segment.flags(), segment.ack())
                }
                Phase::Opening => false,
            };
        if !may_pass {
            return false;
        }
        let mark = segment.mark();
        self.last = mark;
        let lane = self.lane_mut(direction);
        lane.count_once(segment.signature(), mark.time);
        let (seq, wire_len) = (segment.seq(), segment.wire_len());
        if !says_nothing && !lane.is_junk(seq) {
            lane.extend(seq, wire_len);
            if let Phase::Settled(settled) = &mut self.phase {
                settled.follow(direction, seq, || segment.payload(), wire_len);
            }
        }
        true
    }

    /// Whether nothing is around a segment, or what is around the connection is known.
    #[inline]
    fn knows_path(&self, path: PathId) -> bool {
        let rare = self.rare.as_ref();
        path == PathId::default() || rare.is_some_and(|rare| rare.encapsulation.is_some())
    }

    /// Takes one segment: counts it, reads it, notes an end.
    pub(super) fn take(
        &mut self,
        segment: &Segment,
        payload: &[u8],
        mark: Mark,
        env: &mut Environment<'_>,
    ) {
        self.last = mark;
        let direction = segment.direction;
        let signature = Signature::of(segment);
        let is_fresh = self.lane_mut(direction).count_once(signature, mark.time);
        if segment.flags.syn() && is_fresh {
            self.open(segment);
        }
        if !matches!(self.phase, Phase::Settled(_))
            && self.is_foreign(direction, segment.flags, segment.ack)
        {
            return;
        }
        let is_junk = self.lane(direction).is_junk(segment.seq);
        if segment.wire_len > 0 && !segment.flags.rst() && !is_junk {
            let offset = u32::from(segment.flags.syn());
            let seq = SeqNumber(segment.seq.0.wrapping_add(offset));
            self.lane_mut(direction).extend(seq, segment.wire_len);
            self.read(segment, seq, payload, mark, env);
        }
        // A reset far from all that was seen is of another connection, or forged (RFC 9293,
        // section 3.5.3).
        let is_stray = segment.flags.rst() && self.lane(direction).distance(segment.seq) > FOREIGN;
        if (segment.flags.rst() && !is_stray) || segment.flags.fin() {
            let how = if segment.flags.rst() {
                Closing::Rst
            } else {
                Closing::Fin
            };
            let lane = self.lane_mut(direction);
            if segment.flags.rst() {
                lane.reset_at(segment.seq);
            }
            if segment.flags.fin() {
                let offset = u32::from(segment.flags.syn()).wrapping_add(segment.wire_len);
                lane.finish_at(segment.seq.wrapping_add(offset));
            }
            self.close.get_or_insert((direction, how));
            // After a reset from one side, what the other had sent may still arrive.
            if self.lanes.iter().all(Lane::has_ended) {
                self.settle_if_read(&segment.key, env.shared);
            }
        }
    }

    fn read(
        &mut self,
        segment: &Segment,
        seq: SeqNumber,
        payload: &[u8],
        mark: Mark,
        env: &mut Environment<'_>,
    ) {
        if let Phase::Settled(settled) = &mut self.phase {
            settled.follow(segment.direction, seq, || payload, segment.wire_len);
            return;
        }
        if !matches!(self.phase, Phase::Reading(_)) {
            if !self.is_worth_reading(segment, seq, payload) {
                self.phase = Phase::Watching;
                return;
            }
            let anchors = self.lanes.each_ref().map(Lane::anchor);
            let keeps = env.shared.keyring.keeps(&self.first);
            self.phase = Phase::Reading(Box::new(Reading::new(anchors, keeps, &env.shared.lists)));
        }
        let Phase::Reading(reading) = &mut self.phase else {
            return;
        };
        reading.push(segment, seq, payload, mark, env.limits, env.recent);
        reading.drop_needless(&env.shared.keyring);
        match reading.progress() {
            Progress::Undecided | Progress::Handshaking => {}
            Progress::NotTls => self.phase = Phase::Watching,
            Progress::Settled if reading.is_patient() => {}
            Progress::Settled => self.settle(&segment.key, env.shared),
        }
        self.measure();
    }

    /// Whether a segment of a connection that is not being read may begin TLS, or hide what does.
    fn is_worth_reading(&mut self, segment: &Segment, seq: SeqNumber, payload: &[u8]) -> bool {
        let anchor = self.lane(segment.direction).anchor();
        let begins = match self.phase {
            Phase::Opening => match anchor {
                // Not the first byte: what comes before may still come.
                Some(anchor) if anchor != seq => return true,
                Some(_) => {
                    return tls::may_begin(payload) || self.is_early_answer(segment, payload);
                }
                None => tls::may_begin(payload),
            },
            _ => tls::begins_hello(payload),
        };
        if begins {
            // It says itself where this direction begins, and its ACK where the other one does.
            self.lane_mut(segment.direction).anchor_at(seq, false);
            if segment.flags.ack() {
                self.lane_mut(segment.direction.reversed())
                    .anchor_at(segment.ack, false);
            }
            return true;
        }
        matches!(self.phase, Phase::Opening)
    }

    /// Whether the server may answer here what is yet to be captured: the request for a tunnel, or
    /// for TLS.
    fn is_early_answer(&self, segment: &Segment, payload: &[u8]) -> bool {
        let is_answer = payload.len() <= 2 || payload.starts_with(b"HTTP/1.");
        is_answer && self.opener == Some(segment.direction.reversed())
    }

    /// Reads what waits, and gives up what is missing: no more will come, or nothing more matters.
    pub(super) fn settle(&mut self, key: &FlowKey, shared: &Shared) {
        if !matches!(self.phase, Phase::Reading(_)) {
            return;
        }
        self.held_len = 0;
        if let Phase::Reading(mut reading) = std::mem::replace(&mut self.phase, Phase::Watching)
            && let Some(settled) = reading.finish(
                self.fins(),
                [self.first, self.last],
                self.opener,
                key,
                shared,
            )
        {
            self.phase = Phase::Settled(Box::new(settled));
        }
    }

    /// Settles a connection that is over, unless bytes are missing that may still come.
    fn settle_if_read(&mut self, key: &FlowKey, shared: &Shared) {
        if let Phase::Reading(reading) = &self.phase
            && !reading.is_waiting(self.fins())
        {
            self.settle(key, shared);
        }
    }

    /// Stops reading, since all connections together hold too much.
    pub(super) fn give_up(&mut self, key: &FlowKey, shared: &Shared) {
        self.hit_limit = true;
        self.settle(key, shared);
    }

    /// Bytes held for the handshake when that was last measured.
    pub(super) fn held_len(&self) -> usize {
        usize::try_from(self.held_len).unwrap_or(usize::MAX)
    }

    /// Measures what is held for the handshake.
    fn measure(&mut self) {
        self.held_len = match &self.phase {
            Phase::Reading(reading) => u32::try_from(reading.memory_len()).unwrap_or(u32::MAX),
            _ => 0,
        };
    }

    /// Reads a word of each cache line of what TLS showed.
    #[inline]
    pub(super) fn touch_settled(&self) -> u64 {
        match &self.phase {
            Phase::Settled(settled) => settled.touch(),
            _ => 0,
        }
    }

    /// Whether it has told its story.
    #[inline]
    pub(super) const fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Settled(_))
    }

    /// The chains of a settled connection.
    #[inline]
    pub(super) fn chains(&self) -> impl Iterator<Item = &Chain> {
        let settled = match &self.phase {
            Phase::Settled(settled) => Some(settled),
            _ => None,
        };
        settled.into_iter().flat_map(|settled| settled.tls.chains())
    }

    /// What TLS showed, once settled; `None` where there was no TLS.
    pub(super) fn into_settled(self) -> Option<Box<Settled>> {
        match self.phase {
            Phase::Settled(settled) => Some(settled),
            _ => None,
        }
    }
}

/// What opens or ends a connection.
const EVENTS: Flags = Flags(Flags::SYN.0 | Flags::FIN.0 | Flags::RST.0);
/// How far an ACK may lie from what was seen of the other side, and still belong to it: no
/// capture loses as much before a handshake is over.
const FOREIGN: u32 = 1 << 28;
/// How far a SYN or a hello may lie from what was seen before it, and still belong to it.
pub(super) const LATE_SYN: u32 = 1 << 16;

#[cfg(test)]
mod tests;
