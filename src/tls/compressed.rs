//! Compressed certificates (RFC 8879).
//!
//! The length that a message claims is a limit and no promise: what comes out longer or shorter is malformed.

use std::io::Read;

use crate::tls::observed::Unseen;
use crate::tls::reader::Reader;

/// The Certificate message in a CompressedCertificate's body, of at most `max_len` bytes.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn decompress(body: &[u8], max_len: usize) -> Result<Vec<u8>, Unseen> {
    let mut reader = Reader::new(body);
    let algorithm = reader.u16().ok_or(Unseen::Malformed)?;
    let len = reader.u24().ok_or(Unseen::Malformed)?;
    let packed = reader.vec24().ok_or(Unseen::Malformed)?;
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len > max_len {
        return Err(Unseen::Limit);
    }
    match algorithm {
        ZLIB => read(flate2::read::ZlibDecoder::new(packed), len),
        BROTLI => read(
            brotli_decompressor::Decompressor::new(packed, BUFFER_LEN),
            len,
        ),
        ZSTD => {
            let mut decoder =
                zstd::stream::read::Decoder::new(packed).map_err(|_| Unseen::Malformed)?;
            decoder
                .window_log_max(WINDOW_LOG_MAX)
                .map_err(|_| Unseen::Malformed)?;
            read(decoder, len)
        }
        _ => Err(Unseen::Malformed),
    }
}

/// Reads exactly `len` bytes.
fn read(decoder: impl Read, len: usize) -> Result<Vec<u8>, Unseen> {
    let limit = u64::try_from(len).unwrap_or(u64::MAX).saturating_add(1);
    let mut message = Vec::new();
    decoder
        .take(limit)
        .read_to_end(&mut message)
        .map_err(|_| Unseen::Malformed)?;
    if message.len() == len {
        Ok(message)
    } else {
        Err(Unseen::Malformed)
    }
}

/// The algorithms (RFC 8879, section 7.3).
const ZLIB: u16 = 1;
const BROTLI: u16 = 2;
const ZSTD: u16 = 3;

const BUFFER_LEN: usize = 4096;
/// A window of a mebibyte holds the longest message that is read.
const WINDOW_LOG_MAX: u32 = 20;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn body(algorithm: u16, len: usize, packed: &[u8]) -> Vec<u8> {
        let u24 = |len: usize| u32::try_from(len).unwrap().to_be_bytes()[1..].to_vec();
        [
            &algorithm.to_be_bytes()[..],
            &u24(len),
            &u24(packed.len()),
            packed,
        ]
        .concat()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A brotli stream of one uncompressed block (RFC 7932, section 9): window 16, length, the bytes, an empty last block.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let len = u32::try_from(bytes.len() - 1).unwrap();
        // WBITS 0, ISLAST 0, MNIBBLES 0 (four nibbles), MLEN - 1, ISUNCOMPRESSED 1.
        let head = (len << 4) | (1 << 20);
        [&head.to_le_bytes()[..3], bytes, &[3]].concat()
    }

    #[test]
    fn each_algorithm_gives_the_message_back() {
        let message: Vec<u8> = (0..=250).cycle().take(3000).collect();
        for (algorithm, pack) in packers() {
            let body = body(algorithm, message.len(), &pack(&message));
            assert_eq!(
                decompress(&body, 1 << 16).as_deref(),
                Ok(&message[..]),
                "{algorithm}"
            );
        }
    }

    /// Packs a message.
    type Packer = fn(&[u8]) -> Vec<u8>;

    /// Each algorithm with what packs a message by it.
    fn packers() -> [(u16, Packer); 3] {
        let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 3).unwrap();
        [(ZLIB, zlib), (BROTLI, brotli), (ZSTD, zstd)]
    }

    #[test]
    fn a_bomb_costs_no_more_than_it_claims() {
        let bombs = [
            (ZLIB, zlib(&vec![0; 1 << 24])),
            (
                ZSTD,
                zstd::stream::encode_all(&vec![0; 1 << 24][..], 3).unwrap(),
            ),
            (BROTLI, brotli(&vec![0; 1 << 15])),
        ];
        for (algorithm, packed) in bombs {
            assert!(packed.len() <= (1 << 15) + 4, "{algorithm}");
            assert_eq!(
                decompress(&body(algorithm, 1000, &packed), 1 << 16),
                Err(Unseen::Malformed)
            );
            assert_eq!(
                decompress(&body(algorithm, 1 << 23, &packed), 1 << 16),
                Err(Unseen::Limit)
            );
        }
    }

    #[test]
    fn a_window_that_no_message_needs_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&[7; 300]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(
            decompress(&body(ZSTD, 300, &packed), 1 << 16),
            Err(Unseen::Malformed)
        );
    }

    #[test]
    fn a_wrong_length_and_every_prefix_are_malformed() {
        let message = [7; 300];
        for (algorithm, pack) in packers() {
            let packed = pack(&message);
            for len in [0, 299, 301] {
                assert_eq!(
                    decompress(&body(algorithm, len, &packed), 1 << 16),
                    Err(Unseen::Malformed),
                    "{algorithm}"
                );
            }
            let whole = body(algorithm, 300, &packed);
            assert_eq!(decompress(&whole, 300).as_deref(), Ok(&message[..]));
            assert_eq!(decompress(&whole, 299), Err(Unseen::Limit));
            for len in 0..whole.len() {
                assert!(decompress(&whole[..len], 1 << 16).is_err());
            }
            // No changed byte is a panic, or more than was claimed.
            for at in 0..whole.len() {
                for flip in [0x01, 0x10, 0xff] {
                    let mut flipped = whole.clone();
                    flipped[at] ^= flip;
                    let len = decompress(&flipped, 1 << 16).map_or(0, |message| message.len());
                    assert!(len <= 1 << 16);
                }
            }
        }
        assert_eq!(
            decompress(&body(9, 300, &zlib(&message)), 1 << 16),
            Err(Unseen::Malformed)
        );
    }
}
