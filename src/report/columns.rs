//! The columns of a row that the report reads.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// The columns that the report reads; the rest is skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Columns<'a> {
    #[serde(borrow)]
    pub audit_record_id: Text<'a>,
    pub creation_time: Text<'a>,
    pub time_generated: Text<'a>,
    pub organization_id: Text<'a>,
    pub record_type: Option<i64>,
    pub operation: Text<'a>,
    pub workload: Text<'a>,
    pub application: Text<'a>,
    pub device_name: Text<'a>,
    pub user_id: Text<'a>,
    pub user_type: Text<'a>,
    pub object_id: Text<'a>,
    pub item_name: Text<'a>,
    pub action_source: Text<'a>,
    pub policy_id: Text<'a>,
    pub policy_name: Text<'a>,
    pub sensitivity_label_id: Text<'a>,
    pub sensitivity_label_name: Text<'a>,
    pub label_name: Text<'a>,
    pub sensitivity_label_priority: Option<i64>,
    pub old_sensitivity_label_id: Text<'a>,
    pub old_sensitivity_label_name: Text<'a>,
    pub old_sensitivity_label_priority: Option<i64>,
    pub label_change: Text<'a>,
    pub justification_text: Text<'a>,
    pub common: Option<&'a RawValue>,
    pub current_protection_type: Option<&'a RawValue>,
    pub previous_protection_type: Option<&'a RawValue>,
    pub protection_event_data: Option<&'a RawValue>,
    pub sensitive_info_type_data: Option<&'a RawValue>,
}

/// A text, borrowed from the line where nothing in it is escaped; none where it is null.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Cow<'de, str>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(""))
            }
        }
        deserializer.deserialize_any(Visitor).map(Self)
    }
}

/// What is read of the dynamic column `Common`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Common<'a> {
    #[serde(borrow)]
    pub application_name: Text<'a>,
    pub device_name: Text<'a>,
}

/// What is read of a protection type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Protection {
    pub document_encrypted: Truth,
}

/// What is read of the dynamic column `ProtectionEventData`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ProtectionEvent {
    pub is_protected: Truth,
    pub is_protected_before: Truth,
}

/// A truth that clients also write as a text.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Truth(pub Option<bool>);

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(truth) => Some(truth),
            serde_json::Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            serde_json::Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }))
    }
}

/// A dynamic column holds what the record had, and may have been cut: one of another shape says nothing.
pub(super) fn dynamic<'a, T: Deserialize<'a> + Default>(column: Option<&'a RawValue>) -> T {
    column.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}
