//! The server endpoints: a table each of what was asked for against what answered.
//!
//! A row is a name, a column a certificate or the reason why there is none, a cell how it ended.
//! A default certificate shows as the column under several names; a lost one as a name with two columns.

use serde::Serialize;

use crate::output::html::cards::Cards;
use crate::output::phrases;
use crate::output::text::{counted, number};
use crate::report::{EndpointReport, EndpointRow, LeafBrief, Outcome, Role, SniState, Summary};

/// Endpoints of one role.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Side {
    title: &'static str,
    servers: Vec<Server>,
    left_out: Option<String>,
}

#[derive(Debug, Serialize)]
struct Server {
    address: String,
    about: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    left_out: Option<String>,
}

/// A certificate, or why there is none.
#[derive(Debug, Serialize)]
struct Column {
    title: String,
    /// `default certificate of Traefik`, `self-signed` …
    marks: Vec<String>,
    hash: Option<String>,
    is_default: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    asked: String,
    /// Whether something is to be read where a name stands.
    is_named: bool,
    cells: Vec<Vec<Ended>>,
}

#[derive(Debug, Serialize)]
struct Ended {
    count: String,
    words: &'static str,
    class: &'static str,
}

/// The endpoints by their role; a certificate with a card of its own leads to it.
pub(in crate::output) fn sides(summary: &Summary, cards: &Cards) -> Vec<Side> {
    let roles = [
        (Role::ServedHere, "Served here"),
        (Role::CalledFromHere, "Called from here"),
        (
            Role::Unknown,
            "Seen in passing: the capture does not tell whose they are",
        ),
    ];
    let sides = roles.into_iter().map(|(role, title)| {
        let all = summary.endpoints.iter();
        let endpoints: Vec<_> = all.filter(|endpoint| endpoint.role == role).collect();
        let hidden = endpoints.len().saturating_sub(MAX_SERVERS);
        Side {
            title,
            servers: endpoints
                .iter()
                .take(MAX_SERVERS)
                .map(|one| server(one, cards))
                .collect(),
            left_out: (hidden > 0).then(|| counted(count(hidden), "more server")),
        }
    });
    sides.filter(|side| !side.servers.is_empty()).collect()
}

fn server(endpoint: &EndpointReport, cards: &Cards) -> Server {
    let columns = columns(&endpoint.rows);
    let place = |row| columns.iter().position(|(key, _, _)| *key == Key::of(row));
    let mut hidden = endpoint.rows_left_out;
    let mut asked: Vec<(SniState, Option<&str>)> = Vec::new();
    let mut pairs = Vec::new();
    for row in &endpoint.rows {
        let name = (row.sni, row.name.as_deref());
        let known = asked.iter().position(|known| *known == name);
        let (Some(column), true) = (place(row), known.is_some() || asked.len() < MAX_NAMES) else {
            hidden = hidden.saturating_add(1);
            continue;
        };
        let line = known.unwrap_or_else(|| {
            asked.push(name);
            asked.len().saturating_sub(1)
        });
        pairs.push((line, column, row));
    }
    let rows = asked.iter().enumerate().map(|(line, (sni, name))| {
        let cells = (0..columns.len()).map(|column| {
            let here = pairs
                .iter()
                .filter(|pair| (pair.0, pair.1) == (line, column));
            here.flat_map(|(_, _, row)| row.outcomes.iter().map(ended))
                .collect()
        });
        Row {
            asked: phrases::asked(*sni, *name),
            is_named: matches!(sni, SniState::Name | SniState::EchOuter | SniState::Unknown),
            cells: cells.collect(),
        }
    });
    Server {
        address: endpoint.server.to_string(),
        about: about(endpoint),
        rows: rows.collect(),
        columns: columns
            .iter()
            .map(|(_, row, _)| column(row, cards))
            .collect(),
        left_out: (hidden > 0)
            .then(|| format!("{} of name and certificate", counted(hidden, "more pair"))),
    }
}

