//! What a run did, in figures: for the answer's `Logs`, the log and the command line.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    content::ContentType, dead_letter::Number, labels::Standing, record::record_type_name, watermark::Outcome,
};

/// The counters of a run; its stages add to them.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each stands in [`Summary`] with its meaning")]
pub struct Counts {
    pub listed: AtomicU64,
    pub read: AtomicU64,
    pub failed: AtomicU64,
    pub feed_bytes: AtomicU64,
    pub records: AtomicU64,
    pub label_events: AtomicU64,
    pub repeated: AtomicU64,
    pub rows: AtomicU64,
    pub posts: AtomicU64,
    pub row_bytes: AtomicU64,
    pub sent_bytes: AtomicU64,
    pub truncated: AtomicU64,
    pub unknown_labels: AtomicU64,
    pub dead_letters: AtomicU64,
    pub dead_letters_removed: AtomicU64,
    pub ingestion_wait_ms: AtomicU64,
}

impl Counts {
    /// What was done so far, in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "{} contents, {} records, {} label events, {} rows sent in {} posts",
            get(&self.read),
            get(&self.records),
            get(&self.label_events),
            get(&self.rows),
            get(&self.posts)
        )
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Summary {
    /// Another run held the lock, so this one did nothing.
    pub under_way: bool,
    /// It took no more work before all was listed and read: its time was over, or it was told to end.
    pub cut_short: bool,
    /// Contents that were new in the listings.
    pub contents_listed: u64,
    /// Contents that were read to their end.
    pub contents_read: u64,
    /// Contents that failed and are tried again by later runs.
    pub contents_failed: u64,
    /// Bytes of contents as they are after decompression.
    pub feed_bytes: u64,
    /// Records in them.
    pub records: u64,
    /// Records that passed the filter.
    pub label_events: u64,
    /// Label events that were delivered before, or came twice in this run.
    pub repeated: u64,
    /// Rows that the endpoint took.
    pub rows: u64,
    /// POSTs to the endpoint.
    pub posts: u64,
    /// Bytes of the rows as JSON.
    pub row_bytes: u64,
    /// Bytes that went over the wire.
    pub sent_bytes: u64,
    /// Rows in which something was cut to fit the service's limits.
    pub truncated: u64,
    /// Rows with the id of a label that the catalogue does not know: of a deleted label, or of another tenant.
    pub unknown_labels: u64,
    /// How the label catalogue stands; `None` where names are off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Standing>,
    /// Dead letters that are new with this run.
    pub dead_letters: u64,
    /// Dead letters that were removed because they were delivered, by a replay.
    pub dead_letters_removed: u64,
    /// How many dead letters lie there at the end; `None` where the storage did not say.
    pub dead_letters_in_all: Option<Number>,
    /// What became of the dead letters that were to be sent again, by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", skip_deserializing)]
    pub letters: BTreeMap<String, Outcome>,
    /// Records that the filter dropped, by record type (`none` for those without one).
    pub filtered: BTreeMap<String, u64>,
    /// Requests to the feed.
    pub feed_requests: u64,
    /// Answers of the feed that asked to wait.
    pub throttled: u64,
    /// Seconds spent waiting because a service asked for it or its limit was reached, summed over all requests, which
    /// wait at the same time.
    pub throttle_wait_seconds: f64,
    /// By content type.
    pub content_types: BTreeMap<ContentType, TypeSummary>,
    /// Seconds that the run took.
    pub seconds: f64,
}

/// How a content type stands after a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeSummary {
    /// Everything published before this time has been listed.
    #[serde(with = "time::serde::rfc3339")]
    pub listed_through: OffsetDateTime,
    /// Seconds between now and the oldest content that is not delivered, by the feed's own times.
    pub lag_seconds: i64,
    /// Contents that failed and are to be tried again.
    pub pending: usize,
    /// Contents that were listed and not finished when the run ended.
    pub unfinished: usize,
    /// The latest time of publication that was seen.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub last_content: Option<OffsetDateTime>,
    /// Where a range was asked for and is not done: what was published of it before this time is delivered; a run with
    /// this time as its `since` goes on.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub range_through: Option<OffsetDateTime>,
    /// Whether nothing of that range is done, so that asking for it in the same way again may be in vain.
    #[serde(default)]
    pub range_stands_still: bool,
}

impl Summary {
    /// A run that found another one under way.
    #[must_use]
    pub fn of_another_run() -> Self {
        Self { under_way: true, ..Self::default() }
    }

