//! What is kept of a flow that is over, until it is judged beside its neighbours.

use std::net::IpAddr;

use crate::analysis::connection::Connection;
use crate::analysis::kinds::Chain;
use crate::analysis::mark::Mark;
use crate::analysis::reading::Settled;
use crate::analysis::seen::{Tls, side};
use crate::flow::{CompactKey, Direction, Endpoint, FlowKey};
use crate::packet::{Cause, Encapsulation, Unreachable};
use crate::tls::GapReason;
use crate::verdict::{CaptureFacts, Close, Side};

/// A flow that is over.
#[derive(Debug)]
pub(super) struct Story {
    key: CompactKey,
    /// The direction from client to server.
    pub(super) client: Direction,
    pub(super) first: Mark,
    pub(super) last: Mark,
    pub(super) client_counts: Counts,
    pub(super) server_counts: Counts,
    pub(super) close: Option<Close>,
    tls: Option<Box<Tls>>,
    rare: Option<Box<Rare>>,
    pub(super) capture: CaptureFacts,
    /// Bytes were sent twice, and were not the same.
    pub(super) has_conflict: bool,
}

/// What few flows have.
#[derive(Debug, Default)]
struct Rare {
    /// Where the connection never came about.
    unreachable: Option<Knock>,
    /// An ICMP error that says one of its packets was too big.
    too_big: Option<TooBig>,
    /// The VLANs and tunnels around it.
    encapsulation: Option<Box<Encapsulation>>,
}

/// Goes through stories in their order, and waits for memory once for many: each is somewhere
/// else, and only what short loops read is fetched side by side.
pub(super) fn walk(stories: &[Box<Story>]) -> impl Iterator<Item = &Story> {
    stories.chunks(AHEAD).flat_map(|some| {
        touch(some.iter().map(|story| &**story));
        some.iter().map(|story| &**story)
    })
}

/// Reads what is about to be looked at.
pub(super) fn touch<'a>(stories: impl Iterator<Item = &'a Story> + Clone) {
    let own = |read, story: &Story| {
        let ends = story.first.frame ^ story.last.frame;
        read ^ ends ^ story.client_counts.bytes ^ u64::from(story.capture.gap)
    };
    let tls = |read, story: &Story| {
        let tls = story.tls.as_ref();
        read ^ tls.map_or(0, |tls| tls.touch())
    };
    let read = stories.clone().fold(0, own) ^ stories.fold(0, tls);
    // It is wanted in the cache and nowhere else.
    std::hint::black_box(read);
}

/// Stories that are fetched side by side: enough to hide what memory takes, and few enough to stay
/// in the cache.
pub(super) const AHEAD: usize = 32;

/// The largest packet that passes, where that is said, and who says so.
pub(super) type TooBig = (Option<u32>, IpAddr);

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

impl Story {
    /// The story of a connection that has left the table; `None` when it has nothing to tell.
    pub(super) fn of(key: FlowKey, connection: Connection) -> Option<Self> {
        let is_half_open = connection.is_half_open();
        let (attempts, hit_limit) = (connection.attempts(), connection.hit_limit);
        let (first, last, opener) = (connection.first, connection.last, connection.opener);
        let close = connection.close;
        let is_closed = connection.is_closed();
        let lanes = [
            *connection.lane(Direction::LowToHigh),
            *connection.lane(Direction::HighToLow),
        ];
        let was_reset = lanes.iter().any(|lane| lane.has_rst);
        let mut connection = connection;
        let encapsulation = connection.take_encapsulation();
        let icmp = connection.take_icmp();
        let too_big = icmp.as_ref().and_then(|icmp| match icmp.cause {
            Cause::TooBig { mtu } => Some(((mtu > 0).then_some(mtu), icmp.from)),
            _ => None,
        });
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
            limit: hit_limit,
        };
        let has_conflict = settled.as_ref().is_some_and(|settled| settled.has_conflict);
        let tls = settled.map(|settled| {
            let Settled {
                mut tls,
                gaps,
                late_alerts,
                ..
            } = *settled;
            for reason in gaps.into_iter().flatten() {
                match reason {
                    GapReason::Lost => capture.gap = true,
                    GapReason::Truncated => capture.truncated = true,
                    GapReason::Limit => capture.limit = true,
                    GapReason::Midstream => capture.midstream = true,
                }
            }
            tls.conclude(late_alerts, client, close, &mut capture);
            tls
        });
        let unreachable = (tls.is_none() && is_half_open).then_some(Knock {
            attempts,
            was_reset,
            icmp,
        });
        let is_rare = unreachable.is_some() || too_big.is_some() || encapsulation.is_some();
        let rare = is_rare.then(|| {
            Box::new(Rare {
                unreachable,
                too_big,
                encapsulation,
            })
        });
        Some(Self {
            key: key.into(),
            client,
            first,
            last,
            client_counts: Counts {
                bytes: from_client.bytes,
                packets: u64::from(from_client.packets),
            },
            server_counts: Counts {
                bytes: from_server.bytes,
                packets: u64::from(from_server.packets),
            },
            close,
            tls,
            rare,
            capture,
            has_conflict,
        })
    }

    /// The two ends.
    pub(super) fn key(&self) -> FlowKey {
        self.key.key()
    }

    /// What TLS showed; `None` where the connection never came about.
    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// Forgets what links its session to others: books have entered it.
    pub(super) fn forget_session(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.forget_session();
        }
    }

    /// The chains of both sides.
    pub(super) fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.tls().into_iter().flat_map(Tls::chains)
    }

    /// What became of a connection that never came about.
    pub(super) fn unreachable(&self) -> Option<&Knock> {
        self.rare.as_ref()?.unreachable.as_ref()
    }

    /// The VLANs and tunnels around it, where there are any.
    pub(super) fn encapsulation(&self) -> Option<&Encapsulation> {
        self.rare.as_ref()?.encapsulation.as_deref()
    }

    /// An ICMP error that says one of its packets was too big.
    pub(super) fn too_big(&self) -> Option<TooBig> {
        self.rare.as_ref()?.too_big
    }

    /// The client's end.
    pub(super) fn source(&self) -> Endpoint {
        self.key().source(self.client)
    }

    /// The server's end.
    pub(super) fn destination(&self) -> Endpoint {
        self.key().destination(self.client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_flow_is_small() {
        assert_eq!(size_of::<Story>(), 128);
        assert_eq!(size_of::<Tls>(), 128);
        assert_eq!(size_of::<Settled>(), 48);
    }
}
