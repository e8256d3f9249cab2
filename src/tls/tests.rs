//! Stories of whole conversations, told byte by byte.

use super::*;

use self::preamble::{proxied, smtp};
use self::talk::*;

mod incomplete;
mod preamble;
mod rfc8448;
mod talk;

#[test]
fn a_handshake_of_tls_1_2_shows_both_hellos_and_the_chain() {
    let seen = tls12().seen();
    assert_eq!(seen.client, Some(Lane::A));
    let client = seen.client_hello.seen().unwrap();
    assert!(client.complete);
    assert_eq!(
        client.server_name,
        ServerName::Name(b"api.example".to_vec())
    );
    let server = seen.server_hello.seen().unwrap();
    assert_eq!(
        (server.version(), server.alpn.as_deref()),
        (0x0303, Some(&b"h2"[..]))
    );
    assert_eq!(
        **seen.certificates.seen().unwrap(),
        [LEAF.to_vec(), ISSUER.to_vec()]
    );
    assert_eq!(seen.certificates_cut, None);
    assert_eq!((seen.curve, seen.resumption), (Some(29), None));
    assert_eq!(tls12().observer().progress(), Progress::Settled);
    let kinds: Vec<StepKind> = seen.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            StepKind::Message(MessageType::CLIENT_HELLO),
            StepKind::Message(MessageType::SERVER_HELLO),
            StepKind::Message(MessageType::CERTIFICATE),
            StepKind::Message(MessageType::SERVER_KEY_EXCHANGE),
            StepKind::Message(MessageType::SERVER_HELLO_DONE),
            StepKind::Message(MessageType::CLIENT_KEY_EXCHANGE),
            StepKind::ChangeCipherSpec,
            StepKind::EncryptedHandshake,
            StepKind::ChangeCipherSpec,
            StepKind::EncryptedHandshake,
            StepKind::ApplicationData,
        ]
    );
}

#[test]
fn tls_1_3_hides_the_certificate_and_says_so() {
    let seen = tls13().seen();
    assert_eq!(seen.version(), Some(0x0304));
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
    assert_eq!(seen.curve, Some(29));
    assert_eq!(seen.lanes.b.application_data.record_count, 3);
}

#[test]
fn every_prefix_of_a_conversation_ends_without_panic_and_claims_no_more_than_the_whole() {
    let whole = tls12().seen();
    for talk in [tls12(), tls13()] {
        for (at, event) in talk.0.iter().enumerate() {
            let Event::Bytes(lane, bytes) = event else {
                continue;
            };
            for len in 0..bytes.len().min(200) {
                let mut cut = Talk(talk.0[..at].to_vec());
                cut.0.push(Event::Bytes(*lane, bytes[..len].to_vec()));
                let Some(seen) = cut.handshake() else {
                    continue;
                };
                if let Some(hello) = seen.client_hello.seen() {
                    assert_ne!(hello.server_name, ServerName::Absent);
                }
                let chain = whole.certificates.seen().unwrap();
                assert!(seen.certificates.seen().is_none_or(|list| list == chain));
                assert!(chain.starts_with(&seen.certificates_before_cut));
            }
        }
    }
}

