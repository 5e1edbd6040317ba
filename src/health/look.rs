//! Judging the state as it is now.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;

use super::verdict::Health;
use crate::{
    content::ContentType,
    state::Store,
    status::{self, Status},
};

/// The health of the connector of `tenant`, of which `wanted` is read, by what `store` holds, within `limit`. That the
/// state cannot be read is a problem that the answer tells.
pub async fn look_within(limit: Duration, store: &dyn Store, tenant: &str, wanted: &[ContentType]) -> Health {
    let now = OffsetDateTime::now_utc();
    let problem = match timeout(limit, status::read(store, tenant, wanted, now)).await {
        Ok(Ok(status)) => return Health::of(status),
        Ok(Err(error)) => format!("The state cannot be read: {error}"),
        Err(_) => format!("The state cannot be read: the storage did not answer within {} s.", limit.as_secs()),
    };
    Health::unknown(Status::unknown(Some(tenant.to_owned()), now), vec![problem])
}
