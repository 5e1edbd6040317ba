//! The runs of one tenant, which the timer asks for.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use labelstream::{
    assembly,
    handler::{RunFailure, RunReport, Runner, Standing, Task, Trigger},
    health::{Health, Reporter, Started, host_name, look_within},
    pull::{Budget, Connector, Range, Request},
    settings::{self, Needs, Settings},
    status::Status,
};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// How long the state is looked at for a status: monitors wait for some ten seconds.
const LOOK: Duration = Duration::from_secs(5);

/// Answers the timer and who asks for the status. The connector is put together at the first run, so that the handler is
/// there at once, also with bad settings.
pub struct OneTenant {
    connector: OnceCell<(Arc<Connector>, Budget)>,
    reporter: Reporter,
}

impl OneTenant {
    pub fn new() -> Self {
        let reporter = Reporter::new(host_name(&settings::process_environment));
        Self { connector: OnceCell::new(), reporter }
    }

    async fn connector(&self) -> Result<&(Arc<Connector>, Budget), String> {
        self.connector
            .get_or_try_init(|| async {
                let settings =
                    Settings::read(&settings::process_environment, Needs::SERVE).map_err(|error| error.one_line())?;
                let connector = assembly::connector(&settings).map_err(|error| error.to_string())?;
                Ok((Arc::new(connector), Budget::of(settings.run.budget)))
            })
            .await
    }
}

#[async_trait]
impl Runner for OneTenant {
    async fn run(&self, trigger: Trigger, stop: CancellationToken) -> Result<RunReport, RunFailure> {
        if trigger.task != Task::Pull {
            let reason = "this app reads one tenant: set TENANTS for many, or deploy the package of one \
                          tenant (dist/labelstream.zip), whose timer is TimerPull";
            return Err(RunFailure { reason: reason.to_owned() });
        }
        let (connector, budget) = self.connector().await.map_err(|reason| RunFailure { reason })?;
        let range = trigger.range.map(|range| Range { since: range.since, until: range.until });
        let began_by = (if trigger.manual { Started::Manual } else { Started::Timer }, trigger.invocation_id);
        match self.reporter.run(connector, Request::new(range, *budget), began_by, stop).await {
            Ok(summary) => Ok(RunReport { lines: summary.lines() }),
            Err(failed) => Err(RunFailure { reason: failed.to_string() }),
        }
    }

    async fn status(&self) -> Standing {
        let reason = match self.connector().await {
            Ok((connector, _)) => {
                let Connector { store, tenant, content_types, .. } = connector.as_ref();
                return look_within(LOOK, store.as_ref(), tenant, content_types).await.into();
            }
            Err(reason) => reason,
        };
        // What was done before the settings went bad can be told as long as those of the state are good.
        let needs = Needs { ingestion: false, storage: true };
        let state = Settings::read(&settings::process_environment, needs)
            .ok()
            .and_then(|settings| Some((assembly::store(&settings).ok()?, settings)));
        let mut health = match state {
            Some((store, Settings { feed, .. })) => {
                look_within(LOOK, store.as_ref(), &feed.tenant_id, &feed.content_types).await
            }
            None => Health::unknown(Status::unknown(None, OffsetDateTime::now_utc()), Vec::new()),
        };
        health.add_problem(reason);
        health.into()
    }
}
