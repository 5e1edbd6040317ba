//! The order of the checks: what rests on what.

use std::{path::PathBuf, sync::Arc};

use time::OffsetDateTime;

use super::{
    Check, Finding, Report, clock, feed, host, identity, identity::Wanted, ingestion, labels, settings, state,
};
use crate::{
    assembly,
    feed::{Patience, http_client},
    identity::{Audience, credential},
    retry::Policy,
    settings::{LabelSource, Settings},
    state::{Store, folder::FolderStore},
};

/// A person waits: one more try after a failure, and no waiting for throttling.
const PATIENCE: Patience = Patience {
    failures: Policy { tries: 2, ..Patience::SERVICE.failures },
    throttles: 0,
    answer: std::time::Duration::from_secs(30),
    ..Patience::SERVICE
};

/// What is looked at, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder of the state, in place of a storage account. It must be there.
    pub state: Option<PathBuf>,
    /// Send one row that is marked as a test.
    pub send_test_row: bool,
    /// Where a function app may lie: the first folder with a `host.json` is looked at.
    pub app_folders: Vec<PathBuf>,
}

/// Looks at everything that the connector needs. Nothing is changed: subscriptions and watermarks stay as they are, the
/// small blobs that show the rights on the state are removed again (a container that is missing is made, as by the
/// first run), and no row is sent unless it was asked for.
///
/// `environment` gives the value of a setting.
pub async fn examine(environment: &(dyn Fn(&str) -> Option<String> + Sync), options: &Options) -> Report {
    let (read, settings) = settings::examine(environment, options.state.as_deref());
    let mut findings = vec![host::examine(environment, &options.app_folders), read];
    match settings {
        Some(settings) => findings.extend(services(&settings, options).await),
        None => findings.extend(all_skipped()),
    }
    Report::new(findings)
}

/// Everything, because no setting could be used.
fn all_skipped() -> impl Iterator<Item = Finding> {
    let rest = Check::ALL.into_iter().filter(|check| !matches!(check, Check::Host | Check::Settings));
    rest.map(|check| Finding::because(check, Check::Settings))
}

async fn services(settings: &Settings, options: &Options) -> Vec<Finding> {
    let (feed, state, ingestion, labels, clock) = tokio::join!(
        of_feed(settings),
        of_state(settings, options),
        of_ingestion(settings, options),
        of_labels(settings),
        of_clock(settings),
    );
    [feed, state, ingestion, labels, vec![clock]].concat()
}

fn method(settings: &Settings, audience: Audience) -> &'static str {
    credential(&settings.identity, &settings.feed.tenant_id, audience).method().name()
}

fn audience(scope: &str) -> &str {
    scope.strip_suffix("/.default").unwrap_or(scope)
}

async fn of_feed(settings: &Settings) -> Vec<Finding> {
    let (feed, wanted) = (&settings.feed, &settings.feed.content_types);
    let tokens = assembly::feed_tokens(settings);
    let tenant = Some(feed.tenant_id.as_str());
    let token = Wanted { check: Check::FeedToken, audience: audience(&feed.management_scope), tenant };
    let (token, claims) = identity::examine(&tokens, method(settings, Audience::Feed), token).await;
    if !token.carries() {
        let permission = Finding::because(Check::FeedPermission, Check::FeedToken);
        return [vec![token, permission], feed::all_skipped(wanted, Check::FeedToken)].concat();
    }
    let permission = identity::permission(claims.as_ref(), wanted);
    if !permission.carries() {
        return [vec![token, permission], feed::all_skipped(wanted, Check::FeedPermission)].concat();
    }
    let answers = match assembly::feed_client(settings, tokens) {
        Ok(client) => feed::examine(&client.with_patience(PATIENCE), wanted, OffsetDateTime::now_utc()).await,
        Err(error) => {
            let feed = Finding::failed(Check::Feed, error.to_string(), "Check HTTPS_PROXY, and TLS on this machine");
            let mut skipped = feed::all_skipped(wanted, Check::Feed);
            skipped.retain(|finding| finding.check != Check::Feed);
            [vec![feed], skipped].concat()
        }
    };
    [vec![token, permission], answers].concat()
}

