//! The course of a handshake: its steps, its alerts, its end, and how much of it was seen.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::common::Common;
use crate::report::cut::{Bounded, Cut};
use crate::report::hex::Hex;
use crate::report::words::{
    AlertLevel, Close, EvidenceGrade, EvidenceReason, Outcome, ResumedBy, Side,
};

/// The course of the handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct HandshakeReport {
    /// How it ended.
    pub outcome: Outcome,
    /// Who closed the connection first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<Side>,
    /// How that was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// The messages that were seen, in the order of the capture, at most 48.
    #[serde(skip_serializing_if = "no_steps")]
    pub steps: Common<Vec<&'static str>>,
    /// How many messages were seen where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_count: Option<usize>,
}

impl Default for HandshakeReport {
    fn default() -> Self {
        Self {
            outcome: Outcome::Unknown,
            closed_by: None,
            close: None,
            steps: NO_STEPS.clone(),
            steps_count: None,
        }
    }
}

impl Bounded for HandshakeReport {
    fn cut(&mut self, to: Cut) {
        if to.shortens(&self.steps, MAX_STEPS) {
            let count = &mut self.steps_count;
            self.steps.change(|steps| to.list(steps, MAX_STEPS, count));
        }
    }
}

/// Every report begins with them.
static NO_STEPS: LazyLock<Common<Vec<&'static str>>> = LazyLock::new(Common::default);

fn no_steps(steps: &Common<Vec<&'static str>>) -> bool {
    steps.is_empty()
}

/// One alert (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AlertReport {
    /// Who sent it.
    pub from: Side,
    /// How serious it is; left out where it is encrypted, or a level that no standard has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<AlertLevel>,
    /// Its number; left out where it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Its name, where the number has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    /// Whether it was sent encrypted. One that keys opened is marked so too, and has its content here.
    pub encrypted: bool,
}

impl AlertReport {
    /// An alert of which nothing but its sender is known.
    #[must_use]
    pub const fn encrypted(from: Side) -> Self {
        Self {
            from,
            level: None,
            code: None,
            name: None,
            encrypted: true,
        }
    }

    /// An alert in clear.
    #[must_use]
    pub const fn clear(
        from: Side,
        level: Option<AlertLevel>,
        code: u8,
        name: Option<&'static str>,
    ) -> Self {
        Self {
            from,
            level,
            code: Some(code),
            name,
            encrypted: false,
        }
    }
}

/// The alert in clear that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DecidingAlert {
    /// Who sent it.
    pub from: Side,
    /// Its number.
    pub code: u8,
    /// Its name, where the number has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
}

impl DecidingAlert {
    /// The alert `code`, sent by `from`.
    #[must_use]
    pub const fn new(from: Side, code: u8, name: Option<&'static str>) -> Self {
        Self { from, code, name }
    }
}

/// How much of the flow could be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct EvidenceReport {
    /// In one word.
    pub grade: EvidenceGrade,
    /// What is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<EvidenceReason>,
}

impl Default for EvidenceReport {
    fn default() -> Self {
        Self {
            grade: EvidenceGrade::Insufficient,
            reasons: Vec::new(),
        }
    }
}

impl EvidenceReport {
    /// Evidence of this grade.
    #[must_use]
    pub const fn new(grade: EvidenceGrade, reasons: Vec<EvidenceReason>) -> Self {
        Self { grade, reasons }
    }
}

/// The full handshake that a resumed one goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ResumedFrom {
    /// Its `event.id`.
    pub event_id: Hex<16>,
    /// How it was found.
    pub by: ResumedBy,
}

impl ResumedFrom {
    /// The flow `event_id`, found `by`.
    #[must_use]
    pub const fn new(event_id: Hex<16>, by: ResumedBy) -> Self {
        Self { event_id, by }
    }
}

const MAX_STEPS: usize = 48;
