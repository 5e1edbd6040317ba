//! Reading JSON text that a parser has validated: members, elements, strings and numbers, without building trees.
//!
//! Every function takes the text of one value, as [`Members`](super::Members) or [`serde_json::value::RawValue`] gives it.
//! For text that is no JSON the results mean nothing, but nothing panics.

use std::borrow::Cow;

use super::scan::quote_or_backslash;

/// Whether the value is worth nothing: `null`.
#[must_use]
pub fn is_null(raw: &str) -> bool {
    raw == "null"
}

/// Whether the value is a string.
#[must_use]
pub fn is_string(raw: &str) -> bool {
    raw.starts_with('"')
}

/// Whether the value is an object.
#[must_use]
pub fn is_object(raw: &str) -> bool {
    raw.starts_with('{')
}

/// Whether the value is an array.
#[must_use]
pub fn is_array(raw: &str) -> bool {
    raw.starts_with('[')
}

/// The names and values of an object in their order. A name keeps its quotes and escapes; [`text`] reads it. Nothing
/// for a value of another kind.
pub fn members(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = if is_object(raw) { &raw[1..] } else { "" };
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (name, after) = split_value(rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start())?;
        let (value, after) = split_value(after.trim_ascii_start().strip_prefix(':')?.trim_ascii_start())?;
        rest = after;
        Some((name, value))
    })
}

/// The elements of an array in their order. Nothing for a value of another kind.
pub fn elements(raw: &str) -> impl Iterator<Item = &str> {
    let mut rest = if is_array(raw) { &raw[1..] } else { "" };
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (value, after) = split_value(rest.strip_prefix(',').unwrap_or(rest).trim_ascii_start())?;
        rest = after;
        Some(value)
    })
}

/// The member `name` of an object, without regard to case; an exact name wins. `null` is no member.
#[must_use]
pub fn member<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    for (quoted, value) in members(raw) {
        let Some(own) = text(quoted) else { continue };
        if own == name {
            return Some(value).filter(|value| !is_null(value));
        }
        if found.is_none() && own.eq_ignore_ascii_case(name) {
            found = Some(value);
        }
    }
    found.filter(|value| !is_null(value))
}

/// The text of a string. Halves of surrogate pairs become U+FFFD. `None` for a value of another kind.
#[must_use]
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    // Inside a string a quote comes behind a backslash alone.
    let escaped = quote_or_backslash(inner.as_bytes(), 0) < inner.len();
    if escaped { Some(Cow::Owned(unescape(inner))) } else { Some(Cow::Borrowed(inner)) }
}

/// A whole number, written as a number (`43`, `43.0`) or as a string of one (`"43"`).
#[must_use]
pub fn integer(raw: &str) -> Option<i64> {
    let text = text(raw);
    let digits = text.as_deref().unwrap_or(raw).trim();
    if let Ok(number) = digits.parse() {
        return Some(number);
    }
    /// Up to here every whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = digits.parse().ok()?;
    #[allow(clippy::cast_possible_truncation, reason = "whole and in range, as was just checked")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// Splits the value off that `rest` begins with.
fn split_value(rest: &str) -> Option<(&str, &str)> {
    let bytes = rest.as_bytes();
    let end = match bytes.first()? {
        b'"' => string_end(bytes, 0),
        b'{' | b'[' => nested_end(bytes),
        b'}' | b']' | b',' | b':' => return None,
        _ => bytes
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace())
            .unwrap_or(bytes.len()),
    };
    rest.split_at_checked(end)
}

/// Past the closing quote of the string that opens at `open`.
pub(crate) fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    loop {
        at = quote_or_backslash(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at += 2,
            None => return bytes.len(),
        }
    }
}

