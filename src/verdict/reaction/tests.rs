//! Whole handshakes, by what each side did and how long it was.

use super::*;

const HELLO: StepKind = StepKind::Message(MessageType::CLIENT_HELLO);
const ANSWER: StepKind = StepKind::Message(MessageType::SERVER_HELLO);
const CLIENT_LEAVES: Option<Close> = Some(Close {
    by: Side::Client,
    how: Closing::Fin,
});

fn client(kind: StepKind, len: u32) -> Act {
    Act {
        by: Side::Client,
        kind,
        len,
    }
}

fn server(kind: StepKind, len: u32) -> Act {
    Act {
        by: Side::Server,
        kind,
        len,
    }
}

/// A TLS 1.3 flow whose client sends protected records of these lengths.
fn tls13(records: &[u32], close: Option<Close>) -> Reaction {
    let mut acts = vec![client(HELLO, 300), server(ANSWER, 122)];
    acts.extend([23, 823, 281, 69].map(|len| server(StepKind::ApplicationData, len)));
    acts.extend(
        records
            .iter()
            .map(|len| client(StepKind::ApplicationData, *len)),
    );
    let course = Course {
        acts: &acts,
        alerts: &[],
        close,
        is_tls13: true,
        hash_len: None,
    };
    course.reaction()
}

#[test]
fn in_tls13_the_size_of_the_first_record_tells_finished_from_alert() {
    for finished in [45, 53, 69, 85] {
        assert_eq!(tls13(&[finished, 120], None), Reaction::Accepted);
        assert_eq!(
            tls13(&[finished, 19], CLIENT_LEAVES),
            Reaction::LeftAfterHandshake
        );
        assert_eq!(
            tls13(&[finished], CLIENT_LEAVES),
            Reaction::LeftAfterHandshake
        );
        assert_eq!(tls13(&[finished], None), Reaction::Finished);
    }
    for alert in [11, 19, 35] {
        assert_eq!(tls13(&[alert], None), Reaction::Refused(Side::Client, None));
    }
    assert_eq!(tls13(&[], CLIENT_LEAVES), Reaction::LeftAfterAnswer);
    assert_eq!(tls13(&[], None), Reaction::Unfinished);
}

#[test]
fn in_tls13_a_short_request_is_no_alert_of_those_who_do_not_pad() {
    let reaction = |records: &[u32], hash_len| {
        let data = |len: &u32| client(StepKind::ApplicationData, *len);
        let mut acts = vec![client(HELLO, 300), server(ANSWER, 122)];
        acts.extend([23, 823, 281, 69].map(|len| server(StepKind::ApplicationData, len)));
        acts.extend(records.iter().map(data));
        Course {
            acts: &acts,
            alerts: &[],
            close: CLIENT_LEAVES,
            is_tls13: true,
            hash_len: Some(hash_len),
        }
        .reaction()
    };
    // `GET / HTTP/1.0` and two ends of lines are as long as an alert of JSSE.
    assert_eq!(reaction(&[53, 35, 19], 32), Reaction::Accepted);
    assert_eq!(reaction(&[69, 35, 19], 48), Reaction::Accepted);
    // Where Finished is padded too, it is one; so is what stands in place of Finished.
    for (finished, hash_len) in [(69, 32), (85, 48)] {
        let left = Reaction::LeftAfterHandshake;
        assert_eq!(reaction(&[finished, 35], hash_len), left);
        assert_eq!(reaction(&[finished, 19], hash_len), Reaction::Accepted);
    }
    assert_eq!(reaction(&[53, 19], 32), Reaction::LeftAfterHandshake);
    assert_eq!(reaction(&[45, 11], 32), Reaction::LeftAfterHandshake);
    assert_eq!(reaction(&[35], 32), Reaction::Refused(Side::Client, None));
}

#[test]
fn so_it_is_where_keys_opened_the_handshake_and_not_what_followed() {
    let reaction = |finished_len, then| {
        let data = StepKind::ApplicationData;
        let acts = [
            client(HELLO, 300),
            server(ANSWER, 122),
            client(StepKind::Message(MessageType::FINISHED), finished_len),
            server(data, 250),
            client(data, then),
        ];
        Course {
            acts: &acts,
            alerts: &[],
            close: CLIENT_LEAVES,
            is_tls13: true,
            hash_len: Some(32),
        }
        .reaction()
    };
    assert_eq!(reaction(36, 35), Reaction::Accepted);
    assert_eq!(reaction(36, 19), Reaction::LeftAfterHandshake);
    assert_eq!(reaction(36 + 16, 35), Reaction::LeftAfterHandshake);
    assert_eq!(reaction(36 + 16, 19), Reaction::Accepted);
    // Padded in another way: of an alert nothing is known.
    assert_eq!(reaction(u32::MAX, 35), Reaction::LeftAfterHandshake);
}

