//! ServerHello: what the server chose (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3).
//!
//! Also the HelloRetryRequest, which is a ServerHello with a random of its own (and was a message of its own
//! in the drafts), and the shorter form of the drafts before 22.

use crate::tls::extension::{self, Walk};
use crate::tls::reader::Reader;

/// The server's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerHello {
    /// All bytes of the message were there.
    pub whole: bool,
    /// It is whole, and its extensions were read to its last byte: nothing in it is unknown.
    pub complete: bool,
    /// It is the SERVER-HELLO of SSL 2.0.
    pub sslv2: bool,
    /// `legacy_version`.
    pub legacy_version: u16,
    /// `random`; in SSL 2.0 the connection id, at its end, after zeros.
    pub random: [u8; 32],
    /// `legacy_session_id_echo`.
    pub session_id: Vec<u8>,
    /// `cipher_suite`. `None` in SSL 2.0, where the client chooses, or when the message was cut before it.
    pub cipher_suite: Option<u16>,
    /// `legacy_compression_method`.
    pub compression_method: u8,
    /// The types of all extensions, in the order sent.
    pub extensions: Vec<u16>,
    /// The version in `supported_versions`.
    pub selected_version: Option<u16>,
    /// The group of the `key_share`.
    pub key_share: Option<u16>,
    /// The number of the pre-shared key that was chosen.
    pub psk_selected: Option<u16>,
    /// The application protocol that was chosen (RFC 7301); in TLS 1.3 it is sent encrypted.
    pub alpn: Option<Vec<u8>>,
    /// A `server_name` extension is there: the name was used (RFC 6066, section 3).
    pub server_name_acknowledged: bool,
    /// A `session_ticket` extension is there: a ticket will follow (RFC 5077, section 3.2).
    pub session_ticket: bool,
    /// Types of the extensions that could not be read.
    pub malformed_extensions: Vec<u16>,
}

impl ServerHello {
    /// Reads a ServerHello's body, of which `whole` says whether all of it is there.
    ///
    /// `None` when version and random cannot be read.
    pub(crate) fn parse(body: &[u8], whole: bool) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut hello = Self::new(reader.u16()?, reader.array()?);
        let walked = hello.read(&mut reader).is_some();
        hello.whole = whole;
        hello.complete = whole && walked && reader.is_empty();
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
            cipher_suite: None,
            compression_method: 0,
            extensions: Vec::new(),
            selected_version: None,
            key_share: None,
            psk_selected: None,
            alpn: None,
            server_name_acknowledged: false,
            session_ticket: false,
            malformed_extensions: Vec::new(),
        }
    }

    /// The version of the session: that in `supported_versions`, else `legacy_version`.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.selected_version.unwrap_or(self.legacy_version)
    }

    /// Whether the session is TLS 1.3, one of its drafts or one of the experiments on the way to it: all that follows is encrypted.
    #[must_use]
    pub fn is_tls13(&self) -> bool {
        let [high, _] = self.version().to_be_bytes();
        self.version() == 0x0304 || matches!(high, 0x7e | 0x7f | 0xfb)
    }

    /// Whether this is a HelloRetryRequest (RFC 8446, section 4.1.4).
    pub(crate) fn is_retry_request(&self) -> bool {
        self.random == RETRY_RANDOM
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        // Drafts before 22 have neither session id nor compression method.
        let [high, draft] = self.legacy_version.to_be_bytes();
        let short = high == 0x7f && draft < 22;
        if !short {
            self.session_id = reader.vec8()?.to_vec();
        }
        self.cipher_suite = Some(reader.u16()?);
        if !short {
            self.compression_method = reader.u8()?;
        }
        if reader.is_empty() {
            return Some(());
        }
        let block = reader.vec16()?;
        self.extensions.reserve_exact(USUAL_EXTENSIONS);
        let walk = extension::walk(block, |kind, body| self.on_extension(kind, body));
        (walk == Walk::Whole).then_some(())
    }

    /// Takes in what TLS 1.3 sends in EncryptedExtensions (RFC 8446, section 4.3.1) and TLS 1.2 in the hello.
    ///
    /// The list of the hello's extensions stays as it was sent.
    pub(crate) fn on_encrypted_extensions(&mut self, body: &[u8]) {
        let Some(block) = Reader::new(body).vec16() else {
            return;
        };
        extension::walk(block, |kind, body| match kind {
            extension::SERVER_NAME => self.server_name_acknowledged = true,
            extension::ALPN => {
                let mut names = extension::names(extension::alpn(body).0);
                self.alpn = self.alpn.take().or_else(|| Some(names.next()?.to_vec()));
            }
            _ => {}
        });
    }

    fn on_extension(&mut self, kind: u16, body: &[u8]) {
        self.extensions.push(kind);
        let mut reader = Reader::new(body);
        let right = match kind {
            extension::SERVER_NAME => {
                self.server_name_acknowledged = true;
                true
            }
            extension::ALPN => {
                let (list, right) = extension::alpn(body);
                let mut names = extension::names(list);
                let name = names.next();
                self.alpn = self.alpn.take().or_else(|| Some(name?.to_vec()));
                right && name.is_some() && names.next().is_none()
            }
            extension::SESSION_TICKET => {
                self.session_ticket = true;
                true
            }
            extension::SUPPORTED_VERSIONS => {
                self.selected_version = self.selected_version.or_else(|| reader.u16());
                self.selected_version.is_some()
            }
            extension::KEY_SHARE => {
                self.key_share = self.key_share.or_else(|| reader.u16());
                self.key_share.is_some()
            }
            extension::KEY_SHARE_OF_DRAFTS => {
                self.key_share = self.key_share.or_else(|| reader.u16());
                true
            }
            extension::PRE_SHARED_KEY => {
                self.psk_selected = self.psk_selected.or_else(|| reader.u16());
                self.psk_selected.is_some()
            }
            _ => true,
        };
        if !right && !self.malformed_extensions.contains(&kind) {
            self.malformed_extensions.push(kind);
        }
    }
}

/// As many extensions as common servers send.
const USUAL_EXTENSIONS: usize = 8;

/// The random that makes a ServerHello a HelloRetryRequest: SHA-256 of that word (RFC 8446, section 4.1.3).
pub(crate) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
