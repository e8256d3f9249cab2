//! What the frames and the flows of a run add up to: the makings of a [`Summary`].

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::analysis::advice::{Local, Shortfalls, advice, notes};
use crate::analysis::book::Books;
use crate::analysis::changes::changes;
use crate::analysis::feed::Noted;
use crate::analysis::frame_tally::FrameTally;
use crate::analysis::population::{Populations, disagreement};
use crate::analysis::shard::ShardCounts;
use crate::capture;
use crate::flow::Endpoint;
use crate::hash::Keyed;
use crate::packet::{FragmentCounts, Skip};
use crate::report::{
    Count, Damage, EndpointReport, EndpointRow, EventOutcome, FindingGroup, FlowCounts,
    FlowReference, FlowReport, FrameCounts, Hex, Horizon, InputReport, LeafBrief, Outcome,
    Severity, SniState, Summary, Time,
};
use crate::verdict::{Gateway, VerdictId};

/// Counters and lists, each within a bound.
#[derive(Debug)]
pub(super) struct Tally {
    inputs: Vec<InputReport>,
    frames: FrameTally,
    flows: FlowCounts,
    limits: BTreeMap<&'static str, u64>,
    endpoints: HashMap<Endpoint, EndpointTally, Keyed>,
    endpoints_left_out: u64,
    /// How many more clients are counted, of all endpoints together.
    client_room: usize,
    groups: HashMap<(&'static str, Endpoint), Group, Keyed>,
    groups_left_out: u64,
    worst_left_out: Option<Severity>,
    interfaces: BTreeSet<Arc<str>>,
    shortfalls: Shortfalls,
    keyed: Keyed,
}

#[derive(Debug)]
struct Group {
    finding: FindingGroup,
    clients: Populations,
    has_many_names: bool,
}

#[derive(Debug)]
struct EndpointTally {
    report: EndpointReport,
    clients: HashSet<IpAddr, Keyed>,
    versions: BTreeMap<Cow<'static, str>, u64>,
    rows: HashMap<RowKey, EndpointRow, Keyed>,
    populations: Populations,
}

type RowKey = (
    SniState,
    Option<Arc<str>>,
    Option<Hex<32>>,
    crate::report::CertificateState,
);

impl Tally {
    /// Nothing so far; `seed` makes crafted collisions useless, and shows nowhere.
    pub(super) fn new(seed: u64) -> Self {
        let keyed = Keyed::new(seed);
        Self {
            inputs: Vec::new(),
            frames: FrameTally::default(),
            flows: FlowCounts::default(),
            limits: BTreeMap::new(),
            endpoints: HashMap::with_hasher(keyed),
            endpoints_left_out: 0,
            client_room: MAX_ALL_CLIENTS,
            groups: HashMap::with_hasher(keyed),
            groups_left_out: 0,
            worst_left_out: None,
            interfaces: BTreeSet::new(),
            shortfalls: Shortfalls::default(),
            keyed,
        }
    }

