//! The runs under way: each in a task of its own, so that it outlives the connection that asked for it.

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{RunFailure, RunReport, Runner, Standing, Trigger};
use crate::telemetry;

/// Begins runs and knows how many there are.
#[derive(Clone)]
pub(super) struct Runs {
    runner: Arc<dyn Runner>,
    shutdown: CancellationToken,
    under_way: watch::Sender<usize>,
}

impl Runs {
    pub(super) fn new(runner: Arc<dyn Runner>, shutdown: CancellationToken) -> Self {
        Self { runner, shutdown, under_way: watch::Sender::new(0) }
    }

    /// Does one run and logs how it ended. `None`: the process is stopping, and nothing was begun.
    ///
    /// Dropped before its end (the connection closed), it tells the run to stop; the run goes on until it has saved.
    pub(super) async fn run(&self, trigger: Trigger) -> Option<Result<RunReport, RunFailure>> {
        // Counted before the look at `shutdown`: what begins after `ended` saw nothing sees that it may not.
        let under_way = UnderWay::new(&self.under_way);
        if self.shutdown.is_cancelled() {
            return None;
        }
        let stop = self.shutdown.child_token();
        let attempt = attempt(Arc::clone(&self.runner), trigger, stop.clone());
        let task = tokio::spawn(
            async move {
                let outcome = attempt.await;
                drop(under_way);
                outcome
            }
            .in_current_span(),
        );
        let asker = Asker { stop, answered: false };
        let outcome = task.await;
        asker.answered();
        Some(outcome.unwrap_or_else(|error| Err(RunFailure { reason: format!("the run was given up: {error}") })))
    }

    /// How the connector stands.
    pub(super) async fn status(&self) -> Standing {
        self.runner.status().await
    }

    /// Waits until no run is under way.
    pub(super) async fn ended(&self) {
        let mut under_way = self.under_way.subscribe();
        // The sender is `self`'s, so the wait cannot fail.
        let _none_left = under_way.wait_for(|runs| *runs == 0).await.is_ok();
    }
}

/// One run, with a panic taken for a failure. Its outcome is logged here, as the one who asked may be gone.
async fn attempt(runner: Arc<dyn Runner>, trigger: Trigger, stop: CancellationToken) -> Result<RunReport, RunFailure> {
    let begun = Instant::now();
    let outcome = telemetry::caught(runner.run(trigger, stop)).await;
    let outcome = outcome.unwrap_or_else(|panic| Err(RunFailure { reason: format!("the run {panic}") }));
    let milliseconds = begun.elapsed().as_millis();
    match &outcome {
        Ok(_) => tracing::info!(milliseconds, "the run is done"),
        Err(failure) => tracing::error!("the run failed after {milliseconds} ms: {failure}"),
    }
    outcome
}

/// Counts a run for as long as it lives.
struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|runs| *runs += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|runs| *runs -= 1);
    }
}

/// The one who waits for a run. If it goes unanswered, its connection closed, and the run is told to stop.
struct Asker {
    stop: CancellationToken,
    answered: bool,
}

impl Asker {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        if !self.answered {
            tracing::warn!("the host closed the connection of this run: it takes no new work and saves");
            self.stop.cancel();
        }
    }
}
