//! How a run begins and ends around its work: it takes the lock, reads what it goes on from, and gives the lock back.

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    connector::{Connector, Request},
    error::RunFailed,
    summary::Summary,
    tokens,
};
use crate::{
    dead_letter::{self, Number},
    state::{Lock, StateError},
    watermark::{Loaded, Memory},
};

/// How long taking the lock and reading the document may take, so that the lock still holds when its renewal begins.
const OPENING: Duration = Duration::from_secs(30);

/// How long giving back the lock may take.
const RELEASE: Duration = Duration::from_secs(5);

/// How long counting the dead letters may take.
pub(super) const COUNTING: Duration = Duration::from_secs(5);

/// A run that holds its lock. It is to be worked off once, and then gives the lock back.
#[derive(Debug)]
pub struct Begun {
    connector: Arc<Connector>,
    request: Request,
    lock: Box<dyn Lock>,
    started: Instant,
    /// By when its work is to begin.
    opened: Instant,
    /// The tokens that are asked for ahead, as long as somebody may need them.
    _tokens: JoinSet<()>,
}

/// What a run goes on from.
pub(super) struct Opened<'a> {
    pub lock: &'a dyn Lock,
    pub started: Instant,
    pub memory: Memory,
    pub loaded: Loaded,
    /// How many dead letters lie there.
    pub letters: Option<Number>,
}

impl Connector {
    /// One run: [`Connector::begin`], [`Begun::work`] and [`Begun::give_back`].
    ///
    /// # Errors
    /// As for the first two.
    pub async fn run(self: &Arc<Self>, request: Request, stop: CancellationToken) -> Result<Summary, RunFailed> {
        let Some(begun) = self.begin(request).await? else { return Ok(Summary::of_another_run()) };
        let result = begun.work(stop).await;
        begun.give_back().await;
        result
    }

    /// Takes the lock for a run, which is to be given back once it was worked off; `None` where another run is under way.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn begin(self: &Arc<Self>, request: Request) -> Result<Option<Begun>, RunFailed> {
        // The lock and the budget are counted from before the lock was asked for: an answer may take its time.
        let started = Instant::now();
        let opened = started + OPENING.min(request.budget.last_work);
        let key = Memory::lock_key(&self.tenant);
        let tokens = tokens::ahead(self, &request);
        let lock = match timeout_at(opened, self.store.lock(&key)).await {
            Ok(Ok(Some(lock))) => lock,
            Ok(Ok(None)) => return Ok(None),
            Ok(Err(error)) => return Err(RunFailed::at_once(error)),
            Err(_) => return Err(RunFailed::at_once(no_answer(key))),
        };
        Ok(Some(Begun { connector: Arc::clone(self), request, lock, started, opened, _tokens: tokens }))
    }

    /// How many dead letters lie there. Not to know it is no failure.
    pub(super) async fn count_letters(&self, until: Instant) -> Option<Number> {
        match timeout_at(until, dead_letter::count(self.store.as_ref(), &self.tenant)).await {
            Ok(Ok(number)) => Some(number),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the dead letters could not be counted");
                None
            }
            Err(_) => {
                tracing::warn!("the dead letters were not counted in time");
                None
            }
        }
    }
}

impl Begun {
    /// The work of the run. All is saved when this returns, whatever came of it; `stop` makes it end early, saved.
    ///
    /// # Errors
    /// What kept the run from doing its work, one or several things. A run that found nothing, or is not done yet, is
    /// no error.
    pub async fn work(&self, stop: CancellationToken) -> Result<Summary, RunFailed> {
        let Self { connector, request, lock, started, opened, .. } = self;
        let memory = Memory::new(Arc::clone(&connector.store), &connector.tenant);
        let counted = *started + COUNTING.min((*opened - *started) / 2);
        // Counted under the lock and before anything is added, so that the run can tell how many there are at its end.
        let opening =
            async { tokio::join!(memory.load_document(OffsetDateTime::now_utc()), connector.count_letters(counted)) };
        match timeout_at(*opened, opening).await {
            Ok((Ok(loaded), letters)) => {
                let opened = Opened { lock: lock.as_ref(), started: *started, memory, loaded, letters };
                connector.run_locked(request, stop, opened).await
            }
            Ok((Err(error), _)) => Err(RunFailed::at_once(error)),
            Err(_) => Err(RunFailed::at_once(no_answer(Memory::document_key(&connector.tenant)))),
        }
    }

    /// Gives back the lock. That it could not be is told in the log: it runs out by itself.
    pub async fn give_back(self) {
        let until = (Instant::now() + RELEASE).min(self.started + self.request.budget.end);
        match timeout_at(until, self.lock.release()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the lock could not be given back"),
            Err(_) => tracing::warn!("the lock could not be given back in time"),
        }
    }
}

/// The storage did not answer before the run could begin.
fn no_answer(key: String) -> StateError {
    StateError::Unavailable { key, reason: "the storage did not answer in time; the next run tries again".to_owned() }
}
