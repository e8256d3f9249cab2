//! How small a certificate can be: what proves that a message does not hold two.
//!
//! A server's certificates are of version 3 (RFC 8446, section 4.4.2.2). The least of each field follows from its encoding (RFC 5280,
//! section 4.1; X.690, section 8): names of one attribute with one character, a serial number of one octet, dates as UTCTime, points
//! compressed, and a signature of Ed25519, the shortest of RFC 8446, section 4.2.3. An authority says that it is one
//! (`basicConstraints`, RFC 5280, section 6.1.4 (k)); no other extension is counted. So what is larger may hold two, and what is
//! smaller does not.

use crate::verdict::flight::Key;

/// The least bytes of a certificate with this key, and without any extension.
pub(in crate::verdict) const fn leaf(key: Key) -> u32 {
    certificate(public_key(key), 0)
}

/// The least bytes of an authority's certificate.
pub(in crate::verdict) const AUTHORITY: u32 = certificate(
    public_key(Key::Ed25519),
    // [3], the list, the extension, its identifier, an OCTET STRING, a list, a BOOLEAN.
    tagged(tagged(tagged(tagged(3) + tagged(tagged(tagged(1)))))),
);

const fn certificate(public_key: u32, extensions: u32) -> u32 {
    let version = tagged(tagged(1));
    let serial = tagged(1);
    let validity = tagged(2 * tagged(13));
    let to_be_signed =
        version + serial + ALGORITHM + NAME + validity + NAME + public_key + extensions;
    tagged(tagged(to_be_signed) + ALGORITHM + bits(64))
}

/// The least bytes of `SubjectPublicKeyInfo`.
const fn public_key(key: Key) -> u32 {
    tagged(match key {
        // The identifier of RSA, NULL; the modulus with the octet that keeps it positive, and an exponent of one.
        Key::Rsa(len) => {
            tagged(tagged(9) + tagged(0)) + bits(tagged(tagged(len / 8 + 1) + tagged(1)))
        }
        // The identifiers of the kind of key and of the curve; a point compressed (RFC 5480, section 2.2).
        Key::Ecdsa(len) => tagged(tagged(7) + tagged(5)) + bits(1 + len.div_ceil(8)),
        Key::Ed25519 => ALGORITHM + bits(32),
        Key::Ed448 => ALGORITHM + bits(57),
    })
}

/// A value of `len` bytes with its tag and its length.
const fn tagged(len: u32) -> u32 {
    len + match len {
        0..0x80 => 2,
        0x80..0x100 => 3,
        _ => 4,
    }
}

/// A BIT STRING of `len` whole bytes.
const fn bits(len: u32) -> u32 {
    tagged(1 + len)
}

/// With an identifier of three bytes and nothing else (RFC 8410, section 3).
const ALGORITHM: u32 = tagged(tagged(3));
/// One attribute of one character.
const NAME: u32 = tagged(tagged(tagged(tagged(3) + tagged(1))));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_is_what_its_parts_add_up_to() {
        // Written out: version 5, serial 3, algorithm 7, issuer 14, validity 32, subject 14, key 44; 3 before them; algorithm 7,
        // signature 67, 3 before all of it. An authority has 18 more, and a byte where lengths need one.
        assert_eq!(
            leaf(Key::Ed25519),
            5 + 3 + 7 + 14 + 32 + 14 + 44 + 2 + 7 + 67 + 3
        );
        assert_eq!(AUTHORITY, leaf(Key::Ed25519) + 18 + 1);
        let sizes = [Key::Ecdsa(256), Key::Ecdsa(384), Key::Rsa(2048)].map(leaf);
        assert_eq!(sizes, [211, 227, 449]);
    }

    #[test]
    fn a_certificate_that_is_made_as_small_as_usual_is_larger() {
        for (key, pair) in [
            (
                Key::Ecdsa(256),
                rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            ),
            (
                Key::Ecdsa(384),
                rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            ),
            (
                Key::Ed25519,
                rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519),
            ),
        ] {
            let pair = pair.unwrap();
            let mut params = rcgen::CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, "a");
            let len = params.self_signed(&pair).unwrap().der().len();
            assert!(u32::try_from(len).unwrap() > leaf(key), "{key}: {len}");
        }
    }
}
