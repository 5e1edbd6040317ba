//! Putting a connector together from its settings. Nothing here goes to the network.

use std::sync::{Arc, OnceLock};

use azure_core::{credentials::Secret, http::Transport};

use crate::{
    feed::{self, Budget, FeedClient, FeedError, Limits, Patience},
    identity::{self, Audience, IdentityError, Tokens},
    ingestion::{IngestionClient, IngestionError},
    labels::{GraphClient, Keeper, MapSource},
    pull::{Capacity, Connector, LeftOver, Sink},
    queue::{WORK_QUEUE, WorkQueue},
    record::{Filter, record_type_by_name},
    settings::{
        DeploymentSettings, Fault, FilterSettings, Heartbeats, IdentitySettings, IngestionSettings, LabelSource,
        RecordTypeName, Settings, SettingsError, StorageAccount, StorageSettings,
    },
    state::{
        StateError, Store,
        blob::BlobStore,
        connection::{self, ConnectionError, Service},
    },
};

/// Why a connector cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// A setting that only a part can judge is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The storage account's setting is wrong.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The identity cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The state's folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The feed's client cannot be made.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The ingestion client cannot be made.
    #[error(transparent)]
    Ingestion(#[from] IngestionError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
    /// The file for the rows cannot be opened.
    #[error("--output: {0}")]
    Output(std::io::Error),
}

/// The HTTP client of the process, for all but the storage: what TLS trusts is read once, which takes some milliseconds and
/// a megabyte each time, and connections to the same host are shared.
fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = feed::http_client()?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// What the runs of the process share, whichever connector they are of.
#[must_use]
pub fn capacity() -> Capacity {
    static CAPACITY: OnceLock<Capacity> = OnceLock::new();
    CAPACITY.get_or_init(Capacity::default).clone()
}

/// The same for the SDK's requests for tokens. Where it cannot be made, each of them makes its own and says why it cannot.
fn transport() -> Option<Transport> {
    http_client().ok().map(|client| Transport::new(Arc::new(client)))
}

/// A connector whose rows go to the data collection rule and whose state lies in the storage account.
///
/// # Errors
/// See [`AssemblyError`].
pub fn connector(settings: &Settings) -> Result<Connector, AssemblyError> {
    connector_with(settings, store(settings)?, ingestion(settings)?)
}

/// A connector with a store and a sink of the caller's choice.
///
/// # Errors
/// See [`AssemblyError`].
pub fn connector_with(settings: &Settings, store: Arc<dyn Store>, sink: Sink) -> Result<Connector, AssemblyError> {
    let feed = &settings.feed;
    Ok(Connector {
        tenant: feed.tenant_id.clone(),
        feed: feed_client(settings, feed_tokens(settings))?,
        filter: filter(&settings.filter)?,
        labels: labels(settings)?,
        sink,
        store,
        content_types: feed.content_types.clone(),
        initial_lookback: feed.initial_lookback,
        left_over: LeftOver::default(),
        capacity: capacity(),
    })
}

/// The feed of the settings, asked with `tokens`.
///
/// # Errors
/// The HTTP client cannot be made.
pub fn feed_client(settings: &Settings, tokens: Arc<Tokens>) -> Result<FeedClient, AssemblyError> {
    feed_within(settings, tokens, Limits::SERVICE)
}

/// The same where a person waits for the answer: it gives up soon, and does not wait for throttling.
///
/// # Errors
/// The HTTP client cannot be made.
pub fn attended_feed_client(settings: &Settings, tokens: Arc<Tokens>) -> Result<FeedClient, AssemblyError> {
    Ok(feed_within(settings, tokens, Limits::ATTENDED)?.with_patience(Patience::ATTENDED))
}

fn feed_within(settings: &Settings, tokens: Arc<Tokens>, limits: Limits) -> Result<FeedClient, AssemblyError> {
    let feed = &settings.feed;
    let budget = Arc::new(Budget::new(limits));
    let (base, tenant, publisher) = (&feed.management_endpoint, &feed.tenant_id, &feed.publisher_id);
    Ok(FeedClient::new(http_client()?, base, tenant, publisher, tokens, budget)?)
}

