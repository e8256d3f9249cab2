//! From a story and its neighbours to the evidence that a check may look at.

use std::sync::Arc;

use crate::analysis::asked::{Asked, AskedFor};
use crate::analysis::book::{Book, Books, Comparison, Doubt};
use crate::analysis::expectations::Expectations;
use crate::analysis::inferring;
use crate::analysis::kinds::{Chain, Known};
use crate::analysis::seen::Tls;
use crate::analysis::story::{Knock, Story};
use crate::flow::Endpoint;
use crate::packet::Cause;
use crate::pki::{self, Coverage, Reference};
use crate::report::{Inferred, ResumedBy, ResumedFrom};
use crate::tls::{Observed, Unseen};
use crate::verdict::{
    self, Answer, CaptureFacts, ClientCertificate, DefaultBy, EndpointFacts, Evidence, Expected,
    Judgement, Reaction, Side, Unreachable,
};

/// What a story means beside the books: the chain in question and the judgement.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    pub(super) default_by_comparison: Option<Comparison>,
    pub(super) default_by_catalog: bool,
    pub(super) inferred: Vec<Inferred>,
    pub(super) resumed_from: Option<ResumedFrom>,
}

/// Judges a story beside its neighbours.
pub(super) fn judge(story: &Story, books: &Books, expectations: &Expectations) -> Judged {
    let server = story.destination();
    let Some(tls) = story.tls() else {
        return judge_knock(story, &server);
    };
    let book = books.get(&server);
    let asked = &*tls.asked;
    let asked_for = &asked.asked_for;
    let client = story.source().ip;
    let resumed = book
        .filter(|_| tls.is_resumed())
        .and_then(|book| book.resumed(&tls.session(), client, asked, story.first.time));
    let is_chain_assumed = resumed.is_some_and(|resumed| resumed.by == ResumedBy::Endpoints);
    let chain = match (tls.chain(), resumed.and_then(|resumed| resumed.chain)) {
        (Observed::Unseen(_), Some(chain)) => Observed::Seen(chain),
        (own, _) => own,
    };
    let leaf = chain.seen().and_then(|chain| chain.leaf());
    let coverage = leaf.and_then(|leaf| asked.coverage(&leaf.certificate));
    let (default, comparison) = leaf
        .filter(|_| !coverage.is_some_and(Coverage::covers))
        .map(|leaf| default_by(leaf, asked, book))
        .unwrap_or_default();
    let at = tls.hello_at;
    let shown = chain
        .seen()
        .map(|chain| &***chain)
        .zip(leaf.map(|leaf| &**leaf));
    let expected = expectations.of(client, &server, asked, shown, at);
    let evidence = Evidence {
        at,
        server: &server,
        server_name: match &asked.name {
            Observed::Seen(name) => Observed::Seen(name),
            Observed::Unseen(why) => Observed::Unseen(*why),
        },
        may_hide_name: tls
            .client
            .as_ref()
            .is_some_and(|client| client.may_hide_name),
        is_ech_refused: tls
            .client
            .as_ref()
            .is_some_and(|client| client.is_ech_refused),
        is_tls13: tls.answer.as_ref().is_some_and(|answer| answer.is_tls13),
        was_answered: tls.answer.is_some(),
        answers_otherwise: answers_otherwise(story, tls),
        too_big: story.too_big(),
        chain: match (chain, leaf) {
            (Observed::Seen(chain), Some(leaf)) => Observed::Seen(verdict::Chain {
                leaf: &leaf.certificate,
                top: &chain.top().unwrap_or(leaf).certificate,
                shape: &chain.shape,
                coverage,
                default,
                covers_address: pki::covers(&leaf.certificate, &Reference::Ip(server.ip)).covers(),
                outdated: chain.outdated(at),
            }),
            (Observed::Seen(_), None) => Observed::Unseen(Unseen::Malformed),
            (Observed::Unseen(why), _) => Observed::Unseen(why),
        },
        is_resumed: tls.is_resumed(),
        is_chain_assumed,
        reaction: tls.reaction,
        endpoint: EndpointFacts {
            serves_other_names: book.is_some_and(|book| book.serves_other_names(asked_for)),
            has_only_this_leaf: book
                .zip(leaf)
                .is_some_and(|(book, leaf)| book.has_only(leaf)),
            serves_this_name: book.is_some_and(|book| book.serves(asked)),
            same_client_accepts: book
                .is_some_and(|book| book.is_content(client, asked, leaf.map(|leaf| &**leaf))),
        },
        client_certificate: tls.client_certificate,
        expected,
        http_status: tls.http_status(),
        capture: story.capture,
        unreachable: None,
    };
    Judged {
        judgement: verdict::judge(&evidence),
        default_by_comparison: comparison,
        default_by_catalog: default.in_catalog,
        inferred: inferring::infer(story, tls, book, expectations),
        resumed_from: resumed.map(|resumed| ResumedFrom::new(resumed.full.event_id(), resumed.by)),
    }
}

