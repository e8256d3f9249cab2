//! Segments become the ordered bytes of each direction (RFC 9293, section 3.10.7.4).
//!
//! ```
//! use tlstriage::packet::SeqNumber;
//! use tlstriage::reassembly::{Chunk, Limits, Recent, Stream};
//!
//! let limits = Limits::default();
//! let mut recent = Recent::none();
//! let mut stream = Stream::anchored(SeqNumber(1));
//! let mut text = Vec::new();
//! for (seq, payload) in [(6, b", world"), (1, b"hello, ")] {
//!     stream.push(SeqNumber(seq), payload, 7, (), &limits, &mut recent, |chunk, ()| match chunk {
//!         Chunk::Bytes(bytes) => text.extend_from_slice(bytes),
//!         Chunk::Gap { .. } => text.push(b'?'),
//!     });
//! }
//! assert_eq!(text, b"hello, world");
//! ```

mod dues;
mod index;
mod limits;
mod recent;
mod stream;
mod table;
mod waiting;

pub use dues::Due;
pub use index::{Guess, Tag};
pub use limits::Limits;
pub use recent::Recent;
pub use stream::{Chunk, Facts, GapReason, Outcome, Stream};
pub use table::{CacheLine, Fingerprint, FlowTable, Found, Key, Look, Tagger};
