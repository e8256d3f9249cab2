//! The passive state machine: bytes of the two directions of one TCP flow become a [`Handshake`].
//!
//! It takes no part and knows no packets. A capture may begin, tear or end anywhere, so every byte in every
//! state is an answer; what was proved is kept, and what was not is never claimed. How the bytes were cut into
//! pieces shows nowhere, with one exception: TLS after plaintext that nobody here knows is looked
//! for at the start of each piece only.
//!
//! What it does not do: judge, or look for TLS inside TLS. Nothing is decrypted on the way: sealed records are kept where that is
//! asked for, and opened at the end.

use std::sync::Arc;

use crate::tls::certificate::CertificatePool;
use crate::tls::facts::Facts;
use crate::tls::handshake::{Framing, Handshake};
use crate::tls::lane::{Lane, Lanes};
use crate::tls::limits::Limits;
use crate::tls::observed::{GapReason, Unseen};
use crate::tls::opening::{self, Keys, Trials};
use crate::tls::preamble::{self, Protocol, Recognition};
use crate::tls::record::{self, HEADER_LEN, Header};
use crate::tls::search::{self, Found, Search};
use crate::tls::sslv2;
use crate::tls::stream::{Record, Stage, Stream};
use crate::tls::tail::Tail;

/// Watches one flow.
#[derive(Clone, Debug)]
pub struct Observer<M> {
    limits: Limits,
    streams: Lanes<Stream<M>>,
    /// The protocol that a direction began with.
    protocol: Option<Protocol>,
    /// Sealed records are kept for keys.
    keeps: bool,
    pool: Option<Arc<CertificatePool>>,
    /// Nothing is allocated for a flow without TLS.
    facts: Option<Box<Facts<M>>>,
}

/// How far the observation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// It may still become TLS.
    Undecided,
    /// It is not TLS, and will not be.
    NotTls,
    /// It is TLS, and more may be learned.
    Handshaking,
    /// It is TLS, and nothing that comes changes what is known of the handshake and of the answer to it.
    Settled,
}

/// What became of some bytes.
enum Taken {
    /// So many of them were read; none if only the stage changed.
    Read(usize),
    /// So many were read, and the others can be read only with those that follow.
    HoldAfter(usize),
}

