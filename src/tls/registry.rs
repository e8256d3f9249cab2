//! Names of the numbers of TLS: cipher suites, groups, versions, alerts, extensions, signatures.
//!
//! The names are those of the IANA registries "TLS Parameters" and "TLS ExtensionType Values"
//! (RFC 8447), with the numbers that were used on the wire before or without a registration:
//! drafts, the older GOST and Chinese suites, `SSL 2.0`.
//!
//! Only names: nothing here decides what a number means for a handshake, but for what the server of
//! a cipher suite shows of itself, which the suite's name says. An unknown number stays a number,
//! written `0x1a2b`; a GREASE number (RFC 8701) is an unknown one.

use std::borrow::Cow;

use tls_parser::TlsCipherSuite;

/// The name of a cipher suite, as in `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
#[must_use]
pub fn cipher_suite(number: u16) -> Cow<'static, str> {
    named(known_cipher_suite(number), number)
}

/// The name of a cipher suite of SSL 2.0, whose numbers have three bytes (RFC 6101, appendix E).
///
/// A number whose first byte is 0 is a suite of the later versions.
#[must_use]
pub fn ssl2_cipher_kind(number: [u8; 3]) -> Cow<'static, str> {
    let name = match number {
        [0, high, low] => return cipher_suite(u16::from_be_bytes([high, low])),
        [0x01, 0, 0x80] => "SSL2_RC4_128_WITH_MD5",
        [0x02, 0, 0x80] => "SSL2_RC4_128_EXPORT40_WITH_MD5",
        [0x03, 0, 0x80] => "SSL2_RC2_128_CBC_WITH_MD5",
        [0x04, 0, 0x80] => "SSL2_RC2_128_CBC_EXPORT40_WITH_MD5",
        [0x05, 0, 0x80] => "SSL2_IDEA_128_CBC_WITH_MD5",
        [0x06, 0, 0x40] => "SSL2_DES_64_CBC_WITH_MD5",
        [0x07, 0, 0xc0] => "SSL2_DES_192_EDE3_CBC_WITH_MD5",
        [0x08, 0, 0x80] => "SSL2_RC4_64_WITH_MD5",
        [a, b, c] => return Cow::Owned(format!("0x{a:02x}{b:02x}{c:02x}")),
    };
    Cow::Borrowed(name)
}

/// What the server of a cipher suite shows to prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Authentication {
    /// A certificate.
    Certificate,
    /// Nothing: the suite is anonymous.
    Anonymous,
    /// A key that both sides know already (RFC 4279, RFC 5489).
    PreSharedKey,
    /// A password (RFC 5054, RFC 8492).
    Password,
    /// A Kerberos ticket (RFC 2712).
    Kerberos,
    /// The suite does not say: TLS 1.3 settles it in extensions (RFC 8446, section 4.1.1).
    Elsewhere,
    /// The suite is not known.
    Unknown,
}

/// What the server of a cipher suite shows of itself, by the suite's name.
#[must_use]
pub fn authentication(number: u16) -> Authentication {
    let Some(name) = known_cipher_suite(number) else {
        return Authentication::Unknown;
    };
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if name.ends_with("_SCSV") || name == "TLS_NULL_WITH_NULL_NULL" {
        Authentication::Unknown
    } else if is_tls13_only(number) {
        Authentication::Elsewhere
    } else if name.contains("_anon_") {
        Authentication::Anonymous
    } else if starts(&["TLS_PSK_", "TLS_DHE_PSK_", "TLS_ECDHE_PSK_"]) {
        Authentication::PreSharedKey
    } else if starts(&["TLS_SRP_SHA_WITH_", "TLS_ECCPWD_", "TLS_ECJPAKE_"]) {
        Authentication::Password
    } else if starts(&["TLS_KRB5_"]) {
        Authentication::Kerberos
    } else {
        // RSA_PSK and the SRP suites with RSA or DSS among them (RFC 4279, section 4; RFC 5054).
        Authentication::Certificate
    }
}

