//! Some frames of a block, decoded: what shards have to take of them, in the order of the frames.
//!
//! On one thread these are a few frames, in one list: their connections lie far apart in memory, and
//! come from there side by side. On several threads they are all frames of the block, in a list for
//! each bunch of shards: such a batch is made on any thread and read on all of them, and what one has written
//! another waits for, by the cache line. So a usual segment is one line. A batch is filled again and
//! again, so that its lists are made once; what the block knows is not copied.

use crate::analysis::aside::{Aside, FrameAt};
use crate::analysis::deal::{Bunches, SHARDS, shard_of};
use crate::analysis::entry::{
    ByBunch, Entries, Entry, InOrder, Source, Whose, number_from, short_len,
};
use crate::analysis::filter::Filter;
use crate::analysis::frame_tally::{FrameTally, Span};
use crate::analysis::lane;
use crate::analysis::lists::PAGE_LEN;
use crate::analysis::mark::Origin;
use crate::analysis::shard::{Arrival, Passed, Shard, Tick};
use crate::capture::{Block, Frame, Frames, LinkType, classic};
use crate::flow::{Direction, FlowKey};
use crate::packet::{
    self, Decoded, Defragmenter, Encapsulation, Fragment, Headers, Joined, PathId, Plain, Segment,
    Skip, V4, V6,
};
use crate::reassembly::{Guess, Tag, Tagger};
use crate::time::Timestamp;
use crate::tls;

/// Some frames, decoded, with their entries in `E`.
#[derive(Debug, Default)]
pub(super) struct Batch<E> {
    /// In the order of the frames.
    entries: E,
    /// The keys that are too long for an entry.
    keys: Vec<FlowKey>,
    /// What does not fit an entry in other ways.
    asides: Vec<Aside>,
    fragments: Vec<(FrameAt, Fragment)>,
    /// The packets that fragments of this block completed.
    whole: Vec<Joined>,
    /// The newest time among the frames of the run before these.
    clock: Timestamp,
    /// The frames at which the clock ticks.
    ticks: Vec<Tick>,
    /// The newest time among these frames.
    newest: Timestamp,
    tally: FrameTally,
}

/// What frames are decoded for.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    filter: &'a Filter,
    /// Nothing is left out, so that nothing has to be asked.
    admits_all: bool,
    tagger: &'a Tagger,
}

/// A frame that is not older than any before it in the batch, and where it is.
#[derive(Clone, Copy)]
struct Seen<'a> {
    frame: Frame<'a>,
    /// Where it begins in the block.
    start: u32,
    /// Its number, from that of the block's first frame.
    number: u32,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(filter: &'a Filter, tagger: &'a Tagger) -> Self {
        Self {
            filter,
            admits_all: filter.admits_all(),
            tagger,
        }
    }
}

impl<E: Entries> Batch<E> {
    /// Decodes the next frames of a block, `count` at most. What was here before is gone, but for
    /// what was seen of earlier frames. How many there were.
    pub(super) fn decode(
        &mut self,
        frames: &mut Frames<'_>,
        count: usize,
        block: &Block,
        decoder: Decoder<'_>,
    ) -> usize {
        self.entries.reset();
        self.keys.clear();
        self.asides.clear();
        self.fragments.clear();
        self.whole.clear();
        self.ticks.clear();
        let span = match frames.usual() {
            Some(layout) if layout.link_type == LinkType::ETHERNET && decoder.admits_all => {
                self.take_usual::<true>(frames, &layout, count, block, decoder)
            }
            Some(layout) => self.take_usual::<false>(frames, &layout, count, block, decoder),
            None => self.take_any(frames, count, block, decoder),
        };
        self.newest = span.newest;
        self.tally.frames += u64::try_from(span.count).unwrap_or(u64::MAX);
        span.count
    }

