//! What a ledger comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
