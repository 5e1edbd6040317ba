//! What a run knows: its content types, the records delivered, and the rows that are on their way.

use std::collections::{BTreeMap, btree_map::Entry};

use time::{Date, OffsetDateTime};

use super::{
    document::{Document, FORMAT, Watermark},
    ids::{Id, IdSet},
    letters::{Answered, Letters},
    listing::{Listing, Slot},
};
use crate::content::{Content, ContentType};

/// Whether a row is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is new: send it.
    Send,
    /// The record was delivered before.
    Delivered,
    /// The record is on its way from another content; this content waits for the same answer.
    OnItsWay,
}

/// What is to be saved, in this order: the records, then the contents, then the document, and then the dead letters that
/// were delivered are removed. A kill between two of them then costs a content being fetched, or a dead letter being read
/// again, and nothing else.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub struct Unsaved {
    /// Records whose rows were answered.
    pub records: Vec<Id>,
    /// Contents that need nothing more, by content type and day of publication, each of which comes once.
    pub contents: Vec<(ContentType, Date, Vec<Id>)>,
    /// The document, where it is due.
    pub document: Option<Document>,
    /// Dead letters that were delivered, to be removed.
    pub letters: Vec<Answered>,
}

/// What waits for the answer to a row besides the content that it is sent for. Few rows have any of it.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Also {
    /// Other contents that have its record.
    slots: Vec<Slot>,
    /// What is remembered beside the record when the row is accepted.
    marks: Vec<Id>,
}

/// What a run knows.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub struct Progress {
    listings: BTreeMap<ContentType, Listing>,
    /// Watermarks of content types that this run does not read.
    others: BTreeMap<ContentType, Watermark>,
    /// What the document says of content types that this version does not know.
    unknown: BTreeMap<String, String>,
    refused_runs: u32,
    subscriptions_checked: Option<OffsetDateTime>,
    last_accepted: Option<OffsetDateTime>,
    delivered: IdSet,
    /// The content that each row is sent for, by its record.
    on_their_way: BTreeMap<Id, Slot>,
    also: BTreeMap<Id, Also>,
    letters: Letters,
    unsaved: Vec<Id>,
    next_slot: u32,
}

impl Progress {
    /// A run over `content_types` that goes on from `document`. A content type that it does not know starts at
    /// `lookback`. With `moves` false the run asks for a past range again, and no watermark moves.
    #[must_use]
    pub fn new(document: Document, content_types: &[ContentType], lookback: OffsetDateTime, moves: bool) -> Self {
        let mut others = document.content_types;
        let listings = content_types
            .iter()
            .map(|content_type| {
                let known = others.remove(content_type);
                let is_known = known.is_some();
                let watermark = known.unwrap_or_else(|| Watermark::starting_at(lookback));
                (*content_type, Listing::new(watermark, moves, is_known))
            })
            .collect();
        Self {
            listings,
            others,
            unknown: document.unknown_types,
            refused_runs: document.refused_runs,
            subscriptions_checked: document.subscriptions_checked,
            last_accepted: document.last_accepted,
            ..Self::default()
        }
    }

    /// One content type of the run.
    pub fn listing(&mut self, content_type: ContentType) -> Option<&mut Listing> {
        self.listings.get_mut(&content_type)
    }

    /// The content types of the run.
    pub fn listings(&self) -> impl Iterator<Item = (ContentType, &Listing)> {
        self.listings.iter().map(|(content_type, listing)| (*content_type, listing))
    }

    /// When the subscriptions were last listed.
    #[must_use]
    pub const fn subscriptions_checked(&self) -> Option<OffsetDateTime> {
        self.subscriptions_checked
    }

    /// Notes that the subscriptions were listed.
    pub const fn checked_subscriptions(&mut self, at: OffsetDateTime) {
        self.subscriptions_checked = Some(at);
    }

    /// Takes up the contents of `content_type` that earlier runs left behind.
    pub fn resume(&mut self, content_type: ContentType) -> Vec<(Slot, Content)> {
        let Some(listing) = self.listings.get_mut(&content_type) else { return Vec::new() };
        let number = &mut self.next_slot;
        listing.resume(|| {
            *number += 1;
            Slot { content_type, number: *number }
        })
    }

    /// How many runs in a row ended with rows refused and none accepted.
    #[must_use]
    pub const fn refused_runs(&self) -> u32 {
        self.refused_runs
    }

    /// Notes how many runs in a row ended so by now.
    pub const fn set_refused_runs(&mut self, runs: u32) {
        self.refused_runs = runs;
    }

    /// A slot for the next content.
    pub const fn next_slot(&mut self, content_type: ContentType) -> Slot {
        self.next_slot += 1;
        Slot { content_type, number: self.next_slot }
    }

    /// Takes in a stored log of delivered records. All of them must be in before the first [`Progress::admit`].
    pub fn load_records(&mut self, log: &[u8]) {
        self.delivered.load(log);
    }

    /// A row of the content in `slot` is ready. Unless its record was delivered before, the content now waits for it.
    pub fn admit(&mut self, slot: Slot, record: Id) -> Admission {
        if self.delivered.contains(&record) {
            return Admission::Delivered;
        }
        self.wait(slot, record)
    }

