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

#[cfg(test)]
mod tests {
    use ring::aead;

    use super::*;
    use crate::tls::keys::cipher::Key;
    use crate::tls::keys::protection::RecordHeader;
    use crate::tls::record::ContentType;

    fn bytes<const LEN: usize>(hex: &str) -> [u8; LEN] {
        assert_eq!(hex.len(), 2 * LEN);
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    fn expanded<const LEN: usize>(prk: &hkdf::Prk, label: &[u8]) -> [u8; LEN] {
        let mut okm = [0; LEN];
        expand_label(prk, b"tls13 ", label, &[], &mut okm).unwrap();
        okm
    }

    fn prk_of(secret: [u8; 32]) -> hkdf::Prk {
        hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &secret)
    }

    #[test]
    fn labels_expand_to_what_is_published() {
        // RFC 9001, appendix A.1: QUIC derives by the function of TLS 1.3, with labels of its own.
        let salt = bytes::<20>("38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &salt);
        let initial = salt.extract(&bytes::<8>("8394c8f03e515708"));
        for (label, secret, key, iv, hp) in [
            (
                b"client in".as_slice(),
                "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea",
                "1f369613dd76d5467730efcbe3b1a22d",
                "fa044b2f42a3fd3b46fb255c",
                "9f50449e04a0e810283a1e9933adedd2",
            ),
            (
                b"server in",
                "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b",
                "cf3a5331653c364c88f0f379b6067e37",
                "0ac1493ca1905853b0bba03e",
                "c206b8d9b9f0f37644430b490eeaa314",
            ),
        ] {
            let expected = bytes(secret);
            assert_eq!(expanded::<32>(&initial, label), expected);
            let prk = prk_of(expected);
            assert_eq!(expanded(&prk, b"quic key"), bytes::<16>(key));
            assert_eq!(expanded(&prk, b"quic iv"), bytes::<12>(iv));
            assert_eq!(expanded(&prk, b"quic hp"), bytes::<16>(hp));
        }
    }

    #[test]
    fn a_record_of_chacha20_poly1305_opens_with_what_is_published() {
        // RFC 9001, appendix A.5.
        let prk = prk_of(bytes(
            "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b",
        ));
        let key: [u8; 32] = expanded(&prk, b"quic key");
        let expected = "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8";
        assert_eq!(key, bytes(expected));
        let iv: [u8; IV_LEN] = expanded(&prk, b"quic iv");
        assert_eq!(iv, bytes("e0459b3474bdd0e44a41c144"));
        let next = "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9";
        assert_eq!(expanded::<32>(&prk, b"quic ku"), bytes(next));
        let key = Key::new(Cipher::ChaCha20Poly1305, &key).unwrap();
        let nonce = bytes("e0459b3474bdd0e46d417eb0");
        let (header, sealed) = (bytes::<4>("4200bff4"), "655e5cd55c41f69080575d7999c25a5bfb");
        let sealed = bytes::<17>(sealed);
        assert_eq!(key.open(nonce, &header, &sealed), Some(vec![1]));
        assert_eq!(key.open(iv, &header, &sealed), None);
    }

    #[test]
    fn a_secret_of_another_length_gives_no_keys() {
        let suite = |number| Suite::of(number).unwrap();
        let draft = Draft::of(0x0304);
        for (len, number, fits) in [(32, 0x1301, true), (48, 0x1301, false), (32, 0x1302, false)] {
            let secret = Secret::new(&vec![7; len]);
            assert_eq!(traffic_keys(&secret, suite(number), draft).is_some(), fits);
            assert_eq!(next_secret(&secret, suite(number), draft).is_some(), fits);
        }
    }

    /// A record that holds `text`, sealed by hand with these labels and this associated data.
    fn sealed(prefix: &[u8], aad: &[u8], text: &[u8]) -> Vec<u8> {
        let prk = prk_of(SECRET);
        let (mut key, mut iv) = ([0; 16], [0; IV_LEN]);
        expand_label(&prk, prefix, b"key", &[], &mut key).unwrap();
        expand_label(&prk, prefix, b"iv", &[], &mut iv).unwrap();
        let key = aead::UnboundKey::new(&aead::AES_128_GCM, &key).unwrap();
        let mut record = text.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key(iv);
        aead::LessSafeKey::new(key)
            .seal_in_place_append_tag(nonce, aead::Aad::from(aad), &mut record)
            .unwrap();
        record
    }

    #[test]
    fn each_draft_is_opened_as_it_seals() {
        let header = RecordHeader {
            content_type: ContentType::APPLICATION_DATA,
            version: [3, 1],
        };
        let text = b"a message\x16\0\0";
        let aad = [23, 3, 1, 0, 28];
        let suite = Suite::of(0x1301).unwrap();
        let secret = Secret::new(&SECRET);
        // The labels changed with draft 20, and the header is sealed with the record from draft 25 on.
        for (version, prefix, has_header) in [
            (0x7f10, b"TLS 1.3, ".as_slice(), false),
            (0x7f13, b"TLS 1.3, ", false),
            (0x7f14, b"tls13 ", false),
            (0x7f18, b"tls13 ", false),
            (0x7f19, b"tls13 ", true),
            (0x7f1c, b"tls13 ", true),
            (0x7e02, b"tls13 ", false),
            (0xfb17, b"tls13 ", false),
            (0xfb1a, b"tls13 ", true),
            (0x0304, b"tls13 ", true),
        ] {
            let protection = traffic_keys(&secret, suite, Draft::of(version)).unwrap();
            for (of_prefix, of_header) in [
                (b"TLS 1.3, ".as_slice(), false),
                (b"tls13 ", false),
                (b"tls13 ", true),
            ] {
                let aad = if of_header { &aad[..] } else { &[] };
                let opened = protection.open(0, header, &sealed(of_prefix, aad, text));
                let fits = (of_prefix, of_header) == (prefix, has_header);
                let expected = fits.then(|| (ContentType::HANDSHAKE, b"a message".to_vec()));
                assert_eq!(opened, expected, "{version:#x}");
            }
        }
    }

    #[test]
    fn a_record_of_padding_only_holds_nothing() {
        let header = RecordHeader {
            content_type: ContentType::APPLICATION_DATA,
            version: [3, 3],
        };
        let suite = Suite::of(0x1301).unwrap();
        let protection = traffic_keys(&Secret::new(&SECRET), suite, Draft::of(0x0304)).unwrap();
        // RFC 8446, section 5.4: there has to be a type, and an empty record may have one.
        for (text, expected) in [
            (&[0; 40][..], None),
            (&[], None),
            (&[23], Some((ContentType::APPLICATION_DATA, Vec::new()))),
            (
                &[23, 0, 0],
                Some((ContentType::APPLICATION_DATA, Vec::new())),
            ),
        ] {
            let len = u8::try_from(text.len() + 16).unwrap();
            let record = sealed(b"tls13 ", &[23, 3, 3, 0, len], text);
            assert_eq!(protection.open(0, header, &record), expected);
        }
    }

    const SECRET: [u8; 32] = [7; 32];
}
