//! The label catalogue: label id → name, parent, priority.

use std::{borrow::Cow, collections::HashMap};

use serde::{Deserialize, Serialize};

/// A sensitivity label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its GUID: `id` in Microsoft Graph, `ImmutableId` of `Get-Label`, and what the records hold.
    pub id: String,
    /// Its name, which need not be unique: two parents may each have a child of one name.
    pub name: String,
    /// The name of its parent, if it is a sublabel.
    #[serde(default)]
    pub parent: Option<String>,
    /// Its rank among all labels of the tenant, 0 the lowest. A higher one is more sensitive.
    #[serde(default)]
    pub priority: Option<i64>,
}

impl Label {
    /// `Parent\Child` for a sublabel, else its name.
    #[must_use]
    pub fn full_name(&self) -> Cow<'_, str> {
        match self.parent.as_deref().filter(|parent| !parent.is_empty()) {
            Some(parent) => Cow::Owned(format!("{parent}\\{}", self.name)),
            None => Cow::Borrowed(&self.name),
        }
    }
}

/// The labels of one tenant by their ids. An empty one knows no label, and names then stay empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    labels: HashMap<String, Label>,
}

impl Catalogue {
    /// The label with this id, in any case, with or without braces.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Label> {
        if self.labels.is_empty() {
            return None;
        }
        self.labels.get(&*normal(id))
    }

    /// How many labels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Every label, in no order.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.labels.values()
    }
}

impl FromIterator<Label> for Catalogue {
    /// Of two labels with one id the last counts.
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self { labels: labels.into_iter().map(|label| (normal(&label.id).into_owned(), label)).collect() }
    }
}

/// Ids are compared in lower case, without braces.
fn normal(id: &str) -> Cow<'_, str> {
    let id = id.trim_matches(|edge: char| matches!(edge, '{' | '}') || edge.is_whitespace());
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        Cow::Borrowed(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(id: &str, name: &str, parent: Option<&str>) -> Label {
        Label { id: id.into(), name: name.into(), parent: parent.map(str::to_owned), priority: Some(1) }
    }

    #[test]
    fn a_label_is_found_in_any_case() {
        let catalogue: Catalogue = [
            label("ABCDEF00-0000-4000-8000-000000000001", "a", None),
            label("abcdef00-0000-4000-8000-000000000002", "b", None),
        ]
        .into_iter()
        .collect();
        for (id, name) in [
            ("abcdef00-0000-4000-8000-000000000001", "a"),
            ("{ABCDEF00-0000-4000-8000-000000000001}", "a"),
            (" ABCDEF00-0000-4000-8000-000000000002", "b"),
        ] {
            assert_eq!(catalogue.get(id).map(|label| &*label.name), Some(name), "{id}");
        }
        assert_eq!(catalogue.get("abcdef00-0000-4000-8000-000000000003"), None);
        assert_eq!((catalogue.len(), catalogue.labels().count()), (2, 2));
    }

    #[test]
    fn a_sublabel_is_named_after_its_parent() {
        assert_eq!(label("1", "All Employees", Some("Confidential")).full_name(), "Confidential\\All Employees");
        assert_eq!(label("1", "Public", None).full_name(), "Public");
        assert_eq!(label("1", "Public", Some("")).full_name(), "Public");
    }

    #[test]
    fn the_empty_catalogue_knows_nothing() {
        assert!(Catalogue::default().is_empty());
        assert_eq!(Catalogue::default().get("1"), None);
    }
}
