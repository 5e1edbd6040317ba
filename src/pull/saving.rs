//! Saving what was answered.

use std::{sync::Arc, time::Duration};

use futures_util::future::{join_all, try_join_all};
use time::{Date, OffsetDateTime};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::run::{Run, add};
use crate::{
    state::StateError,
    watermark::{Id, Unsaved},
};

/// How often the contents and the document are saved on the way. Between two saves a kill costs contents being fetched
/// again, but no row being sent again: the records are saved with each answer.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// How many logs of contents are appended to at once: a backlog of seven days has one for each of them and each content
/// type.
const APPENDED_AT_ONCE: usize = 24;

/// How many dead letters are removed at once.
const REMOVED_AT_ONCE: usize = 16;

/// How often a save goes on after it found a write of another run. While this one holds the lock that can only be what an
/// earlier holder sent before its lease ran out, and those are few.
const LATE_WRITES: u32 = 3;

/// Asks the saving stage to save, and waits until that is done.
#[derive(Debug, Clone)]
pub struct Saver {
    wishes: mpsc::Sender<oneshot::Sender<()>>,
}

impl Saver {
    /// Returns once everything that was answered before the call is saved, or the run has failed.
    pub async fn saved(&self) {
        let (done, saved) = oneshot::channel();
        if self.wishes.send(done).await.is_ok() {
            // An error means that the stage ended without saving: the run has failed, and says why.
            if saved.await.is_err() {
                tracing::debug!("not saved: the run has failed");
            }
        }
    }
}

/// The saving stage and the way to it.
pub fn stage(run: Arc<Run>) -> (Saver, impl Future<Output = ()> + Send + 'static) {
    let (wishes, inbox) = mpsc::channel(64);
    (Saver { wishes }, save_on_the_way(run, inbox))
}

/// Saves whenever somebody waits for it, all of their answers in one write, until nobody can ask any more.
async fn save_on_the_way(run: Arc<Run>, mut inbox: mpsc::Receiver<oneshot::Sender<()>>) {
    let mut saved_all = Instant::now();
    loop {
        let mut waiting = Vec::new();
        match tokio::time::timeout_at(saved_all + SAVE_EVERY, inbox.recv()).await {
            Ok(Some(first)) => waiting.push(first),
            Ok(None) => return,
            Err(_) => {}
        }
        while let Ok(more) = inbox.try_recv() {
            waiting.push(more);
        }
        if !run.may_save() {
            return;
        }
        let all = saved_all.elapsed() >= SAVE_EVERY;
        if let Err(error) = save(&run, all).await {
            return run.fail(error.into());
        }
        if all {
            saved_all = Instant::now();
        }
        for done in waiting {
            // Whoever waited may be gone by now; what was to be saved is.
            done.send(()).ok();
        }
    }
}

/// What was taken from the progress and is not yet saved: it belongs to the run, so that neither a failure nor the end of
/// the task that saves it forgets it.
#[derive(Debug)]
pub struct Taken {
    /// The day of the log that its records belong to, also when they are saved after midnight.
    day: Date,
    /// What is left of it; each part goes when it is saved.
    unsaved: Unsaved,
}

impl Taken {
    /// Takes out the records: they are another run's to save.
    pub fn take_records(&mut self) -> Vec<Id> {
        std::mem::take(&mut self.unsaved.records)
    }
}

/// Saves what was answered: the records, and with `all` the contents and the document, in this order; then the dead
/// letters that were delivered are removed. What an earlier
/// save took and did not finish is saved first, as it was, so that it is recognised where it arrived after all.
pub async fn save(run: &Run, all: bool) -> Result<(), StateError> {
    let mut taken = run.taken.lock().await;
    if let Some(taken) = &mut *taken {
        finish(run, taken).await?;
    }
    // A replay moves no watermark, so that the document stays as it is.
    let unsaved = run.progress().take_unsaved(all && !run.replays);
    finish(run, taken.insert(Taken { day: OffsetDateTime::now_utc().date(), unsaved })).await?;
    *taken = None;
    Ok(())
}

/// Saves what is left of `taken`. A late write of an earlier holder of the lock does not end the run: what is in flight
/// would be sent again. [`crate::watermark::Memory`] has looked at what it found, and after that the lock is asked for
/// again, so that a run that is itself the earlier holder overwrites nothing.
async fn finish(run: &Run, taken: &mut Taken) -> Result<(), StateError> {
    let mut late = 0;
    loop {
        match write(run, taken).await {
            Err(error) if error.is_conflict() && late < LATE_WRITES => {
                late += 1;
                tracing::warn!(%error, "a late write of an earlier run; the save goes on");
            }
            written => return written,
        }
    }
}

/// Writes what is left of `taken`, step by step.
async fn write(run: &Run, taken: &mut Taken) -> Result<(), StateError> {
    let memory = &run.memory;
    let unsaved = &mut taken.unsaved;
    if !unsaved.records.is_empty() {
        run.check_lock()?;
        memory.append_records(taken.day, &unsaved.records).await?;
        unsaved.records.clear();
    }
    while !unsaved.contents.is_empty() {
        run.check_lock()?;
        let rest = unsaved.contents.len().saturating_sub(APPENDED_AT_ONCE);
        let logs = unsaved.contents[rest..].iter();
        let appends = logs.map(|(content_type, day, ids)| memory.append_contents(*content_type, *day, ids));
        let appended = join_all(appends).await;
        let mut failed = None;
        // Those that failed stay, for the next try.
        for (log, appended) in unsaved.contents.split_off(rest).into_iter().zip(appended) {
            if let Err(error) = appended {
                unsaved.contents.push(log);
                failed.get_or_insert(error);
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
    if let Some(document) = &unsaved.document {
        run.check_lock()?;
        let saved = memory.save_document(document).await;
        // Another writer's document is left as it is, now and later.
        if saved.as_ref().err().is_none_or(StateError::is_conflict) {
            unsaved.document = None;
        }
        saved?;
    }
    while !unsaved.letters.is_empty() {
        run.check_lock()?;
        let rest = unsaved.letters.len().saturating_sub(REMOVED_AT_ONCE);
        let store = &run.connector.store;
        try_join_all(unsaved.letters[rest..].iter().map(|letter| store.delete(&letter.key))).await?;
        add(&run.counts.dead_letters_removed, (unsaved.letters.len() - rest) as u64);
        unsaved.letters.truncate(rest);
    }
    Ok(())
}

/// The last save of a run, unless another run holds the lock by now. Where another writer changed the document, what was
/// answered is still remembered.
pub async fn save_at_the_end(run: &Run) {
    if !run.lost_lock()
        && let Err(error) = save(run, run.may_save()).await
    {
        run.note(error.into());
    }
}
