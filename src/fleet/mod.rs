//! Fleet: many tenants in one deployment. The timer queues a message for each tenant that is due, and the Functions host
//! hands the messages out over its instances: a message is one run of one tenant, by the same code as the timer's.
//!
//! [`due`](mod@due) decides who gets a message and [`outcome`] what becomes of it, both without I/O. `timer` puts messages,
//! `run` does what one asks for. Between the two lie a document of the timer ([`document`]), markers of the runs
//! ([`again`]), and the number of messages in the queue. A process keeps the list for a minute (`roster`), and a connector
//! for each tenant (`connectors`); how many runs it has at once is for [`Capacity`].

pub mod again;
mod connectors;
mod deployment;
pub mod document;
pub mod due;
mod error;
mod message;
pub mod outcome;
mod roster;
mod run;
mod status;
mod tick;
mod timer;

use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    assembly,
    health::{self, Reporter},
    pull::Capacity,
};

pub use deployment::{Deployment, Environment};
pub use error::FleetError;
pub use message::{BINDING, Message, Unreadable, Work};
pub use tick::Tick;

use connectors::Connectors;
use roster::Roster;
use status::Looked;

/// The fleet as one process sees it. It is put together at the first request, so that the handler is there at once, also
/// with bad settings.
pub struct Fleet {
    environment: Environment,
    deployment: OnceCell<Deployment>,
    reporter: Reporter,
    roster: Roster,
    connectors: Connectors,
    capacity: Capacity,
    looked: Looked,
}

impl Fleet {
    /// The fleet of the app settings that `environment` gives, on the machine or instance `host`.
    #[must_use]
    pub fn new(environment: Environment, host: String) -> Self {
        Self {
            environment,
            deployment: OnceCell::new(),
            reporter: Reporter::new(host),
            roster: Roster::default(),
            connectors: Connectors::default(),
            capacity: assembly::capacity(),
            looked: Looked::default(),
        }
    }

    async fn deployment(&self) -> Result<&Deployment, FleetError> {
        self.deployment.get_or_try_init(async || Deployment::read(&self.environment)).await
    }

    /// One firing of the timer, which arrived at `begun`: puts a message for each tenant that is due. What it says is for
    /// the host's log. Where another is under way it does nothing.
    ///
    /// # Errors
    /// The settings, the list, the state or the queue cannot be used.
    pub async fn fire(&self, begun: Instant, stop: &CancellationToken) -> Result<Vec<String>, FleetError> {
        let deployment = self.deployment().await?;
        let fired = timeout_at(begun + deployment.budget + run::GRACE, timer::fire(deployment, begun, stop));
        let Some(tick) = fired.await.map_err(|_| FleetError::NoAnswer { what: "the timer" })?? else {
            return Ok(vec!["Another FleetTimer is under way; this one leaves the work to it.".to_owned()]);
        };
        for fault in [tick.faults(), tick.failures()].into_iter().flatten() {
            tracing::error!("{fault}");
        }
        let lines = tick.lines();
        if let Some(line) = lines.first() {
            tracing::info!("{line}");
        }
        Ok(lines)
    }

    /// How all tenants stand.
    pub async fn status(&self) -> health::Fleet {
        self.looked.look(self.deployment().await).await
    }
}
