//! The sensitivity labels as they are now. The tenant begins with its own; administrators make, rename and delete them.

use serde::Deserialize;

use crate::{guid, tenant::Tenant};

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub id: String,
    pub name: String,
    /// The id of its parent.
    pub parent: Option<String>,
    pub priority: usize,
    pub protects: bool,
    pub tooltip: String,
}

/// The labels, parents before their sublabels.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    entries: Vec<Entry>,
    made: u32,
}

/// A change, as `POST /_sim/labels` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Change {
    Create {
        name: String,
        #[serde(default)]
        parent: Option<String>,
    },
    Rename {
        id: String,
        name: String,
    },
    Delete {
        id: String,
    },
}

impl Directory {
    /// The labels that a tenant begins with.
    pub fn of(tenant: &Tenant) -> Self {
        let entry = |label: &crate::tenant::Label| Entry {
            id: label.id.clone(),
            name: label.name.to_owned(),
            parent: label.parent.and_then(|at| tenant.labels.get(at)).map(|parent| parent.id.clone()),
            priority: label.priority as usize,
            protects: label.protects,
            tooltip: label.tooltip.to_owned(),
        };
        Self { entries: tenant.labels.iter().map(entry).collect(), made: 0 }
    }

    /// Makes a label with the highest priority; its id.
    pub fn create(&mut self, name: &str, parent: Option<&str>) -> String {
        self.made += 1;
        let id = guid::text(guid::version_4(u128::from(self.made) << 64 | 0x1abe1));
        let priority = self.entries.iter().map(|entry| entry.priority + 1).max().unwrap_or(0);
        let (name, parent) = (name.to_owned(), parent.map(str::to_owned));
        let tooltip = format!("{name}, made later.");
        self.entries.push(Entry { id: id.clone(), name, parent, priority, protects: false, tooltip });
        id
    }

    /// Whether it is there.
    pub fn rename(&mut self, id: &str, name: &str) -> bool {
        let found = self.entries.iter_mut().find(|entry| entry.id == id);
        found.map(|entry| entry.name = name.to_owned()).is_some()
    }

    /// Removes it and its sublabels; whether it was there.
    pub fn delete(&mut self, id: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id && entry.parent.as_deref() != Some(id));
        before > self.entries.len()
    }

    /// The labels directly below this one, or at the top.
    pub fn below(&self, parent: Option<&str>) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.parent.as_deref() == parent)
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_and_go_with_their_sublabels() {
        let mut directory = Directory::of(&Tenant::new(1));
        let before = directory.len();
        let top = directory.create("Top", None);
        let sub = directory.create("Sub", Some(&top));
        assert_ne!(top, sub);
        assert!(directory.rename(&sub, "Renamed") && !directory.rename("no id", "x"));
        let below: Vec<_> = directory.below(Some(&top)).map(|entry| (&*entry.name, entry.priority)).collect();
        assert_eq!(below, [("Renamed", before + 1)]);
        assert!(directory.delete(&top) && !directory.delete(&top));
        assert_eq!(directory.len(), before);
    }
}
