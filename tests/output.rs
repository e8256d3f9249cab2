//! The output through the front door: what is written, byte for byte, and that nothing breaks a line.
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "support/reports.rs"]
mod reports;
#[path = "support/summaries.rs"]
mod summaries;

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use tlstriage::output::{Format, MAX_LINE_LEN, Style, schema};
use tlstriage::report::{
    self, AlertReport, CertificateDetail, CertificateReport, CertificateState, Confidence,
    Confounder, DefaultBy, EvidenceGrade, EvidenceReason, FindingReport, FlowReport, Hex, Horizon,
    Inferred, InnerNetwork, Outcome, PreambleReport, ResumedBy, ResumedFrom, SeenAs, Severity,
    Side, SniState, Summary, TunnelReport,
};

use reports::{certificate, client_offer, default_certificate_refused, end, leaf};
use summaries::{gateway, hostile};

fn line(report: &FlowReport) -> String {
    let writer = Format::Jsonl.writer(Box::new(std::io::sink()), Style::default());
    let mut line = Vec::new();
    writer.render(report, &mut line);
    String::from_utf8(line).unwrap()
}

fn text(summary: &Summary, style: Style) -> String {
    finished(Format::Text, style, summary)
}

/// What a writer writes at the end.
fn finished(format: Format, style: Style, summary: &Summary) -> String {
    let place = Common::default();
    let mut writer = format.writer(Box::new(place.clone()), style);
    writer.finish(summary).unwrap();
    String::from_utf8(place.0.lock().unwrap().clone()).unwrap()
}

/// A place to write to that can be looked at afterwards.
#[derive(Clone, Default)]
struct Common(Arc<Mutex<Vec<u8>>>);

