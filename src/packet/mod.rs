//! Frames become TCP segments: link layers, VLANs, tunnels, IP, TCP.
//!
//! [`decode`] looks at one frame and keeps nothing, so frames may be decoded in any order and on
//! any thread. It walks from the first header inwards and tells of the innermost segment; the
//! [`PathId`] says that something was around it, and [`encapsulation`] says what. IP fragments are
//! handed out as such: a [`Defragmenter`] joins them, in the order of the capture.
//!
//! Nothing is judged here that the network card of the capturing host may have left undone:
//! checksums are not looked at. Lengths are: no offset points outside of the frame, whatever a
//! header says. Bounds: 8 VLAN tags, 8 tunnels, 16 MPLS labels, 16 IPv6 extension headers.

mod decode;
mod defragment;
mod ethernet;
mod fragment;
mod icmp;
mod ip;
mod joined;
mod link;
mod path;
mod plain;
mod ppp;
mod skip;
mod tcp;
mod tunnel;
mod udp;
mod view;
mod waiting;
mod walk;
mod wlan;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire;

pub(crate) use decode::walked;
pub use decode::{Decoded, decode, encapsulation};
pub use defragment::{Defragmenter, FragmentCounts, FragmentLimits};
pub use fragment::Fragment;
pub use icmp::{Cause, Unreachable};
pub use joined::Joined;
pub use path::{Encapsulation, PathId, Tunnel, TunnelKind};
pub(crate) use plain::{Headers, Plain, V4, V6, read as plain};
pub use skip::Skip;
pub use tcp::{Flags, Segment, SeqNumber};
