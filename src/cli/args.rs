//! The command line: every definition that clap reads.
//!
//! clap's types stop in this file and those below it. What a value means is told in `values`, and what is done with
//! it in the door above.

mod color;
mod diff;

pub(crate) use color::Color;
pub(crate) use diff::{Concern, DiffArguments};

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use tlstriage::analysis::Network;
use tlstriage::output::Format;
use tlstriage::report::Severity;
use tlstriage::time::Timestamp;
use tlstriage::verdict::{Gateway, VerdictId};

use crate::cli::console;
use crate::cli::limits::{self, Setting};
use crate::cli::values::{self, Backend, Target};

/// Reads packet captures and says for every TLS flow what happened, and why.
#[derive(Debug, Parser)]
#[command(
    name = "tlstriage",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Other commands",
    after_help = EXAMPLES,
    after_long_help = AFTER_LONG_HELP
)]
pub(crate) struct Arguments {
    /// Captures: files, directories, or - for standard input
    ///
    /// pcap and pcapng, plain or compressed with gzip, zstd, lz4 or xz. What a file is, is told by
    /// its first bytes and never by its name. A directory is read with all below it: every file
    /// that begins like a capture. A file named like a command is written ./schema.
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<PathBuf>,

    /// Format on standard output [default: text, or nothing when there is an -o]
    #[arg(short, long, value_name = "FORMAT", value_parser = formats(), help_heading = OUTPUT)]
    pub(crate) format: Option<Format>,

