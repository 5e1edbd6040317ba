//! The timer of many tenants: puts a message for each that is due.

use std::{collections::HashSet, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    again::{self, marker_key},
    deployment::Deployment,
    document::{DOCUMENT_KEY, Document, LOCK_KEY},
    due::{Standing, due},
    error::FleetError,
    message::Message,
    tick::{Fate, Tick},
};
use crate::{
    health::runs_key,
    pull::Budget,
    settings::Needs,
    state::{Expect, LOCK_RENEWAL, Lock, StateError},
    tenants,
    watermark::Memory,
};

/// How many requests are under way at once.
const AT_ONCE: usize = 32;

/// The storage tells times in whole seconds. With so long between the looks and the messages, an end that was seen before is
/// in an earlier second than the message: one in the same second or a later one is that of the message's own run.
const CLOCK: Duration = Duration::from_secs(1);

/// A tenant that can be read.
struct Good {
    id: String,
    label: String,
}

/// One firing of the timer; `None` where another one is under way.
///
/// # Errors
/// The list, the state or the queue cannot be used.
pub(super) async fn fire(
    deployment: &Deployment,
    begun: Instant,
    stop: &CancellationToken,
) -> Result<Option<Tick>, FleetError> {
    let Some(lock) = deployment.store.lock(LOCK_KEY).await? else { return Ok(None) };
    let work = pin!(put_all(deployment, begun, stop));
    let result = tokio::select! {
        result = work => result,
        lost = keep(lock.as_ref()) => Err(lost.into()),
    };
    if let Err(error) = lock.release().await {
        tracing::warn!(%error, "the lock of the timer could not be given back; it runs out by itself");
    }
    result.map(Some)
}

/// Renews the lock until that fails.
async fn keep(lock: &dyn Lock) -> StateError {
    loop {
        sleep(LOCK_RENEWAL).await;
        match lock.renew().await {
            Ok(()) => {}
            Err(error @ StateError::LockLost { .. }) => return error,
            // Another try comes before it has run out.
            Err(error) => tracing::warn!(%error, "the lock of the timer could not be renewed; trying again"),
        }
    }
}

async fn put_all(deployment: &Deployment, begun: Instant, stop: &CancellationToken) -> Result<Tick, FleetError> {
    let budget = Budget::of(deployment.budget);
    let (last_begin, last_wait) = (begun + budget.last_work, begun + budget.last_wait);
    let store = deployment.store.as_ref();
    let list = tenants::read(&deployment.source, Some(&deployment.store)).await?;
    let mut tick = Tick::default();
    let good = judge(deployment, &list, &mut tick);
    let (mut document, expect) = read(deployment).await?;
    // Whoever puts a message again marks that first, so that it is counted by the time that its mark is missing.
    let marked: HashSet<_> = again::marked(store).await?.into_iter().collect();
    let messages = deployment.queue.approximate_count().await?;
    let standings = stand(deployment, &good, &document, &marked, messages).await;
    let mut due = due(&standings, messages, OffsetDateTime::now_utc());
    sleep(CLOCK).await;
    // A run that ended before it was looked at may have put its message again after the marks were read.
    let late: HashSet<_> = again::marked(store).await?.into_iter().filter(|tenant| !marked.contains(tenant)).collect();
    due.retain(|place| good.get(*place).is_some_and(|tenant| !late.contains(&tenant.id)));
    tick.waiting = good.len() - due.len();

    let (good, marked) = (&good, &marked);
    let fates = stream::iter(due).map(async |place: usize| match good.get(place) {
        Some(tenant) if !stop.is_cancelled() && Instant::now() < last_begin => {
            (place, put(deployment, tenant, marked.contains(&tenant.id)).await)
        }
        _ => (place, Fate::Left),
    });
    let mut fates = pin!(fates.buffer_unordered(AT_ONCE));
    while let Ok(Some((place, fate))) = timeout_at(last_wait, fates.next()).await {
        let Some(tenant) = good.get(place) else { continue };
        if let Fate::Put(at) = fate {
            document.note(&tenant.id, at);
        }
        tick.count(&tenant.label, fate);
    }
    tick.left = good.len() - tick.waiting - tick.judged();
    if tick.judged() > 0 {
        document.keep_only(|tenant| list.by_id(tenant).is_some());
        write(deployment, &document, &expect).await;
    }
    match tick.refused() {
        Some(error) => Err(error.clone().into()),
        None => Ok(tick),
    }
}

