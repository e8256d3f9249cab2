use super::*;

fn acts(server: &[u32], client: &[u32]) -> Vec<Act> {
    let act = |by, kind, len| Act { by, kind, len };
    let hello = StepKind::Message(MessageType::CLIENT_HELLO);
    let answer = StepKind::Message(MessageType::SERVER_HELLO);
    let mut acts = vec![
        act(Side::Client, hello, 300),
        act(Side::Server, answer, 122),
        act(Side::Server, StepKind::ChangeCipherSpec, 1),
    ];
    let data = StepKind::ApplicationData;
    acts.extend(server.iter().map(|len| act(Side::Server, data, *len)));
    acts.extend(client.iter().map(|len| act(Side::Client, data, *len)));
    acts
}

fn certificate(len: usize) -> Certificate {
    let mut certificate = Certificate::from_der(&[]);
    certificate.der_len = len;
    certificate
}

const fn apart(certificate_len: u32, padding: u32, requests: bool) -> Flight {
    Flight::Apart {
        certificate_len,
        verify_len: 264,
        padding,
        requests,
    }
}

#[test]
fn a_flight_in_records_of_its_own_shows_certificate_and_key() {
    // Plain, with a request, with SHA-256 and a ticket behind it, padded, and with EncryptedExtensions as long as Finished.
    for (lens, hash_len, padding, requests) in [
        (&[23, 823, 281, 69][..], 48, 0, false),
        (&[42, 118, 823, 281, 69], 48, 0, true),
        (&[23, 823, 281, 53, 147], 32, 0, false),
        (&[39, 839, 297, 85], 48, 16, false),
        (&[39, 839, 297, 69], 32, 16, false),
        (&[53, 823, 281, 53], 32, 0, false),
    ] {
        let flight = Flight::of(&acts(lens, &[69]), hash_len);
        assert_eq!(flight, Some(apart(806, padding, requests)), "{lens:?}");
        assert_eq!(flight.unwrap().key(), Some(Key::Rsa(2048)));
    }
}

#[test]
fn what_has_another_order_says_nothing() {
    for lens in [
        &[][..],
        &[23, 69],
        &[23, 281, 69],
        &[23, 823, 280, 69],
        &[23, 823, 281, 200, 300, 69],
        &[900, 281, 53],
        // A certificate in parts: by records of 512 bytes, by records of 16 KiB.
        &[23, 529, 311, 281, 69],
        &[23, 16_401, 823, 281, 69],
        &[23, 16_401, 281, 69],
    ] {
        assert_eq!(Flight::of(&acts(lens, &[69]), 48), None, "{lens:?}");
    }
    let mut early = acts(&[23, 823, 281, 69], &[69]);
    early.insert(1, early[early.len() - 1]);
    assert_eq!(Flight::of(&early, 48), None);
}

#[test]
fn one_record_shows_the_sum() {
    let flight = Flight::of(&acts(&[1163], &[69]), 48);
    let expected = |may_request| {
        Some(Flight::Together {
            len: 1146,
            may_request,
        })
    };
    assert_eq!(flight, expected(false));
    assert_eq!(Flight::of(&acts(&[1163], &[19]), 48), expected(true));
    assert_eq!(Flight::of(&acts(&[1163, 1163], &[69]), 48), None);
}

#[test]
fn a_length_excludes_a_chain_or_is_consistent_with_it() {
    let flight = Flight::of(&acts(&[23, 823, 281, 69], &[69]), 48).unwrap();
    let none = Offers::default();
    let stapling = Offers {
        stapling: true,
        ..none
    };
    let compression = Offers {
        compression: true,
        ..none
    };
    let fit = |len, is_whole, offers| flight.fit(&[certificate(len)], is_whole, offers, 48);
    assert_eq!(fit(793, true, none), Fit::Consistent);
    assert_eq!(fit(793, false, stapling), Fit::Consistent);
    assert_eq!(fit(794, true, none), Fit::Inconsistent);
    assert_eq!(fit(794, true, compression), Fit::Open);
    assert_eq!(fit(700, true, compression), Fit::Inconsistent);
    assert_eq!(fit(500, true, none), Fit::Inconsistent);
    assert_eq!(fit(500, true, stapling), Fit::Open);
    // A staple that says "try later" is short, and what is compressed may have anything behind it.
    assert_eq!(fit(780, true, stapling), Fit::Open);
    assert_eq!(fit(781, true, stapling), Fit::Inconsistent);
    assert_eq!(fit(766, false, compression), Fit::Open);
    let delegation = Offers {
        delegation: true,
        ..none
    };
    assert_eq!(fit(400, true, delegation), Fit::Open);
    // Another certificate may follow.
    assert_eq!(fit(500, false, none), Fit::Open);
    assert_eq!(fit(700, false, none), Fit::Inconsistent);
    let both = [&certificate(400), &certificate(388)];
    assert_eq!(flight.fit(both, true, none, 48), Fit::Consistent);
}

