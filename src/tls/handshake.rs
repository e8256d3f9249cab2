//! The facts of one TLS connection, as far as its bytes showed them.
//!
//! Every field says what was on the wire; none is a judgement. What may be missing is an
//! [`Observed`] with its reason.

use crate::tls::certificate::Certificates;
use crate::tls::client_hello::ClientHello;
use crate::tls::extension::Ticket;
use crate::tls::lane::{Lane, Lanes};
use crate::tls::message::MessageType;
use crate::tls::observed::{GapReason, Observed, Unopened, Unseen};
use crate::tls::preamble::Preamble;
use crate::tls::server_hello::ServerHello;

/// What was observed of both sides of a TLS connection.
///
/// `M` is the caller's mark: it comes back as it was given with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake<M> {
    /// The client's lane, where a message proves it; `None` where only records were seen.
    pub client: Option<Lane>,
    /// The first ClientHello.
    pub client_hello: Observed<ClientHello>,
    /// Where the first ClientHello begins.
    pub client_hello_mark: Option<M>,
    /// Where the last byte of the first ClientHello came.
    pub client_hello_done: Option<M>,
    /// The ServerHello; after a HelloRetryRequest the one that follows it.
    pub server_hello: Observed<ServerHello>,
    /// The server sent a HelloRetryRequest (RFC 8446, section 4.1.4).
    pub hello_retry: bool,
    /// The server's first Certificate message: DER as sent. Never an empty list: a server that sends one breaks RFC 5246,
    /// section 7.4.2, and that is [`Unseen::Malformed`].
    pub certificates: Observed<Certificates>,
    /// Why there may be more certificates than those seen: the message was malformed after them, or there were too many.
    pub certificates_cut: Option<Unseen>,
    /// Where bytes of the Certificate message are missing: the certificates that were whole before that place.
    pub certificates_before_cut: Certificates,
    /// The server asked for the client's certificate, in clear.
    pub certificate_requested: bool,
    /// The client's Certificate message in clear; an empty list says that it had none to send.
    pub client_certificates: Option<Certificates>,
    /// The group of the key exchange: of the ServerKeyExchange (RFC 8422, section 5.4) or of TLS 1.3's `key_share`.
    pub curve: Option<u16>,
    /// The alerts of both sides in order of arrival, at most 16.
    pub alerts: Vec<Alert<M>>,
    /// What came, in order of arrival, up to the limits.
    pub steps: Vec<Step<M>>,
    /// How the session was resumed; `None` when it was not, or when it is not known.
    pub resumption: Option<Resumption>,
    /// What links this session to others.
    pub session: Session,
    /// What concerns one direction.
    pub lanes: Lanes<LaneFacts>,
    /// Keys opened some of what was encrypted.
    pub decrypted: bool,
    /// Why keys did not open the server's half of the handshake, or what follows it up to TLS 1.2. `None` where they did, and
    /// where no keys were looked for.
    pub unopened: Option<Unopened>,
    /// The status of the server's first HTTP response, where keys opened it.
    pub http_status: Option<u16>,
    /// The tickets that the server gave under encryption, in order, at most 8 (RFC 8446, section 4.6.1).
    pub tickets_issued: Vec<Ticket>,
    /// The hello inside the first ClientHello, where keys opened it or prove that the server took it.
    pub inner_hello: Option<Box<InnerHello>>,
    /// What came in plaintext before TLS.
    pub preamble: Option<Preamble>,
    /// The first bytes of what the side that is not the client sent in place of TLS, at most 64.
    pub plaintext_answer: Option<Vec<u8>>,
}

impl<M> Alert<M> {
    /// Level and description, where they could be read.
    #[must_use]
    pub fn content(&self) -> Option<(u8, u8)> {
        (!self.encrypted || self.opened).then_some((self.level, self.code))
    }
}

impl<M> Handshake<M> {
    /// The server's lane, where it is known.
    #[must_use]
    pub fn server(&self) -> Option<Lane> {
        self.client.map(Lane::other)
    }

    /// The facts of the client's direction, where it is known.
    #[must_use]
    pub fn client_lane(&self) -> Option<&LaneFacts> {
        self.client.map(|lane| self.lanes.get(lane))
    }

    /// The facts of the server's direction, where it is known.
    #[must_use]
    pub fn server_lane(&self) -> Option<&LaneFacts> {
        self.server().map(|lane| self.lanes.get(lane))
    }

