//! Keeps the label catalogue of one tenant for as long as the process lives: reads it, has it listed anew where
//! [`Stored`] says that it is time, and saves it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::timeout;

use super::{
    catalogue::Catalogue,
    graph::{GraphClient, GraphError},
    map::{EXPORT, MapError, MapSource},
    page::Listed,
    stored::{Failure, Stored, StoredError},
};
use crate::state::{Expect, StateError, Store};

/// How long Graph may take in a run. It answers in some 300 ms.
pub const LONGEST: Duration = Duration::from_secs(10);

/// Where label names come from.
#[derive(Debug)]
enum Source {
    Off,
    Map(MapSource),
    Graph(GraphClient),
}

/// The labels of one tenant. Whatever fails, what is known of them stays.
#[derive(Debug)]
pub struct Keeper {
    source: Source,
    known: Mutex<Known>,
    /// The trouble that was told last.
    told: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Known {
    stored: Stored,
    /// The document or the map was read in this process.
    is_open: bool,
    /// What the document's next write is to find; `None` where it must not be written.
    expect: Option<Expect>,
    /// There is something that the document does not have.
    is_unsaved: bool,
    /// Why the map cannot be used.
    map_error: Option<MapError>,
}

/// How the catalogue stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// How many labels are known, those that are gone as well.
    pub labels: usize,
    /// How many of them are listed no more.
    pub gone: usize,
    /// Seconds since they were listed; `None` where they never were, or come from a map.
    pub age_seconds: Option<i64>,
    /// Why names are missing or may be old, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Keeper {
    fn new(source: Source) -> Self {
        let known = Known {
            stored: Stored::default(),
            is_open: false,
            expect: Some(Expect::Absent),
            is_unsaved: false,
            map_error: None,
        };
        Self { source, known: Mutex::new(known), told: Mutex::default() }
    }

    /// No names.
    #[must_use]
    pub fn off() -> Self {
        Self::new(Source::Off)
    }

    /// The names of a map, which is read with the first [`Keeper::open`] that can.
    #[must_use]
    pub fn of_map(map: MapSource) -> Self {
        Self::new(Source::Map(map))
    }

