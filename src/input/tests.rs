use std::io::Write;
use std::path::Path;

use super::*;

/// A text of `len` bytes that compresses, but not to nothing.
fn text(len: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|number| format!("{} ", number.wrapping_mul(2_654_435_761)).into_bytes())
        .take(len)
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new().block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

type Compress = fn(&[u8]) -> Vec<u8>;

const KINDS: [(Compression, Compress); 4] = [
    (Compression::None, plain),
    (Compression::Gzip, gzip),
    (Compression::Lz4, lz4),
    (Compression::Zstd, zstd),
];

/// "a capture, compressed" by `xz --check=crc32`: our decoder crate is built without its encoder.
const XZ: [u8; 76] = [
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01,
    0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x15, 0x61, 0x20, 0x63, 0x61, 0x70,
    0x74, 0x75, 0x72, 0x65, 0x2c, 0x20, 0x63, 0x6f, 0x6d, 0x70, 0x72, 0x65, 0x73, 0x73, 0x65, 0x64,
    0x0a, 0x00, 0x00, 0x00, 0x6c, 0x8a, 0xa9, 0x19, 0x00, 0x01, 0x2a, 0x16, 0x52, 0xcc, 0x39, 0xbb,
    0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a,
];
const XZ_TEXT: &[u8] = b"a capture, compressed\n";

/// The same by `lz4 -l`.
const LZ4_LEGACY: [u8; 32] = [
    0x02, 0x21, 0x4c, 0x18, 0x18, 0x00, 0x00, 0x00, 0xf0, 0x07, 0x61, 0x20, 0x63, 0x61, 0x70, 0x74,
    0x75, 0x72, 0x65, 0x2c, 0x20, 0x63, 0x6f, 0x6d, 0x70, 0x72, 0x65, 0x73, 0x73, 0x65, 0x64, 0x0a,
];

/// Gives at most so many bytes a read.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = out.len().min(self.1);
        self.0.read(&mut out[..len])
    }
}

/// All that is read before the end or the first error.
fn read_all(mut input: impl Read, step: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut all = Vec::new();
    let mut piece = vec![0; step];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return (all, None),
            Ok(len) => all.extend(&piece[..len]),
            Err(error) => return (all, Some(error)),
        }
    }
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let (all, error) = read_all(open(bytes).unwrap(), 1 << 18);
    assert!(error.is_none(), "{error:?}");
    for (read, step) in [(1, 7), (13, 1 << 18), (4096, 1)] {
        let (same, error) = read_all(open(Trickle(bytes, read)).unwrap(), step);
        assert!(error.is_none(), "{error:?}");
        assert!(all == same);
    }
    all
}

#[test]
fn each_compression_is_told_by_its_first_bytes() {
    let text = text(300_000);
    for (compression, compress) in KINDS {
        let bytes = compress(&text);
        assert_eq!(open(&*bytes).unwrap().compression(), compression);
        assert!(decompressed(&bytes) == text, "{compression:?}");
    }
    assert_eq!(open(&XZ[..]).unwrap().compression(), Compression::Xz);
    assert_eq!(decompressed(&XZ), XZ_TEXT);
    assert_eq!(
        open(&LZ4_LEGACY[..]).unwrap().compression(),
        Compression::Lz4
    );
    assert_eq!(decompressed(&LZ4_LEGACY), XZ_TEXT);
}

#[test]
fn members_in_a_row_are_one_stream() {
    let (first, second) = (text(100_000), text(70_000));
    let whole = [&first[..], &second].concat();
    for (compression, compress) in KINDS {
        let bytes = [compress(&first), compress(b""), compress(&second)].concat();
        if compression != Compression::None {
            assert!(decompressed(&bytes) == whole, "{compression:?}");
        }
    }
    let padded = [&XZ[..], &[0; 8], &XZ].concat();
    assert_eq!(decompressed(&padded), [XZ_TEXT, XZ_TEXT].concat());
}

#[test]
fn skippable_frames_are_skipped() {
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0][..], b"hello"].concat();
    for compress in [zstd, lz4] {
        let bytes = [
            skippable.clone(),
            compress(b"one "),
            skippable.clone(),
            compress(b"two"),
            skippable.clone(),
        ]
        .concat();
        assert_eq!(decompressed(&bytes), b"one two");
    }
}

#[test]
fn what_follows_the_compressed_data_is_passed_over_and_said() {
    for compressed in [gzip(b"data"), zstd(b"data"), lz4(b"data"), XZ.to_vec()] {
        let alone = decompressed(&compressed);
        for (tail, is_said) in [
            (&b""[..], false),
            (&[0; 600], false),
            (b"\n", true),
            (b"\0tail", true),
        ] {
            let bytes = [&compressed, tail].concat();
            let mut input = open(&*bytes).unwrap();
            let mut all = Vec::new();
            input.read_to_end(&mut all).unwrap();
            assert_eq!(all, alone);
            assert_eq!(input.has_tail(), is_said);
        }
    }
}

