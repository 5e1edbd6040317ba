//! How many requests are under way at once, of one simulator or of several together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::requests::Endpoint;

/// Counts the requests that came in and are not answered yet. A clone counts the same: simulators whose configurations have
/// clones of one are counted together.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<Mutex<BTreeMap<Endpoint, Count>>>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    now: usize,
    most: usize,
}

impl UnderWay {
    /// The most requests to `endpoint` that were under way at once.
    #[must_use]
    pub fn most(&self, endpoint: Endpoint) -> usize {
        self.counts().get(&endpoint).map_or(0, |count| count.most)
    }

    /// How many requests to `endpoint` are under way.
    #[must_use]
    pub fn now(&self, endpoint: Endpoint) -> usize {
        self.counts().get(&endpoint).map_or(0, |count| count.now)
    }

    /// A request came in; it is under way until what is returned is dropped.
    pub(crate) fn begin(&self, endpoint: Endpoint) -> Counted {
        let mut counts = self.counts();
        let count = counts.entry(endpoint).or_default();
        count.now += 1;
        count.most = count.most.max(count.now);
        Counted { by: self.clone(), endpoint }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Endpoint, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Counted {
    by: UnderWay,
    endpoint: Endpoint,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(count) = self.by.counts().get_mut(&self.endpoint) {
            count.now -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_at_once_stays_when_they_are_answered() {
        let under_way = UnderWay::default();
        let first = under_way.begin(Endpoint::List);
        let both = (under_way.clone().begin(Endpoint::List), under_way.begin(Endpoint::Ingest));
        drop(first);
        let third = under_way.begin(Endpoint::List);
        assert_eq!((under_way.now(Endpoint::List), under_way.most(Endpoint::List)), (2, 2));
        drop((both, third));
        assert_eq!((under_way.now(Endpoint::List), under_way.most(Endpoint::List)), (0, 2));
        assert_eq!(under_way.most(Endpoint::Ingest), 1);
    }
}
