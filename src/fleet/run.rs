//! A message: one run of one tenant, within its budget, and what becomes of the message then.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Fleet, again,
    deployment::Deployment,
    error::FleetError,
    message::{Message, Work},
    outcome::{Next, after, never_began},
};
use crate::{
    health::Started,
    pull::{Budget, Request, Summary},
    queue::WORK_QUEUE,
    settings::Needs,
    telemetry,
    tenants::Entry,
};

/// How long after its budget a run is given up.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How long the marker and the message that follow a run may take.
const FOLLOWING: Duration = Duration::from_secs(10);

impl Fleet {
    /// Does what `work` asks for, which arrived at `begun`. What it says is for the host's log.
    ///
    /// # Errors
    /// The settings, the list, the queue or the state cannot be used, or the run hung: the host tries the message again. A
    /// run that failed is no error: it is told in the log, the status and the table of runs, and the next tick tries
    /// again.
    pub async fn pull(
        &self,
        work: &Work,
        run_id: Option<String>,
        begun: Instant,
        stop: CancellationToken,
    ) -> Result<Vec<String>, FleetError> {
        let deployment = self.deployment().await?;
        let Message { tenant_id, queued, again } = &work.message;
        let list = self.roster.list_for(deployment, tenant_id, *queued);
        let no_list = |_| FleetError::NoAnswer { what: "the list of tenants" };
        let list = timeout_at(begun + deployment.budget / 2, list).await.map_err(no_list)??;
        let entry = list.by_id(tenant_id);
        let label = entry.map_or_else(|| tenant_id.clone(), Entry::label);
        async {
            tracing::info!(dequeue_count = work.dequeue_count, again, "a message asks for a run");
            let line = match entry {
                None => format!("{label} is not in the list of tenants; there is no run"),
                Some(entry) if !entry.enabled => format!("{label} is disabled in the list of tenants; there is no run"),
                Some(entry) => {
                    let runner = Runner { fleet: self, deployment, work, label: &label };
                    return runner.run(entry, run_id, begun, stop).await;
                }
            };
            tracing::info!("{line}");
            self.unmark(deployment, &work.message).await;
            Ok(vec![line])
        }
        .instrument(telemetry::tenant_span(entry.map_or(tenant_id, |_| &label)))
        .await
    }

    /// Removes the marker that the message tells of. One that stays delays the tenant's next message while the queue is
    /// not empty.
    async fn unmark(&self, deployment: &Deployment, message: &Message) {
        if !message.again {
            return;
        }
        match timeout(FOLLOWING, again::unmark(deployment.store.as_ref(), &message.tenant_id)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the marker of a message that was put again could not be removed"),
            Err(_) => tracing::warn!("the marker of a message that was put again could not be removed in time"),
        }
    }
}

/// A run of one tenant.
struct Runner<'a> {
    fleet: &'a Fleet,
    deployment: &'a Deployment,
    work: &'a Work,
    label: &'a str,
}

impl Runner<'_> {
    async fn run(
        &self,
        entry: &Entry,
        run_id: Option<String>,
        begun: Instant,
        stop: CancellationToken,
    ) -> Result<Vec<String>, FleetError> {
        let Self { fleet, deployment, label, .. } = *self;
        let settings = match entry.settings(&|name| deployment.setting(name), Needs::SERVE) {
            Ok(settings) => settings,
            Err(error) => return Ok(self.told(format!("the entry in the list of tenants is bad: {error}")).await),
        };
        let connector = match fleet.connectors.get(&settings, &deployment.store) {
            Ok(connector) => connector,
            Err(error) => return Ok(self.told(error.to_string()).await),
        };
        let end = begun + deployment.budget;
        // The rest of the time is still enough for a run.
        let place = tokio::select! {
            place = fleet.capacity.place_for_run(begun + deployment.budget / 2) => place,
            () = stop.cancelled() => return Err(FleetError::Stopping { tenant: label.to_owned() }),
        };
        let Some(_place) = place else { return self.wait_behind().await };
        let budget = Budget::of(end.saturating_duration_since(Instant::now()));
        let request = Request::new(None, budget);
        let run = fleet.reporter.run(&connector, request, (Started::Timer, run_id), stop.clone());
        let Ok(ended) = timeout_at(end + GRACE, run).await else {
            return Err(FleetError::Hung { tenant: label.to_owned() });
        };
        match ended {
            Ok(summary) => Ok(self.follow(summary, stop.is_cancelled()).await),
            Err(failed) if never_began(&failed) => {
                Err(FleetError::NeverBegan { tenant: label.to_owned(), reason: failed.to_string() })
            }
            Err(failed) => {
                let mut lines = self.told(failed.to_string()).await;
                lines.extend(failed.summary.lines());
                Ok(lines)
            }
        }
    }

    /// Tells of a run that failed, or could not be made for something that is the tenant's own.
    async fn told(&self, why: String) -> Vec<String> {
        tracing::error!("{} is not read by this run: {why}", self.label);
        self.fleet.unmark(self.deployment, &self.work.message).await;
        vec![format!("{} is not read by this run: {why}", self.label)]
    }

    /// No place in this process came free in time: the message goes behind the others, for any process.
    async fn wait_behind(&self) -> Result<Vec<String>, FleetError> {
        let line = format!("{}: this process has no place for its run; the message is put again", self.label);
        tracing::info!("{line}");
        let message = Message { queued: Some(OffsetDateTime::now_utc()), ..self.work.message.clone() };
        let text = message.text();
        let put = timeout(FOLLOWING, self.deployment.queue.put(&text, Duration::ZERO)).await;
        put.map_err(|_| FleetError::NoAnswer { what: WORK_QUEUE })??;
        Ok(vec![line])
    }

    /// Does with the message what the run makes of it.
    async fn follow(&self, summary: Summary, stopped: bool) -> Vec<String> {
        let mut lines: Vec<_> = summary.lines();
        if let Some(first) = lines.first_mut() {
            *first = format!("{}: {first}", self.label);
        }
        let next = after(&summary, self.work.dequeue_count, stopped);
        let hidden = match next {
            // What holds the lock decides over the marker.
            Next::Done if summary.under_way || stopped => return lines,
            Next::Done => {
                self.fleet.unmark(self.deployment, &self.work.message).await;
                return lines;
            }
            Next::Again => Duration::ZERO,
            Next::Later(hidden) => hidden,
        };
        let line = match timeout(FOLLOWING, self.put_again(hidden)).await {
            Ok(Ok(())) => "work is left: its message is put again, behind the others".to_owned(),
            Ok(Err(error)) => format!("work is left to the next tick, as its message could not be put again: {error}"),
            Err(_) => "work is left to the next tick, as the storage did not answer in time".to_owned(),
        };
        tracing::info!("{line}");
        lines.push(line);
        lines
    }

    /// Marks the tenant, and then puts the message.
    async fn put_again(&self, hidden: Duration) -> Result<(), FleetError> {
        let Self { deployment, work, .. } = *self;
        let tenant = &work.message.tenant_id;
        again::mark(deployment.store.as_ref(), tenant).await?;
        let message = Message::new(tenant.clone(), OffsetDateTime::now_utc(), true);
        if let Err(error) = deployment.queue.put(&message.text(), hidden).await {
            // The timer is not to wait for a message that is not there.
            self.fleet.unmark(deployment, &message).await;
            return Err(error.into());
        }
        Ok(())
    }
}
