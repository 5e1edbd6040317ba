//! A row as a person reads it: who did what to which label of what.

use std::collections::HashMap;

use labelstream_simulator::Tenant;
use serde::Deserialize;

/// The columns of a row that the picture shows. The rest of it lies in the rows' file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    audit_record_id: String,
    creation_time: String,
    record_type_name: String,
    operation: String,
    user_id: String,
    item_name: String,
    object_id: String,
    sensitivity_label_id: String,
    sensitivity_label_name: String,
    sensitivity_label_priority: Option<i64>,
    old_sensitivity_label_id: String,
    old_sensitivity_label_name: String,
    old_sensitivity_label_priority: Option<i64>,
    label_change: String,
    justification_text: String,
}

/// A label. The order is the one of a list: the most sensitive first, those of no known rank last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    rank: std::cmp::Reverse<Option<i64>>,
    /// `Parent\Child`, or its name alone.
    pub name: String,
}

impl Label {
    /// A label with its name and, where it is known, its priority.
    pub fn new(name: impl Into<String>, priority: Option<i64>) -> Self {
        Self { rank: std::cmp::Reverse(priority), name: name.into() }
    }
}

/// A label event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Id of the record.
    pub id: String,
    /// When it happened, RFC 3339 in UTC.
    pub time: String,
    /// Name of the record type.
    pub kind: String,
    pub operation: String,
    /// The user, without the domain.
    pub who: String,
    /// File, mail or site.
    pub what: String,
    pub from: Option<Label>,
    pub to: Option<Label>,
    /// `Applied`, `Upgraded`, `Downgraded`, `SameOrder`, `Removed`, or nothing.
    pub change: String,
    /// The justification, or nothing.
    pub why: String,
    /// Whether each of its labels that the tenant has is called by its name; `None` where it has no such label.
    pub named: Option<bool>,
}

impl Event {
    /// Reads a row.
    ///
    /// # Errors
    /// It is no JSON object, or a column is of another type than it is declared.
    pub fn read(row: &str, names: &Names) -> Result<Self, serde_json::Error> {
        let row: Row = serde_json::from_str(row)?;
        let judged = [
            names.judge(&row.sensitivity_label_id, &row.sensitivity_label_name),
            names.judge(&row.old_sensitivity_label_id, &row.old_sensitivity_label_name),
        ];
        let named = judged.into_iter().flatten().reduce(|one, other| one && other);
        let to = label(&row.sensitivity_label_id, row.sensitivity_label_name, row.sensitivity_label_priority);
        let from =
            label(&row.old_sensitivity_label_id, row.old_sensitivity_label_name, row.old_sensitivity_label_priority);
        Ok(Self {
            id: row.audit_record_id,
            time: row.creation_time,
            kind: row.record_type_name,
            operation: row.operation,
            who: row.user_id.split('@').next().unwrap_or_default().to_owned(),
            what: if row.item_name.is_empty() { last_segment(&row.object_id) } else { row.item_name },
            from,
            to,
            change: row.label_change,
            why: row.justification_text,
            named,
        })
    }

    /// Whether the item is less protected than before.
    pub fn lowers(&self) -> bool {
        matches!(self.change.as_str(), "Downgraded" | "Removed")
    }
}

/// The label of a row. One whose id is not known was deleted before the connector came.
fn label(id: &str, name: String, priority: Option<i64>) -> Option<Label> {
    if !name.is_empty() {
        return Some(Label::new(name, priority));
    }
    let short = id.get(..8).unwrap_or(id);
    (!id.is_empty()).then(|| Label::new(format!("deleted label {short}…"), None))
}

/// The name at the end of a path or an address.
fn last_segment(path: &str) -> String {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// Names of labels by their ids, by which those of the rows are judged.
#[derive(Debug)]
pub struct Names {
    labels: HashMap<String, String>,
}

impl Names {
    /// The names of the simulated tenant.
    pub fn of(tenant: &Tenant) -> Self {
        Self { labels: tenant.labels.iter().map(|known| (known.id.clone(), tenant.label_path(known))).collect() }
    }

    /// Whether a label of the tenant is called by its name.
    fn judge(&self, id: &str, name: &str) -> Option<bool> {
        self.labels.get(id).map(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(row: Value) -> Event {
        Event::read(&row.to_string(), &Names::of(&Tenant::new(1))).unwrap()
    }

    #[test]
    fn names_come_from_the_row_and_are_judged_by_the_tenant() {
        let tenant = Tenant::new(1);
        let (low, high) = (&tenant.labels[2].id, &tenant.labels[11].id);
        let high_name = "Highly Confidential\\Project Ætna";
        for (new, old, named) in [
            ((low.as_str(), "General"), (high.as_str(), high_name), Some(true)),
            ((low, "General"), (high, ""), Some(false)),
            ((low, "Personal"), ("", ""), Some(false)),
            (("", ""), (high, high_name), Some(true)),
            ((&tenant.retired_label, ""), ("", ""), None),
            ((&tenant.retired_label, ""), (low, "General"), Some(true)),
        ] {
            let event = read(json!({
                "SensitivityLabelId": new.0, "SensitivityLabelName": new.1, "SensitivityLabelPriority": 7,
                "OldSensitivityLabelId": old.0, "OldSensitivityLabelName": old.1,
            }));
            assert_eq!(event.named, named, "{new:?} {old:?}");
            if !new.1.is_empty() {
                assert_eq!(event.to, Some(Label::new(new.1, Some(7))));
            }
        }
        let event = read(json!({"SensitivityLabelId": tenant.retired_label, "LabelChange": "Removed"}));
        assert!(event.to.as_ref().is_some_and(|label| label.name.starts_with("deleted label ")) && event.lowers());
        assert_eq!(event.from, None);
    }

    #[test]
    fn items_are_called_by_their_names() {
        for (row, what) in [
            (json!({"ObjectId": "https://x.example/sites/Legal/Shared Documents/Plan 2.docx"}), "Plan 2.docx"),
            (json!({"ObjectId": r"\\files01\Legal\Plan.docx"}), "Plan.docx"),
            (json!({"ObjectId": "https://x.example/sites/Legal/"}), "Legal"),
            (json!({"ObjectId": "<id@x.example>", "ItemName": "RE: Budget"}), "RE: Budget"),
            (json!({}), ""),
        ] {
            assert_eq!(read(row.clone()).what, what, "{row}");
        }
        assert_eq!(read(json!({"UserId": "mei.tanaka3@fabrikam.example"})).who, "mei.tanaka3");
    }
}
