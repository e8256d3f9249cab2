//! Reading numbers and vectors of TLS's presentation language (RFC 8446, section 3).
//!
//! Every read is checked and takes its bytes off the front; `None` means that they are not there. It
//! knows lengths and nothing of what they hold.

/// A view that is read from the front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array()
            .map(|[high, mid, low]| u32::from_be_bytes([0, high, mid, low]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// A vector with a length of one byte.
    pub(crate) fn vec8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u8()?;
        let body = ahead.take(usize::from(len))?;
        *self = ahead;
        Some(body)
    }

    /// A vector with a length of two bytes.
    pub(crate) fn vec16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u16()?;
        let body = ahead.take(usize::from(len))?;
        *self = ahead;
        Some(body)
    }

    /// A vector with a length of two bytes, or what there is of it.
    pub(crate) fn vec16_or_rest(&mut self) -> Option<&'a [u8]> {
        self.vec16().or_else(|| {
            self.u16()?;
            self.take(self.0.len())
        })
    }

    /// A vector with a length of three bytes.
    pub(crate) fn vec24(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = usize::try_from(ahead.u24()?).ok()?;
        let body = ahead.take(len)?;
        *self = ahead;
        Some(body)
    }
}

/// The two-byte numbers that `bytes` is made of; an odd byte at the end is left.
pub(crate) fn u16s(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_be_bytes(*pair))
}
