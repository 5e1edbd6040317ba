//! Dead letters: what could not be delivered, kept in the state container with its reason.
//!
//! [`DeadLetter`] is one of them, [`Facts`] what is shown of it, [`Selection`] which of them are to be sent again; `kept`
//! reads and counts those that lie there. They are sent again by [`crate::pull::Connector::replay`].

mod facts;
mod kept;
mod selection;

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub use facts::Facts;
pub(crate) use facts::record_of_row;
pub use kept::{COUNTED_AT_MOST, KeptError, Number, count, get, keys, read_all};
pub use selection::{Selection, UnknownLetters};

use crate::{
    content::{Content, ContentType},
    state::{Expect, StateError, Store},
    watermark::Id,
};

/// What a dead letter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A whole content, which could not be read. Its URI serves it as long as the feed does.
    Content,
    /// One element of a content that is no record.
    Record,
    /// A row that the endpoint refuses.
    Row,
    /// An entry of a listing that names no content.
    Entry,
}

impl Kind {
    /// The word for it: what the names of its dead letters begin with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Record => "record",
            Self::Row => "row",
            Self::Entry => "entry",
        }
    }
}

/// What could not be delivered, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// What it holds.
    pub kind: Kind,
    /// Why it could not be delivered.
    pub reason: String,
    /// When it was given up, the last time.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The content that it comes from. A row tells it in its columns.
    pub content: Option<Content>,
    /// The content type of the listing that it stood in, where it is an entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<ContentType>,
    /// Its place in the content, from 0, where it is a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
    /// How many runs and replays tried it.
    pub tries: u32,
    /// Whether its body is the beginning alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The record or row, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The record in base64, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

impl DeadLetter {
    /// A content that is given up.
    #[must_use]
    pub const fn content(content: Content, reason: String, tries: u32, at: OffsetDateTime) -> Self {
        Self {
            kind: Kind::Content,
            reason,
            at,
            content: Some(content),
            content_type: None,
            place: None,
            tries,
            cut: false,
            body: None,
            body_base64: None,
        }
    }

    /// A record or a row that is given up; `content` is where it came from, as far as that is known.
    #[must_use]
    pub fn bytes(kind: Kind, content: Option<Content>, body: &[u8], reason: String, at: OffsetDateTime) -> Self {
        let (body, body_base64) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(body))),
        };
        Self { kind, reason, at, content, content_type: None, place: None, tries: 1, cut: false, body, body_base64 }
    }

    /// The record, row or entry as it came; `None` for a content, and where the base64 was changed by hand.
    #[must_use]
    pub fn body(&self) -> Option<Cow<'_, [u8]>> {
        match (&self.body, &self.body_base64) {
            (Some(text), _) => Some(Cow::Borrowed(text.as_bytes())),
            (None, Some(base64)) => STANDARD.decode(base64).ok().map(Cow::Owned),
            (None, None) => None,
        }
    }

    /// Where it is kept. The same thing given up again has the same key, so that it lies there once.
    #[must_use]
    pub fn key(&self, tenant: &str) -> String {
        let mut digest = Sha256::new();
        for part in [self.content.as_ref().map(|content| &content.id), self.body.as_ref(), self.body_base64.as_ref()] {
            digest.update(part.map_or("", String::as_str));
            digest.update([0]);
        }
        let digest = digest.finalize();
        let name: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}{}-{name}.json", prefix(tenant), self.kind.as_str())
    }

    /// Stores it. Whether it was stored: with [`Expect::Absent`] what lies there stays as it is.
    ///
    /// # Errors
    /// The storage refuses or fails.
    pub async fn save(&self, store: &dyn Store, tenant: &str, expect: &Expect) -> Result<bool, StateError> {
        let key = self.key(tenant);
        let body = serde_json::to_vec_pretty(self)
            .map_err(|error| StateError::Unavailable { key: key.clone(), reason: error.to_string() })?;
        match store.put(&key, body.into(), expect).await {
            Ok(_) => Ok(true),
            Err(StateError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What is remembered among the records delivered once the dead letter `key` was delivered. The record's own id cannot
/// tell: it was remembered when the row was given up, so that the service's next delivery of it is not tried anew.
#[must_use]
pub fn delivered_mark(key: &str) -> Id {
    let mut mark = Id::default();
    mark.copy_from_slice(&Sha256::digest(format!("dead letter delivered\n{key}"))[..16]);
    mark
}

/// What the keys of a tenant's dead letters begin with.
#[must_use]
pub fn prefix(tenant: &str) -> String {
    format!("{tenant}/dead-letters/")
}

/// The name of a dead letter: its key without the folder and `.json`.
#[must_use]
pub fn name(key: &str) -> &str {
    let file = key.rsplit('/').next().unwrap_or(key);
    file.strip_suffix(".json").unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const AT: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

    #[test]
    fn the_same_thing_has_the_same_key_whenever_it_is_given_up() {
        let letter = |body: &[u8], at| DeadLetter::bytes(Kind::Row, None, body, "no".into(), at).key("t");
        assert_eq!(letter(b"{}", AT), letter(b"{}", AT + time::Duration::DAY));
        assert_ne!(letter(b"{}", AT), letter(b"[]", AT));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_whole() {
        let letter = DeadLetter::bytes(Kind::Record, None, b"\xff{", "no".into(), AT);
        assert_eq!(letter.body, None);
        assert_eq!(STANDARD.decode(letter.body_base64.as_ref().unwrap()).unwrap(), b"\xff{");
        assert_eq!(letter.body().as_deref(), Some(&b"\xff{"[..]));
    }

    #[test]
    fn what_earlier_versions_stored_is_read() {
        let stored = r#"{"kind":"row","reason":"no","at":"2026-11-22T19:00:00Z","content":null,"tries":1,"body":"{}"}"#;
        let letter: DeadLetter = serde_json::from_str(stored).unwrap();
        assert_eq!(letter, DeadLetter::bytes(Kind::Row, None, b"{}", "no".into(), AT));
        let stored = serde_json::to_string(&letter).unwrap();
        assert!(!stored.contains("place") && !stored.contains("cut"), "{stored}");
    }

    #[test]
    fn a_mark_is_no_id_of_another_letter() {
        let key = DeadLetter::bytes(Kind::Row, None, b"{}", "no".into(), AT).key("t");
        assert_eq!(delivered_mark(&key), delivered_mark(&key));
        assert_ne!(delivered_mark(&key), delivered_mark(&format!("u{key}")));
        assert_eq!(name(&key), key.strip_prefix("t/dead-letters/").unwrap().strip_suffix(".json").unwrap());
    }
}
