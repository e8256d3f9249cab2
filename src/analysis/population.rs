//! Who calls a server: its flows by client and by what the client asks.
//!
//! Health probes and live traffic of one gateway may follow different rules for SNI, so they are
//! told apart, by the one thing that a capture shows of a probe: its cadence.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::report::{
    ClientReport, Common, EventOutcome, FlowReport, PopulationReport, SniState, Time,
};

/// The populations of a server, or of a finding at it, in the order of their first flows.
#[derive(Clone, Debug, Default)]
pub(super) struct Populations {
    list: Vec<Population>,
    /// Clients are told by their network, since there are many.
    by_network: bool,
    left_out: u64,
}

#[derive(Clone, Debug)]
struct Population {
    ip: IpAddr,
    sni: SniState,
    name: Option<Arc<str>>,
    client: Option<Common<ClientReport>>,
    flows: u64,
    failed: u64,
    completed: u64,
    first: Time,
    last: Time,
    /// When its first flows began, in the order of the output.
    times: Vec<i64>,
    /// The least and the most payload bytes of a client.
    bytes: (u64, u64),
}

impl Populations {
    /// Enters a flow.
    pub(super) fn enter(&mut self, report: &FlowReport) {
        let ip = if self.by_network {
            network(report.source.ip)
        } else {
            report.source.ip
        };
        if let Some(own) = self.list.iter_mut().find(|own| own.is_of(ip, report)) {
            return own.enter(report);
        }
        if self.by_network && self.list.len() >= MAX_POPULATIONS {
            self.left_out += 1;
            return;
        }
        let bytes = report.source.bytes.unwrap_or(0);
        self.add(Population {
            ip: report.source.ip,
            sni: report.tlstriage.sni,
            name: report.tls.client.server_name.clone(),
            client: report.tlstriage.client.clone(),
            flows: 1,
            failed: u64::from(report.event.outcome == Some(EventOutcome::Failure)),
            completed: u64::from(report.event.outcome == Some(EventOutcome::Success)),
            first: report.timestamp,
            last: report.timestamp,
            times: vec![report.timestamp.as_nanos()],
            bytes: (bytes, bytes),
        });
    }

    /// Adds those of later flows.
    pub(super) fn merge(&mut self, other: Self) {
        if other.by_network {
            self.join_networks();
        }
        self.left_out += other.left_out;
        for population in other.list {
            self.add(population);
        }
    }

    fn add(&mut self, mut new: Population) {
        if self.by_network {
            new.ip = network(new.ip);
        }
        if let Some(own) = self.list.iter_mut().find(|own| own.is_like(&new)) {
            own.merge(new);
        } else if self.list.len() < MAX_POPULATIONS {
            self.list.push(new);
        } else if self.by_network {
            self.left_out += new.flows;
        } else {
            self.join_networks();
            self.add(new);
        }
    }

    fn join_networks(&mut self) {
        if !self.by_network {
            self.by_network = true;
            for population in std::mem::take(&mut self.list) {
                self.add(population);
            }
        }
    }

    /// In the words of the report: most flows first.
    pub(super) fn report(&self) -> Vec<PopulationReport> {
        let mut told: Vec<_> = self
            .list
            .iter()
            .map(|population| population.report(self.by_network))
            .collect();
        told.sort_by_key(|population| std::cmp::Reverse(population.flows));
        told
    }

