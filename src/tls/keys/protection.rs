//! The protection of one direction: records in, plaintext out (RFC 8446, section 5.2; RFC 5246, section 6.2.3.3).

use crate::tls::keys::cipher::{Cipher, Key, NONCE_LEN};
use crate::tls::record::ContentType;

/// Keys that open the records of one direction.
pub(crate) struct Protection {
    key: Key,
    cipher: Cipher,
    iv: [u8; NONCE_LEN],
    form: Form,
}

/// How nonce and associated data are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// TLS 1.3: the header is associated data, but not in the drafts before 25.
    Tls13 { is_bare: bool },
    /// TLS 1.2, with the whole nonce from keys and sequence number (RFC 7905, section 2).
    Tls12,
    /// TLS 1.2, with eight bytes of the nonce in front of the record (RFC 5288, section 3).
    Tls12Explicit,
}

/// The envelope of a record, as its protection covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) content_type: ContentType,
    pub(crate) version: [u8; 2],
}

impl Protection {
    pub(crate) fn new(cipher: Cipher, key: &[u8], iv: [u8; NONCE_LEN], form: Form) -> Option<Self> {
        Some(Self {
            key: Key::new(cipher, key)?,
            cipher,
            iv,
            form,
        })
    }

    /// Opens the record with this number; `None` where these are not its keys, or it is damaged.
    ///
    /// What comes out is of the content type that stands beside it: in TLS 1.3 the inner one.
    pub(crate) fn open(
        &self,
        number: u64,
        header: RecordHeader,
        fragment: &[u8],
    ) -> Option<(ContentType, Vec<u8>)> {
        let (nonce, sealed) = self.nonce(number, fragment)?;
        let len = sealed.len().checked_sub(self.cipher.tag_len())?;
        let ContentType(kind) = header.content_type;
        let [major, minor] = header.version;
        let mut plain = match self.form {
            Form::Tls13 { is_bare: true } => self.key.open(nonce, &[], sealed)?,
            Form::Tls13 { is_bare: false } => {
                let [high, low] = u16::try_from(fragment.len()).ok()?.to_be_bytes();
                let aad = [kind, major, minor, high, low];
                self.key.open(nonce, &aad, sealed)?
            }
            Form::Tls12 | Form::Tls12Explicit => {
                let mut aad = [0; 13];
                let [high, low] = u16::try_from(len).ok()?.to_be_bytes();
                let number = number.to_be_bytes();
                let parts = number.into_iter().chain([kind, major, minor, high, low]);
                for (slot, byte) in aad.iter_mut().zip(parts) {
                    *slot = byte;
                }
                self.key.open(nonce, &aad, sealed)?
            }
        };
        match self.form {
            Form::Tls13 { .. } => {
                // The type is the last byte that is not padding (RFC 8446, section 5.4).
                let end = plain.iter().rposition(|byte| *byte != 0)?;
                let kind = plain.get(end).copied()?;
                plain.truncate(end);
                Some((ContentType(kind), plain))
            }
            Form::Tls12 | Form::Tls12Explicit => Some((header.content_type, plain)),
        }
    }

    /// The nonce of a record, and what of it is sealed.
    fn nonce<'a>(&self, number: u64, fragment: &'a [u8]) -> Option<([u8; NONCE_LEN], &'a [u8])> {
        let mut nonce = self.iv;
        let (_, last) = nonce.split_last_chunk_mut::<8>()?;
        if self.form == Form::Tls12Explicit {
            let (explicit, sealed) = fragment.split_first_chunk::<8>()?;
            *last = *explicit;
            return Some((nonce, sealed));
        }
        for (byte, of_number) in last.iter_mut().zip(number.to_be_bytes()) {
            *byte ^= of_number;
        }
        Some((nonce, fragment))
    }
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protection")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

impl Drop for Protection {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.iv);
    }
}
