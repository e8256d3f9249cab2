//! Extensions of the hellos: the walk from one to the next, and the bodies that matter here.
//!
//! The walk reads type, length and bytes only (RFC 8446, section 4.2), so that a body that cannot be read costs
//! nothing but itself: what stands before and behind it stays a fact.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::tls::reader::Reader;

/// The name of the server in a ClientHello (RFC 6066, section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerName {
    /// There is none: the extensions were read to the last byte.
    Absent,
    /// The extension is there, and its list or its name has no byte.
    Empty,
    /// The extension is there and cannot be read; its bytes.
    Invalid(Vec<u8>),
    /// An IP address as text, which the RFC forbids; as sent.
    IpLiteral(String),
    /// The name as sent: neither its case nor a dot at its end is touched.
    Name(Vec<u8>),
    /// The hello was not read far enough to say.
    Unknown,
}

/// A session ticket or a pre-shared key's identity, by its hash: enough to find it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Length in bytes.
    pub len: u32,
    /// The first half of its SHA-256.
    pub digest: [u8; 16],
}

impl Ticket {
    /// The ticket with these bytes; `None` for no bytes.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        let whole = ring::digest::digest(&ring::digest::SHA256, bytes);
        Some(Self {
            len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            digest: *whole.as_ref().first_chunk()?,
        })
    }
}

/// Walks the extensions in `block`, up to a length that leads beyond its end.
pub(crate) fn walk(block: &[u8], mut on_extension: impl FnMut(u16, &[u8])) -> Walk<'_> {
    let mut reader = Reader::new(block);
    while !reader.is_empty() {
        let Some(kind) = reader.u16() else {
            return Walk::Broken(None);
        };
        match reader.vec16() {
            Some(body) => on_extension(kind, body),
            None => return Walk::Broken(Some((kind, reader.rest()))),
        }
    }
    Walk::Whole
}

/// How a walk over the extensions ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk<'a> {
    /// At the last byte.
    Whole,
    /// Before it, at an extension that is not whole: its type, and its length and bytes as far as they are there.
    Broken(Option<(u16, &'a [u8])>),
}

/// The first name of type `host_name`, and whether the lengths around it were right.
pub(crate) fn server_name(body: &[u8]) -> (ServerName, bool) {
    if body.is_empty() {
        return (ServerName::Empty, true);
    }
    let invalid = || (ServerName::Invalid(body.to_vec()), false);
    let mut reader = Reader::new(body);
    let Some(list_len) = reader.u16() else {
        return invalid();
    };
    let exact = usize::from(list_len) == reader.rest().len();
    if reader.is_empty() {
        return if exact {
            (ServerName::Empty, true)
        } else {
            invalid()
        };
    }
    while !reader.is_empty() {
        let (Some(kind), Some(name)) = (reader.u8(), reader.vec16()) else {
            return invalid();
        };
        if kind == HOST_NAME {
            return (host_name(name), exact);
        }
    }
    invalid()
}

/// A name that the capture cut off after the whole of it.
pub(crate) fn server_name_of_part(len_and_body: &[u8]) -> Option<ServerName> {
    let body = len_and_body.get(2..)?;
    match server_name(body).0 {
        name @ (ServerName::Name(_) | ServerName::IpLiteral(_)) => Some(name),
        _ => None,
    }
}

fn host_name(name: &[u8]) -> ServerName {
    if name.is_empty() {
        return ServerName::Empty;
    }
    // Every address begins so; most names are told by their first byte.
    let first = name.first().copied().unwrap_or_default();
    if (first.is_ascii_hexdigit() || first == b':' || first == b'[')
        && let Ok(text) = std::str::from_utf8(name)
        && is_address(text)
    {
        return ServerName::IpLiteral(text.to_owned());
    }
    ServerName::Name(name.to_vec())
}

fn is_address(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok(),
    }
}

/// The protocol names of an ALPN list (RFC 7301, section 3.1), each with its length before it, and whether all of it could be read.
pub(crate) fn alpn(body: &[u8]) -> (&[u8], bool) {
    let mut reader = Reader::new(body);
    let declared = reader.u16().map(usize::from);
    let list = reader.rest();
    let mut right = declared == Some(list.len());
    let mut count = 0;
    while !reader.is_empty() {
        let before = list.len().saturating_sub(reader.rest().len());
        match reader.vec8() {
            Some(name) if count < MAX_ALPN_NAMES => {
                right &= !name.is_empty();
                count += 1;
            }
            _ => return (list.get(..before).unwrap_or_default(), false),
        }
    }
    (list, right)
}