    /// The names that Graph lists.
    #[must_use]
    pub fn of_graph(client: GraphClient) -> Self {
        Self::new(Source::Graph(client))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // It is whole after every step.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known now.
    #[must_use]
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.known().stored.catalogue)
    }

    /// What is known now of the names that Graph lists, as it is stored.
    #[must_use]
    pub fn stored(&self) -> Stored {
        self.known().stored.clone()
    }

    /// Reads what is stored, or the map: once a process, and again as long as there is trouble, which another process or
    /// a person may have ended. What cannot be read is told in the log. Whether the document was read now.
    pub async fn open(&self, store: &dyn Store, tenant: &str) -> bool {
        match &self.source {
            Source::Off => false,
            Source::Map(map) => {
                self.read(map).await;
                false
            }
            Source::Graph(_) => {
                let is_known = {
                    let known = self.known();
                    known.is_open && known.stored.failure.is_none()
                };
                !is_known && self.look_again(store, tenant).await
            }
        }
    }

    /// Reads the document, where another process may have written it since. What cannot be read is told in the log.
    /// Whether it was read.
    pub async fn look_again(&self, store: &dyn Store, tenant: &str) -> bool {
        let read = self.load(store, tenant).await;
        if let Err(error) = &read {
            tracing::warn!(%error, "what is stored of the labels could not be read");
        }
        read.is_ok()
    }

    async fn read(&self, map: &MapSource) {
        if self.known().is_open {
            return;
        }
        let read = map.read().await;
        let mut known = self.known();
        match read {
            Ok(Listed { labels, skipped }) => {
                log_skipped(skipped);
                known.stored.catalogue = Arc::new(labels.into_iter().collect());
                (known.is_open, known.map_error) = (true, None);
            }
            Err(error) => known.map_error = Some(error),
        }
    }

    /// Reads the document. What this process found out later than what it says stays.
    ///
    /// # Errors
    /// The storage refuses or fails.
    pub async fn load(&self, store: &dyn Store, tenant: &str) -> Result<(), StateError> {
        let key = Stored::key(tenant);
        let found = store.get(&key).await?;
        let mut known = self.known();
        known.is_open = true;
        let Some((body, version)) = found else {
            known.expect = Some(Expect::Absent);
            return Ok(());
        };
        known.expect = Some(Expect::Version(version));
        match Stored::parse(&body) {
            Ok(stored) if stored.last_asked() >= known.stored.last_asked() => known.stored = stored,
            Ok(_) => {}
            Err(error) => {
                if let StoredError::Newer(_) = error {
                    known.expect = None;
                }
                tracing::warn!("{key} is not used: {error}");
            }
        }
        Ok(())
    }

    /// Whether the labels are to be listed anew, whatever the rows say.
    #[must_use]
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        matches!(self.source, Source::Graph(_)) && self.known().stored.is_due(now)
    }

    /// Whether listing them anew may tell what one of these ids is.
    #[must_use]
    pub fn may_learn(&self, ids: &[String], now: OffsetDateTime) -> bool {
        matches!(self.source, Source::Graph(_)) && {
            let known = self.known();
            ids.iter().any(|id| known.stored.may_learn(id, now))
        }
    }

    /// Has the labels listed anew, where it is time or where that may tell what one of `ids` is, and saves them as long as
    /// `may_save`. Asking and saving may take `limit` each. Whether Graph was asked.
    pub async fn refresh(
        &self,
        (store, tenant): (&dyn Store, &str),
        ids: &[String],
        limit: Duration,
        may_save: &(dyn Fn() -> bool + Sync),
    ) -> bool {
        let now = OffsetDateTime::now_utc();
        if !self.is_due(now) && !self.may_learn(ids, now) {
            return false;
        }
        // What failed is in what is known, and told with it.
        let _told_later = self.ask(limit).await.is_err();
        if may_save() {
            self.save_in_time(store, tenant, limit).await;
        }
        true
    }

    /// Asks Graph now, whatever was asked before; `None` where the names do not come from there. Nothing is saved.
    ///
    /// # Errors
    /// Why Graph lists nothing.
    pub async fn ask(&self, limit: Duration) -> Result<Option<usize>, GraphError> {
        let Source::Graph(client) = &self.source else { return Ok(None) };
        let asked = client.labels(limit).await;
        let now = OffsetDateTime::now_utc();
        let mut known = self.known();
        known.is_unsaved = true;
        match asked {
            Ok(listed) => {
                let labels = listed.labels.len();
                tracing::info!(labels, "Microsoft Graph listed the labels");
                log_skipped(listed.skipped);
                known.stored.take(listed, now);
                Ok(Some(labels))
            }
            Err(error) => {
                known.stored.fail(&error, now);
                Err(error)
            }
        }
    }

    /// These ids are not among the labels that Graph has just listed, so that it is not asked for them again. Nothing is
    /// noted where it failed.
    pub fn note_in_vain(&self, ids: &[String]) {
        let mut known = self.known();
        if known.stored.failure.is_none() {
            for id in ids {
                let is_new = known.stored.note_in_vain(id.clone());
                known.is_unsaved |= is_new;
            }
        }
    }

    /// Saves what is not saved yet, within `limit`. That it could not be is told in the log.
    pub async fn save_in_time(&self, store: &dyn Store, tenant: &str, limit: Duration) {
        match timeout(limit, self.save(store, tenant)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the label names could not be saved"),
            Err(_) => tracing::warn!("the label names were not saved in time"),
        }
    }

    /// Saves what is not saved yet. What another writer saved in between stays: it asked Graph as well.
    ///
    /// # Errors
    /// The storage refuses or fails.
    pub async fn save(&self, store: &dyn Store, tenant: &str) -> Result<(), StateError> {
        let key = Stored::key(tenant);
        let (body, expect) = {
            let known = self.known();
            let Some(expect) = known.expect.clone().filter(|_| known.is_unsaved) else { return Ok(()) };
            let unwritable = |error| StateError::Unavailable { key: key.clone(), reason: format!("{error}") };
            (known.stored.to_json().map_err(unwritable)?, expect)
        };
        let saved = store.put(&key, body.into(), &expect).await;
        let mut known = self.known();
        match saved {
            Ok(version) => (known.expect, known.is_unsaved) = (Some(Expect::Version(version)), false),
            Err(error) if error.is_conflict() => {
                known.is_unsaved = false;
                tracing::debug!("{key}: another writer came first");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// How the catalogue stands; `None` where names are off.
    #[must_use]
    pub fn standing(&self, now: OffsetDateTime) -> Option<Standing> {
        let known = self.known();
        let (stored, trouble) = match &self.source {
            Source::Off => return None,
            Source::Map(map) => (&known.stored, known.map_error.as_ref().map(|error| map_trouble(map, error))),
            Source::Graph(_) => {
                (&known.stored, known.stored.failure.as_ref().map(|failure| trouble(&known.stored, failure)))
            }
        };
        Some(Standing {
            labels: stored.catalogue.len(),
            gone: stored.catalogue.gone(),
            age_seconds: stored.fetched_at.map(|at| (now - at).whole_seconds().max(0)),
            trouble,
        })
    }

    /// Tells of trouble in the log: as a warning where it is new to this process. The figures of each run have it too.
    pub fn tell(&self, trouble: Option<&str>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_deref() != trouble {
            if let Some(trouble) = trouble {
                tracing::warn!("{trouble}");
            }
            *told = trouble.map(str::to_owned);
        }
    }
}

fn trouble(stored: &Stored, Failure { reason, fix, .. }: &Failure) -> String {
    match stored.fetched_at.filter(|_| !stored.catalogue.is_empty()) {
        Some(at) => {
            let at = at.replace_nanosecond(0).unwrap_or(at);
            // Only a year beyond 9999 cannot be written so.
            let at = at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
            format!("label names are as they were at {at}: {reason}; {fix}")
        }
        None => format!("label names are missing: {reason}; {fix}"),
    }
}

/// What is told of a map that cannot be used.
fn map_trouble(map: &MapSource, error: &MapError) -> String {
    format!("label names are missing: {map}: {error}; {}", map_fix())
}

/// What a good map is.
#[must_use]
pub fn map_fix() -> String {
    format!("set LABELS to a map such as {EXPORT} | Export-Csv labels.csv -Encoding utf8 makes, to graph or to off")
}

fn log_skipped(skipped: usize) {
    if skipped > 0 {
        tracing::info!(skipped, "entries of the list of labels have no id or no name");
    }
}
