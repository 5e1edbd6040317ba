//! Sees a batch through: posts, waits, splits, and reports what became of every row.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Blame, IngestionClient, IngestionError, Interruption, Patience, Plan, Refused, patience::Borne};
use crate::batch::Batch;

/// What became of a batch. Rows that are neither accepted nor refused are still to be delivered.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Indexes of the rows that were answered with 2xx, ascending.
    pub accepted: Vec<usize>,
    /// Rows that are not accepted however they are sent, by index: for the dead letters.
    pub refused: Vec<Refused>,
    /// Why the delivery ended before every row was accepted or refused.
    pub stopped: Option<IngestionError>,
    /// POSTs that were begun.
    pub posts: u32,
    /// POSTs that ended without an answer although their rows may have arrived: those rows may be there twice.
    pub unanswered: u32,
    /// Compressed bytes of the bodies posted, every try counted.
    pub bytes_sent: u64,
    /// Uncompressed bytes of the accepted arrays.
    pub bytes_rows: u64,
    /// Time that was spent waiting because the service throttled.
    pub throttled_wait: Duration,
}

/// What lets a delivery go on.
#[derive(Clone, Copy)]
pub struct Leave<'a> {
    /// No POST is begun once this is cancelled.
    pub stop: &'a CancellationToken,
    /// No POST is begun from here on, and no pause that would outlast it.
    pub deadline: Instant,
    /// Asked right before each POST; `false` stops the delivery as [`Leave::stop`] does.
    pub still: &'a (dyn Fn() -> bool + Send + Sync),
}

/// Delivers `batch`: every row is accepted, or refused by itself, unless the delivery is stopped.
///
/// POSTs are begun as long as `leave` lets them; a POST under way when it stops has [`Patience::last_answer`] left. What
/// was accepted until then is reported as accepted.
///
/// - 413 halves the rows; a row that is too large by itself is refused.
/// - 400 halves them as well, until the bad rows are found and refused. Where by `blame` it may be the endpoint, and it
///   is not the rows ([`IngestionError::EveryRowRefused`]), none is refused.
/// - [`IngestionError::ManyRefused`] stops a batch that costs too many POSTs.
/// - 401 asks for one new token; a second 401 stops, as 403 and 404 do.
/// - 429, 5xx and broken connections are tried again within `patience`, and stop when it is exhausted. Throttling
///   holds every delivery of the same client.
pub async fn deliver<T>(
    client: &IngestionClient,
    batch: &Batch<T>,
    blame: Blame,
    patience: &Patience,
    leave: &Leave<'_>,
) -> Delivery {
    let mut courier =
        Courier { client, borne: Borne::new(*patience), last: None, leave: *leave, delivery: Delivery::default() };
    let mut plan = Plan::new(batch.len(), blame);
    let outcome = courier.follow(&mut plan, |part| batch.array(part)).await;
    let mut delivery = courier.delivery;
    delivery.stopped = outcome.err();
    (delivery.accepted, delivery.refused) = plan.finish();
    delivery
}

/// A delivery under way.
struct Courier<'a> {
    client: &'a IngestionClient,
    borne: Borne,
    /// The failure after which the POST at hand is tried again.
    last: Option<Box<IngestionError>>,
    leave: Leave<'a>,
    delivery: Delivery,
}

impl Courier<'_> {
    /// Posts what `plan` says until nothing is left of it. `array` gives the rows of a part as a JSON array.
    async fn follow(&mut self, plan: &mut Plan, array: impl Fn(&Range<usize>) -> Bytes) -> Result<(), IngestionError> {
        while let Some(part) = plan.next() {
            let array = array(&part);
            let array_bytes = array.len() as u64;
            match self.post(self.client.pack(array).await?).await {
                Ok(()) => {
                    plan.accept();
                    self.delivery.bytes_rows += array_bytes;
                }
                Err(error @ IngestionError::TooLarge(_)) => plan.too_large(error.to_string()),
                Err(error @ IngestionError::BadRequest(_)) => {
                    let reason = error.to_string();
                    if let Err(systematic) = plan.bad_request(reason.clone()) {
                        return Err(IngestionError::EveryRowRefused { rows: systematic.rows, reason });
                    }
                }
                Err(error) => return Err(error),
            }
            self.borne.forget();
            self.last = None;
            if plan.is_exhausted() && plan.next().is_some() {
                return Err(IngestionError::ManyRefused);
            }
        }
        Ok(())
    }

    /// Posts `body` until there is an answer to its rows, or no use in trying again.
    async fn post(&mut self, body: Bytes) -> Result<(), IngestionError> {
        let mut answered = Instant::now();
        loop {
            self.wait_while_held(answered).await?;
            let Err(error) = self.post_once(body.clone()).await else { return Ok(()) };
            answered = Instant::now();
            self.delivery.unanswered += u32::from(error.maybe_sent());
            let Some(pause) = self.borne.pause(&error) else { return Err(error) };
            tracing::warn!(%error, pause_ms = pause.as_millis(), "rows were not accepted; trying again");
            let is_throttled = matches!(error, IngestionError::Throttled { .. });
            self.last = Some(Box::new(error));
            if is_throttled {
                self.client.hold(answered + pause);
            } else {
                self.pause_until(answered + pause).await?;
            }
        }
    }

    /// Makes one POST, unless it is too late for it.
    async fn post_once(&mut self, body: Bytes) -> Result<(), IngestionError> {
        if self.leave.stop.is_cancelled() || !(self.leave.still)() {
            return Err(self.interrupted(Interruption::Stop, false));
        }
        if Instant::now() >= self.leave.deadline {
            return Err(self.interrupted(Interruption::Deadline, false));
        }
        let (Leave { stop, deadline, .. }, last_answer) = (self.leave, self.borne.last_answer());
        let bytes = body.len() as u64;
        let overdue = async {
            let why = tokio::select! {
                () = stop.cancelled() => Interruption::Stop,
                () = sleep_until(deadline) => Interruption::Deadline,
            };
            sleep(last_answer).await;
            why
        };
        let answer = tokio::select! {
            biased;
            answer = self.client.post(body) => answer,
            why = overdue => Err(self.interrupted(why, true)),
        };
        if !matches!(answer, Err(IngestionError::NoToken(_))) {
            self.delivery.posts += 1;
            self.delivery.bytes_sent += bytes;
        }
        answer
    }

    /// Waits until no 429, of this delivery or another one, holds the client any more. Nothing was posted since
    /// `since`, so that this is when the wait began.
    async fn wait_while_held(&mut self, since: Instant) -> Result<(), IngestionError> {
        let mut outcome = Ok(());
        let mut waited_for = since;
        while let Some(until) = self.client.held_until().filter(|until| *until > waited_for && outcome.is_ok()) {
            outcome = self.pause_until(until).await;
            waited_for = until;
        }
        if waited_for > since {
            self.delivery.throttled_wait += since.elapsed();
        }
        outcome
    }

    /// Waits until `until`. Where the deadline is not after that, there is nothing to wait for.
    async fn pause_until(&mut self, until: Instant) -> Result<(), IngestionError> {
        if until >= self.leave.deadline {
            return Err(self.interrupted(Interruption::Deadline, false));
        }
        tokio::select! {
            biased;
            () = self.leave.stop.cancelled() => Err(self.interrupted(Interruption::Stop, false)),
            () = sleep_until(until) => Ok(()),
        }
    }

    fn interrupted(&mut self, why: Interruption, maybe_sent: bool) -> IngestionError {
        IngestionError::Interrupted { why, last: self.last.take(), maybe_sent }
    }
}