#[test]
fn in_tls13_a_client_certificate_comes_before_finished() {
    assert_eq!(
        tls13(&[900, 281, 53], CLIENT_LEAVES),
        Reaction::LeftAfterHandshake
    );
    assert_eq!(tls13(&[900, 281, 53, 100], None), Reaction::Accepted);
    let mut acts = vec![client(HELLO, 300), server(ANSWER, 122)];
    acts.extend([25, 53, 100].map(|len| client(StepKind::ApplicationData, len)));
    acts.push(server(StepKind::ApplicationData, 19));
    let course = |acts: &[Act]| {
        Course {
            acts,
            alerts: &[],
            close: Some(Close {
                by: Side::Server,
                how: Closing::Fin,
            }),
            is_tls13: true,
            hash_len: None,
        }
        .reaction()
    };
    assert_eq!(course(&acts), Reaction::Refused(Side::Server, None));
    // It only asked, went on without, and closed in good order.
    let served = [219, 300].map(|len| server(StepKind::ApplicationData, len));
    acts.splice(acts.len() - 1..acts.len() - 1, served);
    assert_eq!(course(&acts), Reaction::Accepted);
}

#[test]
fn in_tls13_early_data_that_was_taken_is_consent() {
    let sealed = StepKind::ApplicationData;
    let mut acts = vec![
        client(HELLO, 600),
        client(sealed, 200),
        server(ANSWER, 128),
        server(sealed, 60),
    ];
    let reaction = |acts: &[Act]| {
        Course {
            acts,
            alerts: &[],
            close: CLIENT_LEAVES,
            is_tls13: true,
            hash_len: None,
        }
        .reaction()
    };
    acts.extend([21, 53].map(|len| client(sealed, len)));
    assert_eq!(reaction(&acts), Reaction::Accepted);
    acts.remove(4);
    assert_ne!(reaction(&acts), Reaction::Accepted, "it was not taken");
}

#[test]
fn in_tls12_application_data_of_the_client_is_consent() {
    let finish = [
        client(StepKind::EncryptedHandshake, 40),
        server(StepKind::EncryptedHandshake, 40),
    ];
    let after = |last: Option<Act>, close| {
        let acts: Vec<Act> = finish.iter().copied().chain(last).collect();
        let course = Course {
            acts: &acts,
            alerts: &[],
            close,
            is_tls13: false,
            hash_len: None,
        };
        course.reaction()
    };
    let data = client(StepKind::ApplicationData, 100);
    let alert = client(StepKind::EncryptedAlert, 26);
    assert_eq!(after(Some(data), CLIENT_LEAVES), Reaction::Accepted);
    assert_eq!(after(Some(alert), None), Reaction::LeftAfterHandshake);
    assert_eq!(after(None, CLIENT_LEAVES), Reaction::LeftAfterHandshake);
    assert_eq!(after(None, None), Reaction::Finished);
}

#[test]
fn a_close_is_blamed_on_who_closed_first_and_when() {
    let acts = [client(HELLO, 300), server(ANSWER, 90)];
    let reaction = |acts: &[Act], by| {
        let how = Closing::Rst;
        let course = Course {
            acts,
            alerts: &[],
            close: Some(Close { by, how }),
            is_tls13: false,
            hash_len: None,
        };
        course.reaction()
    };
    assert_eq!(
        reaction(&acts[..1], Side::Server),
        Reaction::ClosedBeforeAnswer
    );
    assert_eq!(reaction(&acts[..1], Side::Client), Reaction::GaveUp);
    assert_eq!(reaction(&acts, Side::Server), Reaction::ClosedInHandshake);
    assert_eq!(reaction(&acts, Side::Client), Reaction::LeftAfterAnswer);
}

#[test]
fn a_warning_and_a_close_notify_decide_nothing() {
    let alert = |is_fatal, code| ClearAlert {
        by: Side::Server,
        is_fatal,
        code,
    };
    let reaction = |alerts: &[ClearAlert]| {
        let course = Course {
            acts: &[],
            alerts,
            close: None,
            is_tls13: false,
            hash_len: None,
        };
        course.reaction()
    };
    assert_eq!(
        reaction(&[alert(false, 112), alert(true, 0)]),
        Reaction::Unfinished
    );
    let refused = Reaction::Refused(Side::Server, Some(112));
    assert_eq!(reaction(&[alert(false, 112), alert(true, 112)]), refused);
}

