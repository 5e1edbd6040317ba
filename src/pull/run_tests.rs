//! A run whose parts are tried out by themselves.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use time::OffsetDateTime;
use url::Url;

use super::*;
use crate::{
    feed::{self, FeedClient, Limits},
    identity::{IdentityError, Token, TokenSource},
    labels::Keeper,
    pull::{Budget, Capacity, LeftOver, Sink, lock::HOLDS},
    record::Filter,
    state::{Store, overlay::Overlay},
    watermark::Document,
};

#[derive(Debug)]
struct NoTokens;

#[async_trait]
impl TokenSource for NoTokens {
    async fn token(&self) -> Result<Token, IdentityError> {
        Err(IdentityError { audience: "the feed".to_owned(), reason: "none is asked for here".to_owned() })
    }

    fn refuse(&self, _: &Token) {}
}

/// A run whose lock holds until `held_until`.
pub fn run(held_until: Instant) -> Run {
    run_over(Arc::new(Overlay::default()), held_until)
}

/// The same with its state in `store`.
pub fn run_over(store: Arc<dyn Store>, held_until: Instant) -> Run {
    let base = Url::parse("https://manage.office.com").unwrap();
    let budget = Arc::new(feed::Budget::new(Limits::SERVICE));
    let connector = Connector {
        tenant: "t".to_owned(),
        feed: FeedClient::new(feed::http_client().unwrap(), &base, "t", "t", Arc::new(NoTokens), budget).unwrap(),
        filter: Filter::default(),
        labels: Keeper::off(),
        sink: Sink::Nowhere,
        store: store.clone(),
        content_types: Vec::new(),
        initial_lookback: Duration::ZERO,
        left_over: LeftOver::default(),
        capacity: Capacity::default(),
    };
    let progress = Progress::new(Document::default(), &[], OffsetDateTime::UNIX_EPOCH, true);
    let stop = CancellationToken::new();
    Run::new(
        Arc::new(connector),
        progress,
        Memory::new(store, "t"),
        &Request::new(None, Budget::unlimited()),
        stop,
        held_until,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_was_aborted_is_waited_for_until_it_is_gone() {
    let run = run(Instant::now() + HOLDS);
    let (begun, is_begun) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let wrote = Arc::new(AtomicU32::new(0));
    let mut stages = tokio::task::JoinSet::new();
    let writes = Arc::clone(&wrote);
    stages.spawn(run.tasks.track_future(async move {
        begun.send(()).unwrap();
        // In the middle of a step: no abort reaches it here.
        may_go_on.recv().unwrap();
        writes.store(1, Ordering::SeqCst);
    }));
    is_begun.await.unwrap();
    drop(stages);
    assert!(!run.tasks_end(Duration::ZERO).await);
    let (ended, ()) = tokio::join!(run.tasks_end(HOLDS), async { go_on.send(()).unwrap() });
    assert!(ended && wrote.load(Ordering::SeqCst) == 1, "nothing is written after this");
}

#[tokio::test]
async fn a_process_that_was_frozen_finds_out_before_it_sends_or_saves() {
    let run = run(Instant::now() + HOLDS);
    assert!(run.check_lock().is_ok());
    run.hold_until(Instant::now());
    let saved = crate::pull::saving::save(&run, true).await;
    assert!(matches!(saved, Err(StateError::LockLost { .. })), "{saved:?}");
    assert!(run.check_lock().is_err() && run.stop.is_cancelled() && run.halt.is_cancelled());
    assert_eq!(run.take_errors().len(), 1, "it is told once");
}
