//! How flows ended: counts, and the share of those that failed.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::comparison::observation::Observation;
use crate::report::{EventOutcome, Outcome};

/// How flows ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rates {
    /// Flows that came to TLS.
    pub tls: u64,
    /// Completed and accepted.
    pub completed: u64,
    /// Rejected by the client.
    pub rejected_by_client: u64,
    /// Rejected by the server.
    pub rejected_by_server: u64,
    /// Failed in another way.
    pub failed_otherwise: u64,
    /// Too little was seen to say.
    pub not_judged: u64,
    /// Connections that never came to TLS.
    pub never_tls: u64,
}

impl Rates {
    pub(crate) fn enter(&mut self, seen: &Observation) {
        if !seen.is_tls {
            increase(&mut self.never_tls);
            return;
        }
        increase(&mut self.tls);
        increase(match (seen.outcome, seen.handshake) {
            (EventOutcome::Success, _) => &mut self.completed,
            (EventOutcome::Unknown, _) => &mut self.not_judged,
            (EventOutcome::Failure, Outcome::RejectedByClient) => &mut self.rejected_by_client,
            (EventOutcome::Failure, Outcome::RejectedByServer) => &mut self.rejected_by_server,
            (EventOutcome::Failure, _) => &mut self.failed_otherwise,
        });
    }

    /// Flows that failed, and connections that never came to TLS.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.rejected_by_client
            .saturating_add(self.rejected_by_server)
            .saturating_add(self.failed_otherwise)
            .saturating_add(self.never_tls)
    }

    /// Flows of which it is known how they ended.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.completed.saturating_add(self.failed())
    }

    /// The share of those judged that failed, in thousandths; `None` where none was judged.
    #[must_use]
    pub fn failed_permille(&self) -> Option<u64> {
        let (failed, judged) = (u128::from(self.failed()), u128::from(self.judged()));
        let share = failed.saturating_mul(1000).checked_div(judged)?;
        u64::try_from(share).ok()
    }

    /// Each way to end with its name and its count.
    #[must_use]
    pub fn each(&self) -> [(&'static str, u64); 6] {
        [
            ("completed", self.completed),
            ("rejected by the client", self.rejected_by_client),
            ("rejected by the server", self.rejected_by_server),
            ("failed otherwise", self.failed_otherwise),
            ("never came to TLS", self.never_tls),
            ("not judged", self.not_judged),
        ]
    }
}

/// The counts, and what they come to: `failed`, and `failed_share` with three digits.
impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let share = self.failed_permille();
        let mut fields = serializer.serialize_struct("Rates", 9)?;
        fields.serialize_field("tls", &self.tls)?;
        fields.serialize_field("completed", &self.completed)?;
        fields.serialize_field("rejected_by_client", &self.rejected_by_client)?;
        fields.serialize_field("rejected_by_server", &self.rejected_by_server)?;
        fields.serialize_field("failed_otherwise", &self.failed_otherwise)?;
        fields.serialize_field("not_judged", &self.not_judged)?;
        fields.serialize_field("never_tls", &self.never_tls)?;
        fields.serialize_field("failed", &self.failed())?;
        if let Some(share) = share.and_then(|share| u32::try_from(share).ok()) {
            fields.serialize_field("failed_share", &(f64::from(share) / 1000.0))?;
        }
        fields.end()
    }
}

fn increase(count: &mut u64) {
    *count = count.saturating_add(1);
}
