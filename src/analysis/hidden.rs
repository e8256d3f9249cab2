//! The sizes of a server's flight in TLS 1.3 whose certificate is hidden, and those that an endpoint's book remembers.

use crate::analysis::asked::AskedFor;
use crate::analysis::seen::Tls;
use crate::analysis::story::Story;
use crate::pki::Certificate;
use crate::report::Confounder;
use crate::time::Timestamp;
use crate::tls::{Observed, Unseen};
use crate::verdict::{Fit, Flight, Key, Offers, TooSmall};

/// The sizes of a hidden flight, and what may be in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    flight: Flight,
    offers: Offers,
    hash_len: u32,
}

impl Hidden {
    /// The sizes of the server's flight, where its certificate is hidden and all of its records were seen.
    pub(super) fn of(story: &Story, tls: &Tls) -> Option<Self> {
        let answer = tls.answer.as_ref()?;
        let capture = &story.capture;
        let is_whole = !capture.gap
            && !capture.truncated
            && !capture.midstream
            && !capture.limit
            && capture.missing_side.is_none();
        let is_hidden = matches!(tls.chain(), Observed::Unseen(Unseen::Encrypted));
        if !is_hidden || !is_whole || tls.is_decrypted() {
            return None;
        }
        let hash_len = answer.hash_len?;
        Some(Self {
            flight: tls.acts.flight(hash_len)?,
            offers: tls.client.as_ref()?.offers,
            hash_len,
        })
    }

    /// What the sizes say of a chain: as sent, or, where `is_whole` is false, of the server's own certificate.
    pub(super) fn fit<'a>(
        &self,
        chain: impl IntoIterator<Item = &'a Certificate>,
        is_whole: bool,
    ) -> Fit {
        self.flight.fit(chain, is_whole, self.offers, self.hash_len)
    }

    /// The server's key and the length of its CertificateVerify message, where that stands alone.
    pub(super) fn key(&self) -> Option<(Key, u32)> {
        match self.flight {
            // It may be signed by a key that the server's only vouches for.
            _ if self.offers.delegation => None,
            Flight::Apart { verify_len, .. } => Some((self.flight.key()?, verify_len)),
            Flight::Together { .. } => None,
        }
    }

    /// Whether the message is too small for two certificates.
    pub(super) fn holds_one(&self) -> Option<TooSmall> {
        self.flight.holds_one(self.offers)
    }

    /// Whether the number of certificates shows in the size of their message.
    pub(super) const fn shows_how_many(&self) -> bool {
        matches!(self.flight, Flight::Apart { .. }) && !self.offers.compression
    }

    /// What was there that may change sizes.
    pub(super) fn confounders(&self) -> Vec<Confounder> {
        let (is_padded, requests) = match self.flight {
            Flight::Apart {
                padding, requests, ..
            } => (padding > 0, requests),
            Flight::Together { may_request, .. } => (false, may_request),
        };
        let present = [
            (is_padded, Confounder::Padding),
            (self.offers.compression, Confounder::CompressionOffered),
            (self.offers.stapling, Confounder::StaplingOffered),
            (requests, Confounder::ClientCertificateRequest),
        ];
        let present = present.into_iter().filter(|(is_there, _)| *is_there);
        present.map(|(_, confounder)| confounder).collect()
    }

    fn is_clearly_another(&self, other: &Self) -> bool {
        let offers = [self.offers, other.offers];
        let hash_lens = [self.hash_len, other.hash_len];
        self.flight
            .is_clearly_another(&other.flight, offers, hash_lens)
    }

    /// Whether both may well be of the same certificates.
    fn is_alike(&self, other: &Self) -> bool {
        self.is_apart() == other.is_apart() && self.measured().abs_diff(other.measured()) < ALIKE
    }

    /// What was measured of it: the Certificate message, or all messages together.
    pub(super) const fn measured(&self) -> u32 {
        match self.flight {
            Flight::Apart {
                certificate_len, ..
            } => certificate_len,
            Flight::Together { len, .. } => len,
        }
    }

    /// Whether the Certificate message was measured by itself.
    pub(super) const fn is_apart(&self) -> bool {
        matches!(self.flight, Flight::Apart { .. })
    }
}

#[cfg(test)]
impl Hidden {
    /// One whose messages take so many bytes together.
    pub(super) fn of_len(len: u32) -> Self {
        Self {
            flight: Flight::Together {
                len,
                may_request: false,
            },
            offers: Offers::default(),
            hash_len: 32,
        }
    }
}

/// The hidden flights of one endpoint, by whether its clients named a host.
#[derive(Debug, Default)]
pub(super) struct Flights {
    to_named: Vec<Sighting>,
    to_nameless: Vec<Sighting>,
    /// There were more than are kept.
    is_full: bool,
}

/// Flights of the same sizes, to clients with the same offers.
#[derive(Debug)]
struct Sighting {
    hidden: Hidden,
    first: Timestamp,
    last: Timestamp,
}

impl Flights {
    /// Enters a flight. Whoever may have named a host without its being seen is on neither side.
    pub(super) fn enter(&mut self, hidden: Hidden, asked_for: &AskedFor, at: Timestamp) {
        let side = match asked_for {
            AskedFor::Name(_) => &mut self.to_named,
            AskedFor::Nobody => &mut self.to_nameless,
            AskedFor::Unknown => return,
        };
        if let Some(known) = side.iter_mut().find(|known| known.hidden == hidden) {
            known.first = known.first.min(at);
            known.last = known.last.max(at);
        } else if side.len() < MAX_FLIGHTS {
            side.push(Sighting {
                hidden,
                first: at,
                last: at,
            });
        } else {
            self.is_full = true;
        }
    }

    /// A flight to clients that named a host, where all of those are clearly of other certificates than `own`, which was to one that
    /// named none, where no such client got what they got, and where one of them is near `at`.
    pub(super) fn another_to_named(&self, own: &Hidden, at: Timestamp) -> Option<&Hidden> {
        let is_another = |named: &Sighting| {
            let mut nameless = self.to_nameless.iter();
            named.hidden.is_clearly_another(own)
                && !nameless.any(|other| named.hidden.is_alike(&other.hidden))
        };
        let distance = |one: &&Sighting| {
            let before = one.first.nanos_since(at);
            before.max(at.nanos_since(one.last)).max(0)
        };
        if self.is_full {
            return None;
        }
        let nearest = self.to_named.iter().min_by_key(distance)?;
        let is_told = distance(&nearest) <= FAR_APART && self.to_named.iter().all(is_another);
        is_told.then_some(&nearest.hidden)
    }
}

/// Flights of one side that differ in size or in what was offered.
const MAX_FLIGHTS: usize = 32;
/// Bytes by which flights with the same certificates differ at most.
const ALIKE: u32 = 32;
/// Nanoseconds after which an address may have gone to another server, or its certificate may have been renewed.
const FAR_APART: i64 = 30 * 60 * 1_000_000_000;
