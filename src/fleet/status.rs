//! How all tenants stand, for who asks by HTTP.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::{deployment::Deployment, error::FleetError};
use crate::{
    health::{self, Health, TenantHealth, look_within},
    settings::Needs,
    status::Status,
    tenants::{self, Entry, List},
};

/// How long the state is looked at: monitors wait for some ten seconds.
const LOOK: Duration = Duration::from_secs(5);

/// How many tenants are looked at at once, with four requests each.
const AT_ONCE: usize = 16;

/// How long an answer is given again: looking at a thousand tenants is thousands of requests.
const KEPT: Duration = Duration::from_secs(30);

/// The last answer.
#[derive(Debug, Default)]
pub struct Looked(Mutex<Option<(Instant, health::Fleet)>>);

impl Looked {
    /// How the tenants of `deployment` stand, by the state as it is now or was half a minute ago. Many who ask at once wait
    /// for one look.
    pub async fn look(&self, deployment: Result<&Deployment, FleetError>) -> health::Fleet {
        let mut kept = self.0.lock().await;
        if let Some((until, fleet)) = kept.as_ref()
            && Instant::now() < *until
        {
            return fleet.clone();
        }
        let fleet = match deployment {
            Ok(deployment) => look(deployment).await,
            Err(error) => with_problem(error.to_string()),
        };
        *kept = Some((Instant::now() + KEPT, fleet.clone()));
        fleet
    }
}

fn with_problem(problem: String) -> health::Fleet {
    let mut fleet = health::Fleet::of(Vec::new(), OffsetDateTime::now_utc());
    fleet.add_problem(problem);
    fleet
}

async fn look(deployment: &Deployment) -> health::Fleet {
    let end = Instant::now() + LOOK;
    let list = match timeout_at(end, tenants::read(&deployment.source, Some(&deployment.store))).await {
        Ok(Ok(list)) => list,
        Ok(Err(error)) => return with_problem(error.to_string()),
        Err(_) => return with_problem(format!("The storage did not answer within {} s.", LOOK.as_secs())),
    };
    let now = OffsetDateTime::now_utc();
    let entries = list.entries();
    let looks = stream::iter(0..entries.len()).map(async |place: usize| match entries.get(place) {
        Some(entry) => Some(tenant(deployment, entry, end, now).await),
        None => None,
    });
    let tenants: Vec<_> = looks.buffer_unordered(AT_ONCE).collect().await;
    let mut fleet = health::Fleet::of(tenants.into_iter().flatten().collect(), now);
    if list == List::default() {
        fleet.add_problem(
            "The list of tenants is empty: `labelstream tenants add TENANT_ID --name NAME` adds one.".to_owned(),
        );
    }
    fleet
}

async fn tenant(deployment: &Deployment, entry: &Entry, end: Instant, now: OffsetDateTime) -> TenantHealth {
    if !entry.enabled {
        return TenantHealth::disabled(entry, now);
    }
    let settings = match entry.settings(&|name| deployment.setting(name), Needs::SERVE) {
        Ok(settings) => settings,
        Err(error) => return TenantHealth::bad(entry, &error, now),
    };
    let feed = &settings.feed;
    let look = look_within(LOOK, deployment.store.as_ref(), &feed.tenant_id, &feed.content_types);
    let health = timeout_at(end, look).await.unwrap_or_else(|_| {
        let problem = format!(
            "It was not looked at: the storage took more than {} s for all tenants; `labelstream status --tenant` looks \
             at it alone.",
            LOOK.as_secs()
        );
        Health::unknown(Status::unknown(entry.id.clone(), now), vec![problem])
    });
    TenantHealth::of(entry, health)
}
