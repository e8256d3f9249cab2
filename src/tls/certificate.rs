//! Certificate messages, in the forms of TLS up to 1.2 and of TLS 1.3.
//!
//! The certificates come out as they were sent, DER and unread. A message that is cut or lies about a length gives the
//! certificates before that place.

use crate::tls::observed::Unseen;
use crate::tls::reader::Reader;

/// The certificates of one message.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct CertificateList {
    /// Those that were whole, in the order sent.
    pub(crate) certificates: Vec<Vec<u8>>,
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
        let mut list = Self::default();
        let walked = list.read(body, form);
        list.cut = match walked {
            Ok(()) => cut,
            Err(why) => cut.or(Some(why)),
        };
        list
    }

    /// A list that is there and cannot be read.
    pub(crate) fn unread(why: Unseen) -> Self {
        Self {
            certificates: Vec::new(),
            cut: Some(why),
        }
    }

    fn read(&mut self, body: &[u8], form: Form) -> Result<(), Unseen> {
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
            if self.certificates.len() == MAX_CERTIFICATES {
                return Err(Unseen::Limit);
            }
            self.certificates.push(der.to_vec());
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
}

/// More than any chain has; a message of 256 KiB could claim 65,000.
const MAX_CERTIFICATES: usize = 256;