    /// Takes frames of records that are all written as usual; `ASKS_NOTHING` where all are of Ethernet and none is left out, so
    /// that neither is asked for each.
    ///
    /// A function of its own, so that what it goes through stays in registers.
    #[inline(never)]
    fn take_usual<const ASKS_NOTHING: bool>(
        &mut self,
        frames: &mut Frames<'_>,
        layout: &classic::Usual,
        count: usize,
        block: &Block,
        decoder: Decoder<'_>,
    ) -> Span {
        let mut span = Span::default();
        let mut number = number_from(block, frames.number());
        let admits_all = ASKS_NOTHING || decoder.admits_all;
        let decoder = Decoder {
            admits_all,
            ..decoder
        };
        frames.each_usual(layout, count, |mut frame, start| {
            if ASKS_NOTHING {
                frame.link_type = LinkType::ETHERNET;
            }
            let place = number;
            number = number.wrapping_add(1);
            if span.see(frame.time) {
                // A copy is handed on, or all frames would have to be in memory for it.
                self.take_closely(Frame { ..frame }, span.newest, block, decoder);
                return;
            }
            let seen = Seen {
                frame,
                start,
                number: place,
            };
            self.take(seen, block, decoder);
        });
        self.tally.see_between(span, layout.precision);
        span
    }

    /// Takes any frames.
    #[inline(never)]
    fn take_any(
        &mut self,
        frames: &mut Frames<'_>,
        count: usize,
        block: &Block,
        decoder: Decoder<'_>,
    ) -> Span {
        let mut span = Span::default();
        for frame in frames.take(count) {
            let is_late = span.see(frame.time);
            self.tally.see_at(frame.time, frame.precision);
            if is_late {
                self.take_closely(frame, span.newest, block, decoder);
                continue;
            }
            let seen = Seen {
                frame,
                start: short_len(block.offset_of(frame.data).unwrap_or_default()),
                number: number_from(block, frame.number),
            };
            self.take(seen, block, decoder);
        }
        span
    }

    /// Takes a frame that is not older than any before it.
    #[inline(always)]
    fn take(&mut self, seen: Seen<'_>, block: &Block, decoder: Decoder<'_>) {
        let frame = seen.frame;
        if !decoder.admits_all {
            self.take_closely(Frame { ..frame }, frame.time, block, decoder);
            return;
        }
        match packet::plain(&frame) {
            Plain::V4(headers) => self.take_v4(headers, seen, decoder.tagger),
            Plain::V6(headers) => self.take_v6(headers, seen, decoder.tagger),
            Plain::Datagram => self.tally.skip(Skip::Udp, frame.link_type),
            Plain::Other => self.walk(Frame { ..frame }, frame.time, block, decoder),
        }
    }

    /// Takes a frame that may be left out, or is older than one before it. `newest` is the time of the newest up to it.
    #[inline(never)]
    fn take_closely(
        &mut self,
        frame: Frame<'_>,
        newest: Timestamp,
        block: &Block,
        decoder: Decoder<'_>,
    ) {
        if !decoder.filter.admits_time(frame.time) {
            self.tally.filtered += 1;
            return;
        }
        let segment = match packet::plain(&frame) {
            Plain::V4(headers) => headers.segment(&frame),
            Plain::V6(headers) => headers.segment(&frame),
            Plain::Datagram => return self.tally.skip(Skip::Udp, frame.link_type),
            Plain::Other => return self.walk(frame, newest, block, decoder),
        };
        self.take_segment(&segment, &frame, newest, block, decoder);
    }

    /// Takes a frame that is not plain.
    #[inline(never)]
    fn walk(&mut self, frame: Frame<'_>, newest: Timestamp, block: &Block, decoder: Decoder<'_>) {
        match packet::walked(&frame) {
            Decoded::Segment(segment) => {
                self.take_segment(&segment, &frame, newest, block, decoder);
            }
            Decoded::Fragment(fragment) => {
                self.tally.fragments += 1;
                self.fragments
                    .push((FrameAt::of(&frame, block, newest), fragment));
            }
            Decoded::Unreachable(icmp) => {
                self.tally.unreachable += 1;
                let at = FrameAt::of(&frame, block, newest);
                self.push_aside(icmp.key, Aside::Icmp(Box::new(icmp)), &at, decoder.tagger);
            }
            Decoded::Skip(skip) => self.tally.skip(skip, frame.link_type),
        }
    }

