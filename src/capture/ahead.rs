//! Secrets of a pcapng file, found without reading it: from block header to block header.
//!
//! A capture program may write its decryption secrets blocks (draft-ietf-opsawg-pcapng, section 4.7) in front of all packets or behind them, and one that
//! follows connections writes them in between. This walk takes what it can follow and reports no damage: whoever reads the capture does.

use std::io::{self, Read, Seek, SeekFrom};

use crate::capture::order::{Order, to_len};
use crate::capture::secrets::Secrets;

/// How far is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the first packet from the front, and to the last one from the back.
    Ends,
    /// Over the whole file.
    Whole,
}

/// Hands the secrets of a plain pcapng file to `take`, until that says `false`. Any other file has none.
///
/// # Errors
///
/// When reading or seeking fails.
pub fn find_secrets(
    input: impl Read + Seek,
    reach: Reach,
    mut take: impl FnMut(Secrets) -> bool,
) -> io::Result<()> {
    let mut window = Window::new(input)?;
    let mut at = 0;
    let mut order = Order::Little;
    let mut held = 0;
    while let Some(block) = window.block(at, &mut order)? {
        if at == 0 && block.kind != SECTION {
            return Ok(());
        }
        if block.kind == SECRETS
            && let Some(secrets) = window.secrets(block, order, &mut held)?
            && !take(secrets)
        {
            return Ok(());
        }
        if reach == Reach::Ends && is_packet(block.kind) {
            return window.walk_back(at, order, held, take);
        }
        at = block.end;
    }
    Ok(())
}

/// The stretch of a file that is in memory.
struct Window<R> {
    input: R,
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

/// Where a block stands.
#[derive(Clone, Copy)]
struct Place {
    kind: u32,
    start: u64,
    end: u64,
}

impl<R: Read + Seek> Window<R> {
    fn new(mut input: R) -> io::Result<Self> {
        let len = input.seek(SeekFrom::End(0))?;
        Ok(Self {
            input,
            len,
            start: 0,
            bytes: Vec::new(),
        })
    }

    /// `len` bytes from `at` on; `None` beyond the end.
    fn bytes(&mut self, at: u64, len: usize) -> io::Result<Option<&[u8]>> {
        let held = |window: &Self| {
            let from = usize::try_from(at.checked_sub(window.start)?).ok()?;
            let to = from.checked_add(len)?;
            (to <= window.bytes.len()).then_some(from..to)
        };
        if held(self).is_none() {
            self.start = self.input.seek(SeekFrom::Start(at))?;
            self.bytes.clear();
            let wanted = u64::try_from(len.max(WINDOW_LEN)).unwrap_or(u64::MAX);
            (&mut self.input)
                .take(wanted)
                .read_to_end(&mut self.bytes)?;
        }
        Ok(held(self).and_then(|range| self.bytes.get(range)))
    }

    fn array<const N: usize>(&mut self, at: u64) -> io::Result<Option<[u8; N]>> {
        let bytes = self.bytes(at, N)?;
        Ok(bytes.and_then(|bytes| bytes.first_chunk().copied()))
    }

    /// The block that begins at `at`, of which a section header sets the order; `None` where there is none.
    fn block(&mut self, at: u64, order: &mut Order) -> io::Result<Option<Place>> {
        let Some([a, b, c, d, length @ ..]) = self.array::<8>(at)? else {
            return Ok(None);
        };
        let mut kind = order.u32([a, b, c, d]);
        // The type of a section header reads the same both ways.
        if kind == SECTION {
            match self.array::<4>(at + 8)? {
                Some(MAGIC_BIG) => *order = Order::Big,
                Some(MAGIC_LITTLE) => *order = Order::Little,
                _ => return Ok(None),
            }
            kind = SECTION;
        }
        let len = u64::from(order.u32(length));
        let end = at.saturating_add(len.next_multiple_of(4));
        if len < MIN_BLOCK_LEN || end > self.len {
            return Ok(None);
        }
        Ok(Some(Place {
            kind,
            start: at,
            end,
        }))
    }

    /// The secrets in a block, as long as all of them stay within the limit.
    fn secrets(
        &mut self,
        block: Place,
        order: Order,
        held: &mut usize,
    ) -> io::Result<Option<Secrets>> {
        let at = block.start + 8;
        let Some([a, b, c, d, length @ ..]) = self.array::<8>(at)? else {
            return Ok(None);
        };
        let len = to_len(order.u32(length));
        let room = block.end.saturating_sub(at + 8 + 4);
        let total = held.saturating_add(len);
        if u64::try_from(len).is_ok_and(|len| len > room) || total > Secrets::MAX_LEN {
            return Ok(None);
        }
        *held = total;
        let secrets_type = order.u32([a, b, c, d]);
        Ok(self.bytes(at + 8, len)?.map(|data| Secrets {
            secrets_type,
            next_frame: 0,
            data: data.to_vec(),
        }))
    }