#[test]
fn every_flipped_byte_ends_without_panic() {
    for talk in [tls12(), tls13(), sslv2(), smtp(), proxied()] {
        for at in 0..talk.0.len() {
            let Event::Bytes(_, bytes) = &talk.0[at] else {
                continue;
            };
            for place in 0..bytes.len().min(400) {
                for mask in [0x01, 0x80, 0xff] {
                    let mut flipped = talk.clone();
                    if let Event::Bytes(_, bytes) = &mut flipped.0[at] {
                        bytes[place] ^= mask;
                    }
                    let whole = flipped.observer().finish();
                    let cut = flipped.observer_in_pieces_of(3).finish();
                    // What nobody knows is looked for at the start of a piece only.
                    let unknown = |seen: &Option<Handshake<u32>>| {
                        seen.as_ref()
                            .and_then(|seen| seen.preamble.as_ref())
                            .is_none_or(|preamble| preamble.protocol == Protocol::Unknown)
                    };
                    if !unknown(&whole) || !unknown(&cut) {
                        assert!(cut == whole, "event {at}, byte {place}, mask {mask}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_hello_without_extensions_names_nobody() {
    let talk = Talk::new().client(hello().without_extensions().bytes());
    let seen = talk.seen();
    let hello = seen.client_hello.seen().unwrap();
    assert!(hello.complete);
    assert_eq!(hello.server_name, ServerName::Absent);
    assert_eq!(seen.server_hello, Observed::Unseen(Unseen::CaptureEnded));
}

#[test]
fn a_malformed_extension_before_the_name_loses_neither_name_nor_truth() {
    let broken = extension(13, [0, 9, 4]);
    let seen = Talk::new()
        .client(hello().with(broken).named("a.example").bytes())
        .seen();
    let hello = seen.client_hello.seen().unwrap();
    assert_eq!(hello.server_name, ServerName::Name(b"a.example".to_vec()));
    assert_eq!(hello.malformed_extensions, [13]);
    assert!(hello.complete);
}

fn name_in(extensions: impl AsRef<[u8]>) -> ServerName {
    let seen = Talk::new().client(hello().with(extensions).bytes()).seen();
    seen.client_hello.seen().unwrap().server_name.clone()
}

#[test]
fn a_name_is_absent_only_where_nothing_could_hide_it() {
    assert_eq!(name_in(extension(23, [])), ServerName::Absent);
    // A length that leads out of the block, and bytes too few for an extension.
    assert_eq!(name_in([0, 23, 0, 200, 1]), ServerName::Unknown);
    assert_eq!(name_in([0, 23, 0]), ServerName::Unknown);
}

#[test]
fn a_name_that_is_there_is_told_from_one_that_cannot_be_read() {
    assert_eq!(name_in(extension(0, [])), ServerName::Empty);
    assert_eq!(name_in(extension(0, [0, 0])), ServerName::Empty);
    assert_eq!(name_in(sni("")), ServerName::Empty);
    let beyond = extension(0, [0, 5, 0, 0, 9, b'a', b'b']);
    assert!(matches!(name_in(beyond), ServerName::Invalid(_)));
    assert!(matches!(name_in(extension(0, [1])), ServerName::Invalid(_)));
    // A list that claims too much around a name that is whole.
    let lying = extension(0, [0, 99, 0, 0, 1, b'a']);
    assert_eq!(name_in(lying), ServerName::Name(b"a".to_vec()));
}

#[test]
fn the_first_host_name_counts_and_is_kept_as_sent() {
    let other_kind = [vec![7], vec16("x")].concat();
    let names = [
        other_kind,
        vec![0],
        vec16("API.example."),
        vec![0],
        vec16("b"),
    ]
    .concat();
    let first = ServerName::Name(b"API.example.".to_vec());
    assert_eq!(name_in(extension(0, vec16(names))), first);
    assert_eq!(name_in([sni("API.example."), sni("b")].concat()), first);
    let seen = Talk::new()
        .client(hello().named("a").named("b").bytes())
        .seen();
    assert_eq!(seen.client_hello.seen().unwrap().repeated_extensions, [0]);
}

#[test]
fn an_address_in_place_of_a_name_is_said() {
    for text in ["10.1.2.3", "2001:db8::1", "[::1]"] {
        assert_eq!(name_in(sni(text)), ServerName::IpLiteral(text.to_owned()));
    }
    for text in ["10.1.2.3.example", "abc", "10.1.2", "1.2.3.4."] {
        assert_eq!(name_in(sni(text)), ServerName::Name(text.into()));
    }
}

#[test]
fn a_hello_is_read_from_many_records_and_a_record_from_many_messages() {
    let message = hello().named("split.example").message();
    for size in [1, 3, 50] {
        let seen = Talk::new()
            .client(records(&message, size))
            .server(records(tls12_flight(), size))
            .seen();
        let hello = seen.client_hello.seen().unwrap();
        assert_eq!(
            hello.server_name,
            ServerName::Name(b"split.example".to_vec())
        );
        assert_eq!(seen.certificates.seen().map(|list| list.len()), Some(2));
    }
}

#[test]
fn empty_records_are_passed_over() {
    let seen = Talk::new()
        .client([record(22, []), hello().named("a.example").bytes()].concat())
        .server([record(22, []), record(22, []), record(22, tls12_flight())].concat())
        .seen();
    assert!(seen.client_hello.seen().unwrap().complete);
    assert_eq!(seen.certificates.seen().map(|list| list.len()), Some(2));
}

fn retry(draft: bool) -> Talk {
    let retry = if draft {
        message(6, [vec![0x7f, 18], vec16(extension(40, [0, 23]))].concat())
    } else {
        server_hello_with(
            server_hello::RETRY_RANDOM,
            0x1301,
            &[],
            extension(43, [3, 4]),
        )
    };
    Talk::new()
        .client(
            hello()
                .named("first.example")
                .with(extension(10, [0, 2, 0, 29]))
                .bytes(),
        )
        .server([record(22, retry), record(20, [1])].concat())
        .client([record(20, [1]), hello().named("second.example").bytes()].concat())
        .server([record(22, tls13_hello()), record(23, [0; 900])].concat())
}

#[test]
fn after_a_retry_request_the_first_hello_of_the_client_and_the_second_of_the_server_count() {
    for draft in [false, true] {
        let seen = retry(draft).seen();
        assert!(seen.hello_retry);
        let hello = seen.client_hello.seen().unwrap();
        assert_eq!(
            hello.server_name,
            ServerName::Name(b"first.example".to_vec())
        );
        assert_eq!(hello.groups(), [29]);
        let answer = seen.server_hello.seen().unwrap();
        assert_eq!((answer.random, answer.version()), ([0x22; 32], 0x0304));
        let hellos = seen
            .steps
            .iter()
            .filter(|step| step.kind == StepKind::Message(MessageType::CLIENT_HELLO));
        assert_eq!(hellos.count(), 2);
        assert!(
            seen.steps
                .iter()
                .any(|step| step.kind == StepKind::HelloRetryRequest)
        );
    }
}

#[test]
fn the_short_hello_of_early_drafts_is_read() {
    let mut body = vec![0x7f, 18];
    body.extend([0x22; 32]);
    body.extend([0x13, 0x01]);
    body.extend(vec16(extension(40, [vec![0, 29], vec16([5; 32])].concat())));
    let seen = Talk::new()
        .client(hello().bytes())
        .server([record(22, message(2, body)), record(23, [0; 60])].concat())
        .seen();
    let answer = seen.server_hello.seen().unwrap();
    assert_eq!(
        (answer.version(), answer.cipher_suite),
        (0x7f12, Some(0x1301))
    );
    assert!(answer.is_tls13());
    assert_eq!(seen.curve, Some(29));
}

fn resumed(client: Hello, session_id: &[u8]) -> Handshake<u32> {
    Talk::new()
        .client(client.bytes())
        .server([record(22, server_hello(ECDHE_RSA, session_id, [])), keys(0)].concat())
        .client(keys(0))
        .client(record(23, [0; 90]))
        .seen()
}

#[test]
fn a_resumption_has_no_certificate_and_says_by_what_it_was() {
    let by = |client: Hello, session_id: &[u8]| {
        let seen = resumed(client, session_id);
        assert_eq!(seen.certificates, Observed::Unseen(Unseen::Resumed));
        seen.resumption
    };
    let id = [9; 32];
    assert_eq!(by(hello().session(&id), &id), Some(Resumption::SessionId));
    let ticket = hello().with(extension(35, [1; 180]));
    assert_eq!(by(ticket.clone(), &[]), Some(Resumption::Ticket));
    assert_eq!(by(ticket.session(&id), &id), Some(Resumption::Ticket));
    // Neither: it was resumed all the same, by what is not known.
    assert_eq!(by(hello(), &[]), None);
}

#[test]
fn what_links_a_resumption_to_its_full_handshake_is_kept() {
    let id = [9; 32];
    let flight = [
        server_hello(ECDHE_RSA, &id, []),
        certificate(&[LEAF]),
        message(14, []),
    ]
    .concat();
    let ticket = message(4, [vec![0, 0, 1, 0], vec16([1; 180])].concat());
    let first = Talk::new()
        .client(hello().bytes())
        .server(record(22, flight))
        .server([record(22, ticket), keys(0)].concat())
        .seen();
    let second = resumed(hello().session(&id).with(extension(35, [1; 180])), &id);
    assert!(first.session.id_issued.is_some());
    assert_eq!(first.session.id_issued, second.session.id_offered);
    assert!(first.session.ticket_issued.is_some());
    assert_eq!(first.session.ticket_issued, second.session.ticket_offered);
    assert_eq!(second.session.id_issued, None);
}

#[test]
fn a_chosen_psk_of_tls_1_3_is_a_resumption_if_it_came_from_a_ticket() {
    let chosen = |age: [u8; 4], which: u8| {
        let psk = [extension(43, [3, 4]), extension(41, [0, which])].concat();
        let one = [vec16([8; 100]), age.to_vec()].concat();
        let other = [vec16([9; 10]), vec![0; 4]].concat();
        let binders = vec16([vec8([7; 32]), vec8([7; 32])].concat());
        let offer = extension(41, [vec16([one, other].concat()), binders].concat());
        Talk::new()
            .client(hello().with(offer).bytes())
            .server(
                [
                    record(22, server_hello(0x1301, &[], psk)),
                    record(23, [0; 60]),
                ]
                .concat(),
            )
            .seen()
    };
    let seen = chosen([1, 2, 3, 4], 0);
    assert_eq!(seen.resumption, Some(Resumption::Psk));
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Resumed));
    assert_eq!(
        seen.session.ticket_offered.map(|ticket| ticket.len),
        Some(100)
    );
    // Whoever was given a key beforehand knows no age of a ticket.
    let seen = chosen([0; 4], 0);
    assert_eq!(seen.resumption, None);
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Psk));
    // Of the other one nothing is known.
    assert_eq!(chosen([0; 4], 1).resumption, Some(Resumption::Psk));
}

#[test]
fn suites_without_a_certificate_are_told_from_a_missing_one() {
    let unseen = |suite: u16| {
        let flight = [
            server_hello(suite, &[], []),
            message(12, [0; 60]),
            message(14, []),
        ];
        Talk::new()
            .client(hello().bytes())
            .server(record(22, flight.concat()))
            .seen()
            .certificates
            .unseen()
    };
    assert_eq!(unseen(0x0034), Some(Unseen::Anonymous), "DH_anon");
    assert_eq!(unseen(0xc018), Some(Unseen::Anonymous), "ECDH_anon");
    assert_eq!(unseen(0x008c), Some(Unseen::Psk), "PSK");
    assert_eq!(unseen(0xc035), Some(Unseen::Psk), "ECDHE_PSK");
}

#[test]
fn a_refusal_comes_before_the_certificate() {
    let talk = Talk::new()
        .client(hello().named("nobody.example").bytes())
        .server(record(21, [2, 112]));
    let seen = talk.seen();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::RefusedBefore));
    assert_eq!(seen.server_hello, Observed::Unseen(Unseen::RefusedBefore));
    let alert = seen.alerts[0];
    assert_eq!(
        (alert.lane, alert.level, alert.code, alert.encrypted),
        (Lane::B, 2, 112, false)
    );
    assert_eq!(talk.observer().progress(), Progress::Settled);
}

