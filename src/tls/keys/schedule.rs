//! From secrets to the keys of one direction (RFC 8446, section 7; RFC 5246, sections 5 and 6.3).

use ring::hkdf;
use ring::hmac;
use zeroize::Zeroizing;

use crate::tls::keys::cipher::Cipher;
use crate::tls::keys::log::Secret;
use crate::tls::keys::protection::{Form, Protection};
use crate::tls::keys::suite::{Hash, Suite};

/// Where a draft of TLS 1.3 differs from the standard in what is derived and sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    prefix: &'static [u8],
    update: &'static [u8],
    /// Records are sealed without their header (before draft 25).
    is_bare: bool,
}

impl Draft {
    /// The differences of a version as its hello has it.
    pub(crate) fn of(version: u16) -> Self {
        let number = match version.to_be_bytes() {
            [0x7f, number] => number,
            // Experiments: of Google with draft 22, of Facebook with drafts 23 and 26.
            [0x7e, _] => 22,
            [0xfb, number] => number,
            _ => u8::MAX,
        };
        Self {
            prefix: if number < 20 { b"TLS 1.3, " } else { b"tls13 " },
            update: if number < 20 {
                b"application traffic secret"
            } else {
                b"traffic upd"
            },
            is_bare: number < 25,
        }
    }
}

/// The protection of a direction from its traffic secret (RFC 8446, section 7.3).
pub(crate) fn traffic_keys(secret: &Secret, suite: Suite, draft: Draft) -> Option<Protection> {
    let mut key = Zeroizing::new([0; MAX_KEY_LEN]);
    let key = key.get_mut(..suite.cipher.key_len())?;
    let mut iv = Zeroizing::new([0; IV_LEN]);
    let prk = prk(secret, suite)?;
    expand_label(&prk, draft.prefix, b"key", &[], key)?;
    expand_label(&prk, draft.prefix, b"iv", &[], iv.as_mut_slice())?;
    let form = Form::Tls13 {
        is_bare: draft.is_bare,
    };
    Protection::new(suite.cipher, key, *iv, form)
}

/// The secret after a KeyUpdate (RFC 8446, section 7.2).
pub(crate) fn next_secret(secret: &Secret, suite: Suite, draft: Draft) -> Option<Secret> {
    let mut next = Zeroizing::new([0; MAX_SECRET_LEN]);
    let next = next.get_mut(..suite.hash.len())?;
    expand(secret, suite, draft, draft.update, next)?;
    Some(Secret::new(next))
}

/// Whether a Finished message with this body ends a handshake of this hash under a traffic secret (RFC 8446, section 4.4.4).
pub(crate) fn is_finished(
    secret: &Secret,
    suite: Suite,
    draft: Draft,
    transcript: &[u8],
    body: &[u8],
) -> Option<bool> {
    let mut key = Zeroizing::new([0; MAX_SECRET_LEN]);
    let key = key.get_mut(..suite.hash.len())?;
    expand(secret, suite, draft, b"finished", key)?;
    let key = hmac::Key::new(suite.hash.hmac(), key);
    Some(hmac::verify(&key, transcript, body).is_ok())
}

/// What a server that accepts an Encrypted Client Hello puts into its own hello (RFC 9849, sections 7.2 and 7.2.1): made of the random
/// of the hello inside, and of the hash of the hellos so far.
pub(crate) fn ech_confirmation(
    inner_random: &[u8; 32],
    label: &[u8],
    transcript: &[u8],
    hash: Hash,
) -> Option<[u8; 8]> {
    let zeros = [0; MAX_SECRET_LEN];
    let salt = hkdf::Salt::new(hash.hkdf(), zeros.get(..hash.len())?);
    let mut confirmation = [0; 8];
    let prk = salt.extract(inner_random);
    expand_label(&prk, b"tls13 ", label, transcript, &mut confirmation)?;
    Some(confirmation)
}

