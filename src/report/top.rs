//! The most frequent of many names, in bounded memory.

use std::{collections::HashMap, hash::Hash};

/// What says how frequent something is.
pub trait Weight {
    /// The greater, the longer it is kept and the further up it comes.
    fn weight(&self) -> u64;
}

impl Weight for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

/// A value for each name. Up to twice its capacity they are exact; each time there would be more, the rarer half is
/// forgotten.
#[derive(Debug, Clone)]
pub struct Top<K, V> {
    capacity: usize,
    forgotten: u64,
    values: HashMap<K, V>,
}

impl<K: Ord + Hash + Clone, V: Weight + Default> Top<K, V> {
    /// Keeps at least the `capacity` most frequent, as far as they came.
    #[must_use]
    pub fn of(capacity: usize) -> Self {
        Self { capacity, forgotten: 0, values: HashMap::new() }
    }

    /// The value of `key`.
    pub fn entry(&mut self, key: K) -> &mut V {
        if self.values.len() >= self.capacity * 2 && !self.values.contains_key(&key) {
            self.forget();
        }
        self.values.entry(key).or_default()
    }

    fn forget(&mut self) {
        let mut ranked: Vec<_> = std::mem::take(&mut self.values).into_iter().collect();
        ranked.sort_unstable_by(|(a, left), (b, right)| right.weight().cmp(&left.weight()).then_with(|| a.cmp(b)));
        self.forgotten += ranked.get(self.capacity).map_or(0, |(_, value)| value.weight());
        ranked.truncate(self.capacity);
        self.values = ranked.into_iter().collect();
    }

    /// The most frequent first; of equals, the one with the lesser name.
    #[must_use]
    pub fn ranked(&self) -> Vec<(&K, &V)> {
        let mut ranked: Vec<_> = self.values.iter().collect();
        ranked.sort_unstable_by(|(a, left), (b, right)| right.weight().cmp(&left.weight()).then_with(|| a.cmp(b)));
        ranked
    }

    /// The value of `key`, where it is kept.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    /// By how much the weight of one of them may be greater than it says, because it was forgotten before.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn counted(names: &[u8], capacity: usize) -> Top<u8, u64> {
        let mut top = Top::of(capacity);
        names.iter().for_each(|name| *top.entry(*name) += 1);
        top
    }

    proptest! {
        #[test]
        fn few_names_are_exact_and_ranked(names in prop::collection::vec(0_u8..20, 0..200)) {
            let top = counted(&names, 10);
            let ranked = top.ranked();
            prop_assert_eq!(top.forgotten(), 0);
            prop_assert_eq!(ranked.iter().map(|(_, count)| **count).sum::<u64>(), names.len() as u64);
            prop_assert!(ranked.windows(2).all(|two| (two[1].1, two[0].0) < (two[0].1, two[1].0)));
        }

        #[test]
        fn many_names_are_bounded_and_wrong_by_no_more_than_it_says(names in prop::collection::vec(any::<u8>(), 0..600)) {
            let top = counted(&names, 10);
            let mut exact = BTreeMap::<u8, u64>::new();
            names.iter().for_each(|name| *exact.entry(*name).or_default() += 1);
            prop_assert!(top.len() <= 20);
            for (name, count) in &exact {
                let told = top.get(name).copied().unwrap_or_default();
                prop_assert!(told <= *count && count - told <= top.forgotten(), "{} of {}", told, count);
            }
        }
    }
}
