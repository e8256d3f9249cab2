//! Two runs side by side: what is new, what is gone, whether it helped; and lines that want to do harm.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::io;

use serde_json::{Value, json};
use support::capture::Pcap;
use support::certificate::Certificate;
use support::conversation::{Conversation, Segments as _};
use support::packet::{Link, Packet, Packets as _};
use support::tls::{ClientHello, Tls as _, UNKNOWN_CA};
use tlstriage::comparison::{Comparison, Error, MAX_LINE_LEN, Observation, Side, read};
use tlstriage::output::{DifferenceFormat, Format, Style};
use tlstriage::report::FlowReport;
use tlstriage::{Analyzer, Source};

mod support;

#[test]
fn a_change_that_helped_says_which_fault_is_gone() {
    let before = side("before", &flows(30, 30));
    let after = side("after", &flows(60, 0));
    let told = told(&Comparison::new(&before, &after));
    assert_eq!(told["effect"], "better");
    assert_eq!(told["clear"], true);
    let server = &told["servers"][0];
    assert_eq!(server["server"], json!({"ip": "10.1.0.9", "port": 443}));
    assert_eq!(
        (
            &server["before"]["failed_share"],
            &server["after"]["failed_share"]
        ),
        (&json!(0.5), &json!(0.0))
    );
    let gone = server["verdicts"].as_array().unwrap();
    assert!(
        gone.iter()
            .any(|verdict| verdict["after"] == 0 && verdict["before"] == 30)
    );
    assert_eq!(server["names"][0]["presence"], "lost");
    assert_eq!(server["names"][0]["sni"], "absent");
    assert!(!Comparison::new(&before, &after).is_worse());
}

#[test]
fn the_other_way_round_it_is_worse() {
    let (one, other) = (side("a", &flows(30, 30)), side("b", &flows(60, 0)));
    let comparison = Comparison::new(&other, &one);
    assert!(comparison.is_worse());
    let told = told(&comparison);
    assert_eq!(told["effect"], "worse");
    assert_eq!(told["servers"][0]["names"][0]["presence"], "new");
}

#[test]
fn of_a_few_flows_it_is_said_that_it_may_be_chance() {
    let comparison = Comparison::new(&side("a", &flows(1, 1)), &side("b", &flows(2, 0)));
    assert!(!comparison.clear && comparison.has_changes());
    let text = text(&comparison);
    assert!(
        text.starts_with("A smaller share fails, maybe by chance: before, 1 of 2 failed (50.0%)"),
        "{text}"
    );
}

#[test]
fn a_run_is_the_same_as_itself_and_as_its_own_lines() {
    let flows = flows(3, 2);
    let lines = lines(&flows);
    let from_lines = from_lines("a", lines.as_bytes()).unwrap();
    let comparison = Comparison::new(&side("a", &flows), &from_lines);
    assert!(!comparison.has_changes() && !comparison.is_worse());
    assert_eq!(comparison.before, comparison.after);
    assert!(text(&comparison).contains("Nothing changed at any server."));
}

#[test]
fn another_certificate_for_the_same_name_is_named() {
    let one = side("a", &flows_with("one.example", 2));
    let other = side("b", &flows_with("other.example", 2));
    let told = told(&Comparison::new(&one, &other));
    let change = &told["servers"][0]["certificates"][0];
    assert_eq!(change["name"], "api.example");
    assert_eq!(change["before"][0]["subject"], "CN=one.example");
    assert_eq!(change["after"][0]["subject"], "CN=other.example");
}

#[test]
fn a_line_that_is_wrong_is_told_with_its_number() {
    let good = lines(&flows(1, 0));
    for (wrong, reason) in [
        (
            "{\"event\": {\"dataset\": \"tlstriage.flow\"}}",
            "line 3: destination is missing",
        ),
        (
            "{\"event\": {\"dataset\": \"zeek.ssl\"}}",
            "line 3: event.dataset is not one of tlstriage",
        ),
        ("{\"event\":", "line 3: column 9: EOF while parsing a value"),
        ("[1]", "line 3: it is no JSON object"),
        ("\u{1b}[2J", "line 3: it is no JSON object"),
        (
            "{\"event\": {\"dataset\": 5}}",
            "line 3: column 23: invalid type: integer `5`, expected a string",
        ),
    ] {
        let text = format!("{good}\n{wrong}\n{good}");
        let error = from_lines("x", text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{error}");
    }
    let deep = format!("{{\"event\": {}", "[".repeat(60_000));
    assert!(from_lines("x", deep.as_bytes()).is_err());
    assert!(matches!(from_lines("x", &b""[..]), Err(Error::NoFlow)));
}

#[test]
fn a_line_without_an_end_takes_no_memory() {
    let error = from_lines("x", io::repeat(b' ')).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("line 1: longer than {MAX_LINE_LEN} bytes, so it is none of tlstriage")
    );
    let quoted = format!("{{\"event\": \"{}\"}}", "x".repeat(MAX_LINE_LEN - 20));
    assert!(
        from_lines("x", quoted.as_bytes())
            .unwrap_err()
            .to_string()
            .len()
            < 300
    );
}

#[test]
fn every_line_with_a_byte_changed_is_read_or_refused() {
    let line = lines(&flows(0, 1));
    let mut bytes = line.clone().into_bytes();
    for at in 0..bytes.len() {
        for to in [0, b'\n', b'"', b'}', b'9', 0xff] {
            let was = std::mem::replace(&mut bytes[at], to);
            let _ = from_lines("x", bytes.as_slice());
            bytes[at] = was;
        }
    }
    for len in 0..bytes.len() {
        assert!(len + 1 == bytes.len() || from_lines("x", &bytes[..len]).is_err());
    }
}

