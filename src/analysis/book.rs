//! What is known of a server endpoint from all its flows.
//!
//! A book is what unmasks a default certificate without a catalog: the leaf that an endpoint
//! shows to those who name nobody, while it has another one for those who name a host. Books are
//! written in the order of the input and bounded, so they are the same on any number of threads.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::analysis::asked::{self, Asked, AskedFor};
use crate::analysis::conclusions::{Conclusions, Room};
use crate::analysis::hidden::{Flights, Hidden};
use crate::analysis::kinds::{Chain, Known};
use crate::analysis::ledger::Ledger;
use crate::analysis::seen::Tls;
use crate::analysis::story::Story;
use crate::analysis::telling;
use crate::flow::{Direction, Endpoint, FlowKey, ShortKey};
use crate::hash::{self, AsItIs, Keyed};
use crate::pki::Coverage;
use crate::reassembly::Limits;
use crate::report::{FlowIdentity, Hex, ResumedBy, event_id};
use crate::time::Timestamp;
use crate::tls::{Observed, Session, Ticket};
use crate::verdict::Reaction;

/// The books of all endpoints.
#[derive(Debug)]
pub(super) struct Books {
    books: HashMap<Endpoint, Book, Keyed>,
    /// Addresses that took part in TLS, as client or as server.
    speakers: HashSet<Tag, AsItIs>,
    keyed: Keyed,
    max_endpoints: usize,
    max_rows: usize,
    /// How many more clients and sessions are remembered, of all endpoints together.
    room: usize,
    /// How many more conclusions are.
    conclusions: Room,
    /// Flows, names, clients and sessions that found no place.
    left_out: u64,
    /// The large chains of all endpoints.
    ledger: Ledger,
    max_chains_len: usize,
}

/// One endpoint.
#[derive(Debug)]
pub(super) struct Book {
    /// By what was asked for and the leaf.
    rows: Tagged<Row>,
    /// The sizes of hidden flights.
    flights: Flights,
    /// What these say beside the rows.
    conclusions: Conclusions,
    /// With what names clients were content, each once.
    accepted: Tagged<AskedFor>,
    /// Who was content, with which name and certificate.
    content: HashSet<Tag, AsItIs>,
    /// Full handshakes that later ones may go back to.
    full: Vec<Full>,
    /// The first of them, by who asked for what.
    first: HashMap<Tag, First, AsItIs>,
    /// That of a session, by the id or ticket that it can be resumed with.
    sessions: HashMap<Tag, u32, AsItIs>,
    keyed: Keyed,
}

/// What is sought by 64 bits of a keyed hash of it: of the million that are remembered at most, two have
/// the same in one of thirty million runs, and nobody can choose them who does not know the seed.
type Tag = u64;

/// The first full handshake of somebody who asked for something, of those whose chain was seen if there are any.
#[derive(Clone, Copy, Debug)]
struct First {
    at: u32,
    /// No session goes back to it, so that another one may take its place.
    is_own: bool,
    /// Further ones had another chain.
    is_mixed: bool,
}

/// What is sought by tags, a few dozen at most: nothing but the tags is looked at for that.
#[derive(Debug)]
struct Tagged<T> {
    tags: Vec<Tag>,
    items: Vec<T>,
}

impl<T> Default for Tagged<T> {
    fn default() -> Self {
        Self {
            tags: Vec::new(),
            items: Vec::new(),
        }
    }
}

impl<T> Tagged<T> {
    const fn len(&self) -> usize {
        self.items.len()
    }

    fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    fn place(&self, tag: Tag) -> Option<usize> {
        self.tags.iter().position(|other| *other == tag)
    }

    fn find(&self, tag: Tag) -> Option<&T> {
        self.items.get(self.place(tag)?)
    }

    fn find_mut(&mut self, tag: Tag) -> Option<&mut T> {
        let place = self.place(tag)?;
        self.items.get_mut(place)
    }

