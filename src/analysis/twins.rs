//! One connection that was captured more than once: on both sides of an address translation, or at
//! two places of its way.
//!
//! Two flows are one connection only if all of this agrees: the random of the ClientHello, that of
//! the ServerHello where both are seen, the sequence number at which the client's bytes begin
//! (address translation keeps it; a relay or a replay does not), and the time of the first frames
//! to within two seconds; and an address or a port differs, or the capture. By one clock both also go on at the same
//! time, and a hello alone proves nothing: both show their SYN, or the same answer. The same random
//! without all of that is another connection, and worth a link.

use std::collections::{HashMap, VecDeque};

use crate::analysis::story::{self, AHEAD, Story};
use crate::analysis::telling;
use crate::flow::{Direction, Endpoint, FlowKey};
use crate::hash::Keyed;
use crate::packet::SeqNumber;
use crate::report::{FlowIdentity, Hex, event_id};
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
    place: (u32, u64),
    first: Timestamp,
    last: Timestamp,
    begins_at: Option<SeqNumber>,
    /// Its `event.id`, where tags or tunnels are a part of that.
    tagged_id: Option<Box<Hex<16>>>,
    server_random: Option<[u8; 8]>,
    has_beginning: bool,
    /// The direction from client to server.
    client: Direction,
}

impl Sighting {
    fn of(story: &Story) -> Option<([u8; 32], Self)> {
        let tls = story.tls()?;
        let sighting = Self {
            key: story.key(),
            client: story.client,
            place: story.first.place(),
            first: story.first.time,
            last: story.last.time,
            has_beginning: !story.capture.midstream,
            begins_at: tls.begins_at,
            server_random: tls.server_random,
            // Of flows that begin in the same instant between the same ends the first is meant.
            tagged_id: story
                .encapsulation()
                .is_some()
                .then(|| Box::new(telling::id(story, 0))),
        };
        Some((tls.random?, sighting))
    }

    /// Its `event.id`, for which few are asked.
    fn id(&self) -> Hex<16> {
        self.tagged_id.as_deref().copied().unwrap_or_else(|| {
            let (source, destination) = self.ends();
            event_id(&FlowIdentity {
                source,
                destination,
                first: self.first,
                vlans: &[],
                tunnels: &[],
                ordinal: 0,
            })
        })
    }

    /// Client and server.
    fn ends(&self) -> (Endpoint, Endpoint) {
        (
            self.key.source(self.client),
            self.key.destination(self.client),
        )
    }

    /// What comes first in the output.
    fn rank(&self) -> Rank {
        (self.place, self.key)
    }

    fn is_at(&self, place: (u32, u64), key: FlowKey) -> bool {
        self.place == place && self.key == key
    }

    /// Whether both are one connection. Each is one with itself.
    fn is_same(&self, other: &Self) -> bool {
        let is_itself = self.is_at(other.place, other.key);
        let ((own_file, _), (other_file, _)) = (self.place, other.place);
        let is_at_once = self.first <= other.last && other.first <= self.last;
        let answers = self.server_random.zip(other.server_random);
        let is_proved = match answers {
            Some((one, other)) => one == other,
            None => self.has_beginning && other.has_beginning,
        };
        // The same addresses in one capture are the business of whoever joins its frames.
        let is_seen_twice = (self.key != other.key || own_file != other_file)
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
    by_random: HashMap<[u8; 32], Known, Keyed>,
    /// Their hellos in the order in which they came, where not all may stay.
    order: VecDeque<[u8; 32]>,
    max_len: Option<usize>,
}

/// The flows of one ClientHello.
#[derive(Debug)]
enum Known {
    /// Some of them may be one connection.
    Compared(Compared),
    /// All of them are there, and each is a connection of its own.
    Strangers(Box<Strangers>),
}

/// Flows of one ClientHello, one beside the other.
#[derive(Debug)]
struct Compared {
    sightings: Vec<Sighting>,
    /// The last place among them: most that are not there come behind it.
    newest: (u32, u64),
    /// Which of them are one connection; found when it is asked for.
    classes: Option<Box<Classes>>,
}

/// Connections that have nothing but their ClientHello in common.
#[derive(Debug)]
struct Strangers {
    /// The first of them in the output.
    first: Rank,
    /// The place of the last one.
    newest: (u32, u64),
    /// The ids of the first two.
    ids: [Hex<16>; 2],
}

/// Where a flow stands in the output.
type Rank = ((u32, u64), FlowKey);

/// The connections among the flows of one ClientHello.
#[derive(Debug)]
struct Classes {
    /// For each flow the place in the list of the first that is one connection with it.
    heads: Vec<usize>,
    /// The first of all, and the first of those that are another connection: its place and its id.
    first: Option<(usize, Hex<16>)>,
    other: Option<(usize, Hex<16>)>,
    /// Some of them are one connection with each other.
    has_twins: bool,
    /// Where the flow that will be asked for next stands, since they come in order.
    next: usize,
}

impl Sightings {
    /// None so far, and never more than `max_len`: then the oldest is forgotten.
    pub(super) fn new(max_len: Option<usize>, seed: u64) -> Self {
        Self {
            by_random: HashMap::with_hasher(Keyed::new(seed)),
            order: VecDeque::new(),
            max_len,
        }
    }

