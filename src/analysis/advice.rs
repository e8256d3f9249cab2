//! What a reader has to know beside the findings, and what to capture next.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::analysis::frame_tally::FrameTally;
use crate::report::{Advice, Role, Summary};

/// Flows of which something was not to be seen, by what that was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shortfalls {
    /// All TLS flows.
    pub(super) tls: u64,
    /// One direction.
    pub(super) one_sided: u64,
    /// The ends of packets.
    pub(super) truncated: u64,
    /// The certificate, which TLS 1.3 hides.
    pub(super) hidden: u64,
}

impl Shortfalls {
    /// Adds those of other flows.
    pub(super) const fn add(&mut self, other: Self) {
        self.tls += other.tls;
        self.one_sided += other.one_sided;
        self.truncated += other.truncated;
        self.hidden += other.hidden;
    }
}

/// Which addresses belong to the machine that captured, as far as the flows tell.
#[derive(Debug, Default)]
pub(super) struct Local {
    addresses: BTreeSet<IpAddr>,
}

impl Local {
    /// Looks for the address that all flows have in common. A gateway is the server of some and
    /// the client of others; a host between two parties that only they have in common is not
    /// told apart from either of them.
    pub(super) fn of<'a>(
        endpoints: impl Iterator<Item = (IpAddr, &'a BTreeSet<IpAddr>)> + Clone,
    ) -> Self {
        let mut total = 0_usize;
        let mut counts: BTreeMap<IpAddr, (usize, usize)> = BTreeMap::new();
        for (server, clients) in endpoints.clone() {
            total += 1;
            counts.entry(server).or_default().0 += 1;
            if let (Some(only), 1) = (clients.first(), clients.len()) {
                counts.entry(*only).or_default().1 += 1;
            }
        }
        // Both a server and a client: in the middle of things.
        let between = counts
            .iter()
            .filter(|(_, (served, called))| *served > 0 && *called > 0);
        let mut addresses: BTreeSet<IpAddr> = between.map(|(ip, _)| *ip).collect();
        if addresses.is_empty() {
            let everywhere =
                |(served, called): (usize, usize)| served + called == total && total > 1;
            addresses = counts
                .iter()
                .filter(|(_, counts)| everywhere(**counts))
                .map(|(ip, _)| *ip)
                .collect();
        }
        if addresses.is_empty() && total == 1 {
            // One server and several clients: taken at the server.
            addresses = endpoints
                .filter(|(_, clients)| clients.len() > 1)
                .map(|(server, _)| server)
                .collect();
        }
        if addresses.len() > 1 && total == 1 {
            addresses.clear();
        }
        Self { addresses }
    }

    /// Where a server stands.
    pub(super) fn role(&self, server: IpAddr, clients: &BTreeSet<IpAddr>) -> Role {
        let calls = clients.iter().any(|client| self.addresses.contains(client));
        match (self.addresses.contains(&server), calls) {
            (true, false) => Role::ServedHere,
            (false, true) => Role::CalledFromHere,
            _ => Role::Unknown,
        }
    }
}

/// What a reader has to know beside the findings.
pub(super) fn notes(shortfalls: &Shortfalls, frames: &FrameTally) -> Vec<Cow<'static, str>> {
    let mut notes: Vec<Cow<'static, str>> = Vec::new();
    let tls = shortfalls.tls;
    if frames.frames == 0 {
        notes.push("No frame was read.".into());
    } else if frames.segments == 0 {
        notes.push("No TCP segment was found in the frames.".into());
    } else if tls == 0 {
        notes.push("TCP was found, and no TLS in it.".into());
    }
    if !frames.unknown_link_types.is_empty() {
        let numbers: Vec<String> = frames
            .unknown_link_types
            .iter()
            .map(|number| number.0.to_string())
            .collect();
        notes.push(
            format!(
                "Frames of unknown link types were skipped: {}.",
                numbers.join(", ")
            )
            .into(),
        );
    }
    if shortfalls.one_sided > 0 {
        notes.push(
            format!(
                "Of {} only one direction was captured.",
                flows(shortfalls.one_sided)
            )
            .into(),
        );
    }
    if shortfalls.truncated > 0 {
        notes.push(
            format!(
                "The packets of {} were cut by the snap length.",
                flows(shortfalls.truncated)
            )
            .into(),
        );
    }
    if shortfalls.hidden > 0 {
        notes.push(
            format!(
                "{} hid the certificate in TLS 1.3; without keys it cannot be judged.",
                capital(&flows(shortfalls.hidden))
            )
            .into(),
        );
    }
    notes
}

/// What to capture next, where this capture cannot answer.
pub(super) fn advice(
    shortfalls: &Shortfalls,
    summary: &Summary,
    interface: Option<&str>,
) -> Vec<Advice> {
    let mut advice = Vec::new();
    let tls = shortfalls.tls;
    let interface = interface.filter(|name| is_plain(name)).unwrap_or("any");
    let port = summary
        .endpoints
        .first()
        .map_or(443, |endpoint| endpoint.server.port);
    let command = || -> Option<Cow<'static, str>> {
        Some(format!("tcpdump -i {interface} -s 0 -w capture.pcap 'tcp port {port}'").into())
    };
    if tls == 0 {
        advice.push(Advice::new(
            "There is nothing to judge: capture on the gateway while a client gets its error, whole packets of both directions.".into(),
            command(),
        ));
        return advice;
    }
    if shortfalls.truncated > 0 {
        advice.push(Advice::new(
            "Capture again with whole packets.".into(),
            command(),
        ));
    }
    if shortfalls.one_sided > 0 {
        advice.push(Advice::new(
            "Capture again in both directions: a filter on one address or a mirror of one direction hides the answers.".into(),
            command(),
        ));
    }
    if shortfalls.hidden == tls {
        advice.push(Advice::new(
            "All certificates are hidden by TLS 1.3: let one side write a key log, or ask the server directly.".into(),
            summary.endpoints.first().map(|endpoint| {
                format!("openssl s_client -connect {} -servername NAME -showcerts", endpoint.server).into()
            }),
        ));
    }
    advice
}

/// Whether a name from a capture may stand in a command line.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-@:".contains(c))
        && !name.starts_with('-')
}

fn flows(count: u64) -> String {
    if count == 1 {
        "one flow".to_owned()
    } else {
        format!("{count} flows")
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
