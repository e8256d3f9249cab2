//! Formats that people take for captures, by their first bytes, and what to do about each.
//!
//! Magic numbers from the public descriptions of the formats. A format without one is named only
//! when several of its fields agree.

/// What `bytes` begin like, and what to do about it.
pub(crate) fn name(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    KNOWN
        .iter()
        .find(|known| {
            bytes
                .get(known.at..)
                .is_some_and(|rest| rest.starts_with(known.magic))
        })
        .map(|known| (known.what, known.hint))
        .or_else(|| is_etl(bytes).then_some(ETL))
        .or_else(|| is_erf(bytes).then_some(ERF))
        .or_else(|| text(bytes))
}

struct Known {
    at: usize,
    magic: &'static [u8],
    what: &'static str,
    hint: &'static str,
}

const fn known(magic: &'static [u8], what: &'static str, hint: &'static str) -> Known {
    known_at(0, magic, what, hint)
}

const fn known_at(
    at: usize,
    magic: &'static [u8],
    what: &'static str,
    hint: &'static str,
) -> Known {
    Known {
        at,
        magic,
        what,
        hint,
    }
}

const EDITCAP: &str = "convert it with Wireshark's editcap: `editcap -F pcapng in.cap out.pcapng`";
const DECOMPRESS_TWICE: &str =
    "one layer of compression is read through: take the other one off first";
