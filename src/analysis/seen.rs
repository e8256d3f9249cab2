//! What TLS showed on a flow, by role: what is kept of a handshake that nothing can change any
//! more.

use std::borrow::Cow;
use std::sync::Arc;

use crate::analysis::asked::Asked;
use crate::analysis::kinds::{Acts, Answer, Chain, Client};
use crate::analysis::mark::Mark;
use crate::analysis::reading::MAX_LATE_ALERTS;
use crate::analysis::scratch;
use crate::analysis::shared::Shared;
use crate::flow::{Direction, FlowKey};
use crate::packet::SeqNumber;
use crate::time::Timestamp;
use crate::tls::{
    Alert, Handshake, InnerHello, Lane, Observed, Preamble, Resumption, ServerHello, Session,
    Ticket, Unopened, Unseen,
};
use crate::verdict::{
    Act, CaptureFacts, ClearAlert, ClientCertificate, Close, Course, Reaction, Side, unify_sizes,
};

/// What TLS showed: as much as two cache lines, of which there may be hundreds of thousands.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) asked: Arc<Asked>,
    pub(super) random: Option<[u8; 32]>,
    /// A part of the server's random: enough to tell two answers apart.
    pub(super) server_random: Option<[u8; 8]>,
    /// The sequence number of the client's first byte.
    pub(super) begins_at: Option<SeqNumber>,
    /// Whether what the server sent may be records of TLS, whole or not.
    pub(super) has_framed_answer: bool,
    pub(super) client: Option<Arc<Client>>,
    pub(super) answer: Option<Arc<Answer>>,
    chain: Option<Arc<Chain>>,
    /// Why the chain was not seen; where it was, this means nothing.
    why_no_chain: Unseen,
    pub(super) client_certificate: ClientCertificate,
    pub(super) has_certificate_request: bool,
    /// Alerts after settlement, which were encrypted: who sent them.
    late_alerts: [Option<Side>; MAX_LATE_ALERTS],
    pub(super) acts: Arc<Acts>,
    pub(super) reaction: Reaction,
    pub(super) resumption: Option<Resumption>,
    /// Where there is anything that links it to another.
    session: Option<Box<Session>>,
    rare: Option<Box<Rare>>,
    pub(super) has_lossy_text: bool,
    /// When the ClientHello was seen, or else the first frame; validity is judged at it.
    pub(super) hello_at: Timestamp,
}

/// What few flows have, but for those with keys.
#[derive(Debug, Default)]
struct Rare {
    client_chain: Option<Arc<Chain>>,
    preamble: Option<Preamble>,
    /// What came of keys, where there were any.
    keyed: Option<Keyed>,
}

/// What came of keys.
#[derive(Debug)]
struct Keyed {
    encrypted: Option<EncryptedHello>,
    is_decrypted: bool,
    unopened: Option<Unopened>,
    tickets: Vec<Ticket>,
    http_status: Option<u16>,
}

/// What stood in an Encrypted Client Hello.
#[derive(Debug)]
pub(super) struct EncryptedHello {
    /// The server took it.
    pub(super) is_accepted: bool,
    pub(super) asked: Arc<Asked>,
    /// What the hello in clear asks for.
    pub(super) asked_in_clear: Arc<Asked>,
    pub(super) alpn: Vec<Arc<str>>,
    pub(super) random: [u8; 32],
    has_lossy_text: bool,
}

impl EncryptedHello {
    fn of(inner: &InnerHello, asked_in_clear: &Arc<Asked>, shared: &Shared) -> Self {
        let is_accepted = inner.is_accepted();
        let names = inner.hello.iter().flat_map(|hello| hello.alpn());
        let alpn: Vec<_> = names.map(|name| String::from_utf8_lossy(name)).collect();
        let asked = shared.asked(match &inner.hello {
            Some(hello) => Observed::Seen(hello.server_name.clone()),
            None => Observed::Unseen(Unseen::Encrypted),
        });
        let is_lossy = |text: &Cow<'_, str>| matches!(text, Cow::Owned(_));
        Self {
            is_accepted,
            has_lossy_text: asked.is_lossy || asked_in_clear.is_lossy || alpn.iter().any(is_lossy),
            asked,
            asked_in_clear: Arc::clone(asked_in_clear),
            alpn: alpn.into_iter().map(Arc::from).collect(),
            random: inner.random,
        }
    }
}