    /// Those of `stories` whose ClientHello is there more than once; few, if any. The stories stand in the
    /// order of the output.
    pub(super) fn repeated(stories: &[Box<Story>], seed: u64) -> Self {
        let place = |(at, story): (usize, &Story)| {
            Some((part(story.tls()?.random?), u32::try_from(at).ok()?))
        };
        let story_at = |at: u32| Some(&**stories.get(usize::try_from(at).ok()?)?);
        let all = story::walk(stories).enumerate();
        let mut places: Vec<(u32, u32)> = all.filter_map(place).collect();
        places.sort_unstable();
        let mut sightings = Self::new(None, seed);
        for alike in places.chunk_by(|(one, _), (other, _)| one == other) {
            if alike.len() > 1 {
                sightings.enter_repeated(alike, story_at);
            }
        }
        sightings
    }

    /// Enters those of some flows whose ClientHello is there more than once; they are alike in a part of its
    /// random.
    fn enter_repeated<'a>(
        &mut self,
        alike: &[(u32, u32)],
        story_at: impl Fn(u32) -> Option<&'a Story>,
    ) {
        let mut randoms = Vec::with_capacity(alike.len());
        for some in alike.chunks(AHEAD) {
            let some = some.iter().map(|(_, at)| *at);
            story::touch(some.clone().filter_map(&story_at));
            randoms.extend(some.filter_map(|at| Some((story_at(at)?.tls()?.random?, at))));
        }
        randoms.sort_unstable();
        for same in randoms.chunk_by(|(one, _), (other, _)| one == other) {
            let [(random, _), _, ..] = same else { continue };
            let stories = same.iter().filter_map(|(_, at)| story_at(*at));
            let some = stories.filter_map(Sighting::of).take(MAX_OF_ONE_HELLO);
            let some: Vec<Sighting> = some.map(|(_, sighting)| sighting).collect();
            let known = match Strangers::among(&some) {
                Some(strangers) => Known::Strangers(Box::new(strangers)),
                None => Known::Compared(Compared::of(some)),
            };
            self.by_random.insert(*random, known);
        }
    }

    /// Enters a flow.
    pub(super) fn enter(&mut self, story: &Story) {
        let Some((random, sighting)) = Sighting::of(story) else {
            return;
        };
        if self
            .max_len
            .is_some_and(|max_len| self.order.len() >= max_len)
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget_one(&oldest);
        }
        // Nearly every hello is there once.
        let place = self.by_random.entry(random);
        let known = place.or_insert_with(|| Known::Compared(Compared::of(Vec::with_capacity(1))));
        // A replay without end is told in part.
        if let Known::Compared(known) = known
            && known.sightings.len() < MAX_OF_ONE_HELLO
        {
            known.push(sighting);
            if self.max_len.is_some() {
                self.order.push_back(random);
            }
        }
    }

    /// Forgets the oldest flow of a ClientHello.
    fn forget_one(&mut self, random: &[u8; 32]) {
        if let Some(Known::Compared(known)) = self.by_random.get_mut(random) {
            known.sightings.remove(0);
            known.classes = None;
            if known.sightings.is_empty() {
                self.by_random.remove(random);
            }
        }
    }

    /// What a story has to do with the flows that were entered, itself among them.
    ///
    /// What is one connection with a third is one with each other; it is told where it was seen first.
    pub(super) fn relation(&mut self, story: &Story) -> Relation {
        let random = story.tls().and_then(|tls| tls.random);
        match random.and_then(|random| self.by_random.get_mut(&random)) {
            None => Relation::Alone,
            Some(Known::Compared(known)) => known.relation(story),
            Some(Known::Strangers(strangers)) => strangers.relation(story),
        }
    }
}

impl Compared {
    fn of(sightings: Vec<Sighting>) -> Self {
        let places = sightings.iter().map(|sighting| sighting.place);
        Self {
            newest: places.max().unwrap_or_default(),
            sightings,
            classes: None,
        }
    }

    fn push(&mut self, sighting: Sighting) {
        self.newest = self.newest.max(sighting.place);
        self.sightings.push(sighting);
        self.classes = None;
    }

