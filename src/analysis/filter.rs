//! What is looked at, and what is told.

use std::net::IpAddr;

use crate::flow::{Direction, FlowKey};
use crate::report::{FlowReport, Severity};
use crate::time::Timestamp;

/// Which frames are looked at: applied before anything is kept of them, so it is cheap.
///
/// Values of one kind are alternatives; all kinds that are set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    networks: Vec<Network>,
    ports: Vec<u16>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    /// Looks only at flows with an end in this network; several are alternatives.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.networks.push(network);
        self
    }

    /// Looks only at flows with this port at an end; several are alternatives.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.ports.push(port);
        self
    }

    /// Looks only at frames captured at this time or later.
    #[must_use]
    pub const fn with_from(mut self, from: Timestamp) -> Self {
        self.from = Some(from);
        self
    }

    /// Looks only at frames captured at this time or earlier.
    #[must_use]
    pub const fn with_to(mut self, to: Timestamp) -> Self {
        self.to = Some(to);
        self
    }

    /// Whether the user named an end of the flow: by its address or by its port.
    pub(super) fn names(&self, key: &FlowKey) -> bool {
        (!self.networks.is_empty() || !self.ports.is_empty()) && self.admits(key)
    }

    /// Whether all frames are looked at.
    pub(super) fn admits_all(&self) -> bool {
        self.networks.is_empty()
            && self.ports.is_empty()
            && self.from.is_none()
            && self.to.is_none()
    }

    /// Whether a frame of this time is looked at.
    #[inline]
    pub(super) fn admits_time(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to)
    }

    /// Whether a segment of this flow is looked at.
    #[inline]
    pub(super) fn admits(&self, key: &FlowKey) -> bool {
        (self.networks.is_empty() && self.ports.is_empty()) || self.names_an_end(key)
    }

    #[inline(never)]
    fn names_an_end(&self, key: &FlowKey) -> bool {
        let ends = [
            key.source(Direction::LowToHigh),
            key.source(Direction::HighToLow),
        ];
        let in_network = self.networks.is_empty()
            || self
                .networks
                .iter()
                .any(|network| ends.iter().any(|end| network.contains(end.ip)));
        let at_port =
            self.ports.is_empty() || ends.iter().any(|end| self.ports.contains(&end.port));
        in_network && at_port
    }
}

/// A range of addresses: an address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_len: u8,
}

impl Network {
    /// One address.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        Self {
            address,
            prefix_len: 128,
        }
    }

    /// The addresses that share their first `prefix_len` bits with `address`; `None` when it has
    /// fewer bits.
    #[must_use]
    pub const fn new(address: IpAddr, prefix_len: u8) -> Option<Self> {
        let bits = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        if prefix_len > bits {
            None
        } else {
            Some(Self {
                address,
                prefix_len,
            })
        }
    }

    /// Whether `ip` lies in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let (differing, bits) = match (self.address, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits() ^ b.to_bits()), 32_u32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits(), 128),
            _ => return false,
        };
        let free = bits.saturating_sub(u32::from(self.prefix_len));
        differing.checked_shr(free).unwrap_or(0) == 0
    }
}

/// Which flows are told. What is left out still counts for what is known of its neighbours.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    is_flagged: bool,
    names: Vec<Vec<u8>>,
}

impl Selection {
    /// Tells only flows with a finding that is more than information.
    #[must_use]
    pub const fn with_flagged_only(mut self) -> Self {
        self.is_flagged = true;
        self
    }

    /// Tells only flows whose server name is `pattern`, in which `*` stands for any characters;
    /// several are alternatives.
    #[must_use]
    pub fn with_name(mut self, pattern: &str) -> Self {
        self.names.push(pattern.to_ascii_lowercase().into_bytes());
        self
    }

    /// Whether a flow has a line of its own.
    #[must_use]
    pub fn admits(&self, report: &FlowReport) -> bool {
        let is_flagged = report.tlstriage.verdict.severity > Severity::Info;
        (is_flagged || !self.is_flagged) && self.admits_name(report)
    }

    /// Whether a flow is told at all, in the summary too.
    #[must_use]
    pub fn admits_name(&self, report: &FlowReport) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let name = report
            .tls
            .client
            .server_name
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.names
            .iter()
            .any(|pattern| matches(pattern, name.as_bytes()))
    }
}

/// Whether `text` is `pattern`, where `*` stands for any bytes. Linear but for the last star.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = parts.next().and_then(|front| text.strip_prefix(front)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = find(rest, part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_shares_its_first_bits() {
        let network = Network::new("10.1.2.0".parse().unwrap(), 23).unwrap();
        assert!(network.contains("10.1.3.255".parse().unwrap()));
        assert!(!network.contains("10.1.4.0".parse().unwrap()));
        assert!(!network.contains("::ffff:10.1.3.1".parse().unwrap()));
        let all = Network::new("::".parse().unwrap(), 0).unwrap();
        assert!(
            all.contains("2001:db8::1".parse().unwrap())
                && !all.contains("10.0.0.1".parse().unwrap())
        );
        assert!(Network::host("10.0.0.1".parse().unwrap()).contains("10.0.0.1".parse().unwrap()));
        assert_eq!(Network::new("10.0.0.0".parse().unwrap(), 33), None);
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, is_match) in [
            ("api.example.com", "api.example.com", true),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "example.com", false),
            ("api.*", "api.example.com", true),
            ("*ex*com", "api.example.com", true),
            ("*", "", true),
            ("", "a", false),
            ("a*a", "a", false),
            ("a*b*b", "abb", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                is_match,
                "{pattern} {text}"
            );
        }
    }
}
