//! Whether a server took the hello inside: it says so by eight bytes that only those can tell who know that hello (RFC 9849, section 7.2).

use ring::digest::Digest;

use crate::tls::extension::{self, ENCRYPTED_CLIENT_HELLO};
use crate::tls::handshake::Acceptance;
use crate::tls::keys::{Hash, Suite, ech_confirmation};
use crate::tls::message::MessageType;
use crate::tls::opening::ech::transcript::Transcript;
use crate::tls::reader::Reader;
use crate::tls::server_hello::ServerHello;

/// The bodies of the hellos of a connection, as if the hello inside had been sent; empty where one was not seen.
pub(crate) struct Course<'a> {
    /// The random of the hello inside.
    pub(crate) random: [u8; 32],
    pub(crate) inner: Option<&'a [u8]>,
    pub(crate) retry: &'a [u8],
    pub(crate) inner_again: Option<&'a [u8]>,
    pub(crate) answer: &'a [u8],
    /// No bytes are missing between them.
    pub(crate) is_gapless: bool,
}

impl Course<'_> {
    /// What the server made of it. That it did not take it is claimed only where nothing is missing,
    /// and its answers agree.
    pub(crate) fn acceptance(&self) -> Acceptance {
        let is_old = ServerHello::parse(self.answer, true).is_some_and(|hello| !hello.is_tls13());
        if is_old {
            return Acceptance::Rejected;
        }
        let is_confirmed = if self.retry.is_empty() {
            self.is_confirmed_at_once()
        } else {
            self.is_retry_confirmed()
        };
        match is_confirmed {
            Some(true) => Acceptance::Accepted,
            Some(false) if self.is_gapless => Acceptance::Rejected,
            Some(false) | None => Acceptance::Unseen,
        }
    }

    /// Whether the ServerHello confirms it; `None` where that cannot be known.
    fn is_confirmed_at_once(&self) -> Option<bool> {
        let hash = hash_of(self.answer)?;
        let (zeroed, confirmation) = without(self.answer, RANDOM_END - CONFIRMATION_LEN)?;
        let transcript = transcript(
            hash,
            &[
                (MessageType::CLIENT_HELLO, self.inner?),
                (MessageType::SERVER_HELLO, &zeroed),
            ],
        )?;
        let expected = ech_confirmation(&self.random, ACCEPT, transcript.as_ref(), hash)?;
        Some(expected == confirmation)
    }

    /// Whether the HelloRetryRequest confirms it, and the ServerHello after it where that is there.
    fn is_retry_confirmed(&self) -> Option<bool> {
        let hash = hash_of(self.retry)?;
        let first = transcript(hash, &[(MessageType::CLIENT_HELLO, self.inner?)])?;
        let first = (MessageType::MESSAGE_HASH, first.as_ref());
        let Some(at) = confirmation_at(self.retry) else {
            return Some(false);
        };
        let (zeroed, confirmation) = without(self.retry, at)?;
        let so_far = transcript(hash, &[first, (MessageType::SERVER_HELLO, &zeroed)])?;
        let expected = ech_confirmation(&self.random, ACCEPT_RETRY, so_far.as_ref(), hash)?;
        if expected != confirmation {
            return Some(false);
        }
        let (Some(again), false) = (self.inner_again, self.answer.is_empty()) else {
            return Some(true);
        };
        let (zeroed, confirmation) = without(self.answer, RANDOM_END - CONFIRMATION_LEN)?;
        let whole = transcript(
            hash,
            &[
                first,
                (MessageType::SERVER_HELLO, self.retry),
                (MessageType::CLIENT_HELLO, again),
                (MessageType::SERVER_HELLO, &zeroed),
            ],
        )?;
        let expected = ech_confirmation(&self.random, ACCEPT, whole.as_ref(), hash)?;
        // A client gives up where the two answers differ (RFC 9849, section 6.1.4): which hello the server took is not proved.
        (expected == confirmation).then_some(true)
    }
}

/// The hash of the suite that a ServerHello or a HelloRetryRequest chooses.
fn hash_of(hello: &[u8]) -> Option<Hash> {
    let suite = ServerHello::parse(hello, true)?.cipher_suite?;
    Suite::of(suite).map(|suite| suite.hash)
}

/// A body with zeros in the place of the confirmation, and the confirmation.
fn without(body: &[u8], at: usize) -> Option<(Vec<u8>, [u8; CONFIRMATION_LEN])> {
    let mut zeroed = body.to_vec();
    let place = zeroed.get_mut(at..)?.first_chunk_mut()?;
    let confirmation = std::mem::take(place);
    Some((zeroed, confirmation))
}

/// Where the confirmation stands in the body of a HelloRetryRequest: in its `encrypted_client_hello`.
fn confirmation_at(retry: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(retry.get(RANDOM_END..)?);
    let (_session_id, _suite, _compression) = (reader.vec8()?, reader.u16()?, reader.u8()?);
    let block = reader.vec16()?;
    let mut at = retry.len().checked_sub(block.len())?;
    let mut found = None;
    extension::walk(block, |kind, body| {
        if kind == ENCRYPTED_CLIENT_HELLO && body.len() == CONFIRMATION_LEN {
            found = found.or(Some(at + EXTENSION_HEADER_LEN));
        }
        at += EXTENSION_HEADER_LEN + body.len();
    });
    found
}

/// The hash of messages with these bodies (RFC 8446, section 4.4.1).
fn transcript(hash: Hash, messages: &[(MessageType, &[u8])]) -> Option<Digest> {
    let mut transcript = Transcript::new(hash);
    for (kind, body) in messages {
        transcript.push(*kind, body)?;
    }
    Some(transcript.hash())
}

const ACCEPT: &[u8] = b"ech accept confirmation";
const ACCEPT_RETRY: &[u8] = b"hrr ech accept confirmation";
const CONFIRMATION_LEN: usize = 8;
/// Version and random.
const RANDOM_END: usize = 34;
const EXTENSION_HEADER_LEN: usize = 4;
