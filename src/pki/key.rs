//! Public keys and the names of their algorithms (RFC 5280, section 4.1.2.7).
//!
//! Keys are described, and checked for nothing: a modulus of one bit is a modulus of one bit.

use std::borrow::Cow;

use crate::pki::der::{Element, Elements, tag};
use crate::pki::oid;

/// A public key, as far as a report tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKey {
    /// `RSA`, `ECDSA`, `Ed25519`, `DSA` ...; the dotted identifier if it is none of the known ones.
    pub algorithm: Cow<'static, str>,
    /// The size in bits as it is usually told: of the modulus, the prime or the curve's field.
    pub bits: Option<u32>,
    /// The public exponent of an RSA key, if it has at most 64 bits.
    pub exponent: Option<u64>,
    /// The named curve, such as `nistp256` or `secp256k1`; the dotted identifier if it is not known.
    pub curve: Option<Cow<'static, str>>,
}

impl PublicKey {
    /// Describes a `SubjectPublicKeyInfo`; nothing if it is none.
    pub(crate) fn of(info: &KeyInfo<'_>) -> Self {
        let named = |algorithm: &'static str, bits| Self {
            algorithm: Cow::Borrowed(algorithm),
            bits,
            exponent: None,
            curve: None,
        };
        match info.algorithm {
            RSA => Self::rsa("RSA", info),
            RSA_PSS => Self::rsa("RSA-PSS", info),
            EC => {
                let curve = info.named_curve();
                let known = curve.and_then(known_curve);
                Self {
                    curve: curve.map(|curve| {
                        known.map_or_else(
                            || Cow::Owned(oid::dotted(curve)),
                            |(name, _)| Cow::Borrowed(name),
                        )
                    }),
                    ..named("ECDSA", known.map(|(_, bits)| bits))
                }
            }
            DSA => named("DSA", info.first_integer_of_parameters().map(bit_len)),
            DH | X942_DH => named("DH", info.first_integer_of_parameters().map(bit_len)),
            [0x2b, 0x65, 0x6e] => named("X25519", Some(256)),
            [0x2b, 0x65, 0x6f] => named("X448", Some(448)),
            ED25519 => named("Ed25519", Some(256)),
            [0x2b, 0x65, 0x71] => named("Ed448", Some(456)),
            // FIPS 204; RFC 9881.
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11] => named("ML-DSA-44", None),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12] => named("ML-DSA-65", None),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13] => named("ML-DSA-87", None),
            other => Self {
                algorithm: Cow::Owned(oid::dotted(other)),
                bits: None,
                exponent: None,
                curve: None,
            },
        }
    }

    fn rsa(algorithm: &'static str, info: &KeyInfo<'_>) -> Self {
        let numbers = info.rsa();
        Self {
            algorithm: Cow::Borrowed(algorithm),
            bits: numbers.map(|(modulus, _)| bit_len(modulus)),
            exponent: numbers.and_then(|(_, exponent)| {
                (exponent.len() <= 8).then(|| {
                    exponent
                        .iter()
                        .fold(0, |number, &octet| (number << 8) | u64::from(octet))
                })
            }),
            curve: None,
        }
    }
}

/// The parts of a `SubjectPublicKeyInfo`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyInfo<'a> {
    /// Content octets of the algorithm's identifier.
    pub(crate) algorithm: &'a [u8],
    /// The algorithm's parameters.
    parameters: Option<Element<'a>>,
    /// The key's octets.
    pub(crate) key: &'a [u8],
}

impl<'a> KeyInfo<'a> {
    /// Reads the sequence with its header.
    pub(crate) fn from_der(raw: &'a [u8]) -> Option<Self> {
        let (info, _) = Element::split_first(raw)?;
        let mut parts = info.whole(tag::SEQUENCE)?.elements();
        let mut algorithm = parts.next()?.whole(tag::SEQUENCE)?.elements();
        let bits = parts.next()?.whole(tag::BIT_STRING)?.content;
        Some(Self {
            algorithm: algorithm.next()?.whole(tag::OID)?.content,
            parameters: algorithm.next(),
            // The first octet counts the unused bits of the last one: none in a key.
            key: bits.split_first()?.1,
        })
    }

