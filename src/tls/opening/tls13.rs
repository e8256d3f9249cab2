//! TLS 1.3: each direction has keys of its own for early data, for the handshake and for what follows (RFC 8446, section 7.1).
//!
//! A log may lack some of them. A record that the keys in turn do not open is tried with the first number of the later ones, so that
//! what there is of a direction is read.

use crate::tls::certificate::Form;
use crate::tls::facts::Known;
use crate::tls::keys::{
    Draft, Label, Protection, RecordHeader, Secret, Suite, next_secret, traffic_keys,
};
use crate::tls::message::{MessageType, Messages, Trust};
use crate::tls::observed::Unopened;
use crate::tls::opening::Keys;
use crate::tls::opening::ech::Witness;
use crate::tls::opening::taken::{Place, Taken};
use crate::tls::record::ContentType;
use crate::tls::sealed::{Sealed, What};

/// Opens the records of both directions; gives back why the server's did not open.
pub(crate) fn open<M: Copy + PartialEq>(
    known: &Known,
    suite: Suite,
    sealed: Sealed<M>,
    keys: Keys<'_>,
    witness: Option<&mut Witness>,
    taken: &mut Taken<'_, M>,
) -> Option<Unopened> {
    let draft = Draft::of(known.version);
    let secrets = |label| {
        let randoms = [Some(known.client_random), known.inner_random];
        randoms
            .into_iter()
            .flatten()
            .flat_map(move |random| keys.secrets(&random, label))
    };
    let phase = |label| -> Vec<Candidate> {
        secrets(label)
            .filter_map(|secret| Candidate::new(secret.clone(), suite, draft))
            .collect()
    };
    let early = if known.has_early_data {
        phase(Label::ClientEarly)
    } else {
        Vec::new()
    };
    let server = known.client.other();
    let mut client_half = Half::new([
        early,
        phase(Label::ClientHandshake),
        phase(Label::ClientTraffic),
    ]);
    client_half.at = usize::from(!known.has_early_data);
    let mut server_half = Half::new([
        Vec::new(),
        phase(Label::ServerHandshake),
        phase(Label::ServerTraffic),
    ]);
    server_half.witness = witness;
    let has_key = secrets(Label::ServerHandshake).next().is_some();
    let is_overfull = sealed.is_full(server);
    for record in sealed.records {
        let half = if record.lane == server {
            &mut server_half
        } else {
            &mut client_half
        };
        match record.what {
            What::KeyChange => {}
            What::Missed => half.on_missed(),
            What::Torn => half.on_torn(),
            What::Record(kept, mark) => {
                let place = Place {
                    lane: record.lane,
                    step: kept.step,
                    mark,
                };
                half.on_record(kept.header, &kept.fragment, place, suite, draft, taken);
            }
        }
    }
    if !has_key {
        return Some(Unopened::NoKey);
    }
    if server_half.has_failed && !server_half.has_opened {
        return Some(Unopened::KeyDoesNotOpen);
    }
    taken.on_open(server, is_overfull);
    None
}

/// One direction.
struct Half<'w, M> {
    /// Keys for early data, for the handshake, for what follows; several where a log has several.
    phases: [Vec<Candidate>; 3],
    at: usize,
    number: u64,
    messages: Messages<M>,
    /// Sees every message of the handshake.
    witness: Option<&'w mut Witness>,
    /// The number of the next record is not known.
    is_torn: bool,
    has_opened: bool,
    /// A record did not open, with nothing missing before it.
    has_failed: bool,
}

/// A secret and its keys.
struct Candidate {
    secret: Secret,
    protection: Protection,
}

impl Candidate {
    fn new(secret: Secret, suite: Suite, draft: Draft) -> Option<Self> {
        let protection = traffic_keys(&secret, suite, draft)?;
        Some(Self { secret, protection })
    }
}

