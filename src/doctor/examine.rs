//! The order of the checks: what rests on what.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use url::Url;

use super::{
    Check, Finding, Report, clock, feed, host, identity, identity::Wanted, ingestion, labels, settings, state,
};
use crate::{
    assembly::{self, AssemblyError},
    feed::http_client,
    identity::{Audience, credential},
    settings::{LabelSource, Settings},
    state::folder::FolderStore,
    watermark::Memory,
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

/// Looks at everything that the connector needs. Nothing is changed: subscriptions, watermarks and the state stay as they
/// are (in a folder a file is made and removed again), and no row is sent unless it was asked for.
///
/// `environment` gives the value of a setting.
pub async fn examine(environment: &(dyn Fn(&str) -> Option<String> + Sync), options: &Options) -> Report {
    let (read, settings) = settings::examine(environment, options.state.as_deref());
    let mut findings = vec![host::examine(environment, &options.app_folders), read];
    match settings {
        Some(settings) => findings.extend(services(&settings, options).await),
        None => findings.extend(all_skipped()),
    }
    tell_once(&mut findings);
    Report::new(findings)
}

/// One identity that gives no token is one fault, whatever it was asked for: the tokens that fail for the reason for
/// which the feed's does are skipped because of that one.
pub(super) fn tell_once(findings: &mut [Finding]) {
    // What follows the audience, which differs.
    let reason = |finding: &Finding| finding.found.split_once(": ").map(|(_, reason)| reason.to_owned());
    let feed = findings.iter().find(|finding| finding.check == Check::FeedToken && !finding.carries());
    let Some(told) = feed.and_then(reason) else { return };
    for finding in findings.iter_mut().filter(|finding| finding.fix.is_some()) {
        if matches!(finding.check, Check::IngestionToken | Check::GraphToken) && reason(finding).as_ref() == Some(&told)
        {
            *finding = Finding::because(finding.check, Check::FeedToken);
        }
    }
}

/// Everything, because no setting could be used.
pub(super) fn all_skipped() -> impl Iterator<Item = Finding> {
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

pub(super) async fn of_feed(settings: &Settings) -> Vec<Finding> {
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
    let answers = match assembly::attended_feed_client(settings, tokens) {
        Ok(client) => feed::examine(&client, wanted, OffsetDateTime::now_utc()).await,
        Err(error) => {
            let feed = Finding::failed(Check::Feed, error.to_string(), "Check HTTPS_PROXY, and TLS on this machine");
            let mut skipped = feed::all_skipped(wanted, Check::Feed);
            skipped.retain(|finding| finding.check != Check::Feed);
            [vec![feed], skipped].concat()
        }
    };
    [vec![token, permission], answers].concat()
}

/// That the place of the state cannot be opened.
pub(super) fn no_state(error: &AssemblyError) -> Vec<Finding> {
    let fix = "Check AzureWebJobsStorage, or AzureWebJobsStorage__blobServiceUri and the identity";
    vec![Finding::failed(Check::State, error.to_string(), fix), Finding::because(Check::Lease, Check::State)]
}

pub(super) async fn in_folder(folder: &Path) -> Vec<Finding> {
    match FolderStore::open(folder) {
        Ok(store) => state::in_folder(&store, &format!("folder {}", folder.display())).await,
        Err(error) => no_state(&error.into()),
    }
}

async fn of_state(settings: &Settings, options: &Options) -> Vec<Finding> {
    if let Some(folder) = &options.state {
        return in_folder(folder).await;
    }
    let Some(storage) = &settings.storage else { return skipped_state() };
    match assembly::blob_store(settings) {
        Ok(store) => {
            let lock = Memory::lock_key(&settings.feed.tenant_id);
            state::in_container(&store, &storage.container, Some(&lock)).await
        }
        // What the setting itself has wrong was told with the settings.
        Err(AssemblyError::Connection(_)) => skipped_state(),
        Err(error) => no_state(&error),
    }
}

pub(super) fn skipped_state() -> Vec<Finding> {
    [Check::State, Check::Lease].map(|check| Finding::because(check, Check::Settings)).to_vec()
}

pub(super) async fn of_ingestion(settings: &Settings, options: &Options) -> Vec<Finding> {
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
    let answers = match assembly::ingestion_client(ingestion, tokens) {
        Ok(client) => {
            let test_row = options.send_test_row.then_some(settings.feed.tenant_id.as_str());
            ingestion::examine(&client, ingestion, claims.as_ref(), test_row, OffsetDateTime::now_utc()).await
        }
        Err(error) => vec![Finding::failed(Check::Ingestion, error.to_string(), "Correct the setting that is named")],
    };
    [vec![token], answers].concat()
}

pub(super) async fn of_labels(settings: &Settings) -> Vec<Finding> {
    if let Some(labels) = labels::without_graph(&settings.labels).await {
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
    let answer = match assembly::graph_client(settings, tokens) {
        Ok(graph) => labels::examine(&graph, claims.as_ref()).await,
        Err(error) => Finding::warning(Check::Labels, error.to_string(), "Check HTTPS_PROXY, and TLS on this machine"),
    };
    vec![token, answer]
}

async fn of_clock(settings: &Settings) -> Finding {
    let mut origins = origins(settings);
    let account = settings.storage.as_ref().and_then(|storage| assembly::storage_account(storage).ok());
    origins.extend(account.map(|account| ("the storage account", account.endpoint().clone())));
    compared(&origins).await
}

/// The services that a tenant is read and sent by.
pub(super) fn origins(settings: &Settings) -> Vec<(&'static str, Url)> {
    let mut origins = vec![("the feed", settings.feed.management_endpoint.clone())];
    origins.extend(settings.ingestion.iter().map(|it| ("the data collection endpoint", it.endpoint.clone())));
    if settings.labels.source == LabelSource::Graph {
        origins.push(("Microsoft Graph", settings.labels.graph_endpoint.clone()));
    }
    origins
}

/// This machine's clock against those of `origins`.
pub(super) async fn compared(origins: &[(&str, Url)]) -> Finding {
    match http_client() {
        Ok(http) => clock::examine(&http, origins).await,
        Err(error) => Finding::not_needed(Check::Clock, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn one_identity_is_one_fault() {
        let failed = |check, found: &str| Finding::failed(check, found, "assign it");
        let verdicts = |other: &str| {
            let mut findings = [
                failed(Check::FeedToken, "no token for https://feed: not assigned"),
                failed(Check::IngestionToken, other),
                Finding::ok(Check::GraphToken, "no token for https://graph: not assigned"),
            ];
            tell_once(&mut findings);
            findings.map(|finding| finding.verdict)
        };
        use Verdict::{Failed, Ok, Skipped};
        assert_eq!(verdicts("no token for https://monitor: not assigned"), [Failed, Skipped, Ok]);
        assert_eq!(verdicts("no token for https://monitor: expired"), [Failed, Failed, Ok]);
    }
}
