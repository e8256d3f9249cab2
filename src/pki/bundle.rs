//! Certificates that a user hands over in a file: PEM or DER, one or several.
//!
//! Whoever mistakes a file is told what it is instead, and never sees its content.

use std::borrow::Cow;

use thiserror::Error;
use x509_parser::pem::Pem;

use crate::pki::certificate::Certificate;
use crate::pki::error::Malformed;

/// Why a file gives no certificates.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is longer than any list of certificates.
    #[error("more than {MAX_LEN} bytes are no list of certificates")]
    TooLong,
    /// There are more certificates than anybody hands over.
    #[error("more than {MAX_COUNT} certificates")]
    TooMany,
    /// It holds a key and no certificate.
    #[error("this is a {0}, not a certificate; hand over the certificate alone")]
    Key(&'static str),
    /// It is some other thing.
    #[error("this is {0}, not a certificate")]
    Other(&'static str),
    /// A PEM block could not be read.
    #[error("PEM block {block} cannot be read: {reason}")]
    Pem {
        /// Its place in the file, from 1.
        block: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate could not be read whole.
    #[error("certificate {place} is damaged: {reason}")]
    Damaged {
        /// Its place in the file, from 1.
        place: usize,
        /// What is wrong with it.
        reason: Malformed,
    },
    /// It looks like nothing known.
    #[error("this is neither PEM nor DER")]
    Unknown,
}

/// A certificate with the bytes that it came from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Given {
    /// What it says.
    pub certificate: Certificate,
    /// Its DER.
    pub der: Vec<u8>,
}

/// The certificates in a file, in their order: PEM (RFC 7468) with any text around the blocks, or
/// one in DER.
///
/// # Errors
///
/// When there is no certificate in it, or one that is damaged.
pub fn certificates(file: &[u8]) -> Result<Vec<Given>, Error> {
    if file.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty);
    }
    if file.len() > MAX_LEN {
        return Err(Error::TooLong);
    }
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let ders = if find(file, PEM_MARK) {
        from_pem(&unglued(file))?
    } else if file.first() == Some(&SEQUENCE) {
        vec![file.to_vec()]
    } else {
        return Err(Error::Unknown);
    };
    ders.into_iter()
        .enumerate()
        .map(|(at, der)| given(at + 1, der))
        .collect()
}

/// The text with a line feed between blocks that were joined without one: the reader takes each
/// line as a whole, and would pass over the block that begins behind the end of another.
fn unglued(file: &[u8]) -> Cow<'_, [u8]> {
    if !find(file, GLUED) {
        return Cow::Borrowed(file);
    }
    let mut text = Vec::with_capacity(file.len() + 64);
    let mut rest = file;
    while let Some(at) = rest.windows(GLUED.len()).position(|window| window == GLUED) {
        let (before, behind) = rest.split_at(at + GLUED.len() / 2);
        text.extend_from_slice(before);
        text.push(b'\n');
        rest = behind;
    }
    text.extend_from_slice(rest);
    Cow::Owned(text)
}

fn from_pem(file: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut ders = Vec::new();
    let mut other = None;
    for (at, pem) in Pem::iter_from_buffer(file).enumerate() {
        let pem = pem.map_err(|_| Error::Pem {
            block: at + 1,
            reason: "it is cut off, or its text is not base 64",
        })?;
        match pem.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => ders.push(pem.contents),
            // OpenSSL's own form: what it is trusted for stands behind the certificate.
            "TRUSTED CERTIFICATE" => ders.push(first_element(pem.contents)),
            // Beside a key; the key says what it is.
            "EC PARAMETERS" => {}
            label => other = other.or(Some(what_else(label))),
        }
        if ders.len() > MAX_COUNT {
            return Err(Error::TooMany);
        }
    }
    match (ders.is_empty(), other) {
        (false, _) => Ok(ders),
        (true, Some(error)) => Err(error),
        (true, None) => Err(Error::Pem {
            block: 1,
            reason: "it has no end",
        }),
    }
}

fn what_else(label: &str) -> Error {
    match label {
        label if label.ends_with("PRIVATE KEY") => Error::Key("private key"),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Error::Key("public key"),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Error::Other("a request for one"),
        "X509 CRL" => Error::Other("a list of revoked ones"),
        "PKCS7" | "CMS" => {
            Error::Other("a PKCS #7 bundle (openssl pkcs7 -print_certs takes it apart)")
        }
        _ => Error::Other("a PEM file of another kind"),
    }
}

fn given(place: usize, der: Vec<u8>) -> Result<Given, Error> {
    let certificate = Certificate::from_der(&der);
    match &certificate.malformed {
        None => Ok(Given { certificate, der }),
        Some(reason) => Err(other_der(&der).unwrap_or(match reason {
            Malformed::NotACertificate => Error::Unknown,
            reason => Error::Damaged {
                place,
                reason: *reason,
            },
        })),
    }
}

/// What stands behind the header of a DER element.
fn content(der: &[u8]) -> &[u8] {
    match der {
        [_, len, rest @ ..] if *len < 0x80 => rest,
        [_, 0x81, _, rest @ ..] | [_, 0x82, _, _, rest @ ..] | [_, 0x83, _, _, _, rest @ ..] => {
            rest
        }
        _ => &[],
    }
}

