//! A flow as a line of JSON, put together by hand.
//!
//! What a [`FlowReport`] promises by its `Serialize` is written here to the same byte, with less
//! on the way: names of fields stand ready with their quotes, and what flows have in common
//! (certificates, the offer of a kind of client) is rendered once and copied. Every struct is
//! taken apart by the names of its fields, so that one which is added there is missed here by the
//! compiler.
//!
//! What is rare is handed to the serializer as it is.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Serializer;

use crate::output::escaping::{Escaping, is_plain};
use crate::report::{
    AlertReport, COMMUNITY_ID_LEN, CaptureReport, Common, Dataset, Destination, Ecs, Event,
    EventCategory, EventKind, EventType, EvidenceReport, FindingReport, FlowReport,
    HandshakeReport, Hex, Inferred, Module, Network, Rule, ServerReport, Source, Time, TlsClient,
    TlsReport, TlsServer, TriageReport, VerdictReport,
};

/// Appends `report` as one line with its line feed; nothing, and `false`, where that would be
/// longer than `max_len`.
pub(in crate::output) fn push(report: &FlowReport, max_len: usize, into: &mut Vec<u8>) -> bool {
    let start = into.len();
    let is_written = Line(into).flow(report).is_ok() && into.len() - start <= max_len;
    if is_written {
        into.push(b'\n');
    } else {
        into.truncate(start);
    }
    is_written
}

/// A line in the making. Whatever is put in ends in a comma, which the end of what it stands in
/// takes back.
struct Line<'a>(&'a mut Vec<u8>);

type Result = std::result::Result<(), serde_json::Error>;

