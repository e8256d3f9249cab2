//! What a client asked for: a name, and a session to go back to.

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;

use crate::hash::Keyed;
use crate::pki::{self, Certificate, Coverage, Reference};
use crate::tls::{Observed, ServerName, Session, Ticket};

/// What a ClientHello says of the server's name; kept once for all flows that say the same.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) name: Observed<ServerName>,
    pub(super) asked_for: AskedFor,
    /// That by 64 bits of a keyed hash, the same in the whole run.
    pub(super) tag: u64,
    /// The name or address as text.
    pub(super) text: Option<Arc<str>>,
    pub(super) is_lossy: bool,
    /// What a certificate has to cover; `None` inside for a name that none can.
    reference: Option<Option<Reference>>,
}

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

impl Asked {
    /// What there is to say of `name`; `keyed` is that of the run.
    pub(super) fn of(name: Observed<ServerName>, keyed: Keyed) -> Self {
        let (text, is_lossy) = match &name {
            Observed::Seen(ServerName::IpLiteral(text)) => (Some(text.as_str().into()), false),
            Observed::Seen(ServerName::Name(bytes)) => {
                let text = String::from_utf8_lossy(bytes);
                let is_lossy = matches!(text, Cow::Owned(_));
                (Some(text.into()), is_lossy)
            }
            Observed::Seen(ServerName::Invalid(bytes)) => (None, str::from_utf8(bytes).is_err()),
            _ => (None, false),
        };
        let asked_for = AskedFor::of(&name);
        Self {
            tag: keyed.hash_one(&asked_for),
            asked_for,
            text,
            is_lossy,
            reference: name.seen().and_then(reference),
            name,
        }
    }

    /// Whether a certificate covers it; `None` where nothing was asked for.
    pub(super) fn coverage(&self, certificate: &Certificate) -> Option<Coverage> {
        let reference = self.reference.as_ref()?.as_ref();
        Some(reference.map_or(Coverage::Mismatch, |reference| {
            pki::covers(certificate, reference)
        }))
    }
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

    /// Whether a certificate covers a name that was asked for.
    pub(super) fn is_covered(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => covers(certificate, name),
            _ => false,
        }
    }
}

/// Whether a certificate covers a name.
pub(super) fn covers(certificate: &Certificate, name: &[u8]) -> bool {
    Reference::from_sni(name).is_some_and(|name| pki::covers(certificate, &name).covers())
}

/// What a certificate has to cover for this name; `None` where none is named.
fn reference(name: &ServerName) -> Option<Option<Reference>> {
    match name {
        ServerName::Name(name) => Some(Reference::from_sni(name)),
        ServerName::IpLiteral(text) => Some(Some(Reference::Ip(text.parse::<IpAddr>().ok()?))),
        _ => None,
    }
}

/// The ids and tickets under which a session can be found again; `opened` are those that keys opened.
pub(super) fn issued_sessions(
    session: &Session,
    opened: &[Ticket],
) -> impl Iterator<Item = [u8; 16]> {
    [session.id_issued, session.ticket_issued]
        .into_iter()
        .flatten()
        .chain(opened.iter().copied())
        .map(|ticket| ticket.digest)
}
