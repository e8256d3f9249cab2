//! What may be said of a certificate that TLS 1.3 hides, from the sizes of the server's flight: its key, how many certificates there
//! are, and whether a known chain was served. Never a verdict.

use std::borrow::Cow;
use std::sync::Arc;

use crate::analysis::asked::AskedFor;
use crate::analysis::book::Book;
use crate::analysis::expectations::Expectations;
use crate::analysis::hidden::Hidden;
use crate::analysis::kinds::{Chain, Known};
use crate::analysis::seen::Tls;
use crate::analysis::story::Story;
use crate::pki::{Certificate, ChainShape};
use crate::report::Inferred;
use crate::verdict::Fit;

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
    let asked_for = &asked.asked_for;
    let given = expectations.certificates_for(story.source().ip, asked);
    let anew = || conclude(&hidden, asked_for, given, book);
    let mut told = match (book, given) {
        (Some(book), ([], [])) => book.conclusions().of(hidden, asked_for, anew),
        // What is expected differs from client to client.
        _ => anew(),
    };
    // A name may hide where none is in clear.
    let may_hide_name = |tls: &Tls| {
        let client = tls.client.as_ref();
        client.is_some_and(|client| client.may_hide_name)
    };
    if *asked_for == AskedFor::Nobody
        && !may_hide_name(tls)
        && let Some(book) = book
    {
        let inferred = against_named(&hidden, book, story);
        told.extend(inferred.map(|inferred| inferred.with_confounders(&hidden.confounders())));
    }
    told
}

/// What the sizes say beside what was given to compare with, expected certificates and authorities, and
/// what the endpoint showed elsewhere.
fn conclude(
    hidden: &Hidden,
    asked_for: &AskedFor,
    (expected, authorities): (&[Certificate], &[Certificate]),
    book: Option<&Book>,
) -> Vec<Inferred> {
    let given = readings_of_expected(hidden, expected, authorities);
    let seen = book.map_or_else(Vec::new, |book| readings_of_seen(hidden, book));

    let mut told = Vec::new();
    told.extend(key(hidden));
    told.extend(against_expected(hidden, expected, &given));
    told.extend(book.and_then(|book| against_seen(hidden, book, &seen, asked_for)));
    let known = || -> Vec<&Certificate> {
        let chains = book.into_iter().flat_map(Book::chains);
        let shown = chains.flat_map(|(_, chain)| leaf_first(chain));
        let shown = shown.map(|known| &known.certificate);
        let given = expected.iter().chain(authorities);
        given.chain(shown).take(MAX_KNOWN).collect()
    };
    let readings: Vec<&Reading<'_>> = given.iter().chain(&seen).collect();
    // Not all of more than these were tried.
    let are_all_tried = expected.len() + authorities.len() <= MAX_KNOWN;
    let how_many = are_all_tried.then(|| how_many(hidden, &readings, known));
    told.extend(how_many.flatten().or_else(|| one(hidden)));
    let confounders = hidden.confounders();
    told.into_iter()
        .map(|inferred| inferred.with_confounders(&confounders))
        .collect()
}

/// Known certificates that would give the message the size that it has, the server's own first.
struct Reading<'a> {
    sent: Vec<&'a Certificate>,
    /// The subject of the server's own as text, and of the one behind it.
    subject: Cow<'a, str>,
    next: Option<Cow<'a, str>>,
}

impl<'a> Reading<'a> {
    fn leaf(&self) -> Option<&'a Certificate> {
        self.sent.first().copied()
    }

    fn is_same(&self, other: &Self) -> bool {
        let pairs = self.sent.iter().zip(&other.sent);
        self.sent.len() == other.sent.len()
            && pairs
                .into_iter()
                .all(|(one, other)| one.sha256 == other.sha256)
    }
}

fn key(hidden: &Hidden) -> Option<Inferred> {
    let (key, verify_len) = hidden.key()?;
    let reason = format!(
        "The server's key is {key}: its CertificateVerify message takes {verify_len} bytes."
    );
    Some(Inferred::new("server-key", reason.into()))
}

