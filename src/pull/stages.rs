//! The order of a run: its stages, side by side, and how they begin and end.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    budget::Budget,
    connector::{Connector, Range, Request},
    error::{RunError, RunFailed},
    fetching, listing, lock, names,
    opening::{COUNTING, Opened},
    posting, reading, replay,
    run::Run,
    saving, subscriptions,
    summary::{Summary, TypeSummary},
};
use crate::{
    feed::{
        Window,
        window::{self, REACH, clamped},
    },
    watermark::{Loaded, Progress},
};

/// Contents that are listed and wait to be fetched.
const FOUND_AT_MOST: usize = 64;

/// Pieces of rows that wait for a batch; a piece is what one chunk of a body held.
const ROWS_AT_MOST: usize = 8;

/// How often the subscriptions are listed. In between, the feed's own answer tells of one that is missing.
const CHECK_SUBSCRIPTIONS_EVERY: time::Duration = time::Duration::hours(1);

/// How long tasks that were told to end are waited for before the last save.
const LONGEST_END: Duration = Duration::from_secs(5);

impl Connector {
    /// The work of a run that holds its lock.
    pub(super) async fn run_locked(
        self: &Arc<Self>,
        request: &Request,
        stop: CancellationToken,
        opened: Opened<'_>,
    ) -> Result<Summary, RunFailed> {
        let Opened { lock, started, memory, loaded, letters } = opened;
        let now = OffsetDateTime::now_utc();
        let before = self.feed.budget().counts();
        let is_first = loaded.is_absent;
        let progress = self.progress(loaded, request, now);
        let held_until = started + lock::HOLDS;
        let run = Run::new(Arc::clone(self), progress, memory, request, stop.child_token(), held_until);
        let run = Arc::new(run);
        tokio::select! {
            () = self.carry_out(&run, request, &stop, started, is_first) => {}
            () = async {
                lock::keep(&run, lock, started).await;
                // The run has failed by now, and ends in its own way.
                std::future::pending::<()>().await;
            } => {}
        }

        let errors = run.take_errors();
        let mut summary = run.summary(started);
        self.labels.tell(summary.catalogue.as_ref().and_then(|catalogue| catalogue.trouble.as_deref()));
        summary.count_letters(letters);
        if letters.is_some_and(|before| before.or_more) && summary.dead_letters_removed > 0 {
            // They were not all counted, so that what is left of them cannot be told from those that went.
            summary.dead_letters_in_all = self.count_letters(Instant::now() + COUNTING).await;
        }
        let after = self.feed.budget().counts();
        summary.feed_requests = after.requests - before.requests;
        summary.throttled = after.throttled - before.throttled;
        summary.throttle_wait_seconds += (after.waited - before.waited).as_secs_f64();
        for line in summary.lines() {
            tracing::info!("{line}");
        }
        if errors.is_empty() { Ok(summary) } else { Err(RunFailed { errors, summary: Box::new(summary) }) }
    }

    fn progress(&self, loaded: Loaded, request: &Request, now: OffsetDateTime) -> Progress {
        let lookback = match loaded.lost {
            Some(note) => {
                tracing::warn!("{note}");
                REACH
            }
            None => self.initial_lookback.try_into().unwrap_or(time::Duration::MAX),
        };
        // What lies beyond the feed's reach before the very first run is no loss.
        let (lookback, _) = clamped(now.saturating_sub(lookback), now);
        // A replay lists nothing.
        let content_types = if request.letters.is_some() { &[][..] } else { &self.content_types };
        Progress::new(loaded.document, content_types, lookback, request.range.is_none())
    }