impl<M: Copy + PartialEq> Observer<M> {
    /// An observer of a flow of which nothing was seen yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            streams: Lanes {
                a: Stream::new(),
                b: Stream::new(),
            },
            protocol: None,
            keeps: false,
            pool: None,
            facts: None,
        }
    }

    /// Keeps sealed records, up to a limit, for keys that are there at the end.
    #[must_use]
    pub fn with_sealed_kept(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// Keeps certificates in a pool that many observers share.
    #[must_use]
    pub fn with_pool(mut self, pool: &Arc<CertificatePool>) -> Self {
        self.pool = Some(Arc::clone(pool));
        self
    }

    /// Takes the next bytes of a lane, in order; `mark` says where they were seen.
    ///
    /// Each call should be one TCP segment or a part of one.
    pub fn on_bytes(&mut self, lane: Lane, bytes: &[u8], mark: M) {
        if bytes.is_empty() {
            return;
        }
        let stream = self.streams.get_mut(lane);
        let mut held = std::mem::take(&mut stream.held);
        if held.is_empty() {
            let kept_from = self.read(lane, bytes, 0, mark, mark, false);
            if let Some(rest @ [_, ..]) = bytes.get(kept_from..) {
                held.extend_from_slice(rest);
                self.hold(lane, held, mark);
            }
            return;
        }
        let begun = stream.held_mark.unwrap_or(mark);
        let fresh = held.len();
        held.extend_from_slice(bytes);
        let kept_from = self.read(lane, &held, fresh, begun, mark, false);
        if kept_from < held.len() {
            held.drain(..kept_from);
            self.hold(lane, held, if kept_from < fresh { begun } else { mark });
        }
    }

    /// Notes that `len` bytes of a lane are missing before the next ones.
    pub fn on_gap(&mut self, lane: Lane, len: u64, reason: GapReason, mark: M) {
        self.flush(lane, mark);
        let Self { streams, facts, .. } = self;
        let stream = streams.get_mut(lane);
        stream.gap = stream.gap.or(Some(reason));
        stream.gap_count = stream.gap_count.saturating_add(1);
        if let Some(facts) = facts {
            facts.on_gap(lane, reason, stream.gap_count);
            if stream.skip_in_record(len, reason, lane, facts, mark) {
                return;
            }
        }
        if stream.stage != Stage::Off {
            stream.begun_late = stream.stage == Stage::Opening;
            stream.stage = Stage::Searching;
            stream.record = Record::none();
            stream.passed = 0;
            stream.after_gap = true;
            stream.out_of_step = true;
        }
    }

    /// How far the observation has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Lanes { a, b } = &self.streams;
        match &self.facts {
            Some(facts) if facts.is_proved() && facts.is_settled() => Progress::Settled,
            Some(facts) if facts.is_proved() => Progress::Handshaking,
            _ if a.stage == Stage::Off || b.stage == Stage::Off => Progress::NotTls,
            _ => Progress::Undecided,
        }
    }

    /// Bytes of memory that are held, beside the observer itself: in buffers, and for what was
    /// learned, but for the lists of a hello.
    #[must_use]
    pub fn held_len(&self) -> usize {
        let Lanes { a, b } = &self.streams;
        let learned = self.facts.as_ref().map_or(0, |facts| facts.held_len());
        a.held_len()
            .saturating_add(b.held_len())
            .saturating_add(learned)
    }

    /// The client's random, once both hellos were seen and as long as sealed records are kept. `None` where the keys may stand under
    /// another, which stands in an Encrypted Client Hello.
    #[must_use]
    pub fn awaited_key(&self) -> Option<&[u8; 32]> {
        self.facts.as_ref()?.awaited_key()
    }

    /// Lets go of the sealed records and keeps no more: there will be no key for them.
    pub fn forget_sealed(&mut self) {
        for stream in [&mut self.streams.a, &mut self.streams.b] {
            stream.forget_kept();
        }
        if let Some(facts) = &mut self.facts {
            facts.forget_sealed();
        }
    }

    /// Where the record framing of a lane stands, to follow it without this observer.
    ///
    /// `None` where no framing is known.
    #[must_use]
    pub fn tail(&self, lane: Lane) -> Option<Tail> {
        let stream = self.streams.get(lane);
        (stream.stage == Stage::Records).then(|| Tail::new(stream.record.left, &stream.held))
    }

    /// The facts; `None` where nothing proved that the flow is TLS.
    #[must_use]
    pub fn finish(self) -> Option<Handshake<M>> {
        self.finish_with(None, &mut Trials::default())
    }

    /// The facts, with what `keys` open of the records that were kept; `trials` is what they may be tried for, where it is not known
    /// which are the right ones.
    #[must_use]
    pub fn finish_with(
        mut self,
        keys: Option<Keys<'_>>,
        trials: &mut Trials,
    ) -> Option<Handshake<M>> {
        self.conclude(keys, trials, |handshake| handshake)
    }

    /// What `then` makes of the facts where they stand: they are large. Nothing is to be learned from this afterwards.
    pub(crate) fn conclude<T>(
        &mut self,
        keys: Option<Keys<'_>>,
        trials: &mut Trials,
        then: impl FnOnce(Handshake<M>) -> T,
    ) -> Option<T> {
        for lane in [Lane::A, Lane::B] {
            self.end(lane);
        }
        let mut facts = self.facts.take().filter(|facts| facts.is_proved())?;
        if let Some(keys) = keys {
            opening::open(&mut facts, keys, trials);
        }
        let mut handshake = facts.finish();
        let client = handshake.client.unwrap_or(Lane::A);
        let (asker, server) = (self.streams.get(client), self.streams.get(client.other()));
        if server.stage == Stage::Plaintext || server.stage == Stage::Off {
            let head = server.head.get(..ANSWER_LEN).unwrap_or(&server.head);
            handshake.plaintext_answer = (!head.is_empty()).then(|| head.to_vec());
        }
        // What a server answers in place of TLS is no preamble.
        if !asker.head.is_empty()
            || (!server.head.is_empty() && handshake.plaintext_answer.is_none())
        {
            handshake.preamble = Some(preamble::describe(&asker.head, &server.head));
        }
        Some(then(handshake))
    }

    /// Keeps bytes that can be read only with those that follow.
    fn hold(&mut self, lane: Lane, held: Vec<u8>, mark: M) {
        let stream = self.streams.get_mut(lane);
        stream.held = held;
        stream.held_mark = Some(mark);
    }

    /// Reads what is held as the last bytes before a gap or the end.
    fn flush(&mut self, lane: Lane, mark: M) {
        let stream = self.streams.get_mut(lane);
        let held = std::mem::take(&mut stream.held);
        if !held.is_empty() {
            let begun = stream.held_mark.unwrap_or(mark);
            self.read(lane, &held, held.len(), begun, mark, true);
        }
    }

    /// Ends a lane: what is held and what is not whole are read as far as they go.
    fn end(&mut self, lane: Lane) {
        if let Some(mark) = self.streams.get(lane).held_mark {
            self.flush(lane, mark);
        }
        let Self { streams, facts, .. } = self;
        if let Some(facts) = facts {
            streams
                .get_mut(lane)
                .messages
                .cut(Unseen::CaptureEnded, |message, begun| {
                    facts.on_message(lane, message, begun, begun);
                });
        }
    }

    /// The facts, made on first need, with the gaps that came before.
    fn facts_mut(&mut self) -> &mut Facts<M> {
        let Self {
            limits,
            streams,
            keeps,
            pool,
            facts,
            ..
        } = self;
        facts.get_or_insert_with(|| {
            let mut facts = Facts::new(*limits, *keeps, pool.take());
            for lane in [Lane::A, Lane::B] {
                let stream = streams.get(lane);
                if let Some(reason) = stream.gap {
                    facts.on_gap(lane, reason, stream.gap_count);
                }
            }
            Box::new(facts)
        })
    }

    fn is_proved(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.is_proved())
    }

    /// Reads `bytes`, those before `fresh` for a second time, and gives back from where on they must be held.
    fn read(
        &mut self,
        lane: Lane,
        bytes: &[u8],
        fresh: usize,
        begun: M,
        mark: M,
        last: bool,
    ) -> usize {
        let mut at = 0_usize;
        while let Some(rest @ [_, ..]) = bytes.get(at..) {
            let began = if at < fresh { begun } else { mark };
            let taken = match self.streams.get(lane).stage {
                Stage::Opening => self.open(lane, rest, began, mark),
                Stage::Plaintext => self.read_plaintext(lane, rest, fresh.saturating_sub(at), last),
                Stage::Searching => self.search(lane, rest, last),
                Stage::Records => self.read_record(lane, rest, began, mark),
                Stage::Off => return bytes.len(),
            };
            match taken {
                Taken::Read(len) => at = at.saturating_add(len),
                Taken::HoldAfter(len) => return at.saturating_add(len),
            }
        }
        bytes.len()
    }

    /// Tells what a direction begins with.
    fn open(&mut self, lane: Lane, bytes: &[u8], begun: M, mark: M) -> Taken {
        let stage = match (record::may_begin(bytes), sslv2::find(bytes)) {
            (Ok(()), _) if bytes.len() >= 3 => Stage::Records,
            (Ok(()), _) => return Taken::HoldAfter(0),
            (Err(_), sslv2::Found::Client(len) | sslv2::Found::Server(len)) => {
                return self.read_sslv2(lane, bytes, len, begun, mark);
            }
            (Err(_), sslv2::Found::None) => Stage::Plaintext,
            (Err(_), sslv2::Found::NotYet) => return Taken::HoldAfter(0),
        };
        self.streams.get_mut(lane).stage = stage;
        if stage == Stage::Records {
            self.facts_mut().on_spoken(lane);
        }
        Taken::Read(0)
    }

    /// Reads a hello of SSL 2.0 that is `len` bytes long.
    fn read_sslv2(&mut self, lane: Lane, bytes: &[u8], len: usize, begun: M, mark: M) -> Taken {
        let Some(hello) = bytes.get(..len) else {
            return Taken::HoldAfter(0);
        };
        let wire_len = u32::try_from(len).unwrap_or(u32::MAX);
        let facts = self.facts_mut();
        facts.on_spoken(lane);
        if search::begins_server_hello(hello) {
            if let Some((hello, certificate)) = sslv2::server_hello(hello, true) {
                facts.on_sslv2_server_hello(lane, hello, certificate, wire_len, mark);
            }
            // SSL 2.0 goes on without records of TLS.
            self.streams.a.turn_off();
            self.streams.b.turn_off();
        } else {
            if let Some(hello) = sslv2::client_hello(hello, true) {
                facts.on_sslv2_client_hello(lane, hello, wire_len, begun, mark);
            }
            let stream = self.streams.get_mut(lane);
            stream.stage = Stage::Records;
            stream.sslv2 = true;
        }
        Taken::Read(len)
    }

    /// Looks for TLS in plaintext: anywhere if the protocol is known, else where a piece begins.
    fn read_plaintext(&mut self, lane: Lane, bytes: &[u8], fresh: usize, last: bool) -> Taken {
        let proved = self.is_proved();
        let stream = self.streams.get_mut(lane);
        if !stream.recognised {
            match preamble::recognise(bytes) {
                Recognition::NotYet if !last => return Taken::HoldAfter(0),
                Recognition::Known(protocol) => {
                    self.protocol = self.protocol.or(Some(protocol));
                }
                Recognition::NotYet | Recognition::Unknown => {}
            }
            stream.recognised = true;
        }
        let found = if self.protocol.is_some() || proved {
            let search = Search {
                sslv2: !proved,
                records: stream.out_of_step,
                alerts: proved,
                last,
            };
            search.find(bytes)
        } else {
            let piece = bytes.get(fresh..).unwrap_or_default();
            if search::begins_client_hello(piece) {
                Found::At(fresh)
            } else {
                Found::Nowhere
            }
        };
        let (len, stage, taken) = match found {
            Found::At(at) if bytes.get(at).is_some_and(|first| first & 0x80 != 0) => {
                (at, Stage::Opening, Taken::Read(at))
            }
            Found::At(at) => (at, Stage::Records, Taken::Read(at)),
            Found::PerhapsAt(at) => (at, Stage::Plaintext, Taken::HoldAfter(at)),
            Found::Nowhere => (bytes.len(), Stage::Plaintext, Taken::Read(bytes.len())),
        };
        stream.pass_plaintext(bytes.get(..len).unwrap_or_default());
        stream.stage = stage;
        if stream.passed > self.limits.max_plaintext_len {
            stream.turn_off();
        } else if stage == Stage::Records {
            self.facts_mut().on_spoken(lane);
        }
        taken
    }

    /// Looks for records after missing bytes.
    fn search(&mut self, lane: Lane, bytes: &[u8], last: bool) -> Taken {
        let proved = self.is_proved();
        let stream = self.streams.get_mut(lane);
        if stream.begun_late && stream.after_gap {
            match preamble::recognise_text(bytes) {
                Recognition::Known(_) => {
                    stream.stage = Stage::Plaintext;
                    return Taken::Read(0);
                }
                Recognition::NotYet if !last => return Taken::HoldAfter(0),
                Recognition::NotYet | Recognition::Unknown => {}
            }
        }
        // Where the missing bytes end at a record's start, one record that ends the direction is enough.
        let alone = last && proved && stream.after_gap && search::is_one_record(bytes);
        let search = Search {
            sslv2: false,
            records: true,
            alerts: false,
            last,
        };
        let found = if alone {
            Found::At(0)
        } else {
            search.find(bytes)
        };
        let (len, taken) = match found {
            Found::At(at) => {
                stream.stage = Stage::Records;
                stream.record_count = 0;
                (at, Taken::Read(at))
            }
            Found::PerhapsAt(at) => (at, Taken::HoldAfter(at)),
            Found::Nowhere => (bytes.len(), Taken::Read(bytes.len())),
        };
        stream.after_gap &= len == 0;
        stream.passed = stream.passed.saturating_add(len);
        let limit = self.limits.max_plaintext_len;
        if stream.stage == Stage::Records {
            stream.passed = 0;
            let facts = self.facts_mut();
            facts.on_spoken(lane);
            facts.on_framing(lane, Framing::FoundAgain);
        } else if stream.passed > limit {
            stream.turn_off();
        }
        taken
    }

    /// Reads a record's header, or the next piece of its fragment.
    fn read_record(&mut self, lane: Lane, bytes: &[u8], begun: M, mark: M) -> Taken {
        let limits = self.limits;
        let Self { streams, facts, .. } = self;
        // Nothing gets here without facts; without them nothing could be told of it.
        let (stream, Some(facts)) = (streams.get_mut(lane), facts) else {
            return Taken::Read(bytes.len());
        };
        if stream.record.left == 0 {
            return match Header::parse(bytes) {
                Ok(Some(header)) => {
                    // A header where the record before it ends is the proof.
                    if stream.record_count > 0 {
                        facts.prove();
                    }
                    stream.record_count = stream.record_count.saturating_add(1);
                    stream.begin_record(header, lane, facts, mark);
                    Taken::Read(HEADER_LEN)
                }
                Ok(None) => Taken::HoldAfter(0),
                Err(_) => {
                    stream.lose_framing(lane, facts);
                    Taken::Read(0)
                }
            };
        }
        let len = bytes.len().min(usize::from(stream.record.left));
        let fragment = bytes.get(..len).unwrap_or_default();
        stream.on_fragment(fragment, lane, facts, &limits, begun, mark);
        Taken::Read(len)
    }
}

/// How much is kept of what a server answers in place of TLS.
const ANSWER_LEN: usize = 64;
