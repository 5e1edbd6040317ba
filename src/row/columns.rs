//! The columns of a row in their order, each with where its value comes from. `infra/columns.json` is the definition
//! of their names, types and order; a test compares the two.

use super::{
    enums::{self, Names},
    origin::{
        LABEL, MemberSet, OLD_LABEL,
        Origin::{self, Event, Policy, Rule, Top, Within, WithinOf},
    },
};
use crate::record::Member as M;

/// The definition of the columns: a JSON array of objects with `name`, `type` (`string`, `int`, `boolean`, `datetime`,
/// `dynamic`) and `description`.
pub const COLUMNS_JSON: &str = include_str!("../../infra/columns.json");

/// The type of a column, as a data collection rule names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    String,
    /// A whole number of 32 bits.
    Int,
    /// True or false.
    Boolean,
    /// A time in UTC.
    Datetime,
    /// Any JSON.
    Dynamic,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    /// What stands before a value of it: `,"name":`.
    pub key: &'static str,
    pub take: Take,
    /// Where its value comes from: a record that has none of these members has none for it. `None` where it must be
    /// asked for in any case.
    pub sources: Option<MemberSet>,
}

type Origins = &'static [Origin];

/// How a column's value is made. The origins are tried in turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take {
    /// A string; other values as their JSON text.
    Text(Origins),
    /// A string without space around it.
    Trimmed(Origins),
    /// The name of an enum's number.
    Name(Names, Origins),
    /// A time.
    Time(Origins),
    /// True or false, also from text or 0 and 1.
    Flag(Origins),
    /// Any JSON.
    Json(Origins),
    /// Made of more than one thing.
    Made(Made),
}

/// The columns that are more than one value of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    RecordType,
    RecordTypeName,
    TimeGenerated,
    ConditionMatch,
    LabelName,
    SensitivityLabelName,
    OldSensitivityLabelName,
    SensitivityLabelPriority,
    OldSensitivityLabelPriority,
    LabelChange,
    FeedContentType,
    ContentId,
    ContentCreated,
    TruncatedColumns,
    AdditionalFields,
}

impl Take {
    /// The places where its value is looked for; none for what is made of more.
    pub const fn origins(self) -> Origins {
        match self {
            Self::Text(origins)
            | Self::Trimmed(origins)
            | Self::Name(_, origins)
            | Self::Time(origins)
            | Self::Flag(origins)
            | Self::Json(origins) => origins,
            Self::Made(_) => &[],
        }
    }

    const fn sources(self) -> Option<MemberSet> {
        match self {
            Self::Made(_) => None,
            _ => Some(MemberSet::of(self.origins())),
        }
    }
}

impl Column {
    /// The type that the column's values have.
    pub const fn column_type(&self) -> ColumnType {
        match self.take {
            Take::Text(_) | Take::Trimmed(_) | Take::Name(..) => ColumnType::String,
            Take::Time(_) => ColumnType::Datetime,
            Take::Flag(_) => ColumnType::Boolean,
            Take::Json(_) => ColumnType::Dynamic,
            Take::Made(made) => match made {
                Made::RecordType | Made::SensitivityLabelPriority | Made::OldSensitivityLabelPriority => {
                    ColumnType::Int
                }
                Made::TimeGenerated | Made::ContentCreated => ColumnType::Datetime,
                Made::ConditionMatch | Made::TruncatedColumns | Made::AdditionalFields => ColumnType::Dynamic,
                _ => ColumnType::String,
            },
        }
    }
}

macro_rules! column {
    ($name:literal, $take:expr) => {
        Column { name: $name, key: concat!(",\"", $name, "\":"), take: $take, sources: $take.sources() }
    };
}

use Take::{Flag, Json, Made as Make, Name, Text, Time, Trimmed};

// The fallbacks to `PolicyDetails` are for record types 71, 72 and 75, whose shape is not documented: other events of
// matched policies have theirs there.

