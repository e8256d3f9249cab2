//! The command as its users meet it: flags, exit codes, pipes, full disks and Ctrl-C.

#![cfg(feature = "cli")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use support::capture::{self, Pcap};
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{Link, Packet, Packets as _};
use support::tls::{self, ClientHello, ServerHello, Tls as _, UNKNOWN_CA};

mod support;

// What is read.

#[test]
fn a_capture_gives_a_report_for_a_person() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let told = desk.run(["gateway.pcap"]);
    assert!(told.out.contains("10.1.0.4:443"), "{}", told.out);
    assert!(told.out.contains("10.1.0.9:8443"));
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn a_pipe_is_read_like_a_file() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let file = desk.run(["-f", "jsonl", "gateway.pcap"]);
    let pipe = desk.run_with(["-f", "jsonl", "-"], &both());
    let packed = desk.run_with(["-f", "jsonl", "-"], &capture::gzip(&both(), 2));
    assert_eq!(file.lines().len(), 2);
    assert_eq!(pipe.out, file.out.replace("gateway.pcap", "-"));
    assert_eq!(packed.out, pipe.out);
    assert_eq!((pipe.code, packed.code), (0, 0));
}

#[test]
fn a_directory_is_read_with_all_below_it_whatever_the_files_are_called() {
    let desk = Desk::new()
        .with("captures/a.txt", &good())
        .with("captures/deep/down/b", &capture::zstd(&bad()))
        .with("captures/notes.pcap", b"this is no capture")
        .with("captures/empty.pcap", b"");
    let told = desk.run(["captures", "-f", "jsonl"]);
    let files = told.each("/tlstriage/capture/file");
    assert_eq!(files, ["captures/a.txt", "captures/deep/down/b"]);
    assert_eq!(
        told.err,
        "note: 2 files in captures are no captures, and were skipped\n"
    );
    assert_eq!(told.code, 0);
    assert_eq!(desk.run(["-q", "captures", "-f", "jsonl"]).err, "");
}

#[test]
fn a_directory_without_captures_leaves_nothing_to_read() {
    let desk = Desk::new().with("captures/notes.txt", b"no capture");
    let told = desk.run(["captures"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert_eq!(
        told.err,
        "note: no capture in captures\nerror: there is nothing to read\n"
    );
}

#[test]
fn a_file_is_read_once_by_however_many_names() {
    let desk = Desk::new().with("a.pcap", &good());
    desk.link("a.pcap", "b.pcap");
    let told = desk.run(["a.pcap", ".", "./a.pcap", "b.pcap", "-f", "jsonl"]);
    assert_eq!(told.lines().len(), 1);
    assert!(
        told.err
            .contains("note: ./a.pcap is named more than once, and read once")
    );
}

#[test]
fn a_file_named_like_a_command_is_written_as_a_path() {
    let desk = Desk::new().with("schema", &good());
    assert_eq!(desk.run(["./schema", "-f", "jsonl"]).lines().len(), 1);
    assert!(desk.run(["schema"]).out.contains("json-schema.org"));
}

#[cfg(unix)]
#[test]
fn a_named_pipe_beside_files_is_read_from_its_first_byte() {
    let desk = Desk::new().with("a.pcap", &good());
    let pipe = desk.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let writer = std::thread::spawn(move || fs::write(pipe, bad()));
    let told = desk.run(["a.pcap", "pipe", "-f", "jsonl"]);
    assert_eq!(told.each("/tlstriage/capture/file"), ["a.pcap", "pipe"]);
    writer.join().unwrap().unwrap();
}

// Where it goes.

#[test]
fn with_a_file_for_output_nothing_goes_to_standard_output() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let told = desk.run(["gateway.pcap", "-o", "flows.jsonl", "-o", "report.txt"]);
    assert_eq!((told.code, told.out.as_str()), (0, ""));
    let (flows, report) = (desk.read("flows.jsonl"), desk.read("report.txt"));
    assert_eq!(desk.run(["gateway.pcap", "-f", "jsonl"]).out, flows);
    assert_eq!(desk.run(["gateway.pcap"]).out, report);
    let both = desk.run(["gateway.pcap", "-f", "text", "-o", "flows.jsonl"]);
    assert_eq!((both.out, desk.read("flows.jsonl")), (report, flows));
}

#[test]
fn a_page_is_the_same_from_a_file_name_and_from_a_format() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let told = desk.run(["gateway.pcap", "-o", "report.html", "-o", "again.htm"]);
    assert_eq!((told.code, told.out.as_str()), (0, ""));
    let page = desk.read("report.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert_eq!(page, desk.read("again.htm"));
    assert_eq!(page, desk.run(["gateway.pcap", "-f", "html"]).out);
}

#[test]
fn a_format_in_front_goes_before_the_extension() {
    let desk = Desk::new().with("a.pcap", &good());
    desk.run(["a.pcap", "-o", "text:flows.jsonl", "-o", "x:y.ndjson"]);
    assert!(desk.read("flows.jsonl").contains("SERVERS"));
    assert!(desk.read("x:y.ndjson").starts_with('{'));
    assert!(desk.run(["a.pcap", "-o", "jsonl:-"]).out.starts_with('{'));
    let told = desk.run(["a.pcap", "-o", "flows.csv"]);
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("known are .html, .htm, .jsonl"),
        "{}",
        told.err
    );
}

