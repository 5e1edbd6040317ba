//! The first look at a record: enough to filter it, without a tree.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{RecordError, json, record_type_by_name};

/// What the filter asks of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek<'a> {
    /// `RecordType` as a whole number, whether it came as one, as `43.0`, as text, or by its name.
    pub record_type: Option<i64>,
    /// `Operation`, if it is a string.
    pub operation: Option<Cow<'a, str>>,
}

impl<'a> Peek<'a> {
    /// Looks at the text of one record. Of a member that comes twice the last counts.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub fn of(text: &'a str) -> Result<Self, RecordError> {
        RecordError::unless_object(text)?;
        let mut parser = serde_json::Deserializer::from_str(text);
        let peek = parser.deserialize_map(Look).and_then(|peek| parser.end().map(|()| peek));
        peek.map_err(|error| RecordError::malformed(&error))
    }
}

/// `RecordType` of a record, as [`Peek`] reads it.
pub(super) fn record_type(raw: &str) -> Option<i64> {
    json::integer(raw).or_else(|| record_type_by_name(&json::text(raw)?))
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Peek<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut peek = Peek::default();
        while let Some(asked) = map.next_key_seed(Asked::Other)? {
            match asked {
                Asked::RecordType => peek.record_type = record_type(map.next_value::<&RawValue>()?.get()),
                Asked::Operation => peek.operation = json::text(map.next_value::<&RawValue>()?.get()),
                Asked::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(peek)
    }
}

/// Which of the members a name is.
#[derive(Clone, Copy)]
enum Asked {
    RecordType,
    Operation,
    Other,
}

impl<'de> DeserializeSeed<'de> for Asked {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Asked {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self, E> {
        Ok(match name {
            b"RecordType" => Self::RecordType,
            b"Operation" => Self::Operation,
            _ => Self::Other,
        })
    }
}

/// A name as text. Bytes are asked for because a parser would refuse half a surrogate pair in a string.
pub(super) struct Name<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_bytes<E>(self, name: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Name(String::from_utf8_lossy(name)))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(String::from_utf8_lossy(name).into_owned())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn peek(text: &str) -> (Option<i64>, Option<String>) {
        let peek = Peek::of(text).unwrap();
        (peek.record_type, peek.operation.map(Cow::into_owned))
    }

    #[test]
    fn the_record_type_may_be_written_in_many_ways() {
        for raw in ["43", "43.0", "\"43\"", "\" 43\"", "\"MipLabel\"", "\"\\u0034\\u0033\""] {
            assert_eq!(peek(&format!("{{\"RecordType\": {raw}}}")).0, Some(43), "{raw}");
        }
        for raw in ["null", "true", "[43]", "{}", "43.5", "\"\"", "\"Label\""] {
            assert_eq!(peek(&format!("{{\"RecordType\": {raw}}}")).0, None, "{raw}");
        }
    }

    #[test]
    fn only_the_top_level_is_looked_at_and_the_last_counts() {
        let text =
            r#" {"a":{"RecordType":1,"Operation":"x"},"Operation":"y","RecordType":2,"Operation":"z","Id":[{}]} "#;
        assert_eq!(peek(text), (Some(2), Some("z".into())));
        assert_eq!(peek("{}"), (None, None));
        assert_eq!(peek(r#"{"Operation":7}"#), (None, None));
    }

    #[test]
    fn escapes_and_halves_of_pairs_are_read() {
        let text = r#"{"\ud800":"\udfff","Oper\u0061tion":"a\n\ud800"}"#;
        assert_eq!(peek(text).1, Some("a\n\u{fffd}".into()));
    }

    #[test]
    fn what_is_no_object_is_told_without_its_content() {
        for text in ["[1]", "7", "\"secret\"", "null", "", "  "] {
            assert!(matches!(Peek::of(text), Err(RecordError::NotAnObject { .. })), "{text}");
        }
        for text in ["{", "{\"a\":tru}", "{\"a\":1}}", "{\"a\" 1}", "{\"a\":\"secret\n\"}"] {
            let error = Peek::of(text).unwrap_err();
            assert!(matches!(error, RecordError::Malformed { .. }), "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_looked_at_is_what_a_parser_takes(text in any::<String>(), members in r#"("[a-b]":[0-9],?){0,3}"#) {
            for text in [text.clone(), format!("{{{text}}}"), format!("{{{members}}}")] {
                let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
                prop_assert_eq!(Peek::of(&text).is_ok(), object.is_ok(), "{}", text);
            }
        }
    }
}
