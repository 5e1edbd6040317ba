//! Locks in a folder: files that the kernel locks.

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    Lock, StateError,
    files::{is_absent, make_parents, open_private, still_names},
    folder::{Folder, failure},
    key::{check, lock_name},
};

/// Who only looks whether a lock is held holds it for a moment ([`Folder::is_locked`]): whoever wants it tries so often,
/// and waits so long in between, so that a look does not cost a run.
const LOOKS: u32 = 20;
const LOOK: std::time::Duration = std::time::Duration::from_millis(1);

impl Folder {
    pub(super) fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        check(key)?;
        let path = self.root.join(lock_name(key));
        let fail = |error| failure(key, "cannot lock", &path, &error);
        make_parents(&self.root, &path).map_err(fail)?;
        let file = open_private(&path).map_err(fail)?;
        for look in (0..LOOKS).rev() {
            match file.try_lock() {
                Ok(()) => {
                    let file = Mutex::new(Some(file));
                    return Ok(Some(Box::new(FolderLock { key: key.to_owned(), path, file })));
                }
                Err(TryLockError::WouldBlock) if look > 0 => std::thread::sleep(LOOK),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(fail(error)),
            }
        }
        Ok(None)
    }

    /// Whoever asks holds a shared lock for a moment, which is all that the kernel has for asking.
    pub(super) fn is_locked(&self, key: &str) -> Result<bool, StateError> {
        check(key)?;
        let path = self.root.join(lock_name(key));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(false),
            Err(error) => return Err(failure(key, "cannot read", &path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failure(key, "cannot look at", &path, &error)),
        }
    }
}

/// A locked file. The kernel unlocks it when it is dropped or its process ends, however that ends. Lock files stay:
/// one that is removed could be locked twice.
#[derive(Debug)]
struct FolderLock {
    key: String,
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl FolderLock {
    fn lost(&self) -> StateError {
        StateError::LockLost { key: self.key.clone() }
    }
}

#[async_trait]
impl Lock for FolderLock {
    async fn renew(&self) -> Result<(), StateError> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.as_ref().ok_or_else(|| self.lost())?;
        match still_names(&self.path, file) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.lost()),
            Err(error) => Err(failure(&self.key, "cannot look at", &self.path, &error)),
        }
    }

    async fn release(&self) -> Result<(), StateError> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        file.map(drop).ok_or_else(|| self.lost())
    }
}
