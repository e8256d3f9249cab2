//! Where it goes: files, formats, pipes, full disks.

use super::*;

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
