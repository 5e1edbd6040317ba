//! The state in a folder of this machine, for runs that need no storage account.
//!
//! A key is the path of a file below the folder. Names that begin with a dot are the folder's own: `.busy` is locked
//! while the folder is read or written (by any process), `.new` is a body on its way to its place, `.append` notes an
//! append that is under way.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::{
    Entry, Expect, Lock, StateError, Store, Version,
    files::{
        is_absent, make_parents, make_private_folders, open_private, read, read_part, remove, replace, sync_parent,
        tail_from,
    },
    interrupted::{self, Note},
    key::{LOCK_SUFFIX, check},
    listing,
};

/// The state in one folder. Several processes may use it at once, on one machine.
#[derive(Debug, Clone)]
pub struct FolderStore {
    folder: Arc<Folder>,
}

impl FolderStore {
    /// The folder `dir`, made for this user alone where it is missing.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, StateError> {
        let root = dir.into();
        make_private_folders(&root).map_err(|error| failure("the state folder", "cannot make", &root, &error))?;
        Ok(Self { folder: Arc::new(Folder { root }) })
    }

    /// Does `work` with the folder itself, where it may block; its failure names the path.
    pub(super) async fn in_root<W>(&self, work: W) -> Result<(), StateError>
    where
        W: FnOnce(&Path) -> Result<(), (PathBuf, io::Error)> + Send + 'static,
    {
        self.run("the state folder", move |folder, key| {
            work(&folder.root).map_err(|(path, error)| failure(key, "cannot use", &path, &error))
        })
        .await
    }

    /// Does `work` where it may block.
    async fn run<T, W>(&self, key: &str, work: W) -> Result<T, StateError>
    where
        T: Send + 'static,
        W: FnOnce(&Folder, &str) -> Result<T, StateError> + Send + 'static,
    {
        let (folder, owned) = (Arc::clone(&self.folder), key.to_owned());
        match tokio::task::spawn_blocking(move || work(&folder, &owned)).await {
            Ok(result) => result,
            Err(error) => {
                Err(StateError::Unavailable { key: key.to_owned(), reason: format!("the file task ended: {error}") })
            }
        }
    }
}

#[async_trait]
impl Store for FolderStore {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        self.run(key, Folder::get).await
    }

    async fn get_part(&self, key: &str, from: u64, most: usize) -> Result<Option<Bytes>, StateError> {
        self.run(key, move |folder, key| folder.get_part(key, from, most)).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        let expect = expect.clone();
        self.run(key, move |folder, key| folder.put(key, &body, &expect)).await
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        self.run(key, move |folder, key| folder.append(key, at, &block)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        self.run(prefix, Folder::list).await
    }

    async fn modified(&self, key: &str) -> Result<Option<OffsetDateTime>, StateError> {
        self.run(key, Folder::modified).await
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        self.run(key, Folder::delete).await
    }

    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        self.run(key, Folder::lock).await
    }

    async fn is_locked(&self, key: &str) -> Result<bool, StateError> {
        self.run(key, Folder::is_locked).await
    }
}

/// The digest of a body in hexadecimal.
pub(super) fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn version(body: &[u8]) -> Version {
    Version(digest(body))
}

pub(super) fn failure(key: &str, what: &str, path: &Path, error: &io::Error) -> StateError {
    let key = key.to_owned();
    let reason = format!("{what} {}: {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StateError::Denied { key, reason: format!("{reason}; let this user read and write there") }
        }
        _ => StateError::Unavailable { key, reason },
    }
}

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
}

