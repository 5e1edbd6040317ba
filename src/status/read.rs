//! Gathering a status.

use time::OffsetDateTime;

use super::{LastRun, Parts, Status, runs_key};
use crate::{
    content::ContentType,
    dead_letter,
    feed::FeedClient,
    state::{StateError, Store},
    watermark::{Document, Memory},
};

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
#[error("state: {0}")]
pub struct StatusError(#[from] StateError);

/// Reads how the connector of `tenant` stands, for the content types `wanted`. Nothing is changed, and the lock is looked
/// at and not taken. `feed` is asked for the subscriptions, where it is given. What can be left out is, with a line in
/// [`Status::problems`].
///
/// # Errors
/// The storage refuses or fails.
pub async fn read(
    store: &dyn Store,
    tenant: &str,
    wanted: &[ContentType],
    feed: Option<&FeedClient>,
    now: OffsetDateTime,
) -> Result<Status, StatusError> {
    let (document_key, runs, lock) = (Memory::document_key(tenant), runs_key(tenant), Memory::lock_key(tenant));
    let (document, dead_letters, run_under_way, recorded) = tokio::try_join!(
        store.get(&document_key),
        dead_letter::count(store, tenant),
        store.is_locked(&lock),
        store.get(&runs),
    )?;
    let mut parts = Parts { dead_letters, run_under_way, ..Parts::default() };
    match document.as_ref().map(|(body, _)| Document::parse(body)) {
        Some(Ok(document)) => parts.document = document,
        Some(Err(error)) => parts.problems.push(format!("{document_key}: {error}")),
        None => parts.problems.push("no run has saved anything yet: there is no watermark".to_owned()),
    }
    match recorded.as_ref().map(|(body, _)| LastRun::newest(body)) {
        Some(Ok(last)) => parts.last_run = last,
        Some(Err(error)) => parts.problems.push(format!("{runs} cannot be read: {error}")),
        None => {}
    }
    if let Some(feed) = feed {
        match feed.subscriptions().await {
            Ok(listed) => parts.subscriptions = Some(listed),
            Err(error) => parts.problems.push(format!("the subscriptions are not known: {error}")),
        }
    }
    Ok(Status::of(tenant, wanted, parts, now))
}
