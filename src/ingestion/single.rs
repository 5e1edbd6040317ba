//! One row that is worth little: it is posted, and once more where that may help.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, sleep_until};

use super::{IngestionClient, IngestionError, gzip::gzip};

/// The least pause before the second try.
const PAUSE: Duration = Duration::from_millis(500);

/// Posts `row`, a JSON object, by itself. A try that was throttled, met a failing server or a token that is not accepted
/// any more is repeated once. It takes as long as the service asks for: bound it with a timeout.
///
/// # Errors
/// Why the last try was not accepted.
pub async fn post_row(client: &IngestionClient, row: Bytes) -> Result<(), IngestionError> {
    let body = gzip(row).await?;
    let Err(error) = attempt(client, body.clone()).await else { return Ok(()) };
    let may_help =
        error.is_retryable() || matches!(error, IngestionError::Unauthorized(_) | IngestionError::Throttled { .. });
    if !may_help {
        return Err(error);
    }
    tracing::debug!(%error, "a row was not accepted; trying once more");
    sleep(error.retry_after().unwrap_or_default().max(PAUSE)).await;
    attempt(client, body).await
}

/// One POST, once no throttling holds the rule.
async fn attempt(client: &IngestionClient, body: Bytes) -> Result<(), IngestionError> {
    if let Some(until) = client.held_until() {
        sleep_until(until).await;
    }
    client.post(body).await
}