impl<M: Copy + PartialEq> Half<'_, M> {
    fn new(phases: [Vec<Candidate>; 3]) -> Self {
        Self {
            phases,
            at: HANDSHAKE,
            number: 0,
            messages: Messages::new(),
            witness: None,
            is_torn: false,
            has_opened: false,
            has_failed: false,
        }
    }

    fn on_missed(&mut self) {
        self.number = self.number.saturating_add(1);
        // The messages after it may begin anywhere.
        self.messages = Messages::new();
        self.lack();
    }

    fn on_torn(&mut self) {
        self.is_torn = true;
        self.lack();
    }

    /// Messages of the handshake are missing, if it was not over yet.
    fn lack(&mut self) {
        if let Some(witness) = &mut self.witness {
            witness.on_missing();
        }
    }

    fn on_record(
        &mut self,
        header: RecordHeader,
        fragment: &[u8],
        place: Place<M>,
        suite: Suite,
        draft: Draft,
        taken: &mut Taken<'_, M>,
    ) {
        let Some((kind, content)) = self.open(header, fragment) else {
            self.has_failed |= !self.is_torn;
            self.number = self.number.saturating_add(1);
            self.lack();
            return;
        };
        self.has_opened = true;
        taken.on_record(place);
        match kind {
            ContentType::HANDSHAKE => {
                self.on_messages(&content, place, suite, draft, taken);
                let bare_len = content.len() + 1 + suite.cipher.tag_len();
                taken.on_padding(place, fragment.len().saturating_sub(bare_len));
            }
            ContentType::ALERT => taken.on_alert(place, &content),
            ContentType::APPLICATION_DATA => taken.on_data(place, &content),
            _ => {}
        }
    }

    /// The content of a record, with the keys in turn or those of a later phase.
    fn open(&mut self, header: RecordHeader, fragment: &[u8]) -> Option<(ContentType, Vec<u8>)> {
        let at = self.at;
        for (later, phase) in self.phases.iter_mut().enumerate().skip(at) {
            let number = if later == at { self.number } else { 0 };
            if later == at && self.is_torn {
                continue;
            }
            let opened = phase.iter().enumerate().find_map(|(which, candidate)| {
                let content = candidate.protection.open(number, header, fragment)?;
                Some((which, content))
            });
            if let Some((which, content)) = opened {
                // It has proved itself, and the others are wrong.
                phase.swap(0, which);
                phase.truncate(1);
                self.at = later;
                self.number = number.saturating_add(1);
                self.is_torn = false;
                return Some(content);
            }
        }
        None
    }

    fn on_messages(
        &mut self,
        content: &[u8],
        place: Place<M>,
        suite: Suite,
        draft: Draft,
        taken: &mut Taken<'_, M>,
    ) {
        let mut last = None;
        let Self {
            messages,
            witness,
            phases: [_, handshake, _],
            ..
        } = self;
        let secret = handshake.first().map(|candidate| &candidate.secret);
        let pushed = messages.push(
            content,
            place.mark,
            Trust::InStep,
            content.len(),
            MAX_MESSAGE_LEN,
            |message, _| {
                if let (Some(witness), Some(secret)) = (witness.as_mut(), secret) {
                    witness.on_message(message, secret, suite, draft);
                }
                taken.on_message(place, message, Form::Tls13);
                last = Some(message.kind);
            },
        );
        if pushed.is_err() {
            self.messages = Messages::new();
            self.lack();
        }
        // Keys change where a record ends (RFC 8446, section 5.1).
        match (self.at, last) {
            (EARLY, Some(MessageType::END_OF_EARLY_DATA))
            | (HANDSHAKE, Some(MessageType::FINISHED)) => {
                self.at += 1;
                self.number = 0;
            }
            (TRAFFIC, Some(MessageType::KEY_UPDATE)) => self.update(suite, draft),
            _ => {}
        }
    }

    fn update(&mut self, suite: Suite, draft: Draft) {
        let [_, _, traffic] = &mut self.phases;
        for candidate in traffic.iter_mut() {
            let next = next_secret(&candidate.secret, suite, draft);
            if let Some(next) = next.and_then(|secret| Candidate::new(secret, suite, draft)) {
                *candidate = next;
            }
        }
        self.number = 0;
    }
}

/// The phases of a direction, as places in an array.
const EARLY: usize = 0;
const HANDSHAKE: usize = 1;
const TRAFFIC: usize = 2;

/// What one direction may keep holds no longer message.
const MAX_MESSAGE_LEN: usize = 64 << 10;
