//! Reports made by hand, through the public library only: what tests and benches of the output write.

use tlstriage::flow::Endpoint;
use tlstriage::report::{
    AlertLevel, AlertReport, Bounded, CaptureReport, CertificateHash, CertificateReport,
    CertificateState, ClientCertificateReport, ClientReport, Close, Common, Confidence, Cut,
    DecidingAlert, DefaultBy, DefaultCertificate, DistinguishedName, Ech, Event, EventOutcome,
    EvidenceGrade, EvidenceReport, FindingReport, FlowIdentity, FlowReport, Hex, LeafReport,
    Outcome, Protocol, Rule, Severity, Side, SniState, Time, TlsReport, TriageReport,
    VerdictReport, VersionProtocol, Vlan, X509, bounded_ciphers, event_id,
};
use tlstriage::time::{Precision, Timestamp};

/// `ip`:`port`.
pub(crate) fn end(ip: &str, port: u16) -> Endpoint {
    Endpoint::new(ip.parse().unwrap(), port)
}

/// So many microseconds after 2026-11-23T04:00:00Z.
pub(crate) fn at(micros: i64) -> Time {
    let start = Timestamp::from_parts(1_795_406_400, 0);
    let timestamp = start.saturating_add_nanos(micros * 1000);
    Time::new(timestamp, Precision::Microseconds)
}

/// A flow without SNI that was answered with a default certificate, which the client refused.
pub(crate) fn default_certificate_refused() -> FlowReport {
    let (client, server) = (end("10.1.0.5", 50112), end("10.1.2.3", 443));
    let id = event_id(&FlowIdentity {
        source: client,
        destination: server,
        first: Timestamp::from_nanos(at(123_456).as_nanos()),
        vlans: &[12],
        tunnels: &[],
        ordinal: 0,
    });
    let span = (at(123_456), at(125_290));
    let mut event = Event::flow(
        id,
        Some(Protocol::Tls),
        EventOutcome::Failure,
        Severity::High,
        span,
    );
    event.reason = Some(
        "The client sent no SNI; the server answered with its default certificate (Traefik), \
         which the client refused with alert unknown_ca."
            .into(),
    );
    let rule = Rule::new(
        "no-sni.default-cert",
        "No SNI, default certificate, rejected",
    );
    let mut report = FlowReport::new(event, rule, client, server, triage());
    report.source.bytes = Some(517);
    report.source.packets = Some(6);
    report.destination.bytes = Some(1291);
    report.destination.packets = Some(5);
    report.network.vlan = Some(Vlan::new(12));
    report.tls = tls();
    report.bounded()
}

fn triage() -> TriageReport {
    let verdict = VerdictReport::new("no-sni.default-cert", Confidence::High, Severity::High);
    let mut capture = CaptureReport::new("gateway-00.pcap".into(), 12, 24);
    capture.last_file = Some("gateway-01.pcap".into());
    capture.interface = Some("eth0".into());
    let mut triage = TriageReport::new(verdict, capture);
    let mut finding = FindingReport::new(
        "no-sni.default-cert",
        Confidence::High,
        Severity::High,
        "No server_name extension in the ClientHello.".into(),
    );
    finding.fix = vec!["Use the FQDN as backend pool target.".into()];
    triage.findings = vec![finding];
    triage.sni = SniState::Absent;
    triage.alert = Some(DecidingAlert::new(Side::Client, 48, Some("unknown_ca")));
    let mut random = [0; 32];
    random[31] = 42;
    triage.client_random = Some(Hex(random));
    triage.client = Some(client_offer().bounded().into());
    let certificate = Common::new(certificate().bounded());
    triage.server.certificate = CertificateState::Seen;
    triage.server.chain = vec![certificate.clone()];
    let mut default = DefaultCertificate::default();
    default.by = vec![DefaultBy::Catalog, DefaultBy::WithoutSni];
    default.catalog_id = Some("traefik-default".into());
    default.product = Some("Traefik".into());
    triage.server.default_certificate = Some(default);
    let mut own = ClientCertificateReport::default();
    own.requested = Some(true);
    own.chain = vec![certificate];
    triage.client_certificate = Some(own);
    triage.handshake.outcome = Outcome::RejectedByClient;
    triage.handshake.closed_by = Some(Side::Client);
    triage.handshake.close = Some(Close::Rst);
    triage.handshake.steps = vec![
        "client_hello",
        "server_hello",
        "certificate",
        "server_hello_done",
        "alert",
    ]
    .into();
    triage.alerts = vec![AlertReport::clear(
        Side::Client,
        Some(AlertLevel::Fatal),
        48,
        Some("unknown_ca"),
    )];
    triage.evidence = EvidenceReport::new(EvidenceGrade::Complete, Vec::new());
    triage
}

