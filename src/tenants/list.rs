//! All entries.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    entry::Entry,
    key::{self, TENANT_ID},
};

/// The list of tenants, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    entries: Vec<Entry>,
}

/// Why a text is no list at all. No tenant can be read then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// It is JSON of another form.
    #[error("it is no JSON array of entries such as [{{\"tenantId\": \"4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55\"}}]; an entry has {keys}", keys = key::names())]
    NoArray,
}

/// Why a tenant that is asked for is none of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchTenant {
    /// No entry has that id or name.
    #[error("{0:?} is neither the id nor the name of a tenant of the list; `labelstream tenants list` shows them")]
    Unknown(String),
    /// Several have that name.
    #[error("{name:?} is the name of several tenants ({ids}); give the id of one")]
    Several {
        /// The name.
        name: String,
        /// Their ids.
        ids: String,
    },
}

impl List {
    /// Reads a JSON array of entries. A bad entry is in the list, with its faults.
    ///
    /// # Errors
    /// The text is no array at all.
    pub fn parse(text: &[u8]) -> Result<Self, ListError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let value = serde_json::from_slice(text).map_err(|error| ListError::NotJson(told(&error)))?;
        Self::of(&value)
    }

    /// The list in a JSON value.
    ///
    /// # Errors
    /// It is no array.
    pub(super) fn of(value: &Value) -> Result<Self, ListError> {
        let Value::Array(values) = value else { return Err(ListError::NoArray) };
        let mut entries: Vec<_> =
            values.iter().enumerate().map(|(index, value)| Entry::read(index + 1, value)).collect();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for entry in &entries {
            if let Some(id) = &entry.id {
                places.entry(id.clone()).or_default().push(entry.place);
            }
        }
        for entry in &mut entries {
            let others = entry.id.as_ref().and_then(|id| places.get(id)).filter(|places| places.len() > 1);
            if let Some(places) = others {
                // Which of them is right cannot be known, and a customer's rows must not go where order decides.
                let others: Vec<_> = places
                    .iter()
                    .filter(|place| **place != entry.place)
                    .map(|place| format!("entry {place}"))
                    .collect();
                entry.add_fault(TENANT_ID, format!("stands also in {}; keep one of them", others.join(", ")));
            }
        }
        Ok(Self { entries })
    }

    /// The entries, in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with this tenant id, as messages have it.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(id)))
    }

    /// The entry whose tenant id or name (in any case) a person gives.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn find(&self, wanted: &str) -> Result<&Entry, NoSuchTenant> {
        let wanted = wanted.trim();
        if let Some(entry) = self.by_id(wanted.trim_start_matches('{').trim_end_matches('}')) {
            return Ok(entry);
        }
        let lower = wanted.to_lowercase();
        let named: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.name.as_ref().is_some_and(|name| name.to_lowercase() == lower))
            .collect();
        match named[..] {
            [] => Err(NoSuchTenant::Unknown(wanted.to_owned())),
            [entry] => Ok(entry),
            _ => {
                let ids: Vec<_> = named.iter().map(|entry| entry.id.clone().unwrap_or_else(|| entry.label())).collect();
                Err(NoSuchTenant::Several { name: wanted.to_owned(), ids: ids.join(", ") })
            }
        }
    }
}

/// Where the text breaks off from JSON. The parser's own words may quote the text.
fn told(error: &serde_json::Error) -> String {
    let what = if error.is_eof() { "it ends too early" } else { "something else stands there" };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
