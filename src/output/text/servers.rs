//! The server endpoints: what was asked of them, what they answered, and how it ended.

use crate::output::phrases;
use crate::output::text::page::{Cell, Page};
use crate::output::text::shown::{counted, number};
use crate::report::{EndpointReport, EndpointRow, LeafBrief, Role, Summary};

/// Writes the endpoints, by their role.
pub(in crate::output) fn servers(page: &mut Page, summary: &Summary) {
    if summary.endpoints.is_empty() {
        return;
    }
    page.heading("SERVERS");
    for (role, title) in [
        (Role::ServedHere, "Served here"),
        (Role::CalledFromHere, "Called from here"),
        (
            Role::Unknown,
            "Seen in passing: the capture does not tell whose they are",
        ),
    ] {
        let all = summary.endpoints.iter();
        let endpoints: Vec<_> = all.filter(|endpoint| endpoint.role == role).collect();
        if endpoints.is_empty() {
            continue;
        }
        page.gap();
        page.paragraph(0, title);
        for endpoint in endpoints.iter().take(MAX_ENDPOINTS) {
            self::endpoint(page, endpoint);
        }
        let hidden = endpoints.len().saturating_sub(MAX_ENDPOINTS);
        if hidden > 0 {
            let hidden = counted(u64::try_from(hidden).unwrap_or(u64::MAX), "more server");
            page.gap();
            page.paragraph(2, &format!("and {hidden}: see the JSON lines"));
        }
    }
    if summary.endpoints_left_out > 0 {
        let more = counted(summary.endpoints_left_out, "more server");
        page.gap();
        page.paragraph(0, &format!("And {more}, which a limit on memory cut off."));
    }
}

fn endpoint(page: &mut Page, endpoint: &EndpointReport) {
    page.gap();
    let mut text = format!(
        "{}: {} from {}",
        endpoint.server,
        counted(endpoint.flows, "flow"),
        counted(endpoint.client_count, "client")
    );
    text.push_str(&clients(endpoint));
    page.paragraph(2, &text);
    let versions: Vec<_> = endpoint
        .versions
        .iter()
        .map(|version| {
            let count = number(version.count);
            format!("{} ({count})", phrases::protocol(&version.reason))
        })
        .collect();
    if !versions.is_empty() {
        page.paragraph(MARGIN, &versions.join(", "));
    }
    let columns = Columns::new(page.width());
    let title = |text: &str| vec![text.to_owned()];
    page.row(
        MARGIN,
        &columns.cells(
            title("asked for"),
            title("answered with"),
            title("how it ended"),
        ),
    );
    for row in endpoint.rows.iter().take(MAX_ROWS) {
        page.row(
            MARGIN,
            &columns.cells(vec![asked(row)], answered(row), ended(row)),
        );
    }
    let hidden = endpoint.rows.len().saturating_sub(MAX_ROWS);
    let hidden = u64::try_from(hidden).unwrap_or(u64::MAX);
    let hidden = hidden.saturating_add(endpoint.rows_left_out);
    if hidden > 0 {
        page.paragraph(MARGIN, &format!("and {}", counted(hidden, "more row")));
    }
    for population in &endpoint.populations {
        if let Some(seconds) = population.every_seconds {
            let asked = phrases::asked(population.sni, population.server_name.as_deref());
            let text = format!(
                "every {seconds} s, as health probes come: {} from {}, {asked}, {} failed",
                counted(population.flows, "flow"),
                population.address,
                number(population.failed),
            );
            page.item(MARGIN, "~ ", &text);
        }
    }
}

fn clients(endpoint: &EndpointReport) -> String {
    let shown: Vec<_> = endpoint
        .clients
        .iter()
        .take(MAX_CLIENTS)
        .map(ToString::to_string)
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    let told = u64::try_from(shown.len()).unwrap_or(u64::MAX);
    let more = if endpoint.client_count > told {
        ", …"
    } else {
        ""
    };
    format!(" ({}{more})", shown.join(", "))
}

fn asked(row: &EndpointRow) -> String {
    phrases::asked(row.sni, row.name.as_deref())
}

fn answered(row: &EndpointRow) -> Vec<String> {
    match &row.leaf {
        Some(leaf) => certificate(leaf),
        None => vec![phrases::no_certificate(row.certificate).to_owned()],
    }
}

fn certificate(leaf: &LeafBrief) -> Vec<String> {
    let subject = if leaf.subject.is_empty() {
        "(no subject)".to_owned()
    } else {
        leaf.subject.to_string()
    };
    let default = phrases::default_mark(leaf).unwrap_or_default();
    let self_signed = leaf.self_signed.then(|| "self-signed".to_owned());
    let until = leaf.not_after.map(|end| format!("until {}", end.date()));
    let facts: Vec<_> = self_signed.into_iter().chain(until).collect();
    let sha256 = leaf.sha256.to_string();
    let sha256 = sha256.get(..12).unwrap_or_default();
    vec![
        subject,
        default,
        facts.join(", "),
        format!("sha256 {sha256}…"),
    ]
}

fn ended(row: &EndpointRow) -> Vec<String> {
    let outcomes = row.outcomes.iter();
    outcomes
        .map(|&(outcome, count)| format!("{} {}", number(count), phrases::ended(outcome)))
        .collect()
}

/// The widths of the three columns.
struct Columns {
    asked: usize,
    answered: usize,
    ended: usize,
}

impl Columns {
    fn new(width: usize) -> Self {
        let room = width.saturating_sub(MARGIN + ENDED + 2 * 2);
        let asked = room * 2 / 5;
        Self {
            asked,
            answered: room.saturating_sub(asked),
            ended: ENDED,
        }
    }

    fn cells(&self, asked: Vec<String>, answered: Vec<String>, ended: Vec<String>) -> [Cell; 3] {
        [
            Cell::new(self.asked, asked),
            Cell::new(self.answered, answered),
            Cell::new(self.ended, ended),
        ]
    }
}

/// Columns left of a table.
const MARGIN: usize = 4;
/// `1,234 rejected by client`.
const ENDED: usize = 22;
const MAX_CLIENTS: usize = 3;
const MAX_ENDPOINTS: usize = 40;
const MAX_ROWS: usize = 16;
