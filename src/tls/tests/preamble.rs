//! Stories of TLS that begins behind something else: a proxy's header, STARTTLS, unknown plaintext.

use super::*;

/// TLS after what `before` holds; the hello follows the client's last words in the same bytes.
fn after(before: &[Said<'_>]) -> Talk {
    let hello = hello().named("inner.example").bytes();
    let last = before.iter().rposition(|(lane, _)| *lane == Lane::A);
    let mut talk = Talk::new();
    let mut hello_sent = false;
    for (at, (lane, bytes)) in before.iter().enumerate() {
        let coalesced = Some(at) == last && at + 1 == before.len();
        hello_sent |= coalesced;
        let tail = if coalesced { &hello[..] } else { &[] };
        talk.0.push(Event::Bytes(*lane, [*bytes, tail].concat()));
    }
    if !hello_sent {
        talk = talk.client(hello);
    }
    talk.server(record(22, tls12_flight()))
        .client([record(22, message(16, [0; 33])), keys(0)].concat())
        .server(keys(0))
}

type Said<'a> = (Lane, &'a [u8]);

const A: Lane = Lane::A;
const B: Lane = Lane::B;

pub(super) fn smtp() -> Talk {
    after(&[
        (B, b"220 mail.example ESMTP\r\n"),
        (A, b"EHLO me\r\n"),
        (B, b"250-mail.example\r\n250 STARTTLS\r\n"),
        (A, b"STARTTLS\r\n"),
        (B, b"220 go ahead\r\n"),
    ])
}

