//! The other two kinds of line: a finding, and the summary of the run.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::count::Count;
use crate::report::cut::{Bounded, Cut};
use crate::report::event::{Ecs, Event, Rule};
use crate::report::finding::{ExpectedMessage, VerdictReport, cut_fix, cut_messages};
use crate::report::flow::{Destination, Network};
use crate::report::group::{FindingGroup, FlowReference};
use crate::report::id::finding_id;
use crate::report::population::PopulationReport;
use crate::report::skip::absent;
use crate::report::summary::{FlowCounts, InputReport, Summary};
use crate::report::time::Time;
use crate::report::version::SCHEMA_VERSION;
use crate::report::words::{EventOutcome, Severity};
use crate::time::Timestamp;

/// A group of flows with the same cause at the same server endpoint, as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FindingLine {
    /// The time of the first flow.
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    /// The schema of the standard fields.
    pub ecs: Ecs,
    /// What happened.
    pub event: Event,
    /// The verdict or finding.
    pub rule: Rule,
    /// The server.
    pub destination: Destination,
    /// The network.
    pub network: Network,
    /// What is known about it.
    pub tlstriage: FindingTriage,
}

/// What is known about a group of flows (`tlstriage`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FindingTriage {
    /// The version of this schema.
    pub schema: u32,
    /// What was found.
    pub verdict: VerdictReport,
    /// How many flows.
    pub flows: u64,
    /// The likely cause.
    #[serde(skip_serializing_if = "absent")]
    pub cause: Option<Cow<'static, str>>,
    /// Who the clients are, most flows first, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<PopulationReport>,
    /// What to do about it: one step each, the best first, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<Cow<'static, str>>,
    /// How many steps there are where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix_count: Option<usize>,
    /// What a gateway probably says about it, at most 4.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_message: Vec<ExpectedMessage>,
    /// Some of the flows, at most 5.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<FlowReference>,
}

impl FindingLine {
    /// The line of `group`.
    #[must_use]
    pub fn new(group: &FindingGroup) -> Self {
        let outcome = if group.failed {
            EventOutcome::Failure
        } else {
            EventOutcome::Success
        };
        let first = Timestamp::from_nanos(group.first.as_nanos());
        let id = finding_id(group.id, group.server, first);
        let mut event = Event::finding(id, outcome, group.severity, (group.first, group.last));
        event.reason = Some(group.reason.clone());
        let mut destination = Destination::new(group.server);
        destination.domain.clone_from(&group.server_name);
        Self {
            timestamp: group.first,
            ecs: Ecs::default(),
            event,
            rule: Rule::new(group.id, group.title),
            destination,
            network: Network::of_server(group.server),
            tlstriage: FindingTriage {
                schema: SCHEMA_VERSION,
                verdict: VerdictReport::new(group.id, group.confidence, group.severity),
                flows: group.flows,
                cause: group.cause.clone(),
                clients: group.clients.clone(),
                fix: group.fix.clone(),
                fix_count: None,
                expected_message: group.expected_message.clone(),
                examples: group.evidence.clone(),
            },
        }
        .bounded()
    }
}

impl Bounded for FindingLine {
    fn cut(&mut self, to: Cut) {
        self.event.cut(to);
        to.text(&mut self.destination.domain);
        let own = &mut self.tlstriage;
        to.text(&mut own.cause);
        to.list(&mut own.clients, MAX_CLIENTS, &mut None);
        for client in &mut own.clients {
            client.cut(to);
        }
        cut_fix(to, &mut own.fix, &mut own.fix_count);
        cut_messages(to, &mut own.expected_message);
        to.list(&mut own.examples, MAX_EXAMPLES, &mut None);
        for example in &mut own.examples {
            to.required(&mut example.file);
        }
    }
}

/// The summary of the run, as the last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SummaryLine {
    /// The time of the last frame; 1970-01-01T00:00:00.000000Z where no frame was read, since ECS wants a time.
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    /// The schema of the standard fields.
    pub ecs: Ecs,
    /// When it was.
    pub event: Event,
    /// What was read, and what it adds up to.
    pub tlstriage: SummaryTriage,
}

