//! All that a check may look at, and nothing else: facts of the flow, of its endpoint, of the capture.

use std::fmt;

use crate::pki::{Certificate, ChainShape, Coverage};
use crate::time::Timestamp;
use crate::tls::{Observed, ServerName};
use crate::verdict::expected::Expected;
use crate::verdict::reaction::{Reaction, Side};

/// The facts about one flow.
#[derive(Clone)]
pub struct Evidence<'a> {
    /// The time of the handshake: validity is judged at it.
    pub at: Timestamp,
    /// The server's address and port, for the words of a reason.
    pub server: &'a dyn fmt::Display,
    /// What stood in `server_name`; unseen where there was no ClientHello at all.
    pub server_name: Observed<&'a ServerName>,
    /// Whether the hello offered Encrypted Client Hello, so that the name may be a cover name.
    pub may_hide_name: bool,
    /// Whether the server was proved not to have taken the Encrypted Client Hello, so that a client has to leave after the handshake
    /// (RFC 9849, section 6.1.6).
    pub is_ech_refused: bool,
    /// Whether TLS 1.3 was chosen.
    pub is_tls13: bool,
    /// Whether a ServerHello was seen.
    pub was_answered: bool,
    /// Whether the server did send something, and none of it was TLS.
    pub answers_otherwise: bool,
    /// An ICMP error that a packet of this flow was too big: the largest that passes, where it says
    /// so, and who sent it.
    pub too_big: Option<(Option<u32>, std::net::IpAddr)>,
    /// The served chain: of this flow or, if it resumes another one, of that.
    pub chain: Observed<Chain<'a>>,
    /// Whether the session is resumed, so that the chain, if any, is not shown on this flow.
    pub is_resumed: bool,
    /// Whether the chain is taken from a like flow of the client, with no session id or ticket to
    /// prove that this flow resumes that one. What is said then is at most of medium confidence.
    pub is_chain_assumed: bool,
    /// How the handshake was taken.
    pub reaction: Reaction,
    /// What other flows of the same endpoint tell.
    pub endpoint: EndpointFacts,
    /// What was seen of the client's certificate.
    pub client_certificate: ClientCertificate,
    /// What the user expects of the gateway and of its server.
    pub expected: Expected<'a>,
    /// The status of the server's first HTTP response, where keys opened it.
    pub http_status: Option<u16>,
    /// What the capture lacks of this flow.
    pub capture: CaptureFacts,
    /// Set where TCP itself never came about.
    pub unreachable: Option<Unreachable<'a>>,
}

/// A served chain with what was found out about it.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// The server's own certificate: the first as sent, or the first that is no CA.
    pub leaf: &'a Certificate,
    /// The last certificate on the way up from the leaf.
    pub top: &'a Certificate,
    /// How the certificates hang together.
    pub shape: &'a ChainShape,
    /// Whether the leaf covers the name asked for; `None` when no name was read.
    pub coverage: Option<Coverage>,
    /// Why it is taken for a default certificate, if it is.
    pub default: DefaultBy<'a>,
    /// Whether the leaf covers the address that the client called.
    pub covers_address: bool,
    /// The first certificate above the leaf that was outside its validity; not a root, whose dates
    /// few look at.
    pub outdated: Option<&'a Certificate>,
}

/// Why a certificate is taken for the server's default.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultBy<'a> {
    /// The catalog knows it.
    pub in_catalog: bool,
    /// The product that makes it, where the catalog names one.
    pub product: Option<&'a str>,
    /// The same endpoint serves it without SNI, or for names that it does not cover, and
    /// another certificate for names that one covers.
    pub by_comparison: bool,
    /// Why that comparison carries less than it seems to, as a clause.
    pub doubt: Option<&'static str>,
    /// A name that the endpoint has another certificate for, and that certificate.
    pub others_get: Option<(&'a str, &'a Certificate)>,
}

/// What other flows of the same server endpoint tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointFacts {
    /// A flow with another name than this one's was served.
    pub serves_other_names: bool,
    /// A flow with this one's name, or without one as this, was served.
    pub serves_this_name: bool,
    /// Every name that is served there gets this very leaf, and there is at least one.
    pub has_only_this_leaf: bool,
    /// The same client, with the same name and certificate, was content on another flow.
    pub same_client_accepts: bool,
}

/// What was seen of the client's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// None was asked for in clear.
    #[default]
    NotRequested,
    /// Asked for; no answer was seen.
    Requested,
    /// Asked for, and answered with an empty list.
    Missing,
    /// Asked for and sent.
    Sent,
    /// TLS 1.3: the size of the client's first record is that of an empty list.
    ProbablyMissing,
}

/// What the capture lacks of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureFacts {
    /// Its beginning.
    pub midstream: bool,
    /// One of its two directions: whose packets were not captured.
    pub missing_side: Option<Side>,
    /// The ends of its packets, in the handshake.
    pub truncated: bool,
    /// Segments, in the handshake.
    pub gap: bool,
    /// Its end: the flow was still open.
    pub ended: bool,
    /// What a limit of ours cut off.
    pub limit: bool,
}

/// A connection that never came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable<'a> {
    /// What answered the SYN.
    pub answer: Answer<'a>,
    /// How often the SYN was sent.
    pub attempts: u32,
}

/// What answered a SYN in place of a SYN with ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Nothing.
    Silence,
    /// RST: nobody listens, or a firewall says so.
    Reset,
    /// An ICMP error that quotes the SYN: what it says, and who sent it.
    Icmp(&'a str, std::net::IpAddr),
}
