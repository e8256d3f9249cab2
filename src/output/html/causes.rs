//! What was found, by its cause: the sentences, where they hold, what to do.

use serde::Serialize;

use crate::output::phrases;
use crate::output::text::{counted, span};
use crate::report::{FindingGroup, FlowReference, Severity};

/// One cause, with all servers where it was met.
#[derive(Debug, Serialize)]
pub(in crate::output) struct Cause {
    severity: &'static str,
    confidence: &'static str,
    id: &'static str,
    title: &'static str,
    flows: String,
    is_incident: bool,
    places: Vec<Place>,
    places_left_out: Option<String>,
    likely: Option<String>,
    fix: Vec<String>,
    messages: Vec<Message>,
}

#[derive(Debug, Serialize)]
struct Place {
    server: String,
    name: Option<String>,
    flows: String,
    when: String,
    reason: String,
    callers: Vec<String>,
    examples: Vec<Example>,
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct Example {
    file: String,
    frames: String,
    time: String,
    client: String,
}

/// What a gateway probably says.
#[derive(Debug, Serialize)]
struct Message {
    intro: String,
    confidence: &'static str,
    text: String,
}

/// The causes, the worst first.
pub(in crate::output) fn causes(findings: &[FindingGroup]) -> Vec<Cause> {
    let causes = crate::output::text::causes(findings);
    causes.iter().filter_map(|groups| cause(groups)).collect()
}

fn cause(groups: &[&FindingGroup]) -> Option<Cause> {
    let first = groups.first()?;
    let flows = groups.iter().map(|group| group.flows);
    let hidden = groups.iter().skip(MAX_PLACES);
    let (places, hidden_flows) = hidden.fold((0_u64, 0_u64), |(places, flows), group| {
        (places.saturating_add(1), flows.saturating_add(group.flows))
    });
    Some(Cause {
        severity: first.severity.as_str(),
        confidence: first.confidence.as_str(),
        id: first.id,
        title: first.title,
        flows: counted(flows.fold(0, u64::saturating_add), "flow"),
        is_incident: first.severity > Severity::Info,
        places: groups
            .iter()
            .take(MAX_PLACES)
            .map(|group| place(group))
            .collect(),
        places_left_out: (places > 0).then(|| {
            let places = counted(places, "more server");
            format!("{places} with {}", counted(hidden_flows, "flow"))
        }),
        likely: first.cause.as_deref().map(str::to_owned),
        fix: first.fix.iter().map(ToString::to_string).collect(),
        messages: phrases::foretold(&first.expected_message)
            .map(|(intro, message)| Message {
                intro,
                confidence: message.confidence.as_str(),
                text: message.text.to_string(),
            })
            .collect(),
    })
}

fn place(group: &FindingGroup) -> Place {
    let examples: Vec<_> = group
        .evidence
        .iter()
        .take(MAX_EXAMPLES)
        .map(example)
        .collect();
    let told = u64::try_from(examples.len()).unwrap_or(u64::MAX);
    let more = group.flows.saturating_sub(told);
    Place {
        server: group.server.to_string(),
        name: group.server_name.as_deref().map(str::to_owned),
        flows: counted(group.flows, "flow"),
        when: span(group.first, group.last),
        reason: group.reason.to_string(),
        callers: phrases::callers(group),
        more: (more > 0 && told > 0).then(|| counted(more, "more flow")),
        examples,
    }
}

fn example(flow: &FlowReference) -> Example {
    Example {
        file: flow.file.to_string(),
        frames: format!("{}–{}", flow.first_frame, flow.last_frame),
        time: format!("{} {}", flow.time.date(), flow.time.time_of_day()),
        client: flow.client.to_string(),
    }
}

/// Servers that are shown for one cause.
const MAX_PLACES: usize = 12;
const MAX_EXAMPLES: usize = 5;
