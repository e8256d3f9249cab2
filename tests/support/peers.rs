//! Two ends made by rustls, which talk in memory; and the packets that a capture has of it.
//!
//! `mod peers` comes by `#[path]`, beside `mod support`.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "each test file has a copy of its own and uses a part"
)]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion, WantsVerifier,
};
use serde_json::Value;

use crate::support::capture::Pcap;
use crate::support::certificate::{Certificate, Issued};
use crate::support::conversation::{Conversation, Segments as _, Side};
use crate::support::packet::{Link, Packet, Packets as _};

pub type Version = &'static SupportedProtocolVersion;

/// Both ends of a conversation, and the authority that both trust.
pub struct World {
    pub root: Issued,
    pub chain: Vec<Vec<u8>>,
    pub key: Vec<u8>,
    pub client_chain: Vec<Vec<u8>>,
    pub client_key: Vec<u8>,
}

impl World {
    pub fn new() -> Self {
        let root = Certificate::authority("Peers Root").self_signed();
        let server = Certificate::new("api.example").names(&["api.example", "10.1.0.4"]);
        let server = server.signed_by(&root);
        let client = Certificate::client("client 7").signed_by(&root);
        Self {
            chain: vec![server.der, root.der.clone()],
            key: server.key_der,
            client_chain: vec![client.der],
            client_key: client.key_der,
            root,
        }
    }

    pub fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der.clone().into()).unwrap();
        Arc::new(roots)
    }

    pub fn server(&self, version: Version) -> ServerConfig {
        let builder = server_builder(version, ring::default_provider());
        let config = builder.with_no_client_auth();
        config
            .with_single_cert(ders(&self.chain), key(&self.key))
            .unwrap()
    }

    pub fn client(&self, version: Version) -> ClientConfig {
        self.client_with(version, ring::default_provider())
    }

    pub fn client_with(&self, version: Version, provider: CryptoProvider) -> ClientConfig {
        let mut client = ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        // It offers to take compressed certificates only where a test says so.
        client.cert_decompressors = Vec::new();
        client
    }
}

pub fn server_builder(
    version: Version,
    provider: CryptoProvider,
) -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[version])
        .unwrap()
}

pub fn ders(chain: &[Vec<u8>]) -> Vec<CertificateDer<'static>> {
    chain.iter().map(|der| der.clone().into()).collect()
}

pub fn key(der: &[u8]) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(der.to_vec().into())
}

/// Two ends that have said all they had to say.
pub struct Meeting {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub packets: Vec<Packet>,
}

impl Meeting {
    pub fn capture(&self) -> Vec<u8> {
        let link = Link::Ethernet;
        Pcap::new().write(&link, &self.packets.clone().on(&link))
    }
}

/// Lets two ends talk until nobody has anything left to say.
pub fn meet(client: &ClientConfig, server: &ServerConfig, name: &str) -> Meeting {
    meet_and_say(client, server, name, [b"ping", b"pong"])
}

/// Lets the client ask one thing, and the server answer it.
pub fn meet_and_say(
    client: &ClientConfig,
    server: &ServerConfig,
    name: &str,
    [request, response]: [&[u8]; 2],
) -> Meeting {
    let mut talk = Talk::begin(client, server, name);
    talk.client.writer().write_all(request).unwrap();
    talk.settle();
    let has_answered = talk.heard_by_server == request;
    if has_answered {
        talk.server.writer().write_all(response).unwrap();
        talk.settle();
    }
    let segments = if has_answered {
        talk.conversation.fin()
    } else {
        talk.conversation.rst(Side::Client)
    };
    Meeting {
        client: talk.client,
        server: talk.server,
        packets: segments.segments().packets(),
    }
}

/// Two ends that are talking.
pub struct Talk {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub conversation: Conversation,
    /// What each side sent, in order.
    pub flights: Vec<(Side, Vec<u8>)>,
    /// The data that came out at the server.
    pub heard_by_server: Vec<u8>,
    /// One of them met an error.
    pub is_given_up: bool,
}

impl Talk {
    pub fn begin(client: &ClientConfig, server: &ServerConfig, name: &str) -> Self {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(client.clone()), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server.clone())).unwrap();
        client.set_buffer_limit(None);
        server.set_buffer_limit(None);
        Self {
            client,
            server,
            conversation: Conversation::between("10.1.0.5:50112", "10.1.0.4:443").syn(),
            flights: Vec::new(),
            heard_by_server: Vec::new(),
            is_given_up: false,
        }
    }

    /// Lets both say what they have to, until they are silent.
    pub fn settle(&mut self) {
        loop {
            let mut flight = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut flight).unwrap();
            }
            let is_silent = flight.is_empty();
            self.note(Side::Client, &flight);
            let mut rest = &flight[..];
            while !rest.is_empty() && self.server.read_tls(&mut rest).is_ok() {
                // An error is an alert on its way, which the capture shows.
                if self.server.process_new_packets().is_err() {
                    self.is_given_up = true;
                    break;
                }
                if let Some(mut early) = self.server.early_data() {
                    early.read_to_end(&mut self.heard_by_server).unwrap();
                }
                let _ = self.server.reader().read_to_end(&mut self.heard_by_server);
            }
            let mut flight = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut flight).unwrap();
            }
            self.note(Side::Server, &flight);
            if flight.is_empty() && is_silent {
                return;
            }
            let mut rest = &flight[..];
            while !rest.is_empty() && self.client.read_tls(&mut rest).is_ok() {
                if self.client.process_new_packets().is_err() {
                    self.is_given_up = true;
                    break;
                }
                let _ = self.client.reader().read_to_end(&mut Vec::new());
            }
        }
    }

    fn note(&mut self, side: Side, flight: &[u8]) {
        if !flight.is_empty() {
            self.flights.push((side, flight.to_vec()));
            self.conversation.say(side, flight);
        }
    }

    pub fn capture(self) -> Vec<u8> {
        let link = Link::Ethernet;
        let packets = self.conversation.fin().segments().packets();
        Pcap::new().write(&link, &packets.on(&link))
    }
}

/// The key log that an end writes.
#[derive(Debug, Default)]
pub struct Log(Mutex<String>);

impl Log {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl rustls::KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "{label} {} {}", hex(client_random), hex(secret)).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn hashes(chain: &Value) -> Vec<String> {
    let chain = chain.as_array().unwrap();
    let hash = |row: &Value| row["sha256"].as_str().unwrap().to_owned();
    chain.iter().map(hash).collect()
}

pub fn hashes_of(held: &[CertificateDer<'_>]) -> Vec<String> {
    let hash = |der: &CertificateDer<'_>| {
        hex(::ring::digest::digest(&::ring::digest::SHA256, der).as_ref())
    };
    held.iter().map(hash).collect()
}