#[test]
fn a_warning_ends_nothing() {
    let talk = Talk::new()
        .client(hello().named("nobody.example").bytes())
        .server([record(21, [1, 112]), record(22, tls12_flight())].concat());
    assert_eq!(talk.observer().progress(), Progress::Handshaking);
    let seen = talk.seen();
    assert_eq!(seen.alerts[0].level, 1);
    assert_eq!(seen.certificates.seen().map(|list| list.len()), Some(2));
}

#[test]
fn an_encrypted_alert_is_one_alert_and_not_thirteen() {
    let seen = Talk::new()
        .client(hello().bytes())
        .server(record(22, tls12_flight()))
        .client(
            [
                record(22, message(16, [0; 33])),
                keys(0),
                record(21, [1; 26]),
            ]
            .concat(),
        )
        .seen();
    assert_eq!(seen.alerts.len(), 1);
    assert!(seen.alerts[0].encrypted);
}

#[test]
fn a_client_of_tls_1_3_may_refuse_in_clear() {
    let talk = Talk::new()
        .client(hello().bytes())
        .server([record(22, tls13_hello()), record(23, [0; 900])].concat())
        .client(record(21, [2, 48]));
    let seen = talk.seen();
    assert_eq!((seen.alerts[0].lane, seen.alerts[0].code), (Lane::A, 48));
    assert_eq!(talk.observer().progress(), Progress::Settled);
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Encrypted));
}

