//! Numbers in the byte order of the machine that wrote the capture.

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    #[inline]
    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    #[inline]
    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    #[inline]
    pub(crate) fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(bytes),
            Self::Big => i64::from_be_bytes(bytes),
        }
    }

    /// Reads the first `N` 32-bit numbers of `bytes`.
    #[inline]
    pub(crate) fn words<const N: usize>(self, bytes: &[u8]) -> Option<[u32; N]> {
        let (words, _) = bytes.as_chunks();
        let words: &[[u8; 4]; N] = words.first_chunk()?;
        Some(words.map(|word| self.u32(word)))
    }

    /// Takes a 32-bit number off the front of `bytes`.
    #[inline]
    pub(crate) fn split_u32(self, bytes: &[u8]) -> Option<(u32, &[u8])> {
        let (number, rest) = bytes.split_first_chunk()?;
        Some((self.u32(*number), rest))
    }
}

/// A length from the wire as a length in memory. One too large for this machine is larger than anything held.
#[inline]
pub(crate) fn to_len(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// A length in memory as a count of bytes in a file.
#[inline]
pub(crate) fn to_count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
