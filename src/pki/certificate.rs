//! Certificates: DER into facts (RFC 5280, section 4).
//!
//! Whatever the bytes are, there is a [`Certificate`] with its hashes: a strict reader first, and
//! where it refuses a walk that takes what stands in its place. The fields are then read in one way,
//! however they were found.
//!
//! No trust is judged here, and no date is compared with a clock.

use std::borrow::Cow;

use ring::digest::{SHA256, digest};
use sha1::{Digest as _, Sha1};
use x509_parser::certificate::{X509Certificate, X509CertificateParser};
use x509_parser::error::X509Error;
use x509_parser::nom::{self, Parser as _};

use crate::pki::alternative::SubjectAlternativeNames;
use crate::pki::der::Extent;
use crate::pki::distinguished::DistinguishedName;
use crate::pki::error::Malformed;
use crate::pki::extension::{Extensions, KeyUsage, RawExtension};
use crate::pki::fields::{Fields, Salvage};
use crate::pki::key::{KeyInfo, PublicKey};
use crate::pki::oid::Oid;
use crate::pki::signature::{self, Algorithm, SelfSigned, Signed};
use crate::pki::text::Decoder;
use crate::pki::validity::Date;
use crate::time::Timestamp;

/// What a certificate says. Owns its facts, not the bytes that they came from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Certificate {
    /// SHA-256 of all bytes.
    pub sha256: [u8; 32],
    /// SHA-1 of all bytes.
    pub sha1: [u8; 20],
    /// How many bytes there are.
    pub der_len: usize,
    /// The version: 1, 2 or 3; another if the certificate says so.
    pub version: u8,
    /// The serial number in upper-case hexadecimal, without the octet that only keeps it positive.
    /// Empty if it was not read.
    pub serial: String,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// Whom it is for.
    pub subject: DistinguishedName,
    /// The subject's alternative names.
    pub names: SubjectAlternativeNames,
    /// The first instant of its validity, held at the ends of what a [`Timestamp`] can tell.
    pub not_before: Option<Timestamp>,
    /// The same as text, to the second and beyond that range. Without `not_before` it is what stands
    /// in place of a date.
    pub not_before_text: Option<String>,
    /// The last instant of its validity, held at the ends of what a [`Timestamp`] can tell.
    pub not_after: Option<Timestamp>,
    /// The same as text, to the second and beyond that range. Without `not_after` it is what stands
    /// in place of a date.
    pub not_after_text: Option<String>,
    /// The subject's public key.
    pub key: Option<PublicKey>,
    /// The algorithm of the signature, as Go's `crypto/x509` names it; dotted if it has no name there.
    pub signature_algorithm: Option<Cow<'static, str>>,
    /// Whether it was issued by itself.
    pub self_signed: SelfSigned,
    /// Whether it may issue others; nothing if it does not say (`basicConstraints`).
    pub ca: Option<bool>,
    /// How many authorities may stand between it and a leaf (`basicConstraints`).
    pub path_len: Option<u32>,
    /// What its key is for (`keyUsage`).
    pub key_usage: Option<KeyUsage>,
    /// What it is for (`extKeyUsage`).
    pub extended_key_usage: Option<Vec<Oid>>,
    /// The identifier of its key.
    pub subject_key_id: Option<Box<[u8]>>,
    /// The identifier of its issuer's key.
    pub authority_key_id: Option<Box<[u8]>>,
    /// The identifiers of its extensions, in order.
    pub extensions: Vec<Oid>,
    /// What is wrong with its encoding.
    pub malformed: Option<Malformed>,
    /// Some text in it was no valid text, or too long, and is not shown as it stands.
    pub lossy_text: bool,
}