#[test]
fn a_client_certificate_is_not_the_servers() {
    let request = message(13, [1, 1, 0, 0]);
    let flight = [
        server_hello(ECDHE_RSA, &[], []),
        certificate(&[LEAF]),
        request,
        message(14, []),
    ];
    let talk = |client: &[&[u8]]| {
        Talk::new()
            .client(hello().bytes())
            .server(record(22, flight.concat()))
            .client(record(
                22,
                [certificate(client), message(16, [0; 33])].concat(),
            ))
            .seen()
    };
    let seen = talk(&[ISSUER]);
    assert!(seen.certificate_requested);
    assert_eq!(**seen.certificates.seen().unwrap(), [LEAF.to_vec()]);
    assert_eq!(seen.client_certificates, Some(vec![ISSUER.to_vec()].into()));
    assert_eq!(talk(&[]).client_certificates, Some(Certificates::default()));
}

#[test]
fn a_certificate_message_that_lies_keeps_what_came_before_the_lie() {
    let seen = |list: Vec<u8>| {
        Talk::new()
            .client(hello().bytes())
            .server(record(
                22,
                [server_hello(ECDHE_RSA, &[], []), message(11, list)].concat(),
            ))
            .seen()
    };
    let lying = vec24([vec24(LEAF), vec![0, 9, 9, 1]].concat());
    let lying = seen(lying);
    assert_eq!(**lying.certificates.seen().unwrap(), [LEAF.to_vec()]);
    assert_eq!(lying.certificates_cut, Some(Unseen::Malformed));
    let nothing = seen(vec24([0, 9, 9, 1]));
    assert_eq!(nothing.certificates, Observed::Unseen(Unseen::Malformed));
    let empty = seen(vec24([]));
    assert_eq!(empty.certificates, Observed::Unseen(Unseen::Malformed));
}

