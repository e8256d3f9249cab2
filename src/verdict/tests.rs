//! The decision table, row by row, and the silence where the evidence does not carry a claim.

use crate::pki::trust::Path;
use crate::pki::{Certificate, ChainShape, Coverage};
use crate::time::Timestamp;
use crate::tls::{Observed, ServerName, Unseen};
use crate::verdict::{
    Answer, CaptureFacts, Chain, ClientCertificate, Confidence, DefaultBy, EndpointFacts, Evidence,
    Expected, Gateway, Judgement, Reaction, Severity, Side, Unreachable, VerdictId, judge,
};

const API: &str = "api.contoso.com";
const UNKNOWN_CA: u8 = 48;
const EXPIRED: u8 = 45;

/// A chain that some server sends.
struct Served {
    certificates: Vec<Certificate>,
    shape: ChainShape,
}

impl Served {
    fn of(certificates: Vec<Certificate>) -> Self {
        let shape = ChainShape::of(&certificates);
        Self {
            certificates,
            shape,
        }
    }

    /// A certificate for `name` that has signed itself.
    fn self_signed(name: &str) -> Self {
        let issued = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self::of(vec![Certificate::from_der(issued.cert.der())])
    }

    /// A certificate for `name` by an authority, with that authority behind it if `is_whole`.
    fn issued(name: &str, is_whole: bool) -> Self {
        let mut authority = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Example Root");
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let mut leaf = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        leaf.distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let mut chain = vec![Certificate::from_der(leaf.der())];
        if is_whole {
            chain.push(Certificate::from_der(root.der()));
        }
        Self::of(chain)
    }

    fn chain(&self, coverage: Option<Coverage>) -> Observed<Chain<'_>> {
        let at = |place: Option<&usize>| &self.certificates[place.copied().unwrap_or(0)];
        Observed::Seen(Chain {
            leaf: at(self.shape.path.first()),
            top: at(self.shape.path.last()),
            shape: &self.shape,
            coverage,
            default: DefaultBy::default(),
            covers_address: false,
            outdated: None,
        })
    }
}

/// A flow in which nothing was wrong: the starting point of every story.
fn flow<'a>(name: &'a ServerName, chain: Observed<Chain<'a>>, reaction: Reaction) -> Evidence<'a> {
    Evidence {
        at: Timestamp::from_parts(1_795_406_400, 0),
        server: &"10.1.2.3:443",
        server_name: Observed::Seen(name),
        may_hide_name: false,
        is_ech_refused: false,
        is_tls13: false,
        was_answered: true,
        answers_otherwise: false,
        too_big: None,
        chain,
        is_resumed: false,
        is_chain_assumed: false,
        reaction,
        endpoint: EndpointFacts::default(),
        client_certificate: ClientCertificate::NotRequested,
        expected: Expected::default(),
        http_status: None,
        capture: CaptureFacts::default(),
        unreachable: None,
    }
}

fn name(text: &str) -> ServerName {
    ServerName::Name(text.as_bytes().to_vec())
}

fn refused(code: u8) -> Reaction {
    Reaction::Refused(Side::Client, Some(code))
}

fn ids(judgement: &Judgement) -> Vec<VerdictId> {
    judgement
        .findings
        .iter()
        .map(|finding| finding.id)
        .collect()
}

#[test]
fn no_sni_and_a_self_signed_certificate_refused_is_the_default_certificate() {
    let served = Served::self_signed("gateway-0");
    let mut evidence = flow(&ServerName::Absent, served.chain(None), refused(UNKNOWN_CA));
    let alone = judge(&evidence);
    assert_eq!(
        (alone.verdict, alone.confidence),
        (VerdictId::NoSniDefaultCert, Confidence::Medium)
    );
    assert_eq!(
        ids(&alone),
        [VerdictId::NoSniDefaultCert],
        "one cause, told once"
    );
    assert!(
        alone.reason.contains("10.1.2.3:443") && alone.reason.contains("unknown_ca"),
        "{}",
        alone.reason
    );

    if let Observed::Seen(chain) = &mut evidence.chain {
        chain.default.by_comparison = true;
    }
    assert_eq!(judge(&evidence).confidence, Confidence::High);
}

