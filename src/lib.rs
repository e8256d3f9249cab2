//! Reads packet captures and says for every TLS flow what happened, and why.

pub mod analysis;
pub mod capture;
pub mod flow;
pub mod input;
pub mod output;
pub mod packet;
pub mod pki;
pub mod reassembly;
pub mod report;
pub mod time;
pub mod tls;
pub mod verdict;
