//! A row as a person reads it: who did what to which label of what.

use std::{cmp::Ordering, collections::HashMap};

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

    fn priority(&self) -> Option<i64> {
        self.rank.0
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
}

impl Event {
    /// Reads a row.
    ///
    /// # Errors
    /// It is no JSON object, or a column is of another type than it is declared.
    pub fn read(row: &str, names: &Names) -> Result<Self, serde_json::Error> {
        let row: Row = serde_json::from_str(row)?;
        let to = names.label(&row.sensitivity_label_id, row.sensitivity_label_name, row.sensitivity_label_priority);
        let from = names.label(
            &row.old_sensitivity_label_id,
            row.old_sensitivity_label_name,
            row.old_sensitivity_label_priority,
        );
        let change = if row.label_change.is_empty() { by_rank(from.as_ref(), to.as_ref()) } else { row.label_change };
        Ok(Self {
            id: row.audit_record_id,
            time: row.creation_time,
            kind: row.record_type_name,
            operation: row.operation,
            who: row.user_id.split('@').next().unwrap_or_default().to_owned(),
            what: if row.item_name.is_empty() { last_segment(&row.object_id) } else { row.item_name },
            from,
            to,
            change,
            why: row.justification_text,
        })
    }

    /// Whether the item is less protected than before.
    pub fn lowers(&self) -> bool {
        matches!(self.change.as_str(), "Downgraded" | "Removed")
    }
}

/// The change that the ranks of two labels tell, as a row says it.
fn by_rank(from: Option<&Label>, to: Option<&Label>) -> String {
    let rank = |label: Option<&Label>| label.and_then(Label::priority);
    let (Some(from), Some(to)) = (rank(from), rank(to)) else { return String::new() };
    match to.cmp(&from) {
        Ordering::Greater => "Upgraded",
        Ordering::Less => "Downgraded",
        Ordering::Equal => "SameOrder",
    }
    .to_owned()
}

/// The name at the end of a path or an address.
fn last_segment(path: &str) -> String {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

/// Names of labels by their ids: what Microsoft Graph tells of the tenant.
#[derive(Debug)]
pub struct Names {
    labels: HashMap<String, Label>,
}

impl Names {
    /// The names of the simulated tenant.
    pub fn of(tenant: &Tenant) -> Self {
        let label = |label| Label::new(tenant.label_path(label), Some(i64::from(label.priority)));
        Self { labels: tenant.labels.iter().map(|known| (known.id.clone(), label(known))).collect() }
    }

    /// The label that a row names: by what the row says of it, else by what the tenant does.
    fn label(&self, id: &str, name: String, priority: Option<i64>) -> Option<Label> {
        if !name.is_empty() {
            return Some(Label::new(name, priority));
        }
        if id.is_empty() {
            return None;
        }
        let short = id.get(..8).unwrap_or(id);
        Some(self.labels.get(id).cloned().unwrap_or_else(|| Label::new(format!("deleted label {short}…"), None)))
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
    fn names_come_from_the_row_before_the_tenant() {
        let tenant = Tenant::new(1);
        let (low, high) = (&tenant.labels[2], &tenant.labels[11]);
        let event = read(json!({"SensitivityLabelId": low.id, "OldSensitivityLabelId": high.id}));
        assert_eq!(event.to, Some(Label::new("General", Some(2))));
        assert_eq!(event.from, Some(Label::new("Highly Confidential\\Project Ætna", Some(11))));
        let event =
            read(json!({"SensitivityLabelId": low.id, "SensitivityLabelName": "A\\B", "SensitivityLabelPriority": 7}));
        assert_eq!(event.to, Some(Label::new("A\\B", Some(7))));
        let event = read(json!({"SensitivityLabelId": tenant.retired_label}));
        assert!(event.to.unwrap().name.starts_with("deleted label "));
        assert_eq!(event.from, None);
    }

    #[test]
    fn a_row_that_says_nothing_of_the_change_is_judged_by_the_ranks() {
        let tenant = Tenant::new(1);
        let (low, high) = (&tenant.labels[0].id, &tenant.labels[8].id);
        let change = |old: &str, new: &str, said: &str| {
            read(json!({"OldSensitivityLabelId": old, "SensitivityLabelId": new, "LabelChange": said}))
        };
        assert!(change(high, low, "").lowers());
        assert_eq!(change(low, high, "").change, "Upgraded");
        assert_eq!(change(low, low, "").change, "SameOrder");
        assert_eq!(change(high, low, "Upgraded").change, "Upgraded", "the row knows best");
        assert!(change(high, "", "Removed").lowers());
        assert_eq!(change(high, &tenant.retired_label, "").change, "");
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
