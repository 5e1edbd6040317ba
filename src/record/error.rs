//! Why an element is no record.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::decode;

/// Why an element of a content is no record. It stays what it is however often it is fetched: a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Something else than an object.
    #[error("the record is {found}, not a JSON object")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// It breaks the rules of JSON. The reason tells the place, not the content.
    #[error("the record is no valid JSON: {reason}")]
    Malformed {
        /// What the parser said, with line and column.
        reason: String,
    },
}

impl RecordError {
    /// What is wrong with the bytes of an element that an [`Outline`](super::Outline) did not take.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let text = decode(bytes);
        if let Some(found) = other_than_an_object(&text) {
            return Self::NotAnObject { found };
        }
        let mut parser = serde_json::Deserializer::from_str(&text);
        let reason = match parser.deserialize_map(Through).and_then(|()| parser.end()) {
            Err(error) => error.to_string(),
            Ok(()) => format!("its {} bytes cannot be read", bytes.len()), // more than 4 GiB
        };
        Self::Malformed { reason }
    }
}

fn other_than_an_object(text: &str) -> Option<&'static str> {
    match text.trim_ascii_start().bytes().next() {
        Some(b'{') => None,
        None => Some("empty"),
        Some(b'[') => Some("an array"),
        Some(b'"') => Some("a string"),
        Some(b'n') => Some("null"),
        Some(b't' | b'f') => Some("a boolean"),
        Some(b'-' | b'0'..=b'9') => Some("a number"),
        Some(_) => Some("something else"),
    }
}

/// Goes through an object for the mistake that a parser finds in it.
struct Through;

impl<'de> Visitor<'de> for Through {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<Name>()?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Any name. Bytes are asked for because a parser would refuse half a surrogate pair in a string.
struct Name;

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Self)
    }
}

impl Visitor<'_> for Name {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, _name: &[u8]) -> Result<Self, E> {
        Ok(self)
    }
}