/// The names in `list`, each with its length before it.
pub(crate) fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(list);
    std::iter::from_fn(move || reader.vec8())
}

/// A list of two-byte numbers with a length of two bytes: its bytes, and whether its length was right.
pub(crate) fn list16(body: &[u8]) -> (&[u8], bool) {
    let mut reader = Reader::new(body);
    let declared = reader.u16().map(usize::from);
    let list = reader.rest();
    let right = declared == Some(list.len()) && list.len().is_multiple_of(2);
    (list, right)
}

/// A list with a length of one byte: its bytes, and whether its length was right.
pub(crate) fn list8(body: &[u8]) -> (&[u8], bool) {
    let mut reader = Reader::new(body);
    let declared = reader.u8().map(usize::from);
    let list = reader.rest();
    (list, declared == Some(list.len()))
}

/// A list of two-byte numbers with a length of one byte: its bytes, and whether its length was right.
pub(crate) fn even_list8(body: &[u8]) -> (&[u8], bool) {
    let (list, right) = list8(body);
    (list, right && list.len().is_multiple_of(2))
}

/// The groups of a client's key shares (RFC 8446, section 4.2.8).
pub(crate) fn key_share_groups(body: &[u8]) -> (Vec<u16>, bool) {
    let mut groups = Vec::new();
    let mut reader = Reader::new(body);
    let declared = reader.u16().map(usize::from);
    let right = declared == Some(reader.rest().len());
    while !reader.is_empty() {
        let (Some(group), Some(_)) = (reader.u16(), reader.vec16()) else {
            return (groups, false);
        };
        groups.push(group);
    }
    (groups, right)
}

/// The first identity of a client's pre-shared keys, and its obfuscated ticket age (RFC 8446, section 4.2.11).
pub(crate) fn first_identity(body: &[u8]) -> Option<(&[u8], Option<[u8; 4]>)> {
    let mut identities = Reader::new(Reader::new(body).vec16()?);
    let identity = identities.vec16()?;
    Some((identity, identities.array()))
}

/// `server_name` (RFC 6066).
pub(crate) const SERVER_NAME: u16 = 0;
/// `status_request` (RFC 6066).
pub(crate) const STATUS_REQUEST: u16 = 5;
/// `supported_groups` (RFC 8446).
pub(crate) const SUPPORTED_GROUPS: u16 = 10;
/// `ec_point_formats` (RFC 8422).
pub(crate) const EC_POINT_FORMATS: u16 = 11;
/// `signature_algorithms` (RFC 8446).
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
/// `application_layer_protocol_negotiation` (RFC 7301).
pub(crate) const ALPN: u16 = 16;
/// `compress_certificate` (RFC 8879).
pub(crate) const COMPRESS_CERTIFICATE: u16 = 27;
/// `session_ticket` (RFC 5077).
pub(crate) const SESSION_TICKET: u16 = 35;
/// `key_share` before draft 23 of TLS 1.3.
pub(crate) const KEY_SHARE_OF_DRAFTS: u16 = 40;
/// `pre_shared_key` (RFC 8446).
pub(crate) const PRE_SHARED_KEY: u16 = 41;
/// `early_data` (RFC 8446).
pub(crate) const EARLY_DATA: u16 = 42;
/// `supported_versions` (RFC 8446).
pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
/// `key_share` (RFC 8446).
pub(crate) const KEY_SHARE: u16 = 51;
/// `encrypted_client_hello` (RFC 9849), the last of the numbers that its drafts had.
pub(crate) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
/// `encrypted_client_hello` in its first draft with this form.
pub(crate) const FIRST_ENCRYPTED_CLIENT_HELLO: u16 = 0xfe08;
/// `encrypted_server_name` of the drafts before.
pub(crate) const ENCRYPTED_SERVER_NAME: u16 = 0xffce;

/// The type of a name that is a host's.
const HOST_NAME: u8 = 0;

/// More protocol names than any client sends; the rest of a longer list is not kept.
const MAX_ALPN_NAMES: usize = 256;