impl Line<'_> {
    fn flow(&mut self, report: &FlowReport) -> Result {
        let FlowReport {
            timestamp,
            ecs: Ecs { version },
            event,
            rule: Rule { id, name },
            source,
            destination,
            network,
            tlstriage,
            tls,
        } = report;
        self.raw(r#"{"@timestamp":"#);
        let time = timestamp.text();
        self.plain(time.as_bytes());
        self.raw(r#""ecs":{"version":"#);
        self.text(version)?;
        self.close("}");
        self.event(event, (*timestamp, time.as_bytes()))?;
        self.raw(r#""rule":{"id":"#);
        self.text(id)?;
        self.raw(r#""name":"#);
        self.text(name)?;
        self.close("}");
        self.source(source);
        self.destination(destination)?;
        self.network(network)?;
        self.triage(tlstriage)?;
        if !tls.is_empty() {
            self.tls(tls)?;
        }
        self.close("}");
        self.0.pop();
        Ok(())
    }

    /// `told` is the time of the line, and its text.
    fn event(&mut self, event: &Event, told: (Time, &[u8])) -> Result {
        let Event {
            kind,
            category,
            types,
            dataset,
            module,
            id,
            outcome,
            severity,
            start,
            end,
            duration,
            reason,
        } = event;
        if *kind == EventKind::Event
            && matches!(category, [EventCategory::Network])
            && matches!(types, [EventType::Connection, EventType::Protocol])
            && *dataset == Dataset::Flow
            && *module == Module::Tlstriage
        {
            // A flow as nearly all are.
            self.raw(FLOW_HEAD);
        } else {
            self.event_head(event);
        }
        self.hex(r#""id":"#, id.as_ref());
        self.some_word(r#""outcome":"#, outcome.map(|outcome| outcome.as_str()));
        self.some_number(r#""severity":"#, severity.map(u64::from));
        for (name, time) in [(r#""start":"#, start), (r#""end":"#, end)] {
            let Some(time) = time else { continue };
            self.raw(name);
            if *time == told.0 {
                self.plain(told.1);
            } else {
                self.plain(time.text().as_bytes());
            }
        }
        self.some_number(r#""duration":"#, *duration);
        self.some_text(r#""reason":"#, reason.as_deref())?;
        self.close("}");
        Ok(())
    }

    /// What kind of line it is.
    fn event_head(&mut self, event: &Event) {
        let Event {
            kind,
            category,
            types,
            dataset,
            module,
            ..
        } = event;
        self.raw(r#""event":{"kind":"#);
        self.word(kind.as_str());
        if !category.is_empty() {
            self.raw(r#""category":"#);
            self.words(category.iter().map(|one| one.as_str()));
        }
        if !types.is_empty() {
            self.raw(r#""type":"#);
            self.words(types.iter().map(|one| one.as_str()));
        }
        self.raw(r#""dataset":"#);
        self.word(dataset.as_str());
        self.raw(r#""module":"#);
        self.word(module.as_str());
    }

    fn source(&mut self, source: &Source) {
        let Source {
            ip,
            port,
            bytes,
            packets,
        } = source;
        self.raw(r#""source":{"ip":"#);
        self.ip(*ip);
        self.raw(r#""port":"#);
        self.number(u64::from(*port));
        self.some_number(r#""bytes":"#, *bytes);
        self.some_number(r#""packets":"#, *packets);
        self.close("}");
    }

    fn destination(&mut self, destination: &Destination) -> Result {
        let Destination {
            ip,
            domain,
            port,
            bytes,
            packets,
        } = destination;
        self.raw(r#""destination":{"ip":"#);
        self.ip(*ip);
        self.some_text(r#""domain":"#, domain.as_deref())?;
        self.raw(r#""port":"#);
        self.number(u64::from(*port));
        self.some_number(r#""bytes":"#, *bytes);
        self.some_number(r#""packets":"#, *packets);
        self.close("}");
        Ok(())
    }

    fn network(&mut self, network: &Network) -> Result {
        let Network {
            transport,
            protocol,
            ip,
            community_id,
            vlan,
            inner,
        } = network;
        self.raw(r#""network":{"transport":"#);
        self.word(transport.as_str());
        self.some_word(r#""protocol":"#, protocol.map(|protocol| protocol.as_str()));
        self.raw(r#""type":"#);
        self.word(ip.as_str());
        if let Some(id) = community_id {
            self.raw(r#""community_id":"#);
            self.word(id.encode(&mut [0; COMMUNITY_ID_LEN]));
        }
        self.some(r#""vlan":"#, vlan.as_ref())?;
        self.some(r#""inner":"#, inner.as_ref())?;
        self.close("}");
        Ok(())
    }

    fn triage(&mut self, triage: &TriageReport) -> Result {
        let TriageReport {
            schema,
            verdict:
                VerdictReport {
                    id,
                    confidence,
                    severity,
                },
            findings,
            findings_count,
            sni,
            alert,
            version_raw,
            client_random,
            client,
            ech,
            server,
            client_certificate,
            handshake,
            alerts,
            alerts_count,
            evidence,
            resumed_from,
            preamble,
            tunnel,
            vlans,
            also_seen_as,
            also_seen_as_count,
            same_hello_as,
            inferred,
            decrypted,
            lossy_text,
            horizon,
            capture,
        } = triage;
        self.raw(r#""tlstriage":{"schema":"#);
        self.number(u64::from(*schema));
        self.raw(r#""verdict":{"id":"#);
        self.text(id)?;
        self.raw(r#""confidence":"#);
        self.word(confidence.as_str());
        self.raw(r#""severity":"#);
        self.word(severity.as_str());
        self.close("}");
        if !findings.is_empty() {
            self.raw(r#""findings":["#);
            for finding in findings {
                self.finding(finding)?;
            }
            self.close("]");
        }
        self.count(r#""findings_count":"#, *findings_count);
        self.raw(r#""sni":"#);
        self.word(sni.as_str());
        self.some(r#""alert":"#, alert.as_ref())?;
        self.some_text(r#""version_raw":"#, version_raw.as_deref())?;
        self.hex(r#""client_random":"#, client_random.as_ref());
        if let Some(client) = client {
            self.raw(r#""client":"#);
            self.common(client);
        }
        self.some(r#""ech":"#, ech.as_ref())?;
        self.server(server)?;
        self.some(r#""client_certificate":"#, client_certificate.as_ref())?;
        self.handshake(handshake)?;
        if !alerts.is_empty() {
            self.raw(r#""alerts":["#);
            for alert in alerts {
                self.alert(alert)?;
            }
            self.close("]");
        }
        self.count(r#""alerts_count":"#, *alerts_count);
        let EvidenceReport { grade, reasons } = evidence;
        self.raw(r#""evidence":{"grade":"#);
        self.word(grade.as_str());
        if !reasons.is_empty() {
            self.raw(r#""reasons":"#);
            self.words(reasons.iter().map(|reason| reason.as_str()));
        }
        self.close("}");
        self.some(r#""resumed_from":"#, resumed_from.as_ref())?;
        self.some(r#""preamble":"#, preamble.as_ref())?;
        self.list(r#""tunnel":"#, tunnel)?;
        self.list(r#""vlans":"#, vlans)?;
        self.list(r#""also_seen_as":"#, also_seen_as)?;
        self.count(r#""also_seen_as_count":"#, *also_seen_as_count);
        self.hex(r#""same_hello_as":"#, same_hello_as.as_ref());
        if !inferred.is_empty() {
            self.raw(r#""inferred":["#);
            for Inferred {
                id,
                reason,
                confounders,
            } in inferred
            {
                self.raw(r#"{"id":"#);
                self.text(id)?;
                self.raw(r#""reason":"#);
                self.text(reason)?;
                if !confounders.is_empty() {
                    self.raw(r#""confounders":"#);
                    self.words(confounders.iter().map(|one| one.as_str()));
                }
                self.close("}");
            }
            self.close("]");
        }
        if *decrypted {
            self.raw(r#""decrypted":true,"#);
        }
        if *lossy_text {
            self.raw(r#""lossy_text":true,"#);
        }
        self.some_word(r#""horizon":"#, horizon.map(|horizon| horizon.as_str()));
        self.capture(capture)?;
        self.close("}");
        Ok(())
    }

    fn finding(&mut self, finding: &FindingReport) -> Result {
        let FindingReport {
            id,
            confidence,
            severity,
            reason,
            fix,
            fix_count,
            expected_message,
        } = finding;
        self.raw(r#"{"id":"#);
        self.text(id)?;
        self.raw(r#""confidence":"#);
        self.word(confidence.as_str());
        self.raw(r#""severity":"#);
        self.word(severity.as_str());
        self.raw(r#""reason":"#);
        self.text(reason)?;
        if !fix.is_empty() {
            self.raw(r#""fix":["#);
            for step in fix {
                self.text(step)?;
            }
            self.close("]");
        }
        self.count(r#""fix_count":"#, *fix_count);
        self.list(r#""expected_message":"#, expected_message)?;
        self.close("}");
        Ok(())
    }

    fn server(&mut self, server: &ServerReport) -> Result {
        let ServerReport {
            certificate,
            certificate_detail,
            chain,
            chain_count,
            alternative_names_count,
            default_certificate,
        } = server;
        self.raw(r#""server":{"certificate":"#);
        self.word(certificate.as_str());
        self.some_word(
            r#""certificate_detail":"#,
            certificate_detail.map(|detail| detail.as_str()),
        );
        if !chain.is_empty() {
            self.raw(r#""chain":["#);
            for row in chain {
                self.common(row);
            }
            self.close("]");
        }
        self.count(r#""chain_count":"#, *chain_count);
        self.count(r#""alternative_names_count":"#, *alternative_names_count);
        self.some(r#""default_certificate":"#, default_certificate.as_ref())?;
        self.close("}");
        Ok(())
    }

    fn handshake(&mut self, handshake: &HandshakeReport) -> Result {
        let HandshakeReport {
            outcome,
            closed_by,
            close,
            steps,
            steps_count,
        } = handshake;
        self.raw(r#""handshake":{"outcome":"#);
        self.word(outcome.as_str());
        self.some_word(r#""closed_by":"#, closed_by.map(|side| side.as_str()));
        self.some_word(r#""close":"#, close.map(|close| close.as_str()));
        if !steps.is_empty() {
            self.raw(r#""steps":"#);
            self.common(steps);
        }
        self.count(r#""steps_count":"#, *steps_count);
        self.close("}");
        Ok(())
    }

    fn alert(&mut self, alert: &AlertReport) -> Result {
        let AlertReport {
            from,
            level,
            code,
            name,
            encrypted,
        } = alert;
        self.raw(r#"{"from":"#);
        self.word(from.as_str());
        self.some_word(r#""level":"#, level.map(|level| level.as_str()));
        self.some_number(r#""code":"#, code.map(u64::from));
        if let Some(name) = name {
            self.raw(r#""name":"#);
            self.text(name)?;
        }
        self.flag(r#""encrypted":"#, Some(*encrypted));
        self.close("}");
        Ok(())
    }

    fn capture(&mut self, capture: &CaptureReport) -> Result {
        let CaptureReport {
            file,
            last_file,
            first_frame,
            last_frame,
            interface,
        } = capture;
        self.raw(r#""capture":{"file":"#);
        self.text(file)?;
        self.some_text(r#""last_file":"#, last_file.as_deref())?;
        self.raw(r#""first_frame":"#);
        self.number(*first_frame);
        self.raw(r#""last_frame":"#);
        self.number(*last_frame);
        self.some_text(r#""interface":"#, interface.as_deref())?;
        self.close("}");
        Ok(())
    }

    fn tls(&mut self, tls: &TlsReport) -> Result {
        let TlsReport {
            version,
            version_protocol,
            cipher,
            curve,
            next_protocol,
            established,
            resumed,
            client,
            server,
        } = tls;
        self.raw(r#""tls":{"#);
        self.some_text(r#""version":"#, version.as_deref())?;
        let family = version_protocol.map(|protocol| protocol.as_str());
        self.some_word(r#""version_protocol":"#, family);
        self.some_text(r#""cipher":"#, cipher.as_deref())?;
        self.some_text(r#""curve":"#, curve.as_deref())?;
        self.some_text(r#""next_protocol":"#, next_protocol.as_deref())?;
        self.flag(r#""established":"#, *established);
        self.flag(r#""resumed":"#, *resumed);
        if !client.is_empty() {
            let TlsClient {
                server_name,
                ja3,
                supported_ciphers,
            } = client;
            self.raw(r#""client":{"#);
            self.some_text(r#""server_name":"#, server_name.as_deref())?;
            self.hex(r#""ja3":"#, ja3.as_ref());
            if let Some(ciphers) = supported_ciphers.as_ref().filter(|list| !list.is_empty()) {
                self.raw(r#""supported_ciphers":"#);
                self.common(ciphers);
            }
            self.close("}");
        }
        if !server.is_empty() {
            let TlsServer { ja3s, leaf } = server;
            self.raw(r#""server":{"#);
            self.hex(r#""ja3s":"#, ja3s.as_ref());
            if let Some(leaf) = leaf {
                // Its fields stand among those of the server.
                let fields = json_of(leaf).strip_prefix('{').unwrap_or_default();
                self.raw(fields.strip_suffix('}').unwrap_or_default());
                self.0.push(b',');
            }
            self.close("}");
        }
        self.close("}");
        Ok(())
    }

    /// JSON as it stands.
    fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// The end of a list or an object, in place of the comma behind its last part.
    fn close(&mut self, bracket: &str) {
        self.0.pop_if(|last| *last == b',');
        self.raw(bracket);
        self.0.push(b',');
    }

    /// A word that needs no escaping.
    fn word(&mut self, word: &str) {
        self.plain(word.as_bytes());
    }

    /// Bytes of text that need no escaping.
    fn plain(&mut self, text: &[u8]) {
        self.0.push(b'"');
        self.0.extend_from_slice(text);
        self.0.extend_from_slice(b"\",");
    }

    fn some_word(&mut self, name: &str, word: Option<&str>) {
        if let Some(word) = word {
            self.raw(name);
            self.word(word);
        }
    }

    fn words<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.0.push(b'[');
        for word in words {
            self.word(word);
        }
        self.close("]");
    }

    fn text(&mut self, text: &str) -> Result {
        if is_plain(text) {
            self.word(text);
            Ok(())
        } else {
            self.value(text)
        }
    }

    /// A text, where there is one and it is not empty.
    fn some_text(&mut self, name: &str, text: Option<&str>) -> Result {
        match text {
            Some("") | None => Ok(()),
            Some(text) => {
                self.raw(name);
                self.text(text)
            }
        }
    }

    fn number(&mut self, number: u64) {
        let mut digits = itoa::Buffer::new();
        self.raw(digits.format(number));
        self.0.push(b',');
    }

    fn some_number(&mut self, name: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.raw(name);
            self.number(number);
        }
    }

    fn count(&mut self, name: &str, count: Option<usize>) {
        self.some_number(name, count.and_then(|count| u64::try_from(count).ok()));
    }

    fn flag(&mut self, name: &str, flag: Option<bool>) {
        if let Some(flag) = flag {
            self.raw(name);
            self.raw(if flag { "true," } else { "false," });
        }
    }

    fn hex<const N: usize>(&mut self, name: &str, bytes: Option<&Hex<N>>) {
        if let Some(bytes) = bytes {
            self.raw(name);
            self.plain(bytes.text().as_bytes());
        }
    }

    fn ip(&mut self, ip: IpAddr) {
        let IpAddr::V4(ip) = ip else {
            return self.word(&ip.to_string());
        };
        let mut text = [b'"'; MAX_DOTTED_LEN];
        let mut len = 0;
        let mut push = |byte| {
            len += 1;
            if let Some(place) = text.get_mut(len) {
                *place = byte;
            }
        };
        for octet in ip.octets() {
            let (tens, ones) = (octet / 10, octet % 10);
            if tens >= 10 {
                push(b'0' + tens / 10);
            }
            if tens > 0 {
                push(b'0' + tens % 10);
            }
            push(b'0' + ones);
            push(b'.');
        }
        self.0
            .extend_from_slice(text.get(..len).unwrap_or_default());
        self.0.extend_from_slice(b"\",");
    }

    /// What many flows have in common.
    fn common<T: Serialize>(&mut self, part: &Common<T>) {
        self.raw(json_of(part));
        self.0.push(b',');
    }

    fn some<T: Serialize>(&mut self, name: &str, part: Option<&T>) -> Result {
        match part {
            Some(part) => {
                self.raw(name);
                self.value(part)
            }
            None => Ok(()),
        }
    }

    fn list<T: Serialize>(&mut self, name: &str, list: &[T]) -> Result {
        if list.is_empty() {
            return Ok(());
        }
        self.raw(name);
        self.value(list)
    }

    /// Whatever the serializer makes of it.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(&mut Serializer::with_formatter(&mut *self.0, Escaping))?;
        self.0.push(b',');
        Ok(())
    }
}

/// A quotation mark, and four octets with a dot behind each.
const MAX_DOTTED_LEN: usize = 17;

/// The beginning of the event of a flow that came to TLS.
const FLOW_HEAD: &str = concat!(
    r#""event":{"kind":"event","category":["network"],"type":["connection","protocol"],"#,
    r#""dataset":"tlstriage.flow","module":"tlstriage","#
);

/// The JSON of what many flows have in common, made on first need.
fn json_of<T: Serialize>(part: &Common<T>) -> &str {
    part.rendered(|part| {
        let mut json = Vec::new();
        // Nothing in a report fails to be written to memory.
        let _ = part.serialize(&mut Serializer::with_formatter(&mut json, Escaping));
        String::from_utf8(json).unwrap_or_default().into()
    })
}
