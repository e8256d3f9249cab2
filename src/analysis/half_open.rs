//! A connection of which only SYNs were seen: of a flood there are as many as the limits allow, and
//! each new one drives out another.

use crate::analysis::connection::Connection;
use crate::analysis::lane::Signature;
use crate::analysis::mark::Mark;
use crate::flow::Direction;
use crate::packet::{Flags, PathId, Segment, SeqNumber};

/// A connection of which only SYNs were seen.
#[derive(Debug)]
pub(super) struct HalfOpen {
    first: Syn,
    /// The connection, where there is more of it than one SYN and nothing else.
    more: Option<Box<Connection>>,
}

/// What a SYN says, and where it was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syn {
    pub(super) mark: Mark,
    pub(super) signature: Signature,
    pub(super) seq: SeqNumber,
    pub(super) direction: Direction,
}

impl HalfOpen {
    /// What a SYN opens.
    #[inline]
    pub(super) fn by(segment: &Segment, mark: Mark) -> Self {
        Self {
            first: Syn {
                mark,
                signature: Signature::of(segment),
                seq: segment.seq,
                direction: segment.direction,
            },
            more: None,
        }
    }

    /// What a SYN opens that says more, as a connection has taken it.
    pub(super) fn by_more(segment: &Segment, connection: Connection) -> Self {
        Self {
            first: Self::by(segment, connection.first).first,
            more: Some(Box::new(connection)),
        }
    }

    /// Whether a segment is a SYN and nothing else, with nothing around it.
    #[inline]
    pub(super) fn is_bare_syn(segment: &Segment) -> bool {
        segment.flags.0 & ANSWERS_OR_ENDS.0 == 0
            && segment.wire_len == 0
            && segment.path == PathId::default()
    }

    /// Whether one SYN is all that was seen: it was not answered, nor crossed by another one.
    pub(super) const fn is_one_syn(&self) -> bool {
        self.more.is_none()
    }

    /// The connection, for more to be seen of it.
    pub(super) fn more(&mut self) -> &mut Connection {
        let first = &self.first;
        self.more
            .get_or_insert_with(|| Box::new(Connection::opened_by(first)))
    }

    /// The connection. It is what came of its segments, one after the other.
    pub(super) fn into_connection(self) -> Connection {
        let Self { first, more } = self;
        more.map_or_else(|| Connection::opened_by(&first), |connection| *connection)
    }
}

/// What answers, or ends.
const ANSWERS_OR_ENDS: Flags = Flags(Flags::FIN.0 | Flags::RST.0 | Flags::ACK.0);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::analysis::connection::Environment;
    use crate::analysis::keyring::Keyring;
    use crate::analysis::mark::Origin;
    use crate::analysis::shared::Shared;
    use crate::flow::FlowKey;
    use crate::pki::Catalog;
    use crate::reassembly::{Limits, Recent};
    use crate::time::{Precision, Timestamp};

    #[test]
    fn one_syn_is_what_a_connection_makes_of_it() {
        let mark = Mark {
            frame: 7,
            time: Timestamp::from_parts(1_700_000_000, 5),
            file: 2,
            origin: Origin::new(3, Precision::Nanoseconds),
        };
        let limits = Limits::default();
        let catalog = Arc::new(Catalog::builtin().clone());
        let shared = Shared::new(&limits, 7, catalog, false, Keyring::default());
        for (from, to) in [(40_000, 443), (443, 40_000)] {
            let (key, direction) = FlowKey::v4([192, 0, 2, 1], from, [192, 0, 2, 1], to);
            let segment = Segment {
                key,
                direction,
                seq: SeqNumber(u32::MAX),
                ack: SeqNumber(9),
                flags: Flags(Flags::SYN.0 | 0xc0),
                window: 64_240,
                ip_id: 4,
                payload_start: 54,
                payload_len: 0,
                wire_len: 0,
                path: PathId::default(),
            };
            assert!(HalfOpen::is_bare_syn(&segment));
            let mut env = Environment {
                limits: &limits,
                shared: &shared,
                recent: &mut Recent::none(),
            };
            let mut connection = Connection::new(mark);
            connection.take(&segment, &[], mark, &mut env);
            let expected = format!("{connection:?}");
            let mut half_open = HalfOpen::by(&segment, mark);
            assert_eq!(
                format!("{:?}", HalfOpen::by(&segment, mark).into_connection()),
                expected
            );
            assert!(half_open.is_one_syn());
            assert_eq!(format!("{:?}", half_open.more()), expected);
            assert!(!half_open.is_one_syn());
            assert_eq!(format!("{:?}", half_open.into_connection()), expected);
            assert_eq!(
                format!(
                    "{:?}",
                    HalfOpen::by_more(&segment, connection).into_connection()
                ),
                expected
            );
        }
    }
}