#[test]
fn an_output_never_overwrites_an_input() {
    let desk = Desk::new()
        .with("a.txt", &good())
        .with("captures/b.txt", &bad());
    desk.link("a.txt", "hard.txt");
    let mut outputs = vec![
        "a.txt",
        "./a.txt",
        "captures/../a.txt",
        "hard.txt",
        "captures/b.txt",
        "jsonl:captures/b.txt",
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("a.txt", desk.path("soft.txt")).unwrap();
        outputs.push("soft.txt");
    }
    for output in outputs {
        let told = desk.run(["a.txt", "captures", "-o", "new.jsonl", "-o", output]);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{output}");
        assert!(
            told.err.contains("an output never overwrites one"),
            "{}",
            told.err
        );
        assert!(
            !desk.path("new.jsonl").exists(),
            "it was looked up too late"
        );
    }
    assert_eq!(fs::read(desk.path("a.txt")).unwrap(), good());
    assert_eq!(fs::read(desk.path("captures/b.txt")).unwrap(), bad());
}

#[cfg(unix)]
#[test]
fn standard_output_never_overwrites_standard_input() {
    let desk = Desk::new().with("a.pcap", &good());
    let out = fs::OpenOptions::new()
        .append(true)
        .open(desk.path("a.pcap"))
        .unwrap();
    let mut command = desk.command(["-"]);
    let told = command
        .stdin(File::open(desk.path("a.pcap")).unwrap())
        .stdout(out)
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(2));
    assert_eq!(fs::read(desk.path("a.pcap")).unwrap(), good());
}