/// The first DER element alone, where its length can be read.
fn first_element(mut der: Vec<u8>) -> Vec<u8> {
    let len = match *der.as_slice() {
        [_, len, ..] if len < 0x80 => Some(2 + usize::from(len)),
        [_, 0x81, len, ..] => Some(3 + usize::from(len)),
        [_, 0x82, a, b, ..] => Some(4 + usize::from(u16::from_be_bytes([a, b]))),
        _ => None,
    };
    if let Some(len) = len {
        der.truncate(len);
    }
    der
}

/// What a DER file is that is no certificate, by how it begins.
fn other_der(der: &[u8]) -> Option<Error> {
    let body = content(der);
    Some(match body {
        // Version 3 (RFC 7292, section 4).
        [0x02, 0x01, 0x03, ..] => {
            Error::Other("a PKCS #12 file (openssl pkcs12 -nokeys takes it apart)")
        }
        // Version 0 or 1 (RFC 5958, section 2; RFC 8017, appendix A.1.2; RFC 5915, section 3).
        [0x02, 0x01, 0x00 | 0x01, ..] => Error::Key("private key"),
        // Its content type (RFC 2315, section 7).
        [
            0x06,
            0x09,
            0x2a,
            0x86,
            0x48,
            0x86,
            0xf7,
            0x0d,
            0x01,
            0x07,
            ..,
        ] => {
            Error::Other("a PKCS #7 bundle (openssl pkcs7 -inform der -print_certs takes it apart)")
        }
        [SEQUENCE, ..] => match content(body) {
            // An algorithm: that of a public key, or of the cipher around a private one.
            [0x06, ..] => Error::Key("key"),
            // A version and a name, where a certificate has a serial number and an algorithm
            // (RFC 2986, section 4.1).
            [0x02, 0x01, 0x00, SEQUENCE, ..] => Error::Other("a request for one"),
            _ => return None,
        },
        _ => return None,
    })
}

fn find(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const GLUED: &[u8] = b"----------";
const PEM_MARK: &[u8] = b"-----BEGIN ";
const SEQUENCE: u8 = 0x30;
/// Far above any list of roots.
const MAX_LEN: usize = 16 << 20;
const MAX_COUNT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> rcgen::CertifiedKey<rcgen::KeyPair> {
        rcgen::generate_simple_self_signed(["api.contoso.com".to_owned()]).unwrap()
    }

    #[test]
    fn pem_and_der_give_the_same_certificate() {
        let issued = issued();
        let der = certificates(issued.cert.der()).unwrap();
        let text = format!("some words\r\n{}\n{}", issued.cert.pem(), issued.cert.pem());
        let pem = certificates(text.as_bytes()).unwrap();
        assert_eq!((der.len(), pem.len()), (1, 2));
        let hashes: Vec<_> = pem.iter().map(|given| given.certificate.sha256).collect();
        assert_eq!(hashes, [der[0].certificate.sha256; 2]);
    }

    #[test]
    fn a_certificate_beside_its_key_is_taken_and_a_key_alone_is_refused() {
        let issued = issued();
        let key = issued.signing_key.serialize_pem();
        let both = format!("{key}{}", issued.cert.pem());
        assert_eq!(certificates(both.as_bytes()).unwrap().len(), 1);
        assert_eq!(
            certificates(key.as_bytes()).unwrap_err(),
            Error::Key("private key")
        );
        let der = issued.signing_key.serialize_der();
        assert_eq!(certificates(&der).unwrap_err(), Error::Key("private key"));
    }

    #[test]
    fn blocks_joined_without_a_line_feed_are_all_there() {
        let (one, other) = (issued(), issued());
        let glued = format!("\u{feff}{}{}", one.cert.pem().trim_end(), other.cert.pem());
        let found = certificates(glued.as_bytes()).unwrap();
        let ders: Vec<_> = found.iter().map(|given| given.der.as_slice()).collect();
        assert_eq!(ders, [&**one.cert.der(), &**other.cert.der()]);
    }

    #[test]
    fn what_is_no_certificate_is_told_by_name() {
        assert_eq!(certificates(b" \r\n").unwrap_err(), Error::Empty);
        assert_eq!(certificates(b"hello").unwrap_err(), Error::Unknown);
        let request =
            "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n";
        assert!(matches!(
            certificates(request.as_bytes()).unwrap_err(),
            Error::Other(_)
        ));
        let pfx = [0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x03];
        assert!(
            certificates(&pfx)
                .unwrap_err()
                .to_string()
                .contains("PKCS #12")
        );
    }

    #[test]
    fn every_prefix_of_a_file_gives_certificates_or_a_reason() {
        let issued = issued();
        let pem = issued.cert.pem().into_bytes();
        let whole = certificates(&pem).unwrap().remove(0).certificate.sha256;
        for file in [pem.as_slice(), issued.cert.der()] {
            for len in 0..file.len() {
                // A file cut in its last line still holds all of the certificate.
                for found in certificates(&file[..len]).into_iter().flatten() {
                    assert_eq!(found.certificate.sha256, whole, "of {len} bytes");
                }
            }
        }
    }
}