fn sslv2() -> Talk {
    let mut body = vec![1, 3, 1, 0, 6, 0, 0, 0, 16];
    body.extend([0, 0, 0x2f, 1, 0, 0x80]);
    body.extend([7; 16]);
    let client = [vec![0x80], vec8(body)].concat();
    Talk::new()
        .client(client)
        .server(record(22, tls12_flight()))
        .client([record(22, message(16, [0; 33])), keys(0)].concat())
        .server(keys(0))
}

#[test]
fn a_hello_of_ssl_2_is_answered_in_records() {
    let seen = sslv2().seen();
    let hello = seen.client_hello.seen().unwrap();
    assert!(hello.sslv2);
    assert_eq!(hello.server_name, ServerName::Absent);
    assert_eq!(seen.certificates.seen().map(|list| list.len()), Some(2));
    assert_eq!(seen.lanes.a.encrypted_handshake_count, 1);
}

#[test]
fn ssl_2_ends_with_its_hello() {
    let mut server = vec![4, 0, 1, 0, 2, 0, 5, 0, 3, 0, 16];
    server.extend(b"CERTI");
    server.extend([1, 0, 0x80]);
    server.extend([9; 16]);
    let mut talk = Talk(sslv2().0[..1].to_vec());
    talk = talk
        .server([vec![0x80], vec8(server)].concat())
        .client([0x80, 4, 2, 1, 0, 0x80]);
    let seen = talk.seen();
    assert_eq!(seen.version(), Some(2));
    assert_eq!(**seen.certificates.seen().unwrap(), [b"CERTI".to_vec()]);
    assert_eq!(talk.observer().progress(), Progress::Settled);
}

