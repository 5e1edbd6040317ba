//! The limits of the service, and cutting values down to them.

use super::encode::{as_text, compact, escape, escaped_len, has_no_escape, survey};
use crate::record::json;

/// A value longer than 64 KB is truncated silently at ingestion (Azure Monitor service limits, custom logs). A little
/// less, so that it is cut here, where the row can say so.
pub const VALUE_LIMIT: usize = 64 * 1024 - 36;

/// The most that a row may have: with the brackets of its batch it stays below the call limit of 1 MB (Azure Monitor
/// service limits), read as 1,000,000 bytes.
pub const ROW_LIMIT: usize = 900_000;

/// How deep a dynamic value may be. The service documents no limit; parsers commonly stop at 64, and the row itself is
/// one level.
pub(super) const DEEPEST: usize = 60;

/// A part of an object or array is not worth keeping in fewer bytes than this.
const SMALLEST_PART: usize = 64;

/// How many bytes of JSON the values of one row may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caps {
    /// For a dynamic value.
    pub dynamic: usize,
    /// For a string, quotes and escapes included. Its text may have [`VALUE_LIMIT`] besides.
    pub text: usize,
}

impl Caps {
    /// For a row that is as most rows are.
    pub const USUAL: Self = Self { dynamic: VALUE_LIMIT, text: ROW_LIMIT };

    /// What makes the row fit whose values have these sizes, beside `fixed` other bytes: the widest dynamic values give
    /// first, and strings only where that is not enough.
    pub fn to_fit(dynamic: &[usize], texts: &[usize], fixed: usize) -> Self {
        let room = ROW_LIMIT.saturating_sub(fixed);
        let level = level(dynamic, room.saturating_sub(texts.iter().sum()));
        if level >= SMALLEST_PART {
            return Self { dynamic: level.min(VALUE_LIMIT), ..Self::USUAL };
        }
        let left = room.saturating_sub(dynamic.len() * SMALLEST_PART);
        Self { dynamic: SMALLEST_PART, text: self::level(texts, left).max(SMALLEST_PART) }
    }

    /// Half as much, down to what a value always gets.
    pub fn halved(self) -> Self {
        Self { dynamic: (self.dynamic / 2).max(SMALLEST_PART), text: (self.text / 2).max(SMALLEST_PART) }
    }
}

/// The highest level to which the sizes can be cut so that their sum is at most `room`.
fn level(sizes: &[usize], room: usize) -> usize {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    let mut room = room;
    for (at, &size) in sizes.iter().enumerate() {
        let share = room / (sizes.len() - at);
        if size > share {
            return share;
        }
        room -= size;
    }
    usize::MAX
}

/// Writes `text` as a string of at most `cap` bytes, its text being [`VALUE_LIMIT`] at most. Returns whether it was cut.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str, cap: usize) -> bool {
    if text.len() <= VALUE_LIMIT && text.len() * 6 + 2 <= cap {
        escape(out, text);
        return false;
    }
    let mut room = cap.saturating_sub(2);
    let fits = |at: usize, character: char| at + character.len_utf8() <= VALUE_LIMIT;
    let end = text.char_indices().find(|&(at, character)| {
        let len = escaped_len(character);
        let whole = fits(at, character) && len <= room;
        room = room.saturating_sub(len);
        !whole
    });
    escape(out, end.map_or(text, |(at, _)| &text[..at]));
    end.is_some()
}

/// Writes the string `raw` (with its quotes) under the same limits, without unescaping it where it may stay.
pub(super) fn put_string(out: &mut Vec<u8>, raw: &str, cap: usize) -> bool {
    if raw.len() <= VALUE_LIMIT.min(cap) && (has_no_escape(raw) || survey(raw).plain) {
        out.extend_from_slice(raw.as_bytes());
        return false;
    }
    put_text(out, &as_text(raw), cap)
}

/// Writes a dynamic value in at most `cap` bytes and `deepest` levels. Returns whether it was cut.
pub(super) fn put_json(out: &mut Vec<u8>, raw: &str, cap: usize, deepest: usize) -> bool {
    if json::is_string(raw) && raw.len() <= cap && has_no_escape(raw) {
        out.extend_from_slice(raw.as_bytes());
        return false;
    }
    let survey = survey(raw);
    if survey.depth > deepest {
        put_text(out, &compact(raw), cap);
        return true;
    }
    if survey.plain && raw.len() <= cap {
        out.extend_from_slice(raw.as_bytes());
        return false;
    }
    let compact = compact(raw);
    shrink(out, &compact, cap)
}

/// Writes a compact value in at most `cap` bytes: arrays lose their end, objects their widest members, strings their
/// end. Returns whether anything was lost.
pub(super) fn shrink(out: &mut Vec<u8>, raw: &str, cap: usize) -> bool {
    if raw.len() <= cap {
        out.extend_from_slice(raw.as_bytes());
        return false;
    }
    if json::is_array(raw) {
        shrink_array(out, raw, cap);
    } else if json::is_object(raw) {
        shrink_object(out, raw, cap);
    } else {
        put_text(out, &as_text(raw), cap);
    }
    true
}

fn shrink_array(out: &mut Vec<u8>, raw: &str, cap: usize) {
    let mut room = cap.saturating_sub(2);
    out.push(b'[');
    for (at, element) in json::elements(raw).enumerate() {
        let comma = usize::from(at > 0);
        let whole = element.len() + comma <= room;
        if !whole && room < SMALLEST_PART {
            break;
        }
        if at > 0 {
            out.push(b',');
        }
        shrink(out, element, room - comma);
        if !whole {
            break;
        }
        room -= element.len() + comma;
    }
    out.push(b']');
}

