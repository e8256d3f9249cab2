//! Handshake messages, joined across records (RFC 8446, section 4; RFC 5246, section 7.4).
//!
//! ```text
//!  type 1 | length 3 | body …
//! ```
//!
//! Fragments go in as they come, whatever records they were in; messages come out. One that lies
//! whole in a fragment is handed on where it lies, and only a split one is copied. This module does not
//! know records, so that bytes from elsewhere (decrypted, or of QUIC) can be joined the same way.

use crate::tls::observed::Unseen;
use crate::tls::reader::Reader;

/// The kind of a handshake message (IANA, TLS HandshakeType).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u8);

impl MessageType {
    /// `hello_request` (RFC 5246, section 7.4.1.1).
    pub const HELLO_REQUEST: Self = Self(0);
    /// `client_hello`.
    pub const CLIENT_HELLO: Self = Self(1);
    /// `server_hello`.
    pub const SERVER_HELLO: Self = Self(2);
    /// `new_session_ticket` (RFC 5077, section 3.3).
    pub const NEW_SESSION_TICKET: Self = Self(4);
    /// `hello_retry_request` of the drafts of TLS 1.3 before 22.
    pub const HELLO_RETRY_REQUEST: Self = Self(6);
    /// `end_of_early_data`; never in clear.
    pub const END_OF_EARLY_DATA: Self = Self(5);
    /// `encrypted_extensions`; never in clear.
    pub const ENCRYPTED_EXTENSIONS: Self = Self(8);
    /// `certificate`.
    pub const CERTIFICATE: Self = Self(11);
    /// `server_key_exchange` (RFC 5246, section 7.4.3).
    pub const SERVER_KEY_EXCHANGE: Self = Self(12);
    /// `certificate_request`.
    pub const CERTIFICATE_REQUEST: Self = Self(13);
    /// `server_hello_done` (RFC 5246, section 7.4.5).
    pub const SERVER_HELLO_DONE: Self = Self(14);
    /// `certificate_verify`.
    pub const CERTIFICATE_VERIFY: Self = Self(15);
    /// `client_key_exchange` (RFC 5246, section 7.4.7).
    pub const CLIENT_KEY_EXCHANGE: Self = Self(16);
    /// `finished`.
    pub const FINISHED: Self = Self(20);
    /// `certificate_status` (RFC 6066, section 8).
    pub const CERTIFICATE_STATUS: Self = Self(22);
    /// `key_update`; never in clear.
    pub const KEY_UPDATE: Self = Self(24);
    /// `compressed_certificate` (RFC 8879); never in clear.
    pub const COMPRESSED_CERTIFICATE: Self = Self(25);
    /// `message_hash`: stands for the first ClientHello where hellos are hashed; never sent.
    pub(crate) const MESSAGE_HASH: Self = Self(254);

    /// Whether a message of this type may stand in clear.
    pub(crate) fn is_known(self) -> bool {
        matches!(self.0, 0..=6 | 8 | 11..=16 | 20..=25 | 67)
    }
}

/// A handshake message, or the head of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) kind: MessageType,
    /// Length of the whole body, as the header claims it.
    pub(crate) len: u32,
    /// The body, or as much of it as there is.
    pub(crate) body: &'a [u8],
    /// Why the body is not whole.
    pub(crate) cut: Option<Unseen>,
}

/// How far the next bytes are believed to begin a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The stream is in step: they do.
    InStep,
    /// A gap lies before them: only a header that fits its record is believed.
    AfterGap,
    /// They should be encrypted: only a hello is believed (TLS 1.3, RFC 8446, appendix D.4).
    OnlyHello,
}

/// The fragments do not begin a message; the rest of the record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opaque;

/// Joins fragments of one direction into messages.
#[derive(Clone, Debug)]
pub(crate) struct Messages<M> {
    /// The split message's header and body so far, and the mark of its first byte.
    held: Vec<u8>,
    begun: Option<M>,
    /// Bytes of a message that was given up, still to be passed over.
    skip: usize,
}

impl<M: Copy> Messages<M> {
    pub(crate) fn new() -> Self {
        Self {
            held: Vec::new(),
            begun: None,
            skip: 0,
        }
    }

    pub(crate) fn held_len(&self) -> usize {
        self.held.capacity()
    }

