//! Saves that go on at once, over a store whose appends wait until they are let go on.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::*;
use crate::{
    pull::{lock::HOLDS, run::tests::run_over},
    state::{Entry, Expect, Lock, Store, Version, overlay::Overlay},
};

/// A store in memory. An append to a key that is held waits; the one after [`Held::fail_next`] fails.
#[derive(Debug, Default)]
struct Held {
    below: Overlay,
    held: Mutex<BTreeSet<String>>,
    released: Notify,
    begun: Notify,
    fails: AtomicBool,
}

impl Held {
    fn hold(&self, log: &str) {
        self.held.lock().unwrap().insert(log.to_owned());
    }

    fn release(&self, log: &str) {
        self.held.lock().unwrap().remove(log);
        self.released.notify_waiters();
    }

    async fn ids(&self, log: &str) -> Vec<Id> {
        self.below.get(log).await.unwrap().map(|(body, _)| body.as_chunks::<16>().0.to_vec()).unwrap_or_default()
    }

    async fn has_document(&self) -> bool {
        self.below.get("t/watermark.json").await.unwrap().is_some()
    }
}

#[async_trait]
impl Store for Held {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        self.below.get(key).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        self.below.put(key, body, expect).await
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        self.begun.notify_one();
        loop {
            let released = self.released.notified();
            if !self.held.lock().unwrap().contains(key) {
                break;
            }
            released.await;
        }
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(StateError::Unavailable { key: key.to_owned(), reason: "HTTP 503".to_owned() });
        }
        self.below.append(key, at, block).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        self.below.list(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        self.below.delete(key).await
    }

    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        self.below.lock(key).await
    }
}

/// A run over a store, the way to its saving stage, and the keys of today's logs of records.
struct Started {
    store: Arc<Held>,
    run: Arc<Run>,
    saver: Saver,
    stage: tokio::task::JoinHandle<()>,
    logs: [String; RECORD_LOGS],
}

async fn start() -> Started {
    let store = Arc::new(Held::default());
    let run = Arc::new(run_over(store.clone(), Instant::now() + HOLDS));
    run.know_records().await.unwrap();
    let (saver, save) = stage(Arc::clone(&run));
    let day = OffsetDateTime::now_utc().date();
    let logs = ["", ".1"].map(|part| format!("t/records/{day}{part}.ids"));
    Started { store, run, saver, stage: tokio::spawn(save), logs }
}

/// The same, with a record whose save in the first log goes on until that is released.
async fn start_with_a_save_under_way() -> (Started, tokio::task::JoinHandle<()>) {
    let it = start().await;
    it.store.hold(&it.logs[0]);
    it.answer(1);
    let first = it.ask();
    it.store.begun.notified().await;
    (it, first)
}

impl Started {
    fn answer(&self, record: u8) {
        self.run.progress().accepted(&[[record; 16]], OffsetDateTime::now_utc());
    }

    /// Asks the stage to save.
    fn ask(&self) -> tokio::task::JoinHandle<()> {
        let saver = self.saver.clone();
        tokio::spawn(async move { saver.saved().await })
    }
}

#[tokio::test]
async fn a_save_does_not_wait_for_the_one_before_and_is_told_after_it() {
    let (it, first) = start_with_a_save_under_way().await;
    it.answer(2);
    let second = it.ask();
    while it.store.ids(&it.logs[1]).await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(it.store.ids(&it.logs[1]).await, [[2; 16]]);
    assert!(!first.is_finished() && !second.is_finished() && it.store.ids(&it.logs[0]).await.is_empty());
    it.store.release(&it.logs[0]);
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(it.store.ids(&it.logs[0]).await, [[1; 16]]);
}

#[tokio::test]
async fn whoever_asks_when_an_earlier_save_has_his_records_waits_for_that_one() {
    let it = start().await;
    it.store.hold(&it.logs[0]);
    it.answer(1);
    it.answer(2);
    let first = it.ask();
    it.store.begun.notified().await;
    // The answer to the second batch came before the first save took what there was.
    let second = it.ask();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!first.is_finished() && !second.is_finished());
    it.store.release(&it.logs[0]);
    second.await.unwrap();
    assert_eq!(it.store.ids(&it.logs[0]).await, [[1; 16], [2; 16]]);
}

#[tokio::test]
async fn the_document_is_saved_when_no_other_save_goes_on() {
    for other in 0..RECORD_LOGS {
        let (it, _first) = start_with_a_save_under_way().await;
        it.store.hold(&it.logs[1]);
        it.answer(2);
        let _second = it.ask();
        it.store.begun.notified().await;
        it.store.release(&it.logs[1 - other]);
        while it.store.ids(&it.logs[1 - other]).await.is_empty() {
            tokio::task::yield_now().await;
        }
        let run = Arc::clone(&it.run);
        let all = tokio::spawn(async move { save(&run, true).await });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!all.is_finished() && !it.store.has_document().await, "a save goes on in log {other}");
        it.store.release(&it.logs[other]);
        all.await.unwrap().unwrap();
        assert!(it.store.has_document().await);
    }
}

#[tokio::test]
async fn what_was_under_way_when_a_save_failed_is_saved_at_the_end() {
    let (it, first) = start_with_a_save_under_way().await;
    it.store.hold(&it.logs[1]);
    it.answer(2);
    let second = it.ask();
    it.store.begun.notified().await;
    it.store.fails.store(true, Ordering::SeqCst);
    it.store.release(&it.logs[0]);
    it.stage.await.unwrap();
    first.await.unwrap();
    second.await.unwrap();
    assert!(it.run.halt.is_cancelled() && it.store.ids(&it.logs[1]).await.is_empty());
    it.store.release(&it.logs[1]);
    save_at_the_end(&it.run).await;
    assert_eq!(it.store.ids(&it.logs[0]).await, [[1; 16]]);
    assert_eq!(it.store.ids(&it.logs[1]).await, [[2; 16]]);
    assert!(it.run.unsaved_records().await.is_empty());
}
