//! Some tenants, their simulators, and connectors of one process for all of them.

use std::{path::Path, sync::Arc, time::Duration};

use labelstream::{
    feed,
    pull::{Budget, Capacity, Connector, Request, RunFailed, Summary},
    state::folder::FolderStore,
};
use labelstream_simulator::{Bulk, Config, Simulator};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::of_settings;

/// How a run of a tenant ended: its number, and what came of it.
pub type Ended = (usize, Result<Summary, RunFailed>);

pub struct Provider {
    pub simulators: Vec<Simulator>,
    pub capacity: Capacity,
    http: reqwest::Client,
    folder: TempDir,
}

impl Provider {
    /// So many tenants, set up as `config`. What is under way is counted over all of them.
    pub async fn new(tenants: usize, config: Config) -> Self {
        let mut simulators = Vec::new();
        for seed in 1..=tenants as u64 {
            simulators.push(Simulator::start(Config { seed, ..config.clone() }).await.unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        Self { simulators, capacity: Capacity::default(), http: feed::http_client().unwrap(), folder }
    }

    /// Publishes contents of so many records, a part of them label events.
    pub fn publish(&self, tenant: usize, contents: u64, records_per_content: u32, label_share: f64) {
        let bulk = Bulk { contents, records_per_content, label_share, age_seconds: 86_400 };
        self.simulators[tenant].publish_bulk(&bulk);
    }

    /// The connector of a tenant, with its state in a folder of its own.
    pub fn connector(&self, tenant: usize) -> Arc<Connector> {
        let settings: Vec<_> = self.simulators[tenant].environment();
        connector(&settings, &self.http, &self.folder.path().join(tenant.to_string()), &self.capacity)
    }

    /// Begins a run of each of `tenants`.
    pub fn begin(&self, tenants: impl IntoIterator<Item = usize>, budget: Budget) -> JoinSet<Ended> {
        let mut runs = JoinSet::new();
        for tenant in tenants {
            let connector = self.connector(tenant);
            runs.spawn(
                async move { (tenant, connector.run(Request::new(None, budget), CancellationToken::new()).await) },
            );
        }
        runs
    }

    /// Asserts that all of the tenant arrived, and each row once.
    pub fn assert_delivered(&self, tenant: usize) {
        let report = self.simulators[tenant].report();
        assert!(report.is_clean() && report.surplus_rows == 0 && report.published > 0, "tenant {tenant}: {report:#?}");
    }
}

/// A connector of the app settings `settings`.
pub fn connector<N: AsRef<str>>(
    settings: &[(N, String)],
    http: &reqwest::Client,
    state: &Path,
    capacity: &Capacity,
) -> Arc<Connector> {
    let value = |name: &str| settings.iter().find(|(known, _)| known.as_ref() == name).map(|(_, value)| value.clone());
    let store = FolderStore::open(state).unwrap();
    let connector = of_settings::connector(&value, http, Arc::new(store));
    Arc::new(Connector { capacity: capacity.clone(), ..connector })
}

/// A budget that no test uses up.
pub fn plenty() -> Budget {
    Budget::of(Duration::from_secs(240))
}