#[test]
fn two_outputs_to_one_file_are_refused() {
    let desk = Desk::new().with("a.pcap", &good());
    for outputs in [
        ["-o", "x.txt", "-o", "./x.txt"],
        ["-f", "jsonl", "-o", "-"],
        ["-o", "-", "-o", "jsonl:-"],
    ] {
        let told = desk.run(["a.pcap"].into_iter().chain(outputs));
        assert_eq!(told.code, 2, "{outputs:?}");
        assert!(told.err.contains("is an output twice"), "{}", told.err);
    }
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let desk = Desk::new().with("gateway.pcap", &both());
    for format in ["text", "jsonl"] {
        let mut command = desk.command(["gateway.pcap", "-f", format, "-o", "all.jsonl"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let told = Told::from(child.wait_with_output().unwrap());
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{format}");
        // Whoever reads the file has not gone.
        assert_eq!(desk.read("all.jsonl").lines().count(), 2);
    }
    for arguments in [&["schema"][..], &["completions", "bash"], &["--help"]] {
        let mut child = desk
            .command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let desk = Desk::new().with("gateway.pcap", &both());
    for format in ["text", "jsonl"] {
        let mut command = desk.command(["gateway.pcap", "-f", format, "-o", "all.jsonl"]);
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let told = Told::from(command.stdout(full).output().unwrap());
        assert_eq!(told.code, 2, "{format}");
        assert!(
            told.err
                .starts_with("error: standard output: No space left"),
            "{}",
            told.err
        );
        assert_eq!(desk.read("all.jsonl").lines().count(), 2);
    }
    let told = desk.run(["gateway.pcap", "-o", "jsonl:/dev/full"]);
    assert!(
        told.code == 2 && told.err.starts_with("error: /dev/full: No space left"),
        "{}",
        told.err
    );
}

#[cfg(target_os = "linux")]
#[test]
fn half_a_line_is_cut_off_where_the_disk_is_full() {
    let desk = Desk::new().with("many.pcap", &many(40));
    // In blocks of 512 bytes.
    let script = "ulimit -f 20; exec \"$0\" many.pcap -o flows.jsonl";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_tlstriage")])
        .current_dir(desk.0.path());
    let told = Told::from(command.output().unwrap());
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("error: flows.jsonl: File too large"),
        "{}",
        told.err
    );
    let flows = desk.read("flows.jsonl");
    assert!(flows.ends_with("}\n") && flows.lines().count() < 40);
    assert!(
        flows
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}

#[test]
fn an_output_that_cannot_be_made_is_told_before_anything_is_read() {
    let desk = Desk::new().with("a.pcap", &good());
    let told = desk.run(["a.pcap", "-o", "nowhere/flows.jsonl"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(
        told.err
            .starts_with("error: nowhere/flows.jsonl: cannot be written"),
        "{}",
        told.err
    );
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let desk = Desk::new().with("a.pcap", &bad());
    let is_colored = |arguments: &[&str]| desk.run(arguments).out.contains('\x1b');
    assert!(!is_colored(&["a.pcap"]));
    assert!(!is_colored(&["a.pcap", "--color", "never"]));
    assert!(is_colored(&["a.pcap", "--color", "always"]));
    desk.run([
        "a.pcap",
        "--color",
        "always",
        "-f",
        "text",
        "-o",
        "report.txt",
    ]);
    assert!(
        !desk.read("report.txt").contains('\x1b'),
        "a file is no terminal"
    );
}

#[test]
fn findings_and_summary_are_lines_of_their_own() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let told = desk.run(["gateway.pcap", "-f", "jsonl", "--findings", "--summary"]);
    let kinds = told.each("/event/dataset");
    assert_eq!(kinds[..2], ["tlstriage.flow", "tlstriage.flow"]);
    assert!(kinds.contains(&"tlstriage.finding".to_owned()));
    assert_eq!(kinds.last().unwrap(), "tlstriage.summary");
    let told = desk.run(["gateway.pcap", "--summary"]);
    assert!(told.err.contains("no output is jsonl"), "{}", told.err);
}

// What is looked at, and what is told.

#[test]
fn a_filter_leaves_out_what_is_not_looked_at() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let servers = |arguments: &[&str]| {
        let told = desk.run([&["gateway.pcap", "-f", "jsonl"], arguments].concat());
        assert_eq!(told.code, 0, "{}", told.err);
        told.each("/destination/ip")
    };
    let (good, bad) = ("10.1.0.4", "10.1.0.9");
    assert_eq!(servers(&["--host", good]), [good]);
    assert_eq!(servers(&["--host", good, "--host", bad]), [good, bad]);
    assert_eq!(servers(&["--net", "10.1.0.8/29"]), [bad]);
    assert_eq!(servers(&["--net", "2001:db8::/32"]), [""; 0]);
    assert_eq!(servers(&["--port", "8443"]), [bad]);
    assert_eq!(servers(&["--port", "443", "--host", bad]), [""; 0]);
    assert_eq!(servers(&["--from", "2023-11-14T23:00Z"]), [bad]);
    assert_eq!(servers(&["--to", "2023-11-14T23:00"]), [good]);
    assert_eq!(
        servers(&["--from", "2023-11-14", "--to", "2023-11-14"]),
        [good, bad]
    );
    assert_eq!(servers(&["--to", "2023-11-13"]), [""; 0]);
}

#[test]
fn a_selection_leaves_out_what_is_not_told() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let servers = |arguments: &[&str]| {
        desk.run([&["gateway.pcap", "-f", "jsonl"], arguments].concat())
            .each("/destination/ip")
    };
    assert_eq!(servers(&["--sni", "api.example"]), ["10.1.0.4"]);
    assert_eq!(servers(&["--sni", "*.EXAMPLE"]), ["10.1.0.4"]);
    assert_eq!(servers(&["--sni", "example"]), [""; 0]);
    assert_eq!(servers(&["--flagged"]), ["10.1.0.9"]);
}

#[test]
fn a_version_that_no_standard_names_is_told_only_as_it_was_on_the_wire() {
    let answer = ServerHello::new().version(0x7e01).message();
    let odd = Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
        .syn()
        .client(&ClientHello::new().record())
        .server(&tls::record(22, &answer))
        .fin();
    let desk = Desk::new().with("odd.pcap", &written(odd.segments().packets()));
    let told = desk.run(["odd.pcap", "-f", "jsonl"]);
    let each = ["/tls/version", "/tls/version_protocol"].map(|path| told.each(path));
    assert_eq!(each, [[""], [""]]);
    assert_eq!(told.each("/tlstriage/version_raw"), ["0x7e01"]);
}

#[test]
fn with_a_horizon_flows_are_told_before_their_neighbours_are_known() {
    // One flow a second.
    let desk = Desk::new().with("many.pcap", &many(700));
    let told = desk.run(["many.pcap", "-f", "jsonl", "--horizon", "10s"]);
    let horizons = told.each("/tlstriage/horizon");
    assert_eq!(horizons.len(), 700);
    assert_eq!(
        (horizons[0].as_str(), horizons[699].as_str()),
        ("partial", "")
    );
}

#[test]
fn a_catalog_of_ones_own_makes_a_certificate_known() {
    let catalog = r#"
        schema = 1
        [[certificate]]
        id = "in-house"
        product = "In-house gateway"
        category = "generic"
        strength = "exact"
        evidence = "source-code"
        source = "the house"
        [certificate.matcher]
        subject_cn = "nobody.invalid"
    "#;
    let desk = Desk::new()
        .with("a.pcap", &bad())
        .with("catalog.toml", catalog.as_bytes())
        .with("broken.toml", b"schema = ");
    let id = "/tlstriage/server/default_certificate/catalog_id";
    assert_eq!(desk.run(["a.pcap", "-f", "jsonl"]).each(id), [""]);
    let told = desk.run(["a.pcap", "-f", "jsonl", "--catalog", "catalog.toml"]);
    assert_eq!(told.each(id), ["in-house"], "{}", told.err);
    for broken in ["broken.toml", "missing.toml"] {
        let told = desk.run(["a.pcap", "--catalog", broken]);
        assert_eq!((told.code, told.out.as_str()), (2, ""));
        assert!(
            told.err.starts_with(&format!("error: {broken}: ")),
            "{}",
            told.err
        );
    }
}

#[test]
fn a_key_log_that_is_none_is_noted_and_one_that_cannot_be_read_is_an_error() {
    let log = b"# a comment\nCLIENT_RANDOM 00 11\nhello\nEXPORTER_SECRET 00 11\n";
    let desk = Desk::new()
        .with("a.pcap", &both())
        .with("keys.log", log.as_slice());
    let told = desk.run(["a.pcap", "-f", "jsonl", "--keylog", "keys.log"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.err.contains("keys.log holds no key"), "{}", told.err);
    assert!(
        told.err.contains("1 damaged line and 1 unknown line"),
        "{}",
        told.err
    );
    let told = desk.run(["a.pcap", "--keylog", "missing.log"]);
    assert_eq!(told.code, 2, "{}", told.err);
    assert!(told.err.contains("missing.log"), "{}", told.err);
}

#[test]
fn what_is_wrong_about_the_gateway_is_said_before_anything_is_read() {
    let root = Certificate::authority("Old Root").valid((2010, 1, 1), (2012, 1, 1));
    let leaf = Certificate::new("a.example").names(&["a.example"]);
    let issued = leaf.signed_by(&Certificate::authority("Root").self_signed());
    let key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let desk = Desk::new()
        .with("key.pem", key.as_bytes())
        .with("empty.pem", b"")
        .with("root.cer", &root.self_signed().der)
        .with("leaf.cer", &issued.der)
        .with(
            "gateway.toml",
            b"gateway = \"azure-v1\"\nexpected-crt = []\n",
        );
    for (option, value, words) in [
        (
            "--expected-cert",
            "key.pem",
            "error: key.pem: this is a private key",
        ),
        (
            "--expected-cert",
            "empty.pem",
            "error: empty.pem: the file is empty",
        ),
        (
            "--expected-cert",
            "missing.pem",
            "error: missing.pem: No such file",
        ),
        (
            "--trusted-root",
            "root.cer",
            "error: root.cer: certificate 1 expired on 2012-01-01",
        ),
        (
            "--trusted-root",
            "leaf.cer",
            "error: leaf.cer: certificate 1: it is the certificate of a server",
        ),
        (
            "--config",
            "gateway.toml",
            "error: gateway.toml: line 2, column 1: unknown field `expected-crt`",
        ),
        ("--gateway-subnet", "10.0.0.0/33", "not a network"),
        ("--backend", "10.0.0.1", "not a backend"),
        ("--expected-name", "10.0.0.1", "not a host name"),
        ("--gateway", "azure-v3", "azure-v1"),
    ] {
        // Nor is there a capture to read.
        let told = desk.run(["missing.pcap", option, value]);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{option} {value}");
        assert!(told.err.contains(words), "{option} {value}: {}", told.err);
        assert!(!told.err.contains("MAA="));
    }
}

#[test]
fn no_output_overwrites_what_is_read_beside_the_captures() {
    let root = Certificate::authority("Root").self_signed();
    let desk = Desk::new()
        .with("a.pcap", &bad())
        .with("keys.log", b"# none\n")
        .with("root.cer", &root.der)
        .with("gateway.toml", b"trusted-root = [\"root.cer\"]\n");
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    let before = ["keys.log", "root.cer", "gateway.toml"].map(read);
    for (option, value, output) in [
        ("--keylog", "keys.log", "keys.log"),
        ("--trusted-root", "root.cer", "root.cer"),
        ("--config", "gateway.toml", "gateway.toml"),
        ("--config", "gateway.toml", "root.cer"),
    ] {
        for to in [
            vec!["-o".to_owned(), format!("text:{output}")],
            vec![format!("--slice={output}")],
        ] {
            let mut arguments = vec!["a.pcap".to_owned(), option.to_owned(), value.to_owned()];
            arguments.extend(to);
            let told = desk.run(&arguments);
            assert_eq!(told.code, 2, "{arguments:?}");
            assert!(told.err.contains("is an input"), "{}", told.err);
        }
    }
    assert_eq!(before, ["keys.log", "root.cer", "gateway.toml"].map(read));
}

#[test]
fn nothing_is_lost_where_not_all_outputs_can_be_written() {
    let desk = Desk::new().with("a.pcap", &bad()).with("old.txt", b"old");
    let told = desk.run(["a.pcap", "-o", "old.txt", "-o", "missing/new.txt"]);
    assert_eq!((told.code, desk.read("old.txt").as_str()), (2, "old"));
    let told = desk.run(["a.pcap", "-o", "old.txt"]);
    assert_eq!(told.code, 0);
    assert!(desk.read("old.txt").contains("TLS flow"));
}

#[test]
fn the_number_of_threads_and_the_seed_never_show() {
    let desk = Desk::new().with("many.pcap", &many(700));
    let told = desk.run(["many.pcap", "-f", "jsonl", "--threads", "1"]);
    assert_eq!(told.lines().len(), 700);
    for threads in ["1", "2", "8"] {
        let again = desk.run(["many.pcap", "-f", "jsonl", "--threads", threads]);
        assert!(again.out == told.out, "{threads} threads");
    }
}

#[test]
fn a_limit_can_be_changed() {
    let desk = Desk::new().with("many.pcap", &many(5));
    let told = desk.run([
        "many.pcap",
        "-f",
        "jsonl",
        "--limit",
        "stories=2",
        "--limit",
        "waiting-total=1MiB",
    ]);
    assert_eq!(told.lines().len(), 5);
    assert!(
        told.each("/tlstriage/horizon")
            .contains(&"partial".to_owned())
    );
    let told = desk.run(["many.pcap", "--limit", "storeys=2"]);
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("no such limit; known are flows,"),
        "{}",
        told.err
    );
}

// How it ends.

#[test]
fn what_is_severe_enough_is_exit_code_1() {
    let desk = Desk::new()
        .with("good.pcap", &good())
        .with("bad.pcap", &bad());
    for severity in ["info", "low", "medium"] {
        assert_eq!(
            desk.run(["bad.pcap", "--fail-on", severity]).code,
            1,
            "{severity}"
        );
    }
    assert_eq!(desk.run(["bad.pcap"]).code, 0);
    assert_eq!(desk.run(["good.pcap", "--fail-on", "low"]).code, 0);
    assert_eq!(desk.run(["good.pcap", "--fail-on", "severe"]).code, 2);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let desk = Desk::new().with("a.pcap", &good());
    for arguments in [
        &[][..],
        &["a.pcap", "--no-such-option"],
        &["a.pcap", "-f", "xml"],
        &["a.pcap", "--threads", "0"],
        &["a.pcap", "--host", "gateway.example"],
        &["a.pcap", "--net", "10.0.0.0"],
        &["a.pcap", "--port", "0"],
        &["a.pcap", "--from", "yesterday"],
        &["a.pcap", "--from", "2026-01-02", "--to", "2026-01-01"],
        &["a.pcap", "--horizon", "60"],
        &["completions", "tcsh"],
    ] {
        let told = desk.run(arguments);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{arguments:?}");
        assert!(told.err.starts_with("error: "), "{}", told.err);
    }
}

#[test]
fn an_input_that_is_missing_is_exit_code_3_among_others_and_2_alone() {
    let desk = Desk::new().with("a.pcap", &good());
    let told = desk.run(["missing.pcap", "a.pcap", "-f", "jsonl"]);
    assert_eq!((told.code, told.lines().len()), (3, 1));
    assert!(
        told.err.starts_with("error: missing.pcap: No such file"),
        "{}",
        told.err
    );
    let told = desk.run(["-q", "missing.pcap"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(
        told.err.starts_with("error: missing.pcap: No such file"),
        "{}",
        told.err
    );
}

#[test]
fn damage_is_told_with_its_place_and_goes_before_findings() {
    let whole = both();
    let desk = Desk::new().with("cut.pcap", &whole[..whole.len() - 5]);
    let told = desk.run(["cut.pcap", "-f", "jsonl", "--fail-on", "info", "-q"]);
    assert_eq!((told.code, told.lines().len()), (3, 2));
    let last_record = whole.len() - 16 - 54 - 6;
    let place = format!("error: cut.pcap: at byte {last_record}: cut short");
    assert!(told.err.starts_with(&place), "{} {place}", told.err);
}

#[test]
fn a_capture_without_a_frame_that_could_be_read_is_exit_code_2() {
    let desk = Desk::new()
        .with("foreign.cap", b"GMBU\0\x02 and so on")
        .with("cut.pcap", &good()[..30])
        .with("nothing", b"");
    let told = desk.run(["foreign.cap"]);
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("Network Monitor") && told.err.contains("editcap"),
        "{}",
        told.err
    );
    assert_eq!(desk.run(["cut.pcap", "nothing"]).code, 2);
}

#[test]
fn a_capture_with_nothing_to_tell_is_exit_code_0_with_a_note() {
    let odd = Pcap::new().write(&Link::Ethernet, &frames(1));
    // The link type of USB.
    let odd = [&odd[..20], &189_u32.to_le_bytes(), &odd[24..]].concat();
    let desk = Desk::new()
        .with("empty.pcap", &good()[..24])
        .with("odd.pcap", &odd);
    let told = desk.run(["empty.pcap"]);
    assert_eq!(
        (told.code, told.err.as_str()),
        (0, "note: empty.pcap: no frame was read from it\n")
    );
    let told = desk.run(["odd.pcap"]);
    assert_eq!(told.code, 0);
    assert!(told.err.starts_with("note: no TCP in "), "{}", told.err);
    assert_eq!(desk.run(["-q", "empty.pcap", "odd.pcap"]).err, "");
}

#[cfg(unix)]
#[test]
fn a_file_name_does_nothing_to_a_terminal() {
    let told = Desk::new().run(["\x1b[2J\u{202e}gone.pcap"]);
    assert!(
        told.err
            .starts_with("error: \\u{1b}[2J\\u{202e}gone.pcap: "),
        "{}",
        told.err
    );
}

#[cfg(unix)]
#[test]
fn a_closed_standard_error_is_no_reason_to_fail() {
    let desk = Desk::new().with("a.pcap", &good());
    let script = "exec \"$0\" missing.pcap a.pcap -f jsonl 2>&-";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_tlstriage")])
        .current_dir(desk.0.path());
    let told = Told::from(command.output().unwrap());
    assert_eq!((told.code, told.lines().len()), (3, 1));
}

// What else it does.

#[test]
fn a_verdict_is_explained() {
    let desk = Desk::new();
    let told = desk.run(["explain", "no-sni.default-cert"]);
    assert_eq!(told.code, 0);
    assert!(
        told.out.starts_with("## `no-sni.default-cert`") && told.out.contains("openssl s_client")
    );
    let wrong = desk.run(["explain", "no-sni.default"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("no-sni.default-cert"), "{}", wrong.err);
}

#[test]
fn the_schema_describes_the_lines() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let schema: Value = serde_json::from_str(&desk.run(["schema"]).out).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for line in desk
        .run(["gateway.pcap", "-f", "jsonl", "--findings", "--summary"])
        .lines()
    {
        assert!(schema.is_valid(&line), "{line}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let told = desk.run(["completions", shell]);
        assert_eq!((told.code, told.err.as_str()), (0, ""));
        assert!(told.out.contains("fail-on"), "{shell}");
    }
}

#[test]
fn the_help_has_the_exit_codes_and_every_limit() {
    let desk = Desk::new();
    let told = desk.run(["--help"]);
    for part in [
        "Exit codes:",
        "waiting-total=128MiB",
        "Examples:",
        "What is looked at:",
    ] {
        assert!(told.out.contains(part), "{part}");
    }
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let version = format!("tlstriage {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(desk.run(["-V"]).out, version);
    assert_eq!(desk.run(["--version"]).out, version);
}

#[test]
fn there_is_no_progress_where_nobody_watches() {
    let desk = Desk::new().with("a.pcap", &good());
    assert_eq!(desk.run(["a.pcap"]).err, "");
}

// Signals.

#[cfg(target_os = "linux")]
#[test]
fn the_first_signal_ends_the_input_and_not_the_program() {
    let desk = Desk::new();
    for (signal, threads) in [("INT", "1"), ("INT", "2"), ("TERM", "1"), ("TERM", "2")] {
        let arguments = [
            "-",
            "-f",
            "jsonl",
            "-q",
            "--threads",
            threads,
            "--fail-on",
            "medium",
        ];
        let mut live = Live::start(&desk, &arguments);
        live.write(&both());
        live.signal(signal);
        let told = live.end();
        assert_eq!(
            told.each("/destination/ip"),
            ["10.1.0.4", "10.1.0.9"],
            "{signal} {threads}"
        );
        assert_eq!((told.code, told.err.as_str()), (1, ""));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_cut_by_a_signal_is_not_damaged() {
    let capture = both();
    let mut live = Live::start(&Desk::new(), &["-", "-f", "jsonl", "-q"]);
    live.write(&capture[..capture.len() - 5]);
    live.signal("INT");
    let told = live.end();
    assert_eq!((told.code, told.lines().len()), (0, 2));
}

#[cfg(target_os = "linux")]
#[test]
fn what_still_comes_after_the_signal_is_read() {
    // As tcpdump does, which hears the same Ctrl-C: it writes what it holds, and goes.
    let capture = both();
    let (first, rest) = capture.split_at(capture.len() / 2);
    let mut live = Live::start(&Desk::new(), &["-", "-f", "jsonl", "-q"]);
    live.write(first);
    live.signal("INT");
    live.stdin.write_all(rest).unwrap();
    assert_eq!(live.end().each("/destination/ip"), ["10.1.0.4", "10.1.0.9"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_stream_that_never_began_ends_too() {
    for first_bytes in [&[][..], &good()[..24]] {
        let mut live = Live::start(&Desk::new(), &["-", "-f", "jsonl", "-q"]);
        live.write(first_bytes);
        live.signal("INT");
        let told = live.end();
        assert_eq!(
            (told.code, told.out.as_str(), told.err.as_str()),
            (0, "", "")
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_second_signal_ends_the_program() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        // Nobody reads what it writes, so it waits.
        let mut live = Live::start(&Desk::new(), &["-", "-f", "jsonl", "-q"]);
        live.write(&many(100));
        live.signal(signal);
        wait();
        live.signal(signal);
        assert_eq!(live.child.wait().unwrap().code(), Some(code));
    }
}

// The slice for a ticket.

#[test]
fn a_slice_has_the_packets_of_the_flagged_flows() {
    let desk = Desk::new().with("gateway.pcap", &both());
    let told = desk.run(["gateway.pcap", "--slice", "flagged.pcapng", "-f", "jsonl"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.err
            .contains("note: flagged.pcapng: packets: 10, flows: 1"),
        "{}",
        told.err
    );
    let again = desk.run(["flagged.pcapng", "-f", "jsonl"]);
    assert_eq!(again.each("/rule/id"), told.each("/rule/id")[1..]);
    desk.run([
        "gateway.pcap",
        "-q",
        "--slice",
        "all.pcapng",
        "--slice-severity",
        "info",
    ]);
    assert_eq!(
        desk.run(["all.pcapng", "-f", "jsonl"]).each("/rule/id"),
        told.each("/rule/id")
    );
    let told = desk.run([
        "gateway.pcap",
        "--slice",
        "x.pcapng",
        "--sni",
        "api.example",
    ]);
    assert!(
        told.err.contains("x.pcapng: no flow was flagged"),
        "{}",
        told.err
    );
    assert_eq!((told.code, desk.run(["x.pcapng"]).code), (0, 0));
}

#[test]
fn a_pipe_is_sliced_only_where_it_is_kept() {
    let desk = Desk::new();
    let told = desk.run_with(["-", "--slice", "flagged.pcapng"], &[]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(
        told.err.contains("standard input can be read only once"),
        "{}",
        told.err
    );
    assert!(told.err.contains("--spool DIR") && !desk.path("flagged.pcapng").exists());
    let arguments = ["-", "-q", "--spool", ".", "--slice", "flagged.pcapng"];
    let told = desk.run_with(arguments, &capture::gzip(&both(), 1));
    assert_eq!(told.code, 0, "{}", told.err);
    assert_eq!(
        fs::read(desk.path("stdin.capture")).unwrap(),
        capture::gzip(&both(), 1)
    );
    assert_eq!(desk.run(["flagged.pcapng", "-f", "jsonl"]).lines().len(), 1);
    let told = desk.run_with(arguments, &[]);
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("--spool: ./stdin.capture: "),
        "{}",
        told.err
    );
}

#[test]
fn a_slice_overwrites_no_input_and_no_other_output() {
    let desk = Desk::new().with("gateway.pcap", &both());
    desk.link("gateway.pcap", "linked.pcap");
    let told = desk.run(["gateway.pcap", "--slice", "linked.pcap"]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("linked.pcap is an input"), "{}", told.err);
    assert_eq!(fs::read(desk.path("gateway.pcap")).unwrap(), both());
    let told = desk.run(["gateway.pcap", "--slice", "x", "-o", "text:x"]);
    assert!(told.err.contains("x is an output twice"), "{}", told.err);
    let told = desk.run(["gateway.pcap", "--slice", "missing/x.pcapng"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    assert!(told.err.contains("missing/x.pcapng: cannot be written"));
    assert_eq!(desk.run(["gateway.pcap", "--slice-headers"]).code, 2);
}

// Before and after.

#[test]
fn two_runs_are_compared_whether_captures_or_lines() {
    let desk = Desk::new()
        .with("before.pcap", &both())
        .with("after/a.pcap", &good());
    let lines = desk
        .run(["before.pcap", "-f", "jsonl", "--findings", "--summary"])
        .out;
    fs::write(desk.path("before.jsonl"), lines).unwrap();
    fs::write(
        desk.path("before.gz"),
        capture::gzip(desk.read("before.jsonl").as_bytes(), 1),
    )
    .unwrap();
    let told = desk.run(["diff", "before.pcap", "after", "-f", "json"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let (told, same) = (
        told.lines(),
        desk.run(["diff", "before.gz", "after", "-f", "json"])
            .lines(),
    );
    assert_eq!(
        (&told[0]["servers"], &told[0]["effect"]),
        (&same[0]["servers"], &same[0]["effect"])
    );
    assert_eq!(told[0]["servers"][0]["presence"], "lost");
    let told = desk.run_with(["diff", "-", "before.jsonl"], &both());
    assert!(
        told.out.contains("Nothing changed at any server."),
        "{}{}",
        told.out,
        told.err
    );
    let told = desk.run([
        "diff",
        "before.jsonl",
        "after",
        "-o",
        "x.html",
        "-o",
        "json:x",
        "-q",
    ]);
    assert_eq!((told.code, told.out.as_str()), (0, ""));
    assert!(
        desk.read("x.html").contains("Did the change help?") && desk.read("x").starts_with('{')
    );
}

#[test]
fn a_comparison_has_exit_codes_for_scripts() {
    let desk = Desk::new()
        .with("good.pcap", &good())
        .with("both.pcap", &both());
    let code = |arguments: &[&str]| desk.run([&["diff", "-q"], arguments].concat()).code;
    assert_eq!(code(&["good.pcap", "both.pcap"]), 0);
    assert_eq!(code(&["good.pcap", "both.pcap", "--fail-on", "worse"]), 1);
    assert_eq!(code(&["both.pcap", "good.pcap", "--fail-on", "worse"]), 0);
    assert_eq!(code(&["both.pcap", "good.pcap", "--fail-on", "change"]), 1);
    assert_eq!(code(&["good.pcap", "good.pcap", "--fail-on", "change"]), 0);
    assert_eq!(code(&["-", "-"]), 2);
    assert_eq!(code(&["good.pcap", "missing.pcap"]), 2);
    assert_eq!(
        code(&["good.pcap", "both.pcap", "-o", "both.pcap", "-f", "text"]),
        2
    );
    assert_eq!(code(&["good.pcap", "both.pcap", "-o", "text:both.pcap"]), 2);
    assert_eq!(fs::read(desk.path("both.pcap")).unwrap(), both());
    fs::write(desk.path("cut.pcap"), &both()[..both().len() - 7]).unwrap();
    assert_eq!(code(&["good.pcap", "cut.pcap", "--fail-on", "worse"]), 3);
    fs::write(desk.path("x.jsonl"), "{}\n").unwrap();
    let told = desk.run(["diff", "good.pcap", "x.jsonl"]);
    assert_eq!(told.code, 2);
    assert!(
        told.err
            .contains("error: x.jsonl: line 1: column 2: missing field"),
        "{}",
        told.err
    );
}

// The stories.

/// A handshake that ends well.
fn good_conversation() -> Conversation {
    let authority = Certificate::authority("Example CA").self_signed();
    let leaf = Certificate::new("api.example")
        .names(&["api.example"])
        .signed_by(&authority);
    Conversation::between("10.1.0.5:50112", "10.1.0.4:443")
        .syn()
        .tls12(
            &ClientHello::new().sni("api.example"),
            &[leaf.der, authority.der],
        )
        .fin()
}

/// An hour later: no name, a certificate of nobody, and a client that does not trust it.
fn bad_conversation() -> Conversation {
    let leaf = Certificate::new("nobody.invalid").self_signed();
    Conversation::between("10.1.0.5:50113", "10.1.0.9:8443")
        .at(1_700_003_600_000_000_000)
        .syn()
        .tls12_distrusted(&ClientHello::new(), &[leaf.der], UNKNOWN_CA)
}

fn good() -> Vec<u8> {
    written(good_conversation().segments().packets())
}

fn bad() -> Vec<u8> {
    written(bad_conversation().segments().packets())
}

fn both() -> Vec<u8> {
    let packets = [good_conversation(), bad_conversation()].map(|said| said.segments().packets());
    written(packets.concat())
}

fn many(flows: u16) -> Vec<u8> {
    written(frames(flows))
}

fn frames(flows: u16) -> Vec<Packet> {
    let hello = ClientHello::new().sni("api.example");
    let one = |at: u16| {
        let client = format!("10.1.0.5:{}", 20_000 + at);
        let begin = 1_700_000_000_000_000_000 + i64::from(at) * 1_000_000_000;
        Conversation::between(&client, "10.1.0.4:443")
            .at(begin)
            .syn()
            .tls13(&hello.clone().tls13())
            .fin()
    };
    (0..flows)
        .flat_map(|at| one(at).segments().packets())
        .collect()
}

fn written(packets: Vec<Packet>) -> Vec<u8> {
    Pcap::new().write(&Link::Ethernet, &packets.on(&Link::Ethernet))
}

// The desk they lie on.

/// A directory in which the command runs.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn with(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn link(&self, from: &str, to: &str) {
        fs::hard_link(self.path(from), self.path(to)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tlstriage"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Told {
        self.command(arguments).output().unwrap().into()
    }

    fn run_with<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Told {
        let mut command = self.command(arguments);
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().into()
    }
}

/// What the command said.
struct Told {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Told {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Told {
    fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A text of each line; an empty one where there is none.
    fn each(&self, pointer: &str) -> Vec<String> {
        let text = |line: &Value| {
            line.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.lines().iter().map(text).collect()
    }
}

/// A run whose standard input stays open.
struct Live {
    child: Child,
    stdin: std::process::ChildStdin,
}

impl Live {
    /// Starts it, and waits until it listens for signals.
    fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.command(arguments);
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let live = Self { child, stdin };
        for _ in 0..500 {
            if catches_sigint(&fs::read_to_string(&status).unwrap()) {
                return live;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("it does not listen");
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stdin.write_all(bytes).unwrap();
        wait();
    }

    fn signal(&self, name: &str) {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "kill -s \"$0\" \"$1\"",
            name,
            &self.child.id().to_string(),
        ]);
        assert!(command.status().unwrap().success());
    }

    /// What it says, while standard input is still open.
    fn end(mut self) -> Told {
        let (mut out, mut err) = (String::new(), String::new());
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        Told { code, out, err }
    }
}

/// Whether signal 2 is in the set of those that are caught (proc_pid_status(5), `SigCgt`).
fn catches_sigint(status: &str) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() & 2 != 0)
}

/// Time enough for what the program does by itself.
fn wait() {
    std::thread::sleep(std::time::Duration::from_millis(500));
}