fn shrink_object(out: &mut Vec<u8>, raw: &str, cap: usize) {
    let members: Vec<_> = json::members(raw).collect();
    let around = |name: &str| name.len() + 2; // colon and comma
    let sizes: Vec<_> = members.iter().map(|(name, value)| around(name) + value.len()).collect();
    let mut room = cap.saturating_sub(2);
    let level = level(&sizes, room);
    // Where there are so many members that each would get next to nothing, the narrowest stay and others go.
    let mut order: Vec<usize> = (0..members.len()).collect();
    let mut kept = vec![level >= SMALLEST_PART; members.len()];
    if level < SMALLEST_PART {
        order.sort_by_key(|&at| sizes[at]);
        for at in order {
            if sizes[at] > room {
                break;
            }
            room -= sizes[at];
            kept[at] = true;
        }
    }
    let level = level.max(SMALLEST_PART);
    let mut first = true;
    out.push(b'{');
    for (at, (name, value)) in members.iter().enumerate() {
        let fits = sizes[at] <= level || level.saturating_sub(around(name)) >= SMALLEST_PART / 2;
        if !kept[at] || !fits {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        shrink(out, value, level.saturating_sub(around(name)));
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn cut(raw: &str, cap: usize) -> (String, bool) {
        let mut out = Vec::new();
        let cut = put_json(&mut out, raw, cap, DEEPEST);
        (String::from_utf8(out).unwrap(), cut)
    }

    fn text(text: &str, cap: usize) -> (String, bool) {
        let mut out = Vec::new();
        let cut = put_text(&mut out, text, cap);
        (serde_json::from_slice(&out).unwrap(), cut)
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(text("a\u{e9}b", 6), ("a\u{e9}b".into(), false));
        assert_eq!(text("a\u{e9}b", 5), ("a\u{e9}".into(), true));
        assert_eq!(text("a\u{e9}b", 4), ("a".into(), true));
        assert_eq!(text("\n\n", 5), ("\n".into(), true));
    }

    #[test]
    fn the_limit_is_on_the_text_not_on_its_escapes() {
        let whole = "\n".repeat(VALUE_LIMIT);
        assert_eq!(text(&whole, ROW_LIMIT), (whole.clone(), false));
        let over = format!("{whole}\n");
        assert_eq!(text(&over, ROW_LIMIT), (whole.clone(), true));
        let mut out = Vec::new();
        assert!(!put_string(&mut out, &json!(whole).to_string(), ROW_LIMIT));
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), whole);
    }

    #[test]
    fn an_array_keeps_the_elements_that_fit() {
        let raw = json!([1, 2, "x".repeat(300), 3]).to_string();
        let (out, was_cut) = cut(&raw, 200);
        let out: Vec<Value> = serde_json::from_str(&out).unwrap();
        assert!(was_cut);
        assert_eq!((out.len(), &out[..2]), (3, &[json!(1), json!(2)][..]));
        assert!(out[2].as_str().unwrap().len() > 150);
    }

    #[test]
    fn an_object_gives_up_its_widest_members_first() {
        let raw = json!({"a": 1, "b": "x".repeat(1000), "c": [1, 2], "d": "y".repeat(2000), "e": null}).to_string();
        let (out, was_cut) = cut(&raw, 500);
        let out: Value = serde_json::from_str(&out).unwrap();
        assert!(was_cut);
        assert_eq!((&out["a"], &out["c"], out.as_object().unwrap().len()), (&json!(1), &json!([1, 2]), 5));
        assert!(out["b"].as_str().unwrap().len() > 150);
        let many: serde_json::Map<_, _> = (0..500).map(|at| (format!("name{at}"), json!("z".repeat(at)))).collect();
        let (out, _) = cut(&json!(many).to_string(), 1000);
        let out: Value = serde_json::from_str(&out).unwrap();
        assert!(out.as_object().unwrap().len() > 30);
        assert!(out.get("name0").is_some() && out.get("name499").is_none());
    }

    #[test]
    fn a_value_that_is_too_deep_becomes_text() {
        let raw = format!("{}1{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        let (out, was_cut) = cut(&raw, VALUE_LIMIT);
        assert!(was_cut);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), raw);
        let raw = &raw[1..raw.len() - 1];
        assert_eq!(cut(raw, VALUE_LIMIT), (raw.to_owned(), false));
    }

    #[test]
    fn levels_use_the_room() {
        assert_eq!(level(&[1, 2, 3], 6), usize::MAX);
        assert_eq!(level(&[1, 10, 10], 11), 5);
        assert_eq!(level(&[10, 10], 1), 0);
        let caps = Caps::to_fit(&[60_000; 15], &[100; 10], 5_000);
        assert_eq!(caps, Caps { dynamic: 59_600, text: ROW_LIMIT });
        let caps = Caps::to_fit(&[100; 15], &[60_000; 20], 5_000);
        assert_eq!(caps, Caps { dynamic: SMALLEST_PART, text: 44_702 });
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<String>().prop_map(Value::from), any::<u64>().prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::hash_map("[a-z\"]{0,9}", inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_cut_is_valid_and_fits(value in value(), cap in SMALLEST_PART..600, pretty in any::<bool>()) {
            let raw = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let (out, was_cut) = cut(&raw, cap);
            prop_assert!(out.len() <= cap, "{} > {}", out.len(), cap);
            let read: Value = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(was_cut, read != value);
            prop_assert!(!out.contains('\n'));
        }
    }
}