/// The expected certificates, each alone and with the authorities behind it that were given beside it: in the order of the files, and
/// in that of issuing.
fn readings_of_expected<'a>(
    hidden: &Hidden,
    expected: &'a [Certificate],
    authorities: &'a [Certificate],
) -> Vec<Reading<'a>> {
    let mut found: Vec<Reading<'a>> = Vec::new();
    let may_be = |leaf: &&Certificate| hidden.fit([*leaf], false) != Fit::Inconsistent;
    for leaf in expected.iter().filter(may_be).take(MAX_KNOWN) {
        // A root may be expected by itself, and be sent behind another.
        let behind = || {
            let others = expected.iter().filter(|one| one.sha256 != leaf.sha256);
            authorities.iter().chain(others).take(MAX_KNOWN)
        };
        // What issued itself has nothing behind it.
        let most = if leaf.self_signed.holds() {
            1
        } else {
            MAX_SENT
        };
        let as_given: Vec<_> = std::iter::once(leaf).chain(behind()).take(most).collect();
        let as_issued = path(leaf, behind(), most);
        for order in [as_given, as_issued] {
            for len in 1..=order.len() {
                let sent = order.get(..len).unwrap_or_default();
                if hidden.fit(sent.iter().copied(), len > 1) != Fit::Consistent {
                    continue;
                }
                let reading = Reading {
                    sent: sent.to_vec(),
                    subject: leaf.subject.to_string().into(),
                    next: sent.get(1).map(|next| next.subject.to_string().into()),
                };
                if !found.iter().any(|one| one.is_same(&reading)) {
                    found.push(reading);
                }
            }
        }
    }
    found
}

/// A certificate and those of `others` that issued it, upwards, at most so many.
fn path<'a>(
    leaf: &'a Certificate,
    others: impl Iterator<Item = &'a Certificate>,
    most: usize,
) -> Vec<&'a Certificate> {
    let all: Vec<_> = std::iter::once(leaf).chain(others).collect();
    // From the first one, whatever it is: the leaf may be an authority itself.
    let mut path = vec![leaf];
    while path.len() < most
        && let Some(issuer) = path.last().and_then(|last| issuer_of(last, &all))
        && !path.iter().any(|one| one.sha256 == issuer.sha256)
    {
        path.push(issuer);
    }
    path
}

fn issuer_of<'a>(of: &Certificate, among: &[&'a Certificate]) -> Option<&'a Certificate> {
    let is_issuer = |candidate: &&&'a Certificate| {
        candidate.sha256 != of.sha256 && ChainShape::of(&[of, **candidate]).path == [0, 1]
    };
    among.iter().find(is_issuer).copied()
}

/// What the endpoint shows where it can be seen: each chain whole, and its leaf alone.
fn readings_of_seen<'a>(hidden: &Hidden, book: &'a Book) -> Vec<Reading<'a>> {
    let mut found: Vec<Reading<'a>> = Vec::new();
    for (_, chain) in book.chains() {
        let Some(leaf) = chain.leaf() else {
            continue;
        };
        // Then with any others behind it too.
        if hidden.fit([&leaf.certificate], false) == Fit::Inconsistent {
            continue;
        }
        let lens = [chain.certificates.len(), 1];
        for len in lens.into_iter().take(chain.certificates.len()) {
            let sent = || leaf_first(chain).take(len);
            if hidden.fit(sent().map(|known| &known.certificate), true) != Fit::Consistent {
                continue;
            }
            let reading = Reading {
                sent: sent().map(|known| &known.certificate).collect(),
                subject: Cow::Borrowed(&*leaf.subject),
                next: sent().nth(1).map(|next| Cow::Borrowed(&*next.subject)),
            };
            if !found.iter().any(|one| one.is_same(&reading)) {
                found.push(reading);
            }
        }
    }
    found
}

/// The certificates of a chain, the server's own first, wherever that stands.
fn leaf_first(chain: &Chain) -> impl Iterator<Item = &Known> {
    let leaf = chain.leaf().map(|leaf| &**leaf);
    let is_leaf = |known: &Arc<Known>| {
        leaf.is_some_and(|leaf| leaf.certificate.sha256 == known.certificate.sha256)
    };
    // Some servers send it twice.
    let place = chain.certificates.iter().position(is_leaf);
    let sent = chain.certificates.iter().take(MAX_SENT).enumerate();
    let others = sent
        .filter(move |(at, _)| Some(*at) != place)
        .map(|(_, known)| &**known);
    leaf.into_iter().chain(others)
}

