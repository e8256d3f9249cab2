//! Whether a chain leads to a root, at a moment of the past (RFC 5280, section 6).
//!
//! The path is built and its signatures are checked by rustls-webpki. Its answer is not that of a
//! gateway: it refuses what others take (version 1 certificates, RSA below 2048 bits, SHA-1), so
//! an answer always has a class, and only [`Path::Unknown`] says that no root was found.

use std::sync::LazyLock;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::pki::bundle::Given;
use crate::time::Timestamp;

/// The roots that a chain may lead to: those that a user gave, and those of well-known authorities.
#[derive(Debug)]
pub struct Roots {
    given: Vec<TrustAnchor<'static>>,
    with_public: bool,
}

/// Where a chain leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Path {
    /// To a root that the user gave.
    Given,
    /// To the root of a well-known authority, of the list that Mozilla keeps.
    Public,
    /// To no root that is known here.
    Unknown,
    /// To one, but a certificate on the way was not valid at that time.
    OutOfTime,
    /// The certificate of an authority was served as that of a server: some clients take that.
    AuthorityAsLeaf,
    /// A rule of the library was broken that other verifiers may not have.
    Refused,
}

impl Path {
    /// Whether there is a way to a root, though it may be too late for it.
    #[must_use]
    pub const fn is_found(self) -> bool {
        matches!(self, Self::Given | Self::Public | Self::OutOfTime)
    }

    /// Whether it ends in a root.
    #[must_use]
    pub const fn is_trusted(self) -> bool {
        matches!(self, Self::Given | Self::Public)
    }
}

/// A certificate that cannot be a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It may not issue others.
    #[error("it is the certificate of a server, not of an authority")]
    NoAuthority,
    /// The library cannot read it.
    #[error("it cannot be used as a root")]
    Unreadable,
}

impl Roots {
    /// The roots of well-known authorities, as this release knows them.
    #[must_use]
    pub const fn public() -> Self {
        Self {
            given: Vec::new(),
            with_public: true,
        }
    }

    /// Adds a root.
    ///
    /// # Errors
    ///
    /// When the certificate is none of an authority, unless it is self-signed.
    pub fn add(&mut self, root: &Given) -> Result<(), Unfit> {
        let is_root = root.certificate.ca == Some(true) || root.certificate.self_signed.holds();
        if !is_root {
            return Err(Unfit::NoAuthority);
        }
        let der = CertificateDer::from(root.der.as_slice());
        let anchor = anchor_from_trusted_cert(&der).map_err(|_| Unfit::Unreadable)?;
        self.given.push(anchor.to_owned());
        Ok(())
    }

    /// Whether the user gave any.
    #[must_use]
    pub const fn has_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// Where the chain of these certificates leads, the leaf apart from the others, at `at`.
    ///
    /// Takes some 50 µs for each signature on the way.
    #[must_use]
    pub fn path(&self, leaf: &[u8], others: &[&[u8]], at: Timestamp) -> Path {
        let given = find(leaf, others, &self.given, at);
        match given {
            Found::Path => return Path::Given,
            Found::No(_) if self.with_public => {}
            Found::No(why) => return why,
        }
        match (
            find(leaf, others, webpki_roots::TLS_SERVER_ROOTS, at),
            given,
        ) {
            (Found::Path, _) => Path::Public,
            // What went wrong on the way to the user's own root says more.
            (Found::No(Path::Unknown), Found::No(why)) => why,
            (Found::No(why), _) => why,
        }
    }
}

enum Found {
    Path,
    No(Path),
}

fn find(leaf: &[u8], others: &[&[u8]], anchors: &[TrustAnchor<'_>], at: Timestamp) -> Found {
    let leaf = CertificateDer::from(leaf);
    let Ok(leaf) = EndEntityCert::try_from(&leaf) else {
        return Found::No(Path::Refused);
    };
    let others: Vec<_> = others
        .iter()
        .map(|der| CertificateDer::from(*der))
        .collect();
    let seconds = u64::try_from(at.as_nanos() / 1_000_000_000).unwrap_or(0);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let usage = KeyUsage::server_auth();
    match leaf.verify_for_usage(&ALGORITHMS, anchors, &others, at, usage, None, None) {
        Ok(_) => Found::Path,
        Err(error) => Found::No(class(&error)),
    }
}

const fn class(error: &webpki::Error) -> Path {
    use webpki::Error::{
        CaUsedAsEndEntity, CertExpired, CertNotValidYet, InvalidSignatureForPublicKey,
        UnknownIssuer,
    };
    match error {
        // A root of the same name with another key is another root.
        UnknownIssuer | InvalidSignatureForPublicKey => Path::Unknown,
        CertExpired { .. } | CertNotValidYet { .. } => Path::OutOfTime,
        CaUsedAsEndEntity => Path::AuthorityAsLeaf,
        _ => Path::Refused,
    }
}

static ALGORITHMS: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> =
    LazyLock::new(|| webpki::ALL_VERIFICATION_ALGS.to_vec());
