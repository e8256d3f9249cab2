//! Distinguished names: who a certificate is for, and who issued it (RFC 5280, section 4.1.2.4).
//!
//! Attributes stand in the order of the encoding, with the short names of RFC 4514 and RFC 4519
//! where there is one. `Display` escapes as RFC 4514 does, but keeps that order and does not turn
//! it round, as most tools do.

use std::borrow::Cow;
use std::fmt;

use ring::digest::{SHA256, digest};

use crate::pki::der::{Element, Extent, tag};
use crate::pki::oid;
use crate::pki::text::Decoder;

/// A name made of attributes.
#[derive(Clone, Debug, Default)]
pub struct DistinguishedName {
    attributes: Vec<Attribute>,
    /// How many attributes there are, those above the limit included.
    attribute_count: usize,
    encoding: Encoding,
}

impl DistinguishedName {
    /// Reads the name with its sequence header.
    pub(crate) fn from_der(raw: &[u8], decoder: &mut Decoder) -> Self {
        let mut name = Self {
            encoding: Encoding::of(raw),
            ..Self::default()
        };
        let Some((sequence, _)) = Element::split_first(raw) else {
            name.encoding = Encoding::Unread;
            return name;
        };
        let mut sets = sequence.elements();
        let mut whole = sequence.whole(tag::SEQUENCE).is_some();
        for set in &mut sets {
            let mut joined = Joined::First;
            let mut pairs = set.elements();
            for pair in &mut pairs {
                let attribute = Attribute::from_pair(pair, joined, decoder);
                whole &= attribute.is_some();
                name.push(attribute);
                joined = Joined::Further;
            }
            whole &= set.whole(tag::SET).is_some() && pairs.rest().is_empty();
        }
        if !whole || !sets.rest().is_empty() {
            name.encoding = Encoding::Partly;
        }
        name
    }

    fn push(&mut self, attribute: Option<Attribute>) {
        let Some(attribute) = attribute else { return };
        self.attribute_count = self.attribute_count.saturating_add(1);
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push(attribute);
        }
    }

    /// The attributes in the order of the encoding, at most [`MAX_ATTRIBUTES`].
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// How many attributes the name has, those left out included.
    #[must_use]
    pub const fn attribute_count(&self) -> usize {
        self.attribute_count
    }

    /// The values of one attribute, named as in [`Attribute::kind`].
    pub fn values<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.kind == kind)
            .map(|attribute| attribute.value.as_str())
    }

    /// The common names (`CN`).
    pub fn common_names(&self) -> impl Iterator<Item = &str> {
        self.values("CN")
    }

    /// Whether the name was read to its end and has no attribute.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.is_whole() && self.attribute_count == 0
    }

    /// Whether the name was read to its end, so that an attribute not found is not there.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        matches!(self.encoding, Encoding::Whole(_) | Encoding::Digest(_))
    }

    /// Whether both names have the same encoding, byte for byte.
    ///
    /// A name that was not read to its end equals none.
    #[must_use]
    pub fn has_same_encoding(&self, other: &Self) -> bool {
        self.is_whole() && self.encoding == other.encoding
    }

    /// Whether both names are the same to a reader of RFC 5280, section 7.1: encoded alike, or the
    /// same attributes but for the string types, the case of ASCII letters and runs of spaces.
    #[must_use]
    pub fn is_same_name(&self, other: &Self) -> bool {
        if self.has_same_encoding(other) {
            return true;
        }
        self.is_whole()
            && other.is_whole()
            && self.attribute_count == other.attribute_count
            && self.attribute_count == self.attributes.len()
            && self
                .attributes
                .iter()
                .zip(&other.attributes)
                .all(|(ours, theirs)| ours.is_same_as(theirs))
    }

    /// The heap that this name holds, in bytes.
    pub(crate) fn heap_len(&self) -> usize {
        let encoding = match &self.encoding {
            Encoding::Whole(raw) => raw.len(),
            Encoding::Digest(_) | Encoding::Partly | Encoding::Unread => 0,
        };
        self.attributes.iter().fold(encoding, |len, attribute| {
            len.saturating_add(size_of::<Attribute>())
                .saturating_add(attribute.value.len())
        })
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attribute) in self.attributes.iter().enumerate() {
            match attribute.joined {
                _ if index == 0 => {}
                Joined::First => f.write_str(", ")?,
                // RFC 4514, section 2.2: one set of several values.
                Joined::Further => f.write_str("+")?,
            }
            write!(f, "{attribute}")?;
        }
        if self.attribute_count > self.attributes.len() {
            f.write_str(", …")?;
        }
        Ok(())
    }
}

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// The short name, such as `CN`, `O`, `emailAddress`; the dotted identifier if it has none.
    pub kind: Cow<'static, str>,
    /// The value as text; `#` and hexadecimal if it is no string.
    pub value: String,
    form: Form,
    joined: Joined,
}

