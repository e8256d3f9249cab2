//! Before and after.

use super::*;

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
