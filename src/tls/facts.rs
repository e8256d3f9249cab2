//! From messages and records to facts: what each side has shown, and what that proves.
//!
//! Each direction is noted by itself, since who is the client may turn out late; roles are given at the end. All
//! of it is total: a message that makes no sense where it stands becomes a step and changes nothing else.

mod opened;

use std::sync::Arc;

pub(crate) use opened::{Known, Opened};

use crate::tls::certificate::{CertificateList, CertificatePool, Form};
use crate::tls::cipher;
use crate::tls::client_hello::ClientHello;
use crate::tls::conclusion;
use crate::tls::extension::Ticket;
use crate::tls::handshake::{Alert, Framing, Handshake, Step, StepKind};
use crate::tls::lane::{Lane, Lanes};
use crate::tls::limits::Limits;
use crate::tls::message::{Message, MessageType, Trust};
use crate::tls::observed::{GapReason, Unseen};
use crate::tls::reader::Reader;
use crate::tls::sealed::{Hellos, Sealed, What};
use crate::tls::server_hello::ServerHello;
use crate::tls::side::{Asked, Flight, Role, Side, Weight};

/// All that was noted of one flow.
#[derive(Clone, Debug)]
pub(crate) struct Facts<M> {
    limits: Limits,
    /// Something that only TLS can be was seen.
    proved: bool,
    settled: bool,
    /// The lane of the first ClientHello.
    asked_by: Option<Lane>,
    hello_retry: bool,
    sides: Lanes<Side<M>>,
    alerts: Vec<Alert<M>>,
    steps: Vec<Step<M>>,
    /// What keys may open, where records are kept for them.
    sealed: Option<Box<Sealed<M>>>,
    opened: Opened,
    /// Where certificates are kept once for all flows.
    pool: Option<Arc<CertificatePool>>,
}

impl<M: Copy> Facts<M> {
    /// Facts of a flow of which nothing was seen; `keeps` says whether sealed records are kept.
    pub(crate) fn new(limits: Limits, keeps: bool, pool: Option<Arc<CertificatePool>>) -> Self {
        Self {
            pool,
            limits,
            proved: false,
            settled: false,
            asked_by: None,
            hello_retry: false,
            sides: Lanes {
                a: Side::new(),
                b: Side::new(),
            },
            alerts: Vec::new(),
            // A dozen is usual, and growing to it would be copying twice.
            steps: Vec::with_capacity(limits.max_steps.min(USUAL_STEPS)),
            sealed: keeps.then(|| Box::new(Sealed::new(limits.max_sealed_len))),
            opened: Opened::default(),
        }
    }

