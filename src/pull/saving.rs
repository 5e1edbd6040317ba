//! Saving what was answered.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{error::RunError, run::Run};
use crate::state::StateError;

/// How often the contents and the document are saved on the way. Between two saves a kill costs contents being fetched
/// again, but no row being sent again: the records are saved with each answer.
const SAVE_EVERY: Duration = Duration::from_secs(5);

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

/// Saves what was answered: the records, and with `all` the contents and the document, in this order.
pub async fn save(run: &Run, all: bool) -> Result<(), StateError> {
    let unsaved = run.progress().take_unsaved(all);
    let mut memory = run.memory().await;
    if !unsaved.records.is_empty() {
        memory.append_records(OffsetDateTime::now_utc(), &unsaved.records).await?;
    }
    for (content_type, day, ids) in &unsaved.contents {
        memory.append_contents(*content_type, *day, ids).await?;
    }
    if let Some(document) = &unsaved.document {
        memory.save_document(document).await?;
    }
    Ok(())
}

/// The last save of a run, unless another run holds the lock by now.
pub async fn save_at_the_end(run: &Run) {
    if run.may_save()
        && let Err(error) = save(run, true).await
    {
        run.note(RunError::State(error));
    }
}
