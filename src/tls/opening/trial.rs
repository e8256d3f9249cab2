//! Keys tried one by one, where nothing in clear says which of a log are those of a flow.
//!
//! Where a server takes an Encrypted Client Hello, a log has the flow under the random of the hello inside (RFC 9850, section 2.1), which only
//! an `ECH_SECRET` would show. A secret that opens the server's first sealed record is the right one: no other can. Logs are written in
//! the order of handshakes, and so the search begins beside the last connection that was found.

use crate::tls::facts::Known;
use crate::tls::keys::{Draft, Label, Suite, traffic_keys};
use crate::tls::opening::Keys;
use crate::tls::sealed::{Kept, Sealed, What};

/// How many keys may still be tried, and where in the logs the last flow was found.
///
/// What one flow is given depends on those before it: flows that are to be told the same, however they come, share one of these in
/// a fixed order.
#[derive(Clone, Debug, Default)]
pub struct Trials {
    left: u32,
    /// Where the next search begins.
    next: usize,
    cut_short: u64,
}

impl Trials {
    /// The most connections of a log that are tried on one flow: all of a usual one, in less than a millisecond.
    pub const MAX_OF_A_FLOW: u32 = 512;

    /// As many trials as this, for all flows together.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self {
            left: count,
            next: 0,
            cut_short: 0,
        }
    }

    /// How many flows stayed closed before all keys were tried.
    #[must_use]
    pub const fn cut_short(&self) -> u64 {
        self.cut_short
    }

    /// A flow was found in the logs, by its random.
    pub(crate) fn on_found(&mut self, random: &[u8; 32], keys: Keys<'_>) {
        if let Some(place) = keys.server_place(random) {
            self.next = place.saturating_add(1);
        }
    }

    /// The random under which the logs have the keys of this flow.
    pub(crate) fn find<M>(
        &mut self,
        sealed: &Sealed<M>,
        known: &Known,
        suite: Suite,
        keys: Keys<'_>,
    ) -> Option<[u8; 32]> {
        let first = first_of_server(sealed, known)?;
        let draft = Draft::of(known.version);
        let opens = |random: &[u8; 32]| {
            let mut secrets = keys.secrets(random, Label::ServerHandshake);
            secrets.any(|secret| {
                let protection = traffic_keys(secret, suite, draft);
                protection.is_some_and(|protection| {
                    let opened = protection.open(0, first.header, &first.fragment);
                    opened.is_some()
                })
            })
        };
        let count = keys.server_count();
        let mut tried = 0;
        for place in around(self.next.min(count), count) {
            let Some(random) = keys.server(place) else {
                continue;
            };
            if tried == Self::MAX_OF_A_FLOW || self.left == 0 {
                self.cut_short = self.cut_short.saturating_add(1);
                return None;
            }
            tried += 1;
            self.left -= 1;
            if opens(random) {
                self.next = place.saturating_add(1);
                return Some(*random);
            }
        }
        None
    }
}

/// The first record that the server sealed; `None` where it, or one before it, was not kept.
fn first_of_server<'a, M>(sealed: &'a Sealed<M>, known: &Known) -> Option<&'a Kept> {
    let server = known.client.other();
    let mut of_server = sealed.records.iter().filter(|record| record.lane == server);
    let first = of_server.find(|record| !matches!(record.what, What::KeyChange))?;
    match &first.what {
        What::Record(kept, _) => Some(kept),
        What::KeyChange | What::Missed | What::Torn => None,
    }
}

/// The places below `count`, those next to `from` first: it, the one before it, the one behind it, and so on.
fn around(from: usize, count: usize) -> impl Iterator<Item = usize> {
    let (mut behind, mut before) = (from..count, (0..from).rev());
    let mut is_behind = true;
    std::iter::from_fn(move || {
        let next = if is_behind {
            behind.next().or_else(|| before.next())
        } else {
            before.next().or_else(|| behind.next())
        };
        is_behind = !is_behind;
        next
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::keys::{KeyLog, RecordHeader};
    use crate::tls::lane::Lane;
    use crate::tls::record::ContentType;

    const SUITE: u16 = 0x1301;

    fn known() -> Known {
        Known {
            client: Lane::A,
            client_random: [0xff; 32],
            inner_random: None,
            server_random: [0; 32],
            suite: SUITE,
            version: 0x0304,
            is_tls13: true,
            has_early_data: false,
        }
    }

    fn record() -> What<u8> {
        What::Record(
            Kept {
                header: RecordHeader {
                    content_type: ContentType::APPLICATION_DATA,
                    version: [3, 3],
                },
                step: None,
                fragment: vec![7; 60],
            },
            0,
        )
    }

    fn log(count: usize) -> KeyLog {
        let mut log = KeyLog::new();
        for number in 0..count {
            let line = format!("SERVER_HANDSHAKE_TRAFFIC_SECRET {number:064x} {number:064x}\n");
            log.read_bytes(line.as_bytes(), 0);
        }
        log
    }

    fn find(trials: &mut Trials, of_server: What<u8>, log: &KeyLog) -> Option<[u8; 32]> {
        let mut sealed = Sealed::new(1 << 16);
        sealed.note(Lane::B, What::KeyChange);
        sealed.note(Lane::A, record());
        sealed.note(Lane::B, of_server);
        sealed.note(Lane::B, record());
        let suite = Suite::of(SUITE).unwrap();
        trials.find(&sealed, &known(), suite, Keys::new(log, 0))
    }

    #[test]
    fn trials_are_counted_and_end() {
        let mut trials = Trials::new(10);
        let four = log(4);
        for (left, cut_short) in [(6, 0), (2, 0), (0, 1), (0, 2)] {
            assert_eq!(find(&mut trials, record(), &four), None);
            assert_eq!((trials.left, trials.cut_short()), (left, cut_short));
        }
        let mut trials = Trials::new(u32::MAX);
        find(&mut trials, record(), &log(600));
        assert_eq!(trials.left, u32::MAX - Trials::MAX_OF_A_FLOW);
        assert_eq!(trials.cut_short(), 1);
        // Without a key there is nothing to try.
        let mut none = Trials::default();
        find(&mut none, record(), &log(0));
        assert_eq!(none.cut_short(), 0);
    }

    #[test]
    fn behind_a_record_that_was_not_kept_nothing_is_tried() {
        for missing in [What::Missed, What::Torn] {
            let mut trials = Trials::new(10);
            assert_eq!(find(&mut trials, missing, &log(4)), None);
            assert_eq!((trials.left, trials.cut_short()), (10, 0));
        }
    }

    #[test]
    fn a_search_begins_beside_the_last_connection_that_was_found() {
        let log = log(8);
        let keys = Keys::new(&log, 0);
        let mut trials = Trials::new(1);
        let mut fifth = [0; 32];
        fifth[31] = 4;
        trials.on_found(&fifth, keys);
        assert_eq!(trials.next, 5);
        trials.on_found(&[9; 32], keys);
        assert_eq!(trials.next, 5);
    }

    #[test]
    fn every_place_comes_once_and_the_nearest_first() {
        let places = |from, count| around(from, count).collect::<Vec<_>>();
        assert_eq!(places(2, 6), [2, 1, 3, 0, 4, 5]);
        assert_eq!(places(0, 3), [0, 1, 2]);
        assert_eq!(places(3, 3), [2, 1, 0]);
        assert!(places(0, 0).is_empty());
        for count in 0..9 {
            for from in 0..=count {
                let mut all = places(from, count);
                all.sort_unstable();
                assert_eq!(all, (0..count).collect::<Vec<_>>());
            }
        }
    }
}
