//! Outlines beside what a parser finds.

use std::fmt;

use proptest::prelude::*;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::*;

/// Any JSON, with much of what shapes JSON in its strings.
pub fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), r#"[\\"\[\]{},: a]{0,12}"#];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(text.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The text of a value, compact or not, with a few bytes changed.
pub fn mutated(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(b"\"\\{}[],:01-+.eEu/ntrf \n\t\x00\x0c\x1f\x7f\xc3\xff".to_vec());
    let change = (any::<prop::sample::Index>(), byte, 0..3);
    (value, any::<bool>(), prop::collection::vec(change, 0..4)).prop_map(|(value, pretty, changes)| {
        let mut bytes = if pretty { format!("{value:#}") } else { value.to_string() }.into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                _ if at == bytes.len() => bytes.push(byte),
                1 => bytes[at] = byte,
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// An object as a parser reads it: the bytes of the names, which may hold halves of surrogate pairs, and the texts
/// of the values.
struct Parsed<'a>(Vec<(Vec<u8>, &'a str)>);

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Parsed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value::<&RawValue>()?.get()));
        }
        Ok(Parsed(members))
    }
}

struct Name(Vec<u8>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Self(Vec::new()))
    }
}

impl Visitor<'_> for Name {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self, E> {
        Ok(Self(name.to_vec()))
    }
}

/// Compares an outline of the bytes with what a parser makes of their text.
fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let text = decode(bytes);
    let parsed = serde_json::from_str::<Parsed<'_>>(&text);
    let mut outline = Outline::new();
    prop_assert_eq!(outline.read_all(bytes), parsed.is_ok(), "{:?}: {:?}", &text, parsed.err());
    let Ok(Parsed(members)) = parsed else {
        let malformed = matches!(RecordError::of(bytes), RecordError::Malformed { .. });
        prop_assert_eq!(malformed, text.trim_ascii_start().starts_with('{'), "{}", text);
        return Ok(());
    };
    prop_assert_eq!(outline.places().len(), members.len());
    for (place, (name, raw)) in outline.places().iter().zip(&members) {
        prop_assert_eq!(decode(place.raw_bytes(bytes)), *raw);
        // Half a pair is no text: here it is one U+FFFD.
        if let Ok(name) = std::str::from_utf8(name) {
            let own = place.name_bytes(bytes);
            prop_assert_eq!(&*decode(&own), name);
        }
    }
    let mut of_text = Outline::new();
    prop_assert!(of_text.read_all(text.as_bytes()), "what is no UTF-8 changes nothing else");
    for (place, (name, raw)) in of_text.places().iter().zip(&members) {
        prop_assert_eq!(place.raw(&text), *raw);
        if let Ok(name) = std::str::from_utf8(name) {
            prop_assert_eq!(&*place.name(&text), name);
        }
    }
    Ok(())
}

#[test]
fn what_is_json_and_what_is_not() {
    for (value, valid) in [
        ("0", true),
        ("-0", true),
        ("-1.50e+3", true),
        ("1E9", true),
        ("1e999", true),
        ("01", false),
        ("-", false),
        ("+1", false),
        (".5", false),
        ("1.", false),
        ("1e", false),
        ("1e+", false),
        ("0x1", false),
        ("NaN", false),
        ("true", true),
        ("truee", false),
        ("tru", false),
        ("null ", true),
        ("\"\\u00e9\\ud800\"", true),
        ("\"\\u00g9\"", false),
        ("\"\\x\"", false),
        ("\"a\tb\"", false),
        ("\"\u{7f}\u{2028}\"", true),
        ("[1,]", false),
        ("[,1]", false),
        ("[1 2]", false),
        ("[ ]", true),
        ("{\"b\":{}}", true),
        ("{\"b\"}", false),
        ("{\"b\":1,}", false),
        ("{b:1}", false),
        ("{\"b\n\":1}", false),
        ("[}", false),
        ("", false),
    ] {
        let text = format!("{{\"a\":{value}}}");
        assert_eq!(Outline::of(&text).is_ok(), valid, "{text}");
        agree(text.as_bytes()).unwrap();
    }
    for depth in [1, 200, 100_000] {
        let text = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Outline::of(&text).is_ok());
        assert!(Outline::of(&text.replacen(']', "", 1)).is_err());
    }
}

#[test]
fn a_name_may_have_what_a_string_may_not() {
    let outline = Outline::of("{\"a\n\u{1}\\u0062\":1}").unwrap();
    assert_eq!(outline.places()[0].name("{\"a\n\u{1}\\u0062\":1}"), "a\n\u{1}b");
    agree(b"{\"a\n\":1,\"\\ud800\":2}").unwrap();
}

#[test]
fn what_follows_an_object_is_left_to_others() {
    let mut outline = Outline::new();
    for (bytes, end) in [("{\"a\":1},{", Some(7)), ("{}x", Some(2)), ("{ \"a\" : [ ] } ", Some(13)), ("{\"a\":1", None)]
    {
        assert_eq!(outline.read(bytes.as_bytes(), 0), end, "{bytes}");
    }
    assert_eq!(outline.read(b" [{}", 2), Some(4));
    assert!(!outline.read_all(b"{},") && !outline.read_all(b"\x0c{}") && outline.read_all(b"\n{}\t"));
}

proptest! {
    #[test]
    fn an_outline_is_what_a_parser_finds(bytes in mutated(json())) {
        agree(&bytes)?;
    }

    #[test]
    fn so_it_is_for_objects(bytes in mutated(prop::collection::hash_map(any::<String>(), json(), 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect())))) {
        agree(&bytes)?;
    }

    #[test]
    fn so_it_is_for_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..20), like in r#"[\[\]{}:,"\\u019ntrf. -]{0,20}"#) {
        agree(&bytes)?;
        agree(format!("{{{like}}}").as_bytes())?;
        agree(format!("{{\"a\":{like}}}").as_bytes())?;
    }
}
