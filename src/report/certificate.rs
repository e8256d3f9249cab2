//! Certificates in a report: an entry of a chain, and the leaf as ECS has it.
//!
//! Both are the same for every flow that showed the certificate, so they are shared.

use std::borrow::Cow;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cut::{Bounded, Cut};
use crate::report::hex::{Hex, UpperHex};
use crate::report::skip::{absent, no};
use crate::report::time::Time;

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CertificateReport {
    /// SHA-256 of the certificate's DER bytes.
    pub sha256: Hex<32>,
    /// The subject's distinguished name; left out where it is empty.
    #[serde(skip_serializing_if = "absent")]
    pub subject: Option<Arc<str>>,
    /// The issuer's distinguished name.
    #[serde(skip_serializing_if = "absent")]
    pub issuer: Option<Arc<str>>,
    /// The beginning of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// The end of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// Whether it is signed by its own key: proved by the signature, not guessed from the names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_signed: Option<bool>,
    /// Whether it may issue certificates (basic constraints, RFC 5280, section 4.2.1.9).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<bool>,
    /// It does not parse as a whole; what could be read stands here.
    #[serde(skip_serializing_if = "no")]
    pub malformed: bool,
}

impl CertificateReport {
    /// A certificate of which nothing but its hash is known.
    #[must_use]
    pub const fn new(sha256: Hex<32>) -> Self {
        Self {
            sha256,
            subject: None,
            issuer: None,
            not_before: None,
            not_after: None,
            self_signed: None,
            ca: None,
            malformed: false,
        }
    }
}

impl Bounded for CertificateReport {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.subject);
        to.text(&mut self.issuer);
    }
}

/// The server's own certificate in the fields of ECS (`tls.server`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct LeafReport {
    /// The subject's distinguished name; left out where it is empty.
    #[serde(skip_serializing_if = "absent")]
    pub subject: Option<Arc<str>>,
    /// The issuer's distinguished name.
    #[serde(skip_serializing_if = "absent")]
    pub issuer: Option<Arc<str>>,
    /// The beginning of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// The end of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
    /// Hashes of its DER bytes.
    pub hash: CertificateHash,
    /// What stands in it.
    #[serde(skip_serializing_if = "X509::is_empty")]
    pub x509: X509,
    /// How many names it has where `alternative_names` was cut. ECS has no field for it, so it is
    /// written as `tlstriage.server.alternative_names_count`.
    #[serde(skip)]
    pub alternative_names_count: Option<usize>,
}

impl LeafReport {
    /// A certificate of which nothing but its hashes is known.
    #[must_use]
    pub fn new(hash: CertificateHash) -> Self {
        Self {
            subject: None,
            issuer: None,
            not_before: None,
            not_after: None,
            hash,
            x509: X509::default(),
            alternative_names_count: None,
        }
    }
}

impl Bounded for LeafReport {
    fn cut(&mut self, to: Cut) {
        to.text(&mut self.subject);
        to.text(&mut self.issuer);
        let x509 = &mut self.x509;
        x509.subject.cut(to);
        x509.issuer.cut(to);
        to.texts(
            &mut x509.alternative_names,
            MAX_ALTERNATIVE_NAMES,
            &mut self.alternative_names_count,
        );
        to.digits(&mut x509.serial_number);
        to.text(&mut x509.signature_algorithm);
        to.text(&mut x509.public_key_algorithm);
        to.text(&mut x509.public_key_curve);
    }
}

/// Hashes of a certificate's DER bytes, in upper case as ECS asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CertificateHash {
    /// SHA-256.
    pub sha256: UpperHex<32>,
    /// SHA-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<UpperHex<20>>,
}

impl CertificateHash {
    /// Both hashes of one certificate.
    #[must_use]
    pub const fn new(sha256: [u8; 32], sha1: [u8; 20]) -> Self {
        Self {
            sha256: UpperHex(sha256),
            sha1: Some(UpperHex(sha1)),
        }
    }
}

/// The content of a certificate (ECS `x509`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct X509 {
    /// Whom it names.
    #[serde(skip_serializing_if = "DistinguishedName::is_empty")]
    pub subject: DistinguishedName,
    /// Who signed it.
    #[serde(skip_serializing_if = "DistinguishedName::is_empty")]
    pub issuer: DistinguishedName,
    /// The names and addresses of its subjectAltName, at most 64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternative_names: Vec<Arc<str>>,
    /// The serial number: upper-case hex without colons or prefix.
    #[serde(skip_serializing_if = "absent")]
    pub serial_number: Option<Arc<str>>,
    /// The version of X.509, `3` as a rule.
    #[serde(skip_serializing_if = "absent")]
    pub version_number: Option<Cow<'static, str>>,
    /// The algorithm of its signature, by the names of Go's `crypto/x509`.
    #[serde(skip_serializing_if = "absent")]
    pub signature_algorithm: Option<Cow<'static, str>>,
    /// The kind of its key.
    #[serde(skip_serializing_if = "absent")]
    pub public_key_algorithm: Option<Cow<'static, str>>,
    /// The curve of its key.
    #[serde(skip_serializing_if = "absent")]
    pub public_key_curve: Option<Cow<'static, str>>,
    /// The size of its key in bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_size: Option<u32>,
    /// The exponent of its RSA key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key_exponent: Option<u32>,
}

impl X509 {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A distinguished name, taken apart (ECS `x509.subject`, `x509.issuer`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DistinguishedName {
    /// CN.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub common_name: Vec<Arc<str>>,
    /// O.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organization: Vec<Arc<str>>,
    /// OU.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organizational_unit: Vec<Arc<str>>,
    /// L.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locality: Vec<Arc<str>>,
    /// ST.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub state_or_province: Vec<Arc<str>>,
    /// C.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub country: Vec<Arc<str>>,
    /// The whole name in one text.
    #[serde(skip_serializing_if = "absent")]
    pub distinguished_name: Option<Arc<str>>,
}

impl DistinguishedName {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Bounded for DistinguishedName {
    fn cut(&mut self, to: Cut) {
        for list in [
            &mut self.common_name,
            &mut self.organization,
            &mut self.organizational_unit,
            &mut self.locality,
            &mut self.state_or_province,
            &mut self.country,
        ] {
            // No count beside these: the whole name stands in `distinguished_name`.
            to.texts(list, MAX_NAME_PARTS, &mut None);
        }
        to.text(&mut self.distinguished_name);
    }
}

/// What a public web certificate has at most today is 100; a list of this length fits a line with room to spare.
const MAX_ALTERNATIVE_NAMES: usize = 64;
const MAX_NAME_PARTS: usize = 8;
