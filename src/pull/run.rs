//! What the stages of one run share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{
    task::JoinError,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    capacity::Share,
    connector::{Connector, Request},
    error::RunError,
    names::Names,
    refusals::{Judgement, Refusals, RefusedRow, ToSearch},
    saving::Taken,
    summary::Counts,
};
use crate::{
    batch::Batch,
    dead_letter::{self, DeadLetter, Kind},
    ingestion::IngestionError,
    state::{Expect, StateError},
    watermark::{Id, Memory, Progress, RECORD_LOGS},
};

/// One run, as its stages share it.
pub struct Run {
    pub connector: Arc<Connector>,
    /// Take no more work: the budget is used up, or the host is gone.
    pub stop: CancellationToken,
    /// Begin no POST any more, and wait for nothing but the answers to those under way: the run failed, or its time is
    /// over.
    pub halt: CancellationToken,
    pub counts: Arc<Counts>,
    /// It was told to take no more work before all was done.
    pub cut_short: AtomicBool,
    /// Change nothing in the tenant.
    pub dry_run: bool,
    /// Dead letters are sent again, and nothing is listed: no watermark moves.
    pub replays: bool,
    /// Records by record type that the filter dropped; `None` for those that have none.
    pub filtered: Mutex<BTreeMap<Option<i64>, u64>>,
    progress: Mutex<Progress>,
    pub memory: Memory,
    /// Every task of the run, the stages and what they begin.
    pub tasks: TaskTracker,
    /// The label names.
    pub names: Names,
    /// What it may do at once.
    pub share: Share,
    /// What is being saved, by the log that its records are appended to.
    pub taken: [tokio::sync::Mutex<Option<Taken>>; RECORD_LOGS],
    held_until: Mutex<Instant>,
    parts: Mutex<BTreeSet<String>>,
    refusals: Mutex<Refusals>,
    records_loaded: tokio::sync::OnceCell<()>,
    /// A failure of the endpoint that lasted until rows had to be left to a later run.
    failing: Mutex<Option<IngestionError>>,
    errors: Mutex<Vec<RunError>>,
}

impl Run {
    /// A run whose lock holds until `held_until`.
    pub fn new(
        connector: Arc<Connector>,
        progress: Progress,
        memory: Memory,
        request: &Request,
        stop: CancellationToken,
        held_until: Instant,
    ) -> Self {
        let share = connector.capacity.share();
        Self {
            connector,
            stop,
            halt: CancellationToken::new(),
            counts: Arc::clone(&request.counts),
            cut_short: AtomicBool::new(false),
            dry_run: request.dry_run,
            replays: request.letters.is_some(),
            filtered: Mutex::default(),
            progress: Mutex::new(progress),
            memory,
            tasks: TaskTracker::new(),
            names: Names::new(request.budget),
            share,
            taken: Default::default(),
            held_until: Mutex::new(held_until),
            parts: Mutex::default(),
            refusals: Mutex::default(),
            records_loaded: tokio::sync::OnceCell::new(),
            failing: Mutex::default(),
            errors: Mutex::default(),
        }
    }

