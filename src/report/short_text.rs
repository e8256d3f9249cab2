//! Text on the stack: what is written often and is never long.

/// At most `N` bytes of ASCII. What does not fit is dropped.
pub(crate) struct ShortText<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> ShortText<N> {
    pub(in crate::report) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// Room for so many more bytes, to be filled; none where they do not fit.
    pub(in crate::report) fn room(&mut self, len: usize) -> &mut [u8] {
        let start = self.len;
        let end = start.saturating_add(len);
        if end <= N {
            self.len = end;
        }
        self.bytes.get_mut(start..end).unwrap_or_default()
    }

    pub(in crate::report) fn push(&mut self, more: &[u8]) {
        let end = self.len.saturating_add(more.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(more);
            self.len = end;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}
