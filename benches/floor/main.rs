//! The floor: the least that somebody must do who brings the same label events from the same contents to the same posts.
//!
//! `labelstream-floor CONTENTS POSTS` reads what the simulator wrote for a run of the connector (`--contents-file`, `--posts-file`):
//!
//! 1. It reads every byte of the contents, in large pieces, from a file that the system has in memory.
//! 2. It finds the label events as cheaply as is right for this data ([`events`]): by a search for the text that each
//!    record begins with, and a look at fixed places. Nothing is parsed, checked, copied or kept.
//! 3. It reads the bytes of the rows as the connector posted them, which stands for writing them once.
//! 4. It compresses each post with the connector's own function.
//!
//! Left out is all else: connections, HTTP, tokens, listings; JSON that is written otherwise than here; knowing what was
//! delivered; the columns, names and limits of a row; posting; saving; threads. It runs on one of them.
//!
//! `scripts/bench` runs it and sets its processor time beside the connector's. It prints one line of JSON, by which the
//! script sees that it found the same label events and made the same bytes.

mod events;
mod pieces;

use std::{
    env,
    error::Error,
    fs::File,
    io::{self, Read, Write},
};

use events::Search;
use labelstream::ingestion::Packer;
use pieces::Pieces;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(contents), Some(posts)) = (arguments.next(), arguments.next()) else {
        return Err("usage: labelstream-floor CONTENTS POSTS".into());
    };
    let found = search(Pieces::new(File::open(contents)?))?;
    let packed = pack(File::open(posts)?)?;
    writeln!(
        io::stdout(),
        r#"{{"records":{},"label_events":{},"posts":{},"json_bytes":{},"wire_bytes":{}}}"#,
        found.records,
        found.label_events,
        packed.posts,
        packed.json_bytes,
        packed.wire_bytes
    )?;
    Ok(())
}

/// Looks through the contents, piece by piece.
fn search(mut pieces: Pieces<impl Read>) -> Result<Search, Box<dyn Error>> {
    let mut found = Search::new();
    while let Some(piece) = pieces.next()? {
        let done = found.look(piece)?;
        pieces.done(done);
    }
    Ok(found)
}

/// What was compressed.
#[derive(Default)]
struct Packed {
    posts: u64,
    json_bytes: u64,
    wire_bytes: u64,
}

/// Compresses the posts, one a line.
fn pack(posts: File) -> Result<Packed, Box<dyn Error>> {
    let mut packed = Packed::default();
    let mut packer = Packer::default();
    let mut pieces = Pieces::new(posts);
    while let Some(piece) = pieces.next()? {
        let mut done = 0;
        while let Some(length) = memchr::memchr(b'\n', &piece[done..]) {
            let json = &piece[done..done + length];
            packed.posts += 1;
            packed.json_bytes += json.len() as u64;
            packed.wire_bytes += packer.pack(json)?.len() as u64;
            done += length + 1;
        }
        pieces.done(done);
    }
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use labelstream_simulator::{
        ContentType, Mix, Tenant,
        events::{Choice, Generator, Recipe},
    };
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_search_finds_each_label_event_whatever_the_pieces() {
        let tenant = Arc::new(Tenant::new(3));
        for (mix, content_type) in [Mix::Company, Mix::Published]
            .into_iter()
            .flat_map(|mix| ContentType::WITH_LABELS.map(|content_type| (mix, content_type)))
        {
            let generator = Generator::new(Arc::clone(&tenant)).with_mix(mix);
            for (number, choice) in (0..).zip([Choice::EachKind, Choice::Weighted { records: 500, labels: 123 }]) {
                let created = datetime!(2026-11-18 10:00 UTC);
                let recipe = Recipe { seed: 3, number, content_type, created, choice };
                let line = [generator.render(&recipe).as_ref(), b"\n"].concat();
                let expected = (u64::from(generator.records(&recipe)), generator.label_ids(&recipe).count() as u64);
                for room in [400, 1_999, line.len()] {
                    let found = search(Pieces::with_room(line.as_slice(), room)).unwrap();
                    let what = format!("{content_type} of {mix:?}, pieces of {room}");
                    assert_eq!((found.records, found.label_events), expected, "{what}");
                }
            }
        }
    }

    #[test]
    fn another_layout_is_no_silent_zero() {
        let other = format!(r#"[{{"CreationTime":"now","Operation":"MipLabel"{}}}]"#, " ".repeat(400));
        assert!(search(Pieces::new(other.as_bytes())).is_err());
    }
}