/// What was read, and what it adds up to (`tlstriage`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SummaryTriage {
    /// The version of this schema.
    pub schema: u32,
    /// The inputs, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputLine>,
    /// How many inputs there are where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs_count: Option<usize>,
    /// The frames of all inputs.
    pub frames: FrameLine,
    /// The flows.
    pub totals: FlowCounts,
    /// Bounds on memory and on trials of keys that were reached, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Count>,
    /// The server endpoints.
    pub endpoints: u64,
    /// Groups of findings by severity.
    pub finding_groups: SeverityCounts,
    /// The severity of the worst finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_severity: Option<Severity>,
    /// What a reader has to know beside it, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Cow<'static, str>>,
    /// How many notes there are where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes_count: Option<usize>,
}

/// One input of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct InputLine {
    /// Its name as it was given or found.
    #[serde(skip_serializing_if = "str_is_empty")]
    pub name: Arc<str>,
    /// The format of the capture: `pcap`, `pcapng`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// How it is compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<&'static str>,
    /// The frames that were read from it.
    pub frames: u64,
    /// The bytes that were read from it, as they lie on the disk.
    pub bytes: u64,
    /// The time of its first frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    /// The time of its last frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
    /// How many places in it are damaged.
    #[serde(skip_serializing_if = "is_zero")]
    pub damages: u64,
    /// Why it could not be read, or not to its end.
    #[serde(skip_serializing_if = "absent")]
    pub error: Option<Cow<'static, str>>,
}

/// What became of the frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FrameLine {
    /// Frames read.
    pub total: u64,
    /// Frames that gave a TCP segment.
    pub decoded: u64,
    /// Frames that did not, by reason, at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Count>,
}

/// How many of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SeverityCounts {
    /// Severity `high`.
    pub high: u64,
    /// Severity `medium`.
    pub medium: u64,
    /// Severity `low`.
    pub low: u64,
    /// Severity `info`.
    pub info: u64,
}

impl SummaryLine {
    /// The line of `summary`.
    #[must_use]
    pub fn new(summary: &Summary) -> Self {
        let span = summary.span();
        let left_out = summary.endpoints_left_out;
        Self {
            timestamp: span.map(|(_, last)| last).unwrap_or_default(),
            ecs: Ecs::default(),
            event: Event::summary(span),
            tlstriage: SummaryTriage {
                schema: SCHEMA_VERSION,
                inputs: summary.inputs.iter().map(InputLine::new).collect(),
                inputs_count: None,
                frames: FrameLine {
                    total: summary.frames.total,
                    decoded: summary.frames.decoded,
                    skipped: summary.frames.skipped.clone(),
                },
                totals: summary.flows,
                limits: summary.limits.clone(),
                endpoints: count(&summary.endpoints).saturating_add(left_out),
                finding_groups: SeverityCounts::of(summary),
                highest_severity: summary.highest_severity(),
                notes: summary.notes.clone(),
                notes_count: None,
            },
        }
        .bounded()
    }
}

impl InputLine {
    fn new(input: &InputReport) -> Self {
        Self {
            name: Arc::clone(&input.name),
            format: input.format,
            compression: input.compression,
            frames: input.frames,
            bytes: input.bytes,
            first: input.first,
            last: input.last,
            damages: input.damage_count,
            error: input.error.clone(),
        }
    }
}

impl SeverityCounts {
    fn of(summary: &Summary) -> Self {
        let mut counts = Self::default();
        for finding in &summary.findings {
            let count = match finding.severity {
                Severity::High => &mut counts.high,
                Severity::Medium => &mut counts.medium,
                Severity::Low => &mut counts.low,
                Severity::Info => &mut counts.info,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}

impl Bounded for SummaryLine {
    fn cut(&mut self, to: Cut) {
        let own = &mut self.tlstriage;
        to.list(&mut own.inputs, MAX_INPUTS, &mut own.inputs_count);
        for input in &mut own.inputs {
            to.required(&mut input.name);
            to.text(&mut input.error);
        }
        for (list, most) in [
            (&mut own.frames.skipped, MAX_SKIPPED),
            (&mut own.limits, MAX_LIMITS),
        ] {
            to.list(list, most, &mut None);
            for entry in list {
                to.required(&mut entry.reason);
            }
        }
        to.texts(&mut own.notes, MAX_NOTES, &mut own.notes_count);
    }
}

fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

fn str_is_empty(text: &Arc<str>) -> bool {
    text.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

const MAX_CLIENTS: usize = 16;
const MAX_EXAMPLES: usize = 5;
const MAX_INPUTS: usize = 32;
const MAX_LIMITS: usize = 32;
const MAX_NOTES: usize = 16;
const MAX_SKIPPED: usize = 64;
