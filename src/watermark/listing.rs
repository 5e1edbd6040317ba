//! One content type in one run: which windows are open, which contents are under way, and what that does to the
//! watermark.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, OffsetDateTime};

use super::{
    document::{Pending, Watermark},
    failure::{DOWN_AFTER, Failure, MAX_TRIES, Verdict},
    ids::{Id, IdSet, content_id},
    look_back::LookBack,
    windows::Windows,
};
use crate::content::{Content, ContentType};

/// A content that is under way in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// Its content type.
    pub content_type: ContentType,
    /// Counts within the run.
    pub number: u32,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Range {
    from: OffsetDateTime,
    /// Up to where it is settled.
    through: OffsetDateTime,
    to: OffsetDateTime,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Open {
    content: Content,
    id: Id,
    /// The window that listed it; `None` for one that was pending before.
    window: Option<u64>,
    /// Rows that were handed over and not yet answered.
    rows: u32,
    read: bool,
}

impl Open {
    /// Whether nothing of it is left to do.
    const fn is_done(&self) -> bool {
        self.read && self.rows == 0
    }
}

/// One content type in one run.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
pub struct Listing {
    watermark: Watermark,
    /// Whether the run moves the watermark; asking for a past range again does not.
    moves: bool,
    /// Whether an earlier run left the watermark: what lies behind the feed's reach of it was awaited, and is lost.
    known: bool,
    /// The range that is asked for again.
    range: Option<Range>,
    /// The look back whose windows have all been begun, the number after the last of them, and when it was begun.
    look: Option<(LookBack, u64, OffsetDateTime)>,
    windows: Windows,
    open: BTreeMap<u32, Open>,
    open_ids: BTreeSet<Id>,
    delivered: BTreeMap<Date, IdSet>,
    unsaved: BTreeMap<Date, Vec<Id>>,
    /// Contents read in this run: what tells a failing content from a failing feed.
    read: u64,
    /// Contents that were tried in this run for the first time, and failed.
    newly_failed: u64,
    /// Failures of the feed since the last content that was read, of contents that are new.
    failed_in_a_row: u32,
    /// The same of contents that were pending: they harm only themselves.
    pending_failed_in_a_row: u32,
    last_failure: String,
    /// Pending contents that were served in this run and could not be read.
    unreadable: BTreeSet<String>,
    /// Whether contents were read from a page of the listing in this run.
    has_read_page: bool,
    /// Whether a page came of which no entry could be read.
    has_unread_page: bool,
}

impl Listing {
    /// A run that goes on from `watermark`, or, with `moves` false, one that asks for a past range again. `known` says
    /// whether an earlier run left the watermark.
    #[must_use]
    pub fn new(watermark: Watermark, moves: bool, known: bool) -> Self {
        Self {
            watermark,
            moves,
            known,
            range: None,
            look: None,
            windows: Windows::default(),
            open: BTreeMap::new(),
            open_ids: BTreeSet::new(),
            delivered: BTreeMap::new(),
            unsaved: BTreeMap::new(),
            read: 0,
            newly_failed: 0,
            failed_in_a_row: 0,
            pending_failed_in_a_row: 0,
            last_failure: String::new(),
            unreadable: BTreeSet::new(),
            has_read_page: false,
            has_unread_page: false,
        }
    }

    /// The watermark as of now: what may be saved.
    #[must_use]
    pub const fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// Notes that a start of the subscription is tried.
    pub const fn start_tried(&mut self, at: OffsetDateTime) {
        self.watermark.start_tried = Some(at);
    }

    /// Notes that a start of the subscription succeeded.
    pub fn started(&mut self, at: OffsetDateTime) {
        self.watermark.note_start(at);
    }

    /// Whether an earlier run left the watermark.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.known
    }

    /// Begins a range that is asked for again.
    pub const fn begin_range(&mut self, from: OffsetDateTime, to: OffsetDateTime) {
        self.range = Some(Range { from, through: from, to });
    }

    /// Where a range that was asked for is not listed and settled to its end: up to where it is.
    #[must_use]
    pub fn range_through(&self) -> Option<OffsetDateTime> {
        self.range.as_ref().and_then(|range| (range.through < range.to).then_some(range.through))
    }

    /// Whether nothing is settled of a range that was asked for: asking for it in the same way again may be in vain.
    #[must_use]
    pub fn range_stands_still(&self) -> bool {
        self.range.as_ref().is_some_and(|range| range.from < range.to && range.through == range.from)
    }

    /// All windows of `look`, begun `at`, were begun. It is noted in the watermark once they are listed and settled.
    pub fn looks_back(&mut self, look: LookBack, at: OffsetDateTime) {
        self.look = Some((look, self.windows.end(), at));
        self.advance();
    }

    /// Contents under way that are neither delivered nor given up.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.open.len()
    }

    /// Whether the contents delivered of this day of publication were loaded, which [`Listing::offer`] needs.
    #[must_use]
    pub fn knows_day(&self, day: Date) -> bool {
        self.delivered.contains_key(&day)
    }

    /// Takes in the stored log of the contents delivered of one day of publication.
    pub fn load_day(&mut self, day: Date, log: &[u8]) {
        self.delivered.entry(day).or_default().load(log);
    }

    /// Whether `id` is remembered under this day, which was loaded.
    #[must_use]
    pub fn has_delivered(&self, day: Date, id: &Id) -> bool {
        self.delivered.get(&day).is_some_and(|delivered| delivered.contains(id))
    }

    /// Takes up the contents that earlier runs left behind; `slot` gives each its number.
    pub fn resume(&mut self, mut slot: impl FnMut() -> Slot) -> Vec<(Slot, Content)> {
        let mut resumed = Vec::new();
        for pending in self.watermark.pending.clone() {
            let id = content_id(&pending.content.id);
            if self.open_ids.insert(id) {
                let slot = slot();
                let open = Open { content: pending.content.clone(), id, window: None, rows: 0, read: false };
                self.open.insert(slot.number, open);
                resumed.push((slot, pending.content));
            }
        }
        resumed
    }

    /// Begins the next window, which reaches up to `until`. Windows are begun oldest first;
    /// those of a deeper look back lie before the watermark and do not move it.
    pub fn begin_window(&mut self, until: OffsetDateTime) -> u64 {
        self.windows.begin(until)
    }

    /// A content that a page of `window` lists. Whether it is to be fetched: one that is delivered, pending or under
    /// way already is not. In a run that asks for a range again, delivered contents are fetched again too. A pending one
    /// is tried at the address that was listed last: an earlier one may have been wrong.
    pub fn offer(&mut self, window: u64, content: &Content, slot: Slot) -> bool {
        self.watermark.last_content = self.watermark.last_content.max(Some(content.created));
        let id = content_id(&content.id);
        let delivered = self.delivered.get(&content.created.date()).is_some_and(|day| day.contains(&id));
        let mut pending = self.watermark.pending.iter_mut();
        let pending = pending.find(|pending| pending.content.id == content.id);
        let is_pending = pending.is_some();
        if let Some(pending) = pending {
            pending.content.uri.clone_from(&content.uri);
        }
        if (delivered && self.moves) || is_pending || !self.open_ids.insert(id) {
            return false;
        }
        self.windows.hold(window);
        let open = Open { content: content.clone(), id, window: Some(window), rows: 0, read: false };
        self.open.insert(slot.number, open);
        true
    }

    /// A page came with contents on it.
    pub const fn page_read(&mut self) {
        self.has_read_page = true;
    }

    /// A page came with several entries of which none could be read. Whether to give them up: they may be the answer of a
    /// proxy, unless the same happened in 8 runs in which other pages could be read.
    pub const fn page_unread(&mut self) -> bool {
        self.has_unread_page = true;
        self.watermark.unread_runs >= MAX_TRIES
    }

    /// The last page of `window` is in.
    pub fn end_window(&mut self, window: u64) {
        self.windows.listed(window);
        self.advance();
    }

    /// A row of the content was handed over.
    pub fn row_sent(&mut self, slot: Slot) {
        if let Some(open) = self.open.get_mut(&slot.number) {
            open.rows += 1;
        }
    }

    /// A row of the content arrived, or lies in the dead letters.
    pub fn row_settled(&mut self, slot: Slot) {
        let Some(open) = self.open.get_mut(&slot.number) else { return };
        open.rows = open.rows.saturating_sub(1);
        if open.is_done() {
            self.settle(slot);
        }
    }

    /// The content was read to its end and all of its rows were handed over.
    pub fn content_read(&mut self, slot: Slot) {
        if let Some(open) = self.open.get_mut(&slot.number) {
            open.read = true;
            self.read += 1;
            self.failed_in_a_row = 0;
            self.pending_failed_in_a_row = 0;
        }
        self.settle_if_done(slot);
    }

    /// The content could not be read to its end. It becomes pending; the rows that were handed over stay sent.
    pub fn content_failed(&mut self, slot: Slot, failure: &Failure, now: OffsetDateTime) -> Verdict {
        let Some(open) = self.open.get(&slot.number) else { return Verdict::Later };
        failure.reason().clone_into(&mut self.last_failure);
        match failure {
            Failure::Feed(_) if open.window.is_none() => self.pending_failed_in_a_row += 1,
            Failure::Feed(_) => self.failed_in_a_row += 1,
            Failure::Unreadable(_) => {
                self.unreadable.insert(open.content.id.clone());
            }
            Failure::Expired(_) => {}
        }
        let known = self.watermark.pending.iter().position(|pending| pending.content.id == open.content.id);
        let tries = match known {
            Some(at) => {
                // To the end: the next run begins with what this one may not have come to.
                let mut pending = self.watermark.pending.remove(at);
                failure.reason().clone_into(&mut pending.reason);
                let tries = pending.tries;
                self.watermark.pending.push(pending);
                tries
            }
            None => {
                self.newly_failed += 1;
                self.watermark.pending.push(Pending {
                    content: open.content.clone(),
                    tries: 0,
                    first_failed: now,
                    reason: failure.reason().to_owned(),
                });
                0
            }
        };
        let verdict = failure.verdict(&open.content, tries, now);
        if verdict == Verdict::Later {
            self.close(slot);
        }
        verdict
    }

    /// Whether the feed serves nothing of this content type at the moment, so that asking on is no use in this run.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.failed_in_a_row >= DOWN_AFTER
    }

    /// Whether this content is left to a later run: the feed serves nothing at the moment, or, for one that was pending,
    /// nothing of what is pending.
    #[must_use]
    pub fn is_idle(&self, slot: Slot) -> bool {
        let pending = self.open.get(&slot.number).is_some_and(|open| open.window.is_none());
        self.is_down() || (pending && self.pending_failed_in_a_row >= DOWN_AFTER)
    }

    /// Where contents were tried for the first time and none of this content type could be read: how many, and why the
    /// last one failed. One that failed in earlier runs already does not count: it harms only itself.
    #[must_use]
    pub fn nothing_read(&self) -> Option<(u64, &str)> {
        (self.newly_failed > 0 && self.read == 0).then_some((self.newly_failed, self.last_failure.as_str()))
    }

    /// The run is over: a content or page that could not be read while others could has used up one of its tries.
    pub fn finish(&mut self) {
        if self.has_read_page {
            let runs = self.watermark.unread_runs;
            self.watermark.unread_runs = if self.has_unread_page { runs.saturating_add(1) } else { 0 };
        }
        if self.read == 0 {
            return;
        }
        for pending in &mut self.watermark.pending {
            pending.tries += u32::from(self.unreadable.remove(&pending.content.id));
        }
    }

    /// The content lies in the dead letters.
    pub fn given_up(&mut self, slot: Slot) {
        self.settle(slot);
    }

    /// What was delivered since the last call, by day of publication.
    pub fn take_unsaved(&mut self) -> BTreeMap<Date, Vec<Id>> {
        std::mem::take(&mut self.unsaved)
    }

    fn settle_if_done(&mut self, slot: Slot) {
        if self.open.get(&slot.number).is_some_and(Open::is_done) {
            self.settle(slot);
        }
    }

    /// The content needs nothing more: it is remembered as delivered.
    fn settle(&mut self, slot: Slot) {
        let Some(open) = self.open.get(&slot.number) else { return };
        let (day, id) = (open.content.created.date(), open.id);
        self.watermark.pending.retain(|pending| pending.content.id != open.content.id);
        if self.delivered.entry(day).or_default().insert(id) {
            self.unsaved.entry(day).or_default().push(id);
        }
        self.close(slot);
    }

    fn close(&mut self, slot: Slot) {
        let Some(open) = self.open.remove(&slot.number) else { return };
        self.open_ids.remove(&open.id);
        if let Some(window) = open.window {
            self.windows.release(window);
        }
        self.advance();
    }

    /// Moves the watermark over every window at the front that is listed and settled.
    fn advance(&mut self) {
        while let Some(until) = self.windows.pass() {
            if self.moves {
                self.watermark.listed_through = self.watermark.listed_through.max(until);
            }
            if let Some(range) = &mut self.range {
                range.through = until;
            }
        }
        if let Some((look, _, at)) = self.look.take_if(|(_, end, _)| self.windows.passed(*end)) {
            self.watermark.looked_back(look, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    const START: OffsetDateTime = datetime!(2026-11-16 0:00 UTC);
    const KIND: ContentType = ContentType::General;

    fn offered(listing: &mut Listing, window: u64, number: u32) -> Slot {
        let slot = Slot { content_type: KIND, number };
        let (id, uri) = (format!("content-{number}"), String::new());
        let content = Content { content_type: KIND, id, uri, created: START, expires: None };
        assert!(listing.offer(window, &content, slot));
        slot
    }

    #[test]
    fn a_look_is_noted_once_all_that_it_found_is_settled() {
        let now = START + Duration::DAY;
        let mut listing = Listing::new(Watermark::starting_at(START), true, true);
        let new = listing.begin_window(now);
        listing.end_window(new);
        let late = listing.begin_window(START);
        let slot = offered(&mut listing, late, 1);
        listing.end_window(late);
        listing.looks_back(LookBack::Week, now);
        assert_eq!((listing.watermark().looked_week_back, listing.watermark().listed_through), (None, now));
        listing.content_read(slot);
        let watermark = listing.watermark();
        assert_eq!((watermark.looked_day_back, watermark.looked_week_back), (Some(now), Some(now)));
        assert_eq!(watermark.listed_through, now, "windows before the watermark do not move it back");
    }

    #[test]
    fn a_pending_content_is_tried_at_the_address_that_was_listed_last() {
        let mut listing = Listing::new(Watermark::starting_at(START), true, true);
        let window = listing.begin_window(START + Duration::HOUR);
        let slot = offered(&mut listing, window, 1);
        listing.content_failed(slot, &Failure::Feed("a foreign address".to_owned()), START);
        let mut content = listing.watermark().pending[0].content.clone();
        content.uri = "https://manage.office.com/x".to_owned();
        assert!(!listing.offer(window, &content, Slot { number: 2, ..slot }), "not in this run");
        assert_eq!(listing.watermark().pending[0].content, content);
        assert_eq!(listing.resume(|| Slot { number: 3, ..slot })[0].1.uri, content.uri);
    }

    #[test]
    fn a_range_is_done_through_its_settled_windows() {
        let end = START + Duration::hours(2);
        let mut listing = Listing::new(Watermark::starting_at(START), false, true);
        assert_eq!(listing.range_through(), None);
        listing.begin_range(START, end);
        assert_eq!(listing.range_through(), Some(START), "a range that was never listed is not done");
        assert!(listing.range_stands_still());
        let windows = [START + Duration::HOUR, end].map(|until| listing.begin_window(until));
        let slot = offered(&mut listing, windows[0], 1);
        listing.end_window(windows[0]);
        listing.end_window(windows[1]);
        assert_eq!(listing.range_through(), Some(START));
        listing.content_read(slot);
        assert_eq!((listing.range_through(), listing.watermark().listed_through), (None, START));
        assert!(!listing.range_stands_still());
    }
}