    /// Flows that are in no population, since there are too many.
    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Population {
    fn is_like(&self, other: &Self) -> bool {
        self.ip == other.ip
            && self.sni == other.sni
            && is_same_kind(self.client.as_ref(), other.client.as_ref())
            && self.name == other.name
    }

    /// Whether a flow belongs to it, `ip` being what its client is told by.
    fn is_of(&self, ip: IpAddr, report: &FlowReport) -> bool {
        self.ip == ip
            && self.sni == report.tlstriage.sni
            && is_same_kind(self.client.as_ref(), report.tlstriage.client.as_ref())
            && self.name == report.tls.client.server_name
    }

    /// Enters a flow that belongs to it.
    fn enter(&mut self, report: &FlowReport) {
        self.flows += 1;
        self.failed += u64::from(report.event.outcome == Some(EventOutcome::Failure));
        self.completed += u64::from(report.event.outcome == Some(EventOutcome::Success));
        self.first = self.first.min(report.timestamp);
        self.last = self.last.max(report.timestamp);
        if self.times.len() < MAX_TIMES {
            self.times.push(report.timestamp.as_nanos());
        }
        let bytes = report.source.bytes.unwrap_or(0);
        let (least, most) = self.bytes;
        self.bytes = (least.min(bytes), most.max(bytes));
    }

    fn merge(&mut self, later: Self) {
        self.flows += later.flows;
        self.failed += later.failed;
        self.completed += later.completed;
        self.first = self.first.min(later.first);
        self.last = self.last.max(later.last);
        let room = MAX_TIMES.saturating_sub(self.times.len());
        self.times.extend(later.times.into_iter().take(room));
        let ((least, most), (low, high)) = (self.bytes, later.bytes);
        self.bytes = (least.min(low), most.max(high));
    }

    fn report(&self, by_network: bool) -> PopulationReport {
        let address = match (by_network, self.ip) {
            (false, ip) => ip.to_string(),
            (true, IpAddr::V4(ip)) => format!("{ip}/24"),
            (true, IpAddr::V6(ip)) => format!("{ip}/64"),
        };
        let mut told = PopulationReport::new(Cow::Owned(address), self.sni, self.first);
        told.server_name.clone_from(&self.name);
        if let Some(client) = &self.client {
            told.ja4.clone_from(&client.ja4);
            told.alpn.clone_from(&client.alpn);
        }
        told.flows = self.flows;
        told.failed = self.failed;
        told.completed = self.completed;
        told.last = self.last;
        told.every_seconds = self.cadence();
        told
    }

    /// The seconds between flows that come like the strokes of a clock and say much the same:
    /// at least five of them, most at the usual distance.
    fn cadence(&self) -> Option<u64> {
        let (least, most) = self.bytes;
        if self.times.len() < MIN_STROKES || most > least.saturating_mul(2).saturating_add(200) {
            return None;
        }
        let mut distances: Vec<i64> = self
            .times
            .windows(2)
            .filter_map(|pair| match pair {
                [one, next] => Some(next.saturating_sub(*one)),
                _ => None,
            })
            .collect();
        distances.sort_unstable();
        let usual = *distances.get(distances.len() / 2)?;
        let (shortest, longest) = (usual - usual / 8, usual + usual / 8);
        let regular = distances
            .iter()
            .filter(|distance| (shortest..=longest).contains(*distance))
            .count();
        let seconds = u64::try_from((usual + SECOND / 2) / SECOND).ok()?;
        (seconds > 0 && seconds <= LONGEST && regular * 5 >= distances.len() * 4).then_some(seconds)
    }
}

/// Whether two clients say the same of themselves.
fn is_same_kind(one: Option<&Common<ClientReport>>, other: Option<&Common<ClientReport>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other) || one.ja4 == other.ja4,
        (Some(only), None) | (None, Some(only)) => only.ja4.is_none(),
        (None, None) => true,
    }
}

/// Where the health probes of a server and its live traffic fare differently, a sentence about it.
pub(super) fn disagreement(
    server: impl std::fmt::Display,
    populations: &[PopulationReport],
) -> Option<String> {
    let fails = |population: &&PopulationReport| population.failed * 5 >= population.flows * 4;
    let works = |population: &&PopulationReport| population.completed * 5 >= population.flows * 4;
    let (probes, live): (Vec<_>, Vec<_>) = populations
        .iter()
        .partition(|population| population.every_seconds.is_some());
    let (probes, live) = (probes.as_slice(), live.as_slice());
    let find = |list: &[&PopulationReport], holds: &dyn Fn(&&PopulationReport) -> bool| {
        list.iter().copied().find(|one| holds(one)).cloned()
    };
    let of_one_network = |probe: &PopulationReport, traffic: &PopulationReport| {
        network_of(&probe.address) == network_of(&traffic.address)
    };
    let (probe, traffic, meaning) = match (find(probes, &fails), find(live, &works)) {
        (Some(probe), Some(traffic)) => (
            probe,
            traffic,
            "a gateway then takes the server for unhealthy, though it serves",
        ),
        _ => (
            find(probes, &works)?,
            find(live, &fails)?,
            "a gateway then takes the server for healthy, though its clients get errors",
        ),
    };
    // Two machines that have nothing to do with each other say nothing of a gateway.
    if !of_one_network(&probe, &traffic) {
        return None;
    }
    let every = probe.every_seconds.unwrap_or_default();
    Some(format!(
        "At {server} what comes every {every} s, as health probes do, and other traffic fare differently: {}; {}. Probes and live traffic may follow different rules for SNI; {meaning}.",
        fared(&probe),
        fared(&traffic),
    ))
}

fn fared(population: &PopulationReport) -> String {
    let PopulationReport {
        address,
        flows,
        failed,
        ..
    } = population;
    let asked = match (&population.server_name, population.sni) {
        (Some(name), _) => format!("asks for {name}"),
        (None, SniState::Absent) => "sends no SNI".to_owned(),
        (None, _) => "sends an SNI that could not be read".to_owned(),
    };
    format!("{address} {asked} ({failed} of {flows} failed)")
}

/// The network of an address as it stands in the report.
fn network_of(address: &str) -> Option<IpAddr> {
    let ip = address.split('/').next()?;
    ip.parse().ok().map(network)
}