    /// What a story has to do with the others, if it is one of them.
    fn relation(&mut self, story: &Story) -> Relation {
        let known = &self.sightings;
        if story.first.place() > self.newest || known.len() < 2 {
            return Relation::Alone;
        }
        let Classes {
            heads,
            first,
            other,
            has_twins,
            next,
        } = &mut **self
            .classes
            .get_or_insert_with(|| Box::new(Classes::of(known)));
        let is_own = |other: &Sighting| other.is_at(story.first.place(), story.key());
        let own = match known.get(*next) {
            Some(other) if is_own(other) => *next,
            _ => match known.iter().position(is_own) {
                Some(own) => own,
                None => return Relation::Alone,
            },
        };
        *next = own + 1;
        if heads.get(own) != Some(&own) {
            return Relation::Repeated;
        }
        let mut links = Links::default();
        for (seen, head) in known.iter().zip(heads).filter(|_| *has_twins) {
            let ends = seen.ends();
            if *head == own && seen.key != story.key() && !links.also_seen_as.contains(&ends) {
                links.also_seen_as.push(ends);
            }
        }
        links.also_seen_as.sort_unstable();
        // The first of all others is the first of its own class, and so is told.
        let others = [*first, *other].into_iter().flatten();
        let mut others = others.filter(|(head, _)| *head != own);
        links.same_hello_as = others.next().map(|(_, id)| id);
        if links == Links::default() {
            Relation::Alone
        } else {
            Relation::Told(Box::new(links))
        }
    }
}

impl Strangers {
    /// What is needed of flows, in the order of the output, of which none is one connection with another.
    fn among(sightings: &[Sighting]) -> Option<Self> {
        let [first, second, ..] = sightings else {
            return None;
        };
        let is_twin = |(at, one): (usize, &Sighting)| {
            let mut before = sightings.iter().take(at);
            before.any(|other| one.is_same(other))
        };
        if sightings.iter().enumerate().any(is_twin) {
            return None;
        }
        Some(Self {
            first: first.rank(),
            newest: sightings.last()?.place,
            ids: [first.id(), second.id()],
        })
    }

    /// What a story has to do with the others, if it is one of them.
    fn relation(&self, story: &Story) -> Relation {
        let place = story.first.place();
        if place > self.newest {
            return Relation::Alone;
        }
        let [first, second] = self.ids;
        let is_first = (place, story.key()) == self.first;
        Relation::Told(Box::new(Links {
            also_seen_as: Vec::new(),
            same_hello_as: Some(if is_first { second } else { first }),
        }))
    }
}

impl Classes {
    fn of(known: &[Sighting]) -> Self {
        let classes = classes(known);
        let rank = |at: usize| known.get(at).map(Sighting::rank);
        // For each class the first in the output.
        let mut firsts: Vec<Option<usize>> = vec![None; known.len()];
        for (at, class) in classes.iter().enumerate() {
            if let Some(first) = firsts.get_mut(*class)
                && first.is_none_or(|first| rank(at) < rank(first))
            {
                *first = Some(at);
            }
        }
        let mut in_order: Vec<usize> = firsts.iter().flatten().copied().collect();
        in_order.sort_unstable_by_key(|at| rank(*at));
        let mut in_order = in_order.iter();
        let mut next = || {
            let at = *in_order.next()?;
            Some((at, known.get(at)?.id()))
        };
        let (first, other) = (next(), next());
        let heads = classes.iter().map(|class| {
            let first = firsts.get(*class).copied().flatten();
            first.unwrap_or(usize::MAX)
        });
        Self {
            has_twins: firsts.contains(&None),
            heads: heads.collect(),
            first,
            other,
            next: 0,
        }
    }
}

/// For each sighting the least place in the list of those that are one connection with it.
fn classes(known: &[Sighting]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..known.len()).collect();
    for (at, one) in known.iter().enumerate() {
        for (other_at, other) in known.iter().enumerate().take(at) {
            if one.is_same(other)
                && let (Some(&a), Some(&b)) = (classes.get(at), classes.get(other_at))
            {
                let (from, to) = (a.max(b), a.min(b));
                for class in classes.iter_mut().filter(|class| **class == from) {
                    *class = to;
                }
            }
        }
    }
    classes
}

/// A part of a random: others may have the same.
fn part(random: [u8; 32]) -> u32 {
    let [.., a, b, c, d] = random;
    u32::from_be_bytes([a, b, c, d])
}

/// By how much the first frames of one connection may lie apart, in nanoseconds.
const MAX_DISTANCE: u64 = 2_000_000_000;
/// Flows of one ClientHello that are compared with each other.
const MAX_OF_ONE_HELLO: usize = 64;
