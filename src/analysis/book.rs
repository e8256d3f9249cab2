//! What is known of a server endpoint from all its flows.
//!
//! A book is what unmasks a default certificate without a catalog: the leaf that an endpoint
//! shows to those who name nobody, while it has another one for those who name a host. Books are
//! written in the order of the input and bounded, so they are the same on any number of threads.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::analysis::asked::{self, AskedFor};
use crate::analysis::kinds::Chain;
use crate::analysis::story::Story;
use crate::flow::Endpoint;
use crate::hash::Keyed;
use crate::pki::Coverage;
use crate::reassembly::Limits;
use crate::tls::Observed;
use crate::verdict::Reaction;

/// The books of all endpoints.
#[derive(Debug)]
pub(super) struct Books {
    books: HashMap<Endpoint, Book, Keyed>,
    /// Addresses that took part in TLS, as client or as server.
    speakers: HashSet<IpAddr, Keyed>,
    keyed: Keyed,
    max_endpoints: usize,
    max_rows: usize,
    /// How many more clients and sessions are remembered, of all endpoints together.
    room: usize,
    /// Flows, names, clients and sessions that found no place.
    left_out: u64,
}

/// One endpoint.
#[derive(Debug)]
pub(super) struct Book {
    rows: Vec<Row>,
    /// With what names clients were content, each once.
    accepted: Vec<AskedFor>,
    /// Who was content, with which name and certificate.
    content: HashSet<(IpAddr, AskedFor, Option<[u8; 32]>), Keyed>,
    /// The chain of full handshakes, by who asked for what; none where it was not always the same.
    full: BTreeMap<(IpAddr, AskedFor), Option<Arc<Chain>>>,
    /// The chain of a session, by the id or ticket that it can be resumed with.
    sessions: HashMap<[u8; 16], Arc<Chain>, Keyed>,
}

/// To whom a leaf was served that covers no name they asked for, while others got their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// To clients without SNI, among others.
    WithoutSni,
    /// Only to clients that asked for names.
    UnknownName,
}

/// What was served to those who asked for one name.
#[derive(Debug)]
struct Row {
    asked_for: AskedFor,
    leaf: [u8; 32],
    covers: bool,
}

impl Books {
    /// No books yet.
    pub(super) fn new(limits: &Limits, seed: u64) -> Self {
        let keyed = Keyed::new(seed);
        Self {
            books: HashMap::with_hasher(keyed),
            speakers: HashSet::with_hasher(keyed),
            keyed,
            max_endpoints: limits.endpoints,
            max_rows: limits.endpoint_names,
            room: MAX_REMEMBERED,
            left_out: 0,
        }
    }

    /// Enters a flow. Flows are entered in the order of the input.
    pub(super) fn enter(&mut self, story: &Story) {
        let Some(tls) = &story.tls else { return };
        let (client, server) = (story.source(), story.destination());
        if self.speakers.len() < MAX_SPEAKERS {
            self.speakers.extend([client.ip, server.ip]);
        }
        if self.books.len() >= self.max_endpoints && !self.books.contains_key(&server) {
            self.left_out += 1;
            return;
        }
        let book = self
            .books
            .entry(server)
            .or_insert_with(|| Book::new(self.keyed));
        let asked = &*tls.asked;
        let asked_for = asked.asked_for.clone();
        let chain = tls.chain.seen();
        let leaf = chain.and_then(|chain| chain.leaf());
        let leaf_hash = leaf.map(|leaf| leaf.certificate.sha256);
        if tls.reaction == Reaction::Accepted {
            if book.accepted.len() < self.max_rows && !book.accepted.contains(&asked_for) {
                book.accepted.push(asked_for.clone());
            }
            let content = (client.ip, asked_for.clone(), leaf_hash);
            if book.content.contains(&content) {
                // Known already.
            } else if self.room > 0 && book.content.len() < MAX_CONTENT {
                book.content.insert(content);
                self.room -= 1;
            } else {
                self.left_out += 1;
            }
        }
        let (Some(chain), Some(leaf), Observed::Seen(_)) = (chain, leaf, &asked.name) else {
            return;
        };
        let covers = asked
            .coverage(&leaf.certificate)
            .is_some_and(Coverage::covers);
        let is_known = book
            .rows
            .iter()
            .any(|row| row.asked_for == asked_for && row.leaf == leaf.certificate.sha256);
        if !is_known {
            if book.rows.len() < self.max_rows {
                book.rows.push(Row {
                    asked_for: asked_for.clone(),
                    leaf: leaf.certificate.sha256,
                    covers,
                });
            } else {
                self.left_out += 1;
            }
        }
        for id in asked::issued_sessions(&tls.session) {
            if self.room > 0 && book.sessions.len() < MAX_SESSIONS {
                book.sessions.insert(id, Arc::clone(chain));
                self.room -= 1;
            }
        }
        let has_room = self.room > 0 && book.full.len() < MAX_CONTENT;
        match book.full.entry((client.ip, asked_for)) {
            Entry::Occupied(mut known) => {
                let is_same = |known: &Arc<Chain>| {
                    known.leaf().map(|leaf| leaf.certificate.sha256) == leaf_hash
                };
                if !known.get().as_ref().is_some_and(is_same) {
                    known.insert(None);
                }
            }
            Entry::Vacant(place) if has_room => {
                place.insert(Some(Arc::clone(chain)));
                self.room -= 1;
            }
            Entry::Vacant(_) => {}
        }
    }

