//! Fetching contents, several at once, and what becomes of those that fail.

use std::{collections::HashMap, sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};
use tracing::Instrument;

use super::{
    budget::Budget,
    capacity::Place,
    listing::Found,
    reading::{Interrupted, Patience, Rows, read},
    run::{Run, add},
};
use crate::{
    content::Content,
    dead_letter::DeadLetter,
    retry::{Backoff, Policy},
    watermark::{Failure, Slot, Verdict},
};

/// How many new contents are under way at once, so that memory does not grow with the backlog. With 50 ms of latency this
/// many reach some 650 contents a second, and with a second of it still the feed's own limit of 2,000 a minute.
/// Each takes one of the run's places, and fewer bodies are worked on at once.
const NEW_AT_ONCE: usize = 36;

/// Beyond the bodies that may be worked on at once, another content is asked for when one was read or this time went by, and
/// a body would find a place at once: many are under way only where answers let wait for them. Each has a connection of its own (over
/// HTTP/1.1), which goes on holding some 400 KB.
const WIDER_AFTER: Duration = Duration::from_millis(5);

/// How many contents that failed in earlier runs are read at once, beside the new ones and their places: they may hang for as
/// long as the run goes on.
const PENDING_AT_ONCE: usize = 2;

/// How often a new content is asked for within a run when its body breaks off.
const BODY_POLICY: Policy = Policy { tries: 3, first: Duration::from_millis(500), longest: Duration::from_secs(5) };

/// How contents are fetched: new ones many at once, those that failed before apart from them, so that they hold up
/// nothing.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    at_once: usize,
    /// Whether each content takes one of the run's places.
    takes_places: bool,
    /// Whether a failure is tried again within the run.
    keeps_up: bool,
    /// How long one content may take before it is set aside for later runs.
    limit: Option<Duration>,
    /// From when on no content is begun, where that is earlier than the run's own end of work.
    until: Option<Instant>,
}

impl Lane {
    /// New contents. One that takes longer than a quarter of the work is set aside, so that a few that hang do not take
    /// every place.
    pub fn of_new(budget: Budget) -> Self {
        Self {
            at_once: NEW_AT_ONCE,
            takes_places: true,
            keeps_up: true,
            limit: Some(budget.last_work / 4),
            until: None,
        }
    }

    /// Contents that failed before. Each gets one try, with all the time that the run has; none is begun after a quarter
    /// of it.
    pub fn of_pending(budget: Budget, started: Instant) -> Self {
        let until = started + budget.last_work / 4;
        Self { at_once: PENDING_AT_ONCE, takes_places: false, keeps_up: false, limit: None, until: Some(until) }
    }

    /// A place for another content, where it needs one.
    async fn place(&self, run: &Run) -> Option<Place> {
        if self.takes_places { Some(run.share.contents.take().await) } else { None }
    }

