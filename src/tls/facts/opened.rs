//! What keys add to the facts of a flow: which records are kept for them, and what came out of those.
//!
//! A part of [`Facts`] in a file of its own: it needs all that was noted of both sides.

use crate::tls::certificate::{CertificateList, Form};
use crate::tls::compressed;
use crate::tls::extension::Ticket;
use crate::tls::facts::Facts;
use crate::tls::handshake::{Acceptance, Alert, InnerHello, Step};
use crate::tls::lane::Lane;
use crate::tls::message::{Message, MessageType};
use crate::tls::observed::Unopened;
use crate::tls::reader::Reader;
use crate::tls::record::ContentType;
use crate::tls::sealed::{Hellos, Kept, Sealed, What};
use crate::tls::side::Flight;

/// What of the hellos says how the records of a flow are opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) client: Lane,
    pub(crate) client_random: [u8; 32],
    /// The random of a hello inside that of the client, unless the server did not take that.
    pub(crate) inner_random: Option<[u8; 32]>,
    pub(crate) server_random: [u8; 32],
    pub(crate) suite: u16,
    pub(crate) version: u16,
    pub(crate) is_tls13: bool,
    /// The client's first sealed records may be early data.
    pub(crate) has_early_data: bool,
}

/// What keys opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    pub(crate) is_any: bool,
    pub(crate) unopened: Option<Unopened>,
    pub(crate) http_status: Option<u16>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) inner_hello: Option<Box<InnerHello>>,
}

impl<M: Copy> Facts<M> {
    /// Bytes of memory that are held, but for the lists of a hello.
    pub(crate) fn held_len(&self) -> usize {
        let certificates = |lane| {
            let list = self.sides.get(lane).certificates.as_ref();
            list.map_or(0, |list| list.certificates.iter().map(Vec::len).sum())
        };
        let hellos = |lane| {
            let side = self.sides.get(lane);
            let hello = side.hello.as_deref().map_or(0, size_of_val);
            hello + side.answer.as_deref().map_or(0, size_of_val)
        };
        let steps = self.steps.capacity().saturating_mul(size_of::<Step<M>>());
        self.sealed
            .as_ref()
            .map_or(0, |sealed| sealed.held_len())
            .saturating_add(size_of::<Self>())
            .saturating_add(hellos(Lane::A))
            .saturating_add(hellos(Lane::B))
            .saturating_add(steps)
            .saturating_add(certificates(Lane::A))
            .saturating_add(certificates(Lane::B))
    }

    pub(crate) fn step_count(&self) -> usize {
        self.steps.len()
    }

    /// Whether a sealed record of `lane` is kept; `None` where nothing is.
    ///
    /// Up to TLS 1.2 the type of a record is in clear, and what a client sends as data is not needed.
    pub(crate) fn keeps(&self, lane: Lane, kind: ContentType) -> Option<bool> {
        self.sealed
            .as_ref()
            .filter(|sealed| !sealed.is_full(lane))?;
        let is_needless = kind == ContentType::APPLICATION_DATA
            && self.asked_by == Some(lane)
            && self.answer().is_some_and(|answer| !answer.is_tls13());
        Some(!is_needless)
    }

    pub(crate) fn keep_sealed(&mut self, lane: Lane, kept: Kept, mark: M) {
        if let Some(sealed) = &mut self.sealed {
            sealed.keep(lane, kept, mark);
        }
    }

    pub(crate) fn note_sealed(&mut self, lane: Lane, what: What<M>) {
        if let Some(sealed) = &mut self.sealed {
            sealed.note(lane, what);
        }
    }

    /// Keeps a whole hello as it came, where records are kept for keys.
    pub(crate) fn keep_hello(&mut self, message: Message<'_>, keep: fn(&mut Hellos, &[u8])) {
        if let (Some(sealed), None) = (&mut self.sealed, message.cut) {
            keep(&mut sealed.hellos, message.body);
        }
    }

    /// The hellos that were kept, and whether all bytes of both sides are there.
    pub(crate) fn kept_hellos(&self) -> Option<(&Hellos, bool)> {
        let is_gapless = |lane| self.sides.get(lane).facts.gap.is_none();
        let sealed = self.sealed.as_ref()?;
        Some((&sealed.hellos, is_gapless(Lane::A) && is_gapless(Lane::B)))
    }

    /// The random of the client, once both hellos are there and as long as records are kept for keys; `None` where they may stand
    /// under another.
    pub(crate) fn awaited_key(&self) -> Option<&[u8; 32]> {
        self.sealed.as_ref()?;
        let answer = self.answer()?;
        let hello = &self.sides.get(self.asked_by?).hello.as_ref()?.hello;
        let may_be_hidden = hello.ech && answer.is_tls13();
        (!may_be_hidden).then_some(&hello.random)
    }

    /// Lets go of what was kept for keys, and keeps no more.
    pub(crate) fn forget_sealed(&mut self) {
        self.sealed = None;
        self.settled = self.settled || self.judge_settled();
    }

