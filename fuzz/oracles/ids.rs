//! The logs of delivered ids as they lie in the storage: garbage in them, writes that fail, and processes that end.
//!
//! Input: steps of one byte and what it takes. Judged are, after every end of a process and at the last:
//! - every id that was stored is known again, whatever garbage lies beside it;
//! - no id is known that was not stored, or lay there as garbage.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use labelstream::{
    content::ContentType,
    state::{Expect, Store},
    watermark::{Id, IdSet, Memory, RECORD_LOGS},
};
use time::{
    Date, Duration, OffsetDateTime,
    macros::{date, datetime},
};

use super::{
    Reached,
    shelf::{FULL_LOG, Failing, Shelf, at_once},
};

/// What the corpus is to reach.
pub const REACHES: &[&str] = &[
    "records",
    "records of another log",
    "contents",
    "garbage in a log",
    "a stray key",
    "a failed append",
    "a full log",
    "a new process",
];

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const NOW: OffsetDateTime = datetime!(2026-11-22 19:00 UTC);
const TODAY: Date = date!(2026 - 11 - 22);
const KIND: ContentType = ContentType::SharePoint;

/// Steps of one input.
const MOST_STEPS: usize = 64;

/// Whether a log is one of records, and which of the day, or of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Records(usize),
    Contents,
}

impl Kind {
    fn of(step: u8) -> Self {
        if step & 0x80 == 0 { Self::Records(usize::from(step >> 3 & 0x0F) % RECORD_LOGS) } else { Self::Contents }
    }
}

/// Where an id is known: a record whatever the day of its delivery, a content by its day of publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Log {
    Records,
    Contents(Date),
}

impl Log {
    const fn of(kind: Kind, day: Date) -> Self {
        match kind {
            Kind::Records(_) => Self::Records,
            Kind::Contents => Self::Contents(day),
        }
    }
}

struct World {
    shelf: Shelf,
    memory: Memory,
    /// What must be known again.
    stored: BTreeSet<(Log, Id)>,
    /// What may be known besides: garbage, and appends of which nobody knows whether they arrived.
    possible: BTreeSet<(Log, Id)>,
    reached: Reached,
}

/// Runs one input.
pub fn check(data: &[u8]) -> Reached {
    let shelf = Shelf::default();
    let memory = Memory::new(Arc::new(shelf.clone()), TENANT);
    let mut world =
        World { shelf, memory, stored: BTreeSet::new(), possible: BTreeSet::new(), reached: Reached::new() };
    world.load();
    let mut rest = data;
    for _ in 0..MOST_STEPS {
        let Some((&step, after)) = rest.split_first() else { break };
        rest = world.step(step, after);
    }
    world.new_process();
    world.reached
}

