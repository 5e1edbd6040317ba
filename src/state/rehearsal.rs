//! Whether a run may do what it does with the state, found out without changing anything.
//!
//! In a storage account each step is asked of a blob that is not there, in a form that then cannot be carried out: the
//! service judges who asks before it looks for the blob, so that 404 or 412 means that the step is allowed, and 403 that
//! it is not. Nothing is made, and no version or soft-deleted blob is left behind. A folder has no such way: a file of
//! its own is made there and removed.

use std::{
    fs::{self, File},
    io::Write as _,
};

use azure_core::http::Etag;
use azure_storage_blob::models::{BlobClientAcquireLeaseOptions, BlockBlobClientUploadOptions};
use bytes::Bytes;
use uuid::Uuid;

use super::{
    LOCK_SECONDS, StateError, Store as _,
    blob::BlobStore,
    files::open_private,
    folder::FolderStore,
    key::lock_name,
    refusal::{Refusal, code_of},
};

/// What a run does with the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads a blob.
    Read,
    /// Writes a blob.
    Write,
    /// Appends to a log.
    Append,
    /// Lists the blobs.
    List,
    /// Removes a blob.
    Remove,
    /// Takes the lock.
    Lock,
}

impl Step {
    /// All but [`Step::Lock`], in the order in which they are told.
    pub const RIGHTS: [Self; 5] = [Self::Read, Self::Write, Self::Append, Self::List, Self::Remove];

    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "reading a blob",
            Self::Write => "writing a blob",
            Self::Append => "appending to a blob",
            Self::List => "listing blobs",
            Self::Remove => "removing a blob",
            Self::Lock => "taking a lease",
        }
    }
}

/// What a rehearsal showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The step is allowed.
    Allowed,
    /// There is no container, and what may be done in it is not known.
    NoContainer,
}

impl BlobStore {
    /// Whether a run may do `step` in this container.
    ///
    /// # Errors
    /// [`StateError::Denied`] where it may not; else the storage fails.
    pub async fn rehearse(&self, step: Step) -> Result<Shown, StateError> {
        let key = format!("doctor-{}", Uuid::new_v4());
        if step == Step::List {
            return self.list_some(&key, 1).await.map(|_| Shown::Allowed);
        }
        let blob = self.blob(&key);
        let nothing = || Bytes::from_static(b"labelstream doctor");
        let answer = match step {
            Step::Read | Step::List => blob.download(None).await.map(drop),
            Step::Write => {
                // No blob has this version, least of all one that is not there.
                let options =
                    BlockBlobClientUploadOptions { if_match: Some(Etag::from("\"0x0\"")), ..Default::default() };
                blob.upload(nothing().into(), Some(options)).await.map(drop)
            }
            Step::Append => {
                let (block, log) = (nothing(), blob.append_blob_client());
                let length = block.len() as u64;
                log.append_block(block.into(), length, None).await.map(drop)
            }
            Step::Remove => blob.delete(None).await.map(drop),
            Step::Lock => {
                let blob = self.blob(&lock_name(&key));
                blob.acquire_lease(LOCK_SECONDS as i32, None::<BlobClientAcquireLeaseOptions<'_>>).await.map(drop)
            }
        };
        match answer {
            Ok(()) => Ok(Shown::Allowed),
            Err(error) => match Refusal::of(&error) {
                Refusal::NoContainer => Ok(Shown::NoContainer),
                // Anybody answers 404: the blob service says what it did not find.
                Refusal::NoBlob if code_of(&error) == "BlobNotFound" => Ok(Shown::Allowed),
                Refusal::Condition => Ok(Shown::Allowed),
                _ => Err(self.error(&key, error)),
            },
        }
    }
}

impl FolderStore {
    /// Whether a run may work in this folder: a file of its own is made, read, locked and removed.
    ///
    /// # Errors
    /// [`StateError::Denied`] where it may not; else the file system fails.
    pub async fn rehearse(&self) -> Result<(), StateError> {
        self.in_root(|root| {
            // Names that begin with a dot are the folder's own; no key has one.
            let path = root.join(format!(".doctor-{}", Uuid::new_v4()));
            let used = open_private(&path).and_then(|mut file| {
                file.write_all(b"labelstream doctor")?;
                file.sync_all()?;
                File::open(&path)?.try_lock().map_err(std::io::Error::from)?;
                fs::read_dir(root).map(drop)
            });
            let removed = if path.exists() { fs::remove_file(&path) } else { Ok(()) };
            used.and(removed).map_err(|error| (path, error))
        })
        .await
    }
}