impl Write for Common {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_flow_is_written_as_the_contract_has_it() {
    let expected = include_str!("output/default-certificate-refused.jsonl");
    assert_eq!(line(&default_certificate_refused()), expected);
}

#[test]
fn a_hostile_flow_is_one_line_of_bounded_length_and_says_what_was_cut() {
    for text in hostile_texts() {
        let report = hostile_flow(&text);
        let line = line(&report);
        assert!(line.len() <= MAX_LINE_LEN + 1, "{} bytes", line.len());
        assert!(line.ends_with("}\n") && line.matches('\n').count() == 1);
        assert!(!line.trim_end().chars().any(is_unsafe));
        let document: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(empty_value(&document), None);
        assert_valid(&document);
        let own = &document["tlstriage"];
        assert_eq!(own["server"]["alternative_names_count"], 4096);
        assert_eq!(own["server"]["chain_count"], 40);
        assert_eq!(own["client"]["alpn_count"], 1000);
        assert_eq!(own["client"]["supported_ciphers_count"], 5000);
        assert_eq!(own["handshake"]["steps_count"], 3000);
        assert_eq!(own["alerts_count"], 500);
        assert_eq!(own["findings_count"], 100);
        let name = &document["tls"]["client"]["server_name"];
        assert_eq!(name, &document["destination"]["domain"]);
        assert_eq!(line, self::line(&report), "the same every time");
    }
}

#[test]
fn a_line_that_fits_loses_nothing_to_the_limit() {
    let mut report = default_certificate_refused();
    let mut own = leaf();
    own.x509.alternative_names = (0..64)
        .map(|n| format!("host-{n}.example").into())
        .collect();
    report.tls.server.leaf = Some(own.into());
    let document: Value = serde_json::from_str(&line(&report)).unwrap();
    let names = document["tls"]["server"]["x509"]["alternative_names"].as_array();
    assert_eq!(names.unwrap().len(), 64);
    assert_eq!(
        document["tlstriage"]["server"].get("alternative_names_count"),
        None
    );
}

#[test]
fn a_flow_without_tls_has_neither_tls_fields_nor_its_protocol() {
    let mut report = default_certificate_refused();
    report.tls = Default::default();
    report.network.protocol = None;
    let document: Value = serde_json::from_str(&line(&report)).unwrap();
    assert_eq!(document.get("tls"), None);
    assert_eq!(document["network"].get("protocol"), None);
    assert_valid(&document);
}

/// A flow in which hardly a field is missing.
fn with_every_rare_field() -> FlowReport {
    let mut report = default_certificate_refused();
    let tunnel = |kind, id| {
        let ip = |text: &str| text.parse().unwrap();
        TunnelReport::new(kind, id, ip("192.0.2.1"), ip("2001:db8::2"))
    };
    let (one, other) = (end("10.9.0.5", 50112), end("2001:db8::9", 443));
    report.network.inner = Some(InnerNetwork::new(7));
    let own = &mut report.tlstriage;
    own.version_raw = Some("1.3-draft23".into());
    own.server.certificate_detail = Some(CertificateDetail::KeyTooLate);
    own.evidence.reasons = EvidenceReason::ALL.to_vec();
    own.resumed_from = Some(ResumedFrom::new(Hex([3; 16]), ResumedBy::Ticket));
    let mut preamble = PreambleReport::new("proxy".into());
    preamble.client = Some("198.51.100.7:4000".into());
    preamble.server = Some("198.51.100.8:443".into());
    preamble.target = Some("api.contoso.com:443".into());
    own.preamble = Some(preamble);
    own.tunnel = vec![tunnel("vxlan", Some(42)), tunnel("gre", None)];
    own.vlans = vec![12, 13];
    own.also_seen_as = vec![SeenAs::new(one.into(), other.into())];
    own.same_hello_as = Some(Hex([4; 16]));
    own.inferred = vec![
        Inferred::new("certificate", "It has 793 bytes.".into())
            .with_confounders(&[Confounder::Padding, Confounder::StaplingOffered]),
        Inferred::new("server-key", "RSA with 2048 bits.".into()),
    ];
    own.horizon = Some(Horizon::Partial);
    own.decrypted = true;
    own.lossy_text = true;
    own.alerts.push(AlertReport::encrypted(Side::Server));
    if let Some(client) = &mut own.client_certificate {
        client.sent = Some(false);
    }
    report
}

#[test]
fn a_line_is_what_the_types_of_the_report_promise() {
    let mut bare = default_certificate_refused();
    bare.tls = Default::default();
    bare.tlstriage.client = None;
    bare.tlstriage.server = Default::default();
    bare.tlstriage.handshake = Default::default();
    bare.source.bytes = Some(0);
    bare.destination.packets = Some(u64::MAX);
    bare.event.reason = Some("\"quoted\", and a \\".into());
    for report in [default_certificate_refused(), with_every_rare_field(), bare] {
        let promised = serde_json::to_string(&report).unwrap() + "\n";
        // What was rendered once is the same a second time.
        assert_eq!(line(&report), promised);
        assert_eq!(line(&report), promised);
    }
}

#[test]
fn a_flow_with_every_rare_field_is_valid() {
    let line = line(&with_every_rare_field());
    let document: Value = serde_json::from_str(&line).unwrap();
    assert_valid(&document);
    let own = &document["tlstriage"];
    assert_eq!(own["tunnel"][0]["source"]["ip"], "192.0.2.1");
    assert_eq!(own["also_seen_as"][0]["destination"]["port"], 443);
    assert_eq!(own["horizon"], "partial");
    assert_eq!(own["alerts"][1].get("code"), None);
}

#[test]
fn every_kind_of_line_is_valid_by_the_schema_and_no_other_is() {
    let mut style = Style::default();
    style.findings = true;
    style.summary = true;
    let mut lines = line(&default_certificate_refused());
    lines.push_str(&finished(Format::Jsonl, style, &gateway()));
    lines.push_str(&finished(Format::Jsonl, style, &Summary::default()));
    lines.push_str(&finished(
        Format::Jsonl,
        style,
        &hostile("\u{1}\u{2028}\u{9b}"),
    ));
    let mut kinds = Vec::new();
    for line in lines.lines() {
        assert!(line.len() <= MAX_LINE_LEN);
        assert!(!line.chars().any(is_unsafe));
        let document: Value = serde_json::from_str(line).unwrap();
        assert_eq!(empty_value(&document), None);
        assert_valid(&document);
        kinds.push(document["event"]["dataset"].as_str().unwrap().to_owned());

        let mut wrong = document.clone();
        wrong["tlstriage"]["schema"] = "one".into();
        assert!(!is_valid(&wrong));
        let mut wrong = document.clone();
        wrong["event"]["dataset"] = "tlstriage.other".into();
        assert!(!is_valid(&wrong));
        let mut wrong = document;
        wrong.as_object_mut().unwrap().remove("@timestamp");
        assert!(!is_valid(&wrong));
    }
    kinds.dedup();
    let (flow, finding, summary) = ("tlstriage.flow", "tlstriage.finding", "tlstriage.summary");
    assert_eq!(kinds, [flow, finding, summary, finding, summary]);
}

#[test]
fn findings_and_summary_are_written_only_when_asked_for() {
    assert_eq!(finished(Format::Jsonl, Style::default(), &gateway()), "");
}

#[test]
fn the_schema_is_the_same_every_time_and_describes_its_fields() {
    let text = schema();
    assert_eq!(text, schema());
    let document: Value = serde_json::from_str(&text).unwrap();
    let sni = &document["$defs"]["SniState"]["oneOf"];
    assert_eq!(sni.as_array().unwrap().len(), SniState::ALL.len());
    for (name, kind) in document["$defs"].as_object().unwrap() {
        let fields = kind.get("properties").and_then(Value::as_object);
        for (field, what) in fields.into_iter().flatten() {
            let told = what.get("description").is_some() || what.get("$ref").is_some();
            assert!(told, "{name}.{field} has no description");
        }
    }
}

#[test]
fn the_report_for_a_person_reads_like_this() {
    let expected = include_str!("output/gateway.txt");
    assert_eq!(text(&gateway(), Style::default()), expected);
}

#[test]
fn the_report_keeps_to_its_width_and_does_nothing_to_a_terminal() {
    let mut summaries: Vec<_> = hostile_texts().iter().map(|text| hostile(text)).collect();
    summaries.push(gateway());
    summaries.push(Summary::default());
    for summary in &summaries {
        for width in [0, 72, 80, 132] {
            let mut style = Style::default();
            style.width = width;
            for line in text(summary, style).lines() {
                let columns = line.chars().count();
                assert!(columns <= width.max(60), "{columns} of {width}: {line}");
                assert!(!line.chars().any(is_unsafe), "{line:?}");
                assert_eq!(line, line.trim_end());
            }
        }
    }
}

#[test]
fn colour_is_all_that_colour_adds() {
    let mut style = Style::default();
    style.color = true;
    let colored = text(&gateway(), style);
    assert!(colored.contains("\u{1b}[1;31mHIGH    \u{1b}[0m"));
    let mut plain = colored;
    for escape in ["\u{1b}[1;31m", "\u{1b}[1;33m", "\u{1b}[1m", "\u{1b}[0m"] {
        plain = plain.replace(escape, "");
    }
    assert_eq!(plain, text(&gateway(), Style::default()));
}

#[test]
fn where_there_is_no_tls_it_says_so_and_what_to_capture_next() {
    let nothing = text(&Summary::default(), Style::default());
    assert!(nothing.starts_with("No frames were read"), "{nothing}");
    assert!(nothing.contains("tcpdump -i any -s 0"), "{nothing}");
    let mut summary = Summary::default();
    summary.frames.total = 1200;
    summary.flows.tcp = 3;
    let no_tls = text(&summary, Style::default());
    assert!(
        no_tls.starts_with("There is no TLS in this capture: 3 TCP connections in 1,200 frames")
    );
    assert!(no_tls.contains("tcpdump -i any -s 0"), "{no_tls}");
}

#[test]
fn the_headline_never_calls_sound_what_was_not_judged() {
    let mut summary = Summary::default();
    summary.frames.total = 10;
    summary.flows.tls = 3;
    summary.flows.completed = 1;
    let text = text(&summary, Style::default());
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        "No failure was seen: 1 of 3 TLS flows completed. 2 could not be judged."
    );
}

