//! A slice: the packets of some flows only, for a ticket.
//!
//! Which flows is known when a run is over, so the inputs are read a second time: each frame is decoded
//! as in the first reading, and written when it belongs to a flow that is wanted. The slice is a
//! pcapng (draft-ietf-opsawg-pcapng) in which every packet says where it came from.
//!
//! Nothing is judged here, and keys that a capture carries are not handed on.

mod extent;
mod pieces;
mod slicer;
mod survey;
mod wanted;
mod writer;

pub use extent::Extent;
pub use slicer::{Content, Error, Sliced, Slicer};
pub use wanted::Wanted;
