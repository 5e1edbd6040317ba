//! What is counted of each label, workload and user.

use time::OffsetDateTime;

use super::{row::Direction, sample::Sample, top::Weight};

/// Users and items of each label: exact up to so many, and wrong by some 3 % beyond.
const THINGS_OF_LABEL: usize = 1_024;

/// Changes in the order of [`Direction::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Directions(pub [u64; Direction::ALL.len()]);

impl Weight for Directions {
    fn weight(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// A label.
#[derive(Debug, Clone)]
pub struct LabelFigures {
    /// What it was called last, or nothing; with the time of that.
    name: Option<(OffsetDateTime, String)>,
    /// Its rank by the last row that has one.
    priority: Option<(OffsetDateTime, i64)>,
    /// Rows that have it, before or after the event.
    mentions: u64,
    /// Events in use.
    pub events: u64,
    /// Who used it.
    pub people: Sample,
    /// On what.
    pub items: Sample,
    /// Events after which the item is encrypted, and is not.
    pub encrypted: [u64; 2],
}

impl Default for LabelFigures {
    fn default() -> Self {
        Self {
            name: None,
            priority: None,
            mentions: 0,
            events: 0,
            people: Sample::of(THINGS_OF_LABEL),
            items: Sample::of(THINGS_OF_LABEL),
            encrypted: [0; 2],
        }
    }
}

impl LabelFigures {
    pub(super) fn learn(&mut self, time: OffsetDateTime, name: String, priority: Option<i64>) {
        self.mentions += 1;
        if !name.is_empty() {
            self.name = self.name.take().max(Some((time, name)));
        }
        self.priority = self.priority.max(priority.map(|priority| (time, priority)));
    }

    /// Its name, where a row has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|(_, name)| name.as_str())
    }

    /// Its rank, where a row has one.
    #[must_use]
    pub fn priority(&self) -> Option<i64> {
        self.priority.map(|(_, priority)| priority)
    }
}

impl Weight for LabelFigures {
    fn weight(&self) -> u64 {
        self.mentions
    }
}

/// Labels that a user lowered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lowering {
    /// Lowered.
    pub downgraded: u64,
    /// Removed.
    pub removed: u64,
    /// Without a reason, of both.
    pub without_reason: u64,
}

impl Weight for Lowering {
    fn weight(&self) -> u64 {
        self.downgraded + self.removed
    }
}
