//! Names for a flow that every run over the same packets gives again.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, Digest, SHA256};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use sha1::{Digest as _, Sha1};

use crate::flow::Endpoint;
use crate::report::hex::Hex;
use crate::report::place::TunnelReport;
use crate::time::Timestamp;

/// What tells one flow from every other.
#[derive(Clone, Copy, Debug)]
pub struct FlowIdentity<'a> {
    /// The client.
    pub source: Endpoint,
    /// The server.
    pub destination: Endpoint,
    /// The time of the first frame.
    pub first: Timestamp,
    /// The VLAN ids of the first frame, outermost first.
    pub vlans: &'a [u16],
    /// The tunnels of the first frame, outermost first.
    pub tunnels: &'a [TunnelReport],
    /// 0, and 1, 2 … for further flows that are the same in all else.
    pub ordinal: u32,
}

/// The `event.id` of a flow: 128 bits of a SHA-256.
#[must_use]
pub fn event_id(flow: &FlowIdentity<'_>) -> Hex<16> {
    let mut hash = Context::new(&SHA256);
    hash.update(b"tlstriage.flow");
    update_endpoint(&mut hash, flow.source);
    update_endpoint(&mut hash, flow.destination);
    hash.update(&flow.first.as_nanos().to_be_bytes());
    hash.update(&flow.ordinal.to_be_bytes());
    for vlan in flow.vlans {
        hash.update(b"v");
        hash.update(&vlan.to_be_bytes());
    }
    for tunnel in flow.tunnels {
        hash.update(b"t");
        hash.update(tunnel.kind.as_bytes());
        hash.update(&[0]);
        if let Some(id) = tunnel.id {
            hash.update(b"i");
            hash.update(&id.to_be_bytes());
        }
        update_address(&mut hash, tunnel.source.ip);
        update_address(&mut hash, tunnel.destination.ip);
    }
    front(&hash.finish())
}

/// The `event.id` of a finding: what was found, where, and when it was first seen.
pub(in crate::report) fn finding_id(id: &str, server: Endpoint, first: Timestamp) -> Hex<16> {
    let mut hash = Context::new(&SHA256);
    hash.update(b"tlstriage.finding");
    hash.update(id.as_bytes());
    hash.update(&[0]);
    update_endpoint(&mut hash, server);
    hash.update(&first.as_nanos().to_be_bytes());
    front(&hash.finish())
}

/// The Community ID of a TCP connection, version 1 with seed 0: the same for both directions.
///
/// See the [specification](https://github.com/corelight/community-id-spec).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommunityId([u8; 20]);

impl CommunityId {
    /// The id of the connection between two ends, in either order.
    #[must_use]
    pub fn of_tcp(one: Endpoint, other: Endpoint) -> Self {
        let (low, high) = (one.min(other), one.max(other));
        let mut hash = Sha1::new_with_prefix(SEED);
        for ip in [low.ip, high.ip] {
            match ip {
                IpAddr::V4(ip) => hash.update(ip.octets()),
                IpAddr::V6(ip) => hash.update(ip.octets()),
            }
        }
        hash.update([TCP, 0]);
        hash.update(low.port.to_be_bytes());
        hash.update(high.port.to_be_bytes());
        Self(hash.finalize().into())
    }

    /// `1:` and the hash in base 64.
    pub(crate) fn encode<'a>(&self, text: &'a mut [u8; COMMUNITY_ID_LEN]) -> &'a str {
        let (version, hash) = text.split_at_mut(VERSION.len());
        version.copy_from_slice(VERSION);
        // The room is as long as 20 bytes are in base 64: there is nothing to fail.
        let _ = STANDARD.encode_slice(self.0, hash);
        str::from_utf8(text).unwrap_or_default()
    }
}

impl std::fmt::Display for CommunityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.encode(&mut [0; COMMUNITY_ID_LEN]))
    }
}

impl Serialize for CommunityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; COMMUNITY_ID_LEN]))
    }
}

impl JsonSchema for CommunityId {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "CommunityId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^1:[A-Za-z0-9+/]{27}=$"})
    }
}

fn update_endpoint(hash: &mut Context, end: Endpoint) {
    update_address(hash, end.ip);
    hash.update(&end.port.to_be_bytes());
}

fn update_address(hash: &mut Context, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => hash.update(&ip.octets()),
        IpAddr::V6(ip) => hash.update(&ip.octets()),
    }
}

fn front(digest: &Digest) -> Hex<16> {
    Hex(digest.as_ref().first_chunk().copied().unwrap_or_default())
}

const SEED: [u8; 2] = [0; 2];
/// The protocol number of TCP (IANA).
const TCP: u8 = 6;
/// The version of the Community ID.
const VERSION: &[u8] = b"1:";
/// The version, and 20 bytes in base 64.
pub(crate) const COMMUNITY_ID_LEN: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn end(ip: &str, port: u16) -> Endpoint {
        Endpoint::new(ip.parse().unwrap(), port)
    }

    #[test]
    fn community_ids_are_those_of_the_published_examples() {
        let client = end("128.232.110.120", 34855);
        let server = end("66.35.250.204", 80);
        let id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
        assert_eq!(CommunityId::of_tcp(client, server).to_string(), id);
        assert_eq!(CommunityId::of_tcp(server, client).to_string(), id);

        let client = end("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943);
        let server = end("2607:f8b0:400c:c03::1a", 25);
        let id = "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=";
        assert_eq!(CommunityId::of_tcp(client, server).to_string(), id);
        assert_eq!(CommunityId::of_tcp(server, client).to_string(), id);
    }

    #[test]
    fn every_part_of_its_identity_changes_the_id_of_a_flow() {
        let vlans = [12];
        let tunnels = [TunnelReport::new(
            "vxlan",
            Some(7),
            "192.0.2.1".parse().unwrap(),
            "192.0.2.2".parse().unwrap(),
        )];
        let flow = FlowIdentity {
            source: end("10.1.0.5", 50112),
            destination: end("10.1.2.3", 443),
            first: Timestamp::from_nanos(1),
            vlans: &[],
            tunnels: &[],
            ordinal: 0,
        };
        let others = [
            flow,
            FlowIdentity {
                source: end("10.1.0.5", 50113),
                ..flow
            },
            FlowIdentity {
                destination: end("10.1.2.4", 443),
                ..flow
            },
            FlowIdentity {
                source: flow.destination,
                destination: flow.source,
                ..flow
            },
            FlowIdentity {
                first: Timestamp::from_nanos(2),
                ..flow
            },
            FlowIdentity {
                vlans: &vlans,
                ..flow
            },
            FlowIdentity {
                tunnels: &tunnels,
                ..flow
            },
            FlowIdentity { ordinal: 1, ..flow },
        ];
        let mut ids: Vec<_> = others.iter().map(event_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), others.len());
        // Promised to stay: a feed is de-duplicated by it.
        assert_eq!(
            event_id(&flow).to_string(),
            "0f97237e7cf69a9a39a0e6d36f9ff81f"
        );
    }
}
