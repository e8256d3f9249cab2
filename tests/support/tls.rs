//! TLS by hand: messages (RFC 5246, section 7.4; RFC 8446, section 4), the records around them,
//! and whole handshakes as conversations. What would be secret is plain noise.

use super::conversation::{Conversation, Side};
use super::random::Random;

pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

pub const SSL30: u16 = 0x0300;
pub const TLS10: u16 = 0x0301;
pub const TLS12: u16 = 0x0303;
pub const TLS13: u16 = 0x0304;

pub const SERVER_NAME: u16 = 0;
pub const GROUPS: u16 = 10;
pub const ALPN: u16 = 16;
pub const SESSION_TICKET: u16 = 35;
pub const PRE_SHARED_KEY: u16 = 41;
pub const SUPPORTED_VERSIONS: u16 = 43;
pub const KEY_SHARE: u16 = 51;

/// Alert descriptions (RFC 8446, section 6).
pub const HANDSHAKE_FAILURE: u8 = 40;
pub const BAD_CERTIFICATE: u8 = 42;
pub const CERTIFICATE_EXPIRED: u8 = 45;
pub const UNKNOWN_CA: u8 = 48;
pub const UNRECOGNIZED_NAME: u8 = 112;

/// A ClientHello in the making: a plain one of TLS 1.2 without a name.
#[derive(Clone, Debug)]
pub struct ClientHello {
    pub version: u16,
    pub random: [u8; 32],
    pub session_id: Vec<u8>,
    pub suites: Vec<u16>,
    pub compressions: Vec<u8>,
    /// In their order; `None` is a hello without an extension block, as before RFC 3546.
    pub extensions: Option<Vec<(u16, Vec<u8>)>>,
    /// What stands behind the extensions, inside of their block.
    pub tail: Vec<u8>,
}

impl ClientHello {
    pub fn new() -> Self {
        Self {
            version: TLS12,
            random: [0xc1; 32],
            session_id: Vec::new(),
            suites: vec![0xc02b, 0xc02f, 0x009c, 0x002f],
            compressions: vec![0],
            extensions: Some(vec![
                (GROUPS, listed16(&[29, 23, 24])),
                (11, vec![1, 0]),
                (13, listed16(&[0x0403, 0x0804, 0x0401, 0x0807])),
                (23, Vec::new()),
                (0xff01, vec![0]),
            ]),
            tail: Vec::new(),
        }
    }

    /// Names its server (RFC 6066, section 3), in front of all other extensions.
    pub fn sni(self, name: &str) -> Self {
        self.sni_bytes(name.as_bytes())
    }

    /// Names its server in bytes that may be no name.
    pub fn sni_bytes(self, name: &[u8]) -> Self {
        let entry = [&[0], &with_len16(name)[..]].concat();
        self.first(SERVER_NAME, with_len16(&entry))
    }

    /// Offers protocols (RFC 7301).
    pub fn alpn(self, protocols: &[&str]) -> Self {
        let list: Vec<u8> = protocols
            .iter()
            .flat_map(|name| with_len8(name.as_bytes()))
            .collect();
        self.extension(ALPN, with_len16(&list))
    }

    /// Offers these versions (RFC 8446, section 4.2.1).
    pub fn versions(self, versions: &[u16]) -> Self {
        let list: Vec<u8> = versions
            .iter()
            .flat_map(|version| version.to_be_bytes())
            .collect();
        self.extension(SUPPORTED_VERSIONS, with_len8(&list))
    }

    /// Offers these groups, in place of those it has.
    pub fn groups(mut self, groups: &[u16]) -> Self {
        let list = self.extensions.get_or_insert_default();
        list.retain(|(kind, _)| *kind != GROUPS);
        self.extension(GROUPS, listed16(groups))
    }

    /// With a key of `len` bytes for `group` (RFC 8446, section 4.2.8).
    pub fn key_share(self, group: u16, len: usize) -> Self {
        let share = [&group.to_be_bytes()[..], &with_len16(&vec![0x5a; len])].concat();
        self.extension(KEY_SHARE, with_len16(&share))
    }

    /// As a client of TLS 1.3 sends it, with middlebox compatibility (RFC 8446, appendix D.4).
    pub fn tls13(mut self) -> Self {
        self.session_id = vec![0x1d; 32];
        self.suites.splice(..0, [0x1301, 0x1302, 0x1303]);
        self.versions(&[TLS13, TLS12]).key_share(29, 32)
    }

