//! One run of the world: it does what the stages of `pull` do, one step at a time.

mod saving;

use std::hash::{Hash, Hasher};

use super::{
    state::{Model, Shared},
    store::Way,
    world::{KIND, START, TENANT, record, time_of},
};
use crate::{
    feed::{Window, window::windows},
    state::{Expect, Store as _},
    watermark::{Admission, Id, LookBack, Memory, Progress, RECORD_LOGS, Slot, Unsaved, Verdict},
};

/// A run that goes on.
#[derive(Debug)]
pub struct Instance {
    /// Which run of the world it is.
    pub number: u8,
    progress: Progress,
    memory: Memory,
    list: List,
    resumed: bool,
    knows_records: bool,
    /// Contents that are read, with the place of the next record.
    pub fetching: Vec<(Slot, usize, usize)>,
    /// Contents that are given up, and whether their dead letter is stored.
    pub burying: Vec<(Slot, usize, bool)>,
    /// Rows that wait for a batch.
    pub waiting: Vec<Id>,
    /// Batches that were posted and have not given back their place.
    pub places: Vec<Batch>,
    /// Whether a save would save anything but what the last one did.
    pub has_news: bool,
    /// What is being saved, by the log that its records are appended to.
    saves: [Saving; RECORD_LOGS],
    /// No content is begun any more, and no POST.
    pub halted: bool,
    end: End,
    /// Whether its lease has not run out.
    pub holds: bool,
}

impl Clone for Instance {
    fn clone(&self) -> Self {
        Self {
            memory: self.memory.fork(),
            progress: self.progress.clone(),
            list: self.list.clone(),
            fetching: self.fetching.clone(),
            burying: self.burying.clone(),
            waiting: self.waiting.clone(),
            places: self.places.clone(),
            saves: self.saves.clone(),
            ..*self
        }
    }
}

#[derive(Debug, Clone, Hash)]
struct List {
    look: LookBack,
    /// What is still to be listed, the next one last.
    windows: Vec<Window>,
    /// The window that is listed, with the place of its next page, where it has one.
    open: Option<(u64, Window, Option<usize>)>,
    noted: bool,
}

/// A batch that was posted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Batch {
    ids: Vec<Id>,
    /// Its answer has come.
    pub answered: bool,
    /// The log of the save under way that began after that.
    saving: Option<usize>,
    /// It was under way when the lease ran out.
    excused: bool,
}

/// A save.
#[derive(Debug, Clone, Default, Hash)]
struct Saving {
    /// What was taken and is not yet saved.
    taken: Option<Unsaved>,
    /// The next write of it is under way: the lock was asked for, and held.
    writing: bool,
    /// Late writes of earlier runs that it found.
    late: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum End {
    NotYet,
    /// What an earlier save left is finished first.
    Finishing,
    /// The last save is under way.
    Saving,
}

/// Whether the run goes on after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Goes {
    On,
    /// It has ended: it waits for nothing, and writes nothing any more.
    Out,
}

impl Instance {
    /// Takes the lock, reads the document and decides what to list.
    pub fn begin(model: &Model, shared: &mut Shared) -> Self {
        let number = shared.runs;
        shared.runs += 1;
        shared.holder = Some(number);
        let now = time_of(number);
        let memory = Memory::new(model.store.clone(), TENANT);
        let loaded = model.store.enter(&mut shared.disk, number, Way::Clear, memory.load_document(now)).0.unwrap();
        let mut progress = Progress::new(loaded.document, &[KIND], START, true);
        let watermark = progress.listing(KIND).unwrap().watermark();
        let look = LookBack::due(watermark, now);
        let spans = look.spans(watermark, now);
        let mut to_list: Vec<_> = spans.into_iter().flat_map(|(from, to)| windows(from, to, now)).collect();
        to_list.reverse();
        Self {
            number,
            progress,
            memory,
            list: List { look, windows: to_list, open: None, noted: false },
            resumed: false,
            knows_records: false,
            fetching: Vec::new(),
            burying: Vec::new(),
            waiting: Vec::new(),
            places: Vec::new(),
            has_news: false,
            saves: Default::default(),
            halted: false,
            end: End::NotYet,
            holds: true,
        }
    }

    /// Whether contents of earlier runs, or contents that failed meanwhile, can be taken up.
    pub fn can_resume(&self) -> bool {
        !self.resumed && self.progress.listings().any(|(_, listing)| !listing.watermark().pending.is_empty())
    }

    /// Whether something is left to be listed or noted.
    pub fn can_list(&self) -> bool {
        !self.list.noted
    }

    /// Whether nothing is being saved.
    pub fn can_save(&self) -> bool {
        self.saves.iter().all(|save| save.taken.is_none())
    }

