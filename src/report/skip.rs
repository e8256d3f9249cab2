//! What is left out of a line: nothing empty is ever written.

/// Whether there is no text.
pub(in crate::report) fn absent<T: AsRef<str>>(text: &Option<T>) -> bool {
    text.as_ref().is_none_or(|text| text.as_ref().is_empty())
}

/// Whether a mark is not set. Marks are written only where they say something.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(in crate::report) const fn no(mark: &bool) -> bool {
    !*mark
}

/// A count that is left out where nothing was counted.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(in crate::report) fn zero(count: &u64) -> bool {
    *count == 0
}
