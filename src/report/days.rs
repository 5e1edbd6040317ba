//! What is counted of each day.

use std::collections::BTreeMap;

use time::{Date, OffsetDateTime};

use super::{
    row::{Direction, Row, Source},
    sample::Sample,
    top::Top,
};

/// How many days are kept: a year and a month. Of more, the latest.
const DAYS: usize = 397;
/// How many labels and workloads of a day are kept for certain. A tenant has a few dozen labels.
const NAMES: usize = 60;
/// Exact up to so many people a day, and wrong by some 3 % beyond.
const PEOPLE: usize = 1_024;

/// The days, in UTC.
#[derive(Debug, Clone, Default)]
pub struct Days {
    days: BTreeMap<Date, Day>,
    /// Rows of days that are older than those kept.
    pub left_out: u64,
}

/// A day.
#[derive(Debug, Clone)]
pub struct Day {
    /// All rows.
    pub rows: u64,
    /// Events in use by label id.
    pub labels: Top<String, u64>,
    /// Events in use by workload.
    pub workloads: Top<String, u64>,
    /// Who used a label.
    pub people: Sample,
    /// Changes, in the order of [`Direction::ALL`].
    pub directions: [u64; Direction::ALL.len()],
    /// Labels that were applied or raised, in the order of [`Source::ALL`].
    pub sources: [u64; Source::ALL.len()],
    /// Events after which the item is encrypted, and is not.
    pub encrypted: [u64; 2],
    /// For each hour: changes that lower a label, other changes, other events.
    pub hours: [[u64; 3]; 24],
}

impl Default for Day {
    fn default() -> Self {
        Self {
            rows: 0,
            labels: Top::of(NAMES),
            workloads: Top::of(NAMES),
            people: Sample::of(PEOPLE),
            directions: Default::default(),
            sources: Default::default(),
            encrypted: Default::default(),
            hours: Default::default(),
        }
    }
}

impl Days {
    /// Counts `row`.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        let date = row.time().date();
        self.days.entry(date).or_default().add(row);
        if self.days.len() > DAYS
            && let Some((_, oldest)) = self.days.pop_first()
        {
            self.left_out += oldest.rows;
        }
    }

    /// Those with rows, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = (Date, &Day)> {
        self.days.iter().map(|(date, day)| (*date, day))
    }

    /// The first and the last one.
    #[must_use]
    pub fn span(&self) -> Option<(Date, Date)> {
        Some((*self.days.first_key_value()?.0, *self.days.last_key_value()?.0))
    }

    /// The day at `date`, where it has rows.
    #[must_use]
    pub fn get(&self, date: Date) -> Option<&Day> {
        self.days.get(&date)
    }
}

impl Day {
    fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        if row.shows_use() {
            *self.labels.entry(row.label_id()) += 1;
            *self.workloads.entry(row.workload().into_owned()) += 1;
            if row.is_person() {
                self.people.see(row.user_key());
            }
        }
        let direction = row.direction();
        if let Some(direction) = direction {
            self.directions[direction as usize] += 1;
        }
        if let Some(source) = row.raised_by() {
            self.sources[source as usize] += 1;
        }
        if let Some(encrypted) = row.encrypted() {
            self.encrypted[usize::from(!encrypted)] += 1;
        }
        let kind = direction.map_or(2, |direction| usize::from(!direction.lowers()));
        self.hours[hour(row.time())][kind] += 1;
    }
}

fn hour(time: OffsetDateTime) -> usize {
    usize::from(time.hour())
}