    /// Takes a plain segment of IPv4: most are, and none is put together here only to be taken apart.
    #[inline(always)]
    fn take_v4(&mut self, headers: V4<'_>, seen: Seen<'_>, tagger: &Tagger) {
        let (key, way) = headers.key();
        self.put(Whose::Short(key), &key.key(), way, headers, seen, tagger);
    }

    /// The same of IPv6.
    #[inline(always)]
    fn take_v6(&mut self, headers: V6<'_>, seen: Seen<'_>, tagger: &Tagger) {
        let (key, way) = headers.key();
        let whose = Whose::Long(next_place(&mut self.keys, key));
        self.put(whose, &key, way, headers, seen, tagger);
    }

    /// Puts a plain segment where it stays.
    ///
    /// Word by word from where it was captured: there are more of them than registers.
    #[inline(always)]
    fn put(
        &mut self,
        of: Whose,
        key: &FlowKey,
        way: Direction,
        headers: impl Headers,
        seen: Seen<'_>,
        tagger: &Tagger,
    ) {
        let frame = seen.frame;
        self.tally.segments += 1;
        let at = shard_of(key);
        let Some(entry) = self.entries.grow(at) else {
            return;
        };
        // All of them by name: what was there before is of another segment.
        let Entry {
            time,
            whose,
            tag,
            number,
            payload_start,
            payload_len,
            wire_len,
            numbers,
            flags,
            window,
            ip_id,
            origin,
            direction,
            begins_tls,
            shard,
        } = entry;
        *time = frame.time;
        *whose = of;
        *tag = tagger.tag(key);
        *number = seen.number;
        let tcp = headers.tcp();
        *numbers = tcp.numbers();
        *flags = tcp.flags();
        *window = tcp.window();
        *ip_id = headers.ip_id();
        *origin = Origin::new(frame.interface, frame.precision);
        *direction = way;
        *shard = short(at);
        let payload = headers.payload(&frame);
        *payload_start = seen.start.wrapping_add(payload.start);
        *payload_len = payload.len;
        *wire_len = payload.wire_len;
        *begins_tls = E::ARE_TAKEN_ELSEWHERE.then(|| tls::begins_hello(payload.of(frame.data)));
    }

    /// Takes any segment.
    #[inline]
    fn take_segment(
        &mut self,
        segment: &Segment,
        frame: &Frame<'_>,
        newest: Timestamp,
        block: &Block,
        decoder: Decoder<'_>,
    ) {
        let Decoder { filter, tagger, .. } = decoder;
        if !filter.admits(&segment.key) {
            self.tally.filtered += 1;
            return;
        }
        self.tally.segments += 1;
        let at = FrameAt::of(frame, block, newest);
        if segment.path != PathId::default() || frame.time != newest {
            self.push_aside(segment.key, Aside::Segment(*segment, at), &at, tagger);
            return;
        }
        let whose = match segment.key.short() {
            Some(key) => Whose::Short(key),
            None => Whose::Long(next_place(&mut self.keys, segment.key)),
        };
        let shard = shard_of(&segment.key);
        let Some(place) = self.entries.grow(shard) else {
            return;
        };
        *place = Entry {
            time: frame.time,
            whose,
            tag: tagger.tag(&segment.key),
            number: at.number,
            payload_start: at.start.saturating_add(segment.payload_start),
            payload_len: segment.payload_len,
            wire_len: segment.wire_len,
            numbers: lane::numbers(segment.seq, segment.ack),
            flags: segment.flags,
            window: segment.window,
            ip_id: segment.ip_id,
            origin: Origin::new(frame.interface, frame.precision),
            direction: segment.direction,
            begins_tls: E::ARE_TAKEN_ELSEWHERE
                .then(|| tls::begins_hello(segment.payload(frame.data))),
            shard: short(shard),
        };
    }

