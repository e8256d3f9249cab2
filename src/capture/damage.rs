//! Places where a capture is not what its format asks for.
//!
//! A damage never ends a run: what came before it is delivered, and where possible what comes after.

use std::fmt;

use thiserror::Error;

/// One damaged place of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Where it begins, in bytes from the start of the (decompressed) capture.
    pub offset: u64,
    /// The last frame number given before it; 0 when there is none.
    pub after_frame: u64,
    /// What is wrong there.
    pub kind: DamageKind,
    /// How many bytes could not be read because of it, when that is known.
    pub lost: Option<u64>,
    /// What the input said, if it was the one that failed.
    pub detail: Option<String>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a place of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DamageKind {
    /// The capture ends in the middle of a record.
    #[error("cut short: the capture ends {have} bytes into a record")]
    CutShort {
        /// How many bytes of the record are there.
        have: u64,
    },
    /// The input failed here: compressed data that end early or are corrupt.
    #[error("the input ends here")]
    Input,
    /// A record claims more bytes than we are willing to hold; the rest of the capture is not read.
    #[error(
        "a record claims {len} bytes: the capture is corrupt here, and what follows cannot be read"
    )]
    RecordTooLong {
        /// The length it claims.
        len: u32,
    },
    /// A block has a length that no block can have, or one that leads nowhere.
    #[error("a block has the impossible length {len}")]
    BlockLength {
        /// The length it claims.
        len: u32,
    },
    /// The lengths at both ends of a block differ; the first was believed.
    #[error("a block begins with the length {leading} and ends with {trailing}")]
    TrailingLength {
        /// The length at its start.
        leading: u32,
        /// The length at its end.
        trailing: u32,
    },
    /// A section header has no byte order.
    #[error("a section header has the impossible byte-order magic {magic:#010x}")]
    SectionHeader {
        /// What stands in its place.
        magic: u32,
    },
    /// A block is too short for what it has to hold.
    #[error("a block of type {block_type:#010x} is too short")]
    BlockTooShort {
        /// The type of the block.
        block_type: u32,
    },
    /// A packet claims more bytes than its block holds.
    #[error("a packet of {len} bytes does not fit into its block")]
    PacketTooLong {
        /// The captured length it claims.
        len: u32,
    },
    /// A packet names an interface that was not described before it.
    #[error("a packet names interface {interface}, which is not described")]
    UnknownInterface {
        /// The number it names, in its section.
        interface: u32,
    },
    /// More interfaces are described than we keep.
    #[error("too many interfaces are described")]
    TooManyInterfaces,
}

/// The damages of a capture: all counted, the first ones kept.
#[derive(Debug, Default)]
pub(crate) struct Damages {
    kept: Vec<Damage>,
    count: u64,
}

impl Damages {
    pub(crate) fn push(&mut self, damage: Damage) {
        self.count += 1;
        if self.kept.len() < MAX_KEPT {
            self.kept.push(damage);
        }
    }

    pub(crate) fn kept(&self) -> &[Damage] {
        &self.kept
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// A person reads the first few; a capture of nothing but damage has millions.
const MAX_KEPT: usize = 256;
