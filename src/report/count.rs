//! How often something was met.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

/// How often something was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Count {
    /// What it is.
    pub reason: Cow<'static, str>,
    /// How often.
    pub count: u64,
}

impl Count {
    /// `count` times `reason`.
    #[must_use]
    pub const fn new(reason: Cow<'static, str>, count: u64) -> Self {
        Self { reason, count }
    }
}
