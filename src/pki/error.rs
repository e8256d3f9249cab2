//! Why a certificate is not what RFC 5280 asks for.

use thiserror::Error;

/// What is wrong with a certificate's encoding. What could be read of it is kept all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The bytes are no ASN.1 sequence of sequences at all.
    #[error("not a certificate")]
    NotACertificate,
    /// The certificate's own length goes beyond its bytes.
    #[error("cut short")]
    Truncated,
    /// Bytes follow the certificate.
    #[error("{len} bytes after the end")]
    TrailingBytes {
        /// How many.
        len: usize,
    },
    /// The version is no number (RFC 5280, section 4.1.2.1).
    #[error("version unreadable")]
    Version,
    /// The serial number is no integer (section 4.1.2.2).
    #[error("serial number unreadable")]
    Serial,
    /// An algorithm identifier cannot be read (section 4.1.1.2).
    #[error("algorithm identifier unreadable")]
    Algorithm,
    /// Subject or issuer cannot be read (sections 4.1.2.4 and 4.1.2.6).
    #[error("name unreadable")]
    Name,
    /// A date is none, or has a form that is not allowed (section 4.1.2.5).
    #[error("date not in the form of a certificate")]
    Date,
    /// The public key cannot be read (section 4.1.2.7).
    #[error("public key unreadable")]
    PublicKey,
    /// The extensions cannot be read (section 4.2).
    #[error("extensions unreadable")]
    Extensions,
    /// An extension occurs twice (section 4.2).
    #[error("an extension occurs twice")]
    DuplicateExtension,
    /// The signature is no bit string (section 4.1.1.3).
    #[error("signature unreadable")]
    Signature,
    /// Another part does not follow the encoding rules (X.690).
    #[error("encoding broken")]
    Encoding,
}

impl Malformed {
    /// A short stable word, for output that is read by machines.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotACertificate => "not-a-certificate",
            Self::Truncated => "truncated",
            Self::TrailingBytes { .. } => "trailing-bytes",
            Self::Version => "version",
            Self::Serial => "serial",
            Self::Algorithm => "algorithm",
            Self::Name => "name",
            Self::Date => "date",
            Self::PublicKey => "public-key",
            Self::Extensions => "extensions",
            Self::DuplicateExtension => "duplicate-extension",
            Self::Signature => "signature",
            Self::Encoding => "encoding",
        }
    }

    /// Whether the alternative names may be there and not have been found.
    #[must_use]
    pub const fn may_hide_names(self) -> bool {
        !matches!(
            self,
            Self::TrailingBytes { .. }
                | Self::Version
                | Self::Serial
                | Self::Date
                | Self::DuplicateExtension
                | Self::Signature
        )
    }
}
