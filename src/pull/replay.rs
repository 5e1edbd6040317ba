//! Sending dead letters again: each is read as a run would read it, and then goes the way of every row.
//!
//! A letter is removed when all that it stands for was accepted, saved, or given up anew under another key
//! ([`crate::watermark::Letters`]). Until then it lies where it is, so that a kill costs nothing.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    connector::{Connector, Request},
    error::{RunError, RunFailed},
    fetching::{Lane, read_or_give_up},
    reading::{Interrupted, Rows, read_record},
    run::{Run, add},
    summary::Summary,
};
use crate::{
    content::{Content, ContentType},
    dead_letter::{self, DeadLetter, KeptError, Kind, Selection, delivered_mark, record_of_row},
    feed::content_of_entry,
    state::StateError,
    watermark::{Admission, Slot, content_id},
};

/// How often a run that is under way is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many letters are read ahead: most are one row, and a storage account takes some 10 ms for each.
const READ_AHEAD: usize = 16;

/// How many contents are fetched at once.
const FETCHED_AT_ONCE: usize = 16;

impl Connector {
    /// Sends the dead letters of `selection` again, as a run of its own, under the tenant's lock. While another run is
    /// under way it waits, for `wait` at the most; the summary says where that was too short.
    ///
    /// [`Summary::letters`] tells what became of each. One that fails again stays, with its new reason, and is no error.
    ///
    /// # Errors
    /// As for [`Connector::run`]; [`RunError::UnknownLetters`] where the selection names one that is not there, and then
    /// nothing was sent.
    pub async fn replay(
        self: &Arc<Self>,
        selection: Selection,
        request: Request,
        wait: Duration,
        stop: CancellationToken,
    ) -> Result<Summary, RunFailed> {
        let begun = Instant::now();
        let request = Request { range: None, letters: Some(selection), ..request };
        let mut told = false;
        loop {
            let result = self.run(request.clone(), stop.clone()).await;
            let is_under_way = result.as_ref().is_ok_and(|summary| summary.under_way);
            if !is_under_way || begun.elapsed() >= wait || stop.is_cancelled() {
                return result;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(seconds = wait.as_secs(), "a run is under way; waiting for its end");
            }
            tokio::select! {
                () = sleep(LOOK_AGAIN.min(wait.saturating_sub(begun.elapsed()))) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Reads the letters of `selection` and hands over their rows.
pub async fn read_again(run: Arc<Run>, selection: Selection, rows: mpsc::Sender<Rows>, lane: Lane) {
    if let Err(error) = read_chosen(&run, &selection, &rows, lane).await {
        run.fail(error);
    }
}

async fn read_chosen(
    run: &Arc<Run>,
    selection: &Selection,
    rows: &mpsc::Sender<Rows>,
    lane: Lane,
) -> Result<(), RunError> {
    let store = Arc::clone(&run.connector.store);
    let chosen = selection.choose(&dead_letter::keys(store.as_ref(), &run.connector.tenant).await?)?;
    if chosen.is_empty() {
        return Ok(());
    }
    run.progress().letters().choose(&chosen);
    run.know_records().await?;
    let mut letters = stream::iter(chosen)
        .map(|key| {
            let store = Arc::clone(&store);
            async move {
                let letter = dead_letter::get(store.as_ref(), &key).await;
                (key, letter)
            }
        })
        .buffered(READ_AHEAD);
    let mut fetching = JoinSet::new();
    loop {
        let next = tokio::select! {
            biased;
            () = run.stop.cancelled() => break,
            next = letters.next() => next,
        };
        let Some((key, letter)) = next else { break };
        let letter = match letter {
            Ok(Some(letter)) => letter,
            Ok(None) => {
                // Somebody removed it by hand.
                let slot = begin(run, &key, 0);
                run.progress().letters().read(slot);
                continue;
            }
            Err(KeptError::State(error)) => return Err(error.into()),
            Err(error @ KeptError::Unreadable { .. }) => {
                run.progress().letters().stays(&key, &error.to_string());
                continue;
            }
        };
        let slot = begin(run, &key, letter.tries);
        match letter.kind {
            Kind::Row => send_row(run, slot, &key, &letter, rows).await?,
            Kind::Record => send_record(run, slot, &key, &letter, rows).await?,
            Kind::Content | Kind::Entry => {
                if fetching.len() >= FETCHED_AT_ONCE
                    && let Some(ended) = fetching.join_next().await
                {
                    run.look_at(ended);
                }
                let place = tokio::select! {
                    biased;
                    () = run.stop.cancelled() => break,
                    place = run.share.contents.take() => place,
                };
                let (run, rows) = (Arc::clone(run), rows.clone());
                let fetch = async move {
                    fetch_again(run, slot, letter, rows, lane).await;
                    drop(place);
                };
                fetching.spawn(fetch.in_current_span());
            }
        }
    }
    while let Some(ended) = fetching.join_next().await {
        run.look_at(ended);
    }
    Ok(())
}

/// A slot for a letter. Its content type is of no account: a replay has no listings.
fn begin(run: &Run, key: &str, tries: u32) -> Slot {
    let mut progress = run.progress();
    let slot = progress.next_slot(ContentType::General);
    progress.letters().begin(slot, key, tries);
    slot
}

async fn send_row(
    run: &Run,
    slot: Slot,
    key: &str,
    letter: &DeadLetter,
    rows: &mpsc::Sender<Rows>,
) -> Result<(), StateError> {
    let Some(row) = letter.body() else { return stay(run, letter, "its row cannot be read").await };
    let mark = delivered_mark(key);
    let record = record_of_row(&row).map_or(mark, |record| record.0);
    let admission = run.progress().admit_again(slot, record, mark);
    if admission != Admission::Send {
        add(&run.counts.repeated, 1);
    } else if rows.send(Rows::one(row.into_owned(), record)).await.is_err() {
        // The run is over, and the letter lies where it is.
        return Ok(());
    }
    run.progress().letters().read(slot);
    Ok(())
}

async fn send_record(
    run: &Run,
    slot: Slot,
    key: &str,
    letter: &DeadLetter,
    rows: &mpsc::Sender<Rows>,
) -> Result<(), StateError> {
    let (Some(record), Some(content)) = (letter.body(), &letter.content) else {
        return stay(run, letter, "its record or its content cannot be read").await;
    };
    if letter.cut {
        let reason = "the record is too large, and only its beginning is kept: there is nothing to send";
        return stay(run, letter, reason).await;
    }
    match read_record(run, slot, content, (&record, letter.place, key), rows).await {
        Ok(()) => run.progress().letters().read(slot),
        Err(Interrupted::State(error)) => return Err(error),
        // The run is over, and the letter lies where it is. Nothing else comes of a record that is here already.
        Err(_) => {}
    }
    Ok(())
}

/// Fetches a content, or what an entry names, and hands over those of its rows that were not delivered.
async fn fetch_again(run: Arc<Run>, slot: Slot, letter: DeadLetter, rows: mpsc::Sender<Rows>, lane: Lane) {
    let outcome = match content_of(&run, slot, &letter) {
        Ok(content) => match read_or_give_up(&run, slot, &content, &rows, lane).await {
            Ok(()) => {
                run.progress().letters().read(slot);
                Ok(())
            }
            Err(Interrupted::State(error)) => Err(error),
            Err(interrupted) => match interrupted.into_failure() {
                Some(failure) => stay(&run, &letter, failure.reason()).await,
                None => Ok(()),
            },
        },
        Err(reason) => stay(&run, &letter, &reason).await,
    };
    if let Err(error) = outcome {
        run.fail(error.into());
    }
}

/// The content that a letter stands for.
fn content_of(run: &Run, slot: Slot, letter: &DeadLetter) -> Result<Content, String> {
    if letter.kind == Kind::Content {
        return letter.content.clone().ok_or_else(|| "it does not tell its content".to_owned());
    }
    let entry = letter.body.as_deref().unwrap_or_default();
    let content = content_of_entry(letter.content_type, entry, letter.at).map_err(|lacks| {
        format!(
            "the entry of the listing cannot be fetched by a replay: {lacks}. It is kept because it is the only trace of a \
             content that may be missing in the table; ask Microsoft support for it, with its text"
        )
    })?;
    // The feed lists the entry as it is for some days more. It was told then, and what it names is delivered.
    let (today, content_type) = (OffsetDateTime::now_utc().date(), content.content_type);
    let listed_under = letter.content_type.unwrap_or(content_type);
    let mut progress = run.progress();
    progress.letters().remember(slot, listed_under, today, content_id(entry));
    progress.letters().remember(slot, content_type, content.created.date(), content_id(&content.id));
    drop(progress);
    Ok(content)
}

/// The letter failed again, and stays with its new reason.
async fn stay(run: &Run, letter: &DeadLetter, reason: &str) -> Result<(), StateError> {
    run.bury(&DeadLetter { reason: reason.to_owned(), at: OffsetDateTime::now_utc(), ..letter.clone() }).await
}
