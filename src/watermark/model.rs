//! A small world around [`Progress`]: a feed with pages and late contents, an endpoint that takes rows before its answer
//! is known, a store that is written step by step, and kills at any point. Whatever the order, nothing may be lost, and
//! only what had arrived without its answer being saved may come twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use time::{Date, Duration, OffsetDateTime, macros::datetime};

use super::{Admission, Document, Failure, Id, Progress, Slot, Unsaved, Verdict};
use crate::content::{Content, ContentType};

const START: OffsetDateTime = datetime!(2026-11-16 0:00 UTC);
const KIND: ContentType = ContentType::General;
const PAGE: usize = 2;
const DAYS: i64 = 3;

/// A content of the world: when it is published and listed, and which records it holds.
#[derive(Debug, Clone)]
struct Blob {
    created: OffsetDateTime,
    records: Vec<u8>,
    /// Fetching it fails this often.
    failures: u32,
}

fn record(number: u8) -> Id {
    [number; 16]
}

fn content(number: usize, blob: &Blob) -> Content {
    Content {
        content_type: KIND,
        id: format!("content-{number}"),
        uri: String::new(),
        created: blob.created,
        expires: None,
    }
}

/// What outlives a kill.
#[derive(Debug, Default)]
struct Stored {
    records: Vec<Id>,
    contents: BTreeMap<Date, Vec<Id>>,
    document: Document,
    dead: BTreeSet<String>,
}

/// What a kill ends.
struct Run {
    progress: Progress,
    /// The windows still to be listed, and the one that is being listed with its next page.
    windows: Vec<(OffsetDateTime, OffsetDateTime)>,
    listing: Option<(u64, OffsetDateTime, OffsetDateTime, usize)>,
    /// Contents to fetch, with the position of the next record.
    fetching: Vec<(Slot, usize, usize)>,
    /// Rows that wait in a batch: they have not arrived.
    batch: Vec<Id>,
    /// Rows that were posted: they have arrived, the answer has not.
    posted: Vec<Id>,
    /// What is being saved, and which of its steps come next.
    saving: Option<(Unsaved, u8)>,
}

struct World {
    blobs: Vec<Blob>,
    failures: HashMap<usize, u32>,
    stored: Stored,
    arrivals: HashMap<Id, u32>,
    /// How often a record may come again: once for each kill that fell between its arrival and its being saved.
    excused: HashMap<Id, u32>,
}

impl World {
    fn number(&self, content: &Content) -> usize {
        content.id["content-".len()..].parse().unwrap_or(self.blobs.len())
    }

    /// A run that goes on from the watermark, less an overlap of some hours.
    fn begin(&self, overlap: i64) -> Run {
        let mut progress = Progress::new(self.stored.document.clone(), &[KIND], START, true);
        progress.load_records(&self.stored.records.concat());
        let listing = progress.listing(KIND).unwrap();
        for (day, ids) in &self.stored.contents {
            listing.load_day(*day, &ids.concat());
        }
        let through = listing.watermark().listed_through;
        let mut from = (through - Duration::hours(overlap)).max(START);
        let mut windows = Vec::new();
        while from < START + Duration::days(DAYS) {
            let until = (from + Duration::days(1)).min(START + Duration::days(DAYS));
            windows.push((from, until));
            from = until;
        }
        // A deeper look comes after what is new.
        let until = windows.first().map_or(from, |(first, _)| *first);
        windows.extend((until > START).then_some((START, until)));
        windows.reverse();
        let mut run = Run {
            progress,
            windows,
            listing: None,
            fetching: Vec::new(),
            batch: Vec::new(),
            posted: Vec::new(),
            saving: None,
        };
        let resumed = run.progress.resume(KIND);
        run.fetching.extend(resumed.into_iter().map(|(slot, content)| (slot, self.number(&content), 0)));
        run
    }

    /// One step of one of the parts that run side by side; which one, `choice` says.
    fn step(&mut self, run: &mut Run, choice: u8) {
        match choice % 6 {
            0 => self.list(run),
            1 | 2 => self.fetch(run, usize::from(choice)),
            3 => self.post(run),
            4 => self.answer(run, usize::from(choice)),
            _ => self.save(run),
        }
    }

    fn post(&mut self, run: &mut Run) {
        for id in run.batch.drain(..) {
            *self.arrivals.entry(id).or_default() += 1;
            run.posted.push(id);
        }
    }

    fn list(&mut self, run: &mut Run) {
        let (window, from, until, skip) = match run.listing.take() {
            Some(listing) => listing,
            None => match run.windows.pop() {
                Some((from, until)) => (run.progress.listing(KIND).unwrap().begin_window(until), from, until, 0),
                None => return,
            },
        };
        let listed: Vec<_> = (0..self.blobs.len())
            .filter(|number| (from..until).contains(&self.blobs[*number].created))
            .skip(skip)
            .take(PAGE)
            .collect();
        for number in &listed {
            let slot = run.progress.next_slot(KIND);
            if run.progress.listing(KIND).unwrap().offer(window, &content(*number, &self.blobs[*number]), slot) {
                run.fetching.push((slot, *number, 0));
            }
        }
        if listed.len() < PAGE {
            run.progress.listing(KIND).unwrap().end_window(window);
        } else {
            run.listing = Some((window, from, until, skip + PAGE));
        }
    }

