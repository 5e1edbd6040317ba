//! Reading one content, and making rows of its label events.

use std::{ops::Range, pin::pin, time::Duration};

use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use super::{
    capacity::{Place, Places},
    names,
    run::{Run, Seen, add},
};
use crate::{
    content::Content,
    dead_letter::{DeadLetter, Kind},
    feed::{Budget, FeedError},
    record::{Element, LabelEvents, Outline, Peek, RecordError, SplitError, Splitter},
    row::{self, Provenance},
    state::StateError,
    watermark::{Admission, Id, Slot},
};

/// Elements of one content that are no records are kept one by one up to this many; beyond it the content is kept as a
/// whole, by its address.
const BAD_RECORDS_AT_MOST: u64 = 100;

/// A record that is larger than this while it comes in waits for one of a few places.
const LARGE: usize = 512 * 1024;

/// What a row has beside the text of its record, as a rule: label names and where it is from.
const BESIDE_THE_RECORD: usize = 512;

/// A body that keeps its place waiting for so long, in all, gives it to another: slow bodies hold up nothing, and hold
/// little.
const PLACE_KEPT: Duration = Duration::from_millis(100);

/// Rows of one content, on their way to a batch.
#[derive(Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    rows: Vec<(Range<usize>, Id)>,
}

impl Rows {
    /// None yet, with room for those of `events`.
    fn room_for(events: &LabelEvents) -> Self {
        let bytes = events.text_bytes() + events.len() * BESIDE_THE_RECORD;
        Self { bytes: Vec::with_capacity(bytes), rows: Vec::with_capacity(events.len()) }
    }

    /// One row with the id of its record.
    pub fn one(row: Vec<u8>, id: Id) -> Self {
        Self { rows: vec![(0..row.len(), id)], bytes: row }
    }

    /// Each row with the id of its record.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Id)> {
        self.rows.iter().map(|(range, id)| (&self.bytes[range.clone()], *id))
    }
}

/// Why reading a content ended before its end.
pub enum Interrupted {
    /// The run is over; nothing is said about the content.
    Halted,
    State(StateError),
    Feed(FeedError),
    Split(SplitError),
    Slow,
    Panicked,
}

/// How long the feed is waited for while one content is read.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Whether a failure is tried again within the run.
    pub keeps_up: bool,
    /// When the content was begun.
    pub begun: Instant,
    /// How long it may take before it is set aside for later runs, counted anew when requests were held back: a pause
    /// that throttling asks for, or a used-up minute, is no fault of the content.
    pub limit: Option<Duration>,
}

impl Patience {
    /// The same after a wait that was not for the feed.
    fn after(self, wait: Duration) -> Self {
        Self { begun: self.begun + wait, ..self }
    }

    /// What the feed answers. Only the feed is waited for in this way: rows that were admitted are handed over whatever
    /// the time.
    async fn wait_for<T>(
        &self,
        budget: &Budget,
        answer: impl Future<Output = Result<T, FeedError>>,
    ) -> Result<T, Interrupted> {
        tokio::pin!(answer);
        let answer = loop {
            let Some(deadline) = self.deadline(budget) else { break answer.await };
            match timeout_at(deadline, &mut answer).await {
                Ok(answer) => break answer,
                Err(_) if self.deadline(budget) > Some(deadline) => {}
                Err(_) => return Err(Interrupted::Slow),
            }
        };
        answer.map_err(Interrupted::Feed)
    }

    fn deadline(&self, budget: &Budget) -> Option<Instant> {
        self.limit.map(|limit| budget.held_until().unwrap_or(self.begun).max(self.begun) + limit)
    }
}

/// Reads a content once, from its first byte to its last. Rows that an earlier try handed over are known by the ids of
/// their records and not sent again.
pub async fn read(
    run: &Run,
    slot: Slot,
    content: &Content,
    rows: &mpsc::Sender<Rows>,
    mut patience: Patience,
) -> Result<(), Interrupted> {
    let feed = &run.connector.feed;
    let fetched = async { if patience.keeps_up { feed.fetch(content).await } else { feed.fetch_once(content).await } };
    let mut body = patience.wait_for(feed.budget(), fetched).await?;
    let mut splitter = Splitter::new();
    let mut piece = Piece::default();
    let mut ended = Ok(());
    let (mut at_work, mut large) = (None, None);
    let mut kept = Duration::ZERO;
    loop {
        if at_work.is_none() {
            (at_work, patience) = wait_for_place(&run.share.bodies, patience).await;
            kept = Duration::ZERO;
        }
        let chunk = {
            let asked = Instant::now();
            let mut next = pin!(patience.wait_for(feed.budget(), body.chunk()));
            match timeout(PLACE_KEPT.saturating_sub(kept), next.as_mut()).await {
                Ok(chunk) => {
                    kept += asked.elapsed();
                    chunk?
                }
                Err(_) => {
                    at_work = None;
                    next.await?
                }
            }
        };
        let Some(chunk) = chunk else { break };
        if at_work.is_none() {
            (at_work, patience) = wait_for_place(&run.share.bodies, patience).await;
            kept = Duration::ZERO;
        }
        add(&run.counts.feed_bytes, chunk.len() as u64);
        ended = splitter.push(&chunk, |element| piece.take(run, element));
        deliver(run, slot, content, &content.id, &mut piece, rows).await?;
        patience = patience.after(std::mem::take(&mut piece.waited));
        if ended.is_err() {
            break;
        }
        if splitter.held() <= LARGE {
            large = None;
        } else if large.is_none() {
            // Who has a place of this kind may wait for one of the other.
            at_work = None;
            (large, patience) = wait_for_place(&run.share.large_records, patience).await;
        }
    }
    match ended.and_then(|()| splitter.finish()) {
        // Every record of the array was there. What the rest is somebody must see.
        Err(error @ SplitError::Rubbish { .. }) => {
            let letter = DeadLetter::content(content.clone(), error.to_string(), 1, OffsetDateTime::now_utc());
            run.bury(&letter).await.map_err(Interrupted::State)?;
        }
        ended => ended.map_err(Interrupted::Split)?,
    }
    if piece.seen.bad > BAD_RECORDS_AT_MOST {
        let reason =
            format!("{} of its elements are no records; the first {BAD_RECORDS_AT_MOST} are kept", piece.seen.bad);
        let letter = DeadLetter::content(content.clone(), reason, 1, OffsetDateTime::now_utc());
        run.bury(&letter).await.map_err(Interrupted::State)?;
    }
    run.count_read(&piece.seen);
    Ok(())
}

