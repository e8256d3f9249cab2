//! Hellos in the format of SSL 2.0 (RFC 6101, appendix E; RFC 5246, appendix E.2).
//!
//! ```text
//!  0x80 | length 15 bits | CLIENT-HELLO 1 | version 2 | lengths 3 x 2 | cipher kinds, session id, challenge
//!  0x80 | length 15 bits | SERVER-HELLO 4 | hit 1 | type 1 | version 2 | lengths 3 x 2 | certificate, cipher kinds, connection id
//! ```
//!
//! Old clients sent the first to servers of every version, which answer in records of their own version. Only the two
//! hellos are read: what follows in SSL 2.0 itself is not.

use crate::tls::client_hello::ClientHello;
use crate::tls::lists::List;
use crate::tls::reader::Reader;
use crate::tls::server_hello::ServerHello;

/// A hello of SSL 2.0 at the front of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A CLIENT-HELLO of this length, its record header included.
    Client(usize),
    /// A SERVER-HELLO of this length, its record header included.
    Server(usize),
    /// The bytes so far may become one.
    NotYet,
    /// The bytes are none.
    None,
}

/// Whether a hello may begin with this byte.
#[inline]
pub(crate) const fn may_begin_with(first: u8) -> bool {
    matches!(first, 0x80.. | ..=MAX_CLIENT_HIGH)
}

/// What stands at the front of `bytes`. Every length in the hello has to agree with every other.
pub(crate) fn find(bytes: &[u8]) -> Found {
    let Some(first) = bytes.first().copied() else {
        return Found::NotYet;
    };
    let header_len = match first {
        0x80.. => 2,
        0..=MAX_CLIENT_HIGH => 3,
        _ => return Found::None,
    };
    let Some((header, body)) = bytes.split_at_checked(header_len) else {
        return Found::NotYet;
    };
    let record_len = match *header {
        [high, low] => usize::from(u16::from_be_bytes([high & 0x7f, low])),
        // A third byte counts padding, and what is in clear has none.
        [high, low, 0] => usize::from(u16::from_be_bytes([high, low])),
        _ => return Found::None,
    };
    let fits = match body {
        [] => return Found::NotYet,
        [CLIENT_HELLO, rest @ ..] if record_len <= MAX_CLIENT_LEN => client_fits(rest, record_len),
        [SERVER_HELLO, rest @ ..] if header_len == 2 => server_fits(rest, record_len),
        _ => return Found::None,
    };
    let whole_len = record_len.saturating_add(header_len);
    match (fits, body.first()) {
        (None, _) => Found::NotYet,
        (Some(true), Some(&CLIENT_HELLO)) => Found::Client(whole_len),
        (Some(true), _) => Found::Server(whole_len),
        (Some(false), _) => Found::None,
    }
}

/// Whether the fields after the type agree with the record's length; `None` while they are not all there.
fn client_fits(fields: &[u8], record_len: usize) -> Option<bool> {
    let mut reader = Reader::new(fields);
    if !is_version(reader.rest()) {
        return Some(false);
    }
    reader.u16()?;
    let kinds_len = usize::from(reader.u16()?);
    let session_len = usize::from(reader.u16()?);
    let challenge_len = usize::from(reader.u16()?);
    Some(
        kinds_len > 0
            && kinds_len % 3 == 0
            && matches!(session_len, 0 | 16 | 32)
            && (16..=32).contains(&challenge_len)
            && 9 + kinds_len + session_len + challenge_len == record_len,
    )
}

/// As [`client_fits`], for a server.
fn server_fits(fields: &[u8], record_len: usize) -> Option<bool> {
    let mut reader = Reader::new(fields);
    let (hit, certificate_type) = (reader.u8()?, reader.u8()?);
    if hit > 1 || certificate_type > 1 {
        return Some(false);
    }
    let version = reader.u16()?;
    let certificate_len = usize::from(reader.u16()?);
    let kinds_len = usize::from(reader.u16()?);
    let connection_len = usize::from(reader.u16()?);
    Some(
        version == VERSION
            && kinds_len % 3 == 0
            && connection_len <= 32
            && (hit == 1 || certificate_len > 0)
            && 11 + certificate_len + kinds_len + connection_len == record_len,
    )
}

fn is_version(bytes: &[u8]) -> bool {
    match bytes {
        [] | [0 | 3] => true,
        [0, minor, ..] => *minor == 2,
        [3, minor, ..] => *minor <= 4,
        _ => false,
    }
}

