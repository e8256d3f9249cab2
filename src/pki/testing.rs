//! Certificates for tests, byte by byte: small, without keys that work, and as wrong as one likes.

use crate::pki::certificate::Certificate;
use crate::pki::der::tag;
use crate::pki::oid::Oid;

/// A certificate with nothing in it but what every certificate has.
pub(crate) fn certificate() -> Builder {
    Builder {
        serial: vec![1],
        issuer: None,
        subject: Vec::new(),
        not_before: (tag::UTC_TIME, "250101000000Z".to_owned()),
        extensions: Vec::new(),
        signature: vec![0, 0],
    }
}

/// A certificate in the making.
#[derive(Clone)]
pub(crate) struct Builder {
    serial: Vec<u8>,
    issuer: Option<Vec<(String, String)>>,
    subject: Vec<(String, String)>,
    not_before: (u8, String),
    extensions: Vec<(Oid, Vec<u8>)>,
    signature: Vec<u8>,
}

impl Builder {
    pub(crate) fn subject(mut self, attributes: &[(&str, &str)]) -> Self {
        self.subject = owned(attributes);
        self
    }

    /// Without it the issuer is the subject.
    pub(crate) fn issuer(mut self, attributes: &[(&str, &str)]) -> Self {
        self.issuer = Some(owned(attributes));
        self
    }

    pub(crate) fn serial(mut self, content: &[u8]) -> Self {
        self.serial = content.to_vec();
        self
    }

    pub(crate) fn not_before(mut self, tag: u8, content: &str) -> Self {
        self.not_before = (tag, content.to_owned());
        self
    }

    pub(crate) fn extension(mut self, oid: &str, value: &[u8]) -> Self {
        self.extensions
            .push((Oid::from_dotted(oid).unwrap(), value.to_vec()));
        self
    }

    pub(crate) fn dns(self, names: &[&str]) -> Self {
        let names: Vec<u8> = names
            .iter()
            .flat_map(|name| element(0x82, name.as_bytes()))
            .collect();
        self.extension("2.5.29.17", &element(tag::SEQUENCE, &names))
    }

    pub(crate) fn authority(self) -> Self {
        self.extension("2.5.29.19", &[0x30, 3, 1, 1, 0xff])
    }

    pub(crate) fn subject_key_id(self, id: &[u8]) -> Self {
        self.extension("2.5.29.14", &element(tag::OCTET_STRING, id))
    }

    pub(crate) fn authority_key_id(self, id: &[u8]) -> Self {
        let id = element(tag::PRIMITIVE_0, id);
        self.extension("2.5.29.35", &element(tag::SEQUENCE, &id))
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let algorithm = element(tag::SEQUENCE, &element(tag::OID, &[0x2a, 3, 4]));
        let key = [algorithm.clone(), element(tag::BIT_STRING, &[0, 1])].concat();
        let validity = [
            element(self.not_before.0, self.not_before.1.as_bytes()),
            element(tag::UTC_TIME, b"350101000000Z"),
        ]
        .concat();
        let mut body = [
            element(tag::CONTEXT_0, &[tag::INTEGER, 1, 2]),
            element(tag::INTEGER, &self.serial),
            algorithm.clone(),
            name(self.issuer.as_ref().unwrap_or(&self.subject)),
            element(tag::SEQUENCE, &validity),
            name(&self.subject),
            element(tag::SEQUENCE, &key),
        ]
        .concat();
        if !self.extensions.is_empty() {
            let list: Vec<u8> = self
                .extensions
                .iter()
                .flat_map(|(oid, value)| {
                    let parts = [
                        element(tag::OID, oid.as_content()),
                        element(tag::OCTET_STRING, value),
                    ];
                    element(tag::SEQUENCE, &parts.concat())
                })
                .collect();
            body.extend(element(tag::CONTEXT_3, &element(tag::SEQUENCE, &list)));
        }
        let parts = [
            element(tag::SEQUENCE, &body),
            algorithm,
            element(tag::BIT_STRING, &self.signature),
        ];
        element(tag::SEQUENCE, &parts.concat())
    }

    pub(crate) fn read(&self) -> Certificate {
        Certificate::from_der(&self.der())
    }
}

/// One element with its header.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut raw = vec![tag];
    match u8::try_from(content.len()) {
        Ok(len @ ..0x80) => raw.push(len),
        _ => {
            raw.push(0x82);
            raw.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        }
    }
    raw.extend(content);
    raw
}

fn name(attributes: &[(String, String)]) -> Vec<u8> {
    let sets: Vec<u8> = attributes
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .flat_map(|(kind, value)| {
            let kind = match kind.as_str() {
                "CN" => 3,
                "C" => 6,
                "L" => 7,
                "ST" => 8,
                "O" => 10,
                "OU" => 11,
                other => panic!("no number for {other}"),
            };
            let pair = [
                element(tag::OID, &[0x55, 4, kind]),
                element(tag::UTF8_STRING, value.as_bytes()),
            ];
            element(tag::SET, &element(tag::SEQUENCE, &pair.concat()))
        })
        .collect();
    element(tag::SEQUENCE, &sets)
}

fn owned(attributes: &[(&str, &str)]) -> Vec<(String, String)> {
    attributes
        .iter()
        .map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned()))
        .collect()
}