/// A TLS 1.3 flow with SHA-256 after the server's hello and its flight: who sends records of which lengths.
fn tls13_by(records: &[(Side, u32)], close: Side) -> Reaction {
    let mut acts = vec![client(HELLO, 300), server(ANSWER, 122)];
    acts.extend([23, 823, 281, 53].map(|len| server(StepKind::ApplicationData, len)));
    let sealed = |(by, len): &(Side, u32)| Act {
        by: *by,
        kind: StepKind::ApplicationData,
        len: *len,
    };
    acts.extend(records.iter().map(sealed));
    let course = Course {
        acts: &acts,
        alerts: &[],
        close: Some(Close {
            by: close,
            how: Closing::Fin,
        }),
        is_tls13: true,
        hash_len: Some(32),
    };
    course.reaction()
}
use Side::{Client as C, Server as S};

#[test]
fn in_tls13_a_server_that_ends_it_first_was_not_refused() {
    // Tickets, then close_notify of one and the other.
    let tickets = [(C, 53), (S, 250), (S, 250)];
    for words in [&[(S, 19), (C, 19)][..], &[(S, 19)]] {
        let records = [&tickets[..], words].concat();
        assert_eq!(tls13_by(&records, C), Reaction::Finished, "{words:?}");
        assert_eq!(tls13_by(&records, S), Reaction::Finished, "{words:?}");
    }
    let records = [&tickets[..], &[(C, 19), (S, 19)]].concat();
    assert_eq!(tls13_by(&records, C), Reaction::LeftAfterHandshake);
}

#[test]
fn in_tls13_a_server_that_takes_no_client_certificate_is_told() {
    let refusal = [(S, 19)];
    for certificate in [
        &[(C, 409), (C, 96), (C, 53)][..],
        &[(C, 900), (C, 281), (C, 53), (C, 150)],
    ] {
        let refused = [certificate, &refusal].concat();
        assert_eq!(tls13_by(&refused, S), Reaction::ClosedInHandshake);
        let served = [certificate, &[(S, 250), (S, 400), (S, 19)]].concat();
        assert_ne!(tls13_by(&served, S), Reaction::ClosedInHandshake);
    }
}

#[test]
fn in_tls13_an_empty_certificate_is_padded_by_some() {
    for empty in [
        &[(C, 25), (C, 53)][..],
        &[(C, 41), (C, 69)],
        &[(C, 41), (C, 69), (C, 51)],
        &[(C, 77)],
    ] {
        let refused = [empty, &[(S, 19)]].concat();
        assert_eq!(
            tls13_by(&refused, S),
            Reaction::Refused(S, None),
            "{empty:?}"
        );
    }
    // A probe that leaves, and the goodbye of the server.
    let probe = [(C, 25), (C, 53), (C, 19), (S, 19)];
    assert_ne!(tls13_by(&probe, C), Reaction::Refused(S, None));
}

#[test]
fn in_tls13_nobody_dislikes_a_certificate_that_did_not_come() {
    let acts = [
        client(HELLO, 300),
        server(ANSWER, 122),
        server(StepKind::ChangeCipherSpec, 1),
    ];
    let course = Course {
        acts: &acts,
        alerts: &[],
        close: CLIENT_LEAVES,
        is_tls13: true,
        hash_len: Some(32),
    };
    assert_eq!(course.reaction(), Reaction::GaveUp);
}

#[test]
fn in_tls13_early_data_is_taken_though_the_answer_is_captured_first() {
    let taken = [(C, 200), (C, 21), (C, 53), (S, 250), (C, 19)];
    assert_eq!(tls13_by(&taken, C), Reaction::Accepted);
    // Some of it before the answer, some behind.
    let sealed = |len| client(StepKind::ApplicationData, len);
    let acts = [
        client(HELLO, 300),
        sealed(200),
        server(ANSWER, 122),
        sealed(200),
        sealed(21),
        sealed(53),
        sealed(19),
    ];
    let course = Course {
        acts: &acts,
        alerts: &[],
        close: CLIENT_LEAVES,
        is_tls13: true,
        hash_len: Some(32),
    };
    assert_eq!(course.reaction(), Reaction::Accepted);
}

#[test]
fn in_tls13_a_log_that_gets_no_answer_was_not_refused() {
    let log = [
        (C, 900),
        (C, 281),
        (C, 53),
        (C, 99),
        (C, 99),
        (C, 99),
        (C, 99),
        (S, 19),
    ];
    assert_eq!(tls13_by(&log, S), Reaction::Accepted);
}

#[test]
fn in_tls13_a_request_as_long_as_finished_is_one_behind_a_certificate_that_shares_its_record() {
    let request = [(C, 1200), (C, 53), (S, 250), (S, 300)];
    assert_eq!(tls13_by(&request, C), Reaction::Accepted);
}
