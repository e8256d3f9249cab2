//! Encrypted Client Hello: with its secrets the hello inside is told, with those of the connection only that the server took it; and never
//! more than was seen.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

#[path = "support/ech.rs"]
mod ech;
#[path = "support/run.rs"]
mod run;
mod support;

use serde_json::Value;
use tlstriage::analysis::{Analyzer, Source};

use ech::{apart, ech_blocks, strangers, without_ech_secret};
use run::{keys, on_threads, stream, told_by, with_keys};
use support::capture::{Trickle, blocks_of};

fn ech_flow(capture: Vec<u8>) -> Value {
    let flows = told_by(&Analyzer::new(), [stream(capture)]).flows();
    assert!(flows.len() <= 1);
    flows.into_iter().next().unwrap_or_default()
}

#[test]
fn an_encrypted_hello_is_told_and_never_more_than_was_seen() {
    for (outcome, ech) in [
        ("accepted", "accepted"),
        ("hello-retry", "accepted"),
        ("rejected", "rejected"),
    ] {
        let blocks = ech_blocks(outcome);
        let whole = ech_flow(blocks.concat());
        let told = &whole["tlstriage"]["ech"];
        assert_eq!(whole["tlstriage"]["client"]["ech"], ech, "{outcome}");
        assert_eq!(told["inner_name"], "secret.example.test");
        assert_eq!(told["outer_name"], "public.example.test");
        // Without any one packet, or all behind one, nothing else is claimed.
        let without = (0..blocks.len()).map(|missing| {
            let mut blocks = blocks.clone();
            blocks.remove(missing);
            blocks
        });
        let before = (0..blocks.len()).map(|end| blocks[..end].to_vec());
        for (missing, blocks) in without.chain(before).enumerate() {
            let flow = ech_flow(blocks.concat());
            let state = &flow["tlstriage"]["client"]["ech"];
            let may_be = [ech, "opened", "offered"];
            assert!(
                state.is_null() || may_be.iter().any(|word| state == word),
                "{outcome} without {missing}: {state}"
            );
            let name = &flow["tlstriage"]["ech"]["inner_name"];
            let is_opened = !state.is_null() && state != "offered";
            assert_eq!(name == "secret.example.test", is_opened, "{missing}");
        }
    }
}

#[test]
fn of_an_encrypted_hello_nothing_is_told_without_its_secrets() {
    for outcome in ["accepted", "hello-retry", "rejected"] {
        let (log, capture) = apart(ech_blocks(outcome));
        let flow = ech_flow(capture.clone());
        assert_eq!(flow["tlstriage"]["client"]["ech"], "offered");
        assert_eq!(flow["tlstriage"]["sni"], "name");
        assert_eq!(flow["tls"]["client"]["server_name"], "public.example.test");
        assert!(flow["tlstriage"]["ech"].is_null());
        // Nor with another secret, nor with another configuration.
        for line in log.lines().filter(|line| line.starts_with("ECH_")) {
            let (before, last) = line.split_at(line.len() - 1);
            let digit = if last == "0" { '1' } else { '0' };
            let changed = log.replace(line, &format!("{before}{digit}"));
            let flow = flow_with(&changed, capture.clone());
            assert_eq!(flow["tlstriage"]["ech"]["inner_name"], Value::Null);
            // What the other secrets prove, they prove without it.
            let proved = if outcome == "rejected" {
                "offered"
            } else {
                "accepted"
            };
            assert_eq!(flow["tlstriage"]["client"]["ech"], proved);
        }
    }
}

#[test]
fn a_changed_hello_is_never_read_as_another_one() {
    for outcome in ["accepted", "hello-retry", "rejected"] {
        let capture = ech_blocks(outcome).concat();
        for at in (28..capture.len()).step_by(29) {
            let mut changed = capture.clone();
            changed[at] ^= 1 << (at % 8);
            for flow in told_by(&Analyzer::new(), [stream(changed)]).flows() {
                let name = &flow["tlstriage"]["ech"]["inner_name"];
                assert!(name.is_null() || name == "secret.example.test", "{at}");
            }
        }
    }
}

fn flow_with(log: &str, capture: Vec<u8>) -> Value {
    let flows = told_by(&with_keys(log), [stream(capture)]).flows();
    assert!(flows.len() <= 1);
    flows.into_iter().next().unwrap_or_default()
}

