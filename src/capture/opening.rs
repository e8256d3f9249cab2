//! What the first bytes of an input say: which kind of capture it is, or what it is instead.

use std::io::Read;

use crate::capture::block::Layout;
use crate::capture::classic::{self, Magic};
use crate::capture::error::Error;
use crate::capture::foreign;
use crate::capture::interface::{Interface, Interfaces};
use crate::capture::ng::{self, Section};
use crate::capture::refill::Refill;

/// Reads what stands before the first record.
pub(crate) fn open<R: Read>(input: &mut Refill<R>) -> Result<(Layout, Interfaces), Error> {
    let magic = match first_bytes(input, MAGIC_LEN) {
        Some(bytes) => bytes.first_chunk().copied().unwrap_or_default(),
        None => return Err(not_a_capture(input)),
    };
    if let Some(magic) = Magic::from_bytes(magic) {
        open_classic(input, magic)
    } else if magic == ng::MAGIC {
        open_ng(input)
    } else {
        Err(not_a_capture(input))
    }
}

fn open_classic<R: Read>(
    input: &mut Refill<R>,
    magic: Magic,
) -> Result<(Layout, Interfaces), Error> {
    let Some(layout) = first_bytes(input, magic.header_len())
        .and_then(|header| classic::Layout::from_header(magic, header))
    else {
        return Err(header_cut(input));
    };
    input.consume(magic.header_len());
    let mut interfaces = Interfaces::default();
    interfaces.push(Interface::new(layout.link_type, layout.clock));
    Ok((Layout::Classic(layout), interfaces))
}

/// The section header itself is read as any other block.
fn open_ng<R: Read>(input: &mut Refill<R>) -> Result<(Layout, Interfaces), Error> {
    let Some(bytes) = first_bytes(input, NG_ORDER_END) else {
        return Err(header_cut(input));
    };
    match bytes
        .split_last_chunk()
        .and_then(|(_, magic)| ng::byte_order(*magic))
    {
        Some(order) => Ok((Layout::Ng(Section::first(order)), Interfaces::default())),
        None => Err(not_a_capture(input)),
    }
}

/// The first `len` bytes, if there are as many.
fn first_bytes<R: Read>(input: &mut Refill<R>, len: usize) -> Option<&[u8]> {
    input.fill(len, len);
    input.bytes().get(..len)
}

fn header_cut<R: Read>(input: &mut Refill<R>) -> Error {
    match input.take_failure() {
        Some(error) => Error::Io(error),
        None => Error::HeaderCut { have: input.len() },
    }
}

fn not_a_capture<R: Read>(input: &mut Refill<R>) -> Error {
    input.fill(FOREIGN_LEN, FOREIGN_LEN);
    if let Some(error) = input.take_failure() {
        return Error::Io(error);
    }
    let bytes = input.bytes();
    if bytes.is_empty() {
        return Error::Empty;
    }
    match foreign::name(bytes) {
        Some((what, hint)) => Error::Foreign { what, hint },
        None => Error::NotACapture {
            first_bytes: bytes.iter().copied().take(16).collect(),
        },
    }
}

const MAGIC_LEN: usize = 4;

/// Where the byte-order magic of the first section ends.
const NG_ORDER_END: usize = 12;

/// Enough for the magic of a tar archive, which stands at 257.
const FOREIGN_LEN: usize = 512;