/// What a common client offers.
pub(crate) fn client_offer() -> ClientReport {
    let mut client = ClientReport::default();
    client.versions = vec!["1.3".into(), "1.2".into()];
    client.alpn = vec!["h2".into(), "http/1.1".into()];
    client.ja4 = Some("t13i1516h2_8daaf6152771_b186095e22b6".into());
    client.groups = vec!["x25519".into(), "secp256r1".into()];
    client.ech = Some(Ech::Offered);
    client
}

/// A self-signed default certificate.
pub(crate) fn certificate() -> CertificateReport {
    let mut certificate = CertificateReport::new(Hex(SHA256));
    certificate.subject = Some(NAME.into());
    certificate.issuer = Some(NAME.into());
    certificate.not_before = Some(Time::from_unix_seconds(1_793_683_991));
    certificate.not_after = Some(Time::from_unix_seconds(2_108_957_591));
    certificate.self_signed = Some(true);
    certificate.ca = Some(false);
    certificate
}

/// The same certificate as ECS has it.
pub(crate) fn leaf() -> LeafReport {
    let mut leaf = LeafReport::new(CertificateHash::new(SHA256, SHA1));
    leaf.subject = Some(NAME.into());
    leaf.issuer = Some(NAME.into());
    leaf.not_before = Some(Time::from_unix_seconds(1_793_683_991));
    leaf.not_after = Some(Time::from_unix_seconds(2_108_957_591));
    let mut name = DistinguishedName::default();
    name.common_name = vec!["TRAEFIK DEFAULT CERT".into()];
    name.organization = vec!["Example, Inc.".into()];
    name.distinguished_name = Some(NAME.into());
    let mut x509 = X509::default();
    x509.subject = name.clone();
    x509.issuer = name;
    x509.alternative_names = vec!["a1b2c3.traefik.default".into()];
    x509.serial_number = Some("55FBB9C7DEBF09809D12CCAA".into());
    x509.version_number = Some("3".into());
    x509.signature_algorithm = Some("SHA256-RSA".into());
    x509.public_key_algorithm = Some("RSA".into());
    x509.public_key_size = Some(2048);
    x509.public_key_exponent = Some(65537);
    leaf.x509 = x509;
    leaf
}

fn tls() -> TlsReport {
    let mut tls = TlsReport::default();
    tls.version = Some("1.2".into());
    tls.version_protocol = Some(VersionProtocol::Tls);
    tls.cipher = Some("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".into());
    tls.curve = Some("x25519".into());
    tls.next_protocol = Some("http/1.1".into());
    tls.established = Some(false);
    tls.resumed = Some(false);
    tls.client.ja3 = Some(Hex([0xd4; 16]));
    let ciphers = vec![
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".into(),
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".into(),
    ];
    tls.client.supported_ciphers = Some(bounded_ciphers(ciphers, Cut::USUAL).0);
    tls.server.ja3s = Some(Hex([0x39; 16]));
    tls.server.leaf = Some(leaf().bounded().into());
    tls
}

const NAME: &str = "CN=TRAEFIK DEFAULT CERT, O=Example, Inc.";
const SHA256: [u8; 32] = [0xa6; 32];
const SHA1: [u8; 20] = [0x9e; 20];
