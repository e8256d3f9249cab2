//! Verdicts and findings as they are written.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cut::{Bounded, Cut};
use crate::report::words::{Confidence, Severity};

/// The one answer for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VerdictReport {
    /// Which answer: `ok`, `no-sni.default-cert` …
    pub id: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// How bad it is.
    pub severity: Severity,
}

impl VerdictReport {
    /// The answer `id`.
    #[must_use]
    pub const fn new(id: &'static str, confidence: Confidence, severity: Severity) -> Self {
        Self {
            id,
            confidence,
            severity,
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FindingReport {
    /// What was found.
    pub id: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, in one sentence for a person.
    pub reason: Cow<'static, str>,
    /// What to do about it: one step each, the best first, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fix: Vec<Cow<'static, str>>,
    /// How many steps there are where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix_count: Option<usize>,
    /// What a gateway probably says about it in its own words, at most 4.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_message: Vec<ExpectedMessage>,
}

impl FindingReport {
    /// The finding `id`, with the sentence that says what was seen.
    #[must_use]
    pub const fn new(
        id: &'static str,
        confidence: Confidence,
        severity: Severity,
        reason: Cow<'static, str>,
    ) -> Self {
        Self {
            id,
            confidence,
            severity,
            reason,
            fix: Vec::new(),
            fix_count: None,
            expected_message: Vec::new(),
        }
    }
}

impl Bounded for FindingReport {
    fn cut(&mut self, to: Cut) {
        to.required(&mut self.reason);
        cut_fix(to, &mut self.fix, &mut self.fix_count);
        cut_messages(to, &mut self.expected_message);
    }
}

/// Cuts what is to be done.
pub(in crate::report) fn cut_fix(
    to: Cut,
    fix: &mut Vec<Cow<'static, str>>,
    count: &mut Option<usize>,
) {
    to.texts(fix, MAX_FIX, count);
}

/// Cuts what a gateway says.
pub(in crate::report) fn cut_messages(to: Cut, messages: &mut Vec<ExpectedMessage>) {
    to.list(messages, MAX_MESSAGES, &mut None);
    for message in messages {
        to.required(&mut message.text);
    }
}

/// What a gateway probably says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ExpectedMessage {
    /// Which gateway: `application-gateway-v2` …
    pub gateway: &'static str,
    /// A short name of the message.
    pub key: &'static str,
    /// Its text.
    pub text: Cow<'static, str>,
    /// How sure it is.
    pub confidence: Confidence,
}

impl ExpectedMessage {
    /// The message `key` of `gateway`.
    #[must_use]
    pub const fn new(
        gateway: &'static str,
        key: &'static str,
        text: Cow<'static, str>,
        confidence: Confidence,
    ) -> Self {
        Self {
            gateway,
            key,
            text,
            confidence,
        }
    }
}

const MAX_FIX: usize = 8;
const MAX_MESSAGES: usize = 4;
