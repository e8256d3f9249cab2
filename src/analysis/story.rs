//! What is kept of a flow that is over, until it is judged beside its neighbours.

use std::sync::Arc;

use crate::analysis::connection::Connection;
use crate::analysis::mark::Mark;
use crate::analysis::shared::{Answer, Chain, Client, Shared};
use crate::flow::{Direction, Endpoint, FlowKey};
use crate::packet::{Encapsulation, Unreachable};
use crate::tls::{
    Alert, GapReason, Handshake, Lane, Observed, Preamble, Resumption, ServerName, Session, Unseen,
};
use crate::verdict::{
    Act, CaptureFacts, ClearAlert, ClientCertificate, Close, Course, Reaction, Side,
};

/// A flow that is over.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) key: FlowKey,
    /// The direction from client to server.
    pub(super) client: Direction,
    pub(super) first: Mark,
    pub(super) last: Mark,
    pub(super) client_counts: Counts,
    pub(super) server_counts: Counts,
    pub(super) close: Option<Close>,
    pub(super) tls: Option<Box<Tls>>,
    /// Where the connection never came about.
    pub(super) unreachable: Option<Knock>,
    pub(super) encapsulation: Option<Box<Encapsulation>>,
    pub(super) capture: CaptureFacts,
    pub(super) has_conflict: bool,
}

/// Payload bytes and frames of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) bytes: u64,
    pub(super) packets: u64,
}

/// A SYN that nobody took.
#[derive(Debug)]
pub(super) struct Knock {
    pub(super) attempts: u32,
    pub(super) was_reset: bool,
    pub(super) icmp: Option<Box<Unreachable>>,
}

/// What TLS showed.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) server_name: Observed<ServerName>,
    pub(super) random: Option<[u8; 32]>,
    pub(super) client: Option<Arc<Client>>,
    pub(super) answer: Option<Arc<Answer>>,
    pub(super) chain: Observed<Arc<Chain>>,
    pub(super) client_chain: Option<Arc<Chain>>,
    pub(super) client_certificate: ClientCertificate,
    pub(super) has_certificate_request: bool,
    pub(super) alerts: Vec<StoryAlert>,
    /// The first gap of each direction.
    gaps: [Option<GapReason>; 2],
    pub(super) acts: Arc<Box<[Act]>>,
    pub(super) reaction: Reaction,
    pub(super) resumption: Option<Resumption>,
    pub(super) session: Box<Session>,
    pub(super) preamble: Option<Box<Preamble>>,
    pub(super) has_lossy_text: bool,
    /// When the ClientHello was seen; validity is judged at it.
    pub(super) hello_at: Option<Mark>,
}

/// An alert by role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoryAlert {
    pub(super) by: Side,
    /// Level and description; `None` where it is encrypted.
    pub(super) clear: Option<(u8, u8)>,
}

impl Story {
    /// The story of a connection that has left the table; `None` when it has nothing to tell.
    pub(super) fn of(key: FlowKey, connection: Connection) -> Option<Self> {
        let is_half_open = connection.is_half_open();
        let facts = connection.facts;
        let (first, last, opener) = (connection.first, connection.last, connection.opener);
        let close = connection.close;
        let is_closed = connection.is_closed();
        let lanes = [
            *connection.lane(Direction::LowToHigh),
            *connection.lane(Direction::HighToLow),
        ];
        let was_reset = lanes.iter().any(|lane| lane.has_rst);
        let mut connection = connection;
        let encapsulation = connection.encapsulation.take();
        let icmp = connection.icmp.take();
        let settled = connection.into_settled();
        let client = match &settled {
            Some(settled) => settled.client,
            None => opener.filter(|_| is_half_open)?,
        };
        let [low, high] = lanes;
        let (from_client, from_server) = match client {
            Direction::LowToHigh => (low, high),
            Direction::HighToLow => (high, low),
        };
        let close = close.map(|(direction, how)| Close {
            by: side(direction, client),
            how,
        });
        let mut capture = CaptureFacts {
            midstream: !from_client.is_from_start && !from_server.is_from_start,
            missing_side: match (from_client.packets, from_server.packets) {
                (0, _) => Some(Side::Client),
                (_, 0) if !is_half_open => Some(Side::Server),
                _ => None,
            },
            truncated: false,
            gap: false,
            ended: !is_closed,
            limit: facts.hit_limit || facts.was_evicted,
        };
        let has_conflict = settled.as_ref().is_some_and(|settled| settled.has_conflict);
        let tls = settled.map(|settled| {
            let mut tls = settled.tls;
            for reason in tls.gaps.into_iter().flatten() {
                match reason {
                    GapReason::Lost => capture.gap = true,
                    GapReason::Truncated => capture.truncated = true,
                    GapReason::Limit => capture.limit = true,
                    GapReason::Midstream => capture.midstream = true,
                }
            }
            tls.conclude(&settled.late_alerts, client, close, &capture);
            tls
        });
        let unreachable = (tls.is_none() && is_half_open).then_some(Knock {
            attempts: facts.syn_count,
            was_reset,
            icmp,
        });
        Some(Self {
            key,
            client,
            first,
            last,
            client_counts: Counts {
                bytes: from_client.bytes,
                packets: from_client.packets,
            },
            server_counts: Counts {
                bytes: from_server.bytes,
                packets: from_server.packets,
            },
            close,
            tls,
            unreachable,
            encapsulation,
            capture,
            has_conflict,
        })
    }

