//! A store in memory whose next append fails when it is told to, and futures that never wait.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use bytes::Bytes;
use labelstream::state::{Entry, Expect, Lock, StateError, Store, Version, overlay::Overlay};

/// The least bytes of a full log: an append blob takes 50,000 blocks, and a block has one id at least.
pub const FULL_LOG: usize = 50_000 * 16;

/// How the next append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// Nothing is stored.
    Refused,
    /// It is stored, and the answer is lost.
    AnswerLost,
    /// The log has no room for another block, if it has [`FULL_LOG`] bytes.
    Full,
}

/// The store.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    below: Arc<Overlay>,
    next: Arc<Mutex<Option<Failing>>>,
}

impl Shelf {
    /// Makes the next append fail.
    pub fn fail_next(&self, failing: Failing) {
        *self.next.lock().unwrap() = Some(failing);
    }

    /// Lets the next append pass.
    pub fn mend(&self) {
        *self.next.lock().unwrap() = None;
    }
}

#[async_trait]
impl Store for Shelf {
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, StateError> {
        self.below.get(key).await
    }

    async fn put(&self, key: &str, body: Bytes, expect: &Expect) -> Result<Version, StateError> {
        self.below.put(key, body, expect).await
    }

    async fn append(&self, key: &str, at: u64, block: Bytes) -> Result<(), StateError> {
        let unavailable = || StateError::Unavailable { key: key.to_owned(), reason: "HTTP 503".to_owned() };
        let stored = self.get(key).await?.map(|(log, _)| log).unwrap_or_default();
        // The repeat of an append that was stored and whose answer was lost.
        if usize::try_from(at).is_ok_and(|at| stored.get(at..) == Some(&block[..])) {
            return Ok(());
        }
        let failing = self.next.lock().unwrap().take();
        match failing {
            None => self.below.append(key, at, block).await,
            Some(Failing::Refused) => Err(unavailable()),
            Some(Failing::AnswerLost) => {
                self.below.append(key, at, block).await?;
                Err(unavailable())
            }
            Some(Failing::Full) if stored.len() >= FULL_LOG => Err(StateError::Full { key: key.to_owned() }),
            Some(Failing::Full) => self.below.append(key, at, block).await,
        }
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

/// The value of a future that has nothing to wait for.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store in memory made its caller wait"),
    }
}
