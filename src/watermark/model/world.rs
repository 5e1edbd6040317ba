//! What the feed of a world serves, and how much may go wrong in it.

use time::{Duration, OffsetDateTime, macros::datetime};

use crate::{
    content::{Content, ContentType},
    watermark::{Failure, Id},
};

/// Where the very first run begins to list.
pub const START: OffsetDateTime = datetime!(2026-11-16 0:00 UTC);

/// The one content type of a world.
pub const KIND: ContentType = ContentType::General;

/// The tenant of a world.
pub const TENANT: &str = "t";

/// When the run with this number begins: the first a day and a quarter after [`START`], so that it lists two windows;
/// the others far enough apart that each looks a day back.
pub fn time_of(run: u8) -> OffsetDateTime {
    START + Duration::hours(30) + Duration::hours(2) * i32::from(run)
}

/// How the feed answers when a content is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serves {
    /// Whole.
    Whole,
    /// It fails so often, after any of its records, and is served whole then.
    WholeAfter(u8),
    /// It breaks off after its first record, always.
    Broken,
    /// Not at all any more.
    Expired,
}

/// A content of the world.
#[derive(Debug, Clone)]
pub struct Blob {
    /// When it is published, counted from [`START`].
    pub minute: i64,
    /// Its label events.
    pub records: Vec<u8>,
    /// What comes of fetching it.
    pub serves: Serves,
    /// Whether it is listed only from some moment on, whatever its time of publication.
    pub late: bool,
    /// Whether the listing names it twice.
    pub twice: bool,
}

impl Blob {
    /// A content that is served whole.
    pub fn new(minute: i64, records: &[u8]) -> Self {
        Self { minute, records: records.to_vec(), serves: Serves::Whole, late: false, twice: false }
    }

    /// The records that the feed serves, now or later.
    pub fn served(&self) -> &[u8] {
        match self.serves {
            Serves::Whole | Serves::WholeAfter(_) => &self.records,
            Serves::Broken => &self.records[..self.records.len().min(1)],
            Serves::Expired => &[],
        }
    }

    /// How fetching it fails after `read` records, where it does so after it failed `failed` times.
    pub fn failure(&self, read: usize, failed: u8) -> Option<Failure> {
        let reason = || "as the world has it".to_owned();
        match self.serves {
            Serves::WholeAfter(times) if failed < times => Some(Failure::Feed(reason())),
            Serves::Broken if read == self.served().len() => Some(Failure::Unreadable(reason())),
            Serves::Expired => Some(Failure::Expired(reason())),
            _ => None,
        }
    }

    /// Whether the next record after `read` ones, or the end, may come after `failed` failures.
    pub fn goes_on(&self, read: usize, failed: u8) -> bool {
        read < self.served().len()
            || match self.serves {
                Serves::Whole => true,
                Serves::WholeAfter(times) => failed >= times,
                Serves::Broken | Serves::Expired => false,
            }
    }
}

/// How often things go wrong at the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    /// The process is killed.
    pub kills: u8,
    /// A batch has no answer.
    pub posts: u8,
    /// A write to the store has no answer; it may arrive then, later, or never.
    pub saves: u8,
    /// The lease of a run ends before the run does.
    pub expiries: u8,
}

/// Which of the rules of the shell and of the store hold. A world without one of them shows that the judge notices.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The lock is asked for before each POST and each write.
    pub asks_for_the_lock: bool,
    /// The store compares lengths and versions.
    pub compares: bool,
    /// Records, contents and document are saved in this order.
    pub in_order: bool,
    /// A batch holds its place until its records are saved.
    pub holds_places: bool,
    /// A save goes on after so many late writes of earlier runs.
    pub late_writes: u8,
}

impl Rules {
    /// As they are.
    pub const KEPT: Self =
        Self { asks_for_the_lock: true, compares: true, in_order: true, holds_places: true, late_writes: 3 };
}

/// A world.
#[derive(Debug, Clone)]
pub struct World {
    /// What is published.
    pub blobs: Vec<Blob>,
    /// Entries on a page of a listing.
    pub page: usize,
    /// Records of a piece, as a body comes in.
    pub piece: usize,
    /// Batches under way at once.
    pub at_once: usize,
    /// Runs that are begun at the most.
    pub runs: u8,
    /// What goes wrong at the most.
    pub faults: Faults,
    /// Which rules hold.
    pub rules: Rules,
}

impl World {
    /// How many different records there are: they are numbered from 0.
    pub fn records(&self) -> usize {
        self.blobs.iter().flat_map(|blob| &blob.records).max().map_or(0, |most| usize::from(*most) + 1)
    }

    /// How often a content fails before it is served, as far as that is counted.
    pub fn failures(&self, number: usize) -> u8 {
        match self.blobs[number].serves {
            Serves::WholeAfter(times) => times,
            Serves::Whole | Serves::Broken | Serves::Expired => 0,
        }
    }

    /// A content as the feed lists it.
    pub fn content(&self, number: usize) -> Content {
        Content {
            content_type: KIND,
            id: format!("content-{number}"),
            uri: String::new(),
            created: START + Duration::minutes(self.blobs[number].minute),
            expires: None,
        }
    }

    /// The number of a content.
    pub fn number(&self, content: &Content) -> usize {
        content.id["content-".len()..].parse().unwrap()
    }
}

/// The id of a record.
pub fn record(number: u8) -> Id {
    [number + 1; 16]
}

/// The number of a record.
pub fn number_of(record: &Id) -> usize {
    usize::from(record[0]) - 1
}
