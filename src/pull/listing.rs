//! Asking one content type for its windows: what is new first, then what a deeper look back adds.

use std::{collections::HashSet, sync::Arc};

use time::{Date, OffsetDateTime};
use tokio::sync::mpsc;

use super::{
    error::RunError,
    run::{Run, add},
    subscriptions,
};
use crate::{
    content::{Content, ContentType},
    dead_letter::{DeadLetter, Kind},
    feed::{
        FeedError, FeedErrorKind, Page, PageUri, Skipped, Window,
        window::{clamped, windows},
    },
    state::StateError,
    watermark::{LookBack, REMEMBERED_DAYS, Slot, content_id},
};

/// How often a window is asked for anew after its pages went stale or it was refused.
const LISTING_TRIES: u32 = 3;

/// A content to fetch.
pub type Found = (Slot, Content);

/// What ends the listing of a content type.
enum End {
    Stopped,
    Failed(RunError),
}

/// A storage that fails over one key fails the content type that needs it: where it is down, saving fails the run.
fn storage_failed(error: StateError) -> End {
    End::Failed(error.into())
}

/// Lists `content_type` up to now, or the windows of the range that was asked for, and hands over what is new.
pub async fn list(run: Arc<Run>, content_type: ContentType, range: Option<Vec<Window>>, found: mpsc::Sender<Found>) {
    let mut lister = Lister { run: &run, content_type, found, buried: 0, unread: None };
    let listed = match range {
        Some(range) => lister.list_all(range).await,
        None => lister.list_new().await,
    };
    if let Err(End::Failed(error)) = listed {
        run.note(error);
    }
    for reason in lister.reasons() {
        run.note(RunError::Unlisted { content_type, reason });
    }
}

/// Hands over what earlier runs left behind of `content_type`.
pub async fn resume(run: Arc<Run>, content_type: ContentType, pending: mpsc::Sender<Found>) {
    let resumed = run.progress().resume(content_type);
    let lister = Lister { run: &run, content_type, found: pending, buried: 0, unread: None };
    for (slot, content) in resumed {
        let handed_over = match lister.know_day(&content).await {
            Ok(()) => lister.hand_over((slot, content)).await,
            failed => failed,
        };
        match handed_over {
            Ok(()) => {}
            Err(End::Stopped) => return,
            Err(End::Failed(error)) => return run.note(error),
        }
    }
}

/// The listing of one content type in one run.
struct Lister<'a> {
    run: &'a Run,
    content_type: ContentType,
    found: mpsc::Sender<Found>,
    /// How many entries became dead letters.
    buried: u64,
    /// Why the first page that could not be read at all could not.
    unread: Option<String>,
}

