//! Who called: the flows of one client and one kind to one server.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cut::{Bounded, Cut};
use crate::report::skip::absent;
use crate::report::time::Time;
use crate::report::words::SniState;

/// Flows of one client, or of one network, that asked in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PopulationReport {
    /// The client's address; where there are many, their network, as `10.1.0.0/24`.
    pub address: Cow<'static, str>,
    /// What these flows said about the server's name.
    pub sni: SniState,
    /// The name that they asked for.
    #[serde(skip_serializing_if = "absent")]
    pub server_name: Option<Arc<str>>,
    /// The JA4 of their ClientHello.
    #[serde(skip_serializing_if = "absent")]
    pub ja4: Option<Arc<str>>,
    /// The protocols that they offered by ALPN, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<Arc<str>>,
    /// How many they are.
    pub flows: u64,
    /// How many of them were completed and accepted.
    pub completed: u64,
    /// How many of them failed.
    pub failed: u64,
    /// The time of the first.
    pub first: Time,
    /// The time of the last.
    pub last: Time,
    /// The seconds from one to the next, where they come as regularly as health probes do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u64>,
}

impl PopulationReport {
    /// One flow of `address` at `at`; what it asked for is to be filled in.
    #[must_use]
    pub const fn new(address: Cow<'static, str>, sni: SniState, at: Time) -> Self {
        Self {
            address,
            sni,
            server_name: None,
            ja4: None,
            alpn: Vec::new(),
            flows: 1,
            completed: 0,
            failed: 0,
            first: at,
            last: at,
            every_seconds: None,
        }
    }
}

impl Bounded for PopulationReport {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.server_name);
        to.text(&mut self.ja4);
        to.texts(&mut self.alpn, MAX_ALPN, &mut None);
    }
}

const MAX_ALPN: usize = 8;