    /// Takes over the counters.
    pub(super) fn count(&mut self, counts: &Counts, filtered: &BTreeMap<Option<i64>, u64>) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.contents_listed = get(&counts.listed);
        self.contents_read = get(&counts.read);
        self.contents_failed = get(&counts.failed);
        self.feed_bytes = get(&counts.feed_bytes);
        self.records = get(&counts.records);
        self.label_events = get(&counts.label_events);
        self.repeated = get(&counts.repeated);
        self.rows = get(&counts.rows);
        self.posts = get(&counts.posts);
        self.row_bytes = get(&counts.row_bytes);
        self.sent_bytes = get(&counts.sent_bytes);
        self.truncated = get(&counts.truncated);
        self.unknown_labels = get(&counts.unknown_labels);
        self.dead_letters = get(&counts.dead_letters);
        self.dead_letters_removed = get(&counts.dead_letters_removed);
        self.throttle_wait_seconds += get(&counts.ingestion_wait_ms) as f64 / 1000.0;
        self.filtered = filtered.iter().map(|(kind, count)| (record_type(*kind), *count)).collect();
    }

    /// Tells how many dead letters lie there, of which `before` lay there before the run.
    pub(super) fn count_letters(&mut self, before: Option<Number>) {
        self.dead_letters_in_all = before.map(|before| Number {
            number: (before.number + self.dead_letters).saturating_sub(self.dead_letters_removed),
            ..before
        });
    }

    /// The longest lag of the content types, in seconds.
    #[must_use]
    pub fn lag_seconds(&self) -> i64 {
        self.content_types.values().map(|kind| kind.lag_seconds).max().unwrap_or(0)
    }

    /// Whether everything that the feed listed is delivered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.content_types.values().all(|kind| kind.pending == 0 && kind.unfinished == 0)
    }

    /// The summary for people, one fact a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if self.under_way {
            return vec!["Another run is under way; this one leaves the work to it.".to_owned()];
        }
        let mut lines = vec![
            format!(
                "{} contents read with {} records ({} bytes); {} rows sent in {} posts ({} bytes as JSON, {} on the wire); {} label events known already.",
                self.contents_read,
                self.records,
                self.feed_bytes,
                self.rows,
                self.posts,
                self.row_bytes,
                self.sent_bytes,
                self.repeated
            ),
            format!(
                "{} contents failed, {} dead letters ({}), {} rows cut to fit; {} feed requests, {} throttled, {:.1} s waited by all of them together; {:.1} s in all.",
                self.contents_failed,
                self.dead_letters,
                match self.dead_letters_in_all {
                    Some(number) => format!("{number} lie there in all"),
                    None => "how many lie there in all is not known".to_owned(),
                },
                self.truncated,
                self.feed_requests,
                self.throttled,
                self.throttle_wait_seconds,
                self.seconds
            ),
        ];
        if !self.filtered.is_empty() {
            let mut line = String::from("Filtered out:");
            for (kind, count) in &self.filtered {
                // Writing to a string does not fail.
                write!(line, " {kind} {count},").ok();
            }
            line.pop();
            line.push('.');
            lines.push(line);
        }
        if let Some(catalogue) = &self.catalogue {
            lines.push(catalogue_line(catalogue, self.unknown_labels));
            lines.extend(catalogue.trouble.clone());
        }
        for (content_type, kind) in &self.content_types {
            lines.push(format!(
                "{content_type}: listed through {}, lag {} s, {} contents to be tried again, {} unfinished.",
                rfc3339(kind.listed_through),
                kind.lag_seconds,
                kind.pending,
                kind.unfinished
            ));
            if let Some(through) = kind.range_through.map(rfc3339) {
                lines
                    .push(format!("{content_type}: range listed through {through}; ask again with since = {through}."));
                if kind.range_stands_still {
                    lines.push(format!(
                        "{content_type}: this run finished nothing of the range. Where that stays so, give it more time \
                         with RUN_BUDGET_SECONDS, or use `labelstream pull --since {through}`, which takes as long as it needs."
                    ));
                }
            }
        }
        lines
    }
}

fn catalogue_line(catalogue: &Standing, unknown: u64) -> String {
    let Standing { labels, gone, age_seconds, .. } = catalogue;
    let gone = if *gone > 0 { format!(", {gone} of them deleted") } else { String::new() };
    let age = age_seconds.map_or_else(String::new, |age| format!(", listed {age} s ago"));
    format!("{labels} labels known by name{gone}{age}; {unknown} rows with the id of another label.")
}

fn rfc3339(time: OffsetDateTime) -> String {
    // Only years beyond 9999 cannot be written so.
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

fn record_type(kind: Option<i64>) -> String {
    match kind {
        None => "none".to_owned(),
        Some(number) => record_type_name(number).map_or_else(|| number.to_string(), |name| format!("{number} {name}")),
    }
}