/// The columns, each with a row that has it and its flows: certificates first, and of both kinds
/// those with most flows.
fn columns(rows: &[EndpointRow]) -> Vec<(Key<'_>, &EndpointRow, u64)> {
    let mut columns: Vec<(Key<'_>, &EndpointRow, u64)> = Vec::new();
    for row in rows {
        let key = Key::of(row);
        match columns.iter_mut().find(|(known, _, _)| *known == key) {
            Some((_, _, flows)) => *flows = flows.saturating_add(row.flows),
            // The rows of an endpoint are bounded, and so are the steps here.
            None => columns.push((key, row, row.flows)),
        }
    }
    let (mut certificates, mut states): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .partition(|(key, _, _)| matches!(key, Key::Certificate(_)));
    for kind in [&mut certificates, &mut states] {
        kind.sort_by_key(|(_, _, flows)| std::cmp::Reverse(*flows));
        kind.truncate(MAX_COLUMNS);
    }
    certificates.append(&mut states);
    certificates
}

/// What makes two rows answer with the same.
#[derive(PartialEq, Eq)]
enum Key<'a> {
    Certificate(&'a [u8]),
    None(&'static str),
}

impl<'a> Key<'a> {
    fn of(row: &'a EndpointRow) -> Self {
        match &row.leaf {
            Some(leaf) => Self::Certificate(&leaf.sha256.0),
            None => Self::None(phrases::no_certificate(row.certificate)),
        }
    }
}

fn column(row: &EndpointRow, cards: &Cards) -> Column {
    match &row.leaf {
        Some(leaf) => certificate(leaf, cards),
        None => Column {
            title: phrases::no_certificate(row.certificate).to_owned(),
            marks: Vec::new(),
            hash: None,
            is_default: false,
        },
    }
}

fn certificate(leaf: &LeafBrief, cards: &Cards) -> Column {
    let hash = leaf.sha256.to_string();
    let title = if leaf.subject.is_empty() {
        "(no subject)".to_owned()
    } else {
        leaf.subject.to_string()
    };
    let default = phrases::default_mark(leaf);
    let self_signed = leaf.self_signed.then(|| "self-signed".to_owned());
    let until = leaf.not_after.map(|end| format!("until {}", end.date()));
    Column {
        title,
        marks: default
            .into_iter()
            .chain(self_signed)
            .chain(until)
            .collect(),
        hash: cards.show(&hash).then_some(hash),
        is_default: leaf.default || leaf.product.is_some(),
    }
}

fn ended(&(outcome, count): &(Outcome, u64)) -> Ended {
    Ended {
        count: number(count),
        words: phrases::ended(outcome),
        class: match outcome {
            Outcome::Completed => "ok",
            Outcome::RejectedByClient | Outcome::RejectedByServer => "bad",
            Outcome::Abandoned | Outcome::Unfinished | Outcome::Unknown => "open",
        },
    }
}

fn about(endpoint: &EndpointReport) -> String {
    let clients: Vec<_> = endpoint
        .clients
        .iter()
        .take(MAX_CLIENTS)
        .map(ToString::to_string)
        .collect();
    let more = endpoint.client_count > count(clients.len());
    let mut text = format!(
        "{} from {}",
        counted(endpoint.flows, "flow"),
        counted(endpoint.client_count, "client")
    );
    if !clients.is_empty() {
        let more = if more { ", …" } else { "" };
        text.push_str(&format!(" ({}{more})", clients.join(", ")));
    }
    for version in &endpoint.versions {
        let words = phrases::protocol(&version.reason);
        text.push_str(&format!(" · {words}: {}", number(version.count)));
    }
    text
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

const MAX_CLIENTS: usize = 4;
/// Certificates in a table, and reasons why there is none.
const MAX_COLUMNS: usize = 8;
/// Names in a table.
const MAX_NAMES: usize = 40;
/// Servers of one role.
const MAX_SERVERS: usize = 40;
