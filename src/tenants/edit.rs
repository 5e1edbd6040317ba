//! Changing the list in the state. What is there is written over only where it was read before, so that two people who
//! change it at once lose nothing.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    fault::TenantError,
    key::{ENABLED, TENANT_ID},
    list::{List, ListError, NoSuchTenant},
    read::LIST_KEY,
};
use crate::state::{Expect, StateError, Store};

/// How often another writer is given way.
const TRIES: u32 = 5;

/// Why the list was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// What is stored is no list, and is not written over.
    #[error("{LIST_KEY} of the state was left as it is: {0}")]
    List(#[from] ListError),
    /// The tenant is in it already.
    #[error("{0} is in the list already; remove it first, or change {LIST_KEY} by hand")]
    Known(String),
    /// The tenant is not in it.
    #[error(transparent)]
    Unknown(#[from] NoSuchTenant),
    /// The new entry is bad.
    #[error("the entry is not good: {0}")]
    Entry(Box<TenantError>),
    /// The state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The list with `entry` at its end. `stored` is what is there; nothing is an empty list.
///
/// # Errors
/// It is there already, or what is stored is no list.
pub fn with(stored: Option<&[u8]>, entry: &Map<String, Value>) -> Result<Vec<u8>, EditError> {
    let (mut values, list) = read(stored)?;
    if let Some(known) = entry.get(TENANT_ID).and_then(Value::as_str).and_then(|id| list.by_id(id)) {
        return Err(EditError::Known(known.label()));
    }
    values.push(Value::Object(entry.clone()));
    Ok(written(&values))
}

/// The list without the tenant that a person names by id or name, and how it was called.
///
/// # Errors
/// There is no such tenant, or what is stored is no list.
pub fn without(stored: Option<&[u8]>, wanted: &str) -> Result<(Vec<u8>, String), EditError> {
    let (mut values, list) = read(stored)?;
    let entry = list.find(wanted)?;
    values.remove(entry.place - 1);
    Ok((written(&values), entry.label()))
}

/// The list with that tenant enabled or not, and how it is called.
///
/// # Errors
/// There is no such tenant, or what is stored is no list.
pub fn with_enabled(stored: Option<&[u8]>, wanted: &str, enabled: bool) -> Result<(Vec<u8>, String), EditError> {
    let (mut values, list) = read(stored)?;
    let entry = list.find(wanted)?;
    if let Some(Value::Object(fields)) = values.get_mut(entry.place - 1) {
        fields.insert(ENABLED.to_owned(), Value::Bool(enabled));
    }
    Ok((written(&values), entry.label()))
}

/// Changes the stored list by `edit`, which is asked again where another writer came in between.
///
/// # Errors
/// As for `edit`, or the state cannot be read or written.
pub async fn change<T>(
    store: &dyn Store,
    mut edit: impl FnMut(Option<&[u8]>) -> Result<(Vec<u8>, T), EditError>,
) -> Result<T, EditError> {
    let mut tries = 0;
    loop {
        let stored = store.get(LIST_KEY).await?;
        let (text, done) = edit(stored.as_ref().map(|(text, _)| text.as_ref()))?;
        let expect = stored.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
        tries += 1;
        match store.put(LIST_KEY, Bytes::from(text), &expect).await {
            Ok(_) => return Ok(done),
            Err(error) if error.is_conflict() && tries < TRIES => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn read(stored: Option<&[u8]>) -> Result<(Vec<Value>, List), EditError> {
    let Some(text) = stored else { return Ok((Vec::new(), List::default())) };
    let list = List::parse(text)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match serde_json::from_slice(text) {
        Ok(Value::Array(values)) => Ok((values, list)),
        _ => Err(ListError::NoArray.into()),
    }
}

/// One entry a line, for people who look at the blob, and for what compares two versions of it.
fn written(values: &[Value]) -> Vec<u8> {
    let entries: Vec<_> = values.iter().map(Value::to_string).collect();
    match entries.is_empty() {
        true => b"[]\n".to_vec(),
        false => format!("[\n  {}\n]\n", entries.join(",\n  ")).into_bytes(),
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
