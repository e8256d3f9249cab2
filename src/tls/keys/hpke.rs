//! Hybrid public key encryption as its receiver does it, from the shared secret on (RFC 9180, section 5.1), in base mode.
//!
//! The encapsulation that the shared secret comes from is not done here: a key log has the secret itself.

use ring::{hkdf, hmac};
use zeroize::{Zeroize, Zeroizing};

use crate::tls::keys::cipher::{Cipher, Key, NONCE_LEN};
use crate::tls::keys::log::Secret;
use crate::tls::keys::schedule::Len;

/// The algorithms by their numbers (RFC 9180, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HpkeSuite {
    pub(crate) kem: u16,
    pub(crate) kdf: u16,
    pub(crate) aead: u16,
}

/// What opens the messages of one sender.
pub(crate) struct Recipient {
    key: Key,
    base_nonce: [u8; NONCE_LEN],
}

impl Recipient {
    /// The recipient with this shared secret; `None` for algorithms that are not had here.
    pub(crate) fn new(suite: HpkeSuite, shared_secret: &Secret, info: &[u8]) -> Option<Self> {
        let kdf = Kdf::of(suite.kdf)?;
        let cipher = match suite.aead {
            1 => Cipher::Aes128Gcm,
            2 => Cipher::Aes256Gcm,
            3 => Cipher::ChaCha20Poly1305,
            _ => return None,
        };
        let mut suite_id = *b"HPKE\0\0\0\0\0\0";
        let numbers = [suite.kem, suite.kdf, suite.aead].map(u16::to_be_bytes);
        for (slot, byte) in suite_id.iter_mut().skip(4).zip(numbers.as_flattened()) {
            *slot = *byte;
        }
        let labeled = |label: &'static [u8]| [b"HPKE-v1".as_slice(), &suite_id, label].concat();
        let psk_id_hash = kdf.extract(&[&labeled(b"psk_id_hash")]);
        let info_hash = kdf.extract(&[&labeled(b"info_hash"), info]);
        let context = [&[MODE_BASE], psk_id_hash.as_ref(), info_hash.as_ref()].concat();
        let prk = hkdf::Salt::new(kdf.hkdf, shared_secret.bytes()).extract(&labeled(b"secret"));
        let expand = |label, into: &mut [u8]| {
            let len = u16::try_from(into.len()).ok()?.to_be_bytes();
            let info = [&len[..], &labeled(label), &context];
            prk.expand(&info, Len(into.len())).ok()?.fill(into).ok()
        };
        let mut key = Zeroizing::new([0; MAX_KEY_LEN]);
        let key = key.get_mut(..cipher.key_len())?;
        let mut base_nonce = [0; NONCE_LEN];
        expand(b"key", key)?;
        expand(b"base_nonce", &mut base_nonce)?;
        Some(Self {
            key: Key::new(cipher, key)?,
            base_nonce,
        })
    }

    /// Opens the message with this number; `None` where it is none of this sender.
    pub(crate) fn open(&self, number: u64, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = self.base_nonce;
        for (byte, of_number) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= of_number;
        }
        self.key.open(nonce, aad, sealed)
    }
}

impl Drop for Recipient {
    fn drop(&mut self) {
        self.base_nonce.zeroize();
    }
}

/// The two halves of a key derivation.
struct Kdf {
    hkdf: hkdf::Algorithm,
    hmac: hmac::Algorithm,
}

impl Kdf {
    fn of(number: u16) -> Option<Self> {
        let (hkdf, hmac) = match number {
            1 => (hkdf::HKDF_SHA256, hmac::HMAC_SHA256),
            2 => (hkdf::HKDF_SHA384, hmac::HMAC_SHA384),
            3 => (hkdf::HKDF_SHA512, hmac::HMAC_SHA512),
            _ => return None,
        };
        Some(Self { hkdf, hmac })
    }

    /// HKDF-Extract without a salt, whose result `ring` does not show (RFC 5869, section 2.2).
    fn extract(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&hmac::Key::new(self.hmac, &[]));
        for part in parts {
            context.update(part);
        }
        context.sign()
    }
}

const MODE_BASE: u8 = 0;
const MAX_KEY_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9180, appendix A: the algorithms, the shared secret, and the first two messages of base mode.
    const VECTORS: [(u16, u16, u16, &str, [&str; 2]); 5] = [
        (
            0x20,
            1,
            1,
            "fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc",
            [
                "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
                "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84",
            ],
        ),
        (
            0x20,
            1,
            3,
            "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7",
            [
                "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
                "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c",
            ],
        ),
        (
            0x10,
            1,
            1,
            "c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8",
            [
                "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
                "fa6f037b47fc21826b610172ca9637e82d6e5801eb31cbd3748271affd4ecb06646e0329cbdf3c3cd655b28e82",
            ],
        ),
        (
            0x10,
            3,
            1,
            "02f584736390fc93f5b4ad039826a3fa08e9911bd1215a3db8e8791ba533cafd",
            [
                "d3cf4984931484a080f74c1bb2a6782700dc1fef9abe8442e44a6f09044c88907200b332003543754eb51917ba",
                "d14414555a47269dfead9fbf26abb303365e40709a4ed16eaefe1f2070f1ddeb1bdd94d9e41186f124e0acc62d",
            ],
        ),
        (
            0x12,
            3,
            2,
            "776ab421302f6eff7d7cb5cb1adaea0cd50872c71c2d63c30c4f1d5e43653336fef33b103c67e7a98add2d3b66e2fda95b5b2a667aa9dac7e59cc1d46d30e818",
            [
                "170f8beddfe949b75ef9c387e201baf4132fa7374593dfafa90768788b7b2b200aafcc6d80ea4c795a7c5b841a",
                "d9ee248e220ca24ac00bbbe7e221a832e4f7fa64c4fbab3945b6f3af0c5ecd5e16815b328be4954a05fd352256",
            ],
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn the_vectors_of_the_standard_open() {
        for (kem, kdf, aead, shared_secret, messages) in VECTORS {
            let suite = HpkeSuite { kem, kdf, aead };
            let secret = Secret::new(&bytes(shared_secret));
            let recipient = Recipient::new(suite, &secret, b"Ode on a Grecian Urn").unwrap();
            for (number, message) in (0..).zip(messages) {
                let (aad, sealed) = (format!("Count-{number}"), bytes(message));
                let plain = recipient.open(number, aad.as_bytes(), &sealed);
                assert_eq!(plain.unwrap(), b"Beauty is truth, truth beauty");
                assert_eq!(recipient.open(number + 1, aad.as_bytes(), &sealed), None);
                assert_eq!(recipient.open(number, b"", &sealed), None);
                for len in 0..sealed.len() {
                    assert_eq!(recipient.open(number, aad.as_bytes(), &sealed[..len]), None);
                }
            }
        }
    }

    #[test]
    fn algorithms_that_are_not_had_open_nothing() {
        let secret = Secret::new(&[7; 32]);
        for (kdf, aead) in [(0, 1), (4, 1), (0x10, 1), (1, 0), (1, 4), (1, 0xffff)] {
            let suite = HpkeSuite { kem: 32, kdf, aead };
            assert!(Recipient::new(suite, &secret, b"").is_none());
        }
    }
}