    /// Whether a batch was answered that no save has taken yet.
    pub fn waits_for_a_save(&self) -> bool {
        self.places.iter().any(|batch| batch.answered && batch.saving.is_none())
    }

    /// The log to which a save of records may append, where one is free. Beside a save of all there is none.
    pub fn free_log(&self) -> Option<usize> {
        let all = |save: &Saving| save.taken.as_ref().is_some_and(|taken| taken.document.is_some());
        if self.saves.iter().any(all) { None } else { self.saves.iter().position(|save| save.taken.is_none()) }
    }

    /// The logs whose save has a write under way.
    pub fn writing(&self) -> impl Iterator<Item = usize> {
        (0..RECORD_LOGS).filter(|log| self.saves[*log].writing)
    }

    /// Whether its stages run.
    pub fn works(&self) -> bool {
        self.end == End::NotYet
    }

    /// Whether its stages have nothing left to wait for. What was not begun is left to the next run.
    pub fn can_end(&self) -> bool {
        let saved = || self.places.is_empty() && self.can_save();
        let answered = || self.places.iter().all(|batch| batch.answered) && self.writing().next().is_none();
        self.works() && self.burying.is_empty() && if self.halted { answered() } else { saved() }
    }

    /// Hands over what earlier runs left behind.
    pub fn resume(&mut self, model: &Model, shared: &mut Shared) {
        self.resumed = true;
        for (slot, content) in self.progress.resume(KIND) {
            self.know_day(model, shared, content.created.date());
            self.fetching.push((slot, model.world.number(&content), 0));
        }
        self.fetching.sort_unstable();
    }

    /// Lists the next page, ends a window, or notes the look back.
    pub fn list(&mut self, model: &Model, shared: &mut Shared) {
        self.has_news = true;
        let (number, window, skip) = match self.list.open.take() {
            Some((number, window, Some(skip))) => (number, window, skip),
            Some((number, _, None)) => return self.progress.listing(KIND).unwrap().end_window(number),
            None => match self.list.windows.pop() {
                Some(window) => (self.progress.listing(KIND).unwrap().begin_window(window.end), window, 0),
                None => {
                    self.list.noted = true;
                    let look = self.list.look;
                    return self.progress.listing(KIND).unwrap().looks_back(look, time_of(self.number));
                }
            },
        };
        let listed = model.world_lists(shared, window);
        let mut page: Vec<_> = listed.iter().skip(skip).take(model.world.page).collect();
        page.sort_by_key(|blob| model.world.blobs[**blob].minute);
        for blob in page {
            let content = model.world.content(*blob);
            self.know_day(model, shared, content.created.date());
            let slot = self.progress.next_slot(KIND);
            if self.progress.listing(KIND).unwrap().offer(number, &content, slot) {
                self.fetching.push((slot, *blob, 0));
            }
        }
        let next = skip + model.world.page;
        if listed.is_empty() {
            self.progress.listing(KIND).unwrap().end_window(number);
        } else {
            self.list.open = Some((number, window, (next < listed.len()).then_some(next)));
        }
    }

    fn know_day(&mut self, model: &Model, shared: &mut Shared, day: time::Date) {
        let listing = self.progress.listing(KIND).unwrap();
        if listing.knows_day(day) {
            return;
        }
        let logs = self.memory.load_contents(KIND, day);
        let logs = model.store.enter(&mut shared.disk, self.number, Way::Clear, logs).0.unwrap();
        listing.load_day(day, &[]);
        for log in logs {
            listing.load_day(day, &log);
        }
    }

    /// Reads the next piece of a content, or its end.
    pub fn fetch(&mut self, model: &Model, shared: &mut Shared, index: usize) {
        let (slot, blob, read) = self.fetching[index];
        let records = model.world.blobs[blob].served();
        if read == records.len() {
            self.has_news = true;
            self.fetching.remove(index);
            return self.progress.listing(KIND).unwrap().content_read(slot);
        }
        if !self.knows_records {
            self.knows_records = true;
            let load = self.memory.load_records(time_of(self.number), |log| self.progress.load_records(log));
            model.store.enter(&mut shared.disk, self.number, Way::Clear, load).0.unwrap();
        }
        let piece = records.iter().skip(read).take(model.world.piece);
        for id in piece.copied().map(record) {
            if self.progress.admit(slot, id) == Admission::Send {
                self.waiting.push(id);
                self.waiting.sort_unstable();
            }
            self.fetching[index].2 += 1;
        }
    }

