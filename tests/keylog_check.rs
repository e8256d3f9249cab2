//! `keylog check`: what a log opens, and the smaller log that is as good for every verdict.

#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/ech.rs"]
mod ech;
#[path = "support/opened.rs"]
mod opened;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/run.rs"]
mod run;
mod support;

use std::path::Path;
use std::process::{Command, Output};

use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use serde_json::Value;

use ech::{apart, ech_blocks, strangers, without_ech_secret};
use opened::Opened;
use peers::World;
use run::{stream, told_by, with_keys};
use support::capture::file;
use support::certificate::Certificate;

/// What is said of a log and a capture, and the smaller log.
struct Checked {
    code: Option<i32>,
    text: String,
    minimal: String,
}

fn check(log: &str, capture: &[u8]) -> Checked {
    let desk = tempfile::tempdir().unwrap();
    let minimal = desk.path().join("minimal.log");
    let done = check_into(log, capture, &minimal);
    Checked {
        code: done.status.code(),
        text: String::from_utf8(done.stdout).unwrap(),
        minimal: std::fs::read_to_string(&minimal).unwrap(),
    }
}

fn check_into(log: &str, capture: &[u8], minimal: &Path) -> Output {
    let (log, capture) = (file(log.as_bytes(), ".log"), file(capture, ".pcap"));
    Command::new(env!("CARGO_BIN_EXE_tlstriage"))
        .args(["keylog", "check"])
        .args([log.path(), capture.path()])
        .arg("--minimal")
        .arg(minimal)
        .output()
        .unwrap()
}

fn told(log: &str, capture: &[u8]) -> Value {
    let mut flows = told_by(&with_keys(log), [stream(capture.to_vec())]).flows();
    assert_eq!(flows.len(), 1);
    flows.remove(0)
}

#[test]
fn a_log_is_made_smaller_and_opens_what_it_did() {
    let (opened, other) = (Opened::of(&TLS13), Opened::of(&TLS13));
    let log = format!("{}{}", opened.log, other.log);
    let checked = check(&log, &opened.meeting.capture());
    assert_eq!(checked.code, Some(0));
    let text = checked.text;
    assert!(text.contains("1 of 1 TLS flows opened"), "{text}");
    assert!(text.contains("2 of 8 secrets"), "{text}");
    assert_eq!(
        checked.minimal,
        opened.only(&["CLIENT_HAND", "SERVER_HAND"]) + "\n"
    );
    opened.assert_opened(&opened.told_with(&checked.minimal));
}

/// Meetings that end in different ways.
fn meetings() -> Vec<Opened> {
    let world = World::new();
    let stranger = World {
        root: Certificate::authority("Other Root").self_signed(),
        ..World::new()
    };
    let with_a_wrong_name = |world: &World| -> ServerConfig {
        let server = Certificate::new("shop.example").names(&["shop.example"]);
        let server = server.signed_by(&world.root);
        let world = World {
            chain: vec![server.der],
            key: server.key_der,
            ..World::new()
        };
        world.server(&TLS13)
    };
    vec![
        Opened::meet(&world.client(&TLS13), &world.server(&TLS13)),
        Opened::meet(&world.client(&TLS12), &world.server(&TLS12)),
        Opened::meet(&stranger.client(&TLS13), &world.server(&TLS13)),
        Opened::meet(&stranger.client(&TLS12), &world.server(&TLS12)),
        Opened::meet(&world.client(&TLS13), &with_a_wrong_name(&world)),
    ]
}

