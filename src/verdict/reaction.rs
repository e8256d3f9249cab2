//! How the two sides took the handshake: accepted, refused, or left without a word.
//!
//! Read from the order and the sizes of records and from how TCP ended; nothing is decrypted.
//! The sizes of TLS 1.3 alerts follow from RFC 8446, section 5.2: two bytes of alert, one of
//! content type, and the tag of the cipher, padded by some implementations.

use crate::tls::StepKind;

/// Which end of the TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that sends the ClientHello.
    Client,
    /// The end that answers it.
    Server,
}

/// One thing that a side did, in the order of the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who did it.
    pub by: Side,
    /// What it was.
    pub kind: StepKind,
    /// Its length in bytes: of the message where it could be read, else of the record's payload.
    pub len: u32,
}

/// How TCP ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Close {
    /// Who ended it first.
    pub by: Side,
    /// By FIN or by RST.
    pub how: Closing,
}

/// The two ways to end a TCP connection (RFC 9293, section 3.6 and 3.10.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// In order.
    Fin,
    /// Abruptly.
    Rst,
}

/// An alert in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClearAlert {
    /// Who sent it.
    pub by: Side,
    /// Whether it ends the connection.
    pub is_fatal: bool,
    /// Its description (RFC 8446, section 6).
    pub code: u8,
}

/// How the handshake was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// The client sent application data: it was content.
    Accepted,
    /// Both sides finished; then the client left without application data.
    LeftAfterHandshake,
    /// Both sides finished, and the capture shows no more.
    Finished,
    /// A side refused, by an alert in clear (`Some`) or one whose size gives it away (`None`).
    Refused(Side, Option<u8>),
    /// The client left between the server's answer and its own last message.
    LeftAfterAnswer,
    /// The server ended the connection before it had answered.
    ClosedBeforeAnswer,
    /// The server ended the connection in the middle of the handshake.
    ClosedInHandshake,
    /// The client ended the connection before any answer.
    GaveUp,
    /// Nothing more was captured.
    Unfinished,
}

/// What a flow showed of its handshake, as far as a reaction can be read from it.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// What both sides did.
    pub acts: &'a [Act],
    /// The alerts in clear.
    pub alerts: &'a [ClearAlert],
    /// How TCP ended, if it did.
    pub close: Option<Close>,
    /// Whether TLS 1.3 was chosen.
    pub is_tls13: bool,
}

impl Course<'_> {
    /// Reads the reaction.
    #[must_use]
    pub fn reaction(&self) -> Reaction {
        let mut fatal = self
            .alerts
            .iter()
            .filter(|alert| alert.is_fatal && alert.code != CLOSE_NOTIFY);
        if let Some(alert) = fatal.next() {
            return Reaction::Refused(alert.by, Some(alert.code));
        }
        if self.is_tls13 {
            self.tls13()
        } else {
            self.tls12()
        }
    }

    fn tls12(&self) -> Reaction {
        if self.has(Side::Client, StepKind::ApplicationData) {
            return Reaction::Accepted;
        }
        let client_done = self.has_finished(Side::Client);
        let server_done = self.has_finished(Side::Server);
        if client_done && server_done {
            return match self.close {
                // A server may greet first, and close after that: nobody refused anything.
                Some(Close {
                    by: Side::Client, ..
                }) => Reaction::LeftAfterHandshake,
                _ if self.has(Side::Client, StepKind::EncryptedAlert) => {
                    Reaction::LeftAfterHandshake
                }
                _ => Reaction::Finished,
            };
        }
        self.unfinished(client_done)
    }

    fn tls13(&self) -> Reaction {
        let client = self.protected(Side::Client);
        let Some(first) = client.clone().next() else {
            let answered = self.protected(Side::Server).next().is_some();
            return if answered && self.closed_by(Side::Client) {
                Reaction::LeftAfterAnswer
            } else {
                self.unfinished(false)
            };
        };
        if is_alert(first) {
            return Reaction::Refused(Side::Client, None);
        }
        if self.client_certificate_refused() {
            return Reaction::Refused(Side::Server, None);
        }
        // A Certificate, empty or full, and early data come before Finished. Where no record has
        // its size, several messages share one, and the first is taken to end the handshake.
        let finished = client.clone().position(is_finished).unwrap_or(0);
        let mut after = client.skip(finished + 1).peekable();
        let said_more = after.peek().is_some();
        if after.any(|len| !is_alert(len)) {
            Reaction::Accepted
        } else if said_more || self.closed_by(Side::Client) {
            Reaction::LeftAfterHandshake
        } else {
            Reaction::Finished
        }
    }

    /// The handshake never ended: who walked away from it, and when.
    fn unfinished(&self, client_done: bool) -> Reaction {
        let answered = self.acts.iter().any(|act| act.by == Side::Server);
        match self.close {
            None => Reaction::Unfinished,
            Some(Close {
                by: Side::Server, ..
            }) if !answered => Reaction::ClosedBeforeAnswer,
            Some(Close {
                by: Side::Server, ..
            }) => Reaction::ClosedInHandshake,
            Some(Close {
                by: Side::Client, ..
            }) if !answered => Reaction::GaveUp,
            Some(Close {
                by: Side::Client, ..
            }) if client_done => Reaction::LeftAfterHandshake,
            Some(Close {
                by: Side::Client, ..
            }) => Reaction::LeftAfterAnswer,
        }
    }

    /// TLS 1.3: the client answered a request with an empty Certificate, and the server's next
    /// words are the size of an alert and the end.
    fn client_certificate_refused(&self) -> bool {
        self.protected(Side::Client).next() == Some(EMPTY_CERTIFICATE)
            && self
                .acts
                .iter()
                .rev()
                .find(|act| act.by == Side::Server)
                .is_some_and(|act| is_alert(act.len))
            && self.close.is_some()
    }

    fn protected(&self, side: Side) -> impl Iterator<Item = u32> + Clone {
        self.acts
            .iter()
            .filter(move |act| act.by == side && act.kind == StepKind::ApplicationData)
            .map(|act| act.len)
    }

    fn has(&self, side: Side, kind: StepKind) -> bool {
        self.acts
            .iter()
            .any(|act| act.by == side && act.kind == kind)
    }

    fn has_finished(&self, side: Side) -> bool {
        self.has(side, StepKind::EncryptedHandshake)
    }

    fn closed_by(&self, side: Side) -> bool {
        self.close.is_some_and(|close| close.by == side)
    }
}

/// Whether a TLS 1.3 record of this length holds an alert: plain, padded by 16, or with a tag of
/// eight bytes.
fn is_alert(len: u32) -> bool {
    matches!(len, 11 | 19 | 35)
}

/// Whether a TLS 1.3 record of this length holds a Finished: a hash of 32 or 48 bytes after four
/// bytes of header, content type and tag; padded by 16, or with a tag of eight bytes.
fn is_finished(len: u32) -> bool {
    matches!(len, 45 | 53 | 69 | 85)
}

/// The record of an empty Certificate message: 4 + 1 + 3 bytes, content type and tag.
const EMPTY_CERTIFICATE: u32 = 25;
const CLOSE_NOTIFY: u8 = 0;
