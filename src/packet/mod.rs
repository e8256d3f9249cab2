//! Frames become segments.

pub mod tcp;

pub use tcp::SeqNumber;
