//! The declared stream: its columns, and what the service does to a row that does not fit them.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::value::RawValue;

/// Longest value of a field in bytes; the service cuts what is longer and says nothing
/// (Azure Monitor limits, "Logs Ingestion API").
pub const LONGEST_FIELD: usize = 64 * 1024;

/// JSON with more brackets than this may nest too deep for a dynamic column.
const SHALLOW: usize = 32;

/// Type of a column of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    String,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A number.
    Real,
    /// `true` or `false`.
    Boolean,
    /// A time as text, with a zone.
    Datetime,
    /// Any JSON; but an object or array that is wrapped in a string would be a mistake of the sender.
    Dynamic,
}

const STRINGS: &[&str] = &[
    "ActionSource",
    "ActionSourceDetail",
    "Application",
    "ApplicationMode",
    "ClientIP",
    "ContentType",
    "CorrelationId",
    "CurrentProtectionTypeName",
    "DataState",
    "DeviceName",
    "ExecutionRuleId",
    "ExecutionRuleName",
    "ExecutionRuleVersion",
    "AuditRecordId",
    "IrmContentId",
    "ItemName",
    "ItemSize",
    "JustificationText",
    "LabelAction",
    "LabelEventType",
    "LabelName",
    "LabelVersion",
    "MachineName",
    "MgtRuleId",
    "ObjectId",
    "OldSensitivityLabelId",
    "OldSensitivityLabelOwnerEmail",
    "Operation",
    "OrganizationId",
    "OverRideReason",
    "OverRideType",
    "Platform",
    "PolicyId",
    "PolicyName",
    "PolicyVersion",
    "PreviousProtectionTypeName",
    "ProtectionEventTypeName",
    "RecordTypeName",
    "ResultStatus",
    "RuleMode",
    "Scope",
    "ScopedLocationId",
    "Sender",
    "SensitivityLabelId",
    "SensitivityLabelOwnerEmail",
    "SensitivityLabelPolicyId",
    "Severity",
    "TargetLocation",
    "UserId",
    "UserKey",
    "UserType",
    "Workload",
    "WorkLoadItemId",
    "SensitivityLabelName",
    "OldSensitivityLabelName",
    "LabelChange",
    "FeedContentType",
    "ContentId",
];
const INTS: &[&str] = &["RecordType", "SensitivityLabelPriority", "OldSensitivityLabelPriority"];
const BOOLEANS: &[&str] = &["IsViewableByExternalUsers", "SensitiveInfoDetectionIsIncluded"];
const DATETIMES: &[&str] = &[
    "ItemCreationTime",
    "ItemLastModifiedTime",
    "LabelAppliedDateTime",
    "TimeGenerated",
    "CreationTime",
    "ContentCreated",
];
const DYNAMICS: &[&str] = &[
    "AppAccessContext",
    "Common",
    "ConditionMatch",
    "CurrentProtectionType",
    "EmailInfo",
    "ExchangeMetaData",
    "OverriddenActions",
    "PreviousProtectionType",
    "ProtectionEventData",
    "Receivers",
    "RuleActions",
    "SensitiveInfoTypeData",
    "SharePointMetaData",
    "TruncatedColumns",
    "AdditionalFields",
];

const RUN_STRINGS: &[&str] = &["RunId", "OrganizationId", "Version", "Host", "Outcome", "Error", "CatalogueTrouble"];
const RUN_LONGS: &[&str] = &[
    "ContentsListed",
    "ContentsRead",
    "ContentsFailed",
    "ContentsPending",
    "ContentsUnfinished",
    "Records",
    "LabelEvents",
    "Repeated",
    "Rows",
    "Posts",
    "RowBytes",
    "SentBytes",
    "DeadLetters",
    "DeadLettersKept",
    "FeedRequests",
    "Throttled",
    "UnknownLabels",
    "CatalogueLabels",
];
const RUN_REALS: &[&str] = &["DurationSeconds", "ThrottleWaitSeconds", "LagSeconds", "CatalogueAgeSeconds"];
const RUN_DATETIMES: &[&str] = &["TimeGenerated"];
const RUN_DYNAMICS: &[&str] = &["FilteredOut", "ContentTypes"];

fn typed(names: &[&str], column: ColumnType) -> Vec<(String, ColumnType)> {
    names.iter().map(|name| ((*name).to_owned(), column)).collect()
}

/// The columns that the rule's stream declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Arc<BTreeMap<String, ColumnType>>);

impl Default for Columns {
    /// The stream of the documented table, less the columns that the service sets, plus the connector's own.
    fn default() -> Self {
        Self::new(
            [
                typed(STRINGS, ColumnType::String),
                typed(INTS, ColumnType::Int),
                typed(BOOLEANS, ColumnType::Boolean),
                typed(DATETIMES, ColumnType::Datetime),
                typed(DYNAMICS, ColumnType::Dynamic),
            ]
            .concat(),
        )
    }
}

