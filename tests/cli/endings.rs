//! How it ends: exit codes and errors.

use super::*;

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