impl Certificate {
    /// Reads a certificate, and of a damaged one what can be read.
    ///
    /// Where issuer and subject are equal the signature is checked, which takes some 50 µs; without
    /// it a few. So it pays to read each distinct certificate once.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let mut decoder = Decoder::default();
        match parser.parse(der) {
            Ok((rest, parsed)) => {
                let malformed =
                    (!rest.is_empty()).then_some(Malformed::TrailingBytes { len: rest.len() });
                Self::from_fields(der, fields_of(&parsed), malformed, decoder)
            }
            Err(error) => {
                let salvage = Salvage::from_der(der, &mut decoder);
                let malformed = match salvage.extent {
                    _ if !salvage.begins_like_one => Malformed::NotACertificate,
                    Extent::Cut => Malformed::Truncated,
                    Extent::Whole => reason(&error),
                };
                Self::from_fields(der, salvage.fields, Some(malformed), decoder)
            }
        }
    }

    fn from_fields(
        der: &[u8],
        fields: Fields<'_>,
        malformed: Option<Malformed>,
        mut decoder: Decoder,
    ) -> Self {
        let issuer = DistinguishedName::from_der(fields.issuer, &mut decoder);
        let subject = DistinguishedName::from_der(fields.subject, &mut decoder);
        let extensions = Extensions::read(&fields.extensions, &mut decoder);
        let key = KeyInfo::from_der(fields.key);
        let algorithm = fields
            .signed
            .map(|signed| signed.algorithm)
            .or(fields.algorithm);
        let malformed = malformed
            .or(extensions.malformed)
            .or((!issuer.is_whole() || !subject.is_whole()).then_some(Malformed::Name))
            .or(key.is_none().then_some(Malformed::PublicKey));
        Self {
            sha256: sha256(der),
            // Not by ring, which has none of the instructions of the processor for it: that took a third of what a large certificate costs.
            sha1: Sha1::digest(der).into(),
            der_len: der.len(),
            version: u8::try_from(fields.version.saturating_add(1)).unwrap_or(u8::MAX),
            serial: serial(fields.serial),
            self_signed: self_signed(&issuer, &subject, fields.signed.as_ref(), key.as_ref()),
            issuer,
            subject,
            names: extensions.names.unwrap_or_default(),
            not_before: fields.not_before.at,
            not_before_text: fields.not_before.text,
            not_after: fields.not_after.at,
            not_after_text: fields.not_after.text,
            key: key.as_ref().map(PublicKey::of),
            signature_algorithm: algorithm.map(|algorithm| algorithm.name()),
            ca: extensions.ca,
            path_len: extensions.path_len,
            key_usage: extensions.key_usage,
            extended_key_usage: extensions.extended_key_usage,
            subject_key_id: extensions.subject_key_id,
            authority_key_id: extensions.authority_key_id,
            extensions: extensions.oids,
            malformed,
            lossy_text: decoder.is_lossy(),
        }
    }

    /// Whether it may serve as a server's certificate by its own words: `extKeyUsage` is absent, or
    /// has `serverAuth` or any purpose (RFC 5280, section 4.2.1.12).
    #[must_use]
    pub fn allows_server_authentication(&self) -> bool {
        self.extended_key_usage.as_ref().is_none_or(|purposes| {
            purposes
                .iter()
                .any(|purpose| [SERVER_AUTH, ANY_PURPOSE].contains(&purpose.as_content()))
        })
    }

    /// Whether `at` lies in its validity; nothing if a date could not be read.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> Option<bool> {
        // The last second belongs to the validity as a whole (RFC 5280, section 4.1.2.5).
        let end = self.not_after?.saturating_add_nanos(999_999_999);
        Some(self.not_before? <= at && at <= end)
    }

    /// An estimate of the memory that it holds, in bytes, for those who keep many.
    #[must_use]
    pub fn memory_len(&self) -> usize {
        let texts = [&self.not_before_text, &self.not_after_text];
        let texts = texts.into_iter().flatten().map(String::len);
        let ids = [&self.subject_key_id, &self.authority_key_id];
        let ids = ids.into_iter().flatten().map(|id| id.len());
        let oids = self
            .extensions
            .iter()
            .chain(self.extended_key_usage.iter().flatten());
        let oids = oids.map(|oid| oid.as_content().len().saturating_add(size_of::<Oid>()));
        let parts = [
            size_of::<Self>(),
            self.serial.len(),
            self.issuer.heap_len(),
            self.subject.heap_len(),
            self.names.heap_len(),
        ];
        parts
            .into_iter()
            .chain(texts)
            .chain(ids)
            .chain(oids)
            .fold(0, usize::saturating_add)
    }
}

