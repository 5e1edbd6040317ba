//! Writing one value of a record as the type of its column.

use super::{
    encode::as_text,
    enums::{Names, name_of},
    limit::{DEEPEST, put_json, put_string, put_text},
    moment::{self, Moment},
};
use crate::record::json;

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It was written.
    Whole,
    /// It was written, but not all of it.
    Cut,
    /// It says that there is no value. Nothing was written.
    Nothing,
    /// It is none of the column's type. Nothing was written.
    Unreadable,
}

const fn put(cut: bool) -> Put {
    if cut { Put::Cut } else { Put::Whole }
}

/// A string; a number, a boolean, an object or an array as its JSON text.
pub(super) fn text(out: &mut Vec<u8>, raw: &str, cap: usize) -> Put {
    put(if json::is_string(raw) { put_string(out, raw, cap) } else { put_text(out, &as_text(raw), cap) })
}

/// A string without white space around it.
pub(super) fn trimmed(out: &mut Vec<u8>, raw: &str, cap: usize) -> Put {
    put(put_text(out, as_text(raw).trim(), cap))
}

/// The name of an enum's number.
pub(super) fn name(out: &mut Vec<u8>, names: Names, raw: &str, cap: usize) -> Put {
    put(put_text(out, &name_of(names, raw), cap))
}

/// Any JSON.
pub(super) fn dynamic(out: &mut Vec<u8>, raw: &str, cap: usize) -> Put {
    put(put_json(out, raw, cap, DEEPEST))
}

/// A time, from a string.
pub(super) fn time(out: &mut Vec<u8>, raw: &str) -> Put {
    let Some(text) = json::text(raw) else { return Put::Unreadable };
    match moment::read(&text) {
        Moment::At(time) => {
            out.push(b'"');
            time.put(out);
            out.push(b'"');
            Put::Whole
        }
        Moment::Never => Put::Nothing,
        Moment::Unreadable if text.trim().is_empty() => Put::Nothing,
        Moment::Unreadable => Put::Unreadable,
    }
}

/// True or false: a boolean, 1 or 0, or a string of one of these in any case.
pub(super) fn flag(out: &mut Vec<u8>, raw: &str) -> Put {
    if matches!(raw, "true" | "false") {
        out.extend_from_slice(raw.as_bytes());
        return Put::Whole;
    }
    let text = json::text(raw);
    let text = text.as_deref().unwrap_or(raw).trim();
    let value = if text.eq_ignore_ascii_case("true") || json::integer(raw) == Some(1) {
        "true"
    } else if text.eq_ignore_ascii_case("false") || json::integer(raw) == Some(0) {
        "false"
    } else if text.is_empty() {
        return Put::Nothing;
    } else {
        return Put::Unreadable;
    };
    out.extend_from_slice(value.as_bytes());
    Put::Whole
}

/// A whole number of 32 bits.
pub(super) fn int(out: &mut Vec<u8>, number: i64) -> Put {
    let Ok(number) = i32::try_from(number) else { return Put::Unreadable };
    if number < 0 {
        out.push(b'-');
    }
    let (first, mut rest) = (out.len(), number.unsigned_abs());
    loop {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out[first..].reverse();
    Put::Whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>) -> Put) -> (Put, String) {
        let mut out = Vec::new();
        let put = write(&mut out);
        (put, String::from_utf8(out).unwrap())
    }

    #[test]
    fn strings_take_any_value() {
        for (raw, expected) in [
            ("\"a\\u0041\"", "\"a\\u0041\""),
            ("12.50", "\"12.50\""),
            ("true", "\"true\""),
            ("{\"a\":\n\"b\"}", "\"{\\\"a\\\":\\\"b\\\"}\""),
            ("\"\\ud800\"", "\"\u{fffd}\""),
        ] {
            assert_eq!(written(|out| text(out, raw, 1000)), (Put::Whole, expected.into()), "{raw}");
        }
        assert_eq!(written(|out| trimmed(out, "\" 10.0.0.1\\t\"", 1000)).1, "\"10.0.0.1\"");
    }

    #[test]
    fn booleans_come_in_many_forms() {
        for raw in ["true", "\"True\"", "\" TRUE \"", "1", "\"1\"", "1.0"] {
            assert_eq!(written(|out| flag(out, raw)), (Put::Whole, "true".into()), "{raw}");
        }
        for raw in ["false", "\"False\"", "0", "\"0\""] {
            assert_eq!(written(|out| flag(out, raw)), (Put::Whole, "false".into()), "{raw}");
        }
        for raw in ["\"yes\"", "2", "[true]", "{}"] {
            assert_eq!(written(|out| flag(out, raw)), (Put::Unreadable, String::new()), "{raw}");
        }
        assert_eq!(written(|out| flag(out, "\"\"")).0, Put::Nothing);
    }

    #[test]
    fn times_and_numbers_that_do_not_fit_are_not_written() {
        assert_eq!(
            written(|out| time(out, "\"2022-12-21T17:18:20\"")),
            (Put::Whole, "\"2022-12-21T17:18:20Z\"".into())
        );
        assert_eq!(written(|out| time(out, "\"0001-01-01T00:00:00\"")), (Put::Nothing, String::new()));
        assert_eq!(written(|out| time(out, "\"soon\"")), (Put::Unreadable, String::new()));
        assert_eq!(written(|out| time(out, "1671643100")), (Put::Unreadable, String::new()));
        assert_eq!(written(|out| int(out, 93)), (Put::Whole, "93".into()));
        assert_eq!(written(|out| int(out, 1 << 31)), (Put::Unreadable, String::new()));
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_they_are_read(number in prop_oneof![any::<i32>(), -1000..1000]) {
            prop_assert_eq!(written(|out| int(out, number.into())), (Put::Whole, number.to_string()));
        }
    }
}
