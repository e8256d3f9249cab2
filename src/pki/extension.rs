//! Extensions of a certificate: what a verdict needs of them (RFC 5280, section 4.2.1).
//!
//! Where an extension occurs twice the first one counts. One that cannot be read counts as absent,
//! and its certificate as malformed.

use crate::pki::alternative::SubjectAlternativeNames;
use crate::pki::der::{Element, Elements, tag};
use crate::pki::error::Malformed;
use crate::pki::oid::Oid;
use crate::pki::text::Decoder;

/// What a key may be used for (RFC 5280, section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// The first nine bits as they are named, the first in the lowest place.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// `keyCertSign`: signatures on certificates.
    #[must_use]
    pub const fn allows_certificate_signing(self) -> bool {
        self.0 & (1 << 5) != 0
    }

    /// `digitalSignature`: signatures on handshakes.
    #[must_use]
    pub const fn allows_digital_signature(self) -> bool {
        self.0 & 1 != 0
    }
}

/// One extension as it stands in the certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawExtension<'a> {
    /// Content octets of the identifier.
    pub(crate) oid: &'a [u8],
    /// The octets inside the value's octet string.
    pub(crate) value: &'a [u8],
}

/// What the extensions say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) oids: Vec<Oid>,
    pub(crate) names: Option<SubjectAlternativeNames>,
    pub(crate) ca: Option<bool>,
    pub(crate) path_len: Option<u32>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<Vec<Oid>>,
    pub(crate) subject_key_id: Option<Box<[u8]>>,
    pub(crate) authority_key_id: Option<Box<[u8]>>,
    pub(crate) malformed: Option<Malformed>,
}

impl Extensions {
    /// Reads all extensions.
    pub(crate) fn read(raw: &[RawExtension<'_>], decoder: &mut Decoder) -> Self {
        let mut extensions = Self {
            oids: raw
                .iter()
                .take(MAX_EXTENSIONS)
                .map(|extension| Oid::from_content(extension.oid))
                .collect(),
            ..Self::default()
        };
        let mut seen = 0_u64;
        for extension in raw {
            // All that are read here belong to `id-ce`, with numbers below 64.
            let &[0x55, 0x1d, number] = extension.oid else {
                continue;
            };
            let bit = 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
            if seen & bit != 0 {
                extensions.malformed = Some(Malformed::DuplicateExtension);
                continue;
            }
            seen |= bit;
            if extensions
                .read_one(number, extension.value, decoder)
                .is_none()
            {
                extensions.malformed = extensions.malformed.or(Some(Malformed::Extensions));
            }
        }
        extensions
    }

    fn read_one(&mut self, number: u8, value: &[u8], decoder: &mut Decoder) -> Option<()> {
        match number {
            SUBJECT_KEY_ID => {
                self.subject_key_id = Some(key_id(only(value, tag::OCTET_STRING)?.content))
            }
            KEY_USAGE => self.key_usage = Some(key_usage(value)?),
            SUBJECT_ALT_NAME => {
                // A damaged list is a fact of its own, and no damage to the certificate.
                self.names = Some(SubjectAlternativeNames::from_der(value, decoder));
            }
            BASIC_CONSTRAINTS => {
                let mut parts = only(value, tag::SEQUENCE)?.elements();
                let ca = match parts.next_if(tag::BOOLEAN) {
                    Some(flag) => flag.content.iter().any(|&octet| octet != 0),
                    None => false,
                };
                self.path_len = match parts.next_if(tag::INTEGER) {
                    Some(len) => Some(small_number(len.whole(tag::INTEGER)?.content)?),
                    None => None,
                };
                self.ca = Some(ca);
                if !parts.rest().is_empty() {
                    return None;
                }
            }
            AUTHORITY_KEY_ID => {
                let mut parts = only(value, tag::SEQUENCE)?.elements();
                self.authority_key_id =
                    parts.next_if(tag::PRIMITIVE_0).map(|id| key_id(id.content));
            }
            EXTENDED_KEY_USAGE => {
                let purposes = only(value, tag::SEQUENCE)?.elements();
                self.extended_key_usage = Some(
                    purposes
                        .take(MAX_PURPOSES)
                        .map(|purpose| Some(Oid::from_content(purpose.whole(tag::OID)?.content)))
                        .collect::<Option<_>>()?,
                );
            }
            _ => {}
        }
        Some(())
    }
}

/// The element that is all of `value`.
fn only(value: &[u8], tag: u8) -> Option<Element<'_>> {
    let mut elements = Elements::new(value);
    let element = elements.next()?.whole(tag)?;
    elements.rest().is_empty().then_some(element)
}

