use super::outer::Outer;

/// The body of a ClientHello with these extensions.
fn hello(random: u8, session_id: &[u8], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (kind, content) in extensions {
        block.extend(kind.to_be_bytes());
        block.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        block.extend(content);
    }
    let mut body = vec![3, 3];
    body.extend([random; 32]);
    body.push(u8::try_from(session_id.len()).unwrap());
    body.extend(session_id);
    body.extend([0, 4, 0x13, 1, 0x13, 2, 1, 0]);
    body.extend(u16::try_from(block.len()).unwrap().to_be_bytes());
    body.extend(block);
    body
}

/// A hello in clear, with extensions 10, 16 and 51 around its sealed one.
fn outer() -> Vec<u8> {
    let sealed = [&[0, 0, 1, 0, 1, 7, 0, 3][..], b"enc", &[0, 6], b"sealed"].concat();
    hello(
        1,
        b"session",
        &[
            (0, b"cover".to_vec()),
            (10, b"groups".to_vec()),
            (0xfe0d, sealed),
            (16, b"protocols".to_vec()),
            (51, vec![5; 100]),
        ],
    )
}

/// The short form of a hello that names these extensions of the one in clear.
fn short(named: &[u16]) -> Vec<u8> {
    let list: Vec<u8> = named.iter().flat_map(|kind| kind.to_be_bytes()).collect();
    let list = [&[u8::try_from(list.len()).unwrap()][..], &list].concat();
    hello(
        2,
        b"",
        &[(0, b"name".to_vec()), (0xfd00, list), (0xfe0d, vec![1])],
    )
}

fn decoded(encoded: &[u8]) -> Option<Vec<u8>> {
    let outer = outer();
    Outer::parse(&outer).unwrap().decode(encoded)
}

#[test]
fn what_both_hellos_have_is_copied_to_its_place() {
    let whole = hello(
        2,
        b"session",
        &[
            (0, b"name".to_vec()),
            (10, b"groups".to_vec()),
            (51, vec![5; 100]),
            (0xfe0d, vec![1]),
        ],
    );
    assert_eq!(decoded(&short(&[10, 51])), Some(whole.clone()));
    let padded = [short(&[10, 51]), vec![0; 40]].concat();
    assert_eq!(decoded(&padded), Some(whole));
}

#[test]
fn a_short_form_that_a_server_refuses_is_none() {
    assert_eq!(decoded(&short(&[10, 13])), None, "it is not there");
    assert_eq!(decoded(&short(&[51, 10])), None, "another order");
    assert_eq!(decoded(&short(&[10, 10])), None, "twice");
    assert_eq!(decoded(&short(&[10, 0xfe0d])), None, "the sealed one");
    let padded = [short(&[10]), vec![0, 0, 1]].concat();
    assert_eq!(decoded(&padded), None, "padding that is none");
    let twice = vec![
        (0xfd00, vec![2, 0, 10]),
        (0xfd00, vec![2, 0, 16]),
        (0xfe0d, vec![1]),
    ];
    assert_eq!(decoded(&hello(2, b"", &twice)), None, "two lists");
    for list in [vec![], vec![1, 0], vec![3, 0, 10, 0], vec![2, 0, 10, 0]] {
        let extensions = vec![(0xfd00, list), (0xfe0d, vec![1])];
        assert_eq!(decoded(&hello(2, b"", &extensions)), None, "a length lies");
    }
    let unmarked = hello(2, b"", &[(0, b"name".to_vec())]);
    assert_eq!(decoded(&unmarked), None, "no hello inside another");
    let with_session = hello(2, b"own", &[(0xfe0d, vec![1])]);
    assert_eq!(decoded(&with_session), None, "a session of its own");
}

#[test]
fn a_hello_never_grows_beyond_what_a_length_can_say() {
    let sealed = [0, 0, 1, 0, 1, 7, 0, 0, 0, 1, 9].to_vec();
    let large = hello(1, b"", &[(0xfe0d, sealed), (51, vec![5; 60_000])]);
    let encoded = hello(
        2,
        b"",
        &[
            (0, vec![6; 10_000]),
            (0xfd00, vec![2, 0, 51]),
            (0xfe0d, vec![1]),
        ],
    );
    assert_eq!(Outer::parse(&large).unwrap().decode(&encoded), None);
}

#[test]
fn every_prefix_and_every_flipped_byte_ends() {
    let (outer, short) = (outer(), short(&[10, 16, 51]));
    for len in 0..outer.len() {
        assert!(Outer::parse(&outer[..len]).is_none(), "{len}");
    }
    for len in 0..short.len() {
        assert_eq!(decoded(&short[..len]), None, "{len}");
    }
    for flip in [1, 0x80, 0xff] {
        for at in 0..outer.len() {
            let mut flipped = outer.clone();
            flipped[at] ^= flip;
            if let Some(outer) = Outer::parse(&flipped) {
                let _ = outer.decode(&short);
            }
        }
        for at in 0..short.len() {
            let mut flipped = short.clone();
            flipped[at] ^= flip;
            let len = decoded(&flipped).map_or(0, |body| body.len());
            assert!(len <= short.len() + outer.len());
        }
    }
}
