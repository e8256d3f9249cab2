//! How single values are shown to a person: wire text, numbers, times.

use std::fmt::Write;

use crate::report::Time;

/// `text` so that each character takes one column and none does anything to a terminal.
///
/// Control characters, marks that change the direction of text, invisible and wide characters are
/// shown by their number, as `\u{202e}`. Letters of the Latin, Greek and Cyrillic scripts stay.
pub(in crate::output) fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            shown.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        }
    }
    shown
}

const fn is_plain(c: char) -> bool {
    matches!(
        c,
        ' '..='~'
            | '\u{a1}'..='\u{ac}'
            | '\u{ae}'..='\u{2ff}'
            | '\u{370}'..='\u{377}'
            | '\u{37b}'..='\u{37f}'
            | '\u{384}'..='\u{482}'
            | '\u{48a}'..='\u{52f}'
            | '\u{2010}'..='\u{2014}'
            | '\u{2018}'..='\u{201d}'
            | '…'
    )
}

/// Clean text cut in its middle to `width` columns: both ends of a name tell something.
pub(in crate::output) fn squeezed(clean: &str, width: usize) -> String {
    let len = clean.chars().count();
    if len <= width {
        return clean.to_owned();
    }
    let room = width.saturating_sub(1);
    let back = room / 2;
    let front = room.saturating_sub(back);
    let mut shown: String = clean.chars().take(front).collect();
    shown.push('…');
    shown.extend(clean.chars().skip(len.saturating_sub(back)));
    shown
}

/// `1,234,567`.
pub(in crate::output) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len().saturating_add(digits.len() / 3));
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 flow`, `1,234 flows`.
pub(in crate::output) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", number(count))
}

/// `12 bytes`, `8.1 MB`.
pub(in crate::output) fn size(bytes: u64) -> String {
    let units = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    for (unit, name) in units {
        if bytes >= unit {
            let tenths = bytes / (unit / 10);
            return format!("{}.{} {name}", number(tenths / 10), tenths % 10);
        }
    }
    counted(bytes, "byte")
}

/// `2026-11-23 04:00:00 to 04:10:00 UTC`, to the second; one time where both are the same.
pub(in crate::output) fn span(first: Time, last: Time) -> String {
    let (from, to) = (first.to_seconds(), last.to_seconds());
    let begin = format!("{} {}", from.date(), from.time_of_day());
    let end = format!("{} {}", to.date(), to.time_of_day());
    if begin == end {
        format!("{begin} UTC")
    } else if from.date() == to.date() {
        format!("{begin} to {} UTC", to.time_of_day())
    } else {
        format!("{begin} to {end} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Time;

    #[test]
    fn numbers_read_easily() {
        let shown = [0, 7, 999, 1000, 123_456, 1_234_567, u64::MAX].map(number);
        let expected = [
            "0",
            "7",
            "999",
            "1,000",
            "123,456",
            "1,234,567",
            "18,446,744,073,709,551,615",
        ];
        assert_eq!(shown, expected);
        assert_eq!(counted(1, "flow"), "1 flow");
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(8_149_999), "8.1 MB");
        assert_eq!(size(u64::MAX), "18,446,744.0 TB");
    }

    #[test]
    fn what_would_act_on_a_terminal_is_shown_by_number() {
        assert_eq!(clean("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(clean("\u{202e}moc\u{2066}"), "\\u{202e}moc\\u{2066}");
        assert_eq!(clean("\r\n\t\u{85}"), "\\u{d}\\u{a}\\u{9}\\u{85}");
        assert_eq!(clean("e\u{301} 日"), "e\\u{301} \\u{65e5}");
        assert_eq!(clean("Müller, Пётр, Ελένη"), "Müller, Пётр, Ελένη");
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(squeezed("abcdefghij", 10), "abcdefghij");
        assert_eq!(squeezed("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(squeezed("abc", 1), "…");
    }

    #[test]
    fn a_span_names_its_date_once() {
        let time = Time::from_unix_seconds;
        let first = time(1_795_406_400);
        assert_eq!(span(first, first), "2026-11-23 04:00:00 UTC");
        let later = time(1_795_407_000);
        assert_eq!(span(first, later), "2026-11-23 04:00:00 to 04:10:00 UTC");
        let next_day = time(1_795_492_800);
        assert_eq!(
            span(first, next_day),
            "2026-11-23 04:00:00 to 2026-11-24 04:00:00 UTC"
        );
    }
}
