use std::net::IpAddr;

use super::*;
use crate::pki::alternative::OtherNameKind;
use crate::pki::certificate::fixtures::{self, der};
use crate::pki::der::tag;
use crate::pki::testing::{self, element};

fn read(fixture: &str) -> Certificate {
    Certificate::from_der(&der(fixture))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_leaf_says_what_openssl_says_of_it() {
    let leaf = read(fixtures::LEAF_P384);
    assert_eq!(leaf.malformed, None);
    assert_eq!(
        hexadecimal(&leaf.sha256),
        "32d5bb0d76a57692d5a236aa285ae64b4cf2a9657211b7ba7a2944771074710d"
    );
    assert_eq!(
        hexadecimal(&leaf.sha1),
        "cbe5849c6066247429677abf867607eac6739c88"
    );
    assert_eq!(leaf.der_len, 641);
    assert_eq!(leaf.version, 3);
    assert_eq!(leaf.serial, "7FFFFFFFFFFFFFFF");
    assert_eq!(leaf.subject.to_string(), "CN=api.example.com");
    assert_eq!(leaf.issuer.to_string(), "O=Test CA, CN=Test Root");
    assert_eq!(
        leaf.not_before_text.as_deref(),
        Some("2026-11-23T15:02:56Z")
    );
    assert_eq!(leaf.not_after_text.as_deref(), Some("2574-06-23T15:02:56Z"));
    assert_eq!(leaf.not_after, Some(Timestamp::from_nanos(i64::MAX)));
    assert!(
        leaf.names
            .dns
            .iter()
            .eq(["api.example.com", "*.example.com"])
    );
    let addresses: Vec<IpAddr> = vec!["10.1.2.3".parse().unwrap(), "2001:db8::5".parse().unwrap()];
    assert_eq!(leaf.names.ip, addresses);
    let other: Vec<_> = leaf
        .names
        .other
        .iter()
        .map(|name| (name.kind, name.text.as_str()))
        .collect();
    assert_eq!(
        other,
        [
            (OtherNameKind::Email, "ops@example.com"),
            (OtherNameKind::Uri, "spiffe://example/api"),
            (
                OtherNameKind::Other,
                "1.3.6.1.4.1.311.20.2.3:host@example.com"
            ),
            (OtherNameKind::DirectoryName, "O=Dir"),
            (OtherNameKind::RegisteredId, "1.2.3.4"),
        ]
    );
    assert_eq!(leaf.signature_algorithm.as_deref(), Some("ECDSA-SHA256"));
    let key = leaf.key.as_ref().unwrap();
    assert_eq!(
        (key.algorithm.as_ref(), key.bits, key.curve.as_deref()),
        ("ECDSA", Some(384), Some("nistp384"))
    );
    assert_eq!((leaf.ca, leaf.path_len), (Some(false), None));
    assert!(leaf.allows_server_authentication());
    assert_eq!(leaf.self_signed, SelfSigned::No);
    assert_eq!(
        leaf.authority_key_id,
        read(fixtures::CA_P256).subject_key_id
    );
    assert_eq!(leaf.extensions.len(), 6);
    assert!(!leaf.lossy_text);
}

#[test]
fn a_certificate_that_signs_itself_is_told_by_its_signature_where_that_can_be_checked() {
    for (fixture, signature, key, bits, self_signed) in [
        (
            fixtures::RSA1024_SHA1,
            "SHA1-RSA",
            "RSA",
            1024,
            SelfSigned::BySignature,
        ),
        (
            fixtures::RSA2048_PSS,
            "SHA256-RSAPSS",
            "RSA",
            2048,
            SelfSigned::BySignature,
        ),
        (
            fixtures::RSA2048_SHA384,
            "SHA384-RSA",
            "RSA",
            2048,
            SelfSigned::BySignature,
        ),
        (
            fixtures::CA_P256,
            "ECDSA-SHA256",
            "ECDSA",
            256,
            SelfSigned::BySignature,
        ),
        (
            fixtures::P384,
            "ECDSA-SHA384",
            "ECDSA",
            384,
            SelfSigned::BySignature,
        ),
        (
            fixtures::ED25519,
            "Ed25519",
            "Ed25519",
            256,
            SelfSigned::BySignature,
        ),
        (
            fixtures::P521,
            "ECDSA-SHA512",
            "ECDSA",
            521,
            SelfSigned::ByName,
        ),
        (fixtures::DSA, "DSA-SHA256", "DSA", 1024, SelfSigned::ByName),
    ] {
        let certificate = read(fixture);
        assert_eq!(certificate.malformed, None);
        assert_eq!(certificate.signature_algorithm.as_deref(), Some(signature));
        let described = certificate.key.as_ref().unwrap();
        assert_eq!(
            (described.algorithm.as_ref(), described.bits),
            (key, Some(bits)),
            "{signature}"
        );
        assert_eq!(certificate.self_signed, self_signed, "{signature}");
        assert_eq!(certificate.serial, "C0FFEE01");

        // The last byte belongs to the signature.
        let mut damaged = der(fixture);
        *damaged.last_mut().unwrap() ^= 1;
        let damaged = Certificate::from_der(&damaged);
        let expected = match self_signed {
            SelfSigned::BySignature => SelfSigned::BadSignature,
            other => other,
        };
        assert_eq!(damaged.self_signed, expected, "{signature}");
    }
    let rsa = read(fixtures::RSA1024_SHA1);
    assert_eq!(rsa.key.as_ref().unwrap().exponent, Some(65_537));
    assert_eq!(
        rsa.subject.to_string(),
        r"C=DE, ST=Hessen, O=Smith\, Jones, CN=old.example"
    );
    assert!(read(fixtures::ED25519).subject.is_empty());
}

#[test]
fn the_strict_reader_and_the_walk_find_the_same() {
    for fixture in fixtures::ALL {
        let der = der(fixture);
        let mut strict = Certificate::from_der(&der);
        let salvage = Salvage::from_der(&der, &mut Decoder::default());
        assert!(salvage.begins_like_one && salvage.extent == Extent::Whole);
        let mut walked = Certificate::from_fields(&der, salvage.fields, None, Decoder::default());
        assert_eq!(format!("{strict:?}"), format!("{walked:?}"));

        // Bytes behind the end change the hashes and nothing else.
        let longer = [&der[..], b"xyz"].concat();
        let trailing = Certificate::from_der(&longer);
        assert_eq!(
            trailing.malformed,
            Some(Malformed::TrailingBytes { len: 3 })
        );
        for certificate in [&mut strict, &mut walked] {
            certificate.sha256 = trailing.sha256;
            certificate.sha1 = trailing.sha1;
            certificate.der_len = trailing.der_len;
            certificate.malformed = trailing.malformed;
        }
        assert_eq!(format!("{strict:?}"), format!("{trailing:?}"));
    }
}

#[test]
fn every_prefix_of_a_certificate_gives_what_it_has() {
    for fixture in fixtures::ALL {
        let der = der(fixture);
        let whole = Certificate::from_der(&der);
        let mut found = Vec::new();
        for len in 0..der.len() {
            let cut = Certificate::from_der(&der[..len]);
            assert_eq!((cut.der_len, cut.sha256 == whole.sha256), (len, false));
            let expected = if len < 7 {
                Malformed::NotACertificate
            } else {
                Malformed::Truncated
            };
            assert!(
                cut.malformed == Some(expected) || len < 10,
                "{len} {:?}",
                cut.malformed
            );
            assert!(!cut.subject.is_whole() || cut.subject.has_same_encoding(&whole.subject));
            assert!(cut.not_after.is_none() || cut.not_after == whole.not_after);
            assert!(
                cut.names
                    .dns
                    .iter()
                    .all(|name| whole.names.dns.iter().any(|other| other == name))
            );
            assert_ne!(cut.self_signed, SelfSigned::BySignature);
            found.push((cut.subject.is_whole(), cut.names.count));
        }
        // What lies before the cut is found, and what was found stays found.
        assert!(found.is_sorted());
        assert_eq!(found.last(), Some(&(true, whole.names.count)));
    }
}

#[test]
fn every_changed_byte_ends_in_a_certificate_with_hashes() {
    for fixture in fixtures::ALL {
        let der = der(fixture);
        let whole = Certificate::from_der(&der);
        let signed = Salvage::from_der(&der, &mut Decoder::default())
            .fields
            .signed
            .unwrap();
        let signed = 4..4 + signed.message.len();
        for place in 0..der.len() {
            for change in [0x01, 0x80] {
                let mut changed = der.clone();
                changed[place] ^= change;
                let certificate = Certificate::from_der(&changed);
                assert_ne!(certificate.sha256, whole.sha256);
                assert_ne!(certificate.sha1, whole.sha1);
                let verified = certificate.self_signed == SelfSigned::BySignature;
                assert!(!verified || !signed.contains(&place), "{place}");
                let _ = (certificate.subject.to_string(), certificate.memory_len());
            }
        }
    }
}

#[test]
fn random_bytes_are_no_certificate_and_no_trouble() {
    // A generator of its own, so that every run sees the same bytes (xorshift, seed 1).
    let mut state = 1_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let whole = der(fixtures::LEAF_P384);
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..8 {
            let place = usize::try_from(next()).unwrap() % bytes.len();
            bytes[place] = next().to_le_bytes()[0];
        }
        let from = usize::try_from(next()).unwrap() % 40;
        assert_eq!(
            Certificate::from_der(&bytes[from..]).der_len,
            bytes.len() - from
        );
    }
}

