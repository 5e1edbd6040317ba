//! The state in a storage account: block blobs, append blobs and leases in one container.

use std::{collections::HashMap, fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use azure_core::{credentials::TokenCredential, http::Etag};
use azure_storage_blob::{
    BlobClient, BlobContainerClient,
    models::{
        BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders, BlobContainerClientListBlobsOptions, BlobItem,
        BlockBlobClientUploadOptions,
    },
};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Entry, Expect, Lock, StateError, Store, Version, append,
    client::connect,
    connection::{Access, ConnectionError, StorageAccount},
    key::{LOCK_SUFFIX, check},
    lease, listing,
    refusal::{Refusal, describe, state_error},
};

/// The setting that names the container.
const CONTAINER_SETTING: &str = "STATE_CONTAINER";

/// Entries of one page of a listing: the most that the service gives (List Blobs).
const PAGE: u32 = 5000;

/// How often a body is fetched. The SDK tries a request again, but not an answer that breaks off on the way.
const READ_TRIES: usize = 3;

/// The metadata that tells one write from another: a write that is refused may have been made by an earlier try of it.
const WRITE_ID: &str = "write";

/// The state in one container of a storage account. The container is made by the first write.
pub struct BlobStore {
    container: BlobContainerClient,
    name: String,
    access: Access,
    page: u32,
}

impl BlobStore {
    /// The container `container` of `account`; nothing is sent yet. `credential` hands out the tokens where the
    /// account is entered with an identity.
    ///
    /// # Errors
    /// `container` is no name of a container, or the account needs a credential and there is none.
    pub fn open(
        account: &StorageAccount,
        container: &str,
        credential: Option<Arc<dyn TokenCredential>>,
    ) -> Result<Self, ConnectionError> {
        if !is_container_name(container) {
            return Err(ConnectionError {
                setting: CONTAINER_SETTING,
                part: "the name".to_owned(),
                problem: "must be 3 to 63 lower-case letters, digits and single hyphens, labelstream for example",
            });
        }
        Ok(Self {
            container: connect(account, credential)?.blob_container_client(container),
            name: container.to_owned(),
            access: account.access().clone(),
            page: PAGE,
        })
    }

    /// Lists `entries` (1 to 5,000) at a time in place of 5,000. What a listing gives stays the same.
    #[must_use]
    pub fn with_page(mut self, entries: u32) -> Self {
        self.page = entries.clamp(1, PAGE);
        self
    }

    pub(super) fn blob(&self, key: &str) -> BlobClient {
        self.container.blob_client(key)
    }

    pub(super) const fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn error(&self, key: &str, error: azure_core::Error) -> StateError {
        state_error(key, &self.access, error)
    }

    /// Does `call`; where the container is missing, makes it and does `call` again.
    pub(super) async fn making_container<T, F, R>(&self, call: F) -> azure_core::Result<T>
    where
        F: Fn() -> R + Send + Sync,
        R: Future<Output = azure_core::Result<T>> + Send,
    {
        match call().await {
            Err(error) if Refusal::of(&error) == Refusal::NoContainer => {}
            answer => return answer,
        }
        self.make_container().await?;
        call().await
    }

    /// Makes the container, where no other writer was faster.
    pub(super) async fn make_container(&self) -> azure_core::Result<()> {
        match self.container.create(None).await {
            Err(error) if !is_code(&error, "ContainerAlreadyExists") => Err(error),
            _ => Ok(()),
        }
    }

    /// What is stored under `key`, or the part of it in `range`, with its version.
    async fn download(&self, key: &str, range: Option<Range<u64>>) -> Result<Option<(Bytes, Version)>, StateError> {
        check(key)?;
        let blob = self.blob(key);
        let mut tries = READ_TRIES;
        loop {
            let options = BlobClientDownloadOptions { range: range.clone().map(Into::into), ..Default::default() };
            let download = match blob.download(Some(options)).await {
                Ok(download) => download,
                Err(error) if is_missing(&error) => return Ok(None),
                // It begins behind the end.
                Err(error) if range.is_some() && is_code(&error, "InvalidRange") => return Ok(None),
                Err(error) => return Err(self.error(key, error)),
            };
            let version = version(key, download.properties.etag.clone())?;
            tries -= 1;
            match download.body.collect().await {
                Ok(body) => return Ok(Some((body, version))),
                // The connection broke, or another writer replaced the blob between two parts of a large one.
                Err(error) if tries == 0 => {
                    return Err(StateError::Unavailable { key: key.to_owned(), reason: describe(error) });
                }
                Err(_) => {}
            }
        }
    }

    /// The version of `blob` where the write `id` made it: the write arrived and its answer was lost.
    async fn version_of_write(&self, key: &str, blob: &BlobClient, id: &str) -> Result<Option<Version>, StateError> {
        let properties = match blob.get_properties(None).await {
            Ok(properties) => properties,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.error(key, error)),
        };
        let metadata = properties.metadata().map_err(|error| self.error(key, error))?;
        let own = metadata.iter().any(|(name, value)| name.eq_ignore_ascii_case(WRITE_ID) && value == id);
        let etag = properties.etag().map_err(|error| self.error(key, error))?;
        if own { version(key, etag).map(Some) } else { Ok(None) }
    }
}

