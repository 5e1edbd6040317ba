//! The label catalogue: label id → name, parent, priority.

use std::{borrow::Cow, collections::HashMap};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A sensitivity label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its GUID: `id` in Microsoft Graph, `ImmutableId` of `Get-Label`, and what the records hold.
    pub id: String,
    /// Its name, which need not be unique: two parents may each have a child of one name.
    pub name: String,
    /// The name of its parent, if it is a sublabel. Where that is a sublabel itself, its own parent's stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its rank among all labels of the tenant, 0 the lowest. A higher one is more sensitive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Since when it is listed no more; the rest of it is then as it was last. Records of a deleted label go on for as
    /// long as there are files that have it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub gone: Option<OffsetDateTime>,
}

impl Label {
    /// `Parent\Child` for a sublabel, else its name.
    #[must_use]
    pub fn full_name(&self) -> Cow<'_, str> {
        match self.parent.as_deref().filter(|parent| !parent.is_empty()) {
            Some(parent) => Cow::Owned([parent, "\\", &self.name].concat()),
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

    /// How many labels there are, those that are gone as well.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// How many of them are gone.
    #[must_use]
    pub fn gone(&self) -> usize {
        self.labels().filter(|label| label.gone.is_some()).count()
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

    /// What is known once `listed` is all that there is: it goes before what was known, and a label that is not in it
    /// stays as it was last, gone since `now` or earlier.
    #[must_use]
    pub fn merged(&self, listed: impl IntoIterator<Item = Label>, now: OffsetDateTime) -> Self {
        let was = |label: &Label| Label { gone: label.gone.or(Some(now)), ..label.clone() };
        let mut labels: HashMap<_, _> = self.labels.iter().map(|(id, label)| (id.clone(), was(label))).collect();
        labels.extend(Self::from_iter(listed).labels);
        Self { labels }
    }

    /// Every label with its depth, sublabels after their parents, else by priority: as administrators see them. What is
    /// gone comes last.
    #[must_use]
    pub fn tree(&self) -> Vec<(usize, &Label)> {
        let mut all: Vec<_> = self.labels().collect();
        all.sort_by_key(|label| (label.gone.is_some(), label.priority.unwrap_or(i64::MAX), &label.name, &label.id));
        let mut by_name = HashMap::new();
        for (at, label) in all.iter().enumerate() {
            by_name.entry(label.full_name()).or_insert(at);
        }
        let (mut below, mut open) = (vec![Vec::new(); all.len()], Vec::new());
        // Backwards, so that the first of them is taken first.
        for (at, label) in all.iter().enumerate().rev() {
            match label.parent.as_deref().and_then(|parent| by_name.get(parent)).filter(|of| **of != at) {
                Some(of) => below[*of].push(at),
                None => open.push((0, at)),
            }
        }
        let mut tree = Vec::with_capacity(all.len());
        while let Some((depth, at)) = open.pop() {
            tree.push((depth, all[at]));
            open.extend(below[at].iter().map(|child| (depth + 1, *child)));
        }
        tree
    }
}

impl FromIterator<Label> for Catalogue {
    /// Of two labels with one id the last counts.
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self { labels: labels.into_iter().map(|label| (normal(&label.id).into_owned(), label)).collect() }
    }
}

/// Ids are compared in lower case, without braces.
pub(super) fn normal(id: &str) -> Cow<'_, str> {
    let id = id.trim_matches(|edge: char| matches!(edge, '{' | '}') || edge.is_whitespace());
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        Cow::Borrowed(id)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);

    fn label(id: &str, name: &str, parent: Option<&str>) -> Label {
        ranked(id, name, parent, 1)
    }

    fn ranked(id: &str, name: &str, parent: Option<&str>, priority: i64) -> Label {
        let parent = parent.map(str::to_owned);
        Label { id: id.into(), name: name.into(), parent, priority: Some(priority), gone: None }
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
        assert_eq!(Catalogue::default().tree(), []);
    }

    #[test]
    fn what_is_listed_no_more_keeps_its_last_name_and_the_time_it_went() {
        let known: Catalogue = [ranked("A", "Old", None, 3), label("b", "B", None)].into_iter().collect();
        let once = known.merged([label("B", "B anew", None)], NOW);
        let gone = Label { gone: Some(NOW), ..ranked("A", "Old", None, 3) };
        assert_eq!((once.get("a"), once.len(), once.gone()), (Some(&gone), 2, 1));
        assert_eq!(once.get("b").unwrap().name, "B anew");
        let later = once.merged([label("b", "B", None)], NOW + time::Duration::DAY);
        assert_eq!(later.get("a"), Some(&gone), "since when stays");
        let back = later.merged([label("a", "Back", None), label("b", "B", None)], NOW);
        assert_eq!((back.gone(), &*back.get("a").unwrap().name), (0, "Back"));
    }

    #[test]
    fn the_tree_has_sublabels_below_their_parents_in_their_order() {
        let catalogue: Catalogue = [
            ranked("5", "All", Some("Secret"), 5),
            ranked("4", "Secret", None, 4),
            ranked("3", "All", Some("Internal"), 3),
            ranked("2", "Board", Some("Internal"), 2),
            ranked("1", "Internal", None, 1),
            ranked("9", "Lost", Some("Elsewhere"), 0),
            Label { gone: Some(NOW), ..ranked("8", "Secret", None, 0) },
        ]
        .into_iter()
        .collect();
        let tree: Vec<_> = catalogue.tree().into_iter().map(|(depth, label)| (depth, &*label.id)).collect();
        assert_eq!(tree, [(0, "9"), (0, "1"), (1, "2"), (1, "3"), (0, "4"), (1, "5"), (0, "8")]);
    }

    #[test]
    fn labels_that_are_their_own_parents_are_in_the_tree_once() {
        let catalogue: Catalogue =
            [label("1", "a", Some("b")), label("2", "b", Some("a")), label("3", "", Some(""))].into_iter().collect();
        assert_eq!(catalogue.tree().len(), 3);
    }
}
