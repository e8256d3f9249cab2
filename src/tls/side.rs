//! What one direction has shown, by itself: who it seems to be, its hello, how far its flight came.

use crate::tls::certificate::CertificateList;
use crate::tls::client_hello::ClientHello;
use crate::tls::extension::Ticket;
use crate::tls::handshake::{Framing, LaneFacts};
use crate::tls::observed::{GapReason, Unseen};
use crate::tls::server_hello::ServerHello;

/// What one direction has shown.
#[derive(Clone, Debug)]
pub(crate) struct Side<M> {
    pub(crate) facts: LaneFacts,
    pub(crate) spoke: bool,
    pub(crate) role: Option<(Weight, Role)>,
    /// Apart, as is the answer: a side has one of them, and what each segment looks at lies together.
    pub(crate) hello: Option<Box<Asked<M>>>,
    /// A ClientHello was there, but not enough of it.
    pub(crate) hello_lost: Option<Unseen>,
    pub(crate) answer: Option<Box<ServerHello>>,
    /// A ServerHello was there, but not enough of it.
    pub(crate) answer_lost: Option<Unseen>,
    pub(crate) flight: Flight,
    pub(crate) certificates: Option<CertificateList>,
    pub(crate) certificate_requested: bool,
    pub(crate) curve: Option<u16>,
    pub(crate) ticket: Option<Ticket>,
    /// Records of application data that came after one of the other side.
    pub(crate) replies: u32,
    pub(crate) encrypted_alert: bool,
    /// Keys opened what it sent encrypted, or would have if its bytes were there.
    pub(crate) is_open: bool,
    /// Of what it sent encrypted, some was not kept.
    pub(crate) is_overfull: bool,
    /// Keys opened its Finished.
    pub(crate) is_finished: bool,
}

impl<M> Side<M> {
    pub(crate) fn new() -> Self {
        Self {
            facts: LaneFacts::default(),
            spoke: false,
            role: None,
            hello: None,
            hello_lost: None,
            answer: None,
            answer_lost: None,
            flight: Flight::AwaitHello,
            certificates: None,
            certificate_requested: false,
            curve: None,
            ticket: None,
            replies: 0,
            encrypted_alert: false,
            is_open: false,
            is_overfull: false,
            is_finished: false,
        }
    }

    /// Notes what a message says about who sent it; the weightiest counts, and of equals the first.
    pub(crate) fn is(&mut self, role: Role, weight: Weight) {
        if self.role.is_none_or(|(known, _)| known < weight) {
            self.role = Some((weight, role));
        }
    }

    pub(crate) fn answered_by(&mut self, hello: ServerHello) {
        self.flight = if hello.is_tls13() {
            Flight::Full
        } else {
            Flight::AwaitCertificate
        };
        self.answer = Some(Box::new(hello));
    }

    fn has_records(&self) -> bool {
        let facts = &self.facts;
        facts.application_data.record_count > 0
            || facts.encrypted_handshake_count > 0
            || facts.change_cipher_spec
            || self.role.is_some()
    }

    /// Why the hello of this side, the client, was not seen.
    pub(crate) fn unseen_hello(&self, answered: bool) -> Unseen {
        match (self.hello_lost, self.facts.gap) {
            (Some(why), _) => why,
            (None, Some(gap)) => gap.into(),
            (None, None) if self.facts.framing == Framing::Lost => Unseen::Malformed,
            (None, None) if self.has_records() => Unseen::Midstream,
            (None, None) if !self.spoke && answered => Unseen::OneSided,
            (None, None) => Unseen::CaptureEnded,
        }
    }

    /// Why the hello of this side, the server, was not seen.
    pub(crate) fn unseen_answer(&self, asker: &Self, refused: bool) -> Unseen {
        let went_on = asker.facts.change_cipher_spec
            || asker.role == Some((Weight::Strong, Role::Client))
            || (asker.facts.application_data.record_count > 0
                && asker
                    .hello
                    .as_ref()
                    .is_none_or(|asked| !asked.hello.early_data));
        match (self.answer_lost, self.facts.gap) {
            (Some(why), _) => why,
            (None, Some(gap)) => gap.into(),
            // A client refuses what it has seen.
            (None, None) if !self.spoke && refused => Unseen::OneSided,
            (None, None) if refused => Unseen::RefusedBefore,
            (None, None) if self.facts.framing == Framing::Lost => Unseen::Malformed,
            (None, None) if self.has_records() => Unseen::Midstream,
            (None, None) if !self.spoke && went_on => Unseen::OneSided,
            (None, None) => Unseen::CaptureEnded,
        }
    }
}

/// A ClientHello with its place.
#[derive(Clone, Debug)]
pub(crate) struct Asked<M> {
    pub(crate) hello: ClientHello,
    pub(crate) begun: M,
    pub(crate) done: M,
}

/// How far a server came between its hello and its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flight {
    /// No hello of a server yet.
    AwaitHello,
    /// Hello, and nothing else of weight.
    AwaitCertificate,
    /// Hello, and bytes missing after it.
    Torn(GapReason),
    /// A certificate, or the end of a flight without one.
    Full,
    /// Keys right after the hello: an abbreviated handshake (RFC 5246, section 7.3).
    Abbreviated,
}

impl Flight {
    pub(crate) fn on_change_cipher_spec(self) -> Self {
        match self {
            Self::AwaitCertificate => Self::Abbreviated,
            state => state,
        }
    }

    pub(crate) fn on_gap(self, why: GapReason) -> Self {
        match self {
            Self::AwaitCertificate => Self::Torn(why),
            state => state,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// How much a message says about who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Both sides may send it, one of them more often.
    Weak,
    /// Only one side may send it.
    Strong,
    /// It is a hello.
    Hello,
}
