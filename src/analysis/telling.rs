//! A judged story in the words of the report.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::analysis::book::Comparison;
use crate::analysis::evidence::{Judged, own_chain};
use crate::analysis::keyring::Keyring;
use crate::analysis::kinds::Chain;
use crate::analysis::mark::Mark;
use crate::analysis::seen::{EncryptedHello, StoryAlert, Tls};
use crate::analysis::story::Story;
use crate::analysis::twins::Links;
use crate::packet::Encapsulation;
use crate::report::{
    self, AlertLevel, AlertReport, Bounded, CaptureReport, CertificateDetail, CertificateReport,
    CertificateState, ClientCertificateReport, Common, DecidingAlert, DefaultBy,
    DefaultCertificate, EchReport, Event, EventOutcome, EvidenceGrade, EvidenceReason,
    EvidenceReport, ExpectedMessage, FindingReport, FlowIdentity, FlowReport, HandshakeReport, Hex,
    InnerNetwork, Outcome, PreambleReport, Protocol, Rule, SeenAs, SniState, Time, TriageReport,
    TunnelReport, VerdictReport, Vlan, event_id,
};
use crate::tls::{Observed, ServerName, Unopened, Unseen, registry};
use crate::verdict::{self, ClientCertificate, Closing, Gateway, Reaction, VerdictId};

/// The files of a run by their place in it: their names, and those of their interfaces.
pub(super) trait Files {
    /// The name of a file.
    fn name(&self, file: u32) -> Arc<str>;
    /// The name of an interface of a file, where the capture has one.
    fn interface(&self, file: u32, interface: u32) -> Option<Arc<str>>;
}

/// Tells a judged story, from which texts are taken. `ordinal` tells it from others of the same addresses and the same instant.
pub(super) fn tell(
    story: &Story,
    judged: &mut Judged,
    ordinal: u32,
    links: Option<&Links>,
    files: &impl Files,
) -> FlowReport {
    let judgement = &mut judged.judgement;
    let (client, server) = (story.source(), story.destination());
    let nothing = Encapsulation::default();
    let encapsulation = story.encapsulation().unwrap_or(&nothing);
    let tunnels = tunnels(encapsulation);
    let id = id(story, ordinal);
    let severity = severity(judgement.severity);
    let outcome = event_outcome(story, judgement.verdict);
    let span = (time(&story.first), time(&story.last));
    let mut event = Event::flow(
        id,
        story.tls().is_some().then_some(Protocol::Tls),
        outcome,
        severity,
        span,
    );
    event.reason = Some(std::mem::take(&mut judgement.reason).into());
    let rule = Rule::new(judgement.verdict.as_str(), judgement.verdict.title());
    let verdict = VerdictReport::new(
        judgement.verdict.as_str(),
        confidence(judgement.confidence),
        severity,
    );

    let mut capture = CaptureReport::new(
        files.name(story.first.file),
        story.first.frame,
        story.last.frame,
    );
    capture.last_file = (story.last.file != story.first.file).then(|| files.name(story.last.file));
    capture.interface = files.interface(story.first.file, story.first.origin.interface());

    // It is large: all is filled in where it stands.
    let triage = TriageReport::new(verdict, capture);
    let mut report = FlowReport::new(event, rule, client, server, triage);
    let triage = &mut report.tlstriage;
    let findings = std::mem::take(&mut judgement.findings);
    triage.findings = findings.into_iter().map(finding).collect();
    if let Some(first) = triage.findings.first_mut() {
        let proof = judgement.proof.take();
        first.fix.extend(proof.map(Cow::Owned));
        first.expected_message = judgement.messages.iter().map(message).collect();
    }
    triage.tunnel = tunnels;
    triage.inferred = std::mem::take(&mut judged.inferred);
    triage.resumed_from = judged.resumed_from.take();
    if let Some(links) = links {
        let seen_as = links.also_seen_as.iter();
        triage.also_seen_as = seen_as
            .map(|(source, destination)| SeenAs::new((*source).into(), (*destination).into()))
            .collect();
        triage.same_hello_as = links.same_hello_as;
    }
    triage.evidence = evidence(story, judgement.verdict);
    triage.handshake = handshake(story, judgement.verdict);
    triage.server.certificate = certificate_state(story);

    report.source.bytes = Some(story.client_counts.bytes);
    report.source.packets = Some(story.client_counts.packets);
    report.destination.bytes = Some(story.server_counts.bytes);
    report.destination.packets = Some(story.server_counts.packets);
    let mut vlans = encapsulation.vlans.iter();
    report.network.vlan = vlans.next().map(|id| Vlan::new(*id));
    report.network.inner = vlans.next().map(|id| InnerNetwork::new(*id));
    match story.tls() {
        Some(tls) => tell_tls(&mut report, story, tls, judged),
        None => report.network.protocol = None,
    }
    report.cut(report::Cut::USUAL);
    report
}

