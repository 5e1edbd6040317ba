//! The ledger: what was published and what arrived, and how the two compare.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::{guid, rule::Rule};

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

/// The sums of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Contents published or listed again.
    pub published_contents: u64,
    /// Records in them, label events and noise.
    pub published_records: u64,
    /// Label events in them, counting every delivery.
    pub published_deliveries: u64,
    /// Label events without an id, which the lists cannot follow.
    pub published_without_id: u64,
    /// Rows that arrived in accepted posts.
    pub rows: u64,
    /// Rows without `AuditRecordId`.
    pub rows_without_id: u64,
    /// Posts that were accepted.
    pub posts: u64,
    /// Posts that were stored while the sender got no answer, or another one.
    pub posts_unanswered: u64,
    /// Rows in them.
    pub rows_unanswered: u64,
    /// Posts that were in flight when their sender was killed.
    pub posts_at_kills: u64,
    /// Posts that were refused, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Bytes of the accepted posts as they came.
    pub wire_bytes: u64,
    /// Bytes of their JSON.
    pub json_bytes: u64,
    /// The largest JSON of one post, refused ones included.
    pub largest_json_bytes: u64,
    /// Most rows in one post.
    pub largest_rows: u64,
    /// Fields over 64 KB, by column: the service cuts them silently.
    pub cut_fields: BTreeMap<String, u64>,
    /// Fields that the stream does not declare, by name: the service drops them silently.
    pub dropped_fields: BTreeMap<String, u64>,
    /// Fields of another type than their column's: the service makes them null.
    pub mistyped_fields: BTreeMap<String, u64>,
    /// Rows whose `TimeGenerated` the service replaces: over two days old, over a day ahead, or absent.
    pub replaced_times: u64,
}

/// How what arrived compares with what was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Different label events that are published by now.
    pub published: u64,
    /// Different ids that arrived.
    pub arrived: u64,
    /// Published label events that did not arrive.
    pub missing: u64,
    /// The first of them, sorted.
    pub missing_ids: Vec<String>,
    /// Ids that arrived and are no published label event.
    pub unexpected: u64,
    /// The first of them, sorted.
    pub unexpected_ids: Vec<String>,
    /// Ids that arrived more than once.
    pub doubled: u64,
    /// Ids that arrived more often than lost answers excuse.
    pub doubled_unexcused: u64,
    /// The first of those, sorted.
    pub doubled_unexcused_ids: Vec<String>,
    /// Rows beyond the first of their id.
    pub surplus_rows: u64,
    /// Those of them that followed a stored batch whose answer was lost.
    pub surplus_rows_excused: u64,
    /// Sums.
    #[serde(flatten)]
    pub totals: Totals,
}