fn key_id(id: &[u8]) -> Box<[u8]> {
    id.get(..MAX_KEY_ID_LEN).unwrap_or(id).into()
}

fn key_usage(value: &[u8]) -> Option<KeyUsage> {
    let (_unused, bits) = only(value, tag::BIT_STRING)?.content.split_first()?;
    let octets =
        [bits.get(1), bits.first()].map(|octet| octet.copied().unwrap_or(0).reverse_bits());
    Some(KeyUsage(u16::from_be_bytes(octets) & 0x01ff))
}

fn small_number(content: &[u8]) -> Option<u32> {
    if content.is_empty() || content.len() > 4 || content.first()? & 0x80 != 0 {
        return None;
    }
    Some(
        content
            .iter()
            .fold(0, |number, &octet| (number << 8) | u32::from(octet)),
    )
}

const SUBJECT_KEY_ID: u8 = 14;
const KEY_USAGE: u8 = 15;
const SUBJECT_ALT_NAME: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const AUTHORITY_KEY_ID: u8 = 35;
const EXTENDED_KEY_USAGE: u8 = 37;

/// Identifiers of extensions that are kept; a real certificate has about ten.
pub(crate) const MAX_EXTENSIONS: usize = 64;

/// Purposes that are kept; a real certificate has about two.
const MAX_PURPOSES: usize = 64;

/// Octets that are kept of a key identifier; the usual ones have 20 (RFC 5280, section 4.2.1.2).
const MAX_KEY_ID_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extensions: &[(u8, &[u8])]) -> Extensions {
        let oids: Vec<[u8; 3]> = extensions
            .iter()
            .map(|(number, _)| [0x55, 0x1d, *number])
            .collect();
        let raw: Vec<RawExtension<'_>> = oids
            .iter()
            .zip(extensions)
            .map(|(oid, (_, value))| RawExtension { oid, value })
            .collect();
        Extensions::read(&raw, &mut Decoder::default())
    }

    #[test]
    fn the_authority_flag_has_three_answers() {
        assert_eq!(read(&[]).ca, None);
        assert_eq!(read(&[(19, &[0x30, 0])]).ca, Some(false));
        let authority = read(&[(19, &[0x30, 6, 1, 1, 0xff, 2, 1, 2])]);
        assert_eq!((authority.ca, authority.path_len), (Some(true), Some(2)));
    }

    #[test]
    fn key_usage_counts_its_bits_from_the_left() {
        let usage = read(&[(15, &[3, 2, 1, 0x86])]).key_usage.unwrap();
        assert!(usage.allows_digital_signature() && usage.allows_certificate_signing());
        assert_eq!(usage.bits(), 0b110_0001);
        let decipher_only = read(&[(15, &[3, 3, 7, 0, 0x80])]).key_usage.unwrap();
        assert_eq!(decipher_only.bits(), 1 << 8);
    }

    #[test]
    fn the_first_of_two_counts_and_the_certificate_is_malformed() {
        let extensions = read(&[(19, &[0x30, 0]), (19, &[0x30, 3, 1, 1, 0xff])]);
        assert_eq!(extensions.ca, Some(false));
        assert_eq!(extensions.malformed, Some(Malformed::DuplicateExtension));
    }

    #[test]
    fn an_unreadable_extension_counts_as_absent_and_an_unknown_one_is_listed() {
        for value in [&[][..], &[0x30, 9], &[0x30, 4, 2, 2, 0xff, 0xff], &[4, 0]] {
            let extensions = read(&[(19, value)]);
            assert_eq!(
                (extensions.ca, extensions.malformed),
                (None, Some(Malformed::Extensions))
            );
        }
        let extensions = read(&[(100, &[]), (63, &[]), (64, &[]), (64, &[])]);
        assert_eq!(extensions.malformed, None);
        assert_eq!(extensions.oids.len(), 4);
        assert_eq!(extensions.oids[0].to_string(), "2.5.29.100");
    }

    #[test]
    fn key_identifiers_and_purposes_are_kept() {
        let extensions = read(&[
            (14, &[4, 2, 7, 8]),
            (35, &[0x30, 4, 0x80, 2, 5, 6]),
            (37, &[0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]),
        ]);
        assert_eq!(extensions.subject_key_id.unwrap().as_ref(), [7, 8]);
        assert_eq!(extensions.authority_key_id.unwrap().as_ref(), [5, 6]);
        assert_eq!(
            extensions.extended_key_usage.unwrap()[0].to_string(),
            "1.3.6.1.5.5.7.3.1"
        );
        assert_eq!(extensions.malformed, None);
    }
}
