//! What a cipher suite says about the messages to expect. The table of suites is `tls-parser`'s.
//!
//! Only the key exchange and the authentication matter here; names are looked up elsewhere.

use tls_parser::{TlsCipherAu, TlsCipherKx, TlsCipherSuite};

/// How a suite up to TLS 1.2 proves who the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// By a certificate.
    Certificate,
    /// By a key that both sides had before (RFC 4279).
    Psk,
    /// By nothing, or by something that needs no certificate.
    None,
}

/// How `suite` authenticates the server; `None` for a suite nobody here knows.
pub(crate) fn authentication(suite: u16) -> Option<Authentication> {
    let suite = TlsCipherSuite::from_id(suite)?;
    Some(match suite.au {
        TlsCipherAu::Rsa
        | TlsCipherAu::Dss
        | TlsCipherAu::Ecdsa
        | TlsCipherAu::Srp_Dss
        | TlsCipherAu::Srp_Rsa
        | TlsCipherAu::Dhe
        | TlsCipherAu::Tls13 => Authentication::Certificate,
        // RSA_PSK is the one with both (RFC 4279, section 4).
        TlsCipherAu::Psk if suite.kx == TlsCipherKx::Rsa => Authentication::Certificate,
        TlsCipherAu::Psk => Authentication::Psk,
        TlsCipherAu::Null | TlsCipherAu::Krb5 | TlsCipherAu::Srp | TlsCipherAu::Eccpwd => {
            Authentication::None
        }
    })
}

/// Whether the key exchange of `suite` sends a point on a curve; `None` for a suite nobody here knows.
pub(crate) fn is_elliptic(suite: u16) -> Option<bool> {
    let suite = TlsCipherSuite::from_id(suite)?;
    Some(matches!(
        suite.kx,
        TlsCipherKx::Ecdhe | TlsCipherKx::Aecdh | TlsCipherKx::Ecdh
    ))
}
