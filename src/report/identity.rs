//! What both sides showed of themselves: certificates, or why there is none.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::certificate::CertificateReport;
use crate::report::common::Common;
use crate::report::cut::{Bounded, Cut};
use crate::report::skip::absent;
use crate::report::words::{CertificateDetail, CertificateState, DefaultBy};

/// What the server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ServerReport {
    /// Whether its certificate was seen, or why not.
    pub certificate: CertificateState,
    /// Why keys did not open it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_detail: Option<CertificateDetail>,
    /// The certificates as sent, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Common<CertificateReport>>,
    /// How many certificates were sent where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_count: Option<usize>,
    /// How many names the first one has where `tls.server.x509.alternative_names` was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternative_names_count: Option<usize>,
    /// The certificate is one that the server shows when it knows no better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_certificate: Option<DefaultCertificate>,
}

impl Default for ServerReport {
    fn default() -> Self {
        Self {
            certificate: CertificateState::CaptureEnded,
            certificate_detail: None,
            chain: Vec::new(),
            chain_count: None,
            alternative_names_count: None,
            default_certificate: None,
        }
    }
}

impl Bounded for ServerReport {
    fn cut(&mut self, to: Cut) {
        to.list(&mut self.chain, MAX_CHAIN, &mut self.chain_count);
        if let Some(default) = &mut self.default_certificate {
            to.text(&mut default.catalog_id);
            to.text(&mut default.product);
        }
    }
}

/// How the certificate was told to be a default one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DefaultCertificate {
    /// By what it was told.
    pub by: Vec<DefaultBy>,
    /// Its entry in the catalog.
    #[serde(skip_serializing_if = "absent")]
    pub catalog_id: Option<Arc<str>>,
    /// The product that makes it.
    #[serde(skip_serializing_if = "absent")]
    pub product: Option<Arc<str>>,
}

/// The client's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ClientCertificateReport {
    /// Whether the server asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<bool>,
    /// Whether the client sent one; `false` is an answer without a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<bool>,
    /// The certificates as sent, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Common<CertificateReport>>,
    /// How many certificates were sent where the list was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain_count: Option<usize>,
}

impl Bounded for ClientCertificateReport {
    fn cut(&mut self, to: Cut) {
        to.list(&mut self.chain, MAX_CHAIN, &mut self.chain_count);
    }
}

const MAX_CHAIN: usize = 16;