impl Attribute {
    fn from_pair(pair: Element<'_>, joined: Joined, decoder: &mut Decoder) -> Option<Self> {
        let mut parts = pair.whole(tag::SEQUENCE)?.elements();
        let kind = parts.next()?.whole(tag::OID)?.content;
        let value = parts.next()?;
        if value.extent == Extent::Cut {
            return None;
        }
        let (form, value) = match decoder.text(value.tag, value.content) {
            Some(text) => (Form::Text, text),
            None => {
                let shown = value.raw.get(..MAX_HEX_LEN).unwrap_or(value.raw);
                (Form::Hexadecimal, oid::hexadecimal(shown))
            }
        };
        Some(Self {
            kind: short_name(kind).map_or_else(|| Cow::Owned(oid::dotted(kind)), Cow::Borrowed),
            value,
            form,
            joined,
        })
    }

    fn is_same_as(&self, other: &Self) -> bool {
        fn words(text: &str) -> impl Iterator<Item = &str> {
            text.split(' ').filter(|word| !word.is_empty())
        }
        let mut ours = words(&self.value);
        let mut theirs = words(&other.value);
        self.kind == other.kind
            && self.form == other.form
            && self.joined == other.joined
            && loop {
                match (ours.next(), theirs.next()) {
                    (None, None) => break true,
                    (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
                    _ => break false,
                }
            }
    }
}

impl fmt::Display for Attribute {
    /// `CN=value`, escaped as in RFC 4514, section 2.4.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        write!(f, "{}=", self.kind)?;
        if self.form == Form::Hexadecimal {
            return f.write_str(&self.value);
        }
        let last = self.value.char_indices().last().map(|(index, _)| index);
        for (index, character) in self.value.char_indices() {
            match character {
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{character}")?,
                ' ' if index == 0 || Some(index) == last => f.write_str("\\ ")?,
                '#' if index == 0 => f.write_str("\\#")?,
                '\0' => f.write_str("\\00")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Whether a value is text or shown as hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Hexadecimal,
}

/// Whether an attribute begins its set or stands beside another one in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    First,
    Further,
}

/// What is kept of a name's bytes, to compare names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Encoding {
    Whole(Box<[u8]>),
    /// SHA-256 of a name longer than [`MAX_ENCODING_LEN`].
    Digest([u8; 32]),
    /// Damaged or cut.
    Partly,
    #[default]
    Unread,
}

impl Encoding {
    fn of(raw: &[u8]) -> Self {
        if raw.len() <= MAX_ENCODING_LEN {
            return Self::Whole(raw.into());
        }
        <[u8; 32]>::try_from(digest(&SHA256, raw).as_ref()).map_or(Self::Unread, Self::Digest)
    }
}

/// Short names by the content octets of the identifier: RFC 4519, RFC 2985 (`emailAddress`) and the
/// jurisdiction of the CA/Browser Forum's EV guidelines (section 9.2.4).
fn short_name(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        [0x55, 0x04, number] => match number {
            3 => "CN",
            4 => "SN",
            5 => "serialNumber",
            6 => "C",
            7 => "L",
            8 => "ST",
            9 => "STREET",
            10 => "O",
            11 => "OU",
            12 => "title",
            13 => "description",
            15 => "businessCategory",
            16 => "postalAddress",
            17 => "postalCode",
            18 => "postOfficeBox",
            20 => "telephoneNumber",
            41 => "name",
            42 => "GN",
            43 => "initials",
            44 => "generationQualifier",
            45 => "x500UniqueIdentifier",
            46 => "dnQualifier",
            65 => "pseudonym",
            97 => "organizationIdentifier",
            _ => return None,
        },
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, number] => match number {
            1 => "UID",
            3 => "mail",
            25 => "DC",
            _ => return None,
        },
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, number] => match number {
            1 => "emailAddress",
            2 => "unstructuredName",
            8 => "unstructuredAddress",
            _ => return None,
        },
        [
            0x2b,
            0x06,
            0x01,
            0x04,
            0x01,
            0x82,
            0x37,
            0x3c,
            0x02,
            0x01,
            number,
        ] => match number {
            1 => "jurisdictionL",
            2 => "jurisdictionST",
            3 => "jurisdictionC",
            _ => return None,
        },
        _ => return None,
    })
}