    /// Takes what was kept for keys, with what of the hellos says how it is opened.
    ///
    /// `None` where nothing was kept, or where it is not known who is who.
    pub(crate) fn take_sealed(&mut self) -> Option<(Sealed<M>, Known)> {
        let sealed = self.sealed.take()?;
        let client = self.client()?;
        let answer = self.answer()?;
        let (server_random, suite, version) =
            (answer.random, answer.cipher_suite?, answer.version());
        let is_tls13 = answer.is_tls13();
        let hello = &self.sides.get(client).hello.as_ref()?.hello;
        let inner = self.opened.inner_hello.as_ref();
        let known = Known {
            client,
            client_random: hello.random,
            inner_random: inner
                .filter(|inner| inner.acceptance != Acceptance::Rejected)
                .map(|inner| inner.random),
            server_random,
            suite,
            version,
            is_tls13,
            has_early_data: hello.early_data && !self.hello_retry,
        };
        Some((*sealed, known))
    }

    /// What keys opened so far, to add to it.
    pub(crate) fn opened_mut(&mut self) -> &mut Opened {
        &mut self.opened
    }

    /// Notes that keys opened a direction, or would have if its bytes were there.
    ///
    /// `is_overfull` says that not all was kept.
    pub(crate) fn on_open(&mut self, lane: Lane, is_overfull: bool) {
        let side = self.sides.get_mut(lane);
        side.is_open = true;
        side.is_overfull = is_overfull;
    }

    /// Takes in a message that keys opened.
    pub(crate) fn on_opened_message(&mut self, lane: Lane, message: Message<'_>, form: Form) {
        let is_client = self.asked_by == Some(lane);
        let side = self.sides.get_mut(lane);
        match (message.kind, form) {
            (MessageType::ENCRYPTED_EXTENSIONS, Form::Tls13) => {
                if let Some(answer) = &mut side.answer {
                    answer.on_encrypted_extensions(message.body);
                }
            }
            (MessageType::CERTIFICATE, _) if side.certificates.is_none() => {
                side.flight = Flight::Full;
                side.certificates = Some(CertificateList::parse(message.body, form, message.cut));
            }
            (MessageType::COMPRESSED_CERTIFICATE, Form::Tls13) if side.certificates.is_none() => {
                side.flight = Flight::Full;
                let list = match compressed::decompress(message.body, self.limits.max_message_len) {
                    Ok(body) => CertificateList::parse(&body, form, message.cut),
                    Err(why) => CertificateList::unread(message.cut.unwrap_or(why)),
                };
                side.certificates = Some(list);
            }
            (MessageType::CERTIFICATE_REQUEST, _) => side.certificate_requested = true,
            (MessageType::FINISHED, _) => side.is_finished = true,
            (MessageType::NEW_SESSION_TICKET, Form::Tls13) if !is_client => {
                let tickets = &mut self.opened.tickets;
                if tickets.len() < MAX_TICKETS {
                    tickets.extend(ticket13(message.body));
                }
            }
            _ => {}
        }
    }

    /// Takes in the content of the alert that was noted as encrypted when `mark` was given for this lane, or of one in a record that
    /// did not show what it is.
    pub(crate) fn on_opened_alert(&mut self, lane: Lane, level: u8, code: u8, mark: M)
    where
        M: PartialEq,
    {
        let noted = self.alerts.iter_mut().find(|alert| {
            alert.encrypted && !alert.opened && alert.lane == lane && alert.mark == mark
        });
        match noted {
            Some(alert) => {
                alert.level = level;
                alert.code = code;
                alert.opened = true;
            }
            None => self.alert(Alert {
                lane,
                level,
                code,
                encrypted: true,
                opened: true,
                mark,
            }),
        }
    }

    /// Puts what was opened in the place of the records in which it came; `replaced` is in order of the places.
    pub(crate) fn replace_steps(&mut self, mut replaced: Vec<(usize, Vec<Step<M>>)>) {
        replaced.sort_by_key(|(place, _)| *place);
        let mut replaced = replaced.into_iter().peekable();
        let sealed = std::mem::take(&mut self.steps);
        for (place, step) in sealed.into_iter().enumerate() {
            match replaced.next_if(|(at, _)| *at == place) {
                Some((_, steps)) => self.steps.extend(steps),
                None => self.steps.push(step),
            }
        }
        self.steps.truncate(self.limits.max_steps);
    }
}

/// The ticket in a NewSessionTicket of TLS 1.3 (RFC 8446, section 4.6.1).
fn ticket13(body: &[u8]) -> Option<Ticket> {
    let mut reader = Reader::new(body);
    reader.u32()?;
    reader.u32()?;
    reader.vec8()?;
    Ticket::new(reader.vec16()?)
}

/// Servers send one to four.
const MAX_TICKETS: usize = 8;
