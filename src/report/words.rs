//! The closed word lists of the output: each value that a field may have, and what it means.
//!
//! The doc comment of a value is its description in the JSON Schema.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Makes an enum whose values are written as one word each, with the word in one place only.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* #[serde(rename = $word)] $value,)+
        }

        impl $name {
            /// Every value, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The word as it stands in the output.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

words! {
    /// What the ClientHello says about the name of the server (RFC 6066, section 3).
    SniState {
        /// A host name, which stands in `tls.client.server_name`.
        Name = "name",
        /// The ClientHello was read whole, and no server_name extension is in it.
        Absent = "absent",
        /// An IP address instead of a name, which RFC 6066 forbids. It stands in `tls.client.server_name`.
        IpLiteral = "ip-literal",
        /// The extension is there, and names nothing.
        Empty = "empty",
        /// The extension is there, and cannot be read.
        Invalid = "invalid",
        /// The cover name of an Encrypted Client Hello, and known to be one. By `client.ech` the server took it, or the hello inside, whose name no key opened; or its answer was not seen.
        EchOuter = "ech-outer",
        /// The ClientHello was not read whole, or the server took one inside it that no key opened: nothing can be said.
        Unknown = "unknown",
    }

    /// What was there that may change the size of a message, and was reckoned with.
    Confounder {
        /// Each record is padded.
        Padding = "padding",
        /// The client offered to take compressed certificates (RFC 8879): the message may be smaller.
        CompressionOffered = "compression-offered",
        /// The client offered to take OCSP responses or certificate timestamps: the message may be larger.
        StaplingOffered = "stapling-offered",
        /// The server asks for a certificate of the client, or may do so in the same record.
        ClientCertificateRequest = "client-certificate-request",
    }

    /// Whether the server's certificate was seen, or why not.
    CertificateState {
        /// It was in the capture, and readable.
        Seen = "seen",
        /// TLS 1.3 encrypts it, and no key opened it.
        Encrypted = "encrypted",
        /// An abbreviated handshake, which sends none.
        Resumed = "resumed",
        /// An alert or the end of the connection came before it.
        RefusedBefore = "refused-before",
        /// The cipher suite authenticates nobody.
        Anonymous = "anonymous",
        /// Packets are missing from the capture where it would stand.
        Gap = "gap",
        /// The packets that carry it were cut short by the capture's snap length.
        Truncated = "truncated",
        /// The capture begins after it.
        Midstream = "midstream",
        /// Only one direction of the flow is in the capture.
        OneSided = "one-sided",
        /// The capture ends before it.
        CaptureEnded = "capture-ended",
        /// The message is there, and is no list of certificates.
        Malformed = "malformed",
        /// A bound on memory was reached.
        Limit = "limit",
        /// A key that was agreed before stands in its place (RFC 4279; in TLS 1.3 RFC 8446, section 2.2).
        TlsPsk = "tls-psk",
    }

    /// Why keys did not open the server's certificate.
    CertificateDetail {
        /// There are keys, and none for this flow.
        NoKey = "no-key",
        /// The key for this flow does not decrypt it.
        KeyDoesNotOpen = "key-does-not-open",
        /// The key stands behind the flow in the capture.
        KeyTooLate = "key-too-late",
        /// The cipher suite is one that is not decrypted.
        Suite = "suite",
    }

    /// How the handshake ended.
    Outcome {
        /// Both sides finished it, and nothing shows that one rejected it afterwards.
        Completed = "completed",
        /// The client refused what the server showed.
        RejectedByClient = "rejected-by-client",
        /// The server refused what the client asked for.
        RejectedByServer = "rejected-by-server",
        /// The connection ended before the handshake did, with no sign of who refused what.
        Abandoned = "abandoned",
        /// The capture ends within the handshake.
        Unfinished = "unfinished",
        /// Too little was seen to say.
        Unknown = "unknown",
    }

    /// How the connection was closed.
    Close {
        /// By a TCP FIN.
        Fin = "fin",
        /// By a TCP RST.
        Rst = "rst",
    }

    /// How much of the flow could be looked at.
    EvidenceGrade {
        /// Everything that the verdict needs was seen.
        Complete = "complete",
        /// Something is missing; the verdict holds without it.
        Partial = "partial",
        /// So much is missing that no verdict is given.
        Insufficient = "insufficient",
    }

    /// What is missing from the evidence.
    EvidenceReason {
        /// Packets are missing from the capture.
        Gap = "gap",
        /// Packets were cut short by the capture's snap length.
        Truncated = "truncated",
        /// The capture begins in the middle of the flow.
        Midstream = "midstream",
        /// Only one direction was captured.
        OneSided = "one-sided",
        /// The capture ends in the middle of the flow.
        CaptureEnded = "capture-ended",
        /// TCP segments overlap and disagree; the first bytes were used.
        OverlapConflict = "overlap-conflict",
        /// A bound on memory was reached.
        Limit = "limit",
    }

    /// How sure an answer is.
    Confidence {
        /// A hint: other explanations are as good.
        Low = "low",
        /// Likely: the evidence fits, and other explanations are not ruled out.
        Medium = "medium",
        /// Shown by the packets.
        High = "high",
    }

    /// How bad it is.
    Severity {
        /// Worth knowing; nothing failed by it.
        Info = "info",
        /// A weakness without effect so far.
        Low = "low",
        /// Something failed, or soon will.
        Medium = "medium",
        /// Connections fail by it.
        High = "high",
    }

    /// One of the two ends of a TLS connection.
    Side {
        /// The end that sent the ClientHello.
        Client = "client",
        /// The end that answered it.
        Server = "server",
    }

    /// How serious the sender of an alert calls it (RFC 5246, section 7.2).
    AlertLevel {
        /// The connection may go on.
        Warning = "warning",
        /// The connection ends.
        Fatal = "fatal",
    }

    /// What is known about Encrypted Client Hello.
    Ech {
        /// The extension was there. It may be real or a decoy, and the wire does not tell.
        Offered = "offered",
        /// The server took the hello inside: keys opened that, or those that open the connection stand under its random.
        Accepted = "accepted",
        /// Keys opened it, and the server took the hello in clear.
        Rejected = "rejected",
        /// Keys opened it, and which of the two the server took was not seen.
        Opened = "opened",
    }

    /// How a certificate was told to be a default one.
    DefaultBy {
        /// It is in the catalog of default certificates.
        Catalog = "catalog",
        /// The same endpoint serves it to clients without SNI, and another to clients that name a host.
        WithoutSni = "without-sni",
        /// The same endpoint serves it to clients that name a host which it does not cover, and another to clients that name a host of its own.
        UnknownName = "unknown-name",
    }

    /// How a resumed handshake was led back to the full one.
    ResumedBy {
        /// The session id of the full handshake.
        SessionId = "session-id",
        /// The ticket that the server gave in the full handshake.
        Ticket = "ticket",
        /// Nothing but the same client and server: likely, not shown.
        Endpoints = "endpoints",
    }

    /// How much of the run a line was judged on.
    Horizon {
        /// The line was judged before the end of the run, without the flows that came later.
        Partial = "partial",
    }

    /// The kind of a line (ECS `event.kind`).
    EventKind {
        /// A flow.
        Event = "event",
        /// A finding.
        Alert = "alert",
        /// A summary.
        Metric = "metric",
    }

    /// The category of a line (ECS `event.category`).
    EventCategory {
        /// All that is seen here is network traffic.
        Network = "network",
    }

    /// The type of a line (ECS `event.type`).
    EventType {
        /// A connection between two endpoints.
        Connection = "connection",
        /// The connection spoke TLS.
        Protocol = "protocol",
        /// A statement about several flows.
        Info = "info",
    }

    /// Whether it worked (ECS `event.outcome`).
    EventOutcome {
        /// The handshake was completed and accepted.
        Success = "success",
        /// It was rejected, refused or never came about.
        Failure = "failure",
        /// Too little was seen to say.
        Unknown = "unknown",
    }

    /// Which of the three kinds of line this is.
    Dataset {
        /// One TLS flow.
        Flow = "tlstriage.flow",
        /// Flows with the same cause at the same server endpoint.
        Finding = "tlstriage.finding",
        /// The whole run.
        Summary = "tlstriage.summary",
    }

    /// The program that wrote the line.
    Module {
        /// This one.
        Tlstriage = "tlstriage",
    }

    /// The transport protocol.
    Transport {
        /// TCP.
        Tcp = "tcp",
    }

    /// The protocol above the transport.
    Protocol {
        /// SSL 2.0 to TLS 1.3.
        Tls = "tls",
    }

    /// The version of IP.
    IpVersion {
        /// IPv4.
        Ipv4 = "ipv4",
        /// IPv6.
        Ipv6 = "ipv6",
    }

    /// The family of the protocol's version.
    VersionProtocol {
        /// SSL 2.0 and SSL 3.0.
        Ssl = "ssl",
        /// TLS 1.0 and later.
        Tls = "tls",
    }

    /// Where a server endpoint stands, seen from the place of the capture.
    Role {
        /// The capture was taken at the server.
        ServedHere = "served-here",
        /// The capture was taken at its clients.
        CalledFromHere = "called-from-here",
        /// The capture does not tell.
        Unknown = "unknown",
    }
}

impl Severity {
    /// `event.severity`: the scale of Elastic Security, which has 21, 47 and 73 for low, medium and high.
    #[must_use]
    pub const fn score(self) -> u8 {
        match self {
            Self::Info | Self::Low => 21,
            Self::Medium => 47,
            Self::High => 73,
        }
    }
}
