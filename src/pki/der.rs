//! DER, as far as certificates need it: one element after the other (ITU-T X.690, sections 8 and 10).
//!
//! A borrowed view that never recurses and never allocates. Tags above 30 and indefinite lengths do
//! not occur in certificates and end the walk. An element may be cut: then it has the bytes that are
//! there, and says so.

/// One element: its identifier octet and its content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    /// The identifier octet: class, constructed bit and number.
    pub(crate) tag: u8,
    /// The content octets.
    pub(crate) content: &'a [u8],
    /// Header and content.
    pub(crate) raw: &'a [u8],
    /// Whether all of the content is there.
    pub(crate) extent: Extent,
}

/// Whether an element's content is all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As long as its length says.
    Whole,
    /// The bytes end before the element does.
    Cut,
}

impl<'a> Element<'a> {
    /// Takes the first element off the front of `bytes`; nothing if there is no readable header.
    pub(crate) fn split_first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, after_tag) = bytes.split_first()?;
        if tag & TAG_NUMBER == TAG_NUMBER {
            return None;
        }
        let (&first, after_first) = after_tag.split_first()?;
        let (len, header_len) = if first < 0x80 {
            (usize::from(first), 2)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let octets = after_first.get(..count)?;
            let len = octets
                .iter()
                .fold(0_u32, |len, &octet| len.wrapping_shl(8) | u32::from(octet));
            (usize::try_from(len).ok()?, count.saturating_add(2))
        };
        let end = header_len.checked_add(len)?;
        let (raw, rest, extent) = match bytes.split_at_checked(end) {
            Some((raw, rest)) => (raw, rest, Extent::Whole),
            None => (bytes, &[][..], Extent::Cut),
        };
        let element = Self {
            tag,
            content: raw.get(header_len..)?,
            raw,
            extent,
        };
        Some((element, rest))
    }

    /// This element, if it has the given tag and is whole.
    pub(crate) fn whole(self, tag: u8) -> Option<Self> {
        (self.tag == tag && self.extent == Extent::Whole).then_some(self)
    }

    /// The elements inside this one.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements { rest: self.content }
    }
}

/// Elements one after the other; ends where no header can be read.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements in `bytes`.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that no element was read from.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element if it has this tag; else nothing is taken.
    pub(crate) fn next_if(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.rest.first() == Some(&tag) {
            self.next()
        } else {
            None
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (element, rest) = Element::split_first(self.rest)?;
        self.rest = rest;
        Some(element)
    }
}

/// Identifier octets of the elements of a certificate (X.690, section 8.1.2).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const NUMERIC_STRING: u8 = 0x12;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const T61_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1a;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// `[0]`, `[1]` ... of a constructed element.
    pub(crate) const CONTEXT_0: u8 = 0xa0;
    pub(crate) const CONTEXT_1: u8 = 0xa1;
    pub(crate) const CONTEXT_2: u8 = 0xa2;
    pub(crate) const CONTEXT_3: u8 = 0xa3;
    /// `[0]` of a primitive element.
    pub(crate) const PRIMITIVE_0: u8 = 0x80;
}

/// The five bits of the tag number; all set announces a number in further octets.
const TAG_NUMBER: u8 = 0x1f;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_follow_each_other() {
        let mut elements = Elements::new(&[0x02, 1, 5, 0x0c, 0, 0x13, 2, b'a', b'b']);
        assert_eq!(elements.next().unwrap().content, [5]);
        assert!(elements.next().unwrap().content.is_empty());
        assert_eq!(elements.next().unwrap().raw, [0x13, 2, b'a', b'b']);
        assert!(elements.next().is_none());
    }

    #[test]
    fn long_lengths_are_read_and_impossible_ones_end_the_walk() {
        let mut bytes = vec![0x04, 0x82, 0x01, 0x00];
        bytes.extend([7; 256]);
        let (element, rest) = Element::split_first(&bytes).unwrap();
        assert_eq!((element.content.len(), rest.len()), (256, 0));
        for refused in [
            &[0x30, 0x80, 0, 0][..],
            &[0x30, 0x85, 0, 0, 0, 0, 1, 0],
            &[0x1f, 1, 0],
            &[0x30],
            &[0x30, 0x82, 1],
            &[],
        ] {
            assert!(Element::split_first(refused).is_none(), "{refused:?}");
        }
    }

    #[test]
    fn an_element_that_is_longer_than_its_bytes_is_cut() {
        let (element, rest) =
            Element::split_first(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 2]).unwrap();
        assert_eq!(
            (element.content, element.extent),
            (&[1, 2][..], Extent::Cut)
        );
        assert!(rest.is_empty());
        assert!(element.whole(tag::SEQUENCE).is_none());
    }
}
