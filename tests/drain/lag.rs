//! How long what is published waits until it has arrived.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Publications that have not arrived, and how long those waited that have.
#[derive(Debug, Default)]
pub struct Lags {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<String, Vec<Instant>>,
    /// When it was published, and how long it waited.
    closed: Vec<(Instant, Duration)>,
}

impl Lags {
    /// The tenant publishes something.
    pub fn published(&self, tenant: &str, at: Instant) {
        self.inner.lock().unwrap().open.entry(tenant.to_owned()).or_default().push(at);
    }

    /// Whether something of the tenant has not arrived yet.
    pub fn waits(&self, tenant: &str) -> bool {
        self.inner.lock().unwrap().open.contains_key(tenant)
    }

    /// All of the tenant has arrived by `now`.
    pub fn arrived(&self, tenant: &str, now: Instant) {
        let mut inner = self.inner.lock().unwrap();
        let since = inner.open.remove(tenant).unwrap_or_default();
        inner.closed.extend(since.into_iter().map(|since| (since, now - since)));
    }

    /// How long those waited that were published before `until`.
    pub fn of(&self, until: Instant) -> Vec<Duration> {
        let inner = self.inner.lock().unwrap();
        inner.closed.iter().filter(|(since, _)| *since < until).map(|(_, waited)| *waited).collect()
    }
}
