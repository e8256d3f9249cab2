//! The slice for a ticket.

use super::*;

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