    #[inline(never)]
    fn push_aside(&mut self, key: FlowKey, aside: Aside, at: &FrameAt, tagger: &Tagger) {
        let place = next_place(&mut self.asides, aside);
        let shard = shard_of(&key);
        if let Some(entry) = self.entries.grow(shard) {
            *entry = Entry {
                time: at.time,
                whose: Whose::Aside(place),
                tag: tagger.tag(&key),
                number: at.number,
                shard: short(shard),
                ..Entry::default()
            };
        }
    }

    /// Joins the fragments of the block, in the order of the capture: a packet that becomes whole
    /// stands at the place of the frame that completed it.
    pub(super) fn join(
        &mut self,
        block: &Block,
        fragments: &mut Defragmenter,
        decoder: Decoder<'_>,
    ) {
        if self.fragments.is_empty() {
            return;
        }
        let Decoder { filter, tagger, .. } = decoder;
        let mut whole = std::mem::take(&mut self.whole);
        for (at, fragment) in std::mem::take(&mut self.fragments) {
            join(&at.frame(block), &fragment, fragments, &mut |joined| {
                match joined.decode() {
                    Decoded::Segment(segment) if filter.admits(&segment.key) => {
                        self.tally.segments += 1;
                        let aside = Aside::Joined(Box::new((segment, whole.len())), at);
                        self.push_aside(segment.key, aside, &at, tagger);
                    }
                    Decoded::Segment(_) => self.tally.filtered += 1,
                    Decoded::Unreachable(icmp) => {
                        let aside = Aside::Icmp(Box::new(icmp));
                        self.push_aside(icmp.key, aside, &at, tagger);
                    }
                    _ => {}
                }
                whole.push(joined);
            });
        }
        self.whole = whole;
        // Nothing else came in a frame that was a fragment.
        self.entries.sort();
    }

    /// Notes what was before these frames: the newest time, and when the clock ticks.
    pub(super) fn follow(&mut self, clock: Timestamp, ticks: Vec<Tick>) {
        self.clock = clock;
        self.ticks = ticks;
    }

    /// What was seen of the frames, of these and of earlier ones.
    pub(super) const fn tally(&self) -> &FrameTally {
        &self.tally
    }

    /// Forgets what was seen of frames.
    pub(super) fn take_tally(&mut self) -> FrameTally {
        std::mem::take(&mut self.tally)
    }

