//! Labels as sources list them name their parents by id or by name; a catalogue has the names.

use std::collections::{HashMap, HashSet};

use super::catalogue::{Label, normal};

/// The most parents above one another that a name tells. Sublabels have none of their own today.
pub(super) const DEEPEST: usize = 8;

/// A label as a source lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: String,
    pub name: String,
    pub priority: Option<i64>,
    /// What the source says of its parent: ids or names, the first that can be used counts.
    pub parents: Vec<String>,
}

impl Entry {
    /// A label, where it has both an id and a name that say something.
    pub fn new(id: Option<String>, name: Option<String>, priority: Option<i64>, parents: Vec<String>) -> Option<Self> {
        let id = id.filter(|id| !normal(id).is_empty())?;
        let name = name.filter(|name| !name.trim().is_empty())?;
        Some(Self { id, name, priority, parents })
    }
}

/// The labels of `entries`. An id that comes twice is one label: the entry with a parent, else the last.
pub(super) fn with_parents(entries: Vec<Entry>) -> Vec<Label> {
    let mut by_id: HashMap<String, Entry> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let id = normal(&entry.id).into_owned();
        if entry.parents.is_empty() && by_id.get(&id).is_some_and(|known| !known.parents.is_empty()) {
            continue;
        }
        by_id.insert(id, entry);
    }
    let label = |(id, entry): (&String, &Entry)| Label {
        id: id.clone(),
        name: entry.name.clone(),
        parent: parent_of(entry, &by_id),
        priority: entry.priority,
        gone: None,
    };
    let mut labels: Vec<_> = by_id.iter().map(label).collect();
    labels.sort_by(|a, b| a.id.cmp(&b.id));
    labels
}

/// The name of an entry's parent, with those above it before it.
fn parent_of(entry: &Entry, by_id: &HashMap<String, Entry>) -> Option<String> {
    let mut names = Vec::new();
    let mut seen = HashSet::from([normal(&entry.id).into_owned()]);
    let mut below = entry;
    while let Some(above) = above(below, by_id).filter(|_| names.len() < DEEPEST) {
        match above {
            Above::Named(name) => {
                names.push(name);
                break;
            }
            // Labels that are their own parents end where they began.
            Above::Entry(parent) if !seen.insert(normal(&parent.id).into_owned()) => break,
            Above::Entry(parent) => {
                names.push(&parent.name);
                below = parent;
            }
        }
    }
    names.reverse();
    (!names.is_empty()).then(|| names.join("\\"))
}

enum Above<'e> {
    Entry(&'e Entry),
    Named(&'e str),
}

fn above<'e>(entry: &'e Entry, by_id: &'e HashMap<String, Entry>) -> Option<Above<'e>> {
    entry.parents.iter().find_map(|parent| match by_id.get(&*normal(parent)) {
        Some(entry) => Some(Above::Entry(entry)),
        // The id of a label that is not listed says nothing to people.
        None if uuid::Uuid::try_parse(parent.trim()).is_ok() => None,
        None => Some(Above::Named(parent.trim())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, name: &str, parents: &[&str]) -> Entry {
        let parents = parents.iter().map(|&parent| parent.to_owned()).collect();
        Entry { id: id.into(), name: name.into(), priority: None, parents }
    }

    fn parents(entries: Vec<Entry>) -> Vec<(String, Option<String>)> {
        with_parents(entries).into_iter().map(|label| (label.id, label.parent)).collect()
    }

    fn parent(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_parent_is_known_by_its_id_or_its_name() {
        let unlisted = "11111111-1111-4111-8111-111111111111";
        let listed = parents(vec![
            entry("A", "Top", &[]),
            entry("b", "Middle", &["{a}"]),
            entry("c", "Low", &["B"]),
            entry("d", "By name", &["Elsewhere "]),
            entry("e", "Lost", &[unlisted]),
            entry("f", "Second", &[unlisted, "Named"]),
        ]);
        let expected = [
            ("a", None),
            ("b", parent("Top")),
            ("c", parent("Top\\Middle")),
            ("d", parent("Elsewhere")),
            ("e", None),
            ("f", parent("Named")),
        ];
        assert_eq!(listed, expected.map(|(id, parent)| (id.to_owned(), parent)));
    }

    #[test]
    fn labels_that_are_their_own_parents_do_not_hang() {
        let listed = parents(vec![entry("a", "A", &["b"]), entry("b", "B", &["a"]), entry("c", "C", &["c"])]);
        assert_eq!(listed, [("a".into(), parent("B")), ("b".into(), parent("A")), ("c".into(), None)]);
    }

    #[test]
    fn a_long_line_of_parents_makes_no_long_names() {
        let line = (0..20_000).map(|at| entry(&at.to_string(), "N", &[&((at + 1) % 20_000).to_string()])).collect();
        let longest = with_parents(line).into_iter().filter_map(|label| label.parent).map(|parent| parent.len()).max();
        assert_eq!(longest, Some("N\\N\\N\\N\\N\\N\\N\\N".len()));
    }

    #[test]
    fn of_two_entries_of_one_id_the_one_with_a_parent_counts() {
        let nested = || entry("b", "B", &["a"]);
        for twice in [vec![nested(), entry("B", "B", &[])], vec![entry("b", "B", &[]), nested()]] {
            let listed = parents([vec![entry("a", "A", &[])], twice].concat());
            assert_eq!(listed, [("a".into(), None), ("b".into(), parent("A"))]);
        }
    }
}
