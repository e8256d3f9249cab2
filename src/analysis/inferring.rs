//! What may be said of a certificate that TLS 1.3 hides, from the sizes of the server's flight: its key, and whether a known chain
//! was served. Never a verdict.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::analysis::asked::AskedFor;
use crate::analysis::book::Book;
use crate::analysis::expectations::Expectations;
use crate::analysis::kinds::Chain;
use crate::analysis::seen::Tls;
use crate::analysis::story::Story;
use crate::pki::Certificate;
use crate::report::Inferred;
use crate::tls::{Observed, Unseen};
use crate::verdict::{Fit, Flight, Offers};

/// The sizes of a hidden flight, as far as an endpoint's book remembers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) flight: Flight,
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
        let is_hidden = matches!(tls.chain, Observed::Unseen(Unseen::Encrypted));
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

    fn fit<'a>(&self, chain: impl IntoIterator<Item = &'a Certificate>, is_whole: bool) -> Fit {
        self.flight.fit(chain, is_whole, self.offers, self.hash_len)
    }

    /// The length of the Certificate message, and the lengths that it may have without staples and uncompressed.
    fn certificate_len(&self) -> Option<(u32, RangeInclusive<u32>)> {
        match self.flight {
            Flight::Apart {
                certificate_len: len,
                ..
            } => {
                let least = if self.offers.stapling { 0 } else { len };
                let most = if self.offers.compression {
                    u32::MAX
                } else {
                    len
                };
                Some((len, least..=most))
            }
            Flight::Together { .. } => None,
        }
    }
}

/// What may be concluded about the hidden certificate of a flow.
pub(super) fn infer(
    story: &Story,
    tls: &Tls,
    book: Option<&Book>,
    expectations: &Expectations,
) -> Vec<Inferred> {
    let Some(hidden) = Hidden::of(story, tls) else {
        return Vec::new();
    };
    let asked = &*tls.asked;
    let mut told = Vec::new();
    told.extend(key(&hidden));
    let expected = expectations.certificates_for(story.source().ip, asked);
    told.extend(against_expected(&hidden, expected));
    if let Some(book) = book {
        told.extend(against_seen(&hidden, book, &asked.asked_for));
        told.extend(against_named(&hidden, book, &asked.asked_for));
    }
    told
}

fn key(hidden: &Hidden) -> Option<Inferred> {
    let key = hidden.flight.key()?;
    let Flight::Apart { verify_len, .. } = hidden.flight else {
        return None;
    };
    let reason = format!(
        "The server's key is {key}: its CertificateVerify message takes {verify_len} bytes."
    );
    Some(Inferred::new("server-key", reason.into()))
}

/// What the user expects: a certificate, alone or with the authorities that were given beside it behind it.
fn against_expected(
    hidden: &Hidden,
    (expected, authorities): (&[Certificate], &[Certificate]),
) -> Option<Inferred> {
    let first = expected.first()?;
    let is_served = |leaf: &&Certificate| {
        let mut chain = vec![*leaf];
        // A root may be expected by itself, and be sent behind another.
        let mut behind = authorities
            .iter()
            .chain(expected.iter().filter(|one| one.sha256 != leaf.sha256));
        loop {
            if hidden.fit(chain.iter().copied(), chain.len() > 1) == Fit::Consistent {
                return true;
            }
            match behind.next() {
                Some(authority) => chain.push(authority),
                None => return false,
            }
        }
    };
    if let Some(leaf) = expected.iter().find(is_served) {
        let reason = format!(
            "The sizes of the server's messages are those of the expected certificate, {}. Another one of the same size is not excluded.",
            leaf.subject
        );
        return Some(Inferred::new("expected-cert.consistent", reason.into()));
    }
    let is_excluded = |leaf: &Certificate| hidden.fit([leaf], false) == Fit::Inconsistent;
    expected.iter().all(is_excluded).then(|| {
        let reason = format!(
            "The expected certificate, {}, was not served: the sizes of the server's messages exclude it.",
            first.subject
        );
        Inferred::new("expected-cert.inconsistent", reason.into())
    })
}

/// What the same endpoint showed in clear, or where keys opened it.
fn against_seen(hidden: &Hidden, book: &Book, asked_for: &AskedFor) -> Option<Inferred> {
    let fit = |chain: &Chain| {
        let certificates = chain.certificates.iter();
        hidden.fit(certificates.map(|known| &known.certificate), true)
    };
    let subject = |chain: &Chain| {
        let leaf = chain.leaf().map(|leaf| Arc::clone(&leaf.subject));
        leaf.unwrap_or_default()
    };
    let mut consistent: Option<&Chain> = None;
    for (_, chain) in book.chains() {
        if fit(chain) == Fit::Consistent {
            let is_another = consistent.is_some_and(|known| known.leaf_hash() != chain.leaf_hash());
            if is_another {
                // Two of the same size: the sizes do not tell which.
                return None;
            }
            consistent = Some(chain);
        }
    }
    if let Some(chain) = consistent {
        let reason = [
            "The sizes of the server's messages are those of ",
            &subject(chain),
            ", which it shows where its certificate can be seen. Another one of the same size is not excluded.",
        ]
        .concat();
        return Some(Inferred::new("seen-cert.consistent", reason.into()));
    }
    let mut own = book
        .chains()
        .filter(|(asked, _)| *asked == asked_for)
        .map(|(_, chain)| chain)
        .peekable();
    let first = *own.peek()?;
    own.all(|chain| fit(chain) == Fit::Inconsistent).then(|| {
        let reason = format!(
            "The server did not show {}, which it shows to the same request where its certificate can be seen: the sizes of its messages exclude it.",
            subject(first)
        );
        Inferred::new("seen-cert.inconsistent", reason.into())
    })
}

/// For a client without SNI: what those who name a host get, also hidden.
fn against_named(hidden: &Hidden, book: &Book, asked_for: &AskedFor) -> Option<Inferred> {
    if *asked_for != AskedFor::Nobody {
        return None;
    }
    let (own, range) = hidden.certificate_len()?;
    let mut others = book
        .named_flights()
        .filter_map(Hidden::certificate_len)
        .peekable();
    let (other, _) = *others.peek()?;
    let is_another = |of_other: &RangeInclusive<u32>| {
        of_other.end() < range.start() || range.end() < of_other.start()
    };
    others.all(|(_, of_other)| is_another(&of_other)).then(|| {
        let reason = format!(
            "Clients without SNI get another certificate here than those with a name: the Certificate message takes {own} bytes, and {other} there."
        );
        Inferred::new("default-cert.by-length", reason.into())
    })
}
