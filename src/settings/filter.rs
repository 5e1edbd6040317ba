//! Which records become rows.

use super::{
    reader::Reader,
    table,
    value::{choice, list, quoted},
};

/// A record type as a person names it. What the names mean is known to the records, not to the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordTypeName {
    /// `AuditLogRecordType` by its number.
    Number(i64),
    /// By its name, as it was written.
    Name(String),
}

/// What becomes of the heartbeats of the Information Protection scanner (record type 97).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heartbeats {
    /// They become rows, as with the official connector.
    Keep,
    /// They are filtered out and counted.
    Drop,
}

/// Which records become rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSettings {
    /// In place of the official connector's record types; `None` leaves those.
    pub record_types: Option<Vec<RecordTypeName>>,
    /// In place of the official connector's operations; `None` leaves those.
    pub operations: Option<Vec<String>>,
    /// Whether heartbeats become rows.
    pub heartbeats: Heartbeats,
}

impl FilterSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let record_types = reader.optional(&table::RECORD_TYPES, |text| list(text, record_type));
        let operations = reader.optional(&table::OPERATIONS, |text| list(text, |entry| Ok(entry.to_owned())));
        let heartbeats = reader.or_default(&table::HEARTBEATS, |text| {
            choice(text, &[("keep", Heartbeats::Keep), ("drop", Heartbeats::Drop)])
        });
        Some(Self { record_types: record_types?, operations: operations?, heartbeats: heartbeats? })
    }
}

fn record_type(text: &str) -> Result<RecordTypeName, String> {
    if let Ok(number) = text.parse::<i64>() {
        return if number < 0 {
            Err(format!("has {number}, and no record type is negative"))
        } else {
            Ok(RecordTypeName::Number(number))
        };
    }
    // Members of an enumeration of the Management Activity API's schema: letters and digits.
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric()) {
        Ok(RecordTypeName::Name(text.to_owned()))
    } else {
        Err(format!("has {}, which is neither the number nor the name of a record type", quoted(text)))
    }
}
