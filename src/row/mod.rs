//! Rows: a label event as one line of JSON with the columns of `infra/columns.json`.
//!
//! [`write()`] goes through the columns once and copies what it can straight from the record. What no column takes ends
//! in `AdditionalFields`, so that a row loses nothing of its record but what the service's limits forbid, and then
//! `TruncatedColumns` says so.

mod additional;
mod change;
mod columns;
mod encode;
mod enums;
mod limit;
mod moment;
mod origin;
mod value;
mod writer;

pub use columns::{COLUMNS_JSON, ColumnType, columns};
pub use limit::{ROW_LIMIT, VALUE_LIMIT};

use uuid::Uuid;

use crate::{
    content::{Content, ContentType},
    labels::Catalogue,
    record::Record,
};

/// Where a record came from: the same for all records of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance<'a> {
    content_type: ContentType,
    content_id: &'a str,
    created: String,
}

impl<'a> From<&'a Content> for Provenance<'a> {
    fn from(content: &'a Content) -> Self {
        Self { content_type: content.content_type, content_id: &content.id, created: moment::write(content.created) }
    }
}

/// What is to be counted of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowMeta {
    /// Its size: the bytes that were appended, at most [`ROW_LIMIT`].
    pub bytes: usize,
    /// How many of its columns were cut; `TruncatedColumns` names them.
    pub truncated: usize,
    /// How many label ids it has that the catalogue does not know: 0 to 2.
    pub unknown_labels: u32,
    /// Those of them that are GUIDs, as the ids of labels are: of the label before, and of the label.
    pub unknown_ids: [Option<Uuid>; 2],
    /// Whether the record told when it happened. If not, the row's `TimeGenerated` is the time its content was created.
    pub timed: bool,
}

/// Appends the row of `record` to `out`: one JSON object without line breaks, columns in their order, those without a
/// value left out. Any record makes a row.
pub fn write(record: &Record<'_>, provenance: &Provenance<'_>, labels: &Catalogue, out: &mut Vec<u8>) -> RowMeta {
    let source = origin::Source::new(record, labels);
    let start = out.len();
    let mut caps = limit::Caps::USUAL;
    let mut meta = writer::write(&source, provenance, caps, out);
    if meta.bytes > ROW_LIMIT {
        caps = writer::caps_to_fit(&out[start..]);
        out.truncate(start);
        meta = writer::write(&source, provenance, caps, out);
    }
    // A value that was cut already may fill its new cap better than it did the old one.
    while meta.bytes > ROW_LIMIT && caps != caps.halved() {
        caps = caps.halved();
        out.truncate(start);
        meta = writer::write(&source, provenance, caps, out);
    }
    meta
}

#[cfg(test)]
mod tests;