#[test]
fn a_chain_that_is_only_assumed_carries_no_high_confidence() {
    let served = Served::self_signed("gateway-0");
    let mut evidence = flow(&ServerName::Absent, served.chain(None), refused(48));
    if let Observed::Seen(chain) = &mut evidence.chain {
        chain.default.by_comparison = true;
    }
    assert_eq!(judge(&evidence).confidence, Confidence::High);
    evidence.is_chain_assumed = true;
    let judgement = judge(&evidence);
    assert_eq!(
        (judgement.verdict, judgement.confidence),
        (VerdictId::NoSniDefaultCert, Confidence::Medium)
    );
}

#[test]
fn many_proxies_verify_after_the_handshake_and_leave() {
    let served = Served::self_signed("gateway-0");
    let evidence = flow(
        &ServerName::Absent,
        served.chain(None),
        Reaction::LeftAfterHandshake,
    );
    assert_eq!(judge(&evidence).verdict, VerdictId::NoSniDefaultCert);
}

#[test]
fn no_sni_that_does_no_harm_is_tolerated() {
    let served = Served::self_signed("gateway-0");
    let judgement = judge(&flow(
        &ServerName::Absent,
        served.chain(None),
        Reaction::Accepted,
    ));
    assert_eq!(
        (judgement.verdict, judgement.severity),
        (VerdictId::NoSniTolerated, Severity::Info)
    );
    // Where a key that was agreed before stands for it, nobody accepts a certificate.
    let unseen = Observed::Unseen(Unseen::Psk);
    let judgement = judge(&flow(&ServerName::Absent, unseen, Reaction::Accepted));
    assert_eq!(judgement.verdict, VerdictId::NoSniTolerated);
    assert!(judgement.reason.ends_with("without a certificate."));
}

#[test]
fn without_the_whole_hello_nothing_is_said_about_the_name() {
    let served = Served::self_signed("gateway-0");
    for unknown in [ServerName::Unknown, ServerName::Invalid(vec![0])] {
        let judgement = judge(&flow(&unknown, served.chain(None), refused(UNKNOWN_CA)));
        assert!(
            ids(&judgement)
                .iter()
                .all(|id| !id.as_str().starts_with("no-sni")),
            "{unknown:?}: {:?}",
            ids(&judgement)
        );
    }
    let mut unseen = flow(&ServerName::Absent, served.chain(None), refused(UNKNOWN_CA));
    unseen.server_name = Observed::Unseen(Unseen::Gap);
    unseen.capture.gap = true;
    assert_eq!(judge(&unseen).verdict, VerdictId::CaptureInsufficient);
}

#[test]
fn an_authority_s_certificate_for_another_site_is_a_wrong_name() {
    let served = Served::issued("shop.contoso.com", true);
    let mut evidence = flow(&ServerName::Absent, served.chain(None), refused(42));
    evidence.endpoint.serves_other_names = true;
    assert_eq!(judge(&evidence).verdict, VerdictId::NoSniWrongName);

    let api = name(API);
    let asked = flow(&api, served.chain(Some(Coverage::Mismatch)), refused(42));
    assert_eq!(judge(&asked).verdict, VerdictId::SniNameMismatch);
}

#[test]
fn a_name_that_gets_a_self_signed_stranger_is_unknown_to_the_server() {
    let served = Served::self_signed("gateway-0");
    let api = name(API);
    let mut evidence = flow(
        &api,
        served.chain(Some(Coverage::Mismatch)),
        refused(UNKNOWN_CA),
    );
    let judgement = judge(&evidence);
    assert_eq!(
        (judgement.verdict, judgement.confidence),
        (VerdictId::SniUnknownName, Confidence::High)
    );
    evidence.may_hide_name = true;
    assert_eq!(
        judge(&evidence).confidence,
        Confidence::Medium,
        "the name may be a cover"
    );
}