/// The `event.id` of a story.
pub(super) fn id(story: &Story, ordinal: u32) -> Hex<16> {
    let nothing = Encapsulation::default();
    let encapsulation = story.encapsulation().unwrap_or(&nothing);
    event_id(&FlowIdentity {
        source: story.source(),
        destination: story.destination(),
        first: story.first.time,
        vlans: &encapsulation.vlans,
        tunnels: &tunnels(encapsulation),
        ordinal,
    })
}

fn tell_tls(report: &mut FlowReport, story: &Story, tls: &Tls, judged: &Judged) {
    let triage = &mut report.tlstriage;
    let encrypted = tls.encrypted_hello();
    let cover = encrypted
        .filter(|encrypted| matches!(encrypted.asked.name, Observed::Unseen(_)))
        .map(|encrypted| &encrypted.asked_in_clear)
        .filter(|cover| matches!(cover.name, Observed::Seen(ServerName::Name(_))));
    let shown = cover.unwrap_or(&tls.asked);
    let sni = match sni(&tls.asked.name) {
        SniState::Name if encrypted.is_some_and(|encrypted| !encrypted.is_accepted) => {
            SniState::EchOuter
        }
        // The server took a hello that no key opened: the name in clear is a cover, and nothing is asked by it.
        SniState::Unknown if cover.is_some() => SniState::EchOuter,
        sni => sni,
    };
    triage.sni = sni;
    triage.ech = encrypted.map(ech);
    if matches!(sni, SniState::Name | SniState::EchOuter) {
        report.destination.domain.clone_from(&shown.text);
    }
    report.tls.client.server_name.clone_from(&shown.text);
    triage.client_random = tls.random.map(Hex);
    triage.lossy_text = tls.has_lossy_text;
    if let Some(client) = &tls.client {
        triage.client = Some(client.report.clone());
        report.tls.client.ja3 = client.ja3;
        report.tls.client.supported_ciphers = Some(client.ciphers.clone());
    }
    if let Some(answer) = &tls.answer {
        let version = registry::version(answer.version);
        // A number that no standard names is no version for the schema, only what was on the wire.
        if version.protocol.is_some() {
            report.tls.version = Some(version.text);
            triage.version_raw = version.raw.map(Cow::Owned);
        } else {
            triage.version_raw = Some(version.text);
        }
        report.tls.version_protocol = version.protocol.map(protocol);
        report.tls.cipher.clone_from(&answer.cipher);
        report.tls.curve = answer.group.map(registry::named_group);
        report.tls.next_protocol.clone_from(&answer.alpn);
        report.tls.server.ja3s = answer.ja3s;
    }
    report.tls.established = established(story, tls);
    report.tls.resumed = tls.answer.as_ref().map(|_| tls.resumption.is_some());

    if let Some(chain) = own_chain(story) {
        triage.server.chain = rows(chain);
        report.tls.server.leaf = chain.leaf().map(|known| known.leaf.clone());
        if judged.default_by_catalog || judged.default_by_comparison.is_some() {
            triage.server.default_certificate = Some(default_certificate(chain, judged));
        }
    }
    if tls.has_certificate_request || tls.client_chain().is_some() {
        triage.client_certificate = Some(ClientCertificateReport {
            requested: tls.has_certificate_request.then_some(true),
            sent: match tls.client_certificate {
                ClientCertificate::Sent => Some(true),
                ClientCertificate::Missing => Some(false),
                _ => None,
            },
            chain: tls
                .client_chain()
                .map(|chain| rows(chain))
                .unwrap_or_default(),
            ..ClientCertificateReport::default()
        });
    }
    triage.decrypted = tls.is_decrypted();
    if triage.server.certificate == CertificateState::Encrypted {
        triage.server.certificate_detail = tls.unopened().map(certificate_detail);
    }
    triage.alerts = tls.alerts().map(alert).collect();
    if let Reaction::Refused(by, Some(code)) = tls.reaction {
        triage.alert = Some(DecidingAlert::new(side(by), code, alert_name(code)));
    }
    triage.preamble = tls.preamble().map(|preamble| {
        let mut told = PreambleReport::new(Cow::Borrowed(preamble.protocol.word()));
        told.client = preamble.client.as_deref().map(Arc::from);
        told.server = preamble.server.as_deref().map(Arc::from);
        told.target = preamble.target.as_deref().map(Arc::from);
        told
    });
}

