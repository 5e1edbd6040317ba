//! What was delivered, remembered.

use divan::{Bencher, black_box, counter::ItemsCount};
use labelstream::{
    record::Key,
    watermark::{Id, IdSet},
};

/// Ids of one run, and of eight days of a large tenant.
const COUNTS: [u64; 2] = [40_000, 4_000_000];

/// `count` ids from number `first` on: digests, which lie as evenly as GUIDs.
fn ids(first: u64, count: u64) -> Vec<Id> {
    (first..first + count).map(|number| Key::of_place("", number).0).collect()
}

/// As it is stored.
fn encoded(ids: &[Id]) -> Vec<u8> {
    ids.concat()
}

#[divan::bench(args = COUNTS)]
fn encode(bencher: Bencher<'_, '_>, count: u64) {
    let ids = ids(0, count);
    bencher.counter(ItemsCount::new(count)).bench(|| encoded(black_box(&ids)));
}

#[divan::bench(args = COUNTS, sample_count = 10)]
fn decode(bencher: Bencher<'_, '_>, count: u64) {
    let log = encoded(&ids(0, count));
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut set = IdSet::default();
        set.load(black_box(&log));
        set
    });
}

/// Forty thousand new ones, beside so many.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn insert(bencher: Bencher<'_, '_>, beside: u64) {
    let (log, new) = (encoded(&ids(0, beside)), ids(beside, COUNTS[0]));
    let mut known = IdSet::default();
    known.load(&log);
    bencher.counter(ItemsCount::new(new.len())).with_inputs(|| known.clone()).bench_local_refs(|set| {
        for id in &new {
            set.insert(*black_box(id));
        }
    });
}

/// Forty thousand that are known, and as many that are not, among so many.
#[divan::bench(args = COUNTS, sample_count = 10)]
fn look_up(bencher: Bencher<'_, '_>, among: u64) {
    let mut set = IdSet::default();
    set.load(&encoded(&ids(0, among)));
    let asked = [ids(among - COUNTS[0], COUNTS[0]), ids(among, COUNTS[0])].concat();
    bencher
        .counter(ItemsCount::new(asked.len()))
        .bench_local(|| asked.iter().filter(|id| set.contains(black_box(id))).count());
}