#[test]
fn the_right_name_leaves_the_chain_to_blame() {
    let api = name(API);
    let covers = Some(Coverage::Covers);
    for (served, verdict) in [
        (Served::self_signed(API), VerdictId::CertSelfSignedLeaf),
        (Served::issued(API, true), VerdictId::CertPrivateCa),
        (Served::issued(API, false), VerdictId::CertChainIncomplete),
    ] {
        let judgement = judge(&flow(&api, served.chain(covers), refused(UNKNOWN_CA)));
        assert_eq!(judgement.verdict, verdict, "{}", judgement.reason);
    }
    let mut swapped = Served::issued(API, true).certificates;
    swapped.reverse();
    let swapped = Served::of(swapped);
    let judgement = judge(&flow(&api, swapped.chain(covers), refused(51)));
    assert_eq!(judgement.verdict, VerdictId::CertChainOrder);
}

#[test]
fn validity_is_judged_at_the_time_of_the_packets() {
    let served = Served::issued(API, true);
    let api = name(API);
    let mut evidence = flow(&api, served.chain(Some(Coverage::Covers)), refused(EXPIRED));
    // What rcgen issues by default is valid from 1975 to 4096.
    evidence.at = Timestamp::from_parts(100_000_000, 0);
    assert_eq!(judge(&evidence).verdict, VerdictId::CertExpired);
    evidence.at = Timestamp::from_parts(1_795_406_400, 0);
    assert_ne!(
        judge(&evidence).verdict,
        VerdictId::CertExpired,
        "an alert alone proves nothing"
    );
}

#[test]
fn a_fault_that_the_client_accepts_is_information_beside_ok() {
    let served = Served::self_signed(API);
    let api = name(API);
    let judgement = judge(&flow(
        &api,
        served.chain(Some(Coverage::Covers)),
        Reaction::Accepted,
    ));
    assert_eq!(
        (judgement.verdict, judgement.severity),
        (VerdictId::Ok, Severity::Info)
    );
    assert_eq!(ids(&judgement), [VerdictId::CertSelfSignedLeaf]);
    assert!(
        judgement
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Info)
    );
}

#[test]
fn a_health_check_that_only_shakes_hands_is_fine() {
    let served = Served::issued(API, true);
    let api = name(API);
    let judgement = judge(&flow(
        &api,
        served.chain(Some(Coverage::Covers)),
        Reaction::LeftAfterHandshake,
    ));
    assert_eq!(
        (judgement.verdict, judgement.confidence),
        (VerdictId::Ok, Confidence::Medium)
    );

    let other = Served::self_signed("other.example");
    let mut evidence = flow(
        &api,
        other.chain(Some(Coverage::Mismatch)),
        Reaction::LeftAfterHandshake,
    );
    assert_eq!(judge(&evidence).verdict, VerdictId::SniUnknownName);
    evidence.endpoint.same_client_accepts = true;
    assert_ne!(
        judge(&evidence).verdict,
        VerdictId::SniUnknownName,
        "the same client is content with it elsewhere"
    );
}

#[test]
fn a_server_s_refusal_is_read_by_what_was_asked() {
    let hidden = Observed::Unseen(Unseen::RefusedBefore);
    let api = name(API);
    for (code, asked, serves_other_names, verdict) in [
        (112, &ServerName::Absent, false, VerdictId::NoSniRefused),
        (40, &ServerName::Absent, true, VerdictId::NoSniRefused),
        (112, &api, false, VerdictId::SniRefused),
        (112, &api, true, VerdictId::SniUnknownName),
        (40, &api, false, VerdictId::TlsVersionOrCipher),
        (40, &api, true, VerdictId::SniUnknownName),
        (70, &ServerName::Absent, true, VerdictId::TlsVersionOrCipher),
    ] {
        let mut evidence = flow(
            asked,
            hidden.clone(),
            Reaction::Refused(Side::Server, Some(code)),
        );
        evidence.was_answered = false;
        evidence.endpoint.serves_other_names = serves_other_names;
        assert_eq!(
            judge(&evidence).verdict,
            verdict,
            "alert {code} to {asked:?}"
        );
    }
    let mut closed = flow(&ServerName::Absent, hidden, Reaction::ClosedBeforeAnswer);
    closed.was_answered = false;
    assert_eq!(judge(&closed).verdict, VerdictId::NoSniRefused);
}

