//! Reports become bytes: one [`Writer`] per [`Format`].
//!
//! Rendering is apart from writing, so that many threads can render and one writes in order.
//! A writer prints what a report says; it judges nothing.
//!
//! ```
//! use tlstriage::output::{Format, Style};
//! use tlstriage::report::Summary;
//!
//! let mut writer = Format::Text.writer(Box::new(std::io::sink()), Style::default());
//! writer.finish(&Summary::default())?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod difference;
mod escaping;
mod format;
mod html;
mod jsonl;
mod line;
mod phrases;
mod schema;
mod sink;
mod text;
mod writer;

pub use difference::DifferenceFormat;
pub use format::{Format, UnknownFormat};
pub use jsonl::MAX_LINE_LEN;
pub use schema::schema;
pub use writer::{Style, Writer};
