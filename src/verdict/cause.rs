//! The likely cause of a verdict, for the person who has to mend it: what configuration leads there.
//!
//! Of Azure Application Gateway it is said what Microsoft documents (azure-docs, *Overview of TLS
//! termination and end to end TLS with Application Gateway*); which gateway it is, only the user
//! knows.

use crate::verdict::expected::Gateway;
use crate::verdict::finding::VerdictId;

impl VerdictId {
    /// What most likely led to it where the clients are this gateway, or unknown.
    #[must_use]
    pub const fn likely_cause(self, gateway: Option<Gateway>) -> Option<&'static str> {
        let missing_name = match gateway {
            Some(Gateway::AzureV1) => {
                "With Application Gateway v1 the SNI is taken from the backend pool target, so an IP address as target means no SNI, and the host name override does not change it: it changes only the Host header. The certificate shown then cannot be the one that was uploaded, the probe fails, and clients get 502."
            }
            Some(Gateway::AzureV2) => {
                "By its documentation, Application Gateway v2 takes the SNI from the host of the custom probe, then from that of the backend setting, then from the pool target, and sends none where the first of these is an IP address. The probe then fails, and clients get 502."
            }
            None => {
                "The client was given an IP address as its target, or sends a name only when told to. With Azure Application Gateway v1 the SNI is taken from the backend pool target, so an IP address as target means no SNI, and the host name override does not change it; the certificate shown then cannot be the one that was uploaded, the probe fails, and clients get 502."
            }
        };
        let hidden_name = match gateway {
            Some(Gateway::AzureV1) => {
                "With Application Gateway v1 the SNI is taken from the backend pool target, so an IP address as target means no SNI, and the host name override does not change it: it changes only the Host header."
            }
            Some(Gateway::AzureV2) => missing_name,
            None => {
                "The client was given an IP address as its target, or sends a name only when told to. With Azure Application Gateway v1 the SNI is taken from the backend pool target, and the host name override does not change it; v2 takes the host of the probe or of the backend setting first."
            }
        };
        Some(match self {
            Self::NoSniDefaultCert | Self::NoSniWrongName => missing_name,
            Self::NoSniRefused | Self::NoSniRejected | Self::NoSniProbablyRejected => hidden_name,
            Self::NoSniTolerated => {
                "The client does not check the certificate, or expects exactly this one."
            }
            Self::SniUnknownName => {
                "The host name is not configured on the server, or not yet there; or the client was told the wrong one."
            }
            Self::SniNameMismatch => {
                "The name leads to another site: a wrong host name in the probe or in the backend setting, or a wrong binding on the server."
            }
            Self::SniRejected => {
                "Something about the certificate, which TLS 1.3 hides: its name, its dates, its issuer, or a chain that is not whole."
            }
            Self::SniRefused => "The server has no site of this name, or refuses this client.",
            Self::CertSelfSignedLeaf => {
                "A certificate made for tests, or at installation. No client can build a chain from it unless it was given this very certificate."
            }
            Self::CertPrivateCa => {
                "The root of this chain, or the right one of several, was not given to the client."
            }
            Self::CertChainIncomplete => {
                "The intermediate certificate is not installed on the server. Browsers often find it all the same, gateways do not."
            }
            Self::CertChainOrder => "The files of the chain were joined in the wrong order.",
            Self::CertExpired => "A renewal was missed, or a clock is wrong.",
            Self::CertMatchButRejected => {
                "Something else that the gateway checks: its trusted root, the name, revocation, or a client certificate."
            }
            Self::CertNotTheUploadedOne => {
                "The certificate was renewed on the server and not on the gateway, or the gateway reaches another server."
            }
            Self::TlsVersionOrCipher => "One side allows only what the other does not have.",
            Self::TcpUnreachable => {
                "Nothing listens there, or a network security group, route or firewall is in between. It is not the certificate."
            }
            Self::MtlsClientCertMissing => {
                "The server asks every client for a certificate. On a self-hosted API Management gateway this setting holds for all its host names."
            }
            Self::HttpBackend => "TLS is fine: the server itself answers with an error.",
            Self::Ok
            | Self::TlsHandshakeFailed
            | Self::CaptureInsufficient
            | Self::CaptureMidstream => {
                return None;
            }
        })
    }
}