const UNPACK: &str = "unpack it and give the captures inside";
const RECOMPRESS: &str = "decompress it first, or compress with gzip, zstd, lz4 or xz";

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    known(b"GMBU", "a Microsoft Network Monitor 2 capture", EDITCAP),
    known(b"RTSS", "a Microsoft Network Monitor 1 capture", EDITCAP),
    known(b"snoop\0\0\0", "a snoop capture", EDITCAP),
    known(b"TRSNIFF data    \x1a", "a Sniffer capture", EDITCAP),
    known(b"XCP\0", "a NetXRay or Sniffer capture", EDITCAP),
    known(b"iptrace 1.0", "an AIX iptrace capture", EDITCAP),
    known(b"iptrace 2.0", "an AIX iptrace capture", EDITCAP),
    known(b"\x05VNF", "a Visual Networks capture", EDITCAP),
    known(b"\xaa\xaa\xaa\xaa", "a 5Views capture", EDITCAP),
    known(b"\x01\x10\x4c\x00\x01\x05", "a LANalyzer capture", EDITCAP),
    known(b"\x00\x00\x02\x00\x12\x05\x00\x10", "a Tektronix K12 capture", EDITCAP),
    known(b"+---------+---------------+----------+", "a K12 text capture", EDITCAP),
    known(b"\x7fver\0\0", "a WildPackets capture", EDITCAP),
    known(b"btsnoop\0", "a Bluetooth capture (btsnoop)", "there is no TLS over TCP in it"),
    known(b"\x1f\x8b", "gzip-compressed data", DECOMPRESS_TWICE),
    known(b"\x28\xb5\x2f\xfd", "zstd-compressed data", DECOMPRESS_TWICE),
    known(b"\x04\x22\x4d\x18", "lz4-compressed data", DECOMPRESS_TWICE),
    known(b"\xfd7zXZ\0", "xz-compressed data", DECOMPRESS_TWICE),
    known(b"BZh", "bzip2-compressed data", RECOMPRESS),
    known(b"\x1f\x9d", "data compressed with compress", RECOMPRESS),
    known(b"LZIP", "lzip-compressed data", RECOMPRESS),
    known(b"PK\x03\x04", "a zip archive", UNPACK),
    known(b"PK\x05\x06", "an empty zip archive", UNPACK),
    known(b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    known(b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    known_at(257, b"ustar", "a tar archive", UNPACK),
    known(b"-----BEGIN ", "a PEM file", "give it to the option that takes keys or certificates, and a capture here"),
    known(b"\x7fELF", "a program", "give a capture"),
    known(b"MZ", "a Windows program", "give a capture"),
    known(b"%PDF-", "a PDF document", "give a capture"),
    known(b"PAR1", "a Parquet file", "give the capture it was made from"),
    known(b"SQLite format 3\0", "an SQLite database", "give the capture it was made from"),
];

const ETL: (&str, &str) = (
    "a Windows event trace (ETL)",
    "convert it: `pktmon etl2pcap in.etl -o out.pcapng`, or etl2pcapng for one made by `netsh trace`",
);

/// Buffer size and the two offsets into it, then, after a buffer header of 72 bytes, the header of a system event
/// (`WMI_BUFFER_HEADER`, `SYSTEM_TRACE_HEADER`).
fn is_etl(bytes: &[u8]) -> bool {
    let word = |at: usize| {
        let bytes: Option<&[u8; 4]> = bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.map(|bytes| u32::from_le_bytes(*bytes))
    };
    let (Some(size), Some(saved), Some(marker)) = (word(0), word(4), bytes.get(72..76)) else {
        return false;
    };
    (1 << 10..=1 << 24).contains(&size)
        && size.is_multiple_of(512)
        && saved <= size
        && matches!(marker, [_, _, 1 | 2, 0xc0])
}

const ERF: (&str, &str) = (
    "maybe an Endace ERF capture",
    "if so, convert it with Wireshark's editcap: `editcap -F pcapng in.erf out.pcapng`",
);

/// A record header has no magic: time (fraction, then seconds), type, flags, record length, losses, wire length.
fn is_erf(bytes: &[u8]) -> bool {
    let Some(
        [
            _,
            _,
            _,
            _,
            s0,
            s1,
            s2,
            s3,
            kind,
            _,
            len_hi,
            len_lo,
            lost,
            _,
            wire_hi,
            wire_lo,
        ],
    ) = bytes.first_chunk::<16>()
    else {
        return false;
    };
    let seconds = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
    let record_len = u16::from_be_bytes([*len_hi, *len_lo]);
    let wire_len = u16::from_be_bytes([*wire_hi, *wire_lo]);
    // From the year 2000 on; Ethernet, with or without extension headers, and nothing lost.
    seconds >= 946_684_800
        && matches!(kind & 0x7f, 2 | 11 | 16 | 20)
        && (32..=16_384).contains(&record_len)
        && record_len.is_multiple_of(8)
        && (14..=16_384).contains(&wire_len)
        && *lost == 0
}

/// Text, of a kind that can be told.
fn text(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Only a part is seen, which may end within a character.
    let is_text = std::str::from_utf8(bytes).map_or_else(|end| end.error_len().is_none(), |_| true)
        && !bytes
            .iter()
            .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    if !is_text || bytes.is_empty() {
        return None;
    }
    let trimmed = bytes.trim_ascii_start();
    Some(match trimmed {
        [b'<', ..] if is_html(trimmed) => (
            "an HTML page",
            "a download gave a web page in place of the capture: download it again",
        ),
        [b'<', ..] => ("an XML document", "give the capture it was made from"),
        [b'{' | b'[', ..] => ("JSON text", "give the capture it was made from"),
        _ => (
            "text",
            "give a capture; a hex dump can be made one with Wireshark's text2pcap",
        ),
    })
}

fn is_html(bytes: &[u8]) -> bool {
    let start = bytes.get(..14).unwrap_or(bytes).to_ascii_lowercase();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(bytes: &[u8]) -> Option<&'static str> {
        name(bytes).map(|(what, _)| what)
    }

    #[test]
    fn a_format_with_a_magic_is_named() {
        assert_eq!(
            what(b"GMBU\x00\x02"),
            Some("a Microsoft Network Monitor 2 capture")
        );
        assert_eq!(what(b"snoop\0\0\0\0\0\0\x02"), Some("a snoop capture"));
        assert_eq!(what(b"PK\x03\x04\x14\0"), Some("a zip archive"));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(what(&tar), Some("a tar archive"));
    }

    #[test]
    fn an_event_trace_is_named_with_the_command_that_converts_it() {
        let mut etl = vec![0; 128];
        etl[..4].copy_from_slice(&65_536_u32.to_le_bytes());
        etl[4..8].copy_from_slice(&400_u32.to_le_bytes());
        etl[72..76].copy_from_slice(&[2, 0, 2, 0xc0]);
        let (_, hint) = name(&etl).unwrap();
        assert!(hint.contains("pktmon etl2pcap in.etl -o out.pcapng"));
        etl[75] = 0;
        assert_eq!(name(&etl), None);
    }

    #[test]
    fn text_is_named_by_its_kind() {
        assert_eq!(what(b"  {\"a\": 1}"), Some("JSON text"));
        assert_eq!(what(b"<!DOCTYPE html><html>"), Some("an HTML page"));
        assert_eq!(what(b"<?xml version"), Some("an XML document"));
        assert_eq!(what(b"12:00:01 IP 10.0.0.1 > 10.0.0.2"), Some("text"));
        assert_eq!(what(b"-----BEGIN CERTIFICATE-----"), Some("a PEM file"));
    }

    #[test]
    fn a_likely_erf_record_is_only_maybe_one() {
        let mut erf = vec![0; 64];
        erf[4..8].copy_from_slice(&1_700_000_000_u32.to_le_bytes());
        erf[8] = 2;
        erf[10..12].copy_from_slice(&64_u16.to_be_bytes());
        erf[14..16].copy_from_slice(&42_u16.to_be_bytes());
        assert_eq!(what(&erf), Some("maybe an Endace ERF capture"));
    }

    #[test]
    fn unknown_bytes_have_no_name() {
        assert_eq!(what(&[0; 64]), None);
        assert_eq!(what(&[0xff; 3]), None);
        assert_eq!(what(&[]), None);
    }
}
