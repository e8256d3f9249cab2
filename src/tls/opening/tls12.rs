//! TLS 1.2: both directions are sealed from their ChangeCipherSpec on, with keys from the master secret (RFC 5246, section 6.3).
//!
//! A renegotiated handshake runs inside of the first one and changes the keys again.

use std::rc::Rc;

use crate::tls::certificate::Form;
use crate::tls::facts::Known;
use crate::tls::keys::{Label, Protection, Suite, master_keys};
use crate::tls::message::{Message, MessageType, Messages, Trust};
use crate::tls::observed::Unopened;
use crate::tls::opening::Keys;
use crate::tls::opening::taken::{Place, Taken};
use crate::tls::reader::Reader;
use crate::tls::record::ContentType;
use crate::tls::sealed::{Kept, Sealed, What};
use crate::tls::server_hello::ServerHello;

/// Opens the records of both directions; gives back why they did not open.
pub(crate) fn open<M: Copy + PartialEq>(
    known: &Known,
    suite: Suite,
    sealed: Sealed<M>,
    keys: Keys<'_>,
    taken: &mut Taken<'_, M>,
) -> Option<Unopened> {
    let mut session = Session {
        client_random: known.client_random,
        server_random: known.server_random,
        suite: Some(suite),
        made: None,
    };
    let has_key = keys
        .secrets(&known.client_random, Label::ClientRandom)
        .next()
        .is_some();
    if !has_key {
        return Some(Unopened::NoKey);
    }
    let (mut client, mut server) = (Half::new(), Half::new());
    let (mut opened, mut failed) = (false, false);
    for record in sealed.records {
        let is_client = record.lane == known.client;
        let half = if is_client { &mut client } else { &mut server };
        match record.what {
            What::KeyChange => half.change(session.keys(keys, is_client)),
            What::Missed => half.on_missed(),
            What::Torn => half.candidates.clear(),
            What::Record(kept, mark) => match half.open(&kept) {
                None => failed |= !half.candidates.is_empty(),
                Some(content) => {
                    opened = true;
                    let place = Place {
                        lane: record.lane,
                        step: kept.step,
                        mark,
                    };
                    half.take(
                        kept.header.content_type,
                        &content,
                        place,
                        taken,
                        |message| {
                            session.on_message(message, is_client);
                        },
                    );
                }
            },
        }
    }
    (failed && !opened).then_some(Unopened::KeyDoesNotOpen)
}

/// What the next keys are made of.
struct Session {
    client_random: [u8; 32],
    server_random: [u8; 32],
    suite: Option<Suite>,
    /// The keys of client and server, once they were asked for: they change only with a hello, however often a record says so.
    made: Option<Vec<[Rc<Protection>; 2]>>,
}

impl Session {
    /// The keys of one direction; several where a log has several secrets.
    fn keys(&mut self, keys: Keys<'_>, is_client: bool) -> Vec<Rc<Protection>> {
        let Some(suite) = self.suite else {
            return Vec::new();
        };
        let (client_random, server_random) = (&self.client_random, &self.server_random);
        let made = self.made.get_or_insert_with(|| {
            keys.secrets(client_random, Label::ClientRandom)
                .filter_map(|secret| master_keys(secret, suite, client_random, server_random))
                .map(|both| both.map(Rc::new))
                .collect()
        });
        let of_side = |[client, server]: &[Rc<Protection>; 2]| {
            Rc::clone(if is_client { client } else { server })
        };
        made.iter().map(of_side).collect()
    }

    /// The hellos of a renegotiated handshake.
    fn on_message(&mut self, message: Message<'_>, is_client: bool) {
        match message.kind {
            MessageType::CLIENT_HELLO if is_client => {
                let mut reader = Reader::new(message.body);
                if let (Some(_), Some(random)) = (reader.u16(), reader.array()) {
                    self.client_random = random;
                    self.made = None;
                }
            }
            MessageType::SERVER_HELLO if !is_client => {
                if let Some(hello) = ServerHello::parse(message.body, message.cut.is_none()) {
                    self.server_random = hello.random;
                    self.suite = hello.cipher_suite.and_then(Suite::of);
                    self.made = None;
                }
            }
            _ => {}
        }
    }
}

/// One direction.
struct Half<M> {
    candidates: Vec<Rc<Protection>>,
    number: u64,
    messages: Messages<M>,
}

impl<M: Copy + PartialEq> Half<M> {
    fn new() -> Self {
        Self {
            candidates: Vec::new(),
            number: 0,
            messages: Messages::new(),
        }
    }

    fn change(&mut self, candidates: Vec<Rc<Protection>>) {
        self.candidates = candidates;
        self.number = 0;
        self.messages = Messages::new();
    }

    fn on_missed(&mut self) {
        self.number = self.number.saturating_add(1);
        self.messages = Messages::new();
    }

    fn open(&mut self, kept: &Kept) -> Option<Vec<u8>> {
        let number = self.number;
        self.number = number.saturating_add(1);
        let opened = self
            .candidates
            .iter()
            .enumerate()
            .find_map(|(which, candidate)| {
                let (_, content) = candidate.open(number, kept.header, &kept.fragment)?;
                Some((which, content))
            });
        let (which, content) = opened?;
        self.candidates.swap(0, which);
        self.candidates.truncate(1);
        Some(content)
    }

    fn take(
        &mut self,
        kind: ContentType,
        content: &[u8],
        place: Place<M>,
        taken: &mut Taken<'_, M>,
        mut on_message: impl FnMut(Message<'_>),
    ) {
        taken.on_record(place);
        match kind {
            ContentType::ALERT => taken.on_alert(place, content),
            ContentType::APPLICATION_DATA => taken.on_data(place, content),
            ContentType::HANDSHAKE => {
                let pushed = self.messages.push(
                    content,
                    place.mark,
                    Trust::InStep,
                    content.len(),
                    MAX_MESSAGE_LEN,
                    |message, _| {
                        on_message(message);
                        taken.on_message(place, message, Form::Tls12);
                    },
                );
                if pushed.is_err() {
                    self.messages = Messages::new();
                }
            }
            _ => {}
        }
    }
}

/// What one direction may keep holds no longer message.
const MAX_MESSAGE_LEN: usize = 64 << 10;
