//! What is looked at, and what is told.

use super::*;

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