/// The name of a group for the key exchange, in lower case: `x25519`, `secp256r1`, `x25519mlkem768`.
#[must_use]
pub fn named_group(number: u16) -> Cow<'static, str> {
    named(known_group(number), number)
}

/// A protocol version in the words of the Elastic Common Schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version, such as `1.2`; a draft of TLS 1.3 is `1.3`, an unknown number is written `0x7e01`.
    pub text: Cow<'static, str>,
    /// `tls` or `ssl`; nothing for an unknown number.
    pub protocol: Option<&'static str>,
    /// What stood on the wire where `text` does not tell: `1.3-draft28`.
    pub raw: Option<String>,
}

/// A version number in words (RFC 8446, section 4.2.1; drafts carry their own number in the low byte).
#[must_use]
pub fn version(number: u16) -> Version {
    let [high, draft] = number.to_be_bytes();
    let released = |text, protocol| Version {
        text: Cow::Borrowed(text),
        protocol: Some(protocol),
        raw: None,
    };
    match (high, draft) {
        (0, 2) => released("2.0", "ssl"),
        (3, 0) => released("3.0", "ssl"),
        (3, 1) => released("1.0", "tls"),
        (3, 2) => released("1.1", "tls"),
        (3, 3) => released("1.2", "tls"),
        (3, 4) => released("1.3", "tls"),
        (0x7f, 1..=28) => Version {
            raw: Some(format!("1.3-draft{draft}")),
            ..released("1.3", "tls")
        },
        // The experiments of one large site, on top of the drafts of the same number.
        (0xfb, 1..=28) => Version {
            raw: Some(format!("1.3-fb-draft{draft}")),
            ..released("1.3", "tls")
        },
        _ => Version {
            text: named(None, number),
            protocol: None,
            raw: None,
        },
    }
}

/// The name of an alert (RFC 8446, section 6, and the registry), `unknown` if it has none.
#[must_use]
pub fn alert(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        1 => "end_of_early_data",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        52 => "too_many_cids_requested",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        117 => "general_error",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => "unknown",
    }
}

/// The level of an alert: `warning`, `fatal`, or `unknown` (RFC 8446, section 6).
#[must_use]
pub fn alert_level(level: u8) -> &'static str {
    match level {
        1 => "warning",
        2 => "fatal",
        _ => "unknown",
    }
}

/// The name of an extension, as in `server_name`.
#[must_use]
pub fn extension(number: u16) -> Cow<'static, str> {
    named(known_extension(number), number)
}

/// The name of a signature scheme (RFC 8446, section 4.2.3).
///
/// A pair of hash and signature of TLS 1.2 (RFC 5246, section 7.4.1.4.1) that is no scheme of TLS 1.3
/// is named in the same manner: `dsa_sha256`.
#[must_use]
pub fn signature_scheme(number: u16) -> Cow<'static, str> {
    if let Some(name) = known_scheme(number) {
        return Cow::Borrowed(name);
    }
    let [hash, signature] = number.to_be_bytes();
    let hash = match hash {
        1 => "md5",
        2 => "sha1",
        3 => "sha224",
        4 => "sha256",
        5 => "sha384",
        6 => "sha512",
        _ => return named(None, number),
    };
    let signature = match signature {
        1 => "rsa_pkcs1",
        2 => "dsa",
        3 => "ecdsa",
        _ => return named(None, number),
    };
    Cow::Owned(format!("{signature}_{hash}"))
}

/// Whether a number is one of those that mean nothing and keep implementations tolerant (RFC 8701).
///
/// Both bytes are equal and end in `a`: `0x1a2a` is none.
#[must_use]
pub const fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

fn named(name: Option<&'static str>, number: u16) -> Cow<'static, str> {
    name.map_or_else(|| Cow::Owned(format!("0x{number:04x}")), Cow::Borrowed)
}

fn known_cipher_suite(number: u16) -> Option<&'static str> {
    TlsCipherSuite::from_id(number)
        .map(|suite| suite.name)
        .or_else(|| unregistered_cipher_suite(number))
}

