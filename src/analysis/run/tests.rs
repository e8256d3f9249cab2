use std::fs;
use std::io::Write as _;

use super::*;

/// A large file with a flow, and behind it the secrets of the flow, and a packet that comes once more.
fn with_late_secrets() -> tempfile::NamedTempFile {
    let sample = fs::read("samples/tls13-ech-accepted-with-secrets/capture.pcapng").unwrap();
    let (mut packets, mut secrets, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = sample.as_slice();
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let (block, after) = rest.split_at(usize::try_from(len).unwrap());
        let is_secrets = block[..4] == [10, 0, 0, 0];
        let into = if is_secrets {
            &mut secrets
        } else {
            &mut packets
        };
        into.extend_from_slice(block);
        last = block.to_vec();
        rest = after;
    }
    // A block of a type that nobody knows, in so many copies that the middle is not searched ahead.
    let len = 60_012_u32.to_le_bytes();
    let filler = [&[0xad, 0x0b, 0, 0][..], &len, &[0; 60_000], &len].concat();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for part in [packets, filler.repeat(160), secrets, last] {
        file.write_all(&part).unwrap();
    }
    file
}

#[test]
fn a_run_that_is_stopped_behind_late_secrets_tells_what_it_found() {
    let file = with_late_secrets();
    let start = || Analysis::start(Analyzer::new(), vec![Source::file(file.path())]).unwrap();
    let tell = |run: Analysis| run.map(Result::unwrap).collect::<Vec<_>>();
    let mut stopped = start();
    while !stopped.shared.keyring.is_in_use() {
        assert!(!stopped.is_over, "the secrets were not met");
        stopped.read_round();
    }
    stopped.progress().stop();
    let told = tell(stopped);
    assert_eq!(told.len(), 1);
    assert!(!told[0].tlstriage.decrypted);
    // One that is left to itself begins again.
    let told = tell(start());
    assert_eq!(told.len(), 1);
    assert!(told[0].tlstriage.decrypted);
}

#[test]
fn secrets_behind_the_flows_of_one_file_open_those_of_all_on_any_threads() {
    let late = with_late_secrets();
    let sample = fs::read("samples/tls13-ech-accepted-with-secrets/capture.pcapng").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..12).map(|n| folder.path().join(n.to_string())).collect();
    for path in &paths {
        // Only the large file has the secrets.
        fs::write(path, without_secrets(&sample)).unwrap();
    }
    let tell = |threads| {
        let mut sources: Vec<Source> = paths.iter().map(Source::file).collect();
        sources.insert(6, Source::file(late.path()));
        let threads = std::num::NonZeroUsize::new(threads).unwrap();
        let run = Analysis::start(Analyzer::new().with_threads(threads), sources).unwrap();
        let reports = run.map(Result::unwrap);
        reports
            .map(|report| (report.tlstriage.decrypted, format!("{report:?}")))
            .collect::<Vec<_>>()
    };
    let expected = tell(1);
    assert!(!expected.is_empty() && expected.iter().all(|(decrypted, _)| *decrypted));
    for threads in [2, 3, 8] {
        assert_eq!(tell(threads), expected, "{threads} threads");
    }
}

/// A pcapng without its secrets.
fn without_secrets(capture: &[u8]) -> Vec<u8> {
    let (mut kept, mut rest) = (Vec::new(), capture);
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let (block, after) = rest.split_at(usize::try_from(len).unwrap());
        if block[..4] != [10, 0, 0, 0] {
            kept.extend_from_slice(block);
        }
        rest = after;
    }
    kept
}
