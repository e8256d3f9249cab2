//! ClientHello: what the client asked for (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2).
//!
//! A hello that was cut is read as far as it goes, and says so. Nothing is judged here: a list is kept as it was sent, GREASE
//! (RFC 8701) included.

use crate::tls::extension::{self, ServerName, Ticket, Walk};
use crate::tls::lists::{List, Lists};
use crate::tls::reader::Reader;

/// The client's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientHello {
    /// All bytes of the message were there.
    pub whole: bool,
    /// It is whole, and its extensions were read to its last byte: nothing in it is unknown.
    pub complete: bool,
    /// It came in the format of SSL 2.0 (RFC 5246, appendix E.2).
    pub sslv2: bool,
    /// `legacy_version`: the highest version up to TLS 1.2.
    pub legacy_version: u16,
    /// `random`. An SSL 2.0 challenge stands at its end, after zeros.
    pub random: [u8; 32],
    /// `legacy_session_id`.
    pub session_id: Vec<u8>,
    /// The three-byte cipher kinds of an SSL 2.0 hello.
    pub cipher_kinds: Vec<u32>,
    /// The types of all extensions, in the order sent.
    pub extensions: Vec<u16>,
    /// `server_name` (RFC 6066, section 3).
    pub server_name: ServerName,
    /// The groups of the `key_share` entries.
    pub key_shares: Vec<u16>,
    /// A `pre_shared_key` extension is there.
    pub psk_offered: bool,
    /// Its first identity: in a resumption the ticket.
    pub psk_identity: Option<Ticket>,
    /// The key of its first identity was agreed before, and is not of a ticket: its obfuscated age is 0 (RFC 8446, section 4.2.11).
    pub psk_external: bool,
    /// An `early_data` extension is there.
    pub early_data: bool,
    /// A `session_ticket` extension is there (RFC 5077).
    pub session_ticket_supported: bool,
    /// The ticket in it, where it holds one.
    pub session_ticket: Option<Ticket>,
    /// An `encrypted_client_hello` or `encrypted_server_name` extension is there. It may be GREASE.
    pub ech: bool,
    /// A `status_request` extension is there (OCSP stapling).
    pub status_request: bool,
    /// Types of the extensions that could not be read, or not in full.
    pub malformed_extensions: Vec<u16>,
    /// Types of the extensions that came again; the first of each counts.
    pub repeated_extensions: Vec<u16>,
    pub(in crate::tls) lists: Lists,
}