/// What the user expects: a certificate, alone or with the authorities that were given beside it behind it.
fn against_expected(
    hidden: &Hidden,
    expected: &[Certificate],
    readings: &[Reading<'_>],
) -> Option<Inferred> {
    let first = expected.first()?;
    if let Some(fits) = readings.first() {
        let reason = format!(
            "The sizes of the server's messages are those of the expected certificate, {}. Another one of the same size is not excluded.",
            fits.subject
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
fn against_seen(
    hidden: &Hidden,
    book: &Book,
    readings: &[Reading<'_>],
    asked_for: &AskedFor,
) -> Option<Inferred> {
    if let Some(first) = readings.first() {
        let hash = |one: &Reading<'_>| one.leaf().map(|leaf| leaf.sha256);
        // Two of the same size: the sizes do not tell which.
        return readings.iter().all(|one| hash(one) == hash(first)).then(|| {
            let reason = [
                "The sizes of the server's messages are those of ",
                &first.subject,
                ", which it shows where its certificate can be seen. Another one of the same size is not excluded.",
            ]
            .concat();
            Inferred::new("seen-cert.consistent", reason.into())
        });
    }
    let own = || {
        let own = book.chains().filter(|(asked, _)| *asked == asked_for);
        own.map(|(_, chain)| chain)
    };
    let subject = &own().next()?.leaf()?.subject;
    let is_excluded = |chain: &Chain, is_whole| {
        let is_whole = is_whole && chain.certificates.len() <= MAX_SENT;
        let len = if is_whole { MAX_SENT } else { 1 };
        let sent = leaf_first(chain).take(len).map(|known| &known.certificate);
        hidden.fit(sent, is_whole) == Fit::Inconsistent
    };
    if own().all(|chain| is_excluded(chain, false)) {
        let reason = [
            "The server did not show ",
            subject,
            ", which it shows to the same request where its certificate can be seen: the sizes of its messages exclude it.",
        ]
        .concat();
        return Some(Inferred::new("seen-cert.inconsistent", reason.into()));
    }
    // The leaf may be the same with others behind it.
    own().all(|chain| is_excluded(chain, true)).then(|| {
        let reason = [
            "The server did not show ",
            subject,
            " with just what it sends behind it to the same request where its certificate can be seen: the sizes of its messages exclude that.",
        ]
        .concat();
        Inferred::new("seen-chain.inconsistent", reason.into())
    })
}

/// Whether the server's own certificate was sent alone, where what is known gives the size in one way only.
fn how_many<'a>(
    hidden: &Hidden,
    readings: &[&Reading<'_>],
    known: impl Fn() -> Vec<&'a Certificate>,
) -> Option<Inferred> {
    let (first, others) = readings.split_first()?;
    if !hidden.shows_how_many() || !others.iter().all(|other| other.is_same(first)) {
        return None;
    }
    let (leaf, behind) = first.sent.split_first()?;
    let subject = &first.subject;
    let (id, what) = match behind {
        [] => ("chain.leaf-only", alone(leaf, issuer_of(leaf, &known()))),
        [_, ..] => {
            let next = first.next.as_deref().unwrap_or_default();
            let what = format!("with {} behind it, {next} first", behind.len());
            ("chain.several", what)
        }
    };
    let reason = format!(
        "The Certificate message has the size of {subject} {what}. Another one of the same size is not excluded."
    );
    Some(Inferred::new(id, reason.into()))
}

/// What it means that a certificate was sent alone.
fn alone(leaf: &Certificate, issuer: Option<&Certificate>) -> String {
    match issuer {
        _ if leaf.self_signed.holds() => {
            "alone, which is self-signed: no other belongs to it".into()
        }
        Some(issuer) if issuer.self_signed.holds() => {
            format!(
                "alone; its issuer, {}, is a root, which need not be sent",
                issuer.subject
            )
        }
        Some(issuer) => format!(
            "alone: the intermediate certificate {} was not sent",
            issuer.subject
        ),
        None => format!(
            "alone: that of its issuer, {}, was not sent, which is a fault unless that is a root",
            leaf.issuer
        ),
    }
}

/// Whether the message is too small for two certificates, whichever they are.
fn one(hidden: &Hidden) -> Option<Inferred> {
    let small = hidden.holds_one()?;
    let reason = format!(
        "The server sent one certificate: the Certificate message takes {} bytes, and with two and this key it takes at least {}.",
        small.len, small.least_of_two
    );
    Some(Inferred::new("certificates.one", reason.into()))
}

/// For a client without SNI: what those who name a host get, also hidden.
fn against_named(hidden: &Hidden, book: &Book, story: &Story) -> Option<Inferred> {
    let other = book.flights().another_to_named(hidden, story.first.time)?;
    let what = if hidden.is_apart() {
        "the Certificate message takes"
    } else {
        "the server's messages take"
    };
    let reason = format!(
        "Clients without SNI get another certificate here than those with a name, or others behind it: {what} {} bytes, and {} there.",
        hidden.measured(),
        other.measured()
    );
    Some(Inferred::new("default-cert.by-length", reason.into()))
}

/// Certificates of a chain that are looked at.
const MAX_SENT: usize = 16;
/// Certificates that are tried, and among which an issuer is looked for.
const MAX_KNOWN: usize = 64;
