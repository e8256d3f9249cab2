//! The hello in clear, with another one sealed in it (RFC 9849, sections 5 and 5.1).

use crate::tls::extension::ENCRYPTED_CLIENT_HELLO;
use crate::tls::keys::Recipient;
use crate::tls::reader::Reader;

/// A ClientHelloOuter.
#[derive(Debug)]
pub(crate) struct Outer<'a> {
    body: &'a [u8],
    pub(crate) random: [u8; 32],
    session_id: &'a [u8],
    extensions: &'a [u8],
    pub(crate) kdf: u16,
    pub(crate) aead: u16,
    enc: &'a [u8],
    payload: &'a [u8],
    /// Where the payload begins in the body.
    payload_at: usize,
}

impl<'a> Outer<'a> {
    /// Reads the body of a ClientHello; `None` for one with no hello in it.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let hello = Parts::read(&mut Reader::new(body))?;
        let mut found = None;
        let mut extensions = Reader::new(hello.extensions);
        while !extensions.is_empty() {
            let (kind, content) = (extensions.u16()?, extensions.vec16()?);
            if kind == ENCRYPTED_CLIENT_HELLO {
                // What follows the payload: other extensions, and nothing behind them.
                found = found.or(Some((content, extensions.rest().len())));
            }
        }
        let (content, after) = found?;
        let mut reader = Reader::new(content);
        if reader.u8()? != OUTER {
            return None;
        }
        let (kdf, aead, _config_id) = (reader.u16()?, reader.u16()?, reader.u8()?);
        let (enc, payload) = (reader.vec16()?, reader.vec16()?);
        if !reader.is_empty() {
            return None;
        }
        Some(Self {
            body,
            random: hello.random,
            session_id: hello.session_id,
            extensions: hello.extensions,
            kdf,
            aead,
            enc,
            payload,
            payload_at: body.len().checked_sub(after + payload.len())?,
        })
    }

    /// Whether it answers a HelloRetryRequest: only the first one brings the key (RFC 9849, section 6.1.5).
    pub(crate) fn is_second(&self) -> bool {
        self.enc.is_empty()
    }

    /// Opens what is sealed: a hello in its short form. What is in clear around it is proved with it.
    pub(crate) fn open(&self, recipient: &Recipient) -> Option<Vec<u8>> {
        let mut around = self.body.to_vec();
        let end = self.payload_at.checked_add(self.payload.len())?;
        around.get_mut(self.payload_at..end)?.fill(0);
        recipient.open(u64::from(self.is_second()), &around, self.payload)
    }

    /// The body of the hello whose short form this is (RFC 9849, section 5.1); `None` where a server would refuse it.
    pub(crate) fn decode(&self, encoded: &[u8]) -> Option<Vec<u8>> {
        let mut reader = Reader::new(encoded);
        let short = Parts::read(&mut reader)?;
        let is_padded = reader.rest().iter().all(|byte| *byte == 0);
        if !short.session_id.is_empty() || !is_padded {
            return None;
        }
        let extensions = self.expand(short.extensions)?;
        let mut body = Vec::with_capacity(encoded.len() + extensions.len());
        body.extend_from_slice(&short.version);
        body.extend_from_slice(&short.random);
        body.push(u8::try_from(self.session_id.len()).ok()?);
        body.extend_from_slice(self.session_id);
        body.extend_from_slice(short.middle);
        body.extend_from_slice(&u16::try_from(extensions.len()).ok()?.to_be_bytes());
        body.extend_from_slice(&extensions);
        Some(body)
    }

    /// The extensions of the hello inside, with those in their places that it has in common with this one.
    fn expand(&self, short: &[u8]) -> Option<Vec<u8>> {
        let mut whole = Vec::with_capacity(short.len());
        let mut rest = Reader::new(short);
        let (mut is_expanded, mut is_inner) = (false, false);
        while !rest.is_empty() {
            let (kind, content) = (rest.u16()?, rest.vec16()?);
            if kind == OUTER_EXTENSIONS {
                if std::mem::replace(&mut is_expanded, true) {
                    return None;
                }
                self.copy(content, &mut whole)?;
            } else {
                is_inner |= kind == ENCRYPTED_CLIENT_HELLO && content == [INNER];
                push(kind, content, &mut whole)?;
            }
        }
        is_inner.then_some(whole)
    }

    /// Adds the extensions that `list` names. They stand here in the same order, so that one walk finds them, and none twice.
    fn copy(&self, list: &[u8], into: &mut Vec<u8>) -> Option<()> {
        let mut reader = Reader::new(list);
        let mut named = Reader::new(reader.vec8()?);
        let mut own = Reader::new(self.extensions);
        if !reader.is_empty() {
            return None;
        }
        while !named.is_empty() {
            let name = named.u16()?;
            if matches!(name, ENCRYPTED_CLIENT_HELLO | OUTER_EXTENSIONS) {
                return None;
            }
            loop {
                let (kind, content) = (own.u16()?, own.vec16()?);
                if kind == name {
                    push(kind, content, into)?;
                    break;
                }
            }
        }
        Some(())
    }
}

fn push(kind: u16, content: &[u8], into: &mut Vec<u8>) -> Option<()> {
    into.extend_from_slice(&kind.to_be_bytes());
    into.extend_from_slice(&u16::try_from(content.len()).ok()?.to_be_bytes());
    into.extend_from_slice(content);
    Some(())
}

/// The parts of a ClientHello's body (RFC 8446, section 4.1.2).
struct Parts<'a> {
    version: [u8; 2],
    random: [u8; 32],
    session_id: &'a [u8],
    /// Cipher suites and compression methods, as they stand there.
    middle: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let (version, random) = (reader.array()?, reader.array()?);
        let session_id = reader.vec8()?;
        let from = reader.rest();
        let (_suites, _compression) = (reader.vec16()?, reader.vec8()?);
        let middle = from.get(..from.len().checked_sub(reader.rest().len())?)?;
        Some(Self {
            version,
            random,
            session_id,
            middle,
            extensions: reader.vec16()?,
        })
    }
}

const OUTER: u8 = 0;
const INNER: u8 = 1;
/// `ech_outer_extensions`.
const OUTER_EXTENSIONS: u16 = 0xfd00;
