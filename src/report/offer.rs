//! What the client offers.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cut::{Bounded, Cut};
use crate::report::hex::Hex;
use crate::report::skip::absent;
use crate::report::words::Ech;

/// What the client offers, the same for all flows of one kind of client. That of the first ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ClientReport {
    /// The versions that it offers, in its order and without GREASE, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Cow<'static, str>>,
    /// How many versions it offers where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions_count: Option<usize>,
    /// The application protocols that it offers (ALPN, RFC 7301), in its order, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<Arc<str>>,
    /// How many protocols it offers where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn_count: Option<usize>,
    /// JA4, a fingerprint of the ClientHello.
    #[serde(skip_serializing_if = "absent")]
    pub ja4: Option<Arc<str>>,
    /// The groups for the key exchange that it offers, in its order and without GREASE, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Cow<'static, str>>,
    /// How many groups it offers where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_count: Option<usize>,
    /// Encrypted Client Hello. Where it is offered, the name in clear may be a cover name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ech: Option<Ech>,
    /// How many cipher suites it offers where `tls.client.supported_ciphers` was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_ciphers_count: Option<usize>,
}

/// What keys tell of an Encrypted Client Hello (RFC 9849).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct EchReport {
    /// The name in the hello inside, where keys opened that.
    #[serde(skip_serializing_if = "absent")]
    pub inner_name: Option<Arc<str>>,
    /// The name in the hello in clear.
    #[serde(skip_serializing_if = "absent")]
    pub outer_name: Option<Arc<str>>,
    /// The application protocols that the hello inside offers, in its order, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inner_alpn: Vec<Arc<str>>,
    /// The random bytes of the hello inside. Where the server accepted it, a key log has its other secrets under them.
    pub inner_random: Hex<32>,
}

impl EchReport {
    /// A hello with this random, that asks for nothing.
    #[must_use]
    pub const fn new(inner_random: Hex<32>) -> Self {
        Self {
            inner_name: None,
            outer_name: None,
            inner_alpn: Vec::new(),
            inner_random,
        }
    }
}

impl Bounded for EchReport {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.inner_name);
        to.text(&mut self.outer_name);
        to.texts(&mut self.inner_alpn, MAX_ALPN, &mut None);
    }
}

impl Bounded for ClientReport {
    fn cut(&mut self, to: Cut) {
        to.texts(&mut self.versions, MAX_VERSIONS, &mut self.versions_count);
        to.texts(&mut self.alpn, MAX_ALPN, &mut self.alpn_count);
        to.text(&mut self.ja4);
        to.texts(&mut self.groups, MAX_GROUPS, &mut self.groups_count);
    }
}

const MAX_ALPN: usize = 32;
const MAX_GROUPS: usize = 32;
const MAX_VERSIONS: usize = 16;
