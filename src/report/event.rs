//! The fields of ECS that every kind of line has: what happened, when, and by which rule.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cut::{Bounded, Cut};
use crate::report::hex::Hex;
use crate::report::skip::absent;
use crate::report::time::Time;
use crate::report::words::{
    Dataset, EventCategory, EventKind, EventOutcome, EventType, Module, Protocol, Severity,
};

/// The version of the Elastic Common Schema that the line follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Ecs {
    /// `9.4.0`.
    pub version: &'static str,
}

impl Default for Ecs {
    fn default() -> Self {
        Self { version: "9.4.0" }
    }
}

/// What happened (ECS `event`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Event {
    /// The kind of line.
    pub kind: EventKind,
    /// Always `network`; a summary has none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub category: &'static [EventCategory],
    /// What it is about.
    #[serde(rename = "type", skip_serializing_if = "<[_]>::is_empty")]
    pub types: &'static [EventType],
    /// The kind of line, in our own word.
    pub dataset: Dataset,
    /// The program that wrote the line.
    pub module: Module,
    /// Stable: the same in each run over the same packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Hex<16>>,
    /// Whether it worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<EventOutcome>,
    /// How bad it is: 21 for info and low, 47 for medium, 73 for high.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// The time of the first frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// The time of the last frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Time>,
    /// From `start` to `end` in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// What happened, in one sentence for a person.
    #[serde(skip_serializing_if = "absent")]
    pub reason: Option<Cow<'static, str>>,
}

impl Event {
    /// A flow; one that never came to TLS has no protocol.
    #[must_use]
    pub fn flow(
        id: Hex<16>,
        protocol: Option<Protocol>,
        outcome: EventOutcome,
        severity: Severity,
        span: (Time, Time),
    ) -> Self {
        let types: &[EventType] = match protocol {
            Some(Protocol::Tls) => &[EventType::Connection, EventType::Protocol],
            None => &[EventType::Connection],
        };
        Self {
            kind: EventKind::Event,
            types,
            dataset: Dataset::Flow,
            ..Self::of(id, outcome, severity, span)
        }
    }

    pub(in crate::report) fn finding(
        id: Hex<16>,
        outcome: EventOutcome,
        severity: Severity,
        span: (Time, Time),
    ) -> Self {
        Self::of(id, outcome, severity, span)
    }

    pub(in crate::report) fn summary(span: Option<(Time, Time)>) -> Self {
        let mut event = Self {
            kind: EventKind::Metric,
            category: &[],
            types: &[],
            dataset: Dataset::Summary,
            module: Module::Tlstriage,
            id: None,
            outcome: None,
            severity: None,
            start: None,
            end: None,
            duration: None,
            reason: None,
        };
        if let Some((start, end)) = span {
            event.set_span(start, end);
        }
        event
    }

    fn of(id: Hex<16>, outcome: EventOutcome, severity: Severity, span: (Time, Time)) -> Self {
        let mut event = Self {
            kind: EventKind::Alert,
            category: &[EventCategory::Network],
            types: &[EventType::Info],
            dataset: Dataset::Finding,
            id: Some(id),
            outcome: Some(outcome),
            severity: Some(severity.score()),
            ..Self::summary(None)
        };
        event.set_span(span.0, span.1);
        event
    }

    /// Clocks step back now and then; an event does not end before it begins.
    fn set_span(&mut self, start: Time, end: Time) {
        let (start, end) = (start.min(end), start.max(end));
        let duration = end.as_nanos().saturating_sub(start.as_nanos());
        self.start = Some(start);
        self.end = Some(end);
        self.duration = u64::try_from(duration).ok();
    }
}

impl Bounded for Event {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.reason);
    }
}

/// The verdict as ECS has it (`rule`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Rule {
    /// The id of the verdict.
    pub id: &'static str,
    /// Its name for a person.
    pub name: &'static str,
}

impl Rule {
    /// The rule `id`, called `name`.
    #[must_use]
    pub const fn new(id: &'static str, name: &'static str) -> Self {
        Self { id, name }
    }
}
