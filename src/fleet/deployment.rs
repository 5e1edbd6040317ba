//! What holds for the deployment as a whole.

use std::{fmt, sync::Arc, time::Duration};

use super::error::FleetError;
use crate::{assembly, queue::WorkQueue, settings::DeploymentSettings, state::Store, tenants::Source};

/// Gives the value of an app setting.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What holds for the deployment as a whole.
pub struct Deployment {
    /// The app settings.
    pub environment: Environment,
    /// How long a run may take, from the arrival of its message.
    pub budget: Duration,
    /// The state of all tenants.
    pub store: Arc<dyn Store>,
    /// The work.
    pub queue: WorkQueue,
    /// Where the list of tenants is.
    pub source: Source,
}

impl Deployment {
    /// Puts it together; nothing is sent yet.
    ///
    /// # Errors
    /// Settings are missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, FleetError> {
        let get = |name: &str| environment(name);
        let source = Source::of(&get).ok_or_else(|| {
            FleetError::Settings("TENANTS is not set: this app reads one tenant, and has no fleet".to_owned())
        })?;
        let settings = DeploymentSettings::read(&get, true).map_err(|error| FleetError::Settings(error.one_line()))?;
        let (store, queue) = (assembly::store_of(&settings)?, assembly::work_queue(&settings)?);
        Ok(Self { environment: Arc::clone(environment), budget: settings.run.budget, store, queue, source })
    }

    /// The value of an app setting.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // App settings have secrets among them.
        f.debug_struct("Deployment").field("source", &self.source.name()).finish_non_exhaustive()
    }
}
