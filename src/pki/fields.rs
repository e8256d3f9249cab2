//! The fields of a certificate where its encoding cannot be trusted (RFC 5280, section 4.1).
//!
//! A certificate that a strict reader refuses, for a date of month 13 or for its missing end, still
//! names its subject. This walk takes what stands in its place and leaves the rest out. It judges
//! nothing but whether the bytes are all there.

use crate::pki::der::{Element, Elements, Extent, tag};
use crate::pki::extension::RawExtension;
use crate::pki::signature::{Algorithm, Signed};
use crate::pki::text::Decoder;
use crate::pki::validity::Date;

/// The parts of a certificate, as far as they were found.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    /// The version that is written, one less than the one that is spoken of.
    pub(crate) version: u32,
    /// Content octets of the serial number.
    pub(crate) serial: &'a [u8],
    /// The issuer with its header.
    pub(crate) issuer: &'a [u8],
    pub(crate) not_before: Date,
    pub(crate) not_after: Date,
    /// The subject with its header.
    pub(crate) subject: &'a [u8],
    /// The public key's information with its header.
    pub(crate) key: &'a [u8],
    pub(crate) extensions: Vec<RawExtension<'a>>,
    /// The outer parts, if all are there.
    pub(crate) signed: Option<Signed<'a>>,
    /// The signature's algorithm as the signed part names it.
    pub(crate) algorithm: Option<Algorithm<'a>>,
}

/// What a walk over damaged bytes found, and how far they went.
pub(crate) struct Salvage<'a> {
    pub(crate) fields: Fields<'a>,
    /// Whether the bytes begin like a certificate: a sequence in a sequence.
    pub(crate) begins_like_one: bool,
    /// Whether they end before it does.
    pub(crate) extent: Extent,
}

impl<'a> Salvage<'a> {
    /// Takes what can be read.
    pub(crate) fn from_der(der: &'a [u8], decoder: &mut Decoder) -> Self {
        let mut salvage = Self {
            fields: Fields::default(),
            begins_like_one: false,
            extent: Extent::Whole,
        };
        let Some((certificate, _)) = Element::split_first(der) else {
            return salvage;
        };
        let mut parts = certificate.elements();
        let Some(body) = parts.next_if(tag::SEQUENCE) else {
            return salvage;
        };
        salvage.begins_like_one = certificate.tag == tag::SEQUENCE;
        salvage.extent = certificate.extent;
        if !salvage.begins_like_one {
            return salvage;
        }
        salvage.fields = Fields::from_body(body.elements(), decoder);
        salvage.fields.signed = signed(body, parts);
        salvage
    }
}

impl<'a> Fields<'a> {
    fn from_body(mut body: Elements<'a>, decoder: &mut Decoder) -> Self {
        let mut fields = Self::default();
        if let Some(version) = body.next_if(tag::CONTEXT_0) {
            let number = version.elements().next().map(|number| number.content);
            fields.version = number.map_or(0, |number| {
                number
                    .iter()
                    .fold(0, |sum: u32, &octet| sum.wrapping_shl(8) | u32::from(octet))
            });
        }
        let mut next = |tag| body.next().and_then(|element| element.whole(tag));
        fields.serial = next(tag::INTEGER).map_or(&[], |serial| serial.content);
        fields.algorithm = next(tag::SEQUENCE).and_then(algorithm);
        // Names may be cut: whoever reads them sees it.
        fields.issuer = body.next().map_or(&[], |issuer| issuer.raw);
        if let Some(validity) = body.next() {
            let mut dates = validity.elements().map(|date| match date.extent {
                Extent::Whole => Date::from_element(date, decoder),
                Extent::Cut => Date::default(),
            });
            fields.not_before = dates.next().unwrap_or_default();
            fields.not_after = dates.next().unwrap_or_default();
        }
        fields.subject = body.next().map_or(&[], |subject| subject.raw);
        fields.key = body.next().map_or(&[], |key| key.raw);
        for part in body {
            if part.tag == tag::CONTEXT_3 {
                fields.extensions = extensions(part);
            }
        }
        fields
    }
}

fn extensions(wrapper: Element<'_>) -> Vec<RawExtension<'_>> {
    let Some(list) = wrapper.elements().next() else {
        return Vec::new();
    };
    list.elements()
        .filter_map(|extension| {
            let mut parts = extension.elements();
            let oid = parts.next_if(tag::OID)?.whole(tag::OID)?.content;
            parts.next_if(tag::BOOLEAN);
            // The value may be cut: names before the cut are names.
            let value = parts.next_if(tag::OCTET_STRING)?.content;
            Some(RawExtension { oid, value })
        })
        .collect()
}

fn signed<'a>(body: Element<'a>, mut rest: Elements<'a>) -> Option<Signed<'a>> {
    let body = body.whole(tag::SEQUENCE)?;
    Some(Signed {
        message: body.raw,
        algorithm: rest.next()?.whole(tag::SEQUENCE).and_then(algorithm)?,
        signature: rest
            .next()?
            .whole(tag::BIT_STRING)?
            .content
            .split_first()?
            .1,
    })
}

fn algorithm(identifier: Element<'_>) -> Option<Algorithm<'_>> {
    let mut parts = identifier.elements();
    Some(Algorithm {
        oid: parts.next()?.whole(tag::OID)?.content,
        parameters: parts
            .next_if(tag::SEQUENCE)
            .map(|parameters| parameters.content),
    })
}
