//! What a client asked for: a name, and a session to go back to.

use std::net::IpAddr;
use std::sync::Arc;

use crate::pki::{self, Certificate, Coverage, Reference};
use crate::tls::{Observed, ServerName, Session};

/// What a client asked for, so far as it matters for what it is served.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum AskedFor {
    /// No name at all, or an address, which is none.
    Nobody,
    /// A name, in lower case and without a dot at its end.
    Name(Arc<[u8]>),
    /// It could not be read.
    Unknown,
}

impl AskedFor {
    /// What stands in a ClientHello.
    pub(super) fn of(name: &Observed<ServerName>) -> Self {
        match name {
            Observed::Seen(ServerName::Absent | ServerName::Empty | ServerName::IpLiteral(_)) => {
                Self::Nobody
            }
            Observed::Seen(ServerName::Name(name)) => {
                let name = name.strip_suffix(b".").unwrap_or(name);
                Self::Name(name.to_ascii_lowercase().into())
            }
            _ => Self::Unknown,
        }
    }
}

/// Whether a certificate covers the name in a ClientHello; `None` where none was asked for.
pub(super) fn coverage(certificate: &Certificate, name: &ServerName) -> Option<Coverage> {
    let reference = match name {
        ServerName::Name(name) => match Reference::from_sni(name) {
            Some(reference) => reference,
            None => return Some(Coverage::Mismatch),
        },
        ServerName::IpLiteral(text) => Reference::Ip(text.parse::<IpAddr>().ok()?),
        _ => return None,
    };
    Some(pki::covers(certificate, &reference))
}

/// The ids and tickets under which a session can be found again.
pub(super) fn issued_sessions(session: &Session) -> impl Iterator<Item = [u8; 16]> {
    [session.id_issued, session.ticket_issued]
        .into_iter()
        .flatten()
        .map(|ticket| ticket.digest)
}

/// The ids and tickets by which a client asks for a session.
pub(super) fn offered_sessions(session: &Session) -> impl Iterator<Item = [u8; 16]> {
    [session.ticket_offered, session.id_offered]
        .into_iter()
        .flatten()
        .map(|ticket| ticket.digest)
}
