//! The server's half of a TLS 1.3 handshake, by the sizes of its records: what may be said of a certificate that nobody saw.
//!
//! Stacks such as OpenSSL, Go and GnuTLS give each message a record of its own, so that the lengths of Certificate and
//! CertificateVerify are plain (RFC 8446, sections 4.4.2, 4.4.3 and 5.2); others put all of them into one. What pads records by a constant
//! amount shows it in Finished, whose length is known. A size proves what a message is not, and never what it is.

use std::fmt;
use std::ops::RangeInclusive;

use crate::pki::Certificate;
use crate::tls::{MessageType, StepKind};
use crate::verdict::reaction::{Act, Side};
use crate::verdict::smallest;

/// The sizes of a server's flight, in bytes of its messages with their headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flight {
    /// Each message has a record of its own.
    Apart {
        /// The Certificate message, compressed or not.
        certificate_len: u32,
        /// The CertificateVerify message.
        verify_len: u32,
        /// By how much each record is padded.
        padding: u32,
        /// A CertificateRequest is among them.
        requests: bool,
    },
    /// All messages from EncryptedExtensions to Finished are in one record.
    Together {
        /// The sum of them.
        len: u32,
        /// A CertificateRequest may be among them.
        may_request: bool,
    },
}

/// What of the client's offers may change the size of a certificate message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Offers {
    /// OCSP stapling or certificate timestamps (RFC 8446, section 4.4.2.1): it may be larger.
    pub stapling: bool,
    /// Certificate compression (RFC 8879): it may be smaller.
    pub compression: bool,
    /// An Encrypted Client Hello, real or for show: the server may answer with its configurations (RFC 9849, section 7.1).
    pub encrypted_hello: bool,
    /// Delegated credentials (RFC 9345): the signature may be of another key than the certificate's, and it may be larger.
    pub delegation: bool,
    /// Stands for the signature algorithms in their order: a server that has several certificates for a name chooses by them
    /// (RFC 8446, section 4.4.2.2).
    pub signatures: u64,
}

/// A key, by the size of its signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA, with so many bits.
    Rsa(u32),
    /// ECDSA on a curve of so many bits.
    Ecdsa(u32),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
}

/// That a message is too small for two certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// The Certificate message.
    pub len: u32,
    /// The least that one with two certificates takes.
    pub least_of_two: u32,
}

/// What sizes say of a chain that might have been served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Its message has just this size. So might that of another.
    Consistent,
    /// It was not served: no message with it has this size.
    Inconsistent,
    /// Nothing: too much else may be in the sizes.
    Open,
}

impl Flight {
    /// Reads the flight from what both sides did, with a hash of `hash_len` bytes in Finished.
    ///
    /// `None` where its records are not in one of the two orders that are understood.
    #[must_use]
    pub fn of(acts: &[Act], hash_len: u32) -> Option<Self> {
        let is_answer = |act: &Act| {
            act.by == Side::Server && act.kind == StepKind::Message(MessageType::SERVER_HELLO)
        };
        let answered = acts.iter().position(is_answer)?;
        let is_sealed = |act: &&Act| act.kind == StepKind::ApplicationData;
        if acts.iter().take(answered).any(|act| is_sealed(&act)) {
            // Early data, or an order that the capture does not show.
            return None;
        }
        let mut after = acts.iter().skip(answered + 1).filter(is_sealed);
        let mut lens = [0; MAX_RECORDS];
        let mut count = 0;
        let mut first_of_client = None;
        for act in after.by_ref() {
            if act.by == Side::Client {
                first_of_client = Some(act.len);
                break;
            }
            if let Some(slot) = lens.get_mut(count) {
                *slot = act.len;
            }
            count += 1;
        }
        let lens = lens.get(..count.min(MAX_RECORDS))?;
        let finished = MESSAGE_HEADER_LEN + hash_len;
        [0, JSSE_PADDING]
            .into_iter()
            .find_map(|padding| Self::apart(lens, finished, padding))
            .or_else(|| Self::together(lens, finished, first_of_client))
    }

