//! `tlstriage keylog check`: what a key log opens, and how much of it has to be handed on for that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tlstriage::analysis::Analyzer;
use tlstriage::report::{CertificateState, FlowReport, SniState};
use tlstriage::tls::{KeyLog, Label};

use crate::cli::console::{Console, escaped};
use crate::cli::inputs::{Inputs, TerminalInput};
use crate::cli::keys;
use crate::cli::outcome::{self, Outcome};

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) log: PathBuf,
    pub(crate) captures: Vec<PathBuf>,
    pub(crate) minimal: Option<PathBuf>,
}

/// Why nothing was checked.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Analysis(#[from] tlstriage::analysis::Error),
    #[error(transparent)]
    Keys(#[from] keys::Error),
    #[error("{}: {error}", path.display())]
    Minimal { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Terminal(#[from] TerminalInput),
}

/// What was found, and how it ended.
pub(crate) struct Checked {
    pub(crate) text: String,
    pub(crate) outcome: Outcome,
}

/// Compares a key log with captures.
///
/// # Errors
///
/// When the log cannot be read, or the smaller one not be written.
pub(crate) fn check(asked: Check, console: Console) -> Result<Checked, Error> {
    let log = Arc::new(keys::read(std::slice::from_ref(&asked.log), console)?);
    let inputs = Inputs::find(&asked.captures, console)?;
    for error in &inputs.unreadable {
        console.error(error);
    }
    if inputs.count() == 0 {
        console.error("there is nothing to read");
        return Ok(Checked {
            text: String::new(),
            outcome: Outcome::Failed,
        });
    }
    let is_unreadable = !inputs.unreadable.is_empty();
    let count = inputs.count();
    let mut run = Analyzer::new()
        .with_keys(Arc::clone(&log))
        .start(inputs.into_sources())?;
    let mut found = Found::default();
    for report in &mut run {
        found.take(&report?, &log);
    }
    let mut text = found.text;
    let _ = write!(text, "{}", found.tally);
    found.needed.sort_unstable();
    found.needed.dedup();
    tell_needless(&mut text, &log, &found.needed);
    if let Some(path) = &asked.minimal {
        write_minimal(path, &log, &found.needed).map_err(|error| Error::Minimal {
            path: path.clone(),
            error,
        })?;
    }
    let summary = run.summary();
    outcome::tell(&summary, count, console);
    let outcome = if !outcome::has_something(&summary) {
        Outcome::Failed
    } else if is_unreadable || summary.is_damaged() {
        Outcome::Damaged
    } else {
        Outcome::Done
    };
    Ok(Checked { text, outcome })
}

/// What the flows so far say.
#[derive(Default)]
struct Found {
    text: String,
    tally: Tally,
    needed: Vec<([u8; 32], Label)>,
}

impl Found {
    fn take(&mut self, report: &FlowReport, log: &KeyLog) {
        let triage = &report.tlstriage;
        let random = triage.client_random.map(|random| random.0);
        let version = report.tls.version.as_deref();
        let is_tls13 = version == Some("1.3");
        let inner_random = triage.ech.as_ref().map(|ech| ech.inner_random.0);
        // A log has a connection under two randoms where a hello inside another one was accepted.
        let filed: Vec<([u8; 32], Label)> = [random, inner_random]
            .into_iter()
            .flatten()
            .flat_map(|random| {
                log.labels(&random)
                    .into_iter()
                    .map(move |label| (random, label))
            })
            .collect();
        let labels: Vec<Label> = filed.iter().map(|(_, label)| *label).collect();
        let state = state(report, &labels);
        let name = report.tls.client.server_name.as_deref();
        let _ = writeln!(
            self.text,
            "{}:{} > {}:{}  {:<9}{}{}  {}",
            report.source.ip,
            report.source.port,
            report.destination.ip,
            report.destination.port,
            version.map_or_else(|| "-".to_owned(), |version| format!("TLS {version}")),
            escaped(name.unwrap_or("(no name)")),
            match triage.sni {
                SniState::EchOuter => " (ECH cover name)",
                _ => "",
            },
            state.words(),
        );
        self.tally.count(state);
        let opens_handshake = is_tls13 && state == State::Opened;
        let is_needed = |label| match label {
            Label::ClientHandshake | Label::ServerHandshake => opens_handshake,
            Label::EchSecret | Label::EchConfig => inner_random.is_some(),
            _ => false,
        };
        let needed = filed.into_iter().filter(|(_, label)| is_needed(*label));
        self.needed.extend(needed);
    }
}

/// What the log does for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Opened,
    NoHello,
    NoKey,
    NoServerKey,
    DoesNotOpen,
    Suite,
    NothingSealed,
}

impl State {
    const fn words(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::NoHello => "not opened: the ClientHello is not in the capture",
            Self::NoKey => "not opened: no key",
            Self::NoServerKey => "opened in part: no key for the server's handshake",
            Self::DoesNotOpen => "not opened: the key does not fit",
            Self::Suite => "not opened: the cipher suite is not decrypted",
            Self::NothingSealed => "not opened: nothing encrypted was read",
        }
    }
}

