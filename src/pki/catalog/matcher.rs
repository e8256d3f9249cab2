//! What a certificate of the catalog looks like: keys that must all match.
//!
//! The cheap keys come first and most entries end there. Patterns are compiled when a certificate
//! comes so far for the first time.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::pki::certificate::Certificate;
use crate::pki::distinguished::DistinguishedName;
use crate::pki::oid::Oid;

/// The keys of an entry. A key that is not there matches everything.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Matcher {
    self_signed: Option<bool>,
    empty_subject: Option<bool>,
    no_subject_o: Option<bool>,
    subject_cn: Option<String>,
    subject_o: Option<String>,
    subject_ou: Option<String>,
    subject_l: Option<String>,
    subject_st: Option<String>,
    subject_c: Option<String>,
    issuer_cn: Option<String>,
    issuer_o: Option<String>,
    issuer_ou: Option<String>,
    san: Vec<String>,
    extension_oid: Option<Dotted>,
    subject_cn_re: Option<Pattern>,
    subject_o_re: Option<Pattern>,
    subject_ou_re: Option<Pattern>,
    subject_l_re: Option<Pattern>,
    subject_st_re: Option<Pattern>,
    subject_c_re: Option<Pattern>,
    issuer_cn_re: Option<Pattern>,
    issuer_o_re: Option<Pattern>,
    issuer_ou_re: Option<Pattern>,
    san_re: Vec<Pattern>,
}

impl Matcher {
    /// Whether all keys match.
    pub(crate) fn matches(&self, certificate: &Certificate) -> bool {
        self.matches_flags(certificate)
            && self.values().all(|(_, side, kind, wanted)| {
                let mut values = side.of(certificate).values(kind);
                wanted.is_none_or(|wanted| values.any(|value| value == wanted))
            })
            && self.san.iter().all(|wanted| {
                let mut names = certificate.names.dns.iter();
                names.any(|name| name.eq_ignore_ascii_case(wanted))
            })
            && self
                .extension_oid
                .as_ref()
                .is_none_or(|wanted| certificate.extensions.contains(&wanted.0))
            && self.patterns().all(|(_, side, kind, wanted)| {
                let mut values = side.of(certificate).values(kind);
                wanted.is_none_or(|wanted| values.any(|value| wanted.is_match(value)))
            })
            && self.san_re.iter().all(|wanted| {
                let mut names = certificate.names.dns.iter();
                names.any(|name| wanted.is_match(name))
            })
    }

    fn matches_flags(&self, certificate: &Certificate) -> bool {
        let subject = &certificate.subject;
        // What could not be read matches neither way.
        let self_signed = match self.self_signed {
            Some(true) => certificate.self_signed.holds(),
            Some(false) => certificate.self_signed.is_excluded(),
            None => true,
        };
        let empty_subject = self
            .empty_subject
            .is_none_or(|wanted| subject.is_whole() && subject.is_empty() == wanted);
        let no_subject_o = self.no_subject_o.is_none_or(|wanted| {
            subject.is_whole() && subject.values("O").next().is_none() == wanted
        });
        self_signed && empty_subject && no_subject_o
    }

    /// Whether there is no key.
    pub(crate) fn is_empty(&self) -> bool {
        self.self_signed.is_none()
            && self.empty_subject.is_none()
            && self.no_subject_o.is_none()
            && self.san.is_empty()
            && self.san_re.is_empty()
            && self.extension_oid.is_none()
            && self.values().all(|(.., wanted)| wanted.is_none())
            && self.patterns().all(|(.., wanted)| wanted.is_none())
    }

    /// Compiles all patterns, to find those that are none.
    pub(crate) fn compile(&self) -> Result<(), BadPattern> {
        let patterns = self
            .patterns()
            .filter_map(|(key, .., pattern)| Some((key, pattern?)));
        let names = self.san_re.iter().map(|pattern| ("san_re", pattern));
        for (key, pattern) in patterns.chain(names) {
            if let Err(error) = compile(&pattern.source) {
                return Err(BadPattern {
                    key,
                    reason: error.to_string(),
                });
            }
        }
        Ok(())
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, Side, &'static str, Option<&str>)> {
        [
            ("subject_cn", Side::Subject, "CN", &self.subject_cn),
            ("subject_o", Side::Subject, "O", &self.subject_o),
            ("subject_ou", Side::Subject, "OU", &self.subject_ou),
            ("subject_l", Side::Subject, "L", &self.subject_l),
            ("subject_st", Side::Subject, "ST", &self.subject_st),
            ("subject_c", Side::Subject, "C", &self.subject_c),
            ("issuer_cn", Side::Issuer, "CN", &self.issuer_cn),
            ("issuer_o", Side::Issuer, "O", &self.issuer_o),
            ("issuer_ou", Side::Issuer, "OU", &self.issuer_ou),
        ]
        .into_iter()
        .map(|(key, side, kind, value)| (key, side, kind, value.as_deref()))
    }

    fn patterns(
        &self,
    ) -> impl Iterator<Item = (&'static str, Side, &'static str, Option<&Pattern>)> {
        [
            ("subject_cn_re", Side::Subject, "CN", &self.subject_cn_re),
            ("subject_o_re", Side::Subject, "O", &self.subject_o_re),
            ("subject_ou_re", Side::Subject, "OU", &self.subject_ou_re),
            ("subject_l_re", Side::Subject, "L", &self.subject_l_re),
            ("subject_st_re", Side::Subject, "ST", &self.subject_st_re),
            ("subject_c_re", Side::Subject, "C", &self.subject_c_re),
            ("issuer_cn_re", Side::Issuer, "CN", &self.issuer_cn_re),
            ("issuer_o_re", Side::Issuer, "O", &self.issuer_o_re),
            ("issuer_ou_re", Side::Issuer, "OU", &self.issuer_ou_re),
        ]
        .into_iter()
        .map(|(key, side, kind, pattern)| (key, side, kind, pattern.as_ref()))
    }
}

/// Whose attribute a key means.
#[derive(Clone, Copy, Debug)]
enum Side {
    Subject,
    Issuer,
}

impl Side {
    fn of(self, certificate: &Certificate) -> &DistinguishedName {
        match self {
            Self::Subject => &certificate.subject,
            Self::Issuer => &certificate.issuer,
        }
    }
}

/// A pattern that is no regular expression, and where it stands.
pub(crate) struct BadPattern {
    pub(crate) key: &'static str,
    pub(crate) reason: String,
}

/// A regular expression, compiled on first need.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
struct Pattern {
    source: String,
    /// Nothing in it if the source is no regular expression; then it matches nothing.
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn is_match(&self, text: &str) -> bool {
        self.compiled
            .get_or_init(|| compile(&self.source).ok())
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }
}

impl From<String> for Pattern {
    fn from(source: String) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }
}

fn compile(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source)
        .size_limit(MAX_PATTERN_SIZE)
        .dfa_size_limit(MAX_PATTERN_SIZE)
        .nest_limit(MAX_PATTERN_DEPTH)
        .build()
}

/// An object identifier as it is written.
#[derive(Debug)]
struct Dotted(Oid);

impl<'de> Deserialize<'de> for Dotted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refused = || de::Error::custom(format!("`{text}` is no object identifier"));
        Oid::from_dotted(&text).map(Self).ok_or_else(refused)
    }
}

/// Bytes of a compiled pattern, and of its cache.
const MAX_PATTERN_SIZE: usize = 256 << 10;

/// How deep the groups of a pattern may go.
const MAX_PATTERN_DEPTH: u32 = 32;
