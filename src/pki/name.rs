//! Names of services: does a certificate cover the name that was asked for? (RFC 9525)
//!
//! A *reference* is the name asked for, a *presented* name is one in the certificate. Names are
//! compared as they are: no IDNA mapping, A-labels as any other label.
//!
//! RFC 9525 looks at alternative names only. Many clients still fall back to the common name where
//! there is none, so that is compared as well, and told apart. No list of public suffixes is asked.

use std::fmt;
use std::net::IpAddr;

use crate::pki::certificate::Certificate;
use crate::pki::error::Malformed;

/// A DNS name as a client may send it: letters, digits, hyphens, underscores and dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Box<str>);

impl HostName {
    /// Takes a name in lower case and without a trailing dot; nothing for what is no DNS name.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = without_trailing_dot(bytes);
        if bytes.is_empty() || bytes.len() > MAX_NAME_LEN {
            return None;
        }
        let is_name = bytes.split(|&byte| byte == b'.').all(|label| {
            (1..=MAX_LABEL_LEN).contains(&label.len())
                && label
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
        let text = std::str::from_utf8(bytes).ok()?;
        is_name.then(|| Self(text.to_ascii_lowercase().into()))
    }

    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity that was asked for (RFC 9525, section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A DNS name.
    Dns(HostName),
    /// An address.
    Ip(IpAddr),
}

impl Reference {
    /// What a `server_name` asks for; nothing for what is neither a name nor an address.
    ///
    /// An address does not belong there (RFC 6066, section 3), but is sent all the same.
    #[must_use]
    pub fn from_sni(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let address = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Ok(address) = address.unwrap_or(text).parse() {
            return Some(Self::Ip(address));
        }
        HostName::from_bytes(bytes).map(Self::Dns)
    }
}

/// Whether a certificate covers a reference, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coverage {
    /// An alternative name matches.
    Covers,
    /// There is no alternative name of a server, and a common name matches: enough for clients of
    /// the old rules (RFC 6125, section 6.4.4), not for RFC 9525.
    CoversByCommonName,
    /// There are names, and none matches.
    Mismatch,
    /// There is no name to compare with.
    NoNames,
    /// No name that was read matches, but not all could be read.
    Unread,
}

impl Coverage {
    /// Whether a name matches, by the new rules or the old.
    #[must_use]
    pub const fn covers(self) -> bool {
        matches!(self, Self::Covers | Self::CoversByCommonName)
    }
}

/// Compares the names of a certificate with a reference (RFC 9525, section 6).
#[must_use]
pub fn covers(certificate: &Certificate, reference: &Reference) -> Coverage {
    let names = &certificate.names;
    let by_alternative = match reference {
        Reference::Dns(name) => names.dns.iter().any(|presented| matches(presented, name)),
        Reference::Ip(address) => names.ip.contains(address),
    };
    if by_alternative {
        return Coverage::Covers;
    }
    // Of a damaged certificate the extensions may be missing.
    let hidden = certificate.malformed.is_some_and(Malformed::may_hide_names);
    if !names.is_whole() || (hidden && names.count == 0) {
        return Coverage::Unread;
    }
    if !names.dns.is_empty() || !names.ip.is_empty() {
        return Coverage::Mismatch;
    }
    let subject = &certificate.subject;
    let mut common_names = subject
        .common_names()
        .filter(|name| !name.is_empty())
        .peekable();
    let none = common_names.peek().is_none();
    let by_common_name = common_names.any(|presented| match reference {
        Reference::Dns(name) => matches(presented, name),
        Reference::Ip(address) => presented.parse() == Ok(*address),
    });
    if by_common_name {
        Coverage::CoversByCommonName
    } else if !subject.is_whole() {
        Coverage::Unread
    } else if none {
        Coverage::NoNames
    } else {
        Coverage::Mismatch
    }
}

/// Whether a presented DNS name matches (RFC 9525, section 6.3).
///
/// A wildcard is the whole left-most label and stands for exactly one label; at least two labels
/// must follow it.
fn matches(presented: &str, reference: &HostName) -> bool {
    let presented = without_trailing_dot(presented.as_bytes());
    let reference = reference.0.as_bytes();
    let Some(parent) = presented.strip_prefix(b"*.") else {
        return presented.eq_ignore_ascii_case(reference);
    };
    let Some(dot) = reference.iter().position(|&byte| byte == b'.') else {
        return false;
    };
    let (_label, rest) = reference.split_at(dot);
    parent.contains(&b'.')
        && rest
            .get(1..)
            .is_some_and(|rest| rest.eq_ignore_ascii_case(parent))
}

fn without_trailing_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

/// RFC 1035, section 2.3.4, without the octets of the encoding.
const MAX_NAME_LEN: usize = 253;

/// RFC 1035, section 2.3.4.
const MAX_LABEL_LEN: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::testing;

    fn named(dns: &[&str], ip: &[&str], common_name: &str) -> Certificate {
        let mut certificate = testing::certificate()
            .subject(&[("CN", common_name)])
            .read();
        certificate.names.dns = dns.iter().collect();
        certificate.names.ip = ip.iter().map(|address| address.parse().unwrap()).collect();
        certificate.names.count = certificate.names.kept_count();
        certificate
    }

