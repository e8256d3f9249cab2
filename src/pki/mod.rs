//! Certificates: what they say, which names they cover, and whether a product ships them.
//!
//! ```
//! use tlstriage::pki::{Catalog, Certificate, Coverage, Reference, covers};
//!
//! // Total: whatever the bytes are, there are hashes and what could be read.
//! let certificate = Certificate::from_der(b"no certificate");
//! assert!(certificate.malformed.is_some());
//!
//! let reference = Reference::from_sni(b"api.example.com").unwrap();
//! assert_eq!(covers(&certificate, &reference), Coverage::Unread);
//! assert!(Catalog::builtin().recognise(&certificate).is_none());
//! ```
//!
//! Nothing here trusts: no root store is asked and no path is verified. The one signature that is
//! checked is that of a certificate on itself.

mod alternative;
pub mod bundle;
pub mod catalog;
mod certificate;
pub mod chain;
mod der;
mod distinguished;
mod error;
mod extension;
mod fields;
mod key;
mod name;
mod oid;
mod signature;
#[cfg(test)]
mod testing;
mod text;
pub mod trust;
mod validity;

pub use alternative::{DnsNames, MAX_NAMES, OtherName, OtherNameKind, SubjectAlternativeNames};
pub use catalog::Catalog;
pub use certificate::Certificate;
pub use chain::ChainShape;
pub use distinguished::{Attribute, DistinguishedName, MAX_ATTRIBUTES};
pub use error::Malformed;
pub use extension::KeyUsage;
pub use key::PublicKey;
pub use name::{Coverage, HostName, Reference, covers};
pub use oid::{MAX_OID_LEN, Oid};
pub use signature::SelfSigned;
pub use trust::Roots;
