//! Signatures: their names, and the one that is checked, that of a certificate on itself.
//!
//! Names are those of Go's `crypto/x509`, which the Elastic Common Schema asks for. A certificate is
//! checked only where issuer and subject have the same encoding, with ring: RSA PKCS #1 and PSS,
//! ECDSA on P-256 and P-384, Ed25519. For other keys and hashes the names alone must do.

use std::borrow::Cow;

use ring::signature::{self as verify, RsaPublicKeyComponents, UnparsedPublicKey};

use crate::pki::der::{Element, Elements, tag};
use crate::pki::key::{EC, ED25519, KeyInfo, P256, P384, RSA, RSA_PSS};
use crate::pki::oid;

/// Whether a certificate was issued by itself (RFC 5280, section 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SelfSigned {
    /// Issuer and subject differ.
    No,
    /// Issuer and subject are equal; the signature was not checked, since the algorithm is not one
    /// of those that can be, or was not read.
    ByName,
    /// Issuer and subject are equal, and the certificate's key verifies its signature.
    BySignature,
    /// Issuer and subject are equal, but the certificate's key does not verify its signature: another
    /// key of the same name signed it, or it is damaged.
    BadSignature,
    /// Issuer or subject could not be read to the end.
    #[default]
    Unread,
}

impl SelfSigned {
    /// Whether the certificate counts as self-signed as far as could be checked.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::ByName | Self::BySignature)
    }

    /// Whether the certificate is known not to be self-signed.
    #[must_use]
    pub const fn is_excluded(self) -> bool {
        matches!(self, Self::No | Self::BadSignature)
    }
}

/// An `AlgorithmIdentifier` of a signature (RFC 5280, section 4.1.1.2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Algorithm<'a> {
    /// Content octets of the identifier.
    pub(crate) oid: &'a [u8],
    /// Content octets of the parameters, where they are a sequence.
    pub(crate) parameters: Option<&'a [u8]>,
}

impl Algorithm<'_> {
    /// The name of the algorithm; the dotted identifier if Go has none.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        self.scheme().map_or_else(
            || Cow::Owned(oid::dotted(self.oid)),
            |scheme| Cow::Borrowed(scheme.name()),
        )
    }

    fn scheme(&self) -> Option<Scheme> {
        Some(match self.oid {
            // RFC 8017, appendix C; RFC 3279, section 2.2.1.
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, number] => match number {
                2 => Scheme::RsaMd2,
                4 => Scheme::RsaMd5,
                5 => Scheme::RsaSha1,
                10 => pss(self.parameters?)?,
                11 => Scheme::RsaSha256,
                12 => Scheme::RsaSha384,
                13 => Scheme::RsaSha512,
                _ => return None,
            },
            // The older number of the same in OIW.
            [0x2b, 0x0e, 0x03, 0x02, 0x1d] => Scheme::RsaSha1,
            // RFC 3279, section 2.2.2; RFC 5758, section 3.1.
            [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03] => Scheme::DsaSha1,
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02] => Scheme::DsaSha256,
            // RFC 3279, section 2.2.3; RFC 5758, section 3.2.
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => Scheme::EcdsaSha1,
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, number] => match number {
                2 => Scheme::EcdsaSha256,
                3 => Scheme::EcdsaSha384,
                4 => Scheme::EcdsaSha512,
                _ => return None,
            },
            ED25519 => Scheme::Ed25519,
            _ => return None,
        })
    }
}

/// What is signed, by what, and with what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The signed part of the certificate with its header.
    pub(crate) message: &'a [u8],
    pub(crate) algorithm: Algorithm<'a>,
    /// The octets of the signature.
    pub(crate) signature: &'a [u8],
}

/// Checks a certificate whose issuer and subject are equal with its own key.
pub(crate) fn check(signed: &Signed<'_>, key: &KeyInfo<'_>) -> SelfSigned {
    let verified = match signed.algorithm.scheme().zip(Verifier::of(key)) {
        Some((scheme, Verifier::Rsa(key))) => rsa(scheme, &key, signed),
        Some((scheme, Verifier::Point(curve))) => {
            ecdsa(scheme, curve).map(|by| unparsed(by, key, signed))
        }
        Some((Scheme::Ed25519, Verifier::Ed25519)) => Some(unparsed(&verify::ED25519, key, signed)),
        Some((_, Verifier::Ed25519)) | None => None,
    };
    verified.unwrap_or(SelfSigned::ByName)
}

fn rsa(
    scheme: Scheme,
    key: &RsaPublicKeyComponents<&[u8]>,
    signed: &Signed<'_>,
) -> Option<SelfSigned> {
    let (by, least_len) = match scheme {
        Scheme::RsaSha1 => (&verify::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, 128),
        Scheme::RsaSha256 => (&verify::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, 128),
        Scheme::RsaSha384 => (&verify::RSA_PKCS1_2048_8192_SHA384, 256),
        Scheme::RsaSha512 => (&verify::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, 128),
        Scheme::PssSha256 => (&verify::RSA_PSS_2048_8192_SHA256, 256),
        Scheme::PssSha384 => (&verify::RSA_PSS_2048_8192_SHA384, 256),
        Scheme::PssSha512 => (&verify::RSA_PSS_2048_8192_SHA512, 256),
        _ => return None,
    };
    // Outside of these bounds ring refuses the key, which would look like a bad signature.
    (key.n.len() >= least_len).then(|| outcome(key.verify(by, signed.message, signed.signature)))
}

