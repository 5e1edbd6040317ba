//! From rows to the body of a POST.

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use labelstream::{batch::Builder, ingestion::Packer};

use crate::data::{ROWS, bytes};

#[divan::bench]
fn fill(bencher: Bencher<'_, '_>) {
    let mut builder = Builder::new();
    bencher.counter(BytesCount::new(bytes(&ROWS))).counter(ItemsCount::new(ROWS.len())).bench_local(|| {
        for row in ROWS.iter() {
            if let Some(full) = builder.push(black_box(row), ()) {
                builder.recycle(full);
            }
        }
    });
}

#[divan::bench]
fn gzip(bencher: Bencher<'_, '_>) {
    let mut builder = Builder::new();
    let full = ROWS.iter().cycle().find_map(|row| builder.push(row, ()));
    let array = full.map(|batch| batch.body().clone()).unwrap_or_default();
    let mut packer = Packer::default();
    bencher.counter(BytesCount::new(array.len())).bench_local(|| packer.pack(black_box(&array)));
}