    /// An input is about to be read.
    pub(super) fn begin_input(
        &mut self,
        name: &Arc<str>,
        opened: Option<(capture::Format, &'static str)>,
    ) {
        let mut input = InputReport {
            name: Arc::clone(name),
            ..InputReport::default()
        };
        if let Some((format, compression)) = opened {
            input.format = Some(match format {
                capture::Format::Pcap => "pcap",
                capture::Format::Pcapng => "pcapng",
            });
            input.compression = (compression != "plain").then_some(compression);
        }
        self.inputs.push(input);
    }

    /// Frames of the last input were taken.
    pub(super) fn enter_frames(&mut self, tally: &FrameTally) {
        self.frames.add(tally);
        if let Some(input) = self.inputs.last_mut() {
            input.frames += tally.frames;
            let time = |at: Option<_>| at.map(|(time, precision)| Time::new(time, precision));
            input.first = input.first.into_iter().chain(time(tally.first)).min();
            input.last = input.last.into_iter().chain(time(tally.last)).max();
        }
    }

    /// What was found in packets of which not all fragments came; their frames were counted.
    pub(super) fn enter_abandoned(&mut self, tally: &FrameTally) {
        self.frames.add(tally);
    }

    /// The last input has ended, or failed.
    pub(super) fn end_input(&mut self, noted: Option<&Noted>, result: Result<(), capture::Error>) {
        let Some(input) = self.inputs.last_mut() else {
            return;
        };
        if let Some(noted) = noted {
            input.bytes = noted.len;
            input.damage_count = noted.damage_count;
            input.damages = noted
                .damages
                .iter()
                .take(MAX_DAMAGES)
                .map(|damage| {
                    let lost = damage
                        .lost
                        .map(|lost| format!("; {lost} bytes lost"))
                        .unwrap_or_default();
                    let after = damage.after_frame;
                    Damage::new(
                        damage.offset,
                        format!("{} (after frame {after}{lost})", damage.kind).into(),
                    )
                })
                .collect();
        }
        if let Err(error) = result {
            input.error = Some(error.to_string().into());
        }
    }

    /// The flow tables of a capture were closed.
    pub(super) fn enter_group(
        &mut self,
        counts: &[ShardCounts],
        fragments: FragmentCounts,
        knocks_left_out: u64,
    ) {
        for count in counts {
            self.flows.tcp += count.connections;
            self.hit("flows evicted before their end", count.evicted);
            self.hit(
                "flows told before their end for their large certificates",
                count.told_at_once,
            );
            self.hit("unanswered SYNs forgotten", count.half_open_evicted);
            self.hit("handshakes given up for want of memory", count.over_memory);
        }
        self.hit("IP fragments dropped", fragments.dropped_by_limit);
        self.hit("IP packets with overlapping fragments", fragments.overlaps);
        self.leave_out_knocks(knocks_left_out);
    }

    /// Connections that never came about and get no line.
    pub(super) fn leave_out_knocks(&mut self, count: u64) {
        self.hit("unanswered connections without a line of their own", count);
    }

    /// A flow is told under other addresses already.
    pub(super) const fn see_again(&mut self) {
        self.flows.seen_again += 1;
    }

    /// Flows that stayed closed before all keys were tried on them.
    pub(super) fn cut_trials_short(&mut self, count: u64) {
        self.hit(
            "flows with an Encrypted Client Hello on which not all keys were tried",
            count,
        );
    }

    /// The books are complete.
    pub(super) fn finish(&mut self, books: &Books) {
        self.hit(
            "names, clients or sessions beyond those that are compared",
            books.left_out(),
        );
    }

    fn hit(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.limits.entry(what).or_default() += count;
        }
    }

    /// Flows with a finding that is more than information.
    pub(super) const fn flagged(&self) -> u64 {
        self.flows.flagged
    }

    /// Enters a flow; `is_told` says whether it has a line of its own, `gateway` what its client is.
    pub(super) fn enter(&mut self, report: &FlowReport, is_told: bool, gateway: Option<Gateway>) {
        use crate::report::{CertificateState, EvidenceReason};
        let triage = &report.tlstriage;
        let is_tls = report.network.protocol.is_some();
        let flows = &mut self.flows;
        flows.tls += u64::from(is_tls);
        flows.unreachable += u64::from(!is_tls);
        flows.reported += u64::from(is_told);
        flows.flagged += u64::from(triage.verdict.severity > Severity::Info);
        flows.partial_horizon += u64::from(triage.horizon == Some(Horizon::Partial));
        flows.completed += u64::from(is_tls && report.event.outcome == Some(EventOutcome::Success));
        flows.failed += u64::from(is_tls && report.event.outcome == Some(EventOutcome::Failure));
        flows.decrypted += u64::from(triage.decrypted);
        let reasons = &triage.evidence.reasons;
        self.shortfalls.add(Shortfalls {
            tls: u64::from(is_tls),
            one_sided: u64::from(reasons.contains(&EvidenceReason::OneSided)),
            truncated: u64::from(reasons.contains(&EvidenceReason::Truncated)),
            hidden: u64::from(triage.server.certificate == CertificateState::Encrypted),
        });
        if let Some(interface) = &triage.capture.interface
            && self.interfaces.len() < MAX_INTERFACES
        {
            self.interfaces.insert(Arc::clone(interface));
        }
        self.enter_endpoint(report);
        for finding in &triage.findings {
            self.enter_finding(report, finding, gateway);
        }
    }

