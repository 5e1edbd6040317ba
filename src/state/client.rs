//! The SDK's clients of a storage account: how it signs, how often it tries, how long it waits.

use std::{sync::Arc, time::Duration};

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport},
};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use azure_storage_queue::{QueueClient, QueueServiceClient, QueueServiceClientOptions};
use url::Url;

use super::{
    connection::{Access, CONNECTION_STRING, ConnectionError, Service, StorageAccount},
    shared_key::SharedKeyPolicy,
};

/// The version of the API of the blob and the queue service: the newest that Azurite 3.35 takes (the SDK's own is newer and refused there).
const API_VERSION: &str = "2025-11-05";

/// Tries of one call after the first, and for how long: a host that is down costs seconds of a run's budget. The
/// SDK's own values let one call take 82 s.
const RETRIES: u32 = 2;
const RETRY_FOR: time::Duration = time::Duration::seconds(10);

/// For a host that swallows packets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// From the first byte sent to the answer: enough for a block of 4 MiB over two megabits a second.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of the account's blob service. `credential` is needed for [`Access::Identity`], and not used otherwise.
///
/// # Errors
/// The account needs a credential and there is none, or the client cannot be built.
pub fn connect(
    account: &StorageAccount,
    credential: Option<Arc<dyn TokenCredential>>,
) -> Result<BlobServiceClient, ConnectionError> {
    let Connection { url, credential, client_options } = Connection::new(account, credential)?;
    let options = BlobServiceClientOptions { client_options, version: API_VERSION.to_owned() };
    // The SDK's own text may quote the address with a SAS in it.
    BlobServiceClient::new(url, credential, Some(options)).map_err(|_| refused(account))
}

/// A client of the queue `name` of the account, likewise.
///
/// # Errors
/// As for [`connect`].
pub fn connect_queue(
    account: &StorageAccount,
    name: &str,
    credential: Option<Arc<dyn TokenCredential>>,
) -> Result<QueueClient, ConnectionError> {
    let Connection { url, credential, client_options } = Connection::new(account, credential)?;
    let options = QueueServiceClientOptions { client_options, version: API_VERSION.to_owned() };
    let service = QueueServiceClient::new(url, credential, Some(options)).map_err(|_| refused(account))?;
    service.queue_client(name).map_err(|_| refused(account))
}

/// What a client of the SDK is made of.
struct Connection {
    /// With the SAS, where there is one.
    url: Url,
    credential: Option<Arc<dyn TokenCredential>>,
    client_options: ClientOptions,
}

impl Connection {
    fn new(account: &StorageAccount, credential: Option<Arc<dyn TokenCredential>>) -> Result<Self, ConnectionError> {
        let transport = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(ANSWER_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none()) // a SAS or a token is for this host alone
            .no_gzip() // the SDK counts the bytes of a blob as they are stored
            .build()
            .map_err(|_| fault(account, "cannot be used: no TLS client could be set up on this machine"))?;
        let mut client_options = ClientOptions {
            retry: RetryOptions::exponential(ExponentialRetryOptions {
                max_retries: RETRIES,
                max_total_elapsed: RETRY_FOR,
                ..Default::default()
            }),
            transport: Some(Transport::new(Arc::new(transport))),
            ..Default::default()
        };
        let mut url = account.endpoint().clone();
        let credential = match account.access() {
            Access::Key { account, key } => {
                client_options.per_try_policies.push(Arc::new(SharedKeyPolicy::new(account, key)));
                None
            }
            Access::Sas(query) => {
                url.set_query(Some(query.secret()));
                None
            }
            Access::Identity { .. } => {
                Some(credential.ok_or_else(|| fault(account, "needs an identity, and none is configured"))?)
            }
        };
        Ok(Self { url, credential, client_options })
    }
}

fn refused(account: &StorageAccount) -> ConnectionError {
    fault(
        account,
        match account.service() {
            Service::Blob => "is refused by the storage client; it must be the https address of a blob service",
            Service::Queue => "is refused by the storage client; it must be the https address of a queue service",
        },
    )
}

fn fault(account: &StorageAccount, problem: &'static str) -> ConnectionError {
    let is_identity = matches!(account.access(), Access::Identity { .. });
    let setting = if is_identity { account.service().setting() } else { CONNECTION_STRING };
    ConnectionError { setting, part: format!("the {} service", account.service().word()), problem }
}
