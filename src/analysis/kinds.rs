//! What repeats from flow to flow, once described: certificates and their chains, kinds of client,
//! kinds of answer.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::analysis::ledger::Large;
use crate::analysis::seen::StoryAlert;
use crate::pki::chain::MAX_CHAIN_LEN;
use crate::pki::trust::Path;
use crate::pki::{Certificate, ChainShape, Roots};
use crate::report::{
    CertificateReport, CipherList, ClientReport, Common, HandshakeReport, Hex, LeafReport,
};
use crate::time::Timestamp;
use crate::verdict;
use crate::verdict::{Act, Flight, Offers};

/// A certificate with what the outputs say of it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) certificate: Certificate,
    pub(super) row: Common<CertificateReport>,
    pub(super) leaf: Common<LeafReport>,
    /// The subject as text, at any length.
    pub(super) subject: Arc<str>,
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
    /// As sent, where its path will be asked for.
    pub(super) ders: Option<Box<[Vec<u8>]>>,
    /// Where it takes more than is usual.
    pub(super) large: Option<Large>,
    /// Where it leads, by which of its certificates are within their dates.
    pub(super) paths: Mutex<Vec<(u64, Path)>>,
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

    /// The first certificate above the leaf, below a root, that was outside its validity.
    pub(super) fn outdated(&self, at: Timestamp) -> Option<&Certificate> {
        let path = self.shape.path.iter().skip(1);
        path.filter_map(|place| self.certificates.get(*place))
            .map(|known| &known.certificate)
            .find(|above| !above.self_signed.holds() && verdict::is_outdated(above, at))
    }

    /// Where the chain leads at this time; `None` where its bytes were not kept.
    ///
    /// Time changes nothing but which certificates are within their dates; so an answer is found
    /// once for each such state, however many flows show the chain.
    pub(super) fn path(&self, roots: &Roots, at: Timestamp) -> Option<Path> {
        let ders = self.ders.as_deref()?;
        let state = self
            .certificates
            .iter()
            .take(MAX_CHAIN_LEN)
            .fold(0, |state, known| {
                let certificate = &known.certificate;
                let is_early = certificate.not_before.is_some_and(|start| at < start);
                let is_late = certificate.not_after.is_some_and(|end| at > end);
                state << 2 | u64::from(is_early) << 1 | u64::from(is_late)
            });
        // Of what panicked while it held the lock there is nothing half done.
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, path)) = paths.iter().find(|(known, _)| *known == state) {
            return Some(*path);
        }
        let place = self.shape.path.first().copied().unwrap_or(0);
        let leaf = ders.get(place)?;
        let others: Vec<&[u8]> = ders
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != place)
            .take(MAX_CHAIN_LEN)
            .map(|(_, der)| der.as_slice())
            .collect();
        let path = roots.path(leaf, &others, at);
        paths.push((state, path));
        Some(path)
    }
}

/// A kind of ClientHello: all but its random, its session and the name that it asks for.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) report: Common<ClientReport>,
    pub(super) ciphers: Common<CipherList>,
    pub(super) ja3: Option<Hex<16>>,
    /// The name in clear may be a cover name.
    pub(super) may_hide_name: bool,
    /// The server was proved not to have taken its Encrypted Client Hello.
    pub(super) is_ech_refused: bool,
    /// What it offers that may change the size of a certificate message.
    pub(super) offers: Offers,
    pub(super) has_lossy_text: bool,
}

/// A kind of ServerHello: all but its random and its session.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) version: u16,
    pub(super) is_tls13: bool,
    pub(super) cipher: Option<Cow<'static, str>>,
    /// The length of its hash, where the sizes of records show those of messages.
    pub(super) hash_len: Option<u32>,
    pub(super) group: Option<u16>,
    pub(super) alpn: Option<Arc<str>>,
    pub(super) ja3s: Option<Hex<16>>,
    pub(super) has_lossy_text: bool,
}

/// What both sides did, in order.
#[derive(Debug)]
pub(super) struct Acts {
    pub(super) acts: Box<[Act]>,
    /// The alerts among them.
    pub(super) alerts: Box<[StoryAlert]>,
    /// The server's hidden flight, for each of [`HASH_LENS`].
    flights: [Option<Flight>; 2],
    /// In the words of the report, which are the same for many lengths.
    pub(super) handshake: Arc<HandshakeReport>,
}

impl Acts {
    /// Acts, described by `handshake`.
    pub(super) fn new(
        acts: Box<[Act]>,
        alerts: Box<[StoryAlert]>,
        handshake: Arc<HandshakeReport>,
    ) -> Self {
        Self {
            flights: HASH_LENS.map(|hash_len| Flight::of(&acts, hash_len)),
            acts,
            alerts,
            handshake,
        }
    }

    /// The server's hidden flight, with a hash of `hash_len` bytes in Finished.
    pub(super) fn flight(&self, hash_len: u32) -> Option<Flight> {
        let mut flights = HASH_LENS.iter().zip(self.flights);
        flights.find_map(|(len, flight)| flight.filter(|_| *len == hash_len))
    }
}

/// The lengths of the hashes of TLS 1.3 (RFC 8446, appendix B.4).
const HASH_LENS: [u32; 2] = [32, 48];