    /// The newest time among these frames.
    pub(super) const fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Lets the clock tick up to the frame of this number, which is counted from the block's first one. The ticks that come later.
    #[inline(never)]
    fn tick_up_to<'a>(
        &self,
        number: u32,
        mut ticks: &'a [Tick],
        shards: &mut [Shard],
        source: &Source<'_>,
    ) -> &'a [Tick] {
        while let [tick, later @ ..] = ticks
            && number_of_next(ticks, source) <= number
        {
            for shard in &mut *shards {
                shard.tick(*tick, self.clock.max(tick.time), source.shared);
            }
            ticks = later;
        }
        ticks
    }

    /// Gives entries to their shards, at most [`AHEAD`] at a time; `first` is the number of the first of the shards.
    #[inline(always)]
    fn give_to<'a>(
        &self,
        lists: impl Iterator<Item = &'a [Entry]>,
        shards: &mut [Shard],
        first: usize,
        source: &Source<'_>,
    ) {
        let mut ticks = self.ticks.as_slice();
        let mut tick_at = number_of_next(ticks, source);
        let at = |entry: &Entry| usize::from(entry.shard).wrapping_sub(first);
        for entries in lists {
            let mut guesses = [Guess::default(); AHEAD];
            let mut is_flooded = false;
            let mut read = 0;
            for (guess, entry) in guesses.iter_mut().zip(entries) {
                if let Some(shard) = shards.get(at(entry)) {
                    *guess = shard.guess(entry.tag);
                    if !guess.is_somewhere() {
                        read ^= shard.touch_past(entry.tag);
                        is_flooded |= shard.is_flooded();
                    }
                }
            }
            std::hint::black_box(read);
            let shard_of = |entry: &Entry| shards.get(at(entry));
            let places = entries.iter().zip(guesses);
            touch(
                places
                    .clone()
                    .filter_map(|(entry, guess)| Some((shard_of(entry)?, guess))),
            );
            if is_flooded {
                let unknown = places.filter(|(_, guess)| !guess.is_somewhere());
                touch_in_flood(
                    unknown
                        .filter_map(|(entry, _)| Some((entry.shard, shard_of(entry)?, entry.tag))),
                );
            }
            for (entry, guess) in entries.iter().zip(guesses) {
                if entry.number >= tick_at {
                    ticks = self.tick_up_to(entry.number, ticks, shards, source);
                    tick_at = number_of_next(ticks, source);
                }
                if let Some(shard) = shards.get_mut(at(entry)) {
                    self.give(entry, guess, shard, source);
                }
            }
        }
        self.tick_up_to(u32::MAX, ticks, shards, source);
    }

    /// Gives an entry to its shard.
    #[inline(always)]
    fn give(&self, entry: &Entry, guess: Guess, shard: &mut Shard, source: &Source<'_>) {
        let Some(key) = entry.key(&self.keys) else {
            self.give_aside(entry, shard, source);
            return;
        };
        if shard.hears_at(entry.time) {
            let clock = self.clock.max(entry.time);
            shard.grow_old(entry.place(source), clock, source.shared);
        }
        let passed = if guess.is_somewhere() {
            shard.pass(guess, key, entry, source)
        } else {
            Passed::NotHere
        };
        if passed != Passed::Taken {
            self.give_closely(entry, passed == Passed::Refused, shard, source);
        }
    }

    /// Gives what stands aside.
    #[inline(never)]
    fn give_aside(&self, entry: &Entry, shard: &mut Shard, source: &Source<'_>) {
        if let Whose::Aside(place) = entry.whose
            && let Some(aside) = self.asides.get(index(place))
        {
            aside.give_to(shard, entry.tag, &self.whole, self.clock, source);
        }
    }

    /// Gives a segment that was not taken in passing.
    #[inline(never)]
    fn give_closely(&self, entry: &Entry, was_tried: bool, shard: &mut Shard, source: &Source<'_>) {
        let Some(key) = entry.key(&self.keys) else {
            return;
        };
        let segment = entry.segment(key);
        let arrival = Arrival {
            segment: &segment,
            tag: entry.tag,
            was_tried,
            payload: segment.payload(source.bytes),
            begins_tls: entry.begins_tls,
            mark: entry.mark(source),
            clock: self.clock.max(entry.time),
            // Nothing is around it, or it would stand aside.
            outer: &Encapsulation::default,
        };
        shard.take_closely(&arrival, source.shared);
    }
}

impl Batch<InOrder> {
    /// Gives all to their shards.
    #[inline(never)]
    pub(super) fn give_to_all(&self, shards: &mut [Shard], source: &Source<'_>) {
        self.give_to(self.entries.all().chunks(AHEAD), shards, 0, source);
    }
}

impl Batch<ByBunch> {
    /// From now on it is for such bunches.
    pub(super) fn deal_in(&mut self, bunches: Bunches) {
        self.entries.deal_in(bunches);
    }

    /// Reads a word of each of the first entries for a bunch: they are in the cache of the thread that has written them.
    #[inline]
    pub(super) fn touch(&self, bunch: usize) -> u32 {
        let first = self.entries.pages(bunch).next().unwrap_or_default();
        first.iter().fold(0, |read, entry| read ^ entry.number)
    }