#[test]
fn what_ends_early_gives_all_before_and_says_so() {
    let text = text(300_000);
    for (compression, compress) in &KINDS[1..] {
        let bytes = compress(&text);
        for len in (8..bytes.len()).step_by(9_973).chain([bytes.len() - 1]) {
            let (given, error) = read_all(open(&bytes[..len]).unwrap(), 1 << 18);
            let error = error.unwrap();
            assert_eq!(
                error.kind(),
                io::ErrorKind::UnexpectedEof,
                "{compression:?} {len}"
            );
            assert_eq!(
                error.to_string(),
                format!("the {} data end early", compression.name())
            );
            assert!(text.starts_with(&given));
            // No more than the block that was cut is missing.
            let share = text.len() * len / bytes.len();
            assert!(given.len() + 150_000 > share, "{compression:?} {len}");
        }
    }
    for len in 6..XZ.len() {
        let (given, error) = read_all(open(&XZ[..len]).unwrap(), 100);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::UnexpectedEof);
        assert!(XZ_TEXT.starts_with(&given));
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let text = text(600);
    let mut samples: Vec<_> = KINDS[1..]
        .iter()
        .map(|(_, compress)| [compress(&text), compress(&text)].concat())
        .collect();
    samples.push(XZ.to_vec());
    samples.push(LZ4_LEGACY.to_vec());
    for bytes in samples {
        for place in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[place] ^= flip;
                let mut input = open(&*bytes).unwrap();
                let (given, error) = read_all(&mut input, 1000);
                assert!(given.len() < 1 << 26);
                if let Some(error) = error {
                    assert!(matches!(
                        error.kind(),
                        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                    ));
                    assert_eq!(input.read(&mut [0; 10]).unwrap(), 0);
                }
            }
        }
    }
}

#[test]
fn what_would_take_too_much_memory_is_refused_in_words() {
    // A frame with a window of 2 GiB, as `zstd --long=31` makes.
    let frame = b"\x28\xb5\x2f\xfd\x00\xa8\xb1\x00\x00a capture, compressed\n";
    let (given, error) = read_all(open(&frame[..]).unwrap(), 100);
    assert_eq!(given, b"");
    assert_eq!(
        error.unwrap().to_string(),
        "the zstd data need a window of more than 128 MiB: decompress them first"
    );
    // The same sample with a dictionary of 128 MiB.
    let mut xz = XZ;
    xz[16..24].copy_from_slice(&[0x1e, 0, 0, 0, 0x9b, 0x07, 0x51, 0x66]);
    let (given, error) = read_all(open(&xz[..]).unwrap(), 100);
    assert_eq!(given, b"");
    assert_eq!(
        error.unwrap().to_string(),
        "the xz data need a dictionary of more than 64 MiB: decompress them first"
    );
}

#[test]
fn only_one_layer_is_taken_off() {
    let inner = gzip(b"data");
    assert_eq!(decompressed(&zstd(&inner)), inner);
}

#[test]
fn an_error_of_the_input_is_passed_on_as_it_is() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(io::Error::new(io::ErrorKind::TimedOut, "the cable")),
                len => Ok(len),
            }
        }
    }
    let text = text(50_000);
    for (compression, compress) in KINDS {
        let bytes = compress(&text);
        let (given, error) = read_all(open(Failing(&bytes[..bytes.len() / 2])).unwrap(), 100);
        let error = error.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{compression:?}");
        assert_eq!(error.to_string(), "the cable");
        assert!(text.starts_with(&given));
    }
    assert_eq!(open(Failing(b"")).unwrap_err().to_string(), "the cable");
}

#[test]
fn a_directory_is_the_list_of_its_files() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    std::fs::create_dir_all(at("b/c")).unwrap();
    for name in ["b/c/2.pcap", "b/1.pcap", "z.pcap", "a.pcap"] {
        std::fs::write(at(name), name).unwrap();
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.path(), at("b/round")).unwrap();
        std::os::unix::fs::symlink(at("a.pcap"), at("b/link.pcap")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("b/broken.pcap")).unwrap();
    }
    let mut expected = vec!["a.pcap", "b/1.pcap", "b/c/2.pcap", "b/link.pcap", "z.pcap"];
    if !cfg!(unix) {
        expected.remove(3);
    }
    let expected: Vec<_> = expected.into_iter().map(at).collect();
    let all = |path: &Path| files(path, |error| panic!("{error}"));
    assert_eq!(all(root.path()), expected);
    assert_eq!(all(&at("a.pcap")), [at("a.pcap")]);
    let mut all = String::new();
    open_path(&at("a.pcap"))
        .unwrap()
        .read_to_string(&mut all)
        .unwrap();
    assert_eq!(all, "a.pcap");
    assert!(open_path(&at("none")).is_err());
}
