//! The hash over the messages of a handshake (RFC 8446, section 4.4.1).

use ring::digest::{self, Digest};

use crate::tls::keys::Hash;
use crate::tls::message::MessageType;

/// A hash in the making.
#[derive(Clone)]
pub(crate) struct Transcript(digest::Context);

impl Transcript {
    pub(crate) fn new(hash: Hash) -> Self {
        Self(digest::Context::new(match hash {
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
        }))
    }

    /// Adds a message; `None` for a body that none can have.
    pub(crate) fn push(&mut self, kind: MessageType, body: &[u8]) -> Option<()> {
        let [0, high, mid, low] = u32::try_from(body.len()).ok()?.to_be_bytes() else {
            return None;
        };
        self.0.update(&[kind.0, high, mid, low]);
        self.0.update(body);
        Some(())
    }

    pub(crate) fn hash(self) -> Digest {
        self.0.finish()
    }
}