#[test]
fn endless_messages_and_records_stay_within_the_limits() {
    let mut observer = Observer::new(Limits::default());
    observer.on_bytes(Lane::A, &hello().bytes(), 0);
    let huge = [vec![11, 0xff, 0xff, 0xff], vec![0; 9000]].concat();
    observer.on_bytes(Lane::B, &record(22, server_hello(ECDHE_RSA, &[], [])), 0);
    observer.on_bytes(Lane::B, &record(22, huge), 0);
    for _ in 0..2000 {
        observer.on_bytes(Lane::B, &record(22, [0; 9000]), 0);
        observer.on_bytes(Lane::A, &record(21, [1, 0]), 0);
    }
    assert!(observer.held_len() < 300_000);
    let seen = observer.finish().unwrap();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Limit));
    assert!(seen.steps.len() <= 48 && seen.alerts.len() <= 16);
}

#[test]
fn a_false_header_cannot_hold_the_search_for_long() {
    let mut observer = Observer::new(Limits::default());
    observer.on_gap(Lane::A, 0, GapReason::Midstream, 0);
    for _ in 0..200 {
        observer.on_bytes(Lane::A, &[23, 3, 3, 0x4f, 0xff].repeat(200), 0);
        assert!(observer.held_len() < 64 << 10);
    }
    assert_eq!(observer.progress(), Progress::NotTls);
}

#[test]
fn the_tail_goes_on_where_the_observer_stands() {
    let mut observer = tls12().observer();
    let half = record(23, [5; 50]);
    observer.on_bytes(Lane::A, &half[..3], 0);
    let mut tail = observer.tail(Lane::A).unwrap();
    let mut seen = Vec::new();
    let rest = [&half[3..], &record(21, [0; 26])].concat();
    tail.on_bytes(&rest, |kind, len| seen.push((kind.0, len)))
        .unwrap();
    assert_eq!(seen, [(23, 50), (21, 26)]);
    assert!(Talk::new().observer().tail(Lane::A).is_none());
}

#[test]
fn the_first_bytes_tell_what_may_become_tls() {
    for bytes in [
        &b"\x16"[..],
        b"\x16\x03\x01",
        b"\x80\x2e\x01\x03\x01",
        b"2",
        b"220 x",
        b"\x05\x01\x00",
        b"",
    ] {
        assert!(may_begin(bytes), "{bytes:?}");
    }
    for bytes in [
        &b"GET / HTTP/1.1"[..],
        b"SSH-2.0-x",
        b"\x16\x02\x09",
        b"\0\0\0\0\0\0\0\0",
    ] {
        assert!(!may_begin(bytes), "{bytes:?}");
    }
}

#[test]
fn every_prefix_of_a_hello_begins_one() {
    let (client, server) = (hello().named("a").bytes(), record(22, tls12_flight()));
    for len in 6..60 {
        assert!(begins_client_hello(&client[..len]));
        assert!(!begins_server_hello(&client[..len]));
        assert!(begins_server_hello(&server[..len]));
    }
    assert!(!begins_client_hello(&client[..5]));
    let mut wrong = client;
    wrong[43] = 33;
    assert!(!begins_client_hello(&wrong));
}