#[test]
fn verdicts_are_the_same_with_the_smaller_log() {
    for (number, opened) in meetings().into_iter().enumerate() {
        let capture = opened.meeting.capture();
        let checked = check(&opened.log, &capture);
        let (all, some) = (
            told(&opened.log, &capture),
            told(&checked.minimal, &capture),
        );
        let (all, some) = (&all["tlstriage"], &some["tlstriage"]);
        assert_eq!(all["verdict"]["id"], some["verdict"]["id"], "{number}");
        assert_eq!(all["server"], some["server"], "{number}");
        assert_eq!(all["findings"], some["findings"], "{number}");
        assert_eq!(all["handshake"]["outcome"], some["handshake"]["outcome"]);
    }
    for outcome in ["accepted", "hello-retry", "rejected"] {
        let (log, capture) = apart(ech_blocks(outcome));
        let checked = check(&log, &capture);
        let (all, some) = (told(&log, &capture), told(&checked.minimal, &capture));
        let (all, some) = (&all["tlstriage"], &some["tlstriage"]);
        // The alert of a client that was refused its hidden hello stays closed; that it was refused is proved without it.
        assert_eq!(all["verdict"]["id"], some["verdict"]["id"], "{outcome}");
        for field in ["server", "ech", "sni"] {
            assert_eq!(all[field], some[field], "{outcome}");
        }
    }
}

#[test]
fn what_is_there_is_never_replaced() {
    let opened = Opened::of(&TLS13);
    let capture = opened.meeting.capture();
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("notes");
    std::fs::write(&path, "what I know").unwrap();
    let done = check_into(&opened.log, &capture, &path);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(std::fs::read(&path).unwrap(), b"what I know");
    let errors = String::from_utf8(done.stderr).unwrap();
    assert!(errors.contains("notes"), "{errors}");
    // Nor what a link leads to, be there a file at its end or none.
    #[cfg(unix)]
    for target in ["notes", "nothing"] {
        let link = desk.path().join(format!("link to {target}"));
        std::os::unix::fs::symlink(desk.path().join(target), &link).unwrap();
        let done = check_into(&opened.log, &capture, &link);
        assert_eq!(done.status.code(), Some(2), "{target}");
        assert!(!desk.path().join("nothing").exists());
        assert_eq!(std::fs::read(&path).unwrap(), b"what I know");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_smaller_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let opened = Opened::of(&TLS13);
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("minimal.log");
    let done = check_into(&opened.log, &opened.meeting.capture(), &path);
    assert_eq!(done.status.code(), Some(0));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn no_secret_is_said() {
    let opened = Opened::of(&TLS13);
    // One line is damaged: what is said of it must not show it.
    let log = format!("{}CLIENT_RANDOM 00 {}\n", opened.log, "5a".repeat(48));
    let desk = tempfile::tempdir().unwrap();
    let done = check_into(
        &log,
        &opened.meeting.capture(),
        &desk.path().join("minimal.log"),
    );
    let text = [done.stdout, done.stderr].concat();
    let text = String::from_utf8(text).unwrap().to_lowercase();
    assert!(text.contains("1 damaged line"), "{text}");
    for line in log.lines() {
        let secret = line.rsplit(' ').next().unwrap();
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn of_a_flow_that_was_found_by_trial_the_smaller_log_has_the_keys() {
    let (log, capture) = without_ech_secret("hello-retry");
    let checked = check(&format!("{}{log}\n", strangers(0..30)), &capture);
    let text = checked.text;
    assert!(text.contains("1 of 1 TLS flows opened"), "{text}");
    assert!(text.contains("2 of 34 secrets"), "{text}");
    assert_eq!(checked.minimal.lines().count(), 2);
    let flow = told(&checked.minimal, &capture);
    assert_eq!(flow["tlstriage"]["client"]["ech"], "accepted");
    assert_eq!(flow["tlstriage"]["server"]["certificate"], "seen");
}

#[test]
fn what_opens_an_encrypted_hello_is_kept_in_a_smaller_log() {
    let (log, capture) = apart(ech_blocks("accepted"));
    let checked = check(&log, &capture);
    assert!(checked.text.contains("4 of 6 secrets"), "{}", checked.text);
    assert!(!checked.minimal.contains("TRAFFIC_SECRET_0"));
    let flow = told(&checked.minimal, &capture);
    assert_eq!(flow["tlstriage"]["client"]["ech"], "accepted");
    assert_eq!(flow["tlstriage"]["server"]["certificate"], "seen");
}
