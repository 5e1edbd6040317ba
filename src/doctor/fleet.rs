//! The checks of a deployment of many tenants: what they share once, and the rest for each of them.

use futures_util::{StreamExt as _, stream};
use url::Url;

use super::{
    Check, Finding, FleetReport, Options, Report, TenantReport,
    examine::{
        all_skipped, compared, in_folder, no_state, of_feed, of_ingestion, of_labels, origins, skipped_state, tell_once,
    },
    host, settings, state,
};
use crate::{
    assembly::{self, AssemblyError},
    settings::{DeploymentSettings, Settings},
    state::blob::BlobStore,
    tenants::Entry,
    watermark::Memory,
};

/// So many tenants are looked at at once.
const AT_ONCE: usize = 8;

/// Looks at everything that the tenants of `entries` need, several at once; `ended` is called as each is done. Host,
/// shared settings, state and clock are looked at once. Nothing is changed, as by [`super::examine()`].
pub async fn examine_fleet(
    entries: &[Entry],
    environment: &(dyn Fn(&str) -> Option<String> + Sync),
    options: &Options,
    mut ended: impl FnMut(),
) -> FleetReport {
    let (shared, deployment) = settings::of_deployment(environment, options.state.as_deref());
    let container = container(deployment.as_ref(), options);
    let one = async |entry: &Entry| of_entry(entry, environment, options, container.as_ref()).await;
    let mut tenants = stream::iter(entries.iter().map(|entry| Box::pin(one(entry)))).buffered(AT_ONCE);
    let (mut reports, mut services) = (Vec::new(), Vec::new());
    while let Some((report, origins)) = tenants.next().await {
        ended();
        reports.push(report);
        services.extend(origins);
    }
    let account = deployment.and_then(|settings| assembly::storage_account(&settings.storage?).ok());
    services.extend(account.map(|account| ("the storage account", account.endpoint().clone())));
    let mut findings = vec![host::examine(environment, &options.app_folders), shared];
    findings.extend(of_state(container.as_ref(), options).await);
    findings.push(compared(&services).await);
    FleetReport { deployment: Report::new(findings), tenants: reports, disabled: Vec::new() }
}

/// The container of all tenants, and its name; `None` where the state lies in a folder, or the settings do not say.
type Container = Option<(Result<BlobStore, AssemblyError>, String)>;

fn container(deployment: Option<&DeploymentSettings>, options: &Options) -> Container {
    if options.state.is_some() {
        return None;
    }
    let deployment = deployment?;
    let name = deployment.storage.as_ref()?.container.clone();
    Some((assembly::blob_store_of(deployment), name))
}

async fn of_state(container: Option<&(Result<BlobStore, AssemblyError>, String)>, options: &Options) -> Vec<Finding> {
    match (&options.state, container) {
        (Some(folder), _) => in_folder(folder).await,
        (None, None) => skipped_state(),
        (None, Some((Ok(store), name))) => state::in_container(store, name, None).await,
        (None, Some((Err(error), _))) => no_state(error),
    }
}

/// One tenant, and the services that it is read and sent by.
async fn of_entry(
    entry: &Entry,
    environment: &(dyn Fn(&str) -> Option<String> + Sync),
    options: &Options,
    container: Option<&(Result<BlobStore, AssemblyError>, String)>,
) -> (TenantReport, Vec<(&'static str, Url)>) {
    let (read, settings) = settings::of_entry(entry, environment);
    let mut findings = vec![read];
    let services = settings.as_ref().map(origins).unwrap_or_default();
    match &settings {
        Some(settings) => findings.extend(of_services(settings, options, container).await),
        None => findings.extend(all_skipped()),
    }
    findings.retain(|finding| !SHARED.contains(&finding.check));
    tell_once(&mut findings);
    (TenantReport::of(entry, Report::new(findings)), services)
}

/// What is the deployment's.
const SHARED: [Check; 3] = [Check::Host, Check::State, Check::Clock];

async fn of_services(
    settings: &Settings,
    options: &Options,
    container: Option<&(Result<BlobStore, AssemblyError>, String)>,
) -> Vec<Finding> {
    let lock_key = Memory::lock_key(&settings.feed.tenant_id);
    let lock = async {
        match container {
            Some((Ok(store), name)) => vec![state::held(store, name, &lock_key).await],
            // The locks of a folder end with their processes, whosever they are.
            None if options.state.is_some() => Vec::new(),
            _ => vec![Finding::because(Check::Lease, Check::State)],
        }
    };
    let (feed, lock, ingestion, labels) =
        tokio::join!(of_feed(settings), lock, of_ingestion(settings, options), of_labels(settings));
    [feed, lock, ingestion, labels].concat()
}