/// Every column, in the order of the definition.
#[rustfmt::skip] // one column a line reads as the table that it is
pub(super) const COLUMNS: &[Column] = &[
    column!("ActionSource", Name(enums::ACTION_SOURCE, &[Event(M::ActionSource), Top(M::ActionSource)])),
    column!("ActionSourceDetail", Name(enums::ACTION_SOURCE_DETAIL, &[Event(M::ActionSourceDetail), Top(M::ActionSourceDetail)])),
    column!("AppAccessContext", Json(&[Top(M::AppAccessContext)])),
    column!("Application", Text(&[Top(M::Application)])),
    column!("ApplicationMode", Text(&[Top(M::ApplicationMode)])),
    column!("ClientIP", Trimmed(&[Top(M::ClientIP)])),
    column!("Common", Json(&[Top(M::Common)])),
    column!("ConditionMatch", Make(Made::ConditionMatch)),
    column!("ContentType", Text(&[Top(M::ContentType), Event(M::ContentType)])),
    column!("CorrelationId", Text(&[Top(M::CorrelationId), Within(M::AppAccessContext, "CorrelationId")])),
    column!("CurrentProtectionType", Json(&[Top(M::CurrentProtectionType)])),
    column!("CurrentProtectionTypeName", Name(enums::UNPUBLISHED, &[Top(M::CurrentProtectionTypeName), Within(M::CurrentProtectionType, "protectionType")])),
    column!("DataState", Text(&[Top(M::DataState), Top(M::DataStateSpaced)])),
    column!("DeviceName", Text(&[Top(M::DeviceName)])),
    column!("EmailInfo", Json(&[Top(M::EmailInfo)])),
    column!("ExchangeMetaData", Json(&[Top(M::ExchangeMetaData)])),
    column!("ExecutionRuleId", Text(&[Top(M::ExecutionRuleId), Rule("RuleId")])),
    column!("ExecutionRuleName", Text(&[Top(M::ExecutionRuleName), Rule("RuleName")])),
    column!("ExecutionRuleVersion", Text(&[Top(M::ExecutionRuleVersion), Rule("RuleVersion")])),
    column!("AuditRecordId", Text(&[Top(M::Id)])),
    column!("IrmContentId", Text(&[Top(M::IrmContentId)])),
    column!("IsViewableByExternalUsers", Flag(&[Top(M::IsViewableByExternalUsers), Within(M::SharePointMetaData, "IsViewableByExternalUsers")])),
    column!("ItemCreationTime", Time(&[Top(M::ItemCreationTime), Within(M::SharePointMetaData, "ItemCreationTime")])),
    column!("ItemLastModifiedTime", Time(&[Top(M::ItemLastModifiedTime), Within(M::SharePointMetaData, "ItemLastModifiedTime")])),
    column!("ItemName", Text(&[Top(M::ItemName), Within(M::SharePointMetaData, "FileName"), Within(M::EmailInfo, "Subject")])),
    column!("ItemSize", Text(&[Top(M::ItemSize), Within(M::SharePointMetaData, "FileSize"), Within(M::ExchangeMetaData, "FileSize")])),
    column!("JustificationText", Text(&[Event(M::JustificationText), Top(M::SensitivityLabelJustificationText), Top(M::JustificationText)])),
    column!("LabelAction", Text(&[Top(M::LabelAction)])),
    column!("LabelAppliedDateTime", Time(&[Top(M::LabelAppliedDateTime)])),
    column!("LabelEventType", Name(enums::LABEL_EVENT_TYPE, &[Event(M::LabelEventType), Top(M::LabelEventType)])),
    column!("LabelName", Make(Made::LabelName)),
    column!("LabelVersion", Text(&[Top(M::LabelVersion)])),
    column!("MachineName", Text(&[Top(M::MachineName)])),
    column!("MgtRuleId", Text(&[Top(M::MgtRuleId), Rule("ManagementRuleId")])),
    column!("ObjectId", Text(&[Top(M::ObjectId)])),
    column!("OldSensitivityLabelId", Text(OLD_LABEL)),
    column!("OldSensitivityLabelOwnerEmail", Text(&[Event(M::OldSensitivityLabelOwnerEmail), Top(M::OldSensitivityLabelOwnerEmail)])),
    column!("Operation", Text(&[Top(M::Operation)])),
    column!("OrganizationId", Text(&[Top(M::OrganizationId)])),
    column!("OverriddenActions", Json(&[Top(M::OverriddenActions)])),
    column!("OverRideReason", Text(&[Top(M::OverRideReason)])),
    column!("OverRideType", Text(&[Top(M::OverRideType)])),
    column!("Platform", Name(enums::PLATFORM, &[Top(M::Platform), Within(M::Common, "Platform")])),
    column!("PolicyId", Text(&[Top(M::PolicyId), Policy("PolicyId")])),
    column!("PolicyName", Text(&[Top(M::PolicyName), Policy("PolicyName")])),
    column!("PolicyVersion", Text(&[Top(M::PolicyVersion), Policy("PolicyVersion")])),
    column!("PreviousProtectionType", Json(&[Top(M::PreviousProtectionType)])),
    column!("PreviousProtectionTypeName", Name(enums::UNPUBLISHED, &[Top(M::PreviousProtectionTypeName), Within(M::PreviousProtectionType, "protectionType")])),
    column!("ProtectionEventData", Json(&[Top(M::ProtectionEventData)])),
    // 93 AipDiscover leaves it empty, as the built-in table does.
    column!("ProtectionEventTypeName", Name(enums::UNPUBLISHED, &[Top(M::ProtectionEventTypeName), Top(M::ProtectionEventType), WithinOf(&[94, 95], M::ProtectionEventData, "ProtectionEventType")])),
    column!("Receivers", Json(&[Top(M::Receivers)])),
    column!("RecordType", Make(Made::RecordType)),
    column!("RecordTypeName", Make(Made::RecordTypeName)),
    column!("ResultStatus", Text(&[Top(M::ResultStatus)])),
    column!("RuleActions", Json(&[Top(M::RuleActions), Rule("Actions")])),
    column!("RuleMode", Text(&[Top(M::RuleMode), Rule("RuleMode")])),
    column!("Scope", Name(enums::SCOPE, &[Top(M::Scope)])),
    column!("ScopedLocationId", Text(&[Top(M::ScopedLocationId)])),
    column!("Sender", Text(&[Top(M::Sender)])),
    column!("SensitiveInfoDetectionIsIncluded", Flag(&[Top(M::SensitiveInfoDetectionIsIncluded)])),
    column!("SensitiveInfoTypeData", Json(&[Top(M::SensitiveInfoTypeData)])),
    column!("SensitivityLabelId", Text(LABEL)),
    column!("SensitivityLabelOwnerEmail", Text(&[Event(M::SensitivityLabelOwnerEmail), Top(M::SensitivityLabelOwnerEmail)])),
    column!("SensitivityLabelPolicyId", Text(&[Top(M::SensitivityLabelPolicyId), Event(M::SensitivityLabelPolicyId)])),
    column!("Severity", Text(&[Top(M::Severity), Rule("Severity")])),
    column!("SharePointMetaData", Json(&[Top(M::SharePointMetaData)])),
    column!("TargetLocation", Name(enums::TARGET_LOCATION, &[Top(M::TargetLocation)])),
    column!("TimeGenerated", Make(Made::TimeGenerated)),
    column!("UserId", Text(&[Top(M::UserId)])),
    column!("UserKey", Text(&[Top(M::UserKey)])),
    column!("UserType", Name(enums::USER_TYPE, &[Top(M::UserType)])),
    column!("Workload", Text(&[Top(M::Workload)])),
    column!("WorkLoadItemId", Text(&[Top(M::WorkLoadItemId)])),
    // Those that the built-in table does not have.
    column!("CreationTime", Time(&[Top(M::CreationTime)])),
    column!("SensitivityLabelName", Make(Made::SensitivityLabelName)),
    column!("OldSensitivityLabelName", Make(Made::OldSensitivityLabelName)),
    column!("SensitivityLabelPriority", Make(Made::SensitivityLabelPriority)),
    column!("OldSensitivityLabelPriority", Make(Made::OldSensitivityLabelPriority)),
    column!("LabelChange", Make(Made::LabelChange)),
    column!("FeedContentType", Make(Made::FeedContentType)),
    column!("ContentId", Make(Made::ContentId)),
    column!("ContentCreated", Make(Made::ContentCreated)),
    column!("TruncatedColumns", Make(Made::TruncatedColumns)),
    column!("AdditionalFields", Make(Made::AdditionalFields)),
];

