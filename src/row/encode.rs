//! Writing JSON text that every parser takes.

use std::borrow::Cow;

use crate::record::{
    json,
    scan::{quote_backslash_or_control, quote_or_backslash},
};

/// What a value needs before it may be copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Survey {
    /// How deep objects and arrays lie in each other.
    pub depth: usize,
    /// Whether it can be copied as it stands: no line breaks (a row is one line), no surrogates as escapes (half a pair is
    /// no text) and no numbers beyond the range of floats; parsers refuse the last two.
    pub plain: bool,
}

/// Looks through a valid value once.
pub(super) fn survey(raw: &str) -> Survey {
    let bytes = raw.as_bytes();
    let mut survey = Survey { depth: 0, plain: true };
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => loop {
                at = quote_or_backslash(bytes, at);
                if bytes.get(at) != Some(&b'\\') {
                    at += 1;
                    break;
                }
                survey.plain &= !is_surrogate(bytes, at);
                at += 2;
            },
            b'{' | b'[' => {
                depth += 1;
                survey.depth = survey.depth.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'\n' | b'\r' => survey.plain = false,
            b'0'..=b'9' => {
                let end = number_end(bytes, at);
                survey.plain &= fits_a_float(&raw[at - 1..end]);
                at = end;
            }
            _ => {}
        }
    }
    survey
}

/// Past the digits, point and exponent at `at`.
fn number_end(bytes: &[u8], at: usize) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    bytes[at..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |len| at + len)
}

/// Whether a float can hold the number. What is short and has no exponent needs no look.
fn fits_a_float(number: &str) -> bool {
    const SURELY: usize = 300;
    (number.len() <= SURELY && !number.contains(['e', 'E'])) || number.parse().is_ok_and(f64::is_finite)
}

/// Whether the escape at `at` is one of `\ud800` to `\udfff`.
fn is_surrogate(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1) == Some(&b'u')
        && matches!(bytes.get(at + 2), Some(b'd' | b'D'))
        && !matches!(bytes.get(at + 3), Some(b'0'..=b'7'))
}

/// The same value without white space around its parts, with the fewest escapes, all of them valid. A number beyond the
/// range of floats is written as text.
pub(super) fn compact(raw: &str) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let bytes = raw.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            let end = json::string_end(bytes, at);
            escape(&mut out, &json::text(&raw[at..end]).unwrap_or_default());
            at = end;
            continue;
        }
        if matches!(byte, b'-' | b'0'..=b'9') {
            let end = number_end(bytes, at + 1);
            let quote: &[u8] = if fits_a_float(&raw[at..end]) { b"" } else { b"\"" };
            for part in [quote, &bytes[at..end], quote] {
                out.extend_from_slice(part);
            }
            at = end;
            continue;
        }
        if !byte.is_ascii_whitespace() {
            out.push(byte);
        }
        at += 1;
    }
    // Outside of strings JSON has ASCII alone, so this is the text as it is.
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Whether the text of a value has no escape, so that a string may be copied. Every byte is looked at, without a branch,
/// which the compiler does for many of them at a time.
pub(super) fn has_no_escape(raw: &str) -> bool {
    raw.bytes().fold(true, |plain, byte| plain & (byte != b'\\'))
}

/// Writes `text` as a JSON string.
pub(super) fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut written = 0;
    loop {
        let at = quote_backslash_or_control(bytes, written);
        out.extend_from_slice(&bytes[written..at]);
        let Some(&byte) = bytes.get(at) else { break };
        written = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let hex = |half: u8| b"0123456789abcdef"[usize::from(half & 0xF)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte)]);
            }
        }
    }
    out.push(b'"');
}

/// How many bytes a character takes when [`escape`] writes it.
pub(super) const fn escaped_len(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

/// The text of a string, and of any other value its JSON.
pub(super) fn as_text(raw: &str) -> Cow<'_, str> {
    let may_stay = || !(json::is_object(raw) || json::is_array(raw)) || survey(raw).plain;
    json::text(raw).unwrap_or_else(|| if may_stay() { Cow::Borrowed(raw) } else { Cow::Owned(compact(raw)) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_survey_finds_depth_and_what_cannot_be_copied() {
        for (raw, depth, plain) in [
            ("1", 0, true),
            ("\"[[\\\"[\"", 0, true),
            ("[{\"a\":[]}, {}]", 3, true),
            ("[\n]", 1, false),
            ("\"\\ud83d\\ude00\"", 0, false),
            ("[\"\\\\ud83d\"]", 1, true),
            ("\"\\ud7ff\\u00d8\"", 0, true),
            ("[-1.5e+300,true,false,\"1e999\"]", 1, true),
            ("[2.5e555]", 1, false),
            ("-1e999", 0, false),
        ] {
            assert_eq!(survey(raw), Survey { depth, plain }, "{raw}");
        }
    }

    #[test]
    fn compact_text_has_one_line_and_no_half_pairs() {
        let raw = "{ \"a\" : [ 1.50 ,\n \"x\\u0041 \\ud800\\n\" ] }";
        assert_eq!(compact(raw), "{\"a\":[1.50,\"xA \u{fffd}\\n\"]}");
    }

    #[test]
    fn a_number_beyond_floats_becomes_text() {
        assert_eq!(compact("[ 1e999, -2.5E+555 , 1e-999, true ]"), "[\"1e999\",\"-2.5E+555\",1e-999,true]");
        let long = "9".repeat(400);
        assert!(!survey(&long).plain);
        assert_eq!(compact(&long), format!("\"{long}\""));
        assert_eq!(as_text("1e999"), "1e999");
    }

    proptest! {
        #[test]
        fn escaped_text_is_read_again(text in any::<String>()) {
            let mut out = Vec::new();
            escape(&mut out, &text);
            prop_assert_eq!(out.len(), 2 + text.chars().map(escaped_len).sum::<usize>());
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn compacting_changes_no_value(names in prop::collection::vec(any::<String>(), 0..4)) {
            let value = serde_json::json!({"a": names, "b": {"c": [names.len(), null, true]}});
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&compact(&pretty)).unwrap(), value);
        }
    }
}
