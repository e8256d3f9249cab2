//! Ciphers with associated data (RFC 5116), and a key of one: it opens what is sealed, and seals nothing.
//!
//! `ring` does the cryptography but for CCM (RFC 3610), which it has not; the types of both stop here.

use aes::{Aes128, Aes256};
use ccm::aead::{Aead as _, Payload};
use ccm::consts::{U8, U12, U16};
use ccm::{Ccm, KeyInit as _};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

/// A cipher with associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    Aes128Ccm,
    Aes256Ccm,
    /// With a tag of eight bytes (RFC 6655, section 4).
    Aes128Ccm8,
    Aes256Ccm8,
    ChaCha20Poly1305,
}

/// A key, which is wiped as far as the library that holds it does so.
pub(crate) enum Key {
    Ring(LessSafeKey),
    Aes128Ccm(Ccm<Aes128, U16, U12>),
    Aes256Ccm(Ccm<Aes256, U16, U12>),
    Aes128Ccm8(Ccm<Aes128, U8, U12>),
    Aes256Ccm8(Ccm<Aes256, U8, U12>),
}

impl Cipher {
    /// The length of its keys in bytes.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::Aes256Ccm | Self::Aes256Ccm8 | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// How much longer than its content a sealed text is.
    pub(crate) const fn tag_len(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            _ => 16,
        }
    }
}

impl Key {
    /// The key with these bytes; `None` where they are not as many as it has.
    pub(crate) fn new(cipher: Cipher, bytes: &[u8]) -> Option<Self> {
        let ring = |algorithm| {
            let key = UnboundKey::new(algorithm, bytes).ok()?;
            Some(Self::Ring(LessSafeKey::new(key)))
        };
        Some(match cipher {
            Cipher::Aes128Gcm => return ring(&aead::AES_128_GCM),
            Cipher::Aes256Gcm => return ring(&aead::AES_256_GCM),
            Cipher::ChaCha20Poly1305 => return ring(&aead::CHACHA20_POLY1305),
            Cipher::Aes128Ccm => Self::Aes128Ccm(Ccm::new_from_slice(bytes).ok()?),
            Cipher::Aes256Ccm => Self::Aes256Ccm(Ccm::new_from_slice(bytes).ok()?),
            Cipher::Aes128Ccm8 => Self::Aes128Ccm8(Ccm::new_from_slice(bytes).ok()?),
            Cipher::Aes256Ccm8 => Self::Aes256Ccm8(Ccm::new_from_slice(bytes).ok()?),
        })
    }

    /// Opens what is sealed with this nonce beside `aad`; `None` where it is not, or is damaged.
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let payload = Payload { msg: sealed, aad };
        let ccm_nonce = nonce.into();
        match self {
            Self::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                let mut plain = sealed.to_vec();
                let opened = key.open_in_place(nonce, Aad::from(aad), &mut plain);
                let len = opened.ok()?.len();
                plain.truncate(len);
                Some(plain)
            }
            Self::Aes128Ccm(key) => key.decrypt(&ccm_nonce, payload).ok(),
            Self::Aes256Ccm(key) => key.decrypt(&ccm_nonce, payload).ok(),
            Self::Aes128Ccm8(key) => key.decrypt(&ccm_nonce, payload).ok(),
            Self::Aes256Ccm8(key) => key.decrypt(&ccm_nonce, payload).ok(),
        }
    }
}

/// Bytes of a nonce, the same for all of them.
pub(crate) const NONCE_LEN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ccm_with_a_short_tag_opens_the_example_of_the_standard() {
        // NIST SP 800-38C, example 3.
        let sealed = [
            0xe3, 0xb2, 0x01, 0xa9, 0xf5, 0xb7, 0x1a, 0x7a, 0x9b, 0x1c, 0xea, 0xec, 0xcd, 0x97,
            0xe7, 0x0b, 0x61, 0x76, 0xaa, 0xd9, 0xa4, 0x42, 0x8a, 0xa5, 0x48, 0x43, 0x92, 0xfb,
            0xc1, 0xb0, 0x99, 0x51,
        ];
        let bytes: Vec<u8> = (0x40..0x50).collect();
        let nonce = std::array::from_fn(|at| 0x10 + u8::try_from(at).unwrap());
        let aad: Vec<u8> = (0..20).collect();
        let key = Key::new(Cipher::Aes128Ccm8, &bytes).unwrap();
        let plain: Vec<u8> = (0x20..0x38).collect();
        assert_eq!(key.open(nonce, &aad, &sealed), Some(plain));
        assert_eq!(key.open(nonce, &aad[1..], &sealed), None);
        for len in 0..sealed.len() {
            assert_eq!(key.open(nonce, &aad, &sealed[..len]), None);
        }
        let long = Key::new(Cipher::Aes128Ccm, &bytes).unwrap();
        assert_eq!(long.open(nonce, &aad, &sealed), None);
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        for cipher in [
            Cipher::Aes128Gcm,
            Cipher::Aes256Gcm,
            Cipher::Aes128Ccm,
            Cipher::Aes256Ccm,
            Cipher::Aes128Ccm8,
            Cipher::Aes256Ccm8,
            Cipher::ChaCha20Poly1305,
        ] {
            let bytes = [7; 40];
            for len in 0..bytes.len() {
                let is_right = len == cipher.key_len();
                assert_eq!(Key::new(cipher, &bytes[..len]).is_some(), is_right);
            }
        }
    }
}
