//! Which hello the server took, by its Finished: that is computed over all messages from the first one on (RFC 8446, section 4.4.4).
//!
//! Where it fits the hello in clear, the server took that one. Where it does not, it took another: the one inside, or the hello in clear is
//! not what the capture shows. So this refutes what a key log says, and proves it only together with that.

use crate::tls::keys::{Draft, Hash, Secret, Suite, is_finished};
use crate::tls::message::{Message, MessageType};
use crate::tls::opening::ech::transcript::Transcript;
use crate::tls::sealed::Hellos;

/// Watches the server's half of a handshake that began with two hellos in one.
pub(crate) struct Witness {
    /// With the hello in clear as it was seen, and with another random in it.
    transcripts: [Transcript; 2],
    verdict: Option<bool>,
    is_over: bool,
}

impl Witness {
    /// One for a handshake that begins with these hellos; `None` where not all of them are there.
    ///
    /// `random` is that under which the keys stand. A hello in clear that has it after all was damaged in the capture.
    pub(crate) fn new(hellos: &Hellos, hash: Hash, random: &[u8; 32]) -> Option<Self> {
        let damaged = Hellos {
            outer: with_random(&hellos.outer, random)?,
            outer_again: with_random(&hellos.outer_again, random).unwrap_or_default(),
            ..hellos.clone()
        };
        Some(Self {
            transcripts: [begin(hellos, hash)?, begin(&damaged, hash)?],
            verdict: None,
            is_over: false,
        })
    }

    /// Takes a message of the server, opened with `secret`.
    pub(crate) fn on_message(
        &mut self,
        message: Message<'_>,
        secret: &Secret,
        suite: Suite,
        draft: Draft,
    ) {
        if self.is_over {
            return;
        }
        if message.cut.is_some() {
            self.is_over = true;
        } else if message.kind == MessageType::FINISHED {
            self.is_over = true;
            self.verdict = self
                .transcripts
                .clone()
                .into_iter()
                .map(|transcript| {
                    let hash = transcript.hash();
                    is_finished(secret, suite, draft, hash.as_ref(), message.body)
                })
                .try_fold(false, |any, is_one| Some(any || is_one?));
        } else {
            for transcript in &mut self.transcripts {
                self.is_over |= transcript.push(message.kind, message.body).is_none();
            }
        }
    }

    /// Messages are missing: nothing will be known.
    pub(crate) fn on_missing(&mut self) {
        self.is_over = true;
    }

    /// Whether the server took the hello in clear; `None` where its Finished was not seen, or not all before it.
    pub(crate) fn has_taken_clear(&self) -> Option<bool> {
        self.verdict
    }
}

/// The hellos that both sides sent in clear.
fn begin(hellos: &Hellos, hash: Hash) -> Option<Transcript> {
    if hellos.is_cut || hellos.outer.is_empty() || hellos.answer.is_empty() {
        return None;
    }
    let mut whole = Transcript::new(hash);
    whole.push(MessageType::CLIENT_HELLO, &hellos.outer)?;
    if !hellos.retry.is_empty() {
        if hellos.outer_again.is_empty() {
            return None;
        }
        let first = whole.hash();
        whole = Transcript::new(hash);
        whole.push(MessageType::MESSAGE_HASH, first.as_ref())?;
        whole.push(MessageType::SERVER_HELLO, &hellos.retry)?;
        whole.push(MessageType::CLIENT_HELLO, &hellos.outer_again)?;
    }
    whole.push(MessageType::SERVER_HELLO, &hellos.answer)?;
    Some(whole)
}

/// The body of a ClientHello with this random (RFC 8446, section 4.1.2).
fn with_random(hello: &[u8], random: &[u8; 32]) -> Option<Vec<u8>> {
    let mut hello = hello.to_vec();
    *hello.get_mut(VERSION_LEN..)?.first_chunk_mut()? = *random;
    Some(hello)
}

const VERSION_LEN: usize = 2;
