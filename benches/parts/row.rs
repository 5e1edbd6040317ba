//! From a label event to its row.

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use labelstream::{
    record::{Record, decode},
    row::{self, Provenance},
};

use crate::data::{EVENTS_AND_NOISE, bytes, content, labels};

/// Counts bytes of the records, not of the rows.
#[divan::bench]
fn write(bencher: Bencher<'_, '_>) {
    let (content, labels, events) = (content(), labels(), &EVENTS_AND_NOISE.0);
    let provenance = Provenance::from(&content);
    let mut out = Vec::new();
    bencher.counter(BytesCount::new(bytes(events))).counter(ItemsCount::new(events.len())).bench_local(|| {
        out.clear();
        for event in events {
            let text = decode(black_box(event));
            let record = Record::parse(&text)?;
            row::write(&record, &provenance, &labels, &mut out);
        }
        Ok::<_, labelstream::record::RecordError>(out.len())
    });
}
