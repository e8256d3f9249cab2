//! Where a block of a damaged pcapng capture begins again.

use crate::capture::interface::Interfaces;
use crate::capture::ng::{HeaderRead, Section};
use crate::capture::order::to_len;

/// Whether some bytes are a block.
pub(crate) enum Belief {
    Block,
    None,
    /// This many bytes are needed to tell.
    AtLeast(usize),
}

/// Whether a block of a usual type may begin here.
pub(crate) fn begins_a_block(section: Section, bytes: &[u8], max_len: usize) -> Belief {
    match section.header(bytes, max_len) {
        HeaderRead::AtLeast(len) => Belief::AtLeast(len),
        HeaderRead::Header(header) if header.is_of_known_type() => Belief::Block,
        HeaderRead::Header(_) | HeaderRead::Impossible(_) => Belief::None,
    }
}

/// Whether a whole block stands here, with equal lengths at both ends and contents that fit.
pub(crate) fn believable(
    section: Section,
    bytes: &[u8],
    interfaces: &Interfaces,
    max_len: usize,
) -> Belief {
    let header = match section.header(bytes, max_len) {
        HeaderRead::AtLeast(len) => return Belief::AtLeast(len),
        HeaderRead::Header(header) if header.is_of_known_type() => header,
        HeaderRead::Header(_) | HeaderRead::Impossible(_) => return Belief::None,
    };
    match header.trailing_len(bytes) {
        None => Belief::AtLeast(header.len),
        Some(trailing)
            if to_len(trailing) == header.len
                && section.item(header, bytes, interfaces).is_ok() =>
        {
            Belief::Block
        }
        Some(_) => Belief::None,
    }
}
