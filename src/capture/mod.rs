//! Captures: files and streams become frames.

pub mod frame;
pub mod link_type;

pub use frame::Frame;
pub use link_type::LinkType;