/// Tokens for the feed.
#[must_use]
pub fn feed_tokens(settings: &Settings) -> Arc<Tokens> {
    tokens(settings, &settings.feed.management_scope, Audience::Feed)
}

/// Tokens for Microsoft Graph.
#[must_use]
pub fn graph_tokens(settings: &Settings) -> Arc<Tokens> {
    tokens(settings, &settings.labels.graph_scope, Audience::Graph)
}

/// The label names of the settings. Nothing is read or asked yet.
///
/// # Errors
/// The HTTP client cannot be made.
pub fn labels(settings: &Settings) -> Result<Keeper, AssemblyError> {
    Ok(match &settings.labels.source {
        LabelSource::Off => Keeper::off(),
        LabelSource::Path(path) => Keeper::of_map(MapSource::Path(path.clone())),
        LabelSource::Json(text) => Keeper::of_map(MapSource::Text(text.clone())),
        LabelSource::Graph => Keeper::of_graph(graph_client(settings, graph_tokens(settings))?),
    })
}

/// Microsoft Graph of the settings, asked with `tokens`.
///
/// # Errors
/// The HTTP client cannot be made.
pub fn graph_client(settings: &Settings, tokens: Arc<Tokens>) -> Result<GraphClient, AssemblyError> {
    Ok(GraphClient::new(http_client()?, &settings.labels.graph_endpoint, tokens))
}

/// Tokens for the data collection rule.
#[must_use]
pub fn ingestion_tokens(settings: &Settings, ingestion: &IngestionSettings) -> Arc<Tokens> {
    tokens(settings, &ingestion.scope, Audience::Ingestion)
}

fn tokens(settings: &Settings, scope: &str, audience: Audience) -> Arc<Tokens> {
    let credential = identity::credential(&settings.identity, &settings.feed.tenant_id, audience);
    Arc::new(Tokens::new(scope, credential.with_transport(transport())))
}

/// The data collection rule of the settings.
///
/// # Errors
/// The settings were read without it, or the endpoint is neither https nor http on loopback.
pub fn ingestion(settings: &Settings) -> Result<Sink, AssemblyError> {
    ingestion_with(settings, |ingestion| ingestion_tokens(settings, ingestion))
}

/// The same with `tokens` of the caller's, who may have them already.
///
/// # Errors
/// As for [`ingestion`].
pub fn ingestion_with(
    settings: &Settings,
    tokens: impl FnOnce(&IngestionSettings) -> Arc<Tokens>,
) -> Result<Sink, AssemblyError> {
    let ingestion = settings.ingestion.as_ref().ok_or_else(|| unread("DATA_COLLECTION_ENDPOINT"))?;
    Ok(Sink::Ingestion(ingestion_client(ingestion, tokens(ingestion))?))
}

/// The data collection rule of the settings, asked with `tokens`.
///
/// # Errors
/// As for [`ingestion`].
pub fn ingestion_client(settings: &IngestionSettings, tokens: Arc<Tokens>) -> Result<IngestionClient, AssemblyError> {
    let (endpoint, rule, stream) = (settings.endpoint.clone(), &settings.rule_id, &settings.stream_name);
    Ok(IngestionClient::new(http_client()?, endpoint, rule, stream, tokens)?)
}

/// The storage account of the settings.
///
/// # Errors
/// The settings were read without it, or what they hold is no account.
pub fn store(settings: &Settings) -> Result<Arc<dyn Store>, AssemblyError> {
    Ok(Arc::new(blob_store(settings)?))
}

/// The container of the settings.
///
/// # Errors
/// As for [`store`].
pub fn blob_store(settings: &Settings) -> Result<BlobStore, AssemblyError> {
    container_of(&settings.identity, settings.storage.as_ref())
}

