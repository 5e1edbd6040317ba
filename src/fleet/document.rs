//! When a message was put last for each tenant: the document `fleet.json` of the state, written by the timer alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::state::StateError;

/// Where it lies in the state.
pub const DOCUMENT_KEY: &str = "fleet.json";

/// The lock of the timer: two that come together do not put twice.
pub const LOCK_KEY: &str = "fleet";

/// When a message was put last, by tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Document {
    tenants: BTreeMap<String, Put>,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Put {
    /// When it was put, by the clock of the storage.
    #[serde(with = "time::serde::rfc3339")]
    put: OffsetDateTime,
}

impl Document {
    /// Reads what is stored. What cannot be read is as nothing, and written over: all that it costs is a message that is
    /// put twice.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body)
            .map_err(|error| format!("{DOCUMENT_KEY} is written anew, as it cannot be read (line {})", error.line()))
    }

    /// As it is stored.
    ///
    /// # Errors
    /// A time has no RFC 3339 form (a year beyond 9999).
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        let reason = |error: serde_json::Error| StateError::Unavailable {
            key: DOCUMENT_KEY.to_owned(),
            reason: error.to_string(),
        };
        serde_json::to_vec(self).map_err(reason)
    }

    /// When a message was put last for `tenant`.
    #[must_use]
    pub fn put(&self, tenant: &str) -> Option<OffsetDateTime> {
        self.tenants.get(tenant).map(|known| known.put)
    }

    /// A message was put for `tenant`.
    pub fn note(&mut self, tenant: &str, put: OffsetDateTime) {
        self.tenants.insert(tenant.to_owned(), Put { put });
    }

    /// Forgets the tenants that are none of the list any more.
    pub fn keep_only(&mut self, listed: impl Fn(&str) -> bool) {
        self.tenants.retain(|tenant, _| listed(tenant));
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_was_put_is_known_again_and_who_left_is_forgotten() {
        let mut document = Document::default();
        let at = datetime!(2026-11-22 19:00 UTC);
        document.note("a", at);
        document.note("b", at);
        document.keep_only(|tenant| tenant == "a");
        let stored = document.to_bytes().unwrap();
        assert_eq!(stored, br#"{"tenants":{"a":{"put":"2026-11-22T19:00:00Z"}}}"#);
        let read = Document::parse(&stored).unwrap();
        assert_eq!((read.put("a"), read.put("b")), (Some(at), None));
        assert_eq!(Document::parse(b"{}"), Ok(Document::default()));
        assert!(Document::parse(b"[7").unwrap_err().contains("line 1"));
    }
}
