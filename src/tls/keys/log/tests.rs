//! What a key log may hold: the good, the damaged, the hostile.

use super::*;

const RANDOM: [u8; 32] = [0xab; 32];

fn line(label: &str, random: [u8; 32], secret: &[u8]) -> String {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    format!("{label} {} {}\n", hex(&random), hex(secret))
}

fn read(text: impl AsRef<[u8]>) -> (KeyLog, LineCounts) {
    let mut log = KeyLog::new();
    let counts = log.read(text.as_ref(), 0).unwrap();
    (log, counts)
}

fn found(log: &KeyLog, label: Label) -> Vec<Vec<u8>> {
    log.secrets(&RANDOM, label, u64::MAX)
        .map(|secret| secret.bytes().to_vec())
        .collect()
}

#[test]
fn every_label_is_read_with_any_line_end() {
    for end in ["\n", "\r\n", "\r", "\n\n\r\n"] {
        let text: String = Label::ALL
            .into_iter()
            .map(|label| line(label.as_str(), RANDOM, &[7; 48]).replace('\n', end))
            .collect();
        let (log, counts) = read(&text);
        assert_eq!((counts.secrets, counts.damaged), (8, 0), "{end:?}");
        assert_eq!(log.labels(&RANDOM), Label::ALL);
        assert_eq!(found(&log, Label::ServerHandshake), [[7; 48]]);
    }
}

#[test]
fn case_blanks_a_byte_order_mark_and_a_missing_last_line_end_do_not_matter() {
    let text = line("CLIENT_RANDOM", RANDOM, &[0xcd; 48]);
    let upper = text.trim_end().to_uppercase();
    let wide = text.replace(' ', " \t  ");
    for text in [upper, wide, format!("\u{feff}{text}"), format!("  {text}")] {
        let (log, counts) = read(&text);
        assert_eq!(counts.secrets, 1, "{text}");
        assert_eq!(found(&log, Label::ClientRandom), [[0xcd; 48]]);
    }
}

#[test]
fn what_is_no_secret_is_counted_by_what_it_is() {
    let good = line("SERVER_HANDSHAKE_TRAFFIC_SECRET", RANDOM, &[1; 32]);
    let text = [
        "# a comment\n\n",
        &line("EXPORTER_SECRET", RANDOM, &[1; 32]),
        &line("SOMETHING_ELSE", RANDOM, &[1; 32]),
        "hello\n",
        &good,
        // One digit short, too short, too long, no secret, a word too many, not hex.
        &format!("{}\n", &good[..good.len() - 2]),
        &line("CLIENT_RANDOM", RANDOM, &[1; 32]),
        &line("CLIENT_TRAFFIC_SECRET_0", RANDOM, &[1; 64]),
        "CLIENT_RANDOM abcd\n",
        &good.replace('\n', " x\n"),
        &good.replace("01", "0g"),
        &format!("{} {}\n", good.trim_end(), "z".repeat(5000)),
    ]
    .concat();
    let (log, counts) = read(&text);
    let expected = LineCounts {
        secrets: 1,
        unused: 1,
        unknown: 2,
        damaged: 7,
        left_out: 0,
    };
    assert_eq!(counts, expected);
    assert_eq!(log.len(), 1);
}

#[test]
fn the_same_line_twice_is_one_secret_and_different_ones_are_bounded() {
    let mut text = line("CLIENT_RANDOM", RANDOM, &[0; 48]).repeat(2);
    for value in 0..10 {
        text += &line("CLIENT_RANDOM", RANDOM, &[value; 48]);
    }
    let (log, counts) = read(&text);
    assert_eq!(log.len(), MAX_OF_A_LABEL);
    assert_eq!(counts.left_out, 6);
}

#[test]
fn the_bytes_of_all_secrets_are_bounded() {
    let mut log = KeyLog {
        held_len: KeyLog::MAX_LEN - 80,
        ..KeyLog::new()
    };
    let counts = |log: &mut KeyLog, random: u8, len: usize| {
        let text = line("ECH_CONFIG", [random; 32], &vec![random; len]);
        log.read_bytes(text.as_bytes(), 0)
    };
    assert_eq!(counts(&mut log, 1, 48).left_out, 0);
    // One that is too large is left out, and a smaller one still fits; one that is there already takes no room.
    assert_eq!(counts(&mut log, 2, 33).left_out, 1);
    assert_eq!(counts(&mut log, 3, 32).left_out, 0);
    assert_eq!(counts(&mut log, 3, 32).left_out, 0);
    assert_eq!(counts(&mut log, 4, 1).left_out, 1);
    assert_eq!((log.len(), log.held_len), (2, KeyLog::MAX_LEN));
}

#[test]
fn a_secret_is_known_from_its_place_on_and_from_the_earliest_of_several() {
    let text = line("CLIENT_RANDOM", RANDOM, &[1; 48]);
    let mut log = KeyLog::new();
    log.read(text.as_bytes(), 10).unwrap();
    assert!(!log.knows(&RANDOM, 9));
    assert!(log.knows(&RANDOM, 10));
    assert_eq!(log.secrets(&RANDOM, Label::ClientRandom, 9).count(), 0);
    log.read(text.as_bytes(), 4).unwrap();
    assert!(log.knows(&RANDOM, 4));
    assert!(!log.knows(&[0; 32], u64::MAX));
}

#[test]
fn what_is_written_is_read_again() {
    let text: String = Label::ALL
        .into_iter()
        .map(|label| line(label.as_str(), RANDOM, &[9; 48]))
        .collect();
    let (log, _) = read(&text);
    let mut written = Vec::new();
    log.write(&RANDOM, &[Label::ServerHandshake], &mut written)
        .unwrap();
    let expected = line("SERVER_HANDSHAKE_TRAFFIC_SECRET", RANDOM, &[9; 48]);
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn every_prefix_and_every_changed_byte_is_read_to_its_end() {
    let text = [
        line("CLIENT_RANDOM", RANDOM, &[3; 48]),
        line("SERVER_HANDSHAKE_TRAFFIC_SECRET", RANDOM, &[4; 32]),
    ]
    .concat();
    for len in 0..text.len() {
        let (log, counts) = read(&text[..len]);
        assert!(log.len() <= 2 && counts.secrets <= 2);
    }
    for at in 0..text.len() {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= flip;
            let (_, counts) = read(&changed);
            let lines = counts.secrets + counts.unused + counts.unknown + counts.damaged;
            assert!((1..=3).contains(&lines), "{at} {flip} {counts:?}");
        }
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let (log, _) = read(line("CLIENT_RANDOM", RANDOM, &[0x5a; 48]));
    assert_eq!(format!("{log:?}"), "KeyLog(1 secrets)");
    let secret = log.secrets(&RANDOM, Label::ClientRandom, 0).next().unwrap();
    assert_eq!(format!("{secret:?}"), "Secret(48 bytes)");
}

#[test]
fn reading_is_the_same_however_the_bytes_come() {
    struct Pieces<'a>(&'a [u8], usize);
    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(self.0.len()).min(into.len());
            into[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }
    let text = [
        line("CLIENT_RANDOM", RANDOM, &[3; 48]),
        line("CLIENT_RANDOM", [1; 32], &[3; 48]),
    ]
    .concat();
    for size in [1, 2, 3, 7, 50, 1000] {
        let mut log = KeyLog::new();
        let counts = log.read(Pieces(text.as_bytes(), size), 0).unwrap();
        assert_eq!((counts.secrets, log.len()), (2, 2));
    }
}
