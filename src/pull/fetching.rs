//! Reading contents, several at once, and making rows of their label events.

use std::{ops::Range, sync::Arc};

use time::OffsetDateTime;
use tokio::{sync::mpsc, task::JoinSet};
use tracing::Instrument;

use super::{
    listing::Found,
    run::{Run, Seen, add},
};
use crate::{
    content::Content,
    dead_letter::{DeadLetter, Kind},
    feed::FeedError,
    record::{self, Element, Peek, Record, SplitError, Splitter},
    retry::{Backoff, Policy},
    row::{self, Provenance},
    state::StateError,
    watermark::{Admission, Failure, Id, Slot, Verdict},
};

/// How many contents are read at once. Each holds a piece of its body and the rows of it, so that memory does not grow
/// with the backlog; with 50 ms of latency this many reach some 300 contents a second, above the feed's own limit.
pub const AT_ONCE: usize = 16;

/// How often a content is asked for within a run when its body breaks off.
const BODY_POLICY: Policy =
    Policy { tries: 3, first: std::time::Duration::from_millis(500), longest: std::time::Duration::from_secs(5) };

/// Elements of one content that are no records are kept one by one up to this many; a content with more is taken to be
/// no content of records.
const BAD_RECORDS_AT_MOST: u64 = 100;

/// Rows of one content, on their way to a batch.
#[derive(Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    rows: Vec<(Range<usize>, Id)>,
}

impl Rows {
    /// Each row with the id of its record.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Id)> {
        self.rows.iter().map(|(range, id)| (&self.bytes[range.clone()], *id))
    }
}

/// Why reading a content ended before its end.
enum Interrupted {
    /// The run is over; nothing is said about the content.
    Halted,
    State(StateError),
    Feed(FeedError),
    Split(SplitError),
    BadRecords(String),
}

/// Fetches what the listings find until they are done or the run stops.
pub async fn fetch_all(run: Arc<Run>, mut found: mpsc::Receiver<Found>, rows: mpsc::Sender<Rows>) {
    let mut under_way = JoinSet::new();
    loop {
        if under_way.len() >= AT_ONCE
            && let Some(ended) = under_way.join_next().await
        {
            run.look_at(ended);
        }
        let next = tokio::select! {
            biased;
            () = run.stop.cancelled() => break,
            next = found.recv() => next,
        };
        let Some((slot, content)) = next else { break };
        under_way.spawn(fetch(Arc::clone(&run), slot, content, rows.clone()).in_current_span());
    }
    // Listings that wait for room are let go.
    drop(found);
    while let Some(ended) = under_way.join_next().await {
        run.look_at(ended);
    }
}

async fn fetch(run: Arc<Run>, slot: Slot, content: Content, rows: mpsc::Sender<Rows>) {
    let content = Arc::new(content);
    let mut backoff = Backoff::new(BODY_POLICY);
    let interrupted = loop {
        let read = tokio::select! {
            biased;
            () = run.halt.cancelled() => Err(Interrupted::Halted),
            read = read(&run, slot, &content, &rows) => read,
        };
        match read {
            Ok(()) => {
                if let Some(listing) = run.progress().listing(slot.content_type) {
                    listing.content_read(slot);
                }
                return;
            }
            Err(interrupted) if interrupted.is_worth_another_try() && !run.stop.is_cancelled() => {
                let Some(pause) = backoff.pause() else { break interrupted };
                tokio::select! {
                    () = run.stop.cancelled() => break Interrupted::Halted,
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Err(interrupted) => break interrupted,
        }
    };
    give_back(&run, slot, &content, interrupted).await;
}

impl Interrupted {
    const fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Feed(error) => error.is_retryable() && !error.is_throttled(),
            Self::Split(error) => error.is_retryable(),
            Self::Halted | Self::State(_) | Self::BadRecords(_) => false,
        }
    }

    fn into_failure(self) -> Option<Failure> {
        Some(match self {
            Self::Halted | Self::State(_) => return None,
            Self::Feed(error) if error.is_throttled() => return None,
            Self::Feed(error) if error.is_gone() => Failure::Gone(error.to_string()),
            Self::Feed(error) if error.is_retryable() || error.stops_tenant() => Failure::Feed(error.to_string()),
            Self::Feed(error) => Failure::Unreadable(error.to_string()),
            Self::Split(error) => Failure::Unreadable(error.to_string()),
            Self::BadRecords(reason) => Failure::Unreadable(reason),
        })
    }
}