/// An alert by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoryAlert {
    pub(super) by: Side,
    /// Level and description, where they could be read.
    pub(super) content: Option<(u8, u8)>,
    /// It was sent encrypted, whether keys opened it or not.
    pub(super) was_encrypted: bool,
}

impl Rare {
    const fn is_any(&self) -> bool {
        self.client_chain.is_some() || self.preamble.is_some() || self.keyed.is_some()
    }
}

impl Tls {
    /// Reads a word of each cache line that it fills.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let in_front = self.hello_at.as_nanos().cast_unsigned();
        let behind = u64::from(self.has_lossy_text) ^ u64::from(self.random.is_some());
        in_front ^ behind ^ u64::from(self.begins_at.is_some())
    }

    /// What a handshake showed by itself, on a flow of which `first` is the first frame. How the connection ended is added by
    /// [`Tls::conclude`], when it has.
    pub(super) fn of(
        handshake: Handshake<Mark>,
        client: Direction,
        first: Mark,
        shared: &Shared,
    ) -> Self {
        let by = |lane: Lane| side(direction(lane), client);
        let acts = handshake.steps.iter().map(|step| Act {
            by: by(step.lane),
            kind: step.kind,
            len: step.len.saturating_add(step.padding.into()),
        });
        let alerts = handshake.alerts.iter();
        let alerts = alerts.map(|alert| story_alert(alert, by(alert.lane)));
        let answered = handshake.server_hello.seen();
        let acts = scratch::acts(|all| {
            all.extend(acts);
            unify_sizes(all, answered.map(ServerHello::is_tls13));
            shared.course(all, alerts)
        });
        let answer = handshake
            .server_hello
            .seen()
            .map(|hello| shared.answer(hello, handshake.curve));
        // The middle: servers have put the time at the front, and marks of a downgrade at the end.
        let server_random = handshake.server_hello.seen().and_then(|hello| {
            let (_, rest) = hello.random.split_first_chunk::<12>()?;
            rest.first_chunk().copied()
        });
        let is_tls13 = answer.as_ref().is_some_and(|answer| answer.is_tls13);
        let chain = handshake.certificates.seen();
        let chain = chain.map(|ders| shared.chain(ders));
        let client_certificate = match (
            &handshake.client_certificates,
            handshake.certificate_requested,
        ) {
            (Some(ders), _) if !ders.is_empty() => ClientCertificate::Sent,
            (Some(_), _) => ClientCertificate::Missing,
            (None, true) => ClientCertificate::Requested,
            // Keys opened the server's half of the handshake: there was no request in it.
            (None, false) if handshake.decrypted && handshake.unopened.is_none() => {
                ClientCertificate::NotRequested
            }
            (None, false) if is_tls13 => ClientCertificate::ProbablyMissing,
            (None, false) => ClientCertificate::NotRequested,
        };
        let (server_name, random, kind) = match handshake.client_hello {
            Observed::Seen(hello) => {
                let kind = shared.client(&hello, handshake.inner_hello.as_deref());
                (
                    Observed::Seen(hello.server_name),
                    Some(hello.random),
                    Some(kind),
                )
            }
            Observed::Unseen(why) => (Observed::Unseen(why), None, None),
        };
        let in_clear = shared.asked(server_name);
        let encrypted = handshake
            .inner_hello
            .map(|inner| EncryptedHello::of(&inner, &in_clear, shared));
        let asked = match &encrypted {
            Some(encrypted) if encrypted.is_accepted => Arc::clone(&encrypted.asked),
            _ => in_clear,
        };
        let has_lossy_text = asked.is_lossy
            || encrypted
                .as_ref()
                .is_some_and(|encrypted| encrypted.has_lossy_text)
            || kind.as_ref().is_some_and(|kind| kind.has_lossy_text)
            || answer.as_ref().is_some_and(|answer| answer.has_lossy_text)
            || chain.as_ref().is_some_and(|chain| {
                chain
                    .certificates
                    .iter()
                    .any(|known| known.certificate.lossy_text)
            });
        let rare = Rare {
            client_chain: handshake
                .client_certificates
                .filter(|ders| !ders.is_empty())
                .map(|ders| shared.chain(&ders)),
            preamble: handshake.preamble,
            keyed: (handshake.decrypted || handshake.unopened.is_some() || encrypted.is_some())
                .then_some(Keyed {
                    encrypted,
                    is_decrypted: handshake.decrypted,
                    unopened: handshake.unopened,
                    tickets: handshake.tickets_issued,
                    http_status: handshake.http_status,
                }),
        };
        Self {
            asked,
            random,
            server_random,
            begins_at: None,
            has_framed_answer: false,
            client: kind,
            answer,
            why_no_chain: handshake
                .certificates
                .unseen()
                .unwrap_or(Unseen::CaptureEnded),
            chain,
            client_certificate,
            has_certificate_request: handshake.certificate_requested,
            late_alerts: [None; MAX_LATE_ALERTS],
            acts,
            reaction: Reaction::Unfinished,
            resumption: handshake.resumption,
            session: (handshake.session != Session::default()).then(|| Box::new(handshake.session)),
            rare: rare.is_any().then(|| Box::new(rare)),
            has_lossy_text,
            hello_at: handshake.client_hello_mark.unwrap_or(first).time,
        }
    }

    /// The server's chain, or why it was not seen.
    #[inline]
    pub(super) fn chain(&self) -> Observed<&Arc<Chain>> {
        match &self.chain {
            Some(chain) => Observed::Seen(chain),
            None => Observed::Unseen(self.why_no_chain),
        }
    }

    /// The client's chain, where it sent one in clear.
    pub(super) fn client_chain(&self) -> Option<&Arc<Chain>> {
        self.rare.as_ref()?.client_chain.as_ref()
    }

    /// What stood before TLS.
    pub(super) fn preamble(&self) -> Option<&Preamble> {
        self.rare.as_ref()?.preamble.as_ref()
    }

    fn keyed(&self) -> Option<&Keyed> {
        self.rare.as_ref()?.keyed.as_ref()
    }

    /// The chains of both sides.
    #[inline]
    pub(super) fn chains(&self) -> impl Iterator<Item = &Chain> {
        let both = [self.chain.as_ref(), self.client_chain()];
        both.into_iter().flatten().map(|chain| &**chain)
    }

    /// The alerts of both sides, in order.
    pub(super) fn alerts(&self) -> impl Iterator<Item = StoryAlert> {
        let late = self.late_alerts.iter().flatten().map(|by| StoryAlert {
            by: *by,
            content: None,
            was_encrypted: true,
        });
        self.acts.alerts.iter().copied().chain(late)
    }

    /// Forgets what links its session to others, unless it is resumed: nobody will look for that here any more.
    pub(super) fn forget_session(&mut self) {
        if !self.is_resumed() {
            self.session = None;
        }
    }

    /// Whether it goes back to another handshake, whose certificate it does not repeat.
    pub(super) fn is_resumed(&self) -> bool {
        self.chain.is_none() && self.why_no_chain == Unseen::Resumed
    }

    /// What links the session to others.
    pub(super) fn session(&self) -> Session {
        self.session.as_deref().copied().unwrap_or_default()
    }

    /// Whether keys opened some of what was encrypted.
    pub(super) fn is_decrypted(&self) -> bool {
        self.keyed().is_some_and(|keyed| keyed.is_decrypted)
    }

    /// What stood in an Encrypted Client Hello that keys opened.
    pub(super) fn encrypted_hello(&self) -> Option<&EncryptedHello> {
        self.keyed()?.encrypted.as_ref()
    }

    /// Why keys did not open it.
    pub(super) fn unopened(&self) -> Option<Unopened> {
        self.keyed()?.unopened
    }

    /// The tickets that keys opened.
    pub(super) fn tickets(&self) -> &[Ticket] {
        self.keyed().map_or(&[], |keyed| keyed.tickets.as_slice())
    }

    /// The status of the first HTTP response, where keys opened it.
    pub(super) fn http_status(&self) -> Option<u16> {
        self.keyed()?.http_status
    }

    /// Adds what only the end of the connection tells: late alerts, how it was taken, and why a
    /// certificate was not seen.
    pub(super) fn conclude(
        &mut self,
        late: [Option<Direction>; MAX_LATE_ALERTS],
        client: Direction,
        close: Option<Close>,
        capture: &mut CaptureFacts,
    ) {
        self.late_alerts = late.map(|direction| Some(side(direction?, client)));
        let is_tls13 = self.answer.as_ref().is_some_and(|answer| answer.is_tls13);
        let clear: Vec<ClearAlert> = self
            .acts
            .alerts
            .iter()
            .filter_map(|alert| {
                let (level, code) = alert.content?;
                // In TLS 1.3 the level says nothing (RFC 8446, section 6).
                let is_fatal =
                    level == FATAL || (is_tls13 && alert.was_encrypted && code != USER_CANCELED);
                Some(ClearAlert {
                    by: alert.by,
                    is_fatal,
                    code,
                })
            })
            .collect();
        self.reaction = Course {
            acts: &self.acts.acts,
            alerts: &clear,
            close,
            is_tls13,
            hash_len: self.answer.as_ref().and_then(|answer| answer.hash_len),
        }
        .reaction();
        // Nobody complains of a certificate that was not sent: it is the capture that lacks it.
        let was_lost = matches!(
            self.reaction,
            Reaction::Refused(Side::Client, Some(42..=46 | 48))
        );
        let ended_before = self.chain.is_none() && self.why_no_chain == Unseen::CaptureEnded;
        if was_lost && !is_tls13 && ended_before {
            capture.gap = true;
        }
        self.why_no_chain = refine(self.why_no_chain, capture, close);
    }
}

