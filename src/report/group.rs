//! Flows with the same cause at the same server, and where to look them up.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::Endpoint;
use crate::report::finding::ExpectedMessage;
use crate::report::flow::Address;
use crate::report::hex::Hex;
use crate::report::population::PopulationReport;
use crate::report::time::Time;
use crate::report::words::{Confidence, Severity};

/// Flows with the same cause at the same server endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingGroup {
    /// The id of the verdict or finding.
    pub id: &'static str,
    /// Its name for a person.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether these flows failed by it.
    pub failed: bool,
    /// Where.
    pub server: Endpoint,
    /// The name that was asked for, where all flows ask for the same.
    pub server_name: Option<Arc<str>>,
    /// The flows.
    pub flows: u64,
    /// The time of the first.
    pub first: Time,
    /// The time of the last.
    pub last: Time,
    /// What was seen, in a sentence or two.
    pub reason: Cow<'static, str>,
    /// The likely cause, in words for the person who has to mend it.
    pub cause: Option<Cow<'static, str>>,
    /// Who the clients are, most flows first.
    pub clients: Vec<PopulationReport>,
    /// Flows of further clients.
    pub clients_left_out: u64,
    /// What to do: one step each, the best first.
    pub fix: Vec<Cow<'static, str>>,
    /// What a gateway probably says about it.
    pub expected_message: Vec<ExpectedMessage>,
    /// Some of the flows.
    pub evidence: Vec<FlowReference>,
}

impl FindingGroup {
    /// A group of one flow, to be filled in.
    #[must_use]
    pub const fn new(
        id: &'static str,
        title: &'static str,
        server: Endpoint,
        severity: Severity,
        confidence: Confidence,
        reason: Cow<'static, str>,
        at: Time,
    ) -> Self {
        Self {
            id,
            title,
            severity,
            confidence,
            failed: true,
            server,
            server_name: None,
            flows: 1,
            first: at,
            last: at,
            reason,
            cause: None,
            clients: Vec::new(),
            clients_left_out: 0,
            fix: Vec::new(),
            expected_message: Vec::new(),
            evidence: Vec::new(),
        }
    }
}

/// Where a flow can be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FlowReference {
    /// The file with its first frame.
    pub file: Arc<str>,
    /// The number of its first frame in that file.
    pub first_frame: u64,
    /// The number of its last frame.
    pub last_frame: u64,
    /// The time of its first frame.
    pub time: Time,
    /// Its client.
    pub client: Address,
    /// Its `event.id`.
    pub event_id: Hex<16>,
}

impl FlowReference {
    /// The flow `event_id`: frames `frames.0` to `frames.1` of `file`.
    #[must_use]
    pub const fn new(
        event_id: Hex<16>,
        file: Arc<str>,
        frames: (u64, u64),
        time: Time,
        client: Endpoint,
    ) -> Self {
        Self {
            file,
            first_frame: frames.0,
            last_frame: frames.1,
            time,
            client: Address {
                ip: client.ip,
                port: client.port,
            },
            event_id,
        }
    }
}
