//! Where a flow stands in the inputs.

use std::sync::Arc;

use crate::flow::{Endpoint, FlowKey};
use crate::report::FlowReport;

/// Where a flow stands: its ends, its first and its last frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    pub(crate) key: FlowKey,
    /// The same connection under other addresses.
    pub(crate) twins: Vec<FlowKey>,
    pub(crate) first: (Arc<str>, u64),
    pub(crate) last: (Arc<str>, u64),
    /// Nanoseconds since 1970.
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Extent {
    /// Where the flow of `report` stands. `None` where its two ends are of different versions of IP,
    /// which no flow of a run is.
    #[must_use]
    pub fn of(report: &FlowReport) -> Option<Self> {
        let client = Endpoint::new(report.source.ip, report.source.port);
        let server = Endpoint::new(report.destination.ip, report.destination.port);
        let (key, _) = FlowKey::between(client, server)?;
        let capture = &report.tlstriage.capture;
        let file = Arc::clone(&capture.file);
        let last_file = capture.last_file.as_ref().unwrap_or(&file);
        let twins = report.tlstriage.also_seen_as.iter().filter_map(|seen| {
            let client = Endpoint::new(seen.source.ip, seen.source.port);
            let server = Endpoint::new(seen.destination.ip, seen.destination.port);
            Some(FlowKey::between(client, server)?.0)
        });
        Some(Self {
            key,
            twins: twins.collect(),
            last: (Arc::clone(last_file), capture.last_frame),
            first: (file, capture.first_frame),
            start: report.event.start.unwrap_or_default().as_nanos(),
            end: report.event.end.unwrap_or_default().as_nanos(),
        })
    }
}
