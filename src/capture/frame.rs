//! One captured link-layer unit, as the capture holds it.

use crate::capture::link_type::LinkType;
use crate::time::{Precision, Timestamp};

/// One captured link-layer unit, maybe cut by the snap length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its place in its file, from 1, as Wireshark counts.
    pub number: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// How finely the clock of its interface was read.
    pub precision: Precision,
    /// What its first byte belongs to.
    pub link_type: LinkType,
    /// The index of its interface among those of its capture.
    pub interface: u32,
    /// Its bytes as far as they were kept.
    pub data: &'a [u8],
    /// Its length on the wire, in bytes.
    pub original_len: u32,
}
