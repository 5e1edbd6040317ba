//! The runs of many tenants, which messages ask for.

use std::sync::Arc;

use async_trait::async_trait;
use labelstream::{
    fleet::{Fleet, FleetError},
    handler::{RunFailure, RunReport, Runner, Standing, Task, Trigger},
    health::host_name,
    settings,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Answers the timer, messages and who asks for the status.
pub struct ManyTenants {
    fleet: Fleet,
}

impl ManyTenants {
    pub fn new() -> Self {
        let host = host_name(&settings::process_environment);
        Self { fleet: Fleet::new(Arc::new(settings::process_environment), host) }
    }
}

#[async_trait]
impl Runner for ManyTenants {
    async fn run(&self, trigger: Trigger, stop: CancellationToken) -> Result<RunReport, RunFailure> {
        let begun = Instant::now();
        let lines = match trigger.task {
            Task::Queue => self.fleet.fire(begun, &stop).await,
            Task::Work(Ok(work)) => self.fleet.pull(&work, trigger.invocation_id, begun, stop).await,
            Task::Work(Err(unreadable)) => Err(FleetError::from(unreadable)),
            Task::Pull => {
                let reason = "this app reads many tenants, as TENANTS is set: unset it for one, or deploy the package of \
                              many (dist/labelstream-fleet.zip), whose timer is FleetTimer";
                return Err(RunFailure { reason: reason.to_owned() });
            }
        };
        match lines {
            Ok(lines) => Ok(RunReport { lines }),
            Err(error) => Err(RunFailure { reason: error.to_string() }),
        }
    }

    async fn status(&self) -> Standing {
        Standing::Fleet(self.fleet.status().await)
    }
}
