//! What the connector's half tells the other one: one JSON object a line.

use std::{
    collections::BTreeMap,
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering},
};

use labelstream::pull::{Counts, Summary};
use serde::{Deserialize, Serialize};

/// The line that asks for a run.
pub const PULL: &str = "pull";

/// A line of the connector's half.
#[derive(Debug, Serialize, Deserialize)]
pub enum Message {
    /// A run is under way.
    Progress(Progress),
    /// A run went well.
    Done(Box<Pulled>),
    /// A run failed, for these reasons.
    Failed(Vec<String>),
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub contents: u64,
    pub records: u64,
    pub rows: u64,
    pub posts: u64,
}

impl From<&Counts> for Progress {
    fn from(counts: &Counts) -> Self {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            contents: get(&counts.read),
            records: get(&counts.records),
            rows: get(&counts.rows),
            posts: get(&counts.posts),
        }
    }
}

/// What one run did, or several together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pulled {
    pub contents: u64,
    pub records: u64,
    /// Bytes of the contents after decompression.
    pub feed_bytes: u64,
    /// Label events that the service delivered again.
    pub repeated: u64,
    pub rows: u64,
    pub posts: u64,
    /// Bytes of the rows as JSON.
    pub row_bytes: u64,
    /// Bytes that went over the wire, every try counted.
    pub sent_bytes: u64,
    pub dead_letters: u64,
    /// Records that the filter dropped, by record type.
    pub filtered: BTreeMap<String, u64>,
    pub feed_requests: u64,
    /// Answers of the feed that asked to wait.
    pub throttled: u64,
    /// Seconds spent waiting because a service asked for it.
    pub waited: f64,
    /// Seconds that the runs took.
    pub seconds: f64,
}

impl From<Summary> for Pulled {
    fn from(summary: Summary) -> Self {
        Self {
            contents: summary.contents_read,
            records: summary.records,
            feed_bytes: summary.feed_bytes,
            repeated: summary.repeated,
            rows: summary.rows,
            posts: summary.posts,
            row_bytes: summary.row_bytes,
            sent_bytes: summary.sent_bytes,
            dead_letters: summary.dead_letters,
            filtered: summary.filtered,
            feed_requests: summary.feed_requests,
            throttled: summary.throttled,
            waited: summary.throttle_wait_seconds,
            seconds: summary.seconds,
        }
    }
}

impl AddAssign for Pulled {
    fn add_assign(&mut self, other: Self) {
        self.contents += other.contents;
        self.records += other.records;
        self.feed_bytes += other.feed_bytes;
        self.repeated += other.repeated;
        self.rows += other.rows;
        self.posts += other.posts;
        self.row_bytes += other.row_bytes;
        self.sent_bytes += other.sent_bytes;
        self.dead_letters += other.dead_letters;
        for (record_type, count) in other.filtered {
            *self.filtered.entry(record_type).or_default() += count;
        }
        self.feed_requests += other.feed_requests;
        self.throttled += other.throttled;
        self.waited += other.waited;
        self.seconds += other.seconds;
    }
}