#[test]
fn a_date_that_is_none_loses_nothing_but_itself() {
    let certificate = testing::certificate()
        .subject(&[("CN", "api.example.com")])
        .not_before(tag::UTC_TIME, "251301000000Z")
        .dns(&["api.example.com"])
        .read();
    assert_eq!(certificate.malformed, Some(Malformed::Date));
    assert_eq!(certificate.not_before, None);
    assert_eq!(
        certificate.not_before_text.as_deref(),
        Some("251301000000Z")
    );
    assert_eq!(
        certificate.not_after_text.as_deref(),
        Some("2035-01-01T00:00:00Z")
    );
    assert_eq!(certificate.subject.to_string(), "CN=api.example.com");
    assert!(certificate.names.dns.iter().eq(["api.example.com"]));
    assert_eq!(certificate.is_valid_at(Timestamp::from_nanos(0)), None);

    let lower_case = testing::certificate()
        .not_before(tag::UTC_TIME, "250101000000z")
        .read();
    assert_eq!(
        lower_case.not_before_text.as_deref(),
        Some("2025-01-01T00:00:00Z")
    );
}

#[test]
fn a_validity_holds_at_both_its_ends() {
    let certificate = testing::certificate().read();
    for (seconds, valid) in [
        (1_735_689_599, false),
        (1_735_689_600, true),
        (2_051_222_400, true),
        (2_051_222_401, false),
    ] {
        assert_eq!(
            certificate.is_valid_at(Timestamp::from_parts(seconds, 0)),
            Some(valid)
        );
    }
    let last = Timestamp::from_parts(2_051_222_400, 999_999_999);
    assert_eq!(certificate.is_valid_at(last), Some(true));
}