/// The storage account of a deployment, which all of its tenants share.
///
/// # Errors
/// As for [`store`].
pub fn store_of(deployment: &DeploymentSettings) -> Result<Arc<dyn Store>, AssemblyError> {
    Ok(Arc::new(blob_store_of(deployment)?))
}

/// The container of a deployment.
///
/// # Errors
/// As for [`store`].
pub fn blob_store_of(deployment: &DeploymentSettings) -> Result<BlobStore, AssemblyError> {
    container_of(&deployment.identity, deployment.storage.as_ref())
}

/// The work queue of a deployment, in the storage account that holds its state.
///
/// # Errors
/// As for [`store`], or the address of the queue service is missing.
pub fn work_queue(deployment: &DeploymentSettings) -> Result<WorkQueue, AssemblyError> {
    let storage = deployment.storage.as_ref().ok_or_else(|| unread(connection::CONNECTION_STRING))?;
    let account = queue_account(storage)?;
    let credential = identity::storage_credential(&deployment.identity, storage, transport())?;
    Ok(WorkQueue::open(&account, WORK_QUEUE, credential)?)
}

fn container_of(identity: &IdentitySettings, storage: Option<&StorageSettings>) -> Result<BlobStore, AssemblyError> {
    let storage = storage.ok_or_else(|| unread(connection::CONNECTION_STRING))?;
    let account = storage_account(storage)?;
    let credential = identity::storage_credential(identity, storage, transport())?;
    Ok(BlobStore::open(&account, &storage.container, credential)?)
}

/// The storage account that the settings name.
///
/// # Errors
/// What they hold is no account.
pub fn storage_account(storage: &StorageSettings) -> Result<connection::StorageAccount, ConnectionError> {
    match &storage.account {
        StorageAccount::ConnectionString(text) => connection::StorageAccount::from_connection_string(reveal(text)),
        StorageAccount::Identity { blob_service_uri, client_id, .. } => {
            connection::StorageAccount::from_service_uri(blob_service_uri.as_str(), client_id.as_deref())
        }
    }
}

/// The queue service of the storage account that the settings name.
///
/// # Errors
/// What they hold is no account, or tells no queue service.
pub fn queue_account(storage: &StorageSettings) -> Result<connection::StorageAccount, ConnectionError> {
    match &storage.account {
        StorageAccount::ConnectionString(text) => connection::StorageAccount::service_of(Service::Queue, reveal(text)),
        StorageAccount::Identity { queue_service_uri: Some(uri), client_id, .. } => {
            connection::StorageAccount::service_at(Service::Queue, uri.as_str(), client_id.as_deref())
        }
        StorageAccount::Identity { blob_service_uri, client_id, .. } => {
            connection::StorageAccount::queues_beside(blob_service_uri, client_id.as_deref())
        }
    }
}

fn reveal(secret: &Secret) -> &str {
    secret.secret()
}

fn unread(name: &'static str) -> AssemblyError {
    let fault = Fault { name, problem: "was not read for this command".to_owned(), example: "" };
    AssemblyError::Settings(SettingsError { faults: vec![fault] })
}

/// The filter of the settings. The names of record types are known to the records alone.
///
/// # Errors
/// A name that is no record type's.
pub fn filter(settings: &FilterSettings) -> Result<Filter, SettingsError> {
    let mut faults = Vec::new();
    let record_types = settings.record_types.as_ref().map(|names| {
        let number = |name: &RecordTypeName| match name {
            RecordTypeName::Number(number) => Some(*number),
            RecordTypeName::Name(name) => record_type_by_name(name).or_else(|| {
                faults.push(Fault {
                    name: "RECORD_TYPES",
                    problem: format!("has {name}, which is no record type that is known by name; give its number"),
                    example: "AipDiscover,83,MIPLabel",
                });
                None
            }),
        };
        names.iter().filter_map(number).collect()
    });
    if !faults.is_empty() {
        return Err(SettingsError { faults });
    }
    Ok(Filter::new(record_types, settings.operations.clone(), settings.heartbeats == Heartbeats::Keep))
}
