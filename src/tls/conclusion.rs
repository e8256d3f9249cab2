//! What the two sides together prove, once nothing more will come.

use crate::tls::certificate::Certificates;
use crate::tls::cipher::{self, Authentication};
use crate::tls::extension::Ticket;
use crate::tls::handshake::{Framing, Handshake, Resumption, Session};
use crate::tls::lane::{Lane, Lanes};
use crate::tls::observed::{Observed, Unseen};
use crate::tls::server_hello::ServerHello;
use crate::tls::side::{Asked, Flight, Side};

/// The facts of both sides, once it is known which one is the client's; `refused` where an alert ended the handshake.
pub(crate) fn conclude<M: Copy>(
    client: Option<Lane>,
    sides: &mut Lanes<Side<M>>,
    refused: bool,
) -> Handshake<M> {
    let lanes = Lanes {
        a: sides.a.facts,
        b: sides.b.facts,
    };
    let (asker, server) = match client {
        Some(Lane::B) => (&mut sides.b, &mut sides.a),
        Some(Lane::A) | None => (&mut sides.a, &mut sides.b),
    };
    let resumption = resumption(asker, server);
    let certificates_unseen = certificates_unseen(asker, server, refused);
    let client_hello_unseen = asker.unseen_hello(server.answer.is_some());
    let server_hello_unseen = server.unseen_answer(asker, refused);
    let list = server.certificates.take().unwrap_or_default();
    let torn = !matches!(list.cut, None | Some(Unseen::Malformed | Unseen::Limit));
    let mut certificates = Observed::Unseen(certificates_unseen);
    let (mut certificates_cut, mut certificates_before_cut) = (None, Certificates::default());
    if torn {
        certificates_before_cut = list.certificates;
    } else if !list.certificates.is_empty() {
        certificates = Observed::Seen(list.certificates);
        certificates_cut = list.cut;
    }
    let session = session(
        asker.hello.as_deref(),
        server.answer.as_deref(),
        resumption,
        server.ticket,
    );
    let key_share = server.answer.as_ref().and_then(|answer| answer.key_share);
    let marks = asker.hello.as_ref().map(|asked| (asked.begun, asked.done));
    Handshake {
        client,
        client_hello: match asker.hello.take() {
            Some(asked) => Observed::Seen(asked.hello),
            None => Observed::Unseen(client_hello_unseen),
        },
        client_hello_mark: marks.map(|(begun, _)| begun),
        client_hello_done: marks.map(|(_, done)| done),
        server_hello: match server.answer.take() {
            Some(answer) => Observed::Seen(*answer),
            None => Observed::Unseen(server_hello_unseen),
        },
        hello_retry: false,
        certificates,
        certificates_cut,
        certificates_before_cut,
        certificate_requested: server.certificate_requested,
        client_certificates: asker.certificates.take().map(|list| list.certificates),
        curve: key_share.or(server.curve),
        alerts: Vec::new(),
        steps: Vec::new(),
        resumption,
        session,
        lanes,
        decrypted: false,
        unopened: None,
        http_status: None,
        tickets_issued: Vec::new(),
        inner_hello: None,
        preamble: None,
        plaintext_answer: None,
    }
}

/// Why no certificate of the server was seen.
fn certificates_unseen<M>(asker: &Side<M>, server: &Side<M>, refused: bool) -> Unseen {
    if let Some(list) = &server.certificates {
        // A list without a certificate is none (RFC 5246, section 7.4.2).
        return list.cut.unwrap_or(Unseen::Malformed);
    }
    let Some(answer) = &server.answer else {
        return server.unseen_answer(asker, refused);
    };
    if answer.is_tls13() {
        return match answer.psk_selected {
            Some(_) if is_external_psk(asker, answer) => Unseen::Psk,
            Some(_) => Unseen::Resumed,
            None if !server.is_open => Unseen::Encrypted,
            // Keys opened the flight, or would have: what is missing of it is missing.
            None => match server.facts.gap {
                Some(gap) => gap.into(),
                None if server.is_finished || server.facts.framing == Framing::Lost => {
                    Unseen::Malformed
                }
                None if server.is_overfull => Unseen::Limit,
                None if refused => Unseen::RefusedBefore,
                None => Unseen::CaptureEnded,
            },
        };
    }
    let authentication = answer.cipher_suite.and_then(cipher::authentication);
    match (server.flight, authentication) {
        (Flight::Abbreviated, _) => Unseen::Resumed,
        (_, Some(Authentication::Psk)) => Unseen::Psk,
        (_, Some(Authentication::None)) => Unseen::Anonymous,
        (Flight::Torn(why), _) => why.into(),
        _ if refused => Unseen::RefusedBefore,
        _ if server.facts.gap.is_some() || server.facts.framing == Framing::Lost => {
            server.facts.gap.map_or(Unseen::Malformed, Unseen::from)
        }
        // The flight ended, and there was none in it: the suite must be one of those without.
        (Flight::Full, _) => Unseen::Anonymous,
        (Flight::AwaitHello | Flight::AwaitCertificate, _) => Unseen::CaptureEnded,
    }
}

/// By what the session was resumed, where that is proved.
fn resumption<M>(asker: &Side<M>, server: &Side<M>) -> Option<Resumption> {
    let answer = server.answer.as_ref()?;
    if answer.is_tls13() {
        let selected = answer.psk_selected.map(|_| Resumption::Psk);
        return selected.filter(|_| !is_external_psk(asker, answer));
    }
    if server.flight != Flight::Abbreviated {
        return None;
    }
    let hello = &asker.hello.as_ref()?.hello;
    if hello.session_ticket.is_some() {
        return Some(Resumption::Ticket);
    }
    let echoed = !answer.session_id.is_empty() && answer.session_id == hello.session_id;
    (echoed || answer.sslv2).then_some(Resumption::SessionId)
}

/// TLS 1.3: whether the server took a key that was agreed before, and not a ticket.
fn is_external_psk<M>(asker: &Side<M>, answer: &ServerHello) -> bool {
    let is_external = asker
        .hello
        .as_ref()
        .is_some_and(|asked| asked.hello.psk_external);
    is_external && answer.psk_selected == Some(0)
}

/// What links the session to others.
fn session<M>(
    asked: Option<&Asked<M>>,
    answer: Option<&ServerHello>,
    resumption: Option<Resumption>,
    ticket_issued: Option<Ticket>,
) -> Session {
    let hello = asked.map(|asked| &asked.hello);
    // An echoed id is the client's, and in TLS 1.3 it is nothing but an echo.
    let issued = answer.filter(|answer| {
        let echoed = hello.is_some_and(|hello| hello.session_id == answer.session_id);
        !answer.is_tls13() && resumption.is_none() && !echoed
    });
    Session {
        // In TLS 1.3 it goes back to nothing (RFC 8446, section 4.1.2).
        id_offered: hello
            .filter(|_| !answer.is_some_and(ServerHello::is_tls13))
            .and_then(|hello| Ticket::new(&hello.session_id)),
        id_issued: issued.and_then(|answer| Ticket::new(&answer.session_id)),
        ticket_offered: hello.and_then(|hello| hello.psk_identity.or(hello.session_ticket)),
        ticket_issued,
    }
}