fn state(report: &FlowReport, labels: &[Label]) -> State {
    use tlstriage::report::CertificateDetail as Detail;
    let triage = &report.tlstriage;
    let is_hidden = triage.server.certificate == CertificateState::Encrypted;
    match triage.server.certificate_detail.filter(|_| is_hidden) {
        _ if triage.client_random.is_none() => State::NoHello,
        Some(Detail::NoKey | Detail::KeyTooLate) if triage.decrypted => State::NoServerKey,
        _ if triage.decrypted => State::Opened,
        Some(Detail::KeyDoesNotOpen) => State::DoesNotOpen,
        Some(Detail::Suite) => State::Suite,
        _ if labels.is_empty() => State::NoKey,
        Some(Detail::NoKey) => State::NoServerKey,
        // Up to TLS 1.2 the certificate is in clear, so that nothing is said of keys.
        _ if !report.tls.cipher.as_deref().is_some_and(is_opened) => State::Suite,
        _ if triage.handshake.steps.contains(&"encrypted_handshake") => State::DoesNotOpen,
        _ => State::NothingSealed,
    }
}

/// Whether records of this suite are opened, by its name.
fn is_opened(suite: &str) -> bool {
    const OPENED: [&str; 5] = [
        "_AES_128_GCM_",
        "_AES_256_GCM_",
        "_AES_128_CCM",
        "_AES_256_CCM",
        "_CHACHA20_POLY1305_",
    ];
    OPENED.iter().any(|cipher| suite.contains(cipher))
}

/// How many flows are in which state.
#[derive(Default)]
struct Tally(BTreeMap<State, u64>);

impl Tally {
    fn count(&mut self, state: State) {
        let count = self.0.entry(state).or_default();
        *count = count.saturating_add(1);
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total: u64 = self.0.values().sum();
        let opened = self.0.get(&State::Opened).copied().unwrap_or_default();
        writeln!(f, "\n{opened} of {total} TLS flows opened")?;
        for (state, count) in self.0.iter().filter(|(state, _)| **state != State::Opened) {
            writeln!(f, "  {count} {}", state.words())?;
        }
        Ok(())
    }
}

/// Says what the certificates and alerts of these flows do not need.
fn tell_needless(text: &mut String, log: &KeyLog, needed: &[([u8; 32], Label)]) {
    let needless = log.len().saturating_sub(needed.len());
    let _ = writeln!(
        text,
        "\n{} of {} secrets open the handshakes of TLS 1.3 in these captures",
        needed.len(),
        log.len()
    );
    if needless > 0 {
        let _ = writeln!(
            text,
            "  the other {needless} can be left out before it is shared (--minimal): they open what users sent, or nothing here"
        );
    }
}

/// Writes a log with these secrets only, which nobody else can read.
fn write_minimal(path: &Path, log: &KeyLog, needed: &[([u8; 32], Label)]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    for (random, label) in needed {
        log.write(random, &[*label], &mut file)?;
    }
    file.flush()
}