/// What becomes of a content that was not read to its end.
async fn give_back(run: &Run, slot: Slot, content: &Content, interrupted: Interrupted) {
    if let Interrupted::State(error) = interrupted {
        return run.fail(error.into());
    }
    let Some(failure) = interrupted.into_failure() else { return };
    let (Failure::Gone(reason) | Failure::Unreadable(reason) | Failure::Feed(reason)) = &failure;
    tracing::warn!(content = content.id, content_type = %content.content_type, reason, "a content could not be read");
    add(&run.counts.failed, 1);
    if let Failure::Feed(reason) = &failure {
        run.feed_failed(reason);
    }
    let now = OffsetDateTime::now_utc();
    let verdict = run.progress().listing(slot.content_type).map(|listing| listing.content_failed(slot, &failure, now));
    if let Some(Verdict::GiveUp { tries }) = verdict {
        let letter = DeadLetter::content(content.clone(), reason.clone(), tries, now);
        match run.bury(&letter).await {
            Ok(()) => {
                if let Some(listing) = run.progress().listing(slot.content_type) {
                    listing.given_up(slot);
                }
            }
            Err(error) => run.fail(error.into()),
        }
    }
}

/// Reads a content once, from its first byte to its last. Rows that an earlier try handed over are known by the ids of
/// their records and not sent again.
async fn read(run: &Run, slot: Slot, content: &Content, rows: &mpsc::Sender<Rows>) -> Result<(), Interrupted> {
    let mut body = run.connector.feed.fetch(content).await.map_err(Interrupted::Feed)?;
    let mut splitter = Splitter::new();
    let mut piece = Piece::default();
    let mut bad_records = 0;
    while let Some(chunk) = body.chunk().await.map_err(Interrupted::Feed)? {
        add(&run.counts.feed_bytes, chunk.len() as u64);
        let split = splitter.push(&chunk, |element| piece.take(run, element));
        bad_records += deliver(run, slot, content, &mut piece, rows).await?;
        if bad_records > BAD_RECORDS_AT_MOST {
            let reason = format!("more than {BAD_RECORDS_AT_MOST} of its elements are no records");
            return Err(Interrupted::BadRecords(reason));
        }
        split.map_err(Interrupted::Split)?;
    }
    splitter.finish().map_err(Interrupted::Split)?;
    run.count_read(&piece.seen);
    Ok(())
}

/// What one piece of a body held.
#[derive(Default)]
struct Piece {
    /// The label events, one after the other.
    bytes: Vec<u8>,
    events: Vec<(Range<usize>, u64)>,
    bad: Vec<(Vec<u8>, String)>,
    /// Of the whole content so far.
    seen: Seen,
}

impl Piece {
    /// Keeps the element if it is a label event.
    fn take(&mut self, run: &Run, element: Element<'_>) {
        let ordinal = self.seen.records;
        self.seen.records += 1;
        let bytes = match element {
            Element::Whole(bytes) => bytes,
            Element::TooLarge { head, bytes } => {
                self.bad.push((head.to_vec(), format!("the record has {bytes} bytes; only its beginning is kept")));
                return;
            }
        };
        match Peek::of(&record::decode(bytes)) {
            Ok(peek) if run.connector.filter.keeps(peek.record_type, peek.operation.as_deref()) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                self.events.push((start..self.bytes.len(), ordinal));
            }
            Ok(peek) => *self.seen.filtered.entry(peek.record_type).or_default() += 1,
            Err(error) => self.bad.push((bytes.to_vec(), error.to_string())),
        }
    }
}

/// Makes rows of a piece's label events and hands them over. Returns how many elements were no records.
async fn deliver(
    run: &Run,
    slot: Slot,
    content: &Content,
    piece: &mut Piece,
    rows: &mpsc::Sender<Rows>,
) -> Result<u64, Interrupted> {
    let mut made = Rows::default();
    let provenance = Provenance::from(content);
    if !piece.events.is_empty() {
        run.know_records().await.map_err(Interrupted::State)?;
        piece.seen.label_events += piece.events.len() as u64;
        for (range, ordinal) in piece.events.drain(..) {
            let bytes = &piece.bytes[range];
            let text = record::decode(bytes);
            let record = match Record::parse(&text) {
                Ok(record) => record,
                Err(error) => {
                    piece.bad.push((bytes.to_vec(), error.to_string()));
                    continue;
                }
            };
            let id = record.key(&content.id, ordinal).0;
            if run.progress().admit(slot, id) != Admission::Send {
                piece.seen.repeated += 1;
                continue;
            }
            let start = made.bytes.len();
            let written = row::write(&record, &provenance, &run.connector.labels, &mut made.bytes);
            piece.seen.truncated += u64::from(written.truncated > 0);
            made.rows.push((start..made.bytes.len(), id));
        }
        piece.bytes.clear();
    }
    if !made.rows.is_empty() {
        // The receiver goes only when the run is over.
        rows.send(made).await.map_err(|_| Interrupted::Halted)?;
    }
    let bad = std::mem::take(&mut piece.bad);
    let count = bad.len() as u64;
    for (bytes, reason) in bad.into_iter().take(BAD_RECORDS_AT_MOST as usize) {
        let letter = DeadLetter::bytes(Kind::Record, Some(content.clone()), &bytes, reason, OffsetDateTime::now_utc());
        run.bury(&letter).await.map_err(Interrupted::State)?;
    }
    Ok(count)
}
