//! Seeing to it that the content types have subscriptions: without one the feed lists nothing.

use std::time::Duration;

use futures_util::future::join_all;
use time::OffsetDateTime;

use super::{error::RunError, run::Run};
use crate::{
    content::ContentType,
    feed::{
        FeedErrorKind,
        subscription::{may_start, to_start},
    },
};

/// How long the work of a run waits for the list of subscriptions. It is for what nobody would notice otherwise; a
/// subscription that is missing is told by the listing of its content type too.
const CHECK_AT_MOST: Duration = Duration::from_secs(30);

/// Starts the subscriptions that are not enabled. What cannot be found out now is left to a later run. A dry run leaves
/// them alone: the listing tells of one that is missing.
pub async fn check(run: &Run, wanted: &[ContentType]) {
    if run.dry_run {
        return;
    }
    let listed = tokio::select! {
        biased;
        () = run.stop.cancelled() => return,
        listed = tokio::time::timeout(CHECK_AT_MOST, run.connector.feed.subscriptions()) => listed,
    };
    let listed = match listed {
        Ok(Ok(listed)) => listed,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the subscriptions could not be listed; a later run looks at them");
            return;
        }
        Err(_) => {
            let seconds = CHECK_AT_MOST.as_secs();
            tracing::warn!(seconds, "the subscriptions were not listed in time; a later run looks at them");
            return;
        }
    };
    join_all(to_start(&listed, wanted).into_iter().map(|content_type| start(run, content_type))).await;
    if !run.stop.is_cancelled() {
        run.progress().checked_subscriptions(OffsetDateTime::now_utc());
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
    let started = tokio::select! {
        biased;
        () = run.stop.cancelled() => return false,
        started = run.connector.feed.start(content_type) => started,
    };
    match started {
        Ok(()) => {
            tracing::info!(%content_type, "the subscription was started");
            if let Some(listing) = run.progress().listing(content_type) {
                listing.started(OffsetDateTime::now_utc());
            }
            true
        }
        Err(error) if error.is_throttled() || matches!(error.kind(), FeedErrorKind::StartThrottled { .. }) => {
            tracing::warn!(%content_type, %error, "the subscription is started by a later run");
            false
        }
        Err(error) => {
            run.note(RunError::Listing { content_type, error });
            false
        }
    }
}
