//! One connection that was captured more than once: on both sides of an address translation, or at
//! two places of its way.
//!
//! Two flows are one connection only if all of this agrees: the random of the ClientHello, that of
//! the ServerHello where both are seen, the sequence number at which the client's bytes begin
//! (address translation keeps it; a relay or a replay does not), and the time of the first frames
//! to within two seconds; and an address or a port differs. By one clock both also go on at the same
//! time, and a hello alone proves nothing: both show their SYN, or the same answer. The same random
//! without all of that is another connection, and worth a link.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::analysis::story::Story;
use crate::analysis::telling;
use crate::flow::{Endpoint, FlowKey};
use crate::packet::SeqNumber;
use crate::report::Hex;
use crate::time::Timestamp;

/// What a story has to do with others of the same ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Nothing.
    Alone,
    /// It is to be told.
    Told(Box<Links>),
    /// The same connection is told under the addresses where it was seen first.
    Repeated,
}

/// What is said of the other flows of the same ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// Between whom else the same connection was seen: client and server.
    pub(super) also_seen_as: Vec<(Endpoint, Endpoint)>,
    /// Another connection with the same ClientHello.
    pub(super) same_hello_as: Option<Hex<16>>,
}

/// A flow as far as it takes part in the comparison.
#[derive(Clone, Debug)]
struct Sighting {
    key: FlowKey,
    source: Endpoint,
    destination: Endpoint,
    place: (u32, u64),
    first: Timestamp,
    last: Timestamp,
    has_beginning: bool,
    begins_at: Option<SeqNumber>,
    server_random: Option<[u8; 8]>,
    id: Hex<16>,
}

impl Sighting {
    fn of(story: &Story, id: Hex<16>) -> Option<([u8; 32], Self)> {
        let tls = story.tls.as_deref()?;
        let sighting = Self {
            key: story.key,
            source: story.source(),
            destination: story.destination(),
            place: story.first.place(),
            first: story.first.time,
            last: story.last.time,
            has_beginning: !story.capture.midstream,
            begins_at: tls.begins_at,
            server_random: tls.server_random,
            id,
        };
        Some((tls.random?, sighting))
    }

    /// Whether both are one connection. Each is one with itself.
    fn is_same(&self, other: &Self) -> bool {
        let is_itself = self.place == other.place && self.key == other.key;
        let ((own_file, _), (other_file, _)) = (self.place, other.place);
        let is_at_once = self.first <= other.last && other.first <= self.last;
        let answers = self.server_random.zip(other.server_random);
        let is_proved = match answers {
            Some((one, other)) => one == other,
            None => self.has_beginning && other.has_beginning,
        };
        let is_seen_twice = self.key != other.key
            && self.begins_at.is_some()
            && self.begins_at == other.begins_at
            && self.first.nanos_since(other.first).unsigned_abs() <= MAX_DISTANCE
            && (own_file != other_file || is_at_once)
            && is_proved;
        is_itself || is_seen_twice
    }
}

/// The flows that are compared, by the random of their ClientHello.
#[derive(Debug)]
pub(super) struct Sightings {
    by_random: HashMap<[u8; 32], Vec<Sighting>>,
    order: VecDeque<[u8; 32]>,
    max_len: usize,
}

impl Sightings {
    /// None so far, and never more than `max_len`: then the oldest is forgotten.
    pub(super) fn new(max_len: usize) -> Self {
        Self {
            by_random: HashMap::new(),
            order: VecDeque::new(),
            max_len,
        }
    }

    /// Those of `stories` whose ClientHello is there more than once; few, if any.
    pub(super) fn repeated(stories: &[Box<Story>]) -> Self {
        let random = |story: &Story| {
            let random = story.tls.as_ref()?.random?;
            Some(front(random))
        };
        let mut randoms: Vec<u64> = stories.iter().filter_map(|story| random(story)).collect();
        randoms.sort_unstable();
        let repeated: HashSet<u64> = randoms
            .windows(2)
            .filter_map(|pair| match pair {
                [one, other] if one == other => Some(*one),
                _ => None,
            })
            .collect();
        let mut sightings = Self::new(usize::MAX);
        for story in stories {
            if random(story).is_some_and(|random| repeated.contains(&random)) {
                sightings.enter(story);
            }
        }
        sightings
    }

    /// Enters a flow.
    pub(super) fn enter(&mut self, story: &Story) {
        // Of flows that begin in the same instant between the same ends the first is meant.
        let Some((random, sighting)) = Sighting::of(story, telling::id(story, 0)) else {
            return;
        };
        if self.order.len() >= self.max_len
            && let Some(oldest) = self.order.pop_front()
            && let Some(known) = self.by_random.get_mut(&oldest)
        {
            known.remove(0);
            if known.is_empty() {
                self.by_random.remove(&oldest);
            }
        }
        let known = self.by_random.entry(random).or_default();
        // A replay without end is told in part.
        if known.len() < MAX_OF_ONE_HELLO {
            known.push(sighting);
            self.order.push_back(random);
        }
    }

    /// What a story has to do with the flows that were entered, itself among them.
    pub(super) fn relation(&self, story: &Story) -> Relation {
        let Some((random, own)) = Sighting::of(story, Hex([0; 16])) else {
            return Relation::Alone;
        };
        let Some(known) = self.by_random.get(&random).filter(|known| known.len() > 1) else {
            return Relation::Alone;
        };
        let mut links = Links::default();
        let mut earliest: Option<&Sighting> = None;
        for other in known {
            let is_earlier = |than: &Sighting| (other.place, other.key) < (than.place, than.key);
            if !own.is_same(other) {
                if earliest.is_none_or(is_earlier) {
                    earliest = Some(other);
                }
            } else if is_earlier(&own) {
                return Relation::Repeated;
            } else if other.key != own.key {
                let ends = (other.source, other.destination);
                if !links.also_seen_as.contains(&ends) {
                    links.also_seen_as.push(ends);
                }
            }
        }
        links.same_hello_as = earliest.map(|other| other.id);
        links.also_seen_as.sort_unstable();
        if links == Links::default() {
            Relation::Alone
        } else {
            Relation::Told(Box::new(links))
        }
    }
}

fn front(random: [u8; 32]) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = random;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// By how much the first frames of one connection may lie apart, in nanoseconds.
const MAX_DISTANCE: u64 = 2_000_000_000;
/// Flows of one ClientHello that are compared with each other.
const MAX_OF_ONE_HELLO: usize = 64;