    fn enter_endpoint(&mut self, report: &FlowReport) {
        let triage = &report.tlstriage;
        let server = Endpoint::new(report.destination.ip, report.destination.port);
        if self.endpoints.len() >= MAX_ENDPOINTS && !self.endpoints.contains_key(&server) {
            self.endpoints_left_out += 1;
            return;
        }
        let endpoint = self
            .endpoints
            .entry(server)
            .or_insert_with(|| EndpointTally {
                report: EndpointReport::new(server, crate::report::Role::Unknown),
                clients: HashSet::with_hasher(self.keyed),
                versions: BTreeMap::new(),
                rows: HashMap::with_hasher(self.keyed),
                populations: Populations::default(),
            });
        endpoint.populations.enter(report);
        endpoint.report.flows += 1;
        let client = report.source.ip;
        let is_uncounted = if self.client_room > 0 && endpoint.clients.len() < MAX_CLIENTS {
            self.client_room -= usize::from(endpoint.clients.insert(client));
            false
        } else {
            !endpoint.clients.contains(&client)
        };
        if is_uncounted {
            let count = self.limits.entry(CLIENTS_LEFT_OUT).or_default();
            *count += 1;
        }
        if let Some(version) = &report.tls.version {
            *endpoint.versions.entry(version.clone()).or_default() += 1;
        }
        // The server's own certificate, wherever in the list it stands.
        let own = report
            .tls
            .server
            .leaf
            .as_ref()
            .map(|leaf| leaf.hash.sha256.0);
        let chain = &triage.server.chain;
        let leaf = chain
            .iter()
            .find(|row| Some(row.sha256.0) == own)
            .or(chain.first());
        let key = (
            triage.sni,
            report.tls.client.server_name.clone(),
            leaf.map(|leaf| leaf.sha256),
            triage.server.certificate,
        );
        if endpoint.rows.len() >= MAX_ROWS && !endpoint.rows.contains_key(&key) {
            endpoint.report.rows_left_out += 1;
            return;
        }
        let row = endpoint.rows.entry(key).or_insert_with(|| {
            let mut row = EndpointRow::new(
                triage.sni,
                report.tls.client.server_name.clone(),
                triage.server.certificate,
            );
            row.leaf = leaf.map(|leaf| {
                let mut brief = LeafBrief::new(
                    leaf.subject.clone().unwrap_or_else(|| "".into()),
                    leaf.sha256,
                );
                brief.not_after = leaf.not_after;
                brief.self_signed = leaf.self_signed == Some(true);
                brief
            });
            row
        });
        if let (Some(leaf), Some(default)) = (&mut row.leaf, &triage.server.default_certificate) {
            leaf.default = true;
            leaf.product = leaf.product.take().or_else(|| default.product.clone());
        }
        row.flows += 1;
        add_outcome(&mut row.outcomes, triage.handshake.outcome, 1);
        row.first = row.first.into_iter().chain([report.timestamp]).min();
        row.last = row.last.into_iter().chain([report.timestamp]).max();
    }