    /// Puts in what was not found.
    fn push(&mut self, tag: Tag, item: T) {
        self.tags.push(tag);
        self.items.push(item);
    }
}

/// A full handshake that later ones may go back to.
#[derive(Clone, Debug)]
pub(super) struct Full {
    /// Its chain; none where it was hidden.
    chain: Option<Arc<Chain>>,
    /// The `event.id` of its flow.
    pub(super) origin: Origin,
    /// When it began.
    pub(super) first: Timestamp,
}

/// A flow by what its `event.id` is made of: most are never asked for it.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A flow over IPv4 without tags and tunnels.
    Short(ShortKey, Direction),
    /// One over IPv6.
    Long(Box<(FlowKey, Direction)>),
    /// The id of any other.
    Id(Box<Hex<16>>),
}

impl Full {
    fn of(story: &Story, chain: Option<&Arc<Chain>>) -> Self {
        Self {
            chain: chain.map(Arc::clone),
            origin: match (story.encapsulation(), story.key().short()) {
                (None, Some(key)) => Origin::Short(key, story.client),
                (None, None) => Origin::Long(Box::new((story.key(), story.client))),
                _ => Origin::Id(Box::new(telling::id(story, 0))),
            },
            first: story.first.time,
        }
    }

    /// The `event.id` of its flow.
    pub(super) fn event_id(&self) -> Hex<16> {
        let (key, client) = match &self.origin {
            Origin::Short(key, client) => (key.key(), *client),
            Origin::Long(plain) => **plain,
            Origin::Id(id) => return **id,
        };
        event_id(&FlowIdentity {
            source: key.source(client),
            destination: key.destination(client),
            first: self.first,
            vlans: &[],
            tunnels: &[],
            ordinal: 0,
        })
    }
}

/// To whom a leaf was served that covers no name they asked for, while others got their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// To clients without SNI, among others.
    WithoutSni,
    /// Only to clients that asked for names.
    UnknownName,
}

/// Why a comparison carries less than it seems to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The same question got different answers by turns: several servers behind one address.
    Balanced,
    /// The two answers lie far apart in time: the address may have gone to another server.
    Apart,
}

/// What a comparison shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared<'a> {
    pub(super) comparison: Comparison,
    pub(super) doubt: Option<Doubt>,
    /// A name that another certificate is served for, and that certificate.
    pub(super) others_get: Option<(&'a str, &'a Known)>,
}

/// What was served to those who asked for one name.
#[derive(Debug)]
struct Row {
    asked: Tag,
    asked_for: AskedFor,
    leaf: Arc<Known>,
    covers: bool,
    /// With what came beside the leaf, the first time.
    chain: Arc<Chain>,
    first: Timestamp,
    last: Timestamp,
}

impl Row {
    fn is_of(&self, leaf: &Known) -> bool {
        self.leaf.certificate.sha256 == leaf.certificate.sha256
    }

    /// How far apart in time this and another one are; 0 where they overlap.
    fn distance(&self, other: &Self) -> i64 {
        let one = self.first.nanos_since(other.last);
        one.max(other.first.nanos_since(self.last)).max(0)
    }
}

impl Books {
    /// No books yet.
    pub(super) fn new(limits: &Limits, seed: u64) -> Self {
        let keyed = Keyed::new(seed);
        Self {
            books: HashMap::with_hasher(keyed),
            speakers: HashSet::default(),
            keyed,
            max_endpoints: limits.endpoints,
            max_rows: limits.endpoint_names,
            room: MAX_REMEMBERED,
            conclusions: Room::default(),
            left_out: 0,
            ledger: Ledger::default(),
            max_chains_len: limits.large_chains_total,
        }
    }

