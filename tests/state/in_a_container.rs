//! A blob service: what goes wrong on the way to it, and who is let in.

use std::time::Duration;

use async_trait::async_trait;
use azure_core::{credentials::Secret, hmac::hmac_sha256};
use azure_storage_blob::BlobContainerClient;
use bytes::Bytes;
use labelstream::state::{Expect, StateError, Store, blob::BlobStore, client::connect, connection::StorageAccount};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{
    azurite::{ACCOUNT, Azurite, KEY, connection_string},
    lossy::Lossy,
    suite::{Place, suite},
};

suite!(super::Container::new());

/// A container of its own in the emulator, reached directly or through a proxy.
pub struct Container {
    account: StorageAccount,
    name: String,
}

impl Container {
    pub fn new() -> Self {
        Self::at(&Azurite::shared().connection_string())
    }

    fn at(connection: &str) -> Self {
        let account = StorageAccount::from_connection_string(connection).unwrap();
        Self { account, name: format!("test-{}", Uuid::new_v4()) }
    }

    /// The same container behind `proxy`.
    fn behind(&self, proxy: &Lossy) -> BlobStore {
        let account = StorageAccount::from_connection_string(&connection_string(proxy.port(), KEY)).unwrap();
        BlobStore::open(&account, &self.name, None).unwrap()
    }

    fn store(&self) -> BlobStore {
        BlobStore::open(&self.account, &self.name, None).unwrap().with_page(2)
    }

    fn client(&self) -> BlobContainerClient {
        connect(&self.account, None).unwrap().blob_container_client(&self.name)
    }
}

#[async_trait]
impl Place for Container {
    fn open(&self) -> Box<dyn Store> {
        Box::new(self.store())
    }

    async fn remove(&self) {
        self.client().delete(None).await.unwrap();
    }
}

/// A shared access signature of the emulator's account: the blob service, all that a store does, as the documentation
/// of account SAS lays it out for version 2020-12-06 and later.
fn account_sas(permissions: &str) -> String {
    let (version, expires) = ("2021-06-08", "2099-01-01T00:00:00Z");
    let text = format!("{ACCOUNT}\n{permissions}\nb\nsco\n\n{expires}\n\n\n{version}\n\n");
    let signature = hmac_sha256(&text, &Secret::new(KEY)).unwrap();
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sv", version), ("ss", "b"), ("srt", "sco"), ("sp", permissions), ("se", expires)])
        .append_pair("sig", &signature)
        .finish()
}

fn with_sas(port: u16, sas: &str) -> Container {
    Container::at(&format!("BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};SharedAccessSignature={sas}"))
}

/// A port at which nobody listens.
async fn dead_port() -> u16 {
    tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// All that an error can show.
fn shown(error: &StateError) -> String {
    format!("{error} {error:?} {error:#?}")
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_not_shown() {
    let wrong = "bm90LXRoZS1rZXktb2YtdGhpcy1hY2NvdW50LWJ1dC1hcy1sb25nLWFzLW9uZQ==";
    let place = Container::at(&connection_string(Azurite::shared().port(), wrong));
    let store = place.store();
    let errors = [
        store.get("watermark.json").await.unwrap_err(),
        store.put("watermark.json", "x".into(), &Expect::Absent).await.unwrap_err(),
        store.append("log", 0, "x".into()).await.unwrap_err(),
        store.list("").await.unwrap_err(),
        store.delete("watermark.json").await.unwrap_err(),
        store.lock("run").await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StateError::Denied { .. }) && !error.is_retryable(), "{error}");
        assert!(error.to_string().contains("check AccountKey in AzureWebJobsStorage"), "{error}");
        assert!(error.to_string().contains(": the storage refuses access: HTTP 403"), "{error}");
        assert!(!error.to_string().starts_with(':'), "{error}");
        assert!(!shown(&error).contains(wrong) && !shown(&error).contains("SharedKey"), "{error}");
    }
    assert!(!format!("{store:?} {:?}", place.account).contains(wrong));
}

#[tokio::test]
async fn a_sas_lets_in_and_is_not_shown() {
    let port = Azurite::shared().port();
    let place = with_sas(port, &account_sas("rwdlac"));
    let store = place.store();
    let version = store.put("a b.json", "one".into(), &Expect::Absent).await.unwrap();
    store.put("a b.json", "two".into(), &Expect::Version(version)).await.unwrap();
    store.append("log", 0, "one".into()).await.unwrap();
    assert_eq!(store.list("").await.unwrap().len(), 2);
    store.lock("run").await.unwrap().unwrap().release().await.unwrap();
    store.delete("log").await.unwrap();

    let read_only = account_sas("r");
    let signature = read_only.rsplit_once('=').unwrap().1;
    let weak = with_sas(port, &read_only).store();
    let error = weak.put("a", "x".into(), &Expect::Any).await.unwrap_err();
    assert!(matches!(error, StateError::Denied { .. }), "{error}");
    assert!(error.to_string().contains("SAS"), "{error}");
    assert!(!shown(&error).contains(signature) && !shown(&error).contains("sig="), "{error}");
    assert!(!format!("{weak:?}").contains(signature));
}

