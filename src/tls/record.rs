//! TLS records: the envelope around every TLS message (RFC 8446, section 5.1).
//!
//! ```text
//!  type 1 | version 2 | length 2 | fragment …
//! ```
//!
//! This module reads headers and says whether bytes can be one. It does not look inside, and it holds
//! no bytes: a fragment is handed on in the pieces in which it arrives.

use crate::tls::error::RecordError;

/// The kind of a record (RFC 8446, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentType(pub u8);

impl ContentType {
    /// `change_cipher_spec`.
    pub const CHANGE_CIPHER_SPEC: Self = Self(20);
    /// `alert`.
    pub const ALERT: Self = Self(21);
    /// `handshake`.
    pub const HANDSHAKE: Self = Self(22);
    /// `application_data`.
    pub const APPLICATION_DATA: Self = Self(23);
    /// `heartbeat` (RFC 6520, section 3).
    pub const HEARTBEAT: Self = Self(24);
}

/// The first five bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) content_type: ContentType,
    pub(crate) version: [u8; 2],
    pub(crate) len: u16,
}

impl Header {
    /// The header at the front of `bytes`; `Ok(None)` while fewer than five bytes are there.
    ///
    /// # Errors
    ///
    /// When the bytes that are there cannot begin a record.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, RecordError> {
        let Some([kind, major, minor, high, low]) = bytes.first_chunk::<HEADER_LEN>() else {
            return may_begin(bytes).map(|()| None);
        };
        let (kind, major, minor) = (*kind, *major, *minor);
        may_begin(&[kind, major, minor])?;
        let len = u16::from_be_bytes([*high, *low]);
        if len > MAX_FRAGMENT_LEN {
            return Err(RecordError::TooLong { len });
        }
        Ok(Some(Self {
            content_type: ContentType(kind),
            version: [major, minor],
            len,
        }))
    }
}

/// Whether `bytes`, of any number, can be the first ones of a record.
pub(crate) fn may_begin(bytes: &[u8]) -> Result<(), RecordError> {
    let mut bytes = bytes.iter().copied();
    let Some(kind) = bytes.next() else {
        return Ok(());
    };
    if !(ContentType::CHANGE_CIPHER_SPEC.0..=ContentType::HEARTBEAT.0).contains(&kind) {
        return Err(RecordError::Type { kind });
    }
    match (bytes.next(), bytes.next()) {
        // SSL 3.0 to TLS 1.3; and TLCP (GB/T 38636), which is TLS with another number.
        (None | Some(3 | 1), None) | (Some(3), Some(0..=4)) | (Some(1), Some(1)) => Ok(()),
        (major, minor) => Err(RecordError::Version {
            major: major.unwrap_or_default(),
            minor: minor.unwrap_or_default(),
        }),
    }
}

/// Type, version and length.
pub(crate) const HEADER_LEN: usize = 5;

/// The longest fragment believed: 2^14 + 2048 for a TLS 1.2 ciphertext (RFC 5246, section 6.2.3), and
/// 2048 more, since old stacks are known to exceed it.
pub(crate) const MAX_FRAGMENT_LEN: u16 = (1 << 14) + 2048 + 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_when_its_five_bytes_are_there() {
        let bytes = [22, 3, 1, 2, 0, 1];
        for len in 0..HEADER_LEN {
            assert_eq!(Header::parse(&bytes[..len]), Ok(None));
        }
        let header = Header::parse(&bytes).unwrap().unwrap();
        assert_eq!(header.content_type, ContentType::HANDSHAKE);
        assert_eq!(header.len, 512);
    }

    #[test]
    fn a_wrong_byte_is_refused_as_soon_as_it_is_there() {
        assert!(Header::parse(&[0x47]).is_err());
        assert!(Header::parse(&[22, 2]).is_err());
        assert!(Header::parse(&[22, 3, 5]).is_err());
        assert!(Header::parse(&[22, 1, 0]).is_err());
        assert!(Header::parse(&[22, 3, 1, 0xff, 0]).is_err());
    }

    #[test]
    fn a_ciphertext_of_the_largest_legal_size_is_accepted() {
        let [high, low] = 18_432_u16.to_be_bytes();
        assert!(Header::parse(&[23, 3, 3, high, low]).unwrap().is_some());
    }
}
