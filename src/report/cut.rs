//! Bounds on what a line holds: how many entries of a list, how many bytes of a text.
//!
//! Whoever builds a report cuts its parts once ([`Bounded::bounded`]); a line that is still too
//! long is cut again, tighter, by the writer. What was cut says so: a list has its full count
//! beside it, a text ends in `…`.

use std::borrow::Cow;
use std::sync::Arc;

/// A part of a report that can be cut to size.
pub trait Bounded {
    /// Cuts lists and texts to `to`, and drops what is empty.
    fn cut(&mut self, to: Cut);

    /// This part with the usual bounds.
    #[must_use]
    fn bounded(mut self) -> Self
    where
        Self: Sized,
    {
        self.cut(Cut::USUAL);
        self
    }
}

/// How much may stand in a list and in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    list: usize,
    text: usize,
}

impl Cut {
    /// What every report is cut to: lists to their own bound (at most 128 entries), texts to 1,024 bytes.
    pub const USUAL: Self = Self {
        list: 128,
        text: 1024,
    };

    /// The next step down: half as much of both; `None` where hardly anything would be left.
    #[must_use]
    pub const fn tighter(self) -> Option<Self> {
        if self.list == 1 {
            return None;
        }
        Some(Self {
            list: self.list / 2,
            text: self.text / 2 + 8,
        })
    }

    /// Cuts `list` to its own bound `most`, and notes the full count where entries are lost.
    pub(crate) fn list<T>(self, list: &mut Vec<T>, most: usize, count: &mut Option<usize>) {
        let most = most.min(self.list);
        if list.len() > most {
            count.get_or_insert(list.len());
            list.truncate(most);
            // A certificate may have thousands of names, and reports of it are kept.
            list.shrink_to_fit();
        }
    }

    /// Whether `list` would lose entries.
    pub(crate) fn shortens<T>(self, list: &[T], most: usize) -> bool {
        list.len() > most.min(self.list)
    }

    /// Cuts a list of texts, and each text in it.
    pub(crate) fn texts<T: Cuttable>(
        self,
        list: &mut Vec<T>,
        most: usize,
        count: &mut Option<usize>,
    ) {
        list.retain(|text| !text.is_blank());
        self.list(list, most, count);
        for text in list {
            text.cut(self.text);
        }
    }

    /// Cuts `text`, or drops it where it is empty.
    pub(crate) fn text<T: Cuttable>(self, text: &mut Option<T>) {
        if text.as_ref().is_some_and(Cuttable::is_blank) {
            *text = None;
        }
        if let Some(text) = text {
            text.cut(self.text);
        }
    }

    /// Cuts `digits`, without the ellipsis that would make them no number.
    pub(crate) fn digits(self, digits: &mut Option<Arc<str>>) {
        digits.take_if(|digits| digits.is_empty());
        if let Some(digits) = digits
            && let Some(short) = digits.get(..self.text.min(MAX_DIGITS))
        {
            *digits = short.into();
        }
    }

    /// Cuts `text`.
    pub(crate) fn required(self, text: &mut impl Cuttable) {
        text.cut(self.text);
    }
}

/// A text that can be cut.
pub(crate) trait Cuttable {
    fn is_blank(&self) -> bool;
    fn cut(&mut self, len: usize);
}

impl Cuttable for Arc<str> {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
    fn cut(&mut self, len: usize) {
        if let Some(short) = shortened(self, len) {
            *self = short.into();
        }
    }
}

impl Cuttable for Cow<'static, str> {
    fn is_blank(&self) -> bool {
        self.is_empty()
    }
    fn cut(&mut self, len: usize) {
        if let Some(short) = shortened(self, len) {
            *self = short.into();
        }
    }
}

/// The first `len` bytes of `text` and an ellipsis, or `None` where it is short enough.
fn shortened(text: &str, len: usize) -> Option<String> {
    if text.len() <= len {
        return None;
    }
    let room = len.saturating_sub(ELLIPSIS.len());
    let end = (0..=room).rev().find(|&at| text.is_char_boundary(at))?;
    Some(format!("{}{ELLIPSIS}", text.get(..end)?))
}

/// A serial number has at most 40 (RFC 5280, section 4.1.2.2).
const MAX_DIGITS: usize = 128;
const ELLIPSIS: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_cut_twice_keeps_its_first_count() {
        let mut list: Vec<u8> = (0..100).collect();
        let mut count = None;
        Cut::USUAL.list(&mut list, 200, &mut count);
        assert_eq!((list.len(), count), (100, None));
        Cut::USUAL.list(&mut list, 64, &mut count);
        assert_eq!((list.len(), count), (64, Some(100)));
        let tighter = Cut { list: 5, text: 40 };
        tighter.list(&mut list, 64, &mut count);
        assert_eq!((list, count), (vec![0, 1, 2, 3, 4], Some(100)));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for len in 3..20 {
            let mut text: Arc<str> = "äöüäöüäöüäöü".into();
            Cuttable::cut(&mut text, len);
            assert!(text.len() <= len && text.ends_with('…'), "{len}: {text}");
        }
        let mut text: Arc<str> = "short".into();
        Cuttable::cut(&mut text, 5);
        assert_eq!(&*text, "short");
    }

    #[test]
    fn every_step_down_is_smaller_and_there_are_few() {
        let mut cut = Cut::USUAL;
        let mut steps = 0;
        while let Some(next) = cut.tighter() {
            assert!(next.list < cut.list && next.text < cut.text);
            cut = next;
            steps += 1;
        }
        assert_eq!((steps, cut.list, cut.text), (7, 1, 23));
    }
}
