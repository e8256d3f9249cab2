//! The page for a ticket, through the front door: what is on it, that nothing on it acts, and that it stays small.
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[path = "support/reports.rs"]
mod reports;
#[path = "support/summaries.rs"]
mod summaries;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use tlstriage::output::{Format, Style};
use tlstriage::report::{
    CaptureReport, Event, EventOutcome, FlowReport, Inferred, Protocol, Severity, Summary,
};

use reports::{at, certificate, client_offer, default_certificate_refused, end, leaf};
use summaries::{gateway, hostile};

/// A place to write to that can be looked at afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn page(flows: &[FlowReport], summary: &Summary) -> String {
    let place = Shared::default();
    let mut writer = Format::Html.writer(Box::new(place.clone()), Style::default());
    for flow in flows {
        let mut rendered = Vec::new();
        writer.render(flow, &mut rendered);
        writer.write(&rendered).unwrap();
    }
    writer.finish(summary).unwrap();
    String::from_utf8(place.0.lock().unwrap().clone()).unwrap()
}

/// A flow with `text` wherever text comes from the wire or from the name of a file.
fn flow_with(text: &str) -> FlowReport {
    let mut flow = default_certificate_refused();
    flow.tls.client.server_name = Some(text.into());
    flow.tlstriage.sni = tlstriage::report::SniState::Name;
    flow.event.reason = Some(text.to_owned().into());
    let mut own = leaf();
    own.subject = Some(text.into());
    own.x509.alternative_names = vec![text.into(); 3];
    own.x509.subject.common_name = vec![text.into()];
    own.x509.signature_algorithm = Some(text.to_owned().into());
    own.x509.serial_number = Some(text.into());
    flow.tls.server.leaf = Some(own.into());
    let mut entry = certificate();
    entry.subject = Some(text.into());
    entry.issuer = Some(text.into());
    flow.tlstriage.server.chain = vec![entry.into()];
    flow.tlstriage.client = Some(client_offer().into());
    flow.tlstriage.capture = CaptureReport::new(text.into(), 1, 2);
    flow.tlstriage.capture.last_file = Some(text.into());
    flow.tlstriage.version_raw = Some(text.to_owned().into());
    flow.tls.version = None;
    flow.tlstriage.inferred = vec![Inferred::new("server-key", text.to_owned().into())];
    flow
}

/// The tags of a page with the names of their attributes, read as a browser does it
/// (HTML, section 13.2.5): outside of a tag, only `<` begins one.
fn tags(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        let mut tag = String::new();
        let mut quote = None;
        let mut end = after.len();
        for (at, c) in after.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '>') => {
                    end = at + 1;
                    break;
                }
                (None, c) => tag.push(c),
            }
        }
        let is_raw = tag.starts_with("style") || tag.starts_with("script");
        rest = &after[end..];
        if is_raw {
            let close = rest.find("</").unwrap();
            rest = &rest[close..];
        }
        found.push(tag);
    }
    found
}

#[test]
fn hostile_text_is_text_wherever_it_stands() {
    let plain = page(&[flow_with("plain")], &hostile("plain"));
    for text in [
        "<script>document.title='x'</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "` onfocus=alert(1) autofocus x=`",
        "</style></script></title><svg onload=alert(1)>",
        "{{ page.title }}{% for x in [] %}<!--",
        "javascript:alert(1)",
        "&lt;b&gt;&#60;b&#62;",
    ] {
        let hostile = page(&[flow_with(text)], &hostile(text));
        assert_eq!(tags(&hostile), tags(&plain), "{text}");
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        assert!(hostile.contains(escaped.split(['>', '"', '\'', '`']).next().unwrap()));
    }
}

#[test]
fn what_hides_or_turns_text_is_shown_by_its_number() {
    let text = "\u{202e}moc.osotnoc\u{2066}\u{200b}\u{feff}\0\r\n\u{1b}[2J\u{85}";
    let page = page(&[flow_with(text)], &hostile(text));
    let is_shown = |c: char| !c.is_control() || c == '\n';
    assert!(page.chars().all(is_shown));
    for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}'] {
        assert!(!page.contains(hidden));
    }
    assert!(page.contains("\\u{202e}moc.osotnoc\\u{2066}\\u{200b}\\u{feff}\\u{0}\\u{d}\\u{a}"));
}

#[test]
fn the_policy_lets_only_the_pages_own_style_and_script_act() {
    let page = page(&[flow_with("plain")], &gateway());
    let (_, policy) = page
        .split_once("Content-Security-Policy\" content=\"")
        .unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; "));
    for kind in ["style", "script"] {
        let (_, text) = page.split_once(&format!("<{kind}>")).unwrap();
        let text = text.split(&format!("</{kind}>")).next().unwrap();
        let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
        assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}'")));
        assert_eq!(page.matches(&format!("<{kind}")).count(), 1);
    }
    for outside in [
        "src=", "url(", "@import", "http:", "https:", " style=", " on",
    ] {
        let is_there = tags(&page).iter().any(|tag| tag.contains(outside));
        assert!(!is_there, "{outside}");
    }
}

#[test]
fn every_part_of_the_page_is_there_and_named() {
    let page = page(&[flow_with("api.contoso.com")], &gateway());
    for section in [
        "story",
        "timeline",
        "servers",
        "certificates",
        "flows",
        "unseen",
        "made",
    ] {
        assert!(page.contains(&format!(
            "<section id=\"{section}\" aria-labelledby=\"{section}-h\">"
        )));
        assert!(page.contains(&format!("id=\"{section}-h\"")));
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(
        page.matches("<table").count(),
        page.matches("<caption").count()
    );
    assert_eq!(
        page.matches("<th").count() - page.matches("<thead").count(),
        page.matches("<th scope=").count(),
        "each head of a table says of what"
    );
    assert!(page.contains("<html lang=\"en\">"));
}

#[test]
fn an_empty_run_is_a_page_too() {
    let page = page(&[], &Summary::default());
    assert!(page.contains("No frames were read"));
    assert!(page.ends_with("</html>\n"));
    assert!(!page.contains("<script"));
}

#[test]
fn a_page_about_200_000_flows_stays_small_and_says_what_it_leaves_out() {
    let place = Shared::default();
    let mut writer = Format::Html.writer(Box::new(place.clone()), Style::default());
    let mut rendered = Vec::new();
    for number in 0..200_000_u32 {
        let client = end("10.1.0.5", 1024);
        let server = end("10.1.2.3", 443 + u16::try_from(number % 50).unwrap());
        let mut flow = default_certificate_refused();
        let time = at(i64::from(number) * 20_000);
        let id = flow.event.id.unwrap();
        let (outcome, severity) = if number % 3 == 0 {
            (EventOutcome::Failure, Severity::High)
        } else {
            (EventOutcome::Success, Severity::Info)
        };
        flow.event = Event::flow(id, Some(Protocol::Tls), outcome, severity, (time, time));
        flow.timestamp = time;
        flow.source.ip = client.ip;
        flow.destination.port = server.port;
        flow.tlstriage.verdict.severity = severity;
        rendered.clear();
        writer.render(&flow, &mut rendered);
        writer.write(&rendered).unwrap();
    }
    let mut summary = gateway();
    summary.flows.flagged = 66_667;
    writer.finish(&summary).unwrap();
    let page = String::from_utf8(place.0.lock().unwrap().clone()).unwrap();
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("data-verdict=").count(), 600);
    assert!(page.contains("66,667 flows"));
    assert!(page.contains("66,067 more flagged flows not shown here"));
}
