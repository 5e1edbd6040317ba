//! What is known of many different things, in bounded memory.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
};

/// One value for each different key: of all keys up to a limit, and of an even sample of them beyond it.
///
/// Where there are too many keys, those stay whose hash ends in a zero bit more than before (Wegman's adaptive sampling),
/// which is half of them. What stays does not depend on the order in which they came.
#[derive(Debug, Clone)]
pub struct Sample<V = ()> {
    limit: usize,
    /// How many zero bits the hashes end in: one key in two to this power is kept.
    level: u32,
    kept: HashMap<u64, V, BuildHasherDefault<Itself>>,
}

/// The keys are hashes already.
#[derive(Debug, Clone, Default)]
struct Itself(u64);

impl std::hash::Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        // The low bits are alike in a sample, and the table goes by them.
        self.0 = hash.rotate_right(32);
    }
}

impl<V> Sample<V> {
    /// Keeps at most `limit` keys; an estimate from so many is wrong by about one part in the root of `limit`.
    #[must_use]
    pub fn of(limit: usize) -> Self {
        Self { limit, level: 0, kept: HashMap::default() }
    }

    /// Adds `value` for `key`; where there is one already, `join` makes one of both.
    pub fn add(&mut self, key: impl Hash, value: V, join: impl FnOnce(&mut V, V)) {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        if !is_kept(hash, self.level) {
            return;
        }
        if let Some(known) = self.kept.get_mut(&hash) {
            join(known, value);
            return;
        }
        self.kept.insert(hash, value);
        self.thin_out();
    }

    fn thin_out(&mut self) {
        while self.kept.len() > self.limit && self.level < u64::BITS {
            self.level += 1;
            let level = self.level;
            self.kept.retain(|hash, _| is_kept(*hash, level));
        }
    }

    /// How many different keys there are: exactly, or estimated where [`Self::is_estimate`].
    #[must_use]
    pub fn number(&self) -> u64 {
        (self.kept.len() as u64).checked_shl(self.level).unwrap_or(u64::MAX)
    }

    /// Whether not all keys were kept.
    #[must_use]
    pub const fn is_estimate(&self) -> bool {
        self.level > 0
    }

    /// The values that were kept.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.kept.values()
    }

    /// For how many keys one that was kept stands.
    #[must_use]
    pub fn stands_for(&self) -> u64 {
        1_u64.checked_shl(self.level).unwrap_or(u64::MAX)
    }
}

impl Sample {
    /// Adds `key`.
    pub fn see(&mut self, key: impl Hash) {
        self.add(key, (), |(), ()| ());
    }

    /// Adds all that `other` has.
    pub fn join(&mut self, other: &Self) {
        self.level = self.level.max(other.level);
        self.kept.extend(&other.kept);
        let level = self.level;
        self.kept.retain(|hash, ()| is_kept(*hash, level));
        self.thin_out();
    }
}

const fn is_kept(hash: u64, level: u32) -> bool {
    hash.trailing_zeros() >= level
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn up_to_its_limit_it_is_exact(keys in prop::collection::vec(0_u32..400, 0..500)) {
            let mut sample = Sample::of(400);
            keys.iter().for_each(|key| sample.see(key));
            let different: std::collections::BTreeSet<_> = keys.iter().collect();
            prop_assert_eq!((sample.number(), sample.is_estimate()), (different.len() as u64, false));
        }

        #[test]
        fn two_are_joined_as_if_one_had_seen_all(
            one in prop::collection::vec(any::<u32>(), 0..100), two in prop::collection::vec(any::<u32>(), 0..100),
        ) {
            let of = |keys: &[u32]| {
                let mut sample = Sample::of(32);
                keys.iter().for_each(|key| sample.see(key));
                sample
            };
            let mut joined = of(&one);
            joined.join(&of(&two));
            let whole = of(&[one, two].concat());
            prop_assert_eq!((joined.number(), joined.level), (whole.number(), whole.level));
        }

        #[test]
        fn beyond_it_the_order_does_not_matter(keys in prop::collection::vec((any::<u32>(), 0_u8..9), 0..300)) {
            let filled = |keys: &mut dyn Iterator<Item = &(u32, u8)>| {
                let mut sample = Sample::of(32);
                keys.for_each(|(key, value)| sample.add(key, *value, |known, value| *known = (*known).max(value)));
                let mut kept: Vec<_> = sample.kept.clone().into_iter().collect();
                kept.sort_unstable();
                (sample.number(), kept)
            };
            let (number, kept) = filled(&mut keys.iter());
            prop_assert!(kept.len() <= 32);
            prop_assert_eq!((number, kept), filled(&mut keys.iter().rev()));
        }
    }

    #[test]
    fn an_estimate_is_near() {
        let mut sample = Sample::of(4_096);
        (0..200_000_u32).for_each(|key| sample.see(key));
        let number = sample.number();
        // Three standard errors; the hash has no key, so that this number is always the same.
        assert!(sample.is_estimate() && (190_000..210_000).contains(&number), "{number}");
    }
}