#[test]
fn tls13_hides_the_certificate_and_not_the_reaction() {
    let hidden = Observed::Unseen(Unseen::Encrypted);
    let api = name(API);
    for (asked, reaction, verdict) in [
        (
            &ServerName::Absent,
            refused(UNKNOWN_CA),
            VerdictId::NoSniRejected,
        ),
        (
            &ServerName::Absent,
            Reaction::Refused(Side::Client, None),
            VerdictId::NoSniProbablyRejected,
        ),
        (
            &ServerName::Absent,
            Reaction::LeftAfterAnswer,
            VerdictId::NoSniProbablyRejected,
        ),
        (
            &ServerName::Absent,
            Reaction::Accepted,
            VerdictId::NoSniTolerated,
        ),
        (&api, refused(UNKNOWN_CA), VerdictId::SniRejected),
        (&api, Reaction::Accepted, VerdictId::Ok),
    ] {
        let mut evidence = flow(asked, hidden.clone(), reaction);
        evidence.is_tls13 = true;
        let judgement = judge(&evidence);
        assert_eq!(judgement.verdict, verdict, "{reaction:?} of {asked:?}");
        assert!(judgement.confidence < Confidence::High || reaction == Reaction::Accepted);
    }
    // To leave without a word is no refusal that was seen.
    let mut left = flow(&api, hidden, Reaction::LeftAfterAnswer);
    left.is_tls13 = true;
    assert_eq!(judge(&left).confidence, Confidence::Low);
}

#[test]
fn a_client_certificate_is_missed_only_where_the_server_ends_the_handshake() {
    let served = Served::issued(API, true);
    let api = name(API);
    let mut evidence = flow(
        &api,
        served.chain(Some(Coverage::Covers)),
        Reaction::Refused(Side::Server, Some(40)),
    );
    evidence.client_certificate = ClientCertificate::Missing;
    assert_eq!(judge(&evidence).verdict, VerdictId::MtlsClientCertMissing);
    evidence.reaction = Reaction::Accepted;
    assert_eq!(judge(&evidence).verdict, VerdictId::Ok);
}

#[test]
fn what_was_not_captured_is_said_and_not_guessed() {
    let api = name(API);
    let unseen = |why| Observed::Unseen(why);
    let mut one_sided = flow(
        &ServerName::Absent,
        unseen(Unseen::OneSided),
        refused(UNKNOWN_CA),
    );
    one_sided.was_answered = false;
    one_sided.capture.missing_side = Some(Side::Server);
    let mut ended = flow(&api, unseen(Unseen::CaptureEnded), Reaction::Unfinished);
    ended.was_answered = false;
    ended.capture.ended = true;
    let mut cut = flow(
        &ServerName::Unknown,
        unseen(Unseen::Truncated),
        Reaction::Unfinished,
    );
    cut.capture.truncated = true;
    for evidence in [one_sided, ended, cut] {
        let judgement = judge(&evidence);
        assert_eq!(
            judgement.verdict,
            VerdictId::CaptureInsufficient,
            "{}",
            judgement.reason
        );
        assert_eq!(judgement.severity, Severity::Low);
        assert!(!judgement.findings[0].fix.is_empty());
    }
    let mut late = flow(&api, unseen(Unseen::Midstream), Reaction::Accepted);
    late.server_name = unseen_name();
    late.was_answered = false;
    late.capture.midstream = true;
    assert_eq!(judge(&late).verdict, VerdictId::CaptureMidstream);
}

fn unseen_name<'a>() -> Observed<&'a ServerName> {
    Observed::Unseen(Unseen::Midstream)
}

#[test]
fn a_connection_that_never_came_about_says_what_answered() {
    for (answer, word) in [
        (Answer::Silence, "never answered"),
        (Answer::Reset, "reset"),
        (
            Answer::Icmp("port unreachable", "10.1.0.1".parse().unwrap()),
            "port unreachable",
        ),
    ] {
        let mut evidence = flow(
            &ServerName::Unknown,
            Observed::Unseen(Unseen::RefusedBefore),
            Reaction::Unfinished,
        );
        evidence.server_name = Observed::Unseen(Unseen::RefusedBefore);
        evidence.was_answered = false;
        evidence.unreachable = Some(Unreachable {
            answer,
            attempts: 3,
        });
        let judgement = judge(&evidence);
        assert_eq!(judgement.verdict, VerdictId::TcpUnreachable);
        assert!(judgement.reason.contains(word), "{}", judgement.reason);
    }
}