    /// The client's end.
    pub(super) fn source(&self) -> Endpoint {
        self.key.source(self.client)
    }

    /// The server's end.
    pub(super) fn destination(&self) -> Endpoint {
        self.key.destination(self.client)
    }
}

impl Tls {
    /// What a handshake showed by itself. How the connection ended is added by
    /// [`Tls::conclude`], when it has.
    pub(super) fn of(handshake: Handshake<Mark>, client: Direction, shared: &Shared) -> Self {
        let by = |lane: Lane| side(direction(lane), client);
        let acts: Vec<Act> = handshake
            .steps
            .iter()
            .map(|step| Act {
                by: by(step.lane),
                kind: step.kind,
                len: step.len,
            })
            .collect();
        let alerts: Vec<StoryAlert> = handshake
            .alerts
            .iter()
            .map(|alert| story_alert(alert, by(alert.lane)))
            .collect();
        let answer = handshake
            .server_hello
            .seen()
            .map(|hello| shared.answer(hello, handshake.curve));
        let is_tls13 = answer.as_ref().is_some_and(|answer| answer.is_tls13);
        let chain = match &handshake.certificates {
            Observed::Seen(ders) => Observed::Seen(shared.chain(ders)),
            Observed::Unseen(why) => Observed::Unseen(*why),
        };
        let client_certificate = match (
            &handshake.client_certificates,
            handshake.certificate_requested,
        ) {
            (Some(ders), _) if !ders.is_empty() => ClientCertificate::Sent,
            (Some(_), _) => ClientCertificate::Missing,
            (None, true) => ClientCertificate::Requested,
            (None, false) if is_tls13 => ClientCertificate::ProbablyMissing,
            (None, false) => ClientCertificate::NotRequested,
        };
        let (server_name, random, kind) = match handshake.client_hello {
            Observed::Seen(hello) => {
                let kind = shared.client(&hello);
                (
                    Observed::Seen(hello.server_name),
                    Some(hello.random),
                    Some(kind),
                )
            }
            Observed::Unseen(why) => (Observed::Unseen(why), None, None),
        };
        let is_name_lossy = match &server_name {
            Observed::Seen(ServerName::Name(name) | ServerName::Invalid(name)) => {
                str::from_utf8(name).is_err()
            }
            _ => false,
        };
        let has_lossy_text = is_name_lossy
            || kind.as_ref().is_some_and(|kind| kind.has_lossy_text)
            || answer.as_ref().is_some_and(|answer| answer.has_lossy_text)
            || chain.seen().is_some_and(|chain| {
                chain
                    .certificates
                    .iter()
                    .any(|known| known.certificate.lossy_text)
            });
        Self {
            server_name,
            random,
            client: kind,
            answer,
            chain,
            client_chain: handshake
                .client_certificates
                .filter(|ders| !ders.is_empty())
                .map(|ders| shared.chain(&ders)),
            client_certificate,
            has_certificate_request: handshake.certificate_requested,
            alerts,
            acts: shared.course(&acts),
            reaction: Reaction::Unfinished,
            gaps: [handshake.lanes.a.gap, handshake.lanes.b.gap],
            resumption: handshake.resumption,
            session: Box::new(handshake.session),
            preamble: handshake.preamble.map(Box::new),
            has_lossy_text,
            hello_at: handshake.client_hello_mark,
        }
    }

    /// Adds what only the end of the connection tells: late alerts, how it was taken, and why a
    /// certificate was not seen.
    fn conclude(
        &mut self,
        late: &[Direction],
        client: Direction,
        close: Option<Close>,
        capture: &CaptureFacts,
    ) {
        let late = late.iter().map(|direction| StoryAlert {
            by: side(*direction, client),
            clear: None,
        });
        self.alerts.extend(late);
        let clear: Vec<ClearAlert> = self
            .alerts
            .iter()
            .filter_map(|alert| {
                let (level, code) = alert.clear?;
                Some(ClearAlert {
                    by: alert.by,
                    is_fatal: level == FATAL,
                    code,
                })
            })
            .collect();
        let is_tls13 = self.answer.as_ref().is_some_and(|answer| answer.is_tls13);
        self.reaction = Course {
            acts: &self.acts,
            alerts: &clear,
            close,
            is_tls13,
        }
        .reaction();
        if let Observed::Unseen(why) = &mut self.chain {
            *why = refine(*why, capture, close);
        }
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
        clear: (!alert.encrypted).then_some((alert.level, alert.code)),
    }
}

const fn direction(lane: Lane) -> Direction {
    match lane {
        Lane::A => Direction::LowToHigh,
        Lane::B => Direction::HighToLow,
    }
}

fn side(direction: Direction, client: Direction) -> Side {
    if direction == client {
        Side::Client
    } else {
        Side::Server
    }
}

const FATAL: u8 = 2;