/// Suites whose key exchange is negotiated in extensions (RFC 8446, RFC 8998, RFC 9150, RFC 9367).
const fn is_tls13_only(number: u16) -> bool {
    matches!(number, 0x00c6..=0x00c7 | 0x1301..=0x13ff | 0xc0b4..=0xc0b5 | 0xc103..=0xc106)
}

/// Suites that are in use, but not in the table of `tls-parser`.
fn unregistered_cipher_suite(number: u16) -> Option<&'static str> {
    Some(match number {
        0x001c => "SSL_FORTEZZA_KEA_WITH_NULL_SHA",
        0x001d => "SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA",
        0x0080 => "TLS_GOSTR341094_WITH_28147_CNT_IMIT",
        0x0081 => "TLS_GOSTR341001_WITH_28147_CNT_IMIT",
        0x0082 => "TLS_GOSTR341094_WITH_NULL_GOSTR3411",
        0x0083 => "TLS_GOSTR341001_WITH_NULL_GOSTR3411",
        0xc0ff => "TLS_ECJPAKE_WITH_AES_128_CCM_8",
        0xc100 => "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC",
        0xc101 => "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",
        0xc102 => "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT",
        0xc103 => "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L",
        0xc104 => "TLS_GOSTR341112_256_WITH_MAGMA_MGM_L",
        0xc105 => "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S",
        0xc106 => "TLS_GOSTR341112_256_WITH_MAGMA_MGM_S",
        0xcc13 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcc14 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcc15 => "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xe001 => "ECDHE_SM1_SM3",
        0xe003 => "ECC_SM1_SM3",
        0xe005 => "IBSDH_SM1_SM3",
        0xe007 => "IBC_SM1_SM3",
        0xe009 => "RSA_SM1_SM3",
        0xe00a => "RSA_SM1_SHA1",
        0xe011 => "ECDHE_SM4_CBC_SM3",
        0xe013 => "ECC_SM4_CBC_SM3",
        0xe015 => "IBSDH_SM4_CBC_SM3",
        0xe017 => "IBC_SM4_CBC_SM3",
        0xe019 => "RSA_SM4_CBC_SM3",
        0xe01a => "RSA_SM4_CBC_SHA1",
        0xe01c => "RSA_SM4_CBC_SHA256",
        0xe051 => "ECDHE_SM4_GCM_SM3",
        0xe053 => "ECC_SM4_GCM_SM3",
        0xe055 => "IBSDH_SM4_GCM_SM3",
        0xe057 => "IBC_SM4_GCM_SM3",
        0xe059 => "RSA_SM4_GCM_SM3",
        0xe05a => "RSA_SM4_GCM_SHA256",
        0xe410 => "TLS_RSA_WITH_ESTREAM_SALSA20_SHA1",
        0xe411 => "TLS_RSA_WITH_SALSA20_SHA1",
        0xe412 => "TLS_ECDHE_RSA_WITH_ESTREAM_SALSA20_SHA1",
        0xe413 => "TLS_ECDHE_RSA_WITH_SALSA20_SHA1",
        0xe414 => "TLS_ECDHE_ECDSA_WITH_ESTREAM_SALSA20_SHA1",
        0xe415 => "TLS_ECDHE_ECDSA_WITH_SALSA20_SHA1",
        0xe416 => "TLS_PSK_WITH_ESTREAM_SALSA20_SHA1",
        0xe417 => "TLS_PSK_WITH_SALSA20_SHA1",
        0xe418 => "TLS_ECDHE_PSK_WITH_ESTREAM_SALSA20_SHA1",
        0xe419 => "TLS_ECDHE_PSK_WITH_SALSA20_SHA1",
        0xe41a => "TLS_RSA_PSK_WITH_ESTREAM_SALSA20_SHA1",
        0xe41b => "TLS_RSA_PSK_WITH_SALSA20_SHA1",
        0xe41c => "TLS_DHE_PSK_WITH_ESTREAM_SALSA20_SHA1",
        0xe41d => "TLS_DHE_PSK_WITH_SALSA20_SHA1",
        0xe41e => "TLS_DHE_RSA_WITH_ESTREAM_SALSA20_SHA1",
        0xe41f => "TLS_DHE_RSA_WITH_SALSA20_SHA1",
        0xfefe => "SSL_RSA_FIPS_WITH_DES_CBC_SHA",
        0xfeff => "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA",
        0xffe0 => "SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA",
        0xffe1 => "SSL_RSA_FIPS_WITH_DES_CBC_SHA",
        _ => return None,
    })
}

