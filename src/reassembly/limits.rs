//! Every bound on memory, in one place.
//!
//! A capture is written by strangers, so whatever it can make grow has a bound here. The defaults
//! together stay under 1 GiB. This module holds numbers; whoever keeps the memory tests them, at
//! the packet that exceeds one.

/// How much may be kept. Totals are for a whole run, the others for the one thing they name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Flows in the table.
    pub flows: usize,
    /// Flows of which only a SYN was seen; they stand in a ring of their own.
    pub half_open: usize,
    /// Bytes that wait for earlier ones in one direction of a flow, with what keeping them costs.
    pub waiting_per_direction: usize,
    /// Pieces that wait for earlier bytes in one direction of a flow.
    pub waiting_segments_per_direction: usize,
    /// Bytes kept for reassembly in all flows together.
    pub waiting_total: usize,
    /// Bytes already delivered in one direction that are compared with retransmissions.
    pub compared_per_direction: usize,
    /// The same in all flows together, with what keeping them costs: the oldest are forgotten first.
    pub compared_total: usize,
    /// Bytes of IP fragments that wait for the rest of their packet.
    pub fragments_total: usize,
    /// Fragments of one IP packet.
    pub fragments_per_packet: usize,
    /// Flows that have closed and wait for their judgement.
    pub stories: usize,
    /// Server end points with a book of their own.
    pub endpoints: usize,
    /// Pairs of name and leaf certificate in the book of an end point.
    pub endpoint_names: usize,
    /// Client addresses in the book of an end point.
    pub endpoint_sources: usize,
    /// Bytes of distinct certificates kept once for all flows; further ones stay with their flow.
    pub certificates_total: usize,
    /// Bytes of distinct large certificates that flow tables hold, as many that stories hold, and as
    /// many that the books of end points hold: of each chain what it takes beyond the usual.
    pub large_chains_total: usize,
    /// VLAN tags of a frame.
    pub vlan_tags: usize,
    /// Tunnels inside each other.
    pub tunnels: usize,
    /// IPv6 extension headers of a packet.
    pub ipv6_extensions: usize,
    /// Lines of a key log.
    pub key_log_lines: usize,
    /// Bytes of one record of a capture file.
    pub record_len: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 1 << 19,
            half_open: 1 << 17,
            // Four times the largest receive window without window scaling (RFC 9293, section 3.1).
            waiting_per_direction: 256 * KIB,
            waiting_segments_per_direction: 1024,
            waiting_total: 128 * MIB,
            // The last three full segments of an Ethernet: what a sender most often sends again.
            compared_per_direction: 4 * KIB,
            // Half a second of a thousand handshakes a second.
            compared_total: 2 * MIB,
            fragments_total: 16 * MIB,
            fragments_per_packet: 64,
            stories: 400_000,
            endpoints: 1 << 16,
            endpoint_names: 64,
            endpoint_sources: 32,
            certificates_total: 64 * MIB,
            large_chains_total: 64 * MIB,
            vlan_tags: 8,
            tunnels: 8,
            ipv6_extensions: 16,
            key_log_lines: 1_000_000,
            record_len: 16 * MIB,
        }
    }
}

/// Writes the setter of each limit.
macro_rules! setters {
    ($($setter:ident => $field:ident),* $(,)?) => {
        impl Limits {
            $(
                #[doc = concat!("These limits with another [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub const fn $setter(mut self, limit: usize) -> Self {
                    self.$field = limit;
                    self
                }
            )*
        }
    };
}

setters! {
    with_flows => flows,
    with_half_open => half_open,
    with_waiting_per_direction => waiting_per_direction,
    with_waiting_segments_per_direction => waiting_segments_per_direction,
    with_waiting_total => waiting_total,
    with_compared_per_direction => compared_per_direction,
    with_compared_total => compared_total,
    with_fragments_total => fragments_total,
    with_fragments_per_packet => fragments_per_packet,
    with_stories => stories,
    with_endpoints => endpoints,
    with_endpoint_names => endpoint_names,
    with_endpoint_sources => endpoint_sources,
    with_certificates_total => certificates_total,
    with_large_chains_total => large_chains_total,
    with_vlan_tags => vlan_tags,
    with_tunnels => tunnels,
    with_ipv6_extensions => ipv6_extensions,
    with_key_log_lines => key_log_lines,
    with_record_len => record_len,
}

impl Limits {
    /// The share of one of `shards` flow tables: what they hold together is divided, rounded up.
    ///
    /// Divided are `flows`, `half_open`, `waiting_total`, `compared_total` and `large_chains_total`; the rest is not held by
    /// a shard, or bounds a single thing.
    #[must_use]
    pub fn per_shard(&self, shards: usize) -> Self {
        let share = |total: usize| total.div_ceil(shards.max(1));
        Self {
            flows: share(self.flows),
            half_open: share(self.half_open),
            waiting_total: share(self.waiting_total),
            compared_total: share(self.compared_total),
            large_chains_total: share(self.large_chains_total),
            ..self.clone()
        }
    }
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_has_its_share_of_what_all_shards_hold() {
        let share = Limits::default().with_half_open(65).per_shard(64);
        assert_eq!(share.flows, 8_192);
        assert_eq!(share.half_open, 2);
        assert_eq!(share.waiting_total, 2 * MIB);
        assert_eq!(share.waiting_per_direction, 256 * KIB);
        assert_eq!(share.per_shard(0), share);
    }

    #[test]
    fn a_setter_changes_its_limit_and_no_other() {
        let limits = Limits::default().with_tunnels(2);
        assert_eq!(limits.tunnels, 2);
        assert_eq!(limits.with_tunnels(8), Limits::default());
    }
}