    /// Does the work, as long as the budget lets it, and saves.
    async fn carry_out(
        self: &Arc<Self>,
        run: &Arc<Run>,
        request: &Request,
        told_to_end: &CancellationToken,
        started: Instant,
        is_first: bool,
    ) {
        {
            let work = async {
                let mut stages = Stages { run: Arc::clone(run), tasks: JoinSet::new() };
                // Rows may have to wait for them, and they wait for nothing.
                stages.begin("the label names", names::keep_up(Arc::clone(run)));
                // A start of a subscription that is noted is also made, whatever becomes of the save.
                let (saved, checked) = tokio::join!(first_save(run, is_first), self.check_subscriptions(run, request));
                if saved {
                    self.work(stages, request, started, checked).await;
                } else {
                    run.stop.cancel();
                }
            };
            tokio::pin!(work);
            tokio::select! {
                () = &mut work => {}
                () = watch_the_time(run, request.budget, started) => run.note(RunError::Hung { parts: run.parts() }),
            }
            // What hangs is told to end with `work`. What it was saving is kept by the run.
        }
        if run.stop.is_cancelled() {
            run.cut_short.store(true, Ordering::Relaxed);
        }
        run.stop.cancel();
        run.halt.cancel();
        let budget = request.budget;
        let last_save =
            if told_to_end.is_cancelled() { budget.last_save_after(started.elapsed()) } else { budget.last_save() };
        let last_save = started + last_save;
        let left = last_save.saturating_duration_since(Instant::now());
        // The longer part is for the save.
        if !run.tasks_end((left / 3).min(LONGEST_END)).await {
            tracing::warn!("parts of the run do not end although they were told to; it is saved all the same");
        }
        let names = timeout_at(last_save, names::save(run));
        let (saved, names) = tokio::join!(timeout_at(last_save, saving::save_at_the_end(run)), names);
        if names.is_err() {
            tracing::warn!("the label names were not saved before the end of the run");
        }
        if saved.is_err() {
            run.note(RunError::Broken("the state could not be saved before the end of RUN_BUDGET_SECONDS".to_owned()));
        }
        self.left_over.keep(run.unsaved_records().await);
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

    /// Sees to the subscriptions where that is due. When it was done last.
    async fn check_subscriptions(&self, run: &Arc<Run>, request: &Request) -> Option<OffsetDateTime> {
        let checked = run.progress().subscriptions_checked();
        let is_due = checked.is_none_or(|checked| OffsetDateTime::now_utc() - checked > CHECK_SUBSCRIPTIONS_EVERY);
        if is_due && request.letters.is_none() {
            let _part = run.part("the check of the subscriptions");
            subscriptions::check(run, &self.content_types).await;
        }
        checked
    }

    /// The stages, side by side with those that have begun. Each ends when the one before it has ended. The subscriptions
    /// had been `checked` before.
    async fn work(
        self: &Arc<Self>,
        mut stages: Stages,
        request: &Request,
        started: Instant,
        checked: Option<OffsetDateTime>,
    ) {
        let run = &Arc::clone(&stages.run);
        let (rows, to_post) = mpsc::channel(ROWS_AT_MOST);
        let (saver, save) = saving::stage(Arc::clone(run));
        stages.begin("saving", save);
        let times =
            posting::Times { last_post: started + request.budget.last_post, last_answer: request.budget.last_answer };
        stages.begin("posting", posting::post_all(Arc::clone(run), to_post, saver, times));
        match request.letters.clone() {
            Some(letters) => {
                let lane = fetching::Lane::of_new(request.budget);
                stages.begin("reading dead letters", replay::read_again(Arc::clone(run), letters, rows, lane));
            }
            None => self.read_the_feed(&mut stages, request, started, checked, rows).await,
        }
        while let Some(ended) = stages.tasks.join_next().await {
            run.look_at(ended);
        }
        run.note_what_nothing_was_read_of();
        run.note_that_nothing_was_taken();
        run.progress().finish();
    }

    /// Lists and fetches.
    async fn read_the_feed(
        self: &Arc<Self>,
        stages: &mut Stages,
        request: &Request,
        started: Instant,
        checked: Option<OffsetDateTime>,
        rows: mpsc::Sender<reading::Rows>,
    ) {
        let run = &Arc::clone(&stages.run);
        let range = request.range.map(|range| self.begin_range(run, range, OffsetDateTime::now_utc()));
        let now = OffsetDateTime::now_utc();
        // What an earlier run could not save is saved by this one, even if it finds nothing to send.
        if !self.left_over.is_empty() {
            let _part = run.part("reading what was delivered");
            if let Err(error) = run.know_records().await {
                return run.fail(error.into());
            }
        }
        let (found, to_fetch) = mpsc::channel(FOUND_AT_MOST);
        let new = fetching::Lane::of_new(request.budget);
        stages.begin("fetching", fetching::fetch_all(Arc::clone(run), to_fetch, rows.clone(), new));
        if request.range.is_none() {
            let (pending, to_try_again) = mpsc::channel(FOUND_AT_MOST);
            let lane = fetching::Lane::of_pending(request.budget, started);
            let fetch = fetching::fetch_all(Arc::clone(run), to_try_again, rows, lane);
            stages.begin("fetching what failed before", fetch);
            for content_type in &self.content_types {
                let resume = listing::resume(Arc::clone(run), *content_type, pending.clone());
                stages.begin(format!("handing over what failed before of {content_type}"), resume);
            }
        }
        if checked.is_none_or(|checked| checked.date() != now.date()) {
            stages.begin("forgetting", forget(Arc::clone(run), now));
        }
        for content_type in &self.content_types {
            let list = listing::list(Arc::clone(run), *content_type, range.clone(), found.clone());
            stages.begin(format!("listing {content_type}"), list);
        }
    }
}

/// The stages of a run.
struct Stages {
    run: Arc<Run>,
    tasks: JoinSet<()>,
}

impl Stages {
    /// Begins a stage, which is named while it goes on. The span of the run goes with it, so that each line tells the
    /// invocation.
    fn begin(&mut self, name: impl Into<String>, stage: impl Future<Output = ()> + Send + 'static) {
        let part = self.run.part(name);
        let stage = async move {
            stage.await;
            drop(part);
        };
        self.tasks.spawn(self.run.tasks.track_future(stage.in_current_span()));
    }
}

/// Saves the document of a very first run, before anything is delivered. Whether the run may go on.
async fn first_save(run: &Arc<Run>, is_first: bool) -> bool {
    if !is_first {
        return true;
    }
    let _part = run.part("the first save");
    let saved = saving::save(run, true).await;
    if let Err(error) = saved {
        run.note(error.into());
        return false;
    }
    true
}

/// Removes what was remembered of days that the feed serves no more. Done once a day, the first time that the
/// subscriptions are due on it.
async fn forget(run: Arc<Run>, now: OffsetDateTime) {
    let failed = tokio::select! {
        () = run.stop.cancelled() => return,
        forgotten = run.memory.forget_old(now) => forgotten.err(),
    };
    if let Some(error) = failed {
        // It costs room, and is tried again.
        tracing::warn!(%error, "what is remembered of old days could not be removed");
    }
}

/// Tells the stages when the run takes no more work and when it begins no more POSTs, and returns when it waits for
/// nothing any more.
async fn watch_the_time(run: &Run, budget: Budget, started: Instant) {
    tokio::select! {
        () = sleep_until(started + budget.last_work) => {
            tracing::info!("the budget of the run is used up: it takes no more work");
        }
        // The host is gone or going: what is under way has as long as it would have at the end of the budget.
        () = run.stop.cancelled() => {}
    }
    run.stop.cancel();
    tokio::select! {
        () = sleep_until(started + budget.last_post_after(started.elapsed())) => {
            tracing::info!("the time of the run is over: what is not sent yet is left to the next one");
        }
        () = run.halt.cancelled() => {}
    }
    run.halt.cancel();
    sleep_until(started + budget.last_wait_after(started.elapsed())).await;
}

impl Run {
    /// How the run stands.
    fn summary(&self, started: Instant) -> Summary {
        let mut summary = Summary { seconds: started.elapsed().as_secs_f64(), ..Summary::default() };
        summary.count(&self.counts, &self.filtered.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        summary.catalogue = self.connector.labels.standing(OffsetDateTime::now_utc());
        summary.cut_short = self.cut_short.load(Ordering::Relaxed);
        let now = OffsetDateTime::now_utc();
        summary.letters = self.progress().letters().outcomes();
        for (content_type, listing) in self.progress().listings() {
            let watermark = listing.watermark();
            summary.content_types.insert(
                content_type,
                TypeSummary {
                    listed_through: watermark.listed_through,
                    lag_seconds: (now - watermark.oldest_left()).whole_seconds().max(0),
                    pending: watermark.pending.len(),
                    unfinished: listing.unsettled(),
                    last_content: watermark.last_content,
                    range_through: listing.range_through(),
                    range_stands_still: listing.range_stands_still(),
                },
            );
        }
        summary
    }
}