fn known_group(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0001 => "sect163k1",
        0x0002 => "sect163r1",
        0x0003 => "sect163r2",
        0x0004 => "sect193r1",
        0x0005 => "sect193r2",
        0x0006 => "sect233k1",
        0x0007 => "sect233r1",
        0x0008 => "sect239k1",
        0x0009 => "sect283k1",
        0x000a => "sect283r1",
        0x000b => "sect409k1",
        0x000c => "sect409r1",
        0x000d => "sect571k1",
        0x000e => "sect571r1",
        0x000f => "secp160k1",
        0x0010 => "secp160r1",
        0x0011 => "secp160r2",
        0x0012 => "secp192k1",
        0x0013 => "secp192r1",
        0x0014 => "secp224k1",
        0x0015 => "secp224r1",
        0x0016 => "secp256k1",
        0x0017 => "secp256r1",
        0x0018 => "secp384r1",
        0x0019 => "secp521r1",
        0x001a => "brainpoolp256r1",
        0x001b => "brainpoolp384r1",
        0x001c => "brainpoolp512r1",
        0x001d => "x25519",
        0x001e => "x448",
        0x001f => "brainpoolp256r1tls13",
        0x0020 => "brainpoolp384r1tls13",
        0x0021 => "brainpoolp512r1tls13",
        0x0022 => "gc256a",
        0x0023 => "gc256b",
        0x0024 => "gc256c",
        0x0025 => "gc256d",
        0x0026 => "gc512a",
        0x0027 => "gc512b",
        0x0028 => "gc512c",
        0x0029 => "curvesm2",
        0x0100 => "ffdhe2048",
        0x0101 => "ffdhe3072",
        0x0102 => "ffdhe4096",
        0x0103 => "ffdhe6144",
        0x0104 => "ffdhe8192",
        0x0200 => "mlkem512",
        0x0201 => "mlkem768",
        0x0202 => "mlkem1024",
        0x11eb => "secp256r1mlkem768",
        0x11ec => "x25519mlkem768",
        0x11ed => "secp384r1mlkem1024",
        0x11ee => "curvesm2mlkem768",
        0x4138 => "cecpq2",
        0x6399 => "x25519kyber768draft00",
        0x639a => "secp256r1kyber768draft00",
        0xfe30 => "x25519kyber512draft00",
        0xfe31 => "x25519kyber768draft00",
        0xff01 => "arbitrary_explicit_prime_curves",
        0xff02 => "arbitrary_explicit_char2_curves",
        _ => return None,
    })
}