#[test]
fn a_serial_number_is_shown_as_it_stands_but_for_the_octet_of_its_sign() {
    for (content, shown) in [
        (&[0x00, 0xc0, 0xff][..], "C0FF"),
        (&[0x01], "01"),
        (&[0x00], "00"),
        (&[0x00, 0x01], "0001"),
        (&[0xff, 0x80], "FF80"),
        (&[0x80], "80"),
    ] {
        assert_eq!(testing::certificate().serial(content).read().serial, shown);
    }
    let long = testing::certificate().serial(&[7; 100]).read();
    assert_eq!(long.serial.len(), 2 * MAX_SERIAL_LEN);
}

#[test]
fn names_that_cannot_be_read_are_no_damage_to_the_certificate() {
    let list = element(
        tag::SEQUENCE,
        &[element(0x82, b"a.example"), vec![0x82, 9, b'b']].concat(),
    );
    let certificate = testing::certificate().extension("2.5.29.17", &list).read();
    assert_eq!(certificate.malformed, None);
    assert!(certificate.names.dns.iter().eq(["a.example"]));
    assert!(certificate.names.malformed);
}

#[test]
fn text_that_is_none_is_said() {
    let certificate = testing::certificate()
        .extension(
            "2.5.29.17",
            &element(tag::SEQUENCE, &element(0x82, b"a\xff.example")),
        )
        .read();
    assert!(certificate.names.dns.iter().eq(["a\u{fffd}.example"]));
    assert!(certificate.lossy_text);
}

#[test]
fn the_extensions_are_listed() {
    let certificate = testing::certificate()
        .extension("1.3.6.1.4.1.311.84.1.1", &[0])
        .read();
    assert_eq!(
        certificate.extensions,
        [Oid::from_dotted("1.3.6.1.4.1.311.84.1.1").unwrap()]
    );
}

#[test]
fn a_certificate_of_any_size_is_kept_small() {
    let attributes: Vec<(&str, &str)> = vec![("OU", "some unit"); 500];
    let name = "n".repeat(500);
    let certificate = testing::certificate()
        .subject(&attributes)
        .dns(&vec![name.as_str(); 50])
        .read();
    assert_eq!(certificate.subject.attribute_count(), 500);
    assert_eq!(certificate.self_signed, SelfSigned::ByName);
    assert!(
        certificate.memory_len() < 100_000,
        "{}",
        certificate.memory_len()
    );
}
