//! What the program says: the schema that is promised to the reader of its output.
//!
//! Plain owned values, in the order in which they are written. A [`FlowReport`] is one line: a
//! document of the Elastic Common Schema (ECS 9) with our own fields under `tlstriage`. A
//! [`Summary`] is the run as a whole. The doc comments are the descriptions in the JSON Schema.
//!
//! Nothing here judges, and nothing here writes: `analysis` fills these in and `output` renders
//! them. What many flows have in common (a certificate, the offer of one kind of client) stands
//! in a [`Common`] and is kept once.

mod advice;
mod certificate;
mod common;
mod count;
mod cut;
mod endpoint;
mod event;
mod finding;
mod flow;
mod group;
mod handshake;
mod hex;
mod id;
mod identity;
mod lines;
mod offer;
mod place;
mod population;
mod short_text;
mod skip;
mod summary;
mod time;
mod tls;
mod triage;
mod version;
mod words;

pub use advice::Advice;
pub use certificate::{CertificateHash, CertificateReport, DistinguishedName, LeafReport, X509};
pub use common::Common;
pub use count::Count;
pub use cut::{Bounded, Cut};
pub use endpoint::{EndpointReport, EndpointRow, LeafBrief};
pub use event::{Ecs, Event, Rule};
pub use finding::{ExpectedMessage, FindingReport, VerdictReport};
pub use flow::{Address, Destination, FlowReport, InnerNetwork, Network, Source, Vlan};
pub use group::{FindingGroup, FlowReference};
pub use handshake::{AlertReport, DecidingAlert, EvidenceReport, HandshakeReport, ResumedFrom};
pub use hex::{Hex, UpperHex};
pub(crate) use id::COMMUNITY_ID_LEN;
pub use id::{CommunityId, FlowIdentity, event_id};
pub use identity::{ClientCertificateReport, DefaultCertificate, ServerReport};
pub use lines::{
    FindingLine, FindingTriage, FrameLine, InputLine, SeverityCounts, SummaryLine, SummaryTriage,
};
pub use offer::{ClientReport, EchReport};
pub use place::{CaptureReport, PreambleReport, SeenAs, TunnelEnd, TunnelReport};
pub use population::PopulationReport;
pub use summary::{Damage, FlowCounts, FrameCounts, InputReport, Summary};
pub use time::Time;
pub use tls::{CipherList, TlsClient, TlsReport, TlsServer, bounded_ciphers};
pub use triage::{Inferred, TriageReport};
pub use version::SCHEMA_VERSION;
pub use words::{
    AlertLevel, CertificateDetail, CertificateState, Close, Confidence, Confounder, Dataset,
    DefaultBy, Ech, EventCategory, EventKind, EventOutcome, EventType, EvidenceGrade,
    EvidenceReason, Horizon, IpVersion, Module, Outcome, Protocol, ResumedBy, Role, Severity, Side,
    SniState, Transport, VersionProtocol,
};
