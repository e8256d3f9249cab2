//! TCP conversations (RFC 9293): what two ends say to each other becomes timed segments.

use std::net::SocketAddr;

use super::packet::{self, Packet};
use super::random::Random;
use super::shuffle::Timed;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// A conversation under way. Begins mid-stream unless [`syn`](Self::syn) is called first.
#[derive(Clone, Debug)]
pub struct Conversation {
    client: SocketAddr,
    server: SocketAddr,
    client_next: u32,
    server_next: u32,
    segment_len: usize,
    time: i64,
    step: i64,
    segments: Vec<Segment>,
}

/// A TCP segment, and when it was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub time: i64,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Conversation {
    /// Between two `address:port`. Each client has sequence numbers of its own, since the same hello
    /// under the same number is the same connection; those of 10.1.0.5:50112 soon wrap.
    pub fn between(client: &str, server: &str) -> Self {
        let own = |client: &str| {
            let mix = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            client.bytes().fold(0x811c_9dc5, mix)
        };
        let distance = own(client).wrapping_sub(own("10.1.0.5:50112"));
        Self {
            client: client.parse().unwrap(),
            server: server.parse().unwrap(),
            client_next: 0xffff_ff00_u32.wrapping_add(distance << 8),
            server_next: 5000,
            segment_len: 1460,
            time: 1_700_000_000_000_000_000,
            step: 1_000_000,
            segments: Vec::new(),
        }
    }

    /// The next segment is captured at `time`, in nanoseconds since 1970.
    pub fn at(mut self, time: i64) -> Self {
        self.time = time;
        self
    }

    /// Lets `nanos` pass.
    pub fn pause(mut self, nanos: i64) -> Self {
        self.wait(nanos);
        self
    }

    /// As [`pause`](Self::pause), where it is not known yet what will be said next.
    pub fn wait(&mut self, nanos: i64) {
        self.time += nanos;
    }

    /// Segments follow each other after `nanos`.
    pub fn every(mut self, nanos: i64) -> Self {
        self.step = nanos;
        self
    }

    /// The next sequence numbers of client and server.
    pub fn numbered(mut self, client: u32, server: u32) -> Self {
        (self.client_next, self.server_next) = (client, server);
        self
    }

    /// Later segments hold at most `len` bytes.
    pub fn segments_of(mut self, len: usize) -> Self {
        self.segment_len = len;
        self
    }

    /// The three segments that open a connection.
    pub fn syn(mut self) -> Self {
        self.send(Side::Client, SYN, &[]);
        self.send(Side::Server, SYN | ACK, &[]);
        self.send(Side::Client, ACK, &[]);
        self
    }

    /// A SYN that nobody answers.
    pub fn lonely_syn(mut self) -> Self {
        self.send(Side::Client, SYN, &[]);
        self
    }

    /// The client says `bytes`, and the server acknowledges.
    pub fn client(self, bytes: &[u8]) -> Self {
        self.says(Side::Client, bytes)
    }

    /// The server says `bytes`, and the client acknowledges.
    pub fn server(self, bytes: &[u8]) -> Self {
        self.says(Side::Server, bytes)
    }

    /// One side says `bytes`, and the other acknowledges.
    pub fn says(mut self, side: Side, bytes: &[u8]) -> Self {
        self.say(side, bytes);
        self
    }

    /// As [`says`](Self::says), where it is not known yet what will be said next.
    pub fn say(&mut self, side: Side, bytes: &[u8]) {
        let mut parts = bytes.chunks(self.segment_len).peekable();
        while let Some(part) = parts.next() {
            let push = if parts.peek().is_none() { PSH } else { 0 };
            self.send(side, ACK | push, part);
        }
        self.send(side.other(), ACK, &[]);
    }

    /// One side says `len` bytes that nobody captures.
    pub fn misses(mut self, side: Side, len: u32) -> Self {
        *self.next(side) = self.next(side).wrapping_add(len);
        self
    }

    /// One side sends `bytes` in the place of the last `back` that it said, or of the next.
    pub fn repeats(mut self, side: Side, back: u32, bytes: &[u8]) -> Self {
        let next = *self.next(side);
        *self.next(side) = next.wrapping_sub(back);
        self.send(side, ACK, bytes);
        *self.next(side) = next;
        self
    }

    /// A keep-alive with one byte of nothing (RFC 9293, section 3.8.4), and its answer.
    pub fn keep_alive(mut self, side: Side) -> Self {
        *self.next(side) = self.next(side).wrapping_sub(1);
        self.send(side, ACK, &[0]);
        self.send(side.other(), ACK, &[]);
        self
    }

    /// Both ends close, the client first.
    pub fn fin(mut self) -> Self {
        self.send(Side::Client, FIN | ACK, &[]);
        self.send(Side::Server, FIN | ACK, &[]);
        self.send(Side::Client, ACK, &[]);
        self
    }

    /// One side aborts.
    pub fn rst(mut self, side: Side) -> Self {
        self.send(side, RST | ACK, &[]);
        self
    }

    /// All that was captured.
    pub fn segments(self) -> Vec<Segment> {
        self.segments
    }

    fn send(&mut self, side: Side, flags: u8, payload: &[u8]) {
        let (from, to) = match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        let seq = *self.next(side);
        let ack = *self.next(side.other());
        // A maximum segment size of 1460 (RFC 9293, section 3.2).
        let options: &[u8] = if flags & SYN != 0 {
            &[2, 4, 5, 180]
        } else {
            &[]
        };
        let segment = Segment {
            time: self.time,
            from,
            to,
            seq,
            ack: if flags & ACK != 0 { ack } else { 0 },
            flags,
            options: options.to_vec(),
            payload: payload.to_vec(),
        };
        *self.next(side) = segment.end();
        self.segments.push(segment);
        self.time += self.step;
    }

    fn next(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::Client => &mut self.client_next,
            Side::Server => &mut self.server_next,
        }
    }
}

