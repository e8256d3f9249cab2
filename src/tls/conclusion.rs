//! What the two sides together prove, once nothing more will come.

use crate::tls::cipher::{self, Authentication};
use crate::tls::extension::Ticket;
use crate::tls::handshake::{Framing, Resumption, Session};
use crate::tls::observed::Unseen;
use crate::tls::server_hello::ServerHello;
use crate::tls::side::{Asked, Flight, Side};

/// Why no certificate of the server was seen.
pub(crate) fn certificates_unseen<M>(asker: &Side<M>, server: &Side<M>, refused: bool) -> Unseen {
    if let Some(list) = &server.certificates {
        // A list without a certificate is none (RFC 5246, section 7.4.2).
        return list.cut.unwrap_or(Unseen::Malformed);
    }
    let Some(answer) = &server.answer else {
        return server.unseen_answer(asker, refused);
    };
    if answer.is_tls13() {
        return match answer.psk_selected {
            Some(_) => Unseen::Resumed,
            None => Unseen::Encrypted,
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
pub(crate) fn resumption<M>(asker: &Side<M>, server: &Side<M>) -> Option<Resumption> {
    let answer = server.answer.as_ref()?;
    if answer.is_tls13() {
        return answer.psk_selected.map(|_| Resumption::Psk);
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

/// What links the session to others.
pub(crate) fn session<M>(
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
        id_offered: hello.and_then(|hello| Ticket::new(&hello.session_id)),
        id_issued: issued.and_then(|answer| Ticket::new(&answer.session_id)),
        ticket_offered: hello.and_then(|hello| hello.psk_identity.or(hello.session_ticket)),
        ticket_issued,
    }
}
