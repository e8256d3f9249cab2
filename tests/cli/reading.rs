//! What is read: files, pipes, directories.

use super::*;

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
