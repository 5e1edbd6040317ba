//! Saving what was answered.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{join_all, try_join_all},
    stream::FuturesOrdered,
};
use time::{Date, OffsetDateTime};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

use super::run::{Run, add};
use crate::{
    state::StateError,
    watermark::{Id, RECORD_LOGS, Unsaved},
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

/// Saves whenever somebody waits for it, until nobody can ask any more. As many saves go on at once as there are logs of
/// records; all who ask while none is free are served by the next. Whoever asked is told once the saves that began before
/// are done as well: one of them may have his records.
async fn save_on_the_way(run: Arc<Run>, mut inbox: mpsc::Receiver<oneshot::Sender<()>>) {
    let mut free: BTreeSet<usize> = (0..RECORD_LOGS).collect();
    let mut saves = FuturesOrdered::new();
    let mut saved_all = Instant::now();
    loop {
        let mut waiting = Vec::new();
        tokio::select! {
            biased;
            Some(saved) = saves.next() => match tell(saved) {
                Ok(log) => {
                    free.insert(log);
                    continue;
                }
                Err(error) => return run.fail(error.into()),
            },
            () = sleep_until(saved_all + SAVE_EVERY), if !free.is_empty() => {}
            asked = inbox.recv(), if !free.is_empty() => match asked {
                Some(first) => waiting.push(first),
                None => break,
            },
        }
        while let Ok(more) = inbox.try_recv() {
            waiting.push(more);
        }
        if !run.may_save() {
            return;
        }
        // The first that is free: a run with little to save leaves one log.
        let Some(log) = free.pop_first() else { continue };
        let all = saved_all.elapsed() >= SAVE_EVERY;
        if all {
            saved_all = Instant::now();
        }
        let run = &run;
        saves.push_back(async move {
            // A replay removes letters once all of their records are saved.
            let alone = all || run.replays;
            let saved = if alone { save(run, all).await } else { save_records(run, log).await };
            Saved { log, waiting, saved }
        });
    }
    while let Some(saved) = saves.next().await {
        if let Err(error) = tell(saved) {
            return run.fail(error.into());
        }
    }
}

/// A save that ended.
struct Saved {
    log: usize,
    /// Who waits for it.
    waiting: Vec<oneshot::Sender<()>>,
    saved: Result<(), StateError>,
}

/// Tells those who wait for a save that it is done. The number of its log.
fn tell(Saved { log, waiting, saved }: Saved) -> Result<usize, StateError> {
    saved?;
    for done in waiting {
        // Whoever waited may be gone by now; what was to be saved is.
        done.send(()).ok();
    }
    Ok(log)
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
    fn now(unsaved: Unsaved) -> Self {
        Self { day: OffsetDateTime::now_utc().date(), unsaved }
    }

    /// Takes out the records: they are another run's to save.
    pub fn take_records(&mut self) -> Vec<Id> {
        std::mem::take(&mut self.unsaved.records)
    }
}

/// Saves what was answered: the records, and with `all` the contents and the document, in this order; then the dead
/// letters that were delivered are removed. What an earlier save took and did not finish is saved first, as it was, so that
/// it is recognised where it arrived after all. No other save goes on meanwhile: the records of a content may lie in any of
/// the logs.
pub async fn save(run: &Run, all: bool) -> Result<(), StateError> {
    let [first, others @ ..] = &run.taken;
    let mut first = first.lock().await;
    finish(run, 0, &mut first).await?;
    let mut held = Vec::new();
    for (log, taken) in (1..).zip(others) {
        let mut taken = taken.lock().await;
        finish(run, log, &mut taken).await?;
        held.push(taken);
    }
    // A replay moves no watermark, so that the document stays as it is.
    *first = Some(Taken::now(run.progress().take_unsaved(all && !run.replays)));
    finish(run, 0, &mut first).await
}

/// Saves the records that were answered in the log with this number.
async fn save_records(run: &Run, log: usize) -> Result<(), StateError> {
    let mut taken = run.taken[log].lock().await;
    finish(run, log, &mut taken).await?;
    let records = run.progress().take_records();
    *taken = Some(Taken::now(Unsaved { records, ..Unsaved::default() }));
    finish(run, log, &mut taken).await
}

/// Saves what is left of `taken`, which is then none. A late write of an earlier holder of the lock does not end the run:
/// what is in flight would be sent again. [`crate::watermark::Memory`] has looked at what it found, and after that the lock
/// is asked for again, so that a run that is itself the earlier holder overwrites nothing.
async fn finish(run: &Run, log: usize, taken: &mut Option<Taken>) -> Result<(), StateError> {
    let mut late = 0;
    while let Some(left) = taken {
        match write(run, log, left).await {
            Ok(()) => *taken = None,
            Err(error) if error.is_conflict() && late < LATE_WRITES => {
                late += 1;
                tracing::warn!(%error, "a late write of an earlier run; the save goes on");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes what is left of `taken`, step by step.
async fn write(run: &Run, log: usize, taken: &mut Taken) -> Result<(), StateError> {
    let memory = &run.memory;
    let unsaved = &mut taken.unsaved;
    if !unsaved.records.is_empty() {
        run.check_lock()?;
        memory.append_records(log, taken.day, &unsaved.records).await?;
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

#[cfg(test)]
#[path = "saving_tests.rs"]
mod tests;
