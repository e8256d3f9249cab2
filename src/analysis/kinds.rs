//! What repeats from flow to flow, once described: certificates and their chains, kinds of client,
//! kinds of answer.

use std::borrow::Cow;
use std::sync::Arc;

use crate::pki::{Certificate, ChainShape};
use crate::report::{CertificateReport, CipherList, ClientReport, Common, Hex, LeafReport};

/// A certificate with what the outputs say of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) certificate: Certificate,
    pub(super) row: Common<CertificateReport>,
    pub(super) leaf: Common<LeafReport>,
    pub(super) default: Option<Product>,
}

/// A product whose default certificate this is, by the catalog.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) id: Arc<str>,
    pub(super) name: Arc<str>,
    /// The shape of several products' defaults: none of them is named.
    pub(super) is_generic: bool,
}

/// A list of certificates as sent.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) certificates: Vec<Arc<Known>>,
    pub(super) shape: ChainShape,
}

impl Chain {
    /// The server's own certificate, wherever in the list it stands.
    pub(super) fn leaf(&self) -> Option<&Arc<Known>> {
        let leaf = self
            .shape
            .path
            .first()
            .and_then(|place| self.certificates.get(*place));
        leaf.or_else(|| self.certificates.first())
    }

    /// The last certificate on the way up from the leaf.
    pub(super) fn top(&self) -> Option<&Arc<Known>> {
        self.shape
            .path
            .last()
            .and_then(|place| self.certificates.get(*place))
    }
}

/// A kind of ClientHello: all but its random, its session and the name that it asks for.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) report: Common<ClientReport>,
    pub(super) ciphers: Common<CipherList>,
    pub(super) ja3: Option<Hex<16>>,
    pub(super) offers_ech: bool,
    pub(super) has_lossy_text: bool,
}

/// A kind of ServerHello: all but its random and its session.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) version: u16,
    pub(super) is_tls13: bool,
    pub(super) cipher: Option<Cow<'static, str>>,
    pub(super) group: Option<u16>,
    pub(super) alpn: Option<Arc<str>>,
    pub(super) ja3s: Option<Hex<16>>,
    pub(super) has_lossy_text: bool,
}