impl Lister<'_> {
    /// What could not be taken in, for people.
    fn reasons(&self) -> Vec<String> {
        let buried = (self.buried > 0).then(|| {
            let buried = self.buried;
            format!("{buried} entries of the listing name no content and were put into the dead letters as they came")
        });
        buried.into_iter().chain(self.unread.clone()).collect()
    }

    async fn list_new(&mut self) -> Result<(), End> {
        let now = OffsetDateTime::now_utc();
        let Some((watermark, known)) = self
            .run
            .progress()
            .listing(self.content_type)
            .map(|listing| (listing.watermark().clone(), listing.is_known()))
        else {
            return Ok(());
        };
        if let (true, (_, Some(lost))) = (known, clamped(watermark.listed_through, now)) {
            let minutes = lost.as_secs() / 60;
            tracing::warn!(
                content_type = %self.content_type,
                "the feed lists no more what was published in the {} h {} min after the watermark ({}): what had not been listed of it is lost",
                minutes / 60,
                minutes % 60,
                watermark.listed_through
            );
        }
        let look = LookBack::due(&watermark, now);
        let [(from, to), (again_from, again_to)] = look.spans(&watermark, now);
        self.list_all(windows(from, to, now)).await?;
        // By now the reach has moved on.
        self.list_all(windows(again_from, again_to, OffsetDateTime::now_utc())).await?;
        if let Some(listing) = self.run.progress().listing(self.content_type) {
            listing.looks_back(look, now);
        }
        Ok(())
    }

    async fn list_all(&mut self, windows: impl IntoIterator<Item = Window>) -> Result<(), End> {
        for window in windows {
            self.list_window(window).await?;
        }
        Ok(())
    }

    async fn list_window(&mut self, mut window: Window) -> Result<(), End> {
        let begin = |end| self.run.progress().listing(self.content_type).map_or(0, |listing| listing.begin_window(end));
        let number = begin(window.end);
        let mut whole = true;
        let mut tries = 1;
        let mut next = None;
        let mut named = HashSet::new();
        while !window.is_empty() {
            let page = match self.ask(&window, next.as_ref()).await? {
                Ok(page) => page,
                Err(error) => {
                    let again =
                        if tries < LISTING_TRIES { self.again(&error, window, next.is_some()).await } else { None };
                    let Some(again) = again else { return Err(self.end(error)) };
                    tries += 1;
                    window = again;
                    next = None;
                    named.clear();
                    whole = true;
                    continue;
                }
            };
            whole &= self.take(number, &window, &page).await?;
            if self.run.progress().listing(self.content_type).is_some_and(|listing| listing.is_down()) {
                // What it would find is not fetched in this run.
                return Err(End::Stopped);
            }
            next = page.next;
            let Some(uri) = &next else { break };
            if !named.insert(uri.clone()) {
                return Err(End::Failed(self.goes_round(&window)));
            }
        }
        if whole && let Some(listing) = self.run.progress().listing(self.content_type) {
            listing.end_window(number);
        }
        Ok(())
    }

    async fn ask(&self, window: &Window, page: Option<&PageUri>) -> Result<Result<Page, FeedError>, End> {
        tokio::select! {
            biased;
            () = self.run.stop.cancelled() => Err(End::Stopped),
            answer = self.run.connector.feed.list(self.content_type, window, page) => Ok(answer),
        }
    }

    /// The window to ask for from its first page on after `error`, where that is worth a try.
    async fn again(&self, error: &FeedError, window: Window, later_page: bool) -> Option<Window> {
        if error.needs_start() {
            return subscriptions::start(self.run, self.content_type).await.then_some(window);
        }
        if !error.restarts_listing() {
            return None;
        }
        if later_page || error.kind() != FeedErrorKind::BadWindow {
            return Some(window);
        }
        let again = window.after_refusal(OffsetDateTime::now_utc());
        let start = again.start_time();
        tracing::warn!(content_type = %self.content_type, %error, %window, start, "a refused window is asked for again");
        Some(again)
    }

    /// How an error that stands ends the listing. Not done is no failure: the next run goes on here, and the lag shows it.
    fn end(&self, error: FeedError) -> End {
        let content_type = self.content_type;
        if error.is_throttled() {
            tracing::warn!(%content_type, %error, "listing is throttled; the next run goes on");
            return End::Stopped;
        }
        let mut progress = self.run.progress();
        let now = OffsetDateTime::now_utc();
        if error.needs_start()
            && progress.listing(content_type).is_some_and(|listing| listing.watermark().is_getting_ready(now))
        {
            tracing::warn!(%content_type, %error, "the subscription was started and is not ready yet; the next run goes on");
            return End::Stopped;
        }
        End::Failed(RunError::Listing { content_type, error })
    }

    fn goes_round(&self, window: &Window) -> RunError {
        let reason = format!(
            "the pages of the listing from {window} name each other as the next one without end; it is listed anew by \
             the next run. If this goes on, open a ticket with Microsoft support"
        );
        RunError::Unlisted { content_type: self.content_type, reason }
    }

    /// Takes in a page. Whether its window may count as listed: not with a page of which nothing can be read, while those
    /// after it are still asked for.
    async fn take(&mut self, number: u64, window: &Window, page: &Page) -> Result<bool, End> {
        let content_type = self.content_type;
        if page.contents.is_empty() {
            if let Some(first) = self.first_untold(&page.skipped).await?
                && !self.is_given_up(&page.skipped)
            {
                let entries = page.skipped.len();
                self.unread.get_or_insert_with(|| {
                    format!("none of the {entries} entries on a page of the listing from {window} can be read ({first}); the watermark waits for it")
                });
                return Ok(false);
            }
        } else if let Some(listing) = self.run.progress().listing(content_type) {
            listing.page_read();
        }
        for skipped in &page.skipped {
            self.bury(skipped).await?;
        }
        if let Some(first) = page.undated.first() {
            let (contents, taken) = (page.undated.len(), window.start_time());
            tracing::warn!(%content_type, contents, first, taken, "contentCreated is no time: the start of the window is taken for it");
        }
        let mut contents = page.contents.clone();
        contents.sort_by_key(|content| content.created);
        for content in contents {
            self.know_day(&content).await?;
            let offered = {
                let mut progress = self.run.progress();
                let slot = progress.next_slot(content_type);
                progress
                    .listing(content_type)
                    .is_some_and(|listing| listing.offer(number, &content, slot))
                    .then_some((slot, content))
            };
            if let Some(content) = offered {
                add(&self.run.counts.listed, 1);
                self.hand_over(content).await?;
            }
        }
        Ok(true)
    }

    /// Whether the entries of a page of which none can be read go to the dead letters. One alone is bad by itself;
    /// several may be the answer of a proxy.
    fn is_given_up(&self, entries: &[Skipped]) -> bool {
        entries.len() == 1
            || self.run.progress().listing(self.content_type).is_some_and(|listing| listing.page_unread())
    }

    /// The first entry that is not in the dead letters yet.
    async fn first_untold<'s>(&self, skipped: &'s [Skipped]) -> Result<Option<&'s Skipped>, End> {
        for skipped in skipped {
            if !self.is_told(&self.letter(skipped)).await? {
                return Ok(Some(skipped));
            }
        }
        Ok(None)
    }

    /// Keeps an entry that names no content. One that lies in the dead letters was told before.
    async fn bury(&mut self, skipped: &Skipped) -> Result<(), End> {
        let letter = self.letter(skipped);
        if !self.is_told(&letter).await? {
            self.run.bury(&letter).await.map_err(storage_failed)?;
            self.buried += 1;
        }
        Ok(())
    }

    fn letter(&self, skipped: &Skipped) -> DeadLetter {
        let reason = format!("an entry in the listing of {} names no content: {}", self.content_type, skipped.reason);
        let letter = DeadLetter::bytes(Kind::Entry, None, skipped.entry.as_bytes(), reason, OffsetDateTime::now_utc());
        DeadLetter { content_type: Some(self.content_type), ..letter }
    }

    /// Whether the entry was told before: it lies in the dead letters, or a replay of it was delivered, which is
    /// remembered under the day of the replay.
    async fn is_told(&self, letter: &DeadLetter) -> Result<bool, End> {
        let connector = &self.run.connector;
        let stored = connector.store.get(&letter.key(&connector.tenant)).await;
        if stored.map_err(storage_failed)?.is_some() {
            return Ok(true);
        }
        let id = content_id(letter.body.as_deref().unwrap_or_default());
        let today = OffsetDateTime::now_utc().date();
        for ago in 0..=REMEMBERED_DAYS {
            let day = today - time::Duration::days(ago);
            self.know(self.content_type, day).await?;
            if self.run.progress().listing(self.content_type).is_some_and(|listing| listing.has_delivered(day, &id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn know_day(&self, content: &Content) -> Result<(), End> {
        self.know(content.content_type, content.created.date()).await
    }

    /// Loads what was delivered of a day, once a day and content type.
    async fn know(&self, content_type: ContentType, day: Date) -> Result<(), End> {
        let known = self.run.progress().listing(content_type).is_none_or(|listing| listing.knows_day(day));
        if known {
            return Ok(());
        }
        let logs = self.run.memory.load_contents(content_type, day).await;
        let logs = logs.map_err(storage_failed)?;
        if let Some(listing) = self.run.progress().listing(content_type) {
            listing.load_day(day, &[]);
            for log in logs {
                listing.load_day(day, &log);
            }
        }
        Ok(())
    }

    async fn hand_over(&self, content: Found) -> Result<(), End> {
        tokio::select! {
            biased;
            () = self.run.stop.cancelled() => Err(End::Stopped),
            sent = self.found.send(content) => sent.map_err(|_| End::Stopped),
        }
    }
}
