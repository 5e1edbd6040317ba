//! Locks in a storage account: leases on small blobs.

use async_trait::async_trait;
use azure_storage_blob::{
    BlobClient,
    models::{
        BlobClientAcquireLeaseOptions, BlobClientGetPropertiesResultHeaders as _, BlockBlobClientUploadOptions,
        LeaseDuration, LeaseState,
    },
};
use bytes::Bytes;
use uuid::Uuid;

use super::{
    LOCK_SECONDS, Lock, StateError,
    blob::BlobStore,
    connection::Access,
    key::lock_name,
    refusal::{Refusal, state_error},
};

/// A lease that is held.
struct Lease {
    blob: BlobClient,
    key: String,
    id: String,
    access: Access,
}

/// As [`super::Store::lock`].
pub(super) async fn take(store: &BlobStore, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
    let blob = store.blob(&lock_name(key));
    // The id is ours, so that a second try whose first answer was lost gets the same lease again.
    let id = Uuid::new_v4().to_string();
    let mut made = false;
    loop {
        let options = BlobClientAcquireLeaseOptions { proposed_lease_id: Some(id.clone()), ..Default::default() };
        let Err(error) = blob.acquire_lease(LOCK_SECONDS as i32, Some(options)).await else {
            return Ok(Some(Box::new(Lease { blob, key: key.to_owned(), id, access: store.access().clone() })));
        };
        match Refusal::of(&error) {
            Refusal::LeaseHeld => return Ok(None),
            refusal @ (Refusal::NoBlob | Refusal::NoContainer) if !made => {
                if refusal == Refusal::NoContainer {
                    store.make_container().await.map_err(|error| store.error(key, error))?;
                }
                make(store, key, &blob).await?;
                made = true;
            }
            _ => return Err(store.error(key, error)),
        }
    }
}

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// Somebody whose lease runs out, as that of a run does.
    ForAWhile,
    /// Somebody whose lease never runs out: no run takes such a one, but the portal's "Acquire lease" does.
    ForGood,
}

/// Who holds the lock `key`, by the properties of its blob, which anybody may read while another holds the lease.
///
/// # Errors
/// The storage refuses or fails.
pub async fn holder(store: &BlobStore, key: &str) -> Result<Holder, StateError> {
    let properties = match store.blob(&lock_name(key)).get_properties(None).await {
        Ok(properties) => properties,
        Err(error) if matches!(Refusal::of(&error), Refusal::NoBlob | Refusal::NoContainer) => {
            return Ok(Holder::Nobody);
        }
        Err(error) => return Err(store.error(key, error)),
    };
    let state = properties.lease_state().map_err(|error| store.error(key, error))?;
    let duration = properties.duration().map_err(|error| store.error(key, error))?;
    Ok(match (state, duration) {
        (Some(LeaseState::Leased), Some(LeaseDuration::Infinite)) => Holder::ForGood,
        (Some(LeaseState::Leased | LeaseState::Breaking), _) => Holder::ForAWhile,
        _ => Holder::Nobody,
    })
}

/// Makes the blob that is leased; that another made it first, and may hold it, is as good.
async fn make(store: &BlobStore, key: &str, blob: &BlobClient) -> Result<(), StateError> {
    let upload = || {
        let options = BlockBlobClientUploadOptions::default().if_not_exists();
        blob.upload(Bytes::new().into(), Some(options))
    };
    match store.making_container(upload).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(Refusal::of(&error), Refusal::Condition | Refusal::LeaseLost) => Ok(()),
        Err(error) => Err(store.error(key, error)),
    }
}

impl Lease {
    /// A lock blob that was deleted is held by nobody.
    fn error(&self, error: azure_core::Error) -> StateError {
        match Refusal::of(&error) {
            Refusal::NoBlob | Refusal::NoContainer => StateError::LockLost { key: self.key.clone() },
            _ => state_error(&self.key, &self.access, error),
        }
    }
}

#[async_trait]
impl Lock for Lease {
    async fn renew(&self) -> Result<(), StateError> {
        self.blob.renew_lease(self.id.clone(), None).await.map(drop).map_err(|error| self.error(error))
    }

    async fn release(&self) -> Result<(), StateError> {
        self.blob.release_lease(self.id.clone(), None).await.map(drop).map_err(|error| self.error(error))
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("key", &self.key).finish_non_exhaustive()
    }
}
