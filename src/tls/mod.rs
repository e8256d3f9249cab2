//! TLS as it passes by: bytes of two directions in, the facts of a handshake out.
//!
//! Nothing here knows packets. What stands in clear on the wire is read, from SSL 2.0 to TLS 1.3 (RFC 8446) with its drafts; what is
//! encrypted is opened where a [`KeyLog`] has its keys; and for what stays hidden a reason is given.
//!
//! ```
//! use tlstriage::tls::{Lane, Limits, Observer};
//!
//! let mut observer = Observer::new(Limits::default());
//! observer.on_bytes(Lane::A, b"GET / HTTP/1.1\r\n\r\n", 1);
//! assert!(observer.finish().is_none(), "no TLS was proved");
//! ```

mod certificate;
mod cipher;
mod client_hello;
mod compressed;
mod conclusion;
mod error;
mod extension;
mod facts;
mod fingerprint;
mod handshake;
mod keys;
mod lane;
mod limits;
mod lists;
mod message;
mod observed;
mod observer;
mod opening;
mod preamble;
mod reader;
mod record;
pub mod registry;
mod sealed;
mod search;
mod server_hello;
mod side;
mod sslv2;
mod stream;
mod tail;

pub use certificate::{CertificatePool, Certificates};
pub use client_hello::ClientHello;
pub use extension::{ServerName, Ticket};
pub use fingerprint::{Ja3, is_grease, ja3, ja3s, ja4};
pub use handshake::{
    Acceptance, Alert, Framing, Handshake, InnerHello, LaneFacts, Resumption, Session, Step,
    StepKind, Traffic,
};
pub use keys::{KeyLog, Label, LineCounts};
pub use lane::{Lane, Lanes};
pub use limits::Limits;
pub use message::MessageType;
pub use observed::{GapReason, Observed, Unopened, Unseen};
pub use observer::{Observer, Progress};
pub use opening::{Keys, Trials};
pub use preamble::{Preamble, Protocol};
pub use record::ContentType;
pub use search::{begins_client_hello, begins_hello, begins_server_hello, find_records};
pub use server_hello::ServerHello;
pub use tail::{Lost, Tail};

/// Whether the first bytes of a direction may begin TLS, or a protocol that may go over to it.
///
/// A prefix that may still become one counts. It looks at the first bytes only.
#[must_use]
pub fn may_begin(first_bytes: &[u8]) -> bool {
    record::may_begin(first_bytes).is_ok()
        || sslv2::find(first_bytes) != sslv2::Found::None
        || preamble::recognise(first_bytes) != preamble::Recognition::Unknown
}

#[cfg(test)]
mod tests;
