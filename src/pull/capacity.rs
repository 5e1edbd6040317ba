//! What all runs of a process share: how many there are at once, and how much they do at once together.
//!
//! Each run has a few places of its own, so that it always goes on, whatever the others wait for. What it does beyond
//! those takes places that all runs share, where they are free, and gives each back as soon as what it was for is done. So a
//! run by itself has all of them, and a small one never waits for a big one.
//!
//! Nothing that a run does with a place waits for a place of another run, so that no two can wait for each other. A place is
//! given back when it is dropped, also by a panic and where a run that hangs is given up.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::refusals::HELD_BATCHES;
use crate::{batch::Spares, watermark::Id};

/// How much the runs of a process do at once: of each kind, what a run has for itself and what all share beside that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Runs at work.
    pub runs: usize,
    /// Bodies that are worked on, of those that were answered. One of them holds up to 1.2 MB of what came in (a
    /// connection reads some 400 KB ahead, twice), one that waits for its place a third of it.
    pub bodies: Bound,
    /// New contents that are under way, from the request to the end of the body, which take a connection each over
    /// HTTP/1.1, with what it reads ahead.
    pub contents: Bound,
    /// Batches that are posted, a megabyte each and what it is packed to.
    pub posts: Bound,
    /// Records over half a megabyte that are held, each of which may take some ten megabytes until it is a row.
    pub large_records: Bound,
    /// Batches of which every row was refused that are held until the endpoint takes others, or is to blame.
    pub refused: Bound,
}

/// How much of one kind there is at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Places that each run has for itself.
    pub own: usize,
    /// Places that all runs share beside those.
    pub shared: usize,
}

impl Bound {
    const fn new(own: usize, shared: usize) -> Self {
        Self { own, shared }
    }

    /// How many a run has that is by itself.
    #[must_use]
    pub const fn alone(self) -> usize {
        self.own + self.shared
    }
}

impl Limits {
    /// What fits into 128 MiB with two dozen runs. A run by itself has 4 bodies, and more would not be faster: the
    /// records are worked on by one thread. It has 4 posts, the most that a
    /// kill can make it send again, and 36 contents under way, which mostly wait for answers.
    pub const PROCESS: Self = Self {
        runs: 24,
        bodies: Bound::new(1, 3),
        contents: Bound::new(2, 34),
        posts: Bound::new(1, 3),
        large_records: Bound::new(1, 1),
        refused: Bound::new(1, HELD_BATCHES - 1),
    };
}

/// What the runs of a process share. There is one for each process; a clone stands for the same.
#[derive(Debug, Clone)]
pub struct Capacity {
    limits: Limits,
    runs: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    contents: Arc<Semaphore>,
    posts: Arc<Semaphore>,
    large_records: Arc<Semaphore>,
    refused: Arc<Semaphore>,
    spares: Spares<Id>,
}

impl Capacity {
    /// Room for as much as `limits` say.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let places = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self {
            limits,
            runs: places(limits.runs),
            bodies: places(limits.bodies.shared),
            contents: places(limits.contents.shared),
            posts: places(limits.posts.shared),
            large_records: places(limits.large_records.shared),
            refused: places(limits.refused.shared),
            spares: Spares::default(),
        }
    }

    /// What it was made with.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// A place for a run, first come first served; `None` where none was free by `until`. A run itself does not ask for
    /// it: whoever begins several at once does, and holds it until the run has ended.
    pub async fn place_for_run(&self, until: Instant) -> Option<Place> {
        timeout_at(until, Place::among(&self.runs)).await.ok()
    }

    /// How many runs may begin at once.
    #[must_use]
    pub fn free_for_runs(&self) -> usize {
        self.runs.available_permits()
    }

    /// How many of the places that all runs share are taken.
    #[must_use]
    pub fn shared_in_use(&self) -> usize {
        let Limits { bodies, contents, posts, large_records, refused, .. } = self.limits;
        let places = [
            (bodies, &self.bodies),
            (contents, &self.contents),
            (posts, &self.posts),
            (large_records, &self.large_records),
            (refused, &self.refused),
        ];
        places.into_iter().map(|(bound, free)| bound.shared - free.available_permits()).sum()
    }

    /// The share of one run.
    pub(super) fn share(&self) -> Share {
        let places = |bound: Bound, shared: &Arc<Semaphore>| Places {
            own: Arc::new(Semaphore::new(bound.own)),
            shared: Arc::clone(shared),
            alone: bound.alone(),
        };
        Share {
            bodies: places(self.limits.bodies, &self.bodies),
            contents: places(self.limits.contents, &self.contents),
            posts: places(self.limits.posts, &self.posts),
            large_records: places(self.limits.large_records, &self.large_records),
            refused: places(self.limits.refused, &self.refused),
            spares: self.spares.clone(),
        }
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self::new(Limits::PROCESS)
    }
}

/// What one run may do at once.
#[derive(Debug)]
pub(super) struct Share {
    pub bodies: Places,
    pub contents: Places,
    pub posts: Places,
    pub large_records: Places,
    pub refused: Places,
    /// Buffers of batches that were answered.
    pub spares: Spares<Id>,
}

/// The places of one kind that a run may take.
#[derive(Debug, Clone)]
pub(super) struct Places {
    own: Arc<Semaphore>,
    shared: Arc<Semaphore>,
    alone: usize,
}

impl Places {
    /// Takes a place: one of the run's own where there is one, else a shared one; else the first of either that is given
    /// back.
    pub async fn take(&self) -> Place {
        tokio::select! {
            biased;
            own = Place::among(&self.own) => own,
            shared = Place::among(&self.shared) => shared,
        }
    }

    /// As [`Places::take`], where a place is free.
    pub fn take_if_free(&self) -> Option<Place> {
        let own = Arc::clone(&self.own).try_acquire_owned();
        let permit = own.or_else(|_| Arc::clone(&self.shared).try_acquire_owned()).ok()?;
        Some(Place { _permit: Some(permit) })
    }

    /// How many could be taken at once.
    pub fn free(&self) -> usize {
        self.own.available_permits() + self.shared.available_permits()
    }

    /// How many a run has that is by itself.
    pub const fn alone(&self) -> usize {
        self.alone
    }
}

/// A place that was taken. Dropped, it is given back.
#[derive(Debug)]
#[must_use = "dropped, it is given back"]
pub struct Place {
    /// `None` where the semaphore was closed, which none of these ever is.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    async fn among(places: &Arc<Semaphore>) -> Self {
        Self { _permit: Arc::clone(places).acquire_owned().await.ok() }
    }
}

#[cfg(test)]
#[path = "capacity_tests.rs"]
mod tests;