/// What the user said, where the chain leads to `path`.
fn told(gateway: Gateway, is_expected: Option<bool>, path: Option<Path>) -> Expected<'static> {
    Expected {
        gateway: Some(gateway),
        is_expected,
        path,
        has_given_roots: path.is_some(),
        ..Expected::default()
    }
}

#[test]
fn the_expected_certificate_refused_has_another_cause() {
    let served = Served::issued(API, true);
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        served.chain(Some(Coverage::Covers)),
        refused(UNKNOWN_CA),
    );
    evidence.expected = told(Gateway::AzureV1, Some(true), None);
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::CertMatchButRejected);
    assert!(judged.messages.is_empty(), "{:?}", judged.messages);
    // Who only shakes hands refused nothing.
    evidence.reaction = Reaction::LeftAfterHandshake;
    assert_eq!(judge(&evidence).verdict, VerdictId::Ok);
}

#[test]
fn another_certificate_than_the_uploaded_one_is_what_version_1_refuses() {
    let served = Served::issued(API, true);
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        served.chain(Some(Coverage::Covers)),
        Reaction::LeftAfterHandshake,
    );
    evidence.expected = told(Gateway::AzureV1, Some(false), None);
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::CertNotTheUploadedOne);
    assert_eq!(judged.messages[0].key, "auth-v1");
    evidence.reaction = Reaction::Accepted;
    let content = judge(&evidence);
    assert_eq!(content.verdict, VerdictId::Ok);
    assert_eq!(content.findings[0].severity, Severity::Info);
    assert!(content.messages.is_empty());
}

#[test]
fn a_path_to_no_root_makes_leaving_a_refusal_and_one_to_a_root_makes_it_fine() {
    let served = Served::issued(API, true);
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        served.chain(Some(Coverage::Covers)),
        Reaction::LeftAfterHandshake,
    );
    assert_eq!(judge(&evidence).verdict, VerdictId::Ok);
    evidence.expected = told(Gateway::AzureV2, None, Some(Path::Unknown));
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::CertPrivateCa);
    assert_eq!(judged.messages[0].key, "root-mismatch");
    evidence.expected = told(Gateway::AzureV2, None, Some(Path::Given));
    let probe = judge(&evidence);
    assert_eq!(
        (probe.verdict, probe.confidence),
        (VerdictId::Ok, Confidence::High)
    );
}

#[test]
fn the_default_certificate_that_was_uploaded_is_not_the_reason() {
    let served = Served::self_signed("gateway-0");
    let mut evidence = flow(&ServerName::Absent, served.chain(None), refused(UNKNOWN_CA));
    evidence.expected = told(Gateway::AzureV1, Some(true), None);
    assert_eq!(judge(&evidence).verdict, VerdictId::CertMatchButRejected);
    evidence.expected = told(Gateway::AzureV1, Some(false), None);
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::NoSniDefaultCert);
    assert_eq!(judged.messages[0].key, "auth-v1");
}

#[test]
fn version_2_says_that_the_intermediate_is_missing_of_a_self_signed_leaf() {
    let served = Served::self_signed(API);
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        served.chain(Some(Coverage::Covers)),
        refused(UNKNOWN_CA),
    );
    evidence.expected = told(Gateway::AzureV2, None, Some(Path::Unknown));
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::CertSelfSignedLeaf);
    let keys: Vec<_> = judged.messages.iter().map(|message| message.key).collect();
    assert_eq!(keys, ["interm", "root-mismatch"]);
    assert!(judged.messages[0].confidence > judged.messages[1].confidence);
    evidence.expected = Expected::default();
    let guessed = judge(&evidence).messages;
    assert!(
        guessed
            .iter()
            .all(|message| message.confidence == Confidence::Low)
    );
}

#[test]
fn a_verdict_comes_with_the_command_that_proves_it() {
    let served = Served::self_signed("gateway-0");
    let evidence = flow(&ServerName::Absent, served.chain(None), refused(UNKNOWN_CA));
    let proof = judge(&evidence).proof.unwrap();
    assert!(proof.contains("openssl s_client -connect 10.1.2.3:443 -noservername"));
    let hostile = name("$(reboot)");
    let evidence = flow(
        &hostile,
        served.chain(Some(Coverage::Mismatch)),
        refused(UNKNOWN_CA),
    );
    let proof = judge(&evidence).proof.unwrap();
    assert!(proof.contains("-servername NAME") && !proof.contains("reboot"));
}

