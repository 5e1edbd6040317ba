//! Gathering rows into batches and posting several at once.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    task::JoinSet,
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
    ingestion::{Delivery, IngestionError, Leave, Patience},
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
    let mut builder = Builder::new();
    let mut under_way = JoinSet::new();
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
                post(&run, builder.take(), &saver, times, &mut under_way).await;
                continue;
            }
        };
        let Some(next) = next else { break };
        for (row, id) in next.iter() {
            let full = builder.push(row, id);
            oldest.get_or_insert_with(Instant::now);
            if full.is_some() {
                post(&run, full, &saver, times, &mut under_way).await;
                oldest = Some(Instant::now());
            }
        }
    }
    post(&run, builder.take(), &saver, times, &mut under_way).await;
    while let Some(ended) = under_way.join_next().await {
        run.look_at(ended);
    }
    run.judge_refusals().await;
}

/// Begins to post a batch once fewer than [`AT_ONCE`] are under way, unless the run halts.
async fn post(run: &Arc<Run>, batch: Option<Batch<Id>>, saver: &Saver, times: Times, under_way: &mut JoinSet<()>) {
    let Some(batch) = batch else { return };
    while under_way.len() >= AT_ONCE {
        let ended = tokio::select! {
            biased;
            () = run.halt.cancelled() => return,
            ended = under_way.join_next() => ended,
        };
        if let Some(ended) = ended {
            run.look_at(ended);
        }
    }
    if !run.halt.is_cancelled() {
        under_way.spawn(deliver(Arc::clone(run), batch, saver.clone(), times).in_current_span());
    }
}

async fn deliver(run: Arc<Run>, batch: Batch<Id>, saver: Saver, times: Times) {
    let patience = Patience { last_answer: times.last_answer, ..Patience::SERVICE };
    let leave = Leave { stop: &run.halt, deadline: times.last_post, still: &|| run.check_lock().is_ok() };
    let delivery = match run.connector.sink.deliver(&batch, &patience, &leave).await {
        Ok(delivery) => delivery,
        Err(error) => return run.fail(error),
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
    if let Some(error) = delivery.stopped {
        // What the end of the run cut short, or the service asked to wait with, is unfinished, not failed.
        if error.is_interruption() || matches!(error, IngestionError::Throttled { .. }) {
            tracing::warn!(%error, "rows were left to the next run");
            run.rows_left(error);
            run.stop.cancel();
        } else {
            if matches!(error, IngestionError::EveryRowRefused { .. }) {
                run.batch_refused();
            }
            run.fail(error.into());
        }
    }
    saver.saved().await;
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
