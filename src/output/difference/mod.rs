//! What changed between two runs, as bytes: text for a person, a page, or one JSON document.

mod page;
mod text;
mod words;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Serializer;

use crate::comparison::Comparison;
use crate::output::escaping::Escaping;
use crate::output::format::UnknownFormat;

/// A format of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DifferenceFormat {
    /// One HTML page that needs nothing else.
    Html,
    /// One JSON document in one line.
    Json,
    /// For a person.
    Text,
}

impl DifferenceFormat {
    /// Every format.
    pub const ALL: &'static [Self] = &[Self::Html, Self::Json, Self::Text];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    /// The format that a file name asks for by its extension: `html` or `htm`; `json`; `txt` or `text`.
    #[must_use]
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension().and_then(OsStr::to_str)?;
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(Self::Html),
            "json" => Some(Self::Json),
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }

    /// The comparison in this format; `color` is for text on a terminal.
    ///
    /// # Errors
    ///
    /// None that a comparison can cause.
    pub fn render(self, comparison: &Comparison, color: bool) -> io::Result<Vec<u8>> {
        match self {
            Self::Html => page::page(comparison).map(String::into_bytes),
            Self::Json => json(comparison),
            Self::Text => Ok(text::text(comparison, color)),
        }
    }
}

impl fmt::Display for DifferenceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DifferenceFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.iter().find(|format| format.name() == name);
        known.copied().ok_or(UnknownFormat)
    }
}

fn json(comparison: &Comparison) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: u32,
        #[serde(flatten)]
        comparison: &'a Comparison,
    }
    let mut bytes = Vec::new();
    let document = Document {
        schema: 1,
        comparison,
    };
    document.serialize(&mut Serializer::with_formatter(&mut bytes, Escaping))?;
    bytes.push(b'\n');
    Ok(bytes)
}
