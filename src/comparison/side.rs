//! What a run adds up to, for each server: gathered flow by flow, in bounds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::comparison::observation::{Leaf, Observation};
use crate::comparison::rates::Rates;
use crate::report::{Severity, SniState};

/// One of the two runs that are compared.
#[derive(Clone, Debug)]
pub struct Side {
    pub(crate) name: String,
    pub(crate) rates: Rates,
    pub(crate) servers: BTreeMap<(IpAddr, u16), Server>,
    /// Flows to servers that are in no list, since there are too many.
    pub(crate) flows_left_out: u64,
}

/// A server endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server {
    pub(crate) rates: Rates,
    pub(crate) verdicts: BTreeMap<String, (Severity, u64)>,
    pub(crate) names: BTreeMap<Asked, Name>,
    /// Names that are in no list; where there are any, none is called new or lost.
    pub(crate) names_left_out: u64,
}

/// What was asked for.
pub(crate) type Asked = (SniState, Option<String>);

/// What became of those that asked for the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    pub(crate) rates: Rates,
    /// The certificates that answered, by their SHA-256.
    pub(crate) leaves: BTreeMap<String, Leaf>,
    pub(crate) has_more_leaves: bool,
}

impl Side {
    /// A run of which no flow is known.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rates: Rates::default(),
            servers: BTreeMap::new(),
            flows_left_out: 0,
        }
    }

    /// Its name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Enters a flow.
    pub fn enter(&mut self, seen: Observation) {
        self.rates.enter(&seen);
        let key = (seen.server.ip, seen.server.port);
        if self.servers.len() >= MAX_SERVERS && !self.servers.contains_key(&key) {
            self.flows_left_out = self.flows_left_out.saturating_add(1);
            return;
        }
        self.servers.entry(key).or_default().enter(seen);
    }
}

impl Server {
    fn enter(&mut self, seen: Observation) {
        self.rates.enter(&seen);
        if self.verdicts.len() < MAX_VERDICTS || self.verdicts.contains_key(&seen.verdict) {
            let verdict = self.verdicts.entry(short(&seen.verdict, MAX_ID_LEN));
            let (severity, count) = verdict.or_insert((seen.severity, 0));
            *severity = (*severity).max(seen.severity);
            *count = count.saturating_add(1);
        }
        if !seen.is_tls {
            return;
        }
        let name = seen.name.as_deref().map(|name| short(name, MAX_NAME_LEN));
        let asked = (seen.sni, name);
        if self.names.len() >= MAX_NAMES && !self.names.contains_key(&asked) {
            self.names_left_out = self.names_left_out.saturating_add(1);
            return;
        }
        let name = self.names.entry(asked).or_default();
        name.rates.enter(&seen);
        if let Some(leaf) = seen.leaf {
            if name.leaves.len() >= MAX_LEAVES && !name.leaves.contains_key(&leaf.sha256) {
                name.has_more_leaves = true;
                return;
            }
            name.leaves.entry(leaf.sha256.clone()).or_insert(Leaf {
                subject: leaf.subject.map(|subject| short(&subject, MAX_NAME_LEN)),
                not_after: leaf.not_after.map(|time| short(&time, MAX_ID_LEN)),
                sha256: leaf.sha256,
            });
        }
    }
}

/// The first bytes of a text, at most so many.
fn short(text: &str, len: usize) -> String {
    let end = (0..=len.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end))
        .unwrap_or_default()
        .to_owned()
}

const MAX_SERVERS: usize = 1 << 15;
/// Of a server.
const MAX_NAMES: usize = 128;
/// Of a name.
const MAX_LEAVES: usize = 16;
/// There are a few dozen; lines from elsewhere may have others.
const MAX_VERDICTS: usize = 64;
/// The longest host name (RFC 1035, section 2.3.4), and some more for what is none.
const MAX_NAME_LEN: usize = 512;
const MAX_ID_LEN: usize = 64;