#[test]
fn a_message_that_is_too_small_for_two_holds_one() {
    let holds_one = |len: u32, verify: u32, offers| {
        let flight = Flight::of(&acts(&[23, len + 17, verify + 17, 69], &[69]), 48)?;
        flight.holds_one(offers).map(|small| small.least_of_two)
    };
    let none = Offers::default();
    // ECDSA with 256 bits: 8 + (211 + 5) + (217 + 5).
    assert_eq!(holds_one(382, 78, none), Some(446));
    assert_eq!(holds_one(445, 78, none), Some(446));
    assert_eq!(holds_one(446, 78, none), None);
    // RSA with 2048 bits.
    assert_eq!(holds_one(683, 264, none), Some(684));
    assert_eq!(holds_one(684, 264, none), None);
    // A raw key, and what may be compressed.
    assert_eq!(holds_one(307, 264, none), None);
    let compression = Offers {
        compression: true,
        ..none
    };
    assert_eq!(holds_one(382, 78, compression), None);
}

#[test]
fn only_what_nothing_else_explains_is_clearly_another() {
    let none = Offers::default();
    let of = |server: &[u32]| Flight::of(&acts(server, &[53]), 32).unwrap();
    let differ = |one: &[u32], other: &[u32], offers: [Offers; 2]| {
        let (one, other) = (of(one), of(other));
        let there = one.is_clearly_another(&other, offers, [32; 2]);
        let [first, second] = offers;
        let back = other.is_clearly_another(&one, [second, first], [32; 2]);
        assert_eq!(there, back);
        there
    };
    let (small, large) = (&[23, 823, 281, 53][..], &[23, 1823, 281, 53][..]);
    assert!(differ(small, large, [none; 2]));
    // A request, or what EncryptedExtensions hold, changes nothing; nor does a shorter signature.
    assert!(!differ(small, &[99, 118, 823, 281, 53], [none; 2]));
    assert!(!differ(&[23, 823, 95, 53], &[23, 825, 97, 53], [none; 2]));
    // A staple makes it longer only, and compression shorter.
    let stapling = Offers {
        stapling: true,
        ..none
    };
    let compression = Offers {
        compression: true,
        ..none
    };
    assert!(differ(small, large, [stapling, none]));
    assert!(!differ(small, large, [none, stapling]));
    assert!(!differ(small, large, [compression, none]));
    assert!(differ(small, large, [none, compression]));
    assert!(differ(small, large, [stapling, compression]));
    assert!(!differ(small, large, [compression, stapling]));
    // A server with two certificates chooses by what the client can verify.
    let others = Offers {
        signatures: 1,
        ..none
    };
    let ecdsa = &[23, 1823, 96, 53][..];
    assert!(differ(small, large, [none, others]));
    assert!(!differ(small, ecdsa, [none, others]));
    assert!(differ(small, ecdsa, [none, none]));
    // In one record, EncryptedExtensions and a request hide in the sum.
    assert!(!differ(&[1163], &[1300], [none; 2]));
    assert!(differ(&[1163], &[1400], [none; 2]));
    assert!(!differ(&[1163], &[1400], [none, others]));
    assert!(!differ(&[1163], large, [none; 2]));
}

#[test]
fn every_signature_has_one_kind_of_key() {
    assert_eq!(Key::of_signature(71), Some(Key::Ecdsa(256)));
    assert_eq!(Key::of_signature(103), Some(Key::Ecdsa(384)));
    assert_eq!(Key::of_signature(512), Some(Key::Rsa(4096)));
    assert_eq!(Key::of_signature(64), Some(Key::Ed25519));
    assert_eq!(Key::of_signature(300), None);
}
