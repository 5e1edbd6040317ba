//! Which records are label events.

/// The record types of the official connector ("Microsoft Purview Information Protection", Microsoft Sentinel
/// documentation, record types and activities). `MipLabel` 43 to `AipHeartBeat` 97.
pub const RECORD_TYPES: [i64; 12] = [43, 71, 72, 75, 82, 83, 84, 93, 94, 95, 96, 97];

/// The operations of the official connector, which count with any record type (files, sites, Power BI). From the same
/// page as [`RECORD_TYPES`].
pub const OPERATIONS: [&str; 10] = [
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

/// `AipHeartBeat`: a client is alive. It is what `HEARTBEATS=drop` drops.
pub const HEARTBEAT: i64 = 97;

/// Decides by record type or operation alone. That a record merely carries a label says nothing: page views and Copilot
/// interactions do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    record_types: Vec<i64>,
    operations: Vec<String>,
    heartbeats: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self::new(None, None, true)
    }
}

impl Filter {
    /// `None` stands for the official connector's list; a list takes its place. Without `heartbeats`, record type 97 is
    /// dropped whatever the lists say.
    #[must_use]
    pub fn new(record_types: Option<Vec<i64>>, operations: Option<Vec<String>>, heartbeats: bool) -> Self {
        Self {
            record_types: record_types.unwrap_or_else(|| RECORD_TYPES.to_vec()),
            operations: operations.unwrap_or_else(|| OPERATIONS.map(str::to_owned).to_vec()),
            heartbeats,
        }
    }

    /// Whether a record is a label event. Operations are compared without regard to case.
    #[must_use]
    pub fn keeps(&self, record_type: Option<i64>, operation: Option<&str>) -> bool {
        if !self.heartbeats && record_type == Some(HEARTBEAT) {
            return false;
        }
        record_type.is_some_and(|number| self.record_types.contains(&number))
            || operation.is_some_and(|name| self.operations.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_record_types_are_kept_whatever_the_operation() {
        let filter = Filter::default();
        for number in RECORD_TYPES {
            assert!(filter.keeps(Some(number), None));
            assert!(filter.keeps(Some(number), Some("Anything")));
        }
        let kept: Vec<_> = (-1..400).filter(|&number| filter.keeps(Some(number), None)).collect();
        assert_eq!(kept, RECORD_TYPES);
    }

    #[test]
    fn the_official_operations_are_kept_in_any_case_whatever_the_record_type() {
        let filter = Filter::default();
        for name in OPERATIONS {
            for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                assert!(filter.keeps(Some(6), Some(&name)), "{name}");
                assert!(filter.keeps(None, Some(&name)), "{name}");
            }
        }
    }

    #[test]
    fn look_alikes_are_dropped() {
        let filter = Filter::default();
        for (record_type, operation) in [
            (13, "MipLabel"),
            (11, "MipLabel"),
            (6, "FileDeleted"),
            (4, "PageViewed"),
            (8, "Add label."),
            (18, "Set-Label"),
            (18, "New-LabelPolicy"),
            (261, "CopilotInteraction"),
            (6, "SensitivityLabel"),
            (6, "FileSensitivityLabelApplied "),
        ] {
            assert!(!filter.keeps(Some(record_type), Some(operation)), "{record_type} {operation}");
        }
        assert!(!filter.keeps(None, None));
    }

    #[test]
    fn heartbeats_are_dropped_on_request_even_where_listed() {
        assert!(Filter::default().keeps(Some(97), Some("HeartBeat")));
        let filter = Filter::new(Some(vec![97, 93]), Some(vec!["HeartBeat".into()]), false);
        assert!(!filter.keeps(Some(97), Some("HeartBeat")));
        assert!(filter.keeps(Some(93), None));
    }

    #[test]
    fn lists_take_the_place_of_the_defaults_one_by_one() {
        let types = Filter::new(Some(vec![206]), None, true);
        assert!(types.keeps(Some(206), None) && !types.keeps(Some(93), None));
        assert!(types.keeps(Some(6), Some("FileSensitivityLabelApplied")));
        let operations = Filter::new(None, Some(vec!["SensitivityLabelRecommended".into()]), true);
        assert!(operations.keeps(Some(6), Some("sensitivitylabelrecommended")));
        assert!(!operations.keeps(Some(6), Some("FileSensitivityLabelApplied")));
        assert!(operations.keeps(Some(93), None));
    }
}