    /// Enters a flow. Flows are entered in the order of the input.
    pub(super) fn enter(&mut self, story: &Story) {
        let Some(tls) = story.tls() else { return };
        let (client, server) = (story.source(), story.destination());
        if self.speakers.len() < MAX_SPEAKERS {
            self.speakers.insert(tag_of(self.keyed, client.ip, 0));
        }
        let has_room = self.books.len() < self.max_endpoints;
        let book = match self.books.entry(server) {
            Entry::Occupied(book) => book.into_mut(),
            Entry::Vacant(place) => {
                if self.speakers.len() < MAX_SPEAKERS {
                    self.speakers.insert(tag_of(self.keyed, server.ip, 0));
                }
                if !has_room {
                    self.left_out += 1;
                    return;
                }
                place.insert(Book::new(self.keyed, &self.conclusions))
            }
        };
        let asked = &*tls.asked;
        let asked_for = &asked.asked_for;
        let chain = tls.chain().into_seen();
        let is_kept = chain.is_some_and(|chain| self.ledger.add_within(chain, self.max_chains_len));
        let leaf = chain.and_then(|chain| chain.leaf());
        let got = got(self.keyed, asked, leaf.map(|leaf| &**leaf));
        if tls.reaction == Reaction::Accepted {
            if book.accepted.len() < self.max_rows && book.accepted.find(asked.tag).is_none() {
                book.accepted.push(asked.tag, asked_for.clone());
            }
            let content = tag_of(self.keyed, client.ip, got);
            if book.content.contains(&content) {
                // Known already.
            } else if self.room > 0 && book.content.len() < MAX_CONTENT {
                book.content.insert(content);
                self.room -= 1;
            } else {
                self.left_out += 1;
            }
        }
        if tls.resumption.is_none() && tls.answer.is_some() && !tls.is_resumed() {
            book.remember(story, tls, chain.filter(|_| is_kept), asked, &mut self.room);
        }
        // A name in clear may be a cover.
        let may_hide_name = tls
            .client
            .as_ref()
            .is_some_and(|client| client.may_hide_name);
        if !may_hide_name && let Some(hidden) = Hidden::of(story, tls) {
            book.flights.enter(hidden, asked_for, story.first.time);
        }
        let (Some(chain), Some(leaf), Observed::Seen(_)) = (chain, leaf, &asked.name) else {
            return;
        };
        let covers = asked
            .coverage(&leaf.certificate)
            .is_some_and(Coverage::covers);
        let at = story.first.time;
        if let Some(row) = book.rows.find_mut(got) {
            row.first = row.first.min(at);
            row.last = row.last.max(at);
        } else if is_kept && book.rows.len() < self.max_rows {
            book.conclusions.forget();
            let row = Row {
                asked: asked.tag,
                asked_for: asked_for.clone(),
                leaf: Arc::clone(leaf),
                covers,
                chain: Arc::clone(chain),
                first: at,
                last: at,
            };
            book.rows.push(got, row);
        } else {
            self.left_out += 1;
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
        self.speakers.contains(&tag_of(self.keyed, *ip, 0))
    }
}

impl Book {
    fn new(keyed: Keyed, conclusions: &Room) -> Self {
        Self {
            rows: Tagged::default(),
            flights: Flights::default(),
            conclusions: Conclusions::new(conclusions),
            accepted: Tagged::default(),
            content: HashSet::default(),
            full: Vec::new(),
            first: HashMap::default(),
            sessions: HashMap::default(),
            keyed,
        }
    }