    fn enter_finding(
        &mut self,
        report: &FlowReport,
        finding: &crate::report::FindingReport,
        gateway: Option<Gateway>,
    ) {
        let server = Endpoint::new(report.destination.ip, report.destination.port);
        let key = (finding.id, server);
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&key) {
            self.groups_left_out += 1;
            self.worst_left_out = self.worst_left_out.max(Some(finding.severity));
            return;
        }
        let name = report.tls.client.server_name.clone();
        let id = VerdictId::ALL.iter().find(|id| id.as_str() == finding.id);
        let title = id.map_or(finding.id, |id| id.title());
        let mut one = FindingGroup::new(
            finding.id,
            title,
            server,
            finding.severity,
            finding.confidence,
            finding.reason.clone(),
            report.timestamp,
        );
        one.failed = finding.severity > Severity::Info;
        one.cause = id
            .and_then(|id| id.likely_cause(gateway))
            .map(Cow::Borrowed);
        one.server_name = name;
        one.fix.clone_from(&finding.fix);
        one.expected_message.clone_from(&finding.expected_message);
        let capture = &report.tlstriage.capture;
        let client = Endpoint::new(report.source.ip, report.source.port);
        if let Some(id) = report.event.id {
            one.evidence.push(FlowReference::new(
                id,
                Arc::clone(&capture.file),
                (capture.first_frame, capture.last_frame),
                report.timestamp,
                client,
            ));
        }
        let mut clients = Populations::default();
        clients.enter(report);
        self.merge_group(
            key,
            Group {
                finding: one,
                clients,
                has_many_names: false,
            },
        );
    }

    fn merge_group(&mut self, key: (&'static str, Endpoint), other: Group) {
        let Some(group) = self.groups.get_mut(&key) else {
            self.groups.insert(key, other);
            return;
        };
        // Flows that failed are told for themselves, without those that met the same and went on.
        match other.finding.severity.cmp(&group.finding.severity) {
            Ordering::Less => return,
            Ordering::Greater => {
                *group = other;
                return;
            }
            Ordering::Equal => {}
        }
        group.clients.merge(other.clients);
        let (own, new) = (&mut group.finding, other.finding);
        group.has_many_names |= other.has_many_names || own.server_name != new.server_name;
        own.flows += new.flows;
        own.first = own.first.min(new.first);
        own.last = own.last.max(new.last);
        own.failed |= new.failed;
        // The sentence of the surest flow; of several, the first.
        if new.confidence > own.confidence {
            own.confidence = new.confidence;
            own.reason = new.reason;
        }
        let room = MAX_EVIDENCE.saturating_sub(own.evidence.len());
        own.evidence.extend(new.evidence.into_iter().take(room));
    }

    /// What it all adds up to.
    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        summary.inputs.clone_from(&self.inputs);
        summary.frames = self.frame_counts();
        summary.flows = self.flows;
        summary.limits = self
            .limits
            .iter()
            .map(|(what, count)| Count::new(Cow::Borrowed(*what), *count))
            .collect();
        let clients: Vec<BTreeSet<IpAddr>> = self
            .endpoints
            .values()
            .map(|endpoint| endpoint.clients.iter().copied().collect())
            .collect();
        let endpoints = self.endpoints.values().zip(&clients);
        let local = Local::of(
            endpoints
                .clone()
                .map(|(endpoint, clients)| (endpoint.report.server.ip, clients)),
        );
        summary.endpoints = endpoints
            .map(|(endpoint, clients)| endpoint.report(clients, &local))
            .collect();
        // Where most goes wrong comes first.
        summary.endpoints.sort_by_key(|endpoint| {
            let failed: u64 = endpoint
                .rows
                .iter()
                .flat_map(|row| &row.outcomes)
                .filter(|(outcome, _)| *outcome != Outcome::Completed)
                .map(|(_, count)| count)
                .sum();
            (
                std::cmp::Reverse(failed),
                std::cmp::Reverse(endpoint.flows),
                endpoint.server,
            )
        });
        summary.endpoints_left_out = self.endpoints_left_out;
        summary.findings = self.groups.values().map(Group::report).collect();
        summary.findings.sort_by(|a, b| {
            (b.severity, b.flows, b.confidence)
                .cmp(&(a.severity, a.flows, a.confidence))
                .then_with(|| (a.first, a.server, a.id).cmp(&(b.first, b.server, b.id)))
        });
        summary.findings_left_out = self.groups_left_out;
        summary.worst_left_out = self.worst_left_out;
        summary.notes = notes(&self.shortfalls, &self.frames);
        let disagreements = summary
            .endpoints
            .iter()
            .filter_map(|endpoint| disagreement(endpoint.server, &endpoint.populations));
        summary
            .notes
            .extend(disagreements.take(MAX_DISAGREEMENTS).map(Cow::Owned));
        let changes = summary.endpoints.iter().flat_map(changes);
        summary
            .notes
            .extend(changes.take(MAX_CHANGES).map(Cow::Owned));
        summary.advice = advice(
            &self.shortfalls,
            &summary,
            self.interfaces.iter().next().map(|name| &**name),
        );
        summary
    }

