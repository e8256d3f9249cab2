//! Reads packet captures and says for every TLS flow what happened, and why.
//!
//! The paved path is three types: an [`Analyzer`] holds the settings, a [`Source`] names an
//! input, and an [`Analysis`] is a run: an iterator of one [`FlowReport`](report::FlowReport) per
//! TLS flow, with the [`Summary`](report::Summary) at its end.
//!
//! ```
//! use tlstriage::{Analyzer, Source};
//!
//! # fn main() -> Result<(), tlstriage::Error> {
//! let capture: &[u8] = &[
//!     0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
//! ];
//! let mut analysis = Analyzer::new().start([Source::stream("gateway.pcap", capture)])?;
//! for report in &mut analysis {
//!     let report = report?;
//!     println!("{}: {}", report.destination.ip, report.rule.id);
//! }
//! assert_eq!(analysis.summary().flows.tls, 0, "this capture is valid, and empty");
//! # Ok(())
//! # }
//! ```
//!
//! The parts can be used alone. Right of the middle they know no TLS: [`capture`] turns files
//! into frames, [`packet`] turns frames into TCP segments, [`reassembly`] puts their bytes in
//! order. Left of it they know no packets: [`tls`] watches the bytes of both directions, [`pki`]
//! reads certificates, [`verdict`] judges the evidence. [`analysis`] is where both meet, and
//! [`output`] writes [`report`]s down.
//!
//! Nothing here asks for the time, the environment or a random number, and nothing prints: the
//! same input gives the same reports, on any number of threads.

pub mod analysis;
pub mod capture;
pub mod comparison;
pub mod flow;
mod hash;
pub mod input;
pub mod output;
pub mod packet;
pub mod pki;
mod pool;
pub mod reassembly;
pub mod report;
pub mod slice;
pub mod time;
pub mod tls;
pub mod verdict;

pub use analysis::{Analysis, Analyzer, Error, Source};
