//! The places: never more than there are, always one for each run, and all of them back in the end.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::FutureExt as _;
use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;

const OWN: usize = 2;
const SHARED: usize = 3;
const RUNS: usize = 4;

fn limits(runs: usize) -> Limits {
    let bound = Bound::new(OWN, SHARED);
    Limits { runs, bodies: bound, contents: bound, posts: bound, large_records: bound, refused: bound }
}

/// What a run does with its places.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Asks for one, and waits where there is none.
    Ask(usize),
    /// Gives back one that it has.
    GiveBack(usize),
    /// Waits no more.
    Leave(usize),
    /// Is given up with all that it has and waits for, and begun anew.
    End(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..RUNS, 0..10).prop_map(|(run, kind)| match kind {
        0..5 => Step::Ask(run),
        5..8 => Step::GiveBack(run),
        8 => Step::Leave(run),
        _ => Step::End(run),
    });
    prop::collection::vec(step, 0..200)
}

/// A run as the places see it.
struct Asking {
    places: Places,
    held: Vec<Place>,
    waiting: Vec<Pin<Box<dyn Future<Output = Place>>>>,
}

impl Asking {
    fn new(capacity: &Capacity) -> Self {
        Self { places: capacity.share().contents, held: Vec::new(), waiting: Vec::new() }
    }

    fn ask(&mut self) {
        let places = self.places.clone();
        self.waiting.push(Box::pin(async move { places.take().await }));
    }

    /// Takes what it waited for, where that is there.
    fn look(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut still = Vec::new();
        for mut waiting in self.waiting.drain(..) {
            match waiting.as_mut().poll(&mut context) {
                Poll::Ready(place) => self.held.push(place),
                Poll::Pending => still.push(waiting),
            }
        }
        self.waiting = still;
    }
}

proptest! {
    #[test]
    fn each_run_has_its_own_and_all_together_no_more_than_there_are(steps in steps()) {
        let capacity = Capacity::new(limits(RUNS));
        let mut runs: Vec<_> = (0..RUNS).map(|_| Asking::new(&capacity)).collect();
        for step in steps {
            match step {
                Step::Ask(run) => runs[run].ask(),
                Step::GiveBack(run) => drop(runs[run].held.pop()),
                Step::Leave(run) => drop(runs[run].waiting.pop()),
                Step::End(run) => runs[run] = Asking::new(&capacity),
            }
            runs.iter_mut().for_each(Asking::look);
            let held: Vec<_> = runs.iter().map(|run| run.held.len()).collect();
            prop_assert!(held.iter().all(|held| *held <= OWN + SHARED), "{held:?}");
            prop_assert!(held.iter().sum::<usize>() <= RUNS * OWN + SHARED, "{held:?}");
            for run in &runs {
                if !run.waiting.is_empty() {
                    prop_assert!(run.held.len() >= OWN, "it waits for what is its own: {held:?}");
                    prop_assert_eq!(run.places.free(), 0, "it waits for what is free");
                }
            }
        }
        drop(runs);
        prop_assert_eq!(capacity.shared_in_use(), 0);
        prop_assert_eq!(capacity.share().contents.free(), OWN + SHARED);
    }
}

#[test]
fn a_run_by_itself_has_all_and_leaves_each_other_its_own() {
    let capacity = Capacity::default();
    let (big, small) = (capacity.share(), capacity.share());
    for (big, small, bound) in [
        (&big.bodies, &small.bodies, Limits::PROCESS.bodies),
        (&big.contents, &small.contents, Limits::PROCESS.contents),
        (&big.posts, &small.posts, Limits::PROCESS.posts),
        (&big.large_records, &small.large_records, Limits::PROCESS.large_records),
        (&big.refused, &small.refused, Limits::PROCESS.refused),
    ] {
        let all: Vec<_> = std::iter::from_fn(|| big.take_if_free()).collect();
        assert_eq!((all.len(), big.alone()), (bound.alone(), bound.alone()));
        assert!(big.take().now_or_never().is_none());
        let own: Vec<_> = std::iter::from_fn(|| small.take().now_or_never()).collect();
        assert_eq!(own.len(), bound.own, "they are there, whatever the other has");
        assert!(bound.own > 0);
    }
    assert_eq!(capacity.shared_in_use(), 0);
}

#[test]
fn alone_a_run_is_as_wide_as_ever() {
    let Limits { bodies, contents, posts, large_records, refused, .. } = Limits::PROCESS;
    assert_eq!([bodies, contents, posts, large_records, refused].map(Bound::alone), [4, 36, 4, 2, 8]);
}

#[tokio::test]
async fn a_place_comes_back_from_a_task_that_panics_or_is_given_up() {
    let capacity = Capacity::new(limits(1));
    let places = capacity.share().bodies;
    let mut tasks = JoinSet::new();
    for number in 0..OWN + SHARED {
        let place = places.take().await;
        tasks.spawn(async move {
            let _place = place;
            if number % 2 == 0 {
                std::future::pending::<()>().await;
            }
            panic!("as a fault of the program would");
        });
    }
    assert_eq!(places.free(), 0);
    tasks.shutdown().await;
    assert_eq!((places.free(), capacity.shared_in_use()), (OWN + SHARED, 0));
}

#[tokio::test]
async fn runs_begin_first_come_first_served_and_wait_no_longer_than_they_will() {
    const LONG: Duration = Duration::from_secs(600);
    let capacity = Capacity::new(limits(2));
    let past = Instant::now();
    let (first, second) = (capacity.place_for_run(past).await, capacity.place_for_run(past).await);
    assert!(first.is_some() && second.is_some() && capacity.free_for_runs() == 0);
    assert!(capacity.place_for_run(past).await.is_none());
    let mut third = Box::pin(capacity.place_for_run(past + LONG));
    let mut fourth = Box::pin(capacity.place_for_run(past + LONG));
    assert!(third.as_mut().now_or_never().is_none() && fourth.as_mut().now_or_never().is_none());
    drop(second);
    assert!(fourth.as_mut().now_or_never().is_none(), "it came later");
    let third = third.await;
    assert!(third.is_some());
    // Who waits no more does not keep the place from the next.
    drop(fourth);
    drop(first);
    assert!(capacity.clone().place_for_run(past).await.is_some(), "a clone stands for the same");
}
