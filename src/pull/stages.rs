//! The order of a run: its stages, side by side, and how it begins and ends.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    budget::Budget,
    connector::{Connector, Range, Request},
    error::{RunError, RunFailed},
    fetching, listing, lock, posting,
    run::Run,
    saving, subscriptions,
    summary::{Summary, TypeSummary},
};
use crate::{
    feed::{
        Window,
        window::{self, clamped},
    },
    state::Lock,
    watermark::{Document, Memory, Progress},
};

/// Contents that are listed and wait to be fetched.
const FOUND_AT_MOST: usize = 64;

/// Pieces of rows that wait for a batch; a piece is what one chunk of a body held.
const ROWS_AT_MOST: usize = 32;

/// How often the subscriptions are listed. In between, the feed's own answer tells of one that is missing.
const CHECK_SUBSCRIPTIONS_EVERY: time::Duration = time::Duration::hours(1);

impl Connector {
    /// One run. It is saved when this returns, whatever came of it; `stop` makes it end early, saved.
    ///
    /// # Errors
    /// What kept the run from doing its work, one or several things. A run that found nothing, or is not done yet, is
    /// no error.
    pub async fn run(self: &Arc<Self>, request: Request, stop: CancellationToken) -> Result<Summary, RunFailed> {
        let key = Memory::lock_key(&self.tenant);
        let lock = match self.store.lock(&key).await {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(Summary::of_another_run()),
            Err(error) => return Err(RunFailed::at_once(error)),
        };
        let started = Instant::now();
        let result = self.run_locked(request, stop, lock.as_ref(), started).await;
        if let Err(error) = lock.release().await {
            // It runs out by itself.
            tracing::warn!(%error, "the lock could not be given back");
        }
        result
    }

    async fn run_locked(
        self: &Arc<Self>,
        request: Request,
        stop: CancellationToken,
        lock: &dyn Lock,
        started: Instant,
    ) -> Result<Summary, RunFailed> {
        let now = OffsetDateTime::now_utc();
        let mut memory = Memory::new(Arc::clone(&self.store), &self.tenant);
        let document = match memory.load_document(now).await {
            Ok((document, note)) => {
                if let Some(note) = note {
                    tracing::warn!("{note}");
                }
                document
            }
            Err(error) => return Err(RunFailed::at_once(error)),
        };
        let before = self.feed.budget().counts();
        let progress = self.progress(document, request.range.is_none(), now);
        let run = Run::new(Arc::clone(self), progress, memory, &request, stop.child_token());
        let run = Arc::new(run);

        let work = self.work(&run, &request, started);
        tokio::pin!(work);
        let done = tokio::select! {
            () = &mut work => true,
            () = lock::keep(&run, lock) => false,
            () = watch_the_time(&run, request.budget, started) => false,
        };
        run.stop.cancel();
        run.halt.cancel();
        // Every stage ends at once now; only what is being saved is waited for, so that nothing answered is forgotten.
        let end = async {
            if !done {
                work.await;
            }
            saving::save_at_the_end(&run).await;
        };
        if tokio::time::timeout_at(started + request.budget.end, end).await.is_err() {
            run.note(RunError::Broken("the state could not be saved before the end of RUN_BUDGET_SECONDS".to_owned()));
        }

        let errors = run.take_errors();
        let mut summary = run.summary(started);
        let after = self.feed.budget().counts();
        summary.feed_requests = after.requests - before.requests;
        summary.throttled = after.throttled - before.throttled;
        summary.throttle_wait_seconds += (after.waited - before.waited).as_secs_f64();
        for line in summary.lines() {
            tracing::info!("{line}");
        }
        if errors.is_empty() { Ok(summary) } else { Err(RunFailed { errors, summary: Box::new(summary) }) }
    }

    fn progress(&self, document: Document, moves: bool, now: OffsetDateTime) -> Progress {
        let lookback = now.saturating_sub(self.initial_lookback.try_into().unwrap_or(time::Duration::MAX));
        // What lies beyond the feed's reach before the very first run is no loss.
        let (lookback, _) = clamped(lookback, now);
        Progress::new(document, &self.content_types, lookback, moves)
    }

