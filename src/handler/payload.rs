//! What the host's request says. Nothing in it is required: a run goes ahead whatever the body is.

use serde_json::Value;

use super::{BINDING, range, range::Range};

/// How often the input may be JSON text within JSON text: the portal's input is once, the host makes it twice, and a
/// person who quotes it adds one.
const LAYERS: usize = 4;

/// The facts of one `POST /TimerPull`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    /// `Data.timer.IsPastDue`.
    pub past_due: bool,
    /// The metadata has the binding's key, which the host sets for manual runs with an input, an empty one too.
    pub manual: bool,
    /// The range in that input.
    pub range: Option<Range>,
    /// `Metadata.RetryContext.RetryCount`: how often the host tried this firing before; there with a retry policy.
    pub retry: Option<u64>,
    /// What could not be used, for the log. It holds nothing of the body itself.
    pub notes: Vec<String>,
}

impl Payload {
    /// Reads a body as the host sends it. Unknown fields and fields of another type are passed over.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match serde_json::from_slice::<Value>(body) {
            Ok(body @ Value::Object(_)) => Self::read(&body),
            Ok(_) => Self::unread("its body is not a JSON object"),
            Err(error) if error.is_eof() && body.trim_ascii().is_empty() => Self::unread("it has no body"),
            Err(error) => {
                Self::unread(&format!("its body is not JSON (line {}, column {})", error.line(), error.column()))
            }
        }
    }

    fn read(body: &Value) -> Self {
        let metadata = &body["Metadata"];
        let mut payload = Self {
            past_due: body["Data"][BINDING]["IsPastDue"].as_bool().unwrap_or(false),
            manual: metadata.get(BINDING).is_some(),
            retry: metadata["RetryContext"]["RetryCount"].as_u64(),
            ..Self::default()
        };
        match input(&metadata[BINDING]).as_ref().map(range::parse) {
            None => {}
            Some(Ok(range)) => payload.range = Some(range),
            Some(Err(why)) => payload.notes.push(format!(
                "the input of this manual run is no range, so this is a normal run: {why}; a range is {}",
                range::EXAMPLE
            )),
        }
        payload
    }

    fn unread(why: &str) -> Self {
        let note = format!("this is a normal run, as the request is not what the Functions host sends: {why}");
        Self { notes: vec![note], ..Self::default() }
    }
}

/// What the operator typed, freed from its layers of JSON text. `None` is nothing at all.
fn input(value: &Value) -> Option<Value> {
    let mut value = value.clone();
    for _ in 0..LAYERS {
        let Value::String(text) = &value else { break };
        if text.trim().is_empty() {
            return None;
        }
        match serde_json::from_str(text) {
            Ok(inner) => value = inner,
            Err(_not_json) => break, // plain text is an input too
        }
    }
    (!value.is_null()).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(body: &Value) -> Payload {
        Payload::parse(body.to_string().as_bytes())
    }

    /// `text` as JSON text, so many times over.
    fn wrapped(text: &str, layers: usize) -> Value {
        (0..layers).fold(Value::from(text), |inner, _| Value::from(inner.to_string()))
    }

    #[test]
    fn a_timer_run_is_neither_manual_nor_late() {
        let body = json!({"Data": {"timer": {"IsPastDue": false}}, "Metadata": {"sys": {"MethodName": "TimerPull"}}});
        assert_eq!(of(&body), Payload::default());
    }

    #[test]
    fn lateness_and_retries_are_read() {
        let body = json!({"Data": {"timer": {"IsPastDue": true}}, "Metadata": {"RetryContext": {"RetryCount": 2}}});
        assert_eq!(of(&body), Payload { past_due: true, retry: Some(2), ..Payload::default() });
    }

    #[test]
    fn a_range_is_found_however_often_it_was_wrapped() {
        let wanted = range::parse(&serde_json::from_str(range::EXAMPLE).unwrap()).unwrap();
        let object: Value = serde_json::from_str(range::EXAMPLE).unwrap();
        for input in [object, wrapped(range::EXAMPLE, 0), wrapped(range::EXAMPLE, 1), wrapped(range::EXAMPLE, 2)] {
            let payload = of(&json!({"Metadata": {"timer": input}}));
            assert_eq!(payload, Payload { manual: true, range: Some(wanted), ..Payload::default() });
        }
    }

    #[test]
    fn an_empty_input_is_a_manual_run_without_a_note() {
        for input in [json!(""), json!("\"\""), json!("\"  \""), json!("null"), json!(null)] {
            let payload = of(&json!({"Metadata": {"timer": input}}));
            assert_eq!(payload, Payload { manual: true, ..Payload::default() }, "{input}");
        }
    }

    #[test]
    fn any_other_input_is_a_normal_run_with_a_note_that_does_not_repeat_it() {
        for input in
            [json!("\"s3cret\""), json!("s3cret"), json!("\"5\""), json!(true), json!({"s3cret": 1}), json!([])]
        {
            let payload = of(&json!({"Metadata": {"timer": input}}));
            assert!(payload.manual && payload.range.is_none(), "{input}");
            assert_eq!(payload.notes.len(), 1, "{input}");
            assert!(payload.notes[0].contains(range::EXAMPLE) && !payload.notes[0].contains("s3cret"));
        }
    }

    #[test]
    fn a_body_that_cannot_be_read_is_a_normal_run_with_a_note() {
        let deep = "[".repeat(100_000);
        for (body, why) in [
            (&b""[..], "it has no body"),
            (b" \r\n", "it has no body"),
            (b"{\"Data\":", "not JSON (line 1, column 8)"),
            (b"s3cret", "not JSON"),
            (b"\xff\xfe", "not JSON"),
            (b"[1]", "not a JSON object"),
            (b"null", "not a JSON object"),
            (deep.as_bytes(), "not JSON"),
        ] {
            let payload = Payload::parse(body);
            assert_eq!(payload, Payload { notes: payload.notes.clone(), ..Payload::default() });
            assert!(payload.notes.len() == 1 && payload.notes[0].contains(why), "{:?}", payload.notes);
            assert!(!payload.notes[0].contains("s3cret"));
        }
    }

    #[test]
    fn a_byte_order_mark_does_no_harm() {
        let payload = Payload::parse(b"\xef\xbb\xbf{\"Data\":{\"timer\":{\"IsPastDue\":true}}}");
        assert!(payload.past_due && payload.notes.is_empty());
    }

    /// Any JSON value, some levels deep, with the names that the payload looks for among its keys.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let key = prop_oneof!["[a-z]{1,4}", "Data|Metadata|timer|IsPastDue|RetryContext|RetryCount|since|until"];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key.clone(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_bytes_make_a_run(body in any::<Vec<u8>>()) {
            let payload = Payload::parse(&body);
            prop_assert!(payload.range.is_none() || payload.manual);
        }

        #[test]
        fn any_object_makes_a_run(data in any_json(), metadata in any_json(), input in any_json()) {
            let payload = of(&json!({"Data": data, "Metadata": metadata}));
            prop_assert!(payload.notes.is_empty() || payload.manual);
            let payload = of(&json!({"Data": data, "Metadata": {"timer": input}}));
            prop_assert!(payload.manual);
            prop_assert!(payload.range.is_none() || payload.notes.is_empty());
        }
    }
}