#[test]
fn a_feed_with_endless_names_and_servers_stays_small_and_claims_nothing_of_the_rest() {
    let line: Value = serde_json::from_str(lines(&flows(0, 1)).trim()).unwrap();
    let many = |from: u32| {
        let mut side = Side::new("many");
        for number in from..from + 5_000 {
            let mut line = line.clone();
            line["tls"]["client"]["server_name"] = json!(format!("{number}.example"));
            line["tlstriage"]["sni"] = json!("name");
            if number % 2 == 0 {
                line["destination"]["ip"] =
                    json!(format!("10.{}.{}.1", number / 200, number % 200));
            }
            let line = format!("{line}\n");
            read(line.as_bytes(), |seen| side.enter(seen)).unwrap();
        }
        side
    };
    let comparison = Comparison::new(&many(0), &many(1));
    for format in DifferenceFormat::ALL {
        assert!(format.render(&comparison, false).unwrap().len() < 6_000_000);
    }
    let full = comparison
        .servers
        .iter()
        .find(|server| server.before.tls > 1000)
        .map(|server| server.names.len());
    assert_eq!(full.unwrap_or(0), 0, "which names are new cannot be said");
}

#[test]
fn hostile_names_are_text_in_every_format() {
    let hostile = "<script>alert(1)</script>\u{202e}\u{1b}[2J\"'";
    let plain: Value = serde_json::from_str(lines(&flows(0, 1)).trim()).unwrap();
    let page = |name: &str, subject: &str| {
        let mut line = plain.clone();
        line["tls"]["client"]["server_name"] = json!(name);
        line["tlstriage"]["sni"] = json!("name");
        let was = format!("{line}\n");
        line["tls"]["server"]["subject"] = json!(subject);
        line["tls"]["server"]["hash"]["sha256"] = json!("0".repeat(64));
        line["tlstriage"]["verdict"]["id"] = json!(name);
        let is = format!("{line}\n");
        let before = from_lines(name, was.as_bytes()).unwrap();
        let comparison = Comparison::new(&before, &from_lines(subject, is.as_bytes()).unwrap());
        assert!(comparison.has_changes());
        DifferenceFormat::ALL
            .iter()
            .map(|format| String::from_utf8(format.render(&comparison, false).unwrap()).unwrap())
            .collect::<Vec<_>>()
    };
    let (told, harmless) = (page(hostile, hostile), page("api.example", "CN=x"));
    for (hostile, harmless) in told.iter().zip(&harmless) {
        assert!(
            !hostile
                .chars()
                .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
        );
        if hostile.starts_with("<!doctype") {
            assert_eq!(hostile.matches('<').count(), harmless.matches('<').count());
            assert!(hostile.contains("&lt;script&gt;"));
        }
    }
}

/// Flows that end well, and flows without SNI that the client refuses.
fn flows(good: u16, bad: u16) -> Vec<FlowReport> {
    let mut packets = Vec::new();
    for at in 0..good + bad {
        let said = conversation(at).syn();
        let said = if at < good {
            said.tls12(&hello(), &chain("api.example")).fin()
        } else {
            said.tls12_distrusted(&ClientHello::new(), &chain("nobody.invalid"), UNKNOWN_CA)
        };
        packets.extend(said.segments().packets());
    }
    analyzed(packets)
}

fn flows_with(subject: &str, count: u16) -> Vec<FlowReport> {
    let said = (0..count).map(|at| {
        conversation(at)
            .syn()
            .tls12(&hello(), &chain(subject))
            .fin()
    });
    analyzed(said.flat_map(|said| said.segments().packets()).collect())
}

fn conversation(at: u16) -> Conversation {
    let begin = 1_700_000_000_000_000_000 + i64::from(at) * 1_000_000_000;
    Conversation::between(&format!("10.1.0.5:{}", 20_000 + at), "10.1.0.9:443").at(begin)
}

fn hello() -> ClientHello {
    ClientHello::new().sni("api.example")
}

fn chain(subject: &str) -> Vec<Vec<u8>> {
    vec![
        Certificate::new(subject)
            .names(&["api.example"])
            .self_signed()
            .der,
    ]
}

fn analyzed(packets: Vec<Packet>) -> Vec<FlowReport> {
    let capture = Pcap::new().write(&Link::Ethernet, &packets.on(&Link::Ethernet));
    let source = Source::stream("capture", io::Cursor::new(capture));
    Analyzer::new()
        .start([source])
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn side(name: &str, flows: &[FlowReport]) -> Side {
    let mut side = Side::new(name);
    for flow in flows {
        side.enter(Observation::from(flow));
    }
    side
}

fn lines(flows: &[FlowReport]) -> String {
    let writer = Format::Jsonl.writer(Box::new(io::sink()), Style::default());
    let mut lines = Vec::new();
    for flow in flows {
        writer.render(flow, &mut lines);
    }
    String::from_utf8(lines).unwrap()
}

fn from_lines(name: &str, input: impl io::Read) -> Result<Side, Error> {
    let mut side = Side::new(name);
    read(input, |seen| side.enter(seen))?;
    Ok(side)
}

fn told(comparison: &Comparison) -> Value {
    serde_json::from_slice(&DifferenceFormat::Json.render(comparison, false).unwrap()).unwrap()
}

fn text(comparison: &Comparison) -> String {
    String::from_utf8(DifferenceFormat::Text.render(comparison, false).unwrap()).unwrap()
}
