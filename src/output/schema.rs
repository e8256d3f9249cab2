//! The JSON Schema (draft 2020-12) of the three kinds of line, made from the types of the report.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::report::{Dataset, FindingLine, FlowReport, SummaryLine};

/// The schema of a line as a JSON document; the same text every time.
#[must_use]
pub fn schema() -> String {
    let mut generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let kinds = [
        kind::<FlowReport>(Dataset::Flow, &mut generator),
        kind::<FindingLine>(Dataset::Finding, &mut generator),
        kind::<SummaryLine>(Dataset::Summary, &mut generator),
    ];
    let schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of tlstriage",
        "description": "The three kinds of line are told apart by event.dataset.",
        "oneOf": kinds,
        "$defs": generator.take_definitions(true),
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of one kind of line, which its `event.dataset` decides.
fn kind<T: JsonSchema>(dataset: Dataset, generator: &mut SchemaGenerator) -> Schema {
    let document = generator.subschema_for::<T>();
    json_schema!({
        "allOf": [
            document,
            {"properties": {"event": {"properties": {"dataset": {"const": dataset.as_str()}}}}}
        ]
    })
}