    /// The run's progress. Held for a moment only, never across an await.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        locked(&self.progress)
    }

    /// Makes sure that the records delivered earlier are known, which every admission needs. A run without a label
    /// event never reads them.
    pub async fn know_records(&self) -> Result<(), StateError> {
        let load = || async {
            let take = |log: &[u8]| self.progress().load_records(log);
            self.memory.load_records(OffsetDateTime::now_utc(), take).await?;
            // They are saved with the next answer, unless they were stored after all.
            self.progress().settled(&self.connector.left_over.take());
            Ok(())
        };
        self.records_loaded.get_or_try_init(load).await.copied()
    }

    /// The records that were answered and are not known to be saved.
    pub async fn unsaved_records(&self) -> Vec<Id> {
        let mut records = self.progress().take_records();
        for taken in &self.taken {
            records.extend(taken.lock().await.as_mut().map(Taken::take_records).unwrap_or_default());
        }
        records
    }

    /// The run cannot go on.
    pub fn fail(&self, error: RunError) {
        self.note(error);
        self.stop.cancel();
        self.halt.cancel();
    }

    /// The lock holds until then at least.
    pub fn hold_until(&self, until: Instant) {
        *locked(&self.held_until) = until;
    }

    /// Whether the lock surely holds.
    pub fn holds_lock(&self) -> bool {
        Instant::now() < *locked(&self.held_until)
    }

    /// Fails the run unless the lock surely holds, which is asked before each POST and each save: a process that was frozen wakes up
    /// anywhere. Once it may have run out the run has failed.
    ///
    /// # Errors
    /// [`StateError::LockLost`]
    pub fn check_lock(&self) -> Result<(), StateError> {
        if self.holds_lock() {
            return Ok(());
        }
        let lost = || StateError::LockLost { key: Memory::lock_key(&self.connector.tenant) };
        self.fail(lost().into());
        Err(lost())
    }

    /// Waits until every task of the run is gone, those that were aborted as well: one that is in the middle of a step
    /// goes on to its next pause, and may write until then. Whether they are gone within `limit`.
    pub async fn tasks_end(&self, limit: Duration) -> bool {
        self.tasks.close();
        timeout(limit, self.tasks.wait()).await.is_ok()
    }

    /// Names a part of the run that is under way, until what is returned is dropped.
    pub fn part(self: &Arc<Self>, name: impl Into<String>) -> Part {
        let part = Part { run: Arc::clone(self), name: name.into() };
        locked(&self.parts).insert(part.name.clone());
        part
    }

    /// The parts that are under way.
    pub fn parts(&self) -> Vec<String> {
        locked(&self.parts).iter().cloned().collect()
    }

    /// Something failed that harms only itself: the rest of the run goes on.
    pub fn note(&self, error: RunError) {
        let mut errors = locked(&self.errors);
        // That the lock is lost is found out in several places, and told once.
        if error.may_save() || errors.iter().all(RunError::may_save) {
            errors.push(error);
        }
    }

    /// A task of the run ended: by itself, or by a panic, which fails the run.
    pub fn look_at(&self, ended: Result<(), JoinError>) {
        if let Err(error) = ended {
            self.fail(RunError::Broken(format!("a part of the run ended early: {error}")));
        }
    }

    pub fn take_errors(&self) -> Vec<RunError> {
        std::mem::take(&mut *locked(&self.errors))
    }

    /// Whether all may be saved: not once another run holds the lock or wrote the document.
    pub fn may_save(&self) -> bool {
        locked(&self.errors).iter().all(RunError::may_save)
    }

    /// Whether another run may hold the lock.
    pub fn lost_lock(&self) -> bool {
        locked(&self.errors).iter().any(RunError::is_lock_lost)
    }

    /// Counts what a content held that was read to its end.
    pub fn count_read(&self, seen: &Seen) {
        add(&self.counts.read, 1);
        self.count_seen(seen);
    }

    /// Counts records.
    pub fn count_seen(&self, seen: &Seen) {
        add(&self.counts.records, seen.records);
        add(&self.counts.label_events, seen.label_events);
        add(&self.counts.repeated, seen.repeated);
        add(&self.counts.truncated, seen.truncated);
        add(&self.counts.unknown_labels, seen.unknown_labels);
        let mut filtered = locked(&self.filtered);
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

    /// Rows are left to a later run: the time is over, or the endpoint asks to wait.
    pub fn rows_left(&self, error: IngestionError) {
        if error.outlasted_by().is_some() {
            *locked(&self.failing) = Some(error);
        }
    }

    /// Where the endpoint failed from the first row until the time was over, the run has failed: that it is not done does
    /// not say that nothing gets through.
    pub fn note_that_nothing_was_taken(&self) {
        let failing = locked(&self.failing).take();
        if let Some(error) = failing
            && self.counts.rows.load(Ordering::Relaxed) == 0
        {
            self.note(error.into());
        }
    }

    /// The endpoint accepted rows: those that it refused before are bad.
    pub async fn rows_accepted(&self) {
        let bad = locked(&self.refusals).accepted();
        self.bury_rows(bad).await;
    }

    /// The endpoint refused a row by itself. It goes to the dead letters where it is known to be bad.
    pub async fn row_refused(&self, row: RefusedRow) {
        if self.is_sent_again(&row) {
            // It was refused before: it is to blame.
            return self.bury_rows([row]).await;
        }
        let (bad, full) = {
            let mut refusals = locked(&self.refusals);
            (refusals.refused(row), refusals.is_full())
        };
        self.bury_rows(bad).await;
        if full {
            self.judge_refusals().await;
        }
    }

    /// The endpoint refused `rows` rows of `batch` by themselves and accepted none.
    pub async fn batch_refused(&self, batch: Batch<Id>, rows: usize, reason: String) {
        let place = self.share.refused.take_if_free();
        let full = {
            let mut refusals = locked(&self.refusals);
            refusals.batch_refused(batch, rows, reason, place);
            refusals.is_full()
        };
        if full {
            self.judge_refusals().await;
        }
    }

    /// The batches that were refused and whose rows are to blame, as it turned out.
    pub fn batches_to_search(&self) -> Vec<Batch<Id>> {
        let ToSearch { batches, left } = locked(&self.refusals).take_cleared();
        if left > 0 {
            tracing::warn!(batches = left, "batches full of rows that the endpoint refuses were left to the next run");
        }
        batches
    }

    /// Decides over the refused rows that are still held: whether they are bad, or the endpoint is.
    pub async fn judge_refusals(&self) {
        let runs_before = self.progress().refused_runs();
        let judgement = locked(&self.refusals).judge(runs_before);
        match judgement {
            Judgement::Nothing => {}
            Judgement::Rows(bad) => {
                self.progress().set_refused_runs(0);
                self.bury_rows(bad).await;
            }
            Judgement::Endpoint { rows, reason, runs } => {
                self.progress().set_refused_runs(runs.unwrap_or(runs_before));
                self.fail(IngestionError::EveryRowRefused { rows, reason }.into());
            }
        }
    }

    /// Rows that are bad go to the dead letters.
    pub async fn bury_rows(&self, bad: impl IntoIterator<Item = RefusedRow>) {
        for RefusedRow { id, row, reason } in bad {
            let letter = row_letter(&row, reason);
            match self.bury(&letter).await {
                Ok(()) => self.progress().settled(&[id]),
                Err(error) => return self.fail(error.into()),
            }
        }
    }

    /// Whether the row comes from a dead letter that is sent again.
    fn is_sent_again(&self, row: &RefusedRow) -> bool {
        self.replays && {
            let key = row_letter(&row.row, String::new()).key(&self.connector.tenant);
            self.progress().letters().has(&key)
        }
    }

    /// Keeps a dead letter. One that lies there already stays as it is, unless it is the one that is sent again: that
    /// has failed once more.
    pub async fn bury(&self, letter: &DeadLetter) -> Result<(), StateError> {
        let (store, tenant) = (self.connector.store.as_ref(), &self.connector.tenant);
        let key = letter.key(tenant);
        let (content, reason) = (letter.content.as_ref().map(|content| content.id.as_str()), letter.reason.as_str());
        let tries = self.progress().letters().stays(&key, reason);
        if let Some(tries) = tries {
            DeadLetter { tries, ..letter.clone() }.save(store, tenant, &Expect::Any).await?;
            tracing::warn!(key = dead_letter::name(&key), tries, reason, "stays in the dead letters");
        } else if letter.save(store, tenant, &Expect::Absent).await? {
            add(&self.counts.dead_letters, 1);
            tracing::warn!(kind = ?letter.kind, content, reason, "put into the dead letters");
        }
        Ok(())
    }
}

fn row_letter(row: &[u8], reason: String) -> DeadLetter {
    DeadLetter::bytes(Kind::Row, None, row, reason, OffsetDateTime::now_utc())
}

/// What a content held. It is counted once the content was read to its end, so that one that is fetched again counts
/// once.
#[derive(Debug, Default)]
pub struct Seen {
    pub records: u64,
    pub label_events: u64,
    pub repeated: u64,
    pub truncated: u64,
    /// Rows with the id of a label that is not known.
    pub unknown_labels: u64,
    /// Elements that are no records.
    pub bad: u64,
    /// By record type; `None` for those that have none.
    pub filtered: BTreeMap<Option<i64>, u64>,
}

/// A part of a run that is under way.
pub struct Part {
    run: Arc<Run>,
    name: String,
}

impl Drop for Part {
    fn drop(&mut self) {
        locked(&self.run.parts).remove(&self.name);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

#[cfg(test)]
#[path = "run_tests.rs"]
pub mod tests;
