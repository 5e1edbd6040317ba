//! A connector inside this process, so that its store can be made to fail: a folder behind a store that refuses, loses
//! answers or hangs when it is told to. The simulator is asked over HTTP as ever.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use labelstream::{
    dead_letter::{self, DeadLetter},
    feed,
    pull::{Budget, Connector, Request, RunFailed, Summary},
    state::{Entry, Expect, Lock, StateError, Store, Version, folder::FolderStore},
};
use labelstream_simulator::{Config, Simulator};
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;

use crate::of_settings;

/// How a call to the store fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It is not carried out.
    Refused,
    /// It is carried out, and its answer is lost.
    AnswerLost,
    /// It never ends.
    Hangs,
    /// It is carried out once another call that is to fail so is under way too.
    Together,
    /// A write of another run, sent long before, arrives right before it.
    Overtaken,
}

/// One failure to come.
#[derive(Debug)]
struct StoreFault {
    call: &'static str,
    part: &'static str,
    /// How many such calls pass before it.
    passing: usize,
    failing: Failing,
}

/// A folder whose calls fail as told.
#[derive(Debug)]
pub struct Flaky {
    below: FolderStore,
    faults: Mutex<Vec<StoreFault>>,
    together: Barrier,
    _folder: tempfile::TempDir,
}

impl Flaky {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let below = FolderStore::open(folder.path()).unwrap();
        Self { below, faults: Mutex::default(), together: Barrier::new(2), _folder: folder }
    }

    /// Of the calls named `call` with a key that `part` is in, the one after `passing` others fails.
    pub fn fail(&self, call: &'static str, part: &'static str, passing: usize, failing: Failing) {
        self.faults.lock().unwrap().push(StoreFault { call, part, passing, failing });
    }

    /// Whether all the failures have come.
    pub fn all_failed(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    fn due(&self, call: &str, key: &str) -> Option<Failing> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter_mut().position(|fault| {
            let fits = fault.call == call && key.contains(fault.part);
            let due = fits && fault.passing == 0;
            fault.passing -= usize::from(fits && !due);
            due
        })?;
        Some(faults.remove(at).failing)
    }

    /// A log grows by an id, and a document is written once more.
    async fn overtake(&self, key: &str) -> Result<(), StateError> {
        let stored = self.below.get(key).await?.map(|(body, _)| body);
        if key.ends_with(".ids") {
            let length = stored.map_or(0, |log| log.len() as u64);
            return self.below.append(key, length, Bytes::from_static(&[7; 16])).await;
        }
        let document = stored.unwrap_or(Bytes::from_static(br#"{"format":1,"contentTypes":{}}"#));
        let document = [document, Bytes::from_static(b"\n")].concat();
        self.below.put(key, document.into(), &Expect::Any).await.map(drop)
    }

    async fn through<T>(
        &self,
        call_name: &str,
        key: &str,
        call: impl Future<Output = Result<T, StateError>>,
    ) -> Result<T, StateError> {
        let unavailable = || StateError::Unavailable { key: key.to_owned(), reason: "HTTP 503".to_owned() };
        match self.due(call_name, key) {
            None => call.await,
            Some(Failing::Refused) => Err(unavailable()),
            Some(Failing::AnswerLost) => call.await.and_then(|_| Err(unavailable())),
            Some(Failing::Hangs) => std::future::pending().await,
            Some(Failing::Together) => {
                self.together.wait().await;
                call.await
            }
            Some(Failing::Overtaken) => {
                self.overtake(key).await?;
                call.await
            }
        }
    }
}

#[async_trait]
impl Store for Flaky {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        self.through("get", key, self.below.get(key)).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        self.through("put", key, self.below.put(key, body, expect)).await
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        self.through("append", key, self.below.append(key, at, block)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StateError> {
        self.through("list", prefix, self.below.list(prefix)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StateError> {
        self.through("delete", key, self.below.delete(key)).await
    }

    async fn lock(&self, key: &str) -> Result<Option<Box<dyn Lock>>, StateError> {
        self.through("lock", key, self.below.lock(key)).await
    }
}

/// A simulated tenant, and a store of its own.
pub struct Inside {
    pub simulator: Simulator,
    pub store: Arc<Flaky>,
}

impl Inside {
    pub async fn new() -> Self {
        Self { simulator: Simulator::start(Config::default()).await.unwrap(), store: Arc::new(Flaky::new()) }
    }

    /// A connector of the tenant, as its settings make it.
    pub fn connector(&self) -> Connector {
        let environment = self.simulator.environment();
        let value = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        of_settings::connector(&value, &feed::http_client().unwrap(), self.store.clone())
    }

    /// One run of `seconds`, told to stop by `stop`.
    pub async fn run_until(&self, seconds: u64, stop: CancellationToken) -> Result<Summary, RunFailed> {
        let budget = Budget::of(Duration::from_secs(seconds));
        Arc::new(self.connector()).run(Request::new(None, budget), stop).await
    }

    /// One run that gives up after some seconds what hangs, and then has all the time that a slow disk needs to save.
    pub async fn run_that_hangs(&self) -> Result<Summary, RunFailed> {
        let seconds = Duration::from_secs;
        let budget = Budget {
            last_work: seconds(3),
            last_post: seconds(4),
            last_answer: seconds(1),
            last_wait: seconds(5),
            end: seconds(60),
        };
        Arc::new(self.connector()).run(Request::new(None, budget), CancellationToken::new()).await
    }

    /// One run of `seconds` by `connector`.
    pub async fn run_with(&self, connector: Connector, seconds: u64) -> Result<Summary, RunFailed> {
        let budget = Budget::of(Duration::from_secs(seconds));
        Arc::new(connector).run(Request::new(None, budget), CancellationToken::new()).await
    }

    /// One run of `seconds`.
    pub async fn run(&self, seconds: u64) -> Result<Summary, RunFailed> {
        self.run_until(seconds, CancellationToken::new()).await
    }

    /// The dead letters.
    pub async fn letters(&self) -> Vec<DeadLetter> {
        let mut letters = Vec::new();
        for entry in self.store.list(&dead_letter::prefix(&self.simulator.tenant().id)).await.unwrap() {
            let (letter, _) = self.store.get(&entry.key).await.unwrap().unwrap();
            letters.push(serde_json::from_slice(&letter).unwrap());
        }
        letters
    }

    /// Asserts that all arrived, and each row once.
    pub fn assert_delivered(&self) {
        let report = self.simulator.report();
        assert!(report.is_clean() && report.surplus_rows == 0 && report.published > 0, "{report:#?}");
    }
}
