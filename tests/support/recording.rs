//! Suites of rustls that write down each record that they decrypt, and add padding where that is asked for.
//!
//! `mod recording` comes by `#[path]`.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file has a copy of its own; a test fails loudly"
)]

use std::sync::{Arc, Mutex};

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, OutboundChunks, OutboundOpaqueMessage, OutboundPlainMessage,
    Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

/// A record: its content type and its content.
pub type Record = (u8, Vec<u8>);

/// The records that one end decrypted, in order.
#[derive(Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<Record>>>);

impl Recording {
    /// What was written down so far.
    pub fn taken(&self) -> Vec<Record> {
        self.0.lock().unwrap().clone()
    }

    /// Begins anew.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// `suite`, whose records are written down where they are decrypted. With `padding`, each record of TLS 1.3 gets so many zeros.
///
/// It lives as long as the test, as rustls wants it.
pub fn recording(
    suite: SupportedCipherSuite,
    heard: &Recording,
    padding: usize,
) -> SupportedCipherSuite {
    let common = |of: &CipherSuiteCommon| CipherSuiteCommon {
        suite: of.suite,
        hash_provider: of.hash_provider,
        confidentiality_limit: of.confidentiality_limit,
    };
    let heard = heard.clone();
    match suite {
        SupportedCipherSuite::Tls12(suite) => {
            let aead_alg = Box::leak(Box::new(Recorded {
                inner: suite.aead_alg,
                heard,
                padding,
            }));
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: common(&suite.common),
                prf_provider: suite.prf_provider,
                kx: suite.kx,
                sign: suite.sign,
                aead_alg,
            })))
        }
        SupportedCipherSuite::Tls13(suite) => {
            let aead_alg = Box::leak(Box::new(Recorded {
                inner: suite.aead_alg,
                heard,
                padding,
            }));
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: common(&suite.common),
                hkdf_provider: suite.hkdf_provider,
                aead_alg,
                quic: None,
            })))
        }
    }
}

/// A cipher, or an end's half of one.
struct Recorded<T> {
    inner: T,
    heard: Recording,
    padding: usize,
}

impl<T> Recorded<T> {
    /// The same around a part of it.
    fn with<U>(&self, inner: U) -> Box<Recorded<U>> {
        Box::new(Recorded {
            inner,
            heard: self.heard.clone(),
            padding: self.padding,
        })
    }
}

impl Tls12AeadAlgorithm for Recorded<&'static dyn Tls12AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.inner.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.with(self.inner.decrypter(key, iv))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.inner.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv, explicit)
    }
}

impl Tls13AeadAlgorithm for Recorded<&'static dyn Tls13AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.with(self.inner.encrypter(key, iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.with(self.inner.decrypter(key, iv))
    }

    fn key_len(&self) -> usize {
        self.inner.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.inner.extract_keys(key, iv)
    }
}

impl MessageDecrypter for Recorded<Box<dyn MessageDecrypter>> {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let plain = self.inner.decrypt(message, number)?;
        let record = (u8::from(plain.typ), plain.payload.to_vec());
        self.heard.0.lock().unwrap().push(record);
        Ok(plain)
    }
}

impl MessageEncrypter for Recorded<Box<dyn MessageEncrypter>> {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        number: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let Some(zeros) = self.padding.checked_sub(1) else {
            return self.inner.encrypt(message, number);
        };
        // The type moves to the front of the zeros; what stands in its place is one of them.
        let mut content = message.payload.to_vec();
        content.push(u8::from(message.typ));
        content.resize(content.len() + zeros, 0);
        let padded = OutboundPlainMessage {
            typ: ContentType::Unknown(0),
            version: message.version,
            payload: OutboundChunks::Single(&content),
        };
        self.inner.encrypt(padded, number)
    }

    fn encrypted_payload_len(&self, len: usize) -> usize {
        self.inner.encrypted_payload_len(len + self.padding)
    }
}