    /// Asks to resume a session by its id (RFC 5246, section 7.3).
    pub fn session(mut self, id: &[u8]) -> Self {
        self.session_id = id.to_vec();
        self
    }

    pub fn suites(mut self, suites: &[u16]) -> Self {
        self.suites = suites.to_vec();
        self
    }

    /// With one more extension, whether it makes sense or not.
    pub fn extension(mut self, kind: u16, body: Vec<u8>) -> Self {
        self.extensions.get_or_insert_default().push((kind, body));
        self
    }

    /// With one more extension in front of the others.
    pub fn first(mut self, kind: u16, body: Vec<u8>) -> Self {
        self.extensions
            .get_or_insert_default()
            .insert(0, (kind, body));
        self
    }

    /// Ends its extension block with `bytes`, such as an extension longer than the block.
    pub fn tail(mut self, bytes: &[u8]) -> Self {
        self.tail = bytes.to_vec();
        self
    }

    /// Without an extension block.
    pub fn bare(mut self) -> Self {
        self.extensions = None;
        self
    }

    /// The handshake message.
    pub fn message(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend(self.random);
        body.extend(with_len8(&self.session_id));
        body.extend(listed16(&self.suites));
        body.extend(with_len8(&self.compressions));
        body.extend(extension_block(self.extensions.as_ref(), &self.tail));
        message(1, &body)
    }

    /// The message in one record of the version that clients write first.
    pub fn record(&self) -> Vec<u8> {
        record_of(HANDSHAKE, TLS10, &self.message())
    }
}

/// The hello of a client that also speaks SSL 2.0 (RFC 5246, appendix E.2), for TLS 1.2 at most.
pub fn sslv2_hello() -> Vec<u8> {
    let suites = [0, 0, 0x2f, 0, 0, 0x35, 1, 0, 0x80];
    let lengths = [0, 9, 0, 0, 0, 16];
    let body = [&[1, 3, 3][..], &lengths, &suites, &[0xc2; 16]].concat();
    let len = u16::try_from(body.len()).unwrap() | 0x8000;
    [&len.to_be_bytes(), &body[..]].concat()
}

/// A ServerHello in the making: TLS 1.2, ECDHE.
#[derive(Clone, Debug)]
pub struct ServerHello {
    pub version: u16,
    pub random: [u8; 32],
    pub session_id: Vec<u8>,
    pub suite: u16,
    pub extensions: Option<Vec<(u16, Vec<u8>)>>,
}

impl ServerHello {
    pub fn new() -> Self {
        Self {
            version: TLS12,
            random: [0x5e; 32],
            session_id: vec![0x77; 32],
            suite: 0xc02f,
            extensions: Some(vec![(0xff01, vec![0]), (11, vec![1, 0])]),
        }
    }

    /// The answer of TLS 1.3 to a hello made by [`ClientHello::tls13`].
    pub fn tls13() -> Self {
        let share = [&[0, 29][..], &with_len16(&[0xa5; 32])].concat();
        Self {
            session_id: vec![0x1d; 32],
            suite: 0x1301,
            extensions: Some(vec![
                (SUPPORTED_VERSIONS, TLS13.to_be_bytes().to_vec()),
                (KEY_SHARE, share),
            ]),
            ..Self::new()
        }
    }

    /// A HelloRetryRequest that asks for `group` (RFC 8446, section 4.1.4).
    pub fn retry(group: u16) -> Self {
        Self {
            random: [
                0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65,
                0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
                0xc8, 0xa8, 0x33, 0x9c,
            ],
            extensions: Some(vec![
                (SUPPORTED_VERSIONS, TLS13.to_be_bytes().to_vec()),
                (KEY_SHARE, group.to_be_bytes().to_vec()),
            ]),
            ..Self::tls13()
        }
    }

    pub fn version(mut self, version: u16) -> Self {
        self.version = version;
        self
    }

    pub fn suite(mut self, suite: u16) -> Self {
        self.suite = suite;
        self
    }

    pub fn session(mut self, id: &[u8]) -> Self {
        self.session_id = id.to_vec();
        self
    }

    pub fn extension(mut self, kind: u16, body: Vec<u8>) -> Self {
        self.extensions.get_or_insert_default().push((kind, body));
        self
    }

