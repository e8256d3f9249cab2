//! Summaries made by hand, through the public library only.

use tlstriage::report::{
    Advice, CertificateState, Confidence, Count, Damage, EndpointReport, EndpointRow,
    ExpectedMessage, FindingGroup, FlowReference, Hex, InputReport, LeafBrief, Outcome, Role,
    Severity, SniState, Summary, Time,
};

use crate::reports::{at, end};

/// The story of a gateway that sends no SNI to one server, and of one expired certificate elsewhere.
pub(crate) fn gateway() -> Summary {
    let mut summary = Summary::default();
    let mut damaged = input(
        "gateway-01.pcap.gz",
        "pcap",
        4_333,
        1_209_000,
        (299_500_000, 600_125_290),
    );
    damaged.compression = Some("gzip");
    damaged.damage_count = 1;
    damaged.damages = vec![Damage::new(
        2_099_144,
        "the file ends within a record: 512 of 1,514 bytes are there".into(),
    )];
    summary.inputs = vec![
        input(
            "gateway-00.pcap",
            "pcap",
            8_012,
            4_112_330,
            (0, 299_000_000),
        ),
        damaged,
    ];
    summary.frames.total = 12_345;
    summary.frames.decoded = 12_300;
    summary.frames.skipped = vec![Count::new("ARP".into(), 40), Count::new("UDP".into(), 5)];
    summary.flows.tcp = 831;
    summary.flows.tls = 830;
    summary.flows.completed = 413;
    summary.flows.failed = 415;
    summary.flows.reported = 830;
    summary.flows.flagged = 415;
    summary.flows.unreachable = 1;
    summary.findings = findings();
    summary.endpoints = endpoints();
    summary.notes =
        vec!["The clock of gateway-01.pcap.gz steps back by 0.4 s at frame 2,101.".into()];
    summary.advice = vec![Advice::new(
        "The end of gateway-01.pcap.gz is lost. To see these flows whole:".into(),
        Some("tcpdump -i eth0 -s 0 -w next.pcap 'tcp port 443 and host 10.1.2.3'".into()),
    )];
    summary
}

/// The same story with `text` wherever text comes from outside.
pub(crate) fn hostile(text: &str) -> Summary {
    let mut summary = gateway();
    for input in &mut summary.inputs {
        input.name = text.into();
        input.error = Some(text.to_owned().into());
    }
    summary.frames.skipped = vec![Count::new(text.to_owned().into(), u64::MAX); 3];
    for finding in &mut summary.findings {
        finding.server_name = Some(text.into());
        finding.reason = text.to_owned().into();
        finding.fix = vec![text.to_owned().into(); 3];
        for flow in &mut finding.evidence {
            flow.file = text.into();
        }
    }
    for endpoint in &mut summary.endpoints {
        endpoint.flows = u64::MAX;
        for row in &mut endpoint.rows {
            row.name = Some(text.into());
            row.outcomes = vec![(Outcome::RejectedByServer, u64::MAX)];
            if let Some(leaf) = &mut row.leaf {
                leaf.subject = text.into();
                leaf.product = Some(text.into());
            }
        }
    }
    summary.notes = vec![text.to_owned().into(); 2];
    summary.advice = vec![Advice::new(
        text.to_owned().into(),
        Some(text.to_owned().into()),
    )];
    summary
}

fn input(
    name: &str,
    format: &'static str,
    frames: u64,
    bytes: u64,
    span: (i64, i64),
) -> InputReport {
    let mut input = InputReport::default();
    input.name = name.into();
    input.format = Some(format);
    input.frames = frames;
    input.bytes = bytes;
    input.first = Some(at(span.0));
    input.last = Some(at(span.1));
    input
}

