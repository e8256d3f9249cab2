//! Where in a flow application data lies: found before anything is written, since segments come in any order.
//!
//! Each direction is put in order and taken apart into records (RFC 8446, section 5.1). Kept is what stands before
//! TLS, and every record but those of application data, of which the header is kept: it tells how much there was.
//! TLS 1.3 hides its handshake in such records (section 2), so there kept are the client's first one, the server's until
//! the client sends more (session tickets come last), and all that are no longer than an alert. What cannot be told is
//! not kept.

use std::collections::BTreeMap;

use crate::flow::{Direction, FlowKey};
use crate::packet::{Segment, SeqNumber};
use crate::reassembly::{Chunk, Limits, Recent, Stream};
use crate::tls::{ContentType, begins_client_hello, begins_server_hello, find_records};

/// What may be kept of each flow.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Each under its own ends, and once more under those of a twin.
    flows: BTreeMap<(usize, FlowKey), Flow>,
    limits: Limits,
    waiting_len: usize,
}

#[derive(Debug, Default)]
struct Flow {
    sides: BTreeMap<Direction, Side>,
    talk: Talk,
}

/// What both directions have to know of each other.
#[derive(Clone, Copy, Debug, Default)]
struct Talk {
    client: Option<Direction>,
    server_has_answered: bool,
    client_has_finished: bool,
    /// The client has sent a record behind its first one.
    client_has_asked: bool,
}

#[derive(Debug)]
struct Side {
    stream: Stream<()>,
    origin: SeqNumber,
    framer: Framer,
}

/// One direction as records.
#[derive(Debug)]
struct Framer {
    state: State,
    /// Offset of the next byte from the origin.
    at: u64,
    /// What is kept, as offsets: joined where one follows another.
    kept: Vec<(u64, u64)>,
    /// A handshake record stood behind ChangeCipherSpec: so this is no TLS 1.3.
    is_old: bool,
    has_changed: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// TLS has not begun; what stands here is a preamble.
    Before,
    /// Within the header of a record, of which some bytes are there.
    Header([u8; 5], usize),
    /// Within a record.
    Record { rest: u64, is_kept: bool },
    /// Bytes are missing, and with them where the next record begins.
    Lost,
}

impl Survey {
    /// Looks at a segment of a flow.
    pub(crate) fn enter(&mut self, flow: usize, segment: &Segment, data: &[u8]) {
        let flow = self.flows.entry((flow, segment.key)).or_default();
        let is_syn = segment.flags.syn();
        let seq = segment.seq.wrapping_add(u32::from(is_syn));
        if !is_syn && segment.wire_len == 0 {
            return;
        }
        let side = flow.sides.entry(segment.direction).or_insert_with(|| Side {
            stream: Stream::anchored(seq),
            origin: seq,
            framer: Framer::new(is_syn),
        });
        let talk = &mut flow.talk;
        let framer = &mut side.framer;
        let before = side.stream.waiting_len();
        let payload = segment.payload(data);
        side.stream.push(
            seq,
            payload,
            segment.wire_len,
            (),
            &self.limits,
            // That a retransmission disagrees was told by the first reading.
            &mut Recent::none(),
            |chunk, ()| framer.take(chunk, segment.direction, talk),
        );
        self.waiting_len = self
            .waiting_len
            .saturating_sub(before)
            .saturating_add(side.stream.waiting_len());
        if self.waiting_len > MAX_WAITING_LEN {
            let waiting = side.stream.waiting_len();
            side.stream.flush(&mut Recent::none(), |chunk, ()| {
                framer.take(chunk, segment.direction, talk)
            });
            self.waiting_len = self.waiting_len.saturating_sub(waiting);
        }
    }

    /// No more segments come: what waits behind a hole is looked at as it is.
    pub(crate) fn finish(&mut self) {
        for flow in self.flows.values_mut() {
            let talk = &mut flow.talk;
            for direction in Direction::BOTH {
                if let Some(side) = flow.sides.get_mut(&direction) {
                    let framer = &mut side.framer;
                    side.stream.flush(&mut Recent::none(), |chunk, ()| {
                        framer.take(chunk, direction, talk)
                    });
                }
            }
        }
    }

    /// How many bytes of a segment's payload may be kept, from its first one on.
    pub(crate) fn keep(&self, flow: usize, segment: &Segment) -> u32 {
        let side = self
            .flows
            .get(&(flow, segment.key))
            .and_then(|flow| flow.sides.get(&segment.direction));
        let Some(side) = side else { return 0 };
        let seq = segment.seq.wrapping_add(u32::from(segment.flags.syn()));
        let Ok(from) = u64::try_from(seq.offset_from(side.origin)) else {
            return 0;
        };
        let kept = &side.framer.kept;
        let at = kept.partition_point(|(_, to)| *to <= from);
        match kept.get(at) {
            Some((start, to)) if *start <= from => {
                u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX)
            }
            _ => 0,
        }
    }
}

impl Framer {
    const fn new(is_from_the_beginning: bool) -> Self {
        Self {
            state: if is_from_the_beginning {
                State::Before
            } else {
                State::Lost
            },
            at: 0,
            kept: Vec::new(),
            is_old: false,
            has_changed: false,
        }
    }

