//! The subject's alternative names (RFC 5280, section 4.2.1.6).
//!
//! DNS names and addresses are what a server is checked by; the other kinds are kept as text. Names
//! are as they stand in the certificate: nothing is lowered, folded or judged here.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::pki::der::{Element, Extent, tag};
use crate::pki::distinguished::DistinguishedName;
use crate::pki::oid;
use crate::pki::text::Decoder;

/// All names of the extension, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubjectAlternativeNames {
    /// The `dNSName`s, in order.
    pub dns: DnsNames,
    /// The `iPAddress`es, in order.
    pub ip: Vec<IpAddr>,
    /// Names of other kinds, in order.
    pub other: Vec<OtherName>,
    /// How many names there are, those above [`MAX_NAMES`] included.
    pub count: usize,
    /// The extension is there, but could not be read to its end.
    pub malformed: bool,
}

/// Names one behind the other, as text: a certificate may have thousands of them, and the places of
/// as many strings would take more memory than the certificate.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DnsNames {
    text: String,
    /// Where each of them ends in the text.
    ends: Vec<u32>,
}

impl DnsNames {
    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let name = self.text.get(start..end).unwrap_or_default();
            start = end;
            name
        })
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        // The whole extension is shorter: its length has at most four octets.
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    fn heap_len(&self) -> usize {
        self.text
            .len()
            .saturating_add(size_of_val(self.ends.as_slice()))
    }
}

impl fmt::Debug for DnsNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<S: AsRef<str>> FromIterator<S> for DnsNames {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut collected = Self::default();
        names
            .into_iter()
            .for_each(|name| collected.push(name.as_ref()));
        collected.shrink();
        collected
    }
}

/// An alternative name that is neither a DNS name nor an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherName {
    /// What kind of name it is.
    pub kind: OtherNameKind,
    /// The name as text; `#` and hexadecimal if it is none.
    pub text: String,
}

/// Kinds of alternative names, beside the two that servers are checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OtherNameKind {
    /// `otherName`: the type's identifier, a colon, and its value.
    Other,
    /// `rfc822Name`.
    Email,
    /// `x400Address`.
    X400Address,
    /// `directoryName`.
    DirectoryName,
    /// `ediPartyName`.
    EdiPartyName,
    /// `uniformResourceIdentifier`.
    Uri,
    /// `registeredID`.
    RegisteredId,
    /// An `iPAddress` that has neither 4 nor 16 octets.
    InvalidIp,
}

impl SubjectAlternativeNames {
    /// Reads the value of the extension.
    pub(crate) fn from_der(value: &[u8], decoder: &mut Decoder) -> Self {
        let mut names = Self::default();
        let Some((sequence, rest)) = Element::split_first(value) else {
            names.malformed = true;
            return names;
        };
        names.malformed = sequence.whole(tag::SEQUENCE).is_none() || !rest.is_empty();
        if sequence.tag != tag::SEQUENCE {
            return names;
        }
        let mut elements = sequence.elements();
        for element in &mut elements {
            if element.extent == Extent::Cut {
                names.malformed = true;
                break;
            }
            names.push(element, decoder);
        }
        names.malformed |= !elements.rest().is_empty();
        names.dns.shrink();
        names
    }

    /// How many names are kept.
    #[must_use]
    pub fn kept_count(&self) -> usize {
        self.dns
            .len()
            .saturating_add(self.ip.len())
            .saturating_add(self.other.len())
    }

    /// Whether every name was read and kept, so that one not found is not there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.malformed && self.kept_count() == self.count
    }

    fn push(&mut self, name: Element<'_>, decoder: &mut Decoder) {
        self.count = self.count.saturating_add(1);
        if self.kept_count() >= MAX_NAMES {
            return;
        }
        let content = name.content;
        let (kind, text) = match name.tag {
            0x82 => return self.dns.push(&decoder.utf8(content)),
            0x87 => match address(content) {
                Some(address) => return self.ip.push(address),
                None => (OtherNameKind::InvalidIp, hexadecimal(content)),
            },
            0xa0 => (OtherNameKind::Other, other_name(name, decoder)),
            0x81 => (OtherNameKind::Email, decoder.utf8(content)),
            0xa3 => (OtherNameKind::X400Address, hexadecimal(content)),
            // The choice inside makes this tag explicit.
            0xa4 => {
                let name = DistinguishedName::from_der(content, decoder);
                (OtherNameKind::DirectoryName, name.to_string())
            }
            0xa5 => (OtherNameKind::EdiPartyName, hexadecimal(content)),
            0x86 => (OtherNameKind::Uri, decoder.utf8(content)),
            0x88 => (OtherNameKind::RegisteredId, oid::dotted(content)),
            _ => {
                self.malformed = true;
                self.count = self.count.saturating_sub(1);
                return;
            }
        };
        self.other.push(OtherName { kind, text });
    }

    /// The heap that these names hold, in bytes.
    pub(crate) fn heap_len(&self) -> usize {
        let ip = self.ip.iter().map(|_| size_of::<IpAddr>());
        let other = self
            .other
            .iter()
            .map(|name| name.text.len().saturating_add(size_of::<OtherName>()));
        ip.chain(other)
            .fold(self.dns.heap_len(), usize::saturating_add)
    }
}