/// The random in the first line of a key log.
fn random_in(log: &str) -> &str {
    log.split(' ').nth(1).unwrap()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let at = (0..hex.len()).step_by(2);
    at.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn keys_under_the_random_inside_open_a_flow_and_prove_that_the_server_took_it() {
    for outcome in ["accepted", "hello-retry"] {
        let (log, capture) = without_ech_secret(outcome);
        let flow = flow_with(&log, capture);
        let told = &flow["tlstriage"];
        assert_eq!(told["decrypted"], true, "{flow}");
        assert_eq!(told["client"]["ech"], "accepted");
        assert_eq!(told["ech"]["inner_random"], random_in(&log));
        // What the client asked for is not known, and the name in clear is not it.
        assert_eq!(told["ech"]["inner_name"], Value::Null);
        assert_eq!(told["ech"]["outer_name"], "public.example.test");
        assert_eq!(told["sni"], "ech-outer");
        assert_eq!(flow["tls"]["client"]["server_name"], "public.example.test");
        // The certificate does not cover the name in clear, and nobody says that it should.
        assert_eq!(told["server"]["certificate"], "seen");
        assert_eq!(flow["tls"]["server"]["subject"], "CN=secret.example.test");
        assert_eq!(told["verdict"]["id"], "ok", "{flow}");
        assert_eq!(told["findings"], Value::Null, "{flow}");
        assert_eq!(told["alerts"][0]["name"], "close_notify");
        // All else is told as with the hello inside.
        let whole = ech_flow(ech_blocks(outcome).concat());
        for field in ["server", "handshake", "alerts", "client"] {
            assert_eq!(told[field], whole["tlstriage"][field], "{outcome}");
        }
        assert_eq!(flow["tls"]["server"], whole["tls"]["server"]);
    }
}

#[test]
fn a_name_that_no_key_opened_is_no_reason_for_a_refusal() {
    // The client is silent behind the server's flight, and closes.
    let (log, capture) = without_ech_secret("accepted");
    let blocks: Vec<Vec<u8>> = blocks_of(&capture)
        .into_iter()
        .enumerate()
        .filter(|(at, _)| !matches!(at, 9..=15))
        .map(|(_, block)| block)
        .collect();
    let flow = flow_with(&log, blocks.concat());
    let told = &flow["tlstriage"];
    assert_eq!(told["client"]["ech"], "accepted", "{flow}");
    let id = told["verdict"]["id"].as_str().unwrap();
    assert!(
        !id.starts_with("sni.") && !id.starts_with("no-sni."),
        "{flow}"
    );
    assert_eq!(id, "capture.insufficient");
}

#[test]
fn the_server_s_finished_refutes_a_log_that_has_the_keys_under_another_random() {
    let (log, capture) = without_ech_secret("rejected");
    let random = random_in(&log).to_owned();
    let assert_in_clear = |flow: &Value| {
        let told = &flow["tlstriage"];
        assert_eq!(told["decrypted"], true, "{flow}");
        assert_eq!(told["server"]["certificate"], "seen");
        assert_eq!(told["client"]["ech"], "offered", "{flow}");
        assert_eq!(told["sni"], "name");
        assert_eq!(told["ech"], Value::Null);
    };
    // The log is wrong.
    let other = log.replace(&random, &"ab".repeat(32));
    assert_in_clear(&flow_with(&other, capture.clone()));
    // The capture is: a byte of the hello's random is not what was sent.
    let bytes = bytes_of(&random);
    let at = capture
        .windows(bytes.len())
        .position(|window| window == bytes)
        .unwrap();
    for byte in 0..bytes.len() {
        let mut changed = capture.clone();
        changed[at + byte] ^= 4;
        assert_in_clear(&flow_with(&log, changed));
    }
    // Some versions of OpenSSL keep to the random in clear where the hello inside was taken: nothing is proved then.
    let (log, capture) = without_ech_secret("accepted");
    let (all, _) = apart(ech_blocks("accepted"));
    let outer = all.lines().find(|line| line.starts_with("ECH_SECRET"));
    let in_clear = log.replace(random_in(&log), random_in(outer.unwrap()));
    assert_in_clear(&flow_with(&in_clear, capture));
}

#[test]
fn without_a_secret_of_the_server_nothing_is_found() {
    let (log, capture) = without_ech_secret("accepted");
    let client: Vec<&str> = log
        .lines()
        .filter(|line| !line.starts_with("SERVER_HAND"))
        .collect();
    for log in [client.join("\n"), strangers(0..20)] {
        let told = told_by(&with_keys(&log), [stream(capture.clone())]);
        let flow = &told.flows()[0]["tlstriage"];
        assert_eq!(flow["client"]["ech"], "offered");
        assert_eq!(flow["server"]["certificate_detail"], "no-key");
        assert_eq!(flow["decrypted"], Value::Null);
        assert_eq!(told.limit("Encrypted Client Hello"), 0);
    }
}

#[test]
fn a_flow_is_tried_with_so_many_keys_and_no_more() {
    let (log, capture) = without_ech_secret("accepted");
    for (before, is_found) in [(0, true), (511, true), (512, false)] {
        let log = format!("{}{log}\n{}", strangers(0..before), strangers(before..1200));
        let told = told_by(&with_keys(&log), [stream(capture.clone())]);
        let flow = &told.flows()[0];
        assert_eq!(flow["tlstriage"]["decrypted"] == true, is_found, "{before}");
        let detail = &flow["tlstriage"]["server"]["certificate_detail"];
        assert_eq!(detail == "no-key", !is_found);
        let unopened = told.limit("Encrypted Client Hello on which not all keys were tried");
        assert_eq!(unopened, u64::from(!is_found));
    }
}

/// The packets of a sample, once for each of these ports of the client and with another random in the hello in clear.
fn copies(outcome: &str, ports: std::ops::Range<u16>) -> Vec<Vec<u8>> {
    const PORTS: usize = 28 + 34;
    let (all, capture) = apart(ech_blocks(outcome));
    let outer = all.lines().find(|line| line.starts_with("ECH_SECRET"));
    let random = bytes_of(random_in(outer.unwrap()));
    let blocks = blocks_of(&capture);
    let port = blocks[2][PORTS..PORTS + 2].to_vec();
    let mut frames = Vec::new();
    for block in blocks.iter().filter(|block| block[..4] == [6, 0, 0, 0]) {
        for number in ports.clone() {
            let mut frame = block.clone();
            for place in frame[PORTS..PORTS + 4].chunks_mut(2) {
                if place == port {
                    place.copy_from_slice(&number.to_be_bytes());
                }
            }
            let hello = frame.windows(random.len()).position(|some| some == random);
            if let Some(at) = hello {
                frame[at..at + 2].copy_from_slice(&number.to_be_bytes());
            }
            frames.push(frame);
        }
    }
    frames
}

#[test]
fn what_is_found_depends_neither_on_threads_nor_on_how_the_bytes_come() {
    let (accepted, first) = without_ech_secret("accepted");
    let (retry, _) = without_ech_secret("hello-retry");
    let log = format!(
        "{}{accepted}\n{}{retry}\n",
        strangers(0..420),
        strangers(420..570)
    );
    let mut capture = blocks_of(&first)[..2].to_vec();
    capture.extend(copies("accepted", 40_000..40_090));
    capture.extend(copies("hello-retry", 41_000..41_090));
    capture.extend(copies("accepted", 42_000..42_090));
    let capture = capture.concat();
    // The second key is in reach only beside a flow with the first one.
    let flows = told_by(&with_keys(&log), [stream(capture.clone())]).flows();
    let opened = |port: &str| {
        let is_opened = |flow: &&Value| {
            let of = flow["source"]["port"].to_string();
            of.starts_with(port) && flow["tlstriage"]["decrypted"] == true
        };
        flows.iter().filter(is_opened).count()
    };
    assert_eq!((opened("40"), opened("42")), (90, 90));
    assert!((1..90).contains(&opened("41")), "{}", opened("41"));
    let mut all = Vec::new();
    for threads in [1, 2, 3] {
        for portion in [700, 1 << 20] {
            let analyzer = on_threads(threads).with_keys(keys(&log));
            let source = Source::stream("capture", Trickle::new(capture.clone(), portion));
            all.push(told_by(&analyzer, [source]).lines);
        }
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_changed_capture_never_shows_a_hello_that_was_not_taken_as_taken() {
    for outcome in ["accepted", "hello-retry", "rejected"] {
        let (log, capture) = without_ech_secret(outcome);
        let analyzer = with_keys(&log);
        let assert_no_more = |capture: Vec<u8>, what: &str, at: usize| {
            for flow in told_by(&analyzer, [stream(capture)]).flows() {
                let told = &flow["tlstriage"];
                let state = told["client"]["ech"].as_str();
                let may_be = outcome != "rejected" || state != Some("accepted");
                assert!(may_be, "{outcome}, {what} {at}: {flow}");
                assert!(told["ech"]["inner_name"].is_null());
            }
        };
        for at in (28..capture.len()).step_by(19) {
            let mut changed = capture.clone();
            changed[at] ^= 1 << (at % 8);
            assert_no_more(changed, "changed at", at);
        }
        let blocks = blocks_of(&capture);
        for at in 0..blocks.len() {
            let mut blocks = blocks.clone();
            blocks.remove(at);
            assert_no_more(blocks.concat(), "without", at);
            assert_no_more(blocks[..at].concat(), "up to", at);
        }
    }
}