    /// Walks backwards to the last packet, but not before `stop`.
    fn walk_back(
        &mut self,
        stop: u64,
        order: Order,
        mut held: usize,
        mut take: impl FnMut(Secrets) -> bool,
    ) -> io::Result<()> {
        let mut end = self.len;
        while let Some(length) = end.checked_sub(4) {
            let Some(length) = self.array::<4>(length)? else {
                return Ok(());
            };
            let len = u64::from(order.u32(length)).next_multiple_of(4);
            let Some(start) = end.checked_sub(len).filter(|start| *start > stop) else {
                return Ok(());
            };
            let mut same = order;
            let block = self.block(start, &mut same)?;
            let Some(block) = block.filter(|block| block.end == end && same == order) else {
                return Ok(());
            };
            if is_packet(block.kind) {
                return Ok(());
            }
            if block.kind == SECRETS
                && let Some(secrets) = self.secrets(block, order, &mut held)?
                && !take(secrets)
            {
                return Ok(());
            }
            end = start;
        }
        Ok(())
    }
}

impl<R> Drop for Window<R> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}

fn is_packet(kind: u32) -> bool {
    matches!(kind, OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET)
}

const SECTION: u32 = 0x0a0d_0d0a;
const MAGIC_LITTLE: [u8; 4] = [0x4d, 0x3c, 0x2b, 0x1a];
const MAGIC_BIG: [u8; 4] = [0x1a, 0x2b, 0x3c, 0x4d];
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;
const MIN_BLOCK_LEN: u64 = 12;
/// Headers are close together where packets are small, and a read costs about as much as 16 KiB.
const WINDOW_LEN: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
        let u32 = |value: u32| {
            if big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let len = u32(12 + u32::try_from(body.len()).unwrap());
        [&u32(kind)[..], &len, &body, &len].concat()
    }

    fn section(big: bool) -> Vec<u8> {
        let magic = if big { MAGIC_BIG } else { MAGIC_LITTLE };
        let rest = [[0; 4], [0xff; 4], [0xff; 4]].concat();
        block(big, SECTION, &[&magic[..], &rest].concat())
    }

    fn secrets(big: bool, text: &str) -> Vec<u8> {
        let len = u32::try_from(text.len()).unwrap();
        let head = if big {
            [Secrets::TLS_KEY_LOG.to_be_bytes(), len.to_be_bytes()]
        } else {
            [Secrets::TLS_KEY_LOG.to_le_bytes(), len.to_le_bytes()]
        };
        block(big, SECRETS, &[&head.concat(), text.as_bytes()].concat())
    }

    fn packet(big: bool, len: usize) -> Vec<u8> {
        block(big, ENHANCED_PACKET, &vec![7; len])
    }

    fn found(file: &[u8], reach: Reach) -> Vec<String> {
        let mut texts = Vec::new();
        find_secrets(Cursor::new(file), reach, |secrets| {
            assert_eq!(secrets.secrets_type, Secrets::TLS_KEY_LOG);
            texts.push(String::from_utf8(secrets.data.clone()).unwrap());
            true
        })
        .unwrap();
        texts
    }

    fn file(big: bool) -> Vec<u8> {
        [
            section(big),
            secrets(big, "front"),
            packet(big, 100),
            packet(big, 40_000),
            secrets(big, "middle"),
            packet(big, 3),
            secrets(big, "back"),
            block(big, 5, &[0; 8]),
            secrets(big, "last"),
        ]
        .concat()
    }

    #[test]
    fn the_whole_file_is_walked_in_either_order() {
        for big in [false, true] {
            let texts = found(&file(big), Reach::Whole);
            assert_eq!(texts, ["front", "middle", "back", "last"]);
        }
    }

    #[test]
    fn the_ends_are_walked_to_the_first_and_to_the_last_packet() {
        for big in [false, true] {
            assert_eq!(found(&file(big), Reach::Ends), ["front", "last", "back"]);
        }
    }

    #[test]
    fn sections_of_both_orders_follow_each_other() {
        let file = [file(false), file(true)].concat();
        assert_eq!(found(&file, Reach::Whole).len(), 8);
    }

    #[test]
    fn what_is_no_pcapng_has_none() {
        assert!(found(b"", Reach::Whole).is_empty());
        assert!(found(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], Reach::Whole).is_empty());
    }

    #[test]
    fn every_prefix_and_every_flipped_byte_ends() {
        let file = [
            section(false),
            secrets(false, "front"),
            packet(false, 40),
            secrets(false, "back"),
        ]
        .concat();
        for reach in [Reach::Ends, Reach::Whole] {
            for len in 0..file.len() {
                assert!(found(&file[..len], reach).len() <= 2);
            }
            for at in 0..file.len() {
                for flip in [1, 0x80, 0xff] {
                    let mut flipped = file.clone();
                    flipped[at] ^= flip;
                    let mut count = 0;
                    let take = |_| {
                        count += 1;
                        true
                    };
                    find_secrets(Cursor::new(&flipped), reach, take).unwrap();
                    assert!(count <= 3);
                }
            }
        }
    }
}
