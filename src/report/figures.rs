//! What is counted of rows.

use time::OffsetDateTime;

use super::{
    days::Days,
    events::{Changed, Found, Unprotected},
    latest::Latest,
    names::{Directions, LabelFigures, Lowering},
    row::{Direction, Row, Source},
    sample::Sample,
    top::Top,
};

/// Record ids by which rows that are there twice are known: 9 bytes each in a table of 2^21 places, 19 MB.
const RECORDS: usize = 1 << 20;
/// Users, items and found files in all: exact up to so many, and wrong by some 0.4 % beyond.
const THINGS: usize = 1 << 16;
/// Names of labels, workloads and the like.
const NAMES: usize = 500;
/// Names of users, and reasons.
const MANY_NAMES: usize = 10_000;
/// The latest events that are kept whole.
const LATEST: usize = 50;

/// The figures of rows.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Rows, each record once.
    pub rows: u64,
    /// Rows whose record was there before. They are in no other figure.
    pub repeats: u64,
    /// Whether there were more records than are remembered, so that some rows may be counted twice.
    pub may_repeat: bool,
    /// When the first and the last event happened.
    pub span: Option<(OffsetDateTime, OffsetDateTime)>,
    /// Rows by tenant.
    pub tenants: Top<String, u64>,
    /// Rows with a label.
    pub labelled: u64,
    /// Those of them that name it.
    pub named: u64,
    /// Who acted.
    pub users: Sample,
    /// People who changed a label.
    pub changers: Sample,
    /// What was acted on.
    pub items: Sample,
    /// Labels by id.
    pub labels: Top<String, LabelFigures>,
    /// Events in use by workload and application.
    pub applications: Top<(String, String), u64>,
    /// Changes by workload, in the order of [`Direction::ALL`].
    pub workloads: Top<String, Directions>,
    /// Changes, in the order of [`Direction::ALL`].
    pub directions: [u64; Direction::ALL.len()],
    /// Labels lowered or removed by hand without a reason.
    pub without_reason: u64,
    /// Labels that were applied or raised, in the order of [`Source::ALL`].
    pub sources: [u64; Source::ALL.len()],
    /// Ways down: ids of the label before and after.
    pub ways_down: Top<(String, String), u64>,
    /// Reasons for lowering and removing; without one, nothing.
    pub justifications: Top<String, u64>,
    /// Users by events in use.
    pub active: Top<String, u64>,
    /// Users by labels lowered and removed.
    pub lowering: Top<String, Lowering>,
    /// The latest labels lowered or removed.
    pub lowered: Latest<Changed>,
    /// Events of auto-labelling by policy and workload.
    pub policies: Top<(String, String), u64>,
    /// Events after which the item is encrypted, and is not.
    pub encrypted: [u64; 2],
    /// The latest events that took encryption off.
    pub unprotected: Latest<Unprotected>,
    /// How many there are of these.
    pub unprotected_in_all: u64,
    /// Files as they were found last.
    pub found: Sample<Found>,
    /// By day.
    pub days: Days,
    records: Sample,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            rows: 0,
            repeats: 0,
            may_repeat: false,
            span: None,
            tenants: Top::of(NAMES),
            labelled: 0,
            named: 0,
            users: Sample::of(THINGS),
            changers: Sample::of(THINGS),
            items: Sample::of(THINGS),
            labels: Top::of(NAMES),
            applications: Top::of(NAMES),
            workloads: Top::of(NAMES),
            directions: Default::default(),
            without_reason: 0,
            sources: Default::default(),
            ways_down: Top::of(MANY_NAMES),
            justifications: Top::of(MANY_NAMES),
            active: Top::of(MANY_NAMES),
            lowering: Top::of(MANY_NAMES),
            lowered: Latest::of(LATEST),
            policies: Top::of(NAMES),
            encrypted: [0; 2],
            unprotected: Latest::of(LATEST),
            unprotected_in_all: 0,
            found: Sample::of(THINGS),
            days: Days::default(),
            records: Sample::of(RECORDS),
        }
    }
}

