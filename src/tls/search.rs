//! Finding TLS in bytes that do not begin with it.
//!
//! Two proofs are accepted: a hello, all of whose lengths agree (RFC 8446, section 4.1), and two record headers in a row, the
//! second beginning where the first record ends. One header alone proves nothing: ciphertext shows one every 2 MB.

use crate::tls::message;
use crate::tls::record::{self, ContentType, HEADER_LEN, Header};
use crate::tls::sslv2;

/// Whether these bytes begin a ClientHello, in a record or in the format of SSL 2.0.
///
/// As many bytes as are there are checked; fewer than six are never enough.
#[must_use]
pub fn begins_client_hello(bytes: &[u8]) -> bool {
    bytes.len() >= MIN_HELLO
        && (hello(bytes, CLIENT_HELLO) != Match::No
            || matches!(sslv2::find(bytes), sslv2::Found::Client(_)))
}

/// Whether these bytes begin a ServerHello, in a record or in the format of SSL 2.0.
///
/// As many bytes as are there are checked; fewer than six are never enough.
#[must_use]
pub fn begins_server_hello(bytes: &[u8]) -> bool {
    bytes.len() >= MIN_HELLO
        && (hello(bytes, SERVER_HELLO) != Match::No
            || matches!(sslv2::find(bytes), sslv2::Found::Server(_)))
}

/// Whether these bytes begin a hello of either side: asked of nearly every segment, and mostly the first byte answers.
#[inline]
#[must_use]
pub fn begins_hello(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(&first) if first == ContentType::HANDSHAKE.0 => {
            bytes.len() >= MIN_HELLO && hello_of_any(bytes) != Match::No
        }
        Some(&first) if sslv2::may_begin_with(first) => {
            let found = sslv2::find(bytes);
            bytes.len() >= MIN_HELLO
                && matches!(found, sslv2::Found::Client(_) | sslv2::Found::Server(_))
        }
        _ => false,
    }
}

/// The offset of the first two records in a row inside `bytes`: known types, versions of TLS, legal lengths, the
/// second header where the first record ends.
#[must_use]
pub fn find_records(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| {
        bytes
            .get(*at..)
            .is_some_and(|rest| records(rest) == Match::Yes)
    })
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    /// A hello in the format of SSL 2.0 counts as well.
    pub(crate) sslv2: bool,
    /// Two records in a row count as well, and so does an alert that is all that is left.
    pub(crate) records: bool,
    /// An alert in clear counts as well.
    pub(crate) alerts: bool,
    /// No more bytes will come.
    pub(crate) last: bool,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// TLS begins at this offset.
    At(usize),
    /// It may begin at this offset; more bytes will tell.
    PerhapsAt(usize),
    /// Nowhere.
    Nowhere,
}

impl Search {
    /// The first place in `bytes` where TLS begins, or may begin.
    pub(crate) fn find(self, bytes: &[u8]) -> Found {
        for (at, first) in bytes.iter().enumerate() {
            let may_be = (ContentType::CHANGE_CIPHER_SPEC.0..=ContentType::HEARTBEAT.0)
                .contains(first)
                || (self.sslv2 && *first & 0x80 != 0);
            if !may_be {
                continue;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            match self.matches(rest) {
                Match::Yes => return Found::At(at),
                Match::Perhaps if self.last => {
                    if rest.len() >= MIN_LAST_HELLO && hello_of_any(rest) != Match::No {
                        return Found::At(at);
                    }
                }
                Match::Perhaps => return Found::PerhapsAt(at),
                Match::No => {}
            }
        }
        Found::Nowhere
    }

    fn matches(self, bytes: &[u8]) -> Match {
        let mut found = hello_of_any(bytes);
        if self.records {
            found = found.or(records(bytes));
        }
        if self.alerts {
            found = found.or(alert(bytes));
        }
        if self.sslv2 {
            found = found.or(match sslv2::find(bytes) {
                sslv2::Found::Client(_) => Match::Yes,
                // In the middle of a conversation only a client may still begin.
                sslv2::Found::NotYet => Match::Perhaps,
                sslv2::Found::Server(_) | sslv2::Found::None => Match::No,
            });
        }
        found
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    Yes,
    Perhaps,
    No,
}

impl Match {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Perhaps, _) | (_, Self::Perhaps) => Self::Perhaps,
            (Self::No, Self::No) => Self::No,
        }
    }
}

fn hello_of_any(bytes: &[u8]) -> Match {
    match bytes.get(HEADER_LEN) {
        // Each record of a handshake comes by here, and most have the wrong type.
        Some(&kind) if kind != CLIENT_HELLO && kind != SERVER_HELLO => Match::No,
        Some(&kind) => hello(bytes, kind),
        None => hello(bytes, CLIENT_HELLO).or(hello(bytes, SERVER_HELLO)),
    }
}

