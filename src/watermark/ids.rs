//! Ids that were delivered: 16 bytes each, many of them.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

/// A record or a content as it is remembered: a GUID, or a digest cut to the same length. At 16 bytes, two different
/// ones being equal by chance is out of the question at any volume of this feed.
pub type Id = [u8; 16];

/// The id under which a content is remembered. Content ids are opaque text of some 80 characters.
#[must_use]
pub fn content_id(id: &str) -> Id {
    let digest = Sha256::digest(id.as_bytes());
    let mut cut = Id::default();
    cut.copy_from_slice(&digest[..16]);
    cut
}

/// A set of ids: what was loaded lies in sorted blocks at 16 bytes an id, what is new in a hash set.
#[derive(Debug, Clone, Default)]
pub struct IdSet {
    loaded: Vec<Vec<Id>>,
    added: HashSet<Id>,
}

impl IdSet {
    /// Takes in a stored log. What stands behind the last whole id, the rest of a torn write, is left out.
    pub fn load(&mut self, log: &[u8]) {
        let mut block: Vec<Id> = log.as_chunks::<16>().0.to_vec();
        block.sort_unstable();
        block.dedup();
        if !block.is_empty() {
            self.loaded.push(block);
        }
    }

    /// Whether `id` is in it.
    #[must_use]
    pub fn contains(&self, id: &Id) -> bool {
        self.added.contains(id) || self.loaded.iter().any(|block| block.binary_search(id).is_ok())
    }

    /// Adds `id`; whether it was new.
    pub fn insert(&mut self, id: Id) -> bool {
        !self.contains(&id) && self.added.insert(id)
    }

    /// Each id once, in order: what two sets that hold the same have in common.
    #[cfg(test)]
    fn sorted(&self) -> std::collections::BTreeSet<&Id> {
        self.loaded.iter().flatten().chain(&self.added).collect()
    }

    /// How many ids it holds; an id that stands in several logs counts as often.
    #[must_use]
    pub fn len(&self) -> usize {
        self.added.len() + self.loaded.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
impl std::hash::Hash for IdSet {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_what_was_loaded_or_added(logs in prop::collection::vec(prop::collection::vec(any::<Id>(), 0..20), 0..4),
                                          added in prop::collection::vec(any::<Id>(), 0..20),
                                          strangers in prop::collection::vec(any::<Id>(), 0..20)) {
            let mut set = IdSet::default();
            for log in &logs {
                set.load(&log.concat());
            }
            for id in &added {
                set.insert(*id);
            }
            let model: HashSet<Id> = logs.iter().flatten().chain(&added).copied().collect();
            prop_assert!(model.iter().all(|id| set.contains(id)));
            for stranger in &strangers {
                prop_assert_eq!(set.contains(stranger), model.contains(stranger));
            }
        }
    }

    #[test]
    fn a_torn_write_costs_only_itself() {
        let mut set = IdSet::default();
        set.load(&[vec![1; 16], vec![2; 7]].concat());
        assert!(set.contains(&[1; 16]));
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn an_id_is_new_once() {
        let mut set = IdSet::default();
        set.load(&[3; 16]);
        assert!(!set.insert([3; 16]));
        assert!(set.insert([4; 16]));
        assert!(!set.insert([4; 16]));
    }
}