    /// The windows of a range that is asked for again. From here on the run knows what is left of it.
    fn begin_range(&self, run: &Run, range: Range, now: OffsetDateTime) -> Vec<Window> {
        if let Some((oldest, Some(_))) = range.since.map(|since| clamped(since, now)) {
            tracing::warn!(%oldest, "the feed lists nothing that is older: the range begins there");
        }
        let windows: Vec<_> = window::range(range.since, range.until, now).collect();
        if let (Some(first), Some(last)) = (windows.first(), windows.last()) {
            let mut progress = run.progress();
            for content_type in &self.content_types {
                if let Some(listing) = progress.listing(*content_type) {
                    listing.begin_range(first.start, last.end);
                }
            }
        }
        windows
    }

    /// The stages, side by side. Each ends when the one before it has ended.
    async fn work(self: &Arc<Self>, run: &Arc<Run>, request: &Request, started: Instant) {
        let range = request.range.map(|range| self.begin_range(run, range, OffsetDateTime::now_utc()));
        let checked = run.progress().subscriptions_checked();
        if checked.is_none_or(|checked| OffsetDateTime::now_utc() - checked > CHECK_SUBSCRIPTIONS_EVERY) {
            subscriptions::check(run, &self.content_types).await;
        }
        let (found, to_fetch) = mpsc::channel(FOUND_AT_MOST);
        let (rows, to_post) = mpsc::channel(ROWS_AT_MOST);
        let (saver, save) = saving::stage(Arc::clone(run));
        let mut stages = JoinSet::new();
        // The span of the run goes with its stages, so that each line tells the invocation.
        stages.spawn(save.in_current_span());
        let times =
            posting::Times { last_wait: started + request.budget.last_wait, last_answer: request.budget.last_answer() };
        stages.spawn(posting::post_all(Arc::clone(run), to_post, saver, times).in_current_span());
        let new = fetching::Lane::of_new(request.budget);
        stages.spawn(fetching::fetch_all(Arc::clone(run), to_fetch, rows.clone(), new).in_current_span());
        if request.range.is_none() {
            let (pending, to_try_again) = mpsc::channel(FOUND_AT_MOST);
            let lane = fetching::Lane::of_pending(request.budget, started);
            stages.spawn(fetching::fetch_all(Arc::clone(run), to_try_again, rows.clone(), lane).in_current_span());
            stages.spawn(listing::resume(Arc::clone(run), pending).in_current_span());
        }
        drop(rows);
        for content_type in &self.content_types {
            let list = listing::list(Arc::clone(run), *content_type, range.clone(), found.clone());
            stages.spawn(list.in_current_span());
        }
        drop(found);
        while let Some(ended) = stages.join_next().await {
            run.look_at(ended);
        }
        run.note_what_nothing_was_read_of();
        run.progress().finish();
    }
}

/// Tells the stages when the run takes no more work, and returns when it waits for nothing any more.
async fn watch_the_time(run: &Run, budget: Budget, started: Instant) {
    let last_wait = tokio::select! {
        () = tokio::time::sleep_until(started + budget.last_work) => {
            tracing::info!("the budget of the run is used up: it takes no more work");
            started + budget.last_wait
        }
        // The host is gone or going: what is under way has as long as it would have at the end of the budget.
        () = run.stop.cancelled() => (Instant::now() + (budget.last_wait - budget.last_work)).min(started + budget.last_wait),
    };
    run.stop.cancel();
    tokio::select! {
        () = tokio::time::sleep_until(last_wait) => {
            tracing::info!("the time of the run is over: what is still under way is left to the next one");
        }
        () = run.halt.cancelled() => {}
    }
}

impl Run {
    /// How the run stands.
    fn summary(&self, started: Instant) -> Summary {
        let mut summary = Summary { seconds: started.elapsed().as_secs_f64(), ..Summary::default() };
        summary.count(&self.counts, &self.filtered.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let now = OffsetDateTime::now_utc();
        for (content_type, listing) in self.progress().listings() {
            let watermark = listing.watermark();
            let oldest = watermark
                .pending
                .iter()
                .map(|pending| pending.content.created)
                .fold(watermark.listed_through, OffsetDateTime::min);
            summary.content_types.insert(
                content_type,
                TypeSummary {
                    listed_through: watermark.listed_through,
                    lag_seconds: (now - oldest).whole_seconds().max(0),
                    pending: watermark.pending.len(),
                    unfinished: listing.unsettled(),
                    last_content: watermark.last_content,
                    range_through: listing.range_through(),
                },
            );
        }
        summary
    }
}