/// Tells which keys came when the records that they open were gone. Only at the end of a run is that known of all of them.
pub(super) fn tell_late_keys(report: &mut FlowReport, story: &Story, keyring: &Keyring) {
    let Some(tls) = story.tls().filter(|_| keyring.is_in_use()) else {
        return;
    };
    let is_open_question = matches!(tls.unopened(), None | Some(Unopened::NoKey));
    let server = &mut report.tlstriage.server;
    if server.certificate == CertificateState::Encrypted && is_open_question {
        let is_late = tls
            .random
            .is_some_and(|random| keyring.has_server_secret(&random));
        server.certificate_detail = Some(if is_late {
            CertificateDetail::KeyTooLate
        } else {
            CertificateDetail::NoKey
        });
    }
}

/// A frame's time with the digits of its clock.
pub(super) fn time(mark: &Mark) -> Time {
    Time::new(mark.time, mark.origin.precision())
}

/// The state of `server_name`.
const fn sni(name: &Observed<ServerName>) -> SniState {
    match name {
        Observed::Seen(ServerName::Absent) => SniState::Absent,
        Observed::Seen(ServerName::Empty) => SniState::Empty,
        Observed::Seen(ServerName::Invalid(_)) => SniState::Invalid,
        Observed::Seen(ServerName::IpLiteral(_)) => SniState::IpLiteral,
        Observed::Seen(ServerName::Name(_)) => SniState::Name,
        Observed::Seen(_) | Observed::Unseen(_) => SniState::Unknown,
    }
}

/// Whether the server's certificate was seen, or why not.
pub(super) fn certificate_state(story: &Story) -> CertificateState {
    let Some(tls) = story.tls() else {
        return CertificateState::RefusedBefore;
    };
    match tls.chain() {
        Observed::Seen(_) => CertificateState::Seen,
        Observed::Unseen(why) => match why {
            Unseen::Anonymous => CertificateState::Anonymous,
            Unseen::Encrypted => CertificateState::Encrypted,
            Unseen::Gap => CertificateState::Gap,
            Unseen::Limit => CertificateState::Limit,
            Unseen::Malformed => CertificateState::Malformed,
            Unseen::Midstream => CertificateState::Midstream,
            Unseen::OneSided => CertificateState::OneSided,
            Unseen::Psk => CertificateState::TlsPsk,
            Unseen::RefusedBefore => CertificateState::RefusedBefore,
            Unseen::Resumed => CertificateState::Resumed,
            Unseen::Truncated => CertificateState::Truncated,
            _ => CertificateState::CaptureEnded,
        },
    }
}

