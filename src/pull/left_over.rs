//! Records whose rows were answered and could not be saved: the storage was away when the run ended. As long as the
//! process lives its later runs know them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::watermark::Id;

/// What the runs of a process leave to the next one: at most what was in flight when one failed. A clone is the same: a
/// connector that takes the place of another, for the same tenant, goes on with what that left.
#[derive(Debug, Clone, Default)]
pub struct LeftOver(Arc<Mutex<Vec<Id>>>);

impl LeftOver {
    /// Keeps records for the next run.
    pub fn keep(&self, records: impl IntoIterator<Item = Id>) {
        self.records().extend(records);
    }

    /// Takes what was kept.
    #[must_use]
    pub fn take(&self) -> Vec<Id> {
        std::mem::take(&mut *self.records())
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records().is_empty()
    }

    fn records(&self) -> MutexGuard<'_, Vec<Id>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
