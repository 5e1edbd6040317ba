//! The custom handler: what the Azure Functions host asks over HTTP, and how it is answered.
//!
//! The host polls `GET /` until it answers, then sends every firing of the timer as `POST /TimerPull` (where many tenants
//! are read `POST /FleetTimer`, and every message as `POST /FleetPull`), and every request
//! for `GET /api/status` as `POST /Status`, since `host.json` does not have requests forwarded. Three rules of the host shape the answers (seen on host 4.1037.0):
//! - Success is a 2xx with a JSON object. A 2xx with an empty body or `null` is never taken for an end: the run hangs
//!   to `functionTimeout` and the host kills the process. So every answer here has a JSON object, errors too.
//! - Failure is a status that is not 2xx. The host throws its body away, so the reason also goes to stderr, as one line.
//! - There is no cancellation. `functionTimeout` in `host.json` is 5 minutes, and `RUN_BUDGET_SECONDS` is to stay a
//!   minute below it: a run that is late is killed together with all others. The one sign that the host is going is
//!   that the connection of the run closes.
//!
//! `host.json` keeps traces out of sampling, since the reason of a failed run reaches Application Insights as a trace.
//!
//! [`serve`] is all of the I/O. What a body says is decided in `payload` and `range`, what an answer says in `answer`.

mod answer;
mod payload;
mod range;
mod runs;
mod server;
mod status;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::{fleet, health};

pub use payload::Payload;
pub use range::Range;
pub use server::serve;

/// The function that the timer fires: the name of the folder beside `host.json`, and the path of its requests.
pub const FUNCTION: &str = "TimerPull";

/// The function that the timer fires where many tenants are read, likewise.
pub const FLEET_TIMER: &str = "FleetTimer";

/// The function that a message begins where many tenants are read, likewise.
pub const FLEET_PULL: &str = "FleetPull";

/// The name of the timer binding in `TimerPull/function.json` and `FleetTimer/function.json`. It must not end in "trigger": the host drops such keys.
pub const BINDING: &str = "timer";

/// The function that tells the status, over HTTP: likewise.
pub const STATUS_FUNCTION: &str = "Status";

/// The name of the output binding in `Status/function.json`.
pub const HTTP_BINDING: &str = "res";

/// What the host asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Task {
    /// [`FUNCTION`]: a run of the one tenant that is read.
    #[default]
    Pull,
    /// [`FLEET_TIMER`]: a message for each tenant that is due.
    Queue,
    /// [`FLEET_PULL`]: the run of one tenant of many, or why the message cannot be read.
    Work(Result<fleet::Work, fleet::Unreadable>),
}

/// Why a run is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trigger {
    /// What is asked for.
    pub task: Task,
    /// The host's id of this invocation. Retries of one firing share it. Missing where something else asked.
    pub invocation_id: Option<String>,
    /// The W3C trace that this run belongs to, as the host sent it.
    pub traceparent: Option<String>,
    /// The host was down when the run was due. Never set for a manual run.
    pub past_due: bool,
    /// The range that a manual run asks for again.
    pub range: Option<Range>,
    /// Someone asked for this run by hand. A manual run without any input cannot be told from a timer's.
    pub manual: bool,
}

/// How a run ended that did not fail: also one that found nothing, is not done, or left the work to another run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunReport {
    /// What the host logs for this invocation, at Information. Keep it to some lines: the host holds them in memory.
    pub lines: Vec<String>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RunFailure {
    /// What failed, why and what to do. It becomes one line on stderr and must hold no secret.
    pub reason: String,
}

/// Does what a trigger asks for.
///
/// Triggers may come at the same time, also on other machines; that only one of them does the work is for the runner.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Does one run. When `stop` is cancelled it takes no new work, saves and returns: the host is gone or going.
    ///
    /// # Errors
    /// The run failed as a whole. The host is told by a 500, and the reason is logged; the runner need not log it.
    async fn run(&self, trigger: Trigger, stop: CancellationToken) -> Result<RunReport, RunFailure>;

    /// How the connector stands. It is asked at any time, also while a run goes on, and answers within seconds: what
    /// cannot be found out by then is a problem that it tells.
    async fn status(&self) -> Standing;
}

/// How the connector stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// The one tenant that is read.
    Tenant(Box<health::Health>),
    /// Many.
    Fleet(health::Fleet),
}

impl Standing {
    /// Nobody has to look.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        match self {
            Self::Tenant(health) => health.healthy,
            Self::Fleet(fleet) => fleet.healthy,
        }
    }

    /// How many problems there are.
    fn problems(&self) -> usize {
        match self {
            Self::Tenant(health) => health.problems.len(),
            Self::Fleet(fleet) => {
                fleet.problems.len() + fleet.tenants.iter().map(|tenant| tenant.health.problems.len()).sum::<usize>()
            }
        }
    }

    fn json(&self) -> serde_json::Result<String> {
        match self {
            Self::Tenant(health) => serde_json::to_string(health),
            Self::Fleet(fleet) => serde_json::to_string(fleet),
        }
    }

    fn page(&self) -> String {
        match self {
            Self::Tenant(health) => health::page(health),
            Self::Fleet(fleet) => health::fleet_page(fleet),
        }
    }
}

impl From<health::Health> for Standing {
    fn from(health: health::Health) -> Self {
        Self::Tenant(Box::new(health))
    }
}