/// Whether the server sent bytes after the hello of which none were TLS. What stands before TLS,
/// and what is not there whole, proves nothing.
fn answers_otherwise(story: &Story, tls: &Tls) -> bool {
    let capture = &story.capture;
    let is_whole = !capture.midstream
        && !capture.gap
        && !capture.truncated
        && !capture.limit
        && capture.missing_side.is_none();
    is_whole
        && story.server_counts.bytes >= RECORD_HEADER_LEN
        && !tls.has_framed_answer
        && tls.preamble().is_none()
        && tls.asked.name.seen().is_some()
        && !tls.acts.acts.iter().any(|act| act.by == Side::Server)
}

fn judge_knock(story: &Story, server: &Endpoint) -> Judged {
    let unreachable = story.unreachable().map(|knock| Unreachable {
        answer: answer(knock),
        attempts: knock.attempts,
    });
    let evidence = Evidence {
        at: story.first.time,
        server,
        server_name: Observed::Unseen(Unseen::RefusedBefore),
        may_hide_name: false,
        is_ech_refused: false,
        is_tls13: false,
        was_answered: false,
        answers_otherwise: false,
        too_big: None,
        chain: Observed::Unseen(Unseen::RefusedBefore),
        is_resumed: false,
        is_chain_assumed: false,
        reaction: Reaction::Unfinished,
        endpoint: EndpointFacts::default(),
        client_certificate: ClientCertificate::NotRequested,
        expected: Expected::default(),
        http_status: None,
        capture: CaptureFacts::default(),
        unreachable,
    };
    Judged {
        judgement: verdict::judge(&evidence),
        default_by_comparison: None,
        default_by_catalog: false,
        inferred: Vec::new(),
        resumed_from: None,
    }
}

fn answer(knock: &Knock) -> Answer<'_> {
    match &knock.icmp {
        _ if knock.was_reset => Answer::Reset,
        Some(icmp) => Answer::Icmp(cause(icmp.cause), icmp.from),
        None => Answer::Silence,
    }
}

/// What an ICMP error says, in a few words.
const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Network => "network unreachable",
        Cause::Host => "host unreachable",
        Cause::Protocol => "protocol unreachable",
        Cause::Port => "port unreachable",
        Cause::Prohibited => "administratively prohibited",
        Cause::TooBig { .. } => "packet too big",
        Cause::TimeExceeded => "time exceeded",
        Cause::Parameter => "parameter problem",
        _ => "destination unreachable",
    }
}

/// Why a leaf that does not cover the name asked for is taken for a default certificate, if it is.
/// One that covers it is the right one, whoever else is served it.
fn default_by<'a>(
    leaf: &'a Known,
    asked: &Asked,
    book: Option<&'a Book>,
) -> (DefaultBy<'a>, Option<Comparison>) {
    if asked.name.seen().is_none() {
        return Default::default();
    }
    let covers_any = |asked_for: &AskedFor| asked_for.is_covered(&leaf.certificate);
    let is_odd = leaf.default.is_some() || leaf.certificate.self_signed.holds();
    // A proper certificate that nobody got without SNI may as well be a site's own.
    let compared = book
        .and_then(|book| book.compare(leaf, covers_any))
        .filter(|compared| is_odd || compared.comparison == Comparison::WithoutSni);
    let default = DefaultBy {
        in_catalog: leaf.default.is_some(),
        product: leaf
            .default
            .as_ref()
            .filter(|product| !product.is_generic)
            .map(|product| &*product.name),
        by_comparison: compared.is_some(),
        doubt: compared
            .and_then(|compared| compared.doubt)
            .map(|doubt| match doubt {
                Doubt::Balanced => "several servers seem to stand behind this address",
                Doubt::Apart => "the flows to compare with are far apart in time, and the address may have changed hands",
            }),
        others_get: compared
            .and_then(|compared| compared.others_get)
            .map(|(name, leaf)| (name, &leaf.certificate)),
    };
    (default, compared.map(|compared| compared.comparison))
}

/// The chain that a story itself showed.
pub(super) fn own_chain(story: &Story) -> Option<&Arc<Chain>> {
    story.tls()?.chain().into_seen()
}

/// Fewer bytes are not enough to tell a record from anything else (RFC 8446, section 5.1).
const RECORD_HEADER_LEN: u64 = 5;
