//! What the first byte of a frame belongs to.

/// A link-layer header type, by the number that captures carry
/// (the registry is kept by the tcpdump group, "link-layer header types").
///
/// A number without a name here is kept: it says what could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: the address family in the byte order of the capturing machine.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
}
