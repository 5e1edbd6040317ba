//! The ledger: what was published and what arrived, and how the two compare.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::{guid, rule::Rule};

mod report;

pub use report::{Report, Totals};

/// How many ids a list of a report names; the counts beside the lists are exact.
const LISTED: usize = 1_000;
/// How many batches a sender may have in flight when it is killed.
const IN_FLIGHT: usize = 4;

/// The id of a record, small where it is a GUID: a benchmark has millions of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Guid(u128),
    Text(Box<str>),
}

impl Key {
    /// The key of an id. A GUID is the same one in any case (RFC 9562, 4). `None` for an empty id and for the GUID of
    /// zeros, by which nothing can be told apart.
    pub fn new(id: &str) -> Option<Self> {
        match guid::parse(id) {
            Some(0) => None,
            Some(guid) => Some(Self::Guid(guid)),
            None => (!id.trim().is_empty()).then(|| Self::Text(id.into())),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Guid(guid) => guid::text(*guid),
            Self::Text(text) => text.to_string(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Published {
    /// When the first content with it was, or will be, published: Unix seconds.
    first: i64,
    /// How many contents with it are served.
    contents: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Arrived {
    times: u64,
    /// How many of the batches that brought it were stored without the sender learning of it, or keeping it.
    unanswered: u64,
}

/// What one accepted POST held.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The rule that it was posted to: who sent it.
    pub rule: String,
    /// Ids of the rows.
    pub keys: Vec<Key>,
    /// Rows without an id.
    pub without_id: u64,
    /// The rows, where they are to be kept.
    pub rows: Vec<Box<RawValue>>,
    /// Bytes as they came.
    pub wire_bytes: u64,
    /// Bytes of the JSON.
    pub json_bytes: u64,
    /// Fields that the service would cut, by column.
    pub cut: BTreeMap<String, u64>,
    /// Fields that the service would drop, by name.
    pub dropped: BTreeMap<String, u64>,
    /// Fields that the service would null, by column.
    pub mistyped: BTreeMap<String, u64>,
    /// Rows whose `TimeGenerated` the service would replace.
    pub replaced_times: u64,
}

/// What was published and what arrived.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rule: Rule,
    published: HashMap<Key, Published>,
    arrived: HashMap<Key, Arrived>,
    /// The last batches of each sender that were answered.
    recent: HashMap<String, VecDeque<Vec<Key>>>,
    /// Senders that are gone, and how many batches may still come of them.
    gone: HashMap<String, usize>,
    rows: Vec<Box<RawValue>>,
    heartbeats: Vec<Heartbeat>,
    totals: Totals,
}

/// A row of the second stream: how a run ended. It is no label event, and no part of a [`Report`].
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// The row, as JSON text.
    pub row: Box<RawValue>,
    /// Its fields that the stream does not declare, declares otherwise, or would cut.
    pub flaws: Vec<String>,
}

impl Ledger {
    pub fn new(rule: Rule) -> Self {
        Self { rule, ..Self::default() }
    }

    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Enters a content of `records` records of which `labels` are the label events' ids (`None` for an empty id).
    pub fn publish(&mut self, created: OffsetDateTime, records: u64, labels: impl IntoIterator<Item = Option<Key>>) {
        let created = created.unix_timestamp();
        self.totals.published_contents += 1;
        self.totals.published_records += records;
        for key in labels {
            self.totals.published_deliveries += 1;
            match key {
                Some(key) => {
                    let entry = self.published.entry(key).or_insert(Published { first: created, contents: 0 });
                    entry.contents += 1;
                    entry.first = entry.first.min(created);
                }
                None => self.totals.published_without_id += 1,
            }
        }
    }

    /// Takes out the label events of a content that is not served any more, save those that another one holds.
    pub fn withdraw(&mut self, labels: impl IntoIterator<Item = Option<Key>>) {
        for key in labels {
            match key {
                Some(key) => {
                    if let Some(entry) = self.published.get_mut(&key) {
                        entry.contents = entry.contents.saturating_sub(1);
                        if entry.contents == 0 {
                            self.published.remove(&key);
                        }
                    }
                }
                None => self.totals.published_without_id = self.totals.published_without_id.saturating_sub(1),
            }
        }
    }

    /// Enters an accepted post.
    pub fn arrive(&mut self, mut batch: Batch) {
        let rows = batch.keys.len() as u64 + batch.without_id;
        for key in &batch.keys {
            self.arrived.entry(key.clone()).or_default().times += 1;
        }
        if let Some(left) = self.gone.get_mut(&batch.rule).filter(|left| **left > 0) {
            *left -= 1;
            self.totals.posts_at_kills += 1;
            self.excuse(&batch.keys);
        } else {
            let recent = self.recent.entry(std::mem::take(&mut batch.rule)).or_default();
            recent.truncate(IN_FLIGHT - 1);
            recent.push_front(batch.keys);
        }
        self.rows.append(&mut batch.rows);
        let totals = &mut self.totals;
        totals.posts += 1;
        totals.rows += rows;
        totals.rows_without_id += batch.without_id;
        totals.wire_bytes += batch.wire_bytes;
        totals.json_bytes += batch.json_bytes;
        totals.largest_json_bytes = totals.largest_json_bytes.max(batch.json_bytes);
        totals.largest_rows = totals.largest_rows.max(rows);
        totals.replaced_times += batch.replaced_times;
        let sums = [&mut totals.cut_fields, &mut totals.dropped_fields, &mut totals.mistyped_fields];
        for (sum, part) in sums.into_iter().zip([batch.cut, batch.dropped, batch.mistyped]) {
            for (name, count) in part {
                *sum.entry(name).or_default() += count;
            }
        }
    }

    /// Enters rows of runs.
    pub fn beat(&mut self, batch: Batch) {
        let flaws: Vec<_> =
            [batch.cut, batch.dropped, batch.mistyped].into_iter().flat_map(BTreeMap::into_keys).collect();
        self.heartbeats.extend(batch.rows.into_iter().map(|row| Heartbeat { row, flaws: flaws.clone() }));
    }

    /// The rows of runs, in order.
    pub fn heartbeats(&self) -> &[Heartbeat] {
        &self.heartbeats
    }

    /// Enters a refused post.
    pub fn refuse(&mut self, status: u16, json_bytes: u64) {
        *self.totals.refused.entry(status).or_default() += 1;
        self.totals.largest_json_bytes = self.totals.largest_json_bytes.max(json_bytes);
    }

    /// Notes that the sender of these stored rows was not told that they are. One that is gone is excused already.
    pub fn unanswered(&mut self, rule: &str, keys: &[Key]) {
        if self.gone.contains_key(rule) {
            return;
        }
        self.totals.posts_unanswered += 1;
        self.totals.rows_unanswered += keys.len() as u64;
        for recent in self.recent.values_mut() {
            recent.retain(|batch| batch != keys);
        }
        self.excuse(keys);
    }

    /// Notes that the sender was killed: what it had learnt of the last batches may not have been saved yet.
    pub fn sender_killed(&mut self, rule: &str) {
        for keys in self.recent.remove(rule).unwrap_or_default() {
            self.totals.posts_at_kills += 1;
            self.excuse(&keys);
        }
    }

    /// Notes that the sender saved what it had sent.
    pub fn sender_saved(&mut self, rule: &str) {
        self.recent.remove(rule);
    }

    /// Notes that the sender was killed or frozen while batches of it may still be on their way.
    pub fn sender_gone(&mut self, rule: &str) {
        self.sender_killed(rule);
        self.gone.insert(rule.to_owned(), IN_FLIGHT);
    }

    /// Notes that the sender goes on: what it sends from now on is not excused.
    pub fn sender_back(&mut self, rule: &str) {
        self.gone.remove(rule);
    }

    /// Notes that what was remembered of all that arrived so far is gone: each of it may come once more.
    pub fn state_lost(&mut self) {
        self.arrived.values_mut().for_each(|arrived| arrived.unanswered += 1);
        self.recent.clear();
    }

    fn excuse(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(arrived) = self.arrived.get_mut(key) {
                arrived.unanswered += 1;
            }
        }
    }

    /// The rows that arrived, as JSON text, where they are kept.
    pub fn rows(&self) -> &[Box<RawValue>] {
        &self.rows
    }

    /// The comparison at `now`. What is published later is not missing yet.
    pub fn report(&self, now: OffsetDateTime) -> Report {
        let now = now.unix_timestamp();
        let due = || self.published.iter().filter(|(_, published)| published.first <= now).map(|(key, _)| key);
        let missing: Vec<&Key> = due().filter(|key| !self.arrived.contains_key(*key)).collect();
        let unexpected: Vec<&Key> = self.arrived.keys().filter(|key| !self.published.contains_key(*key)).collect();
        let doubled = || self.arrived.iter().filter(|(_, arrived)| arrived.times > 1);
        let unexcused: Vec<&Key> =
            doubled().filter(|(_, arrived)| arrived.times - 1 > arrived.unanswered).map(|(key, _)| key).collect();
        Report {
            published: due().count() as u64,
            arrived: self.arrived.len() as u64,
            missing: missing.len() as u64,
            missing_ids: listed(missing),
            unexpected: unexpected.len() as u64,
            unexpected_ids: listed(unexpected),
            doubled: doubled().count() as u64,
            doubled_unexcused: unexcused.len() as u64,
            doubled_unexcused_ids: listed(unexcused),
            surplus_rows: doubled().map(|(_, arrived)| arrived.times - 1).sum(),
            surplus_rows_excused: doubled().map(|(_, arrived)| (arrived.times - 1).min(arrived.unanswered)).sum(),
            totals: self.totals.clone(),
        }
    }
}

fn listed(mut keys: Vec<&Key>) -> Vec<String> {
    keys.sort_unstable();
    keys.into_iter().take(LISTED).map(Key::text).collect()
}

#[cfg(test)]
mod tests;
