//! One command that proves a verdict, with the flow's own address and names in it.

use crate::tls::{Observed, ServerName};
use crate::verdict::evidence::Evidence;
use crate::verdict::finding::VerdictId;
use crate::verdict::wording;

/// The `openssl s_client` command that shows the same from any machine near the gateway; `None`
/// where asking the server again shows nothing.
pub(super) fn command(id: VerdictId, evidence: &Evidence<'_>) -> Option<String> {
    let ask = |name: &str, more: &str| {
        format!(
            "To prove it: openssl s_client -connect {} {name}{more} </dev/null",
            evidence.server
        )
    };
    let name = match evidence.server_name {
        Observed::Seen(ServerName::Name(name)) => std::str::from_utf8(name).ok(),
        _ => evidence.expected.name.or_else(|| {
            // A name that is known to work there shows the difference.
            let (name, _) = wording::chain(evidence)?.default.others_get?;
            Some(name)
        }),
    };
    // What stands in a ClientHello must not become a word of a shell.
    let by_name = match name.filter(|name| is_host_name(name)) {
        Some(name) => format!("-servername {name}"),
        None => "-servername NAME".to_owned(),
    };
    Some(match id {
        VerdictId::NoSniDefaultCert
        | VerdictId::NoSniWrongName
        | VerdictId::NoSniTolerated
        | VerdictId::NoSniRejected
        | VerdictId::NoSniProbablyRejected => {
            let asked = ask("-noservername", " -showcerts");
            format!("{asked} (and again with {by_name} in place of -noservername)")
        }
        VerdictId::NoSniRefused => ask("-noservername", ""),
        VerdictId::SniUnknownName
        | VerdictId::SniNameMismatch
        | VerdictId::SniRejected
        | VerdictId::CertSelfSignedLeaf
        | VerdictId::CertPrivateCa
        | VerdictId::CertChainIncomplete
        | VerdictId::CertChainOrder
        | VerdictId::CertExpired
        | VerdictId::CertMatchButRejected
        | VerdictId::CertNotTheUploadedOne => ask(&by_name, " -showcerts"),
        VerdictId::SniRefused | VerdictId::TlsHandshakeFailed => ask(&by_name, ""),
        VerdictId::TlsVersionOrCipher => ask(&by_name, " -tls1_2"),
        VerdictId::MtlsClientCertMissing => ask(&by_name, " -state"),
        VerdictId::TcpUnreachable => ask("", "").replace("  ", " "),
        VerdictId::Ok
        | VerdictId::HttpBackend
        | VerdictId::CaptureInsufficient
        | VerdictId::CaptureMidstream => return None,
    })
}

/// Letters, digits, dots, hyphens and underscores, none of them leading as an option would.
fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_the_wire_is_no_word_of_a_shell() {
        for name in ["api.contoso.com", "xn--bcher-kva.example", "a_b.example"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in [
            "",
            "-a",
            "a b",
            "a;b",
            "$(x)",
            "a\n",
            "a'b",
            "bücher.example",
        ] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