    pub(crate) fn is_proved(&self) -> bool {
        self.proved
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Notes that these are records of TLS beyond doubt.
    pub(crate) fn prove(&mut self) {
        self.proved = true;
    }

    pub(crate) fn on_spoken(&mut self, lane: Lane) {
        self.sides.get_mut(lane).spoke = true;
    }

    /// How handshake records of `lane` are to be read now; `None` when they are encrypted.
    pub(crate) fn trust(&self, lane: Lane) -> Option<Trust> {
        let ccs = self.sides.get(lane).facts.change_cipher_spec;
        match self.answer() {
            // Only a hello that the capture shows late can still be in clear.
            Some(answer) if answer.is_tls13() => Some(Trust::OnlyHello),
            Some(_) if ccs => None,
            // In TLS 1.3 the record means nothing (RFC 8446, appendix D.4), and it may stand before a hello.
            None if ccs && !self.hello_retry => Some(Trust::OnlyHello),
            Some(_) | None => Some(Trust::InStep),
        }
    }

    /// Whether alerts of `lane` should be encrypted by now.
    pub(crate) fn is_protected(&self, lane: Lane) -> bool {
        self.sides.get(lane).facts.change_cipher_spec
            || self.answer().is_some_and(ServerHello::is_tls13)
    }

    pub(crate) fn on_message(&mut self, lane: Lane, message: Message<'_>, begun: M, mark: M) {
        let mut kind = StepKind::Message(message.kind);
        match message.kind {
            MessageType::CLIENT_HELLO => self.on_client_hello(lane, message, begun, mark),
            MessageType::SERVER_HELLO => {
                if self.on_server_hello(lane, message) {
                    kind = StepKind::HelloRetryRequest;
                }
            }
            MessageType::HELLO_RETRY_REQUEST => {
                self.hello_retry = true;
                self.sides.get_mut(lane).is(Role::Server, Weight::Hello);
                kind = StepKind::HelloRetryRequest;
            }
            _ => self.on_later_message(lane, message),
        }
        self.step(lane, kind, message.len.saturating_add(4), mark);
    }

    fn on_client_hello(&mut self, lane: Lane, message: Message<'_>, begun: M, done: M) {
        if !is_hello(message) {
            return;
        }
        self.prove();
        let first = self.asked_by.is_none();
        self.asked_by = self.asked_by.or(Some(lane));
        let side = self.sides.get_mut(lane);
        side.is(Role::Client, Weight::Hello);
        if first {
            match ClientHello::parse(message.body, message.cut.is_none()) {
                Some(hello) => {
                    if hello.ech {
                        self.keep_hello(message, Hellos::on_client_hello);
                    }
                    self.sides.get_mut(lane).hello = Some(Box::new(Asked { hello, begun, done }));
                }
                None => side.hello_lost = Some(message.cut.unwrap_or(Unseen::Malformed)),
            }
        } else if self.asked_by == Some(lane) && self.hello_retry {
            self.keep_hello(message, Hellos::on_client_hello);
        }
    }

    /// Takes in a ServerHello; `true` if it is a HelloRetryRequest.
    fn on_server_hello(&mut self, lane: Lane, message: Message<'_>) -> bool {
        if !is_hello(message) || self.asked_by == Some(lane) {
            return false;
        }
        self.prove();
        let side = self.sides.get_mut(lane);
        side.is(Role::Server, Weight::Hello);
        let Some(hello) = ServerHello::parse(message.body, message.cut.is_none()) else {
            side.answer_lost = Some(message.cut.unwrap_or(Unseen::Malformed));
            return false;
        };
        if hello.is_retry_request() {
            self.hello_retry = true;
            self.keep_hello(message, Hellos::on_retry);
            return true;
        }
        if side.answer.is_none() {
            side.answered_by(hello);
            self.keep_hello(message, Hellos::on_server_hello);
        }
        false
    }

    fn on_later_message(&mut self, lane: Lane, message: Message<'_>) {
        let suite = self.answer().and_then(|answer| answer.cipher_suite);
        let side = self.sides.get_mut(lane);
        match message.kind {
            MessageType::CERTIFICATE => {
                side.is(Role::Server, Weight::Weak);
                side.flight = Flight::Full;
                if side.certificates.is_none() {
                    side.certificates = Some(match &self.pool {
                        Some(pool) if message.cut.is_none() => pool.list(message.body),
                        _ => CertificateList::parse(message.body, Form::Tls12, message.cut),
                    });
                }
            }
            MessageType::SERVER_KEY_EXCHANGE => {
                side.is(Role::Server, Weight::Strong);
                side.flight = Flight::Full;
                side.curve = side.curve.or_else(|| named_curve(message.body, suite));
            }
            MessageType::CERTIFICATE_REQUEST => {
                side.is(Role::Server, Weight::Strong);
                side.certificate_requested = true;
            }
            MessageType::SERVER_HELLO_DONE => {
                side.is(Role::Server, Weight::Strong);
                side.flight = Flight::Full;
            }
            MessageType::NEW_SESSION_TICKET => {
                side.is(Role::Server, Weight::Strong);
                side.ticket = side.ticket.or_else(|| ticket(message.body));
            }
            MessageType::CERTIFICATE_STATUS | MessageType::HELLO_REQUEST => {
                side.is(Role::Server, Weight::Strong);
            }
            MessageType::CLIENT_KEY_EXCHANGE | MessageType::CERTIFICATE_VERIFY => {
                side.is(Role::Client, Weight::Strong);
            }
            _ => {}
        }
    }

    /// Takes in a hello in the format of SSL 2.0.
    pub(crate) fn on_sslv2_client_hello(
        &mut self,
        lane: Lane,
        hello: ClientHello,
        len: u32,
        begun: M,
        mark: M,
    ) {
        self.prove();
        let first = self.asked_by.is_none();
        self.asked_by = self.asked_by.or(Some(lane));
        let side = self.sides.get_mut(lane);
        side.is(Role::Client, Weight::Hello);
        if first {
            side.hello = Some(Box::new(Asked {
                hello,
                begun,
                done: mark,
            }));
        }
        self.step(
            lane,
            StepKind::Message(MessageType::CLIENT_HELLO),
            len,
            mark,
        );
    }

    /// Takes in the server's hello of SSL 2.0, with the certificate in it.
    pub(crate) fn on_sslv2_server_hello(
        &mut self,
        lane: Lane,
        hello: ServerHello,
        certificate: Option<Vec<u8>>,
        len: u32,
        mark: M,
    ) {
        self.prove();
        let side = self.sides.get_mut(lane);
        side.is(Role::Server, Weight::Hello);
        if side.answer.is_none() && self.asked_by != Some(lane) {
            let whole = hello.complete;
            side.answered_by(hello);
            if let Some(certificate) = certificate {
                side.certificates = Some(CertificateList {
                    certificates: vec![certificate].into(),
                    cut: None,
                });
            } else if whole {
                side.flight = Flight::Abbreviated;
            }
            self.settled = true;
        }
        self.step(
            lane,
            StepKind::Message(MessageType::SERVER_HELLO),
            len,
            mark,
        );
    }

    pub(crate) fn on_change_cipher_spec(&mut self, lane: Lane, len: u16, mark: M) {
        let side = self.sides.get_mut(lane);
        side.facts.change_cipher_spec = true;
        side.flight = side.flight.on_change_cipher_spec();
        self.note_sealed(lane, What::KeyChange);
        self.step(lane, StepKind::ChangeCipherSpec, u32::from(len), mark);
    }

    pub(crate) fn on_alert(&mut self, lane: Lane, level: u8, code: u8, mark: M) {
        if !matches!(level, WARNING | FATAL) {
            self.on_encrypted_alert(lane, 2, mark);
            return;
        }
        self.prove();
        self.alert(Alert {
            lane,
            level,
            code,
            encrypted: false,
            opened: false,
            mark,
        });
        self.step(lane, StepKind::Alert, 2, mark);
    }

    pub(crate) fn on_encrypted_alert(&mut self, lane: Lane, len: u16, mark: M) {
        self.sides.get_mut(lane).encrypted_alert = true;
        self.alert(Alert {
            lane,
            level: 0,
            code: 0,
            encrypted: true,
            opened: false,
            mark,
        });
        self.step(lane, StepKind::EncryptedAlert, u32::from(len), mark);
    }

    fn alert(&mut self, alert: Alert<M>) {
        if self.alerts.len() < MAX_ALERTS {
            self.alerts.push(alert);
        }
    }

    pub(crate) fn on_application_data(&mut self, lane: Lane, len: u16, mark: M) {
        let other_began = self
            .sides
            .get(lane.other())
            .facts
            .application_data
            .record_count
            > 0;
        let side = self.sides.get_mut(lane);
        let traffic = &mut side.facts.application_data;
        traffic.record_count = traffic.record_count.saturating_add(1);
        traffic.len = traffic.len.saturating_add(u64::from(len));
        let kept = traffic.record_count <= self.limits.max_application_steps;
        side.replies = side.replies.saturating_add(u32::from(other_began));
        if self.settled {
            return;
        }
        if kept {
            self.step(lane, StepKind::ApplicationData, u32::from(len), mark);
        } else {
            self.settled = self.judge_settled();
        }
    }

    pub(crate) fn on_encrypted_handshake(&mut self, lane: Lane, len: u16, mark: M) {
        let facts = &mut self.sides.get_mut(lane).facts;
        facts.encrypted_handshake_count = facts.encrypted_handshake_count.saturating_add(1);
        self.step(lane, StepKind::EncryptedHandshake, u32::from(len), mark);
    }

    pub(crate) fn on_heartbeat(&mut self, lane: Lane, len: u16, mark: M) {
        self.step(lane, StepKind::Heartbeat, u32::from(len), mark);
    }

    /// Notes missing bytes, the `count`th of this lane.
    pub(crate) fn on_gap(&mut self, lane: Lane, why: GapReason, count: u32) {
        let side = self.sides.get_mut(lane);
        side.facts.gap = side.facts.gap.or(Some(why));
        side.facts.gap_count = count;
        side.flight = side.flight.on_gap(why);
    }

    pub(crate) fn on_framing(&mut self, lane: Lane, framing: Framing) {
        self.sides.get_mut(lane).facts.framing = framing;
        self.note_sealed(lane, What::Torn);
    }

    fn step(&mut self, lane: Lane, kind: StepKind, len: u32, mark: M) {
        if self.steps.len() < self.limits.max_steps {
            self.steps.push(Step {
                lane,
                kind,
                len,
                padding: 0,
                mark,
            });
        }
        self.settled = self.settled || self.judge_settled();
    }

    /// The server's hello, wherever it came.
    fn answer(&self) -> Option<&ServerHello> {
        let of = |lane: Lane| {
            let asked = self.asked_by == Some(lane);
            self.sides.get(lane).answer.as_deref().filter(|_| !asked)
        };
        of(Lane::A).or_else(|| of(Lane::B))
    }

    fn client(&self) -> Option<Lane> {
        if self.asked_by.is_some() {
            return self.asked_by;
        }
        let weight = |lane| self.sides.get(lane).role.map(|(weight, _)| weight);
        let lane = if weight(Lane::B) > weight(Lane::A) {
            Lane::B
        } else {
            Lane::A
        };
        match self.sides.get(lane).role? {
            (_, Role::Client) => Some(lane),
            (_, Role::Server) => Some(lane.other()),
        }
    }

    /// Whether nothing that comes can change what is known of the handshake and of the answer to it.
    fn judge_settled(&self) -> bool {
        let count = |lane| self.sides.get(lane).facts.application_data.record_count;
        let total = count(Lane::A).saturating_add(count(Lane::B));
        // What settles is data, or an alert.
        if total == 0 && self.alerts.is_empty() {
            return false;
        }
        // A side may lag behind the other for as long as its missing bytes are waited for.
        let lags = |lane| count(lane) == 0 && self.sides.get(lane).spoke;
        let none_lags = !lags(Lane::A) && !lags(Lane::B);
        let client = self.client();
        let is_heard = client.is_none_or(|client| self.is_heard(client.other()));
        if (total >= MANY_RECORDS && none_lags && is_heard) || total >= TOO_MANY_RECORDS {
            return true;
        }
        let Some(client) = client else {
            return false;
        };
        let (asker, server) = (self.sides.get(client), self.sides.get(client.other()));
        // The client's hello may come late in the capture, and is waited for.
        if self.refused() && asker.spoke {
            return true;
        }
        match self.answer() {
            Some(answer) if answer.is_tls13() => {
                let (asked, replied) = (count(client), server.replies);
                ((asked >= 4 && replied >= 2) || (asked >= 2 && replied >= 8)) && is_heard
            }
            // The server's flight may come late in the capture, and is waited for.
            Some(_) | None => {
                let keyed = server.facts.change_cipher_spec || count(client.other()) > 0;
                (count(client) > 0 && keyed && is_heard)
                    || (asker.encrypted_alert && server.encrypted_alert)
            }
        }
    }

    /// Whether enough of the server's data came to hold its first response, where keys may open it.
    fn is_heard(&self, server: Lane) -> bool {
        self.sealed.as_ref().is_none_or(|sealed| {
            let side = self.sides.get(server);
            sealed.is_full(server)
                || side.replies >= HEARD_REPLIES
                || (side.replies > 0 && side.facts.application_data.len >= HEARD_LEN)
        })
    }

    /// Whether an alert in clear ended the handshake.
    fn refused(&self) -> bool {
        let tls13 = self.answer().is_some_and(ServerHello::is_tls13);
        self.alerts.iter().any(|alert| {
            // In TLS 1.3 the level says nothing (RFC 8446, section 6).
            let fatal = alert.level == FATAL
                || (tls13 && !matches!(alert.code, CLOSE_NOTIFY | USER_CANCELED));
            fatal && !alert.encrypted
        })
    }

    /// The facts in their final form.
    pub(crate) fn finish(mut self: Box<Self>) -> Handshake<M> {
        let (client, refused) = (self.client(), self.refused());
        let Opened {
            is_any,
            unopened,
            http_status,
            tickets,
            inner_hello,
        } = self.opened;
        // It is large: it is filled where it stands.
        let mut handshake = conclusion::conclude(client, &mut self.sides, refused);
        if let Some(inner) = inner_hello.as_ref().filter(|inner| inner.is_accepted()) {
            // What stands in clear in its place is made up (RFC 9849, section 6.1.2).
            handshake.session.ticket_offered =
                inner.hello.as_ref().and_then(|hello| hello.psk_identity);
        }
        handshake.hello_retry = self.hello_retry;
        handshake.alerts = self.alerts;
        handshake.steps = self.steps;
        handshake.decrypted = is_any;
        handshake.unopened = unopened;
        handshake.http_status = http_status;
        handshake.tickets_issued = tickets;
        handshake.inner_hello = inner_hello;
        handshake
    }
}

/// Whether a message of a hello's type can be one, by its length and version.
fn is_hello(message: Message<'_>) -> bool {
    let version = message.body.first_chunk::<2>().copied();
    message.len >= MIN_HELLO_LEN && matches!(version, Some([3, 0..=4] | [1, 1] | [0x7e | 0x7f, _]))
}

/// The curve in a ServerKeyExchange (RFC 8422, section 5.4).
fn named_curve(body: &[u8], suite: Option<u16>) -> Option<u16> {
    let mut reader = Reader::new(body);
    if reader.u8()? != NAMED_CURVE {
        return None;
    }
    let curve = reader.u16()?;
    match suite.and_then(cipher::is_elliptic) {
        Some(elliptic) => elliptic.then_some(curve),
        // Without the suite the point has to be there and to look like one.
        None => reader
            .vec8()
            .filter(|point| point.len() >= 32)
            .map(|_| curve),
    }
}

/// The ticket in a NewSessionTicket (RFC 5077, section 3.3).
fn ticket(body: &[u8]) -> Option<Ticket> {
    let mut reader = Reader::new(body);
    reader.u32()?;
    Ticket::new(reader.vec16()?)
}

const WARNING: u8 = 1;
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;
const USER_CANCELED: u8 = 90;
const NAMED_CURVE: u8 = 3;

/// Version, random, and the least that follows them, in the short form of the drafts.
const MIN_HELLO_LEN: u32 = 36;

/// Steps of a common handshake, until the first data of both sides.
const USUAL_STEPS: usize = 16;

/// So many alerts no handshake has.
const MAX_ALERTS: usize = 16;

/// With so many records of application data the connection has long been in use, whatever was missed of its beginning.
const MANY_RECORDS: u32 = 48;

/// In so many records of a server stands the beginning of its first response, behind tickets and settings.
const HEARD_REPLIES: u32 = 12;

/// In so many bytes stand a flight of usual length and the headers of a response.
const HEARD_LEN: u64 = 32 << 10;

/// With so many the other side's missing bytes are waited for no longer.
const TOO_MANY_RECORDS: u32 = 1024;
