//! What a cipher suite protects records with, read from its name.

use ring::hkdf;
use ring::hmac;

use crate::tls::keys::cipher::Cipher;
use crate::tls::registry;

/// How a suite protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) cipher: Cipher,
    pub(crate) hash: Hash,
}

/// The hash of the key schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
}

impl Suite {
    /// The protection of a suite; `None` for one that is not opened here: CBC, RC4 and whatever is unknown.
    ///
    /// The names of the registry say it (RFC 5288, RFC 6655, RFC 7905, RFC 8446, section B.4).
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
        } else if let Some(rest) = after(&name, "_AES_128_CCM") {
            ccm(rest, [Cipher::Aes128Ccm, Cipher::Aes128Ccm8])
        } else if let Some(rest) = after(&name, "_AES_256_CCM") {
            ccm(rest, [Cipher::Aes256Ccm, Cipher::Aes256Ccm8])
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

/// What follows CCM in a name: the length of the tag, and in TLS 1.3 the hash, which is always the same (RFC 6655, section 3).
fn ccm(rest: &str, [long, short]: [Cipher; 2]) -> (Cipher, &str) {
    let (cipher, rest) = match rest.strip_prefix("_8") {
        Some(rest) => (short, rest),
        None => (long, rest),
    };
    match rest {
        "" => (cipher, "SHA256"),
        _ => (cipher, rest.trim_start_matches('_')),
    }
}

fn after<'a>(name: &'a str, part: &str) -> Option<&'a str> {
    name.split_once(part).map(|(_, rest)| rest)
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
        assert_eq!(of(0x1304), Some((Cipher::Aes128Ccm, Hash::Sha256)));
        assert_eq!(of(0x1305), Some((Cipher::Aes128Ccm8, Hash::Sha256)));
        assert_eq!(of(0xc09c), Some((Cipher::Aes128Ccm, Hash::Sha256)));
        assert_eq!(of(0xc0ad), Some((Cipher::Aes256Ccm, Hash::Sha256)));
        assert_eq!(of(0xc0af), Some((Cipher::Aes256Ccm8, Hash::Sha256)));
        // CBC, RC4, the draft of ChaCha20, GREASE.
        for number in [0x002f, 0x0005, 0xcc13, 0x0a0a] {
            assert_eq!(of(number), None, "{number:#06x}");
        }
    }
}
