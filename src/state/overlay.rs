//! A store for runs that must leave no trace: it reads what is stored, once, and keeps what is written in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;

use super::{Entry, Expect, Lock, StateError, Store, Version};

/// What is under a key: a body with its version, or nothing.
type Known = Option<(Bytes, Version)>;

/// Reads through to a store, writes to memory alone. Its locks are its own. A key stays as it was first read, so that a
/// run that writes to the store below at the same time is not in the way.
#[derive(Debug, Default)]
pub struct Overlay {
    below: Option<Arc<dyn Store>>,
    /// What was read or written.
    known: Mutex<BTreeMap<String, Known>>,
    versions: AtomicU64,
}

impl Overlay {
    /// An overlay on `below`, or on nothing.
    #[must_use]
    pub fn over(below: Option<Arc<dyn Store>>) -> Self {
        Self { below, ..Self::default() }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, key: &str, body: Bytes) -> Version {
        let version = Version(format!("overlay-{}", self.versions.fetch_add(1, Ordering::Relaxed)));
        self.known().insert(key.to_owned(), Some((body, version.clone())));
        version
    }
}

#[async_trait]
impl Store for Overlay {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        if let Some(known) = self.known().get(key) {
            return Ok(known.clone());
        }
        let Some(below) = &self.below else { return Ok(None) };
        let read = below.get(key).await?;
        // Whoever was here in the meantime comes first.
        Ok(self.known().entry(key.to_owned()).or_insert(read).clone())
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        let stored = self.get(key).await?.map(|(_, version)| version);
        let holds = match expect {
            Expect::Absent => stored.is_none(),
            Expect::Version(version) => stored.as_ref() == Some(version),
            Expect::Any => true,
        };
        if holds { Ok(self.keep(key, body)) } else { Err(StateError::Conflict { key: key.to_owned() }) }
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        let stored = self.get(key).await?.map(|(body, _)| body).unwrap_or_default();
        if stored.len() as u64 != at {
            return Err(StateError::Conflict { key: key.to_owned() });
        }
        self.keep(key, [stored, block].concat().into());
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        let mut entries = BTreeMap::new();
        if let Some(below) = &self.below {
            entries.extend(below.list(prefix).await?.into_iter().map(|entry| (entry.key, Some(entry.size))));
        }
        for (key, known) in self.known().iter().filter(|(key, _)| key.starts_with(prefix)) {
            entries.insert(key.clone(), known.as_ref().map(|(body, _)| body.len() as u64));
        }
        Ok(entries.into_iter().filter_map(|(key, size)| Some(Entry { key, size: size? })).collect())
    }

    async fn modified(&self, key: &str) -> Result<Option<OffsetDateTime>, StateError> {
        match &self.below {
            Some(below) => below.modified(key).await,
            None => Ok(None),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        self.known().insert(key.to_owned(), None);
        Ok(())
    }

    async fn lock(&self, _key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        Ok(Some(Box::new(Unlocked)))
    }

    async fn is_locked(&self, key: &str) -> Result<bool, StateError> {
        match &self.below {
            Some(below) => below.is_locked(key).await,
            None => Ok(false),
        }
    }
}

/// Nobody else can see an overlay, so that there is nothing to lock.
#[derive(Debug)]
struct Unlocked;

#[async_trait]
impl Lock for Unlocked {
    async fn renew(&self) -> Result<(), StateError> {
        Ok(())
    }

    async fn release(&self) -> Result<(), StateError> {
        Ok(())
    }
}
