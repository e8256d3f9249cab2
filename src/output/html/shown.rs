//! How text reaches the page: what would act on it, or hide in it, is shown by its number.

use std::fmt::{self, Write};

/// Writes `text` so that it is text wherever it stands in HTML: in an element, or in an attribute
/// between quotes. Control characters, marks that change the direction of text and invisible
/// characters are shown by their number, as `\u{202e}` (Unicode Standard Annex 9, section 2).
pub(in crate::output) fn write_escaped(out: &mut dyn Write, text: &str) -> fmt::Result {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let entity = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '`' => "&#96;",
            c if is_hidden(c) => "",
            _ => continue,
        };
        out.write_str(text.get(plain..at).unwrap_or_default())?;
        plain = at.saturating_add(c.len_utf8());
        if entity.is_empty() {
            write!(out, "\\u{{{:x}}}", u32::from(c))?;
        } else {
            out.write_str(entity)?;
        }
    }
    out.write_str(text.get(plain..).unwrap_or_default())
}

/// Whether a character acts on text around it, or cannot be seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        write_escaped(&mut out, text).unwrap();
        out
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            escaped("<script>alert(\"1\")</script>&'`"),
            "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;&#96;"
        );
    }

    #[test]
    fn what_hides_or_turns_text_is_shown_by_number() {
        assert_eq!(escaped("\u{202e}moc.osotnoc"), "\\u{202e}moc.osotnoc");
        assert_eq!(
            escaped("a\u{200b}b\0c\r\n"),
            "a\\u{200b}b\\u{0}c\\u{d}\\u{a}"
        );
        assert_eq!(escaped("\u{e0041}"), "\\u{e0041}");
    }

    #[test]
    fn every_script_is_readable() {
        let text = "Müller, Пётр, Ελένη, 株式会社, مثال";
        assert_eq!(escaped(text), text);
    }
}
