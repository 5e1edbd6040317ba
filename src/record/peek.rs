//! The first look at a record: enough to filter it.

use std::borrow::Cow;

use super::{Outline, RecordError, decode, json, record_type_by_name};

/// What the filter asks of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek<'a> {
    /// `RecordType` as a whole number, whether it came as one, as `43.0`, as text, or by its name.
    pub record_type: Option<i64>,
    /// `Operation`, if it is a string.
    pub operation: Option<Cow<'a, str>>,
}

impl<'a> Peek<'a> {
    /// Looks at the bytes of one record through its outline. Of a member that comes twice the last counts.
    #[must_use]
    pub fn at(bytes: &'a [u8], outline: &Outline) -> Self {
        let mut peek = Self::default();
        for place in outline.places() {
            match &*place.name_bytes(bytes) {
                b"RecordType" => peek.record_type = record_type(&decode(place.raw_bytes(bytes))),
                b"Operation" => {
                    peek.operation = match decode(place.raw_bytes(bytes)) {
                        Cow::Borrowed(raw) => json::text(raw),
                        Cow::Owned(raw) => json::text(&raw).map(|text| Cow::Owned(text.into_owned())),
                    }
                }
                _ => {}
            }
        }
        peek
    }

    /// Looks at the text of one record.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub fn of(text: &'a str) -> Result<Self, RecordError> {
        Ok(Self::at(text.as_bytes(), &Outline::of(text)?))
    }
}

/// `RecordType` of a record, as [`Peek`] reads it.
pub(super) fn record_type(raw: &str) -> Option<i64> {
    json::integer(raw).or_else(|| record_type_by_name(&json::text(raw)?))
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