    /// Reading a content fails.
    pub fn fail(&mut self, model: &Model, shared: &mut Shared, index: usize) {
        self.has_news = true;
        let (slot, blob, read) = self.fetching.remove(index);
        let failure = model.world.blobs[blob].failure(read, shared.failed[blob]).unwrap();
        shared.failed[blob] = shared.failed[blob].saturating_add(1).min(model.world.failures(blob));
        let now = time_of(self.number);
        match self.progress.listing(KIND).unwrap().content_failed(slot, &failure, now) {
            Verdict::Later => {}
            Verdict::GiveUp { .. } => self.burying.push((slot, blob, false)),
        }
    }

    /// Stores a dead letter, or learns that it is stored. The lock is not asked for: a letter has the same key whoever
    /// writes it.
    pub fn bury(&mut self, model: &Model, shared: &mut Shared, index: usize) {
        let (slot, blob, stored) = self.burying[index];
        if stored {
            self.has_news = true;
            self.burying.remove(index);
            self.progress.listing(KIND).unwrap().given_up(slot);
        } else {
            let key = Shared::letter(blob);
            let put = model.store.put(&key, bytes::Bytes::from_static(b"{}"), &Expect::Any);
            model.store.enter(&mut shared.disk, u8::MAX, Way::Clear, put).0.unwrap();
            self.burying[index].2 = true;
        }
    }

    /// Asks for the lock: a run whose lease ran out begins no POST and no write.
    pub fn may(&self, model: &Model) -> bool {
        self.holds || !model.world.rules.asks_for_the_lock
    }

    /// Posts what waits. Rows that do not arrive are given up after some tries, and with them the run.
    pub fn post(&mut self, model: &Model, shared: &mut Shared, arrives: bool) -> Goes {
        if !self.may(model) {
            return self.lock_lost(model, shared);
        }
        let ids = std::mem::take(&mut self.waiting);
        if arrives {
            shared.arrive(&ids);
            self.places.push(Batch { ids, answered: false, saving: None, excused: false });
            self.places.sort_unstable();
        } else {
            self.halted = true;
        }
        Goes::On
    }

    /// The answer to a batch comes.
    pub fn answer(&mut self, model: &Model, index: usize) {
        self.has_news = true;
        self.progress.accepted(&self.places[index].ids, time_of(self.number));
        if model.world.rules.holds_places {
            self.places[index].answered = true;
            self.places.sort_unstable();
        } else {
            self.places.remove(index);
        }
    }

    /// The answer to a batch is lost: it is posted `again`, or given up, and with it the run.
    pub fn unanswered(&mut self, model: &Model, shared: &mut Shared, index: usize, again: bool) -> Goes {
        if !self.places[index].excused {
            shared.excuse(&self.places[index].ids);
        }
        if !again {
            self.places.remove(index);
            self.halted = true;
            return Goes::On;
        }
        if !self.may(model) {
            return self.lock_lost(model, shared);
        }
        shared.arrive(&self.places[index].ids);
        Goes::On
    }

    /// The lease ends, and the run does not know.
    pub fn expire(&mut self, shared: &mut Shared) {
        shared.holder = None;
        self.holds = false;
        self.excuse(shared);
    }

    /// What is under way may come again: nobody will remember its answer.
    fn excuse(&mut self, shared: &mut Shared) {
        for ids in self.under_way() {
            shared.excuse_unless_stored(&ids);
        }
        for batch in &mut self.places {
            batch.excused = true;
        }
    }

    /// The batches that hold a place, and have not been excused.
    pub fn under_way(&self) -> Vec<Vec<Id>> {
        self.places.iter().filter(|batch| !batch.excused).map(|batch| batch.ids.clone()).collect()
    }

    /// The run finds out that its lease ran out. Writes that are under way may arrive all the same.
    fn lock_lost(&mut self, model: &Model, shared: &mut Shared) -> Goes {
        self.let_go(model, shared);
        self.gone(shared)
    }

    fn gone(&self, shared: &mut Shared) -> Goes {
        if shared.holder == Some(self.number) {
            shared.holder = None;
        }
        Goes::Out
    }

    /// All that decides what it does next. Of a run that may begin no POST and no write any more, what it has read does
    /// not: others see only what it wrote before.
    pub fn hash(&self, model: &Model, shared: &Shared, hasher: &mut impl Hasher) {
        self.memory.expects(shared.disk.version(&Shared::document_key()).as_ref()).hash(hasher);
        (self.number, &self.burying, &self.waiting, &self.places, &self.saves).hash(hasher);
        (self.halted, self.end, self.holds).hash(hasher);
        if self.may(model) {
            (&self.progress, &self.list, self.resumed, self.knows_records, &self.fetching, self.has_news).hash(hasher);
        }
    }
}