    /// The handshake message.
    pub fn message(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend(self.random);
        body.extend(with_len8(&self.session_id));
        body.extend(self.suite.to_be_bytes());
        body.push(0);
        body.extend(extension_block(self.extensions.as_ref(), &[]));
        message(2, &body)
    }
}

/// A handshake message of any type.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &with_len24(body)[..]].concat()
}

/// The Certificate message of TLS 1.2 (RFC 5246, section 7.4.2), the leaf first.
pub fn certificate(chain: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| with_len24(der)).collect();
    message(11, &with_len24(&list))
}

/// The Certificate message of TLS 1.3 (RFC 8446, section 4.4.2), without extensions.
pub fn certificate13(chain: &[Vec<u8>]) -> Vec<u8> {
    let entry = |der: &Vec<u8>| [with_len24(der), vec![0, 0]].concat();
    let list: Vec<u8> = chain.iter().flat_map(entry).collect();
    message(11, &[&[0], &with_len24(&list)[..]].concat())
}

/// An ECDHE key for x25519 with a signature of noise (RFC 8422, section 5.4).
pub fn server_key_exchange() -> Vec<u8> {
    let signature = [&[8, 4][..], &with_len16(&[0x51; 256])].concat();
    message(
        12,
        &[&[3, 0, 29][..], &with_len8(&[0xa5; 32]), &signature].concat(),
    )
}

/// Asks for a certificate of RSA or ECDSA, from any authority (RFC 5246, section 7.4.4).
pub fn certificate_request() -> Vec<u8> {
    let algorithms = listed16(&[0x0403, 0x0804, 0x0401]);
    message(
        13,
        &[&with_len8(&[1, 64])[..], &algorithms, &[0, 0]].concat(),
    )
}

pub fn server_hello_done() -> Vec<u8> {
    message(14, &[])
}

pub fn client_key_exchange() -> Vec<u8> {
    message(16, &with_len8(&[0x5a; 32]))
}

pub fn new_session_ticket(ticket: &[u8]) -> Vec<u8> {
    message(4, &[&[0, 0, 28, 32][..], &with_len16(ticket)].concat())
}

/// `bytes` in one record, of TLS 1.2.
pub fn record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    record_of(kind, TLS12, bytes)
}

/// `bytes` in one record.
pub fn record_of(kind: u8, version: u16, bytes: &[u8]) -> Vec<u8> {
    [&[kind], &version.to_be_bytes()[..], &with_len16(bytes)].concat()
}

/// `bytes` in records of `len` bytes each, and the rest.
pub fn records(kind: u8, bytes: &[u8], len: usize) -> Vec<u8> {
    bytes
        .chunks(len)
        .flat_map(|part| record(kind, part))
        .collect()
}

/// An alert that ends the connection, in clear.
pub fn fatal_alert(description: u8) -> Vec<u8> {
    record(ALERT, &[2, description])
}

/// The alert that says goodbye, in clear.
pub fn close_notify() -> Vec<u8> {
    record(ALERT, &[1, 0])
}

pub fn change_cipher_spec() -> Vec<u8> {
    record(CHANGE_CIPHER_SPEC, &[1])
}

/// A record of `len` bytes that only its receiver could read.
pub fn encrypted(kind: u8, len: usize) -> Vec<u8> {
    let seed = u64::try_from(len).unwrap();
    record(kind, &Random::quiet(seed).bytes(len))
}

/// The Finished message of TLS 1.2, as AES-GCM makes it.
pub fn finished() -> Vec<u8> {
    encrypted(HANDSHAKE, 40)
}

/// What is said after a TLS conversation has begun, one method a flight.
pub trait Tls: Sized {
    /// A full handshake of TLS 1.2 that ends well, some data, and goodbye.
    fn tls12(self, hello: &ClientHello, chain: &[Vec<u8>]) -> Self;
    /// The same, as far as the server's first flight.
    fn tls12_to_certificate(self, hello: &ClientHello, chain: &[Vec<u8>]) -> Self;
    /// The client does not like the certificate, and says so.
    fn tls12_distrusted(self, hello: &ClientHello, chain: &[Vec<u8>], alert: u8) -> Self;
    /// The server does not like the hello, and says so.
    fn refused(self, hello: &ClientHello, alert: u8) -> Self;
    /// An abbreviated handshake of TLS 1.2 (RFC 5246, section 7.3): no certificate is sent.
    fn tls12_resumed(self, hello: &ClientHello, id: &[u8]) -> Self;
    /// What a handshake of TLS 1.3 looks like from outside.
    fn tls13(self, hello: &ClientHello) -> Self;
    /// The same, when the server first asks for another group.
    fn tls13_retried(self, hello: &ClientHello, group: u16) -> Self;
    /// Encrypted data in both directions, and goodbye.
    fn data(self) -> Self;
}

