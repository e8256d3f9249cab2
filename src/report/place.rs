//! Where a flow was met: in which frames, in which tunnels, under which other addresses, behind which preamble.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cut::{Bounded, Cut};
use crate::report::flow::Address;
use crate::report::skip::absent;

/// Where to find the flow in the capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CaptureReport {
    /// The file with the first frame.
    pub file: Arc<str>,
    /// The file with the last frame, where it is another one.
    #[serde(skip_serializing_if = "absent")]
    pub last_file: Option<Arc<str>>,
    /// The number of the first frame in its file, as Wireshark counts: the first is 1.
    pub first_frame: u64,
    /// The number of the last frame in its file.
    pub last_frame: u64,
    /// The interface that the capture names for the first frame.
    #[serde(skip_serializing_if = "absent")]
    pub interface: Option<Arc<str>>,
}

impl CaptureReport {
    /// Frames `first_frame` to `last_frame` of `file`.
    #[must_use]
    pub const fn new(file: Arc<str>, first_frame: u64, last_frame: u64) -> Self {
        Self {
            file,
            last_file: None,
            first_frame,
            last_frame,
            interface: None,
        }
    }
}

impl Bounded for CaptureReport {
    fn cut(&mut self, to: Cut) {
        to.required(&mut self.file);
        to.text(&mut self.last_file);
        to.text(&mut self.interface);
    }
}

impl Bounded for PreambleReport {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.client);
        to.text(&mut self.server);
        to.text(&mut self.target);
    }
}

/// A tunnel around the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TunnelReport {
    /// Its kind: `vxlan`, `gre` …
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its network identifier or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// Where the frame that opened the flow entered it.
    pub source: TunnelEnd,
    /// Where that frame left it.
    pub destination: TunnelEnd,
}

impl TunnelReport {
    /// The tunnel `kind` between two addresses.
    #[must_use]
    pub const fn new(
        kind: &'static str,
        id: Option<u32>,
        source: IpAddr,
        destination: IpAddr,
    ) -> Self {
        Self {
            kind,
            id,
            source: TunnelEnd { ip: source },
            destination: TunnelEnd { ip: destination },
        }
    }
}

/// One end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TunnelEnd {
    /// Its address.
    pub ip: IpAddr,
}

/// What came before TLS on the same connection. Nothing in it replaces `source` and `destination`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PreambleReport {
    /// The protocol: `connect`, `socks5`, `proxy`, `smtp` …
    pub protocol: Cow<'static, str>,
    /// The client that a PROXY header names.
    #[serde(skip_serializing_if = "absent")]
    pub client: Option<Arc<str>>,
    /// The server that a PROXY header names.
    #[serde(skip_serializing_if = "absent")]
    pub server: Option<Arc<str>>,
    /// Where CONNECT or SOCKS asked to be connected to.
    #[serde(skip_serializing_if = "absent")]
    pub target: Option<Arc<str>>,
}

impl PreambleReport {
    /// A preamble in `protocol` that names nobody.
    #[must_use]
    pub const fn new(protocol: Cow<'static, str>) -> Self {
        Self {
            protocol,
            client: None,
            server: None,
            target: None,
        }
    }
}

/// Addresses under which the same connection was captured too, as behind a NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SeenAs {
    /// The client there.
    pub source: Address,
    /// The server there.
    pub destination: Address,
}

impl SeenAs {
    /// The same connection between these two.
    #[must_use]
    pub const fn new(source: Address, destination: Address) -> Self {
        Self {
            source,
            destination,
        }
    }
}
