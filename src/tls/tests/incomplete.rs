//! What the capture lost, cut short, or shows from one side or from the middle.

use super::*;

#[test]
fn a_gap_inside_a_certificate_loses_that_message_only() {
    let flight = record(22, tls12_flight());
    let at = 5 + server_hello(ECDHE_RSA, &[], extension(16, vec16(vec8("h2")))).len() + 100;
    let seen = Talk::new()
        .client(hello().bytes())
        .server(&flight[..at])
        .gap(Lane::B, 300, GapReason::Lost)
        .server(&flight[at + 300..])
        .seen();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Gap));
    assert_eq!(
        seen.curve,
        Some(29),
        "the ServerKeyExchange behind it was read"
    );
    let done = StepKind::Message(MessageType::SERVER_HELLO_DONE);
    assert!(seen.steps.iter().any(|step| step.kind == done));
    assert_eq!(seen.lanes.b.framing, Framing::Kept);
    assert_eq!(seen.lanes.b.gap, Some(GapReason::Lost));
}

#[test]
fn a_chain_that_was_cut_behind_the_leaf_is_not_seen_but_the_leaf_is_kept() {
    let flight = record(22, tls12_flight());
    let at = 5 + server_hello(ECDHE_RSA, &[], extension(16, vec16(vec8("h2")))).len() + 800;
    let seen = Talk::new()
        .client(hello().bytes())
        .server(&flight[..at])
        .gap(Lane::B, 5000, GapReason::Truncated)
        .seen();
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Truncated));
    assert_eq!(*seen.certificates_before_cut, [LEAF.to_vec()]);
}

#[test]
fn after_a_gap_over_record_borders_two_records_in_a_row_bring_the_framing_back() {
    let seen = Talk::new()
        .client(hello().bytes())
        .server(&record(22, tls12_flight())[..200])
        .gap(Lane::B, 3000, GapReason::Lost)
        .server([vec![0x17; 77], record(23, [0x55; 40]), record(21, [2, 20])].concat())
        .seen();
    assert_eq!(seen.lanes.b.framing, Framing::FoundAgain);
    assert_eq!(seen.lanes.b.application_data.record_count, 1);
    assert_eq!(seen.alerts.len(), 1);
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Gap));
}

#[test]
fn a_last_record_counts_only_where_one_is_due() {
    let talk = |junk: &[u8]| {
        Talk::new()
            .client(hello().bytes())
            .server(&record(22, tls12_flight())[..200])
            .gap(Lane::B, 3000, GapReason::Lost)
            .server([junk, &record(21, [2, 20])].concat())
            .seen()
    };
    assert_eq!(talk(&[]).alerts.len(), 1);
    assert_eq!(talk(&[1]).alerts.len(), 0);
}

#[test]
fn a_hello_cut_by_the_snap_length_is_read_as_far_as_it_goes() {
    let named_first = hello()
        .named("cut.example")
        .with(extension(21, [0; 300]))
        .bytes();
    let named_last = hello()
        .with(extension(21, [0; 300]))
        .named("cut.example")
        .bytes();
    let cut = |bytes: &[u8]| {
        let seen = Talk::new()
            .client(&bytes[..150])
            .gap(
                Lane::A,
                u64::try_from(bytes.len() - 150).unwrap(),
                GapReason::Truncated,
            )
            .server(record(22, tls12_flight()))
            .seen();
        let hello = seen.client_hello.seen().unwrap();
        assert!(!hello.complete);
        assert_eq!(hello.cipher_suites(), [0x1301, 0xc02f]);
        hello.server_name.clone()
    };
    assert_eq!(cut(&named_first), ServerName::Name(b"cut.example".to_vec()));
    assert_eq!(cut(&named_last), ServerName::Unknown);
}

#[test]
fn a_hello_of_which_only_the_version_is_left_proves_tls_and_no_more() {
    let seen = Talk::new()
        .client(&hello().named("cut.example").bytes()[..30])
        .gap(Lane::A, 60, GapReason::Truncated)
        .seen();
    assert_eq!(seen.client, Some(Lane::A));
    assert_eq!(seen.client_hello, Observed::Unseen(Unseen::Truncated));
}

#[test]
fn a_flow_from_the_middle_is_tls_without_a_client() {
    let seen = Talk::new()
        .gap(Lane::A, 0, GapReason::Midstream)
        .client(
            [
                record(23, [3; 200]),
                record(23, [4; 100]),
                record(23, [4; 100]),
            ]
            .concat(),
        )
        .gap(Lane::B, 0, GapReason::Midstream)
        .server([vec![9; 30], record(23, [3; 200]), record(23, [4; 100])].concat())
        .seen();
    assert_eq!(seen.client, None);
    assert_eq!(seen.client_hello, Observed::Unseen(Unseen::Midstream));
    assert_eq!(seen.server_hello, Observed::Unseen(Unseen::Midstream));
    assert_eq!(seen.certificates, Observed::Unseen(Unseen::Midstream));
    assert_eq!(seen.lanes.b.application_data.record_count, 2);
}

#[test]
fn a_hello_alone_is_found_where_a_capture_begins_late() {
    let seen = Talk::new()
        .gap(Lane::A, 0, GapReason::Midstream)
        .client(hello().named("late.example").bytes())
        .seen();
    let hello = seen.client_hello.seen().unwrap();
    assert_eq!(
        hello.server_name,
        ServerName::Name(b"late.example".to_vec())
    );
}

#[test]
fn one_record_from_the_middle_proves_nothing() {
    let talk = Talk::new()
        .gap(Lane::A, 0, GapReason::Midstream)
        .client(record(23, [3; 200]));
    assert!(talk.handshake().is_none());
}

#[test]
fn one_direction_alone_says_so() {
    let server = Talk::new().server(record(22, tls12_flight())).seen();
    assert_eq!(server.client, Some(Lane::A));
    assert_eq!(server.client_hello, Observed::Unseen(Unseen::OneSided));
    let client = Talk::new()
        .client(hello().bytes())
        .client([record(22, message(16, [0; 33])), keys(0)].concat())
        .client(record(23, [0; 90]))
        .seen();
    assert_eq!(client.server_hello, Observed::Unseen(Unseen::OneSided));
    assert_eq!(client.certificates, Observed::Unseen(Unseen::OneSided));
    let refusal = Talk::new().client([hello().bytes(), record(21, [2, 48])].concat());
    let certificates = refusal.seen().certificates;
    assert_eq!(certificates, Observed::Unseen(Unseen::OneSided));
}

#[test]
fn the_server_may_be_seen_before_the_client() {
    let mut late = tls12();
    late.0.swap(0, 1);
    let (late, usual) = (late.seen(), tls12().seen());
    assert_eq!(late.client_hello, usual.client_hello);
    assert_eq!(late.certificates, usual.certificates);
}