/// Attributes that are kept of a name; a real one has about ten.
pub const MAX_ATTRIBUTES: usize = 64;

/// Longer encodings are compared by their hash.
const MAX_ENCODING_LEN: usize = 2048;

/// Octets that are shown of a value that is no string.
const MAX_HEX_LEN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut raw = vec![tag, u8::try_from(content.len()).unwrap()];
        raw.extend(content);
        raw
    }

    fn pair(kind: u8, tag: u8, value: &[u8]) -> Vec<u8> {
        let kind = element(tag::OID, &[0x55, 4, kind]);
        element(tag::SEQUENCE, &[kind, element(tag, value)].concat())
    }

    fn name(sets: &[&[Vec<u8>]]) -> DistinguishedName {
        let sets: Vec<u8> = sets
            .iter()
            .flat_map(|pairs| element(tag::SET, &pairs.concat()))
            .collect();
        DistinguishedName::from_der(&element(tag::SEQUENCE, &sets), &mut Decoder::default())
    }

    #[test]
    fn a_name_is_shown_in_its_own_order_with_the_escapes_of_rfc_4514() {
        let name = name(&[
            &[pair(6, tag::PRINTABLE_STRING, b"DE")],
            &[pair(10, tag::UTF8_STRING, b" Smith, Jones + \"Sons\" ")],
            &[
                pair(3, tag::UTF8_STRING, b"#1"),
                pair(11, tag::UTF8_STRING, b"a=b"),
            ],
            &[pair(99, tag::BIT_STRING, &[0, 0xff])],
        ]);
        assert_eq!(
            name.to_string(),
            r#"C=DE, O=\ Smith\, Jones \+ \"Sons\"\ , CN=\#1+OU=a=b, 2.5.4.99=#030200ff"#
        );
        assert_eq!(name.common_names().collect::<Vec<_>>(), ["#1"]);
        assert!(name.is_whole() && !name.is_empty());
    }

    #[test]
    fn an_attribute_may_occur_twice() {
        let name = name(&[
            &[pair(11, tag::UTF8_STRING, b"one")],
            &[pair(11, tag::UTF8_STRING, b"two")],
        ]);
        assert_eq!(name.values("OU").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(name.values("CN").count(), 0);
    }

    #[test]
    fn names_are_the_same_by_bytes_or_by_the_rules_of_rfc_5280() {
        let utf8 = name(&[&[pair(3, tag::UTF8_STRING, b"Example  CA")]]);
        let printable = name(&[&[pair(3, tag::PRINTABLE_STRING, b"example ca ")]]);
        let other = name(&[&[pair(3, tag::UTF8_STRING, b"Example CA 2")]]);
        assert!(utf8.has_same_encoding(&utf8.clone()));
        assert!(!utf8.has_same_encoding(&printable));
        assert!(utf8.is_same_name(&printable));
        assert!(!utf8.is_same_name(&other));
    }

    #[test]
    fn a_cut_name_gives_its_whole_attributes_and_equals_none() {
        let whole = element(
            tag::SEQUENCE,
            &[
                element(tag::SET, &pair(3, tag::UTF8_STRING, b"one")),
                element(tag::SET, &pair(10, tag::UTF8_STRING, b"two")),
            ]
            .concat(),
        );
        for len in 0..whole.len() {
            let cut = DistinguishedName::from_der(&whole[..len], &mut Decoder::default());
            assert!(!cut.is_whole() && !cut.is_empty(), "{len}");
            assert!(!cut.has_same_encoding(&cut.clone()));
            assert!(cut.attribute_count() < 2);
        }
    }

    #[test]
    fn only_so_many_attributes_are_kept_and_all_are_counted() {
        let pairs = vec![pair(3, tag::UTF8_STRING, b"x"); 100];
        let mut raw = vec![tag::SET, 0x82];
        let set = pairs.concat();
        raw.extend(u16::try_from(set.len()).unwrap().to_be_bytes());
        raw.extend(set);
        let mut sequence = vec![tag::SEQUENCE, 0x82];
        sequence.extend(u16::try_from(raw.len()).unwrap().to_be_bytes());
        sequence.extend(raw);
        let name = DistinguishedName::from_der(&sequence, &mut Decoder::default());
        assert_eq!(name.attributes().len(), MAX_ATTRIBUTES);
        assert_eq!(name.attribute_count(), 100);
        assert!(name.to_string().ends_with(", …"));
    }

    #[test]
    fn an_empty_name_is_whole() {
        let name = name(&[]);
        assert!(name.is_empty() && name.to_string().is_empty());
        assert!(!DistinguishedName::default().is_empty());
    }
}
