//! Server endpoints: what was asked of each, what it answered, and how that ended.

use std::net::IpAddr;
use std::sync::Arc;

use crate::flow::Endpoint;
use crate::report::count::Count;
use crate::report::hex::Hex;
use crate::report::population::PopulationReport;
use crate::report::time::Time;
use crate::report::words::{CertificateState, Outcome, Role, SniState};

/// One server endpoint, with all that was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointReport {
    /// Its address and port.
    pub server: Endpoint,
    /// Where it stands.
    pub role: Role,
    /// Its flows.
    pub flows: u64,
    /// How many addresses called it; at most 4,096 are counted, and the summary's `limits` say where there were more.
    pub client_count: u64,
    /// Some of these addresses.
    pub clients: Vec<IpAddr>,
    /// The negotiated versions.
    pub versions: Vec<Count>,
    /// Who called, by client and by what it asked, most flows first.
    pub populations: Vec<PopulationReport>,
    /// What was asked and what was answered: one row for each pair of name and certificate.
    pub rows: Vec<EndpointRow>,
    /// Rows that are in no list, since there are too many.
    pub rows_left_out: u64,
}

impl EndpointReport {
    /// An endpoint of which nothing is known.
    #[must_use]
    pub const fn new(server: Endpoint, role: Role) -> Self {
        Self {
            server,
            role,
            flows: 0,
            client_count: 0,
            clients: Vec::new(),
            versions: Vec::new(),
            populations: Vec::new(),
            rows: Vec::new(),
            rows_left_out: 0,
        }
    }
}

/// A name that was asked for, the certificate that answered, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRow {
    /// What the clients said about the name.
    pub sni: SniState,
    /// The name.
    pub name: Option<Arc<str>>,
    /// Whether the certificate was seen.
    pub certificate: CertificateState,
    /// The certificate.
    pub leaf: Option<LeafBrief>,
    /// How the handshakes ended, and how often.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The flows.
    pub flows: u64,
    /// The time of the first flow.
    pub first: Option<Time>,
    /// The time of the last flow.
    pub last: Option<Time>,
}

impl EndpointRow {
    /// A row of which nothing is known but what was asked and whether a certificate was seen.
    #[must_use]
    pub const fn new(sni: SniState, name: Option<Arc<str>>, certificate: CertificateState) -> Self {
        Self {
            sni,
            name,
            certificate,
            leaf: None,
            outcomes: Vec::new(),
            flows: 0,
            first: None,
            last: None,
        }
    }
}

/// A certificate in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeafBrief {
    /// Its subject.
    pub subject: Arc<str>,
    /// SHA-256 of its DER bytes.
    pub sha256: Hex<32>,
    /// The end of its validity.
    pub not_after: Option<Time>,
    /// Whether it is signed by its own key.
    pub self_signed: bool,
    /// It is a default certificate.
    pub default: bool,
    /// The product whose default certificate it is.
    pub product: Option<Arc<str>>,
}

impl LeafBrief {
    /// A certificate of which no more is known.
    #[must_use]
    pub const fn new(subject: Arc<str>, sha256: Hex<32>) -> Self {
        Self {
            subject,
            sha256,
            not_after: None,
            self_signed: false,
            default: false,
            product: None,
        }
    }
}
