//! One row that is worth little: it is posted, and once more where that may help.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::{IngestionClient, IngestionError};

/// The least pause before the second try.
const PAUSE: Duration = Duration::from_millis(500);

/// Why a row was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The endpoint was asked.
    #[error(transparent)]
    Ingestion(#[from] IngestionError),
    /// It was not asked: the rule is throttled for longer than the row may take.
    #[error("the data collection rule is throttled")]
    Held,
}

/// Posts `row`, a JSON object, by itself. A try that was throttled, met a failing server or a token that is not accepted
/// any more is repeated once. No try begins after `until`: where the service asks to wait for longer, the row is given up
/// at once. How long an answer may take is for the caller to bound.
///
/// # Errors
/// Why the last try was not accepted.
pub async fn post_row(client: &IngestionClient, row: Bytes, until: Instant) -> Result<(), RowError> {
    let array = [b"[", &row[..], b"]"].concat();
    let body = client.pack(array.into()).await?;
    let Err(error) = attempt(client, body.clone(), until).await else { return Ok(()) };
    let RowError::Ingestion(refused) = &error else { return Err(error) };
    let may_help =
        refused.is_retryable() || matches!(refused, IngestionError::Unauthorized(_) | IngestionError::Throttled { .. });
    let again = Instant::now() + refused.retry_after().unwrap_or_default().max(PAUSE);
    if !may_help || again > until {
        return Err(error);
    }
    tracing::debug!(%error, "a row was not accepted; trying once more");
    sleep_until(again).await;
    attempt(client, body, until).await
}

/// One POST, once no throttling holds the rule.
async fn attempt(client: &IngestionClient, body: Bytes, until: Instant) -> Result<(), RowError> {
    match client.held_until() {
        Some(held) if held > until => return Err(RowError::Held),
        Some(held) => sleep_until(held).await,
        None => {}
    }
    Ok(client.post(body).await?)
}