    fn apart(lens: &[u32], finished: u32, padding: u32) -> Option<Self> {
        let message = |len: &u32| {
            // A full record goes on in another.
            let len = len.checked_sub(RECORD_EXTRA_LEN + padding)?;
            (len < MAX_RECORD_LEN).then_some(len)
        };
        let messages: Vec<u32> = lens.iter().map_while(message).collect();
        // EncryptedExtensions, perhaps a request, Certificate, CertificateVerify, Finished.
        let (extensions, certificate_len, verify_len, requests) = match *messages.as_slice() {
            [extensions, certificate, verify, last, ..] if last == finished => {
                (extensions, certificate, verify, false)
            }
            // Where records are kept small, the first part of a certificate stands there, and no smaller part comes before it.
            [extensions, request, certificate, verify, last, ..]
                if last == finished && (MIN_REQUEST_LEN..certificate).contains(&request) =>
            {
                (extensions, certificate, verify, true)
            }
            _ => return None,
        };
        let is_plausible = (MIN_EXTENSIONS_LEN..=MAX_EXTENSIONS_LEN).contains(&extensions)
            && certificate_len >= MIN_CERTIFICATE_LEN
            && Key::of_signature(verify_len.checked_sub(VERIFY_EXTRA_LEN)?).is_some();
        is_plausible.then_some(Self::Apart {
            certificate_len,
            verify_len,
            padding,
            requests,
        })
    }

    fn together(lens: &[u32], finished: u32, first_of_client: Option<u32>) -> Option<Self> {
        let [len] = *lens else { return None };
        let len = len.checked_sub(RECORD_EXTRA_LEN)?;
        let least = MIN_EXTENSIONS_LEN + MIN_CERTIFICATE_LEN + VERIFY_EXTRA_LEN + finished;
        // A fuller record goes on in another.
        if len < least || len >= MAX_RECORD_LEN {
            return None;
        }
        Some(Self::Together {
            len,
            // Whoever is asked for a certificate answers with one before Finished, if only with an empty one.
            may_request: first_of_client != Some(finished + RECORD_EXTRA_LEN),
        })
    }