impl World {
    /// Carries out a step; gives back what it did not take of `rest`.
    fn step<'d>(&mut self, step: u8, rest: &'d [u8]) -> &'d [u8] {
        let kind = Kind::of(step);
        match step & 0x07 {
            0 | 1 => {
                let Some(([day, count], rest)) = rest.split_first_chunk() else { return &[] };
                let (ids, rest) = rest.split_at(usize::from(*count).min(rest.len()));
                self.append(kind, day_of(*day), ids.iter().map(|&id| [id; 16]).collect(), None);
                rest
            }
            2 | 3 => {
                let Some(([day, id, how], rest)) = rest.split_first_chunk() else { return &[] };
                let failing = match how % 3 {
                    0 => Failing::Refused,
                    1 => Failing::AnswerLost,
                    _ => Failing::Full,
                };
                self.append(kind, day_of(*day), vec![[*id; 16]], Some(failing));
                rest
            }
            4 | 5 => {
                let Some(([day, times, count], rest)) = rest.split_first_chunk() else { return &[] };
                let (bytes, rest) = rest.split_at(usize::from(*count).min(rest.len()));
                let garbage = if *times == u8::MAX { vec![0xFF; FULL_LOG] } else { bytes.repeat(usize::from(*times)) };
                self.garbage(kind, day_of(*day), garbage);
                rest
            }
            6 => {
                let Some(([count], rest)) = rest.split_first_chunk() else { return &[] };
                let (name, rest) = rest.split_at(usize::from(*count).min(rest.len()));
                self.stray(&String::from_utf8_lossy(name));
                rest
            }
            _ => {
                self.new_process();
                rest
            }
        }
    }

    fn append(&mut self, kind: Kind, day: Date, ids: Vec<Id>, failing: Option<Failing>) {
        if ids.is_empty() {
            return;
        }
        if let Some(failing) = failing {
            self.shelf.fail_next(failing);
            if failing != Failing::Full {
                self.reached.push("a failed append");
            }
        }
        let append = || match kind {
            Kind::Records(log) => at_once(self.memory.append_records(log, day, &ids)),
            Kind::Contents => at_once(self.memory.append_contents(KIND, day, &ids)),
        };
        let appended = append().or_else(|_| append());
        appended.expect("the second try of an append arrives");
        self.shelf.mend();
        self.reached.push(match kind {
            Kind::Records(0) => "records",
            Kind::Records(_) => "records of another log",
            Kind::Contents => "contents",
        });
        if at_once(self.shelf.get(&key(kind, day, 1))).unwrap().is_some() {
            self.reached.push("a full log");
        }
        self.stored.extend(ids.into_iter().map(|id| (Log::of(kind, day), id)));
    }

    /// Something else writes into a log, while no process is up.
    fn garbage(&mut self, kind: Kind, day: Date, garbage: Vec<u8>) {
        let key = key(kind, day, 0);
        let before = at_once(self.shelf.get(&key)).unwrap().map_or(0, |(log, _)| log.len());
        // A second part is begun only when the first is full: garbage that fills it later is no log of ours.
        if before + garbage.len() > 2 * FULL_LOG || before % 16 != 0 {
            return;
        }
        at_once(self.shelf.append(&key, before as u64, garbage.clone().into())).unwrap();
        for id in garbage.chunks(16) {
            // The rest of a torn write is filled up with zeros.
            let mut whole = Id::default();
            whole[..id.len()].copy_from_slice(id);
            self.possible.insert((Log::of(kind, day), whole));
        }
        self.reached.push("garbage in a log");
        self.new_process();
    }

    /// A key that is none of ours, among the logs.
    fn stray(&mut self, name: &str) {
        let key = format!("{TENANT}/records/{name}.ids");
        let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        if name.is_empty() || !plain || name.len() == "2026-11-22".len() {
            return;
        }
        at_once(self.shelf.put(&key, Bytes::from_static(&[0x77; 32]), &Expect::Any)).unwrap();
        self.reached.push("a stray key");
        self.new_process();
    }

    /// The process ends, and another begins with what is stored.
    fn new_process(&mut self) {
        self.memory = Memory::new(Arc::new(self.shelf.clone()), TENANT);
        let known = self.load();
        for known_id in &self.stored {
            assert!(known.contains(known_id), "{known_id:?} was stored and is not known");
        }
        for id in &known {
            let is_padding = id.1 == Id::default();
            assert!(is_padding || self.stored.contains(id) || self.possible.contains(id), "{id:?} was never stored");
        }
        self.reached.push("a new process");
    }

    /// All ids that a run knows.
    fn load(&mut self) -> BTreeSet<(Log, Id)> {
        let mut known = BTreeSet::new();
        let mut set = IdSet::default();
        let take = |log: &[u8]| {
            set.load(log);
            known.extend(log.as_chunks::<16>().0.iter().map(|&id| (Log::Records, id)));
        };
        at_once(self.memory.load_records(NOW, take)).expect("records are loaded");
        assert!(known.iter().all(|(_, id)| set.contains(id)), "a set holds what was loaded");
        for days in 0..8 {
            let day = day_of(days);
            for log in at_once(self.memory.load_contents(KIND, day)).expect("contents are loaded") {
                known.extend(log.as_chunks::<16>().0.iter().map(|&id| (Log::Contents(day), id)));
            }
        }
        known
    }
}

/// One of the last eight days.
fn day_of(byte: u8) -> Date {
    TODAY - Duration::days(i64::from(byte % 8))
}

/// The key of a part of a log, by its place in it.
fn key(kind: Kind, day: Date, place: usize) -> String {
    let (folder, part) = match kind {
        Kind::Records(log) => ("records".to_owned(), log + place * RECORD_LOGS),
        Kind::Contents => (format!("contents/{KIND}"), place),
    };
    let part = if part == 0 { String::new() } else { format!(".{part}") };
    format!("{TENANT}/{folder}/{:04}-{:02}-{:02}{part}.ids", day.year(), u8::from(day.month()), day.day())
}
