//! Certificate messages, in the forms of TLS up to 1.2 and of TLS 1.3.
//!
//! The certificates come out as they were sent, DER and unread. A message that is cut or lies about a length gives the
//! certificates before that place.

use std::ops::Deref;
use std::sync::Arc;

use crate::pool::Pool;
use crate::tls::observed::Unseen;
use crate::tls::reader::Reader;

/// The certificates of one message as they were sent, DER and unread, in the order sent.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    ders: Option<Arc<Vec<Vec<u8>>>>,
    is_kept: bool,
}

impl Certificates {
    /// A number that no other list of the run has: as long as there is the [`CertificatePool`] that keeps it. `None` where none does.
    #[must_use]
    pub fn number(&self) -> Option<usize> {
        let ders = self.ders.as_ref().filter(|_| self.is_kept)?;
        Some(Arc::as_ptr(ders).addr())
    }
}

impl From<Vec<Vec<u8>>> for Certificates {
    fn from(ders: Vec<Vec<u8>>) -> Self {
        Self {
            ders: (!ders.is_empty()).then(|| Arc::new(ders)),
            is_kept: false,
        }
    }
}

impl Deref for Certificates {
    type Target = [Vec<u8>];

    fn deref(&self) -> &[Vec<u8>] {
        self.ders.as_ref().map_or(&[], |ders| ders.as_slice())
    }
}

impl PartialEq for Certificates {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Certificates {}

/// The Certificate messages that were seen, each kept once within a bound: thousands of handshakes show
/// the same few, and what is here already is neither read nor copied again.
#[derive(Debug)]
pub struct CertificatePool(Pool<CertificateList>);

impl CertificatePool {
    /// An empty pool for `max_len` bytes of messages and certificates; `seed` makes crafted collisions useless.
    #[must_use]
    pub fn new(max_len: usize, seed: u64) -> Self {
        Self(Pool::new(max_len, seed))
    }

    /// The certificates in the body of a whole message of the old form.
    pub(crate) fn list(&self, body: &[u8]) -> CertificateList {
        let parse = || CertificateList::parse(body, Form::Tls12, None);
        let cost = |list: &CertificateList| {
            let each = list.certificates.len().saturating_mul(CERTIFICATE_COST);
            body.len() + LIST_COST + each
        };
        let (list, is_kept) = self.0.get_or_make_whether(body, cost, parse);
        let mut list = CertificateList::clone(&list);
        list.certificates.is_kept = is_kept;
        list
    }
}

/// The certificates of one message.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct CertificateList {
    /// Those that were whole.
    pub(crate) certificates: Certificates,
    /// Why there may be more.
    pub(crate) cut: Option<Unseen>,
}

/// The form of a Certificate message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// SSL 3.0 to TLS 1.2 (RFC 5246, section 7.4.2).
    Tls12,
    /// TLS 1.3 (RFC 8446, section 4.4.2): a context, and extensions for each certificate.
    Tls13,
}

impl CertificateList {
    /// Reads a Certificate message's body; `cut` says why it is not whole.
    pub(crate) fn parse(body: &[u8], form: Form, cut: Option<Unseen>) -> Self {
        let mut ders = Vec::new();
        let walked = read(body, form, &mut ders);
        Self {
            certificates: ders.into(),
            cut: match walked {
                Ok(()) => cut,
                Err(why) => cut.or(Some(why)),
            },
        }
    }

    /// A list that is there and cannot be read.
    pub(crate) fn unread(why: Unseen) -> Self {
        Self {
            certificates: Certificates::default(),
            cut: Some(why),
        }
    }
}

fn read(body: &[u8], form: Form, ders: &mut Vec<Vec<u8>>) -> Result<(), Unseen> {
    let mut reader = Reader::new(body);
    if form == Form::Tls13 {
        reader.vec8().ok_or(Unseen::Malformed)?;
    }
    let declared = reader.u24().ok_or(Unseen::Malformed)?;
    let right = usize::try_from(declared) == Ok(reader.rest().len());
    while !reader.is_empty() {
        let der = reader.vec24().ok_or(Unseen::Malformed)?;
        if der.is_empty() {
            return Err(Unseen::Malformed);
        }
        if ders.len() == MAX_CERTIFICATES {
            return Err(Unseen::Limit);
        }
        ders.push(der.to_vec());
        if form == Form::Tls13 {
            reader.vec16().ok_or(Unseen::Malformed)?;
        }
    }
    if right {
        Ok(())
    } else {
        Err(Unseen::Malformed)
    }
}

/// What keeping a list takes beside its bytes: a place in the pool and one for its chain, and two blocks of memory.
const LIST_COST: usize = 512;
/// The same for each certificate: a list's place, and a block of memory.
const CERTIFICATE_COST: usize = 64;
/// More than any chain has; a message of 256 KiB could claim 65,000.
const MAX_CERTIFICATES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    /// Two certificates of some bytes, in the old form.
    fn body() -> Vec<u8> {
        let list = [&[0, 0, 3, 1, 2, 3][..], &[0, 0, 2, 4, 5]].concat();
        [&[0, 0, 11][..], &list].concat()
    }

    #[test]
    fn a_message_that_is_kept_has_a_number_and_says_the_same() {
        let (roomy, full) = (CertificatePool::new(1000, 7), CertificatePool::new(500, 7));
        let parsed = CertificateList::parse(&body(), Form::Tls12, None);
        let [one, same, other] = [&roomy, &roomy, &full].map(|pool| pool.list(&body()));
        assert_eq!([&one, &same, &other], [&parsed; 3]);
        assert!(one.certificates.number().is_some());
        assert_eq!(one.certificates.number(), same.certificates.number());
        assert_eq!(other.certificates.number(), None);
        assert_eq!(parsed.certificates.number(), None);
    }

    #[test]
    fn a_message_that_lies_is_kept_with_what_is_wrong_with_it() {
        let pool = CertificatePool::new(1000, 7);
        let mut body = body();
        body.truncate(10);
        for _ in 0..2 {
            let list = pool.list(&body);
            assert_eq!(*list.certificates, [vec![1, 2, 3]]);
            assert_eq!(list.cut, Some(Unseen::Malformed));
        }
    }
}