impl Tls for Conversation {
    fn tls12(self, hello: &ClientHello, chain: &[Vec<u8>]) -> Self {
        let key = record(HANDSHAKE, &client_key_exchange());
        self.tls12_to_certificate(hello, chain)
            .client(&[key, change_cipher_spec(), finished()].concat())
            .server(&[change_cipher_spec(), finished()].concat())
            .data()
    }

    fn tls12_to_certificate(self, hello: &ClientHello, chain: &[Vec<u8>]) -> Self {
        let flight = [
            ServerHello::new().message(),
            certificate(chain),
            server_key_exchange(),
            server_hello_done(),
        ];
        self.client(&hello.record())
            .server(&records(HANDSHAKE, &flight.concat(), 1 << 14))
    }

    fn tls12_distrusted(self, hello: &ClientHello, chain: &[Vec<u8>], alert: u8) -> Self {
        self.tls12_to_certificate(hello, chain)
            .client(&fatal_alert(alert))
            .rst(Side::Client)
    }

    fn refused(self, hello: &ClientHello, alert: u8) -> Self {
        self.client(&hello.record())
            .server(&fatal_alert(alert))
            .fin()
    }

    fn tls12_resumed(self, hello: &ClientHello, id: &[u8]) -> Self {
        let answer = record(HANDSHAKE, &ServerHello::new().session(id).message());
        self.client(&hello.clone().session(id).record())
            .server(&[answer, change_cipher_spec(), finished()].concat())
            .client(&[change_cipher_spec(), finished()].concat())
            .data()
    }

    fn tls13(self, hello: &ClientHello) -> Self {
        let answer = record(HANDSHAKE, &ServerHello::tls13().message());
        let sealed = encrypted(APPLICATION_DATA, 1200);
        let finished = encrypted(APPLICATION_DATA, 53);
        self.client(&hello.record())
            .server(&[answer, change_cipher_spec(), sealed].concat())
            .client(&[change_cipher_spec(), finished].concat())
            .data()
    }

    fn tls13_retried(self, hello: &ClientHello, group: u16) -> Self {
        let retry = record(HANDSHAKE, &ServerHello::retry(group).message());
        self.client(&hello.record())
            .server(&[retry, change_cipher_spec()].concat())
            .tls13(&hello.clone().key_share(group, 65))
    }

    fn data(self) -> Self {
        self.client(&encrypted(APPLICATION_DATA, 300))
            .server(&encrypted(APPLICATION_DATA, 4000))
            .client(&encrypted(ALERT, 26))
            .fin()
    }
}

/// `bytes` behind their length in one byte.
pub fn with_len8(bytes: &[u8]) -> Vec<u8> {
    with_len::<1>(bytes)
}

/// `bytes` behind their length in two bytes.
pub fn with_len16(bytes: &[u8]) -> Vec<u8> {
    with_len::<2>(bytes)
}

/// `bytes` behind their length in three bytes.
pub fn with_len24(bytes: &[u8]) -> Vec<u8> {
    with_len::<3>(bytes)
}

fn with_len<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    let len = u64::try_from(bytes.len()).unwrap();
    assert!(len >> (8 * N) == 0, "{len} bytes are too many");
    [&len.to_be_bytes()[8 - N..], bytes].concat()
}

/// A list of codes behind its length.
fn listed16(codes: &[u16]) -> Vec<u8> {
    let list: Vec<u8> = codes.iter().flat_map(|code| code.to_be_bytes()).collect();
    with_len16(&list)
}

fn extension_block(extensions: Option<&Vec<(u16, Vec<u8>)>>, tail: &[u8]) -> Vec<u8> {
    let Some(extensions) = extensions else {
        return Vec::new();
    };
    let entry =
        |(kind, body): &(u16, Vec<u8>)| [&kind.to_be_bytes()[..], &with_len16(body)].concat();
    let mut list: Vec<u8> = extensions.iter().flat_map(entry).collect();
    list.extend(tail);
    with_len16(&list)
}