fn findings() -> Vec<FindingGroup> {
    let mut default = FindingGroup::new(
        "no-sni.default-cert",
        "No SNI, default certificate, rejected",
        end("10.1.2.3", 443),
        Severity::High,
        Confidence::High,
        "The client sent no SNI; the server answered with its default certificate \
         (CN=TRAEFIK DEFAULT CERT, Traefik), which the client refused with alert unknown_ca. \
         Flows that ask for api.contoso.com get another certificate there."
            .into(),
        at(123_456),
    );
    default.flows = 412;
    default.last = at(600_125_290);
    default.fix = vec![
        "Make the gateway send the host name: use the FQDN, not the IP address, as backend pool target.".into(),
        "Application Gateway v2: set the host name in the custom probe and in the backend setting.".into(),
        "Or make the default certificate of the server the one that the gateway trusts.".into(),
    ];
    default.expected_message = vec![ExpectedMessage::new(
        "Application Gateway v2",
        "interm",
        "The Intermediate certificate is missing from the certificate chain presented by the backend server.".into(),
        Confidence::Medium,
    )];
    default.evidence = (0..5)
        .map(|number| {
            FlowReference::new(
                Hex([7; 16]),
                "gateway-00.pcap".into(),
                (12 + 20 * number, 24 + 20 * number),
                at(123_456 + 1_000_123 * i64::try_from(number).unwrap()),
                end("10.1.0.5", 50112 + u16::try_from(number).unwrap()),
            )
        })
        .collect();
    let mut expired = FindingGroup::new(
        "cert.expired",
        "Expired certificate, rejected",
        end("2001:db8::8443", 8443),
        Severity::High,
        Confidence::High,
        "The certificate CN=login.contoso.com was valid until 2026-11-20, three days before the \
         handshake; the client refused it with alert certificate_expired."
            .into(),
        at(5_000_000),
    );
    expired.flows = 3;
    expired.last = at(9_000_000);
    expired.server_name = Some("login.contoso.com".into());
    expired.fix = vec!["Renew the certificate.".into()];
    expired.evidence = vec![FlowReference::new(
        Hex([8; 16]),
        "gateway-00.pcap".into(),
        (301, 330),
        at(5_000_000),
        end("2001:db8::5", 40000),
    )];
    vec![expired, default]
}

fn endpoints() -> Vec<EndpointReport> {
    let mut first = EndpointReport::new(end("10.1.2.3", 443), Role::CalledFromHere);
    first.flows = 825;
    first.client_count = 7;
    first.clients = ["10.1.0.5", "10.1.0.6", "10.1.0.7"]
        .map(|ip| ip.parse().unwrap())
        .to_vec();
    first.versions = vec![
        Count::new("TLS 1.2".into(), 824),
        Count::new("TLS 1.3".into(), 1),
    ];
    let mut no_name = EndpointRow::new(SniState::Absent, None, CertificateState::Seen);
    let mut leaf = LeafBrief::new(
        "CN=TRAEFIK DEFAULT CERT, O=Example, Inc.".into(),
        Hex([0xa6; 32]),
    );
    leaf.default = true;
    leaf.product = Some("Traefik".into());
    leaf.self_signed = true;
    leaf.not_after = Some(Time::from_unix_seconds(2_108_957_591));
    no_name.leaf = Some(leaf);
    no_name.flows = 412;
    no_name.outcomes = vec![(Outcome::RejectedByClient, 410), (Outcome::Abandoned, 2)];
    let name = Some("api.contoso.com".into());
    let mut named = EndpointRow::new(SniState::Name, name.clone(), CertificateState::Seen);
    let mut leaf = LeafBrief::new("CN=api.contoso.com".into(), Hex([0x1f; 32]));
    leaf.not_after = Some(Time::from_unix_seconds(1_808_957_591));
    named.leaf = Some(leaf);
    named.outcomes = vec![(Outcome::Completed, 412)];
    let mut hidden = EndpointRow::new(SniState::Name, name, CertificateState::Encrypted);
    hidden.outcomes = vec![(Outcome::Completed, 1)];
    first.rows = vec![no_name, named, hidden];
    let mut second = EndpointReport::new(end("2001:db8::8443", 8443), Role::ServedHere);
    second.flows = 5;
    second.client_count = 1;
    second.clients = vec!["2001:db8::5".parse().unwrap()];
    let mut row = EndpointRow::new(
        SniState::Name,
        Some("login.contoso.com".into()),
        CertificateState::Seen,
    );
    let mut leaf = LeafBrief::new("CN=login.contoso.com, O=Contoso".into(), Hex([0x2f; 32]));
    leaf.not_after = Some(Time::from_unix_seconds(1_795_190_400));
    row.leaf = Some(leaf);
    row.outcomes = vec![(Outcome::RejectedByClient, 3), (Outcome::Unfinished, 2)];
    second.rows = vec![row];
    vec![second, first]
}