#[test]
fn formats_go_by_name_and_by_extension() {
    for &format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!("yaml".parse::<Format>().is_err());
    let by = |name: &str| Format::from_extension(name.as_ref());
    assert_eq!(by("flows.jsonl"), Some(Format::Jsonl));
    assert_eq!(by("FLOWS.NDJSON"), Some(Format::Jsonl));
    assert_eq!(by("report.txt"), Some(Format::Text));
    assert_eq!(
        (by("jsonl"), by("report.pdf"), by(".txt")),
        (None, None, None)
    );
}

#[test]
fn every_word_of_the_lists_is_explained_in_the_docs() {
    let page = include_str!("../docs/output.md");
    let words = [
        SniState::ALL
            .iter()
            .map(|word| word.as_str())
            .collect::<Vec<_>>(),
        CertificateState::ALL
            .iter()
            .map(|word| word.as_str())
            .collect(),
        CertificateDetail::ALL
            .iter()
            .map(|word| word.as_str())
            .collect(),
        Outcome::ALL.iter().map(|word| word.as_str()).collect(),
        EvidenceGrade::ALL
            .iter()
            .map(|word| word.as_str())
            .collect(),
        EvidenceReason::ALL
            .iter()
            .map(|word| word.as_str())
            .collect(),
        Confidence::ALL.iter().map(|word| word.as_str()).collect(),
        Severity::ALL.iter().map(|word| word.as_str()).collect(),
        DefaultBy::ALL.iter().map(|word| word.as_str()).collect(),
        ResumedBy::ALL.iter().map(|word| word.as_str()).collect(),
        Confounder::ALL.iter().map(|word| word.as_str()).collect(),
    ];
    for word in words.concat() {
        assert!(page.contains(&format!("\n| `{word}` |")), "{word}");
    }
}

