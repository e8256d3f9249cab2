//! An input by its name, and what a look at its first bytes told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::capture::{self, Format, Reader};
use crate::input::{self, Compression};
use crate::time::Timestamp;

/// An input: a name and where its bytes come from.
pub struct Source {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    File(PathBuf, Option<Glimpse>),
    Stream(Box<dyn std::io::Read + Send>),
}

/// What a file is, as far as its first bytes tell. It may be another one when it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glimpse {
    /// When its first frame was captured.
    pub(super) first: Option<Timestamp>,
    /// What kind of capture it is, if it is one.
    pub(super) format: Option<Format>,
    pub(super) compression: Option<Compression>,
}

impl Source {
    /// The file at `path`. It is opened when its turn comes.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::from_path(path.as_ref(), None)
    }

    /// The file at `path`, if it begins like a capture. What it begins with is kept in mind: where there are many small files, to open each
    /// of them once more takes longer than to read it.
    ///
    /// A file that cannot be opened may be a capture: it is read, and then the error is told.
    #[must_use]
    pub fn capture(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        let glimpse = Glimpse::of(path);
        (glimpse.format.is_some() || begins_like_a_capture(path))
            .then(|| Self::from_path(path, Some(glimpse)))
    }

    /// A stream, under a name of its own. It is read once, from front to back, as its bytes come.
    #[must_use]
    pub fn stream(name: &str, stream: impl std::io::Read + Send + 'static) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Stream(Box::new(stream)),
        }
    }

    fn from_path(path: &Path, glimpse: Option<Glimpse>) -> Self {
        Self {
            name: path.to_string_lossy().into(),
            kind: Kind::File(path.to_owned(), glimpse),
        }
    }

    /// What a look into it told, if there was one.
    pub(super) const fn glimpse(&self) -> Option<Glimpse> {
        match self.kind {
            Kind::File(_, glimpse) => glimpse,
            Kind::Stream(_) => None,
        }
    }

    /// What kind of capture it is, where that is known.
    pub(super) fn format(&self) -> Option<Format> {
        self.glimpse().and_then(|glimpse| glimpse.format)
    }

    /// Looks into it, unless that was done. Into a stream nobody can look without reading it, nor into a pipe with a name.
    pub(super) fn looked_into(mut self) -> Self {
        if let Kind::File(path, glimpse @ None) = &mut self.kind
            && path.metadata().is_ok_and(|metadata| metadata.is_file())
        {
            *glimpse = Some(Glimpse::of(path));
        }
        self
    }
}

impl Glimpse {
    fn of(path: &Path) -> Self {
        let mut glimpse = Self::default();
        let Ok(input) = input::open_path(path) else {
            return glimpse;
        };
        glimpse.compression = Some(input.compression());
        if let Ok(reader) = Reader::new(input) {
            glimpse.format = Some(reader.format());
            glimpse.first = reader
                .with_block_len(LOOK_LEN)
                .next_frame(|frame| frame.time)
                .unwrap_or_default();
        }
        glimpse
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether a file that cannot be read as a capture was meant to be one: cut after its first few bytes, or out of reach.
fn begins_like_a_capture(path: &Path) -> bool {
    use std::io::Read as _;
    let Ok(input) = input::open_path(path) else {
        return true;
    };
    let mut first_bytes = Vec::with_capacity(MAGIC_LEN);
    // What comes before an error is looked at all the same.
    let _ = input
        .take(u64::try_from(MAGIC_LEN).unwrap_or(u64::MAX))
        .read_to_end(&mut first_bytes);
    capture::looks_like(&first_bytes)
}

/// How much of a file is looked at for its first frame at first: less than the first read brings.
const LOOK_LEN: usize = 2048;
/// How many bytes tell what a file is.
const MAGIC_LEN: usize = 8;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A classic capture of one empty frame, a second after the epoch.
    const CAPTURE: &[u8] = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0\
        \x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    #[test]
    fn a_look_tells_what_a_file_is_and_when_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        fs::write(&path, CAPTURE).unwrap();
        let glimpse = Source::capture(&path).unwrap().glimpse().unwrap();
        assert_eq!(glimpse.format, Some(Format::Pcap));
        assert_eq!(glimpse.compression, Some(Compression::None));
        assert_eq!(glimpse.first, Some(Timestamp::from_nanos(1_000_000_000)));
    }

    #[test]
    fn every_prefix_with_a_magic_number_is_a_capture_and_no_shorter_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        for len in 0..CAPTURE.len() {
            fs::write(&path, &CAPTURE[..len]).unwrap();
            assert_eq!(Source::capture(&path).is_some(), len >= 4, "{len} bytes");
        }
    }

    #[test]
    fn what_cannot_be_opened_may_be_a_capture() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Source::capture(folder.path().join("gone")).is_some());
    }

    #[test]
    fn what_changes_after_the_look_is_read_as_what_it_then_is() {
        use crate::analysis::Analyzer;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        fs::write(&path, CAPTURE).unwrap();
        let sources = [Source::capture(&path).unwrap(), Source::file("nowhere")];
        let mut run = Analyzer::new().start(sources).unwrap();
        fs::write(&path, b"something else").unwrap();
        assert_eq!(run.by_ref().count(), 0);
        let summary = run.summary();
        let errors: Vec<bool> = summary
            .inputs
            .iter()
            .map(|input| input.error.is_some())
            .collect();
        assert_eq!(errors, [true, true]);
    }
}
