//! Reading and writing what is remembered between runs.

#[cfg(test)]
use std::collections::BTreeMap;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use time::{Date, Duration, OffsetDateTime};

use super::{
    document::{Document, DocumentError},
    ids::Id,
};
use crate::{
    content::ContentType,
    state::{Expect, StateError, Store, Version},
};

/// How many days of delivered records and contents are remembered: the feed lists 7 days back, and a record came again
/// after 5 days (management-api.md, 2.3).
pub const REMEMBERED_DAYS: i64 = 8;

/// How many logs the records delivered on one day lie in. Each is appended to by one save at a time, so that so many saves go
/// on at once: what is in flight is answered for sooner. The parts of the logs take turns: 0, 2 and so on are the first
/// log's, 1, 3 and so on the second's. An earlier version went on with part 1 once part 0 was full, which is read and
/// continued all the same.
pub const RECORD_LOGS: usize = 2;

/// How much of a log of records is read at once. Ids lie whole in such pieces, because they stand at multiples of 16 bytes.
const PIECE: usize = 4 << 20;

/// The remembered state of one tenant, under `{tenant}/` in the store. Several may read from it at once while one writes:
/// a storage that hangs over one call holds up no other.
#[derive(Debug)]
pub struct Memory {
    store: Arc<dyn Store>,
    tenant: String,
    version: Mutex<Expect>,
    logs: Mutex<HashMap<Name, Log>>,
}

/// What a log is called: it lies in the parts `first`, `first + step` and so on of `stem`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Name {
    stem: String,
    first: u32,
    step: u32,
}

impl Name {
    /// The key of the part with this place in the log.
    fn key(&self, place: u32) -> String {
        part_key(&self.stem, self.first + place * self.step)
    }
}

/// The document as a run finds it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The stored document, or the empty one.
    pub document: Document,
    /// What to tell people where there was one that cannot be used: it could not be read and was set aside, or it was
    /// removed. Nothing is known then of how far the feed was listed, so that all that it serves is to be listed again.
    pub lost: Option<String>,
    /// Whether nothing is stored under its key, so that it is to be saved before anything is delivered: only then can a
    /// later run tell one that was removed from a first run that was killed.
    pub is_absent: bool,
}

/// Where a log ends. The later of two ends is the one that was seen last: a log only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Log {
    /// The place of the last part among those of the log, from 0.
    place: u32,
    length: u64,
}

