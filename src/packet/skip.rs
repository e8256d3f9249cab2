//! Why a frame gave no segment: a word for each reason, few enough to count in an array.

/// Why a frame holds no TCP segment that could be read.
///
/// Not an error: a capture is full of other things. A run counts them by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// Not IP: ARP, LLDP, spanning tree, 802.11 management and control frames.
    NotIp,
    /// UDP that is no tunnel known here: QUIC, DNS.
    Udp,
    /// ICMP that tells of no TCP segment.
    Icmp,
    /// IP with another protocol inside.
    OtherTransport,
    /// A link type, or an encapsulated one, that is not read.
    UnknownLinkType,
    /// An EtherType, or a protocol number of a link layer, that is not read.
    UnknownEtherType,
    /// The snap length cut the frame inside its headers.
    Cut,
    /// A header below IP, or of a tunnel, contradicts itself.
    MalformedLink,
    /// An IP header contradicts itself.
    MalformedIp,
    /// A TCP header contradicts itself.
    MalformedTcp,
    /// More VLAN tags, labels, extension headers or tunnels than are followed.
    TooDeep,
    /// Encrypted below TCP: ESP, MACsec, WPA, PPP encryption.
    Encrypted,
    /// A piece of a packet that cannot be joined with others: an 802.11 or tunnel fragment.
    BareFragment,
}

impl Skip {
    /// Every reason, in the order of [`Skip::index`].
    pub const ALL: [Self; 13] = [
        Self::NotIp,
        Self::Udp,
        Self::Icmp,
        Self::OtherTransport,
        Self::UnknownLinkType,
        Self::UnknownEtherType,
        Self::Cut,
        Self::MalformedLink,
        Self::MalformedIp,
        Self::MalformedTcp,
        Self::TooDeep,
        Self::Encrypted,
        Self::BareFragment,
    ];

    /// The reason's place in [`Skip::ALL`], for an array of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        #[expect(
            clippy::as_conversions,
            reason = "the discriminant of a small enum without fields"
        )]
        let index = self as usize;
        index
    }

    /// The word for the reason in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotIp => "not_ip",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::OtherTransport => "other_transport",
            Self::UnknownLinkType => "unknown_link_type",
            Self::UnknownEtherType => "unknown_ether_type",
            Self::Cut => "cut",
            Self::MalformedLink => "malformed_link",
            Self::MalformedIp => "malformed_ip",
            Self::MalformedTcp => "malformed_tcp",
            Self::TooDeep => "too_deep",
            Self::Encrypted => "encrypted",
            Self::BareFragment => "bare_fragment",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_stands_where_its_index_says() {
        for (place, reason) in Skip::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), place, "{}", reason.name());
        }
    }
}