#[tokio::test]
async fn a_host_that_is_down_is_told_in_seconds() {
    let sas = account_sas("rwdlac");
    let signature = sas.rsplit_once('=').unwrap().1;
    let store = with_sas(dead_port().await, &sas).store();
    let error = tokio::time::timeout(Duration::from_secs(15), store.get("watermark.json")).await.unwrap().unwrap_err();
    assert!(matches!(error, StateError::Unavailable { .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().starts_with("watermark.json: ") && error.to_string().contains("refused"), "{error}");
    assert!(!shown(&error).contains(signature) && !shown(&error).contains("sig="), "{error}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_no_conflict() {
    let place = Container::new();
    let proxy = Lossy::before(Azurite::shared().port()).await;
    let store = place.behind(&proxy);
    store.put("other.json", "x".into(), &Expect::Any).await.unwrap(); // makes the container

    proxy.lose_next_answer_after(0);
    let first = store.put("watermark.json", "one".into(), &Expect::Absent).await.unwrap();
    assert_eq!(proxy.lost(), 1);
    proxy.lose_next_answer_after(0);
    let second = store.put("watermark.json", "two".into(), &Expect::Version(first.clone())).await.unwrap();
    assert_eq!(proxy.lost(), 2);
    assert_eq!(store.get("watermark.json").await.unwrap(), Some(("two".into(), second)));

    let stale = store.put("watermark.json", "two".into(), &Expect::Version(first)).await.unwrap_err();
    assert!(stale.is_conflict(), "{stale}");
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_made_once() {
    let place = Container::new();
    let proxy = Lossy::before(Azurite::shared().port()).await;
    let store = place.behind(&proxy);
    store.append("log", 0, "one\n".into()).await.unwrap();
    proxy.lose_next_answer_after(0);
    store.append("log", 4, "two\n".into()).await.unwrap();
    assert_eq!(proxy.lost(), 1);
    assert_eq!(store.get("log").await.unwrap().unwrap().0, "one\ntwo\n");
}

#[tokio::test]
async fn an_append_goes_on_after_the_pieces_that_arrived() {
    let store = Container::new().store();
    let piece = 4 * 1024 * 1024;
    let block: Bytes = (0..piece + 10).map(|index| (index % 251) as u8).collect();
    store.append("log", 0, block.slice(..piece)).await.unwrap();
    store.append("log", 0, block.clone()).await.unwrap();
    assert_eq!(store.get("log").await.unwrap().unwrap().0, block);
}

#[tokio::test]
async fn a_lock_whose_answer_is_lost_is_held() {
    let place = Container::new();
    let proxy = Lossy::before(Azurite::shared().port()).await;
    let store = place.behind(&proxy);
    store.lock("run").await.unwrap().unwrap().release().await.unwrap();
    proxy.lose_next_answer_after(0);
    let lock = store.lock("run").await.unwrap().expect("the first try took it");
    assert_eq!(proxy.lost(), 1);
    assert!(place.store().lock("run").await.unwrap().is_none());
    lock.release().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_is_fetched_again() {
    let place = Container::new();
    let proxy = Lossy::before(Azurite::shared().port()).await;
    let store = place.behind(&proxy);
    let body: Bytes = (0..1024 * 1024).map(|index| (index % 251) as u8).collect();
    let version = store.put("watermark.json", body.clone(), &Expect::Any).await.unwrap();
    proxy.lose_next_answer_after(100_000);
    assert_eq!(store.get("watermark.json").await.unwrap(), Some((body, version)));
    assert_eq!(proxy.lost(), 1);
}

#[tokio::test]
async fn a_lock_that_ran_out_is_lost() {
    let place = Container::new();
    let lock = place.store().lock("run").await.unwrap().unwrap();
    // A lease that is broken at once ends as one does whose time is up, without a minute's wait.
    let options =
        azure_storage_blob::models::BlobClientBreakLeaseOptions { break_period: Some(0), ..Default::default() };
    place.client().blob_client("run.lock").break_lease(Some(options)).await.unwrap();
    assert!(matches!(lock.renew().await, Err(StateError::LockLost { .. })));
    let next = place.store().lock("run").await.unwrap().unwrap();
    assert!(matches!(lock.renew().await, Err(StateError::LockLost { .. })));
    next.renew().await.unwrap();
}