impl Memory {
    /// The memory of `tenant`; nothing is read yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, tenant: &str) -> Self {
        Self { store, tenant: tenant.to_owned(), version: Mutex::new(Expect::Absent), logs: Mutex::default() }
    }

    fn version(&self) -> MutexGuard<'_, Expect> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<Name, Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where a log ends.
    fn ends(&self, name: Name, end: Log) {
        let mut logs = self.logs();
        let known = logs.entry(name).or_default();
        *known = end.max(*known);
    }

    /// The key of the lock that a run holds.
    #[must_use]
    pub fn lock_key(tenant: &str) -> String {
        format!("{tenant}/lock")
    }

    /// The key of the document.
    #[must_use]
    pub fn document_key(tenant: &str) -> String {
        format!("{tenant}/watermark.json")
    }

    /// The stored document; the empty one where there is none yet.
    ///
    /// A document that cannot be read is set aside under a name of its own and the run begins anew: the records
    /// delivered are remembered apart from it, so that nothing is sent twice.
    ///
    /// # Errors
    /// The storage fails, or a newer version of Labelstream wrote the document.
    pub async fn load_document(&self, now: OffsetDateTime) -> Result<Loaded, StateError> {
        let key = Self::document_key(&self.tenant);
        let Some((body, version)) = self.store.get(&key).await? else {
            *self.version() = Expect::Absent;
            let remembered = !self.store.list(&format!("{}/records/", self.tenant)).await?.is_empty();
            let lost = remembered.then(|| {
                format!("{key} is missing although rows were delivered before: the feed is read from its beginning")
            });
            return Ok(Loaded { lost, is_absent: true, ..Loaded::default() });
        };
        *self.version() = Expect::Version(version);
        match Document::parse(&body) {
            Ok(document) => Ok(Loaded { document, ..Loaded::default() }),
            Err(error @ DocumentError::Newer(_)) => Err(StateError::Unavailable { key, reason: error.to_string() }),
            Err(error) => {
                let aside = format!("{key}.unreadable-{}", now.unix_timestamp());
                self.store.put(&aside, body, &Expect::Any).await?;
                let note = format!("{key} was set aside as {aside}, and the feed is read from its beginning: {error}");
                Ok(Loaded { lost: Some(note), ..Loaded::default() })
            }
        }
    }

    /// Saves the document over the one that was loaded or saved last. The same document may be saved again after a
    /// failure, also where the first try arrived and only its answer was lost.
    ///
    /// # Errors
    /// [`StateError::Conflict`] where another writer came in between. The same call, made again by whoever still holds the
    /// lock, then goes over what was found.
    pub async fn save_document(&self, document: &Document) -> Result<Version, StateError> {
        let key = Self::document_key(&self.tenant);
        let body = document
            .to_json()
            .map_err(|error| StateError::Unavailable { key: key.clone(), reason: error.to_string() })?;
        let body = Bytes::from(body);
        let expect = self.version().clone();
        let version = match self.store.put(&key, body.clone(), &expect).await {
            // An earlier try of the same body may have arrived without its answer.
            Err(StateError::Conflict { key }) => match self.store.get(&key).await? {
                Some((stored, version)) if stored == body => version,
                found => {
                    *self.version() = found.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
                    return Err(StateError::Conflict { key });
                }
            },
            other => other?,
        };
        *self.version() = Expect::Version(version.clone());
        Ok(version)
    }

    /// The contents delivered of one day of publication, as a log of ids.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn load_contents(&self, content_type: ContentType, day: Date) -> Result<Vec<Bytes>, StateError> {
        self.load_log(self.contents_log(content_type, day)).await
    }

    /// Remembers contents of one day of publication.
    ///
    /// # Errors
    /// As for [`Memory::append_records`].
    pub async fn append_contents(&self, content_type: ContentType, day: Date, ids: &[Id]) -> Result<(), StateError> {
        self.append(self.contents_log(content_type, day), ids).await
    }

    /// Hands the records delivered in the last [`REMEMBERED_DAYS`] days to `take`, in logs of ids or parts of such: no
    /// more than 4 MiB of them are held at once. Older logs are not read.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn load_records(&self, now: OffsetDateTime, mut take: impl FnMut(&[u8])) -> Result<(), StateError> {
        let prefix = format!("{}/records/", self.tenant);
        let oldest = now.date() - Duration::days(REMEMBERED_DAYS);
        // A log that is not there yet is known as well: who lost the lock must not find out its length when appending.
        for day in [now, now.saturating_add(Duration::DAY)] {
            for log in 0..RECORD_LOGS {
                self.ends(self.records_log(log, day.date()), Log::default());
            }
        }
        for entry in self.store.list(&prefix).await? {
            let Some((day, part)) = entry.key.strip_prefix(&prefix).and_then(day_and_part) else { continue };
            if day < oldest {
                continue;
            }
            let mut length = 0;
            while let Some(ids) = self.store.get_part(&entry.key, length, PIECE).await? {
                take(&ids);
                length += ids.len() as u64;
                if ids.len() < PIECE {
                    break;
                }
            }
            let (place, log) = (part / RECORD_LOGS as u32, part as usize % RECORD_LOGS);
            self.ends(self.records_log(log, day), Log { place, length });
        }
        Ok(())
    }

    /// Remembers records as delivered on `day`, in the log of that day with this number, below [`RECORD_LOGS`].
    /// [`Memory::load_records`] comes first. One call for a log goes on at a time.
    ///
    /// # Errors
    /// The storage fails. The ids may be stored or not; the same call, made again before any other for that log, stores
    /// them once. With [`StateError::Conflict`] another writer came in between; the same call, made again by whoever
    /// still holds the lock, then goes behind what was found.
    pub async fn append_records(&self, log: usize, day: Date, ids: &[Id]) -> Result<(), StateError> {
        self.append(self.records_log(log, day), ids).await
    }

    /// Removes what was remembered of days so old that the feed serves nothing of them any more.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn forget_old(&self, now: OffsetDateTime) -> Result<(), StateError> {
        let oldest = now.date() - Duration::days(REMEMBERED_DAYS);
        for folder in ["records", "contents"] {
            for entry in self.store.list(&format!("{}/{folder}/", self.tenant)).await? {
                let name = entry.key.rsplit('/').next().unwrap_or_default();
                if day_and_part(name).is_some_and(|(day, _)| day < oldest) {
                    self.store.delete(&entry.key).await?;
                }
            }
        }
        Ok(())
    }

    fn contents_log(&self, content_type: ContentType, day: Date) -> Name {
        Name { stem: format!("{}/contents/{content_type}/{}", self.tenant, day_name(day)), first: 0, step: 1 }
    }

    fn records_log(&self, log: usize, day: Date) -> Name {
        let stem = format!("{}/records/{}", self.tenant, day_name(day));
        Name { stem, first: log as u32, step: RECORD_LOGS as u32 }
    }

    async fn load_log(&self, name: Name) -> Result<Vec<Bytes>, StateError> {
        let mut log = Log::default();
        let mut parts = Vec::new();
        while let Some((body, _)) = self.store.get(&name.key(log.place)).await? {
            log.length = body.len() as u64;
            parts.push(body);
            // A log has a second part only where the first took all the blocks that it could.
            if log.length < SMALLEST_FULL_LOG {
                break;
            }
            log = Log { place: log.place + 1, length: 0 };
        }
        self.ends(name, log);
        Ok(parts)
    }

    async fn append(&self, name: Name, ids: &[Id]) -> Result<(), StateError> {
        let known = self.logs().get(&name).copied();
        if known.is_none() {
            self.load_log(name.clone()).await?;
        }
        let Log { mut place, length } = self.logs().get(&name).copied().unwrap_or_default();
        let ids = Bytes::from(ids.concat());
        // The rest of a torn write is made whole, so that ids stay where they are looked for.
        let block = match (length % 16) as usize {
            0 => ids.clone(),
            torn => [vec![0; 16 - torn].into(), ids.clone()].concat().into(),
        };
        let mut end = length + block.len() as u64;
        let mut appended = self.store.append(&name.key(place), length, block).await;
        if let Err(StateError::Full { .. }) = appended {
            place += 1;
            end = ids.len() as u64;
            appended = self.store.append(&name.key(place), 0, ids).await;
        }
        if let Err(StateError::Conflict { .. }) = appended {
            self.load_log(name.clone()).await?;
        }
        appended?;
        // Only now: the same append, made again after a failure, goes to the same place and is recognised there.
        self.ends(name, Log { place, length: end });
        Ok(())
    }
}

