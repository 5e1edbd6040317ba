//! What the stages of one run share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use time::OffsetDateTime;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::{
    connector::{Connector, Request},
    error::RunError,
    summary::Counts,
};
use crate::{
    dead_letter::DeadLetter,
    state::StateError,
    watermark::{Memory, Progress},
};

/// One run, as its stages share it.
pub struct Run {
    pub connector: Arc<Connector>,
    /// Take no more work: the budget is used up, or the host is gone.
    pub stop: CancellationToken,
    /// Wait for nothing any more: the run failed, or its time is over.
    pub halt: CancellationToken,
    pub counts: Arc<Counts>,
    /// Change nothing in the tenant.
    pub dry_run: bool,
    /// Records by record type that the filter dropped; `None` for those that have none.
    pub filtered: Mutex<BTreeMap<Option<i64>, u64>>,
    progress: Mutex<Progress>,
    memory: tokio::sync::Mutex<Memory>,
    records_loaded: AtomicBool,
    errors: Mutex<Vec<RunError>>,
}

impl Run {
    pub fn new(
        connector: Arc<Connector>,
        progress: Progress,
        memory: Memory,
        request: &Request,
        stop: CancellationToken,
    ) -> Self {
        Self {
            connector,
            stop,
            halt: CancellationToken::new(),
            counts: Arc::clone(&request.counts),
            dry_run: request.dry_run,
            filtered: Mutex::default(),
            progress: Mutex::new(progress),
            memory: tokio::sync::Mutex::new(memory),
            records_loaded: AtomicBool::new(false),
            errors: Mutex::default(),
        }
    }

    /// The run's progress. Held for a moment only, never across an await.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn memory(&self) -> tokio::sync::MutexGuard<'_, Memory> {
        self.memory.lock().await
    }

    /// Makes sure that the records delivered earlier are known, which every admission needs. A run without a label
    /// event never reads them.
    pub async fn know_records(&self) -> Result<(), StateError> {
        if self.records_loaded.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut memory = self.memory.lock().await;
        if !self.records_loaded.load(Ordering::Acquire) {
            for log in memory.load_records(OffsetDateTime::now_utc()).await? {
                self.progress().load_records(&log);
            }
            self.records_loaded.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// The run cannot go on.
    pub fn fail(&self, error: RunError) {
        self.note(error);
        self.stop.cancel();
        self.halt.cancel();
    }

    /// Something failed that harms only itself: the rest of the run goes on.
    pub fn note(&self, error: RunError) {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }

    /// A task of the run ended: by itself, or by a panic, which fails the run.
    pub fn look_at(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended {
            self.fail(RunError::Broken(format!("a part of the run ended early: {error}")));
        }
    }

    pub fn take_errors(&self) -> Vec<RunError> {
        std::mem::take(&mut *self.errors.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether what was answered may be saved: not once another run holds the lock.
    pub fn may_save(&self) -> bool {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).iter().all(RunError::may_save)
    }

    /// Counts what a content held that was read to its end.
    pub fn count_read(&self, seen: &Seen) {
        add(&self.counts.read, 1);
        add(&self.counts.records, seen.records);
        add(&self.counts.label_events, seen.label_events);
        add(&self.counts.repeated, seen.repeated);
        add(&self.counts.truncated, seen.truncated);
        let mut filtered = self.filtered.lock().unwrap_or_else(PoisonError::into_inner);
        for (record_type, count) in &seen.filtered {
            *filtered.entry(*record_type).or_default() += count;
        }
    }

    /// A content type of which nothing could be read that was tried for the first time has failed the run, even though
    /// each content is tried again.
    pub fn note_what_nothing_was_read_of(&self) {
        let failed: Vec<_> = {
            let progress = self.progress();
            let failed =
                progress.listings().filter_map(|(content_type, listing)| Some((content_type, listing.nothing_read()?)));
            failed.map(|(content_type, (failed, reason))| (content_type, failed, reason.to_owned())).collect()
        };
        for (content_type, failed, reason) in failed {
            self.note(RunError::Fetching { content_type, failed, reason });
        }
    }

    /// Keeps a dead letter.
    pub async fn bury(&self, letter: &DeadLetter) -> Result<(), StateError> {
        letter.save(self.connector.store.as_ref(), &self.connector.tenant).await?;
        self.counts.dead_letters.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(kind = ?letter.kind, content = letter.content.as_ref().map(|content| content.id.as_str()),
            reason = letter.reason, "put into the dead letters");
        Ok(())
    }
}

/// What a content held. It is counted once the content was read to its end, so that one that is fetched again counts
/// once.
#[derive(Debug, Default)]
pub struct Seen {
    pub records: u64,
    pub label_events: u64,
    pub repeated: u64,
    pub truncated: u64,
    /// Elements that are no records.
    pub bad: u64,
    /// By record type; `None` for those that have none.
    pub filtered: BTreeMap<Option<i64>, u64>,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
