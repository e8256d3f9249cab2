//! The TLS fields of a flow that ECS has a place for (`tls.*`).

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::certificate::LeafReport;
use crate::report::common::Common;
use crate::report::cut::{Bounded, Cut};
use crate::report::hex::Hex;
use crate::report::skip::absent;
use crate::report::words::VersionProtocol;

/// What client and server agreed on, and what they showed (ECS `tls`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TlsReport {
    /// The negotiated version: `1.2`; `1.3` for its drafts too. Left out where no standard names
    /// the number that was seen: see `tlstriage.version_raw`.
    #[serde(skip_serializing_if = "absent")]
    pub version: Option<Cow<'static, str>>,
    /// The family of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_protocol: Option<VersionProtocol>,
    /// The chosen cipher suite by its IANA name, or its number.
    #[serde(skip_serializing_if = "absent")]
    pub cipher: Option<Cow<'static, str>>,
    /// The group of the key exchange.
    #[serde(skip_serializing_if = "absent")]
    pub curve: Option<Cow<'static, str>>,
    /// The application protocol that the server chose (ALPN, RFC 7301), in lower case.
    #[serde(skip_serializing_if = "absent")]
    pub next_protocol: Option<Arc<str>>,
    /// Whether the handshake was completed and nobody rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub established: Option<bool>,
    /// Whether an earlier session was resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// The client.
    #[serde(skip_serializing_if = "TlsClient::is_empty")]
    pub client: TlsClient,
    /// The server.
    #[serde(skip_serializing_if = "TlsServer::is_empty")]
    pub server: TlsServer,
}

impl TlsReport {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Bounded for TlsReport {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.version);
        to.text(&mut self.cipher);
        to.text(&mut self.curve);
        to.text(&mut self.next_protocol);
        to.text(&mut self.client.server_name);
    }
}

/// The client's side (ECS `tls.client`). All of it is that of the first ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TlsClient {
    /// The name or IP address that the client asked for.
    #[serde(skip_serializing_if = "absent")]
    pub server_name: Option<Arc<str>>,
    /// JA3, a fingerprint of the ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3: Option<Hex<16>>,
    /// The cipher suites that the client offers, in its order and without GREASE, at most 128.
    /// Where the list was cut, `tlstriage.client.supported_ciphers_count` has the full count.
    #[serde(skip_serializing_if = "no_ciphers")]
    pub supported_ciphers: Option<Common<CipherList>>,
}

/// Names of cipher suites.
pub type CipherList = Vec<Cow<'static, str>>;

impl TlsClient {
    pub(crate) fn is_empty(&self) -> bool {
        absent(&self.server_name) && self.ja3.is_none() && no_ciphers(&self.supported_ciphers)
    }
}

fn no_ciphers(list: &Option<Common<CipherList>>) -> bool {
    list.as_ref().is_none_or(|list| list.is_empty())
}

/// The server's side (ECS `tls.server`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TlsServer {
    /// JA3S, a fingerprint of the ServerHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3s: Option<Hex<16>>,
    /// The server's own certificate, where it was seen.
    #[serde(flatten)]
    pub leaf: Option<Common<LeafReport>>,
}

impl TlsServer {
    pub(crate) fn is_empty(&self) -> bool {
        self.ja3s.is_none() && self.leaf.is_none()
    }
}

/// The list cut to size, ready to be shared, and its full count where it was cut: that belongs
/// into `tlstriage.client.supported_ciphers_count`.
#[must_use]
pub fn bounded_ciphers(mut list: CipherList, to: Cut) -> (Common<CipherList>, Option<usize>) {
    let mut count = None;
    to.texts(&mut list, MAX_CIPHERS, &mut count);
    (Common::new(list), count)
}

const MAX_CIPHERS: usize = 128;