/// A place, and the patience after the wait for it.
async fn wait_for_place(places: &Places, patience: Patience) -> (Option<Place>, Patience) {
    let asked = Instant::now();
    let place = places.take().await;
    (Some(place), patience.after(asked.elapsed()))
}

/// Reads one record of `content` by itself, as [`read`] does it among the others. `place` is its place in the content;
/// where that is not known, a record without an `Id` is remembered by `name`, which no content has for its id.
pub async fn read_record(
    run: &Run,
    slot: Slot,
    content: &Content,
    (record, place, name): (&[u8], Option<u64>, &str),
    rows: &mpsc::Sender<Rows>,
) -> Result<(), Interrupted> {
    let mut piece = Piece::default();
    piece.seen.records = place.unwrap_or(0);
    piece.take(run, Element::of(record, &mut Outline::new()));
    let places_of = if place.is_some() { &content.id } else { name };
    deliver(run, slot, content, places_of, &mut piece, rows).await?;
    piece.seen.records = 1;
    run.count_seen(&piece.seen);
    Ok(())
}

/// An element that is no record.
struct Bad {
    bytes: Vec<u8>,
    reason: String,
    ordinal: u64,
    cut: bool,
}

/// What one piece of a body held.
#[derive(Default)]
struct Piece {
    events: LabelEvents,
    bad: Vec<Bad>,
    /// How long its rows waited for label names.
    waited: Duration,
    /// Of the whole content so far.
    seen: Seen,
}

impl Piece {
    /// Keeps the element if it is a label event.
    fn take(&mut self, run: &Run, element: Element<'_>) {
        let ordinal = self.seen.records;
        self.seen.records += 1;
        match element {
            Element::Record { bytes, outline } => {
                let peek = Peek::at(bytes, outline);
                if run.connector.filter.keeps(peek.record_type, peek.operation.as_deref()) {
                    self.events.push(bytes, outline, ordinal);
                } else {
                    *self.seen.filtered.entry(peek.record_type).or_default() += 1;
                }
            }
            Element::Other(bytes) => {
                let reason = RecordError::of(bytes).to_string();
                self.bad.push(Bad { bytes: bytes.to_vec(), reason, ordinal, cut: false });
            }
            Element::TooLarge { head, bytes } => {
                let reason = format!("the record has {bytes} bytes; only its beginning is kept");
                self.bad.push(Bad { bytes: head.to_vec(), reason, ordinal, cut: true });
            }
        }
    }
}

/// Makes rows of a piece's label events and hands them over. What is no record goes to the dead letters. A record without
/// an `Id` is known by its place in what has the id `places_of`.
async fn deliver(
    run: &Run,
    slot: Slot,
    content: &Content,
    places_of: &str,
    piece: &mut Piece,
    rows: &mpsc::Sender<Rows>,
) -> Result<(), Interrupted> {
    let mut made = Rows::room_for(&piece.events);
    let provenance = Provenance::from(content);
    if !piece.events.is_empty() {
        run.know_records().await.map_err(Interrupted::State)?;
        let mut labels = names::of(run).await;
        piece.seen.label_events += piece.events.len() as u64;
        for (record, ordinal) in piece.events.records() {
            let id = record.key(places_of, ordinal).0;
            if run.progress().admit(slot, id) != Admission::Send {
                piece.seen.repeated += 1;
                continue;
            }
            let start = made.bytes.len();
            let mut written = row::write(&record, &provenance, &labels, &mut made.bytes);
            if written.unknown_labels > 0 {
                let asked = Instant::now();
                while let Some(newer) = names::newer(run, &labels, written.unknown_ids).await {
                    labels = newer;
                    made.bytes.truncate(start);
                    written = row::write(&record, &provenance, &labels, &mut made.bytes);
                }
                piece.waited += asked.elapsed();
            }
            piece.seen.truncated += u64::from(written.truncated > 0);
            piece.seen.unknown_labels += u64::from(written.unknown_labels > 0);
            made.rows.push((start..made.bytes.len(), id));
        }
        piece.events.clear();
    }
    if !made.rows.is_empty() {
        // The receiver goes only when the run is over.
        rows.send(made).await.map_err(|_| Interrupted::Halted)?;
    }
    for Bad { bytes, reason, ordinal, cut } in piece.bad.drain(..) {
        piece.seen.bad += 1;
        if piece.seen.bad <= BAD_RECORDS_AT_MOST {
            let now = OffsetDateTime::now_utc();
            let letter = DeadLetter::bytes(Kind::Record, Some(content.clone()), &bytes, reason, now);
            let letter = DeadLetter { place: Some(ordinal), cut, ..letter };
            run.bury(&letter).await.map_err(Interrupted::State)?;
        }
    }
    Ok(())
}