    fn take(&mut self, chunk: Chunk<'_>, direction: Direction, talk: &mut Talk) {
        match chunk {
            Chunk::Gap { len, .. } => {
                self.at = self.at.saturating_add(len);
                self.state = match self.state {
                    State::Record { rest, is_kept } if rest > len => State::Record {
                        rest: rest.saturating_sub(len),
                        is_kept,
                    },
                    State::Record { rest, .. } if rest == len => State::Header([0; 5], 0),
                    _ => State::Lost,
                };
            }
            Chunk::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    bytes = self.step(bytes, direction, talk);
                }
            }
        }
    }

    /// Takes some of the bytes, and gives the others back.
    fn step<'a>(&mut self, bytes: &'a [u8], direction: Direction, talk: &mut Talk) -> &'a [u8] {
        match self.state {
            State::Before => {
                let start = begins(bytes);
                let len = start.unwrap_or(bytes.len());
                let is_short = self.at.saturating_add(wide(len)) <= MAX_PREAMBLE_LEN;
                self.pass(len, is_short);
                match start {
                    Some(_) => self.state = State::Header([0; 5], 0),
                    None if !is_short => self.state = State::Lost,
                    None => {}
                }
                bytes.get(len..).unwrap_or_default()
            }
            State::Lost => {
                let start = find_records(bytes);
                let len = start.unwrap_or(bytes.len());
                self.pass(len, false);
                if start.is_some() {
                    self.state = State::Header([0; 5], 0);
                }
                bytes.get(len..).unwrap_or_default()
            }
            State::Header(mut header, had) => {
                let mut has = had;
                for (place, byte) in header.iter_mut().skip(had).zip(bytes) {
                    *place = *byte;
                    has = has.saturating_add(1);
                }
                let len = has.saturating_sub(had);
                self.pass(len, true);
                self.state = if has < header.len() {
                    State::Header(header, has)
                } else {
                    self.begin(
                        header,
                        bytes.get(len..).unwrap_or_default(),
                        direction,
                        talk,
                    )
                };
                bytes.get(len..).unwrap_or_default()
            }
            State::Record { rest, is_kept } => {
                let len = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
                self.pass(len, is_kept);
                let rest = rest.saturating_sub(wide(len));
                self.state = if rest == 0 {
                    State::Header([0; 5], 0)
                } else {
                    State::Record { rest, is_kept }
                };
                bytes.get(len..).unwrap_or_default()
            }
        }
    }

    /// Looks at the header of a record, and at the first bytes behind it.
    fn begin(
        &mut self,
        [kind, major, _, high, low]: [u8; 5],
        body: &[u8],
        direction: Direction,
        talk: &mut Talk,
    ) -> State {
        let rest = u64::from(u16::from_be_bytes([high, low]));
        // TLCP has 1 as its first number.
        if !matches!(kind, 20..=24) || !matches!(major, 1 | 3) {
            return State::Lost;
        }
        let kind = ContentType(kind);
        if kind == ContentType::HANDSHAKE {
            match body.first() {
                Some(&CLIENT_HELLO) if talk.client.is_none() => talk.client = Some(direction),
                _ if talk.client == Some(direction.reversed()) => talk.server_has_answered = true,
                _ => {}
            }
            self.is_old |= self.has_changed;
        }
        self.has_changed |= kind == ContentType::CHANGE_CIPHER_SPEC;
        let is_kept = kind != ContentType::APPLICATION_DATA
            || (!self.is_old && is_handshake(rest, direction, talk));
        if rest == 0 {
            State::Header([0; 5], 0)
        } else {
            State::Record { rest, is_kept }
        }
    }

    fn pass(&mut self, len: usize, is_kept: bool) {
        let from = self.at;
        self.at = from.saturating_add(wide(len));
        if !is_kept || len == 0 {
            return;
        }
        let count = self.kept.len();
        match self.kept.last_mut() {
            Some((_, to)) if *to == from => *to = self.at,
            // What has no room is not kept.
            _ if count < MAX_RANGES => self.kept.push((from, self.at)),
            _ => {}
        }
    }
}

/// Whether a record of TLS 1.3 that calls itself application data is one of the handshake, or an alert.
fn is_handshake(len: u64, direction: Direction, talk: &mut Talk) -> bool {
    if len <= LONGEST_ALERT {
        return true;
    }
    match talk.client {
        Some(client) if client == direction => {
            // Before the server has answered it is early data (RFC 8446, section 2.3).
            let is_first = talk.server_has_answered && !talk.client_has_finished;
            talk.client_has_asked |= talk.client_has_finished;
            talk.client_has_finished |= talk.server_has_answered;
            is_first
        }
        Some(_) => !talk.client_has_asked,
        None => false,
    }
}

/// Where TLS begins in the bytes of a direction that may begin with something else.
fn begins(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| {
        let rest = bytes.get(*at..).unwrap_or_default();
        begins_client_hello(rest) || begins_server_hello(rest) || is_alert(rest)
    })
}

/// An alert in clear, which a server sends in place of its hello (RFC 8446, section 6).
fn is_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [21, 3, 0..=4, 0, 2, 1 | 2, _])
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The type of its message (RFC 8446, section 4).
const CLIENT_HELLO: u8 = 1;
/// An alert with the padding of stacks that pad, in a record of TLS 1.3.
const LONGEST_ALERT: u64 = 35;
/// What stands before TLS: a header of a proxy, a dialogue of a mail server.
const MAX_PREAMBLE_LEN: u64 = 8192;
/// Pieces of one direction that are kept; a handshake is one or two.
const MAX_RANGES: usize = 4096;
/// Bytes that wait behind holes, in all flows.
const MAX_WAITING_LEN: usize = 64 << 20;
