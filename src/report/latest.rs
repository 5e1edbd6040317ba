//! The latest of many, in bounded memory.

use std::collections::BTreeSet;

/// The greatest of what was added, which for what opens with its time are the latest.
#[derive(Debug, Clone)]
pub struct Latest<T> {
    limit: usize,
    kept: BTreeSet<T>,
}

impl<T: Ord> Latest<T> {
    /// Keeps at most `limit`.
    #[must_use]
    pub const fn of(limit: usize) -> Self {
        Self { limit, kept: BTreeSet::new() }
    }

    /// Adds one.
    pub fn add(&mut self, value: T) {
        self.kept.insert(value);
        if self.kept.len() > self.limit {
            self.kept.pop_first();
        }
    }

    /// The latest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.kept.iter().rev()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}
