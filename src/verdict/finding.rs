//! What a verdict is called, how sure it is and how much it matters.
//!
//! The ids are a closed list and part of the output's contract. Which evidence leads to which
//! of them stands beside each check, not here.

use std::fmt;

use crate::verdict::portal::Message;

/// The answer for a flow: what happened, in one word that does not change between releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VerdictId {
    /// Nothing wrong was seen, and enough was seen to say so.
    Ok,
    /// No SNI; the server answered with its default certificate; the client refused it.
    NoSniDefaultCert,
    /// No SNI; the server answered with the certificate of another site; the client refused it.
    NoSniWrongName,
    /// No SNI, and the client went on all the same.
    NoSniTolerated,
    /// The server refused a ClientHello without SNI.
    NoSniRefused,
    /// No SNI; the client refused a certificate that TLS 1.3 hides.
    NoSniRejected,
    /// No SNI; the client left in a way that looks like a refusal.
    NoSniProbablyRejected,
    /// The server does not know the name that the client asked for.
    SniUnknownName,
    /// The certificate is a proper one, for other names than the one asked for.
    SniNameMismatch,
    /// A name was sent; the client refused a certificate that TLS 1.3 hides.
    SniRejected,
    /// The server refused the name that the client asked for.
    SniRefused,
    /// The certificate covers the name, but has signed itself and is no CA.
    CertSelfSignedLeaf,
    /// The chain leads to a root that the client does not trust.
    CertPrivateCa,
    /// The chain lacks an intermediate certificate.
    CertChainIncomplete,
    /// The chain does not begin with the server's own certificate.
    CertChainOrder,
    /// The certificate was outside its validity at the time of the handshake.
    CertExpired,
    /// The certificate is the expected one, and was refused all the same.
    CertMatchButRejected,
    /// The certificate is not the expected one.
    CertNotTheUploadedOne,
    /// Client and server have no TLS version or cipher suite in common.
    TlsVersionOrCipher,
    /// The handshake broke off for a reason that is none of the others.
    TlsHandshakeFailed,
    /// The TCP connection never came about.
    TcpUnreachable,
    /// The server asked for a client certificate and got none.
    MtlsClientCertMissing,
    /// TLS is fine; the server behind it answers with an HTTP error.
    HttpBackend,
    /// The capture holds too little of the flow to judge it.
    CaptureInsufficient,
    /// The capture begins in the middle of the flow.
    CaptureMidstream,
}

impl VerdictId {
    /// Every id, in the order of the documentation.
    pub const ALL: [Self; 25] = [
        Self::Ok,
        Self::NoSniDefaultCert,
        Self::NoSniWrongName,
        Self::NoSniTolerated,
        Self::NoSniRefused,
        Self::NoSniRejected,
        Self::NoSniProbablyRejected,
        Self::SniUnknownName,
        Self::SniNameMismatch,
        Self::SniRejected,
        Self::SniRefused,
        Self::CertSelfSignedLeaf,
        Self::CertPrivateCa,
        Self::CertChainIncomplete,
        Self::CertChainOrder,
        Self::CertExpired,
        Self::CertMatchButRejected,
        Self::CertNotTheUploadedOne,
        Self::TlsVersionOrCipher,
        Self::TlsHandshakeFailed,
        Self::TcpUnreachable,
        Self::MtlsClientCertMissing,
        Self::HttpBackend,
        Self::CaptureInsufficient,
        Self::CaptureMidstream,
    ];