impl ClientHello {
    /// Reads a ClientHello's body, of which `whole` says whether all of it is there.
    ///
    /// `None` when version and random cannot be read.
    pub(crate) fn parse(body: &[u8], whole: bool) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut hello = Self::new(reader.u16()?, reader.array()?);
        hello.whole = whole;
        let walked = hello.read(&mut reader).is_some();
        hello.complete = whole && walked && reader.is_empty();
        if hello.complete && hello.server_name == ServerName::Unknown {
            hello.server_name = ServerName::Absent;
        }
        Some(hello)
    }

    /// A hello of which no more is known yet.
    pub(crate) fn new(legacy_version: u16, random: [u8; 32]) -> Self {
        Self {
            whole: false,
            complete: false,
            sslv2: false,
            legacy_version,
            random,
            session_id: Vec::new(),
            cipher_kinds: Vec::new(),
            extensions: Vec::new(),
            server_name: ServerName::Unknown,
            key_shares: Vec::new(),
            psk_offered: false,
            psk_identity: None,
            psk_external: false,
            early_data: false,
            session_ticket_supported: false,
            session_ticket: None,
            ech: false,
            status_request: false,
            malformed_extensions: Vec::new(),
            repeated_extensions: Vec::new(),
            lists: Lists::default(),
        }
    }

    /// `cipher_suites`; of an SSL 2.0 hello those that TLS has too.
    #[must_use]
    pub fn cipher_suites(&self) -> Vec<u16> {
        self.lists.numbers(List::CIPHER_SUITES)
    }

    /// `legacy_compression_methods`.
    #[must_use]
    pub fn compression_methods(&self) -> &[u8] {
        self.lists.get(List::COMPRESSION_METHODS)
    }

    /// `application_layer_protocol_negotiation` (RFC 7301), at most 256 names.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        extension::names(self.lists.get(List::ALPN))
    }

    /// `supported_versions`.
    #[must_use]
    pub fn supported_versions(&self) -> Vec<u16> {
        self.lists.numbers(List::SUPPORTED_VERSIONS)
    }

    /// `supported_groups`.
    #[must_use]
    pub fn groups(&self) -> Vec<u16> {
        self.lists.numbers(List::GROUPS)
    }

    /// `ec_point_formats` (RFC 8422).
    #[must_use]
    pub fn point_formats(&self) -> &[u8] {
        self.lists.get(List::POINT_FORMATS)
    }

    /// `signature_algorithms`.
    #[must_use]
    pub fn signature_algorithms(&self) -> Vec<u16> {
        self.lists.numbers(List::SIGNATURE_ALGORITHMS)
    }

    /// `compress_certificate` (RFC 8879).
    #[must_use]
    pub fn certificate_compression(&self) -> Vec<u16> {
        self.lists.numbers(List::CERTIFICATE_COMPRESSION)
    }

    /// All of the lists above as bytes: the same for two hellos with the same lists.
    pub(crate) fn lists(&self) -> &[u8] {
        self.lists.as_bytes()
    }

    /// Reads what follows the random; `None` where it breaks off.
    fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.session_id = reader.vec8()?.to_vec();
        let (suites, broken) = vec16_or_part(reader)?;
        if broken && self.whole {
            // The length lies, so where the list ends is unknown.
            return None;
        }
        self.lists
            .reserve(suites.len().saturating_add(USUAL_LISTS_LEN));
        self.lists.put(List::CIPHER_SUITES, suites);
        if broken {
            return None;
        }
        self.lists.put(List::COMPRESSION_METHODS, reader.vec8()?);
        if reader.is_empty() {
            // A hello without extensions ends here (RFC 5246, section 7.4.1.2).
            return Some(());
        }
        let (block, broken) = vec16_or_part(reader)?;
        self.extensions.reserve_exact(USUAL_EXTENSIONS);
        let mut seen = [false; READ.len()];
        let walk = extension::walk(block, |kind, body| self.on_extension(kind, body, &mut seen));
        match walk {
            Walk::Whole if !broken => Some(()),
            Walk::Broken(Some((extension::SERVER_NAME, part)))
                if self.server_name == ServerName::Unknown =>
            {
                if let Some(name) = extension::server_name_of_part(part) {
                    self.extensions.push(extension::SERVER_NAME);
                    self.server_name = name;
                }
                None
            }
            Walk::Whole | Walk::Broken(_) => None,
        }
    }

    /// Takes in one extension; `seen` tells which of [`READ`] were there before.
    fn on_extension(&mut self, kind: u16, body: &[u8], seen: &mut [bool; READ.len()]) {
        self.extensions.push(kind);
        let seen = READ
            .iter()
            .zip(seen)
            .find_map(|(known, seen)| (*known == kind).then_some(seen));
        if let Some(seen) = seen
            && std::mem::replace(seen, true)
        {
            if !self.repeated_extensions.contains(&kind) {
                self.repeated_extensions.push(kind);
            }
            return;
        }
        if !self.read_extension(kind, body) && !self.malformed_extensions.contains(&kind) {
            self.malformed_extensions.push(kind);
        }
    }

    /// Reads one extension; `false` if something in it is wrong.
    fn read_extension(&mut self, kind: u16, body: &[u8]) -> bool {
        let (list, (bytes, right)) = match kind {
            extension::SUPPORTED_GROUPS => (List::GROUPS, extension::list16(body)),
            extension::EC_POINT_FORMATS => (List::POINT_FORMATS, extension::list8(body)),
            extension::SIGNATURE_ALGORITHMS => {
                (List::SIGNATURE_ALGORITHMS, extension::list16(body))
            }
            extension::ALPN => (List::ALPN, extension::alpn(body)),
            extension::COMPRESS_CERTIFICATE => {
                (List::CERTIFICATE_COMPRESSION, extension::even_list8(body))
            }
            extension::SUPPORTED_VERSIONS => {
                (List::SUPPORTED_VERSIONS, extension::even_list8(body))
            }
            _ => return self.read_other_extension(kind, body),
        };
        self.lists.put(list, bytes);
        right
    }

    /// Reads an extension that is no list.
    fn read_other_extension(&mut self, kind: u16, body: &[u8]) -> bool {
        let mut right = true;
        match kind {
            extension::SERVER_NAME => (self.server_name, right) = extension::server_name(body),
            extension::STATUS_REQUEST => self.status_request = true,
            extension::SESSION_TICKET => {
                self.session_ticket_supported = true;
                self.session_ticket = Ticket::new(body);
            }
            extension::KEY_SHARE => (self.key_shares, right) = extension::key_share_groups(body),
            extension::KEY_SHARE_OF_DRAFTS if self.key_shares.is_empty() => {
                // The number means something else today, so it may hold anything.
                let (groups, read) = extension::key_share_groups(body);
                if read {
                    self.key_shares = groups;
                }
            }
            extension::PRE_SHARED_KEY => {
                self.psk_offered = true;
                let identity = extension::first_identity(body);
                right = identity.is_some();
                self.psk_identity = identity.and_then(|(identity, _)| Ticket::new(identity));
                // A ticket has it once in four thousand million times.
                self.psk_external = identity.is_some_and(|(_, age)| age == Some([0; 4]));
            }
            extension::EARLY_DATA => self.early_data = true,
            extension::FIRST_ENCRYPTED_CLIENT_HELLO..=extension::ENCRYPTED_CLIENT_HELLO
            | extension::ENCRYPTED_SERVER_NAME => self.ech = true,
            _ => {}
        }
        right
    }
}

/// A vector with a length of two bytes, or what there is of it; and whether some is missing.
fn vec16_or_part<'a>(reader: &mut Reader<'a>) -> Option<(&'a [u8], bool)> {
    if let Some(whole) = reader.vec16() {
        return Some((whole, false));
    }
    reader.u16()?;
    let part = reader.rest();
    reader.take(part.len())?;
    Some((part, true))
}

/// What the lists of common clients take beside their cipher suites.
const USUAL_LISTS_LEN: usize = 192;

/// As many extensions as common clients send.
const USUAL_EXTENSIONS: usize = 20;

/// The extensions that are read, each of which may stand once.
const READ: [u16; 14] = [
    extension::SERVER_NAME,
    extension::STATUS_REQUEST,
    extension::SUPPORTED_GROUPS,
    extension::EC_POINT_FORMATS,
    extension::SIGNATURE_ALGORITHMS,
    extension::ALPN,
    extension::COMPRESS_CERTIFICATE,
    extension::SESSION_TICKET,
    extension::KEY_SHARE_OF_DRAFTS,
    extension::PRE_SHARED_KEY,
    extension::EARLY_DATA,
    extension::SUPPORTED_VERSIONS,
    extension::KEY_SHARE,
    extension::ENCRYPTED_CLIENT_HELLO,
];
