//! The rest of a settled flow: from record header to record header, at almost no cost.
//!
//! A [`Tail`] is eight bytes. It follows the framing (RFC 8446, section 5.1) and says which records pass; it looks
//! inside none, and it does not find the framing again once that is lost.

use crate::tls::record::{ContentType, HEADER_LEN, Header};

/// Where the record framing of one direction stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Bytes of the current record that are still to come.
    left: u16,
    /// How many bytes of the next header have arrived.
    have: u8,
    header: [u8; HEADER_LEN],
}

impl Tail {
    pub(crate) fn new(left: u16, header_bytes: &[u8]) -> Self {
        let mut tail = Self {
            left,
            ..Self::default()
        };
        for (slot, byte) in tail.header.iter_mut().zip(header_bytes) {
            *slot = *byte;
            tail.have = tail.have.saturating_add(1);
        }
        tail
    }

    /// Follows the framing over the next bytes; `on_record` hears of each header when it is complete.
    ///
    /// # Errors
    ///
    /// [`Lost`] where a header should stand and does not. What comes after cannot be framed.
    pub fn on_bytes(
        &mut self,
        bytes: &[u8],
        mut on_record: impl FnMut(ContentType, u16),
    ) -> Result<(), Lost> {
        let mut rest = bytes;
        loop {
            let skip = rest.len().min(usize::from(self.left));
            self.left = self
                .left
                .saturating_sub(u16::try_from(skip).unwrap_or(u16::MAX));
            rest = rest.get(skip..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            let Some((record, after)) = self.next_header(rest)? else {
                return Ok(());
            };
            self.left = record.len;
            rest = after;
            on_record(record.content_type, record.len);
        }
    }

    /// Passes over `len` bytes, seen or missing, that lie inside of the current record; `false`, and
    /// nothing is passed over, where they reach beyond it.
    #[inline]
    pub fn pass(&mut self, len: u32) -> bool {
        let left = u32::from(self.left).checked_sub(len);
        let Some(left) = left.and_then(|left| u16::try_from(left).ok()) else {
            return false;
        };
        self.left = left;
        true
    }

    /// Follows the framing over `len` bytes that are missing.
    ///
    /// # Errors
    ///
    /// [`Lost`] when more is missing than the current record holds.
    pub fn on_gap(&mut self, len: u64) -> Result<(), Lost> {
        let left = u64::from(self.left).checked_sub(len).ok_or(Lost)?;
        self.left = u16::try_from(left).map_err(|_| Lost)?;
        Ok(())
    }

    /// The header that `bytes` completes, and what follows it.
    fn next_header<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<(Header, &'a [u8])>, Lost> {
        if self.have == 0
            && let Some(header) = Header::parse(bytes).map_err(|_| Lost)?
        {
            return Ok(bytes.get(HEADER_LEN..).map(|rest| (header, rest)));
        }
        let have = usize::from(self.have);
        let mut taken = 0;
        for (slot, byte) in self.header.iter_mut().skip(have).zip(bytes) {
            *slot = *byte;
            taken += 1;
        }
        let have = have.saturating_add(taken);
        self.have = u8::try_from(have).unwrap_or_default();
        let known = self.header.get(..have).unwrap_or_default();
        let Some(header) = Header::parse(known).map_err(|_| Lost)? else {
            return Ok(None);
        };
        self.have = 0;
        Ok(bytes.get(taken..).map(|rest| (header, rest)))
    }
}

/// The record framing is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record framing is lost")]
pub struct Lost;

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<u8> {
        let mut bytes = vec![23, 3, 3, 0, 3, 1, 2, 3];
        bytes.extend([23, 3, 3, 0, 0]);
        bytes.extend([21, 3, 3, 0, 26]);
        bytes.extend([9; 26]);
        bytes
    }

    fn seen_in_pieces_of(size: usize) -> Vec<(u8, u16)> {
        let mut tail = Tail::default();
        let mut seen = Vec::new();
        for piece in records().chunks(size) {
            tail.on_bytes(piece, |kind, len| seen.push((kind.0, len)))
                .unwrap();
        }
        seen
    }

    #[test]
    fn every_split_shows_the_same_records() {
        for size in 1..=records().len() {
            assert_eq!(seen_in_pieces_of(size), [(23, 3), (23, 0), (21, 26)]);
        }
    }

    #[test]
    fn a_header_that_is_none_is_lost() {
        assert_eq!(Tail::default().on_bytes(b"GET /", |_, _| ()), Err(Lost));
        let mut tail = Tail::default();
        assert_eq!(tail.on_bytes(&[23, 3], |_, _| ()), Ok(()));
        assert_eq!(tail.on_bytes(&[9], |_, _| ()), Err(Lost));
    }

    #[test]
    fn a_gap_inside_a_record_keeps_the_framing() {
        let mut tail = Tail::default();
        tail.on_bytes(&[23, 3, 3, 0, 100, 1], |_, _| ()).unwrap();
        tail.on_gap(99).unwrap();
        let mut seen = 0;
        tail.on_bytes(&[23, 3, 3, 0, 1, 1], |_, _| seen += 1)
            .unwrap();
        assert_eq!(seen, 1);
        assert_eq!(tail.on_gap(1), Err(Lost));
    }

    #[test]
    fn what_lies_inside_a_record_is_passed_over_as_by_following_it() {
        let mut followed = Tail::default();
        followed
            .on_bytes(&[23, 3, 3, 0, 100, 1], |_, _| ())
            .unwrap();
        let mut passed = followed;
        followed.on_bytes(&[1; 60], |_, _| ()).unwrap();
        followed.on_gap(39).unwrap();
        assert!(passed.pass(99));
        assert_eq!(passed, followed);
        assert!(!passed.pass(1));
        assert_eq!(passed, followed);
    }

    #[test]
    fn a_tail_is_small() {
        assert_eq!(size_of::<Tail>(), 8);
    }
}
