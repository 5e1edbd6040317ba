//! What became of the label: `LabelChange`.

use std::cmp::Ordering;

/// What is known of a change of label.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts<'a> {
    /// The name of the record's `LabelEventType`, if it has one.
    pub event_type: Option<&'a str>,
    /// `Operation`.
    pub operation: Option<&'a str>,
    /// Whether there was a label before.
    pub had_label: bool,
    /// The rank of the label before.
    pub old_priority: Option<i64>,
    /// The rank of the label now.
    pub new_priority: Option<i64>,
}

/// `Applied`, `Upgraded`, `Downgraded`, `SameOrder` or `Removed`: what the record states, else what its operation says
/// plainly, else what the ranks of both labels say.
pub(super) fn label_change(facts: Facts<'_>) -> Option<&'static str> {
    stated(facts).or_else(|| by_operation(facts)).or_else(|| by_priority(facts))
}

fn stated(facts: Facts<'_>) -> Option<&'static str> {
    match facts.event_type? {
        "LabelUpgraded" => Some("Upgraded"),
        "LabelDowngraded" => Some("Downgraded"),
        "LabelRemoved" => Some("Removed"),
        "LabelChangedSameOrder" => Some("SameOrder"),
        _ => None,
    }
}

fn by_operation(facts: Facts<'_>) -> Option<&'static str> {
    // The label operations of files, sites and clients all end so: `FileSensitivityLabelApplied` and so on.
    let ends = |end: &str| {
        let operation = facts.operation.unwrap_or_default();
        operation
            .len()
            .checked_sub(end.len())
            .and_then(|at| operation.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    if ends("SensitivityLabelRemoved") {
        return Some("Removed");
    }
    (ends("SensitivityLabelApplied") && !facts.had_label).then_some("Applied")
}

fn by_priority(facts: Facts<'_>) -> Option<&'static str> {
    Some(match facts.new_priority?.cmp(&facts.old_priority?) {
        Ordering::Greater => "Upgraded",
        Ordering::Less => "Downgraded",
        Ordering::Equal => "SameOrder",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(event_type: &'a str, operation: &'a str, priorities: Option<(i64, i64)>) -> Facts<'a> {
        Facts {
            event_type: (!event_type.is_empty()).then_some(event_type),
            operation: Some(operation),
            had_label: priorities.is_some(),
            old_priority: priorities.map(|(old, _)| old),
            new_priority: priorities.map(|(_, new)| new),
        }
    }

    #[test]
    fn the_record_is_believed_first_then_the_operation_then_the_ranks() {
        for (event_type, operation, priorities, expected) in [
            ("LabelUpgraded", "SensitivityLabelRemoved", Some((2, 1)), Some("Upgraded")),
            ("LabelDowngraded", "SensitivityLabelUpdated", None, Some("Downgraded")),
            ("LabelRemoved", "", None, Some("Removed")),
            ("LabelChangedSameOrder", "SensitivityLabelApplied", None, Some("SameOrder")),
            ("None", "SensitivityLabelApplied", None, Some("Applied")),
            ("7", "FileSensitivityLabelRemoved", Some((1, 2)), Some("Removed")),
            ("", "sitesensitivitylabelapplied", None, Some("Applied")),
            ("", "FileSensitivityLabelApplied", Some((1, 2)), Some("Upgraded")),
            ("", "FileSensitivityLabelChanged", Some((2, 1)), Some("Downgraded")),
            ("", "FileSensitivityLabelChanged", Some((2, 2)), Some("SameOrder")),
            ("", "FileSensitivityLabelChanged", None, None),
            ("", "Discover", None, None),
            ("None", "\u{e9}Applied", None, None),
        ] {
            assert_eq!(label_change(facts(event_type, operation, priorities)), expected, "{event_type} {operation}");
        }
    }

    #[test]
    fn one_known_rank_says_nothing() {
        let one = Facts { had_label: true, new_priority: Some(1), ..Facts::default() };
        assert_eq!(label_change(one), None);
    }
}