    /// The version of the session, from the ServerHello.
    #[must_use]
    pub fn version(&self) -> Option<u16> {
        self.server_hello.seen().map(ServerHello::version)
    }
}

/// An Encrypted Client Hello of which keys tell more than the wire (RFC 9849).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InnerHello {
    /// Its random, under which a key log has the connection if the server took it.
    pub random: [u8; 32],
    /// What the client asks of the server behind the one that the hello in clear names. `None` where no key opened it, and nothing
    /// but other keys of the connection says that the server took it.
    pub hello: Option<ClientHello>,
    /// What the server made of it.
    pub acceptance: Acceptance,
}

/// What a server made of an Encrypted Client Hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It took the hello inside: that one holds.
    Accepted,
    /// It took the hello in clear, or an older version of TLS: that one holds.
    Rejected,
    /// Its answer was not seen, or not whole.
    Unseen,
}

impl InnerHello {
    /// Whether it holds in place of the hello in clear.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.acceptance == Acceptance::Accepted
    }
}

/// An alert (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alert<M> {
    /// Who sent it.
    pub lane: Lane,
    /// 1 is a warning, 2 is fatal. Without meaning in an encrypted one that was not opened.
    pub level: u8,
    /// The description. Without meaning in an encrypted one that was not opened.
    pub code: u8,
    /// It was sent encrypted.
    pub encrypted: bool,
    /// It was sent encrypted, and keys opened it.
    pub opened: bool,
    /// Where it came.
    pub mark: M,
}

/// One thing that a side sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step<M> {
    /// Who sent it.
    pub lane: Lane,
    /// What it was.
    pub kind: StepKind,
    /// Length of a message with its header, or of a record's fragment.
    pub len: u32,
    /// Length of the padding behind the last message of a record that keys opened (RFC 8446, section 5.4).
    pub padding: u16,
    /// Where it came: its last byte for a message, its header for a record that is not looked into.
    pub mark: M,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepKind {
    /// A handshake message in clear, or one that keys opened.
    Message(MessageType),
    /// A HelloRetryRequest, of whichever form.
    HelloRetryRequest,
    /// A handshake record that cannot be read.
    EncryptedHandshake,
    /// A ChangeCipherSpec record.
    ChangeCipherSpec,
    /// An alert in clear.
    Alert,
    /// An alert that was sent encrypted.
    EncryptedAlert,
    /// A record of application data; in TLS 1.3 whatever is protected and was not opened.
    ApplicationData,
    /// Application data beyond doubt: keys opened the record.
    OpenedData,
    /// A heartbeat record (RFC 6520).
    Heartbeat,
}

/// By what a session was resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resumption {
    /// A pre-shared key of TLS 1.3 that came from a ticket (RFC 8446, section 2.2).
    Psk,
    /// A session id that the server remembered (RFC 5246, section 7.3).
    SessionId,
    /// A session ticket (RFC 5077, section 3.1).
    Ticket,
}

/// What links a session to another one: identical values belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The session id that the client offered; none where TLS 1.3 was chosen, in which it is only a filler.
    pub id_offered: Option<Ticket>,
    /// The session id that the server gave.
    pub id_issued: Option<Ticket>,
    /// The ticket that the client offered: of RFC 5077, or the first pre-shared key identity.
    pub ticket_offered: Option<Ticket>,
    /// The ticket that the server gave in clear (RFC 5077, section 3.3).
    pub ticket_issued: Option<Ticket>,
}

/// What concerns one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneFacts {
    /// The first missing bytes.
    pub gap: Option<GapReason>,
    /// How often bytes were missing.
    pub gap_count: u32,
    /// How far the records could be followed.
    pub framing: Framing,
    /// A ChangeCipherSpec record came.
    pub change_cipher_spec: bool,
    /// Records of application data.
    pub application_data: Traffic,
    /// Handshake records that cannot be read.
    pub encrypted_handshake_count: u32,
}

/// How far the records of a direction can be followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// From one to the next, all of them.
    #[default]
    Kept,
    /// Some were passed over, and others found behind them.
    FoundAgain,
    /// No more after some place.
    Lost,
}

/// How much of something came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Number of records.
    pub record_count: u32,
    /// Bytes in their fragments.
    pub len: u64,
}
