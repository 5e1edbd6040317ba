//! Gathering rows into batches and posting several at once.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tracing::Instrument;

use super::{
    reading::Rows,
    refusals::RefusedRow,
    run::{Run, add},
    saving::Saver,
};
use crate::{
    batch::{Batch, Builder},
    ingestion::{Blame, Delivery, IngestionError, Leave, Patience},
    watermark::Id,
};

/// How many batches are under way at once, from being posted until their answer is saved: the most that a kill can make
/// the run send again.
pub const AT_ONCE: usize = 4;

/// A batch that is not full waits this long for more rows, so that a slow feed does not hold back what is there.
const LINGER: Duration = Duration::from_secs(5);

/// Until when rows are posted.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// No POST begins after this.
    pub last_post: Instant,
    /// How long one that is under way then, or when the run halts, may wait for its answer.
    pub last_answer: Duration,
}

/// Posts rows until no stage can send any more, or the run halts.
pub async fn post_all(run: Arc<Run>, mut rows: mpsc::Receiver<Rows>, saver: Saver, times: Times) {
    let builder = Builder::new().sharing(&run.share.spares);
    let mut posting = Posting { run: Arc::clone(&run), saver, times, builder, under_way: JoinSet::new() };
    let mut oldest: Option<Instant> = None;
    loop {
        let lingered = async {
            match oldest {
                Some(since) => sleep_until(since + LINGER).await,
                None => std::future::pending().await,
            }
        };
        let next = tokio::select! {
            biased;
            () = run.halt.cancelled() => break,
            next = rows.recv() => next,
            () = lingered => {
                oldest = None;
                posting.post_rest().await;
                continue;
            }
        };
        let Some(next) = next else { break };
        for (row, id) in next.iter() {
            let full = posting.builder.push(row, id);
            oldest.get_or_insert_with(Instant::now);
            if full.is_some() {
                posting.post(full).await;
                oldest = Some(Instant::now());
            }
        }
    }
    posting.post_rest().await;
    posting.finish().await;
}

/// The batches: the one that is filled, and those that are under way, each of which comes back when it is answered, for its
/// buffers to be used again.
struct Posting {
    run: Arc<Run>,
    saver: Saver,
    times: Times,
    builder: Builder<Id>,
    under_way: JoinSet<Option<Batch<Id>>>,
}

impl Posting {
    /// Posts what the batch that is filled has by now.
    async fn post_rest(&mut self) {
        let rest = self.builder.take();
        self.post(rest).await;
    }

    /// Posts a batch, and what was refused before where it is known by now that the rows are to blame.
    async fn post(&mut self, batch: Option<Batch<Id>>) {
        if let Some(batch) = batch {
            self.begin(batch, Blame::Either).await;
        }
        for batch in self.run.batches_to_search() {
            self.begin(batch, Blame::Rows).await;
        }
    }

    /// Begins to post a batch once fewer than [`AT_ONCE`] are under way and there is a place, unless the run halts.
    async fn begin(&mut self, batch: Batch<Id>, blame: Blame) {
        let run = Arc::clone(&self.run);
        let place = loop {
            let ended = tokio::select! {
                biased;
                () = run.halt.cancelled() => return,
                Some(ended) = self.under_way.join_next() => ended,
                place = run.share.posts.take(), if self.under_way.len() < AT_ONCE => break place,
            };
            self.take_back(ended);
        };
        let delivery = deliver(Arc::clone(&run), batch, blame, self.saver.clone(), self.times);
        let holding_its_place = async move {
            let spent = delivery.await;
            drop(place);
            spent
        };
        self.under_way.spawn(run.tasks.track_future(holding_its_place.in_current_span()));
    }

    /// A batch is answered, or its task broke off.
    fn take_back(&mut self, ended: Result<Option<Batch<Id>>, JoinError>) {
        match ended {
            Ok(spent) => spent.into_iter().for_each(|batch| self.builder.recycle(batch)),
            Err(error) => self.run.look_at(Err(error)),
        }
    }

    /// Waits for what is under way, and judges what was refused.
    async fn finish(mut self) {
        loop {
            while let Some(ended) = self.under_way.join_next().await {
                self.take_back(ended);
            }
            self.post(None).await;
            if self.under_way.is_empty() {
                break;
            }
        }
        self.run.judge_refusals().await;
    }
}

/// Delivers a batch, until its answer is saved. Returns it unless it is still needed.
async fn deliver(run: Arc<Run>, batch: Batch<Id>, blame: Blame, saver: Saver, times: Times) -> Option<Batch<Id>> {
    let patience = Patience { last_answer: times.last_answer, ..Patience::SERVICE };
    let leave = Leave { stop: &run.halt, deadline: times.last_post, still: &|| run.check_lock().is_ok() };
    let delivery = match run.connector.sink.deliver(&batch, blame, &patience, &leave).await {
        Ok(delivery) => delivery,
        Err(error) => {
            run.fail(error);
            return None;
        }
    };
    let accepted: Vec<Id> = delivery.accepted.iter().filter_map(|row| batch.tags().get(*row).copied()).collect();
    add(&run.counts.rows, accepted.len() as u64);
    add(&run.counts.posts, delivery.posts.into());
    add(&run.counts.row_bytes, delivery.bytes_rows);
    add(&run.counts.sent_bytes, delivery.bytes_sent);
    add(&run.counts.ingestion_wait_ms, u64::try_from(delivery.throttled_wait.as_millis()).unwrap_or(u64::MAX));
    if !accepted.is_empty() {
        run.progress().accepted(&accepted, OffsetDateTime::now_utc());
        run.rows_accepted().await;
    }
    refuse(&run, &batch, &delivery).await;
    let mut spent = Some(batch);
    match delivery.stopped {
        None => {}
        // What the end of the run cut short, or the service asked to wait with, is unfinished, not failed.
        Some(error) if error.is_interruption() || matches!(error, IngestionError::Throttled { .. }) => {
            tracing::warn!(%error, "rows were left to the next run");
            run.rows_left(error);
            run.stop.cancel();
        }
        Some(error @ IngestionError::ManyRefused) => tracing::warn!(%error, "rows were left to the next run"),
        // Other batches tell whether it is the rows or the endpoint.
        Some(IngestionError::EveryRowRefused { rows, reason }) => {
            if let Some(batch) = spent.take() {
                run.batch_refused(batch, rows, reason).await;
            }
        }
        Some(error) => run.fail(error.into()),
    }
    saver.saved().await;
    spent
}

/// What becomes of the rows that the endpoint refused by themselves. A row that is too large is bad whatever becomes of
/// the others.
async fn refuse(run: &Run, batch: &Batch<Id>, delivery: &Delivery) {
    for refused in &delivery.refused {
        let (Some(row), Some(id)) = (batch.row(refused.row), batch.tags().get(refused.row)) else { continue };
        let row = RefusedRow { id: *id, row: row.to_vec(), reason: refused.reason.clone() };
        if refused.too_large {
            run.bury_rows([row]).await;
        } else {
            run.row_refused(row).await;
        }
    }
}