/// The fields as the strict reader found them.
fn fields_of<'a>(parsed: &'a X509Certificate<'_>) -> Fields<'a> {
    let body = &parsed.tbs_certificate;
    let algorithm = Algorithm {
        oid: parsed.signature_algorithm.algorithm.as_bytes(),
        parameters: parsed
            .signature_algorithm
            .parameters
            .as_ref()
            .map(|parameters| parameters.data),
    };
    Fields {
        version: body.version.0,
        serial: body.raw_serial(),
        issuer: body.issuer.as_raw(),
        not_before: Date::from_seconds(body.validity.not_before.timestamp()),
        not_after: Date::from_seconds(body.validity.not_after.timestamp()),
        subject: body.subject.as_raw(),
        key: body.subject_pki.raw,
        extensions: body
            .extensions()
            .iter()
            .map(|extension| RawExtension {
                oid: extension.oid.as_bytes(),
                value: extension.value,
            })
            .collect(),
        signed: Some(Signed {
            message: body.as_ref(),
            algorithm,
            signature: &parsed.signature_value.data,
        }),
        algorithm: Some(algorithm),
    }
}

fn self_signed(
    issuer: &DistinguishedName,
    subject: &DistinguishedName,
    signed: Option<&Signed<'_>>,
    key: Option<&KeyInfo<'_>>,
) -> SelfSigned {
    if !issuer.is_whole() || !subject.is_whole() {
        return SelfSigned::Unread;
    }
    if !issuer.has_same_encoding(subject) {
        return SelfSigned::No;
    }
    match signed.zip(key) {
        Some((signed, key)) => signature::check(signed, key),
        None => SelfSigned::ByName,
    }
}

/// Hexadecimal of the content octets; a zero before a set highest bit only says "positive"
/// (X.690, section 8.3) and is left out, while a negative number keeps all its octets.
fn serial(content: &[u8]) -> String {
    let content = match content {
        [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => rest,
        other => other,
    };
    let kept = content.get(..MAX_SERIAL_LEN).unwrap_or(content);
    let mut text = String::with_capacity(kept.len().saturating_mul(2));
    for octet in kept {
        for digit in [octet >> 4, octet & 0x0f] {
            text.push(
                char::from_digit(u32::from(digit), 16)
                    .unwrap_or('0')
                    .to_ascii_uppercase(),
            );
        }
    }
    text
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    // It gives exactly as many bytes as are asked for.
    digest(&SHA256, bytes)
        .as_ref()
        .try_into()
        .unwrap_or([0; 32])
}

fn reason(error: &nom::Err<X509Error>) -> Malformed {
    let (nom::Err::Error(error) | nom::Err::Failure(error)) = error else {
        return Malformed::Truncated;
    };
    match error {
        X509Error::InvalidVersion => Malformed::Version,
        X509Error::InvalidSerial => Malformed::Serial,
        X509Error::InvalidAlgorithmIdentifier => Malformed::Algorithm,
        X509Error::InvalidX509Name => Malformed::Name,
        X509Error::InvalidDate => Malformed::Date,
        X509Error::InvalidSPKI => Malformed::PublicKey,
        X509Error::InvalidExtensions => Malformed::Extensions,
        X509Error::InvalidSignatureValue => Malformed::Signature,
        _ => Malformed::Encoding,
    }
}

/// `id-kp-serverAuth` (RFC 5280, section 4.2.1.12).
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
/// `anyExtendedKeyUsage`.
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// Octets that are shown of a serial number; RFC 5280 allows 20 (section 4.1.2.2).
const MAX_SERIAL_LEN: usize = 64;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
