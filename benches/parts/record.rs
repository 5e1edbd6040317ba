//! From a content's body to the decision of each record.

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use labelstream::record::{Element, Filter, Outline, Peek, Splitter};

use crate::data::{BODIES, EVENTS_AND_NOISE, RECORDS, bytes};

/// By the size of the pieces in which a body comes in.
#[divan::bench(args = [16 * 1024, 256 * 1024])]
fn split(bencher: Bencher<'_, '_>, chunk: usize) {
    bencher.counter(BytesCount::new(bytes(&BODIES))).counter(ItemsCount::new(RECORDS.len())).bench(|| {
        let mut records = 0;
        for body in BODIES.iter() {
            let mut splitter = Splitter::new();
            for piece in body.chunks(chunk) {
                splitter.push(piece, |element| {
                    black_box(&element);
                    records += 1;
                })?;
            }
            splitter.finish()?;
        }
        Ok::<_, labelstream::record::SplitError>(records)
    });
}

fn decide(bencher: Bencher<'_, '_>, records: &[Vec<u8>]) {
    let filter = Filter::default();
    let mut outline = Outline::new();
    let mut keeps = |record: &[u8]| match Element::of(record, &mut outline) {
        Element::Record { bytes, outline } => {
            let peek = Peek::at(bytes, outline);
            filter.keeps(peek.record_type, peek.operation.as_deref())
        }
        _ => false,
    };
    bencher
        .counter(BytesCount::new(bytes(records)))
        .counter(ItemsCount::new(records.len()))
        .bench_local(|| records.iter().filter(|record| keeps(black_box(record))).count());
}

#[divan::bench]
fn decide_label_events(bencher: Bencher<'_, '_>) {
    decide(bencher, &EVENTS_AND_NOISE.0);
}

#[divan::bench]
fn decide_noise(bencher: Bencher<'_, '_>) {
    decide(bencher, &EVENTS_AND_NOISE.1);
}
