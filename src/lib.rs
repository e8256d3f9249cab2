//! Reads packet captures and says for every TLS flow what happened, and why.

pub mod flow;
pub mod time;
