//! Whether standard output is coloured.

use clap::ValueEnum;

/// When there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the environment asks for none.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}