/// An append blob is full at 50,000 blocks, and a block holds one id at least.
const SMALLEST_FULL_LOG: u64 = 50_000 * 16;

fn part_key(stem: &str, part: u32) -> String {
    if part == 0 { format!("{stem}.ids") } else { format!("{stem}.{part}.ids") }
}

fn day_name(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

fn day_and_part(name: &str) -> Option<(Date, u32)> {
    let stem = name.strip_suffix(".ids")?;
    let (day, part) = match stem.split_once('.') {
        Some((day, part)) => (day, part.parse().ok()?),
        None => (stem, 0),
    };
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Some((Date::parse(day, format).ok()?, part))
}

/// What the model of the watermark needs: to go on from one state in several ways, and to tell states apart.
#[cfg(test)]
impl Memory {
    pub(super) fn fork(&self) -> Self {
        let (store, tenant) = (Arc::clone(&self.store), self.tenant.clone());
        let (version, logs) = (Mutex::new(self.version().clone()), Mutex::new(self.logs().clone()));
        Self { store, tenant, version, logs }
    }

    /// What it expects of the store: whether the version that it knows is the `stored` one, and where each log ends.
    pub(super) fn expects(&self, stored: Option<&Version>) -> (Option<bool>, BTreeMap<String, u64>) {
        let version = match &*self.version() {
            Expect::Version(version) => Some(Some(version) == stored),
            Expect::Absent | Expect::Any => None,
        };
        (version, self.logs().iter().map(|(name, log)| (name.key(log.place), log.length)).collect())
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