    /// Modulus and exponent of an RSA key without leading zeros (RFC 8017, appendix A.1.1).
    pub(crate) fn rsa(&self) -> Option<(&'a [u8], &'a [u8])> {
        let (key, _) = Element::split_first(self.key)?;
        let mut numbers = key.whole(tag::SEQUENCE)?.elements();
        let modulus = numbers.next()?.whole(tag::INTEGER)?.content;
        let exponent = numbers.next()?.whole(tag::INTEGER)?.content;
        Some((
            without_leading_zeros(modulus),
            without_leading_zeros(exponent),
        ))
    }

    /// The identifier of the curve of an elliptic-curve key (RFC 5480, section 2.1.1).
    pub(crate) fn named_curve(&self) -> Option<&'a [u8]> {
        Some(self.parameters?.whole(tag::OID)?.content)
    }

    fn first_integer_of_parameters(&self) -> Option<&'a [u8]> {
        let mut numbers = Elements::new(self.parameters?.whole(tag::SEQUENCE)?.content);
        Some(numbers.next()?.whole(tag::INTEGER)?.content)
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn bit_len(number: &[u8]) -> u32 {
    let number = without_leading_zeros(number);
    let Some(first) = number.first() else {
        return 0;
    };
    u32::try_from(number.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8)
        .saturating_sub(first.leading_zeros())
}

/// Curves by identifier: the NIST primes as ECS and SSH write them, the rest as in their standard.
fn known_curve(curve: &[u8]) -> Option<(&'static str, u32)> {
    Some(match curve {
        P256 => ("nistp256", 256),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01] => ("nistp192", 192),
        [0x2b, 0x81, 0x04, 0x00, number] => match number {
            33 => ("nistp224", 224),
            34 => ("nistp384", 384),
            35 => ("nistp521", 521),
            10 => ("secp256k1", 256),
            32 => ("secp224k1", 224),
            31 => ("secp192k1", 192),
            _ => return None,
        },
        // RFC 5639, section 4.1.
        [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, number] => match number {
            3 => ("brainpoolP192r1", 192),
            5 => ("brainpoolP224r1", 224),
            7 => ("brainpoolP256r1", 256),
            9 => ("brainpoolP320r1", 320),
            11 => ("brainpoolP384r1", 384),
            13 => ("brainpoolP512r1", 512),
            _ => return None,
        },
        // GB/T 32918.
        [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d] => ("curveSM2", 256),
        _ => return None,
    })
}

/// `rsaEncryption` (RFC 8017, appendix C).
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// `id-RSASSA-PSS`, for keys and for signatures.
pub(crate) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `id-Ed25519`, for keys and for signatures (RFC 8410, section 3).
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// `id-dsa` (RFC 3279, section 2.3.2).
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
/// `dhKeyAgreement` of PKCS #3.
const DH: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01];
/// `dhpublicnumber` (RFC 3279, section 2.3.3).
const X942_DH: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3e, 0x02, 0x01];
/// `secp256r1` (RFC 5480, section 2.1.1.1).
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// `secp384r1` (RFC 5480, section 2.1.1.1).
pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_highest_one() {
        assert_eq!(bit_len(&[0, 0x80]), 8);
        assert_eq!(bit_len(&[0x01, 0xff]), 9);
        assert_eq!(bit_len(&[0, 0]), 0);
        assert_eq!(bit_len(&[]), 0);
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert!(KeyInfo::from_der(&[]).is_none());
        assert!(KeyInfo::from_der(&[0x30, 2, 0x30, 0]).is_none());
        assert!(KeyInfo::from_der(&[0x30, 10, 0x30, 3, 6, 1, 0x2a, 3, 1, 0, 5]).is_none());
    }

    #[test]
    fn an_unknown_algorithm_keeps_its_number() {
        let raw = [0x30, 8, 0x30, 3, 6, 1, 0x2a, 3, 1, 0];
        let key = PublicKey::of(&KeyInfo::from_der(&raw).unwrap());
        assert_eq!((key.algorithm.as_ref(), key.bits), ("1.2", None));
    }

    #[test]
    fn an_rsa_key_without_numbers_is_still_rsa() {
        let mut raw = vec![0x30, 16, 0x30, 11, 6, 9];
        raw.extend(RSA);
        raw.extend([3, 1, 0]);
        let key = PublicKey::of(&KeyInfo::from_der(&raw).unwrap());
        assert_eq!(
            (key.algorithm.as_ref(), key.bits, key.exponent),
            ("RSA", None, None)
        );
    }
}