fn known_extension(number: u16) -> Option<&'static str> {
    Some(match number {
        0 => "server_name",
        1 => "max_fragment_length",
        2 => "client_certificate_url",
        3 => "trusted_ca_keys",
        4 => "truncated_hmac",
        5 => "status_request",
        6 => "user_mapping",
        7 => "client_authz",
        8 => "server_authz",
        9 => "cert_type",
        10 => "supported_groups",
        11 => "ec_point_formats",
        12 => "srp",
        13 => "signature_algorithms",
        14 => "use_srtp",
        15 => "heartbeat",
        16 => "application_layer_protocol_negotiation",
        17 => "status_request_v2",
        18 => "signed_certificate_timestamp",
        19 => "client_certificate_type",
        20 => "server_certificate_type",
        21 => "padding",
        22 => "encrypt_then_mac",
        23 => "extended_master_secret",
        24 => "token_binding",
        25 => "cached_info",
        26 => "tls_lts",
        27 => "compress_certificate",
        28 => "record_size_limit",
        29 => "pwd_protect",
        30 => "pwd_clear",
        31 => "password_salt",
        32 => "ticket_pinning",
        33 => "tls_cert_with_extern_psk",
        34 => "delegated_credentials",
        35 => "session_ticket",
        36 => "tlmsp",
        37 => "tlmsp_proxying",
        38 => "tlmsp_delegate",
        39 => "supported_ekt_ciphers",
        40 => "key_share_draft",
        41 => "pre_shared_key",
        42 => "early_data",
        43 => "supported_versions",
        44 => "cookie",
        45 => "psk_key_exchange_modes",
        46 => "ticket_early_data_info_draft",
        47 => "certificate_authorities",
        48 => "oid_filters",
        49 => "post_handshake_auth",
        50 => "signature_algorithms_cert",
        51 => "key_share",
        52 => "transparency_info",
        53 => "connection_id_deprecated",
        54 => "connection_id",
        55 => "external_id_hash",
        56 => "external_session_id",
        57 => "quic_transport_parameters",
        58 => "ticket_request",
        59 => "dnssec_chain",
        60 => "sequence_number_encryption_algorithms",
        61 => "rrc",
        62 => "tls_flags",
        13172 => "next_protocol_negotiation",
        17513 => "application_settings_old",
        17613 => "application_settings",
        30031 => "channel_id_old",
        30032 => "channel_id",
        51764 => "trust_anchors",
        64768 => "ech_outer_extensions",
        65037 => "encrypted_client_hello",
        65281 => "renegotiation_info",
        65445 => "quic_transport_parameters_draft",
        65486 => "encrypted_server_name",
        _ => return None,
    })
}

