//! Captures: files and streams become frames.
//!
//! pcap (draft-ietf-opsawg-pcap) in all its variants and pcapng (draft-ietf-opsawg-pcapng), from anything that
//! can be read, cut anywhere and damaged in any way. Nothing here looks inside a frame, and nothing
//! decompresses: that is done before, on the way in.
//!
//! ```
//! use tlstriage::capture::Reader;
//!
//! # fn main() -> Result<(), tlstriage::capture::Error> {
//! # let file: &[u8] = &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
//! let mut reader = Reader::new(file)?;
//! let mut bytes = 0;
//! while let Some(len) = reader.next_frame(|frame| frame.data.len())? {
//!     bytes += len;
//! }
//! assert!(reader.damages().is_empty());
//! # assert_eq!(bytes, 0);
//! # Ok(())
//! # }
//! ```
//!
//! Those who want speed take a [`Block`] of many frames at a time with [`Reader::read_block`]: the reader only finds
//! where records end, and [`Block::frames`] reads them, on any thread.

mod ahead;
mod belief;
mod block;
pub(crate) mod classic;
mod clock;
mod damage;
mod error;
mod foreign;
pub mod frame;
mod framer;
mod interface;
pub mod link_type;
mod ng;
mod opening;
mod order;
mod reader;
mod refill;
mod secrets;

pub use ahead::{Reach, find_secrets};
pub use block::{Block, Frames};
pub use damage::{Damage, DamageKind};
pub use error::Error;
pub use frame::Frame;
pub use interface::{Interface, Interfaces};
pub use link_type::LinkType;
pub(crate) use order::to_count;
pub use reader::{Format, Reader};
pub use refill::Delivery;
pub(crate) use refill::{HEADROOM, Stretch, Supply};
pub use secrets::Secrets;

/// Says whether `first_bytes` begin like a capture that [`Reader`] reads; eight are enough.
#[must_use]
pub fn looks_like(first_bytes: &[u8]) -> bool {
    first_bytes
        .first_chunk()
        .is_some_and(|magic| classic::Magic::from_bytes(*magic).is_some() || *magic == ng::MAGIC)
}
