//! A record as the judge reads it: three members of its top level, whatever the others hold.
//!
//! Nothing is built of the rest, so that a number beyond every range, half a surrogate pair or an array ten thousand
//! deep makes no label event unreadable: JSON allows all of them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::ledger::Key;

/// What the ledger asks of a record. Of a member that comes twice the last counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// `RecordType`: a whole number, however it is written, or its digits as text.
    pub record_type: Option<u64>,
    /// `Operation`, where it is text.
    pub operation: Option<String>,
    /// `Id` as text: of a string what it says, of anything else its JSON.
    pub id: Option<String>,
}

impl Record {
    /// Reads one record. `None` for what is no JSON object.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// By what its row is recognised.
    pub fn key(&self) -> Option<Key> {
        self.id.as_deref().and_then(Key::new)
    }
}

/// The bytes of a string: a parser gives no text where half a surrogate pair is in it.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Read)
    }
}

fn string(value: &RawValue) -> Option<String> {
    let Bytes(bytes) = serde_json::from_str(value.get()).ok().filter(|_| value.get().starts_with('"'))?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn whole_number(value: &RawValue) -> Option<u64> {
    let text = string(value);
    let digits = text.as_deref().unwrap_or(value.get()).trim();
    // `43.0` and `4.3e1` are the same number as `43`.
    let same = |number: &u64| text.is_none() && value.get().parse::<f64>() == Ok(*number as f64);
    digits.parse().ok().or_else(|| (0..1_000).find(same))
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record, which is a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut record = Record::default();
                while let Some(Bytes(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    match name.as_slice() {
                        b"RecordType" => record.record_type = whole_number(value),
                        b"Operation" => record.operation = string(value),
                        b"Id" if value.get() == "null" => record.id = None,
                        b"Id" => record.id = string(value).or_else(|| Some(value.get().to_owned())),
                        _ => {}
                    }
                }
                Ok(record)
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<u64>, Option<String>, Option<String>) {
        let record = Record::read(text).unwrap();
        (record.record_type, record.operation, record.id)
    }

    #[test]
    fn the_three_members_are_read_whatever_the_others_hold() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for other in [deep.as_str(), "1e400", r#""\ud800""#, "-0", "1180591620717411303424", r#""\u0000""#] {
            let text = format!(r#"{{"a":{other},"Id":"x","RecordType":43,"Operation":"MipLabel","b":{other}}}"#);
            let expected = (Some(43), Some("MipLabel".to_owned()), Some("x".to_owned()));
            assert_eq!(read(&text), expected, "{}", &text[..40]);
        }
    }

    #[test]
    fn record_types_and_ids_may_be_written_otherwise() {
        for raw in ["43", "43.0", "4.3e1", r#""43""#, r#"" 43 ""#] {
            assert_eq!(read(&format!(r#"{{"RecordType":{raw}}}"#)).0, Some(43), "{raw}");
        }
        for raw in ["null", "true", "[43]", "43.5", "-43", r#""x""#, "1e400"] {
            assert_eq!(read(&format!(r#"{{"RecordType":{raw}}}"#)).0, None, "{raw}");
        }
        let ids =
            [("null", None), ("\"\"", Some("")), ("7", Some("7")), ("[1]", Some("[1]")), (r#""a\u0041""#, Some("aA"))];
        for (raw, id) in ids {
            assert_eq!(read(&format!(r#"{{"Id":"other","Id":{raw}}}"#)).2.as_deref(), id, "{raw}");
        }
    }

    #[test]
    fn what_is_no_object_is_no_record() {
        for text in ["[43]", "7", "null", "", "{", r#"{"a":1}}"#, "{\"a\":\"\n\"}", "not JSON"] {
            assert_eq!(Record::read(text), None, "{text}");
        }
    }
}
