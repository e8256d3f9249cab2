//! Secrets that a capture carries for its own decryption (draft-ietf-opsawg-pcapng, section 4.7).

use std::fmt;

use zeroize::Zeroize;

/// One decryption secrets block.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Secrets {
    /// The kind of secrets: [`Secrets::TLS_KEY_LOG`] or another.
    pub secrets_type: u32,
    /// The number of the frame after it, whether there is one or not.
    pub next_frame: u64,
    /// The secrets themselves.
    pub data: Vec<u8>,
}

impl Secrets {
    /// A TLS key log in the format of NSS.
    pub const TLS_KEY_LOG: u32 = 0x544c_534b;

    /// How many bytes of secrets are held of one capture: at 200 a line, enough for 300,000 connections.
    pub const MAX_LEN: usize = 64 * 1024 * 1024;
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

/// Says how much, not what.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Secrets({:#010x}, {} bytes)",
            self.secrets_type,
            self.data.len()
        )
    }
}

/// The secrets that nobody took yet, bounded over the whole capture.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    held: Vec<Secrets>,
    /// Of all that was ever put in.
    len: usize,
}

impl Vault {
    pub(crate) fn put(&mut self, secrets_type: u32, next_frame: u64, data: &[u8]) {
        let len = self.len + data.len() + size_of::<Secrets>();
        if len <= Secrets::MAX_LEN {
            self.len = len;
            self.held.push(Secrets {
                secrets_type,
                next_frame,
                data: data.to_vec(),
            });
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Secrets> {
        std::mem::take(&mut self.held)
    }
}
