//! What is seen of TLS on the wire.

pub mod registry;