    /// A row that was given up is to be sent again. Its record counts as delivered since then, so that `mark` alone tells
    /// whether the row was delivered by now.
    pub fn admit_again(&mut self, slot: Slot, record: Id, mark: Id) -> Admission {
        if self.delivered.contains(&mark) {
            return Admission::Delivered;
        }
        let admission = self.wait(slot, record);
        self.also.entry(record).or_default().marks.push(mark);
        admission
    }

    fn wait(&mut self, slot: Slot, record: Id) -> Admission {
        self.letters.row_sent(slot);
        if let Some(listing) = self.listings.get_mut(&slot.content_type) {
            listing.row_sent(slot);
        }
        match self.on_their_way.entry(record) {
            Entry::Vacant(place) => {
                place.insert(slot);
                Admission::Send
            }
            Entry::Occupied(_) => {
                self.also.entry(record).or_default().slots.push(slot);
                Admission::OnItsWay
            }
        }
    }

    /// The dead letters that the run sends again.
    pub const fn letters(&mut self) -> &mut Letters {
        &mut self.letters
    }

    /// The endpoint took the rows of these records.
    pub fn accepted(&mut self, records: &[Id], now: OffsetDateTime) {
        self.last_accepted = Some(now);
        self.refused_runs = 0;
        for record in records {
            let marks = self.also.get_mut(record).map(|also| std::mem::take(&mut also.marks));
            for mark in marks.into_iter().flatten() {
                self.remember(mark);
            }
        }
        self.settled(records);
    }

    fn remember(&mut self, id: Id) {
        if self.delivered.insert(id) {
            self.unsaved.push(id);
        }
    }

    /// The rows of these records arrived, or lie in the dead letters.
    pub fn settled(&mut self, records: &[Id]) {
        for record in records {
            self.remember(*record);
            let first = self.on_their_way.remove(record);
            let others = self.also.remove(record).map(|also| also.slots);
            for slot in first.into_iter().chain(others.into_iter().flatten()) {
                self.letters.row_settled(slot);
                if let Some(listing) = self.listings.get_mut(&slot.content_type) {
                    listing.row_settled(slot);
                }
            }
        }
    }

    /// The run is over: see [`Listing::finish`].
    pub fn finish(&mut self) {
        self.listings.values_mut().for_each(Listing::finish);
    }

    /// The records that are to be saved.
    pub fn take_records(&mut self) -> Vec<Id> {
        std::mem::take(&mut self.unsaved)
    }

    /// What is to be saved. The records and what becomes of dead letters always; the contents and the document where
    /// `all` is asked for.
    pub fn take_unsaved(&mut self, all: bool) -> Unsaved {
        let letters = self.letters.take_answered();
        let mut contents = BTreeMap::<_, Vec<Id>>::new();
        for (content_type, day, id) in letters.iter().flat_map(|letter| &letter.contents) {
            contents.entry((*content_type, *day)).or_default().push(*id);
        }
        if all {
            for (content_type, listing) in &mut self.listings {
                for (day, ids) in listing.take_unsaved() {
                    contents.entry((*content_type, day)).or_default().extend(ids);
                }
            }
        }
        Unsaved {
            records: self.take_records(),
            contents: contents.into_iter().map(|((content_type, day), ids)| (content_type, day, ids)).collect(),
            document: all.then(|| self.document()),
            letters,
        }
    }

    /// The document as of now.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut content_types = self.others.clone();
        content_types
            .extend(self.listings().map(|(content_type, listing)| (content_type, listing.watermark().clone())));
        Document {
            format: FORMAT,
            subscriptions_checked: self.subscriptions_checked,
            last_accepted: self.last_accepted,
            refused_runs: self.refused_runs,
            content_types,
            unknown_types: self.unknown.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_given_up_is_sent_once_more_and_its_mark_is_saved_with_its_answer_alone() {
        let (record, mark, key) = ([1; 16], [2; 16], "row-1".to_owned());
        let mut progress = Progress::new(Document::default(), &[], OffsetDateTime::UNIX_EPOCH, true);
        progress.load_records(&record);
        progress.letters().choose(std::slice::from_ref(&key));
        let begin = |progress: &mut Progress| {
            let slot = progress.next_slot(ContentType::General);
            progress.letters().begin(slot, &key, 1);
            slot
        };
        let slot = begin(&mut progress);
        assert_eq!(progress.admit(slot, record), Admission::Delivered, "the feed's next delivery of it is not sent");
        assert_eq!(progress.admit_again(slot, record, mark), Admission::Send);
        assert_eq!(
            progress.admit_again(slot, record, [3; 16]),
            Admission::OnItsWay,
            "another letter of the same record"
        );
        progress.letters().read(slot);
        assert!(progress.take_unsaved(false).records.is_empty());
        progress.accepted(&[record], OffsetDateTime::UNIX_EPOCH);
        let unsaved = progress.take_unsaved(false);
        assert_eq!((unsaved.records, unsaved.letters.len()), (vec![mark, [3; 16]], 1));
        let slot = begin(&mut progress);
        assert_eq!(progress.admit_again(slot, record, mark), Admission::Delivered);
        // A refusal leaves no mark.
        assert_eq!(progress.admit_again(slot, [4; 16], [5; 16]), Admission::Send);
        progress.settled(&[[4; 16]]);
        assert_eq!(progress.take_unsaved(false).records, [[4; 16]]);
        assert_eq!(progress.admit_again(slot, [4; 16], [5; 16]), Admission::Send);
    }
}
