//! From captures to one report per TLS flow.
//!
//! An [`Analyzer`] holds the settings; [`Analyzer::start`] gives an [`Analysis`], which is an
//! iterator of [`FlowReport`](crate::report::FlowReport)s and has the
//! [`Summary`](crate::report::Summary) at its end.
//!
//! Flows are told when the run knows all their neighbours: at its end, or after a horizon. By
//! default no report comes before the last frame was read.

mod advice;
mod ahead;
mod answered;
mod aside;
mod asked;
mod batch;
mod begun;
mod blocks;
mod book;
mod changes;
mod clerk;
mod conclusions;
mod connection;
mod deal;
mod describe;
mod entry;
mod error;
mod evidence;
mod expectations;
mod feed;
mod fetch;
mod filter;
mod frame_tally;
mod glance;
mod group;
mod half_open;
mod hidden;
mod inferring;
mod keyring;
mod kinds;
mod lane;
mod ledger;
mod lists;
mod mark;
mod past;
mod plan;
mod population;
mod progress;
mod reading;
mod register;
mod round;
mod run;
mod scratch;
mod seen;
mod shard;
mod shared;
mod slices;
mod source;
mod stage;
mod story;
mod tally;
mod telling;
mod trying;
mod turnstile;
mod twins;
mod waiting;

use std::num::NonZeroUsize;
use std::sync::Arc;

pub use error::Error;
pub use expectations::Expectations;
pub use filter::{Filter, Network, Selection};
pub use progress::Progress;
pub use run::Analysis;
pub use source::Source;

use crate::pki::Catalog;
use crate::reassembly::Limits;
use crate::tls::KeyLog;

/// The settings of a run: cheap to clone, used as often as you like.
#[derive(Clone, Debug)]
pub struct Analyzer {
    limits: Limits,
    threads: NonZeroUsize,
    seed: u64,
    filter: Filter,
    selection: Selection,
    catalog: Arc<Catalog>,
    expectations: Arc<Expectations>,
    horizon: Option<i64>,
    keys: Arc<KeyLog>,
    awaits_secrets: bool,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self::new()
    }
}

impl Analyzer {
    /// The usual settings: one thread, the built-in catalog of default certificates, everything
    /// looked at and told.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            threads: NonZeroUsize::MIN,
            seed: 0,
            filter: Filter::default(),
            selection: Selection::default(),
            catalog: Arc::new(Catalog::builtin().clone()),
            expectations: Arc::default(),
            horizon: None,
            keys: Arc::default(),
            awaits_secrets: false,
        }
    }

    /// Sets the bounds on memory.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many threads work. Their number never shows in what is told.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the seed of the flow tables, which makes crafted collisions useless when nobody can
    /// guess it. It never shows in what is told.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets what is looked at.
    #[must_use]
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Sets which flows are told.
    #[must_use]
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Sets the catalog of default certificates.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Arc<Catalog>) -> Self {
        self.catalog = catalog;
        self
    }

    /// Sets what the user knows of the gateway and the servers behind it.
    #[must_use]
    pub fn with_expectations(mut self, expectations: Arc<Expectations>) -> Self {
        self.expectations = expectations;
        self
    }

    /// Tells a flow as soon as it has been over for this many nanoseconds of capture time, with
    /// what is known of its neighbours by then, instead of at the end of the run.
    #[must_use]
    pub fn with_horizon(mut self, nanos: i64) -> Self {
        self.horizon = Some(nanos.max(0));
        self
    }

    /// Opens what is encrypted with these keys, and with those that captures carry. Without any, nothing is kept to be opened.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<KeyLog>) -> Self {
        self.keys = keys;
        self
    }

    /// Looks for secrets in compressed files and in the whole of large ones too before a run begins, and keeps what is encrypted in
    /// streams from their first frame on.
    #[must_use]
    pub fn with_secrets_anywhere(mut self) -> Self {
        self.awaits_secrets = true;
        self
    }

    /// Begins a run over these inputs.
    ///
    /// An input that cannot be read does not end a run: it is told in the summary.
    ///
    /// # Errors
    ///
    /// When there is no input, or the threads cannot be started.
    pub fn start(&self, inputs: impl IntoIterator<Item = Source>) -> Result<Analysis, Error> {
        Analysis::start(self.clone(), inputs.into_iter().collect())
    }
}