    fn coverage(dns: &[&str], ip: &[&str], common_name: &str, asked: &str) -> Coverage {
        let reference = Reference::from_sni(asked.as_bytes()).unwrap();
        covers(&named(dns, ip, common_name), &reference)
    }

    #[test]
    fn a_name_matches_without_regard_to_case_and_trailing_dots() {
        for (presented, asked) in [
            ("api.example.com", "api.example.com"),
            ("API.Example.COM", "api.eXample.com."),
            ("api.example.com.", "api.example.com"),
            ("localhost", "localhost"),
            ("a_b.example.com", "a_b.example.com"),
            ("xn--bcher-kva.example", "XN--bcher-kva.example"),
        ] {
            assert_eq!(
                coverage(&[presented], &[], "", asked),
                Coverage::Covers,
                "{asked}"
            );
        }
        for (presented, asked) in [
            ("example.com", "api.example.com"),
            ("api.example.com", "example.com"),
            ("api.example.com", "api.example.co"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("", "api.example.com"),
            (".", "api.example.com"),
        ] {
            assert_eq!(
                coverage(&[presented], &[], "", asked),
                Coverage::Mismatch,
                "{asked}"
            );
        }
    }

    #[test]
    fn a_wildcard_is_a_whole_left_most_label_and_stands_for_one() {
        let covered = |presented, asked| coverage(&[presented], &[], "", asked);
        assert_eq!(
            covered("*.example.com", "api.example.com"),
            Coverage::Covers
        );
        assert_eq!(
            covered("*.EXAMPLE.com", "xn--bcher-kva.example.com"),
            Coverage::Covers
        );
        for (presented, asked) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "a.b.example.com"),
            ("*.com", "example.com"),
            ("*", "localhost"),
            ("*.", "localhost"),
            ("f*.example.com", "foo.example.com"),
            ("*o.example.com", "foo.example.com"),
            ("api.*.com", "api.example.com"),
            ("*.*.com", "api.example.com"),
            ("xn--*.example.com", "xn--a.example.com"),
        ] {
            assert_eq!(
                covered(presented, asked),
                Coverage::Mismatch,
                "{presented} {asked}"
            );
        }
    }

    #[test]
    fn an_address_matches_only_an_address() {
        assert_eq!(
            coverage(&[], &["10.0.0.1"], "", "10.0.0.1"),
            Coverage::Covers
        );
        assert_eq!(
            coverage(&[], &["2001:db8::1"], "", "2001:DB8:0::1"),
            Coverage::Covers
        );
        assert_eq!(
            coverage(&[], &["2001:db8::1"], "", "[2001:db8::1]"),
            Coverage::Covers
        );
        assert_eq!(
            coverage(&["10.0.0.1"], &[], "", "10.0.0.1"),
            Coverage::Mismatch
        );
        assert_eq!(
            coverage(&["*.0.0.1"], &[], "", "10.0.0.1"),
            Coverage::Mismatch
        );
        assert_eq!(
            coverage(&[], &["10.0.0.1"], "", "10.0.0.2"),
            Coverage::Mismatch
        );
    }

    #[test]
    fn the_common_name_counts_only_where_no_alternative_name_is() {
        let name = "api.example.com";
        assert_eq!(coverage(&[], &[], name, name), Coverage::CoversByCommonName);
        assert_eq!(
            coverage(&[], &[], "*.example.com", name),
            Coverage::CoversByCommonName
        );
        assert_eq!(
            coverage(&[], &[], "10.0.0.1", "10.0.0.1"),
            Coverage::CoversByCommonName
        );
        assert_eq!(
            coverage(&["other.example"], &[], name, name),
            Coverage::Mismatch
        );
        assert_eq!(coverage(&[], &["10.0.0.1"], name, name), Coverage::Mismatch);
        assert_eq!(
            coverage(&[], &[], "other.example", name),
            Coverage::Mismatch
        );
        assert_eq!(coverage(&[], &[], "", name), Coverage::NoNames);
    }

    #[test]
    fn names_that_were_not_all_read_never_mismatch() {
        let asked = Reference::from_sni(b"api.example.com").unwrap();
        let mut certificate = named(&["a.example.com"], &[], "api.example.com");
        certificate.names.malformed = true;
        assert_eq!(covers(&certificate, &asked), Coverage::Unread);
        let mut certificate = named(&["a.example.com"], &[], "");
        certificate.names.count = 5000;
        assert_eq!(covers(&certificate, &asked), Coverage::Unread);
        let mut certificate = named(&["api.example.com"], &[], "");
        certificate.names.malformed = true;
        assert_eq!(covers(&certificate, &asked), Coverage::Covers);
    }

    #[test]
    fn what_is_no_name_is_no_reference() {
        for refused in [
            &b""[..],
            b".",
            b"a..b",
            b"a b",
            b"*.example.com",
            b"a\0.example.com",
            b"b\xc3\xbccher.example",
            b"\xff",
            &[b'a'; 64],
            "abc.".repeat(64).as_bytes(),
        ] {
            assert_eq!(Reference::from_sni(refused), None, "{refused:?}");
        }
        assert!(Reference::from_sni("a.".repeat(127).as_bytes()).is_some());
        assert_eq!(
            Reference::from_sni(b"Api.Example.com."),
            HostName::from_bytes(b"api.example.com").map(Reference::Dns)
        );
    }
}
