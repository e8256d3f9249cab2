//! Opening the sealed records of a flow that is over, and taking in what was inside.
//!
//! [`open`] knows the hellos, the keys and the records in their order. What comes out goes where the same message would have gone
//! in clear, so that nobody behind it has to know that there were keys.

mod ech;
mod response;
mod taken;
mod tls12;
mod tls13;
mod trial;

pub use trial::Trials;

use crate::tls::facts::{Facts, Known};
use crate::tls::handshake::{Acceptance, InnerHello};
use crate::tls::keys::{KeyLog, Label, Secret, Suite};
use crate::tls::observed::Unopened;
use crate::tls::opening::ech::Witness;
use crate::tls::opening::taken::Taken;
use crate::tls::sealed::Sealed;

/// The keys that a flow may be opened with.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    log: &'a KeyLog,
    other: Option<&'a KeyLog>,
    at: u64,
}

impl<'a> Keys<'a> {
    /// Those of `log` that are known at the place `at` (see [`KeyLog::read`]).
    #[must_use]
    pub const fn new(log: &'a KeyLog, at: u64) -> Self {
        Self {
            log,
            other: None,
            at,
        }
    }

    /// Those of another log as well.
    #[must_use]
    pub const fn with(mut self, other: &'a KeyLog) -> Self {
        self.other = Some(other);
        self
    }

    fn secrets(
        &self,
        random: &[u8; 32],
        label: Label,
    ) -> impl Iterator<Item = &'a Secret> + use<'a> {
        let at = self.at;
        let first = self.log.secrets(random, label, at);
        let others = self.other.map(|log| log.secrets(random, label, at));
        first.chain(others.into_iter().flatten())
    }

    fn knows(&self, random: &[u8; 32]) -> bool {
        [Some(self.log), self.other]
            .into_iter()
            .flatten()
            .any(|log| log.knows(random, self.at))
    }

    fn has_server_secret(&self, random: &[u8; 32]) -> bool {
        let mut secrets = self.secrets(random, Label::ServerHandshake);
        secrets.next().is_some()
    }

    /// How many connections have a secret of the server's handshake; those of the first log come first.
    fn server_count(&self) -> usize {
        let of = |log: &KeyLog| log.server_count(self.at);
        of(self.log).saturating_add(self.other.map_or(0, of))
    }

    /// The random of one of them.
    fn server(&self, place: usize) -> Option<&'a [u8; 32]> {
        let of_first = self.log.server_count(self.at);
        match place.checked_sub(of_first) {
            None => self.log.server(place),
            Some(place) => self.other?.server(place),
        }
    }

    /// The place of one of them.
    fn server_place(&self, random: &[u8; 32]) -> Option<usize> {
        let of_first = self.log.server_count(self.at);
        let in_other = || self.other?.server_place(random)?.checked_add(of_first);
        self.log.server_place(random).or_else(in_other)
    }
}

/// Opens what was kept of a flow.
pub(crate) fn open<M: Copy + PartialEq>(facts: &mut Facts<M>, keys: Keys<'_>, trials: &mut Trials) {
    let inner_hello = facts
        .kept_hellos()
        .and_then(|(hellos, is_gapless)| ech::open(hellos, is_gapless, keys));
    facts.opened_mut().inner_hello = inner_hello.map(Box::new);
    let is_gapless = facts
        .kept_hellos()
        .is_some_and(|(_, is_gapless)| is_gapless);
    let Some((sealed, mut known)) = facts.take_sealed() else {
        facts.opened_mut().unopened = Some(Unopened::NoKey);
        return;
    };
    let suite = Suite::of(known.suite);
    let is_hidden =
        facts.opened_mut().inner_hello.is_none() && may_be_hidden(&sealed, &known, keys);
    let hidden = suite
        .filter(|_| is_hidden)
        .and_then(|suite| trials.find(&sealed, &known, suite, keys));
    if hidden.is_none() && !keys.knows(&known.client_random) {
        facts.opened_mut().unopened = Some(Unopened::NoKey);
        return;
    }
    let Some(suite) = suite else {
        facts.opened_mut().unopened = Some(Unopened::Suite);
        return;
    };
    known.inner_random = known.inner_random.or(hidden);
    let mut witness = hidden
        .filter(|_| is_gapless)
        .and_then(|random| Witness::new(&sealed.hellos, suite.hash, &random));
    let mut taken = Taken::new(facts, known.client);
    let unopened = if known.is_tls13 {
        tls13::open(&known, suite, sealed, keys, witness.as_mut(), &mut taken)
    } else {
        tls12::open(&known, suite, sealed, keys, &mut taken)
    };
    taken.finish(unopened);
    match hidden {
        Some(random) => {
            // The log says that the hello inside was taken. If the server's Finished says otherwise, that holds.
            let is_refuted = witness.and_then(|witness| witness.has_taken_clear()) == Some(true);
            facts.opened_mut().inner_hello = (!is_refuted).then(|| {
                Box::new(InnerHello {
                    random,
                    hello: None,
                    acceptance: Acceptance::Accepted,
                })
            });
        }
        None => trials.on_found(&known.client_random, keys),
    }
}

/// Whether the keys of a flow may stand under a random that no hello in clear shows.
fn may_be_hidden<M>(sealed: &Sealed<M>, known: &Known, keys: Keys<'_>) -> bool {
    known.is_tls13
        && !keys.has_server_secret(&known.client_random)
        && ech::is_offered(&sealed.hellos)
}
