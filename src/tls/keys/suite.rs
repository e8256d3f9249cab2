//! What a cipher suite protects records with, read from its name.

use ring::aead;
use ring::hkdf;
use ring::hmac;

use crate::tls::registry;

/// How a suite protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) cipher: Cipher,
    pub(crate) hash: Hash,
}

/// A cipher with associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

/// The hash of the key schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
}

impl Suite {
    /// The protection of a suite; `None` for one that is not opened here: CCM, CBC, RC4 and whatever is unknown.
    ///
    /// The names of the registry say it (RFC 5288, RFC 7905, RFC 8446, section B.4).
    pub(crate) fn of(number: u16) -> Option<Self> {
        // ChaCha20-Poly1305 of 2013, with nonces of its own.
        if matches!(number, 0xcc13..=0xcc15) {
            return None;
        }
        let name = registry::cipher_suite(number);
        let (cipher, hash) = if let Some(hash) = after(&name, "_AES_128_GCM_") {
            (Cipher::Aes128Gcm, hash)
        } else if let Some(hash) = after(&name, "_AES_256_GCM_") {
            (Cipher::Aes256Gcm, hash)
        } else if let Some(hash) = after(&name, "_CHACHA20_POLY1305_") {
            (Cipher::ChaCha20Poly1305, hash)
        } else {
            return None;
        };
        let hash = match hash {
            "SHA256" => Hash::Sha256,
            "SHA384" => Hash::Sha384,
            _ => return None,
        };
        Some(Self { cipher, hash })
    }
}

fn after<'a>(name: &'a str, part: &str) -> Option<&'a str> {
    name.split_once(part).map(|(_, rest)| rest)
}

impl Cipher {
    pub(crate) fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }
}

impl Hash {
    pub(crate) fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Sha256 => hkdf::HKDF_SHA256,
            Self::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    pub(crate) fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_suite_tells_its_cipher() {
        let of = |number| Suite::of(number).map(|suite| (suite.cipher, suite.hash));
        assert_eq!(of(0x1301), Some((Cipher::Aes128Gcm, Hash::Sha256)));
        assert_eq!(of(0x1302), Some((Cipher::Aes256Gcm, Hash::Sha384)));
        assert_eq!(of(0x1303), Some((Cipher::ChaCha20Poly1305, Hash::Sha256)));
        assert_eq!(of(0xc02f), Some((Cipher::Aes128Gcm, Hash::Sha256)));
        assert_eq!(of(0xc030), Some((Cipher::Aes256Gcm, Hash::Sha384)));
        assert_eq!(of(0xcca8), Some((Cipher::ChaCha20Poly1305, Hash::Sha256)));
        assert_eq!(of(0x009f), Some((Cipher::Aes256Gcm, Hash::Sha384)));
        // CCM, CBC, RC4, the draft of ChaCha20, GREASE.
        for number in [0x1304, 0x1305, 0xc09c, 0x002f, 0x0005, 0xcc13, 0x0a0a] {
            assert_eq!(of(number), None, "{number:#06x}");
        }
    }
}