/// How the handshake ended.
pub(super) fn outcome(story: &Story, verdict: VerdictId) -> Outcome {
    let Some(tls) = story.tls() else {
        return if story.unreachable().is_some_and(|knock| knock.was_reset) {
            Outcome::RejectedByServer
        } else {
            Outcome::Unfinished
        };
    };
    let is_blamed =
        verdict.severity() > verdict::Severity::Low && verdict != VerdictId::HttpBackend;
    if verdict == VerdictId::CaptureMidstream {
        return Outcome::Unknown;
    }
    match tls.reaction {
        Reaction::Accepted | Reaction::Finished => Outcome::Completed,
        Reaction::LeftAfterHandshake | Reaction::LeftAfterAnswer
            if is_blamed && verdict != VerdictId::TlsHandshakeFailed =>
        {
            Outcome::RejectedByClient
        }
        Reaction::LeftAfterHandshake => Outcome::Completed,
        Reaction::Refused(verdict::Side::Client, _) => Outcome::RejectedByClient,
        Reaction::Refused(verdict::Side::Server, _) => Outcome::RejectedByServer,
        Reaction::ClosedBeforeAnswer | Reaction::ClosedInHandshake if is_blamed => {
            Outcome::RejectedByServer
        }
        Reaction::ClosedBeforeAnswer
        | Reaction::ClosedInHandshake
        | Reaction::GaveUp
        | Reaction::LeftAfterAnswer => Outcome::Abandoned,
        Reaction::Unfinished if story.capture.ended => Outcome::Unfinished,
        Reaction::Unfinished => Outcome::Unknown,
    }
}

fn event_outcome(story: &Story, verdict: VerdictId) -> EventOutcome {
    if matches!(
        verdict,
        VerdictId::CaptureInsufficient | VerdictId::CaptureMidstream
    ) {
        return EventOutcome::Unknown;
    }
    match outcome(story, verdict) {
        Outcome::Completed => EventOutcome::Success,
        Outcome::RejectedByClient | Outcome::RejectedByServer => EventOutcome::Failure,
        _ if verdict.severity() >= verdict::Severity::Medium => EventOutcome::Failure,
        _ => EventOutcome::Unknown,
    }
}

fn established(story: &Story, tls: &Tls) -> Option<bool> {
    match tls.reaction {
        _ if tls.answer.is_none() && story.capture.midstream => None,
        Reaction::Accepted | Reaction::Finished | Reaction::LeftAfterHandshake => Some(true),
        Reaction::Unfinished => None,
        _ if story.capture.missing_side.is_some() => None,
        _ => Some(false),
    }
}

fn handshake(story: &Story, verdict: VerdictId) -> HandshakeReport {
    let mut told = match story.tls() {
        Some(tls) => HandshakeReport::clone(&tls.acts.handshake),
        None => HandshakeReport::default(),
    };
    told.outcome = outcome(story, verdict);
    if let Some(close) = story.close {
        told.closed_by = Some(side(close.by));
        told.close = Some(match close.how {
            Closing::Fin => report::Close::Fin,
            Closing::Rst => report::Close::Rst,
        });
    }
    told
}

fn evidence(story: &Story, verdict: VerdictId) -> EvidenceReport {
    let capture = &story.capture;
    let reasons: Vec<EvidenceReason> = [
        (capture.gap, EvidenceReason::Gap),
        (capture.truncated, EvidenceReason::Truncated),
        (capture.midstream, EvidenceReason::Midstream),
        (capture.missing_side.is_some(), EvidenceReason::OneSided),
        (
            capture.ended && story.tls().is_some(),
            EvidenceReason::CaptureEnded,
        ),
        (story.has_conflict, EvidenceReason::OverlapConflict),
        (
            capture.limit || certificate_state(story) == CertificateState::Limit,
            EvidenceReason::Limit,
        ),
    ]
    .into_iter()
    .filter_map(|(holds, reason)| holds.then_some(reason))
    .collect();
    let grade = match verdict {
        VerdictId::CaptureInsufficient | VerdictId::CaptureMidstream => EvidenceGrade::Insufficient,
        _ if reasons.is_empty() => EvidenceGrade::Complete,
        _ => EvidenceGrade::Partial,
    };
    EvidenceReport::new(grade, reasons)
}

fn ech(encrypted: &EncryptedHello) -> EchReport {
    let mut told = EchReport::new(Hex(encrypted.random));
    told.inner_name.clone_from(&encrypted.asked.text);
    told.outer_name.clone_from(&encrypted.asked_in_clear.text);
    told.inner_alpn.clone_from(&encrypted.alpn);
    told
}

