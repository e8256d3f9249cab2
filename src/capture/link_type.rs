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
    /// Token ring (IEEE 802.5).
    pub const IEEE802_5: Self = Self(6);
    /// SLIP, with the header that libpcap puts before it.
    pub const SLIP: Self = Self(8);
    /// PPP, with or without HDLC framing.
    pub const PPP: Self = Self(9);
    /// FDDI.
    pub const FDDI: Self = Self(10);
    /// The number of raw IP on most systems, written by tools that do not translate it.
    pub const DLT_RAW: Self = Self(12);
    /// The number of raw IP on OpenBSD.
    pub const DLT_RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC framing, or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// PPP over Ethernet, from the session header on.
    pub const PPP_ETHER: Self = Self(51);
    /// LLC over ATM (RFC 2684).
    pub const ATM_RFC1483: Self = Self(100);
    /// Raw IP of either version.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// IEEE 802.11.
    pub const IEEE802_11: Self = Self(105);
    /// Classical IP over ATM, Linux.
    pub const ATM_CLIP: Self = Self(106);
    /// Frame Relay (RFC 2427).
    pub const FRELAY: Self = Self(107);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// OpenBSD, packets before or after IPsec.
    pub const ENC: Self = Self(109);
    /// Linux "cooked" (`tcpdump -i any`), version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// OpenBSD packet filter log.
    pub const PFLOG: Self = Self(117);
    /// IEEE 802.11 behind a Prism header.
    pub const IEEE802_11_PRISM: Self = Self(119);
    /// IP over Fibre Channel (RFC 2625).
    pub const IP_OVER_FC: Self = Self(122);
    /// SunATM.
    pub const SUNATM: Self = Self(123);
    /// IEEE 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// ARCNET of Linux (RFC 1201).
    pub const ARCNET_LINUX: Self = Self(129);
    /// User-defined; macOS writes its tap header with this number too.
    pub const USER2: Self = Self(149);
    /// IEEE 802.11 behind an AVS header.
    pub const IEEE802_11_AVS: Self = Self(163);
    /// PPP with a direction in place of the address.
    pub const PPP_PPPD: Self = Self(166);
    /// Juniper, Ethernet.
    pub const JUNIPER_ETHER: Self = Self(178);
    /// Juniper, PPP.
    pub const JUNIPER_PPP: Self = Self(179);
    /// Juniper, Frame Relay.
    pub const JUNIPER_FRELAY: Self = Self(180);
    /// Juniper, Cisco HDLC.
    pub const JUNIPER_CHDLC: Self = Self(181);
    /// Per-packet information, then another link type.
    pub const PPI: Self = Self(192);
    /// PPP behind a byte for the direction.
    pub const PPP_WITH_DIR: Self = Self(204);
    /// Cisco HDLC behind a byte for the direction.
    pub const C_HDLC_WITH_DIR: Self = Self(205);
    /// Frame Relay behind a byte for the direction.
    pub const FRELAY_WITH_DIR: Self = Self(206);
    /// IP between the zones of a Solaris machine.
    pub const IPNET: Self = Self(226);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log.
    pub const NFLOG: Self = Self(239);
    /// IP over InfiniBand (RFC 4391).
    pub const IPOIB: Self = Self(242);
    /// macOS tap header, then another link type.
    pub const PKTAP: Self = Self(258);
    /// Ethernet with a preamble.
    pub const ETHERNET_MPACKET: Self = Self(274);
    /// Linux "cooked" (`tcpdump -i any`), version 2.
    pub const LINUX_SLL2: Self = Self(276);
}
