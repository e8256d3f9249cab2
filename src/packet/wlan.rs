//! IEEE 802.11 data frames, and the headers that capture tools put before them.
//!
//! Only frames in clear are read; fragments of 802.11 are not joined, and of an aggregate
//! (A-MSDU) only the first frame is looked at.

use crate::packet::path::Trail;
use crate::packet::skip::Skip;
use crate::packet::view::View;
use crate::packet::walk::{Layer, Walk, Wlan};

/// Takes the header of an 802.11 frame off (IEEE 802.11-2020, clause 9.2.4).
pub(crate) fn frame<T: Trail>(walk: &mut Walk<'_, T>, written: Wlan) -> Result<Layer, Skip> {
    let before = walk.view.start();
    let [first, second] = *walk.view.take(Skip::MalformedLink)?;
    let [kind, flags] = match written {
        Wlan::Swapped => [second, first],
        Wlan::Plain | Wlan::Padded => [first, second],
    };
    // Version 0, type data, and not one of the subtypes without data.
    if kind & 0x4f != 0x08 {
        return Err(Skip::NotIp);
    }
    if flags & PROTECTED != 0 {
        return Err(Skip::Encrypted);
    }
    let rest: &[u8; 22] = walk.view.take(Skip::MalformedLink)?;
    // Who swaps the first field makes no sense in the last one either.
    let is_later_fragment = rest[20] & 0x0f != 0 && written != Wlan::Swapped;
    if flags & MORE_FRAGMENTS != 0 || is_later_fragment {
        return Err(Skip::BareFragment);
    }
    if flags & BOTH_DS == BOTH_DS {
        walk.view.advance(6, Skip::MalformedLink)?;
    }
    let mut aggregate = false;
    if kind & QUALITY_OF_SERVICE != 0 {
        let [control, _] = *walk.view.take(Skip::MalformedLink)?;
        aggregate = control & AGGREGATE != 0;
        if flags & HT_CONTROL != 0 {
            walk.view.advance(4, Skip::MalformedLink)?;
        }
    }
    if written == Wlan::Padded {
        let padding = (walk.view.start() - before).wrapping_neg() % 4;
        walk.view.advance(padding, Skip::MalformedLink)?;
    }
    if aggregate {
        // Destination, source, length (clause 9.3.2.2.2).
        let subframe: &[u8; 14] = walk.view.take(Skip::MalformedLink)?;
        let length = u16::from_be_bytes([subframe[12], subframe[13]]);
        walk.view.limit(usize::from(length));
    }
    Ok(Layer::Llc)
}

/// Takes a radiotap header off (radiotap.org).
pub(crate) fn radiotap(view: &mut View<'_>) -> Result<Layer, Skip> {
    let bytes = view.bytes();
    let [0, _, lo, hi, ..] = bytes else {
        return Err(Skip::MalformedLink);
    };
    let written = match radiotap_flags(bytes) {
        Some(flags) if flags & RADIOTAP_PADDED != 0 => Wlan::Padded,
        _ => Wlan::Plain,
    };
    let length = usize::from(u16::from_le_bytes([*lo, *hi]));
    if length < 8 {
        return Err(Skip::MalformedLink);
    }
    view.advance(length, Skip::MalformedLink)?;
    Ok(Layer::Wlan(written))
}

/// The field "flags", second of those that may stand behind the words that say which do.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    let words = header.get(4..)?.as_chunks::<4>().0;
    let present = u32::from_le_bytes(*words.first()?);
    if present & RADIOTAP_HAS_FLAGS == 0 {
        return None;
    }
    let more = words
        .iter()
        .take_while(|word| u32::from_le_bytes(**word) & RADIOTAP_MORE_WORDS != 0)
        .count();
    let mut at = 4 + (more + 1) * 4;
    if present & RADIOTAP_HAS_CLOCK != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.get(at).copied()
}

/// Takes the header of the Prism chip set off, or the AVS header that came after it.
pub(crate) fn prism(view: &mut View<'_>) -> Result<Layer, Skip> {
    let [a, b, c, d, length @ ..] = *view.take::<8>(Skip::MalformedLink)?;
    let length = match (u32::from_be_bytes([a, b, c, d]), length) {
        (AVS_FIRST..=AVS_LAST, length) => u32::from_be_bytes(length),
        // In the byte order of the capturing machine: the one that makes the number small.
        (_, length) => u32::from_le_bytes(length).min(u32::from_be_bytes(length)),
    };
    let rest = usize::try_from(length)
        .ok()
        .and_then(|length| length.checked_sub(8))
        .ok_or(Skip::MalformedLink)?;
    view.advance(rest, Skip::MalformedLink)?;
    Ok(Layer::Wlan(Wlan::Plain))
}

const QUALITY_OF_SERVICE: u8 = 0x80;
const BOTH_DS: u8 = 0x03;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;
const AGGREGATE: u8 = 0x80;

const RADIOTAP_HAS_CLOCK: u32 = 1;
const RADIOTAP_HAS_FLAGS: u32 = 1 << 1;
const RADIOTAP_MORE_WORDS: u32 = 1 << 31;
const RADIOTAP_PADDED: u8 = 0x20;

const AVS_FIRST: u32 = 0x8021_1001;
const AVS_LAST: u32 = 0x8021_1002;
