//! Fingerprints of hellos: JA3 and JA3S (MD5 over five and three fields), and JA4 of TLS clients.
//!
//! JA3 and JA3S follow the description by Salesforce, JA4 that by FoxIO, whose other fingerprints (JA4S and the like) have a
//! licence that forbids them here. GREASE values (RFC 8701) are left out of what a client sent. A hello that was cut
//! has no fingerprint: it would be that of another client. One that is malformed has that of the part that could be read, as
//! everyone else computes it.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::tls::client_hello::ClientHello;
use crate::tls::extension;
use crate::tls::server_hello::ServerHello;

/// A JA3 or JA3S fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ja3 {
    /// The fields in decimal.
    pub text: String,
    /// Their MD5, in hexadecimal.
    pub hash: String,
}

impl Ja3 {
    fn new(text: String) -> Self {
        let hash = hex(&Md5::digest(text.as_bytes()));
        Self { text, hash }
    }
}

/// JA3 of a client; `None` for a hello of SSL 2.0, and for one that was cut.
#[must_use]
pub fn ja3(hello: &ClientHello) -> Option<Ja3> {
    if hello.sslv2 || !hello.whole {
        return None;
    }
    let mut text = hello.legacy_version.to_string();
    let point_formats = hello.point_formats().iter();
    let point_formats = point_formats.map(|format| u16::from(*format));
    join_decimal(&mut text, hello.cipher_suites().into_iter());
    join_decimal(&mut text, hello.extensions.iter().copied());
    join_decimal(&mut text, hello.groups().into_iter());
    join_decimal(&mut text, point_formats);
    Some(Ja3::new(text))
}

/// JA3S of a server; `None` for a hello of SSL 2.0, and for one that was cut.
#[must_use]
pub fn ja3s(hello: &ServerHello) -> Option<Ja3> {
    if hello.sslv2 || !hello.whole {
        return None;
    }
    let mut text = format!("{},{},", hello.legacy_version, hello.cipher_suite?);
    for (at, kind) in hello.extensions.iter().enumerate() {
        let separator = if at == 0 { "" } else { "-" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{kind}");
    }
    Some(Ja3::new(text))
}

/// JA4 of a client over TCP; `None` for a hello of SSL 2.0, and for one that was cut.
#[must_use]
pub fn ja4(hello: &ClientHello) -> Option<String> {
    if hello.sslv2 || !hello.whole {
        return None;
    }
    let mut suites = without_grease(&hello.cipher_suites());
    let mut extensions = without_grease(&hello.extensions);
    let versions = without_grease(&hello.supported_versions());
    let version = match versions.into_iter().max().unwrap_or(hello.legacy_version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    };
    let name = if extensions.contains(&extension::SERVER_NAME) {
        'd'
    } else {
        'i'
    };
    let (suite_count, extension_count) = (suites.len().min(99), extensions.len().min(99));
    let mut ja4 = format!("t{version}{name}{suite_count:02}{extension_count:02}");
    ja4.push_str(&alpn_ends(hello.alpn().next()));

    suites.sort_unstable();
    extensions.retain(|kind| !matches!(*kind, extension::SERVER_NAME | extension::ALPN));
    extensions.sort_unstable();
    let mut text = join_hex(&suites);
    ja4.push('_');
    ja4.push_str(&short_hash(&text));
    text = join_hex(&extensions);
    let algorithms = join_hex(&without_grease(&hello.signature_algorithms()));
    if !text.is_empty() && !algorithms.is_empty() {
        text.push('_');
        text.push_str(&algorithms);
    }
    ja4.push('_');
    ja4.push_str(&short_hash(&text));
    Some(ja4)
}

/// Whether a number is one of GREASE: both bytes alike, and their low halves `a` (RFC 8701, section 2).
#[must_use]
pub fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// The first and the last letter of the first protocol; of their hexadecimal digits if one of them is no letter or digit.
fn alpn_ends(name: Option<&[u8]>) -> String {
    let ends = name.and_then(|name| Some((*name.first()?, *name.last()?)));
    let Some((first, last)) = ends else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        [first, last].map(char::from).iter().collect()
    } else {
        let digits = format!("{first:02x}{last:02x}").into_bytes();
        let ends = digits.first().into_iter().chain(digits.last());
        ends.map(|digit| char::from(*digit)).collect()
    }
}

fn without_grease(numbers: &[u16]) -> Vec<u16> {
    numbers
        .iter()
        .copied()
        .filter(|number| !is_grease(*number))
        .collect()
}

