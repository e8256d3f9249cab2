//! What was seen, or why it was not: three answers instead of two.
//!
//! "The client sent no name" and "we could not look" must never be one value, so a fact of a
//! handshake is an [`Observed`]. This module only names the reasons; who gives one, and when, stands
//! in [`Handshake`](crate::tls::Handshake).

use std::fmt;

/// A fact of a handshake: seen, or not seen and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed<T> {
    /// It was on the wire, in clear, and could be read.
    Seen(T),
    /// It was not seen.
    Unseen(Unseen),
}

impl<T> Observed<T> {
    /// The value, where it was seen.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(value) => Some(value),
            Self::Unseen(_) => None,
        }
    }

    /// The value itself, where it was seen.
    pub fn into_seen(self) -> Option<T> {
        match self {
            Self::Seen(value) => Some(value),
            Self::Unseen(_) => None,
        }
    }

    /// Why it was not seen.
    pub fn unseen(&self) -> Option<Unseen> {
        match self {
            Self::Seen(_) => None,
            Self::Unseen(why) => Some(*why),
        }
    }
}

/// Why something was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unseen {
    /// The cipher suite has no certificate.
    Anonymous,
    /// The bytes end before it. Whether the connection ended too is for the caller to know.
    CaptureEnded,
    /// It is sent encrypted (TLS 1.3).
    Encrypted,
    /// Bytes are missing where it stood.
    Gap,
    /// It was larger than a limit of ours.
    Limit,
    /// It was there and could not be read.
    Malformed,
    /// The capture begins after it.
    Midstream,
    /// The direction that carries it was not captured, and the other one answers it.
    OneSided,
    /// A key that was agreed before stands in its place (RFC 4279; RFC 8446, section 2.2).
    Psk,
    /// The handshake was refused before it.
    RefusedBefore,
    /// The session was resumed, and a resumption repeats no certificate.
    Resumed,
    /// The capture kept only the head of the packets that carried it.
    Truncated,
}

impl Unseen {
    /// The word of the output's closed list.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::CaptureEnded => "capture-ended",
            Self::Encrypted => "encrypted",
            Self::Gap => "gap",
            Self::Limit => "limit",
            Self::Malformed => "malformed",
            Self::Midstream => "midstream",
            Self::OneSided => "one-sided",
            Self::Psk => "tls-psk",
            Self::RefusedBefore => "refused-before",
            Self::Resumed => "resumed",
            Self::Truncated => "truncated",
        }
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why keys did not open what is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unopened {
    /// There is no key for it.
    NoKey,
    /// There is one, and it does not fit.
    KeyDoesNotOpen,
    /// The cipher suite is one that is not decrypted.
    Suite,
}

/// Why bytes of a direction are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapReason {
    /// Packets are missing from the capture.
    Lost,
    /// The capture kept only the head of a packet (snap length).
    Truncated,
    /// The capture begins in the middle of the connection.
    Midstream,
    /// A limit on memory made us let go of them.
    Limit,
}

impl From<GapReason> for Unseen {
    fn from(reason: GapReason) -> Self {
        match reason {
            GapReason::Lost => Self::Gap,
            GapReason::Truncated => Self::Truncated,
            GapReason::Midstream => Self::Midstream,
            GapReason::Limit => Self::Limit,
        }
    }
}