    /// The key of the server, where its signature stands alone.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Apart { verify_len, .. } => {
                Key::of_signature(verify_len.checked_sub(VERIFY_EXTRA_LEN)?)
            }
            Self::Together { .. } => None,
        }
    }

    /// Whether one certificate was sent and no more: two do not fit. Nothing where the message may be compressed.
    #[must_use]
    pub fn holds_one(&self, offers: Offers) -> Option<TooSmall> {
        let Self::Apart {
            certificate_len: len,
            ..
        } = *self
        else {
            return None;
        };
        let key = self.key()?;
        let least = CERTIFICATE_EXTRA_LEN + smallest::leaf(key) + ENTRY_EXTRA_LEN;
        let least_of_two = least + smallest::AUTHORITY + ENTRY_EXTRA_LEN;
        // Less than one certificate is no certificate, but a raw key (RFC 7250).
        ((least..least_of_two).contains(&len) && !offers.compression)
            .then_some(TooSmall { len, least_of_two })
    }

    /// Whether this flight and `other` are of different certificates, or of different ones behind the same: whatever may vary
    /// between two flights with the same certificates does not explain how much they differ.
    #[must_use]
    pub fn is_clearly_another(
        &self,
        other: &Self,
        offers: [Offers; 2],
        hash_lens: [u32; 2],
    ) -> bool {
        let [own_offers, of_other] = offers;
        let [hash_len, hash_len_of_other] = hash_lens;
        let is_choice_the_same = own_offers.signatures == of_other.signatures;
        let is_comparable = match (self, other) {
            (Self::Apart { .. }, Self::Apart { .. }) => {
                is_choice_the_same || self.key() == other.key()
            }
            (Self::Together { .. }, Self::Together { .. }) => is_choice_the_same,
            _ => false,
        };
        let own = self.certificates(own_offers, hash_len);
        let others = other.certificates(of_other, hash_len_of_other);
        let is_above = |one: &RangeInclusive<u32>, below: &RangeInclusive<u32>| {
            *one.start() >= below.end().saturating_add(CLEARLY)
        };
        is_comparable && (is_above(&own, &others) || is_above(&others, &own))
    }

    /// What the certificates take without staples and uncompressed; with the signature behind them where all is in one record.
    fn certificates(&self, offers: Offers, hash_len: u32) -> RangeInclusive<u32> {
        let (least, most) = match *self {
            Self::Apart {
                certificate_len, ..
            } => (certificate_len, certificate_len),
            Self::Together { len, may_request } => {
                let request = if may_request { MAX_REQUEST_LEN } else { 0 };
                let len = len.saturating_sub(MESSAGE_HEADER_LEN + hash_len);
                (
                    len.saturating_sub(MAX_EXTENSIONS_LEN + request),
                    len.saturating_sub(MIN_EXTENSIONS_LEN),
                )
            }
        };
        let may_be_larger = offers.stapling || offers.encrypted_hello || offers.delegation;
        let least = if may_be_larger { 0 } else { least };
        let most = if offers.compression { u32::MAX } else { most };
        least..=most
    }

    /// What the sizes say of `chain`: the certificates as sent, or, where `is_whole` is false, the server's own one and nothing
    /// of what may follow it.
    #[must_use]
    pub fn fit<'a>(
        &self,
        chain: impl IntoIterator<Item = &'a Certificate>,
        is_whole: bool,
        offers: Offers,
        hash_len: u32,
    ) -> Fit {
        let mut chain = chain.into_iter();
        let Some(leaf) = chain.next().filter(|_| !offers.delegation) else {
            return Fit::Open;
        };
        let entry_len = |certificate: &Certificate| {
            let len = u32::try_from(certificate.der_len).unwrap_or(u32::MAX);
            len.saturating_add(ENTRY_EXTRA_LEN)
        };
        let list_len = chain
            .map(entry_len)
            .fold(entry_len(leaf), u32::saturating_add);
        let expected = CERTIFICATE_EXTRA_LEN.saturating_add(list_len);
        let key = Key::of(leaf);
        match *self {
            Self::Apart {
                certificate_len, ..
            } => {
                if let (Some(own), Some(seen)) = (key, self.key())
                    && own != seen
                {
                    return Fit::Inconsistent;
                }
                fit(certificate_len, expected, is_whole, offers)
            }
            Self::Together { len, may_request } => {
                let Some(signature) = key.and_then(Key::signature_len) else {
                    return Fit::Open;
                };
                let finished = MESSAGE_HEADER_LEN + hash_len;
                let (least, most) = signature;
                let rest = expected.saturating_add(VERIFY_EXTRA_LEN + finished);
                let is_too_small = len < rest.saturating_add(MIN_EXTENSIONS_LEN + least);
                let request = if may_request { MAX_REQUEST_LEN } else { 0 };
                let is_too_large = len > rest.saturating_add(MAX_EXTENSIONS_LEN + most + request);
                let may_be_larger = offers.stapling || offers.encrypted_hello;
                if (is_too_small && !offers.compression)
                    || (is_too_large && is_whole && !may_be_larger)
                {
                    Fit::Inconsistent
                } else {
                    Fit::Open
                }
            }
        }
    }
}

/// What the size of a Certificate message says of one that would have `expected` bytes.
fn fit(len: u32, expected: u32, is_whole: bool, offers: Offers) -> Fit {
    match len.checked_sub(expected) {
        Some(0) => Fit::Consistent,
        None if offers.compression => Fit::Open,
        None => Fit::Inconsistent,
        // With more behind it that is compressed too, it may have any size; what cannot be compressed becomes a little longer.
        Some(more) if offers.compression && (!is_whole || more <= MAX_COMPRESSION_LOSS) => {
            Fit::Open
        }
        Some(more) if more < MIN_STAPLE_LEN => Fit::Inconsistent,
        Some(_) if offers.stapling => Fit::Open,
        // Further certificates: none of them is as small as this.
        Some(more) if more < MIN_MORE_LEN => Fit::Inconsistent,
        Some(_) if !is_whole => Fit::Open,
        Some(_) => Fit::Inconsistent,
    }
}