impl Side {
    /// The one that listens.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl Segment {
    /// The sequence number behind it.
    pub fn end(&self) -> u32 {
        let flags = u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0);
        let len = u32::try_from(self.payload.len()).unwrap();
        self.seq.wrapping_add(len).wrapping_add(flags)
    }

    /// The IP packet that carries it.
    pub fn packet(&self) -> Packet {
        let tcp = packet::tcp(self);
        let ip = packet::ip(self.from.ip(), self.to.ip(), packet::TCP, &tcp);
        Packet::new(self.time, ip)
    }

    /// `range` of its payload; SYN stays with the first byte, FIN and PSH with the last.
    fn part(&self, from: usize, to: usize) -> Self {
        let mut part = self.clone();
        part.payload = self.payload[from..to].to_vec();
        part.seq = self.seq.wrapping_add(u32::try_from(from).unwrap());
        if from > 0 {
            part.flags &= !SYN;
        }
        if to < self.payload.len() {
            part.flags &= !(FIN | PSH);
        }
        part
    }

    fn is_followed_by(&self, later: &Self) -> bool {
        let is_plain =
            |segment: &Self| segment.flags & (SYN | FIN | RST) == 0 && !segment.payload.is_empty();
        is_plain(self)
            && is_plain(later)
            && (self.from, self.to, self.end()) == (later.from, later.to, later.seq)
    }
}

impl Timed for Segment {
    fn time(&self) -> i64 {
        self.time
    }

    fn at(self, time: i64) -> Self {
        Self { time, ..self }
    }
}

/// What else may happen to segments, besides [`Shuffle`](super::shuffle::Shuffle).
pub trait Segments {
    /// The same bytes in segments of `len`: joined where they follow each other, then cut.
    fn recut(self, len: usize) -> Self;
    /// Behind `percent` of the segments, something already said is sent again in another cut.
    fn retransmitted(self, percent: usize, random: &mut Random) -> Self;
    /// Their IP packets.
    fn packets(self) -> Vec<Packet>;
    /// The payloads of one end, end to end in the order of the list.
    fn said_by(&self, from: SocketAddr) -> Vec<u8>;
}

impl Segments for Vec<Segment> {
    fn recut(self, len: usize) -> Self {
        let mut joined = Self::new();
        for segment in self {
            match joined.last_mut() {
                Some(last) if last.is_followed_by(&segment) => {
                    last.payload.extend_from_slice(&segment.payload);
                    last.flags |= segment.flags;
                }
                _ => joined.push(segment),
            }
        }
        let cut = |segment: Segment| -> Self {
            let all = segment.payload.len();
            let starts = (0..all.max(1)).step_by(len);
            starts
                .map(|from| segment.part(from, (from + len).min(all)))
                .collect()
        };
        joined.into_iter().flat_map(cut).collect()
    }

    fn retransmitted(self, percent: usize, random: &mut Random) -> Self {
        let mut all = Self::new();
        for segment in self {
            let mut whole = segment.clone();
            whole.flags &= !(SYN | FIN | PSH);
            if segment.flags & SYN != 0 {
                whole.seq = whole.seq.wrapping_add(1);
            }
            // Back over what the same end has just said.
            let said = |other: &&Segment| other.from == segment.from && !other.payload.is_empty();
            for earlier in all.iter().rev().filter(said) {
                if !earlier.is_followed_by(&whole) || whole.payload.len() > 4000 {
                    break;
                }
                whole.seq = earlier.seq;
                whole.payload.splice(..0, earlier.payload.iter().copied());
            }
            let len = whole.payload.len();
            all.push(segment);
            if len > 0 && random.chance(percent) {
                let from = random.below(len);
                let to = from + 1 + random.below(len - from);
                all.push(whole.part(from, to));
            }
        }
        all
    }

    fn packets(self) -> Vec<Packet> {
        self.iter().map(Segment::packet).collect()
    }

    fn said_by(&self, from: SocketAddr) -> Vec<u8> {
        let segments = self.iter().filter(|segment| segment.from == from);
        segments
            .flat_map(|segment| segment.payload.clone())
            .collect()
    }
}
