//! Why bytes are not TLS.
//!
//! None of these ends a run: a flow that is not TLS is no error, and a record that breaks the framing
//! becomes a fact of the handshake.

/// Why bytes cannot be a TLS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    /// The fragment would be longer than any implementation makes it.
    #[error("record of {len} bytes, more than TLS allows")]
    TooLong {
        /// The length that the header claims.
        len: u16,
    },
    /// The first byte is none of the content types.
    #[error("content type {kind} is unknown")]
    Type {
        /// The byte found.
        kind: u8,
    },
    /// The version is none that TLS has used.
    #[error("record version {major}.{minor} is none of TLS")]
    Version {
        /// The major version found.
        major: u8,
        /// The minor version found.
        minor: u8,
    },
}