    /// The book of an endpoint.
    pub(super) fn get(&self, server: &Endpoint) -> Option<&Book> {
        self.books.get(server)
    }

    /// How much found no place in a book.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether an address took part in TLS anywhere in the run.
    pub(super) fn has_spoken(&self, ip: &IpAddr) -> bool {
        self.speakers.contains(ip)
    }
}

impl Book {
    fn new(keyed: Keyed) -> Self {
        Self {
            rows: Vec::new(),
            accepted: Vec::new(),
            content: HashSet::with_hasher(keyed),
            full: BTreeMap::new(),
            sessions: HashMap::with_hasher(keyed),
        }
    }

    /// Whether the endpoint served somebody who asked for another name than this.
    pub(super) fn serves_other_names(&self, asked_for: &AskedFor) -> bool {
        self.accepted
            .iter()
            .any(|other| matches!(other, AskedFor::Name(_)) && other != asked_for)
            || self
                .rows
                .iter()
                .any(|row| row.covers && row.asked_for != *asked_for)
    }

    /// Whether the endpoint served somebody who asked for just this.
    pub(super) fn serves(&self, asked_for: &AskedFor) -> bool {
        self.accepted.contains(asked_for) || self.rows.iter().any(|row| row.asked_for == *asked_for)
    }

    /// Whether a client was content with this name and certificate on some flow.
    pub(super) fn is_content(
        &self,
        client: IpAddr,
        asked_for: &AskedFor,
        leaf: Option<[u8; 32]>,
    ) -> bool {
        self.content.contains(&(client, asked_for.clone(), leaf))
    }

    /// Whether `leaf` is what the endpoint shows when it knows no better: it was served where it
    /// covers no name asked for, another one was served to a name that it covers, and `leaf`
    /// itself covers none of those that the other one does.
    pub(super) fn compare(
        &self,
        leaf: [u8; 32],
        covers_any: impl Fn(&AskedFor) -> bool,
    ) -> Option<Comparison> {
        let mut uncovered = self
            .rows
            .iter()
            .filter(|row| row.leaf == leaf && !row.covers)
            .peekable();
        uncovered.peek()?;
        let mut others = self
            .rows
            .iter()
            .filter(|row| row.leaf != leaf && row.covers)
            .peekable();
        others.peek()?;
        if others.any(|row| covers_any(&row.asked_for)) {
            return None;
        }
        if uncovered.any(|row| row.asked_for == AskedFor::Nobody) {
            Some(Comparison::WithoutSni)
        } else {
            Some(Comparison::UnknownName)
        }
    }

    /// The chain of the session that a resumed flow goes back to, and whether that is assumed: no
    /// id or ticket leads there, only that the client never got another one for this name.
    pub(super) fn resumed_chain(
        &self,
        offered: impl Iterator<Item = [u8; 16]>,
        client: IpAddr,
        asked_for: &AskedFor,
    ) -> Option<(&Arc<Chain>, bool)> {
        let mut proved = offered.filter_map(|id| self.sessions.get(&id));
        let assumed = || self.full.get(&(client, asked_for.clone()))?.as_ref();
        proved
            .next()
            .map(|chain| (chain, false))
            .or_else(|| Some((assumed()?, true)))
    }
}

/// Clients and sessions of all endpoints, about a hundred bytes each.
const MAX_REMEMBERED: usize = 1 << 20;
/// Addresses remembered as speakers of TLS.
const MAX_SPEAKERS: usize = 1 << 20;
/// Clients with what they asked for, of one endpoint.
const MAX_CONTENT: usize = 1024;
/// Sessions of one endpoint.
const MAX_SESSIONS: usize = 4096;