    fn is_closed(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Fetches what comes in until nothing more can, or the run stops.
pub async fn fetch_all(run: Arc<Run>, mut found: mpsc::Receiver<Found>, rows: mpsc::Sender<Rows>, lane: Lane) {
    let width = lane.at_once.min(run.share.bodies.alone());
    let mut under_way = UnderWay { tasks: JoinSet::new(), found: HashMap::new(), width };
    loop {
        under_way.make_room(&run, lane).await;
        let next = tokio::select! {
            biased;
            () = run.stop.cancelled() => break,
            next = found.recv() => next,
        };
        let Some((slot, content)) = next else { break };
        let is_idle = run.progress().listing(slot.content_type).is_none_or(|listing| listing.is_idle(slot));
        if is_idle || lane.is_closed() {
            continue;
        }
        let place = tokio::select! {
            biased;
            () = run.stop.cancelled() => break,
            place = lane.place(&run) => place,
        };
        let task = fetch(Arc::clone(&run), slot, content.clone(), rows.clone(), lane, place).in_current_span();
        under_way.found.insert(under_way.tasks.spawn(run.tasks.track_future(task)).id(), (slot, content));
    }
    // Listings that wait for room are let go.
    drop(found);
    while let Some(ended) = under_way.tasks.join_next_with_id().await {
        under_way.look_at(&run, ended).await;
    }
}

/// The contents under way.
struct UnderWay {
    tasks: JoinSet<()>,
    found: HashMap<tokio::task::Id, Found>,
    /// How many there may be for now.
    width: usize,
}

impl UnderWay {
    /// Returns once there may be another.
    async fn make_room(&mut self, run: &Run, lane: Lane) {
        while self.tasks.len() >= self.width {
            let next = self.tasks.join_next_with_id();
            let ended = if self.width < lane.at_once { timeout(WIDER_AFTER, next).await } else { Ok(next.await) };
            if run.share.bodies.free() > run.share.bodies.alone() / 2 {
                self.width = (self.width + 1).min(lane.at_once);
            }
            if let Ok(Some(ended)) = ended {
                self.look_at(run, ended).await;
            }
        }
    }

    /// Looks at a fetch that ended. One that panicked is its content's fault alone.
    async fn look_at(&mut self, run: &Run, ended: Result<(tokio::task::Id, ()), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        if let (Some((slot, content)), Err(_)) = (self.found.remove(&id), &ended) {
            give_back(run, slot, &content, Interrupted::Panicked).await;
        }
    }
}

/// Sees to one content, holding its place until then.
async fn fetch(
    run: Arc<Run>,
    slot: Slot,
    content: Content,
    rows: mpsc::Sender<Rows>,
    lane: Lane,
    _place: Option<Place>,
) {
    match read_or_give_up(&run, slot, &content, &rows, lane).await {
        Ok(()) => {
            if let Some(listing) = run.progress().listing(slot.content_type) {
                listing.content_read(slot);
            }
        }
        Err(interrupted) => give_back(&run, slot, &content, interrupted).await,
    }
}

/// Reads a content, several times if need be.
pub async fn read_or_give_up(
    run: &Run,
    slot: Slot,
    content: &Content,
    rows: &mpsc::Sender<Rows>,
    lane: Lane,
) -> Result<(), Interrupted> {
    let mut backoff = Backoff::new(BODY_POLICY);
    let patience = Patience { keeps_up: lane.keeps_up, begun: Instant::now(), limit: lane.limit };
    loop {
        let read = tokio::select! {
            biased;
            () = run.halt.cancelled() => Err(Interrupted::Halted),
            read = read(run, slot, content, rows, patience) => read,
        };
        match read {
            Err(interrupted) if interrupted.is_worth_another_try() && lane.keeps_up && !run.stop.is_cancelled() => {
                let Some(pause) = backoff.pause() else { return Err(interrupted) };
                tokio::select! {
                    () = run.stop.cancelled() => return Err(Interrupted::Halted),
                    () = tokio::time::sleep(pause) => {}
                }
            }
            ended => return ended,
        }
    }
}

impl Interrupted {
    const fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Feed(error) => error.is_retryable() && !error.is_throttled(),
            Self::Split(error) => error.is_retryable(),
            Self::Halted | Self::State(_) | Self::Slow | Self::Panicked => false,
        }
    }

    /// What it says of the content; `None` where it says nothing.
    pub fn into_failure(self) -> Option<Failure> {
        Some(match self {
            Self::Halted | Self::State(_) => return None,
            Self::Feed(error) if error.is_throttled() => return None,
            Self::Feed(error) if error.code() == Some(EXPIRED) => Failure::Expired(error.to_string()),
            Self::Feed(error) if error.is_gone() => Failure::Unreadable(error.to_string()),
            Self::Feed(error) => Failure::Feed(error.to_string()),
            Self::Split(error) => Failure::Unreadable(error.to_string()),
            Self::Slow => Failure::Feed("it was not read within a quarter of the run".to_owned()),
            Self::Panicked => Failure::Unreadable("reading it failed through a fault of Labelstream".to_owned()),
        })
    }
}

/// "Content older than 7 days cannot be retrieved."
const EXPIRED: &str = "AF20051";

/// What becomes of a content that was not read to its end.
async fn give_back(run: &Run, slot: Slot, content: &Content, interrupted: Interrupted) {
    if let Interrupted::State(error) = interrupted {
        return run.fail(error.into());
    }
    let Some(failure) = interrupted.into_failure() else { return };
    let reason = failure.reason();
    tracing::warn!(content = content.id, content_type = %content.content_type, reason, "a content could not be read");
    add(&run.counts.failed, 1);
    let now = OffsetDateTime::now_utc();
    let verdict = run.progress().listing(slot.content_type).map(|listing| listing.content_failed(slot, &failure, now));
    if let Some(Verdict::GiveUp { tries }) = verdict {
        let letter = DeadLetter::content(content.clone(), reason.to_owned(), tries, now);
        match run.bury(&letter).await {
            Ok(()) => {
                if let Some(listing) = run.progress().listing(slot.content_type) {
                    listing.given_up(slot);
                }
            }
            Err(error) => run.fail(error.into()),
        }
    }
}
