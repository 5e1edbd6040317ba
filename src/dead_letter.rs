//! Dead letters: what could not be delivered, kept in the state container with its reason.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::{
    content::Content,
    state::{Expect, StateError, Store},
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

/// What could not be delivered, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// What it holds.
    pub kind: Kind,
    /// Why it could not be delivered.
    pub reason: String,
    /// When it was given up.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The content that it comes from.
    pub content: Option<Content>,
    /// How many runs tried it.
    pub tries: u32,
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
        Self { kind: Kind::Content, reason, at, content: Some(content), tries, body: None, body_base64: None }
    }

    /// A record or a row that is given up; `content` is where it came from, as far as that is known.
    #[must_use]
    pub fn bytes(kind: Kind, content: Option<Content>, body: &[u8], reason: String, at: OffsetDateTime) -> Self {
        let (body, body_base64) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(body))),
        };
        Self { kind, reason, at, content, tries: 1, body, body_base64 }
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
        let kind = match self.kind {
            Kind::Content => "content",
            Kind::Record => "record",
            Kind::Row => "row",
            Kind::Entry => "entry",
        };
        format!("{}{kind}-{name}.json", prefix(tenant))
    }

    /// Stores it.
    ///
    /// # Errors
    /// The storage refuses or fails.
    pub async fn save(&self, store: &dyn Store, tenant: &str) -> Result<(), StateError> {
        let key = self.key(tenant);
        let body = serde_json::to_vec_pretty(self)
            .map_err(|error| StateError::Unavailable { key: key.clone(), reason: error.to_string() })?;
        store.put(&key, body.into(), &Expect::Any).await.map(drop)
    }
}

/// What the keys of a tenant's dead letters begin with.
#[must_use]
pub fn prefix(tenant: &str) -> String {
    format!("{tenant}/dead-letters/")
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
        assert_eq!(STANDARD.decode(letter.body_base64.unwrap()).unwrap(), b"\xff{");
    }
}