    /// Takes the next fragment; each message that it completes goes to `on_message`, with the mark of its first byte.
    ///
    /// `room` is how many bytes the record holds from the fragment's start on.
    ///
    /// # Errors
    ///
    /// [`Opaque`] when, by `trust`, no message begins where one should.
    pub(crate) fn push(
        &mut self,
        fragment: &[u8],
        mark: M,
        trust: Trust,
        room: usize,
        max_len: usize,
        mut on_message: impl FnMut(Message<'_>, M),
    ) -> Result<(), Opaque> {
        let mut rest = fragment;
        loop {
            let skipped = rest.len().min(self.skip);
            self.skip -= skipped;
            rest = rest.get(skipped..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            if self.held.is_empty() {
                let room = room.saturating_sub(fragment.len().saturating_sub(rest.len()));
                match split_first(rest) {
                    Split::Whole(message, after) if message.is_believed(trust, room) => {
                        on_message(message, mark);
                        rest = after;
                    }
                    Split::Part(message) if !message.is_believed(trust, room) => {
                        return Err(Opaque);
                    }
                    Split::Part(message) if body_len(message) > max_len => {
                        self.skip = body_len(message).saturating_sub(message.body.len());
                        on_message(message.too_long(), mark);
                        return Ok(());
                    }
                    Split::Whole(..) => return Err(Opaque),
                    Split::Part(_) | Split::Header => {
                        // A length that is claimed is no reason to make room for all of it.
                        let whole_len = match split_first(rest) {
                            Split::Part(message) => body_len(message).saturating_add(HEADER_LEN),
                            _ => 0,
                        };
                        self.held
                            .reserve_exact(whole_len.min(USUAL_LEN).max(rest.len()));
                        self.held.extend_from_slice(rest);
                        self.begun = Some(mark);
                        return Ok(());
                    }
                }
            } else {
                rest = self.top_up(rest, mark, trust, room, max_len, &mut on_message)?;
            }
        }
    }

    /// Adds to the held message what it still needs of `bytes`, and gives back the others.
    fn top_up<'a>(
        &mut self,
        bytes: &'a [u8],
        mark: M,
        trust: Trust,
        room: usize,
        max_len: usize,
        on_message: &mut impl FnMut(Message<'_>, M),
    ) -> Result<&'a [u8], Opaque> {
        let begun = self.begun.unwrap_or(mark);
        let had_header = self.held.len() >= HEADER_LEN;
        let wanted = match split_first(&self.held) {
            Split::Part(message) => body_len(message).saturating_sub(message.body.len()),
            Split::Whole(..) | Split::Header => HEADER_LEN.saturating_sub(self.held.len()),
        };
        let (more, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.held.extend_from_slice(more);
        match split_first(&self.held) {
            Split::Header => Ok(rest),
            Split::Whole(message, _) | Split::Part(message)
                if !had_header && !message.is_believed(trust, room.saturating_add(HEADER_LEN)) =>
            {
                self.held = Vec::new();
                Err(Opaque)
            }
            Split::Whole(message, _) => {
                on_message(message, begun);
                self.held = Vec::new();
                Ok(rest)
            }
            Split::Part(message) if body_len(message) > max_len => {
                self.skip = body_len(message).saturating_sub(message.body.len());
                on_message(message.too_long(), begun);
                self.held = Vec::new();
                Ok(rest)
            }
            Split::Part(_) => Ok(rest),
        }
    }

    /// Passes over `len` missing bytes of the stream of messages; the message that they tear is given up.
    ///
    /// `false` when it is not known any more where the next message begins.
    pub(crate) fn on_gap(
        &mut self,
        len: u64,
        why: Unseen,
        on_message: impl FnMut(Message<'_>, M),
    ) -> bool {
        let ahead = match split_first(&self.held) {
            Split::Part(message) => body_len(message).saturating_sub(message.body.len()),
            Split::Whole(..) | Split::Header => self.skip,
        };
        self.cut(why, on_message);
        let ahead = usize::try_from(len)
            .ok()
            .and_then(|len| ahead.checked_sub(len));
        self.skip = ahead.unwrap_or_default();
        ahead.is_some()
    }

    /// Gives up the message that is not whole, handing on what there is of it.
    pub(crate) fn cut(&mut self, why: Unseen, mut on_message: impl FnMut(Message<'_>, M)) {
        let held = std::mem::take(&mut self.held);
        self.skip = 0;
        if let (Split::Part(message), Some(begun)) = (split_first(&held), self.begun.take()) {
            on_message(message.cut_by(why), begun);
        }
    }
}

impl<'a> Message<'a> {
    fn cut_by(self, why: Unseen) -> Self {
        Self {
            cut: Some(why),
            ..self
        }
    }

    /// The message without what came of it so far, which would depend on how it came.
    fn too_long(self) -> Self {
        Self {
            body: &[],
            ..self.cut_by(Unseen::Limit)
        }
    }

    /// Whether this header can be one, in a record that has `room` for it.
    fn is_believed(&self, trust: Trust, room: usize) -> bool {
        let whole_len = body_len(*self).saturating_add(HEADER_LEN);
        let hello = matches!(
            self.kind,
            MessageType::CLIENT_HELLO | MessageType::SERVER_HELLO
        );
        match trust {
            Trust::InStep => true,
            // Ciphertext often begins with zeros (a counter), which would be a HelloRequest.
            Trust::AfterGap => {
                let empty = self.len == 0;
                let may_be_empty = self.kind == MessageType::SERVER_HELLO_DONE
                    || (self.kind == MessageType::HELLO_REQUEST && room == HEADER_LEN);
                self.kind.is_known()
                    && empty == may_be_empty
                    && (whole_len <= room || (room >= SPLIT_ROOM && whole_len <= SPLIT_MAX))
            }
            Trust::OnlyHello => {
                hello
                    && self.len >= MIN_HELLO_LEN
                    && self.body.first().is_none_or(|major| *major == 3)
                    && (whole_len <= room || whole_len <= SPLIT_MAX)
            }
        }
    }
}

/// What stands at the front of a stream of messages.
enum Split<'a> {
    /// A message, and what follows it.
    Whole(Message<'a>, &'a [u8]),
    /// The head of a message.
    Part(Message<'a>),
    /// Not even a whole header.
    Header,
}

fn split_first(bytes: &[u8]) -> Split<'_> {
    let mut reader = Reader::new(bytes);
    let (Some(kind), Some(len)) = (reader.u8(), reader.u24()) else {
        return Split::Header;
    };
    let mut message = Message {
        kind: MessageType(kind),
        len,
        body: reader.rest(),
        cut: None,
    };
    match usize::try_from(len).ok().and_then(|len| reader.take(len)) {
        Some(body) => {
            message.body = body;
            Split::Whole(message, reader.rest())
        }
        None => Split::Part(message),
    }
}

fn body_len(message: Message<'_>) -> usize {
    usize::try_from(message.len).unwrap_or(usize::MAX)
}

/// Type and length.
pub(crate) const HEADER_LEN: usize = 4;

/// What most hellos and chains take.
const USUAL_LEN: usize = 4096;

/// Version, random, and the least that follows them.
const MIN_HELLO_LEN: u32 = 38;

/// Only a record of some size splits a message over records.
const SPLIT_ROOM: usize = 512;

/// The longest message believed to go on in the next record, where nothing proves that it is one.
const SPLIT_MAX: usize = 1 << 17;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&u32::try_from(len).unwrap().to_be_bytes()[1..]);
        bytes.extend((0..len).map(|i| u8::try_from(i % 251).unwrap()));
        bytes
    }