    /// Remembers a full handshake, by all that it can be resumed with.
    fn remember(
        &mut self,
        story: &Story,
        tls: &Tls,
        chain: Option<&Arc<Chain>>,
        asked: &Asked,
        room: &mut usize,
    ) {
        let mut placed = None;
        for id in asked::issued_sessions(&tls.session(), tls.tickets()) {
            if *room > 0 && self.sessions.len() < MAX_SESSIONS {
                let at = *placed.get_or_insert_with(|| put(&mut self.full, story, chain));
                let full = |at: &u32| self.full.get(usize::try_from(*at).ok()?);
                // The same session again, as in a copy of a capture: the first counts, whichever was told first.
                let known = self.sessions.entry(self.keyed.bytes(&id)).or_insert(at);
                if full(known).is_some_and(|full| story.first.time < full.first) {
                    *known = at;
                }
                *room -= 1;
            }
        }
        let has_room = *room > 0 && self.first.len() < MAX_CONTENT;
        let asker = tag_of(self.keyed, story.source().ip, asked.tag);
        match self.first.entry(asker) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                let first = usize::try_from(known.at).ok();
                let Some(first) = first.and_then(|at| self.full.get_mut(at)) else {
                    return;
                };
                let leaf = |chain: &Arc<Chain>| Some(chain.leaf()?.certificate.sha256);
                let is_better = match (&first.chain, chain) {
                    (None, Some(_)) => true,
                    (Some(_), None) => false,
                    // It ended later, as it was told later.
                    (None, None) | (Some(_), Some(_)) => story.first.time < first.first,
                };
                if let (Some(shown), Some(chain)) = (&first.chain, chain) {
                    known.is_mixed |= leaf(shown) != leaf(chain);
                }
                match placed {
                    _ if !is_better => {}
                    // However often that is so, it takes no more memory.
                    None if known.is_own => *first = Full::of(story, chain),
                    _ => {
                        known.is_own = placed.is_none();
                        known.at = placed.unwrap_or_else(|| put(&mut self.full, story, chain));
                    }
                }
            }
            Entry::Vacant(vacant) if has_room => {
                vacant.insert(First {
                    at: placed.unwrap_or_else(|| put(&mut self.full, story, chain)),
                    is_own: placed.is_none(),
                    is_mixed: false,
                });
                *room -= 1;
            }
            Entry::Vacant(_) => {}
        }
    }

    /// The chains that were seen, with what was asked for.
    pub(super) fn chains(&self) -> impl Iterator<Item = (&AskedFor, &Chain)> {
        self.rows.iter().map(|row| (&row.asked_for, &*row.chain))
    }

    /// The sizes of hidden flights.
    pub(super) const fn flights(&self) -> &Flights {
        &self.flights
    }

    /// What was concluded from hidden flights beside what was seen.
    pub(super) const fn conclusions(&self) -> &Conclusions {
        &self.conclusions
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
    pub(super) fn serves(&self, asked: &Asked) -> bool {
        let is_it = |row: &Row| row.asked == asked.tag;
        self.accepted.find(asked.tag).is_some() || self.rows.iter().any(is_it)
    }

    /// Whether every name that is served there gets this leaf, and there is at least one.
    pub(super) fn has_only(&self, leaf: &Known) -> bool {
        let mut covered = self.rows.iter().filter(|row| row.covers).peekable();
        covered.peek().is_some() && covered.all(|row| row.is_of(leaf))
    }

    /// Whether a client was content with this name and certificate on some flow.
    pub(super) fn is_content(&self, client: IpAddr, asked: &Asked, leaf: Option<&Known>) -> bool {
        let tag = tag_of(self.keyed, client, got(self.keyed, asked, leaf));
        self.content.contains(&tag)
    }

    /// Whether `leaf` is what the endpoint shows when it knows no better: it was served where it
    /// covers no name asked for, another one was served to a name that it covers, and `leaf`
    /// itself covers none of those that the other one does.
    pub(super) fn compare(
        &self,
        leaf: &Known,
        covers_any: impl Fn(&AskedFor) -> bool,
    ) -> Option<Compared<'_>> {
        let of_leaf = |row: &&Row| row.is_of(leaf) && !row.covers;
        let of_others = |row: &&Row| !row.is_of(leaf) && row.covers;
        let is_without = |row: &Row| row.asked_for == AskedFor::Nobody;
        let first = self.rows.iter().find(of_leaf)?;
        let other = self.rows.iter().find(of_others)?;
        let mut others = self.rows.iter().filter(of_others);
        if others.any(|row| covers_any(&row.asked_for)) {
            return None;
        }
        let mut uncovered = self.rows.iter().filter(of_leaf);
        let without = uncovered.find(|row| is_without(row));
        let own = without.unwrap_or(first);
        let mut same_question = self
            .rows
            .iter()
            .filter(|row| row.asked_for == own.asked_for && !row.is_of(leaf));
        let nearest = self.rows.iter().filter(of_others);
        let nearest = nearest.map(|row| own.distance(row)).min().unwrap_or(0);
        let doubt = if same_question.any(|row| own.distance(row) == 0) {
            Some(Doubt::Balanced)
        } else if nearest > FAR_APART {
            Some(Doubt::Apart)
        } else {
            None
        };
        let name = match &other.asked_for {
            AskedFor::Name(name) => str::from_utf8(name).ok(),
            _ => None,
        };
        Some(Compared {
            comparison: match without {
                Some(_) => Comparison::WithoutSni,
                None => Comparison::UnknownName,
            },
            doubt,
            others_get: name.map(|name| (name, &*other.leaf)),
        })
    }

    /// The full handshake of the session that a resumed flow goes back to, and whether that is
    /// proved by an id or a ticket; else it is one of the same client with the same name before it.
    pub(super) fn resumed(
        &self,
        session: &Session,
        client: IpAddr,
        asked: &Asked,
        at: Timestamp,
    ) -> Option<Resumed<'_>> {
        let full = |at: u32| self.full.get(usize::try_from(at).ok()?);
        let by = |ticket: Option<Ticket>, by| {
            let tag = self.keyed.bytes(&ticket?.digest);
            let full = full(*self.sessions.get(&tag)?)?;
            Some(Resumed {
                full,
                by,
                chain: full.chain.as_ref(),
            })
        };
        by(session.ticket_offered, ResumedBy::Ticket)
            .or_else(|| by(session.id_offered, ResumedBy::SessionId))
            .or_else(|| {
                let asker = tag_of(self.keyed, client, asked.tag);
                let first = self.first.get(&asker)?;
                let full = full(first.at)?;
                (full.first <= at).then_some(Resumed {
                    full,
                    by: ResumedBy::Endpoints,
                    chain: full.chain.as_ref().filter(|_| !first.is_mixed),
                })
            })
    }
}