impl Report {
    /// Whether everything published arrived, nothing else did, and nothing twice without an excuse.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.missing == 0 && self.unexpected == 0 && self.doubled_unexcused == 0
    }
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
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-18 12:00 UTC);

    fn keys(ids: &[u8]) -> Vec<Key> {
        ids.iter().map(|id| Key::Guid(u128::from(*id))).collect()
    }

    fn batch(ids: &[u8]) -> Batch {
        Batch { keys: keys(ids), json_bytes: ids.len() as u64 * 10, ..Batch::default() }
    }

    fn published(ids: &[u8]) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.publish(NOW, 10, keys(ids).into_iter().map(Some));
        ledger
    }

    #[test]
    fn missing_unexpected_and_doubled_are_told_apart() {
        let mut ledger = published(&[1, 2, 3]);
        ledger.arrive(batch(&[1, 2, 2, 9]));
        let report = ledger.report(NOW);
        assert_eq!((report.published, report.arrived, report.missing), (3, 3, 1));
        assert_eq!(report.missing_ids, [guid::text(3)]);
        assert_eq!(report.unexpected_ids, [guid::text(9)]);
        assert_eq!(report.doubled_unexcused_ids, [guid::text(2)]);
        assert_eq!((report.totals.rows, report.totals.posts, report.totals.largest_json_bytes), (4, 1, 40));
        assert!(!report.is_clean());
    }

    #[test]
    fn a_lost_answer_excuses_one_more_delivery_of_that_batch() {
        let mut ledger = published(&[1, 2]);
        ledger.arrive(batch(&[1, 2]));
        ledger.unanswered("", &keys(&[1, 2]));
        ledger.arrive(batch(&[1, 2]));
        let report = ledger.report(NOW);
        assert_eq!((report.doubled, report.doubled_unexcused), (2, 0));
        assert_eq!((report.surplus_rows, report.surplus_rows_excused), (2, 2));
        assert!(report.is_clean());
        ledger.arrive(batch(&[1]));
        assert_eq!(ledger.report(NOW).doubled_unexcused, 1);
    }

    #[test]
    fn a_kill_excuses_the_last_four_batches_once() {
        let mut ledger = published(&[1, 2, 3, 4, 5]);
        for id in 1..=5 {
            ledger.arrive(batch(&[id]));
        }
        ledger.sender_killed("");
        ledger.sender_killed("");
        for id in 1..=5 {
            ledger.arrive(batch(&[id]));
        }
        let report = ledger.report(NOW);
        assert_eq!((report.doubled, report.doubled_unexcused_ids), (5, vec![guid::text(1)]));
        assert_eq!(report.totals.posts_at_kills, 4);
    }

    #[test]
    fn a_kill_excuses_neither_what_was_saved_nor_what_others_sent() {
        let of = |rule: &str, id| Batch { rule: rule.to_owned(), ..batch(&[id]) };
        let mut ledger = published(&[1, 2, 3, 4]);
        ledger.arrive(of("a", 1));
        ledger.sender_saved("a");
        ledger.arrive(of("a", 2));
        ledger.arrive(of("b", 3));
        ledger.sender_gone("a");
        ledger.arrive(of("a", 4)); // it was on its way
        ledger.sender_back("a");
        for id in 1..=4 {
            ledger.arrive(of("b", id));
        }
        assert_eq!(ledger.report(NOW).doubled_unexcused_ids, [guid::text(1), guid::text(3)]);
    }

    #[test]
    fn a_lost_state_excuses_what_had_arrived_once() {
        let mut ledger = published(&[1, 2]);
        ledger.arrive(batch(&[1]));
        ledger.state_lost();
        ledger.arrive(batch(&[1, 2]));
        assert_eq!(ledger.report(NOW).doubled_unexcused, 0);
        ledger.arrive(batch(&[1, 2]));
        assert_eq!(ledger.report(NOW).doubled_unexcused, 2);
    }

    #[test]
    fn a_record_delivered_twice_is_one_and_the_future_is_not_missing() {
        let mut ledger = published(&[1]);
        ledger.publish(NOW, 1, keys(&[1]).into_iter().map(Some));
        ledger.publish(NOW + time::Duration::HOUR, 1, keys(&[5]).into_iter().map(Some));
        ledger.publish(NOW, 1, [None]);
        let report = ledger.report(NOW);
        assert_eq!((report.published, report.missing), (1, 1));
        assert_eq!((report.totals.published_deliveries, report.totals.published_without_id), (4, 1));
        assert_eq!(ledger.report(NOW + time::Duration::HOUR).missing, 2);
    }

    #[test]
    fn a_guid_is_one_id_in_any_case_and_other_ids_keep_their_text() {
        let guid = "f28ab78a-d401-4060-8012-736e373933eb";
        for (id, text) in [("F28AB78A-D401-4060-8012-736E373933EB", guid), (guid, guid), ("Id-1", "Id-1"), (" a", " a")]
        {
            assert_eq!(Key::new(id).unwrap().text(), text);
        }
        for nothing in ["", " ", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(Key::new(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn the_sums_agree(
            published_ids in prop::collection::vec(0_u8..30, 0..40),
            batches in prop::collection::vec((prop::collection::vec(0_u8..40, 0..20), any::<bool>()), 0..8),
        ) {
            let mut ledger = published(&published_ids);
            for (ids, lost) in &batches {
                ledger.arrive(batch(ids));
                if *lost {
                    ledger.unanswered("", &keys(ids));
                }
            }
            let report = ledger.report(NOW);
            prop_assert_eq!(report.arrived + report.missing, report.published + report.unexpected);
            prop_assert_eq!(report.totals.rows, report.arrived + report.surplus_rows);
            prop_assert!(report.surplus_rows_excused <= report.surplus_rows);
            prop_assert!(report.doubled_unexcused <= report.doubled);
            prop_assert_eq!(report.surplus_rows_excused == report.surplus_rows, report.doubled_unexcused == 0);
        }
    }
}
