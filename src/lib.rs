//! Reads packet captures and says for every TLS flow what happened, and why.

pub mod capture;
pub mod flow;
pub mod output;
pub mod packet;
pub mod reassembly;
pub mod report;
pub mod time;
pub mod tls;
