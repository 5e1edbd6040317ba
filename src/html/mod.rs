//! Pages for a browser: texts as HTML shows them, the look that the pages share, and what a page may load.

use std::fmt::Write as _;

pub(crate) use crate::plain::number;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, UtcOffset};

/// The source of a `Content-Security-Policy` that lets exactly this inline style or script be used.
pub(crate) fn source_of(inline: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inline)))
}

/// Adds `text`.
pub(crate) fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    page.write_fmt(text).ok();
}

/// `text` as HTML shows it, in an element or a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// `text` for people, in which what stands between two backticks is to be typed.
pub(crate) fn prose(text: &str) -> String {
    let escaped = escaped(text);
    let parts: Vec<_> = escaped.split('`').collect();
    let mut html = String::with_capacity(escaped.len());
    for (at, part) in parts.iter().enumerate() {
        let is_closed = at + 1 < parts.len();
        match (at % 2, is_closed) {
            (0, _) => html.push_str(part),
            (_, true) => add(&mut html, format_args!("<code>{part}</code>")),
            (_, false) => add(&mut html, format_args!("`{part}")),
        }
    }
    html
}

/// A moment, to the second.
pub(crate) fn clock(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let (hour, minute, second) = time.time().as_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", time.date())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_is_to_be_typed_is_set_apart() {
        for (text, html) in [
            ("call `labelstream connect` & wait", "call <code>labelstream connect</code> &amp; wait"),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("a lone ` stays", "a lone ` stays"),
            ("`<b>`", "<code>&lt;b&gt;</code>"),
            ("", ""),
        ] {
            assert_eq!(prose(text), html);
        }
    }

    #[test]
    fn numbers_and_moments_are_legible() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(clock(datetime!(2026-11-22 20:04:05 +1)), "2026-11-22 19:04:05 UTC");
    }

    proptest! {
        #[test]
        fn a_number_keeps_its_digits(value in any::<u64>()) {
            prop_assert_eq!(number(value).replace(',', ""), value.to_string());
        }

        #[test]
        fn only_the_marks_of_code_are_added(text in "[a`<>\"'&;/=]{0,30}") {
            let html = prose(&text).replace("<code>", "`").replace("</code>", "`");
            prop_assert_eq!(html, escaped(&text));
        }
    }
}