/// Past the bracket that closes the one at the start.
fn nested_end(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let Some(kind) = escape.chars().next() else { return out };
        rest = &escape[kind.len_utf8()..];
        match kind {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (character, after) = unicode(rest);
                out.push(character);
                rest = after;
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    out
}

/// The character of four hexadecimal digits, or of two such groups with `\u` between them, at the start of `rest`, and
/// what follows it.
fn unicode(rest: &str) -> (char, &str) {
    let hex = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = hex(rest) else { return (char::REPLACEMENT_CHARACTER, rest) };
    let after = &rest[4..];
    if let Some(character) = char::from_u32(first) {
        return (character, after);
    }
    if (0xD800..0xDC00).contains(&first)
        && let Some(second) = after.strip_prefix("\\u").and_then(hex)
        && (0xDC00..0xE000).contains(&second)
        && let Some(character) = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    {
        return (character, &after[6..]);
    }
    (char::REPLACEMENT_CHARACTER, after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn members_and_elements_come_in_order() {
        let raw = " { \"a\" : 1 , \"b\\\"\":[1, {\"c\":\"},\"}],\"d\":null }".trim();
        let seen: Vec<_> = members(raw).collect();
        assert_eq!(seen, [("\"a\"", "1"), ("\"b\\\"\"", "[1, {\"c\":\"},\"}]"), ("\"d\"", "null")]);
        assert_eq!(elements(seen[1].1).collect::<Vec<_>>(), ["1", "{\"c\":\"},\"}"]);
        assert_eq!(
            members("[1]").count() + elements("{}").count() + members("{ }").count() + elements("[ ]").count(),
            0
        );
    }

    #[test]
    fn a_member_is_found_in_any_case_and_the_exact_name_wins() {
        let raw = r#"{"fileName":"x","FileName":"y","Size":null}"#;
        assert_eq!(member(raw, "FileName"), Some("\"y\""));
        assert_eq!(member(raw, "FILENAME"), Some("\"x\""));
        assert_eq!(member(raw, "Size"), None);
    }

    #[test]
    fn text_is_unescaped() {
        for (raw, expected) in [
            (r#""plain""#, "plain"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""\u00e9\ud83d\ude00""#, "\u{e9}\u{1f600}"),
            (r#""\ud83d-\ude00\ud83d""#, "\u{fffd}-\u{fffd}\u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(text(raw).as_deref(), Some(expected), "{raw}");
        }
        assert_eq!(text("12"), None);
    }

    #[test]
    fn whole_numbers_are_read_from_numbers_and_strings() {
        for (raw, expected) in [
            ("43", Some(43)),
            ("43.0", Some(43)),
            ("4.3e1", Some(43)),
            ("\" 43 \"", Some(43)),
            ("\"43.0\"", Some(43)),
            ("-1", Some(-1)),
            ("43.5", None),
            ("1e300", None),
            ("true", None),
            ("\"\"", None),
            ("\"nan\"", None),
            ("[43]", None),
        ] {
            assert_eq!(integer(raw), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn text_is_what_a_parser_reads(text_in in any::<String>()) {
            let raw = Value::from(text_in.clone()).to_string();
            prop_assert_eq!(text(&raw).unwrap(), text_in);
        }

        #[test]
        fn objects_are_walked_as_a_parser_does(names in prop::collection::btree_set(any::<String>(), 0..5), pretty in any::<bool>()) {
            let object: serde_json::Map<_, _> =
                names.iter().map(|name| (name.clone(), json!({"n": name, "l": [name, 1, {}], "e": []}))).collect();
            let raw = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let walked: serde_json::Map<_, _> = members(&raw)
                .map(|(name, value)| (text(name).unwrap().into_owned(), serde_json::from_str(value).unwrap()))
                .collect();
            prop_assert_eq!(walked, object);
        }

        #[test]
        fn no_text_makes_it_panic(raw in any::<String>(), json_like in r#"[\[\]{}:,"\\ua1 ]{0,20}"#) {
            for raw in [raw, json_like] {
                members(&raw).for_each(drop);
                elements(&raw).for_each(drop);
                let _ = (text(&raw), integer(&raw), member(&raw, "a"));
            }
        }
    }
}