    /// The id as it stands in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// A name for people, a few words long.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().1
    }

    /// How much it matters when it is the verdict of a flow.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.row().2
    }

    /// The table of ids: id, title, severity.
    const fn row(self) -> (&'static str, &'static str, Severity) {
        use Severity::{High, Info, Low, Medium};
        match self {
            Self::Ok => ("ok", "Nothing wrong was seen", Info),
            Self::NoSniDefaultCert => (
                "no-sni.default-cert",
                "No SNI, default certificate, rejected",
                High,
            ),
            Self::NoSniWrongName => (
                "no-sni.wrong-name",
                "No SNI, certificate of another site, rejected",
                High,
            ),
            Self::NoSniTolerated => ("no-sni.tolerated", "No SNI, accepted all the same", Info),
            Self::NoSniRefused => ("no-sni.refused", "No SNI, refused by the server", High),
            Self::NoSniRejected => (
                "no-sni.rejected",
                "No SNI, hidden certificate rejected",
                High,
            ),
            Self::NoSniProbablyRejected => (
                "no-sni.probably-rejected",
                "No SNI, hidden certificate probably rejected",
                Medium,
            ),
            Self::SniUnknownName => (
                "sni.unknown-name",
                "Host name not known to the server",
                High,
            ),
            Self::SniNameMismatch => ("sni.name-mismatch", "Certificate is for other names", High),
            Self::SniRejected => ("sni.rejected", "Hidden certificate rejected", Medium),
            Self::SniRefused => ("sni.refused", "Host name refused by the server", High),
            Self::CertSelfSignedLeaf => ("cert.self-signed-leaf", "Self-signed certificate", High),
            Self::CertPrivateCa => ("cert.private-ca", "Root not trusted by the client", High),
            Self::CertChainIncomplete => (
                "cert.chain-incomplete",
                "Intermediate certificate missing",
                High,
            ),
            Self::CertChainOrder => ("cert.chain-order", "Certificates in the wrong order", High),
            Self::CertExpired => ("cert.expired", "Certificate outside its validity", High),
            Self::CertMatchButRejected => (
                "cert.match-but-rejected",
                "Expected certificate, rejected all the same",
                High,
            ),
            Self::CertNotTheUploadedOne => (
                "cert.not-the-uploaded-one",
                "Certificate is not the expected one",
                High,
            ),
            Self::TlsVersionOrCipher => (
                "tls.version-or-cipher",
                "No TLS version or cipher in common",
                High,
            ),
            Self::TlsHandshakeFailed => ("tls.handshake-failed", "TLS handshake broke off", Medium),
            Self::TcpUnreachable => ("tcp.unreachable", "Server not reached", High),
            Self::MtlsClientCertMissing => (
                "mtls.client-cert-missing",
                "Client certificate missing",
                High,
            ),
            Self::HttpBackend => ("http.backend", "HTTP error behind good TLS", Medium),
            Self::CaptureInsufficient => {
                ("capture.insufficient", "Too little captured to judge", Low)
            }
            Self::CaptureMidstream => ("capture.midstream", "Capture begins in mid-flow", Info),
        }
    }
}

impl fmt::Display for VerdictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A hint: other explanations are about as likely.
    Low,
    /// Likely: the capture fits it, but does not show all of it.
    Medium,
    /// The capture shows it.
    High,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is broken.
    Info,
    /// Something is missing or odd, without harm seen.
    Low,
    /// Something probably failed.
    Medium,
    /// Something failed.
    High,
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub id: VerdictId,
    /// How sure it is.
    pub confidence: Confidence,
    /// How much it matters on this flow.
    pub severity: Severity,
    /// One sentence for a person, with the flow's own names.
    pub reason: String,
    /// What to change, the most likely cure first.
    pub fix: Vec<&'static str>,
}

/// The answer for one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The flow's one answer.
    pub verdict: VerdictId,
    /// How sure it is.
    pub confidence: Confidence,
    /// How much it matters.
    pub severity: Severity,
    /// Why, in one sentence for a person.
    pub reason: String,
    /// All that was found; the one that names the verdict comes first.
    pub findings: Vec<Finding>,
    /// How to prove the verdict: a command with the flow's own address and name.
    pub proof: Option<String>,
    /// What the operator of the gateway probably reads about it.
    pub messages: Vec<Message>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_by_their_text() {
        let mut texts: Vec<_> = VerdictId::ALL.iter().map(|id| id.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), VerdictId::ALL.len());
    }

    #[test]
    fn what_matters_more_sorts_last() {
        assert!(
            Severity::High > Severity::Medium
                && Severity::Medium > Severity::Low
                && Severity::Low > Severity::Info
        );
        assert!(Confidence::High > Confidence::Low);
    }
}