impl Figures {
    /// Counts `row`, unless its record was counted before.
    pub fn add(&mut self, row: &Row<'_>) {
        if self.is_repeat(row) {
            self.repeats += 1;
            return;
        }
        self.rows += 1;
        let time = row.time();
        self.span = Some(self.span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        if !row.tenant().is_empty() {
            *self.tenants.entry(row.tenant()) += 1;
        }
        if !row.user_key().is_empty() {
            self.users.see(row.user_key());
        }
        if !row.object().is_empty() {
            self.items.see(row.object());
        }
        self.add_labels(row);
        self.add_use(row);
        self.add_change(row);
        self.add_protection(row);
        if row.is_auto_labelling() {
            *self.policies.entry((row.policy().into_owned(), row.workload().into_owned())) += 1;
        }
        if row.is_found() {
            let found = Found {
                time,
                repository: row.repository(),
                labelled: row.has_label(),
                protected: row.encrypted() == Some(true),
                sensitive: row.is_sensitive(),
            };
            self.found.add(row.object(), found, |known, found| {
                if found > *known {
                    *known = found;
                }
            });
        }
        self.days.add(row);
    }

    /// Rows without a record id are all different. Once there are more records than are remembered, none are any more.
    fn is_repeat(&mut self, row: &Row<'_>) -> bool {
        if row.id().is_empty() || self.may_repeat {
            return false;
        }
        let before = self.records.number();
        self.records.see(row.id());
        if self.records.is_estimate() {
            self.may_repeat = true;
            self.records = Sample::of(0);
            return false;
        }
        self.records.number() == before
    }

    fn add_labels(&mut self, row: &Row<'_>) {
        let [priority, old_priority] = row.priorities();
        if row.has_label() {
            self.labelled += 1;
            self.named += u64::from(!row.label_name().is_empty());
            self.labels.entry(row.label_id()).learn(row.time(), row.label_name(), priority);
        }
        if !row.old_label_id().is_empty() {
            self.labels.entry(row.old_label_id()).learn(row.time(), row.old_label_name(), old_priority);
        }
    }

    fn add_use(&mut self, row: &Row<'_>) {
        if !row.shows_use() {
            return;
        }
        let label = self.labels.entry(row.label_id());
        label.events += 1;
        if !row.object().is_empty() {
            label.items.see(row.object());
        }
        *self.applications.entry((row.workload().into_owned(), row.application().into_owned())) += 1;
        if row.is_person() {
            label.people.see(row.user_key());
            *self.active.entry(row.user()) += 1;
        }
    }

    fn add_change(&mut self, row: &Row<'_>) {
        let Some(direction) = row.direction() else { return };
        self.directions[direction as usize] += 1;
        self.workloads.entry(row.workload().into_owned()).0[direction as usize] += 1;
        if row.is_person() {
            self.changers.see(row.user_key());
        }
        if let Some(source) = row.raised_by() {
            self.sources[source as usize] += 1;
        }
        if !direction.lowers() {
            return;
        }
        let without_reason = u64::from(row.lowers_without_reason());
        self.without_reason += without_reason;
        // Of a label that was removed some records still name it.
        let to = if direction == Direction::Removed { String::new() } else { row.label_id() };
        let from = match row.old_label_id() {
            old if old.is_empty() && direction == Direction::Removed => row.label_id(),
            old => old,
        };
        *self.ways_down.entry((from.clone(), to.clone())) += 1;
        *self.justifications.entry(row.justification()) += 1;
        if !row.user().is_empty() {
            let user = self.lowering.entry(row.user());
            user.downgraded += u64::from(direction == Direction::Downgraded);
            user.removed += u64::from(direction == Direction::Removed);
            user.without_reason += without_reason;
        }
        self.lowered.add(Changed {
            time: row.time(),
            id: row.id().chars().take(64).collect(),
            user: row.user(),
            direction,
            from,
            to,
            justification: row.justification(),
            item: row.item(),
            workload: row.workload().into_owned(),
            device: row.device(),
        });
    }

    fn add_protection(&mut self, row: &Row<'_>) {
        if let Some(encrypted) = row.encrypted() {
            let at = usize::from(!encrypted);
            self.encrypted[at] += 1;
            if row.has_label() {
                self.labels.entry(row.label_id()).encrypted[at] += 1;
            }
        }
        if row.removes_encryption() {
            self.unprotected_in_all += 1;
            self.unprotected.add(Unprotected {
                time: row.time(),
                id: row.id().chars().take(64).collect(),
                user: row.user(),
                operation: row.operation_name(),
                label: row.label_id(),
                item: row.item(),
                workload: row.workload().into_owned(),
            });
        }
    }

    /// How many changes lowered or removed a label.
    #[must_use]
    pub fn lowered_in_all(&self) -> u64 {
        self.directions[Direction::Downgraded as usize] + self.directions[Direction::Removed as usize]
    }

    /// By how much a figure of a name may be too low, because there were more names than are kept.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        let of_names = [
            self.tenants.forgotten(),
            self.labels.forgotten(),
            self.applications.forgotten(),
            self.workloads.forgotten(),
            self.ways_down.forgotten(),
            self.justifications.forgotten(),
            self.active.forgotten(),
            self.lowering.forgotten(),
            self.policies.forgotten(),
        ];
        of_names.into_iter().max().unwrap_or_default()
    }

    /// The label of this id for people: its name, else the beginning of its id.
    #[must_use]
    pub fn label(&self, id: &str) -> String {
        match self.labels.get(&id.to_owned()).and_then(LabelFigures::name) {
            Some(name) => name.to_owned(),
            None if id.chars().count() > 9 => format!("{}…", id.chars().take(8).collect::<String>()),
            None => id.to_owned(),
        }
    }
}