    /// Write to a file as well; may be repeated
    ///
    /// The extension tells the format (.html, .htm; .jsonl, .ndjson, .json; .txt, .text), or the format
    /// stands in front: -o text:report.out. A file that is there is replaced, but never one that is read.
    /// With - for the file, it is standard output.
    #[arg(
        short,
        long,
        value_name = "[FORMAT:]FILE",
        value_parser = OsStringValueParser::new().try_map(|text| values::target(&text)),
        value_hint = ValueHint::FilePath,
        help_heading = OUTPUT
    )]
    pub(crate) output: Vec<Target>,

    /// Add a JSON line for each group of findings
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) findings: bool,

    /// Add a last JSON line for the whole run
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) summary: bool,

    /// Write the packets of the flagged flows to a pcapng, for a ticket
    ///
    /// Each packet says in a comment which file and frame it comes from. The inputs are read a second
    /// time: a pipe needs --spool. Keys that a capture carries are left out.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub(crate) slice: Option<PathBuf>,

    /// In the slice, cut off application data
    #[arg(long, requires = "slice", help_heading = OUTPUT)]
    pub(crate) slice_headers: bool,

    /// In the slice, also have flows that the flagged ones were compared with
    ///
    /// Of each name and certificate at the same servers the first one. With them, a run over the slice
    /// comes to the same verdicts.
    #[arg(long, requires = "slice", help_heading = OUTPUT)]
    pub(crate) slice_neighbours: bool,

    /// What belongs into the slice: flows with a verdict at least this severe
    #[arg(
        long,
        value_name = "SEVERITY",
        value_parser = severities(),
        requires = "slice",
        default_value = "low",
        help_heading = OUTPUT
    )]
    pub(crate) slice_severity: Severity,

    /// Keep what a pipe brings in a file of this folder
    ///
    /// stdin.capture for standard input, pipe-1.capture and so on for named pipes. A file that is
    /// there is never replaced.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = OUTPUT)]
    pub(crate) spool: Option<PathBuf>,

    /// Colour on standard output; auto is for a terminal, and heeds NO_COLOR
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = OUTPUT)]
    pub(crate) color: Color,

    /// Tell only flows with a finding that is more than information
    #[arg(long, help_heading = TOLD)]
    pub(crate) flagged: bool,

    /// Tell only flows with this server name; * stands for any characters; may be repeated
    #[arg(long, value_name = "PATTERN", help_heading = TOLD)]
    pub(crate) sni: Vec<String>,

    /// End with exit code 1 when something at least this severe was found
    #[arg(long, value_name = "SEVERITY", value_parser = severities(), help_heading = TOLD)]
    pub(crate) fail_on: Option<Severity>,

    /// Tell a flow once it has been over for this long, as 60s or 5m
    ///
    /// Counted in the time of the capture. By default every flow is told at the end of the run, when
    /// all its neighbours are known; what is told earlier is marked as partial.
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = TOLD)]
    pub(crate) horizon: Option<i64>,

    /// Look only at flows with this address at one end; may be repeated
    #[arg(long, value_name = "IP", value_parser = values::host, help_heading = LOOKED_AT)]
    pub(crate) host: Vec<Network>,

    /// Look only at flows with an end in this network; may be repeated
    #[arg(long, value_name = "CIDR", value_parser = values::network, help_heading = LOOKED_AT)]
    pub(crate) net: Vec<Network>,

    /// Look only at flows with this port at one end; may be repeated
    #[arg(
        long,
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = LOOKED_AT
    )]
    pub(crate) port: Vec<u16>,

    /// Look only at frames from this time on, as 2026-11-23T04:00:00Z
    ///
    /// RFC 3339. Without an offset it is UTC; without a time it is the beginning of that day.
    #[arg(long, value_name = "TIME", value_parser = values::from, help_heading = LOOKED_AT)]
    pub(crate) from: Option<Timestamp>,

    /// Look only at frames up to this time
    ///
    /// RFC 3339. Without an offset it is UTC; without a time it is the end of that day.
    #[arg(long, value_name = "TIME", value_parser = values::to, help_heading = LOOKED_AT)]
    pub(crate) to: Option<Timestamp>,

    /// Which gateway the clients are: whose rules apply, and whose messages are foretold
    #[arg(long, value_name = "GATEWAY", value_parser = gateways(), help_heading = KNOWN)]
    pub(crate) gateway: Option<Gateway>,

    /// Where the gateway's instances are: the rest of this holds for their flows only; may be repeated
    #[arg(long, value_name = "CIDR", value_parser = values::network, help_heading = KNOWN)]
    pub(crate) gateway_subnet: Vec<Network>,

    /// The certificate that the gateway was given as the server's (PEM or DER); may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = KNOWN)]
    pub(crate) expected_cert: Vec<PathBuf>,

    /// A root that the gateway was given, beside well-known ones (PEM or DER); may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = KNOWN)]
    pub(crate) trusted_root: Vec<PathBuf>,

    /// A host name that the gateway ought to ask for; may be repeated
    #[arg(long, value_name = "NAME", value_parser = values::host_name, help_heading = KNOWN)]
    pub(crate) expected_name: Vec<String>,

    /// The host name to ask for at an address, as api.contoso.com=10.1.2.3; may be repeated
    #[arg(long, value_name = "HOST=ADDRESS", value_parser = values::backend, help_heading = KNOWN)]
    pub(crate) backend: Vec<Backend>,

    /// Take what is known of the gateway from a TOML file; may be repeated
    ///
    /// Its keys are the options above: gateway = "azure-v1", gateway-subnet = ["10.1.0.0/24"],
    /// expected-cert, trusted-root, expected-name, backend. Paths count from where the file lies.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = KNOWN)]
    pub(crate) config: Vec<PathBuf>,

    /// Know the default certificates of this file too; may be repeated
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = WORK
    )]
    pub(crate) catalog: Vec<PathBuf>,

    /// Open what is encrypted with the keys of this log; may be repeated
    ///
    /// The format of SSLKEYLOGFILE (RFC 9850). Secrets that a pcapng carries itself are used without it.
    /// For the certificate of TLS 1.3, lines with SERVER_HANDSHAKE_TRAFFIC_SECRET are enough.
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = WORK
    )]
    pub(crate) keylog: Vec<PathBuf>,

    /// Look for secrets in compressed and in all of large captures too, before they are analysed
    ///
    /// By default plain pcapng files are searched: small ones whole, large ones at both ends. Elsewhere a
    /// secret opens the flows after it, and those still being read.
    #[arg(long, help_heading = WORK)]
    pub(crate) secrets_anywhere: bool,

    /// How many threads work [default: one for each processor]
    ///
    /// The results are the same on any number of threads.
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = WORK)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Change a bound on memory, as flows=100000; may be repeated; --help lists them
    #[arg(
        long,
        value_name = "NAME=VALUE",
        value_parser = limits::parse,
        long_help = limits::help(),
        help_heading = WORK
    )]
    pub(crate) limit: Vec<Setting>,

    /// No progress and no notes on standard error, only errors
    #[arg(short, long, help_heading = WORK)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What else the program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the JSON Schema of the JSON lines
    Schema,
    /// Say what a verdict means, and what to do about it
    Explain {
        /// The id of the verdict, as no-sni.default-cert
        #[arg(value_name = "VERDICT-ID", value_parser = verdict_id())]
        verdict: VerdictId,
    },
    /// Compare a key log with captures
    Keylog {
        /// What to do with it
        #[command(subcommand)]
        command: KeylogCommand,
    },
    /// Compare two runs: did the change help?
    #[command(after_help = diff::EXIT_CODES)]
    Diff(DiffArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What is done with a key log.
#[derive(Debug, Subcommand)]
pub(crate) enum KeylogCommand {
    /// Say which flows it opens, which it does not and why, and what of it need not be shared
    Check {
        /// The key log
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        log: PathBuf,
        /// Captures: files, directories, or - for standard input
        #[arg(required = true, value_name = "CAPTURE", value_hint = ValueHint::AnyPath)]
        captures: Vec<PathBuf>,
        /// Write a log that opens the handshakes of TLS 1.3 in these captures, and nothing that users sent
        ///
        /// A file that is there is never replaced. Nobody else can read the new one.
        #[arg(long, value_name = "OUT", value_hint = ValueHint::FilePath)]
        minimal: Option<PathBuf>,
    },
}

/// The ids of all verdicts, so that a wrong one is answered with the right ones.
fn verdict_id() -> impl TypedValueParser<Value = VerdictId> {
    PossibleValuesParser::new(VerdictId::ALL.map(VerdictId::as_str)).try_map(|text| {
        let mut ids = VerdictId::ALL.into_iter();
        ids.find(|id| id.as_str() == text).ok_or("unknown verdict")
    })
}

/// A shell that can be told what to complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shell(clap_complete::Shell);

impl ValueEnum for Shell {
    fn value_variants<'a>() -> &'a [Self] {
        use clap_complete::Shell::{Bash, Elvish, Fish, PowerShell, Zsh};
        &[
            Self(Bash),
            Self(Elvish),
            Self(Fish),
            Self(PowerShell),
            Self(Zsh),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        self.0.to_possible_value()
    }
}

impl Shell {
    /// The script that teaches it this command line.
    pub(crate) fn script(self) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(self.0, &mut Arguments::command(), "tlstriage", &mut script);
        script
    }
}

/// The command line was answered and there is nothing left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// With what was asked for: the help, the version.
    Help,
    /// With what is wrong about it.
    Usage,
}

