//! `labelstream serve`: the custom handler.

use std::{net::Ipv4Addr, process::ExitCode, sync::Arc, time::Duration};

use async_trait::async_trait;
use labelstream::{
    assembly,
    handler::{self, RunFailure, RunReport, Runner, Trigger},
    health::{Health, Reporter, Started, host_name, look_within},
    pull::{Budget, Connector, Range, Request},
    settings::{self, Needs, Settings},
    status::Status,
    telemetry,
};
use time::OffsetDateTime;
use tokio::{net::TcpListener, sync::OnceCell};
use tokio_util::sync::CancellationToken;

use super::{asked_to_end, runtime, say, wrong_use};

/// The port that the Functions host chose.
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

pub fn serve() -> ExitCode {
    let port = match settings::process_environment(PORT).map(|port| port.trim().parse::<u16>()) {
        Some(Ok(port)) => port,
        Some(Err(_)) => return wrong_use(&format!("{PORT} is no port number; the Functions host sets it")),
        None => {
            return wrong_use(&format!(
                "{PORT} is not set: the Functions host sets it when it starts the handler. From a shell, use `labelstream pull`, or `func start`."
            ));
        }
    };
    let filter = settings::process_environment(telemetry::LOG_SETTING);
    if let Err(error) = telemetry::init(filter.as_deref()) {
        say(&error.to_string());
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(listen(port)),
        Err(error) => {
            say(&format!("the runtime cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves until the process is asked to end. It never ends with 0: the host restarts a handler that failed, but not one
/// that says it is done.
async fn listen(port: u16) -> ExitCode {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(error) => {
            say(&format!("cannot listen on 127.0.0.1:{port}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let shutdown = CancellationToken::new();
    let served = handler::serve(listener, Arc::new(TimerRunner::new()), shutdown.clone());
    tokio::pin!(served);
    tokio::select! {
        ended = &mut served => {
            tracing::error!("the handler ended: {ended:?}");
            ExitCode::FAILURE
        }
        status = asked_to_end() => {
            shutdown.cancel();
            if let Err(error) = served.await {
                tracing::error!(%error, "the handler did not end well");
            }
            status
        }
    }
}

/// How long the state is looked at for a status: monitors wait for some ten seconds.
const LOOK: Duration = Duration::from_secs(5);

/// Answers the timer and who asks for the status. The connector is put together at the first run, so that the handler is
/// there at once, also with bad settings.
struct TimerRunner {
    connector: OnceCell<(Arc<Connector>, Budget)>,
    reporter: Reporter,
}

impl TimerRunner {
    fn new() -> Self {
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
impl Runner for TimerRunner {
    async fn run(&self, trigger: Trigger, stop: CancellationToken) -> Result<RunReport, RunFailure> {
        let (connector, budget) = self.connector().await.map_err(|reason| RunFailure { reason })?;
        let range = trigger.range.map(|range| Range { since: range.since, until: range.until });
        let began_by = (if trigger.manual { Started::Manual } else { Started::Timer }, trigger.invocation_id);
        match self.reporter.run(connector, Request::new(range, *budget), began_by, stop).await {
            Ok(summary) => Ok(RunReport { lines: summary.lines() }),
            Err(failed) => Err(RunFailure { reason: failed.to_string() }),
        }
    }

    async fn status(&self) -> Health {
        let reason = match self.connector().await {
            Ok((connector, _)) => {
                return look_within(LOOK, connector.store.as_ref(), &connector.tenant, &connector.content_types).await;
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
        health
    }
}
