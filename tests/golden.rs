//! Every sample gives exactly the lines and the report that lie beside it.
//!
//! What is expected changes only by a deliberate step, and the difference is read like code:
//! `UPDATE_GOLDEN=1 cargo test --test golden`.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails loudly, and says what it renewed"
)]

use std::fs;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tlstriage::analysis::{Analyzer, Source};
use tlstriage::input;
use tlstriage::output::{Format, Style, schema};
use tlstriage::verdict::VerdictId;

/// Relative, so that names of files in the output are the same everywhere: cargo runs tests in
/// the folder of the package.
const SAMPLES: &str = "samples";
/// The sample whose page is kept too: one is enough to see what a change of it looks like.
const SAMPLE_WITH_PAGE: &str = "502-no-sni-default-certificate";

#[test]
fn every_sample_gives_its_lines_and_its_report() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let told = tell(&sample, 1);
        compare(&sample.join("expected.jsonl"), &told.lines, &mut wrong);
        compare(&sample.join("expected.txt"), &told.report, &mut wrong);
        if sample.ends_with(SAMPLE_WITH_PAGE) {
            compare(&sample.join("expected.html"), &told.page, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_line_is_valid_by_the_schema() {
    for sample in samples() {
        let told = tell(&sample, 1);
        for line in told.lines.lines() {
            let document: Value = serde_json::from_str(line).unwrap();
            let errors: Vec<_> = VALIDATOR
                .iter_errors(&document)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{}: {errors:?}", sample.display());
        }
    }
}

#[test]
fn the_number_of_threads_never_shows() {
    for sample in samples() {
        let alone = tell(&sample, 1);
        let together = tell(&sample, 3);
        assert_eq!(alone.lines, together.lines, "{}", sample.display());
        assert_eq!(alone.report, together.report, "{}", sample.display());
        assert_eq!(alone.page, together.page, "{}", sample.display());
    }
}

#[test]
fn every_report_fits_80_columns() {
    for sample in samples() {
        let report = tell(&sample, 1).report;
        for line in report.lines() {
            // A word that is longer than a line is not broken: a command is there to be copied.
            let is_one_word = !line.trim().contains(' ');
            let is_command = line.trim_start().starts_with("tcpdump ")
                || line.trim_start().starts_with("openssl ");
            assert!(
                line.chars().count() <= 80 || is_one_word || is_command,
                "{}: {line}",
                sample.display()
            );
        }
    }
}

#[test]
fn every_sample_says_what_it_shows() {
    for sample in samples() {
        let text = fs::read_to_string(sample.join("README.md")).unwrap();
        let name = sample.file_name().unwrap().to_string_lossy().into_owned();
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
        assert!(text.lines().count() > 2, "{name}");
    }
}

#[test]
fn the_readme_shows_what_is_told() {
    const COMMAND: &str = "$ cargo run --release -- samples/502-no-sni-default-certificate\n";
    let page = fs::read_to_string("README.md").unwrap();
    let (before, rest) = page.split_once(COMMAND).unwrap();
    let (_, after) = rest.split_once("\n```").unwrap();
    let report = tell(
        &Path::new(SAMPLES).join("502-no-sni-default-certificate"),
        1,
    )
    .report;
    let renewed = format!("{before}{COMMAND}{}\n```{after}", report.trim_end());
    let mut wrong = Vec::new();
    compare(Path::new("README.md"), &renewed, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_verdict_has_its_section() {
    let page = fs::read_to_string("docs/verdicts.md").unwrap();
    let told: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'))
        .collect();
    let known: Vec<&str> = VerdictId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(told, known, "in the order of the list");
}

/// The samples in order of their names.
fn samples() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(SAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// What a run tells about a sample.
struct Told {
    lines: String,
    report: String,
    page: String,
}

/// Runs over the captures of a sample, as a user does who names its folder.
fn tell(sample: &Path, threads: usize) -> Told {
    match fs::read_to_string(sample.join("options")) {
        Ok(options) => tell_with(options.split_whitespace(), sample, threads),
        Err(_) => tell_plain(sample, threads),
    }
}

/// Runs the command with what else the user knows.
fn tell_with<'a>(options: impl Iterator<Item = &'a str>, sample: &Path, threads: usize) -> Told {
    let made = tempfile::tempdir().unwrap();
    let place = |format: &str| made.path().join(format);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlstriage"));
    command.arg("--quiet").arg(format!("--threads={threads}"));
    command.args(options).arg(sample);
    for format in ["jsonl", "text", "html"] {
        command.arg("-o");
        command.arg(format!("{format}:{}", place(format).display()));
    }
    assert!(command.status().unwrap().success(), "{}", sample.display());
    let [lines, report, page] =
        ["jsonl", "text", "html"].map(|format| fs::read_to_string(place(format)).unwrap());
    Told {
        lines,
        report,
        page,
    }
}

fn tell_plain(sample: &Path, threads: usize) -> Told {
    let mut captures = input::files(sample, |error| panic!("{error}"));
    captures.retain(|path| is_capture(path));
    assert!(!captures.is_empty(), "{}", sample.display());
    let (lines, report, page) = (Place::default(), Place::default(), Place::default());
    let style = Style::default();
    let mut writers = [
        Format::Jsonl.writer(Box::new(lines.clone()), style),
        Format::Text.writer(Box::new(report.clone()), style),
        Format::Html.writer(Box::new(page.clone()), style),
    ];
    let mut analysis = Analyzer::new()
        .with_threads(NonZeroUsize::new(threads).unwrap())
        .start(captures.iter().map(Source::file))
        .unwrap();
    for flow in &mut analysis {
        let flow = flow.unwrap();
        for writer in &mut writers {
            let mut rendered = Vec::new();
            writer.render(&flow, &mut rendered);
            writer.write(&rendered).unwrap();
        }
    }
    let summary = analysis.summary();
    for writer in &mut writers {
        writer.finish(&summary).unwrap();
    }
    Told {
        lines: lines.text(),
        report: report.text(),
        page: page.text(),
    }
}

/// What else lies beside them are texts.
fn is_capture(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with("capture")
}

/// Compares with what is expected, or renews it where that was asked for.
fn compare(path: &Path, actual: &str, wrong: &mut Vec<String>) {
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, actual).unwrap();
        eprintln!("renewed {}", path.display());
        return;
    }
    let first = expected
        .lines()
        .zip(actual.lines())
        .position(|(expected, actual)| expected != actual)
        .unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    wrong.push(format!(
        "{}, line {}:\n  expected {}\n  got      {}",
        path.display(),
        first + 1,
        expected.lines().nth(first).unwrap_or("(the end)"),
        actual.lines().nth(first).unwrap_or("(the end)"),
    ));
}

/// A place to write to that can be looked at afterwards.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Vec<u8>>>);

impl Place {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
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

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
});
