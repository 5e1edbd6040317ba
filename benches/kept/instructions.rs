//! `instructions PART TIMES` does one part of a run so many times, and prints of how many things each time consists.
//! `scripts/instructions` counts what the processor does for one of them.

#[path = "../parts/data.rs"]
mod data;
mod reader;

use std::{
    env,
    error::Error,
    hint::black_box,
    io::{self, Write},
};

use labelstream::{batch::Builder, ingestion::Packer, watermark::IdSet};

use data::{EVENTS_AND_NOISE, ROWS, bytes};
use reader::{Reader, body};

/// So many ids are known, and as many are new.
const IDS: u128 = 40_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(part), Some(times)) = (arguments.next(), arguments.next()) else {
        return Err("usage: instructions noise|label-events|batches|gzip|ids TIMES".into());
    };
    let times: usize = times.parse()?;
    let things = match part.as_str() {
        "noise" => read(&EVENTS_AND_NOISE.1, times),
        "label-events" => read(&EVENTS_AND_NOISE.0, times),
        "batches" => fill(times),
        "gzip" => pack(times)?,
        "ids" => remember(times),
        other => return Err(format!("there is no part {other}").into()),
    };
    writeln!(io::stdout(), "{things}")?;
    Ok(())
}

/// Records, to rows where they are label events.
fn read(records: &[Vec<u8>], times: usize) -> usize {
    let body = body(records);
    let mut reader = Reader::new();
    for _ in 0..times {
        black_box(reader.read(black_box(&body)));
    }
    records.len()
}

/// Rows, into batches.
fn fill(times: usize) -> usize {
    let mut builder = Builder::new();
    for row in (0..times).flat_map(|_| ROWS.iter()) {
        if let Some(full) = builder.push(black_box(row), ()) {
            builder.recycle(full);
        }
    }
    ROWS.len()
}

/// Kilobytes of rows, to the body of a POST.
fn pack(times: usize) -> Result<usize, Box<dyn Error>> {
    let array = [b"[".as_slice(), &ROWS.join(&b','), b"]"].concat();
    let mut packer = Packer::default();
    for _ in 0..times {
        black_box(packer.pack(black_box(&array))?);
    }
    Ok(bytes(&ROWS) / 1_000)
}

/// Ids: one that is known is loaded and found, one that is new is added.
fn remember(times: usize) -> usize {
    // By an odd number, so that all bits of an id take part, as in those of records.
    let id = |number: u128| number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_le_bytes();
    let log: Vec<u8> = (0..IDS).flat_map(id).collect();
    for _ in 0..times {
        let mut set = IdSet::default();
        set.load(black_box(&log));
        for number in 0..IDS {
            black_box(set.contains(&id(number)));
            black_box(set.insert(id(IDS + number)));
        }
    }
    log.len() / 16
}
