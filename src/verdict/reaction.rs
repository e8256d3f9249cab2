//! How the two sides took the handshake: accepted, refused, or left without a word.
//!
//! Read from the order and the sizes of records and from how TCP ended; where keys opened records, from what was in them.
//! The sizes of TLS 1.3 alerts follow from RFC 8446, section 5.2: two bytes of alert, one of
//! content type, and the tag of the cipher, padded by some implementations.

use crate::tls::{MessageType, StepKind};

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
    /// Its length in bytes: of the message where it could be read, with the padding that keys showed behind it, else of the record's
    /// payload. Where [`unify_sizes`] went over it, any that means the same.
    ///
    /// [`unify_sizes`]: crate::verdict::unify_sizes
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

/// An alert whose content is known: one in clear, or one that keys opened.
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
    /// A side refused, by an alert that could be read (`Some`) or one whose size gives it away (`None`).
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
    /// The alerts that could be read.
    pub alerts: &'a [ClearAlert],
    /// How TCP ended, if it did.
    pub close: Option<Close>,
    /// Whether TLS 1.3 was chosen.
    pub is_tls13: bool,
    /// The bytes of the hash in Finished, where the cipher suite is known and of TLS 1.3.
    pub hash_len: Option<u32>,
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
        if self.is_tls13 || self.is_probably_tls13() {
            self.tls13()
        } else {
            self.tls12()
        }
    }

    fn tls12(&self) -> Reaction {
        if self.has(Side::Client, StepKind::ApplicationData)
            || self.has(Side::Client, StepKind::OpenedData)
        {
            return Reaction::Accepted;
        }
        let client_done = self.has_finished(Side::Client);
        let server_done = self.has_finished(Side::Server);
        if client_done && server_done {
            // A server may be the only one to send, or to end it: nobody refused anything then.
            let first = self.acts.iter().find(|act| {
                let is_data = act.by == Side::Server && is_data(act.kind);
                is_data || act.kind == StepKind::EncryptedAlert
            });
            let left = first.map_or(self.closed_by(Side::Client), |act| act.by == Side::Client);
            return if left {
                Reaction::LeftAfterHandshake
            } else {
                Reaction::Finished
            };
        }
        self.unfinished(client_done)
    }

    fn tls13(&self) -> Reaction {
        if let Some(finished) = self.finished_of_client() {
            return self.tls13_opened(finished);
        }
        let client = self.protected(Side::Client);
        let Some(first) = client.clone().next() else {
            let answered = self.protected(Side::Server).next().is_some()
                || self.has(Side::Server, StepKind::Message(MessageType::FINISHED));
            return match self.unfinished(false) {
                // There was no certificate yet that it could have disliked.
                Reaction::LeftAfterAnswer if !answered && self.is_tls13 => Reaction::GaveUp,
                reaction => reaction,
            };
        };
        if self.early_data_was_taken() {
            return Reaction::Accepted;
        }
        if is_alert(first) {
            return Reaction::Refused(Side::Client, None);
        }
        if self.client_certificate_refused() {
            return Reaction::Refused(Side::Server, None);
        }
        let finished = self.finished_among_sealed();
        let said = client.clone().count().saturating_sub(finished + 1);
        if finished > 0 && said <= MOST_UNHEARD && self.is_answered_by_an_alert_only() {
            // It came with a certificate, or with early data, and was shown the door.
            return Reaction::ClosedInHandshake;
        }
        let alert_len = client
            .clone()
            .nth(finished)
            .and_then(|len| self.alert_len_beside(len));
        let is_alert = |len: u32| is_alert_of(alert_len, len);
        let mut after = client.skip(finished + 1).peekable();
        let said_more = after.peek().is_some();
        if after.any(|len| !is_alert(len)) {
            Reaction::Accepted
        } else if self.was_served_after(finished) || self.was_left_by_server(finished) {
            Reaction::Finished
        } else if said_more || self.closed_by(Side::Client) {
            Reaction::LeftAfterHandshake
        } else {
            Reaction::Finished
        }
    }

    /// TLS 1.3, where keys opened the client's half of the handshake: what came after its Finished, opened or not.
    fn tls13_opened(&self, finished: usize) -> Reaction {
        let alert_len = self
            .acts
            .get(finished)
            .and_then(|act| self.alert_len_beside(act.len.saturating_add(RECORD_EXTRA_LEN)));
        let after = self.acts.get(finished + 1..).unwrap_or_default();
        let is_alert = |act: &Act| {
            // How the server pads, its own Finished does not tell here.
            let alert_len = alert_len.filter(|_| act.by == Side::Client);
            act.kind == StepKind::EncryptedAlert
                || (act.kind == StepKind::ApplicationData && is_alert_of(alert_len, act.len))
        };
        let speaks = |act: &Act| act.by == Side::Client && is_data(act.kind) && !is_alert(act);
        if after.iter().any(speaks) {
            return Reaction::Accepted;
        }
        // Until one of them ends it: a server may be the only one to send, beyond tickets and settings.
        let last_words = after.iter().position(is_alert);
        let before = after
            .get(..last_words.unwrap_or(after.len()))
            .unwrap_or_default();
        let (mut count, mut is_long) = (0, false);
        for act in before.iter().filter(|act| is_data(act.kind)) {
            count += 1;
            is_long |= act.len > LARGEST_TICKET;
        }
        let ended_by = last_words.and_then(|at| after.get(at)).map(|act| act.by);
        match ended_by {
            _ if is_long || count > MOST_TICKETS => Reaction::Finished,
            Some(Side::Client) => Reaction::LeftAfterHandshake,
            Some(Side::Server) => Reaction::Finished,
            None if self.closed_by(Side::Client) => Reaction::LeftAfterHandshake,
            None => Reaction::Finished,
        }
    }

    /// The length of an alert from whoever sent a Finished in a record of this length: whoever pads the one, pads the other. A short
    /// request may be as long as a padded alert, and those who do not pad send none of those.
    fn alert_len_beside(&self, finished: u32) -> Option<u32> {
        let hash_len = self.hash_len?;
        let alert_len = finished.checked_sub(MESSAGE_HEADER_LEN + hash_len)? + ALERT_LEN;
        is_alert(alert_len).then_some(alert_len)
    }

    /// Where among the acts the client's Finished stands, if keys opened it.
    fn finished_of_client(&self) -> Option<usize> {
        self.acts.iter().position(|act| {
            act.by == Side::Client && act.kind == StepKind::Message(MessageType::FINISHED)
        })
    }

    /// Whether the server's hello is missing and all else speaks of TLS 1.3: below that, a client
    /// sends its Finished as a handshake record before any data.
    fn is_probably_tls13(&self) -> bool {
        let says = |kind| move |act: &Act| act.kind == StepKind::Message(kind);
        self.acts.iter().any(says(MessageType::CLIENT_HELLO))
            && !self.acts.iter().any(says(MessageType::SERVER_HELLO))
            && !self.has_finished(Side::Client)
    }

    /// TLS 1.3: between this record of the client and its next one, the server sent more than
    /// tickets: it was the one to send, and the client took it.
    fn was_served_after(&self, finished: usize) -> bool {
        let is_protected = |act: &&Act| act.kind == StepKind::ApplicationData;
        let mut clients = 0;
        let mut count = 0;
        for act in self.acts.iter().filter(is_protected) {
            if act.by == Side::Client {
                clients += 1;
            } else if clients == finished + 1 {
                count += 1;
                if act.len > LARGEST_TICKET || count > MOST_TICKETS {
                    return true;
                }
            }
        }
        false
    }

    /// TLS 1.3: which of the client's sealed records is its Finished. A Certificate, empty or full, and early data come
    /// before it. Where no record has its size, several messages share one, and the first is taken to end the handshake.
    fn finished_among_sealed(&self) -> usize {
        let is_finished = |len: u32| match self.hash_len {
            Some(hash_len) => {
                let least = MESSAGE_HEADER_LEN + hash_len + RECORD_EXTRA_LEN;
                len == least || len == least + PADDING
            }
            None => is_finished(len),
        };
        let Some(at) = self.protected(Side::Client).position(is_finished) else {
            return 0;
        };
        let before = at.checked_sub(1);
        let before = before.and_then(|at| self.protected(Side::Client).nth(at));
        // A certificate of its own has a signature behind it: without one all is in this record, and the next one is a
        // request.
        let is_all_in_one = at == 1
            && before.is_some_and(|len| len > LARGEST_EMPTY_CERTIFICATE)
            && !self.is_early(at);
        if is_all_in_one { 0 } else { at }
    }

    /// Whether a sealed record of the client comes with its hello, before that was answered.
    fn is_early(&self, count: usize) -> bool {
        let is_answer = |act: &&Act| act.kind != StepKind::Message(MessageType::SERVER_HELLO);
        let early = self.acts.iter().take_while(is_answer);
        let is_sealed =
            |act: &&Act| act.by == Side::Client && act.kind == StepKind::ApplicationData;
        early.filter(is_sealed).count() >= count
    }

    /// TLS 1.3: all that the server says once the client has begun to answer is of the size of an alert, before the client ends it,
    /// and the connection ends. One that served the client has said more: tickets, data.
    fn is_answered_by_an_alert_only(&self) -> bool {
        let is_sealed = |act: &&Act| act.kind == StepKind::ApplicationData;
        let is_first = |act: &Act| act.by == Side::Client && act.kind == StepKind::ApplicationData;
        let after = self.acts.iter().skip_while(|act| !is_first(act));
        let mut after = after.filter(is_sealed);
        let of_server = after
            .by_ref()
            .find(|act| act.by == Side::Server || is_alert(act.len));
        of_server.is_some_and(|act| act.by == Side::Server && is_alert(act.len))
            && !after.any(|act| act.by == Side::Server)
            && self.close.is_some()
    }

    /// TLS 1.3: after this record of the client the first to send a record of the size of an alert was the server: it ended the
    /// connection, and the client has refused nothing.
    fn was_left_by_server(&self, finished: usize) -> bool {
        let is_sealed = |act: &&Act| act.kind == StepKind::ApplicationData;
        let mut clients = 0;
        for act in self.acts.iter().filter(is_sealed) {
            if act.by == Side::Client {
                clients += 1;
                if clients > finished + 1 {
                    return false;
                }
            } else if clients == finished + 1 && is_alert(act.len) {
                return true;
            }
        }
        false
    }

    /// TLS 1.3: the client sent data along with its hello, and ended it when the server had said
    /// that it takes it: EndOfEarlyData, four bytes, content type and tag (RFC 8446, section 4.5).
    fn early_data_was_taken(&self) -> bool {
        let is_answer = |act: &Act| act.kind == StepKind::Message(MessageType::SERVER_HELLO);
        let Some(answer) = self.acts.iter().position(is_answer) else {
            return false;
        };
        let (before, after) = self.acts.split_at(answer);
        let is_sealed =
            |act: &&Act| act.by == Side::Client && act.kind == StepKind::ApplicationData;
        let is_end = |len: u32| matches!(len, END_OF_EARLY_DATA | 37);
        let next = after.iter().find(is_sealed);
        if before.iter().any(|act| is_sealed(&act)) && next.is_some_and(|act| is_end(act.len)) {
            return true;
        }
        // Near the server its hello is captured before the data that was under way: some, its end, and Finished.
        let mut rest = self.protected(Side::Client).skip(1);
        let is_at_end = rest.by_ref().take(MAX_EARLY).any(is_end);
        is_at_end && rest.next().is_some_and(is_finished)
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

    /// TLS 1.3: the client answered a request with an empty Certificate, and the server refused it.
    fn client_certificate_refused(&self) -> bool {
        if !self
            .protected(Side::Client)
            .next()
            .is_some_and(is_empty_certificate)
        {
            return false;
        }
        self.is_answered_by_an_alert_only()
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
            || self.has(side, StepKind::Message(MessageType::FINISHED))
    }

    fn closed_by(&self, side: Side) -> bool {
        self.close.is_some_and(|close| close.by == side)
    }
}