    fn frame_counts(&self) -> FrameCounts {
        let frames = &self.frames;
        let named = Skip::ALL
            .iter()
            .zip(frames.skips)
            .map(|(skip, count)| (skip.name(), count));
        let others = [
            ("filtered", frames.filtered),
            ("icmp_error", frames.unreachable),
            ("ip_fragment", frames.fragments),
        ];
        let mut skipped: Vec<Count> = named
            .chain(others)
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| Count::new(Cow::Borrowed(name), count))
            .collect();
        skipped.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
        FrameCounts {
            total: frames.frames,
            decoded: frames.segments,
            skipped,
        }
    }
}

impl Group {
    fn report(&self) -> FindingGroup {
        let mut finding = self.finding.clone();
        if self.has_many_names {
            finding.server_name = None;
        }
        finding.clients = self.clients.report();
        finding.clients_left_out = self.clients.left_out();
        finding
    }
}

impl EndpointTally {
    fn report(&self, clients: &BTreeSet<IpAddr>, local: &Local) -> EndpointReport {
        let mut report = self.report.clone();
        report.role = local.role(report.server.ip, clients);
        report.client_count = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        report.clients = clients.iter().take(MAX_NAMED_CLIENTS).copied().collect();
        report.versions = self
            .versions
            .iter()
            .map(|(version, count)| Count::new(version.clone(), *count))
            .collect();
        report.populations = self.populations.report();
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        report.rows = rows.into_iter().map(|(_, row)| row.clone()).collect();
        report
    }
}

fn add_outcome(outcomes: &mut Vec<(Outcome, u64)>, outcome: Outcome, count: u64) {
    match outcomes.iter_mut().find(|(other, _)| *other == outcome) {
        Some((_, total)) => *total += count,
        None => {
            outcomes.push((outcome, count));
            outcomes.sort_unstable_by_key(|(outcome, _)| *outcome);
        }
    }
}

/// Server endpoints in the report; each is a few hundred bytes.
const MAX_ENDPOINTS: usize = 65_536;
/// Rows of one endpoint.
const MAX_ROWS: usize = 64;
/// Clients of one endpoint that are counted.
const MAX_CLIENTS: usize = 4096;
/// The same of all endpoints together.
const MAX_ALL_CLIENTS: usize = 1 << 18;
/// What is said where there are more.
const CLIENTS_LEFT_OUT: &str = "flows of clients beyond those that are counted";
/// Clients of one endpoint that are named.
const MAX_NAMED_CLIENTS: usize = 32;
/// Servers of which it is told that probes and live traffic fare differently.
const MAX_DISAGREEMENTS: usize = 8;
/// Certificates that changed within the run.
const MAX_CHANGES: usize = 8;
/// Groups of findings.
const MAX_GROUPS: usize = 16_384;
/// Flows that are named for a group.
const MAX_EVIDENCE: usize = 5;
/// Damaged places that are named for an input.
const MAX_DAMAGES: usize = 16;
/// Interfaces of which one may be named in an advice.
const MAX_INTERFACES: usize = 64;
