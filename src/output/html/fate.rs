//! What became of a flow, in the few words of a picture.

use serde::{Deserialize, Serialize};

use crate::report::{EventOutcome, FlowReport, Outcome};

/// What became of a flow; in the order in which a bar is stacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) enum Fate {
    Completed,
    RejectedByClient,
    RejectedByServer,
    OtherFailure,
    NeverTls,
    NotJudged,
}

impl Fate {
    pub(in crate::output) const ALL: [Self; 6] = [
        Self::Completed,
        Self::RejectedByClient,
        Self::RejectedByServer,
        Self::OtherFailure,
        Self::NeverTls,
        Self::NotJudged,
    ];

    pub(in crate::output) fn of(report: &FlowReport) -> Self {
        if report.network.protocol.is_none() {
            return Self::NeverTls;
        }
        match (report.event.outcome, report.tlstriage.handshake.outcome) {
            (Some(EventOutcome::Success), _) => Self::Completed,
            (Some(EventOutcome::Failure), Outcome::RejectedByClient) => Self::RejectedByClient,
            (Some(EventOutcome::Failure), Outcome::RejectedByServer) => Self::RejectedByServer,
            (Some(EventOutcome::Failure), _) => Self::OtherFailure,
            (Some(EventOutcome::Unknown) | None, _) => Self::NotJudged,
        }
    }

    /// For a person.
    pub(in crate::output) const fn words(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::RejectedByClient => "rejected by the client",
            Self::RejectedByServer => "rejected by the server",
            Self::OtherFailure => "failed otherwise",
            Self::NeverTls => "never came to TLS",
            Self::NotJudged => "not judged",
        }
    }

    /// Its class in the style sheet.
    pub(in crate::output) const fn class(self) -> &'static str {
        match self {
            Self::Completed => "f-ok",
            Self::RejectedByClient => "f-client",
            Self::RejectedByServer => "f-server",
            Self::OtherFailure => "f-other",
            Self::NeverTls => "f-never",
            Self::NotJudged => "f-open",
        }
    }
}

/// How many flows had which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::output) struct Fates([u64; Fate::ALL.len()]);

impl Fates {
    pub(in crate::output) fn count(&mut self, fate: Fate) {
        for (known, count) in Fate::ALL.into_iter().zip(&mut self.0) {
            *count = count.saturating_add(u64::from(known == fate));
        }
    }

    pub(in crate::output) fn add(&mut self, other: Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    pub(in crate::output) fn total(self) -> u64 {
        self.0.into_iter().fold(0, u64::saturating_add)
    }

    /// Each fate with its count, also those with none.
    pub(in crate::output) fn iter(self) -> impl Iterator<Item = (Fate, u64)> {
        Fate::ALL.into_iter().zip(self.0)
    }
}