/// The network that an address is in, as wide as those of subnets.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & (!0 << 8)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (!0 << 64)).into(),
    }
}

const SECOND: i64 = 1_000_000_000;
/// Populations of one server; a population is some 300 bytes.
const MAX_POPULATIONS: usize = 16;
/// Beginnings of flows that are kept to find a cadence.
const MAX_TIMES: usize = 32;
/// Fewer are no cadence.
const MIN_STROKES: usize = 5;
/// Seconds between probes beyond which regularity is an accident.
const LONGEST: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    /// Flows of one client that begin at these milliseconds.
    fn population(ip: &str, name: Option<&str>, times: &[i64], failed: u64) -> Population {
        let at = |millis: i64| Time::from_unix_seconds(1_795_406_400 + millis / 1000);
        Population {
            ip: ip.parse().unwrap(),
            sni: if name.is_some() {
                SniState::Name
            } else {
                SniState::Absent
            },
            name: name.map(Arc::from),
            client: None,
            flows: u64::try_from(times.len()).unwrap(),
            failed,
            completed: u64::try_from(times.len()).unwrap() - failed,
            first: at(times[0]),
            last: at(times[times.len() - 1]),
            times: times.iter().map(|millis| millis * 1_000_000).collect(),
            bytes: (517, 620),
        }
    }

    fn populations(list: Vec<Population>) -> Populations {
        let mut all = Populations::default();
        for population in list {
            all.add(population);
        }
        all
    }

    #[test]
    fn what_comes_like_a_clock_is_a_probe() {
        let clock = [0, 30_010, 59_990, 90_300, 120_000, 150_050];
        let cadence = |times: &[i64]| population("10.1.0.5", None, times, 0).cadence();
        assert_eq!(cadence(&clock), Some(30));
        // One stroke is missing from the capture.
        assert_eq!(
            cadence(&[0, 5000, 10_000, 20_000, 25_000, 30_000, 35_000]),
            Some(5)
        );
        assert_eq!(cadence(&clock[..4]), None, "too few to tell");
        assert_eq!(cadence(&[0, 100, 4000, 4100, 9000, 31_000]), None);
        assert_eq!(cadence(&[0, 10, 20, 30, 40, 50]), None, "a burst");
        let mut wild = population("10.1.0.5", None, &clock, 0);
        wild.bytes = (500, 90_000);
        assert_eq!(wild.cadence(), None, "some of them carry data");
    }

    #[test]
    fn many_clients_are_told_by_their_networks() {
        let list = (0..40)
            .map(|n| population(&format!("10.1.{}.{n}", n / 20), None, &[n], 1))
            .collect();
        let told = populations(list).report();
        let addresses: Vec<_> = told.iter().map(|one| (&*one.address, one.flows)).collect();
        assert_eq!(addresses, [("10.1.0.0/24", 20), ("10.1.1.0/24", 20)]);
        let many = (0..100)
            .map(|n| population(&format!("10.{n}.0.1"), None, &[n], 1))
            .collect();
        let many = populations(many);
        assert_eq!((many.report().len(), many.left_out()), (16, 84));
    }

    #[test]
    fn in_which_slices_flows_are_entered_does_not_show() {
        let list: Vec<_> = (0..60)
            .map(|n| population(&format!("10.1.{}.{n}", n % 3), None, &[n], 1))
            .collect();
        let whole = populations(list.clone()).report();
        for len in [1, 7, 16, 17, 59] {
            let mut sum = Populations::default();
            for slice in list.chunks(len) {
                sum.merge(populations(slice.to_vec()));
            }
            assert_eq!(sum.report(), whole, "{len}");
        }
    }

    #[test]
    fn probes_that_fail_beside_traffic_that_works_are_told() {
        let clock: Vec<i64> = (0..6).map(|n| n * 30_000).collect();
        let say = |probes_fail: bool, live_fails: bool| {
            let probes = population("10.1.0.5", None, &clock, if probes_fail { 6 } else { 0 });
            let live = population(
                "10.1.0.6",
                Some("api.contoso.com"),
                &[1, 400, 9000],
                if live_fails { 3 } else { 0 },
            );
            disagreement("10.1.2.3:443", &populations(vec![probes, live]).report())
        };
        let told = say(true, false).unwrap();
        assert!(
            told.contains("every 30 s") && told.contains("10.1.0.5 sends no SNI (6 of 6 failed)")
        );
        assert!(
            told.contains("asks for api.contoso.com (0 of 3 failed)"),
            "{told}"
        );
        assert!(
            say(false, true)
                .unwrap()
                .contains("takes the server for healthy")
        );
        assert_eq!((say(true, true), say(false, false)), (None, None));
    }
}