#[test]
fn a_hello_of_either_side_is_one() {
    let (client, server) = (hello().named("a").bytes(), record(22, tls12_flight()));
    let sslv2 = b"\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10".to_vec();
    for first in 0..=u8::MAX {
        for hello in [&client, &server, &sslv2] {
            let mut bytes = hello.clone();
            bytes[0] = first;
            for len in 0..bytes.len().min(60) {
                let bytes = &bytes[..len];
                let of_either = begins_client_hello(bytes) || begins_server_hello(bytes);
                assert_eq!(begins_hello(bytes), of_either, "{bytes:?}");
            }
        }
    }
    assert!(begins_hello(&client) && begins_hello(&server) && begins_hello(&sslv2));
}

#[test]
fn records_are_found_only_in_a_row() {
    let two = [record(23, [1; 30]), record(21, [0; 26])].concat();
    assert_eq!(find_records(&[vec![7; 9], two.clone()].concat()), Some(9));
    assert_eq!(find_records(&two[..39]), None);
    assert_eq!(find_records(&two[..40]), Some(0));
    assert_eq!(
        find_records(&[record(23, [1; 30]), vec![0; 30]].concat()),
        None
    );
}

#[test]
fn a_name_is_read_like_by_another_parser() {
    // The names of tls-parser on hellos that are right.
    for name in ["a", "api.example", "xn--bcher-kva.example"] {
        let hello = hello().with(extension(
            16,
            vec16([vec8("h2"), vec8("http/1.1")].concat()),
        ));
        let message = hello.named(name).message();
        let (_, theirs) = tls_parser::parse_tls_handshake_client_hello(&message[4..]).unwrap();
        let (_, extensions) =
            tls_parser::parse_tls_client_hello_extensions(theirs.ext.unwrap()).unwrap();
        let ours = ClientHello::parse(&message[4..], true).unwrap();
        let suites: Vec<u16> = theirs.ciphers.iter().map(|suite| suite.0).collect();
        assert_eq!(ours.cipher_suites(), suites);
        assert_eq!(ours.server_name, ServerName::Name(name.into()));
        assert_eq!(
            extensions,
            [
                tls_parser::TlsExtension::ALPN(vec![b"h2", b"http/1.1"]),
                tls_parser::TlsExtension::SNI(vec![(
                    tls_parser::SNIType::HostName,
                    name.as_bytes()
                )]),
            ]
        );
        assert_eq!(ours.alpn().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
    }
}

#[test]
fn a_server_that_lags_behind_in_the_capture_is_waited_for() {
    let mut talk = Talk::new()
        .client(hello().bytes())
        .server(record(22, server_hello(ECDHE_RSA, &[], [])))
        .client([record(22, message(16, [0; 33])), keys(0)].concat());
    for _ in 0..60 {
        talk = talk.client(record(23, [0; 50]));
    }
    assert_eq!(talk.observer().progress(), Progress::Handshaking);
    talk = talk.server(
        [
            record(22, certificate(&[LEAF])),
            keys(0),
            record(23, [0; 9]),
        ]
        .concat(),
    );
    assert_eq!(talk.observer().progress(), Progress::Settled);
    assert_eq!(
        talk.seen().certificates.seen().map(|list| list.len()),
        Some(1)
    );
}

#[test]
fn the_certificates_of_both_forms_are_read() {
    use certificate::{CertificateList, Form};
    let old = vec24([vec24(LEAF), vec24(ISSUER)].concat());
    let entries = [
        vec24(LEAF),
        vec16(extension(5, [1; 9])),
        vec24(ISSUER),
        vec16([]),
    ];
    let new = [vec8([]), vec24(entries.concat())].concat();
    let expected = CertificateList {
        certificates: vec![LEAF.to_vec(), ISSUER.to_vec()].into(),
        cut: None,
    };
    assert_eq!(CertificateList::parse(&old, Form::Tls12, None), expected);
    assert_eq!(CertificateList::parse(&new, Form::Tls13, None), expected);
}