async fn of_state(settings: &Settings, options: &Options) -> Vec<Finding> {
    let cannot = |error: String| {
        let fix = "Check AzureWebJobsStorage, or AzureWebJobsStorage__blobServiceUri and the identity";
        vec![Finding::failed(Check::State, error, fix), Finding::because(Check::Lease, Check::State)]
    };
    let (store, place): (Arc<dyn Store>, _) = match (&options.state, &settings.storage) {
        (Some(folder), _) => match FolderStore::open(folder) {
            Ok(store) => (Arc::new(store), format!("folder {}", folder.display())),
            Err(error) => return cannot(error.to_string()),
        },
        (None, Some(storage)) => match assembly::store(settings) {
            Ok(store) => (store, format!("container {}", storage.container)),
            // What the setting itself has wrong was told with the settings.
            Err(assembly::AssemblyError::Connection(_)) => return skipped_state(),
            Err(error) => return cannot(error.to_string()),
        },
        (None, None) => return skipped_state(),
    };
    state::examine(store.as_ref(), &place).await
}

fn skipped_state() -> Vec<Finding> {
    [Check::State, Check::Lease].map(|check| Finding::because(check, Check::Settings)).to_vec()
}

async fn of_ingestion(settings: &Settings, options: &Options) -> Vec<Finding> {
    let Some(ingestion) = &settings.ingestion else {
        let checks = [Check::IngestionToken, Check::Ingestion];
        return checks.map(|check| Finding::because(check, Check::Settings)).to_vec();
    };
    let tokens = assembly::ingestion_tokens(settings, ingestion);
    let wanted = Wanted { check: Check::IngestionToken, audience: audience(&ingestion.scope), tenant: None };
    let (token, claims) = identity::examine(&tokens, method(settings, Audience::Ingestion), wanted).await;
    if !token.carries() {
        return vec![token, Finding::because(Check::Ingestion, Check::IngestionToken)];
    }
    let answer = match assembly::ingestion_client(ingestion, tokens) {
        Ok(client) => {
            let test_row = options.send_test_row.then_some(settings.feed.tenant_id.as_str());
            ingestion::examine(&client, ingestion, claims.as_ref(), test_row, OffsetDateTime::now_utc()).await
        }
        Err(error) => Finding::failed(Check::Ingestion, error.to_string(), "Correct the setting that is named"),
    };
    vec![token, answer]
}

async fn of_labels(settings: &Settings) -> Vec<Finding> {
    if let Some(labels) = labels::without_graph(&settings.labels) {
        return vec![Finding::not_needed(Check::GraphToken, "LABELS is not graph"), labels];
    }
    let tokens = assembly::graph_tokens(settings);
    let tenant = Some(settings.feed.tenant_id.as_str());
    let wanted = Wanted { check: Check::GraphToken, audience: audience(&settings.labels.graph_scope), tenant };
    let (mut token, claims) = identity::examine(&tokens, method(settings, Audience::Graph), wanted).await;
    if !token.carries() {
        // A run goes on without label names.
        token.verdict = super::Verdict::Warning;
        return vec![token, Finding::because(Check::Labels, Check::GraphToken)];
    }
    let answer = match http_client() {
        Ok(http) => labels::examine(&http, &settings.labels, &tokens, claims.as_ref()).await,
        Err(error) => Finding::warning(Check::Labels, error.to_string(), "Check HTTPS_PROXY, and TLS on this machine"),
    };
    vec![token, answer]
}

async fn of_clock(settings: &Settings) -> Finding {
    let mut origins = vec![("the feed", settings.feed.management_endpoint.clone())];
    origins.extend(settings.ingestion.iter().map(|it| ("the data collection endpoint", it.endpoint.clone())));
    if settings.labels.source == LabelSource::Graph {
        origins.push(("Microsoft Graph", settings.labels.graph_endpoint.clone()));
    }
    let account = settings.storage.as_ref().and_then(|storage| assembly::storage_account(storage).ok());
    origins.extend(account.map(|account| ("the storage account", account.endpoint().clone())));
    match http_client() {
        Ok(http) => clock::examine(&http, &origins).await,
        Err(error) => Finding::not_needed(Check::Clock, error.to_string()),
    }
}
