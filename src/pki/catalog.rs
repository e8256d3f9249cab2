//! The catalog: certificates that products ship, make up at their start, or fall back to.
//!
//! An entry names a product and what its certificate looks like. All keys of an entry must match,
//! and the first entry that matches wins, so the order matters. Values are compared with decoded
//! attributes, never with a printed name. The catalog of the project is built in; a user's file
//! comes before it.
//!
//! A match says what a certificate looks like, not who runs the server.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use thiserror::Error;

use crate::pki::catalog::matcher::Matcher;
use crate::pki::certificate::Certificate;

mod matcher;

/// A list of entries; cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    entries: Arc<[Arc<Entry>]>,
}

impl Catalog {
    /// The catalog that is part of the program.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// This catalog with the entries of a file before its own.
    ///
    /// # Errors
    ///
    /// When the file is too large, is no TOML, has keys that are not known, or patterns that are no
    /// regular expressions.
    pub fn with_additions(&self, toml_text: &str) -> Result<Self, Error> {
        let added = parse(toml_text)?;
        for entry in &added {
            entry.matcher.compile().map_err(|reason| Error::Pattern {
                line: line_of_entry(toml_text, &entry.id),
                entry: entry.id.clone(),
                key: reason.key,
                reason: reason.reason,
            })?;
        }
        let added = added.into_iter().map(Arc::new);
        Ok(Self {
            entries: added.chain(self.entries.iter().cloned()).collect(),
        })
    }

    /// The first entry that the certificate matches.
    #[must_use]
    pub fn recognise(&self, certificate: &Certificate) -> Option<&Entry> {
        self.entries
            .iter()
            .map(Arc::as_ref)
            .find(|entry| entry.matcher.matches(certificate))
    }

    /// The entries in the order in which they are asked.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().map(Arc::as_ref)
    }
}

/// One kind of certificate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// A stable word for it, such as `traefik-default`.
    pub id: String,
    /// What serves it.
    pub product: String,
    /// The product's kind, such as `k8s-ingress`.
    pub category: String,
    /// How much a match says.
    pub strength: Strength,
    /// What the entry rests on, such as `source-code`.
    #[serde(default)]
    pub evidence: Option<String>,
    /// Where that can be read.
    #[serde(default)]
    pub source: Option<String>,
    /// What the certificate looks like.
    matcher: Matcher,
    /// What else is known; nothing of it is compared.
    #[serde(default)]
    pub info: Info,
}

/// How much a match says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Strength {
    /// It names the product.
    Exact,
    /// It names the product, and is a default only where it does not cover the name asked for.
    Conditional,
    /// Several products have certificates of this shape.
    Generic,
}

/// What is known of a certificate beside its shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Info {
    /// The usual key, in words.
    #[serde(default)]
    pub key: Option<String>,
    /// How long it is usually valid.
    #[serde(default)]
    pub validity_days: Option<u32>,
    /// When it is served, and what it means.
    #[serde(default)]
    pub notes: Option<String>,
}

/// Why a file is no catalog.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is larger than a catalog may be.
    #[error("the catalog has {len} bytes, more than {MAX_TEXT_LEN}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The file has more entries than a catalog may have.
    #[error("the catalog has {count} entries, more than {MAX_ENTRIES}")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// The file is no TOML, or has keys or values that do not belong there.
    #[error("line {line}{}: {reason}", in_entry(.entry))]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The entry that the line belongs to, if it has said its name.
        entry: Option<String>,
        /// What is wrong; it names the key.
        reason: String,
    },
    /// The file follows another schema.
    #[error("schema {found}, not {SCHEMA}")]
    Schema {
        /// The number of that schema.
        found: u32,
    },
    /// An entry asks for nothing, and so would match every certificate.
    #[error("line {line}, entry {entry}: the matcher is empty")]
    EmptyMatcher {
        /// The line on which the entry has its name.
        line: usize,
        /// The entry.
        entry: String,
    },
    /// Two entries have one name.
    #[error("line {line}, entry {entry}: the id occurs twice")]
    DuplicateId {
        /// The line on which the name occurs first.
        line: usize,
        /// The entry.
        entry: String,
    },
    /// A pattern is no regular expression, or too large a one.
    #[error("line {line}, entry {entry}, key {key}: {reason}")]
    Pattern {
        /// The line on which the entry has its name.
        line: usize,
        /// The entry.
        entry: String,
        /// The key of the pattern.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

fn in_entry(entry: &Option<String>) -> String {
    entry
        .as_ref()
        .map_or_else(String::new, |entry| format!(", entry {entry}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    #[serde(default)]
    certificate: Vec<Entry>,
}

fn parse(text: &str) -> Result<Vec<Entry>, Error> {
    if text.len() > MAX_TEXT_LEN {
        return Err(Error::TooLong { len: text.len() });
    }
    let File {
        schema,
        certificate: entries,
    } = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let before = text.get(..offset).unwrap_or_default();
        Error::Syntax {
            line: before.matches('\n').count().saturating_add(1),
            entry: entry_at(text, offset),
            reason: error.message().to_owned(),
        }
    })?;
    if schema != SCHEMA {
        return Err(Error::Schema { found: schema });
    }
    if entries.len() > MAX_ENTRIES {
        return Err(Error::TooMany {
            count: entries.len(),
        });
    }
    let mut ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    ids.sort_unstable();
    if let Some([id, ..]) = ids.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(Error::DuplicateId {
            line: line_of_entry(text, id),
            entry: (*id).to_owned(),
        });
    }
    match entries.iter().find(|entry| entry.matcher.is_empty()) {
        Some(entry) => Err(Error::EmptyMatcher {
            line: line_of_entry(text, &entry.id),
            entry: entry.id.clone(),
        }),
        None => Ok(entries),
    }
}

/// The line on which an entry has its name.
fn line_of_entry(text: &str, id: &str) -> usize {
    let is_it = |line: &str| id_in(line).is_some_and(|found| found == id);
    text.lines()
        .position(is_it)
        .map_or(1, |index| index.saturating_add(1))
}

/// The name of the entry that a place in the text belongs to.
fn entry_at(text: &str, offset: usize) -> Option<String> {
    let (before, after) = text.split_at_checked(offset)?;
    let begin = before.rfind(ENTRY_HEADER);
    let begin = if after.starts_with(ENTRY_HEADER) {
        Some(offset)
    } else {
        begin
    }?;
    let entry = text.get(begin.checked_add(ENTRY_HEADER.len())?..)?;
    let entry = entry.split(ENTRY_HEADER).next()?;
    entry.lines().find_map(id_in).map(str::to_owned)
}

fn id_in(line: &str) -> Option<&str> {
    let value = line
        .trim_start()
        .strip_prefix("id")?
        .trim_start()
        .strip_prefix('=')?;
    value.trim_start().strip_prefix('"')?.split('"').next()
}

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| Catalog {
    // A test holds that the file is a catalog.
    entries: parse(BUILTIN_TEXT)
        .unwrap_or_default()
        .into_iter()
        .map(Arc::new)
        .collect(),
});

const BUILTIN_TEXT: &str = include_str!("../../catalog/default_certificates.toml");
const ENTRY_HEADER: &str = "[[certificate]]";

/// The schema of the file that is read here.
const SCHEMA: u32 = 1;

/// Bytes of a catalog file; the built-in one has 37,000.
pub const MAX_TEXT_LEN: usize = 4 << 20;

/// Entries of a catalog file; the built-in one has 80.
pub const MAX_ENTRIES: usize = 10_000;

#[cfg(test)]
mod tests;
