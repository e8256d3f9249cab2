//! `no-sni.default-cert`: the server had to guess, showed its default certificate, and lost.

use crate::verdict::evidence::Evidence;
use crate::verdict::finding::{Confidence, Finding, Severity, VerdictId};
use crate::verdict::wording;

/// The client named no server (RFC 6066, section 3); the certificate is the server's default,
/// or has the looks of one; the client refused it.
pub(super) fn check(evidence: &Evidence<'_>) -> Option<Finding> {
    if !wording::names_no_server(evidence) || !wording::client_refused(evidence) {
        return None;
    }
    // Where the default certificate is the one that the gateway was given, it is not the reason.
    if evidence.expected.is_expected == Some(true) {
        return None;
    }
    let chain = wording::chain(evidence)?;
    if wording::is_for_all(evidence, &chain) && !chain.default.in_catalog {
        return None;
    }
    let is_self_signed = chain.leaf.self_signed.holds();
    // What an authority issued is another site's certificate, also where it is the default one.
    if !chain.default.in_catalog && !is_self_signed {
        return None;
    }
    let confidence = if chain.default.by_comparison && chain.default.doubt.is_none() {
        Confidence::High
    } else {
        Confidence::Medium
    };
    let served = wording::certificate(chain.leaf);
    let product = chain
        .default
        .product
        .map(|product| format!(" of {product}"))
        .unwrap_or_default();
    let compared = chain
        .default
        .others_get
        .map(|(name, leaf)| {
            let but = chain
                .default
                .doubt
                .map(|doubt| format!(" (but {doubt})"))
                .unwrap_or_default();
            format!(
                ", not with the one for a name: flows with SNI {name} got {} there{but}",
                wording::certificate(leaf)
            )
        })
        .unwrap_or_default();
    Some(Finding {
        id: VerdictId::NoSniDefaultCert,
        confidence,
        severity: Severity::High,
        reason: format!(
            "The {} sent no SNI (server_name), so {} {} its default certificate{product}, {served}{compared}; {}.",
            wording::client(evidence),
            evidence.server,
            wording::answered(evidence),
            wording::refusal(evidence),
        ),
        fix: FIX.to_vec(),
    })
}

const FIX: [&str; 4] = [
    "Make the client send SNI: give it a host name as its target, not an IP address.",
    "Azure Application Gateway v1: use the FQDN as backend pool target (a host name override changes only the Host header), or upload the default certificate shown here as authentication certificate and give up the custom domain.",
    "Azure Application Gateway v2: set the host name in the custom probe and in the backend setting.",
    "nginx as the client: set proxy_ssl_server_name on and proxy_ssl_name.",
];