fn is_data(kind: StepKind) -> bool {
    matches!(kind, StepKind::ApplicationData | StepKind::OpenedData)
}

/// Whether a TLS 1.3 record of this length holds an alert: plain, padded by 16, or with a tag of
/// eight bytes.
fn is_alert(len: u32) -> bool {
    matches!(len, 11 | 19 | 35)
}

/// The same, where the length is known that an alert of its sender has.
fn is_alert_of(alert_len: Option<u32>, len: u32) -> bool {
    alert_len.map_or_else(|| is_alert(len), |alert_len| len == alert_len)
}

/// Whether a TLS 1.3 record of this length holds a Finished: a hash of 32 or 48 bytes after four
/// bytes of header, content type and tag; padded by 16, or with a tag of eight bytes.
fn is_finished(len: u32) -> bool {
    matches!(len, 45 | 53 | 69 | 85)
}

/// Whether a TLS 1.3 record of this length holds an empty Certificate message: 4 + 1 + 3 bytes,
/// content type and tag; alone, or with a Finished behind it; padded by 16 or not.
fn is_empty_certificate(len: u32) -> bool {
    matches!(len, 25 | 41 | 61 | 77 | 93)
}

/// Tickets are rarely longer, unless they hold a client's certificates; data comes in records of
/// up to 16 KiB.
pub(super) const LARGEST_TICKET: u32 = 4096;
/// Servers send one to four tickets.
const MOST_TICKETS: usize = 4;
/// Type and length of a handshake message.
const MESSAGE_HEADER_LEN: u32 = 4;
/// The type of what a record holds, and the tag.
const RECORD_EXTRA_LEN: u32 = 17;
/// Records that a client may have sent before it hears that its certificate is refused. One that sends more is listened to,
/// though it gets no answer: a log, for one.
const MOST_UNHEARD: usize = 3;
/// Records of early data that are looked at.
const MAX_EARLY: usize = 16;
/// What some pad records by (JSSE).
const PADDING: u32 = 16;
/// A record with an empty Certificate, and a Finished behind it, is no longer.
pub(super) const LARGEST_EMPTY_CERTIFICATE: u32 = 93;
/// Level and description.
const ALERT_LEN: u32 = 2;
const CLOSE_NOTIFY: u8 = 0;
/// The length of its record; padded by 16 it is 37.
const END_OF_EARLY_DATA: u32 = 21;

#[cfg(test)]
mod tests;
