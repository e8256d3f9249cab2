//! What Ctrl-C does.

use super::*;

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
