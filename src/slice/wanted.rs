//! The flows that are wanted, and which of them a frame belongs to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::flow::FlowKey;
use crate::slice::extent::Extent;
use crate::time::Timestamp;

/// The flows whose packets are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    flows: Vec<Flow>,
    /// By their ends: one 5-tuple may have had several connections.
    by_key: HashMap<FlowKey, Vec<Seat>>,
    files: HashMap<Arc<str>, usize>,
    has_twins: bool,
}

#[derive(Clone, Copy, Debug)]
struct Flow {
    first: Place,
    last: Place,
    start: i64,
    end: i64,
}

/// A file by its place in the order of reading, and a frame in it.
type Place = (usize, u64);

#[derive(Clone, Copy, Debug)]
struct Seat {
    flow: usize,
    /// Under other addresses it has frames of its own, of which only the time is known.
    is_twin: bool,
}

impl Wanted {
    /// These flows, in files that were read in this order. A flow in a file that is not among them is
    /// left out.
    #[must_use]
    pub fn new(
        extents: impl IntoIterator<Item = Extent>,
        files: impl IntoIterator<Item = Arc<str>>,
    ) -> Self {
        let mut wanted = Self::default();
        for (at, file) in files.into_iter().enumerate() {
            wanted.files.entry(file).or_insert(at);
        }
        for extent in extents {
            let place = |(file, frame): &(Arc<str>, u64)| Some((*wanted.files.get(file)?, *frame));
            let (Some(first), Some(last)) = (place(&extent.first), place(&extent.last)) else {
                continue;
            };
            let flow = wanted.flows.len();
            wanted.flows.push(Flow {
                first,
                last,
                start: extent.start,
                end: extent.end,
            });
            wanted.has_twins |= !extent.twins.is_empty();
            let own = std::iter::once((extent.key, false));
            for (key, is_twin) in own.chain(extent.twins.into_iter().map(|key| (key, true))) {
                let seats = wanted.by_key.entry(key).or_default();
                seats.push(Seat { flow, is_twin });
            }
        }
        wanted
    }

    /// How many flows are wanted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.flows.len()
    }

    /// The place of a file in the order of reading.
    pub(crate) fn file(&self, name: &str) -> Option<usize> {
        self.files.get(name).copied()
    }

    /// Whether there may be something in a file.
    pub(crate) fn may_be_in(&self, file: usize) -> bool {
        !self.flows.is_empty()
            && (self.has_twins
                || self
                    .flows
                    .iter()
                    .any(|flow| (flow.first.0..=flow.last.0).contains(&file)))
    }

    /// The flow that a segment belongs to.
    pub(crate) fn flow_of(&self, key: &FlowKey, place: Place, time: Timestamp) -> Option<usize> {
        self.find(key, |flow, is_twin| {
            if is_twin {
                flow.is_about(time, TWIN_NANOS)
            } else {
                (flow.first..=flow.last).contains(&place)
            }
        })
    }

    /// The flow that an ICMP error is about, which may come after the last segment.
    pub(crate) fn flow_told_of(
        &self,
        key: &FlowKey,
        place: Place,
        time: Timestamp,
    ) -> Option<usize> {
        self.find(key, |flow, is_twin| {
            (is_twin || flow.first <= place) && flow.is_about(time, ICMP_NANOS)
        })
    }

    fn find(&self, key: &FlowKey, fits: impl Fn(&Flow, bool) -> bool) -> Option<usize> {
        let seats = self.by_key.get(key)?;
        seats
            .iter()
            .find(|seat| {
                let flow = self.flows.get(seat.flow);
                flow.is_some_and(|flow| fits(flow, seat.is_twin))
            })
            .map(|seat| seat.flow)
    }
}

impl Flow {
    fn is_about(&self, time: Timestamp, margin: i64) -> bool {
        let from = self.start.saturating_sub(margin);
        (from..=self.end.saturating_add(margin)).contains(&time.as_nanos())
    }
}

/// How far two captures of one connection may lie apart.
const TWIN_NANOS: i64 = 2_000_000_000;
/// How long a router may take to answer.
const ICMP_NANOS: i64 = 3_000_000_000;
