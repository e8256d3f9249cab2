//! Opening the sealed records of a flow that is over, and taking in what was inside.
//!
//! [`open`] knows the hellos, the keys and the records in their order. What comes out goes where the same message would have gone
//! in clear, so that nobody behind it has to know that there were keys.

mod ech;
mod response;
mod taken;
mod tls12;
mod tls13;

use crate::tls::facts::Facts;
use crate::tls::keys::{KeyLog, Label, Secret, Suite};
use crate::tls::observed::Unopened;
use crate::tls::opening::taken::Taken;

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
}

/// Opens what was kept of a flow.
pub(crate) fn open<M: Copy + PartialEq>(facts: &mut Facts<M>, keys: Keys<'_>) {
    let inner_hello = facts
        .kept_hellos()
        .and_then(|(hellos, is_gapless)| ech::open(hellos, is_gapless, keys));
    facts.opened_mut().inner_hello = inner_hello.map(Box::new);
    let Some((sealed, known)) = facts.take_sealed() else {
        facts.opened_mut().unopened = Some(Unopened::NoKey);
        return;
    };
    if !keys.knows(&known.client_random) {
        facts.opened_mut().unopened = Some(Unopened::NoKey);
        return;
    }
    let Some(suite) = Suite::of(known.suite) else {
        facts.opened_mut().unopened = Some(Unopened::Suite);
        return;
    };
    let mut taken = Taken::new(facts, known.client);
    let unopened = if known.is_tls13 {
        tls13::open(&known, suite, sealed, keys, &mut taken)
    } else {
        tls12::open(&known, suite, sealed, keys, &mut taken)
    };
    taken.finish(unopened);
}