#[test]
fn a_server_that_speaks_no_tls_refused_no_name() {
    let mut evidence = flow(
        &ServerName::Absent,
        Observed::Unseen(Unseen::RefusedBefore),
        Reaction::ClosedBeforeAnswer,
    );
    evidence.was_answered = false;
    assert_eq!(judge(&evidence).verdict, VerdictId::NoSniRefused);
    evidence.answers_otherwise = true;
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::TlsHandshakeFailed);
    assert!(judged.reason.contains("no TLS"), "{}", judged.reason);
}

#[test]
fn packets_that_are_too_big_explain_a_flight_that_never_arrives() {
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        Observed::Unseen(Unseen::CaptureEnded),
        Reaction::GaveUp,
    );
    evidence.was_answered = false;
    evidence.too_big = Some((Some(1400), "10.1.0.1".parse().unwrap()));
    let judged = judge(&evidence);
    assert_eq!(judged.verdict, VerdictId::TlsHandshakeFailed);
    assert!(judged.reason.contains("10.1.0.1") && judged.reason.contains("1400"));
    evidence.reaction = Reaction::Accepted;
    assert_eq!(judge(&evidence).verdict, VerdictId::Ok);
}

#[test]
fn a_hint_is_never_severe() {
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        Observed::Unseen(Unseen::RefusedBefore),
        Reaction::ClosedBeforeAnswer,
    );
    evidence.was_answered = false;
    let judged = judge(&evidence);
    assert_eq!(
        (judged.verdict, judged.confidence, judged.severity),
        (VerdictId::SniRefused, Confidence::Low, Severity::Medium)
    );
}

#[test]
fn a_certificate_for_all_is_not_the_default_one() {
    for served in [Served::self_signed(API), Served::issued(API, true)] {
        let mut evidence = flow(&ServerName::Absent, served.chain(None), refused(UNKNOWN_CA));
        let alone = judge(&evidence);
        assert!(alone.verdict.as_str().starts_with("no-sni."), "{alone:?}");
        evidence.endpoint.has_only_this_leaf = true;
        evidence.endpoint.serves_other_names = true;
        let judged = judge(&evidence);
        assert!(judged.verdict.as_str().starts_with("cert."), "{judged:?}");
    }
}

#[test]
fn what_the_capture_lost_is_neither_fine_nor_refused() {
    let asked = name(API);
    let mut evidence = flow(
        &asked,
        Observed::Unseen(Unseen::Gap),
        Reaction::LeftAfterHandshake,
    );
    evidence.capture.gap = true;
    assert_eq!(judge(&evidence).verdict, VerdictId::CaptureInsufficient);
    evidence.reaction = Reaction::ClosedBeforeAnswer;
    evidence.was_answered = false;
    assert_eq!(judge(&evidence).verdict, VerdictId::CaptureInsufficient);
}

#[test]
fn an_intermediate_can_expire_too() {
    let (served, old) = (Served::issued(API, true), Served::self_signed("old"));
    let asked = name(API);
    let mut chain = served.chain(Some(Coverage::Covers));
    let mut expired = old.certificates[0].clone();
    expired.not_after = Some(Timestamp::from_parts(1_600_000_000, 0));
    if let Observed::Seen(chain) = &mut chain {
        chain.outdated = Some(&expired);
    }
    let judged = judge(&flow(&asked, chain, refused(EXPIRED)));
    assert_eq!(
        (judged.verdict, judged.confidence),
        (VerdictId::CertExpired, Confidence::High)
    );
    assert!(judged.reason.contains("intermediate"), "{}", judged.reason);
}

#[test]
fn a_resumed_session_shows_no_certificate_again() {
    let served = Served::self_signed("gateway-0");
    let mut evidence = flow(&ServerName::Absent, served.chain(None), refused(UNKNOWN_CA));
    evidence.is_resumed = true;
    let reason = judge(&evidence).reason;
    assert!(reason.contains("resumed a session begun with"), "{reason}");
}