/// HKDF-Expand-Label of a traffic secret, without a context (RFC 8446, section 7.1).
fn expand(
    secret: &Secret,
    suite: Suite,
    draft: Draft,
    label: &[u8],
    into: &mut [u8],
) -> Option<()> {
    expand_label(&prk(secret, suite)?, draft.prefix, label, &[], into)
}

/// A traffic secret as that from which others are derived; `None` for one of another suite.
fn prk(secret: &Secret, suite: Suite) -> Option<hkdf::Prk> {
    let fits = secret.bytes().len() == suite.hash.len();
    fits.then(|| hkdf::Prk::new_less_safe(suite.hash.hkdf(), secret.bytes()))
}

fn expand_label(
    prk: &hkdf::Prk,
    prefix: &[u8],
    label: &[u8],
    context: &[u8],
    into: &mut [u8],
) -> Option<()> {
    let len = u16::try_from(into.len()).ok()?.to_be_bytes();
    let label_len = u8::try_from(prefix.len() + label.len()).ok()?;
    let context_len = u8::try_from(context.len()).ok()?;
    let info = [
        &len[..],
        &[label_len],
        prefix,
        label,
        &[context_len],
        context,
    ];
    let okm = prk.expand(&info, Len(into.len())).ok()?;
    okm.fill(into).ok()
}

/// A length, in the words of `ring`.
pub(crate) struct Len(pub(crate) usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// The protections of client and server from the master secret of TLS 1.2 (RFC 5246, section 6.3), for suites with associated data, which need no MAC keys.
pub(crate) fn master_keys(
    secret: &Secret,
    suite: Suite,
    client_random: &[u8; 32],
    server_random: &[u8; 32],
) -> Option<[Protection; 2]> {
    let (key_len, iv_len) = (suite.cipher.key_len(), suite.cipher.fixed_iv_len());
    let mut block = Zeroizing::new([0; 2 * (MAX_KEY_LEN + IV_LEN)]);
    let block = block.get_mut(..2 * (key_len + iv_len))?;
    let seed = [b"key expansion", &server_random[..], &client_random[..]];
    prf(secret, suite, &seed, block);
    let (keys, ivs) = block.split_at_checked(2 * key_len)?;
    let protection = |key: &[u8], fixed: &[u8]| {
        let mut iv = Zeroizing::new([0; IV_LEN]);
        iv.get_mut(..iv_len)?.copy_from_slice(fixed);
        let form = match suite.cipher {
            Cipher::ChaCha20Poly1305 => Form::Tls12,
            _ => Form::Tls12Explicit,
        };
        Protection::new(suite.cipher, key, *iv, form)
    };
    let (client_key, server_key) = keys.split_at_checked(key_len)?;
    let (client_iv, server_iv) = ivs.split_at_checked(iv_len)?;
    Some([
        protection(client_key, client_iv)?,
        protection(server_key, server_iv)?,
    ])
}

/// The pseudorandom function of TLS 1.2 (RFC 5246, section 5).
fn prf(secret: &Secret, suite: Suite, seed: &[&[u8]], into: &mut [u8]) {
    let key = hmac::Key::new(suite.hash.hmac(), secret.bytes());
    let sign = |parts: &[&[u8]]| {
        let mut context = hmac::Context::with_key(&key);
        for part in parts {
            context.update(part);
        }
        context.sign()
    };
    let mut a = sign(seed);
    for piece in into.chunks_mut(suite.hash.len()) {
        let mut parts = vec![a.as_ref()];
        parts.extend(seed);
        let output = sign(&parts);
        for (byte, value) in piece.iter_mut().zip(output.as_ref()) {
            *byte = *value;
        }
        a = sign(&[a.as_ref()]);
    }
}

impl Cipher {
    /// How much of the nonce the key block fixes (RFC 5288, section 3; RFC 6655, section 3; RFC 7905, section 2).
    const fn fixed_iv_len(self) -> usize {
        match self {
            Self::ChaCha20Poly1305 => IV_LEN,
            _ => 4,
        }
    }
}

const MAX_KEY_LEN: usize = 32;
const MAX_SECRET_LEN: usize = 48;
const IV_LEN: usize = 12;
