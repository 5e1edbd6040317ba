//! A store that keeps its conditions as the real ones do, and may lose a write or its answer.

use std::{
    collections::BTreeMap,
    hash::{Hash as _, Hasher},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;

use super::fingerprint::Fingerprint;
use crate::state::{Entry, Expect, Lock, StateError, Store, Version};

/// What is stored, as a value that a state of the world holds.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    blobs: Arc<BTreeMap<String, Blob>>,
    writes: u64,
    /// What is stored and by whom. Versions are left out: whether one is current is told where it is held.
    pub fingerprint: u128,
    /// The key that a run wrote after a run that began later had: that must never be.
    pub overwritten: Option<String>,
}

#[derive(Debug, Clone, Hash)]
struct Blob {
    body: Bytes,
    /// Which write it was; no two have the same number, as no two have the same ETag.
    write: u64,
    /// The run that wrote it.
    run: u8,
}

impl Disk {
    /// What is stored under `key`.
    pub fn get(&self, key: &str) -> Option<&Bytes> {
        self.blobs.get(key).map(|blob| &blob.body)
    }

    /// The version under `key`.
    pub fn version(&self, key: &str) -> Option<Version> {
        self.blobs.get(key).map(Blob::version)
    }

    /// Everything stored below `prefix`.
    pub fn below(&self, prefix: &str) -> impl Iterator<Item = (&str, &Bytes)> {
        let all = self.blobs.iter().filter(move |(key, _)| key.starts_with(prefix));
        all.map(|(key, blob)| (key.as_str(), &blob.body))
    }

    fn keep(&mut self, key: &str, body: Bytes, run: u8) -> Version {
        if self.blobs.get(key).is_some_and(|blob| blob.run > run) {
            self.overwritten = Some(key.to_owned());
        }
        self.writes += 1;
        let blob = Blob { body, write: self.writes, run };
        let version = blob.version();
        Arc::make_mut(&mut self.blobs).insert(key.to_owned(), blob);
        let mut fingerprint = Fingerprint::default();
        for (key, blob) in self.blobs.iter() {
            (key, &blob.body, blob.run).hash(&mut fingerprint);
        }
        self.fingerprint = fingerprint.value();
        version
    }
}

impl Blob {
    fn version(&self) -> Version {
        Version(self.write.to_string())
    }
}

/// A write that was sent. Its sender may have gone, and it arrives all the same.
#[derive(Debug, Clone)]
pub struct Sent {
    run: u8,
    key: String,
    body: Bytes,
    condition: Condition,
}

#[derive(Debug, Clone)]
enum Condition {
    /// A log of this length.
    Length(u64),
    /// A blob as expected.
    Expect(Expect),
}

impl Sent {
    /// What it is, apart from what `disk` holds. A version is told by whether it is the stored one.
    pub fn hash(&self, disk: &Disk, hasher: &mut impl Hasher) {
        let condition = match &self.condition {
            Condition::Length(length) => Some(*length),
            Condition::Expect(Expect::Version(version)) => {
                Some(u64::from(disk.version(&self.key).as_ref() == Some(version)))
            }
            Condition::Expect(_) => None,
        };
        (self.run, &self.key, &self.body, condition).hash(hasher);
    }
}

/// What becomes of writes and their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Both arrive.
    Clear,
    /// The write arrives, its answer does not.
    AnswerLost,
    /// The write does not arrive, or not yet.
    Lost,
}

#[derive(Debug)]
struct Inside {
    disk: Disk,
    run: u8,
    way: Way,
    lost: Option<Sent>,
}

/// The store of a world. Between two calls of [`ModelStore::enter`] it is empty: each state has a disk of its own.
#[derive(Debug)]
pub struct ModelStore {
    compares: bool,
    inside: Mutex<Inside>,
}

impl ModelStore {
    /// A store that keeps its conditions, or with `compares` false none.
    pub fn new(compares: bool) -> Self {
        let inside = Inside { disk: Disk::default(), run: 0, way: Way::Clear, lost: None };
        Self { compares, inside: Mutex::new(inside) }
    }

    /// Does `work`, which calls this store in the name of `run`, on `disk`. Its writes go the given way; the last one
    /// that was lost is handed back. Nothing in it waits: the store answers at once.
    pub fn enter<T>(&self, disk: &mut Disk, run: u8, way: Way, work: impl Future<Output = T>) -> (T, Option<Sent>) {
        {
            let mut inside = self.inside();
            (inside.run, inside.way, inside.lost) = (run, way, None);
            std::mem::swap(&mut inside.disk, disk);
        }
        let done = work.now_or_never().unwrap();
        let mut inside = self.inside();
        std::mem::swap(&mut inside.disk, disk);
        (done, inside.lost.take())
    }

    /// A write whose sender does not wait for it any more arrives.
    pub fn arrives(&self, disk: &mut Disk, sent: Sent) {
        let _refused_or_not = self.land(disk, sent);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    fn write(&self, key: &str, body: Bytes, condition: Condition) -> Result<Version, StateError> {
        let mut inside = self.inside();
        let sent = Sent { run: inside.run, key: key.to_owned(), body, condition };
        let unavailable = || StateError::Unavailable { key: key.to_owned(), reason: "no answer".to_owned() };
        match inside.way {
            Way::Clear => self.land(&mut inside.disk, sent),
            Way::AnswerLost => {
                let _nobody_hears_it = self.land(&mut inside.disk, sent);
                Err(unavailable())
            }
            Way::Lost => {
                inside.lost = Some(sent);
                Err(unavailable())
            }
        }
    }

    fn land(&self, disk: &mut Disk, sent: Sent) -> Result<Version, StateError> {
        let Sent { run, key, body, condition } = sent;
        let stored = disk.get(&key).cloned();
        match condition {
            Condition::Length(at) => {
                let stored = stored.unwrap_or_default();
                let at = usize::try_from(at).unwrap();
                if self.compares && stored.len() != at {
                    // The repeat of an append whose answer was lost is recognised.
                    let landed = stored.get(at..).is_some_and(|tail| !tail.is_empty() && tail == body);
                    let version = disk.version(&key).filter(|_| landed);
                    return version.ok_or(StateError::Conflict { key });
                }
                Ok(disk.keep(&key, [stored, body].concat().into(), run))
            }
            Condition::Expect(expect) => {
                let holds = match expect {
                    Expect::Any => true,
                    Expect::Absent => stored.is_none(),
                    Expect::Version(version) => disk.version(&key) == Some(version),
                };
                if self.compares && !holds {
                    return Err(StateError::Conflict { key });
                }
                Ok(disk.keep(&key, body, run))
            }
        }
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        Ok(self.inside().disk.blobs.get(key).map(|blob| (blob.body.clone(), blob.version())))
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        self.write(key, body, Condition::Expect(expect.clone()))
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        self.write(key, block, Condition::Length(at)).map(drop)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        let inside = self.inside();
        let below = inside.disk.below(prefix);
        Ok(below.map(|(key, body)| Entry { key: key.to_owned(), size: body.len() as u64 }).collect())
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        // Nothing gets old in a world.
        Err(StateError::Denied { key: key.to_owned(), reason: "nothing is removed here".to_owned() })
    }

    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        // Who holds the lock is told by the state of the world.
        Err(StateError::LockLost { key: key.to_owned() })
    }
}