/// Reads a CLIENT-HELLO that [`find`] has found; `bytes` may hold less than all of it.
pub(crate) fn client_hello(bytes: &[u8], whole: bool) -> Option<ClientHello> {
    let mut reader = body(bytes)?;
    let mut hello = ClientHello::new(reader.u16()?, [0; 32]);
    hello.sslv2 = true;
    let kinds_len = usize::from(reader.u16()?);
    let session_len = usize::from(reader.u16()?);
    let challenge_len = usize::from(reader.u16()?);
    let kinds = reader.take(kinds_len)?;
    let mut suites = Vec::new();
    for kind in kinds.as_chunks::<3>().0 {
        let [high, mid, low] = *kind;
        hello
            .cipher_kinds
            .push(u32::from_be_bytes([0, high, mid, low]));
        if high == 0 {
            suites.extend_from_slice(&[mid, low]);
        }
    }
    hello.lists.put(List::CIPHER_SUITES, &suites);
    hello.session_id = reader.take(session_len)?.to_vec();
    hello.random = at_end(reader.take(challenge_len)?);
    hello.whole = whole;
    hello.complete = whole;
    if whole {
        // The format has no extensions, so the client named nobody.
        hello.server_name = crate::tls::extension::ServerName::Absent;
    }
    Some(hello)
}

/// Reads a SERVER-HELLO that [`find`] has found, and the certificate in it; `bytes` may hold less than all of it.
pub(crate) fn server_hello(bytes: &[u8], whole: bool) -> Option<(ServerHello, Option<Vec<u8>>)> {
    let mut reader = body(bytes)?;
    reader.u16()?;
    let mut hello = ServerHello::new(reader.u16()?, [0; 32]);
    hello.sslv2 = true;
    let certificate_len = usize::from(reader.u16()?);
    let kinds_len = usize::from(reader.u16()?);
    let connection_len = usize::from(reader.u16()?);
    let Some(certificate) = reader.take(certificate_len) else {
        return Some((hello, None));
    };
    let certificate = (!certificate.is_empty()).then(|| certificate.to_vec());
    if reader.take(kinds_len).is_some()
        && let Some(connection) = reader.take(connection_len)
    {
        hello.random = at_end(connection);
        hello.whole = whole;
        hello.complete = whole;
    }
    Some((hello, certificate))
}

/// What follows the header and the type.
fn body(bytes: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader::new(bytes);
    let first = reader.u8()?;
    reader.take(if first & 0x80 != 0 { 2 } else { 3 })?;
    Some(reader)
}

fn at_end(bytes: &[u8]) -> [u8; 32] {
    let mut random = [0; 32];
    for (slot, byte) in random.iter_mut().rev().zip(bytes.iter().rev()) {
        *slot = *byte;
    }
    random
}

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 4;
const VERSION: u16 = 0x0002;

/// A client knows some dozens of cipher kinds of three bytes, and not hundreds.
const MAX_CLIENT_LEN: usize = 1023;
/// The high byte of such a length.
const MAX_CLIENT_HIGH: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn hello_bytes() -> Vec<u8> {
        let mut body = vec![1, 3, 1, 0, 6, 0, 0, 0, 16];
        body.extend([0, 0, 0x2f, 1, 0, 0x80]);
        body.extend([7; 16]);
        let mut bytes = vec![0x80, u8::try_from(body.len()).unwrap()];
        bytes.extend(body);
        bytes
    }

    #[test]
    fn every_prefix_of_a_client_hello_asks_for_more_until_its_lengths_are_there() {
        let bytes = hello_bytes();
        for len in 0..11 {
            assert_eq!(find(&bytes[..len]), Found::NotYet, "{len}");
        }
        assert_eq!(find(&bytes[..11]), Found::Client(bytes.len()));
    }

    #[test]
    fn a_client_hello_keeps_its_kinds_and_its_challenge() {
        let hello = client_hello(&hello_bytes(), true).unwrap();
        assert_eq!(hello.legacy_version, 0x0301);
        assert_eq!(hello.cipher_suites(), [0x002f]);
        assert_eq!(hello.cipher_kinds, [0x2f, 0x01_0080]);
        assert_eq!(hello.random[..16], [0; 16]);
        assert_eq!(hello.random[16..], [7; 16]);
        assert!(hello.complete);
    }

    #[test]
    fn a_header_of_three_bytes_is_read_too() {
        let two = hello_bytes();
        let mut three = vec![0, two[1], 0];
        three.extend(&two[2..]);
        assert_eq!(find(&three), Found::Client(three.len()));
        assert_eq!(client_hello(&three, true), client_hello(&two, true));
    }

    #[test]
    fn one_wrong_length_makes_it_no_hello() {
        for at in [1, 6, 8, 10] {
            let mut bytes = hello_bytes();
            bytes[at] ^= 1;
            assert_eq!(find(&bytes), Found::None, "{at}");
        }
    }

    #[test]
    fn a_server_hello_gives_its_certificate() {
        let mut body = vec![4, 0, 1, 0, 2, 0, 5, 0, 3, 0, 16];
        body.extend(b"CERTI");
        body.extend([1, 0, 0x80]);
        body.extend([9; 16]);
        let mut bytes = vec![0x80, u8::try_from(body.len()).unwrap()];
        bytes.extend(body);
        assert_eq!(find(&bytes), Found::Server(bytes.len()));
        let (hello, certificate) = server_hello(&bytes, true).unwrap();
        assert_eq!(hello.version(), 2);
        assert_eq!(certificate.as_deref(), Some(&b"CERTI"[..]));
        assert_eq!(hello.random[16..], [9; 16]);
    }
}
