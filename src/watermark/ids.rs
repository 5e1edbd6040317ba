//! Ids that were delivered: 16 bytes each, many of them.

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

/// A set of ids, each once. What is kept of each lies sorted in buckets of about a hundred, so that one is found as
/// quickly among millions as among hundreds, takes 10 bytes and one or two more, and the set grows bucket by bucket.
#[derive(Debug, Clone, Default)]
pub struct IdSet {
    buckets: Vec<Vec<Kept>>,
    len: usize,
}

/// What the set keeps of an id: the upper 80 bits of its 128, mixed. Among a hundred million of them a new id is taken for
/// one of them with a chance of 1 to 10^16.
type Kept = [u8; 10];

/// How many ids a bucket has on average at most.
const BUCKET: usize = 128;

/// By how many ids a full bucket grows. Twice as many each time, as vectors do, would leave a third of the memory unused.
const STEP: usize = 16;

/// What is kept of `id`: by each of its bits, also where ids are counted up.
fn kept(id: &Id) -> Kept {
    const ODD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835; // 2^128 by the golden ratio
    let mixed = u128::from_be_bytes(*id).wrapping_mul(ODD);
    let mut kept = Kept::default();
    kept.copy_from_slice(&mixed.to_be_bytes()[..10]);
    kept
}

/// Which of `count` buckets is that of `kept`. Of twice as many it is one of the two that the bucket falls into.
fn bucket_of(kept: &Kept, count: usize) -> usize {
    let upper = kept.first_chunk().map_or(0, |upper| u64::from_be_bytes(*upper));
    ((u128::from(upper) * count as u128) >> 64) as usize
}

impl IdSet {
    /// Takes in a stored log. What stands behind the last whole id, the rest of a torn write, is left out.
    pub fn load(&mut self, log: &[u8]) {
        let ids = log.as_chunks::<16>().0;
        self.make_room(ids.len());
        for id in ids.iter().map(kept) {
            let at = bucket_of(&id, self.buckets.len());
            push(&mut self.buckets[at], |bucket| bucket.push(id));
        }
        for bucket in &mut self.buckets {
            bucket.sort_unstable();
            bucket.dedup();
        }
        self.len = self.buckets.iter().map(Vec::len).sum();
    }

    /// Whether `id` is in it.
    #[must_use]
    pub fn contains(&self, id: &Id) -> bool {
        let id = kept(id);
        let bucket = self.buckets.get(bucket_of(&id, self.buckets.len()));
        bucket.is_some_and(|bucket| bucket.binary_search(&id).is_ok())
    }

    /// Adds `id`; whether it was new.
    pub fn insert(&mut self, id: Id) -> bool {
        self.make_room(1);
        let id = kept(&id);
        let at = bucket_of(&id, self.buckets.len());
        let bucket = &mut self.buckets[at];
        let Err(place) = bucket.binary_search(&id) else { return false };
        push(bucket, |bucket| bucket.insert(place, id));
        self.len += 1;
        true
    }

    /// Halves the buckets until they have room for so many ids more.
    fn make_room(&mut self, more: usize) {
        if more > 0 && self.buckets.is_empty() {
            self.buckets.push(Vec::new());
        }
        while self.len + more > self.buckets.len() * BUCKET {
            let count = self.buckets.len() * 2;
            let halves = std::mem::take(&mut self.buckets).into_iter().flat_map(|bucket| {
                [0, 1].map(|side| {
                    let mut half: Vec<_> =
                        bucket.iter().filter(|id| bucket_of(id, count) % 2 == side).copied().collect();
                    half.shrink_to_fit();
                    half
                })
            });
            self.buckets = halves.collect();
        }
    }

    /// Each id once, in order: what two sets that hold the same have in common.
    #[cfg(test)]
    fn sorted(&self) -> std::collections::BTreeSet<&Kept> {
        self.buckets.iter().flatten().collect()
    }

    /// How many ids it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Adds to a bucket, which grows by little if it is full.
fn push(bucket: &mut Vec<Kept>, add: impl FnOnce(&mut Vec<Kept>)) {
    if bucket.len() == bucket.capacity() {
        bucket.reserve_exact(STEP);
    }
    add(bucket);
}

#[cfg(test)]
impl std::hash::Hash for IdSet {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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

    /// Ids as the feed has them: random, and such as were counted up, at their end, at their begin or in the middle.
    fn many() -> Vec<Id> {
        let counted = (1..10_000_u128).flat_map(|number| [0, 56, 112].map(|shift| (number << shift).to_be_bytes()));
        counted.chain((0..30_000).map(|number| content_id(&format!("content {number}")))).collect()
    }

    #[test]
    fn many_ids_take_little_more_than_their_bytes_and_lie_in_even_buckets() {
        let ids = many();
        let (loaded, added) = ids.split_at(20_000);
        let mut set = IdSet::default();
        set.load(&loaded.concat());
        let before: Vec<bool> = added.iter().map(|id| set.insert(*id)).collect();
        assert!(before.iter().all(|new| *new) && ids.iter().all(|id| set.contains(id)));
        assert_eq!(set.len(), ids.len());
        assert!(!set.contains(&[9; 16]));
        let room: usize =
            set.buckets.iter().map(|bucket| bucket.capacity() * size_of::<Kept>() + size_of_val(bucket)).sum();
        assert!(room < ids.len() * 13, "{room} bytes for {} ids", ids.len());
        assert!(set.buckets.iter().map(Vec::len).max() < Some(4 * BUCKET));
    }
}
