//! Certificates of a server that change within the run: renewed, or of several servers behind one
//! address. Whoever compares what is served with and without SNI has to know.

use crate::report::{EndpointReport, EndpointRow, LeafBrief};

/// For each name for which a server showed several certificates, a sentence about it.
pub(super) fn changes(endpoint: &EndpointReport) -> Vec<String> {
    let mut told: Vec<&EndpointRow> = Vec::new();
    let mut sentences = Vec::new();
    for row in &endpoint.rows {
        let is_like = |other: &&EndpointRow| (other.sni, &other.name) == (row.sni, &row.name);
        if row.leaf.is_none() || told.iter().any(is_like) {
            continue;
        }
        told.push(row);
        let mut shown: Vec<&EndpointRow> = endpoint
            .rows
            .iter()
            .filter(|other| is_like(other) && other.leaf.is_some())
            .collect();
        shown.sort_by_key(|row| row.first);
        if let [first, next, ..] = shown.as_slice() {
            sentences.extend(sentence(endpoint, first, next));
        }
    }
    sentences
}

fn sentence(endpoint: &EndpointReport, first: &EndpointRow, next: &EndpointRow) -> Option<String> {
    let (one, other) = (brief(first.leaf.as_ref()?), brief(next.leaf.as_ref()?));
    let server = endpoint.server;
    let asked = match &first.name {
        Some(name) => format!("flows that asked for {name}"),
        None => "flows without SNI".to_owned(),
    };
    let (end, begin) = (first.last?, next.first?);
    Some(if end < begin {
        format!(
            "At {server} the certificate for {asked} changed: {one} until {end}, {other} from {begin} on. It was renewed, or the address went to another server."
        )
    } else {
        format!(
            "At {server} {asked} got different certificates by turns, {one} and {other}: several servers seem to stand behind this address."
        )
    })
}

fn brief(leaf: &LeafBrief) -> String {
    let sha256 = leaf.sha256.to_string();
    format!(
        "{} (sha256 {}…)",
        leaf.subject,
        sha256.get(..12).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Endpoint;
    use crate::report::{CertificateState, Hex, Role, SniState, Time};

    fn row(name: Option<&str>, leaf: u8, from: i64, to: i64) -> EndpointRow {
        let sni = name.map_or(SniState::Absent, |_| SniState::Name);
        let mut row = EndpointRow::new(sni, name.map(Into::into), CertificateState::Seen);
        row.leaf = Some(LeafBrief::new("CN=api".into(), Hex([leaf; 32])));
        row.first = Some(Time::from_unix_seconds(from));
        row.last = Some(Time::from_unix_seconds(to));
        row
    }

    fn said(rows: Vec<EndpointRow>) -> Vec<String> {
        let server = Endpoint::new("10.1.2.3".parse().unwrap(), 443);
        let mut endpoint = EndpointReport::new(server, Role::Unknown);
        endpoint.rows = rows;
        changes(&endpoint)
    }

    #[test]
    fn a_renewal_is_told_from_several_servers() {
        let api = Some("api.contoso.com");
        let renewed = said(vec![row(api, 2, 200, 300), row(api, 1, 0, 100)]);
        assert_eq!(renewed.len(), 1);
        assert!(
            renewed[0].contains("changed") && renewed[0].contains("(sha256 010101010101…) until"),
            "{renewed:?}"
        );
        let by_turns = said(vec![row(None, 1, 0, 250), row(None, 2, 200, 300)]);
        assert!(by_turns[0].contains("by turns"), "{by_turns:?}");
        assert!(said(vec![row(api, 1, 0, 1), row(None, 2, 0, 1)]).is_empty());
    }
}
