//! What a label event is, by the simulator's own reading of the documentation. It shares nothing with the connector.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::record::Record;

/// Record types of the official connector (Microsoft Sentinel documentation,
/// `microsoft-purview-record-types-activities`).
const RECORD_TYPES: [u64; 12] = [43, 71, 72, 75, 82, 83, 84, 93, 94, 95, 96, 97];

/// Activities of the same page.
const OPERATIONS: [&str; 10] = [
    "FileSensitivityLabelApplied",
    "FileSensitivityLabelChanged",
    "FileSensitivityLabelRemoved",
    "SensitivityLabelApplied",
    "SensitivityLabelUpdated",
    "SensitivityLabelRemoved",
    "SiteSensitivityLabelApplied",
    "SensitivityLabelChanged",
    "SiteSensitivityLabelRemoved",
    "DocumentSensitivityMismatchDetected",
];

/// Which records are label events: by type or by operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Record types that are kept.
    pub record_types: BTreeSet<u64>,
    /// Operations that are kept, compared without case.
    pub operations: Vec<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { record_types: RECORD_TYPES.into(), operations: OPERATIONS.map(str::to_owned).to_vec() }
    }
}

impl Rule {
    /// Whether `record` (JSON text) is a label event. What is no JSON object is none.
    #[must_use]
    pub fn keeps(&self, record: &str) -> bool {
        Record::read(record).is_some_and(|record| self.keeps_record(&record))
    }

    /// [`Rule::keeps`] for a record that was read.
    pub(crate) fn keeps_record(&self, record: &Record) -> bool {
        let operation = record.operation.as_deref().unwrap_or_default();
        record.record_type.is_some_and(|number| self.record_types.contains(&number))
            || self.operations.iter().any(|known| known.eq_ignore_ascii_case(operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_operations_count_and_label_fields_do_not() {
        let rule = Rule::default();
        for kept in [
            r#"{"RecordType":43}"#,
            r#"{"RecordType":"97","Operation":"HeartBeat"}"#,
            r#"{"RecordType":6,"Operation":"filesensitivitylabelapplied"}"#,
            r#"{"RecordType":20,"Operation":"SensitivityLabelApplied"}"#,
        ] {
            assert!(rule.keeps(kept), "{kept}");
        }
        for dropped in [
            r#"{"RecordType":13,"Operation":"MipLabel"}"#,
            r#"{"RecordType":4,"Operation":"PageViewed","SensitivityLabelEventData":{"SensitivityLabelId":"x"}}"#,
            r#"{"RecordType":18,"Operation":"Set-Label"}"#,
            r#"{"RecordType":6,"Operation":"FileDeleted"}"#,
            r#"[43]"#,
            "not JSON",
        ] {
            assert!(!rule.keeps(dropped), "{dropped}");
        }
    }
}