fn tunnels(encapsulation: &Encapsulation) -> Vec<TunnelReport> {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    encapsulation
        .tunnels
        .iter()
        .map(|tunnel| {
            let id = tunnel.id.and_then(|id| u32::try_from(id).ok());
            TunnelReport::new(
                tunnel.kind.name(),
                id,
                tunnel.source.unwrap_or(unknown),
                tunnel.destination.unwrap_or(unknown),
            )
        })
        .collect()
}

fn rows(chain: &Chain) -> Vec<Common<CertificateReport>> {
    chain
        .certificates
        .iter()
        .map(|known| known.row.clone())
        .collect()
}

fn default_certificate(chain: &Chain, judged: &Judged) -> DefaultCertificate {
    let mut told = DefaultCertificate::default();
    if judged.default_by_catalog {
        told.by.push(DefaultBy::Catalog);
        if let Some(product) = chain.leaf().and_then(|leaf| leaf.default.as_ref()) {
            told.catalog_id = Some(Arc::clone(&product.id));
            told.product = (!product.is_generic).then(|| Arc::clone(&product.name));
        }
    }
    told.by.extend(
        judged
            .default_by_comparison
            .map(|comparison| match comparison {
                Comparison::WithoutSni => DefaultBy::WithoutSni,
                Comparison::UnknownName => DefaultBy::UnknownName,
            }),
    );
    told
}

fn alert(alert: StoryAlert) -> AlertReport {
    let from = side(alert.by);
    match alert.content {
        None => AlertReport::encrypted(from),
        Some((level, code)) => {
            let level = match level {
                1 => Some(AlertLevel::Warning),
                2 => Some(AlertLevel::Fatal),
                _ => None,
            };
            let mut told = AlertReport::clear(from, level, code, alert_name(code));
            told.encrypted = alert.was_encrypted;
            told
        }
    }
}

fn finding(finding: verdict::Finding) -> FindingReport {
    let mut told = FindingReport::new(
        finding.id.as_str(),
        confidence(finding.confidence),
        severity(finding.severity),
        finding.reason.into(),
    );
    told.fix = finding.fix.iter().map(|fix| Cow::Borrowed(*fix)).collect();
    told
}

fn message(message: &verdict::Message) -> ExpectedMessage {
    let gateway = match message.gateway {
        Gateway::AzureV1 => "application-gateway-v1",
        _ => "application-gateway-v2",
    };
    ExpectedMessage::new(
        gateway,
        message.key,
        message.text.into(),
        confidence(message.confidence),
    )
}

fn protocol(protocol: &str) -> report::VersionProtocol {
    match protocol {
        "ssl" => report::VersionProtocol::Ssl,
        _ => report::VersionProtocol::Tls,
    }
}

/// The same word in the report.
const fn certificate_detail(why: Unopened) -> CertificateDetail {
    match why {
        Unopened::NoKey => CertificateDetail::NoKey,
        Unopened::KeyDoesNotOpen => CertificateDetail::KeyDoesNotOpen,
        Unopened::Suite => CertificateDetail::Suite,
    }
}

/// The name of an alert, where its number has one.
fn alert_name(code: u8) -> Option<&'static str> {
    Some(registry::alert(code)).filter(|name| *name != "unknown")
}

/// The same word in the report.
pub(super) const fn side(side: verdict::Side) -> report::Side {
    match side {
        verdict::Side::Client => report::Side::Client,
        verdict::Side::Server => report::Side::Server,
    }
}

/// The same word in the report.
pub(super) const fn severity(severity: verdict::Severity) -> report::Severity {
    match severity {
        verdict::Severity::Info => report::Severity::Info,
        verdict::Severity::Low => report::Severity::Low,
        verdict::Severity::Medium => report::Severity::Medium,
        verdict::Severity::High => report::Severity::High,
    }
}

/// The same word in the report.
pub(super) const fn confidence(confidence: verdict::Confidence) -> report::Confidence {
    match confidence {
        verdict::Confidence::Low => report::Confidence::Low,
        verdict::Confidence::Medium => report::Confidence::Medium,
        verdict::Confidence::High => report::Confidence::High,
    }
}
