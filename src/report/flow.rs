//! One TLS flow: the document that stands in one line.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::Endpoint;
use crate::report::cut::{Bounded, Cut};
use crate::report::event::{Ecs, Event, Rule};
use crate::report::id::CommunityId;
use crate::report::skip::absent;
use crate::report::time::Time;
use crate::report::tls::{TlsReport, bounded_ciphers};
use crate::report::triage::TriageReport;
use crate::report::words::{IpVersion, Protocol, Transport};

/// What is said about one flow.
///
/// The fields stand in the order in which they are written; `tlstriage` comes before `tls` since
/// some collectors read only the first kilobytes of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FlowReport {
    /// The time of the first frame.
    #[serde(rename = "@timestamp")]
    pub timestamp: Time,
    /// The schema of the standard fields.
    pub ecs: Ecs,
    /// What happened.
    pub event: Event,
    /// The verdict.
    pub rule: Rule,
    /// The client of the TCP connection.
    pub source: Source,
    /// The server of the TCP connection.
    pub destination: Destination,
    /// The network.
    pub network: Network,
    /// The answer and what it rests on.
    pub tlstriage: TriageReport,
    /// What ECS has fields for.
    #[serde(skip_serializing_if = "TlsReport::is_empty")]
    pub tls: TlsReport,
}

impl FlowReport {
    /// A report of what happened between two endpoints; the rest is to be filled in.
    #[must_use]
    pub fn new(
        event: Event,
        rule: Rule,
        client: Endpoint,
        server: Endpoint,
        tlstriage: TriageReport,
    ) -> Self {
        Self {
            timestamp: event.start.unwrap_or_default(),
            ecs: Ecs::default(),
            event,
            rule,
            source: Source::new(client),
            destination: Destination::new(server),
            network: Network::new(client, server),
            tlstriage,
            tls: TlsReport::default(),
        }
    }

    /// Cuts everything, also what is shared with other flows: for the rare line that is too long.
    pub(crate) fn cut_whole(&mut self, to: Cut) {
        self.cut(to);
        self.tlstriage.cut_shared(to);
        if let Some(leaf) = &mut self.tls.server.leaf {
            leaf.change(|leaf| leaf.cut(to));
            let count = leaf.alternative_names_count;
            let server = &mut self.tlstriage.server;
            server.alternative_names_count = server.alternative_names_count.or(count);
        }
        if let Some(ciphers) = self.tls.client.supported_ciphers.take() {
            let (ciphers, count) = bounded_ciphers(ciphers.into_part(), to);
            self.tls.client.supported_ciphers = Some(ciphers);
            if let (Some(client), Some(_)) = (&mut self.tlstriage.client, count) {
                client.change(|client| {
                    client.supported_ciphers_count = client.supported_ciphers_count.or(count);
                });
            }
        }
    }
}

/// Cuts what belongs to this flow alone. Shared parts were cut when they were made.
impl Bounded for FlowReport {
    fn cut(&mut self, to: Cut) {
        self.event.cut(to);
        to.text(&mut self.destination.domain);
        self.tlstriage.cut(to);
        self.tls.cut(to);
        let names = self.tls.server.leaf.as_ref();
        if let Some(count) = names.and_then(|leaf| leaf.alternative_names_count) {
            self.tlstriage.server.alternative_names_count = Some(count);
        }
    }
}

/// The client of the TCP connection (ECS `source`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Source {
    /// Its address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// TCP payload bytes that it sent, counted in sequence space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Frames that it sent; duplicates are counted once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
}

impl Source {
    const fn new(end: Endpoint) -> Self {
        Self {
            ip: end.ip,
            port: end.port,
            bytes: None,
            packets: None,
        }
    }
}

/// The server of the TCP connection (ECS `destination`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Destination {
    /// Its address.
    pub ip: IpAddr,
    /// The name in the ClientHello, where there is one.
    #[serde(skip_serializing_if = "absent")]
    pub domain: Option<Arc<str>>,
    /// Its port.
    pub port: u16,
    /// TCP payload bytes that it sent, counted in sequence space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Frames that it sent; duplicates are counted once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
}

impl Destination {
    pub(in crate::report) const fn new(end: Endpoint) -> Self {
        Self {
            ip: end.ip,
            domain: None,
            port: end.port,
            bytes: None,
            packets: None,
        }
    }
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

impl Address {
    /// `ip`:`port`.
    #[must_use]
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self { ip, port }
    }
}

impl From<Endpoint> for Address {
    fn from(end: Endpoint) -> Self {
        Self {
            ip: end.ip,
            port: end.port,
        }
    }
}

/// `192.0.2.1:443`, `[2001:db8::1]:443`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Endpoint::new(self.ip, self.port).fmt(f)
    }
}

/// The network (ECS `network`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Network {
    /// Always TCP.
    pub transport: Transport,
    /// TLS, where the connection came to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// The version of IP.
    #[serde(rename = "type")]
    pub ip: IpVersion,
    /// The Community ID, version 1, with seed 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community_id: Option<CommunityId>,
    /// The outer VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<Vlan>,
    /// The VLAN within the VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner: Option<InnerNetwork>,
}

impl Network {
    fn new(client: Endpoint, server: Endpoint) -> Self {
        Self {
            transport: Transport::Tcp,
            protocol: Some(Protocol::Tls),
            ip: IpVersion::of(server.ip),
            community_id: Some(CommunityId::of_tcp(client, server)),
            vlan: None,
            inner: None,
        }
    }

    /// The network around a server whose clients are many.
    pub(in crate::report) fn of_server(server: Endpoint) -> Self {
        Self {
            community_id: None,
            ..Self::new(server, server)
        }
    }
}

impl IpVersion {
    const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}

/// A VLAN tag (ECS `network.vlan`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Vlan {
    /// Its id, which ECS keeps as text.
    pub id: String,
}

impl Vlan {
    /// The VLAN `id`.
    #[must_use]
    pub fn new(id: u16) -> Self {
        Self { id: id.to_string() }
    }
}

/// What stands within the outer VLAN (ECS `network.inner`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct InnerNetwork {
    /// The inner VLAN tag.
    pub vlan: Vlan,
}

impl InnerNetwork {
    /// The inner VLAN `id`.
    #[must_use]
    pub fn new(id: u16) -> Self {
        Self {
            vlan: Vlan::new(id),
        }
    }
}