    type Heard = Vec<(u8, usize, Option<Unseen>)>;

    fn push(messages: &mut Messages<()>, bytes: &[u8], trust: Trust, heard: &mut Heard) -> bool {
        messages
            .push(bytes, (), trust, bytes.len(), 1000, |message, ()| {
                heard.push((message.kind.0, message.body.len(), message.cut));
            })
            .is_ok()
    }

    #[test]
    fn every_split_gives_the_same_messages() {
        let stream = [message(2, 70), message(14, 0), message(11, 300)].concat();
        for size in 1..=stream.len() {
            let mut messages = Messages::new();
            let mut heard = Heard::new();
            for piece in stream.chunks(size) {
                assert!(push(&mut messages, piece, Trust::InStep, &mut heard));
            }
            assert_eq!(heard, [(2, 70, None), (14, 0, None), (11, 300, None)]);
            assert_eq!(messages.held_len(), 0);
        }
    }

    #[test]
    fn a_message_over_the_limit_is_passed_over_and_said() {
        let stream = [message(11, 5000), message(14, 0)].concat();
        for size in [1, 7, 100, stream.len() - 100] {
            let mut messages = Messages::new();
            let mut heard = Heard::new();
            for piece in stream.chunks(size) {
                push(&mut messages, piece, Trust::InStep, &mut heard);
                assert!(messages.held_len() < 2000);
            }
            assert_eq!(heard.len(), 2, "{size} {heard:?}");
            assert_eq!(heard[0].2, Some(Unseen::Limit));
            assert_eq!(heard[1], (14, 0, None));
        }
    }

    #[test]
    fn a_gap_inside_a_message_loses_only_that_one() {
        let mut messages = Messages::new();
        let mut heard = Heard::new();
        push(
            &mut messages,
            &message(11, 300)[..50],
            Trust::InStep,
            &mut heard,
        );
        let in_step = messages.on_gap(200, Unseen::Gap, |message, ()| {
            heard.push((message.kind.0, message.body.len(), message.cut));
        });
        assert!(in_step);
        push(&mut messages, &[0; 54], Trust::InStep, &mut heard);
        push(&mut messages, &message(14, 0), Trust::InStep, &mut heard);
        assert_eq!(heard, [(11, 46, Some(Unseen::Gap)), (14, 0, None)]);
    }

    #[test]
    fn a_gap_beyond_the_message_loses_the_step() {
        let mut messages = Messages::new();
        push(
            &mut messages,
            &message(11, 300)[..50],
            Trust::InStep,
            &mut Heard::new(),
        );
        assert!(!messages.on_gap(255, Unseen::Gap, |_, ()| ()));
        assert!(!messages.on_gap(1, Unseen::Gap, |_, ()| ()));
    }

    #[test]
    fn ciphertext_after_a_gap_is_not_taken_for_messages() {
        let mut finished = vec![0; 8];
        finished.extend([0xa5; 32]);
        for size in [1, 3, 40] {
            let mut messages = Messages::<()>::new();
            let opaque = finished.chunks(size).any(|piece| {
                messages
                    .push(piece, (), Trust::AfterGap, 40, 1000, |_, ()| {
                        panic!("a message")
                    })
                    .is_err()
            });
            assert!(opaque);
        }
    }
}