/// Who the client is: a hello says it; else the SYN; else the higher port, which is a guess that
/// only flows without either need.
pub(super) fn client_of(
    handshake: &Handshake<Mark>,
    opener: Option<Direction>,
    key: &FlowKey,
) -> Direction {
    handshake
        .client
        .map(direction)
        .or(opener)
        .unwrap_or_else(|| {
            let low = key.source(Direction::LowToHigh).port;
            let high = key.source(Direction::HighToLow).port;
            if low >= high {
                Direction::LowToHigh
            } else {
                Direction::HighToLow
            }
        })
}

/// What TLS could not know when it found no certificate: how the capture and the connection ended.
fn refine(why: Unseen, capture: &CaptureFacts, close: Option<Close>) -> Unseen {
    match why {
        _ if capture.missing_side == Some(Side::Server) => Unseen::OneSided,
        Unseen::CaptureEnded if capture.truncated => Unseen::Truncated,
        Unseen::CaptureEnded if capture.limit => Unseen::Limit,
        Unseen::CaptureEnded if capture.gap => Unseen::Gap,
        Unseen::CaptureEnded if close.is_some() => Unseen::RefusedBefore,
        why => why,
    }
}

fn story_alert(alert: &Alert<Mark>, by: Side) -> StoryAlert {
    StoryAlert {
        by,
        content: alert.content(),
        was_encrypted: alert.encrypted,
    }
}

const fn direction(lane: Lane) -> Direction {
    match lane {
        Lane::A => Direction::LowToHigh,
        Lane::B => Direction::HighToLow,
    }
}

pub(super) fn side(direction: Direction, client: Direction) -> Side {
    if direction == client {
        Side::Client
    } else {
        Side::Server
    }
}

const FATAL: u8 = 2;
const USER_CANCELED: u8 = 90;

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn both_halves_of_it_are_touched() {
        let touched = [
            offset_of!(Tls, hello_at),
            offset_of!(Tls, has_lossy_text),
            offset_of!(Tls, random),
            offset_of!(Tls, begins_at),
        ];
        for half in [0..64, 64..128] {
            assert!(touched.iter().any(|at| half.contains(at)), "{touched:?}");
        }
    }
}