/// Names and types of the columns, in their order.
pub fn columns() -> impl Iterator<Item = (&'static str, ColumnType)> {
    COLUMNS.iter().map(|column| (column.name, column.column_type()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Defined {
        name: String,
        r#type: String,
        description: String,
    }

    /// What custom tables and the service keep for themselves (Azure Monitor, custom tables and standard columns),
    /// compared without regard to case.
    const RESERVED: [&str; 17] = [
        "id",
        "BilledSize",
        "IsBillable",
        "InvalidTimeGenerated",
        "TenantId",
        "Title",
        "Type",
        "UniqueId",
        "_ItemId",
        "_ResourceGroup",
        "_ResourceId",
        "_SubscriptionId",
        "_TimeReceived",
        "SourceSystem",
        "MG",
        "ManagementGroupName",
        "Computer",
    ];

    fn defined() -> Vec<Defined> {
        serde_json::from_str(COLUMNS_JSON).unwrap()
    }

    #[test]
    fn the_code_has_the_defined_columns_in_their_order_with_their_types() {
        let types: Vec<_> = defined().into_iter().map(|column| (column.name, column.r#type)).collect();
        let code: Vec<_> =
            columns().map(|(name, kind)| (name.to_owned(), format!("{kind:?}").to_ascii_lowercase())).collect();
        assert_eq!(code, types);
        assert_eq!(code.len(), 73 + 11);
    }

    #[test]
    fn the_names_are_ones_that_the_service_takes() {
        let mut seen = std::collections::HashSet::new();
        for Defined { name, description, .. } in defined() {
            let valid = (2..=45).contains(&name.len())
                && name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            assert!(valid, "{name}");
            assert!(RESERVED.iter().all(|reserved| !reserved.eq_ignore_ascii_case(&name)), "{name}");
            assert!(!description.is_empty() && description.len() <= 200, "{name}");
            assert!(seen.insert(name.to_ascii_lowercase()), "{name} comes twice");
        }
    }
}
