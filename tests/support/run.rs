//! Runs the library over captures that a test has made, and gives what it tells.
//!
//! Apart from the builders, which know nothing of the library: `mod run` comes by `#[path]`.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "each test file has a copy of its own and uses a part"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::collections::BTreeSet;
use std::io::{self, Cursor, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tlstriage::analysis::{Analyzer, Source};
use tlstriage::output::{Format, Style};
use tlstriage::report::Summary;
use tlstriage::tls::KeyLog;

/// What a run tells.
#[derive(Debug)]
pub struct Told {
    /// A line for each flow, for each group of findings, and for the run.
    pub lines: String,
    /// The report for a person.
    pub text: String,
    pub summary: Summary,
}

impl Told {
    /// The lines of flows, parsed.
    pub fn flows(&self) -> Vec<Value> {
        self.lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["event"]["dataset"] == "tlstriage.flow")
            .collect()
    }

    /// How often a bound on memory was reached, by the words of the summary.
    pub fn limit(&self, reason: &str) -> u64 {
        let named = |count: &&tlstriage::report::Count| count.reason.contains(reason);
        self.summary
            .limits
            .iter()
            .filter(named)
            .map(|count| count.count)
            .sum()
    }
}

/// A capture under a name that is always the same.
pub fn stream(capture: Vec<u8>) -> Source {
    Source::stream("capture", Cursor::new(capture))
}

/// What the usual settings tell of one capture.
pub fn told(capture: Vec<u8>) -> Told {
    told_by(&Analyzer::new(), [stream(capture)])
}

/// The usual settings on so many threads.
pub fn on_threads(count: usize) -> Analyzer {
    Analyzer::new().with_threads(NonZeroUsize::new(count).unwrap())
}

/// A key log with these lines.
pub fn keys(log: &str) -> Arc<KeyLog> {
    let mut keys = KeyLog::new();
    keys.read(log.as_bytes(), 0).unwrap();
    Arc::new(keys)
}

/// The usual settings with this key log.
pub fn with_keys(log: &str) -> Analyzer {
    Analyzer::new().with_keys(keys(log))
}

/// What a run tells, in both formats.
pub fn told_by(analyzer: &Analyzer, sources: impl IntoIterator<Item = Source>) -> Told {
    let style = {
        let mut style = Style::default();
        style.findings = true;
        style.summary = true;
        style
    };
    let places = [Place::default(), Place::default()];
    let mut writers = [Format::Jsonl, Format::Text]
        .into_iter()
        .zip(&places)
        .map(|(format, place)| format.writer(Box::new(place.clone()), style))
        .collect::<Vec<_>>();
    let mut run = analyzer.start(sources).unwrap();
    for report in &mut run {
        let report = report.unwrap();
        for writer in &mut writers {
            let mut rendered = Vec::new();
            writer.render(&report, &mut rendered);
            writer.write(&rendered).unwrap();
        }
    }
    let summary = run.summary();
    for writer in &mut writers {
        writer.finish(&summary).unwrap();
    }
    let [lines, text] = places.map(|place| String::from_utf8(place.take()).unwrap());
    Told {
        lines,
        text,
        summary,
    }
}

/// A place to write to that can be looked at afterwards.
#[derive(Clone, Default)]
pub struct Place(Arc<Mutex<Vec<u8>>>);

impl Place {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Removes `path` ("event.id") from a document.
pub fn remove(document: &mut Value, path: &str) {
    let (parents, field) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = document;
    for name in parents.split('.').filter(|name| !name.is_empty()) {
        match at.get_mut(name) {
            Some(inner) => at = inner,
            None => return,
        }
    }
    if let Some(object) = at.as_object_mut() {
        object.remove(field);
    }
}

/// Where two documents differ, a line for each place.
pub fn differences(found: &Value, expected: &Value) -> Vec<String> {
    let (Some(ours), Some(theirs)) = (found.as_object(), expected.as_object()) else {
        let differs = found != expected;
        return differs
            .then(|| format!(": {found} where {expected} was expected"))
            .into_iter()
            .collect();
    };
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let inner = |name: &String| -> Vec<String> {
        differences(&found[name], &expected[name])
            .into_iter()
            .map(|rest| format!(".{name}{rest}"))
            .collect()
    };
    names.into_iter().flat_map(inner).collect()
}

/// Asserts that two runs told the same, byte for byte, and shows the first line that differs.
pub fn assert_identical(name: &str, found: &str, expected: &str) {
    let mut lines = found.lines().zip(expected.lines());
    if let Some((found, expected)) = lines.find(|(found, expected)| found != expected) {
        let parsed = [found, expected].map(serde_json::from_str::<Value>);
        if let [Ok(found), Ok(expected)] = parsed {
            let differences = differences(&found, &expected).join("\n");
            panic!("{name}, {}:\n{differences}", expected["source"]);
        }
        panic!("{name}:\n{found}\nwhere this was expected:\n{expected}");
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{name}");
}
