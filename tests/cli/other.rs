//! What else it does.

use super::*;

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