impl Folder {
    fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        let path = self.path(key)?;
        let Some(_busy) = self.enter(key)? else { return Ok(None) };
        let body = read(&path).map_err(|error| failure(key, "cannot read", &path, &error))?;
        Ok(body.map(|body| {
            let version = version(&body);
            (body.into(), version)
        }))
    }

    fn get_part(&self, key: &str, from: u64, most: usize) -> Result<Option<Bytes>, StateError> {
        let path = self.path(key)?;
        let Some(_busy) = self.enter(key)? else { return Ok(None) };
        let part = read_part(&path, from, most).map_err(|error| failure(key, "cannot read", &path, &error))?;
        Ok(part.filter(|part| !part.is_empty()).map(Bytes::from))
    }

    fn modified(&self, key: &str) -> Result<Option<OffsetDateTime>, StateError> {
        let path = self.path(key)?;
        let Some(_busy) = self.enter(key)? else { return Ok(None) };
        match fs::metadata(&path).and_then(|about| about.modified()) {
            Ok(modified) => Ok(Some(modified.into())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failure(key, "cannot read", &path, &error)),
        }
    }

    fn put(&self, key: &str, body: &[u8], expect: &Expect) -> Result<Version, StateError> {
        let path = self.path(key)?;
        let _busy = self.enter_to_write(key)?;
        let fail = |error| failure(key, "cannot write", &path, &error);
        let as_expected = match expect {
            Expect::Any => true,
            Expect::Absent => read(&path).map_err(fail)?.is_none(),
            Expect::Version(expected) => read(&path).map_err(fail)?.is_some_and(|found| version(&found) == *expected),
        };
        if !as_expected {
            return Err(StateError::Conflict { key: key.to_owned() });
        }
        make_parents(&self.root, &path).map_err(fail)?;
        replace(&self.root.join(".new"), &path, body).map_err(fail)?;
        Ok(version(body))
    }

    fn append(&self, key: &str, at: u64, block: &[u8]) -> Result<(), StateError> {
        let path = self.path(key)?;
        let _busy = self.enter_to_write(key)?;
        match self.append_inside(key, &path, at, block) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StateError::Conflict { key: key.to_owned() }),
            Err(error) => Err(failure(key, "cannot append to", &path, &error)),
        }
    }

    /// Whether the log ended at `at` (or ends with `block` from there, from an earlier try), and `block` stands there now.
    fn append_inside(&self, key: &str, path: &Path, at: u64, block: &[u8]) -> io::Result<bool> {
        if !path.is_file() {
            if at != 0 {
                return Ok(false);
            }
            make_parents(&self.root, path)?;
            open_private(path)?.sync_all()?;
            sync_parent(path)?;
        }
        let mut log = open_private(path)?;
        let stored = log.metadata()?.len();
        if stored != at {
            let repeated = !block.is_empty() && stored.checked_sub(at) == Some(block.len() as u64);
            return Ok(repeated && tail_from(&mut log, at)? == block);
        }
        if !block.is_empty() {
            Note::new(key, at, block).write(&self.root)?;
            log.seek(SeekFrom::Start(at))?;
            log.write_all(block)?;
            log.sync_all()?;
            Note::clear(&self.root)?;
        }
        Ok(true)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        let Some(_busy) = self.enter(listing(prefix))? else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        self.collect(&self.root, "", prefix, &mut entries)
            .map_err(|error| failure(listing(prefix), "cannot list", &self.root, &error))?;
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(entries)
    }

    /// Adds what is stored in `folder`, whose keys begin with `above`.
    fn collect(&self, folder: &Path, above: &str, prefix: &str, entries: &mut Vec<Entry>) -> io::Result<()> {
        for item in fs::read_dir(folder)? {
            let item = item?;
            let name = item.file_name();
            // A name that no key can have is not the store's.
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.') && !name.ends_with(LOCK_SUFFIX)) else {
                continue;
            };
            let key = format!("{above}{name}");
            let kind = item.file_type()?;
            if kind.is_dir() {
                self.collect(&item.path(), &format!("{key}/"), prefix, entries)?;
            } else if kind.is_file() && key.starts_with(prefix) {
                entries.push(Entry { key, size: item.metadata()?.len() });
            }
        }
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), StateError> {
        let path = self.path(key)?;
        let Some(_busy) = self.enter(key)? else { return Ok(()) };
        remove(&path).map_err(|error| failure(key, "cannot remove", &path, &error))
    }

    fn path(&self, key: &str) -> Result<PathBuf, StateError> {
        check(key)?;
        Ok(self.root.join(key))
    }

    /// Keeps every other reader and writer out, in this process and others, until the file is dropped. `None` where
    /// the folder was removed.
    fn enter(&self, key: &str) -> Result<Option<File>, StateError> {
        match self.enter_inside() {
            Ok(busy) => Ok(Some(busy)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failure(key, "cannot enter", &self.root, &error)),
        }
    }

    /// As [`Folder::enter`]; the folder is made where it was removed.
    fn enter_to_write(&self, key: &str) -> Result<File, StateError> {
        make_private_folders(&self.root)
            .and_then(|()| self.enter_inside())
            .map_err(|error| failure(key, "cannot enter", &self.root, &error))
    }

    fn enter_inside(&self) -> io::Result<File> {
        let busy = open_private(&self.root.join(".busy"))?; // opened anew: a lock holds between open files
        busy.lock()?;
        interrupted::settle(&self.root)?;
        Ok(busy)
    }
}