    fn fetch(&mut self, run: &mut Run, choice: usize) {
        if run.fetching.is_empty() {
            return;
        }
        let index = choice % run.fetching.len();
        let (slot, number, next) = run.fetching[index];
        if let Some(record_number) = self.blobs[number].records.get(next) {
            let id = record(*record_number);
            if run.progress.admit(slot, id) == Admission::Send {
                run.batch.push(id);
            }
            run.fetching[index].2 += 1;
            return;
        }
        run.fetching.swap_remove(index);
        let failed = self.failures.entry(number).or_default();
        if *failed < self.blobs[number].failures {
            *failed += 1;
            let failure = Failure::Unreadable("broken".into());
            let verdict = run.progress.listing(KIND).unwrap().content_failed(slot, &failure, START);
            if let Verdict::GiveUp { .. } = verdict {
                self.stored.dead.insert(format!("content-{number}"));
                run.progress.listing(KIND).unwrap().given_up(slot);
            }
        } else {
            run.progress.listing(KIND).unwrap().content_read(slot);
        }
    }

    fn answer(&mut self, run: &mut Run, choice: usize) {
        if run.posted.is_empty() {
            return;
        }
        let id = run.posted.swap_remove(choice % run.posted.len());
        run.progress.accepted(&[id], START);
    }

    /// One step of saving: a kill may fall between any two.
    fn save(&mut self, run: &mut Run) {
        let (mut unsaved, step) = run.saving.take().unwrap_or_else(|| (run.progress.take_unsaved(true), 0));
        match step {
            0 => self.stored.records.append(&mut unsaved.records),
            1 => {
                for (_, day, ids) in &unsaved.contents {
                    self.stored.contents.entry(*day).or_default().extend(ids);
                }
            }
            _ => {
                self.stored.document = unsaved.document.clone().unwrap_or_default();
                return;
            }
        }
        run.saving = Some((unsaved, step + 1));
    }

    fn kill(&mut self, run: Run) {
        let saved: BTreeSet<Id> = self.stored.records.iter().copied().collect();
        drop(run);
        for id in self.arrivals.keys().filter(|id| !saved.contains(*id)) {
            *self.excused.entry(*id).or_default() += 1;
        }
    }

    /// Runs without a fault until nothing is left to do.
    fn finish(&mut self) {
        for _ in 0..20 {
            let mut run = self.begin(0);
            while !run.windows.is_empty() || run.listing.is_some() {
                self.list(&mut run);
            }
            while !run.fetching.is_empty() {
                self.fetch(&mut run, 0);
            }
            self.post(&mut run);
            while !run.posted.is_empty() {
                self.answer(&mut run, 0);
            }
            run.progress.finish();
            for _ in 0..3 {
                self.save(&mut run);
            }
            assert!(run.saving.is_none());
        }
    }
}

fn blob() -> impl Strategy<Value = Blob> {
    (0..DAYS * 24, prop::collection::vec(0_u8..12, 0..4), prop_oneof![4 => Just(0), 1 => 1_u32..3, 1 => Just(99)])
        .prop_map(|(hour, records, failures)| Blob { created: START + Duration::hours(hour), records, failures })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_listings_answers_and_kills_loses_or_doubles(
        blobs in prop::collection::vec(blob(), 1..8),
        runs in prop::collection::vec((0..DAYS * 24, prop::collection::vec(any::<u8>(), 0..60)), 0..5),
    ) {
        let mut world = World {
            blobs,
            failures: HashMap::new(),
            stored: Stored::default(),
            arrivals: HashMap::new(),
            excused: HashMap::new(),
        };
        for (overlap, choices) in runs {
            let mut run = world.begin(overlap);
            for choice in choices {
                world.step(&mut run, choice);
            }
            world.kill(run);
        }
        world.finish();

        let watermark = &world.stored.document.content_types[&KIND];
        prop_assert_eq!(watermark.listed_through, START + Duration::days(DAYS));
        let pending: BTreeSet<_> = watermark.pending.iter().map(|pending| pending.content.id.clone()).collect();
        let delivered: BTreeSet<Id> = world.stored.contents.values().flatten().copied().collect();
        for (number, blob) in world.blobs.iter().enumerate() {
            let content = content(number, blob);
            // One that can never be read stays pending while nothing else can be read beside it.
            let waits = blob.failures == 99 && pending.contains(&content.id);
            prop_assert!(waits || delivered.contains(&super::content_id(&content.id)), "{} was passed over", content.id);
            prop_assert_eq!(blob.failures == 99 && !waits, world.stored.dead.contains(&content.id), "{}", content.id);
            prop_assert!(blob.failures == 99 || !pending.contains(&content.id), "{} is still pending", content.id);
            for number in &blob.records {
                let arrived = world.arrivals.get(&record(*number)).copied().unwrap_or(0);
                let excused = world.excused.get(&record(*number)).copied().unwrap_or(0);
                prop_assert!(arrived >= 1, "record {number} was lost");
                prop_assert!(arrived <= 1 + excused, "record {number} came {arrived} times, {excused} excused");
            }
        }
    }
}