fn ecdsa(scheme: Scheme, curve: Curve) -> Option<&'static verify::EcdsaVerificationAlgorithm> {
    match (scheme, curve) {
        (Scheme::EcdsaSha256, Curve::P256) => Some(&verify::ECDSA_P256_SHA256_ASN1),
        (Scheme::EcdsaSha384, Curve::P256) => Some(&verify::ECDSA_P256_SHA384_ASN1),
        (Scheme::EcdsaSha256, Curve::P384) => Some(&verify::ECDSA_P384_SHA256_ASN1),
        (Scheme::EcdsaSha384, Curve::P384) => Some(&verify::ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}

fn unparsed(
    by: &'static dyn verify::VerificationAlgorithm,
    key: &KeyInfo<'_>,
    signed: &Signed<'_>,
) -> SelfSigned {
    outcome(UnparsedPublicKey::new(by, key.key).verify(signed.message, signed.signature))
}

fn outcome(verified: Result<(), ring::error::Unspecified>) -> SelfSigned {
    match verified {
        Ok(()) => SelfSigned::BySignature,
        Err(_) => SelfSigned::BadSignature,
    }
}

/// A key in the form that a signature is checked with; only forms that ring takes.
enum Verifier<'a> {
    Rsa(RsaPublicKeyComponents<&'a [u8]>),
    Point(Curve),
    Ed25519,
}

#[derive(Clone, Copy)]
enum Curve {
    P256,
    P384,
}

impl<'a> Verifier<'a> {
    fn of(key: &KeyInfo<'a>) -> Option<Self> {
        match key.algorithm {
            RSA | RSA_PSS => {
                let (n, e) = key.rsa()?;
                let exponent_fits = e.len() <= 4 && (e.len() > 1 || e.first() >= Some(&3));
                let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
                (exponent_fits
                    && odd(e)
                    && odd(n)
                    && n.len() <= MAX_MODULUS_LEN
                    && n.first()? & 0x80 != 0)
                    .then_some(Self::Rsa(RsaPublicKeyComponents { n, e }))
            }
            // ring reads no compressed points (SEC 1, section 2.3.3).
            EC if key.key.first() == Some(&0x04) => match key.named_curve()? {
                P256 => Some(Self::Point(Curve::P256)),
                P384 => Some(Self::Point(Curve::P384)),
                _ => None,
            },
            ED25519 => Some(Self::Ed25519),
            _ => None,
        }
    }
}

/// The signature algorithms that Go has names for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    RsaMd2,
    RsaMd5,
    RsaSha1,
    RsaSha256,
    RsaSha384,
    RsaSha512,
    PssSha256,
    PssSha384,
    PssSha512,
    DsaSha1,
    DsaSha256,
    EcdsaSha1,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Ed25519,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::RsaMd2 => "MD2-RSA",
            Self::RsaMd5 => "MD5-RSA",
            Self::RsaSha1 => "SHA1-RSA",
            Self::RsaSha256 => "SHA256-RSA",
            Self::RsaSha384 => "SHA384-RSA",
            Self::RsaSha512 => "SHA512-RSA",
            Self::PssSha256 => "SHA256-RSAPSS",
            Self::PssSha384 => "SHA384-RSAPSS",
            Self::PssSha512 => "SHA512-RSAPSS",
            Self::DsaSha1 => "DSA-SHA1",
            Self::DsaSha256 => "DSA-SHA256",
            Self::EcdsaSha1 => "ECDSA-SHA1",
            Self::EcdsaSha256 => "ECDSA-SHA256",
            Self::EcdsaSha384 => "ECDSA-SHA384",
            Self::EcdsaSha512 => "ECDSA-SHA512",
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// PSS with one hash for both uses and a salt as long as it: what TLS uses, and all that Go names
/// (RFC 8017, appendix A.2.3). The hash left out would be SHA-1, which is none of them.
fn pss(parameters: &[u8]) -> Option<Scheme> {
    let mut parts = Elements::new(parameters);
    let hash = inner_algorithm(parts.next_if(tag::CONTEXT_0)?.content)?;
    let mask = parts.next_if(tag::CONTEXT_1)?.content;
    let salt_len = parts.next_if(tag::CONTEXT_2)?.elements().next()?;
    let trailer = parts.next_if(tag::CONTEXT_3);
    if trailer.is_some_and(|trailer| trailer.content != [tag::INTEGER, 1, 1]) {
        return None;
    }
    let (mask, _) = Element::split_first(mask)?;
    let mut mask = mask.whole(tag::SEQUENCE)?.elements();
    let is_mgf1 = mask.next()?.content == MGF1;
    let mask_hash = inner_algorithm(mask.next()?.raw)?;
    let (scheme, expected_len) = match hash {
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01] => (Scheme::PssSha256, 32),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02] => (Scheme::PssSha384, 48),
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03] => (Scheme::PssSha512, 64),
        _ => return None,
    };
    let usual =
        is_mgf1 && mask_hash == hash && salt_len.whole(tag::INTEGER)?.content == [expected_len];
    usual.then_some(scheme)
}

/// The identifier of an `AlgorithmIdentifier` with its header.
fn inner_algorithm(raw: &[u8]) -> Option<&[u8]> {
    let (algorithm, _) = Element::split_first(raw)?;
    let oid = algorithm.whole(tag::SEQUENCE)?.elements().next()?;
    Some(oid.whole(tag::OID)?.content)
}

/// `id-mgf1` (RFC 8017, appendix A.2.1).
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];

/// 8192 bits: beyond it ring does not check, and a check would cost milliseconds.
const MAX_MODULUS_LEN: usize = 1024;
