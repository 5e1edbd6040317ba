//! Records: cut out of a content's body, filtered by a first look, and read without building trees.
//!
//! The way of one record: [`Splitter`] finds its bytes and with them its [`Outline`], in one pass that proves it valid.
//! [`Peek`] and [`Filter`] decide by these whether it is a label event. [`LabelEvents`] holds those that are, each as a
//! [`Record`] that gives its members, and [`Key`] is what it is recognised by.

mod element;
mod error;
mod filter;
pub mod json;
mod key;
mod label_events;
mod member;
mod members;
mod outline;
mod peek;
mod record_type;
pub(crate) mod scan;
mod splitter;

use std::borrow::Cow;

pub use element::Element;
pub use error::RecordError;
pub use filter::{Filter, HEARTBEAT, OPERATIONS, RECORD_TYPES};
pub use key::Key;
pub use label_events::LabelEvents;
pub use member::Member;
pub use members::{Entry, Members};
pub use outline::Outline;
pub use peek::Peek;
pub use record_type::{record_type_by_name, record_type_name};
pub use splitter::{MAX_RECORD_BYTES, SplitError, Splitter};

/// The text of an element. Bytes that are no UTF-8 become U+FFFD: a record is kept for what can be read of it.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly all is valid, and only to check that costs less.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// One audit event, borrowed from its text.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    members: Members<'a>,
}

impl<'a> Record<'a> {
    /// Reads the text of a record. It accepts what [`Peek::of`] accepts.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub fn parse(text: &'a str) -> Result<Self, RecordError> {
        Members::parse(text).map(|members| Self { members })
    }

    /// The record of a text and the places that an outline of it gave.
    fn within(text: &'a str, places: &'a mut [outline::Place]) -> Self {
        Self { members: Members::within(text, places) }
    }

    /// Every member of the top level.
    #[must_use]
    pub const fn members(&self) -> &Members<'a> {
        &self.members
    }

    /// The text of a member's value, if it is there and not `null`.
    #[must_use]
    pub fn get(&self, member: Member) -> Option<&'a str> {
        self.members.get(member)
    }

    /// `Id` as text, if it is a string that is not empty, or a number.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'a, str>> {
        let raw = self.get(Member::Id)?;
        let number =
            || raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()).then_some(Cow::Borrowed(raw));
        json::text(raw).or_else(number).filter(|id| !id.trim().is_empty())
    }

    /// `RecordType`, read as [`Peek`] does.
    #[must_use]
    pub fn record_type(&self) -> Option<i64> {
        peek::record_type(self.get(Member::RecordType)?)
    }

    /// `Operation`, if it is a string.
    #[must_use]
    pub fn operation(&self) -> Option<Cow<'a, str>> {
        json::text(self.get(Member::Operation)?)
    }

    /// What the record is recognised by: its `Id`, or its place (`ordinal`, from 0) in the content.
    #[must_use]
    pub fn key(&self, content_id: &str, ordinal: u64) -> Key {
        self.id().and_then(|id| Key::of_id(&id)).unwrap_or_else(|| Key::of_place(content_id, ordinal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_id_or_the_place() {
        let key = |text: &str, ordinal| Record::parse(text).unwrap().key("content", ordinal);
        let id = r#"{"Id":"8417BBF6-3469-57bf-d48e-ee80f34c3d71"}"#;
        assert_eq!(key(id, 0), key(id, 1));
        assert_eq!(Some(key(id, 0)), Key::of_id("8417bbf6-3469-57bf-d48e-ee80f34c3d71"));
        assert_eq!(Some(key(r#"{"Id":12}"#, 0)), Key::of_id("12"));
        for text in ["{}", r#"{"Id":null}"#, r#"{"Id":""}"#, r#"{"Id":" "}"#, r#"{"Id":{}}"#, r#"{"Id":true}"#] {
            assert_eq!(key(text, 3), Key::of_place("content", 3), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_not_lose_the_record() {
        let bytes = b"{\"UserId\":\"a\xFFb\",\"RecordType\":\"93\",\"Operation\":\"Discover\"}";
        let text = decode(bytes);
        let record = Record::parse(&text).unwrap();
        assert_eq!(record.get(Member::UserId), Some("\"a\u{fffd}b\""));
        assert_eq!((record.record_type(), record.operation().as_deref()), (Some(93), Some("Discover")));
    }

    #[test]
    fn what_is_no_record_is_refused_as_the_first_look_refuses_it() {
        for text in ["[]", "7", "", "{", "{\"a\":tru}", "{} {}"] {
            assert_eq!(Record::parse(text).unwrap_err(), Peek::of(text).unwrap_err(), "{text}");
        }
    }
}