/// What is wrong with one field of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The stream has no such column: the field is dropped, silently.
    Unknown,
    /// The value does not fit the column: it becomes null, silently.
    Mistyped,
    /// The value is over [`LONGEST_FIELD`]: it is cut, silently.
    TooLong,
}

impl Columns {
    /// A stream of these columns.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = (String, ColumnType)>) -> Self {
        Self(Arc::new(columns.into_iter().collect()))
    }

    /// The second stream of the rule: a row for each run of the connector.
    #[must_use]
    pub fn of_runs() -> Self {
        Self::new(
            [
                typed(RUN_STRINGS, ColumnType::String),
                typed(RUN_LONGS, ColumnType::Long),
                typed(RUN_REALS, ColumnType::Real),
                typed(RUN_DATETIMES, ColumnType::Datetime),
                typed(RUN_DYNAMICS, ColumnType::Dynamic),
            ]
            .concat(),
        )
    }

    /// Names and types, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        self.0.iter().map(|(name, column)| (name.as_str(), *column))
    }

    /// What the service would hold against `value` in the column `name`.
    pub(crate) fn flaw(&self, name: &str, value: &RawValue) -> Option<Flaw> {
        let text = value.get();
        let Some(column) = self.0.get(name) else { return Some(Flaw::Unknown) };
        if text.len() > LONGEST_FIELD && length(text) > LONGEST_FIELD {
            return Some(Flaw::TooLong);
        }
        if text == "null" {
            return None;
        }
        let fits = match column {
            ColumnType::String => text.starts_with('"'),
            ColumnType::Int => text.parse::<i32>().is_ok(),
            ColumnType::Long => text.parse::<i64>().is_ok(),
            ColumnType::Real => !text.starts_with('"') && text.parse::<f64>().is_ok(),
            ColumnType::Boolean => matches!(text, "true" | "false"),
            ColumnType::Datetime => is_time(text.trim_matches('"')),
            ColumnType::Dynamic => !is_wrapped(text),
        };
        (!fits).then_some(Flaw::Mistyped)
    }
}

/// Bytes of a value: of a string what it says, of anything else its JSON.
fn length(text: &str) -> usize {
    serde_json::from_str::<String>(text).map_or(text.len(), |said| said.len())
}

/// Whether a string says JSON that the column could have held itself. What nests deep is text with good reason.
fn is_wrapped(text: &str) -> bool {
    let Ok(said) = serde_json::from_str::<String>(text) else { return false };
    let is_json = || serde_json::from_str::<&RawValue>(&said).is_ok();
    said.starts_with(['{', '[']) && said.matches(['{', '[']).count() <= SHALLOW && is_json()
}

fn is_time(text: &str) -> bool {
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(name: &str, json: &str) -> Option<Flaw> {
        let value: Box<RawValue> = serde_json::from_str(json).unwrap();
        Columns::default().flaw(name, &value)
    }

    #[test]
    fn the_stream_has_the_tables_columns_and_the_extra_ones() {
        let columns = Columns::default();
        assert_eq!(columns.iter().count(), 84);
        assert!(columns.iter().all(|(name, _)| !matches!(name, "TenantId" | "Type" | "SourceSystem" | "Id")));
    }

    #[test]
    fn fields_must_fit_their_columns() {
        assert_eq!(flaw("Operation", "\"FileRenamed\""), None);
        assert_eq!(flaw("Operation", "7"), Some(Flaw::Mistyped));
        assert_eq!(flaw("Operation", "null"), None);
        assert_eq!(flaw("RecordType", "43"), None);
        assert_eq!(flaw("RecordType", "\"43\""), Some(Flaw::Mistyped));
        assert_eq!(flaw("RecordType", "4.5"), Some(Flaw::Mistyped));
        assert_eq!(flaw("IsViewableByExternalUsers", "true"), None);
        assert_eq!(flaw("IsViewableByExternalUsers", "1"), Some(Flaw::Mistyped));
        assert_eq!(flaw("CreationTime", "\"2026-11-18T10:00:00Z\""), None);
        assert_eq!(flaw("CreationTime", "\"2026-11-18T10:00:00\""), Some(Flaw::Mistyped));
        assert_eq!(flaw("Common", "{}"), None);
        assert_eq!(flaw("Common", "\"{}\""), Some(Flaw::Mistyped));
        assert_eq!(flaw("Common", "true"), None);
        assert_eq!(flaw("Common", "\"[text\""), None);
        assert_eq!(flaw("Colour", "1"), Some(Flaw::Unknown));
    }

    #[test]
    fn sixty_four_kilobytes_are_the_limit() {
        let quoted = |length: usize| format!("\"{}\"", "x".repeat(length));
        assert_eq!(flaw("ItemName", &quoted(LONGEST_FIELD)), None);
        assert_eq!(flaw("ItemName", &quoted(LONGEST_FIELD + 1)), Some(Flaw::TooLong));
        let escaped = format!("\"{}\"", "\\n".repeat(LONGEST_FIELD));
        assert_eq!(flaw("ItemName", &escaped), None, "escapes do not count");
    }
}