/// Adds one field of JA3: a comma, and the numbers between dashes.
fn join_decimal(text: &mut String, numbers: impl Iterator<Item = u16>) {
    let mut separator = ',';
    for number in numbers.filter(|number| !is_grease(*number)) {
        let _ = write!(text, "{separator}{number}");
        separator = '-';
    }
    if separator == ',' {
        text.push(',');
    }
}

fn join_hex(numbers: &[u16]) -> String {
    let mut text = String::with_capacity(numbers.len().saturating_mul(5));
    for (at, number) in numbers.iter().enumerate() {
        let separator = if at == 0 { "" } else { "," };
        let _ = write!(text, "{separator}{number:04x}");
    }
    text
}

/// Six bytes of SHA-256; zeros for an empty text.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hex(hash.as_ref().get(..6).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::lists::List;

    fn hello() -> ClientHello {
        let mut hello = ClientHello::new(0x0303, [0; 32]);
        hello.whole = true;
        hello
            .lists
            .put_numbers(List::CIPHER_SUITES, &[0x0a0a, 0x1301, 0xc02b, 0x1a2a]);
        hello.extensions = vec![0x2a2a, 0, 10, 11, 16, 13];
        hello.lists.put_numbers(List::GROUPS, &[0x3a3a, 29, 23]);
        hello.lists.put(List::POINT_FORMATS, &[0]);
        hello
            .lists
            .put_numbers(List::SIGNATURE_ALGORITHMS, &[0x0403, 0x0804]);
        hello.lists.put(List::ALPN, b"\x02h2");
        hello
    }

    #[test]
    fn ja3_leaves_out_grease_and_nothing_that_only_looks_like_it() {
        let ja3 = ja3(&hello()).unwrap();
        assert_eq!(ja3.text, "771,4865-49195-6698,0-10-11-16-13,29-23,0");
        assert_eq!(ja3.hash.len(), 32);
    }

    #[test]
    fn ja3_of_a_hello_without_extensions_ends_in_empty_fields() {
        let mut hello = ClientHello::new(0x0301, [0; 32]);
        hello.whole = true;
        hello.lists.put_numbers(List::CIPHER_SUITES, &[4, 5]);
        assert_eq!(ja3(&hello).unwrap().text, "769,4-5,,,");
    }

    #[test]
    fn the_published_example_of_ja4_comes_out() {
        // The example of FoxIO's technical description of JA4.
        let mut hello = ClientHello::new(0x0303, [0; 32]);
        hello.whole = true;
        hello
            .lists
            .put_numbers(List::SUPPORTED_VERSIONS, &[0x0a0a, 0x0304, 0x0303]);
        hello.lists.put_numbers(
            List::CIPHER_SUITES,
            &[
                0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
        );
        hello.extensions = vec![
            0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
            0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
        ];
        hello.lists.put_numbers(
            List::SIGNATURE_ALGORITHMS,
            &[
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
        );
        hello.lists.put(List::ALPN, b"\x02h2");
        assert_eq!(ja4(&hello).unwrap(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn alpn_ends_are_letters_or_hexadecimal_digits() {
        let ends = |name: &[u8]| alpn_ends(Some(name));
        assert_eq!(ends(b"h2"), "h2");
        assert_eq!(ends(b"http/1.1"), "h1");
        assert_eq!(ends(b"h"), "hh");
        assert_eq!(ends(&[0xab]), "ab");
        assert_eq!(ends(&[0x30, 0xab]), "3b");
        assert_eq!(ends(&[0x30, 0x31, 0xab, 0xcd]), "3d");
        assert_eq!(ends(b""), "00");
        assert_eq!(alpn_ends(None), "00");
    }

    #[test]
    fn a_hello_that_was_cut_has_no_fingerprint() {
        let mut hello = hello();
        hello.whole = false;
        assert_eq!((ja3(&hello), ja4(&hello)), (None, None));
        hello.whole = true;
        hello.sslv2 = true;
        assert_eq!((ja3(&hello), ja4(&hello)), (None, None));
    }

    #[test]
    fn ja3s_takes_the_extensions_as_sent() {
        let mut hello = ServerHello::new(0x0303, [0; 32]);
        hello.whole = true;
        hello.cipher_suite = Some(0xc02f);
        hello.extensions = vec![65281, 0, 11];
        assert_eq!(ja3s(&hello).unwrap().text, "771,49199,65281-0-11");
    }
}