impl Key {
    /// The key with signatures of `len` bytes, if there is only one kind.
    fn of_signature(len: u32) -> Option<Self> {
        Some(match len {
            64 => Self::Ed25519,
            // DER of two numbers, which may begin with zeros (RFC 3279, section 2.2.3).
            68..=72 => Self::Ecdsa(256),
            100..=104 => Self::Ecdsa(384),
            114 => Self::Ed448,
            135..=139 => Self::Ecdsa(521),
            128 | 256 | 384 | 512 | 1024 => Self::Rsa(len * 8),
            _ => return None,
        })
    }

    /// The key of a certificate, where its signatures have a known size.
    fn of(certificate: &Certificate) -> Option<Self> {
        let key = certificate.key.as_ref()?;
        match (&*key.algorithm, key.bits?) {
            ("RSA", bits @ (1024 | 2048 | 3072 | 4096 | 8192)) => Some(Self::Rsa(bits)),
            ("ECDSA", bits @ (256 | 384 | 521)) => Some(Self::Ecdsa(bits)),
            ("Ed25519", _) => Some(Self::Ed25519),
            ("Ed448", _) => Some(Self::Ed448),
            _ => None,
        }
    }

    /// The least and the most bytes of a signature.
    fn signature_len(self) -> Option<(u32, u32)> {
        Some(match self {
            Self::Rsa(bits) => (bits / 8, bits / 8),
            Self::Ecdsa(256) => (68, 72),
            Self::Ecdsa(384) => (100, 104),
            Self::Ecdsa(521) => (135, 139),
            Self::Ecdsa(_) => return None,
            Self::Ed25519 => (64, 64),
            Self::Ed448 => (114, 114),
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA with {bits} bits"),
            // Not only the NIST curves have as many (RFC 8734).
            Self::Ecdsa(bits) => write!(f, "ECDSA with {bits} bits"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
        }
    }
}

/// Content type and tag of a protected record (RFC 8446, section 5.2).
const RECORD_EXTRA_LEN: u32 = 17;
/// JSSE pads every record of a handshake by so much.
const JSSE_PADDING: u32 = 16;
/// More than a handshake takes, and one less than are kept of a direction.
const MAX_RECORDS: usize = 11;
/// The plaintext that one record holds at most.
const MAX_RECORD_LEN: u32 = 1 << 14;
const MESSAGE_HEADER_LEN: u32 = 4;
/// A message with an empty list.
const MIN_EXTENSIONS_LEN: u32 = 6;
/// Groups, a protocol and an acknowledged name take less than half of it.
const MAX_EXTENSIONS_LEN: u32 = 160;
/// Header, context, the extension with the signature algorithms.
const MIN_REQUEST_LEN: u32 = 13;
/// With the names of all authorities of a system: the record has no more.
const MAX_REQUEST_LEN: u32 = 1 << 14;
/// Header, context, length of the list.
const CERTIFICATE_EXTRA_LEN: u32 = 8;
/// Length of a certificate, and of its extensions, of which there are none.
const ENTRY_EXTRA_LEN: u32 = 5;
/// With a certificate of no names and the smallest key.
const MIN_CERTIFICATE_LEN: u32 = 200;
/// A response of OCSP that says `tryLater` (RFC 6960, section 4.2.1), of five bytes, and its extension.
const MIN_STAPLE_LEN: u32 = 13;
/// The headers of a compressed message and of what is in it (RFC 8879, section 4).
const MAX_COMPRESSION_LOSS: u32 = 40;
/// A further certificate.
const MIN_MORE_LEN: u32 = 100;
/// More than what is issued again differs in size: serial numbers, and signatures of ECDSA in it, vary in length.
const CLEARLY: u32 = 32;
/// Header, algorithm, length of the signature.
const VERIFY_EXTRA_LEN: u32 = 8;

#[cfg(test)]
mod tests;