    /// Gives to a bunch of shards what is for them; `first` is the number of the first of them.
    #[inline(never)]
    pub(super) fn give_to_bunch(
        &self,
        bunch: usize,
        shards: &mut [Shard],
        first: usize,
        source: &Source<'_>,
    ) {
        self.give_to(self.entries.pages(bunch), shards, first, source);
    }
}

/// The number of the frame at which the next tick is, counted from the block's first one; the largest where
/// there is none.
#[inline]
fn number_of_next(ticks: &[Tick], source: &Source<'_>) -> u32 {
    ticks.first().map_or(u32::MAX, |tick| {
        let (_, number) = tick.place;
        number_from(source.block, number)
    })
}

/// Puts an item at the end of a list; gives its place.
#[inline]
fn next_place<T>(list: &mut Vec<T>, item: T) -> u32 {
    let place = u32::try_from(list.len()).unwrap_or(u32::MAX);
    list.push(item);
    place
}

/// The number of a shard in an entry.
#[inline]
fn short(shard: usize) -> u8 {
    u8::try_from(shard).unwrap_or(u8::MAX)
}

#[inline]
fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Hands on the packet that a fragment completes, and packets that are given up with it. A
/// joined packet may be a tunnel, and in it may be a fragment once more.
fn join(
    frame: &Frame<'_>,
    fragment: &Fragment,
    fragments: &mut Defragmenter,
    then: &mut dyn FnMut(Joined),
) {
    let mut completed = fragments.push(frame, fragment);
    for _ in 0..MAX_NESTED {
        let Some(joined) = completed.take() else {
            break;
        };
        if let Decoded::Fragment(inner) = joined.decode() {
            completed = fragments.push_joined(&joined, &inner);
        } else {
            then(joined);
        }
    }
    while let Some(abandoned) = fragments.pop_abandoned() {
        then(abandoned);
    }
}

/// Reads what is about to be taken, of at most [`AHEAD`] connections. Nothing but short loops does
/// it: only what stands close together in the program waits for memory together.
#[inline]
fn touch<'a>(places: impl Iterator<Item = (&'a Shard, Guess)>) {
    let read = places.fold(0, |read, (shard, guess)| read ^ shard.touch(guess));
    // It is wanted in the cache and nowhere else.
    std::hint::black_box(read);
}

/// The same for SYNs that drive each other out: where each is sought for, and where its victim is. In the order
/// of the capture each waited for its own memory.
#[inline(never)]
fn touch_in_flood<'a>(unknown: impl Iterator<Item = (u8, &'a Shard, Tag)> + Clone) {
    let syns = unknown.filter(|(_, shard, _)| shard.is_flooded());
    // How many of them are for each shard: of a few, some are for the same.
    let mut counts = [0; SHARDS];
    let mut victims = [None; AHEAD];
    for (victim, (number, shard, _)) in victims.iter_mut().zip(syns.clone()) {
        if let Some(count) = counts.get_mut(usize::from(number)) {
            *victim = shard.victim(*count).map(|tag| (shard, tag));
            *count += 1;
        }
    }
    let read = syns.fold(0, |read, (_, shard, tag)| read ^ shard.touch_syn(tag));
    let victims = victims.iter().flatten();
    std::hint::black_box(victims.fold(read, |read, (shard, tag)| read ^ shard.touch_victim(*tag)));
}

/// Segments whose connections are touched before the first of them is taken: enough to hide what
/// memory takes, and little enough to stay in the cache.
pub(super) const AHEAD: usize = 32;
/// Fragments in tunnels in fragments that are followed.
const MAX_NESTED: usize = 8;
/// What is given together is looked for together.
const _: () = assert!(PAGE_LEN <= AHEAD);
const _: () = assert!(SHARDS <= 256);

#[cfg(test)]
mod tests;
