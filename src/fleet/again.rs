//! Markers of tenants whose message was put again by a run that left work: a blob for each, so that the timer finds all of
//! them with one request. A marker is written before its message is put, and removed by the run that leaves nothing.

use bytes::Bytes;

use crate::state::{Expect, StateError, Store};

/// What the keys of markers begin with.
const PREFIX: &str = "again/";

/// What follows the tenant.
const SUFFIX: &str = ".json";

/// The key of a tenant's marker. When it was written is the blob's own time of change.
#[must_use]
pub fn marker_key(tenant: &str) -> String {
    format!("{PREFIX}{tenant}{SUFFIX}")
}

/// Writes the marker of `tenant`.
///
/// # Errors
/// The storage refuses or fails.
pub async fn mark(store: &dyn Store, tenant: &str) -> Result<(), StateError> {
    store.put(&marker_key(tenant), Bytes::from_static(b"{}\n"), &Expect::Any).await.map(drop)
}

/// Removes the marker of `tenant`; that there is none is no error.
///
/// # Errors
/// The storage refuses or fails.
pub async fn unmark(store: &dyn Store, tenant: &str) -> Result<(), StateError> {
    store.delete(&marker_key(tenant)).await
}

/// The tenants that have a marker.
///
/// # Errors
/// The storage refuses or fails.
pub async fn marked(store: &dyn Store) -> Result<Vec<String>, StateError> {
    let entries = store.list(PREFIX).await?;
    Ok(entries.iter().filter_map(|entry| tenant_of(&entry.key)).map(str::to_owned).collect())
}

fn tenant_of(key: &str) -> Option<&str> {
    key.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::folder::FolderStore;

    #[tokio::test]
    async fn markers_are_found_until_they_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        assert!(marked(&store).await.unwrap().is_empty());
        unmark(&store, "a").await.unwrap();
        for tenant in ["b", "a", "a"] {
            mark(&store, tenant).await.unwrap();
        }
        assert_eq!(marked(&store).await.unwrap(), ["a", "b"]);
        assert!(store.modified(&marker_key("a")).await.unwrap().is_some());
        unmark(&store, "a").await.unwrap();
        assert_eq!(marked(&store).await.unwrap(), ["b"]);
        assert_eq!(store.modified(&marker_key("a")).await.unwrap(), None);
    }
}
