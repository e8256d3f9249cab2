//! What the program says: the schema that is promised to the reader of its output.
//!
//! Plain owned values, in the order in which they are written. A [`FlowReport`] is one line: a
//! document of the Elastic Common Schema (ECS 9) with our own fields under `tlstriage`. A
//! [`Summary`] is the run as a whole. The doc comments are the descriptions in the JSON Schema.
//!
//! Nothing here judges, and nothing here writes: `analysis` fills these in and `output` renders
//! them. What many flows have in common (a certificate, the offer of one kind of client) stands
//! in an [`Arc`](std::sync::Arc) and is kept once.

mod certificate;
mod cut;
mod event;
mod finding;
mod flow;
mod hex;
mod id;
mod lines;
mod short_text;
mod skip;
mod summary;
mod time;
mod tls;
mod triage;
mod version;
mod words;

pub use certificate::{CertificateHash, CertificateReport, DistinguishedName, LeafReport, X509};
pub use cut::{Bounded, Cut};
pub use event::{Ecs, Event, Rule};
pub use finding::{ExpectedMessage, FindingReport, VerdictReport};
pub use flow::{Address, Destination, FlowReport, InnerNetwork, Network, Source, Vlan};
pub use hex::{Hex, UpperHex};
pub use id::{CommunityId, FlowIdentity, event_id};
pub use lines::{
    FindingLine, FindingTriage, FrameLine, InputLine, SeverityCounts, SummaryLine, SummaryTriage,
};
pub use summary::{
    Advice, Count, Damage, EndpointReport, EndpointRow, FindingGroup, FlowCounts, FlowReference,
    FrameCounts, InputReport, LeafBrief, Summary,
};
pub use time::Time;
pub use tls::{CipherList, TlsClient, TlsReport, TlsServer, bounded_ciphers};
pub use triage::{
    AlertReport, CaptureReport, ClientCertificateReport, ClientReport, DecidingAlert,
    DefaultCertificate, EvidenceReport, HandshakeReport, Inferred, PreambleReport, ResumedFrom,
    SeenAs, ServerReport, TriageReport, TunnelEnd, TunnelReport,
};
pub use version::SCHEMA_VERSION;
pub use words::{
    AlertLevel, CertificateDetail, CertificateState, Close, Confidence, Dataset, DefaultBy, Ech,
    EventCategory, EventKind, EventOutcome, EventType, EvidenceGrade, EvidenceReason, Horizon,
    IpVersion, Module, Outcome, Protocol, ResumedBy, Role, Severity, Side, SniState, Transport,
    VersionProtocol,
};