/// Whether a record with a hello of type `kind` begins here; `Yes` when all that can be checked was there.
fn hello(bytes: &[u8], kind: u8) -> Match {
    let Ok(header) = Header::parse(bytes) else {
        return Match::No;
    };
    if bytes.first() != Some(&ContentType::HANDSHAKE.0) {
        return if bytes.is_empty() {
            Match::Perhaps
        } else {
            Match::No
        };
    }
    let Some(header) = header else {
        return Match::Perhaps;
    };
    let Some(min_len) = (match kind {
        CLIENT_HELLO => Some(41),
        SERVER_HELLO => Some(36),
        _ => None,
    }) else {
        return Match::No;
    };
    let record_len = usize::from(header.len);
    if record_len < message::HEADER_LEN {
        return Match::No;
    }
    let body = bytes.get(HEADER_LEN..).unwrap_or_default();
    let body = body.get(..record_len).unwrap_or(body);
    let [b_kind, b1, b2, b3, major, minor, ..] = first_six(body);
    let mut right = b_kind.is_none_or(|found| found == kind);
    if let (Some(b1), Some(b2), Some(b3)) = (b1, b2, b3) {
        let len = u32::from_be_bytes([0, b1, b2, b3]);
        right &= (min_len..=MAX_HELLO_LEN).contains(&len);
    }
    right &= b1.is_none_or(|high| u32::from(high) <= MAX_HELLO_LEN >> 16);
    right &= major.is_none_or(|major| matches!((major, kind), (3 | 1, _) | (0x7f, SERVER_HELLO)));
    if let (Some(major), Some(minor)) = (major, minor) {
        right &= matches!((major, minor), (3, 0..=4) | (1, 1) | (0x7f, _));
    }
    let session_len = body.get(SESSION_ID_AT).copied();
    if major != Some(0x7f) {
        right &= session_len.is_none_or(|len| len <= 32);
    }
    if !right {
        return Match::No;
    }
    // A record that ends before that is all that can be checked.
    if session_len.is_some() || body.len() == record_len {
        Match::Yes
    } else {
        Match::Perhaps
    }
}

fn first_six(bytes: &[u8]) -> [Option<u8>; 6] {
    let mut bytes = bytes.iter().copied();
    [(); 6].map(|()| bytes.next())
}

/// Whether two records in a row begin here.
fn records(bytes: &[u8]) -> Match {
    match Header::parse(bytes) {
        Err(_) => Match::No,
        Ok(None) => Match::Perhaps,
        // No peer sends an empty record but in application data of old (RFC 5246, section 6.2.1).
        Ok(Some(header)) if header.len == 0 => Match::No,
        Ok(Some(header)) => {
            let next = HEADER_LEN.saturating_add(usize::from(header.len));
            match bytes.get(next..).map(Header::parse) {
                Some(Ok(Some(second))) if second.len > 0 => Match::Yes,
                Some(Ok(Some(_)) | Err(_)) => Match::No,
                Some(Ok(None)) | None => Match::Perhaps,
            }
        }
    }
}

/// Whether a record with one alert in clear begins here (RFC 8446, section 6).
fn alert(bytes: &[u8]) -> Match {
    if bytes.first() != Some(&ContentType::ALERT.0) || record::may_begin(bytes).is_err() {
        return Match::No;
    }
    let tail = bytes.get(3..).unwrap_or_default();
    let right = tail.first().is_none_or(|high| *high == 0)
        && tail.get(1).is_none_or(|low| *low == 2)
        && tail.get(2).is_none_or(|level| matches!(*level, 1 | 2));
    match (right, tail.len() >= 4) {
        (true, true) => Match::Yes,
        (true, false) => Match::Perhaps,
        (false, _) => Match::No,
    }
}

/// A record that begins at the front of `bytes` and ends with them.
pub(crate) fn is_one_record(bytes: &[u8]) -> bool {
    matches!(Header::parse(bytes), Ok(Some(header))
        if header.len > 0 && bytes.len() == HEADER_LEN.saturating_add(usize::from(header.len)))
}

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Record header and handshake type: less says nothing.
const MIN_HELLO: usize = 6;

/// Up to the version of the hello: what a small snap length leaves, and enough to believe.
const MIN_LAST_HELLO: usize = 11;

/// Where the length of the session id stands in a record's fragment.
const SESSION_ID_AT: usize = 38;

/// No hello is longer: its parts have lengths of two bytes.
const MAX_HELLO_LEN: u32 = 2 + 32 + 33 + 65_538 + 256 + 65_538;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Cut anywhere, with types and lengths that lie.
        #[test]
        fn a_hello_of_any_kind_is_one_of_either(
            first in prop_oneof![4 => Just(22_u8), 1 => any::<u8>()],
            len in prop_oneof![Just(0_u8), 1_u8..8, Just(44), any::<u8>()],
            kind in prop_oneof![Just(CLIENT_HELLO), Just(SERVER_HELLO), any::<u8>()],
            message_len in prop_oneof![Just(40_u8), Just(41), any::<u8>()],
            rest in prop::collection::vec(prop_oneof![Just(0_u8), Just(3), any::<u8>()], 0..60),
            kept in 0_usize..70,
        ) {
            let mut bytes = vec![first, 3, 1, 0, len, kind, 0, 0, message_len, 3, 3];
            bytes.extend(rest);
            bytes.truncate(kept);
            let either = hello(&bytes, CLIENT_HELLO).or(hello(&bytes, SERVER_HELLO));
            prop_assert!(hello_of_any(&bytes) == either);
        }
    }
}
