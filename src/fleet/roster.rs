//! The list of tenants, as a process knows it: read at most once a minute, and again where a message is of a tenant that
//! was not in it.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{sync::Mutex, time::Instant};

use super::{deployment::Deployment, error::FleetError};
use crate::tenants::{self, List};

/// How long the list is taken as it was read.
const KEPT: Duration = Duration::from_secs(60);

/// The list, and when it was read.
#[derive(Debug, Default)]
pub struct Roster {
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    list: Arc<List>,
    until: Instant,
    read_at: OffsetDateTime,
}

impl Roster {
    /// The list, to find `tenant` in it, whose message was put at `queued`. Many who ask at once wait for one reading.
    ///
    /// # Errors
    /// It cannot be read, or is no list.
    pub async fn list_for(
        &self,
        deployment: &Deployment,
        tenant: &str,
        queued: Option<OffsetDateTime>,
    ) -> Result<Arc<List>, FleetError> {
        let mut kept = self.kept.lock().await;
        if let Some(known) = kept.as_ref()
            && Instant::now() < known.until
            && (known.list.by_id(tenant).is_some() || queued.is_none_or(|queued| queued < known.read_at))
        {
            return Ok(Arc::clone(&known.list));
        }
        let (until, read_at) = (Instant::now() + KEPT, OffsetDateTime::now_utc());
        let list = Arc::new(tenants::read(&deployment.source, Some(&deployment.store)).await?);
        *kept = Some(Kept { list: Arc::clone(&list), until, read_at });
        Ok(list)
    }
}
