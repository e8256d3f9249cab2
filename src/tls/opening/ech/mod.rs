//! Encrypted Client Hello (RFC 9849): the hello inside the first one, and whether the server took it.
//!
//! A log files the secret that opens it under the random of the hello in clear, and all other secrets under that of the hello inside, if the
//! server took that (RFC 9850, section 2.1). Drafts with another number of the extension are not opened.

mod acceptance;
mod outer;
mod transcript;
mod witness;

pub(crate) use witness::Witness;

use crate::tls::client_hello::ClientHello;
use crate::tls::handshake::InnerHello;
use crate::tls::keys::{HpkeSuite, Label, Recipient, Secret};
use crate::tls::opening::Keys;
use crate::tls::opening::ech::acceptance::Course;
use crate::tls::opening::ech::outer::Outer;
use crate::tls::reader::Reader;
use crate::tls::sealed::Hellos;

/// Opens the hello inside the first one; `is_gapless` says that nothing is missing between the hellos.
pub(crate) fn open(hellos: &Hellos, is_gapless: bool, keys: Keys<'_>) -> Option<InnerHello> {
    let outer = Outer::parse(&hellos.outer)?;
    let (recipient, encoded) = keys
        .secrets(&outer.random, Label::EchSecret)
        .flat_map(|secret| {
            let configs = keys.secrets(&outer.random, Label::EchConfig);
            configs.map(move |config| (secret, config))
        })
        .find_map(|(secret, config)| {
            let recipient = recipient(&outer, secret, config.bytes())?;
            let encoded = outer.open(&recipient)?;
            Some((recipient, encoded))
        })?;
    let inner = outer.decode(&encoded)?;
    let hello = ClientHello::parse(&inner, true).filter(|hello| hello.complete)?;
    // The second hello goes on where the first one ended (RFC 9849, section 6.1.5).
    let inner_again =
        Outer::parse(&hellos.outer_again).and_then(|again| again.decode(&again.open(&recipient)?));
    let course = Course {
        random: hello.random,
        inner: (!outer.is_second()).then_some(inner.as_slice()),
        retry: &hellos.retry,
        inner_again: inner_again.as_deref(),
        answer: &hellos.answer,
        is_gapless: is_gapless && !hellos.is_cut,
    };
    Some(InnerHello {
        acceptance: course.acceptance(),
        random: hello.random,
        hello: Some(hello),
    })
}

/// Whether the first hello has another one sealed in it, or looks so.
pub(crate) fn is_offered(hellos: &Hellos) -> bool {
    Outer::parse(&hellos.outer).is_some()
}

fn recipient(outer: &Outer<'_>, secret: &Secret, config: &[u8]) -> Option<Recipient> {
    let mut reader = Reader::new(config);
    if reader.u16()? != VERSION {
        return None;
    }
    let mut contents = Reader::new(reader.vec16()?);
    let (_config_id, kem) = (contents.u8()?, contents.u16()?);
    let suite = HpkeSuite {
        kem,
        kdf: outer.kdf,
        aead: outer.aead,
    };
    Recipient::new(suite, secret, &[b"tls ech\0", config].concat())
}

/// Of an ECHConfig; the same number as that of the extension.
const VERSION: u16 = 0xfe0d;

#[cfg(test)]
mod tests;
