//! Reading a status: four requests, and nothing is written.

use time::OffsetDateTime;

use super::Status;
use crate::{
    content::ContentType,
    dead_letter,
    health::{Ring, runs_key},
    state::{StateError, Store},
    watermark::{Document, Memory},
};

/// How the connector of `tenant` stands by what `store` holds; `wanted` is what it reads of the feed. The lock is looked at
/// and not taken. What is stored and cannot be read is told by [`Status::document_error`] and [`Status::runs_error`].
///
/// # Errors
/// The storage refuses or fails.
pub async fn read(
    store: &dyn Store,
    tenant: &str,
    wanted: &[ContentType],
    now: OffsetDateTime,
) -> Result<Status, StateError> {
    let (document_key, runs_key, lock) = (Memory::document_key(tenant), runs_key(tenant), Memory::lock_key(tenant));
    let (document, runs, letters, run_under_way) = tokio::try_join!(
        store.get(&document_key),
        store.get(&runs_key),
        dead_letter::count(store, tenant),
        store.is_locked(&lock)
    )?;
    let (ring, unread) = runs.map(|(body, _)| Ring::parse(&body)).unwrap_or_default();
    let (document, document_error) = match document.map(|(body, _)| Document::parse(&body)) {
        None => (Document::default(), None),
        Some(Ok(document)) => (document, None),
        Some(Err(error)) => (Document::default(), Some(format!("{document_key}: {error}"))),
    };
    Ok(Status {
        run_under_way: Some(run_under_way),
        document_error,
        runs_error: unread.map(|unread| format!("{runs_key}: {unread}")),
        ..Status::of(tenant, wanted, &document, letters, ring, now)
    })
}
