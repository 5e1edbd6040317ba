//! Where the state lies: a few named blobs in a storage container or a folder.
//!
//! [`blob`] keeps it in Azure ([`connection`] says where, [`client`] how it is called), [`folder`] on this machine.
//! Both answer alike: one suite, `tests/state.rs`, runs on the two.

mod append;
pub mod blob;
pub mod client;
pub mod connection;
mod files;
pub mod folder;
mod folder_lock;
mod interrupted;
pub mod key;
pub mod lease;
pub mod overlay;
pub(crate) mod refusal;
pub mod rehearsal;
mod shared_key;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;

/// The version of a stored blob (its ETag): what a later write is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// What a write expects to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Nothing is stored under the key.
    Absent,
    /// Exactly this version is stored.
    Version(Version),
    /// Whatever is there is replaced.
    Any,
}

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The whole key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another writer came first: what is stored is not what the write expected.
    #[error("{key}: another writer changed it or removed it in the meantime")]
    Conflict {
        /// The key that was written.
        key: String,
    },
    /// An append log has no room for another block (50,000 in an append blob); a new key must be begun.
    #[error("{key}: the log is full")]
    Full {
        /// The key that was appended to.
        key: String,
    },
    /// The lock was lost, or was never held.
    #[error("{key}: the lock is held by another run")]
    LockLost {
        /// The key of the lock.
        key: String,
    },
    /// The storage refuses the identity, the account key or the file permissions, or the store refuses the key.
    #[error("{key}: the storage refuses access: {reason}")]
    Denied {
        /// The key at hand.
        key: String,
        /// What the storage said, without any secret.
        reason: String,
    },
    /// The storage cannot be reached or fails.
    #[error("{key}: {reason}")]
    Unavailable {
        /// The key at hand.
        key: String,
        /// What went wrong, without any secret.
        reason: String,
    },
}

impl StateError {
    /// Whether the same call may succeed later, as it stands. A [`StateError::Conflict`] wants another read first, a
    /// [`StateError::Full`] another key; [`StateError::LockLost`] ends the run, [`StateError::Denied`] waits for a
    /// person.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether what was read is out of date: read again and decide anew.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}

/// A lock that is held. It runs out by itself within [`LOCK_SECONDS`] unless renewed, so that a killed holder blocks
/// nobody for longer. In a folder it ends with the process, at once. Dropping it does not give it back in a storage
/// account: call [`Lock::release`].
#[async_trait]
pub trait Lock: Send + Sync + fmt::Debug {
    /// Holds it for [`LOCK_SECONDS`] more.
    ///
    /// # Errors
    /// [`StateError::LockLost`] where another holds it by now.
    async fn renew(&self) -> Result<(), StateError>;

    /// Gives it back.
    ///
    /// # Errors
    /// As for [`Lock::renew`]; also where an earlier release arrived and its answer was lost. Either way the lock is
    /// not held any more.
    async fn release(&self) -> Result<(), StateError>;
}

/// How long a lock is held without being renewed: what a blob lease allows at most.
pub const LOCK_SECONDS: u32 = 60;

/// How often a holder renews its lock: how long it may take until a run finds out that somebody broke its lease.
pub const LOCK_RENEWAL: Duration = Duration::from_secs(5);

/// How an error names a listing: its prefix, where it has one.
fn listing(prefix: &str) -> &str {
    if prefix.is_empty() { "the listing" } else { prefix }
}

/// Named blobs with compare-and-swap, append logs and locks.
///
/// Keys are paths with `/` ([`key`] has the rules; a key that breaks them is [`StateError::Denied`]). A key is written
/// whole or appended to, never both, and is not the beginning of another's path (`a` next to `a/b`). Locks have names
/// of their own and are in no listing. Where the container or folder is missing there is nothing in it; the first
/// write makes it.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// What is stored under `key`, or `None`.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError>;

    /// What is stored under `key` from the byte `from` on, at most `most` bytes of it (fewer where it ends before), or
    /// `None` where there is nothing. For logs, which only grow, so that their parts fit together.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn get_part(&self, key: &str, from: u64, most: usize) -> Result<Option<Bytes>, StateError> {
        let Some((body, _)) = self.get(key).await? else { return Ok(None) };
        let from = usize::try_from(from).map_or(body.len(), |from| from.min(body.len()));
        let part = body.slice(from..body.len().min(from.saturating_add(most)));
        Ok((!part.is_empty()).then_some(part))
    }

    /// Stores `body` whole under `key`: a reader sees what was there before or all of it. Returns its new version.
    ///
    /// # Errors
    /// [`StateError::Conflict`] where `expect` does not hold. After [`StateError::Unavailable`] the body may be stored
    /// or not: read it again.
    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError>;

    /// Appends `block` to the log under `key`, which must be `at` bytes long; it is made where `at` is 0 and it is
    /// missing. Appends are durable when this returns. A repeat whose first answer was lost is recognised: the log then
    /// ends with `block`, begun at `at`. A reader sees all of a block or nothing of it (in a storage account, of each
    /// 4 MiB of it).
    ///
    /// # Errors
    /// [`StateError::Conflict`] where the log has another length, [`StateError::Full`] where it takes no more blocks.
    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError>;

    /// Every blob whose key begins with `prefix`, by key.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError>;

    /// The first `most` of [`Store::list`], with no more requests than they need.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn list_some(&self, prefix: &str, most: usize) -> Result<Vec<Entry>, StateError> {
        let mut entries = self.list(prefix).await?;
        entries.truncate(most);
        Ok(entries)
    }

    /// When what is stored under `key` was last written, by the clock of the storage and in its precision (a second for
    /// blobs), or `None` where there is nothing. One request, whatever the size. A store need not be able to tell.
    ///
    /// # Errors
    /// The storage refuses or fails, or cannot tell.
    async fn modified(&self, key: &str) -> Result<Option<OffsetDateTime>, StateError> {
        let reason = "this store does not keep when a key was written".to_owned();
        Err(StateError::Unavailable { key: key.to_owned(), reason })
    }

    /// Removes what is stored under `key`; nothing there is no error.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn delete(&self, key: &str) -> Result<(), StateError>;

    /// Takes the lock `key`, or `None` while another holds it.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError>;

    /// Whether anybody holds the lock `key`, for who only looks on: where the store can tell, nothing is taken and
    /// nothing is made.
    ///
    /// # Errors
    /// The storage refuses or fails.
    async fn is_locked(&self, key: &str) -> Result<bool, StateError> {
        let Some(lock) = self.lock(key).await? else { return Ok(true) };
        lock.release().await.map(|()| false)
    }
}
