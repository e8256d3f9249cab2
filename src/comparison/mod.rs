//! Two runs side by side: did the change help?
//!
//! A [`Side`] is what a run adds up to, gathered flow by flow within bounds: from the reports of a run,
//! or from the JSON lines that an earlier one has written. A [`Comparison`] says what came, what went, and what became of
//! the rates. It judges no flow again.

mod chance;
mod change;
mod lines;
mod observation;
mod rates;
mod side;

pub use change::{
    CertificateChange, Comparison, Effect, LeafSeen, NameChange, Presence, ServerChange, SideTotal,
    VerdictChange,
};
pub use lines::{Error, LineError, MAX_LINE_LEN, read};
pub use observation::Observation;
pub use rates::Rates;
pub use side::Side;