/// A flow in which every list and every text is far too long.
fn hostile_flow(text: &str) -> FlowReport {
    let mut report = default_certificate_refused();
    report.tls.client.server_name = Some(text.into());
    report.destination.domain = Some(text.into());
    report.event.reason = Some(text.to_owned().into());
    report.tls.next_protocol = Some(text.into());
    report.tls.cipher = Some(text.to_owned().into());
    report.tls.client.supported_ciphers = Some(report::Common::new(vec!["TLS_NULL".into(); 5000]));
    let mut own = leaf();
    own.subject = Some(text.into());
    own.issuer = Some(text.into());
    own.x509.alternative_names = vec![text.into(); 4096];
    own.x509.serial_number = Some("AB".repeat(30_000).into());
    for name in [&mut own.x509.subject, &mut own.x509.issuer] {
        name.common_name = vec![text.into(); 100];
        name.organizational_unit = vec![text.into(); 100];
        name.country = vec!["".into(); 3];
        name.distinguished_name = Some(text.into());
    }
    report.tls.server.leaf = Some(own.into());
    let mut entry: CertificateReport = certificate();
    entry.subject = Some(text.into());
    entry.issuer = Some(text.into());
    let entry = report::Common::new(entry);
    let triage = &mut report.tlstriage;
    triage.server.chain = vec![entry.clone(); 40];
    triage.client_certificate.as_mut().unwrap().chain = vec![entry; 40];
    let mut client = client_offer();
    client.alpn = vec![text.into(); 1000];
    client.groups = vec!["x25519".into(); 1000];
    client.versions = vec!["1.2".into(); 1000];
    triage.client = Some(client.into());
    triage.handshake.steps = vec!["client_hello"; 3000].into();
    triage.alerts = vec![AlertReport::encrypted(Side::Client); 500];
    let mut finding: FindingReport = triage.findings.remove(0);
    finding.reason = text.to_owned().into();
    finding.fix = vec![text.to_owned().into(); 50];
    triage.findings = vec![finding; 100];
    let mut preamble = PreambleReport::new("connect".into());
    preamble.target = Some(text.into());
    preamble.client = Some("".into());
    triage.preamble = Some(preamble);
    triage.vlans = vec![1; 4096];
    triage.inferred = vec![Inferred::new("certificate", text.to_owned().into()); 50];
    triage.same_hello_as = Some(Hex([0; 16]));
    triage.capture.file = text.into();
    triage.capture.interface = Some(text.into());
    triage.lossy_text = true;
    report
}

/// Texts that grow when they are escaped, break lines, or turn the direction of reading.
fn hostile_texts() -> Vec<String> {
    [
        "\u{1}",
        "\u{9b}\u{7f}\u{85}",
        "\u{2028}\u{2029}",
        "\"\\",
        "\r\n{\"verdict\":\"ok\"}\n",
        "\u{1b}]0;title\u{7}\u{1b}[2J",
        "\u{202e}txt.\u{2066}\u{200b}",
        "日本語 ",
        "a",
    ]
    .map(|piece| piece.repeat(1 + 1500 / piece.len()))
    .to_vec()
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The first value that should have been left out.
fn empty_value(value: &Value) -> Option<&Value> {
    match value {
        Value::Null => Some(value),
        Value::String(text) => text.is_empty().then_some(value),
        Value::Array(list) if list.is_empty() => Some(value),
        Value::Array(list) => list.iter().find_map(empty_value),
        Value::Object(fields) if fields.is_empty() => Some(value),
        Value::Object(fields) => fields.values().find_map(empty_value),
        _ => None,
    }
}

fn assert_valid(document: &Value) {
    let errors: Vec<_> = validator()
        .iter_errors(document)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

fn is_valid(document: &Value) -> bool {
    validator().is_valid(document)
}

fn validator() -> &'static jsonschema::Validator {
    static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        jsonschema::draft202012::new(&schema).unwrap()
    });
    &VALIDATOR
}