fn address(content: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(content) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(content).ok()?;
    Some(Ipv6Addr::from(octets).into())
}

/// `otherName`: a type and an explicitly tagged value, often a string (a user principal name).
fn other_name(name: Element<'_>, decoder: &mut Decoder) -> String {
    let mut parts = name.elements();
    let Some(kind) = parts.next_if(tag::OID) else {
        return hexadecimal(name.content);
    };
    let value = parts
        .next_if(tag::CONTEXT_0)
        .and_then(|value| value.elements().next());
    let kind = oid::dotted(kind.content);
    let text = value.and_then(|value| decoder.text(value.tag, value.content));
    match text {
        Some(text) => format!("{kind}:{text}"),
        None => format!("{kind}:{}", hexadecimal(parts.rest())),
    }
}

fn hexadecimal(content: &[u8]) -> String {
    oid::hexadecimal(content.get(..MAX_HEX_LEN).unwrap_or(content))
}

/// Names that are kept of a certificate. Public ones have up to 1,000, large private ones more.
pub const MAX_NAMES: usize = 4096;

/// Octets that are shown of a name that is no text.
const MAX_HEX_LEN: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(elements: &[(u8, &[u8])]) -> SubjectAlternativeNames {
        let inner: Vec<u8> = elements
            .iter()
            .flat_map(|(tag, content)| {
                let mut raw = vec![*tag, u8::try_from(content.len()).unwrap()];
                raw.extend(*content);
                raw
            })
            .collect();
        let mut raw = vec![tag::SEQUENCE, 0x82];
        raw.extend(u16::try_from(inner.len()).unwrap().to_be_bytes());
        raw.extend(inner);
        SubjectAlternativeNames::from_der(&raw, &mut Decoder::default())
    }

    #[test]
    fn every_kind_of_name_has_its_place() {
        let names = names(&[
            (0x82, b"*.example.com"),
            (0x87, &[10, 0, 0, 1]),
            (0x87, &[0; 16]),
            (0x87, &[1, 2, 3, 4, 255, 255, 255, 0]),
            (0x81, b"a@b.example"),
            (0x86, b"spiffe://x/y"),
            (0x88, &[0x2a, 3]),
            (0xa0, b"\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01u"),
            (
                0xa4,
                b"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x",
            ),
        ]);
        assert!(names.dns.iter().eq(["*.example.com"]));
        assert_eq!(
            names.ip,
            [IpAddr::from([10, 0, 0, 1]), IpAddr::from([0_u8; 16])]
        );
        let other: Vec<_> = names
            .other
            .iter()
            .map(|name| (name.kind, name.text.as_str()))
            .collect();
        assert_eq!(
            other,
            [
                (OtherNameKind::InvalidIp, "#01020304ffffff00"),
                (OtherNameKind::Email, "a@b.example"),
                (OtherNameKind::Uri, "spiffe://x/y"),
                (OtherNameKind::RegisteredId, "1.2.3"),
                (OtherNameKind::Other, "1.2.3.4:u"),
                (OtherNameKind::DirectoryName, "CN=x"),
            ]
        );
        assert_eq!(names.count, 9);
        assert!(names.is_whole());
    }

    #[test]
    fn a_wrong_inner_length_keeps_the_names_before_it_and_says_so() {
        let raw = [0x30, 9, 0x82, 1, b'a', 0x82, 1, b'b', 0x82, 9, b'c'];
        let names = SubjectAlternativeNames::from_der(&raw, &mut Decoder::default());
        assert!(names.dns.iter().eq(["a", "b"]));
        assert!(names.malformed && !names.is_whole());
    }

    #[test]
    fn every_prefix_is_malformed() {
        let raw = [0x30, 6, 0x82, 1, b'a', 0x82, 1, b'b'];
        for len in 0..raw.len() {
            let names = SubjectAlternativeNames::from_der(&raw[..len], &mut Decoder::default());
            assert!(names.malformed, "{len}");
        }
    }

    #[test]
    fn only_so_many_names_are_kept_and_all_are_counted() {
        let names = names(&vec![(0x82, &b"a.example"[..]); 5000]);
        assert_eq!((names.dns.len(), names.count), (MAX_NAMES, 5000));
        assert!(!names.is_whole() && !names.malformed);
    }
}