/// The tenants that are to be read; the others are noted.
fn judge(deployment: &Deployment, list: &tenants::List, tick: &mut Tick) -> Vec<Good> {
    let mut good = Vec::new();
    for entry in list.entries() {
        if !entry.enabled {
            tick.disabled += 1;
            continue;
        }
        match (entry.settings(&|name| deployment.setting(name), Needs::SERVE), &entry.id) {
            (Ok(_), Some(id)) => good.push(Good { id: id.clone(), label: entry.label() }),
            (Ok(_), None) => {} // settings without a tenant are no settings
            (Err(error), _) => tick.bad.push(error.to_string()),
        }
    }
    good
}

/// What is known of each tenant, with a request for those of which it is not enough when their message was put.
async fn stand(
    deployment: &Deployment,
    good: &[Good],
    document: &Document,
    marked: &HashSet<String>,
    messages: u64,
) -> Vec<Standing> {
    let looks = stream::iter(0..good.len()).map(async |place: usize| match good.get(place) {
        Some(tenant) => look(deployment, tenant, document, marked, messages).await,
        None => Standing::default(),
    });
    looks.buffered(AT_ONCE).collect().await
}

/// What is known of one tenant.
async fn look(
    deployment: &Deployment,
    tenant: &Good,
    document: &Document,
    marked: &HashSet<String>,
    messages: u64,
) -> Standing {
    let store = deployment.store.as_ref();
    let mut standing = Standing { put: document.put(&tenant.id), ..Standing::default() };
    if marked.contains(&tenant.id) {
        // Without an answer it waits since its message was put, or for as long as the queue is not empty.
        standing.again = Some(OffsetDateTime::UNIX_EPOCH);
        if messages > 0
            && let Ok(Some(at)) = store.modified(&marker_key(&tenant.id)).await
        {
            standing.again = Some(at);
        }
    } else if standing.turns_on_end(messages) {
        match store.modified(&runs_key(&tenant.id)).await {
            Ok(ended) => standing.ended = ended,
            Err(error) => tracing::warn!(%error, "when the last run of {} ended is not known", tenant.label),
        }
    }
    standing
}

/// Puts the message of one tenant, unless a run of it is under way.
async fn put(deployment: &Deployment, tenant: &Good, again: bool) -> Fate {
    match deployment.store.is_locked(&Memory::lock_key(&tenant.id)).await {
        Ok(true) => return Fate::UnderWay,
        Ok(false) => {}
        // The run takes the lock itself, and is turned away where another holds it.
        Err(error) => tracing::warn!(%error, "whether a run of {} is under way is not known", tenant.label),
    }
    let message = Message::new(tenant.id.clone(), OffsetDateTime::now_utc(), again);
    match deployment.queue.put(&message.text(), Duration::ZERO).await {
        Ok(sent) => Fate::Put(sent.at),
        Err(error) => Fate::Failed(error),
    }
}

/// The document, and what a write over it is to expect.
async fn read(deployment: &Deployment) -> Result<(Document, Expect), StateError> {
    let Some((body, version)) = deployment.store.get(DOCUMENT_KEY).await? else {
        return Ok((Document::default(), Expect::Absent));
    };
    let document = Document::parse(&body).unwrap_or_else(|note| {
        tracing::warn!("{note}");
        Document::default()
    });
    Ok((document, Expect::Version(version)))
}

/// Writes the document. The messages are put by now, and without it they may be put twice, which does no harm.
async fn write(deployment: &Deployment, document: &Document, expect: &Expect) {
    let written = match document.to_bytes() {
        Ok(body) => deployment.store.put(DOCUMENT_KEY, Bytes::from(body), expect).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        tracing::warn!(%error, "which messages were put could not be saved; the next tick may put some of them twice");
    }
}
