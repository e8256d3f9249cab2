//! The whole run: what was read, what was skipped, and what the flows add up to.
//!
//! A [`Summary`] is what the report for a person is made of. Its counts stand in the last JSON line too.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::advice::Advice;
use crate::report::count::Count;
use crate::report::endpoint::EndpointReport;
use crate::report::group::FindingGroup;
use crate::report::skip::zero;
use crate::report::time::Time;
use crate::report::words::Severity;

/// All that is said about a run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The inputs in the order in which they were read.
    pub inputs: Vec<InputReport>,
    /// The frames of all inputs.
    pub frames: FrameCounts,
    /// The flows of all inputs.
    pub flows: FlowCounts,
    /// Bounds on memory and on trials of keys that were reached, and how often.
    pub limits: Vec<Count>,
    /// The server endpoints, in the order in which they are to be read.
    pub endpoints: Vec<EndpointReport>,
    /// Server endpoints that are in no list, since there are too many.
    pub endpoints_left_out: u64,
    /// What was found, most severe first.
    pub findings: Vec<FindingGroup>,
    /// Groups of findings that are in no list, since there are too many.
    pub findings_left_out: u64,
    /// The severity of the worst finding among those.
    pub worst_left_out: Option<Severity>,
    /// What a reader has to know beside it: "only one direction was captured".
    pub notes: Vec<Cow<'static, str>>,
    /// What to capture next.
    pub advice: Vec<Advice>,
}

impl Summary {
    /// The severity of the worst finding; `None` where nothing was found.
    #[must_use]
    pub fn highest_severity(&self) -> Option<Severity> {
        let listed = self.findings.iter().map(|finding| finding.severity).max();
        listed.max(self.worst_left_out)
    }

    /// Whether some input is damaged, or could not be read.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.inputs
            .iter()
            .any(|input| input.error.is_some() || input.damage_count > 0)
    }

    /// The times of the first and of the last frame of all inputs.
    #[must_use]
    pub fn span(&self) -> Option<(Time, Time)> {
        let first = self.inputs.iter().filter_map(|input| input.first).min()?;
        let last = self.inputs.iter().filter_map(|input| input.last).max()?;
        Some((first, last))
    }
}

/// One input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputReport {
    /// Its name as it was given or found.
    pub name: Arc<str>,
    /// The format of the capture: `pcap`, `pcapng`.
    pub format: Option<&'static str>,
    /// How it is compressed.
    pub compression: Option<&'static str>,
    /// The frames that were read from it.
    pub frames: u64,
    /// The bytes that were read from it, as they lie on the disk.
    pub bytes: u64,
    /// The time of its first frame.
    pub first: Option<Time>,
    /// The time of its last frame.
    pub last: Option<Time>,
    /// Where it is damaged; the first few places.
    pub damages: Vec<Damage>,
    /// How many places are damaged.
    pub damage_count: u64,
    /// Why it could not be read, or not to its end.
    pub error: Option<Cow<'static, str>>,
}

/// A place where an input is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The offset in bytes, within the uncompressed capture.
    pub offset: u64,
    /// What is wrong there, and what was lost.
    pub reason: Cow<'static, str>,
}

impl Damage {
    /// Damage at `offset`.
    #[must_use]
    pub const fn new(offset: u64, reason: Cow<'static, str>) -> Self {
        Self { offset, reason }
    }
}

/// What became of the frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameCounts {
    /// Frames read.
    pub total: u64,
    /// Frames that gave a TCP segment.
    pub decoded: u64,
    /// Frames that did not, by reason.
    pub skipped: Vec<Count>,
}

/// What became of the flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FlowCounts {
    /// TCP connections, with TLS and without.
    pub tcp: u64,
    /// Those that came to TLS.
    pub tls: u64,
    /// Those that never came to TLS, where it may matter.
    pub unreachable: u64,
    /// Those with a line of their own.
    pub reported: u64,
    /// Those with a finding worse than info.
    pub flagged: u64,
    /// Those judged before the end of the run.
    pub partial_horizon: u64,
    /// Flows that are told under the addresses where the same connection was seen first.
    pub seen_again: u64,
    /// TLS flows that were completed and accepted.
    pub completed: u64,
    /// TLS flows that failed.
    pub failed: u64,
    /// TLS flows that keys opened, wholly or in part; left out where there are none.
    #[serde(skip_serializing_if = "zero")]
    pub decrypted: u64,
}
