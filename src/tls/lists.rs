//! What a ClientHello offers in lists, as it was sent and in one piece of memory.
//!
//! Nearly every hello is like one that was seen before. Then nobody reads its lists: they are found among those that are known, as
//! bytes. So they stand here as bytes, one behind the other, and are read where somebody asks for one.
//!
//! ```text
//!  which list 1 | length 4 | bytes …
//! ```

use crate::tls::reader::{Reader, u16s};

/// Lists of a hello, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists(Vec<u8>);

/// Which list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List(u8);

impl List {
    pub(crate) const CIPHER_SUITES: Self = Self(0);
    pub(crate) const COMPRESSION_METHODS: Self = Self(1);
    pub(crate) const ALPN: Self = Self(2);
    pub(crate) const SUPPORTED_VERSIONS: Self = Self(3);
    pub(crate) const GROUPS: Self = Self(4);
    pub(crate) const POINT_FORMATS: Self = Self(5);
    pub(crate) const SIGNATURE_ALGORITHMS: Self = Self(6);
    pub(crate) const CERTIFICATE_COMPRESSION: Self = Self(7);
}

impl Lists {
    /// Makes room for `len` more bytes.
    pub(crate) fn reserve(&mut self, len: usize) {
        self.0.reserve_exact(len);
    }

    /// Takes in a list as it was sent, without its length.
    pub(crate) fn put(&mut self, List(which): List, bytes: &[u8]) {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.push(which);
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// The bytes of a list; none where it is not there.
    pub(crate) fn get(&self, List(which): List) -> &[u8] {
        let mut reader = Reader::new(&self.0);
        while let (Some(other), Some(len)) = (reader.u8(), reader.u32()) {
            let bytes = usize::try_from(len).ok().and_then(|len| reader.take(len));
            if other == which {
                return bytes.unwrap_or_default();
            }
        }
        &[]
    }

    /// A list of two-byte numbers.
    pub(crate) fn numbers(&self, list: List) -> Vec<u16> {
        u16s(self.get(list)).collect()
    }

    /// All of them, to be compared with others.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
impl Lists {
    /// Takes in a list of two-byte numbers.
    pub(crate) fn put_numbers(&mut self, list: List, numbers: &[u16]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|one| one.to_be_bytes()).collect();
        self.put(list, &bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_is_found_among_the_others() {
        let mut lists = Lists::default();
        assert!(lists.get(List::ALPN).is_empty());
        lists.put_numbers(List::CIPHER_SUITES, &[0x1301, 0xc02f]);
        lists.put(List::ALPN, b"\x02h2");
        lists.put(List::POINT_FORMATS, &[]);
        lists.put_numbers(List::GROUPS, &[29]);
        assert_eq!(lists.numbers(List::CIPHER_SUITES), [0x1301, 0xc02f]);
        assert_eq!(lists.get(List::ALPN), b"\x02h2");
        assert_eq!(lists.get(List::POINT_FORMATS), b"");
        assert_eq!(lists.numbers(List::GROUPS), [29]);
        assert!(lists.get(List::SUPPORTED_VERSIONS).is_empty());
    }
}