pub(super) fn proxied() -> Talk {
    after(&[(A, b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n")])
}

#[test]
fn tls_is_found_after_every_known_preamble() {
    let proxy_v2 = [
        &b"\r\n\r\n\0\r\nQUIT\n"[..],
        &[
            0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 7, 0x13, 0x88, 1, 0xbb,
        ],
    ]
    .concat();
    let socks5 = [&[5, 1, 0, 3, 11][..], b"web.example", &[1, 0xbb]].concat();
    let ldap = [
        &[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16][..],
        b"1.3.6.1.4.1.1466.20037",
    ]
    .concat();
    let mysql = [
        &[0x4a, 0, 0, 0, 10][..],
        b"8.0.33\0 and so on, with a salt and flags",
    ]
    .concat();
    let mysql_request = [&[0x20, 0, 0, 1, 0x85, 0xae, 0xff, 0x19][..], &[0; 28]].concat();
    let stories: Vec<(Protocol, Vec<Said<'_>>)> = vec![
        (
            Protocol::ProxyV1,
            vec![(A, b"PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n")],
        ),
        (Protocol::ProxyV2, vec![(A, &proxy_v2)]),
        (
            Protocol::HttpConnect,
            vec![
                (
                    A,
                    b"CONNECT web.example:443 HTTP/1.1\r\nHost: web.example\r\n\r\n",
                ),
                (B, b"HTTP/1.1 200 Connection established\r\n\r\n"),
            ],
        ),
        (
            Protocol::Socks4,
            vec![
                (A, &[4, 1, 1, 0xbb, 198, 51, 100, 7, 0]),
                (B, &[0, 90, 0, 0, 0, 0, 0, 0]),
            ],
        ),
        (
            Protocol::Socks5,
            vec![
                (A, &[5, 1, 0]),
                (B, &[5, 0]),
                (A, &socks5),
                (B, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            ],
        ),
        (
            Protocol::Smtp,
            vec![
                (B, b"220 mail.example ESMTP\r\n"),
                (A, b"EHLO me\r\nSTARTTLS\r\n"),
                (B, b"220 go ahead\r\n"),
            ],
        ),
        (
            Protocol::Imap,
            vec![
                (B, b"* OK ready\r\n"),
                (A, b"a STARTTLS\r\n"),
                (B, b"a OK\r\n"),
            ],
        ),
        (
            Protocol::Pop3,
            vec![(B, b"+OK ready\r\n"), (A, b"STLS\r\n"), (B, b"+OK\r\n")],
        ),
        (
            Protocol::Ftp,
            vec![
                (B, b"220 ready\r\n"),
                (A, b"AUTH TLS\r\n"),
                (B, b"234 go\r\n"),
            ],
        ),
        (
            Protocol::Ldap,
            vec![
                (A, &ldap),
                (B, &[0x30, 0x0c, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0]),
            ],
        ),
        (
            Protocol::Xmpp,
            vec![
                (A, b"<?xml version='1.0'?><stream:stream>"),
                (B, b"<?xml version='1.0'?><stream:stream><stream:features/>"),
                (A, b"<starttls/>"),
                (B, b"<proceed/>"),
            ],
        ),
        (
            Protocol::Postgresql,
            vec![(A, b"\0\0\0\x08\x04\xd2\x16\x2f"), (B, b"S")],
        ),
        (Protocol::Mysql, vec![(B, &mysql), (A, &mysql_request)]),
        (
            Protocol::Rdp,
            vec![
                (
                    A,
                    &[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0],
                ),
                (
                    B,
                    &[
                        3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0,
                    ],
                ),
            ],
        ),
        (
            Protocol::Nntp,
            vec![
                (B, b"200 news\r\n"),
                (A, b"STARTTLS\r\n"),
                (B, b"382 go\r\n"),
            ],
        ),
        (
            Protocol::Sieve,
            vec![
                (B, b"\"IMPLEMENTATION\" \"x\"\r\nOK\r\n"),
                (A, b"STARTTLS\r\n"),
                (B, b"OK\r\n"),
            ],
        ),
    ];
    for (protocol, before) in stories {
        let talk = after(&before);
        let seen = talk.seen();
        let preamble = seen.preamble.as_ref().expect("a preamble");
        assert_eq!(preamble.protocol, protocol, "{before:?}");
        assert_eq!(seen.client, Some(Lane::A), "{protocol:?}");
        let hello = seen.client_hello.seen().unwrap();
        assert_eq!(
            hello.server_name,
            ServerName::Name(b"inner.example".to_vec())
        );
        assert_eq!(
            seen.certificates.seen().map(|list| list.len()),
            Some(2),
            "{protocol:?}"
        );
        assert_eq!(seen.lanes.a.framing, Framing::Kept);
    }
}

#[test]
fn a_preamble_says_whom_it_names() {
    let preamble = |before: &[Said<'_>]| after(before).seen().preamble.unwrap();
    let proxy = proxied().seen().preamble.unwrap();
    assert_eq!(proxy.client.as_deref(), Some("192.0.2.1:5000"));
    assert_eq!(proxy.server.as_deref(), Some("198.51.100.7:443"));
    let connect = preamble(&[
        (A, b"CONNECT web.example:443 HTTP/1.1\r\n\r\n"),
        (B, b"HTTP/1.1 200\r\n\r\n"),
    ]);
    assert_eq!(connect.target.as_deref(), Some("web.example:443"));
    let socks4a = [&[4, 1, 1, 0xbb, 0, 0, 0, 1][..], b"me\0web.example\0"].concat();
    assert_eq!(
        preamble(&[(A, &socks4a)]).target.as_deref(),
        Some("web.example:443")
    );
    let login = [
        &[1, 2, b'm', b'e', 1, b'x'][..],
        &[5, 1, 0, 1, 10, 0, 0, 1, 0, 80],
    ]
    .concat();
    let socks5 = preamble(&[(A, &[5, 1, 2]), (B, &[5, 2]), (A, &login), (B, &[1, 0])]);
    assert_eq!(socks5.target.as_deref(), Some("10.0.0.1:80"));
    let v6 = preamble(&[(A, b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n")]);
    assert_eq!(v6.client.as_deref(), Some("[2001:db8::1]:1"));
}

#[test]
fn a_server_that_answers_in_plaintext_is_quoted() {
    let seen = Talk::new()
        .client(hello().bytes())
        .server(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .seen();
    assert_eq!(
        seen.plaintext_answer.as_deref(),
        Some(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..])
    );
    assert_eq!(seen.preamble, None);
}

#[test]
fn tls_after_unknown_plaintext_is_found_where_a_piece_begins() {
    let found = Talk::new()
        .client("who knows")
        .server("nobody")
        .client(hello().named("odd.example").bytes())
        .server(record(22, tls12_flight()));
    let seen = found.observer().finish().expect("TLS");
    assert_eq!(
        seen.preamble.map(|preamble| preamble.protocol),
        Some(Protocol::Unknown)
    );
    assert_eq!(seen.certificates.seen().map(|list| list.len()), Some(2));
    let inside = Talk::new().client([b"wrapped: ".to_vec(), hello().bytes()].concat());
    assert!(inside.observer().finish().is_none());
}

#[test]
fn plaintext_without_end_is_not_tls() {
    for start in ["220 ready\r\n", "GET / HTTP/1.1\r\n"] {
        let mut observer = Observer::new(Limits::default());
        observer.on_bytes(Lane::A, start.as_bytes(), 0);
        for _ in 0..70 {
            assert!(observer.held_len() < 8192);
            observer.on_bytes(Lane::A, &[b'x'; 1000], 0);
        }
        assert_eq!(observer.progress(), Progress::NotTls);
        assert!(observer.finish().is_none());
    }
}

#[test]
fn a_proxy_header_is_seen_where_the_capture_begins_late() {
    let mut talk = proxied();
    talk.0
        .insert(0, Event::Gap(Lane::A, 0, GapReason::Midstream));
    let seen = talk.seen();
    assert_eq!(seen.preamble.unwrap().protocol, Protocol::ProxyV1);
    assert!(seen.client_hello.seen().unwrap().complete);
}