/// Puts a handshake at the end; its place.
fn put(full: &mut Vec<Full>, story: &Story, chain: Option<&Arc<Chain>>) -> u32 {
    full.push(Full::of(story, chain));
    u32::try_from(full.len() - 1).unwrap_or(u32::MAX)
}

/// What an address is sought by, with something else.
fn tag_of(keyed: Keyed, ip: IpAddr, with: u64) -> Tag {
    let [upper, lower] = hash::address_words(ip);
    keyed.words([upper, lower, with, 0, 0])
}

/// What was asked for, and the leaf that came of it.
fn got(keyed: Keyed, asked: &Asked, leaf: Option<&Known>) -> Tag {
    let hash = leaf.map_or([0; 32], |leaf| leaf.certificate.sha256);
    let (words, _) = hash.as_chunks();
    let mut words = words.iter().map(|word| u64::from_be_bytes(*word));
    let mut next = || words.next().unwrap_or_default();
    keyed.words([next(), next(), next(), next(), asked.tag])
}

/// What a resumed flow goes back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resumed<'a> {
    pub(super) full: &'a Full,
    pub(super) by: ResumedBy,
    /// The chain that was shown; none where it was hidden, or where the same client got several.
    pub(super) chain: Option<&'a Arc<Chain>>,
}

/// Clients and sessions of all endpoints, some 60 to 100 bytes each.
const MAX_REMEMBERED: usize = 1 << 19;
/// Addresses remembered as speakers of TLS.
const MAX_SPEAKERS: usize = 1 << 20;
/// Nanoseconds after which an address may have gone to another server.
const FAR_APART: i64 = 30 * 60 * 1_000_000_000;
/// Clients with what they asked for, of one endpoint.
const MAX_CONTENT: usize = 1024;
/// Sessions of one endpoint.
const MAX_SESSIONS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_of_a_handshake_is_small() {
        assert_eq!(size_of::<Full>(), 32);
    }
}