impl fmt::Debug for BlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobStore").field("container", &self.name).field("access", &self.access).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for BlobStore {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        self.download(key, None).await
    }

    async fn get_part(&self, key: &str, from: u64, most: usize) -> Result<Option<Bytes>, StateError> {
        let range = from..from.saturating_add(most as u64);
        // For an empty blob the SDK makes an empty body of the refusal, and the emulator for a range that begins at the end.
        Ok(self.download(key, Some(range)).await?.map(|(body, _)| body).filter(|body| !body.is_empty()))
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        check(key)?;
        let blob = self.blob(key);
        let id = Uuid::new_v4().to_string();
        let upload = || blob.upload(body.clone().into(), Some(upload_options(expect, &id)));
        let error = match self.making_container(upload).await {
            Ok(stored) => return version(key, stored.etag),
            Err(error) => error,
        };
        let lost = match Refusal::of(&error) {
            Refusal::Condition => true,
            Refusal::NoBlob => matches!(expect, Expect::Version(_)),
            _ => false,
        };
        if !lost {
            return Err(self.error(key, error));
        }
        let own = self.version_of_write(key, &blob, &id).await?;
        own.ok_or_else(|| StateError::Conflict { key: key.to_owned() })
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        check(key)?;
        append::append(self, key, at, &block).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        self.list_some(prefix, usize::MAX).await
    }

    async fn list_some(&self, prefix: &str, most: usize) -> Result<Vec<Entry>, StateError> {
        let options = BlobContainerClientListBlobsOptions {
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            maxresults: Some(self.page as i32),
            ..Default::default()
        };
        let mut blobs = self.container.list_blobs(Some(options)).map_err(|error| self.error(listing(prefix), error))?;
        let mut entries = Vec::new();
        // The service lists by name, as the keys are sorted.
        while entries.len() < most {
            match blobs.try_next().await {
                Ok(Some(item)) => entries.extend(entry(prefix, item)?),
                Ok(None) => break,
                Err(error) if is_missing(&error) => return Ok(Vec::new()),
                Err(error) => return Err(self.error(listing(prefix), error)),
            }
        }
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(entries)
    }

    async fn modified(&self, key: &str) -> Result<Option<OffsetDateTime>, StateError> {
        check(key)?;
        let properties = match self.blob(key).get_properties(None).await {
            Ok(properties) => properties,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.error(key, error)),
        };
        let modified = properties.last_modified().map_err(|error| self.error(key, error))?;
        modified.map(Some).ok_or_else(|| incomplete(key, "a time of change"))
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        check(key)?;
        match self.blob(key).delete(None).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(self.error(key, error)),
        }
    }

    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        check(key)?;
        lease::take(self, key).await
    }

    async fn is_locked(&self, key: &str) -> Result<bool, StateError> {
        check(key)?;
        Ok(lease::holder(self, key).await? != lease::Holder::Nobody)
    }
}

fn upload_options(expect: &Expect, id: &str) -> BlockBlobClientUploadOptions<'static> {
    let options = BlockBlobClientUploadOptions {
        metadata: Some(HashMap::from([(WRITE_ID.to_owned(), id.to_owned())])),
        ..Default::default()
    };
    match expect {
        Expect::Absent => options.if_not_exists(),
        Expect::Version(version) => {
            BlockBlobClientUploadOptions { if_match: Some(Etag::from(version.0.as_str())), ..options }
        }
        Expect::Any => options,
    }
}

fn version(key: &str, etag: Option<Etag>) -> Result<Version, StateError> {
    etag.map(|etag| Version(etag.to_string())).ok_or_else(|| incomplete(key, "an ETag"))
}

/// The entry of a blob that was listed, or `None` where it is a lock.
fn entry(prefix: &str, item: BlobItem) -> Result<Option<Entry>, StateError> {
    let key = item.name.ok_or_else(|| incomplete(listing(prefix), "a blob's name"))?;
    if key.ends_with(LOCK_SUFFIX) {
        return Ok(None);
    }
    let size = item.properties.and_then(|properties| properties.content_length);
    let size = size.ok_or_else(|| incomplete(&key, "a blob's length"))?;
    Ok(Some(Entry { key, size }))
}

fn incomplete(key: &str, what: &str) -> StateError {
    let reason = format!("the answer lacks {what}; is this the address of a blob service?");
    StateError::Unavailable { key: key.to_owned(), reason }
}

fn is_missing(error: &azure_core::Error) -> bool {
    matches!(Refusal::of(error), Refusal::NoBlob | Refusal::NoContainer)
}

fn is_code(error: &azure_core::Error, code: &str) -> bool {
    let kind = error.kind();
    matches!(kind, azure_core::error::ErrorKind::HttpResponse { error_code: Some(found), .. } if found == code)
}

/// Source: Naming and referencing containers, blobs, and metadata.
fn is_container_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_names_are_checked() {
        for name in ["labelstream", "abc", "a-1-b", &"x".repeat(63)] {
            assert!(is_container_name(name), "{name}");
        }
        for name in ["", "ab", "Labelstream", "a--b", "-ab", "ab-", "a_b", "$logs", "ä-b", &"x".repeat(64)] {
            assert!(!is_container_name(name), "{name}");
        }
        let account = StorageAccount::from_connection_string("UseDevelopmentStorage=true").unwrap();
        let error = BlobStore::open(&account, "Bad Name", None).unwrap_err();
        assert!(error.to_string().starts_with("STATE_CONTAINER: the name must be"), "{error}");
    }

    #[test]
    fn an_identity_needs_a_credential() {
        let account = StorageAccount::from_service_uri("https://state.blob.core.windows.net", None).unwrap();
        let error = BlobStore::open(&account, "labelstream", None).unwrap_err();
        assert!(error.to_string().contains("needs an identity"), "{error}");
    }
}
