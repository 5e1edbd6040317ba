//! What a record, a row and an id may cost in allocations. Counts do not depend on the machine or on what else it does, so
//! that a part that begins to allocate for each record is seen at once.

#[path = "../parts/data.rs"]
mod data;
mod reader;

use allocation_counter::{AllocationInfo, measure};
use labelstream::{batch::Builder, watermark::IdSet};

use data::{BODIES, EVENTS_AND_NOISE, ROWS, bytes};
use reader::{Reader, body};

/// How many rows reading a body gives, and what it takes once another was read.
fn measured(body: &[u8]) -> (usize, AllocationInfo) {
    let mut reader = Reader::new();
    let rows = reader.read(body);
    (rows, measure(|| assert_eq!(reader.read(body), rows)))
}

#[test]
fn noise_allocates_nothing_for_a_record() {
    let noise = &EVENTS_AND_NOISE.1;
    let [few, all] = [&noise[..100], noise].map(|records| measured(&body(records)));
    assert_eq!((few.0, all.0), (0, 0));
    // What it takes is for the body: the outline's places, and room for a record that straddles two pieces.
    assert!(noise.len() > 1_000 && all.1.count_total < few.1.count_total + 20, "{few:?}, {all:?}");
}

#[test]
fn a_row_allocates_little() {
    let events = &EVENTS_AND_NOISE.0;
    let (rows, taken) = measured(&body(events));
    assert!(rows > 1_000);
    // Some four: the members of its objects, and what is made of them.
    assert!(taken.count_total < 5 * rows as u64, "{rows} rows: {taken:?}");
    assert!(taken.bytes_total < bytes(events) as u64 / 2, "{taken:?}");
    // Beside the rows, which are there already, nothing grows with the body.
    assert!(taken.bytes_max < 512 * 1024, "{taken:?}");
}

#[test]
fn a_mixed_body_holds_little_at_once() {
    let taken = measured(&BODIES[0]).1;
    assert!(taken.bytes_max < 512 * 1024, "{taken:?}");
}

#[test]
fn rows_allocate_nothing_on_their_way_into_batches() {
    let mut builder = Builder::new();
    let mut fill = || {
        for row in ROWS.iter().cycle().take(10_000) {
            if let Some(full) = builder.push(row, ()) {
                builder.recycle(full);
            }
        }
    };
    fill();
    let taken = measure(fill);
    // A full batch is handed on as shared bytes, some of which are counted anew.
    assert!(taken.count_total < 100, "{taken:?}");
}

#[test]
fn an_id_is_found_without_an_allocation_and_takes_little_memory() {
    let ids: Vec<_> = (0..100_000_u128).map(|number| (number << 90 | number).to_le_bytes()).collect();
    let mut set = IdSet::default();
    let taken = measure(|| set.load(&ids.concat()));
    assert!(taken.bytes_current < 24 * 100_000, "{taken:?}");
    assert_eq!(measure(|| assert!(ids.iter().all(|id| set.contains(id)))).count_total, 0);
}
