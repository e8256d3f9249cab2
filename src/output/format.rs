//! The formats by name, and the writer of each.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use crate::output::html::Html;
use crate::output::jsonl::Jsonl;
use crate::output::text::Text;
use crate::output::writer::{Style, Writer};

/// A format of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The report as one HTML page that needs nothing else.
    Html,
    /// JSON lines: one document per flow.
    Jsonl,
    /// The report for a person.
    Text,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Self] = &[Self::Html, Self::Jsonl, Self::Text];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Jsonl => "jsonl",
            Self::Text => "text",
        }
    }

    /// The format that a file name asks for by its extension: `html` or `htm`; `jsonl`, `ndjson` or `json`;
    /// `txt` or `text`.
    #[must_use]
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension().and_then(OsStr::to_str)?;
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(Self::Html),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }

    /// A writer of this format to `place`, which need not be buffered.
    #[must_use]
    pub fn writer(self, place: Box<dyn io::Write + Send>, style: Style) -> Box<dyn Writer> {
        match self {
            Self::Html => Box::new(Html::new(place)),
            Self::Jsonl => Box::new(Jsonl::new(place, style)),
            Self::Text => Box::new(Text::new(place, style)),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.iter().find(|format| format.name() == name);
        known.copied().ok_or(UnknownFormat)
    }
}

/// The name is not that of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a format: known are html, jsonl and text")]
pub struct UnknownFormat;