fn known_scheme(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0201 => "rsa_pkcs1_sha1",
        0x0203 => "ecdsa_sha1",
        0x0401 => "rsa_pkcs1_sha256",
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0420 => "rsa_pkcs1_sha256_legacy",
        0x0501 => "rsa_pkcs1_sha384",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0520 => "rsa_pkcs1_sha384_legacy",
        0x0601 => "rsa_pkcs1_sha512",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0620 => "rsa_pkcs1_sha512_legacy",
        0x0704 => "eccsi_sha256",
        0x0708 => "sm2sig_sm3",
        0x0709 => "gostr34102012_256a",
        0x070a => "gostr34102012_256b",
        0x070b => "gostr34102012_256c",
        0x070c => "gostr34102012_256d",
        0x070d => "gostr34102012_512a",
        0x070e => "gostr34102012_512b",
        0x070f => "gostr34102012_512c",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        0x0808 => "ed448",
        0x0809 => "rsa_pss_pss_sha256",
        0x080a => "rsa_pss_pss_sha384",
        0x080b => "rsa_pss_pss_sha512",
        0x081a => "ecdsa_brainpoolP256r1tls13_sha256",
        0x081b => "ecdsa_brainpoolP384r1tls13_sha384",
        0x081c => "ecdsa_brainpoolP512r1tls13_sha512",
        0x0840 => "gostr34102012_256",
        0x0841 => "gostr34102012_512",
        0x0904 => "mldsa44",
        0x0905 => "mldsa65",
        0x0906 => "mldsa87",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_has_its_registered_name_and_an_unknown_one_its_number() {
        assert_eq!(cipher_suite(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(
            cipher_suite(0xc030),
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        );
        assert_eq!(cipher_suite(0x1304), "TLS_AES_128_CCM_SHA256");
        assert_eq!(cipher_suite(0x1305), "TLS_AES_128_CCM_8_SHA256");
        assert_eq!(cipher_suite(0x00c6), "TLS_SM4_GCM_SM3");
        assert_eq!(
            cipher_suite(0xc102),
            "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"
        );
        assert_eq!(cipher_suite(0x0a0a), "0x0a0a");
    }

    #[test]
    fn the_suites_of_ssl_2_have_names_of_their_own() {
        assert_eq!(
            ssl2_cipher_kind([7, 0, 0xc0]),
            "SSL2_DES_192_EDE3_CBC_WITH_MD5"
        );
        assert_eq!(ssl2_cipher_kind([0, 0, 4]), "TLS_RSA_WITH_RC4_128_MD5");
        assert_eq!(ssl2_cipher_kind([9, 9, 9]), "0x090909");
    }

    #[test]
    fn a_suite_tells_what_the_server_shows() {
        for (number, shows) in [
            (0xc02f, Authentication::Certificate),
            (0x0034, Authentication::Anonymous),
            (0xc018, Authentication::Anonymous),
            (0x008c, Authentication::PreSharedKey),
            (0xc035, Authentication::PreSharedKey),
            (0x0095, Authentication::Certificate), // RSA_PSK
            (0xc01d, Authentication::Password),
            (0xc01e, Authentication::Certificate), // SRP_SHA_RSA
            (0x001e, Authentication::Kerberos),
            (0x1302, Authentication::Elsewhere),
            (0x00ff, Authentication::Unknown),
            (0x0a0a, Authentication::Unknown),
        ] {
            assert_eq!(authentication(number), shows, "{}", cipher_suite(number));
        }
    }

    #[test]
    fn versions_are_told_with_their_protocol_and_drafts_keep_their_number() {
        let told = |number| {
            let Version {
                text,
                protocol,
                raw,
            } = version(number);
            (text.into_owned(), protocol, raw)
        };
        assert_eq!(told(0x0303), ("1.2".into(), Some("tls"), None));
        assert_eq!(told(0x0300), ("3.0".into(), Some("ssl"), None));
        assert_eq!(told(0x0002), ("2.0".into(), Some("ssl"), None));
        assert_eq!(
            told(0x7f1c),
            ("1.3".into(), Some("tls"), Some("1.3-draft28".into()))
        );
        assert_eq!(
            told(0xfb1a),
            ("1.3".into(), Some("tls"), Some("1.3-fb-draft26".into()))
        );
        assert_eq!(told(0x7e01), ("0x7e01".into(), None, None));
    }

    #[test]
    fn alerts_groups_and_extensions_have_the_names_of_their_standards() {
        assert_eq!(alert(48), "unknown_ca");
        assert_eq!(alert(112), "unrecognized_name");
        assert_eq!(alert(99), "unknown");
        assert_eq!(alert_level(2), "fatal");
        assert_eq!(named_group(0x001d), "x25519");
        assert_eq!(named_group(0x11ec), "x25519mlkem768");
        assert_eq!(named_group(0x7777), "0x7777");
        assert_eq!(extension(0), "server_name");
        assert_eq!(extension(0xfe0d), "encrypted_client_hello");
        assert_eq!(extension(0xff01), "renegotiation_info");
    }

    #[test]
    fn a_signature_scheme_has_a_name_in_either_way_of_counting() {
        assert_eq!(signature_scheme(0x0804), "rsa_pss_rsae_sha256");
        assert_eq!(signature_scheme(0x0402), "dsa_sha256");
        assert_eq!(signature_scheme(0x0301), "rsa_pkcs1_sha224");
        assert_eq!(signature_scheme(0x0a0a), "0x0a0a");
    }

    #[test]
    fn grease_has_two_equal_bytes() {
        assert_eq!(
            (0..=u16::MAX).filter(|&number| is_grease(number)).count(),
            16
        );
        assert!(is_grease(0x0a0a) && is_grease(0xfafa));
        assert!(!is_grease(0x1a2a) && !is_grease(0x0a1a));
    }
}
