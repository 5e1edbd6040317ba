//! Asking one content type for its windows, oldest first.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tokio::sync::mpsc;

use super::{
    connector::Range,
    error::RunError,
    run::{Run, add},
};
use crate::{
    content::{Content, ContentType},
    feed::{
        FeedError, Window,
        subscription::{may_start, to_start},
        window::{clamped, windows},
    },
    watermark::Slot,
};

/// How far before the watermark each run looks again: contents are listed late, with an older time of publication.
pub const OVERLAP: Duration = Duration::hours(1);

/// How often a window is asked for anew after its pages went stale or its edge was refused.
const LISTING_TRIES: u32 = 3;

/// How much later a refused window is begun: more than the clocks of two machines differ.
const EDGE_STEP: Duration = Duration::minutes(15);

/// A content to fetch.
pub type Found = (Slot, Content);

/// What ends the listing of a content type.
enum End {
    Stopped,
    Failed(RunError),
}

/// Lists `content_type` up to now, or over the range that was asked for, and hands over what is new.
pub async fn list(run: Arc<Run>, content_type: ContentType, range: Option<Range>, found: mpsc::Sender<Found>) {
    match list_windows(&run, content_type, range, &found).await {
        Ok(()) | Err(End::Stopped) => {}
        Err(End::Failed(error)) => run.note(error),
    }
}

async fn list_windows(
    run: &Run,
    content_type: ContentType,
    range: Option<Range>,
    found: &mpsc::Sender<Found>,
) -> Result<(), End> {
    let now = OffsetDateTime::now_utc();
    let through = run.progress().listing(content_type).map_or(now, |listing| listing.watermark().listed_through);
    let (from, to) = match range {
        Some(range) => (range.since.unwrap_or(through), range.until.unwrap_or(now)),
        None => {
            if let (_, Some(lost)) = clamped(through, now) {
                let hours = lost.as_secs() / 3600;
                tracing::warn!(%content_type, hours, "the watermark is older than the feed reaches: what was published in the first hours after it is lost");
            }
            (through - OVERLAP, now)
        }
    };
    for window in windows(from, to, now) {
        list_window(run, content_type, window, found).await?;
    }
    Ok(())
}

/// Hands over what earlier runs left behind, of every content type.
pub async fn resume(run: Arc<Run>, pending: mpsc::Sender<Found>) {
    let resumed = run.progress().resume();
    for (slot, content) in resumed {
        // An end of the run is no failure; a storage that fails has failed the run already.
        if know_day(&run, &content).await.is_err() || hand_over(&run, (slot, content), &pending).await.is_err() {
            return;
        }
    }
}

async fn list_window(
    run: &Run,
    content_type: ContentType,
    mut window: Window,
    found: &mpsc::Sender<Found>,
) -> Result<(), End> {
    let begin = |end| run.progress().listing(content_type).map_or(0, |listing| listing.begin_window(end));
    let number = begin(window.end);
    let mut tries = 1;
    let mut next = None;
    loop {
        let answer = tokio::select! {
            biased;
            () = run.stop.cancelled() => return Err(End::Stopped),
            answer = run.connector.feed.list(content_type, &window, next.as_ref()) => answer,
        };
        let page = match answer {
            Ok(page) => page,
            Err(error) if error.is_throttled() => {
                // Not done is no failure: the next run goes on here, and the lag shows it.
                tracing::warn!(%content_type, %error, "listing is throttled; the next run goes on");
                return Err(End::Stopped);
            }
            Err(error) if error.needs_start() && tries < LISTING_TRIES && start(run, content_type).await => {
                tries += 1;
                continue;
            }
            Err(error) if error.restarts_listing() && tries < LISTING_TRIES => {
                tries += 1;
                if next.take().is_none() {
                    // The very window is refused: by the feed's clock it begins beyond its reach.
                    window.start = (window.start + EDGE_STEP).min(window.end);
                    tracing::warn!(%content_type, %error, start = window.start_time(), "the window is begun later");
                }
                continue;
            }
            Err(error) => return Err(End::Failed(RunError::Listing { content_type, error })),
        };
        for reason in &page.skipped {
            tracing::warn!(%content_type, reason, "an entry of the listing cannot be read");
        }
        let mut contents = page.contents;
        contents.sort_by_key(|content| content.created);
        for content in contents {
            know_day(run, &content).await?;
            let offered = {
                let mut progress = run.progress();
                let slot = progress.next_slot(content_type);
                progress
                    .listing(content_type)
                    .is_some_and(|listing| listing.offer(number, &content, slot))
                    .then_some((slot, content))
            };
            if let Some(content) = offered {
                add(&run.counts.listed, 1);
                hand_over(run, content, found).await?;
            }
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    if let Some(listing) = run.progress().listing(content_type) {
        listing.end_window(number);
    }
    Ok(())
}

/// Loads what was delivered of the content's day, once a day and content type.
async fn know_day(run: &Run, content: &Content) -> Result<(), End> {
    let (content_type, day) = (content.content_type, content.created.date());
    let known = run.progress().listing(content_type).is_none_or(|listing| listing.knows_day(day));
    if known {
        return Ok(());
    }
    let logs = run.memory().await.load_contents(content_type, day).await;
    match logs {
        Ok(logs) => {
            if let Some(listing) = run.progress().listing(content_type) {
                listing.load_day(day, &[]);
                for log in logs {
                    listing.load_day(day, &log);
                }
            }
            Ok(())
        }
        Err(error) => {
            run.fail(error.into());
            Err(End::Stopped)
        }
    }
}

async fn hand_over(run: &Run, content: Found, found: &mpsc::Sender<Found>) -> Result<(), End> {
    tokio::select! {
        biased;
        () = run.stop.cancelled() => Err(End::Stopped),
        sent = found.send(content) => sent.map_err(|_| End::Stopped),
    }
}

/// Starts the subscription of `content_type`, no more often than the feed allows, and never in a dry run. Whether it is
/// worth listing again.
pub async fn start(run: &Run, content_type: ContentType) -> bool {
    if run.dry_run {
        return false;
    }
    let now = OffsetDateTime::now_utc();
    {
        let mut progress = run.progress();
        let Some(listing) = progress.listing(content_type) else { return false };
        if !may_start(listing.watermark().start_tried, now) {
            return false;
        }
        listing.start_tried(now);
    }
    match run.connector.feed.start(content_type).await {
        Ok(()) => {
            tracing::info!(%content_type, "the subscription was started");
            true
        }
        Err(error) => {
            run.note(RunError::Listing { content_type, error });
            false
        }
    }
}

/// Starts the subscriptions that are not enabled. A dry run leaves them alone: the listing tells of one that is missing.
pub async fn subscribe(run: &Run, wanted: &[ContentType]) -> Result<(), FeedError> {
    if run.dry_run {
        return Ok(());
    }
    let listed = run.connector.feed.subscriptions().await?;
    for content_type in to_start(&listed, wanted) {
        start(run, content_type).await;
    }
    run.progress().checked_subscriptions(OffsetDateTime::now_utc());
    Ok(())
}
