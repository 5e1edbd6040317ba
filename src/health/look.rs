//! Looking at the state: four requests, and nothing is written.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;

use super::{
    ring::{Ring, runs_key},
    verdict::Health,
};
use crate::{
    content::ContentType,
    dead_letter,
    state::{StateError, Store},
    watermark::{Document, Memory},
};

/// How the connector of `tenant` stands by what `store` holds; `wanted` is what it reads of the feed. A document that
/// cannot be read is a problem that the answer tells.
///
/// # Errors
/// The storage refuses or fails.
pub async fn look(
    store: &dyn Store,
    tenant: &str,
    wanted: &[ContentType],
    now: OffsetDateTime,
) -> Result<Health, StateError> {
    let (document_key, runs_key, lock) = (Memory::document_key(tenant), runs_key(tenant), Memory::lock_key(tenant));
    let (document, runs, letters, run_under_way) = tokio::try_join!(
        store.get(&document_key),
        store.get(&runs_key),
        dead_letter::count(store, tenant),
        store.is_locked(&lock)
    )?;
    let (ring, _other_version) = runs.map(|(body, _)| Ring::parse(&body)).unwrap_or_default();
    let (document, unreadable) = match document.map(|(body, _)| Document::parse(&body)) {
        None => (Document::default(), None),
        Some(Ok(document)) => (document, None),
        Some(Err(error)) => (Document::default(), Some(format!("{document_key}: {error}"))),
    };
    let mut health = Health::of(tenant, wanted, &document, letters, ring, now);
    health.run_under_way = Some(run_under_way);
    if let Some(problem) = unreadable {
        health.add_problem(problem);
    }
    Ok(health)
}

/// As [`look`], within `limit`. That the state cannot be read is a problem that the answer tells.
pub async fn look_within(limit: Duration, store: &dyn Store, tenant: &str, wanted: &[ContentType]) -> Health {
    let now = OffsetDateTime::now_utc();
    let problem = match timeout(limit, look(store, tenant, wanted, now)).await {
        Ok(Ok(health)) => return health,
        Ok(Err(error)) => format!("The state cannot be read: {error}"),
        Err(_) => format!("The state cannot be read: the storage did not answer within {} s.", limit.as_secs()),
    };
    Health::unknown(Some(tenant.to_owned()), now, vec![problem])
}