/// Reads the command line. Help, version and usage errors are printed here.
pub(crate) fn parse() -> Result<Arguments, Answered> {
    let error = match Arguments::try_parse() {
        Ok(arguments) => return Ok(arguments),
        Err(error) => error,
    };
    // What was typed comes back in the message, and must not turn the terminal upside down.
    let text = error.render().to_string();
    let safe = console::escaped_lines(&text);
    let printed = if safe == text || !error.use_stderr() {
        error.print()
    } else {
        io::stderr().lock().write_all(safe.as_bytes())
    };
    let is_written =
        printed.map_or_else(|error| error.kind() == io::ErrorKind::BrokenPipe, |()| true);
    if error.use_stderr() || !is_written {
        Err(Answered::Usage)
    } else {
        Err(Answered::Help)
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .try_map(|name| name.parse::<Format>())
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.iter().map(|severity| severity.as_str()))
        .try_map(|word| values::severity(&word))
}

fn gateways() -> impl TypedValueParser<Value = Gateway> {
    PossibleValuesParser::new(Gateway::ALL.map(Gateway::as_str))
        .try_map(|word| values::gateway(&word))
}

const OUTPUT: &str = "Output";
const TOLD: &str = "What is told";
const LOOKED_AT: &str = "What is looked at";
const KNOWN: &str = "What you know of the gateway";
const WORK: &str = "How it is done";

const EXAMPLES: &str = "\
Examples:
  tlstriage gateway.pcap                      a report for a person
  tlstriage -f jsonl gateway.pcap             one JSON line for each TLS flow
  tlstriage captures/ -o flows.jsonl -o report.txt
  tlstriage diff before.pcap after.jsonl      did the change help?
  sudo tcpdump -i any -s 0 -w - | tlstriage -    Ctrl-C ends it, then the report";

const AFTER_LONG_HELP: &str = "\
Exit codes:
  0  Done.
  1  Done, and something at or above --fail-on was found.
  2  Wrong usage, or no input could be analysed, or an output could not be written.
  3  Done, but an input was damaged or could not be read: standard error says where and why, and
     all other results are there. This goes before 1.
  A closed pipe on standard output is a quiet end with 0.

Signals:
  The first SIGINT (Ctrl-C) or SIGTERM ends the input: what was read is judged and written, with
  the usual exit code. The second ends the program at once, with 130 or 143.

Examples:
  tlstriage gateway.pcap
      A report for a person on standard output.
  tlstriage -f jsonl gateway.pcap | jq -r '.tls.client.server_name // empty'
      One JSON line for each TLS flow.
  tlstriage gateway.pcap -o report.html --slice flagged.pcapng --slice-headers
      What a ticket needs: the report as a page, and the packets behind it without application data.
  tlstriage captures/ more.pcapng.gz -o flows.jsonl -o report.txt
      Several inputs, several outputs, one pass.
  tlstriage --net 10.1.0.0/16 --port 443 --from 2026-11-23T04:00 gateway.pcap
      Only a part of a capture.
  sudo tcpdump -i any -s 0 -w - | tlstriage -
      A live capture: Ctrl-C ends it, then comes the report.";
